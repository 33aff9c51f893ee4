package qimen

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A shelf keeps what a handler stores, each Key and Digest once.
type shelf struct {
	mu     sync.Mutex
	stored []*Delivery
	err    error // fails instead
}

func (s *shelf) add(_ context.Context, d *Delivery) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err != nil {
		return s.err
	}
	for _, known := range s.stored {
		if known.Key == d.Key && known.Digest == d.Digest {
			return nil
		}
		d.IsConflict = d.IsConflict || known.Key == d.Key
	}
	s.stored = append(s.stored, d)
	return nil
}

// An event is acknowledged only after it is stored. Work calls its function.
func TestWithStore(t *testing.T) {
	t.Parallel()
	var f office
	s := shelf{err: errors.New("disk full")}
	h := f.handler(t, WithStore(s.add))
	p := pushOf(t, DefaultEventMethod, event103)
	if r := h.Handle(
		t.Context(), p,
	); r.Status != http.StatusInternalServerError || f.last().Reason != ReasonNotStored || f.last().IsStored ||
		!errors.Is(f.last().Err, s.err) || strings.Contains(string(r.Body), "disk") {
		t.Errorf("%d %s, observed %+v", r.Status, r.Body, f.last())
	}
	s.err = nil
	for repeat := range 2 {
		if r := h.Handle(
			t.Context(), p,
		); string(r.Body) != bodyAccepted || f.last().IsStored != (repeat == 0) || f.last().IsRepeat != (repeat == 1) {
			t.Errorf("%s, observed %+v", r.Body, f.last())
		}
	}
	other := pushOf(t, DefaultEventMethod, strings.Replace(event103, "08:59:00", "08:59:01", 1))
	if h.Handle(t.Context(), other); !f.last().IsConflict || f.last().EventType != 103 {
		t.Errorf("observed %+v", f.last())
	}
	if len(s.stored) != 2 || s.stored[0].Key != f.last().Key || len(s.stored[0].Digest) != 64 || f.count() != 0 {
		t.Fatalf("%d runs, stored %v", f.count(), s.stored)
	}
	for i, d := range s.stored {
		stored := &Delivery{AppKey: d.AppKey, Push: d.Push, IsConflict: d.IsConflict, Attempt: 7}
		if reason, err := h.Work(t.Context(), stored); reason != ReasonAccepted || err != nil || f.count() != i+1 {
			t.Errorf("%s, %v, %d runs", reason, err, f.count())
		}
		if got := f.runs[i].Delivery; got.Key != d.Key || got.Text != d.Text || got.IsConflict != (i == 1) ||
			got.Attempt != 7 || got.Digest != d.Digest {
			t.Errorf("handed over: %+v", got)
		}
		if o := f.last(); o.IsStored || o.IsRepeat || o.Key != d.Key || o.Attempt != 7 || o.AppKey != testApp ||
			o.Status != http.StatusOK {
			t.Errorf("observed %+v", o)
		}
	}
}

// The store may know of a conflict that the gate does not.
func TestStoreFindsAConflict(t *testing.T) {
	t.Parallel()
	var f office
	h := f.handler(t, WithStore(func(_ context.Context, d *Delivery) error {
		d.IsConflict = true
		return nil
	}))
	if h.Handle(t.Context(), pushOf(t, DefaultEventMethod, event103)); !f.last().IsConflict || !f.last().IsStored {
		t.Errorf("observed %+v", f.last())
	}
}

// A signed event that cannot be read is refused and stored; one that is garbled is not stored.
func TestStoreOfWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	var f office
	var s shelf
	h := f.handler(t, WithStore(s.add))
	unread := pushOf(t, DefaultEventMethod, `{"newEnvelope":1}`)
	for range 2 {
		if h.Handle(t.Context(), unread); f.last().Reason != ReasonUndecodable || !f.last().IsStored || f.last().Err == nil {
			t.Errorf("observed %+v", f.last())
		}
	}
	if len(s.stored) != 1 || !strings.HasPrefix(s.stored[0].Key, "event/unread/") {
		t.Fatalf("stored %v", s.stored)
	}
	if h.Handle(t.Context(), pushOf(t, DefaultEventMethod, event103+"\xff")); f.last().IsStored || len(s.stored) != 1 {
		t.Errorf("observed %+v", f.last())
	}
	s.err = errors.New("disk full")
	if h.Handle(
		t.Context(), pushOf(t, DefaultEventMethod, `{"newEnvelope":2}`),
	); f.last().Reason != ReasonNotStored || !errors.Is(f.last().Err, s.err) {
		t.Errorf("observed %+v", f.last())
	}
	if reason, err := h.Work(t.Context(), s.stored[0]); reason != ReasonUndecodable || err == nil || f.count() != 0 {
		t.Errorf("%s, %v", reason, err)
	}
}

// What Work returns, from which the caller decides whether to retry.
func TestWorkReasons(t *testing.T) {
	t.Parallel()
	errDown := errors.New("no database")
	for name, c := range map[string]struct {
		act    func() error
		d      func(*Delivery) *Delivery
		reason Reason
		err    string
	}{
		"done":        {reason: ReasonAccepted},
		"error":       {act: func() error { return errDown }, reason: ReasonHandlerError, err: "no database"},
		"refusal":     {act: func() error { return Refuse("7", "never") }, reason: ReasonRefused, err: "refused: 7: never"},
		"panic":       {act: func() error { panic(errDown) }, reason: ReasonPanic, err: "no database"},
		"no delivery": {d: func(*Delivery) *Delivery { return nil }, reason: ReasonUndecodable, err: "no query"},
		"no push": {
			d: func(d *Delivery) *Delivery { return &Delivery{AppKey: d.AppKey} }, reason: ReasonUndecodable, err: "no query",
		},
		"another method": {d: func(d *Delivery) *Delivery {
			return &Delivery{Push: &Push{RawQuery: "method=x", Header: d.Push.Header}}
		}, reason: ReasonUnknownMethod, err: "no function is registered"},
	} {
		f := office{act: func(context.Context, *Delivery, int) error {
			if c.act == nil {
				return nil
			}
			return c.act()
		}}
		h := f.handler(t)
		d, err := h.Verify(pushOf(t, DefaultEventMethod, event103))
		if err != nil {
			t.Fatal(err)
		}
		if c.d != nil {
			d = c.d(d)
		}
		reason, err := h.Work(t.Context(), d)
		if o := f.last(); reason != c.reason || (err == nil) != (c.err == "") || err != nil && !strings.Contains(
			err.Error(), c.err,
		) ||
			o.Reason != reason || !errors.Is(o.Err, err) {
			t.Errorf("%s: %s, %v, observed %+v", name, reason, err, o)
		}
	}
}

// Work checks neither the secret nor the time of the push, which may be old.
func TestWorkLongAfter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d, err := VerifyPush(pushOf(t, DefaultEventMethod, event103), testSecrets)
		if err != nil {
			t.Fatal(err)
		}
		left := time.Duration(0)
		f := office{act: func(ctx context.Context, _ *Delivery, _ int) error {
			deadline, _ := ctx.Deadline()
			left = time.Until(deadline)
			return nil
		}}
		h, err := NewHandler(
			Secrets{"9": {"another"}},
			append(
				f.options(), WithClock(func() time.Time { return testNow.AddDate(1, 0, 0) }), WithHandlerTimeout(time.Hour),
			)...,
		)
		if err != nil {
			t.Fatal(err)
		}
		if reason, err := h.Work(
			t.Context(), d,
		); reason != ReasonAccepted || err != nil || left != time.Hour || h.Timeout() != left {
			t.Errorf("%s, %v, %v left", reason, err, left)
		}
	})
}

// Requests to a merchant are handled at once, even with a store.
func TestStoreIsForEvents(t *testing.T) {
	t.Parallel()
	var f office
	s := shelf{err: errors.New("nothing is to be stored")}
	h := f.handler(t, WithStore(s.add))
	send := overHTTP(t, h)
	for _, method := range []string{RenewalSubmitMethod, RenewalCancelMethod, RenewalPricesMethod} {
		before := f.count()
		p := pushOf(t, method, merchantBodies[method])
		first := send(p)
		again := send(p)
		if first.Status != 200 || f.last().IsStored || f.last().Reason != ReasonAccepted {
			t.Errorf("%s: %d %s, observed %+v", method, first.Status, first.Body, f.last())
		}
		if acts := method != RenewalPricesMethod; sameReply(first, again) != acts || (f.count() == before+1) != acts {
			t.Errorf("%s: %d runs", method, f.count()-before)
		}
	}
	for _, bad := range []*Push{newPush(eventQuery, jsonType, event103), pushOf(t, "none", "{}"), nil} {
		var want office
		if got, plain := h.Handle(t.Context(), bad), want.handler(t).Handle(t.Context(), bad); !sameReply(got, plain) {
			t.Errorf("%d %s, want %d %s", got.Status, got.Body, plain.Status, plain.Body)
		}
	}
	s.err = nil
	if r := send(pushOf(t, DefaultEventMethod, event103)); string(r.Body) != bodyAccepted || !f.last().IsStored {
		t.Errorf("%s, observed %+v", r.Body, f.last())
	}
	if w := send(newPush("", jsonType, "")); string(w.Body) != bodyBadSignature {
		t.Errorf("%s", w.Body)
	}
}

func TestWithStoreRefused(t *testing.T) {
	t.Parallel()
	var f office
	for want, opts := range map[string][]Option{
		"qimen: WithStore: the function is nil": append(f.options(), WithStore(nil)),
		"qimen: WithStore: OnEvent is missing":  {WithStore(new(shelf).add), f.options()[4]},
	} {
		if _, err := NewHandler(testSecrets, opts...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
