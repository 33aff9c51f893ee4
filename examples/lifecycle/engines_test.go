package main

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/go-sql-driver/mysql"
)

// each runs a test on SQLite, and on servers.
func each(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, filepath.Join(t.TempDir(), "lifecycle.db")) })
	eachServer(t, test)
}

// eachServer runs a test on PostgreSQL and on MySQL or MariaDB, each time on a database that is new: servers that CI
// starts, or others by the environment.
func eachServer(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Run("postgres", func(t *testing.T) { test(t, newPostgres(t)) })
	t.Run("mysql", func(t *testing.T) { test(t, newMySQL(t)) })
}

var databases atomic.Int64

func freshName() string { return fmt.Sprintf("rentcar_lifecycle_%d_%d", os.Getpid(), databases.Add(1)) }

func newPostgres(t *testing.T) string {
	t.Helper()
	dsn := cmp.Or(os.Getenv("RENTCAR_TEST_POSTGRES"), "postgres://postgres@127.0.0.1:5432/postgres?sslmode=disable")
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	name := freshName()
	create(t, "pgx", dsn, "CREATE DATABASE "+name, "DROP DATABASE "+name+" WITH (FORCE)")
	u.Path = "/" + name
	return u.String()
}

func newMySQL(t *testing.T) string {
	t.Helper()
	cfg, err := mysql.ParseDSN(cmp.Or(os.Getenv("RENTCAR_TEST_MYSQL"), "root@tcp(127.0.0.1:3306)/"))
	if err != nil {
		t.Fatal(err)
	}
	name := freshName()
	cfg.DBName = ""
	create(t, "mysql", cfg.FormatDSN(), "CREATE DATABASE "+name, "DROP DATABASE "+name)
	return (&url.URL{Scheme: "mysql", User: url.UserPassword(cfg.User, cfg.Passwd), Host: cfg.Addr, Path: name}).String()
}

// create makes a database, and drops it when the test is over.
func create(t *testing.T, driver, dsn, begin, end string) {
	t.Helper()
	db, err := sql.Open(driver, dsn)
	if err == nil {
		_, err = db.ExecContext(t.Context(), begin)
	}
	if err != nil {
		t.Fatalf("%s: %v: is the server up? See RENTCAR_TEST_POSTGRES and RENTCAR_TEST_MYSQL in CONTRIBUTING.md", begin, err)
	}
	t.Cleanup(func() {
		if _, err := db.ExecContext(context.Background(), end); err != nil {
			t.Errorf("%s: %v", end, err)
		}
		_ = db.Close()
	})
}
