package rentcar

import (
	"context"
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() {
	goldenCases = append(goldenCases, []goldenCase{
		{op: api.Callback, call: func(ctx context.Context, c *Client) (any, error) {
			return c.Callbacks.Send(ctx, &events.Callback{
				Envelope: events.Envelope{
					ChannelID: fliggy.ChannelAmap, OrderID: mainOrder, OutOrderID: outOrder,
					EventType: events.TypeRenewalFeeRefundSucceeded,
				},
				Data: events.CallbackData{
					RenewalOrderID: renewalOrder, RenewalOutOrderID: outRenewal, RefundType: 1, Amount: fliggy.MustYuan("1.10"),
					Reason: "退费 <&>", PayTradeNo: "3104050285204362836_142_1",
				},
			})
		}},
	}...)
	maps.Copy(deviations, map[string]deviation{
		"distribution.callback request event_data": {goType: "string", required: true, reason: "it is the whole callback"},
		"distribution.callback request event_type": {goType: "events.Type", reason: "the type of package events"},
	})
}

// The callback is the text of an envelope that names its channel too.
func TestCallbackValidation(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c, g := clientFor(t, replyJSON(okReply), WithChannel(fliggy.ChannelAmap))
	_, err := c.Callbacks.Send(
		ctx, &events.Callback{Envelope: events.Envelope{EventType: events.TypeRenewalFeeRefundSucceeded}},
	)
	e := as[*fliggy.ValidationError](t, err)
	if e == nil || e.Method != opCallback.Method || len(e.Problems) < 4 || g.count() != 0 {
		t.Errorf("%v after %d requests", err, g.count())
	}
	_, err = c.Callbacks.Send(
		ctx, &events.Callback{Envelope: events.Envelope{EventType: events.TypeOrderCancelled}}, CallWithoutValidation(),
		CallMember("event_type", 10),
	)
	if err != nil {
		t.Fatal(err)
	}
	diff(
		t, "request",
		map[string]string{
			opCallback.Param: `{"event_data":"{\"channelId\":\"80001\",\"eventType\":10}","channel_id":"80001","event_type":10}`,
		},
		g.last(t).form(t),
	)
}

// SendRequest sends what NewRequest has made, as Send does, and NewRequest refuses what Send refuses.
func TestCallbackNewRequest(t *testing.T) {
	t.Parallel()
	c, g := clientFor(t, replyJSON(okReply), WithChannel(fliggy.ChannelAmap))
	cb := events.NewRefundPaid(events.Order{OrderID: "31", OutOrderID: "F1"}, fliggy.MustYuan("1.50"), "T1")
	req, err := c.Callbacks.NewRequest(cb)
	if err != nil {
		t.Fatal(err)
	}
	if err := req.Validate(); err != nil || req.ChannelID != fliggy.ChannelAmap || cb.ChannelID != "" {
		t.Errorf("%v, %+v, %+v", err, req, cb)
	}
	if _, err := c.Callbacks.SendRequest(t.Context(), req); err != nil {
		t.Fatal(err)
	}
	stored := g.last(t).form(t)[opCallback.Param]
	if _, err := c.Callbacks.Send(t.Context(), cb); err != nil {
		t.Fatal(err)
	}
	diff(t, "request", g.last(t).form(t)[opCallback.Param], stored)
	for _, bad := range []*events.Callback{nil, {}, {Envelope: events.Envelope{EventType: 270}}} {
		_, stored := c.Callbacks.NewRequest(bad)
		_, sent := c.Callbacks.Send(t.Context(), bad)
		var invalid *fliggy.ValidationError
		if !errors.As(stored, &invalid) || stored.Error() != sent.Error() {
			t.Errorf("NewRequest: %v, Send: %v", stored, sent)
		}
	}
	if err := (&CallbackRequest{EventData: " "}).Validate(); err == nil || !strings.Contains(
		err.Error(), "event_data: is required",
	) {
		t.Error(err)
	}
}
