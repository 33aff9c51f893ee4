package recipes_test

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/goleak"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/sqlstore"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, // but for goroutines that nobody can end
		goleak.IgnoreTopFunction("gorm.io/gorm/internal/lru.NewLRU[...].func1"), // of PrepareStmt
		goleak.IgnoreAnyFunction("github.com/cloudwego/hertz/pkg/protocol.UpdateServerDate.func1"),
		goleak.IgnoreAnyFunction("github.com/cloudwego/netpoll.(*defaultPoll).Wait"),
		goleak.IgnoreAnyFunction("github.com/apache/rocketmq-client-go/v2/primitive.WithRecover"),
		goleak.IgnoreAnyFunction("github.com/patrickmn/go-cache.(*janitor).Run")) // of RocketMQ, too
}

// A work is a function for qimen.OnEvent.
type work func(context.Context, *qimen.Delivery, events.Event) error

var databases atomic.Int64

func freshName() string { return fmt.Sprintf("rentcar_recipes_%d_%d", os.Getpid(), databases.Add(1)) }

// A database is one of its own on a server, with the table refunds and those of a store.
type database struct {
	*sql.DB
	dialect sqlstore.Dialect
	dsn     string
	store   *sqlstore.Store
}

// openPostgres makes a database on the server that CI starts, or another by the environment.
func openPostgres(t *testing.T) *database {
	t.Helper()
	u, err := url.Parse(
		cmp.Or(os.Getenv("RENTCAR_TEST_POSTGRES"), "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable"))
	if err != nil {
		t.Fatal(err)
	}
	name := freshName()
	administer(t, "pgx", u.String(), "CREATE DATABASE "+name, "DROP DATABASE "+name+" WITH (FORCE)")
	u.Path = "/" + name
	return prepare(t, "pgx", u.String(), sqlstore.PostgreSQL)
}

func openMySQL(t *testing.T) *database {
	t.Helper()
	cfg, err := mysql.ParseDSN(cmp.Or(os.Getenv("RENTCAR_TEST_MYSQL"), "root@tcp(127.0.0.1:3306)/"))
	if err != nil {
		t.Fatal(err)
	}
	name := freshName()
	cfg.DBName = ""
	administer(t, "mysql", cfg.FormatDSN(), "CREATE DATABASE "+name, "DROP DATABASE "+name)
	cfg.DBName = name
	return prepare(t, "mysql", cfg.FormatDSN(), sqlstore.MySQL)
}

// administer makes something on a server, and undoes it when the test is over.
func administer(t *testing.T, driver, dsn, begin, end string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), begin); err != nil {
		t.Fatalf("%s: %v: is the server up? See CONTRIBUTING.md", begin, err)
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), end); err != nil {
			t.Errorf("%s: %v", end, err)
		}
		_ = db.Close()
	})
}

func prepare(t *testing.T, driver, dsn string, dialect sqlstore.Dialect) *database {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	db.SetMaxOpenConns(8)
	if err := sqlstore.Migrate(t.Context(), db, dialect, sqlstore.Config{}); err != nil {
		t.Fatal(err)
	}
	d := &database{DB: db, dialect: dialect, dsn: dsn}
	d.exec(t, "CREATE TABLE refunds (event VARCHAR(100) PRIMARY KEY, yuan VARCHAR(20) NOT NULL)")
	d.store = d.storeOn(t, db)
	return d
}

// storeOn makes a store on a pool.
func (d *database) storeOn(t *testing.T, pool *sql.DB) *sqlstore.Store {
	t.Helper()
	store, err := sqlstore.New(t.Context(), pool, d.dialect, sqlstore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return store
}

// rows counts the rows of a table, with a condition.
func (d *database) rows(t *testing.T, from string) int {
	t.Helper()
	var n int
	if err := d.QueryRow("SELECT COUNT(*) FROM " + from).Scan(&n); err != nil {
		t.Error(err)
	}
	return n
}

func newGateway(t *testing.T) *fliggytest.Gateway {
	t.Helper()
	gw := fliggytest.NewGateway()
	t.Cleanup(gw.Close)
	return gw
}

func handler(t *testing.T, gw *fliggytest.Gateway, f work, opts ...qimen.Option) *qimen.Handler {
	t.Helper()
	h, err := qimen.NewHandler(qimen.Secrets{gw.AppKey(): {gw.AppSecret()}}, append(opts, qimen.OnEvent(f))...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// push lets Fliggy push event 141.
func push(gw *fliggytest.Gateway, how ...fliggytest.Push) fliggytest.PushResult {
	refund := fliggytest.Refund{Type: fliggy.RefundFuelFee, Amount: fliggy.MustYuan("200.98")}
	return gw.RequestRefund(fliggytest.SampleOrderID, refund, how...)
}

// isOneTransaction pushes an event through an inbox. Its function fails once after the work, of which nothing may be
// left in the table. The second attempt succeeds, and leaves one row.
func isOneTransaction(t *testing.T, db *database, store durable.Store, table string, f work) {
	t.Helper()
	failed := errors.New("made up: after the work")
	var seen []string
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	inbox, err := durable.NewInbox(store, durable.Config{
		MinDelay: time.Millisecond, Poll: 10 * time.Millisecond,
		Observer: func(_ context.Context, o durable.Observation) {
			if o.Done {
				cancel()
			} else if !errors.Is(o.Err, failed) {
				t.Error(o.Err)
				cancel()
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	gw := newGateway(t)
	h := handler(t, gw, func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
		seen = append(seen, fmt.Sprintf("attempt %d, %d rows", d.Attempt, db.rows(t, table)))
		if err := f(ctx, d, e); err != nil {
			return err
		}
		if d.Attempt == 1 {
			return failed
		}
		return nil
	}, qimen.WithStore(inbox.Add))
	gw.PushToHandler(h)
	if result := push(gw, fliggytest.Push{Times: 2}); !result.Accepted {
		t.Fatal(result)
	}
	if err := inbox.Run(ctx, h); !errors.Is(err, context.Canceled) {
		t.Errorf("Run = %v, want it to end with the event done", err)
	}
	if got := fmt.Sprint(seen); got != "[attempt 1, 0 rows attempt 2, 0 rows]" {
		t.Errorf("the function was called: %s", got)
	}
	if n := db.rows(t, table); n != 1 {
		t.Errorf("%d rows in the end, want 1", n)
	}
}

// isJoined checks that save, which writes a row into refunds and calls add, does both or neither: it fails where add
// does.
func isJoined(
	t *testing.T, db *database, store *sqlstore.Store,
	save func(ctx context.Context, add func(context.Context) error) error,
) {
	t.Helper()
	client, err := newGateway(t).Client()
	if err != nil {
		t.Fatal(err)
	}
	outbox, err := durable.NewOutbox(client, store, durable.Config{})
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("made up: after the callback")
	order := events.Order{OrderID: fliggytest.SampleOrderID, OutOrderID: "D-1"}
	paid := events.NewRefundPaid(order, fliggy.MustYuan("200.98"), "T-1")
	for _, want := range []error{failed, nil} {
		err := save(t.Context(), func(ctx context.Context) error {
			if err := outbox.AddCallback(ctx, paid); err != nil {
				return err
			}
			return want
		})
		if !errors.Is(err, want) {
			t.Errorf("save = %v, want %v", err, want)
		}
		count, err := store.Count(t.Context(), durable.OutboxQueue)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(1)
		if want != nil {
			n = 0
		}
		if rows := int64(db.rows(t, "refunds")); rows != n || count.Waiting != n {
			t.Errorf("%d rows and %d callbacks after the error %v, want %d of each", rows, count.Waiting, want, n)
		}
	}
}

func (d *database) exec(t *testing.T, statement string) {
	t.Helper()
	if _, err := d.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}
