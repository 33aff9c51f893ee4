package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"github.com/go-sql-driver/mysql"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"github.com/fliggy-go/rentcar/sqlstore"
)

// A database has the items of inbox and outbox, and the books.
type database struct {
	*sql.DB
	dialect sqlstore.Dialect
	store   *sqlstore.Store
}

// openDatabase opens what -db names, and creates the tables that are missing.
func openDatabase(ctx context.Context, name string) (d *database, err error) {
	d = &database{}
	if d.DB, d.dialect, err = pool(name); err != nil {
		return nil, fmt.Errorf("the database: %w", err)
	}
	err = sqlstore.Migrate(ctx, d.DB, d.dialect, sqlstore.Config{})
	if err == nil {
		d.store, err = sqlstore.New(ctx, d.DB, d.dialect, sqlstore.Config{})
	}
	if err == nil {
		_, err = d.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS books (book VARCHAR(20) NOT NULL, entry TEXT NOT NULL)")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the database: %w", err), d.Close())
	}
	return d, nil
}

// pool makes the pool of connections, which New of sqlstore checks.
func pool(name string) (db *sql.DB, dialect sqlstore.Dialect, err error) {
	const most = 8 // two workers, and those who push
	switch {
	case isURL(name, "postgres"):
		db, err = sql.Open("pgx", name)
		dialect = sqlstore.PostgreSQL
	case isURL(name, "mysql"):
		u, wrong := url.Parse(name)
		if wrong != nil {
			return nil, "", errors.New("-db: not a URL") // the error of url.Parse shows the password
		}
		cfg := mysql.NewConfig()
		cfg.Net, cfg.Addr, cfg.DBName, cfg.User = "tcp", u.Host, strings.TrimPrefix(u.Path, "/"), u.User.Username()
		cfg.Passwd, _ = u.User.Password()
		db, err = sql.Open("mysql", cfg.FormatDSN())
		dialect = sqlstore.MySQL
	default: // one writer at a time
		db, err = sql.Open("sqlite", "file:"+(&url.URL{Path: name}).EscapedPath()+
			"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_txlock=immediate")
		if err == nil {
			db.SetMaxOpenConns(1)
		}
		return db, sqlstore.SQLite, err
	}
	if err == nil {
		db.SetMaxOpenConns(most)
		db.SetMaxIdleConns(most)
	}
	return db, dialect, err
}

func isURL(name, scheme string) bool { return strings.HasPrefix(name, scheme+"://") }

// isServer reports whether the database is one that processes on many machines share.
func isServer(name string) bool { return isURL(name, "postgres") || isURL(name, "mysql") }
