package engines

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/sqlstore"
)

const (
	insertBooks = "INSERT INTO books (id, yuan) VALUES (?, ?)"
	yuan        = "200.98"
)

// BenchmarkWork works on items that are there already: for each, a row is written in the transaction in which it is
// marked as done. Its times are those of work and mark, without the claim.
func BenchmarkWork(b *testing.B) {
	byEngine(b, func(b *testing.B, s *stage, workers int) {
		all := []contestant{
			{"ours", func(b *testing.B) { s.workOurs(b, workers, s.store) }},
			{"ours-singly", func(b *testing.B) { s.workOurs(b, workers, singly{s.store}) }},
			{"plain", func(b *testing.B) { s.workPlain(b, workers) }},
		}
		if s.dialect == sqlstore.PostgreSQL {
			s.migrateRiver(b, workers)
			all = append(all,
				contestant{"river", func(b *testing.B) { s.workRiverInTx(b, workers) }},
				contestant{"river-nothing", func(b *testing.B) { s.workRiverOnNothing(b, workers) }})
		}
		contest(b, all...)
	})
}

// singly hides that a store can hand out several items at once.
type singly struct{ durable.Store }

func (s *stage) workOurs(b *testing.B, workers int, store durable.Store) {
	b.Helper()
	ctx, cancel := context.WithCancel(b.Context())
	defer cancel()
	name, id := freshIDs()
	took, n := make([]time.Duration, b.N), atomic.Int64{}
	queue, err := durable.NewQueue(name, store, durable.Config{
		Workers: workers,
		Observer: func(_ context.Context, o durable.Observation) {
			if !o.Done {
				b.Error(o.Err)
				cancel()
				return
			}
			i := n.Add(1)
			took[i-1] = o.Duration
			if i == int64(b.N) {
				cancel()
			}
		},
	})
	check(b, err)
	s.inTx(b, func(tx *sql.Tx) {
		for i := range b.N {
			_, err := queue.Add(sqlstore.WithTx(b.Context(), tx), id(i), "", data)
			check(b, err)
		}
	})
	insert := s.bind(insertBooks)
	b.ResetTimer()
	err = queue.Run(ctx, func(ctx context.Context, item *durable.Item) error {
		tx, err := sqlstore.Tx(ctx)
		if err == nil {
			_, err = tx.ExecContext(ctx, insert, item.ID, yuan)
		}
		return err
	})
	report(b, took)
	if !errors.Is(err, context.Canceled) {
		b.Error(err)
	}
	s.want(b, "rentcar_items WHERE state = 1 AND queue = ?", name)
	s.want(b, "books WHERE id LIKE ?", name+"%")
}

// inTx does something in a transaction before the clock starts.
func (s *stage) inTx(b *testing.B, f func(tx *sql.Tx)) {
	b.Helper()
	tx, err := s.db.BeginTx(b.Context(), nil)
	check(b, err)
	f(tx)
	check(b, tx.Commit())
	s.analyze(b)
}

// workPlain inserts a row and updates another one by its id in a transaction, and has no claims.
func (s *stage) workPlain(b *testing.B, workers int) {
	b.Helper()
	name, id := freshIDs()
	s.inTx(b, func(tx *sql.Tx) {
		for i := range b.N {
			_, err := tx.ExecContext(b.Context(), s.bind("INSERT INTO plain (id, data, state) VALUES (?, ?, 0)"), id(i), data)
			check(b, err)
		}
	})
	insert, update := s.bind(insertBooks), s.bind("UPDATE plain SET state = 1 WHERE id = ?")
	measure(b, workers, func(ctx context.Context, i int) error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		defer func() { _ = tx.Rollback() }() // of what was not committed
		if _, err := tx.ExecContext(ctx, insert, id(i), yuan); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, update, id(i)); err != nil {
			return err
		}
		return tx.Commit()
	})
	s.want(b, "plain WHERE state = 1 AND id LIKE ?", name+"%")
	s.want(b, "books WHERE id LIKE ?", name+"%")
}
