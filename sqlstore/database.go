package sqlstore

import (
	"context"
	"database/sql"
)

// A database is a pool of connections, and what is known of the server.
type database struct {
	db      *sql.DB
	dialect Dialect
	plain   bool // READ COMMITTED is what the server does anyway, so that one statement needs no transaction
}

// A querier is a pool or a transaction.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// options are those of every transaction.
func (d *database) options() *sql.TxOptions {
	if d.plain {
		return nil
	}
	return d.dialect.txOptions()
}

// inTx calls f in a transaction, or with the pool if plain, and again after a conflict.
func (d *database) inTx(ctx context.Context, plain bool, f func(querier) error) error {
	return again(ctx, func() error {
		if plain {
			return f(d.db)
		}
		tx, err := d.db.BeginTx(ctx, d.options())
		if err != nil {
			return err
		}
		if err := f(tx); err != nil {
			_ = tx.Rollback()
			return err
		}
		return tx.Commit()
	})
}
