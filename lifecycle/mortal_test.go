package lifecycle_test

import (
	"cmp"
	"context"
	"errors"
	"sync/atomic"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// A dyingStore is the store as a process sees it that loses it at an operation: before or after it, or before its
// commit.
type dyingStore struct {
	*lifecycle.MemoryStore
	left atomic.Int64 // places at which it may be lost until it is; negative before the count begins
}

func (s *dyingStore) isDead() bool { return s.left.Load() == 0 }

func (s *dyingStore) place() error {
	if s.left.Load() > 0 {
		s.left.Add(-1)
	}
	if s.isDead() {
		return errDead
	}
	return nil
}

func around[T any](s *dyingStore, f func() (T, error)) (v T, err error) {
	if err = s.place(); err == nil {
		v, err = f()
		err = cmp.Or(err, s.place()) // it may be done, and nobody hears of it
	}
	return v, err
}

func (s *dyingStore) Add(ctx context.Context, i *durable.Item) (*durable.Item, error) {
	return around(s, func() (*durable.Item, error) { return s.MemoryStore.Add(ctx, i) })
}

func (s *dyingStore) Claim(ctx context.Context, q string, now, until time.Time) (*durable.Item, error) {
	return around(s, func() (*durable.Item, error) { return s.MemoryStore.Claim(ctx, q, now, until) })
}

func (s *dyingStore) Do(ctx context.Context, i *durable.Item, work func(context.Context) error) error {
	_, err := around(s, func() (any, error) {
		return nil, s.MemoryStore.Do(ctx, i, func(ctx context.Context) error { return cmp.Or(work(ctx), s.place()) })
	})
	return err
}

func (s *dyingStore) Retry(ctx context.Context, i *durable.Item, due time.Time) error {
	return cmp.Or(s.place(), s.MemoryStore.Retry(ctx, i, due))
}

func (s *dyingStore) Atomically(ctx context.Context, f func(context.Context, lifecycle.Tx) error) error {
	_, err := around(s, func() (any, error) {
		return nil, s.MemoryStore.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error {
			return cmp.Or(f(ctx, tx), s.place())
		})
	})
	return err
}

func (s *dyingStore) Get(ctx context.Context, kind, id string) (*lifecycle.Doc, error) {
	return around(s, func() (*lifecycle.Doc, error) { return s.MemoryStore.Get(ctx, kind, id) })
}

func (s *dyingStore) List(ctx context.Context, q lifecycle.Query) ([]*lifecycle.Doc, error) {
	return around(s, func() ([]*lifecycle.Doc, error) { return s.MemoryStore.List(ctx, q) })
}

func (s *dyingStore) Due(ctx context.Context, limit int) ([]*lifecycle.Doc, error) {
	return around(s, func() ([]*lifecycle.Doc, error) { return s.MemoryStore.Due(ctx, limit) })
}

// A mortal is a desk whose process loses its store, and has an heir.
type mortal struct {
	*desk
	dying  *dyingStore
	isHeir bool
}

// does has the process do something, and its heir once more if the process has died.
func (m *mortal) does(f func() error) {
	m.t.Helper()
	err := f()
	m.settle(time.Minute)
	if m.inherits() {
		if err = f(); errors.Is(err, rentcar.ErrOutcomeUnknown) || errors.Is(err, lifecycle.ErrFinal) { // it was done
			err = nil
		}
		m.settle(6 * time.Hour)
	}
	if err != nil {
		m.t.Fatal(err)
	}
}

func (m *mortal) inherits() bool {
	if m.isHeir || !m.dying.isDead() {
		return false
	}
	m.stop()
	m.isHeir, m.store = true, m.dying.MemoryStore
	m.open()
	m.settle(6 * time.Hour)
	return true
}
