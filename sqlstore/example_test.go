package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/fliggy-go/rentcar/sqlstore"
)

// A refund whose entry in the books, callback and mark are one transaction.
func ExampleTx() {
	dir, err := os.MkdirTemp("", "rentcar")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = os.RemoveAll(dir) }()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	client, err := gw.Client()
	if err != nil {
		log.Fatal(err)
	}
	secrets := qimen.Secrets{gw.AppKey(): {gw.AppSecret()}}
	ctx, stop := context.WithCancel(context.Background())
	driver, dsn := "sqlite", "file:"+filepath.Join(dir, "rentcar.db")+sqliteOptions
	sent := make(chan struct{}, 1)

	db, err := sql.Open(driver, dsn) // your own driver and pool
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1) // SQLite; on a server at least the number of workers plus 2

	if err := sqlstore.Migrate(ctx, db, sqlstore.SQLite, sqlstore.Config{}); err != nil {
		log.Fatal(err)
	}
	store, err := sqlstore.New(ctx, db, sqlstore.SQLite, sqlstore.Config{})
	if err != nil {
		log.Fatal(err)
	}
	inbox, err := durable.NewInbox(store, durable.Config{})
	if err != nil {
		log.Fatal(err)
	}
	outbox, err := durable.NewOutbox(client, store, durable.Config{
		Observer: func(_ context.Context, o durable.Observation) {
			if o.Done {
				sent <- struct{}{}
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	handler, err := qimen.NewHandler(secrets, qimen.WithStore(inbox.Add), qimen.OnEvent(
		func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
			refund, ok := e.(*events.RenewalFeeRefund)
			if !ok {
				return nil
			}
			callback := refund.SuccessCallback()
			if err := callback.Validate(); err != nil {
				return durable.Permanent(err) // no later attempt could send it
			}
			if !refund.Amount.IsPositive() || d.IsConflict {
				return durable.Permanent(errors.New("somebody has to look"))
			}
			tx, err := sqlstore.Tx(ctx) // the entry, the callback and the mark of the event are one
			if err != nil {
				return err
			}
			_, err = tx.ExecContext(ctx, "INSERT INTO refunds (event, yuan) VALUES (?, ?)", d.Key, refund.Amount.String())
			if err != nil {
				return err
			}
			return outbox.AddCallback(ctx, callback)
		}))
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/fliggy/sql", handler)

	if _, err := db.ExecContext(ctx, "CREATE TABLE refunds (event TEXT PRIMARY KEY, yuan TEXT)"); err != nil {
		log.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = inbox.Run(ctx, handler) })
	running.Go(func() { _ = outbox.Run(ctx) })
	gw.PushToHandler(handler)
	refund(gw, client)
	<-sent
	stop()
	running.Wait()
	var entries int
	if err := db.QueryRow("SELECT COUNT(*) FROM refunds").Scan(&entries); err != nil {
		log.Fatal(err)
	}
	fmt.Println(entries, "refund in the books; Fliggy was told", gw.Callbacks()[0].Message.EventType)
	// Output:
	// 1 refund in the books; Fliggy was told 270 renewal fee refund succeeded
}

// refund makes Fliggy push event 142.
func refund(gw *fliggytest.Gateway, client *rentcar.Client) {
	renewal, err := client.Renewals.Submit(context.Background(), &rentcar.RenewalSubmitRequest{
		OrderID: gw.AddOrder(fliggytest.SampleOrder()), RenewalOutOrderID: "R-1",
	})
	if err != nil {
		log.Fatal(err)
	}
	gw.RequestRefund(renewal.RenewalOrderID, fliggytest.Refund{
		Type: fliggy.RefundFuelFee, Amount: fliggy.MustYuan("200.98"), PayTradeNo: "202212191604667539969978368",
	})
}
