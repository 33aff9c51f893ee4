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

// A database has the journal, and a table of the service's own.
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
		_, err = d.ExecContext(ctx,
			"CREATE TABLE IF NOT EXISTS rentals (id VARCHAR(64) PRIMARY KEY, state VARCHAR(20) NOT NULL)")
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the database: %w", err), d.Close())
	}
	return d, nil
}

// pool makes the pool of connections, which New of sqlstore checks.
func pool(name string) (db *sql.DB, dialect sqlstore.Dialect, err error) {
	const most = 16 // three times four workers, and the customers
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

// enter writes the state of a rental, in the transaction of ctx.
func (d *database) enter(ctx context.Context, id, state string) error {
	tx, err := sqlstore.Tx(ctx)
	if err != nil {
		return err
	}
	var list = "($1, $2)"
	if d.dialect != sqlstore.PostgreSQL {
		list = "(?, ?)"
	}
	change := " ON CONFLICT (id) DO UPDATE SET state = excluded.state"
	if d.dialect == sqlstore.MySQL {
		change = " ON DUPLICATE KEY UPDATE state = VALUES(state)"
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO rentals (id, state) VALUES "+list+change, id, state)
	return err
}

// rentals reads the table.
func (d *database) rentals(ctx context.Context) (_ map[string]string, err error) {
	rows, err := d.QueryContext(ctx, "SELECT id, state FROM rentals")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	found := map[string]string{}
	for rows.Next() {
		var id, state string
		if err := rows.Scan(&id, &state); err != nil {
			return nil, err
		}
		found[id] = state
	}
	return found, rows.Err()
}

// lookAt opens a database and reads its rentals.
func lookAt(ctx context.Context, name string) (found map[string]string, err error) {
	d, err := openDatabase(ctx, name)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, d.Close()) }()
	return d.rentals(ctx)
}
