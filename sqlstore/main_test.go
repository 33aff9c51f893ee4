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

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

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
	administer(t, "pgx", dsn, "CREATE DATABASE "+name, "DROP DATABASE "+name+" WITH (FORCE)")
	u.Path = "/" + name
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
	opened.Store(db, func(t testing.TB) *sql.DB { return pool(t, driver, dsn, most) })
	t.Cleanup(func() {
		opened.Delete(db)
		_ = db.Close()
	})
	return db
}

// opened has for each pool how to open another one on the same database.
var opened sync.Map

// another opens the database of a pool once more, as another process would.
func another(t testing.TB, db *sql.DB) *sql.DB {
	t.Helper()
	open, _ := opened.Load(db)
	return open.(func(testing.TB) *sql.DB)(t)
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
