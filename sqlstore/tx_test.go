package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
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
