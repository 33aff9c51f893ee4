package boltstore

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"go.etcd.io/bbolt"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggy"
)

// addEventually adds an item in the background.
func addEventually(ctx context.Context, s *Store, item *durable.Item) <-chan error {
	added := make(chan error, 1)
	go func() {
		_, err := s.Add(ctx, item)
		added <- err
	}()
	return added
}

// occupy keeps the writer busy until it is told to go on.
func occupy(t *testing.T, s *Store) (goOn func()) {
	t.Helper()
	begun, end, ended := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- s.Write(t.Context(), func(*bbolt.Tx) error {
			close(begun)
			<-end
			return nil
		})
	}()
	<-begun
	return func() {
		close(end)
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// fill takes all places of items on their way: none is on its way then.
func fill(s *Store) {
	for range cap(s.adding) {
		s.adding <- struct{}{}
	}
}

// An Add whose context ends while the writer is busy ends with it, and nothing is stored later.
func TestAddGivesUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		goOn := occupy(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		added := addEventually(ctx, s, itemOf("a", ""))
		synctest.Wait()
		cancel()
		if err := <-added; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		goOn()
		fill(s)
		wantCounts(t, s, Counts{})
	})
}

// So does one that waits outside.
func TestAddGivesUpOutside(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		fill(s)
		ctx, cancel := context.WithCancel(t.Context())
		added := addEventually(ctx, s, itemOf("a", ""))
		synctest.Wait()
		cancel()
		if err := <-added; !errors.Is(err, context.Canceled) {
			t.Errorf("error %v", err)
		}
		wantCounts(t, s, Counts{})
	})
}

// An Add whose context ends while its item is being written tells what came of that.
func TestAddTellsTheOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := newStore(t)
		s.db.MaxBatchSize = 2 // that of the test, which holds the end of the transaction, and the item
		ctx, cancel := context.WithCancel(t.Context())
		added := addEventually(ctx, s, itemOf("a", ""))
		err := s.db.Batch(func(tx *bbolt.Tx) error {
			tx.OnCommit(func() {
				cancel()
				synctest.Wait()
				if len(added) != 0 {
					t.Errorf("told before the end: %v", <-added)
				}
			})
			return nil
		})
		if err != nil {
			t.Error(err)
		}
		if err := <-added; err != nil {
			t.Errorf("error %v of an item that is stored", err)
		}
		wantCounts(t, s, Counts{Waiting: 1})
	})
}

// A panic in the background is an error: it does not end the process.
func TestAddPanics(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var p *fliggy.PanicError
	if _, err := s.Add(t.Context(), nil); !errors.As(err, &p) {
		t.Errorf("error %v", err)
	}
	wantCounts(t, s, Counts{})
}
