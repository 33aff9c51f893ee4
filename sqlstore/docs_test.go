package sqlstore_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/lifecycle/lifecycletest"
	"github.com/fliggy-go/rentcar/sqlstore"
)

func TestDocs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		lifecycletest.TestStore(t, func(t *testing.T) lifecycle.Store {
			s, _ := newStore(t, e)
			return s
		})
	})
}

// Documents are part of a transaction of the user, and what the user writes is part of that of Atomically.
func TestDocsInTransactions(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, db := newStore(t, e)
		execute(t, db, "CREATE TABLE own (n INTEGER)")
		put := func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.Put(ctx, &lifecycle.Doc{Kind: "k", ID: "a", State: "new"})
		}
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Atomically(sqlstore.WithTx(t.Context(), tx), put); err != nil {
			t.Fatal(err)
		}
		if s.InTransaction(t.Context()) || !s.InTransaction(sqlstore.WithTx(t.Context(), tx)) {
			t.Error("the transaction of a context is not told")
		}
		if err := tx.Rollback(); err != nil {
			t.Fatal(err)
		}
		if doc, err := s.Get(t.Context(), "k", "a"); doc != nil || err != nil {
			t.Fatal(doc, err)
		}
		for _, end := range []error{fmt.Errorf("own"), nil} {
			if err := s.Atomically(t.Context(), func(ctx context.Context, tx lifecycle.Tx) error {
				own, err := sqlstore.Tx(ctx)
				if err != nil {
					return err
				}
				if _, err := own.ExecContext(ctx, "INSERT INTO own (n) VALUES (1)"); err != nil {
					return err
				}
				if err := put(ctx, tx); err != nil {
					return err
				}
				return end
			}); err != end { //nolint:errorlint // it is returned as it is
				t.Fatal(err)
			}
			var n, want int
			if end == nil {
				want = 1
			}
			err := db.QueryRowContext(t.Context(), "SELECT COUNT(*) FROM own").Scan(&n)
			doc, getErr := s.Get(t.Context(), "k", "a")
			if n != want || (doc != nil) != (want == 1) || err != nil || getErr != nil {
				t.Fatal(n, doc, err, getErr)
			}
		}
	})
}

func execute(t testing.TB, db *sql.DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(statement, err)
		}
	}
}

// No read of documents looks at more rows than it returns, however many there are. PostgreSQL has the plan for any
// arguments.
func TestDocsPlans(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, db := newStore(t, e)
		fillDocs(t, db, e.dialect)
		if e.dialect == sqlstore.MySQL {
			execute(t, db, "ANALYZE TABLE rentcar_docs", "ANALYZE TABLE rentcar_keys")
		} else {
			execute(t, db, "ANALYZE")
		}
		key := map[sqlstore.Dialect][2]string{
			sqlstore.PostgreSQL: {"rentcar_docs_pkey", "rentcar_keys_pkey"}, sqlstore.MySQL: {"PRIMARY", "PRIMARY"},
			sqlstore.SQLite: {"sqlite_autoindex_rentcar_docs_1", "PRIMARY KEY"},
		}[e.dialect]
		for name, index := range map[string]string{
			"doc": key[0], "docs": key[1], "byKey": key[1], "byState": "rentcar_docs_state", "docsDue": "rentcar_docs_due",
		} {
			plan := explain(t, db, e.dialect, name, s.Statements()[name])
			t.Logf("%s: %s", name, plan)
			wantPlan(t, e.dialect, plan, index)
		}
	})
}

// fillDocs adds 20,000 documents of three states. Each has the key all, half of them have that of an order with one
// other, and every fourth is due.
func fillDocs(t *testing.T, db *sql.DB, d sqlstore.Dialect) {
	t.Helper()
	number := func(n string) string { return "SUBSTR('00000' || " + n + ", -6)" }
	order := "'order/' || (n / 2)"
	series := "WITH RECURSIVE s(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM s WHERE n < 20000) "
	before, between := series, ""
	switch d {
	case sqlstore.PostgreSQL:
		number = func(n string) string { return "LPAD(CAST(" + n + " AS TEXT), 6, '0')" }
	case sqlstore.MySQL:
		number = func(n string) string { return "LPAD(" + n + ", 6, '0')" }
		order = "CONCAT('order/', n DIV 2)"
		before, between = "", series
	}
	empty := map[sqlstore.Dialect]string{sqlstore.PostgreSQL: "''::bytea", sqlstore.MySQL: "''", sqlstore.SQLite: "x''"}[d]
	state := map[sqlstore.Dialect]string{sqlstore.MySQL: "CONCAT('s', n % 3)"}[d]
	state = cmp.Or(state, "'s' || (n % 3)")
	keys := "INSERT INTO rentcar_keys (kind, name, at, id, sole) " + between
	statements := []string{
		before + "INSERT INTO rentcar_docs (kind, id, version, state, at, due, names, data) " + between +
			"SELECT 'k', " + number("n") + ", 1, " + state + ", n, CASE WHEN n % 4 = 0 THEN n END, '', " + empty + " FROM s",
		before + keys + "SELECT 'k', 'all', n, " + number("n") + ", NULL FROM s",
		before + keys + "SELECT 'k', " + order + ", n, " + number("n") + ", NULL FROM s",
	}
	if d == sqlstore.MySQL {
		limit := "SET SESSION cte_max_recursion_depth = 100000"
		if isMariaDB(t, db) {
			limit = "SET SESSION max_recursive_iterations = 100000"
		}
		statements = append([]string{limit}, statements...)
	}
	conn := oneConn(t, db)
	defer func() { _ = conn.Close() }()
	for _, statement := range statements {
		if _, err := conn.ExecContext(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// What Atomically has done in a transaction of the user is undone after an error, and that transaction goes on.
func TestDocsUndoneInATransaction(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, db := newStore(t, e)
		table(t, db)
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		ctx := sqlstore.WithTx(t.Context(), tx)
		put := func(id string, end func(ctx context.Context, tx lifecycle.Tx) error) error {
			return s.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error {
				_, err := s.Add(ctx, item("out", id))
				if err := errors.Join(err, tx.Put(ctx, &lifecycle.Doc{Kind: "k", ID: id, State: "new"})); err != nil {
					return err
				}
				return end(ctx, tx)
			})
		}
		none := func(context.Context, lifecycle.Tx) error { return nil }
		if err := put("before", none); err != nil {
			t.Fatal(err)
		}
		for name, end := range map[string]func(ctx context.Context, tx lifecycle.Tx) error{
			"error":     func(context.Context, lifecycle.Tx) error { return errWork },
			"panic":     func(context.Context, lifecycle.Tx) error { panic("own") },
			"passed by": func(ctx context.Context, tx lifecycle.Tx) error { _ = tx.Put(ctx, before()); return nil },
			"statement": func(ctx context.Context, _ lifecycle.Tx) error {
				_, err := tx.ExecContext(ctx, "SELECT nonsense")
				return err
			},
			"within": func(ctx context.Context, _ lifecycle.Tx) error {
				if err := s.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error {
					return errors.Join(tx.Put(ctx, &lifecycle.Doc{Kind: "k", ID: "within", State: "new"}))
				}); err != nil {
					return err
				}
				return errWork
			},
		} {
			var err error
			func() {
				defer func() {
					if e := recover(); e != nil {
						err = errWork
					}
				}()
				err = put(name, end)
			}()
			if err == nil {
				t.Errorf("%s: no error", name)
			}
		}
		if err := put("after", none); err != nil {
			t.Fatal(err)
		}
		_, err = tx.ExecContext(t.Context(), "INSERT INTO books (entry) VALUES ('a')")
		if err := errors.Join(err, tx.Commit()); err != nil {
			t.Fatal(err)
		}
		docs, err := s.List(t.Context(), lifecycle.Query{Kind: "k", State: "new", Limit: 10})
		if err != nil || len(docs) != 2 || docs[0].ID != "after" || docs[1].ID != "before" {
			t.Errorf("documents %v, %v", docs, err)
		}
		now := time.Now()
		items, err := s.ClaimBatch(t.Context(), "out", 10, now, now.Add(time.Minute))
		if len(items) != 2 || err != nil || entries(t, db) != 1 {
			t.Errorf("items %v, %v, %d entries", items, err, entries(t, db))
		}
	})
}

func before() *lifecycle.Doc { return &lifecycle.Doc{Kind: "k", ID: "before", State: "new"} }

// A transaction that the database has ended, as MySQL does after a deadlock, is not taken for one that goes on.
func TestDocsOfATransactionThatHasEnded(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		s, db := newStore(t, e)
		end := "ROLLBACK"
		if e.dialect == sqlstore.PostgreSQL {
			end = "SELECT nonsense"
		}
		work := func(ctx context.Context, docs lifecycle.Tx) error {
			own, err := sqlstore.Tx(ctx)
			if err := errors.Join(err, docs.Put(ctx, before())); err != nil {
				return err
			}
			_, _ = own.ExecContext(ctx, end)
			return nil
		}
		if err := s.Atomically(t.Context(), work); err == nil {
			t.Error("no error of Atomically")
		}
		tx, err := db.BeginTx(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Atomically(sqlstore.WithTx(t.Context(), tx), work); err == nil {
			t.Error("no error of Atomically in a transaction of the user")
		}
		_ = tx.Rollback()
		if doc, err := s.Get(t.Context(), "k", "before"); doc != nil || err != nil {
			t.Error(doc, err)
		}
	})
}

func TestDocsOfTooManyBytes(t *testing.T) {
	t.Parallel()
	s, db := newStore(t, engines()[1])
	var most int
	if err := db.QueryRowContext(t.Context(), "SELECT @@max_allowed_packet").Scan(&most); err != nil {
		t.Fatal(err)
	}
	wantError(t, s.Atomically(t.Context(), func(ctx context.Context, tx lifecycle.Tx) error {
		doc := before()
		doc.Data = make([]byte, most)
		return tx.Put(ctx, doc)
	}), "k before", "max_allowed_packet")
}
