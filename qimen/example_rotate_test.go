package qimen_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// Secrets are replaced without a restart: while Fliggy changes over, both count; then the old one is dropped. Handlers
// cannot be changed, so the endpoint changes handlers. They share a gate: what one has answered, the next one
// recognises.
func Example_rotate() {
	at := time.Date(2026, 11, 22, 9, 0, 30, 0, fliggy.Zone())
	clock := func() time.Time { return at } // leave it out in production
	gate, err := qimen.NewMemoryGate(qimen.MemoryGateConfig{})
	if err != nil {
		fmt.Println(err)
		return
	}
	var current atomic.Pointer[qimen.Handler]
	use := func(secrets ...string) error {
		handler, err := qimen.NewHandler(qimen.Secrets{"24700001": secrets},
			qimen.OnEvent(func(_ context.Context, _ *qimen.Delivery, e events.Event) error {
				fmt.Println("order", e.Head().OrderID)
				return nil
			}),
			qimen.WithGate(gate),
			qimen.WithClock(clock),
		)
		if err == nil {
			current.Store(handler)
		}
		return err // with the old handler still in place
	}
	endpoint := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { current.Load().ServeHTTP(w, r) })

	push := func(secret, order string) { // as Fliggy does
		body := `{"eventType":777,"orderId":"` + order + `"}`
		p, err := qimen.SignPush(&qimen.Push{
			RawQuery: "app_key=24700001&method=qimen.alitrip.rentcar.btborder.notify&timestamp=2026-11-22+09%3A00%3A00",
			Header:   http.Header{"Content-Type": {"application/json"}},
			Body:     []byte(body),
		}, secret)
		if err != nil {
			fmt.Println(err)
			return
		}
		w := httptest.NewRecorder()
		r := httptest.NewRequest(http.MethodPost, "/fliggy?"+p.RawQuery, strings.NewReader(body))
		r.Header = p.Header
		endpoint.ServeHTTP(w, r)
		fmt.Println(secret, w.Body)
	}

	for _, secrets := range [][]string{{"old secret"}, {"new secret", "old secret"}, {"new secret"}} {
		fmt.Printf("-- %q\n", secrets)
		if err := use(secrets...); err != nil {
			fmt.Println(err)
			return
		}
		push("old secret", "1")
		push("new secret", "2")
	}

	// Output:
	// -- ["old secret"]
	// order 1
	// old secret {"success":true,"retCode":"","retMessage":""}
	// new secret {"success":"false","retMessage":"Illegal request","retCode":"sign-check-failure"}
	// -- ["new secret" "old secret"]
	// old secret {"success":true,"retCode":"","retMessage":""}
	// order 2
	// new secret {"success":true,"retCode":"","retMessage":""}
	// -- ["new secret"]
	// old secret {"success":"false","retMessage":"Illegal request","retCode":"sign-check-failure"}
	// new secret {"success":true,"retCode":"","retMessage":""}
}
