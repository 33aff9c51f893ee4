package recipes_test

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/rivermigrate"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/examples/recipes"
)

// The attempt that fails leaves no job; the one that succeeds leaves one, which River works on.
func TestToRiver(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	driver := riverdatabasesql.New(db.DB)
	migrator, err := rivermigrate.New(driver, &rivermigrate.Config{Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := migrator.Migrate(t.Context(), rivermigrate.DirectionUp, nil); err != nil {
		t.Fatal(err)
	}
	worked := make(chan string, 10)
	workers := river.NewWorkers()
	river.AddWorker(workers, &recipes.EventWorker{Handle: func(_ context.Context, key string, e events.Event) error {
		refund, ok := e.(*events.FeeRefund)
		if !ok || refund.Amount.String() != "200.98" || key == "" {
			t.Errorf("the job has %q, %v", key, e)
		}
		worked <- key
		return nil
	}})
	client, err := river.NewClient(driver, &river.Config{
		Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 2}},
		Logger: slog.New(slog.DiscardHandler), FetchPollInterval: 100 * time.Millisecond,
	})
	if err != nil {
		t.Fatal(err)
	}
	isOneTransaction(t, db, db.store, "river_job", recipes.ToRiver(client))

	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	done, stop := client.Subscribe(river.EventKindJobCompleted)
	defer stop()
	if err := client.Start(ctx); err != nil {
		t.Fatal(err)
	}
	select {
	case <-done:
	case <-ctx.Done():
		t.Error("the job was not worked on")
	}
	if err := client.Stop(ctx); err != nil {
		t.Error(err)
	}
	if len(worked) != 1 || db.rows(t, "river_job WHERE state = 'completed'") != 1 {
		t.Errorf("worked %d times", len(worked))
	}
	if err := recipes.ToRiver(client)(t.Context(), nil, nil); err == nil {
		t.Error("ToRiver without an inbox on the database")
	}
}

func TestEventWorkerCancels(t *testing.T) {
	t.Parallel()
	worker := &recipes.EventWorker{}
	err := worker.Work(t.Context(), &river.Job[recipes.EventArgs]{Args: recipes.EventArgs{Message: []byte("{")}})
	if cancelled := new(river.JobCancelError); err == nil || !errors.As(err, &cancelled) {
		t.Errorf("Work = %v, want a cancelled job: its message cannot be read", err)
	}
}
