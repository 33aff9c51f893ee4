package sqlstore_test

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib"
	"go.uber.org/goleak"
	_ "modernc.org/sqlite"

	"github.com/fliggy-go/rentcar/sqlstore"
)

func TestMain(m *testing.M) {
	if os.Getenv(driverEnv) != "" { // see startProcess
		serve := serveGate
		if os.Getenv(gatewayEnv) != "" {
			serve = serveJournal
		}
		fmt.Fprintln(os.Stderr, serve())
		os.Exit(1)
	}
	_ = mysql.SetLogger(&mysql.NopLogger{}) // which tells of every connection that is cut
	goleak.VerifyTestMain(m)
}

// An engine is a database server to test against.
type engine struct {
	dialect sqlstore.Dialect
	open    func(t testing.TB) *sql.DB // a database without tables, each time another
}

// engines are those that CI starts, or others by the environment.
func engines() []engine {
	return []engine{{sqlstore.PostgreSQL, openPostgres}, {sqlstore.MySQL, openMySQL}, {sqlstore.SQLite, openSQLite}}
}

// each runs a test for each engine.
func each(t *testing.T, test func(t *testing.T, e engine)) {
	t.Helper()
	for _, e := range engines() {
		t.Run(string(e.dialect), func(t *testing.T) { test(t, e) })
	}
}

var databases atomic.Int64

// freshName names a database of this run.
func freshName() string { return fmt.Sprintf("rentcar_test_%d_%d", os.Getpid(), databases.Add(1)) }

func openPostgres(t testing.TB) *sql.DB {
	t.Helper()
	dsn := cmp.Or(os.Getenv("RENTCAR_TEST_POSTGRES"), "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := freshName()
	// A schema, since dropping a database makes the server write all that it has to the disk. What is lost when the
	// server dies is tested on a server of its own.
	administer(t, "pgx", dsn, "CREATE SCHEMA "+name, "DROP SCHEMA "+name+" CASCADE")
	query := u.Query()
	query.Set("search_path", name)
	query.Set("synchronous_commit", "off")
	u.RawQuery = query.Encode()
	return pool(t, "pgx", u.String(), 20)
}

func mysqlDSN() string { return cmp.Or(os.Getenv("RENTCAR_TEST_MYSQL"), "root@tcp(127.0.0.1:3306)/") }

func openMySQL(t testing.TB) *sql.DB {
	t.Helper()
	cfg, err := mysql.ParseDSN(mysqlDSN())
	if err != nil {
		t.Fatal(err)
	}
	name := freshName()
	cfg.DBName = ""
	administer(t, "mysql", cfg.FormatDSN(), "CREATE DATABASE "+name, "DROP DATABASE "+name)
	cfg.DBName = name
	return pool(t, "mysql", cfg.FormatDSN(), 20)
}

const sqliteOptions = "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
	"&_txlock=immediate"

func openSQLite(t testing.TB) *sql.DB {
	t.Helper()
	return pool(t, "sqlite", "file:"+filepath.Join(t.TempDir(), "rentcar.db")+sqliteOptions, 1)
}

func pool(t testing.TB, driver, dsn string, most int) *sql.DB {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	opened.Store(db, origin{driver, dsn, most})
	t.Cleanup(func() {
		opened.Delete(db)
		_ = db.Close()
	})
	return db
}

// An origin is how a pool was opened.
type origin struct {
	driver, dsn string
	most        int
}

// opened has for each pool its origin.
var opened sync.Map

func originOf(db *sql.DB) origin {
	from, _ := opened.Load(db)
	return from.(origin)
}

// another opens the database of a pool once more, as another process would.
func another(t testing.TB, db *sql.DB) *sql.DB {
	t.Helper()
	from := originOf(db)
	return pool(t, from.driver, from.dsn, from.most)
}

// administer makes something on a server, and undoes it when the test is over.
func administer(t testing.TB, driver, dsn, begin, end string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), begin); err != nil {
		t.Fatalf("%s: %v: is the server up? See RENTCAR_TEST_%s in CONTRIBUTING.md", begin, err,
			map[string]string{"pgx": "POSTGRES", "mysql": "MYSQL"}[driver])
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), end); err != nil {
			t.Errorf("%s: %v", end, err)
		}
		_ = db.Close()
	})
}

// newStore makes a store on tables of its own.
func newStore(t testing.TB, e engine) (*sqlstore.Store, *sql.DB) {
	t.Helper()
	db := e.open(t)
	if err := sqlstore.Migrate(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
		t.Fatal(err)
	}
	s, err := sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{})
	if err != nil {
		t.Fatal(err)
	}
	return s, db
}

// wantError checks that an error says all of this.
func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("error %v, want one with %q", err, part)
		}
	}
}
