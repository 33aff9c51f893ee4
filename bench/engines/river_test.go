package engines

import (
	"context"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivermigrate"
)

// A task is River's form of an item.
type task struct {
	ID   string `json:"id"   river:"unique"`
	Data string `json:"data"`
}

func (task) Kind() string { return "task" }

// unique keeps River from storing an id twice.
var unique = &river.InsertOpts{UniqueOpts: river.UniqueOpts{ByArgs: true}}

// A taskWorker calls a function.
type taskWorker struct {
	river.WorkerDefaults[task]
	work func(ctx context.Context, job *river.Job[task]) error
}

func (w *taskWorker) Work(ctx context.Context, job *river.Job[task]) error { return w.work(ctx, job) }

func (s *stage) migrateRiver(b *testing.B, workers int) {
	b.Helper()
	migrator, err := rivermigrate.New(riverpgxv5.New(s.pool), &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	check(b, err)
	_, err = migrator.Migrate(b.Context(), rivermigrate.DirectionUp, nil)
	check(b, err)
	s.connect(b, workers, "river_job")
}

func (s *stage) newRiver(b *testing.B, cfg *river.Config) *river.Client[pgx.Tx] {
	b.Helper()
	cfg.Logger = slog.New(slog.DiscardHandler)
	client, err := river.NewClient(riverpgxv5.New(s.pool), cfg)
	check(b, err)
	return client
}

func (s *stage) addRiver(b *testing.B, workers int) {
	b.Helper()
	name, id := freshIDs()
	client := s.newRiver(b, &river.Config{})
	text := string(data)
	measure(b, workers, func(ctx context.Context, i int) error {
		_, err := client.Insert(ctx, task{id(i), text}, unique)
		return err
	})
	s.want(b, "river_job WHERE args ->> 'id' LIKE ?", name+"%")
}

// workRiver lets River work on items by a function that is given each. They count as done when it has returned, or with
// isMarkedLater when River has marked them.
func (s *stage) workRiver(
	b *testing.B, workers int, isMarkedLater bool, work func(ctx context.Context, job *river.Job[task]) error,
) {
	b.Helper()
	took, n, worked := make([]time.Duration, b.N), atomic.Int64{}, make(chan error, b.N)
	list := river.NewWorkers()
	river.AddWorker(list, &taskWorker{work: func(ctx context.Context, job *river.Job[task]) error {
		start := time.Now()
		err := work(ctx, job)
		took[n.Add(1)-1] = time.Since(start)
		worked <- err
		return err
	}})
	client := s.newRiver(b, &river.Config{
		Workers: list, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: workers}}, MaxAttempts: 1,
		FetchCooldown: river.FetchCooldownMin, FetchPollInterval: river.FetchPollIntervalMin, // as fast as it goes
	})
	name, id := freshIDs()
	var params []river.InsertManyParams
	for i := range b.N {
		params = append(params, river.InsertManyParams{Args: task{id(i), string(data)}, InsertOpts: unique})
		if len(params) == 1000 || i == b.N-1 {
			_, err := client.InsertMany(b.Context(), params)
			check(b, err)
			params = params[:0]
		}
	}
	s.analyze(b)
	marked, cancel := client.SubscribeConfig(&river.SubscribeConfig{
		Kinds: []river.EventKind{river.EventKindJobCompleted}, ChanSize: b.N,
	})
	defer cancel()
	b.ResetTimer()
	check(b, client.Start(b.Context()))
	for range b.N {
		if err := <-worked; err != nil {
			b.Error(err)
		}
	}
	for i := 0; i < b.N && isMarkedLater; i++ {
		<-marked
	}
	report(b, took)
	check(b, client.Stop(b.Context()))
	s.want(b, "river_job WHERE state = 'completed' AND args ->> 'id' LIKE ?", name+"%")
}

// workRiverInTx writes a row and marks the job in one transaction.
func (s *stage) workRiverInTx(b *testing.B, workers int) {
	b.Helper()
	insert := s.bind(insertBooks)
	s.workRiver(b, workers, false, func(ctx context.Context, job *river.Job[task]) error {
		tx, err := s.pool.Begin(ctx)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback(ctx) }() // of what was not committed
		if _, err := tx.Exec(ctx, insert, job.Args.ID, yuan); err != nil {
			return err
		}
		if _, err := river.JobCompleteTx[*riverpgxv5.Driver](ctx, tx, job); err != nil {
			return err
		}
		return tx.Commit(ctx)
	})
}

// workRiverOnNothing does nothing in a job, which River marks afterwards, in batches: if a job had written something, a
// crash would leave it without the mark, and the job would run again.
func (s *stage) workRiverOnNothing(b *testing.B, workers int) {
	b.Helper()
	s.workRiver(b, workers, true, func(context.Context, *river.Job[task]) error { return nil })
}
