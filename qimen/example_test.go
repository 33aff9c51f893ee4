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
		qimen.WithObserver(func(_ context.Context, o qimen.Observation) { fmt.Println(o.Reason, o.Status, o.EventType) }),
	)
	if err != nil {
		fmt.Println(err)
		return
	}
	mux := http.NewServeMux()
	mux.Handle("/fliggy", handler)

	// What Fliggy would send:
	query := url.Values{
		"app_key": {"24700001"}, "method": {qimen.DefaultEventMethod}, "timestamp": {fliggy.At(time.Now()).String()},
	}
	push, err := qimen.SignPush(&qimen.Push{
		RawQuery: query.Encode(),
		Header:   http.Header{"Content-Type": {"application/json;charset=UTF-8"}},
		Body: []byte(
			`{"channelId":"80001","orderId":"3187983531024266527","eventType":103,"eventData":{"renewalOrderId":"318798353102` +
				`4266528","createdTime":"2026-10-22 10:22:00"}}`,
		),
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

// A merchant's endpoint: a function each for price, submit and cancel of a renewal. Package pricing makes such a price
// from a rate plan.
func ExampleOnRenewalPrices() {
	handler, err := qimen.NewHandler(
		qimen.Secrets{"24700001": {"the secret"}},
		qimen.OnRenewalPrices(func(
			ctx context.Context, d *qimen.Delivery, r *qimen.RenewalPricesRequest,
		) (*qimen.RenewalPricesReply, error) {
			if r.OutOrderID != "FZ1111111" {
				return nil, qimen.Refuse("no-such-rental", "订单不存在")
			}
			day := fliggy.MustYuan("10.00")
			return &qimen.RenewalPricesReply{
				CancelPolicy: fliggy.CancelPolicy{
					CancelType: 1, SupportCancel: true, Rules: []fliggy.CancelRule{{Num: 0, Time: 0}},
				},
				Price: qimen.RenewalPrice{
					StandardPrice: day, StandardUnitPrice: day, PoundageFee: fliggy.MustYuan("0.00"),
					Quantity:      fliggy.MustDecimal("1"),
					CalendarPrice: []qimen.DailyPrice{{Date: fliggy.DateOf(r.CarUseTime.Time), DayPrice: day}},
					PriceMark:     "quote-1",
				},
			}, nil
		}),
		qimen.OnRenewalSubmit(func(
			ctx context.Context, d *qimen.Delivery, r *qimen.RenewalSubmitRequest,
		) (*qimen.RenewalSubmitReply, error) {
			// Book it once: the same submit may come again.
			return &qimen.RenewalSubmitReply{OutOrderID: "R1", CreatedTime: d.Time}, nil
		}),
		qimen.OnRenewalCancel(func(
			ctx context.Context, d *qimen.Delivery, r *qimen.RenewalCancelRequest,
		) (*qimen.RenewalCancelReply, error) {
			return &qimen.RenewalCancelReply{}, nil // also for a renewal that is cancelled already
		}),
	)
	if err != nil {
		fmt.Println(err)
		return
	}

	// What Fliggy would send:
	for _, rental := range []string{"FZ1111111", "FZ2222222"} {
		query := url.Values{
			"app_key": {"24700001"}, "method": {qimen.RenewalPricesMethod}, "timestamp": {fliggy.At(time.Now()).String()},
		}
		push, err := qimen.SignPush(&qimen.Push{
			RawQuery: query.Encode(),
			Header:   http.Header{"Content-Type": {"application/json;charset=UTF-8"}},
			Body: []byte(
				`{"orderId":"3175520762897901122","outOrderId":"` + rental +
					`","carUseTime":"2023-02-04 10:00","carReturnTime":"2023-02-05 10:00"}`,
			),
		}, "the secret")
		if err != nil {
			fmt.Println(err)
			return
		}
		reply := handler.Handle(context.Background(), push) // over HTTP the handler is an http.Handler
		fmt.Println(reply.Status, string(reply.Body))
	}

	// Output:
	// 200 {"addedServiceList":[],"cancelStrategyStruct":{"cancelRules":[{"num":0,"time":0}],"manualCheckTime":0,"cancelType":1,"supportCancel":true},"priceInfo":{"standardPrice":"10.00","standardUnitPrice":"10.00","poundageFee":"0.00","quantity":"1","calendarPrice":[{"date":"2023-02-04","dayPrice":"10.00"}],"scatteredPriceRuleInfo":{"data":[]},"priceMark":"quote-1"},"success":true,"retCode":null,"retMessage":null}
	// 200 {"success":false,"retCode":"no-such-rental","retMessage":"订单不存在"}
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
	// qimen: invalid signature: the signature does not match
}
