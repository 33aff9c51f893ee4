package sqlstore_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// A journal of renewals whose changes are written to a table of one's own, in the same transaction.
func Example_lifecycle() {
	dir, err := os.MkdirTemp("", "rentcar")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	driver, dsn := "sqlite", "file:"+filepath.Join(dir, "book.db")+sqliteOptions
	payBack := func(context.Context, lifecycle.Refund) (lifecycle.RefundResult, error) {
		return lifecycle.RefundPaid("W-1", time.Now()), nil
	}

	db, err := sql.Open(driver, dsn) // your own driver and pool
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1) // SQLite; on a server 3 times the workers (4 by default), and your own callers
	if err := sqlstore.Migrate(ctx, db, sqlstore.SQLite, sqlstore.Config{}); err != nil {
		log.Fatal(err)
	}
	store, err := sqlstore.New(ctx, db, sqlstore.SQLite, sqlstore.Config{})
	if err != nil {
		log.Fatal(err)
	}
	_, err = db.ExecContext(ctx, "CREATE TABLE rentals (id TEXT PRIMARY KEY, state TEXT NOT NULL)")
	if err != nil {
		log.Fatal(err)
	}
	book, err := lifecycle.Open(client, store, lifecycle.OnRefund(payBack), lifecycle.OnChange(
		func(ctx context.Context, before, after lifecycle.Renewal) error {
			if before.State == after.State {
				return nil // a refund has changed, or an id was learnt
			}
			tx, err := sqlstore.Tx(ctx) // the row, the change and what goes out to Fliggy are one
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, "INSERT INTO rentals (id, state) VALUES (?, ?)"+
				" ON CONFLICT (id) DO UPDATE SET state = excluded.state", after.ID, string(after.State))
			return err
		}))
	if err != nil {
		log.Fatal(err)
	}

	main, _ := gw.Order(fliggytest.SampleOrderID)
	until := main.Details.Booking.CarReturnTime
	_, err = book.Submit(ctx, &lifecycle.SubmitRequest{PaidTime: time.Now(),
		RenewalSubmitRequest: rentcar.RenewalSubmitRequest{
			OrderID: main.OrderID, OutOrderID: main.OutOrderID, RenewalOutOrderID: "R1",
			CarUseTime: until, CarReturnTime: fliggy.At(until.Add(24 * time.Hour)),
			TotalFee: fliggy.MustYuan("100.00"), Payment: fliggy.MustYuan("100.00"), PayTradeNo: "P1",
		}})
	if err != nil {
		log.Fatal(err)
	}
	var state string
	if err := db.QueryRowContext(ctx, "SELECT state FROM rentals WHERE id = 'R1'").Scan(&state); err != nil {
		log.Fatal(err)
	}
	fmt.Println("R1 is", state)
	// Output:
	// R1 is placed
}
