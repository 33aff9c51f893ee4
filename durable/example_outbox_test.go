package durable_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A callback whose reply is lost is sent again until Fliggy confirms it; one that
// Fliggy refuses is parked.
func ExampleNewOutbox() {
	gw := fliggytest.NewGateway()
	defer gw.Close()
	gw.Fail(fliggytest.CutOff().AfterCommit()) // the first one is taken, and nobody hears of it
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()

	store := durable.NewMemoryStore() // a durable.Store on your database instead
	outbox, err := durable.NewOutbox(client, store, durable.Config{
		MinDelay: time.Millisecond, // 1 s by default
		MaxDelay: time.Millisecond, // 10 min by default
		Poll:     time.Millisecond, // 1 s by default
		Observer: func(_ context.Context, r durable.Observation) {
			fmt.Printf("attempt %d: done %v, parked %v, %s\n", r.Attempt, r.Done, r.Parked, rentcar.OutcomeOf(r.Err))
			if r.Done {
				stop()
			}
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	order := events.Order{OrderID: "3104050285204362836", OutOrderID: "RC202212191604667539969978368"}
	for _, callback := range []*events.Callback{
		events.NewRefundPaid(order, fliggy.MustYuan("16.02"), "2022112222001492421107773"),
		events.NewRefundPaid(order, fliggy.MustYuan("16.02"), "2022112222001492421107773"), // the same again
		{
			Envelope: events.Envelope{EventType: events.TypeFeeRefundSucceeded, OrderID: order.OrderID},
			Data:     events.CallbackData{PayTradeNo: "of no refund"},
		},
	} {
		if err := outbox.AddCallback(ctx, callback); err != nil { // durable from here on
			log.Fatal(err)
		}
	}
	_ = outbox.Run(ctx) // until ctx ends
	fmt.Println(store.Parked(durable.OutboxQueue)[0].Item.ID)
	// Output:
	// attempt 1: done false, parked false, unknown
	// attempt 1: done false, parked true, rejected
	// attempt 2: done true, parked false, succeeded
	// callback/260/3104050285204362836////of%20no%20refund
}
