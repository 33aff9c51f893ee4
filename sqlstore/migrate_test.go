package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// Any number of processes may migrate at once, and again.
func TestMigrateAtOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		db := e.open(t)
		var group sync.WaitGroup
		for range 8 {
			group.Go(func() {
				if err := sqlstore.Migrate(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		if _, err := sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
			t.Error(err)
		}
	})
}

// Behind a pooler that hands out connections by the transaction, a lock of the session would stay on some connection.
// A trigger counts such locks in each step.
func TestMigrateLocksItsTransactionOnly(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	for _, statement := range []string{
		"CREATE TABLE rentcar_schema (version INTEGER NOT NULL PRIMARY KEY)",
		"CREATE TABLE held (locks BIGINT)",
		// What a transaction has locked it cannot unlock; a lock of the session it can.
		`CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
			INSERT INTO held SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid()
				AND pg_advisory_unlock(((classid::bigint << 32) | objid::bigint));
			RETURN NEW;
		END $$`,
		"CREATE TRIGGER look BEFORE INSERT ON rentcar_schema FOR EACH ROW EXECUTE FUNCTION look()",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	if err := sqlstore.Migrate(t.Context(), db, sqlstore.PostgreSQL, sqlstore.Config{}); err != nil {
		t.Fatal(err)
	}
	var steps, locks int
	err := db.QueryRowContext(t.Context(), "SELECT count(*), sum(locks) FROM held").Scan(&steps, &locks)
	if err != nil || steps == 0 || locks != 0 {
		t.Errorf("%d steps ran with %d locks of the session: %v", steps, locks, err)
	}
}

// Who waited for the lock sees what the other has done, also where transactions see the state of their beginning.
func TestMigrateAtOnceWithSnapshots(t *testing.T) {
	t.Parallel()
	from := originOf(openPostgres(t))
	db := pool(t, from.driver, from.dsn+"&default_transaction_isolation=repeatable%20read", from.most)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if err := sqlstore.Migrate(t.Context(), db, sqlstore.PostgreSQL, sqlstore.Config{}); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}

// A server that hangs when it is to release the lock does not hold the start of the program.
func TestMigrateWhenUnlockingHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		db := sql.OpenDB(hangingUnlock{})
		defer func() { _ = db.Close() }()
		began := time.Now()
		if err := sqlstore.Migrate(t.Context(), db, sqlstore.MySQL, sqlstore.Config{}); err != nil {
			t.Error(err)
		}
		if took := time.Since(began); took < time.Second || took > time.Minute {
			t.Errorf("Migrate took %v", took)
		}
	})
}

// hangingUnlock is a server whose tables are up to date, and which never answers to RELEASE_LOCK.
type hangingUnlock struct{ driver.Conn }

func (c hangingUnlock) Connect(context.Context) (driver.Conn, error) { return c, nil }
func (c hangingUnlock) Driver() driver.Driver                        { return nil }
func (c hangingUnlock) Close() error                                 { return nil }
func (c hangingUnlock) Commit() error                                { return nil }
func (c hangingUnlock) Rollback() error                              { return nil }

func (c hangingUnlock) BeginTx(context.Context, driver.TxOptions) (driver.Tx, error) { return c, nil }

func (c hangingUnlock) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if strings.Contains(query, "GET_LOCK") {
		return &oneRow{value: 1}, nil
	}
	return &oneRow{value: 1000}, nil // the version
}

func (c hangingUnlock) ExecContext(ctx context.Context, query string, _ []driver.NamedValue) (driver.Result, error) {
	if !strings.Contains(query, "RELEASE_LOCK") {
		return driver.ResultNoRows, nil
	}
	<-ctx.Done()
	return nil, ctx.Err()
}

// oneRow is an answer of one number.
type oneRow struct {
	value int64
	read  bool
}

func (r *oneRow) Columns() []string { return []string{"value"} }
func (r *oneRow) Close() error      { return nil }
func (r *oneRow) Next(dest []driver.Value) error {
	if r.read {
		return io.EOF
	}
	dest[0], r.read = r.value, true
	return nil
}

// Two prefixes are two stores in one database.
func TestPrefix(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		db := e.open(t)
		var stores []*sqlstore.Store
		for _, cfg := range []sqlstore.Config{{}, {Prefix: "second_"}} {
			if err := sqlstore.Migrate(t.Context(), db, e.dialect, cfg); err != nil {
				t.Fatal(err)
			}
			s, err := sqlstore.New(t.Context(), db, e.dialect, cfg)
			if err != nil {
				t.Fatal(err)
			}
			stores = append(stores, s)
		}
		for _, s := range stores {
			if known, err := s.Add(t.Context(), item("in", "a")); known != nil || err != nil {
				t.Error(known, err)
			}
		}
	})
	for _, prefix := range []string{"Upper_", "9a_", "a-b", "a;", strings.Repeat("a", 31)} {
		_, err := sqlstore.Migrations(sqlstore.SQLite, sqlstore.Config{Prefix: prefix})
		wantError(t, err, "Config.Prefix", "lower-case letters")
	}
}

// The schema by hand is that of Migrate.
func TestMigrations(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		db := e.open(t)
		steps, err := sqlstore.Migrations(e.dialect, sqlstore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		for n, step := range steps {
			if step.Version != n+1 {
				t.Errorf("step %d has version %d", n, step.Version)
			}
			for _, statement := range step.Statements {
				if _, err := db.ExecContext(t.Context(), statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
		}
		if _, err := sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
			t.Error(err)
		}
		if err := sqlstore.Migrate(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
			t.Error(err)
		}
	})
}

// What a store of version 1 has is there after Migrate, and the journal works beside it.
func TestMigrateFromVersion1(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		db := e.open(t)
		steps, err := sqlstore.Migrations(e.dialect, sqlstore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		execute(t, db, steps[0].Statements...)
		insert := "INSERT INTO rentcar_items (queue, id, digest, trace, data, added, due) VALUES ('q', 'a', '', '', "
		execute(t, db, insert+map[sqlstore.Dialect]string{
			sqlstore.PostgreSQL: `'\x61'`, sqlstore.MySQL: "'a'", sqlstore.SQLite: "x'61'",
		}[e.dialect]+", 1, 1)")
		_, err = sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{})
		wantError(t, err, "version 1", "needs 2", "call sqlstore.Migrate")
		if err := sqlstore.Migrate(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
			t.Fatal(err)
		}
		s, err := sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{})
		if err != nil {
			t.Fatal(err)
		}
		now := time.Now()
		claimed, err := s.Claim(t.Context(), "q", now, now.Add(time.Minute))
		if err != nil || claimed == nil || string(claimed.Data) != "a" {
			t.Fatal(claimed, err)
		}
		if err := s.Do(t.Context(), claimed, func(ctx context.Context) error {
			return s.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error { return tx.Put(ctx, before()) })
		}); err != nil {
			t.Fatal(err)
		}
		if doc, err := s.Get(t.Context(), "k", "before"); doc == nil || err != nil {
			t.Error(doc, err)
		}
	})
}
