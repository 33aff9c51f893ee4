package recipes_test

import (
	"context"
	"testing"

	"github.com/jmoiron/sqlx"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/examples/recipes"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/sqlstore"
)

func TestSQLX(t *testing.T) {
	t.Parallel()
	for driver, open := range map[string]func(*testing.T) *database{"pgx": openPostgres, "mysql": openMySQL} {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			db := open(t)
			x := sqlx.NewDb(db.DB, driver)
			isOneTransaction(t, db, db.store, "refunds", func(ctx context.Context, d *qimen.Delivery, _ events.Event) error {
				if err := recipes.SaveRefund(ctx, x, recipes.Refund{Event: d.Key, Yuan: "1.00"}); err != nil {
					return err
				}
				tx, err := recipes.SQLXOf(ctx, x)
				if err != nil {
					return err
				}
				var got []recipes.Refund
				if err := tx.SelectContext(ctx, &got, "SELECT event, yuan FROM refunds"); err != nil || len(got) != 1 {
					t.Error("in the transaction there is", got, err)
				}
				return nil
			})
			db.exec(t, "DELETE FROM refunds")
			isJoined(t, db, db.store, func(ctx context.Context, add func(context.Context) error) error {
				tx, err := x.BeginTxx(ctx, nil)
				if err != nil {
					return err
				}
				defer func() { _ = tx.Rollback() }()
				_, err = tx.NamedExecContext(ctx, "INSERT INTO refunds (event, yuan) VALUES (:event, :yuan)",
					recipes.Refund{Event: "a", Yuan: "1.00"})
				if err != nil {
					return err
				}
				if err := add(sqlstore.WithTx(ctx, tx.Tx)); err != nil {
					return err
				}
				return tx.Commit()
			})
		})
	}
	if err := recipes.SaveRefund(t.Context(), nil, recipes.Refund{}); err == nil {
		t.Error("SaveRefund outside of an event")
	}
}
