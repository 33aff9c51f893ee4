package fliggytest

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// endpoint is a distributor's endpoint that keeps the events it gets.
type endpoint struct {
	http.Handler
	events chan events.Event
}

func newEndpoint(t testing.TB, g *Gateway) *endpoint {
	t.Helper()
	e := &endpoint{events: make(chan events.Event, 100)}
	// every push is of interest
	h, err := qimen.NewHandler(qimen.Secrets{g.AppKey(): {g.AppSecret()}}, qimen.WithClock(g.now), qimen.WithoutGate(),
		qimen.OnEvent(func(_ context.Context, d *qimen.Delivery, ev events.Event) error {
			if len(d.Findings) > 0 {
				t.Errorf("event %v: %v", ev.Type(), d.Findings)
			}
			e.events <- ev
			return nil
		}))
	noError(t, err)
	e.Handler = h
	return e
}

func TestRefundOfARenewal(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, format := range allFormats {
		g := start(t)
		c := connect(t, g, rentcar.WithFormat(format))
		e := newEndpoint(t, g)
		g.PushToHandler(e)
		id := submit(t, c, submitRequest())
		refund := Refund{
			Type: fliggy.RefundFuelFee, Amount: fliggy.MustYuan("5.00"), Reason: "油费退款", Canceller: fliggy.CancellerPlatform,
		}
		if res := g.RequestRefund(id, refund); !res.Accepted {
			t.Fatalf("refund: %+v", res)
		}
		ordered := (<-e.events).(*events.RenewalFeeRefund)
		if !strings.HasPrefix(ordered.PayTradeNo, string(id)+"_142_2") || ordered.Type() != events.TypeRenewalFeeRefund {
			t.Errorf("event %v, trade number %q", ordered.Type(), ordered.PayTradeNo)
		}
		if ordered.RenewalOrderID != id || ordered.RenewalOutOrderID != ownRenewalID || ordered.OrderID != SampleOrderID ||
			ordered.OutOrderID != SampleOutOrderID || ordered.Canceller != "1" || ordered.Reason != "油费退款" ||
			ordered.ChannelID != "80001" {
			t.Errorf("event %+v", ordered)
		}

		send := func(cb *events.Callback) string {
			_, err := c.Callbacks.Send(ctx, cb)
			return code(err)
		}
		state := func() State {
			r, _ := g.Renewal(id)
			return r.Refunds[0].State
		}
		wrong := ordered.SuccessCallback()
		wrong.Data.PayTradeNo += " "
		mismatch := ordered.SuccessCallback()
		mismatch.EventType = events.TypeFeeRefundSucceeded
		otherRenewal := ordered.SuccessCallback()
		otherRenewal.Data.RenewalOrderID = "1"
		otherOrder := ordered.SuccessCallback()
		otherOrder.OrderID = "1"
		for _, d := range []struct {
			cb    *events.Callback
			code  string
			state State
		}{
			{wrong, RetTradeNotFound, RefundRequested},
			{mismatch, RetCallbackMismatch, RefundRequested},
			{otherRenewal, RetCallbackMismatch, RefundRequested},
			{otherOrder, RetCallbackMismatch, RefundRequested},
			{ordered.FailureCallback(), "<nil>", RefundFailed},
			{ordered.FailureCallback(), "<nil>", RefundFailed},
			{ordered.SuccessCallback(), "<nil>", RefundSucceeded},
			{ordered.SuccessCallback(), "<nil>", RefundSucceeded},
			{ordered.FailureCallback(), RetCallbackMismatch, RefundSucceeded},
		} {
			if got := send(d.cb); got != d.code || state() != d.state {
				t.Errorf(
					"%v %q: %s, the refund %s, want %s and %s", d.cb.EventType, d.cb.Data.PayTradeNo, got, state(), d.code, d.state,
				)
			}
		}
		var types []events.Type
		for _, cb := range g.Callbacks() {
			types = append(types, cb.Message.EventType)
			if cb.Message.Data.PayTradeNo != ordered.PayTradeNo || cb.ChannelID != "80001" || !cb.Time.Equal(testNow) {
				t.Errorf("held %+v", cb)
			}
		}
		if diff := cmp.Diff([]events.Type{271, 271, 270, 270}, types); diff != "" {
			t.Errorf("callbacks held (-want +got):\n%s", diff)
		}
		r, _ := g.Renewal(id)
		refund.PayTradeNo = ordered.PayTradeNo
		want := []Refund{refund}
		want[0].State, want[0].RequestedTime, want[0].SettledTime = RefundSucceeded, testNow, testNow
		if diff := cmp.Diff(want, r.Refunds); diff != "" {
			t.Errorf("refunds held (-want +got):\n%s", diff)
		}
	}
}

// Two refunds share a trade number: the amount tells which of them a callback settles.
func TestRefundsOfOneTradeNumber(t *testing.T) {
	t.Parallel()
	g := start(t)
	e := newEndpoint(t, g)
	g.PushToHandler(e)
	c := connect(t, g)
	id := submit(t, c, submitRequest())
	var last *events.RenewalFeeRefund
	for _, amount := range []string{"5.00", "6.00"} {
		res := g.RequestRefund(id, Refund{
			Type: fliggy.RefundFuelFee, Amount: fliggy.MustYuan(amount), Reason: "x", PayTradeNo: "T-1",
		})
		if !res.Accepted {
			t.Fatalf("refund: %+v", res)
		}
		last = (<-e.events).(*events.RenewalFeeRefund)
	}
	for _, d := range []struct {
		amount        string
		failed        bool
		code          string
		first, second State
	}{
		{"7.00", false, RetCallbackMismatch, RefundRequested, RefundRequested},
		{"5.0", false, "<nil>", RefundSucceeded, RefundRequested},
		{"5.00", true, RetCallbackMismatch, RefundSucceeded, RefundRequested},
		{"6.00", true, "<nil>", RefundSucceeded, RefundFailed},
		{"", false, "<nil>", RefundSucceeded, RefundSucceeded}, // without an amount it is for the newest
	} {
		cb := last.SuccessCallback()
		if d.failed {
			cb = last.FailureCallback()
		}
		cb.Data.Amount = fliggy.Yuan{}
		if d.amount != "" {
			cb.Data.Amount = fliggy.MustYuan(d.amount)
		}
		_, err := c.Callbacks.Send(t.Context(), cb)
		r, _ := g.Renewal(id)
		if code(err) != d.code || r.Refunds[0].State != d.first || r.Refunds[1].State != d.second {
			t.Errorf("%v with %q: %v, %s and %s", cb.EventType, d.amount, err, r.Refunds[0].State, r.Refunds[1].State)
		}
	}
}

func TestRefundOfTheMainOrder(t *testing.T) {
	t.Parallel()
	g := start(t)
	e := newEndpoint(t, g)
	g.PushToHandler(e)
	c := connect(t, g)
	const opaque = "2022/12+19 16:04=油"
	res := g.RequestRefund(SampleOrderID, Refund{
		Type: fliggy.RefundVehicleDamage, Amount: fliggy.MustYuan("1"), Reason: "x", PayTradeNo: opaque,
		DeductPayTradeNo: "D1",
	})
	if !res.Accepted {
		t.Fatalf("refund: %+v", res)
	}
	ordered := (<-e.events).(*events.FeeRefund)
	if ordered.PayTradeNo != opaque || ordered.DeductPayTradeNo != "D1" || ordered.OrderID != SampleOrderID ||
		ordered.Type() != 141 {
		t.Errorf("event %+v", ordered)
	}
	if _, err := c.Callbacks.Send(context.Background(), ordered.FailureCallback()); err != nil {
		t.Error(err)
	}
	renewal, err := events.NewCallback(events.TypeRenewalFeeRefundSucceeded, events.Order{OrderID: SampleOrderID},
		&events.CallbackData{RenewalOrderID: "1", RenewalOutOrderID: "1", RefundType: 3, PayTradeNo: opaque})
	noError(t, err)
	if _, err := c.Callbacks.Send(context.Background(), renewal); code(err) != RetCallbackMismatch {
		t.Errorf("270 for a refund of the main order: %v", err)
	}
	if _, err := c.Callbacks.Send(context.Background(), ordered.SuccessCallback()); err != nil {
		t.Error(err)
	}
	if p := g.state.refunds[opaque][0]; p.State != RefundSucceeded {
		t.Errorf("the refund is %s", p.State)
	}
	if res := g.RequestRefund("nothing", Refund{}); res.Err == nil || res.Status != 0 {
		t.Errorf("refund of nothing: %+v", res)
	}
}
