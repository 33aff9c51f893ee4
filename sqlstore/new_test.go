package sqlstore_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/fliggy-go/rentcar/sqlstore"
)

// New says what is wrong with a database, and what to do.
func TestNewRefuses(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e engine) {
		t.Parallel()
		db := e.open(t)
		_, err := sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{})
		wantError(t, err, "rentcar_schema", "sqlstore.Migrate")
		if err := sqlstore.Migrate(t.Context(), db, e.dialect, sqlstore.Config{}); err != nil {
			t.Fatal(err)
		}
		exec := func(statement string) {
			t.Helper()
			if _, err := db.ExecContext(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		exec("INSERT INTO rentcar_schema (version) VALUES (99)")
		_, err = sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{})
		wantError(t, err, "version 99", "newer version of sqlstore")
		exec("DELETE FROM rentcar_schema")
		_, err = sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{})
		wantError(t, err, "version 0", "call sqlstore.Migrate")
		if e.dialect != sqlstore.SQLite {
			db.SetMaxOpenConns(1)
			_, err = sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{})
			wantError(t, err, "one connection", "SetMaxOpenConns")
		}
		_ = db.Close()
		_, err = sqlstore.New(t.Context(), db, e.dialect, sqlstore.Config{})
		wantError(t, err, "does not answer", "closed")
	})
	_, err := sqlstore.New(t.Context(), nil, sqlstore.SQLite, sqlstore.Config{})
	wantError(t, err, "is nil")
	_, err = sqlstore.New(t.Context(), openSQLite(t), "oracle", sqlstore.Config{})
	wantError(t, err, `"oracle"`, "sqlstore.PostgreSQL")
	wantError(t, sqlstore.Migrate(t.Context(), nil, sqlstore.SQLite, sqlstore.Config{}), "is nil")
}

// The dialect has to be that of the server.
func TestNewOfAnotherDialect(t *testing.T) {
	t.Parallel()
	for _, e := range engines() {
		for _, other := range engines() {
			if e.dialect == other.dialect {
				continue
			}
			db := e.open(t)
			most := 2
			if other.dialect == sqlstore.SQLite {
				most = 1
			}
			db.SetMaxOpenConns(most)
			_, err := sqlstore.New(t.Context(), db, other.dialect, sqlstore.Config{})
			wantError(t, err, "is this ")
		}
	}
}

// A server that is not there is named at once.
func TestNewWithoutAServer(t *testing.T) {
	t.Parallel()
	for dialect, source := range map[sqlstore.Dialect][2]string{
		sqlstore.PostgreSQL: {"pgx", "postgres://nobody@127.0.0.1:1/none?sslmode=disable"},
		sqlstore.MySQL:      {"mysql", "nobody@tcp(127.0.0.1:1)/none"},
		sqlstore.SQLite:     {"sqlite", "file:" + filepath.Join(t.TempDir(), "missing", "a.db")},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		db := pool(t, source[0], source[1], 1)
		_, err := sqlstore.New(ctx, db, dialect, sqlstore.Config{})
		wantError(t, err, "does not answer", string(dialect))
		errMigrate := sqlstore.Migrate(ctx, db, dialect, sqlstore.Config{})
		wantError(t, errMigrate, "does not answer", string(dialect), "the data source name")
	}
}

// Settings of a connection with which items would be lost or workers fail.
func TestNewLooksAtSettings(t *testing.T) {
	t.Parallel()
	path := func() string { return "file:" + filepath.Join(t.TempDir(), "a.db") }
	for options, want := range map[string]string{
		"": "busy_timeout",
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)":                     "_txlock=immediate",
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(DELETE)":                  "_txlock=immediate",
		"?_pragma=busy_timeout(10)&_pragma=journal_mode(WAL)&_txlock=immediate":      "busy_timeout",
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_txlock=immediate":   "sqlstore.Migrate",
		"?_pragma=busy_timeout(9999)&_pragma=journal_mode(DELETE)&_txlock=exclusive": "sqlstore.Migrate",
	} {
		_, err := sqlstore.New(t.Context(), pool(t, "sqlite", path()+options, 1), sqlstore.SQLite, sqlstore.Config{})
		wantError(t, err, want)
	}
	_, err := sqlstore.New(t.Context(), pool(t, "sqlite", path(), 2), sqlstore.SQLite, sqlstore.Config{})
	wantError(t, err, "SetMaxOpenConns(1)")

	db := openMySQL(t)
	if err := sqlstore.Migrate(t.Context(), db, sqlstore.MySQL, sqlstore.Config{}); err != nil {
		t.Fatal(err)
	}
	var name string
	if err := db.QueryRowContext(t.Context(), "SELECT DATABASE()").Scan(&name); err != nil {
		t.Fatal(err)
	}
	_, err = sqlstore.New(t.Context(), mysqlPool(t, name, "autocommit", "0"), sqlstore.MySQL, sqlstore.Config{})
	wantError(t, err, "autocommit")
	if _, err = sqlstore.New(t.Context(), mysqlPool(t, name, "tx_isolation", "'READ-COMMITTED'"), sqlstore.MySQL,
		sqlstore.Config{}); err != nil {
		t.Error(err)
	}
}

// mysqlPool opens a database of the server with a variable of the session.
func mysqlPool(t testing.TB, name, variable, value string) *sql.DB {
	t.Helper()
	cfg, err := mysql.ParseDSN(mysqlDSN())
	if err != nil {
		t.Fatal(err)
	}
	cfg.DBName, cfg.Params = name, map[string]string{variable: value}
	return pool(t, "mysql", cfg.FormatDSN(), 4)
}

func TestNewOfAnOldServer(t *testing.T) {
	t.Parallel()
	for version, want := range map[string]string{
		"10.6.0-MariaDB": "", "10.11.19-MariaDB-deb12": "", "11.4.2-MariaDB": "", "10.5.27-MariaDB": "too old",
		"5.5.68-MariaDB": "too old", "": "cannot be read", "MariaDB": "cannot be read",
	} {
		err := sqlstore.CheckAge(version, [2]int{10, 6})
		if want != "" {
			wantError(t, err, want)
		} else if err != nil {
			t.Error(version, err)
		}
	}
}
