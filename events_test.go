package rentcar

import (
	"context"
	"maps"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() {
	goldenCases = append(goldenCases, []goldenCase{
		{op: api.Callback, call: func(ctx context.Context, c *Client) (any, error) {
			return c.Callbacks.Send(ctx, &events.Callback{
				Envelope: events.Envelope{ChannelID: fliggy.ChannelAmap, OrderID: mainOrder, OutOrderID: outOrder, EventType: events.TypeRenewalFeeRefundSucceeded},
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
	_, err := c.Callbacks.Send(ctx, &events.Callback{Envelope: events.Envelope{EventType: events.TypeRenewalFeeRefundSucceeded}})
	e := as[*fliggy.ValidationError](t, err)
	if e == nil || e.Method != opCallback.Method || len(e.Problems) < 4 || g.count() != 0 {
		t.Errorf("%v after %d requests", err, g.count())
	}
	_, err = c.Callbacks.Send(ctx, &events.Callback{Envelope: events.Envelope{EventType: events.TypeOrderCancelled}}, CallWithoutValidation(), CallMember("event_type", 10))
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "request", map[string]string{opCallback.Param: `{"event_data":"{\"channelId\":\"80001\",\"eventType\":10}","channel_id":"80001","event_type":10}`}, g.last(t).form(t))
}
