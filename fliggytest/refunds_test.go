package fliggytest

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

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
	h, err := qimen.NewHandler(qimen.Secrets{g.AppKey(): {g.AppSecret()}}, qimen.WithClock(g.now), qimen.WithoutGate(), // every push is of interest
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
		refund := Refund{Type: fliggy.RefundFuelFee, Amount: fliggy.MustYuan("5.00"), Reason: "油费退款", Canceller: fliggy.CancellerPlatform}
		if res := g.RequestRefund(id, refund); !res.Accepted {
			t.Fatalf("refund: %+v", res)
		}
		ordered := (<-e.events).(*events.RenewalFeeRefund)
		if !strings.HasPrefix(ordered.PayTradeNo, string(id)+"_142_2") || ordered.Type() != events.TypeRenewalFeeRefund {
			t.Errorf("event %v, trade number %q", ordered.Type(), ordered.PayTradeNo)
		}
		if ordered.RenewalOrderID != id || ordered.RenewalOutOrderID != ownRenewalID || ordered.OrderID != SampleOrderID ||
			ordered.OutOrderID != SampleOutOrderID || ordered.Canceller != "1" || ordered.Reason != "油费退款" || ordered.ChannelID != "80001" {
			t.Errorf("event %+v", ordered)
		}

		send := func(cb *events.Callback) string {
			_, err := c.Callbacks.Send(ctx, cb)
			return code(err)
		}
		state := func() RefundState {
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
			state RefundState
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
				t.Errorf("%v %q: %s, the refund %s, want %s and %s", d.cb.EventType, d.cb.Data.PayTradeNo, got, state(), d.code, d.state)
			}
		}
		var types []events.Type
		for _, cb := range g.Callbacks() {
			types = append(types, cb.Callback.EventType)
			if !cb.Settled || cb.Callback.Data.PayTradeNo != ordered.PayTradeNo || cb.ChannelID != "80001" || !cb.Time.Equal(testNow) {
				t.Errorf("held %+v", cb)
			}
		}
		if diff := cmp.Diff([]events.Type{271, 271, 270, 270}, types); diff != "" {
			t.Errorf("callbacks held (-want +got):\n%s", diff)
		}
		r, _ := g.Renewal(id)
		refund.PayTradeNo = ordered.PayTradeNo
		want := []RefundRecord{{Refund: refund, State: RefundSucceeded, RequestedTime: testNow, SettledTime: testNow}}
		if diff := cmp.Diff(want, r.Refunds); diff != "" {
			t.Errorf("refunds held (-want +got):\n%s", diff)
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
		Type: fliggy.RefundVehicleDamage, Amount: fliggy.MustYuan("1"), Reason: "x", PayTradeNo: opaque, DeductPayTradeNo: "D1",
	})
	if !res.Accepted {
		t.Fatalf("refund: %+v", res)
	}
	ordered := (<-e.events).(*events.FeeRefund)
	if ordered.PayTradeNo != opaque || ordered.DeductPayTradeNo != "D1" || ordered.OrderID != SampleOrderID || ordered.Type() != 141 {
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
	if p := g.state.refunds[opaque]; p.State != RefundSucceeded {
		t.Errorf("the refund is %s", p.State)
	}
	if res := g.RequestRefund("nothing", Refund{}); res.Err == nil || res.Status != 0 {
		t.Errorf("refund of nothing: %+v", res)
	}
}

func TestOtherCallbacks(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	g := start(t)
	c := connect(t, g)
	order := events.Order{OrderID: SampleOrderID, OutOrderID: SampleOutOrderID}
	for _, cb := range []*events.Callback{
		events.NewOrderCancelled(order), events.NewOrderCancelFailed(order, "71012", "车辆已取,无法取消"),
		events.NewRefundInProgress(order, fliggy.MustYuan("88.50"), "1"), events.NewRefundPaid(order, fliggy.MustYuan("88.50"), "1"),
	} {
		if _, err := c.Callbacks.Send(ctx, cb); err != nil {
			t.Errorf("%v: %v", cb.EventType, err)
		}
	}
	held := g.Callbacks()
	if len(held) != 4 || held[1].Callback.Data.ErrorMessage != "车辆已取,无法取消" || held[1].Settled || held[0].ChannelID != fliggy.ChannelAmap {
		t.Errorf("held %+v", held)
	}
	callback := func(argument string) string {
		_, body := post(t, g, http.MethodPost, func() map[string]string {
			q := protocol(g)
			q["method"] = "alitrip.rentcar.btb.distribution.callback"
			return q
		}(), map[string]string{"rent_car_b2b_distribution_callback_req": argument})
		return body
	}
	for argument, want := range map[string]string{
		`{"event_data":"{"}`: `"sub_code":"isv.invalid-parameter:event_data"`,
		`{"event_data":"{\"eventType\":10}","event_type":11}`:                    `"ret_code":"` + RetCallbackMismatch,
		`{"event_data":"{\"eventType\":10}","channel_id":"3","event_type":"10"}`: `"successful":true`,
	} {
		if body := callback(argument); !strings.Contains(body, want) {
			t.Errorf("%s: got %s, want %s", argument, body, want)
		}
	}
	if held := g.Callbacks(); len(held) != 5 || held[4].ChannelID != "3" {
		t.Errorf("held %+v", held[4:])
	}
}

func TestBills(t *testing.T) {
	t.Parallel()
	for _, format := range allFormats {
		g := start(t)
		bill, err := rentcar.NewBill("ID1", "1").Income(rentcar.BillLine{
			OrderID: SampleOrderID, OutOrderID: SampleOutOrderID, BizType: fliggy.BillOrderFee,
			OrderAmount: fliggy.MustYuan("16.02"), PayTradeNo: "1", PayTime: fliggy.MustTime("2023-02-03 19:23:32"),
		}).Remark("备注").Build()
		noError(t, err)
		c := connect(t, g, rentcar.WithFormat(format))
		for range 2 {
			_, err := c.Bills.Notify(context.Background(), bill)
			noError(t, err)
		}
		held := g.Bills()
		if len(held) != 2 || held[0].RequestID == held[1].RequestID {
			t.Fatalf("%v: held %+v", format, held)
		}
		want := ReceivedBill{Time: testNow, RequestID: lastRequest(t, g).ID, ChannelID: fliggy.ChannelAmap, Bill: *bill}
		if diff := cmp.Diff(want, held[1]); diff != "" {
			t.Errorf("%v: held (-want +got):\n%s", format, diff)
		}
	}
}

func TestAgency(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, format := range allFormats {
		g := start(t)
		c := connect(t, g, rentcar.WithFormat(format))
		create := &rentcar.AgencyCreateOrderRequest{
			AgentOrderNo: "Z1", BizStatus: new(fliggy.AgencyUnpaid), TotalAmount: fliggy.FenOf(88800), AuthToken: fliggy.NewSecret("token"),
			UseCarTime: fliggy.LocalTimeOf(testNow), Driver: rentcar.AgencyDriver{DriverName: "张三", MobilePhone: "1"},
			Promotions: []rentcar.AgencyPromotion{{PromotionID: "1", ZZCPromotionFee: fliggy.FenOf(0)}},
		}
		first, err := c.Agency.CreateOrder(ctx, create)
		noError(t, err)
		again, err := c.Agency.CreateOrder(ctx, create)
		noError(t, err)
		if len(first.FliggyOrderID) != 19 || first.FliggyOrderID == again.FliggyOrderID {
			t.Errorf("%v: %s and %s", format, first.FliggyOrderID, again.FliggyOrderID)
		}
		update := &rentcar.AgencyUpdateOrderRequest{AgentOrderNo: "Z1", BizStatus: new(fliggy.AgencyPaid)}
		for _, req := range []*rentcar.AgencyUpdateOrderRequest{update, {FliggyOrderID: first.FliggyOrderID}} {
			_, err = c.Agency.UpdateOrder(ctx, req)
			noError(t, err)
		}
		want := []AgencyOrder{
			{FliggyOrderID: first.FliggyOrderID, CreatedTime: testNow, Create: *create,
				Updates: []rentcar.AgencyUpdateOrderRequest{{FliggyOrderID: first.FliggyOrderID}}},
			{FliggyOrderID: again.FliggyOrderID, CreatedTime: testNow, Create: *create, Updates: []rentcar.AgencyUpdateOrderRequest{*update}},
		}
		if diff := cmp.Diff(want, g.AgencyOrders(), cmpopts.EquateComparable(fliggy.Fen{}, fliggy.LocalTime{})); diff != "" {
			t.Errorf("%v: held (-want +got):\n%s", format, diff)
		}
		for _, req := range []*rentcar.AgencyUpdateOrderRequest{
			{AgentOrderNo: "Z2"}, {FliggyOrderID: "2"}, {FliggyOrderID: first.FliggyOrderID, AgentOrderNo: "Z2"},
		} {
			res, err := c.Agency.UpdateOrder(ctx, req)
			if code(err) != RetOrderNotFound || res == nil || res.BizErrorMsg != "订单不存在" || res.RequestID == "" {
				t.Errorf("%v: %+v, %v", format, res, err)
			}
		}
		g.Fail(WithoutFlag())
		if _, err := c.Agency.UpdateOrder(ctx, update); kindOf(err) != "decode" {
			t.Errorf("%v: a reply without its flag: %v", format, err)
		}
		g.Fail(Refused("1", "x"))
		if _, err := c.Agency.UpdateOrder(ctx, update); code(err) != "1" {
			t.Errorf("%v: a refused update: %v", format, err)
		}
	}
}
