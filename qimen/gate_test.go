package qimen

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// The same push 200 times at once: the function runs once, whoever comes meanwhile is told to try later, and everybody
// afterwards gets the reply that was stored. A price is asked for each time.
func TestGateOnce(t *testing.T) {
	t.Parallel()
	const pushes = 200
	tryLater := DefaultReplies()[ReasonInProgress]
	bodies := map[string]string{RenewalPricesMethod: merchantBodies[RenewalPricesMethod]}
	for method, body := range actingBodies {
		bodies[method] = body
	}
	for method, body := range bodies {
		for _, way := range []string{"Handle", "HTTP"} {
			t.Run(method+" "+way, func(t *testing.T) {
				t.Parallel()
				var f office
				release := make(chan struct{})
				f.act = func(context.Context, *Delivery, int) error { <-release; return nil }
				h := f.handler(t)
				send := func(p *Push) Reply { return h.Handle(t.Context(), p) }
				if way == "HTTP" {
					send = overHTTP(t, h)
				}
				p := pushOf(t, method, body)
				replies := make(chan Reply)
				all := func() {
					for range pushes {
						go func() { replies <- send(p) }()
					}
				}
				all()
				if method == RenewalPricesMethod {
					close(release)
					for range pushes {
						if r := <-replies; r.Status != http.StatusOK {
							t.Errorf("%d %s", r.Status, r.Body)
						}
					}
					if f.count() != pushes || f.last().Key != "" || f.last().IsRepeat {
						t.Errorf("%d runs, observed %+v", f.count(), f.last())
					}
					return
				}
				for range pushes - 1 { // while the function runs
					if r := <-replies; !sameReply(r, tryLater) {
						t.Fatalf("%d %s", r.Status, r.Body)
					}
				}
				close(release)
				stored := <-replies
				if stored.Status != http.StatusOK || !strings.Contains(string(stored.Body), `"success":true`) {
					t.Fatalf("%d %s", stored.Status, stored.Body)
				}
				all()
				for range pushes {
					if r := <-replies; !sameReply(r, stored) {
						t.Fatalf("a repeat gets %d %q %s", r.Status, r.ContentType, r.Body)
					}
				}
				if f.count() != 1 || len(f.runs[0].Key) == 0 || f.runs[0].IsConflict {
					t.Fatalf("%d runs, first %+v", f.count(), f.runs[0])
				}
			})
		}
	}
}

// Without anybody holding the function back: one run, and no reply but the stored one and "try later".
func TestGateOnceUnheld(t *testing.T) {
	t.Parallel()
	tryLater := DefaultReplies()[ReasonInProgress]
	for method, body := range actingBodies {
		var f office
		h := f.handler(t)
		p := pushOf(t, method, body)
		var replies [200]Reply
		var wait sync.WaitGroup
		for i := range replies {
			wait.Go(func() { replies[i] = h.Handle(context.Background(), p) })
		}
		wait.Wait()
		stored := h.Handle(t.Context(), p)
		for _, r := range replies {
			if !sameReply(r, stored) && !sameReply(r, tryLater) {
				t.Errorf("%s: %d %s", method, r.Status, r.Body)
			}
		}
		if f.count() != 1 || stored.Status != http.StatusOK {
			t.Errorf("%s: %d runs, reply %d", method, f.count(), stored.Status)
		}
		news := 0
		for _, o := range f.observed {
			if o.Key != f.runs[0].Key || o.IsConflict || o.Reason == ReasonInProgress && !o.IsRepeat {
				t.Errorf("observed %+v", o)
			}
			if !o.IsRepeat {
				news++
			}
		}
		if news != 1 || len(f.observed) != len(replies)+1 {
			t.Errorf("%s: %d of %d pushes are new", method, news, len(f.observed))
		}
	}
}

// What failed runs again; what succeeded then does not.
func TestGateFailedRunsAgain(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fail   func(ctx context.Context) error
		reason Reason
	}{
		"error":    {func(context.Context) error { return errors.New("no database") }, ReasonHandlerError},
		"panic":    {func(context.Context) error { panic("oops") }, ReasonPanic},
		"refusal":  {func(context.Context) error { return Refuse("1", "no") }, ReasonRefused},
		"timeout":  {func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, ReasonHandlerError},
		"no reply": {func(context.Context) error { return errNoReply }, ReasonBadReply},
		"goexit":   {func(context.Context) error { runtime.Goexit(); return nil }, ""},
	} {
		for method, body := range actingBodies {
			if c.reason == ReasonBadReply && method == DefaultEventMethod {
				continue // an event has no reply of its own
			}
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				f := office{act: func(ctx context.Context, _ *Delivery, n int) error {
					if n < 3 {
						return c.fail(ctx)
					}
					return nil
				}}
				timeout := time.Minute
				if name == "timeout" {
					timeout = time.Nanosecond
				}
				h := f.handler(t, WithHandlerTimeout(timeout))
				p := pushOf(t, method, body)
				for n := 1; n <= 2; n++ {
					done := make(chan struct{})
					go func() {
						defer close(done)
						h.Handle(context.Background(), p)
					}()
					<-done
					if f.count() != n {
						t.Fatalf("%d runs after %d pushes", f.count(), n)
					}
					if c.reason != "" && (f.last().Reason != c.reason || f.last().IsRepeat) {
						t.Errorf("observed %+v", f.last())
					}
				}
				accepted := h.Handle(t.Context(), p)
				again := h.Handle(t.Context(), p)
				if f.count() != 3 || accepted.Status != http.StatusOK || !sameReply(accepted, again) || !f.last().IsRepeat {
					t.Errorf("%d runs, %s then %s", f.count(), accepted.Body, again.Body)
				}
			})
		}
	}
}

// In other words: same ids, another content.
var otherWords = map[string][2]string{
	DefaultEventMethod:  {`08:59:00`, `08:59:01`},
	RenewalSubmitMethod: {`16.02`, `17.02`},
	RenewalCancelMethod: {`15:46:51`, `15:46:52`},
}

// The same ids with other content: the function runs, is told, and the reply is its own. Each of the two keeps its
// reply for its own repeats.
func TestGateConflict(t *testing.T) {
	t.Parallel()
	for method, body := range actingBodies {
		other := strings.Replace(body, otherWords[method][0], otherWords[method][1], 1)
		for _, when := range []string{"finished", "running", "failed"} {
			t.Run(method+" "+when, func(t *testing.T) {
				t.Parallel()
				var f office
				started, release, over := make(chan struct{}), make(chan struct{}), make(chan Reply, 1)
				f.act = func(_ context.Context, _ *Delivery, n int) error {
					if n > 1 {
						return nil
					}
					close(started)
					<-release
					if when == "failed" {
						return errors.New("oops")
					}
					return nil
				}
				h := f.handler(t)
				p, q := pushOf(t, method, body), pushOf(t, method, other)
				go func() { over <- h.Handle(context.Background(), p) }()
				<-started
				var first Reply
				if when != "running" {
					close(release)
					first = <-over
				}
				second := h.Handle(t.Context(), q)
				o := f.last()
				if when == "running" {
					if r := h.Handle(t.Context(), q); !sameReply(r, second) {
						t.Errorf("repeat of the second, the first still running: %s", r.Body)
					}
					close(release)
					first = <-over
				}
				isConflict := when != "failed" // what failed is forgotten
				if f.count() != 2 || f.runs[1].IsConflict != isConflict || o.IsConflict != isConflict ||
					o.Reason != ReasonAccepted || o.IsRepeat {
					t.Fatalf("%d runs, observed %+v", f.count(), o)
				}
				if f.runs[0].IsConflict || f.runs[0].Key != f.runs[1].Key || f.runs[0].Key != o.Key {
					t.Errorf("runs %+v", f.runs)
				}
				if strings.Contains(f.log.String(), `"conflict":true`) != isConflict {
					t.Errorf("log %s", f.log.String())
				}
				if method != DefaultEventMethod && sameReply(first, second) {
					t.Errorf("both get %s", first.Body)
				}
				if when == "failed" {
					return
				}
				for range 2 {
					if a, b := h.Handle(t.Context(), p), h.Handle(t.Context(), q); !sameReply(a, first) || !sameReply(b, second) {
						t.Errorf("repeats get %s and %s, want %s and %s", a.Body, b.Body, first.Body, second.Body)
					}
				}
				if f.count() != 2 {
					t.Errorf("%d runs", f.count())
				}
			})
		}
	}
}

// The same message signed anew, with the time and the trace id of another attempt of the gateway, is a repeat.
func TestGateSignedAnew(t *testing.T) {
	t.Parallel()
	for method, body := range actingBodies {
		var f office
		h := f.handler(t)
		var replies []Reply
		for i := range 3 {
			traced := strings.Replace(body, "{", fmt.Sprintf(`{"traceId": "2108aa55%d", `, i), 1)
			query := strings.Replace(queryFor(method), "09%3A00%3A00", fmt.Sprintf("09%%3A00%%3A%02d", i), 1)
			replies = append(replies, h.Handle(t.Context(), mustSign(t, newPush(query, jsonType, traced), testSecret)))
		}
		if f.count() != 1 || !sameReply(replies[0], replies[1]) || !sameReply(replies[0], replies[2]) || !f.last().IsRepeat {
			t.Errorf("%s: %d runs, observed %+v", method, f.count(), f.last())
		}
	}
}

// A push that somebody has recorded is answered from the gate as long as its time passes, with the shortest memory that
// a handler takes, to the last second.
func TestGateReplayInsideWindow(t *testing.T) {
	t.Parallel()
	var f office
	signed := testNow.Add(-30 * time.Second) // 09:00:00
	now := signed.Add(-DefaultWindow)        // the receiver's clock is late
	clock := func() time.Time { return now }
	gate, err := NewMemoryGate(MemoryGateConfig{Age: 2 * DefaultWindow, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	h := f.handler(t, WithClock(clock), WithGate(gate))
	for method, body := range actingBodies {
		now = signed.Add(-DefaultWindow)
		before := f.count()
		p := pushOf(t, method, body)
		first := h.Handle(t.Context(), p)
		for _, later := range []time.Duration{time.Second, 10 * time.Minute, 19 * time.Minute, 20 * time.Minute} {
			now = signed.Add(later - DefaultWindow)
			if r := h.Handle(t.Context(), p); !sameReply(r, first) || !f.last().IsRepeat || f.last().Reason != ReasonAccepted {
				t.Errorf("%s, %v later: %s, observed %+v", method, later, r.Body, f.last())
			}
		}
		now = signed.Add(DefaultWindow + 1)
		if h.Handle(t.Context(), p); f.last().Reason != ReasonExpired || f.count() != before+1 {
			t.Errorf("%s: %d runs, observed %+v", method, f.count()-before, f.last())
		}
	}
}

// Events that overtake or contradict each other all arrive, each with its time and its ids.
func TestGateOutOfOrder(t *testing.T) {
	t.Parallel()
	data := map[events.Type]string{
		103: `"renewalOrderId":"77","createdTime":"2026-11-22 08:59:00"`,
		104: `"renewalOrderId":"77","errorCode":"71008"`,
		142: `"renewalOrderId":"77","payTradeNo":"p1","amount":"5.00","refundType":1`,
		900: `"renewalOrderId":77`,
	}
	type arrival struct {
		Type       events.Type
		Signed     string
		OrderID    fliggy.ID
		Renewal    fliggy.ID
		Created    string
		IsConflict bool
	}
	var f office
	h := f.handler(t)
	var want []arrival
	send := func(number events.Type, from, to string, isConflict bool) {
		signed := fmt.Sprintf("2026-11-22 09:00:%02d", len(want))
		text := strings.Replace(data[number], from, to, 1)
		a := arrival{number, signed, "31", "77", "", isConflict}
		if number == 103 {
			a.Created = text[len(text)-20 : len(text)-1]
		}
		want = append(want, a)
		query := strings.Replace(
			eventQuery, "2026-11-22+09%3A00%3A00", strings.NewReplacer(" ", "+", ":", "%3A").Replace(signed), 1,
		)
		h.Handle(
			t.Context(),
			mustSign(
				t,
				newPush(
					query, jsonType, fmt.Sprintf(`{"channelId":"80001","orderId":"31","eventType":%d,"eventData":{%s}}`, number, text),
				),
				testSecret,
			),
		)
	}
	send(142, "", "", false) // before what it is about
	send(104, "", "", false)
	send(103, "", "", false)
	send(103, "08:59:00", "08:58:00", true)
	send(103, "08:59:00", "09:00:00", true)
	send(104, "71008", "71009", true)
	send(142, "5.00", "6.00", true)
	send(142, "p1", "p2", false) // another payment
	send(900, "", "", false)
	send(900, "77", "77,\"x\":1", true)
	var got []arrival
	for _, r := range f.runs {
		e := r.Message.(events.Event)
		a := arrival{e.Type(), r.Delivery.Time.String(), e.Head().OrderID, eventIDs(e).RenewalOrderID, "", r.IsConflict}
		if e, ok := e.(*events.RenewalAccepted); ok {
			a.Created = e.CreatedTime.String()
		}
		got = append(got, a)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-sent +arrived):\n%s", diff)
	}
}

// Two apps that push the same message each have their own run and their own reply.
func TestGateApps(t *testing.T) {
	t.Parallel()
	for method, body := range actingBodies {
		var f office
		h, err := NewHandler(Secrets{"1": {"one"}, "2": {"two"}}, f.options()...)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			for app, secret := range map[string]string{"1": "one", "2": "two"} {
				query := strings.Replace(queryFor(method), testApp, app, 1)
				if r := h.Handle(t.Context(), mustSign(t, newPush(query, jsonType, body), secret)); r.Status != 200 {
					t.Errorf("%s: %d", app, r.Status)
				}
			}
		}
		if f.count() != 2 || f.runs[0].Key == f.runs[1].Key || f.runs[1].IsConflict {
			t.Errorf("%s: %+v", method, f.runs)
		}
	}
}

// Secrets are replaced by swapping the handler while messages arrive, each several times at once: with one gate every
// message runs once.
func TestGateSharedByHandlers(t *testing.T) {
	t.Parallel()
	const messages, copies = 100, 6
	var f office
	gate, err := NewMemoryGate(MemoryGateConfig{})
	if err != nil {
		t.Fatal(err)
	}
	var current atomic.Pointer[Handler]
	swap := func(secrets ...string) {
		h, err := NewHandler(Secrets{testApp: secrets}, append(f.options(), WithGate(gate))...)
		if err != nil {
			t.Error(err)
		}
		current.Store(h)
	}
	swap("old")
	var wait sync.WaitGroup
	var accepted atomic.Int64
	for i := range messages {
		if i == messages/3 {
			swap("new", "old")
		}
		body := strings.Replace(event103, "3187983531024266527", strconv.Itoa(1000+i), 1)
		for c := range copies {
			secret := "old"
			if i >= messages/3 && c%2 == 1 {
				secret = "new"
			}
			p := mustSign(t, newPush(eventQuery, jsonType, body), secret)
			wait.Go(func() {
				for r := current.Load().Handle(context.Background(), p); ; r = current.Load().Handle(context.Background(), p) {
					if r.Status == http.StatusOK && string(r.Body) == bodyAccepted {
						accepted.Add(1)
						return
					}
					if r.Status != http.StatusServiceUnavailable {
						t.Errorf("%d %s", r.Status, r.Body)
						return
					}
				}
			})
		}
	}
	wait.Wait()
	keys := map[string]bool{}
	for _, r := range f.runs {
		keys[r.Key] = true
	}
	if f.count() != messages || len(keys) != messages || accepted.Load() != messages*copies {
		t.Errorf("%d runs of %d messages, %d replies", f.count(), len(keys), accepted.Load())
	}
}
