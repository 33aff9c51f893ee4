package durable_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"sync"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// A refund that survives a crash: the event is stored before it is acknowledged,
// the callback before it is sent.
func ExampleInbox() {
	gw := fliggytest.NewGateway()
	defer gw.Close()
	called := make(chan rentcar.Observation, 2)
	client, err := gw.Client(rentcar.WithChannel(
		fliggy.ChannelAmap,
	), rentcar.WithObserver(func(_ context.Context, o rentcar.Observation) {
		if o.Done {
			called <- o
		}
	}))
	if err != nil {
		log.Fatal(err)
	}
	secrets := qimen.Secrets{gw.AppKey(): {gw.AppSecret()}}
	ctx, stop := context.WithCancel(context.Background())
	refundOnce := func(_ context.Context, _ string, amount fliggy.Yuan) error {
		fmt.Println("refund", amount)
		return nil
	}
	keepEvent := func(context.Context, fliggy.ID, []byte) error { return nil }
	alarm := func(id string, err error) { fmt.Println(id, err) }
	openStore := durable.NewMemoryStore

	store := openStore() // a durable.Store on your database: package sqlstore has one
	outbox, err := durable.NewOutbox(client, store, durable.Config{Observer: func(
		_ context.Context, r durable.Observation,
	) {
		if r.Parked { // Fliggy has refused it: somebody has to look
			alarm(r.ID, r.Err)
		}
	}})
	if err != nil {
		log.Fatal(err)
	}
	inbox, err := durable.NewInbox(store, durable.Config{})
	if err != nil {
		log.Fatal(err)
	}
	handler, err := qimen.NewHandler(secrets, qimen.WithStore(inbox.Add), qimen.OnEvent(func(ctx context.Context,
		d *qimen.Delivery, e events.Event) error {
		refund, ok := e.(*events.RenewalFeeRefund) // 142
		if !ok {
			return keepEvent(ctx, e.Head().OrderID, e.Raw()) // 103 and 104: Settle needs them
		}
		if d.IsConflict { // the same ids, another content: no money moves before somebody has looked
			return durable.Permanent(errors.New("conflict"))
		}
		callback := refund.SuccessCallback()
		if err := callback.Validate(); err != nil {
			return durable.Permanent(err) // it could not be answered; parked, not lost
		}
		if !refund.Amount.IsPositive() {
			return durable.Permanent(errors.New("event 142 without an amount")) // no money moves on a guess
		}
		if err := refundOnce(ctx, d.Key, refund.Amount); err != nil {
			return err // comes again, later, with d.Attempt 2
		}
		return outbox.AddCallback(ctx, callback) // in the transaction of ctx
	}))
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/fliggy/events", handler) // tells Fliggy that an event is taken when it is stored

	var running sync.WaitGroup
	running.Go(func() { _ = inbox.Run(ctx, handler) }) // calls the function with stored events
	running.Go(func() { _ = outbox.Run(ctx) })         // sends until Fliggy confirms
	defer running.Wait()                               // work in progress when ctx ends is allowed to finish

	gw.PushToHandler(handler)
	order := gw.AddOrder(fliggytest.SampleOrder())
	renewal, err := client.Renewals.Submit(ctx, &rentcar.RenewalSubmitRequest{OrderID: order, RenewalOutOrderID: "R-1"})
	if err != nil {
		log.Fatal(err)
	}
	gw.RequestRefund(renewal.RenewalOrderID, fliggytest.Refund{
		Type: fliggy.RefundFuelFee, Amount: fliggy.MustYuan("200.98"), Reason: "油费退款",
		PayTradeNo: "202212191604667539969978368",
	})
	<-called // the submit
	fmt.Println((<-called).Outcome, gw.Callbacks()[0].Message.EventType)
	stop()
	// Output:
	// refund 200.98
	// succeeded 270 renewal fee refund succeeded
}
