package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A distributor is the side that this SDK is for.
type distributor struct {
	*screen
	client *rentcar.Client
	inbox  chan events.Event // what was pushed to us

	mainOrder fliggy.ID // Fliggy's id of the order
	ours      string    // our id of it
	renewal   string    // our id of the renewal, chosen before we submit
}

// A booking is a renewal from quote to order.
type booking struct {
	from, to fliggy.Time
	quote    *rentcar.RenewalQuoteResult
	total    fliggy.Yuan // of the quote
	payTrade string
	order    *rentcar.RenewalSubmitResult
}

// quote queries the order and asks what keeping the car longer costs.
func (d *distributor) quote(ctx context.Context, longer time.Duration) (*booking, error) {
	d.next("The customer wants to keep the car: can the order be renewed?", "alitrip.rentcar.btb.order.query")
	order, err := d.client.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: d.mainOrder, OutOrderID: d.ours})
	if err != nil {
		return nil, err
	}
	d.fact("order", d.mainOrder)
	d.fact("our order", d.ours)
	d.fact("car", order.Booking.CarBrandName+" "+order.Booking.License)
	d.fact("return time", order.Booking.CarReturnTime)
	for _, t := range order.Info.ServiceTypes {
		d.fact("service_type", fmt.Sprintf("%s %s", string(t), t))
	}
	d.request(order.Meta)
	if !order.SupportsRenewal() {
		return nil, errors.New("the order cannot be renewed: its service_type has no 3")
	}
	d.say("service_type holds 3: it can")

	b := &booking{from: order.Booking.CarReturnTime, to: fliggy.At(order.Booking.CarReturnTime.Add(longer))}
	d.next("What does it cost?", "alitrip.rentcar.btb.renewaldetail.query")
	if b.quote, err = d.client.Renewals.Quote(ctx, &rentcar.RenewalQuoteRequest{
		OrderID: d.mainOrder, CarUseTime: b.from, CarReturnTime: b.to,
	}); err != nil {
		return nil, err
	}
	d.fact("from", b.from)
	d.fact("until", b.to)
	d.fact("standard price", b.quote.Price.StandardPrice)
	for _, s := range b.quote.AddedServices {
		d.fact(s.ServiceName, s.Amount)
	}
	d.fact("quote", b.quote.ItemID)
	d.request(b.quote.Meta)
	if b.total, err = b.quote.Total(); err != nil {
		return nil, err // an amount is missing: no money moves on a guess
	}
	for _, w := range b.quote.Warnings {
		return nil, fmt.Errorf("the quote is doubtful: %s", w)
	}
	d.say("%s yuan in all", b.total)
	return b, nil
}

// submit places the renewal order.
func (d *distributor) submit(ctx context.Context, b *booking) error {
	d.next("The customer pays; the renewal is submitted", "alitrip.rentcar.btb.renewal.submit")
	request := &rentcar.RenewalSubmitRequest{
		OrderID: d.mainOrder, OutOrderID: d.ours, RenewalOutOrderID: d.renewal,
		ItemID: b.quote.ItemID, CarUseTime: b.from, CarReturnTime: b.to,
		TotalFee: b.total, Payment: b.total, PayTradeNo: b.payTrade,
	}
	order, err := d.client.Renewals.Submit(ctx, request)
	if errors.Is(err, rentcar.ErrOutcomeUnknown) {
		settled, problem := d.client.Renewals.Settle(ctx, &rentcar.SettleRequest{Submit: request})
		if problem != nil {
			return errors.Join(err, problem)
		}
		return fmt.Errorf("the renewal is %s, do not submit it again: %w", settled.Verdict, err)
	}
	if err != nil {
		return err
	}
	b.order = order
	d.fact("our renewal", d.renewal)
	d.fact("renewal order", order.RenewalOrderID)
	d.fact("paid", b.total)
	d.request(order.Meta)
	d.say("whether the merchant takes it comes as an event")
	return nil
}

// answer waits for the merchant's answer and reports whether it was yes.
func (d *distributor) answer(ctx context.Context, b *booking) (bool, error) {
	e, err := d.receive(ctx)
	if err != nil {
		return false, err
	}
	switch e := e.(type) {
	case *events.RenewalAccepted:
		d.next("The merchant takes it", "event 103, pushed")
		d.fact("renewal order", e.RenewalOrderID)
		d.fact("created", e.CreatedTime)
		if e.RenewalOrderID != b.order.RenewalOrderID {
			return false, fmt.Errorf("event 103 is about renewal order %s", e.RenewalOrderID)
		}
		d.say("the car is the customer's until %s", b.to)
		return true, nil
	case *events.RenewalRejected:
		d.next("The merchant refuses it", "event 104, pushed")
		d.fact("renewal order", e.RenewalOrderID)
		d.fact("reason", e.ErrorCode+" "+e.ErrorMessage)
		if e.RenewalOrderID != b.order.RenewalOrderID {
			return false, fmt.Errorf("event 104 is about renewal order %s", e.RenewalOrderID)
		}
		d.say("the car is due at %s as before; the customer gets %s yuan back", b.from, b.total)
		return false, nil
	}
	return false, fmt.Errorf("unexpected event %v", e.Type())
}

// cancel asks what cancelling costs, and cancels. It returns the penalty.
func (d *distributor) cancel(ctx context.Context, b *booking) (fliggy.Yuan, error) {
	d.next("The customer changes their mind: what does cancelling cost?", "alitrip.rentcar.btb.renewal.checkcancel")
	check, err := d.client.Renewals.CheckCancel(ctx, &rentcar.RenewalCheckCancelRequest{
		OrderID: d.mainOrder, OutOrderID: d.renewal, RenewalOrderID: b.order.RenewalOrderID,
	})
	if err != nil {
		return fliggy.Yuan{}, err
	}
	d.fact("penalty", check.CancelFee)
	d.fact("reason", check.CancelMessage)
	d.request(check.Meta)

	d.next("Cancel all the same", "alitrip.rentcar.btb.renewal.order.cancel")
	done, err := d.client.Renewals.Cancel(ctx, &rentcar.RenewalCancelRequest{
		OrderID: d.mainOrder, OutOrderID: d.renewal, RenewalOrderID: b.order.RenewalOrderID,
		CancelMessage: "用户主动取消", CancelFee: check.CancelFee,
	})
	if err != nil {
		return fliggy.Yuan{}, err
	}
	d.fact("penalty", done.CancelFee)
	d.request(done.Meta)
	if c, err := done.CancelFee.Cmp(check.CancelFee); err != nil || c != 0 {
		return fliggy.Yuan{}, fmt.Errorf("the penalty was %s when checked and is %s now", check.CancelFee, done.CancelFee)
	}
	d.say("%s yuan of %s go back to the customer", b.total.Sub(done.CancelFee), b.total)
	return done.CancelFee, nil
}

// refund receives the order to refund a fee, refunds it or fails to, and answers
// with the same trade number.
func (d *distributor) refund(ctx context.Context, succeed bool) (*events.RenewalFeeRefund, error) {
	got, err := d.receive(ctx)
	if err != nil {
		return nil, err
	}
	e, ok := got.(*events.RenewalFeeRefund)
	if !ok {
		return nil, fmt.Errorf("unexpected event %v", got.Type())
	}
	d.next("Customer service orders a refund", "event 142, pushed")
	d.fact("renewal order", e.RenewalOrderID)
	d.fact("our renewal", e.RenewalOutOrderID)
	d.fact("amount", e.Amount)
	d.fact("reason", e.Reason)
	d.fact("trade number", e.PayTradeNo)

	callback, what := e.SuccessCallback(), "The money is back with the customer; tell Fliggy"
	if !succeed {
		callback, what = e.FailureCallback(), "The customer's account is closed, the refund failed; tell Fliggy"
	}
	d.next(what, fmt.Sprintf("callback %d, alitrip.rentcar.btb.distribution.callback", callback.EventType))
	done, err := d.client.Callbacks.Send(ctx, callback)
	if err != nil {
		return nil, err
	}
	d.fact("trade number", callback.Data.PayTradeNo)
	d.request(done.Meta)
	return e, nil
}

// bill pushes the settlement bill: every movement on the main order.
func (d *distributor) bill(
	ctx context.Context, b *booking, penalty fliggy.Yuan, refund *events.RenewalFeeRefund, at fliggy.Time,
) error {
	line := func(biz fliggy.BillBizType, amount fliggy.Yuan, trade string) rentcar.BillLine {
		return rentcar.BillLine{
			OrderID: d.mainOrder, OutOrderID: d.ours, // never the renewal's own
			BizType: biz, OrderAmount: amount, PayTradeNo: trade, PayTime: at, PayType: fliggy.PayAlipay,
		}
	}
	paid := b.total
	bill := rentcar.NewBill("ID20221130", "20221130001").
		Income(line(fliggy.BillOrderFee, paid, b.payTrade)).
		Refund(line(fliggy.BillOrderFeeRefund, paid, b.payTrade+"R")).
		Income(line(fliggy.BillCancelPenalty, penalty, b.payTrade+"P"))
	if refund != nil {
		bill.Refund(line(fliggy.BillCancelPenaltyRefund, refund.Amount, refund.PayTradeNo))
	}
	built, err := bill.Build()
	if err != nil {
		return err
	}
	d.next("The month ends: the settlement bill", "alitrip.rentcar.btb.bill.notify")
	d.fact("bill, batch", built.BillNo+", "+built.BatchNo)
	for _, l := range built.Lines {
		d.fact(fmt.Sprintf("%d on %s", l.BizType, "main order"), fmt.Sprintf("%8s  %s", l.OrderAmount, l.TradeType))
	}
	done, err := d.client.Bills.Notify(ctx, built)
	if err != nil {
		return err
	}
	d.fact("total", built.TotalAmount)
	d.request(done.Meta)
	return nil
}

// receive waits for the next pushed event.
func (d *distributor) receive(ctx context.Context) (events.Event, error) {
	select {
	case e := <-d.inbox:
		return e, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("waiting for an event: %w", context.Cause(ctx))
	}
}
