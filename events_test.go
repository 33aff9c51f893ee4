package rentcar

import (
	"context"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

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
