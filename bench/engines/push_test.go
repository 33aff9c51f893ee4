package engines

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

const (
	appKey = "12345678"
	secret = "0123456789abcdef0123456789abcdef"
)

// BenchmarkPush acknowledges new pushes that an inbox has stored, by Handler.Handle: without HTTP, which a plain INSERT
// has not either.
func BenchmarkPush(b *testing.B) {
	byEngine(b, func(b *testing.B, s *stage, workers int) {
		contest(b,
			contestant{"ours", func(b *testing.B) { s.push(b, workers) }},
			contestant{"plain", func(b *testing.B) { s.addPlain(b, workers) }})
	})
}

func (s *stage) push(b *testing.B, workers int) {
	b.Helper()
	name, id := freshIDs()
	inbox, err := durable.NewInbox(s.store, durable.Config{Name: name})
	check(b, err)
	handler, err := qimen.NewHandler(qimen.Secrets{appKey: {secret}}, qimen.WithStore(inbox.Add),
		qimen.OnEvent(func(context.Context, *qimen.Delivery, events.Event) error { return nil }))
	check(b, err)
	pushes := make([]*qimen.Push, b.N)
	for i := range pushes {
		pushes[i] = signed(b, id(i))
	}
	measure(b, workers, func(ctx context.Context, i int) error {
		if reply := handler.Handle(ctx, pushes[i]); reply.Status != http.StatusOK {
			return fmt.Errorf("status %d: %s", reply.Status, reply.Body)
		}
		return nil
	})
	s.want(b, "rentcar_items WHERE queue = ? AND id NOT LIKE '%+%'", name) // none beside another one of the same key
}

// signed is event 142 of an order, as the Qimen gateway delivers it.
func signed(b *testing.B, order string) *qimen.Push {
	b.Helper()
	push, err := qimen.SignPush(&qimen.Push{
		RawQuery: url.Values{
			"app_key": {appKey}, "method": {qimen.DefaultEventMethod}, "timestamp": {fliggy.At(time.Now()).String()},
			"v": {"2.0"}, "format": {"json"}, "sign_method": {"md5"},
		}.Encode(),
		Header: http.Header{"Content-Type": {"application/json;charset=utf-8"}},
		Body: fmt.Appendf(nil, `{"channelId":"80001","orderId":"%s","outOrderId":"RC%[1]s",`+
			`"eventType":142,"eventData":{"renewalOrderId":"3187983531024266527","renewalOutOrderId":"RC%[1]s1",`+
			`"refundType":2,"amount":"200.98","reason":"油费退款","payTradeNo":"202212191604667539969978368"}}`, order),
	}, secret)
	check(b, err)
	return push
}
