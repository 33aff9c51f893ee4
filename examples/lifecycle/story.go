package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// The APIs whose replies get lost.
const (
	apiSubmit   = "alitrip.rentcar.btb.renewal.submit"
	apiCheck    = "alitrip.rentcar.btb.renewal.checkcancel"
	apiCancel   = "alitrip.rentcar.btb.renewal.order.cancel"
	apiCallback = "alitrip.rentcar.btb.distribution.callback"
	apiBill     = "alitrip.rentcar.btb.bill.notify"
)

// quote is the customer who wants to keep the car, and pays.
func (t *story) quote(ctx context.Context) error {
	t.next("The customer wants to keep the car, asks what it costs, and pays",
		"alitrip.rentcar.btb.order.query, alitrip.rentcar.btb.renewaldetail.query")
	client, err := t.gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		return err
	}
	order, err := client.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID})
	if err != nil {
		return err
	}
	from := order.Booking.CarReturnTime
	to := fliggy.At(from.Add(24*time.Hour + 30*time.Minute))
	quote, err := client.Renewals.Quote(ctx, &rentcar.RenewalQuoteRequest{
		OrderID: fliggytest.SampleOrderID, CarUseTime: from, CarReturnTime: to,
	})
	if err != nil {
		return err
	}
	total, err := quote.Total()
	if err != nil {
		return err
	}
	t.order = rentcar.RenewalSubmitRequest{
		OrderID: fliggytest.SampleOrderID, OutOrderID: fliggytest.SampleOutOrderID, ItemID: quote.ItemID,
		CarUseTime: from, CarReturnTime: to, TotalFee: total, Payment: total,
	}
	t.fact("order", fliggytest.SampleOrderID)
	t.fact("longer", "by a day and half an hour")
	t.fact("paid", total.String()+" yuan")
	return nil
}

// request is what the shop submits under an id, for a payment.
func (t *story) request(id string, paid movement) ([]byte, error) {
	req := lifecycle.SubmitRequest{RenewalSubmitRequest: t.order, PaidTime: paid.Time, PayType: fliggy.PayAlipay}
	req.RenewalOutOrderID, req.PayTradeNo = id, paid.TradeNo
	return json.Marshal(req)
}

// submit is killed while the submit is on its way.
func (t *story) submit(ctx context.Context) error {
	t.next("The renewal is submitted. Fliggy books it, the reply gets lost, the service is killed", apiSubmit+", SIGKILL")
	if err := t.begin(ctx); err != nil {
		return err
	}
	t.paid = t.provider.pay(t.order.Payment)
	body, err := t.request("R1", t.paid)
	if err != nil {
		return err
	}
	t.gw.Fail(fliggytest.Hanging().On(apiSubmit).AfterCommit())
	answer := make(chan error, 1)
	go func() {
		_, err := t.post(ctx, "/submit", nil, body)
		answer <- err
	}()
	if err := until(ctx, func() (bool, error) { return len(t.gw.Renewals()) == 1, nil }); err != nil {
		return err
	}
	t.fact("at Fliggy", "renewal order "+string(t.gw.Renewals()[0].RenewalOrderID))
	if err := t.service.kill(); err != nil {
		return err
	}
	if err := <-answer; err == nil {
		return errors.New("the killed service has answered")
	}
	t.say("killed: the customer sees an error, and nobody here knows whether the car is theirs")
	return nil
}

// again is the second click, and what the book finds out by itself.
func (t *story) again(ctx context.Context) error {
	t.next("The service is started again, and the customer clicks again, under a new id", apiCheck)
	t.gw.Fail(fliggytest.CutOff().On(apiCheck)) // this reply gets lost too
	if err := t.begin(ctx); err != nil {
		return err
	}
	body, err := t.request("R2", t.paid)
	if err != nil {
		return err
	}
	second, err := t.post(ctx, "/submit", nil, body)
	if err != nil {
		return err
	}
	t.fact("customer", second.Told)
	r, err := t.await(ctx, "R1", func(r *lifecycle.Renewal) bool { return r.State == lifecycle.Placed })
	if err != nil {
		return err
	}
	t.history(r)
	if n := t.submits(); n != 1 {
		return fmt.Errorf("%d submits have come to Fliggy, not one", n)
	}
	t.say("asked for, and found: Fliggy got one submit, and will get no other")
	return nil
}

// accept is the merchant's answer, pushed three times.
func (t *story) accept(ctx context.Context) error {
	t.next("The merchant takes it, and Fliggy says so three times", "event 103")
	if err := taken(t.gw.Accept(t.gw.Renewals()[0].RenewalOrderID, fliggytest.Push{Times: 3})); err != nil {
		return err
	}
	r, err := t.await(ctx, "R1", func(r *lifecycle.Renewal) bool { return r.State == lifecycle.Accepted })
	if err != nil {
		return err
	}
	t.fact("R1", r.State)
	return nil
}

// refund is killed between the payment and the note of it.
func (t *story) refund(ctx context.Context) error {
	t.next("Customer service orders a refund. It is paid, and the service is killed before it can note that",
		"event 142, SIGKILL")
	paid := t.provider.hold()
	id := t.gw.Renewals()[0].RenewalOrderID
	if err := taken(t.gw.RequestRefund(id, fliggytest.Refund{
		Type: fliggy.RefundFuelFee, Amount: fliggy.MustYuan("1.50"), Reason: "油费退还",
	})); err != nil {
		return err
	}
	select {
	case <-paid:
	case <-ctx.Done():
		return fmt.Errorf("waiting for the refund: %w", context.Cause(ctx))
	}
	if err := t.service.kill(); err != nil {
		return err
	}
	t.say("killed: the customer has 1.50 yuan, and nothing here says so")
	return nil
}

// answer is the same refund, asked for once more with the same key.
func (t *story) answer(ctx context.Context) error {
	t.next("The service is started again, and asks the payment provider with the same key",
		"callback 270, "+apiCallback)
	t.gw.Fail(fliggytest.CutOff().On(apiCallback).AfterCommit()) // the first reply gets lost
	if err := t.begin(ctx); err != nil {
		return err
	}
	r, err := t.await(ctx, "R1", func(r *lifecycle.Renewal) bool {
		return len(r.Refunds) == 1 && r.Refunds[0].State == lifecycle.RefundAnswered
	})
	if err != nil {
		return err
	}
	asked, paid := t.provider.paid()
	t.fact("key", r.Refunds[0].Key)
	t.fact("provider", fmt.Sprintf("asked %d times, paid %d time", asked, paid))
	for _, f := range t.gw.Renewals()[0].Refunds {
		t.fact("at Fliggy", fmt.Sprintf("%s yuan %s", f.Amount, f.State))
	}
	t.fact("callbacks", fmt.Sprintf("%d, since the first reply was lost", len(t.gw.Callbacks())))
	if asked != 2 || paid != 1 {
		return errors.New("the refund was not asked for twice and paid once")
	}
	return nil
}

// cancel ends with what nothing but a person can end.
func (t *story) cancel(ctx context.Context) error {
	t.next("The customer cancels, and the reply gets lost", apiCancel)
	t.gw.Fail(fliggytest.CutOff().On(apiCancel).AfterCommit())
	answer, err := t.post(ctx, "/cancel", url.Values{"id": {"R1"}}, nil)
	if err != nil {
		return err
	}
	t.fact("customer", answer.Told)
	if _, err := t.service.find(ctx, func(e entry) bool { return e.Msg == saysOverdue && e.Renewal == "R1" }); err != nil {
		return err
	}
	t.say("Fliggy refuses to check it now. That may mean anything, so no money moves: OnOverdue calls a person")

	t.next("The person looks it up at Fliggy, and decides", "Book.Resolve")
	there := t.gw.Renewals()[0]
	t.fact("at Fliggy", fmt.Sprintf("%s, penalty %s yuan", there.State, there.CancelFee))
	_, err = t.post(ctx, "/resolve", url.Values{
		"id": {"R1"}, "state": {string(lifecycle.Cancelled)}, "fee": {there.CancelFee.String()},
		"by": {"Li"}, "note": {"Fliggy's page shows it as cancelled"},
	}, nil)
	if err != nil {
		return err
	}
	r, err := t.await(ctx, "R1", isReturned)
	if err != nil {
		return err
	}
	t.history(r)
	t.say(fmt.Sprintf("%s yuan go back: %s paid, less %s penalty, less 1.50 refunded",
		r.Return.Amount, r.Request.Payment, r.CancelFee))
	return nil
}

// isReturned reports whether what remained has gone back.
func isReturned(r *lifecycle.Renewal) bool {
	return r.Return != nil && r.Return.State == lifecycle.RefundClosed
}

// reject is another renewal, which the merchant refuses.
func (t *story) reject(ctx context.Context) error {
	t.next("The customer thinks again and pays again, and now the merchant refuses", apiSubmit+", event 104")
	body, err := t.request("R3", t.provider.pay(t.order.Payment))
	if err != nil {
		return err
	}
	answer, err := t.post(ctx, "/submit", nil, body)
	if err != nil {
		return err
	}
	t.fact("customer", answer.Told)
	if err := taken(t.gw.Reject(answer.Renewal.RenewalOrderID, "71008", "商家接单失败")); err != nil {
		return err
	}
	r, err := t.await(ctx, "R3", isReturned)
	if err != nil {
		return err
	}
	t.history(r)
	t.say(r.Return.Amount.String() + " yuan go back, after Fliggy was asked whether it lives")
	return nil
}

// month is the settlement bill.
func (t *story) month(ctx context.Context) error {
	t.next("The month ends: the settlement bill, whose first attempt does not get through", apiBill)
	t.gw.Fail(fliggytest.Dropped().On(apiBill))
	answer, err := t.post(ctx, "/bill", url.Values{
		"no": {"B1"}, "until": {time.Now().Add(-time.Millisecond).Format(time.RFC3339Nano)},
	}, nil)
	if err != nil {
		return err
	}
	t.total = answer.Bill.Total
	t.fact("bill", fmt.Sprintf("%s, %d lines, %s yuan", answer.Bill.BillNo, answer.Bill.Lines, answer.Bill.Total))
	err = until(ctx, func() (bool, error) {
		now, err := t.post(ctx, "/renewal", url.Values{"id": {"R1"}}, nil)
		for _, l := range now.Lines {
			if l.State != lifecycle.LineBilled {
				return false, err
			}
		}
		return err == nil, err
	})
	if err != nil {
		return err
	}
	for _, b := range t.gw.Bills() {
		t.fact("at Fliggy", fmt.Sprintf("%s, %d lines, %s yuan", b.Message.BillNo, len(b.Message.Lines),
			b.Message.TotalAmount))
	}
	return nil
}

// books compares everybody's.
func (t *story) books(ctx context.Context) error {
	t.next("The books", "ledger, payment provider, the service's own table, and Fliggy")
	cash := fliggy.FenOf(0).Yuan()
	for _, id := range []string{"R1", "R3"} {
		now, err := t.post(ctx, "/renewal", url.Values{"id": {id}}, nil)
		if err != nil {
			return err
		}
		for _, l := range now.Lines {
			cash = cash.Add(l.Cash)
			t.printf("      %s %-13s %2d %7s  cash %7s  %s\n", id, l.Kind, l.BizType, l.Amount, l.Cash, l.State)
		}
	}
	export, providerCash := t.provider.export()
	compared, err := t.post(ctx, "/reconcile", nil, export)
	if err != nil {
		return err
	}
	report := compared.Report
	t.fact("provider", fmt.Sprintf("%d of %d movements agree, %d findings",
		report.Matched, report.Entries, len(report.Findings)))
	t.fact("left to us", fmt.Sprintf("%s yuan in the ledger, %s at the provider, %s on the bill",
		cash, providerCash, t.total))
	if err := t.service.stop(); err != nil {
		return err
	}
	t.service = nil
	rentals, err := lookAt(ctx, t.database)
	if err != nil {
		return err
	}
	t.fact("our table", fmt.Sprintf("R1 %s, R3 %s", rentals["R1"], rentals["R3"]))
	there := t.gw.Renewals()
	for _, r := range there {
		t.fact("at Fliggy", fmt.Sprintf("%s %s", r.RenewalOutOrderID, r.State))
	}
	if len(report.Findings) > 0 || !cash.Equal(providerCash) || !cash.Equal(t.total) || len(there) != 2 ||
		rentals["R1"] != "cancelled" || rentals["R3"] != "rejected" || len(rentals) != 2 {
		return fmt.Errorf("the books differ: %+v, %v", report.Findings, rentals)
	}
	t.say("each of them says the same, to the fen")
	return nil
}
