package qimen_test

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// A delivery that was verified, stored and handled a day later, a second time.
func TestDispatchStoredDelivery(t *testing.T) {
	t.Parallel()
	const app, secret = "24700001", "0123456789abcdef0123456789abcdef"
	sent := fliggy.MustTime("2023-02-03 14:00:00")
	query := url.Values{"app_key": {app}, "method": {qimen.DefaultEventMethod}, "timestamp": {sent.String()}}
	push, err := qimen.SignPush(&qimen.Push{
		RawQuery: query.Encode(),
		Header:   http.Header{"Content-Type": {"application/json"}},
		Body:     []byte(`{"channelId":"80001","orderId":"1","eventType":104,"eventData":{"renewalOrderId":2,"errorCode":"71008"}}`),
	}, secret)
	if err != nil {
		t.Fatal(err)
	}
	d, err := qimen.VerifyPush(push, qimen.Secrets{app: {secret}})
	if err != nil {
		t.Fatal(err)
	}
	var seen []qimen.Reason
	attempts := 0
	h, err := qimen.NewHandler(qimen.Secrets{app: {secret}},
		qimen.WithClock(func() time.Time { return sent.AddDate(0, 0, 1) }),
		qimen.WithObserver(func(_ context.Context, o qimen.Observation) { seen = append(seen, o.Reason) }),
		qimen.OnEvent(func(_ context.Context, d *qimen.Delivery, e events.Event) error {
			if attempts = d.Attempt; attempts == 1 {
				return errors.New("not yet")
			}
			if e.Type() == events.TypeRenewalRejected {
				return nil
			}
			panic("another event")
		}))
	if err != nil {
		t.Fatal(err)
	}
	if r := h.Dispatch(t.Context(), d); r.Status != http.StatusInternalServerError {
		t.Errorf("first attempt: %d %s", r.Status, r.Body)
	}
	d.Attempt++
	if r := h.Dispatch(t.Context(), d); r.Status != http.StatusOK || attempts != 2 {
		t.Errorf("attempt %d: %d %s", attempts, r.Status, r.Body)
	}
	if r := h.Dispatch(t.Context(), nil); string(r.Body) != `{"success":"false","retMessage":"Illegal request","retCode":"sign-check-failure"}` {
		t.Errorf("no delivery: %d %s", r.Status, r.Body)
	}
	want := []qimen.Reason{qimen.ReasonHandlerError, qimen.ReasonAccepted, qimen.ReasonUnverifiable}
	if len(seen) != len(want) || seen[0] != want[0] || seen[1] != want[1] || seen[2] != want[2] {
		t.Errorf("observed %v", seen)
	}
}
