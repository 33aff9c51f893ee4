package engines

import (
	"context"
	"testing"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// BenchmarkAdd stores new items of 1.5 kB, each durably before the next of a worker.
func BenchmarkAdd(b *testing.B) {
	byEngine(b, func(b *testing.B, s *stage, workers int) {
		all := []contestant{
			{"ours", func(b *testing.B) { s.addOurs(b, workers) }},
			{"plain", func(b *testing.B) { s.addPlain(b, workers) }},
		}
		if s.dialect == sqlstore.PostgreSQL {
			s.migrateRiver(b, workers)
			all = append(all, contestant{"river", func(b *testing.B) { s.addRiver(b, workers) }})
		}
		contest(b, all...)
	})
}

func (s *stage) addOurs(b *testing.B, workers int) {
	b.Helper()
	name, id := freshIDs()
	queue, err := durable.NewQueue(name, s.store, durable.Config{})
	check(b, err)
	measure(b, workers, func(ctx context.Context, i int) error {
		_, err := queue.Add(ctx, id(i), "", data)
		return err
	})
	s.want(b, "rentcar_items WHERE queue = ?", name)
}

// addPlain inserts rows that have nothing but an id, the data and a state.
func (s *stage) addPlain(b *testing.B, workers int) {
	b.Helper()
	name, id := freshIDs()
	s.insertPlain(b, workers, id)
	s.want(b, "plain WHERE id LIKE ?", name+"%")
}

func (s *stage) insertPlain(b *testing.B, workers int, id func(i int) string) {
	b.Helper()
	insert := s.bind("INSERT INTO plain (id, data, state) VALUES (?, ?, 0)")
	measure(b, workers, func(ctx context.Context, i int) error {
		_, err := s.db.ExecContext(ctx, insert, id(i), data)
		return err
	})
}
