package qimen_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// A distributor's endpoint: one function gets every event.
func ExampleNewHandler() {
	handler, err := qimen.NewHandler(
		qimen.Secrets{"24700001": {"the current secret", "the previous one"}},
		qimen.OnEvent(func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
			switch e := e.(type) {
			case *events.RenewalAccepted: // 103
				fmt.Println("renewal accepted:", e.RenewalOrderID)
			case *events.RenewalRejected: // 104
				fmt.Println("renewal rejected:", e.ErrorMessage)
			case *events.RenewalFeeRefund: // 142: refund the customer, then answer with 270 or 271
				fmt.Println("refund ordered")
			default:
				fmt.Println("event", e.Type())
			}
			return nil // the work is done, or durably stored
		}),
		qimen.WithObserver(func(o qimen.Observation) { fmt.Println(o.Reason, o.Status, o.EventType) }),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/fliggy", handler)

	// What Fliggy would send:
	query := url.Values{"app_key": {"24700001"}, "method": {qimen.DefaultEventMethod}, "timestamp": {fliggy.At(time.Now()).String()}}
	push, err := qimen.SignPush(&qimen.Push{
		RawQuery: query.Encode(),
		Header:   http.Header{"Content-Type": {"application/json;charset=UTF-8"}},
		Body:     []byte(`{"channelId":"80001","orderId":"3187983531024266527","eventType":103,"eventData":{"renewalOrderId":"3187983531024266528","createdTime":"2026-10-22 10:22:00"}}`),
	}, "the current secret")
	if err != nil {
		fmt.Println(err)
		return
	}
	request := httptest.NewRequest(http.MethodPost, "/fliggy?"+push.RawQuery, strings.NewReader(string(push.Body)))
	request.Header = push.Header
	reply := httptest.NewRecorder()
	mux.ServeHTTP(reply, request)
	fmt.Println(reply.Body)

	// Output:
	// renewal accepted: 3187983531024266528
	// accepted 200 103 renewal accepted
	// {"success":true,"retCode":"","retMessage":""}
}

// Verification alone, for a delivery that is stored first and parsed later.
func ExampleVerifyPush() {
	secrets := qimen.Secrets{"24700001": {"secret"}}
	push, err := qimen.SignPush(&qimen.Push{
		RawQuery: "app_key=24700001&method=qimen.alitrip.rentcar.btborder.notify&timestamp=2026-11-22+09%3A00%3A00",
		Header:   http.Header{"Content-Type": {"application/json"}},
		Body:     []byte(`{"eventType":103}`),
	}, "secret")
	if err != nil {
		fmt.Println(err)
		return
	}
	delivery, err := qimen.VerifyPush(push, secrets)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(delivery.AppKey, delivery.Method, delivery.Time)
	now := time.Date(2026, 11, 22, 9, 20, 0, 0, fliggy.Zone())
	fmt.Println(delivery.CheckTime(now, qimen.DefaultWindow))

	push.Body = []byte(`{"eventType":104}`)
	_, err = qimen.VerifyPush(push, secrets)
	fmt.Println(err)

	// Output:
	// 24700001 qimen.alitrip.rentcar.btborder.notify 2026-11-22 09:00:00
	// qimen: timestamp outside the window: 20m0s old, at most 10m0s is accepted
	// qimen: invalid signature: it does not match
}
