package recipes

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/fliggy-go/rentcar/sqlstore"
)

// PoolOf lets the store and database/sql share the connections of a pgx pool. Its MaxConns counts: at least the number
// of workers plus 2. Close the result before pool.
func PoolOf(pool *pgxpool.Pool) *sql.DB { return stdlib.OpenDBFromPool(pool) }

// SaveRefunds writes many rows in the transaction of the event. pgx takes slices as arrays there, in place of CopyFrom,
// which needs the connection: database/sql does not give away that of a transaction.
func SaveRefunds(ctx context.Context, events, yuan []string) error {
	tx, err := sqlstore.Tx(ctx)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx,
		"INSERT INTO refunds (event, yuan) SELECT * FROM unnest($1::text[], $2::text[])", events, yuan)
	return err
}

// CopyRefunds is the other direction, with all that pgx can do: a transaction of your own, and in it CopyFrom and what
// add stores in an outbox.
func CopyRefunds(ctx context.Context, db *sql.DB, rows [][]any, add func(context.Context) error) (err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	tx, err := conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // of what was not committed
	err = conn.Raw(func(c any) error {   // the connection of tx
		_, err := c.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{"refunds"}, []string{"event", "yuan"},
			pgx.CopyFromRows(rows))
		return err
	})
	if err != nil {
		return err
	}
	if err := add(sqlstore.WithTx(ctx, tx)); err != nil {
		return err
	}
	return tx.Commit()
}
