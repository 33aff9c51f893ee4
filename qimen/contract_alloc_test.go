package qimen

import (
	"context"
	"fmt"
	"testing"

	"github.com/fliggy-go/rentcar/events"
)

// What a push allocates does not grow unnoticed. AllocsPerRun forbids t.Parallel.
func TestHandleAllocations(t *testing.T) {
	const runs = 300
	const event142 = `{"channelId":"80001","orderId":"3104050285204362836","outOrderId":"RC1","eventType":142,` +
		`"eventData":{"renewalOrderId":"%d","renewalOutOrderId":"RC2","refundType":2,"amount":"200.98","reason":"油费退款","pa` +
		`yTradeNo":"20221"}}`
	calls := 0
	h, err := NewHandler(testSecrets, WithClock(fixedClock), OnEvent(func(_ context.Context, _ *Delivery,
		e events.Event) error {
		if _, ok := e.(*events.RenewalFeeRefund); ok {
			calls++
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	pushes := make([]*Push, runs+1) // AllocsPerRun runs once more than it counts
	for i := range pushes {
		pushes[i] = mustSign(t, newPush(eventQuery, jsonType, fmt.Sprintf(event142, i+1)), testSecret)
	}
	for _, c := range []struct {
		name string
		most float64
		step int // from one push to the next
	}{{"accepted", 60, 1}, {"repeat", 52, 0}} {
		if poolsLose {
			c.most += 5
		}
		next := 0
		if n := testing.AllocsPerRun(runs, func() {
			if reply := h.Handle(t.Context(), pushes[next]); string(reply.Body) != bodyAccepted {
				t.Fatalf("reply %s", reply.Body)
			}
			next += c.step
		}); n > c.most {
			t.Errorf("%s: %v allocations, want at most %v", c.name, n, c.most)
		}
	}
	if calls != runs+1 {
		t.Errorf("%d calls for %d messages", calls, runs+1)
	}
}
