// Command consumer uses the library as a program outside of this repository does: its module has a path of its own, so
// that the compiler refuses every internal package. A distributor renews an order and refunds a fee, a merchant
// computes a price. CI builds it against the working tree, against a module proxy of it, and, as it was at the last
// tag, against today's code.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

func main() {
	if err := errors.Join(distribute(context.Background(), os.Stdout), price(os.Stdout)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// An office is what a distributor has of its own.
type office struct {
	outbox *durable.Outbox
	told   chan string // what pushed events said
}

// handle carries out a pushed event.
func (o *office) handle(ctx context.Context, d *qimen.Delivery, e events.Event) error {
	if d.IsConflict {
		return durable.Permanent(errors.New("the same ids with another content"))
	}
	switch e := e.(type) {
	case *events.RenewalAccepted:
		o.told <- "accepted"
	case *events.RenewalRejected:
		o.told <- "rejected: " + e.ErrorMessage
	case *events.RenewalFeeRefund:
		o.told <- "refund of " + e.Amount.String()
		return o.outbox.AddCallback(ctx, e.SuccessCallback())
	}
	return nil
}

// distribute renews an order, and answers a refund through inbox and outbox.
func distribute(ctx context.Context, w io.Writer) error {
	gw := fliggytest.NewGateway()
	defer gw.Close()
	answered := make(chan rentcar.Outcome, 1)
	client, err := gw.Client(
		rentcar.WithChannel(fliggy.ChannelHello), rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 2}),
		rentcar.WithObserver(func(_ context.Context, o rentcar.Observation) {
			if o.Done && o.Method == "alitrip.rentcar.btb.distribution.callback" {
				answered <- o.Outcome
			}
		}))
	if err != nil {
		return err
	}
	store := durable.NewMemoryStore()
	outbox, err := durable.NewOutbox(client, store, durable.Config{})
	if err != nil {
		return err
	}
	inbox, err := durable.NewInbox(store, durable.Config{Workers: 2})
	if err != nil {
		return err
	}
	o := &office{outbox, make(chan string, 4)}
	handler, err := qimen.NewHandler(
		qimen.Secrets{gw.AppKey(): {gw.AppSecret()}}, qimen.WithStore(inbox.Add), qimen.OnEvent(o.handle),
	)
	if err != nil {
		return err
	}
	gw.PushToHandler(handler)
	gw.AutoAccept()

	running, stop := context.WithCancel(ctx)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	group.Go(func() { _ = inbox.Run(running, handler) })
	group.Go(func() { _ = outbox.Run(running) })

	renewal, err := renew(ctx, client, gw.AddOrder(fliggytest.SampleOrder()))
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "renewal:", <-o.told)
	gw.RequestRefund(renewal, fliggytest.Refund{
		Type: fliggy.RefundFuelFee, Amount: fliggy.MustYuan("20.50"), PayTradeNo: "202212191604667539969978368",
	})
	fmt.Fprintln(w, "event:", <-o.told)
	fmt.Fprintln(w, "callback:", <-answered)
	return nil
}

// renew prices and submits the renewal of an order by a day.
func renew(ctx context.Context, client *rentcar.Client, id fliggy.ID) (fliggy.ID, error) {
	order, err := client.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: id})
	if err != nil {
		return "", err
	}
	if !order.SupportsRenewal() {
		return "", errors.New("the order cannot be renewed")
	}
	from := order.Booking.CarReturnTime
	to := fliggy.At(from.Add(24 * time.Hour))
	quote, err := client.Renewals.Quote(ctx, &rentcar.RenewalQuoteRequest{
		OrderID: id, CarUseTime: from, CarReturnTime: to,
	})
	if err != nil {
		return "", err
	}
	total, err := quote.Total()
	if err != nil {
		return "", err
	}
	submitted, err := client.Renewals.Submit(ctx, &rentcar.RenewalSubmitRequest{
		OrderID: id, RenewalOutOrderID: "R-1", ItemID: quote.ItemID, CarUseTime: from, CarReturnTime: to,
		TotalFee: total, Payment: total, PayTradeNo: "2022112222001492421107773",
	}, rentcar.CallTimeout(10*time.Second))
	switch {
	case errors.Is(err, rentcar.ErrOutcomeUnknown):
		return "", fmt.Errorf("ask before it is sent again: %w", err)
	case err != nil:
		return "", err
	}
	return submitted.RenewalOrderID, nil
}

// price computes what a merchant asks for a day and half an hour.
func price(w io.Writer) error {
	plan := &pricing.Plan{
		DayPrice: fliggy.MustYuan("10.00"), PoundageFee: fliggy.MustYuan("1.00"),
		ScatteredRules: []fliggy.ScatteredPriceRule{
			{Value: fliggy.MustDecimal("50"), StartTime: 0, EndTime: 420},
			{Value: fliggy.MustDecimal("100"), StartTime: 421, EndTime: 1440},
		},
		CancelPolicy: fliggy.CancelPolicy{
			CancelType: 1, SupportCancel: true, Rules: []fliggy.CancelRule{{Num: 0, Time: 24}, {Num: 50, Time: 0}},
		},
	}
	if err := plan.Validate(); err != nil {
		return err
	}
	reply, err := plan.Quote(fliggy.MustTime("2026-12-01 10:00"), fliggy.MustTime("2026-12-02 10:30"))
	if err != nil {
		return err
	}
	total, err := reply.Total()
	if err != nil {
		return err
	}
	fmt.Fprintln(w, "price:", total)
	return nil
}
