package recipes_test

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/examples/recipes"
	"github.com/fliggy-go/rentcar/qimen"
)

// The pool has as many connections as one worker needs.
func TestPGXPool(t *testing.T) {
	t.Parallel()
	db := openPostgres(t)
	config, err := pgxpool.ParseConfig(db.dsn)
	if err != nil {
		t.Fatal(err)
	}
	config.MaxConns = 3
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	shared := recipes.PoolOf(pool)
	t.Cleanup(func() { _ = shared.Close() })
	store := db.storeOn(t, shared)

	isOneTransaction(t, db, store, "refunds", func(ctx context.Context, d *qimen.Delivery, _ events.Event) error {
		return recipes.SaveRefunds(ctx, []string{d.Key}, []string{"1.00"})
	})
	db.exec(t, "DELETE FROM refunds")
	isJoined(t, db, store, func(ctx context.Context, add func(context.Context) error) error {
		return recipes.CopyRefunds(ctx, shared, [][]any{{"a", "1.00"}}, add)
	})
	if n := pool.Stat().AcquiredConns(); n != 0 {
		t.Errorf("%d connections were kept", n)
	}
	if err := recipes.SaveRefunds(t.Context(), nil, nil); err == nil {
		t.Error("SaveRefunds outside of an event")
	}
}
