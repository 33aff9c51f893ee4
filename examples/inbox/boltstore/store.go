// Package boltstore is a durable.Store in one file, on the embedded database bbolt
// (go.etcd.io/bbolt). It is an example to be copied, and to be followed with another
// database: see [Store.Do] for what matters most.
//
// Every change is one bbolt transaction, on the disk when the method returns. Only one
// process can have the file open, and the lock ends with the process however it dies: so
// all claims that are found on opening are those of the dead.
package boltstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime/debug"
	"sync/atomic"
	"time"

	"go.etcd.io/bbolt"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A Store is a durable.Store in a file. Make it with [Open].
type Store struct {
	db        *bbolt.DB
	retention time.Duration
	now       func() time.Time // tells what is old
	adding    chan struct{}    // has one for each Add on its way
}

var _ durable.Store = (*Store)(nil)

// DefaultRetention is how long done items are remembered.
const DefaultRetention = 30 * 24 * time.Hour

// maxAdding is how many items can be on their way into the file. More wait outside: one that
// nobody waits for any more is in memory still until its turn has come.
const maxAdding = 256

// lockTimeout is how long Open waits for another process to let go of the file.
const lockTimeout = 5 * time.Second

// Open opens the file at path, which it makes where there is none. Done items are
// remembered for the time of retention, without their content: a repeat that comes later is a
// new item. Zero takes DefaultRetention.
func Open(path string, retention time.Duration) (*Store, error) {
	switch {
	case retention < 0:
		return nil, fmt.Errorf("boltstore: retention %v: want more than zero", retention)
	case retention == 0:
		retention = DefaultRetention
	}
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: lockTimeout}) // 0600: the content is personal data
	if err != nil {
		return nil, fmt.Errorf("boltstore: opening %s (does another process use it?): %w", path, err)
	}
	if err := db.Update(prepare); err != nil {
		return nil, errors.Join(fmt.Errorf("boltstore: %s: %w", path, err), db.Close())
	}
	return &Store{db: db, retention: retention, now: time.Now, adding: make(chan struct{}, maxAdding)}, nil
}

// prepare makes the buckets, and claims of the dead due again. They queue behind what was
// due when they were handed out: an item that kills its process does not stop all others.
func prepare(tx *bbolt.Tx) error {
	for _, name := range []string{items, string(waiting), string(claimed), string(parked), string(done)} {
		if _, err := tx.CreateBucketIfNotExists(bucketName(name)); err != nil {
			return err
		}
	}
	for _, entry := range entries(tx, claimed, nil, nil, math.MaxInt) {
		r, err := entry.read(tx, time.Now())
		if r != nil {
			err = r.move(tx, waiting, r.Claimed)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// Close waits for transactions to end and closes the file.
func (s *Store) Close() error { return s.db.Close() }

// Add is part of durable.Store. Items that are added at the same moment share a
// transaction, and with it the wait for the disk.
//
// Behind a slow disk it waits as long as ctx allows, and then the item is not stored. Only
// when the item is being written already it waits for the outcome, whatever ctx says: nobody is
// told that it failed when it did not.
func (s *Store) Add(ctx context.Context, item *durable.Item) (known *durable.Item, err error) {
	if t := s.transaction(ctx); t != nil {
		return t.addItem(item)
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	select {
	case s.adding <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	var first atomic.Int32 // who comes first: the writer, or the end of ctx
	outcome := make(chan error, 1)
	go func() {
		defer func() { <-s.adding }()
		outcome <- s.batch(func(tx *bbolt.Tx) (err error) {
			if !first.CompareAndSwap(nobody, writer) && first.Load() != writer { // bbolt may call again
				return nil
			}
			known, err = add(tx, item)
			return err
		})
	}()
	select {
	case err = <-outcome:
	case <-ctx.Done():
		if first.CompareAndSwap(nobody, ended) {
			return nil, ctx.Err() // item and known are not touched from now on
		}
		err = <-outcome
	}
	return known, err
}

// Who comes first in Add.
const (
	nobody int32 = iota
	writer
	ended
)

// batch is bbolt's, with a panic as an error: it runs where nobody recovers.
func (s *Store) batch(f func(*bbolt.Tx) error) (err error) {
	defer recoverTo(&err)
	return s.db.Batch(f)
}

// recoverTo is deferred. bbolt has rolled back by then.
func recoverTo(err *error) {
	if value := recover(); value != nil {
		*err = &fliggy.PanicError{Value: value, Stack: debug.Stack()}
	}
}

func add(tx *bbolt.Tx, item *durable.Item) (known *durable.Item, err error) {
	r, err := read(tx, item.Queue, item.ID)
	switch {
	case err == nil:
		return r.item(), nil
	case !errors.Is(err, errUnknown):
		return nil, err
	}
	number, err := bucket(tx, items).NextSequence()
	if err != nil {
		return nil, err
	}
	r = &record{
		queue: item.Queue, id: item.ID,
		Number: number, Digest: item.Digest, Data: item.Data, Added: item.Added.UTC(),
	}
	return nil, r.move(tx, waiting, item.Due)
}

// Claim is part of durable.Store. Looking for an item that is not there writes nothing. An
// item whose record cannot be read is set aside: [Store.Parked] has it then.
func (s *Store) Claim(ctx context.Context, queue string, now, until time.Time) (*durable.Item, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	var first entry
	err := s.db.View(func(tx *bbolt.Tx) error {
		first = firstDue(tx, queue, now)
		return nil
	})
	if err != nil || first.key == nil {
		return nil, err
	}
	var item *durable.Item
	err = s.db.Update(func(tx *bbolt.Tx) error {
		var r *record
		for r == nil {
			first := firstDue(tx, queue, now)
			if first.key == nil {
				return nil // others took it meanwhile, or it was set aside
			}
			var err error
			if r, err = first.read(tx, s.now()); err != nil {
				return err
			}
		}
		r.Attempt, r.Claimed = r.Attempt+1, now
		if err := r.move(tx, claimed, until); err != nil {
			return err
		}
		item = r.item()
		return nil
	})
	if err != nil {
		return nil, err
	}
	return item, nil
}

// Do is part of durable.Store.
//
// bbolt has one writer at a time, so no transaction is open while work runs: it may call
// the other end of the world, and pushes have to be stored meanwhile. What work
// writes with the context, through [Store.Write] and Add, is collected, and runs after it
// in one transaction with the mark. A database with many writers can open the transaction first,
// put it into the context, and commit it last.
func (s *Store) Do(ctx context.Context, item *durable.Item, work func(ctx context.Context) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := s.db.View(func(tx *bbolt.Tx) error { _, err := held(tx, item); return err }); err != nil {
		return err
	}
	t := &transaction{store: s}
	defer t.end()
	if err := work(context.WithValue(ctx, transactionKey{s}, t)); err != nil {
		return err
	}
	writes := t.end()
	defer recoverTo(&err) // of a write
	return s.db.Update(func(tx *bbolt.Tx) error {
		r, err := held(tx, item)
		if err != nil {
			return err
		}
		for _, write := range writes {
			if err := write(tx); err != nil {
				return err
			}
		}
		r.Data = nil
		if err := r.move(tx, done, s.now()); err != nil {
			return err
		}
		return s.forget(tx, item.Queue)
	})
}

// forgotten is how many old items are forgotten for each one that is done: more than
// one, so that they get fewer, and not many, so that nobody waits for it.
const forgotten = 10

func (s *Store) forget(tx *bbolt.Tx, queue string) error {
	for _, entry := range entries(tx, done, prefixOf(queue), lastKey(queue, s.now().Add(-s.retention)), forgotten) {
		if err := entry.delete(tx); err != nil {
			return err
		}
	}
	return nil
}

// Retry is part of durable.Store.
func (s *Store) Retry(_ context.Context, item *durable.Item, due time.Time) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		r, err := held(tx, item)
		if err != nil {
			return err
		}
		return r.move(tx, waiting, due)
	})
}

// Park is part of durable.Store. See [Store.Parked] and [Store.Release].
func (s *Store) Park(_ context.Context, item *durable.Item, reason string) error {
	return s.db.Update(func(tx *bbolt.Tx) error {
		r, err := held(tx, item)
		if err != nil {
			return err
		}
		r.Reason = reason
		return r.move(tx, parked, s.now())
	})
}

// held reads an item whose claim is not over.
func held(tx *bbolt.Tx, item *durable.Item) (*record, error) {
	r, err := read(tx, item.Queue, item.ID)
	if errors.Is(err, errUnknown) || r != nil && (r.State != claimed || r.Attempt != item.Attempt) {
		return nil, durable.ErrLost
	}
	return r, err
}
