package engines

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite"

	"github.com/fliggy-go/rentcar/sqlstore"
)

// A stage is a new database for the contestants of a row, who share its pool.
type stage struct {
	dialect sqlstore.Dialect
	db      *sql.DB
	pool    *pgxpool.Pool // of PostgreSQL, below db
	store   *sqlstore.Store
}

// byEngine runs a benchmark on each database, with each number of workers.
func byEngine(b *testing.B, bench func(b *testing.B, s *stage, workers int)) {
	b.Helper()
	for _, dialect := range []sqlstore.Dialect{sqlstore.PostgreSQL, sqlstore.MySQL, sqlstore.SQLite} {
		b.Run("db="+string(dialect), func(b *testing.B) {
			byWorkers(b, func(b *testing.B, workers int) { bench(b, newStage(b, dialect, workers), workers) })
		})
	}
}

// newStage makes a database with our tables and those of plain SQL. Its pool has two connections more than there are
// workers, as the guide says.
func newStage(b *testing.B, dialect sqlstore.Dialect, workers int) *stage {
	b.Helper()
	s := &stage{dialect: dialect}
	switch dialect {
	case sqlstore.PostgreSQL:
		s.openPostgres(b, workers+2)
	case sqlstore.MySQL:
		s.openMySQL(b, workers+2)
	default:
		s.db = open(b, "sqlite", "file:"+filepath.Join(b.TempDir(), "bench.db")+"?_pragma=busy_timeout(10000)"+
			"&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate", 1)
	}
	check(b, sqlstore.Migrate(b.Context(), s.db, dialect, sqlstore.Config{}))
	var err error
	s.store, err = sqlstore.New(b.Context(), s.db, dialect, sqlstore.Config{})
	check(b, err)
	data := "BLOB"
	if dialect == sqlstore.PostgreSQL {
		data = "BYTEA"
	}
	s.exec(b, "CREATE TABLE plain (id VARCHAR(100) PRIMARY KEY, data "+data+" NOT NULL, state INTEGER NOT NULL)")
	s.exec(b, "CREATE TABLE books (id VARCHAR(100) PRIMARY KEY, yuan VARCHAR(20) NOT NULL)")
	s.connect(b, workers, "plain", "books", "rentcar_items")
	return s
}

var databases atomic.Int64

// freshName names a database of this run.
func freshName() string { return fmt.Sprintf("rentcar_bench_%d_%d", os.Getpid(), databases.Add(1)) }

func (s *stage) openPostgres(b *testing.B, most int) {
	b.Helper()
	dsn := cmp.Or(os.Getenv("RENTCAR_TEST_POSTGRES"), "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")
	u, err := url.Parse(dsn)
	check(b, err)
	name := freshName()
	administer(b, "pgx", dsn, "CREATE DATABASE "+name, "DROP DATABASE "+name+" WITH (FORCE)")
	u.Path = "/" + name
	cfg, err := pgxpool.ParseConfig(u.String())
	check(b, err)
	cfg.MaxConns = int32(most)
	s.pool, err = pgxpool.NewWithConfig(b.Context(), cfg)
	check(b, err)
	b.Cleanup(s.pool.Close)
	s.db = stdlib.OpenDBFromPool(s.pool)
	b.Cleanup(func() { _ = s.db.Close() })
}

func (s *stage) openMySQL(b *testing.B, most int) {
	b.Helper()
	cfg, err := mysql.ParseDSN(cmp.Or(os.Getenv("RENTCAR_TEST_MYSQL"), "root@tcp(127.0.0.1:3306)/"))
	check(b, err)
	name := freshName()
	cfg.DBName = ""
	administer(b, "mysql", cfg.FormatDSN(), "CREATE DATABASE "+name, "DROP DATABASE "+name)
	cfg.DBName = name
	s.db = open(b, "mysql", cfg.FormatDSN(), most)
}

func open(b *testing.B, driver, dsn string, most int) *sql.DB {
	b.Helper()
	db, err := sql.Open(driver, dsn)
	check(b, err)
	db.SetMaxOpenConns(most)
	db.SetMaxIdleConns(most)
	b.Cleanup(func() { _ = db.Close() })
	return db
}

// administer makes something on a server, and undoes it when the benchmark is over.
func administer(b *testing.B, driver, dsn, begin, end string) {
	b.Helper()
	db := open(b, driver, dsn, 1)
	if _, err := db.ExecContext(b.Context(), begin); err != nil {
		b.Fatalf("%s: %v: is the server up? See RENTCAR_TEST_... in CONTRIBUTING.md", begin, err)
	}
	b.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), end); err != nil {
			b.Errorf("%s: %v", end, err)
		}
	})
}

// connect opens the connections before any clock starts, and lets each of them read what it knows of the tables.
func (s *stage) connect(b *testing.B, workers int, tables ...string) {
	b.Helper()
	if s.dialect == sqlstore.SQLite {
		return
	}
	for range workers {
		conn, err := s.db.Conn(b.Context())
		check(b, err)
		defer func() { _ = conn.Close() }()
		for _, table := range tables {
			var rows int
			check(b, conn.QueryRowContext(b.Context(), "SELECT COUNT(*) FROM "+table).Scan(&rows))
		}
	}
}

func check(b *testing.B, err error) {
	b.Helper()
	if err != nil {
		b.Fatal(err)
	}
}

func (s *stage) exec(b *testing.B, query string) {
	b.Helper()
	_, err := s.db.ExecContext(b.Context(), query)
	check(b, err)
}

// bind puts the placeholders of the database in the place of question marks.
func (s *stage) bind(query string) string {
	for n := 1; s.dialect == sqlstore.PostgreSQL && strings.Contains(query, "?"); n++ {
		query = strings.Replace(query, "?", fmt.Sprintf("$%d", n), 1)
	}
	return query
}

// want checks that a contestant has left b.N rows, those of its name, behind.
func (s *stage) want(b *testing.B, from, name string) {
	b.Helper()
	var rows int
	check(b, s.db.QueryRowContext(b.Context(), s.bind("SELECT COUNT(*) FROM "+from), name).Scan(&rows))
	if rows != b.N {
		b.Errorf("%d rows in %s, want %d", rows, from, b.N)
	}
}

// analyze tells PostgreSQL what is in the tables now, as autovacuum does after a minute.
func (s *stage) analyze(b *testing.B) {
	b.Helper()
	if s.dialect == sqlstore.PostgreSQL {
		s.exec(b, "ANALYZE")
	}
}

var names atomic.Int64

// freshIDs returns a name that no other run of a benchmark has, for the n-th of its items: those of a run begin with
// the name. They are digits, as the numbers of orders.
func freshIDs() (name string, id func(i int) string) {
	name = fmt.Sprintf("31%04d", names.Add(1))
	return name, func(i int) string { return fmt.Sprintf("%s%010d", name, i) }
}

// data is what an item has.
var data = []byte(strings.Repeat("0123456789abcdef", 94)) // 1.5 kB
