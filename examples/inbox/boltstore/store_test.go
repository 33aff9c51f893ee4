package boltstore

import (
	"path/filepath"
	"testing"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/durable/storetest"
)

// open opens a store, and closes it with the test.
func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // a second time where the test has closed it: bbolt takes that
	return s
}

func newStore(t *testing.T) *Store { return open(t, filepath.Join(t.TempDir(), "test.db")) }

// What every store has to do.
func TestContract(t *testing.T) {
	t.Parallel()
	reopen := func(t *testing.T, s durable.Store) durable.Store {
		old := s.(*Store)
		path := old.db.Path()
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		return open(t, path)
	}
	storetest.Run(t, func(t *testing.T) durable.Store { return newStore(t) },
		storetest.WithTransactions(), storetest.WithReopen(reopen))
}
