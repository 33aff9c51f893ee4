package recipes_test

import (
	"context"
	"fmt"
	"testing"

	gormmysql "gorm.io/driver/mysql"
	gormpostgres "gorm.io/driver/postgres"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/examples/recipes"
	"github.com/fliggy-go/rentcar/qimen"
)

// eachGORM runs a test with GORM on both servers, with prepared statements and without.
func eachGORM(t *testing.T, test func(t *testing.T, db *database, g *gorm.DB)) {
	t.Helper()
	for _, prepare := range []bool{false, true} {
		t.Run(fmt.Sprintf("postgres,%t", prepare), func(t *testing.T) {
			t.Parallel()
			db := openPostgres(t)
			test(t, db, openGORM(t, gormpostgres.New(gormpostgres.Config{Conn: db.DB}), prepare))
		})
		t.Run(fmt.Sprintf("mysql,%t", prepare), func(t *testing.T) {
			t.Parallel()
			db := openMySQL(t)
			test(t, db, openGORM(t, gormmysql.New(gormmysql.Config{Conn: db.DB}), prepare))
		})
	}
}

func openGORM(t *testing.T, d gorm.Dialector, prepare bool) *gorm.DB {
	t.Helper()
	g, err := gorm.Open(d, &gorm.Config{PrepareStmt: prepare, Logger: logger.Discard})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func TestGORMOf(t *testing.T) {
	t.Parallel()
	eachGORM(t, func(t *testing.T, db *database, g *gorm.DB) {
		before := g.Statement.ConnPool
		isOneTransaction(t, db, db.store, "refunds", func(ctx context.Context, d *qimen.Delivery, _ events.Event) error {
			tx, err := recipes.GORMOf(ctx, g)
			if err != nil {
				return err
			}
			if err := tx.Create(&recipes.Refund{Event: d.Key, Yuan: "1.00"}).Error; err != nil {
				return err
			}
			return tx.First(&recipes.Refund{}, "event = ?", d.Key).Error // the session serves any number of statements
		})
		if g.Statement.ConnPool != before {
			t.Error("the transaction of one event is that of everybody now")
		}
	})
	if _, err := recipes.GORMOf(t.Context(), nil); err == nil {
		t.Error("GORMOf outside of an event")
	}
}

func TestWithGORM(t *testing.T) {
	t.Parallel()
	eachGORM(t, func(t *testing.T, db *database, g *gorm.DB) {
		isJoined(t, db, db.store, func(ctx context.Context, add func(context.Context) error) error {
			return g.WithContext(ctx).Transaction(func(tx *gorm.DB) error {
				if err := tx.Create(&recipes.Refund{Event: "a", Yuan: "1.00"}).Error; err != nil {
					return err
				}
				ctx, err := recipes.WithGORM(ctx, tx)
				if err != nil {
					return err
				}
				return add(ctx)
			})
		})
		if _, err := recipes.WithGORM(t.Context(), g); err == nil {
			t.Error("WithGORM without a transaction")
		}
	})
}
