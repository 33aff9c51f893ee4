package recipes

import (
	"context"

	"github.com/jmoiron/sqlx"

	"github.com/fliggy-go/rentcar/sqlstore"
)

// SQLXOf returns the transaction of the event that ctx belongs to, for Get and Select. It does not know the driver, so
// let db rebind and bind names, as SaveRefund does.
//
// The other direction needs no recipe: sqlstore.WithTx(ctx, tx.Tx) of a *sqlx.Tx.
func SQLXOf(ctx context.Context, db *sqlx.DB) (*sqlx.Tx, error) {
	tx, err := sqlstore.Tx(ctx)
	if err != nil {
		return nil, err
	}
	return &sqlx.Tx{Tx: tx, Mapper: db.Mapper}, nil
}

// A Refund is a row of the books.
type Refund struct {
	Event string `gorm:"primaryKey"` // Delivery.Key
	Yuan  string
}

// SaveRefund writes with names, in the transaction of the event.
func SaveRefund(ctx context.Context, db *sqlx.DB, r Refund) error {
	tx, err := SQLXOf(ctx, db)
	if err != nil {
		return err
	}
	query, args, err := db.BindNamed("INSERT INTO refunds (event, yuan) VALUES (:event, :yuan)", r)
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, query, args...)
	return err
}
