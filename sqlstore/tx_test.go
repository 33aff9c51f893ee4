package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/sqlstore"
)

const digest = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// item is an item of a queue that is due.
func item(queue, id string) *durable.Item {
	at := time.UnixMilli(1_700_000_000_000)
	return &durable.Item{Queue: queue, ID: id, Digest: digest, Data: []byte("data of " + id), Added: at, Due: at}
}

// claim adds an item and claims it.
func claim(t testing.TB, s *sqlstore.Store, queue, id string) *durable.Item {
	t.Helper()
	if known, err := s.Add(t.Context(), item(queue, id)); known != nil || err != nil {
		t.Fatal(known, err)
	}
	now := time.Now()
	got, err := s.Claim(t.Context(), queue, now, now.Add(time.Minute))
	if err != nil || got == nil || got.ID != id {
		t.Fatalf("Claim = %v, %v", got, err)
	}
	return got
}

// table makes a table of the user's.
func table(t testing.TB, db *sql.DB) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), "CREATE TABLE books (entry VARCHAR(40) PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
}

func entries(t testing.TB, db *sql.DB) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM books").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

var errWork = errors.New("it failed")

// What work writes, the mark, and what it adds are one.
func TestTx(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, db := newStore(t, e)
		table(t, db)
		held := claim(t, s, "in", "a")
		work := func(fail error) func(context.Context) error {
			return func(ctx context.Context) error {
				tx, err := sqlstore.Tx(ctx)
				if err != nil {
					return err
				}
				if again, err := sqlstore.Tx(ctx); again != tx || err != nil {
					t.Errorf("another transaction: %v", err)
				}
				if _, err := tx.ExecContext(ctx, "INSERT INTO books (entry) VALUES ('a')"); err != nil {
					return err
				}
				if _, err := s.Add(ctx, item("out", "b")); err != nil {
					return err
				}
				return fail
			}
		}
		if err := s.Do(t.Context(), held, work(errWork)); !errors.Is(err, errWork) {
			t.Fatal(err)
		}
		now := time.Now()
		out, err := s.Claim(t.Context(), "out", now, now.Add(time.Minute))
		if out != nil || err != nil || entries(t, db) != 0 {
			t.Fatalf("after a failure: %v, %v, %d entries", out, err, entries(t, db))
		}
		if err := s.Do(t.Context(), held, work(nil)); err != nil {
			t.Fatal(err)
		}
		out, err = s.Claim(t.Context(), "out", now, now.Add(time.Minute))
		if out == nil || err != nil || entries(t, db) != 1 {
			t.Fatalf("after success: %v, %v, %d entries", out, err, entries(t, db))
		}
		if err := s.Do(t.Context(), held, work(nil)); err == nil {
			t.Error("a done item was worked on again")
		}
	})
}

// A lost claim leaves nothing of what work has written.
func TestTxOfALostClaim(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, db := newStore(t, e)
		table(t, db)
		held := claim(t, s, "in", "a")
		if err := s.Retry(t.Context(), held, time.Now()); err != nil {
			t.Fatal(err)
		}
		err := s.Do(t.Context(), held, func(ctx context.Context) error {
			tx, err := sqlstore.Tx(ctx)
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, "INSERT INTO books (entry) VALUES ('a')")
			return err
		})
		if !errors.Is(err, durable.ErrLost) || entries(t, db) != 0 {
			t.Errorf("%v, %d entries", err, entries(t, db))
		}
	})
}

// The transaction is over with the function, and there is none without Do.
func TestTxOver(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, _ := newStore(t, e)
		if _, err := sqlstore.Tx(t.Context()); err == nil {
			t.Error("a transaction without Do")
		}
		var kept context.Context
		if err := s.Do(t.Context(), claim(t, s, "in", "a"), func(ctx context.Context) error {
			kept = ctx
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if _, err := sqlstore.Tx(kept); err == nil {
			t.Error("a transaction after Do")
		}
		if _, err := s.Add(kept, item("out", "b")); err == nil {
			t.Error("Add after Do")
		}
	})
}

// The clock can be asked while a transaction is open, also where that has the only connection: a queue does when work
// adds to it.
func TestNowInsideTx(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, _ := newStore(t, e)
		err := s.Do(t.Context(), claim(t, s, "in", "a"), func(ctx context.Context) error {
			_, failed := sqlstore.Tx(ctx)
			asking, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			_, err := s.Now(asking)
			return errors.Join(failed, err)
		})
		if err != nil {
			t.Error(err)
		}
	})
}

// With the user's own transaction an item is stored when that is committed.
func TestWithTx(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, db := newStore(t, e)
		for _, commit := range []bool{false, true} {
			tx, err := db.BeginTx(t.Context(), nil)
			if err != nil {
				t.Fatal(err)
			}
			ctx := sqlstore.WithTx(t.Context(), tx)
			if own, err := sqlstore.Tx(ctx); own != tx || err != nil {
				t.Error(err)
			}
			if known, err := s.Add(ctx, item("out", "b")); known != nil || err != nil {
				t.Fatal(known, err)
			}
			if known, err := s.Add(ctx, item("out", "b")); known == nil || err != nil {
				t.Fatal("not known in its own transaction", err)
			}
			end := tx.Rollback
			if commit {
				end = tx.Commit
			}
			if err := end(); err != nil {
				t.Fatal(err)
			}
			now := time.Now()
			if out, err := s.Claim(t.Context(), "out", now, now.Add(time.Minute)); (out != nil) != commit || err != nil {
				t.Errorf("committed %v: %v, %v", commit, out, err)
			}
		}
	})
}

// MySQL ends a transaction whose statement met a deadlock, SQLite one whose statement was interrupted, and stores at
// once what follows. Work that passes that by has lost what it wrote: the item is not marked, and comes again.
func TestTxThatHasEnded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		if e.dialect == sqlstore.PostgreSQL { // which takes nothing more, not even the mark
			testTxThatFailed(t, e, "SELECT nonsense", "current transaction is aborted")
			return
		}
		testTxThatFailed(t, e, "ROLLBACK", "the transaction ended before")
	})
}

func testTxThatFailed(t *testing.T, e engine, failing, want string) {
	t.Helper()
	s, db := newStore(t, e)
	table(t, db)
	held := claim(t, s, "in", "a")
	err := s.Do(t.Context(), held, func(ctx context.Context) error {
		tx, err := sqlstore.Tx(ctx)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO books (entry) VALUES ('a')"); err != nil {
			return err
		}
		_, _ = tx.ExecContext(ctx, failing)
		return nil
	})
	wantError(t, err, "sqlstore: marking a: ", want)
	if n := entries(t, db); n != 0 {
		t.Errorf("%d entries", n)
	}
	if err := s.Retry(t.Context(), held, time.Now()); err != nil {
		t.Errorf("it cannot come again: %v", err)
	}
}

// A nil transaction is an error, and no panic.
func TestWithTxNil(t *testing.T) {
	t.Parallel()
	s, _ := newStore(t, engines()[0])
	ctx := sqlstore.WithTx(t.Context(), nil)
	_, err := sqlstore.Tx(ctx)
	wantError(t, err, "WithTx: the transaction is nil")
	_, err = s.Add(ctx, item("out", "b"))
	wantError(t, err, "WithTx: the transaction is nil")
}

// The first call of a queue may be an Add in the user's transaction while no other connection is free: the time is
// asked on that transaction.
func TestAddAsksTheTimeInTheTransaction(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, db := newStore(t, e)
		q := newQueue(t, s, "q", 1)
		db.SetMaxOpenConns(1)
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = tx.Rollback() }()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if isNew, err := q.Add(sqlstore.WithTx(ctx, tx), "a", "", nil); !isNew || err != nil {
			t.Error(isNew, err)
		}
	})
}

// Run asks for the time, and waits for the connection that a transaction of the user has. Add in that transaction does
// not wait for Run.
func TestAddAsksTheTimeBesideRun(t *testing.T) {
	t.Parallel()
	servers(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, db := newStore(t, e)
		q := newQueue(t, s, "q", 1)
		db.SetMaxOpenConns(1)
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		running, stop := context.WithCancel(t.Context())
		var group sync.WaitGroup
		defer group.Wait()
		defer stop()
		defer func() { _ = tx.Rollback() }()
		waited := db.Stats().WaitCount
		group.Go(func() { _ = q.Run(running, func(context.Context, *durable.Item) error { return nil }) })
		for db.Stats().WaitCount == waited {
			runtime.Gosched()
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		if isNew, err := q.Add(sqlstore.WithTx(ctx, tx), "a", "", nil); !isNew || err != nil {
			t.Error(isNew, err)
		}
	})
}
