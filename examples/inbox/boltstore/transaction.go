package boltstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"go.etcd.io/bbolt"

	"github.com/fliggy-go/rentcar/durable"
)

// A transaction collects what is to be written together with the mark of an item.
type transaction struct {
	store  *Store
	mu     sync.Mutex
	isOver bool
	writes []func(*bbolt.Tx) error
	added  map[string]*durable.Item // by bucket key
}

// A transactionKey finds the transaction of a store in a context.
type transactionKey struct{ store *Store }

func (s *Store) transaction(ctx context.Context) *transaction {
	t, _ := ctx.Value(transactionKey{s}).(*transaction)
	return t
}

// errOver is told to what goes on writing when its work is over.
var errOver = errors.New("boltstore: the transaction of this context is over")

// Write lets f write into the database, in buckets of your own: their names do not begin with
// "durable.". With a context that [Store.Do] gave, and so in the function of qimen.OnEvent, f
// runs when that function has returned nil, in one transaction with the mark that the item is
// done: all of it happens or none. An error of f undoes all, and the item comes again. With any
// other context f runs at once, in a transaction of its own.
//
// f runs while nothing else can be written: let it neither wait nor call this store.
func (s *Store) Write(ctx context.Context, f func(tx *bbolt.Tx) error) error {
	if t := s.transaction(ctx); t != nil {
		t.mu.Lock()
		defer t.mu.Unlock()
		return t.write(f)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.db.Update(f)
}

// Read lets f read the database. It does not see what Write has collected.
//
// Let f not call Write, Add or any other method of this store that changes something: a write
// that makes the file grow waits for all readers to end, f among them, and so for ever.
func (s *Store) Read(f func(tx *bbolt.Tx) error) error { return s.db.View(f) }

// write needs the lock.
func (t *transaction) write(f func(tx *bbolt.Tx) error) error {
	if t.isOver {
		return errOver
	}
	t.writes = append(t.writes, f)
	return nil
}

// end ends the collecting, and returns what was collected.
func (t *transaction) end() []func(*bbolt.Tx) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.isOver = true
	return t.writes
}

// addItem collects an item that is new as far as one can tell by now.
func (t *transaction) addItem(item *durable.Item) (known *durable.Item, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	key := string(itemKey(item.Queue, item.ID))
	if known = t.added[key]; known != nil {
		return copyOf(known), nil
	}
	err = t.store.db.View(func(tx *bbolt.Tx) error {
		r, err := read(tx, item.Queue, item.ID)
		if err == nil {
			known = r.item()
		}
		return err
	})
	if !errors.Is(err, errUnknown) {
		return known, err
	}
	item = copyOf(item)
	err = t.write(func(tx *bbolt.Tx) error {
		known, err := add(tx, item)
		if err == nil && known != nil && known.Digest != item.Digest { // it came in between
			err = fmt.Errorf("boltstore: %s: %s: %w", item.Queue, item.ID, durable.ErrConflict)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	if t.added == nil {
		t.added = map[string]*durable.Item{}
	}
	t.added[key] = item
	return nil, nil
}

func copyOf(item *durable.Item) *durable.Item {
	c := *item
	c.Data = slices.Clone(item.Data)
	return &c
}
