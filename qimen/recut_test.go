package qimen

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/events"
)

// Names, values and body are joined without a mark, so a recorded push can be cut in other
// places. Each of these verifies, and says something else.
func TestRecutPushIsRefused(t *testing.T) {
	t.Parallel()
	const submit = "orderId=31&outOrderId=o1&carUseTime=2023-02-04+10:00:00&carReturnTime=2023-02-05+10:00:00&payTradeNo=T8&priceMark=66"
	for name, c := range map[string]struct {
		recorded *Push
		recut    func(p *Push)
	}{
		"JSON as a form": {newPush(eventQuery+"&v=2.0", jsonType, event103), func(p *Push) {
			p.RawQuery = strings.Replace(p.RawQuery, "&v=2.0", "", 1)
			p.Header.Set("Content-Type", formPrefix)
			p.Body = []byte("v2.0=" + strings.NewReplacer("%", "%25", "&", "%26", "+", "%2B", "=", "%3D").Replace(string(p.Body)))
		}},
		"value and name": {newPush(queryFor(RenewalSubmitMethod), formPrefix, submit), func(p *Push) {
			p.Body = []byte(strings.Replace(string(p.Body), "payTradeNo=T8&priceMark=66", "payTradeNo=T8priceMark66", 1))
		}},
		"name and value": {newPush(queryFor(RenewalSubmitMethod), formPrefix, submit), func(p *Push) {
			p.Body = []byte(strings.Replace(string(p.Body), "priceMark=66", "priceMark6=6", 1))
		}},
		"field into the query": {newPush(queryFor(RenewalSubmitMethod), formPrefix, submit), func(p *Push) {
			p.RawQuery += "&priceMark=66"
			p.Body = []byte(strings.Replace(string(p.Body), "&priceMark=66", "", 1))
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			signed := mustSign(t, c.recorded, testSecret)
			recut := signed.clone()
			c.recut(recut)
			if _, err := VerifyPush(recut, testSecrets); err != nil {
				t.Fatalf("that is no cut of the same push: %v", err)
			}
			var f office
			h := f.handler(t)
			h.Handle(t.Context(), signed.clone())
			if f.count() != 1 || f.last().Reason != ReasonAccepted {
				t.Fatalf("%d runs, observed %+v", f.count(), f.last())
			}
			if r := h.Handle(t.Context(), recut); f.count() != 1 || !errors.Is(f.last().Err, errRecut) || string(r.Body) != bodyBadSignature {
				t.Errorf("%s after %d runs, observed %+v", r.Body, f.count(), f.last())
			}
			if h.Handle(t.Context(), signed.clone()); f.count() != 1 || !f.last().IsRepeat {
				t.Errorf("the push itself: %d runs, observed %+v", f.count(), f.last())
			}
		})
	}
}

// A cut that is refused does not keep the push that was recorded out.
func TestRecutIsForgottenUnlessAccepted(t *testing.T) {
	t.Parallel()
	signed := mustSign(t, newPush(eventQuery, formPrefix, "channelId=80001&orderId=31&eventType=103&eventData={}"), testSecret)
	recut := signed.clone()
	recut.Body = []byte(strings.Replace(string(recut.Body), "orderId=31", "orderId3=1", 1))
	var h *Handler
	calls := 0
	h, err := NewHandler(testSecrets, WithClock(fixedClock), OnEvent(func(ctx context.Context, _ *Delivery, e events.Event) error {
		if calls++; e.Head().OrderID != "31" {
			if h.Handle(ctx, signed.clone()); calls != 1 { // at the same time
				t.Error("both ran")
			}
			return errors.New("no such order")
		}
		return nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	h.Handle(t.Context(), recut)
	if r := h.Handle(t.Context(), signed); string(r.Body) != bodyAccepted || calls != 2 {
		t.Errorf("%s after %d calls", r.Body, calls)
	}
	if len(h.readings.young) != 1 {
		t.Errorf("%d signatures are remembered", len(h.readings.young))
	}
}

// Signatures are remembered for as long as a push can be sent again, and not for good.
func TestReadingsAge(t *testing.T) {
	t.Parallel()
	var r readings
	const age = 20 * time.Minute
	one, other := task{key: "k", digest: "1"}, task{key: "k", digest: "2"}
	begin := func(sign string, t task, at time.Duration) bool {
		known, ok := r.begin(sign, t, testNow.Add(at), age)
		if ok {
			r.end(sign, known, true)
		}
		return ok
	}
	if !begin("a", one, 0) || begin("a", other, age) || !begin("b", one, age+1) || begin("a", other, age+1) {
		t.Error("a signature is forgotten, or taken for another")
	}
	if !begin("a", other, 4*age) {
		t.Error("a signature is remembered for good")
	}
	r.forget(testNow.Add(10 * age))
	if len(r.young)+len(r.old) != 0 {
		t.Error("memory is kept")
	}
}

func TestWithoutForms(t *testing.T) {
	t.Parallel()
	var f office
	h := f.handler(t, WithoutForms())
	form := mustSign(t, newPush(eventQuery, formPrefix, "channelId=80001&orderId=31&eventType=103&eventData={}"), testSecret)
	if r := h.Handle(t.Context(), form); string(r.Body) != bodyBadSignature || f.last().Reason != ReasonContentType || f.count() != 0 {
		t.Errorf("%s, observed %+v", r.Body, f.last())
	}
	if r := h.Handle(t.Context(), mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)); string(r.Body) != bodyAccepted {
		t.Errorf("%s", r.Body)
	}
}

// A handler with a short window does not shorten the memory of one with a long window.
func TestReadingsOfTwoHandlers(t *testing.T) {
	t.Parallel()
	var r readings
	one, other := task{key: "k", digest: "1"}, task{key: "k", digest: "2"}
	known, ok := r.begin("a", one, testNow, time.Hour)
	if !ok {
		t.Fatal("the first one is refused")
	}
	r.end("a", known, true)
	for n := range 5 {
		if _, ok := r.begin("a", other, testNow.Add(time.Duration(n+1)*5*time.Minute), time.Minute); ok {
			t.Fatal("it is forgotten")
		}
	}
}

// Whoever has recorded a push that cannot be read can have one of its cuts stored, not all.
func TestInboxStoresOneCutOfAnUnreadPush(t *testing.T) {
	t.Parallel()
	var f office
	store := newTestStore()
	in := f.inbox(t, store)
	signed := mustSign(t, newPush(eventQuery, formPrefix, "a=123456"), testSecret)
	for cut := range 5 {
		p := signed.clone()
		p.Body = []byte("a" + "123456"[:cut] + "=" + "123456"[cut:])
		in.Handle(t.Context(), p)
	}
	if ids := store.waiting(t); len(ids) != 1 || f.count() != 0 {
		t.Errorf("%d items are stored", len(ids))
	}
	h := f.handler(t, WithoutForms())
	if _, err := h.Verify(signed); !errors.Is(err, ErrInvalidSignature) {
		t.Errorf("Verify takes a form: %v", err)
	}
}
