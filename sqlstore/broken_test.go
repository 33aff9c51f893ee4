package sqlstore_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// A broken queue runs while something is taken away from it.
type broken struct {
	store   *sqlstore.Store
	db      *sql.DB
	queue   *durable.Queue
	items   chan durable.Observation // of items
	claims  chan durable.Observation // of failed claims, one at a time
	working chan struct{}            // an item is being worked on
	goOn    chan struct{}            // lets it
	ended   chan error               // of Run
}

// startBroken starts a queue with one worker, which has one item in hand, with a transaction.
func startBroken(ctx context.Context, t *testing.T, e engine) *broken {
	t.Helper()
	b := &broken{
		items: make(chan durable.Observation, 10), claims: make(chan durable.Observation, 1),
		working: make(chan struct{}, 10), goOn: make(chan struct{}), ended: make(chan error, 1),
	}
	b.store, b.db = newStore(t, e)
	var err error
	b.queue, err = durable.NewQueue("q", b.store, durable.Config{
		Poll: 10 * time.Millisecond, Timeout: 20 * time.Second,
		Observer: func(_ context.Context, o durable.Observation) {
			if o.ID != "" {
				b.items <- o
				return
			}
			select {
			case b.claims <- o:
			default:
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if isNew, err := b.queue.Add(t.Context(), "a", "", nil); !isNew || err != nil {
		t.Fatal(isNew, err)
	}
	go func() {
		b.ended <- b.queue.Run(ctx, func(ctx context.Context, _ *durable.Item) error {
			b.working <- struct{}{}
			<-b.goOn
			_, err := sqlstore.Tx(ctx)
			return err
		})
	}()
	<-b.working
	return b
}

// next waits for an observation.
func next(t *testing.T, from <-chan durable.Observation) (o durable.Observation) {
	t.Helper()
	select {
	case o = <-from:
	case <-time.After(30 * time.Second):
		t.Fatal("the queue hangs")
	}
	return o
}

// end ends the queue, which may not hang.
func (b *broken) end(t *testing.T, stop func()) {
	t.Helper()
	stop()
	select {
	case err := <-b.ended:
		if !errors.Is(err, context.Canceled) {
			t.Errorf("Run = %v", err)
		}
	case <-time.After(30 * time.Second):
		t.Error("Run does not end")
	}
}

func drop(t *testing.T, db *sql.DB, table string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), "DROP TABLE rentcar_"+table); err != nil {
		t.Fatal(err)
	}
}

// The tables are dropped under a running queue, which goes on when its operator has done what the errors say.
func TestMissingTable(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		ctx, stop := context.WithCancel(t.Context())
		b := startBroken(ctx, t, e)
		drop(t, b.db, "items")
		close(b.goOn)
		o := next(t, b.items)
		if o.Done || o.Lost || o.Parked {
			t.Errorf("the item is %+v", o)
		}
		_, errAdd := b.queue.Add(t.Context(), "b", "", nil)
		_, errCount := b.store.Count(t.Context(), "q")
		_, errNew := sqlstore.New(t.Context(), b.db, e.dialect, sqlstore.Config{})
		for _, err := range []error{o.Err, next(t, b.claims).Err, errAdd, errCount, errNew} {
			wantError(t, err, "rentcar_items", "a table is missing", "sqlstore.Migrate")
		}
		for _, table := range []string{"signatures", "messages"} {
			drop(t, b.db, table)
			_, err := sqlstore.NewGate(t.Context(), b.db, e.dialect, sqlstore.GateConfig{})
			wantError(t, err, "rentcar_"+table, "a table is missing")
		}
		for _, table := range []string{"docs", "keys"} {
			drop(t, b.db, table)
			_, err := b.store.List(t.Context(), lifecycle.Query{Kind: "k", Key: "k", Limit: 1})
			wantError(t, err, "rentcar_"+table, "a table is missing", "sqlstore.Migrate")
		}
		drop(t, b.db, "schema")
		if err := sqlstore.Migrate(t.Context(), b.db, e.dialect, sqlstore.Config{}); err != nil {
			t.Fatal(err)
		}
		if _, err := b.queue.Add(t.Context(), "c", "", nil); err != nil {
			t.Error(err)
		}
		if o := next(t, b.items); o.ID != "c" || !o.Done {
			t.Errorf("after the advice was followed: %+v", o)
		}
		b.end(t, stop)
	})
}

// The pool is closed under a running queue.
func TestClosedPool(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		ctx, stop := context.WithCancel(t.Context())
		b := startBroken(ctx, t, e)
		if err := b.db.Close(); err != nil {
			t.Fatal(err)
		}
		close(b.goOn)
		o := next(t, b.items)
		if o.Done || o.Lost || o.Parked {
			t.Errorf("the item is %+v", o)
		}
		_, errAdd := b.queue.Add(t.Context(), "b", "", nil)
		for _, err := range []error{o.Err, next(t, b.claims).Err, errAdd} {
			wantError(t, err, "sql: database is closed", "when Run has returned")
		}
		b.end(t, stop)
	})
}

// An old driver is one for database/sql as it was before contexts.
type oldDriver struct{ driver.Driver }

func (d oldDriver) Open(name string) (driver.Conn, error) {
	conn, err := d.Driver.Open(name)
	return oldConn{conn}, err
}

type oldConn struct{ conn driver.Conn }

func (c oldConn) Prepare(query string) (driver.Stmt, error) {
	stmt, err := c.conn.Prepare(query)
	return oldStmt{stmt}, err
}
func (c oldConn) Close() error { return c.conn.Close() }

func (c oldConn) Begin() (driver.Tx, error) { return c.conn.Begin() } //nolint:staticcheck // old

type oldStmt struct{ stmt driver.Stmt }

func (s oldStmt) Close() error  { return s.stmt.Close() }
func (s oldStmt) NumInput() int { return s.stmt.NumInput() }
func (s oldStmt) Exec(args []driver.Value) (driver.Result, error) {
	return s.stmt.Exec(args) //nolint:staticcheck // old
}
func (s oldStmt) Query(args []driver.Value) (driver.Rows, error) {
	return s.stmt.Query(args) //nolint:staticcheck // old
}

// Such a driver is refused at once: with MySQL it would fail at the first claim, and it never ends a statement.
func TestDriverWithoutContext(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		db := e.open(t)
		from := originOf(db)
		name := "old-" + freshName()
		sql.Register(name, oldDriver{db.Driver()})
		old := pool(t, name, from.dsn, from.most)
		errMigrate := sqlstore.Migrate(t.Context(), old, e.dialect, sqlstore.Config{})
		if err := sqlstore.Migrate(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
			t.Fatal(err)
		}
		_, errNew := sqlstore.New(t.Context(), old, e.dialect, sqlstore.Config{})
		_, errGate := sqlstore.NewGate(t.Context(), old, e.dialect, sqlstore.GateConfig{})
		for _, err := range []error{errMigrate, errNew, errGate} {
			wantError(t, err, "sqlstore_test.oldConn", "no support for contexts", "use another one")
		}
	})
}
