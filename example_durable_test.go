package rentcar_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// The same push three times, and one that claims the same ids with another amount.
func Example_duplicates() {
	gw := fliggytest.NewGateway()
	defer gw.Close()
	secrets := qimen.Secrets{gw.AppKey(): {gw.AppSecret()}}
	alarm := func(text, key string) { fmt.Println(text, key) }
	handle := func(_ context.Context, key string, e events.Event) error {
		fmt.Println("handled", key)
		return nil
	}

	gate, err := qimen.NewMemoryGate(qimen.GateAge(48*time.Hour), qimen.GateSize(1_000_000))
	if err != nil {
		log.Fatal(err)
	}
	handler, err := qimen.NewHandler(secrets,
		qimen.WithGate(gate), // without it: 100,000 replies for 24 hours
		qimen.WithObserver(func(_ context.Context, o qimen.Observation) {
			if o.IsConflict {
				alarm("the same ids, another content:", o.Key)
			}
		}),
		qimen.OnEvent(func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
			return handle(ctx, d.Key, e) // d.Key: the same for every repeat
		}),
	)
	if err != nil {
		log.Fatal(err)
	}

	gw.PushToHandler(handler)
	for _, amount := range []string{"200.98", "200.98", "200.98", "9.99"} {
		payload := fmt.Sprintf(`{"channelId":"80001","orderId":"3104050285204362836","eventType":142,"eventData":{`+
			`"renewalOrderId":3187983531024266527,"amount":"%s","payTradeNo":"202212191604667539969978368"}}`, amount)
		gw.PushRaw(context.Background(), []byte(payload))
	}
	// Output:
	// handled event/142/cc00374713ced330684535ad15dd51d0150edc5d1cefda3bb34f2a329578b2d8
	// handled event/142/cc00374713ced330684535ad15dd51d0150edc5d1cefda3bb34f2a329578b2d8
	// the same ids, another content: event/142/cc00374713ced330684535ad15dd51d0150edc5d1cefda3bb34f2a329578b2d8
}

// A refund that survives a crash: the event is stored before it is acknowledged,
// the callback before it is sent.
func Example_durable() {
	gw := fliggytest.NewGateway()
	defer gw.Close()
	called := make(chan rentcar.Observation, 2)
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap), rentcar.WithObserver(func(_ context.Context, o rentcar.Observation) {
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
	alarm := func(id string, err error) { fmt.Println(id, err) }
	openStore := durable.NewMemoryStore

	store := openStore() // a durable.Store on your database; examples/inbox has one on bbolt, to be copied
	outbox, err := rentcar.NewOutbox(client, store, durable.WithObserver(func(_ context.Context, r durable.Result) {
		if r.IsParked { // Fliggy has refused it: somebody has to look
			alarm(r.ID, r.Err)
		}
	}))
	if err != nil {
		log.Fatal(err)
	}
	handler, err := qimen.NewHandler(secrets, qimen.OnEvent(func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
		refund, ok := e.(*events.RenewalFeeRefund) // 142
		if !ok {
			return nil
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
	inbox, err := qimen.NewInbox(handler, store)
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/fliggy/events", inbox) // the inbox in the place of the handler

	var running sync.WaitGroup
	running.Go(func() { _ = inbox.Run(ctx) })  // hands stored events to the function
	running.Go(func() { _ = outbox.Run(ctx) }) // sends until Fliggy confirms
	defer running.Wait()                       // work in progress when ctx ends is allowed to finish

	gw.PushToHandler(inbox)
	order := gw.AddOrder(fliggytest.SampleOrder())
	renewal, err := client.Renewals.Submit(ctx, &rentcar.RenewalSubmitRequest{OrderID: order, RenewalOutOrderID: "R-1"})
	if err != nil {
		log.Fatal(err)
	}
	gw.RequestRefund(renewal.RenewalOrderID, fliggytest.Refund{
		Type: fliggy.RefundFuelFee, Amount: fliggy.MustYuan("200.98"), Reason: "油费退款", PayTradeNo: "202212191604667539969978368",
	})
	<-called // the submit
	fmt.Println((<-called).Outcome, gw.Callbacks()[0].Message.EventType)
	stop()
	// Output:
	// refund 200.98
	// succeeded 270 renewal fee refund succeeded
}
