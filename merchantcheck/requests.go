package merchantcheck

import (
	"context"
	"fmt"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

const (
	// staleBy is how old the timestamp of a stale request is. Receivers allow five
	// or ten minutes.
	staleBy = time.Hour
	// usualPeriod is that of the first price scenario.
	usualPeriod = oneDay + 30*time.Minute
	// unknownApp and unknownApp2 are app keys that no merchant has; the second is
	// for who has the first.
	unknownApp, unknownApp2 = "10000001", "10000002"
	// nothingExts is what extension data without content looks like in the samples.
	nothingExts = fliggy.Exts("null")
)

// madeUpOrder is an order that no merchant knows: of the form of a real one, and
// small enough for who keeps ids as 64-bit integers.
var madeUpOrder = Order{OrderID: "1000000000000000001", OutOrderID: "MERCHANTCHECK-UNKNOWN"}

// trace gives each request a trace id of its own, also where all else is repeated.
func (run *selfTest) trace() string {
	run.traces++
	return fmt.Sprintf("%s-%d", run.trade, run.traces)
}

func (run *selfTest) priceRequest(o Order, to fliggy.Time) *qimen.RenewalPricesRequest {
	return &qimen.RenewalPricesRequest{
		OrderID: o.OrderID, OutOrderID: o.OutOrderID, CarUseTime: o.Start, CarReturnTime: to,
		TraceID: run.trace(), Exts: nothingExts, IsPressureTest: run.cfg.PressureTest,
	}
}

// usualRequest asks for a price as the first scenario does.
func (run *selfTest) usualRequest() *qimen.RenewalPricesRequest {
	o := run.cfg.Orders[0]
	return run.priceRequest(o, fliggy.At(o.Start.Add(usualPeriod)))
}

func (run *selfTest) sendPrices(ctx context.Context, x *trial) string {
	o := Order{OrderID: x.orderID, OutOrderID: x.outOrderID, Start: x.from}
	x.took(run.m.prices(ctx, run.priceRequest(o, x.to)))
	var r reader
	if total := r.total(x); run.quote == nil && x.regular() && r.err == nil && x.price("priceMark").set() {
		run.quote, x.total = x, total
	}
	return ""
}

func (run *selfTest) sendUnknownOrder(ctx context.Context, x *trial) string {
	request := run.usualRequest()
	unknown := run.cfg.Unknown
	if unknown.OrderID == "" && unknown.OutOrderID == "" {
		unknown = madeUpOrder
	}
	request.OrderID, request.OutOrderID = unknown.OrderID, unknown.OutOrderID
	if unknown.Start.IsSet() {
		request.CarUseTime, request.CarReturnTime = unknown.Start, fliggy.At(unknown.Start.Add(usualPeriod))
	}
	x.took(run.m.prices(ctx, request))
	return ""
}

func (run *selfTest) sendMalformed(ctx context.Context, x *trial) string {
	request := run.usualRequest()
	body, err := request.MarshalJSON()
	if err != nil {
		return err.Error()
	}
	x.took(run.m.call(ctx, qimen.RenewalPricesMethod, body[:len(body)-1])) // all members are there
	return ""
}

// stale, forged and unsigned are the caller with requests that must be refused.
func (run *selfTest) stale() *Caller {
	return run.m.Vary(Variant{SignedAt: run.m.sender.Now().Add(-staleBy)})
}
func (run *selfTest) forged() *Caller   { return run.m.Vary(Variant{BadSignature: true}) }
func (run *selfTest) unsigned() *Caller { return run.m.Vary(Variant{Unsigned: true}) }

func (run *selfTest) sendStale(ctx context.Context, x *trial) string {
	x.took(run.stale().prices(ctx, run.usualRequest()))
	return ""
}

func (run *selfTest) sendForged(ctx context.Context, x *trial) string {
	x.took(run.forged().prices(ctx, run.usualRequest()))
	run.badlySigned = x
	return ""
}

func (run *selfTest) sendUnsigned(ctx context.Context, x *trial) string {
	x.took(run.unsigned().prices(ctx, run.usualRequest()))
	return ""
}

// sendUnknownApp signs with a secret that the merchant does not have either: the
// gateway would sign with that of the app.
func (run *selfTest) sendUnknownApp(ctx context.Context, x *trial) string {
	app := unknownApp
	if run.m.sender.AppKey == app {
		app = unknownApp2
	}
	unknown := run.m.Vary(Variant{Params: map[string]string{"app_key": app}, BadSignature: true})
	x.took(unknown.prices(ctx, run.usualRequest()))
	x.earlier = run.badlySigned
	return ""
}

const noQuote = "there is no quote with a total and a price mark to submit"

// tradeNo gives each purpose a trade number of its own, so that the merchant can
// distinguish the orders.
func (run *selfTest) tradeNo(purpose int) string { return fmt.Sprint(run.trade, purpose) }

// submitRequest orders what was quoted.
func (run *selfTest) submitRequest(q *trial, tradeNo string) *qimen.RenewalSubmitRequest {
	return &qimen.RenewalSubmitRequest{
		OrderID: q.orderID, OutOrderID: q.outOrderID, CarUseTime: q.from, CarReturnTime: q.to,
		RenewalOrderTotalAmount: fliggy.YuanOf(q.total), PriceMark: q.price("priceMark").text(),
		PayTradeNo: tradeNo, TraceID: run.trace(), Exts: nothingExts, IsPressureTest: run.cfg.PressureTest,
	}
}

// sendWrongSubmit orders in a way that must be refused, and cancels at once what
// is booked all the same: it would be in the way of what follows.
func (run *selfTest) sendWrongSubmit(ctx context.Context, x *trial, purpose int, wrong *Caller) string {
	if run.quote == nil {
		return noQuote
	}
	request := run.submitRequest(run.quote, run.tradeNo(purpose))
	x.took(wrong.submit(ctx, request))
	run.note(request, x)
	run.undo(ctx)
	return ""
}

func (run *selfTest) sendForgedSubmit(ctx context.Context, x *trial) string {
	return run.sendWrongSubmit(ctx, x, 1, run.forged())
}

func (run *selfTest) sendStaleSubmit(ctx context.Context, x *trial) string {
	return run.sendWrongSubmit(ctx, x, 2, run.stale())
}

func (run *selfTest) sendSubmit(ctx context.Context, x *trial) string {
	if run.quote == nil {
		return noQuote
	}
	run.order, run.first, x.total = run.submitRequest(run.quote, run.tradeNo(3)), x, run.quote.total
	x.outOrderID = run.order.OutOrderID
	for _, line := range run.quote.lines() { // whether the total has these is not documented
		x.optional = x.optional || line.member("isFixed").text() == "0"
	}
	x.took(run.m.submit(ctx, run.order))
	run.note(run.order, x)
	return ""
}

// sendSubmitAgain sends the submit again where the first was taken, or its outcome
// is unknown: a correct merchant then returns the id.
func (run *selfTest) sendSubmitAgain(ctx context.Context, x *trial) string {
	switch {
	case run.quote == nil:
		return noQuote
	case run.first.no:
		return "the submit was refused"
	}
	x.earlier = run.first
	again := *run.order
	again.TraceID = run.trace()
	x.took(run.m.submit(ctx, &again))
	run.note(run.order, x)
	return ""
}

// sendUntraded orders two renewals, neither with a trade number: of two rentals where there
// are two, else of one rental for two periods, the first cancelled in between.
func (run *selfTest) sendUntraded(ctx context.Context, x *trial) string {
	for _, b := range run.bookings {
		if b.left() != "" {
			return "there is a booking that could not be cancelled"
		}
	}
	first, second := run.cfg.Orders[0], run.cfg.Orders[len(run.cfg.Orders)-1]
	x.earlier = &trial{}
	if reason := run.submitUntraded(ctx, x.earlier, first, usualPeriod); reason != "" {
		return reason
	}
	if second == first {
		run.undo(ctx)
	}
	reason := run.submitUntraded(ctx, x, second, oneDay+8*time.Hour)
	run.undo(ctx)
	return reason
}

// submitUntraded asks for a price and submits it without a trade number.
func (run *selfTest) submitUntraded(ctx context.Context, x *trial, o Order, period time.Duration) string {
	quote := &trial{orderID: o.OrderID, outOrderID: o.OutOrderID, from: o.Start, to: fliggy.At(o.Start.Add(period))}
	quote.took(run.m.prices(ctx, run.priceRequest(o, quote.to)))
	var r reader
	quote.total = r.total(quote)
	if !quote.regular() || r.err != nil || !quote.price("priceMark").set() {
		return noQuote
	}
	request := run.submitRequest(quote, "")
	x.took(run.m.submit(ctx, request))
	run.note(request, x)
	return ""
}

const noBooking = "there is no renewal order to cancel"

func (run *selfTest) cancelRequest(order fliggy.ID, renewal string) *qimen.RenewalCancelRequest {
	penalty := run.cfg.Penalty
	if !penalty.IsSet() {
		penalty = fliggy.MustYuan("0.00")
	}
	return &qimen.RenewalCancelRequest{
		OrderID: order, OutOrderID: renewal, CancelTime: fliggy.At(run.m.sender.Now()), CancelMessage: "用户主动取消",
		PenaltyAmount: penalty, TraceID: run.trace(), Exts: nothingExts, IsPressureTest: run.cfg.PressureTest,
	}
}

func (run *selfTest) sendForgedCancel(ctx context.Context, x *trial) string {
	for _, b := range run.bookings {
		if b.held() && run.order != nil && b.trade == run.order.PayTradeNo {
			run.cancel = run.cancelRequest(b.orderID, b.renewal)
			x.took(run.forged().cancel(ctx, run.cancel))
			return ""
		}
	}
	return noBooking
}

func (run *selfTest) sendCancel(ctx context.Context, x *trial) string {
	if run.cancel == nil {
		return noBooking
	}
	x.took(run.m.cancel(ctx, run.cancel))
	if run.done = x.regular(); run.done {
		run.cancelled(run.cancel.OutOrderID)
	}
	return ""
}

func (run *selfTest) sendCancelAgain(ctx context.Context, x *trial) string {
	if !run.done {
		return "nothing was cancelled the first time"
	}
	again := *run.cancel
	again.TraceID = run.trace()
	x.took(run.m.cancel(ctx, &again))
	return ""
}
