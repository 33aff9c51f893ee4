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
)

func TestOtherCallbacks(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	g := start(t)
	c := connect(t, g)
	order := events.Order{OrderID: SampleOrderID, OutOrderID: SampleOutOrderID}
	for _, cb := range []*events.Callback{
		events.NewOrderCancelled(order), events.NewOrderCancelFailed(order, "71012", "车辆已取,无法取消"),
		events.NewRefundInProgress(order, fliggy.MustYuan("88.50"), "1"),
		events.NewRefundPaid(order, fliggy.MustYuan("88.50"), "1"),
	} {
		if _, err := c.Callbacks.Send(ctx, cb); err != nil {
			t.Errorf("%v: %v", cb.EventType, err)
		}
	}
	held := g.Callbacks()
	if len(held) != 4 || held[1].Message.Data.ErrorMessage != "车辆已取,无法取消" || held[0].ChannelID != fliggy.ChannelAmap {
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
		want := Received[rentcar.Bill]{testNow, lastRequest(t, g).ID, fliggy.ChannelAmap, *bill}
		if diff := cmp.Diff(want, held[1]); diff != "" {
			t.Errorf("%v: held (-want +got):\n%s", format, diff)
		}
	}
}
