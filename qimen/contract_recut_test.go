package qimen

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
)

// Names, values and body are signed without separators, so a recorded push can be split differently. Each of these
// verifies but has another content.
func TestRecutPushIsRefused(t *testing.T) {
	t.Parallel()
	const submit = "orderId=31&outOrderId=o1&carUseTime=2023-02-04+10:00:00&carReturnTime=2023-02-05+10:00:00&payTradeN" +
		"o=T8&priceMark=66"
	for name, c := range map[string]struct {
		recorded *Push
		recut    func(p *Push)
	}{
		"JSON as a form": {newPush(eventQuery+"&v=2.0", jsonType, event103), func(p *Push) {
			p.RawQuery = strings.Replace(p.RawQuery, "&v=2.0", "", 1)
			p.Header.Set("Content-Type", formPrefix)
			p.Body = []byte(
				"v2.0=" + strings.NewReplacer("%", "%25", "&", "%26", "+", "%2B", "=", "%3D").Replace(string(p.Body)),
			)
		}},
		"value and name": {newPush(queryFor(RenewalSubmitMethod), formPrefix, submit), func(p *Push) {
			p.Body = []byte(strings.Replace(string(p.Body), "payTradeNo=T8&priceMark=66", "payTradeNo=T8priceMark66", 1))
		}},
		"name and value": {newPush(queryFor(RenewalSubmitMethod), formPrefix, submit), func(p *Push) {
			p.Body = []byte(strings.Replace(string(p.Body), "priceMark=66", "priceMark6=6", 1))
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
			if r := h.Handle(t.Context(), recut); f.count() != 1 || !errors.Is(
				f.last().Err, errRecut,
			) || string(r.Body) != bodyBadSignature {
				t.Errorf("%s after %d runs, observed %+v", r.Body, f.count(), f.last())
			}
			if h.Handle(t.Context(), signed.clone()); f.count() != 1 || !f.last().IsRepeat {
				t.Errorf("the push itself: %d runs, observed %+v", f.count(), f.last())
			}
		})
	}
}

// A field that is moved into the query does not change the message: it is a repeat.
func TestRecutIntoTheQueryIsARepeat(t *testing.T) {
	t.Parallel()
	const submit = "orderId=31&outOrderId=o1&payTradeNo=T8&priceMark=66"
	signed := mustSign(t, newPush(queryFor(RenewalSubmitMethod), formPrefix, submit), testSecret)
	moved := signed.clone()
	moved.RawQuery += "&priceMark=66"
	moved.Body = []byte(strings.Replace(submit, "&priceMark=66", "", 1))
	var f office
	h := f.handler(t)
	h.Handle(t.Context(), signed)
	if h.Handle(t.Context(), moved); f.count() != 1 || !f.last().IsRepeat || f.last().Reason != ReasonAccepted {
		t.Errorf("%d runs, observed %+v", f.count(), f.last())
	}
}

// A cut that is refused does not keep the push that was recorded out.
func TestRecutIsForgottenUnlessAccepted(t *testing.T) {
	t.Parallel()
	signed := mustSign(
		t, newPush(eventQuery, formPrefix, "channelId=80001&orderId=31&eventType=103&eventData={}"), testSecret,
	)
	recut := signed.clone()
	recut.Body = []byte(strings.Replace(string(recut.Body), "orderId=31", "orderId3=1", 1))
	var h *Handler
	calls := 0
	h, err := NewHandler(testSecrets, WithClock(fixedClock), OnEvent(func(ctx context.Context, _ *Delivery,
		e events.Event) error {
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
	if n := len(h.gate.(*MemoryGate).signed.young); n != 1 {
		t.Errorf("%d signatures are remembered", n)
	}
}

// However many others come in between, a push runs once, whichever way it is cut: the size of the gate decides.
func TestRecutAfterManyOthers(t *testing.T) {
	t.Parallel()
	signed := mustSign(
		t, newPush(eventQuery, formPrefix, "channelId=80001&orderId=31&eventType=103&eventData={}"), testSecret,
	)
	recut := signed.clone()
	recut.Body = []byte(strings.Replace(string(recut.Body), "orderId=31", "orderId3=1", 1))
	gate, err := NewMemoryGate(MemoryGateConfig{Size: 300_000, Now: fixedClock})
	if err != nil {
		t.Fatal(err)
	}
	var f office
	h := f.handler(t, WithGate(gate))
	h.Handle(t.Context(), signed)
	for n := range 100_500 {
		c, _ := gate.Begin(t.Context(), "other", strconv.Itoa(n), strconv.Itoa(n))
		if c.State != ClaimNew {
			t.Fatalf("%d: %v", n, c.State)
		}
		if err := gate.Abandon(t.Context(), Claim{Key: c.Key, Digest: c.Digest}); err != nil {
			t.Fatal(err)
		}
	}
	if r := h.Handle(t.Context(), recut); string(r.Body) != bodyBadSignature || !errors.Is(
		f.last().Err, errRecut,
	) || f.count() != 1 {
		t.Errorf("%s after %d runs, observed %+v", r.Body, f.count(), f.last())
	}
}

// A gate that several processes share is told what it needs to refuse a push that was cut in other places, and no
// signature.
func TestSharedGateRefusesRecuts(t *testing.T) {
	t.Parallel()
	signed := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	var seen []string
	gate := &signedGate{begin: func(signature string) (Claim, error) {
		seen = append(seen, signature)
		return Claim{State: ClaimRecut}, nil
	}}
	var f office
	h := f.handler(t, WithGate(gate))
	if r := h.Handle(t.Context(), signed); string(r.Body) != bodyBadSignature || !errors.Is(
		f.last().Err, errRecut,
	) || f.count() != 0 {
		t.Errorf("%s, observed %+v", r.Body, f.last())
	}
	if len(seen) != 1 || len(seen[0]) != 64 || strings.Contains(signed.RawQuery, seen[0]) {
		t.Errorf("the gate was told %q", seen)
	}
}

type signedGate struct {
	stubGate
	begin func(signature string) (Claim, error)
}

func (g *signedGate) Begin(_ context.Context, _, _, signature string) (Claim, error) {
	return g.begin(signature)
}

func TestWithoutForms(t *testing.T) {
	t.Parallel()
	var f office
	h := f.handler(t, WithoutForms())
	form := mustSign(
		t, newPush(eventQuery, formPrefix, "channelId=80001&orderId=31&eventType=103&eventData={}"), testSecret,
	)
	if r := h.Handle(
		t.Context(), form,
	); string(r.Body) != bodyBadSignature || f.last().Reason != ReasonContentType || f.count() != 0 {
		t.Errorf("%s, observed %+v", r.Body, f.last())
	}
	if r := h.Handle(
		t.Context(), mustSign(t, newPush(eventQuery, jsonType, event103), testSecret),
	); string(r.Body) != bodyAccepted {
		t.Errorf("%s", r.Body)
	}
}

// Whoever has recorded a push that cannot be read can have one of its cuts stored, not all.
func TestOneCutOfAnUnreadPushIsStored(t *testing.T) {
	t.Parallel()
	var f office
	var s shelf
	h := f.handler(t, WithStore(s.add))
	signed := mustSign(t, newPush(eventQuery, formPrefix, "a=123456"), testSecret)
	for cut := range 5 {
		p := signed.clone()
		p.Body = []byte("a" + "123456"[:cut] + "=" + "123456"[cut:])
		h.Handle(t.Context(), p)
	}
	if len(s.stored) != 1 || f.count() != 0 {
		t.Errorf("stored %v", s.stored)
	}
	h = f.handler(t, WithoutForms())
	if _, err := h.Verify(signed); !errors.Is(err, ErrInvalidSignature) {
		t.Errorf("Verify takes a form: %v", err)
	}
}

// After a reply that could not be sent the function has done its work: the message runs again, and a cut of it does
// not.
func TestRecutAfterABadReply(t *testing.T) {
	t.Parallel()
	signed := mustSign(t, newPush(queryFor(RenewalCancelMethod), formPrefix, "orderId=31&outOrderId=o1"), testSecret)
	recut := signed.clone()
	recut.Body = []byte("orderId=31outOrderIdo1")
	f := office{act: func(context.Context, *Delivery, int) error { return errNoReply }}
	h := f.handler(t)
	h.Handle(t.Context(), signed)
	if f.count() != 1 || f.last().Reason != ReasonBadReply {
		t.Fatalf("observed %+v", f.last())
	}
	if h.Handle(t.Context(), recut); f.count() != 1 || !errors.Is(f.last().Err, errRecut) {
		t.Errorf("the cut: %d runs, observed %+v", f.count(), f.last())
	}
	if h.Handle(t.Context(), signed); f.count() != 2 {
		t.Errorf("the message itself: %d runs, observed %+v", f.count(), f.last())
	}
}
