package sqlstore_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// Every connection of the pool has a transaction that adds to another queue, which does not ask for another one: not
// for the time either, though that queue was never told it.
func TestAddWithinDoNeedsNoOtherConnection(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		store, db := newStore(t, e)
		workers := 2
		if e.dialect == sqlstore.SQLite {
			workers = 1
		}
		db.SetMaxOpenConns(workers)
		in := newQueue(t, store, "in", workers)
		out := newQueue(t, store, "out", 1)
		for _, id := range []string{"a", "b"} {
			if isNew, err := in.Add(t.Context(), id, "", nil); !isNew || err != nil {
				t.Fatalf("Add = %v, %v", isNew, err)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		var began, done atomic.Int32
		all := make(chan struct{})
		err := in.Run(ctx, func(ctx context.Context, i *durable.Item) error {
			if _, err := sqlstore.Tx(ctx); err != nil {
				return err
			}
			if began.Add(1) == int32(workers) {
				close(all)
			}
			select {
			case <-all:
			case <-ctx.Done():
			}
			isNew, err := out.Add(ctx, "of-"+i.ID, "", nil)
			if !isNew || err != nil {
				t.Errorf("Add within Do = %v, %v; want a new item", isNew, err)
			}
			if done.Add(1) == 2 {
				cancel()
			}
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v; want both items worked on before the time is over", err)
		}
		items, err := store.ClaimBatch(t.Context(), "out", 3, time.Now().Add(time.Minute), time.Now().Add(time.Hour))
		if len(items) != 2 || err != nil {
			t.Errorf("ClaimBatch = %v, %v; want what was added", items, err)
		}
	})
}

func newQueue(t *testing.T, store durable.Store, name string, workers int) *durable.Queue {
	t.Helper()
	q, err := durable.NewQueue(name, store, durable.Config{Workers: workers, Poll: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return q
}
