package rentcar_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// The same push three times, and one that claims the same ids with another amount.
func Example_duplicates() {
	gw := fliggytest.NewGateway()
	defer gw.Close()
	secrets := qimen.Secrets{gw.AppKey(): {gw.AppSecret()}}
	alarm := func(text, key string) { fmt.Println(text, key) }
	handle := func(_ context.Context, key string, e events.Event) error {
		fmt.Println("handled", key)
		return nil
	}

	gate, err := qimen.NewMemoryGate(qimen.MemoryGateConfig{Age: 48 * time.Hour, Size: 1_000_000})
	if err != nil {
		log.Fatal(err)
	}
	handler, err := qimen.NewHandler(secrets,
		qimen.WithGate(gate), // without it: 100,000 replies for 24 hours
		qimen.WithObserver(func(_ context.Context, o qimen.Observation) {
			if o.IsConflict {
				alarm("the same ids, another content:", o.Key)
			}
		}),
		qimen.OnEvent(func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
			return handle(ctx, d.Key, e) // d.Key: the same for every repeat
		}),
	)
	if err != nil {
		log.Fatal(err)
	}

	gw.PushToHandler(handler)
	for _, amount := range []string{"200.98", "200.98", "200.98", "9.99"} {
		payload := fmt.Sprintf(`{"channelId":"80001","orderId":"3104050285204362836","eventType":142,"eventData":{`+
			`"renewalOrderId":3187983531024266527,"amount":"%s","payTradeNo":"202212191604667539969978368"}}`, amount)
		gw.PushRaw(context.Background(), []byte(payload))
	}
	// Output:
	// handled event/142/cc00374713ced330684535ad15dd51d0150edc5d1cefda3bb34f2a329578b2d8
	// handled event/142/cc00374713ced330684535ad15dd51d0150edc5d1cefda3bb34f2a329578b2d8
	// the same ids, another content: event/142/cc00374713ced330684535ad15dd51d0150edc5d1cefda3bb34f2a329578b2d8
}
