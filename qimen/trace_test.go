package qimen

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

type spanKey struct{}

// A recordingTracer notes what it is told, and what the context carries.
type recordingTracer struct{ told []string }

func (r *recordingTracer) note(ctx context.Context, format string, args ...any) {
	r.told = append(r.told, fmt.Sprintf(format, args...)+fmt.Sprintf(" in %v", ctx.Value(spanKey{})))
}

func (r *recordingTracer) TracePushStart(ctx context.Context, h http.Header) context.Context {
	r.note(ctx, "push with %q", h.Get("Traceparent"))
	return context.WithValue(ctx, spanKey{}, "push")
}

func (r *recordingTracer) TracePushEnd(ctx context.Context, o Observation) {
	r.note(ctx, "push ends: %s, HTTP %d", o.Reason, o.Status)
}

func (r *recordingTracer) TraceFunctionStart(ctx context.Context, o Observation) context.Context {
	r.note(ctx, "function for event %d of %s", o.EventType, o.OrderID)
	return context.WithValue(ctx, spanKey{}, "function")
}

func (r *recordingTracer) TraceFunctionEnd(ctx context.Context, o Observation) {
	r.note(ctx, "function ends: %s", o.Reason)
}

const tracedEvent = `{"channelId":"80001","orderId":"1","eventType":104,"eventData":{"renewalOrderId":7}}`

func TestTracer(t *testing.T) {
	t.Parallel()
	now := fliggy.MustTime("2023-02-01 15:40:52").Time
	tracer := new(recordingTracer)
	failure := error(nil)
	h, err := NewHandler(Secrets{"1": {"s"}}, WithTracer(tracer), WithoutGate(),
		WithClock(func() time.Time { return now }),
		WithObserver(func(ctx context.Context, _ Observation) { tracer.note(ctx, "observed ends") }),
		OnEvent(func(ctx context.Context, _ *Delivery, _ events.Event) error {
			tracer.note(ctx, "working")
			if failure == nil {
				panic("in the function")
			}
			return failure
		}))
	if err != nil {
		t.Fatal(err)
	}
	const query = "app_key=1&method=" + DefaultEventMethod + "&timestamp=2023-02-01+15%3A40%3A52"
	p := mustSign(t, newPush(query, "application/json;charset=utf-8", tracedEvent), "s")
	serve := func(p *Push) {
		r := httptest.NewRequest(http.MethodPost, "/?"+p.RawQuery, strings.NewReader(string(p.Body)))
		r.Header = p.Header.Clone()
		r.Header.Set("Traceparent", "00-1")
		h.ServeHTTP(httptest.NewRecorder(), r)
	}
	function := func(how, reason string, status int) []string {
		return []string{
			"push with " + how + " in <nil>", "function for event 104 of 1 in push", "working in function",
			"function ends: " + reason + " in function", "observed ends in push",
			fmt.Sprintf("push ends: %s, HTTP %d in push", reason, status),
		}
	}
	forged := p.clone()
	forged.Body = []byte("{}")
	for name, c := range map[string]struct {
		do   func()
		err  error
		want []string
	}{
		"served":  {func() { serve(p) }, errors.New("no"), function(`"00-1"`, "handler error", 500)},
		"handled": {func() { h.Handle(context.Background(), p) }, Refuse("1", "no"), function(`""`, "refused", 200)},
		"panic":   {func() { serve(p) }, nil, function(`"00-1"`, "panic", 500)},
		"stored": {func() { _, _ = h.Work(context.Background(), &Delivery{AppKey: "1", Push: p}) }, Refuse("1", "no"),
			function(`""`, "refused", 200)},
		"forged": {func() { serve(forged) }, nil, []string{
			`push with "00-1" in <nil>`, "observed ends in push", "push ends: bad signature, HTTP 200 in push",
		}},
	} {
		tracer.told, failure = nil, c.err
		c.do()
		if diff := cmp.Diff(c.want, tracer.told); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// hostileTracer panics, and returns nil.
type hostileTracer struct{ panics bool }

func (h hostileTracer) start() context.Context {
	if h.panics {
		panic("in the tracer")
	}
	return nil
}

func (h hostileTracer) TracePushStart(context.Context, http.Header) context.Context { return h.start() }
func (h hostileTracer) TraceFunctionStart(context.Context, Observation) context.Context {
	return h.start()
}
func (h hostileTracer) TracePushEnd(context.Context, Observation)     { h.start() }
func (h hostileTracer) TraceFunctionEnd(context.Context, Observation) { h.start() }

func TestHostileTracer(t *testing.T) {
	t.Parallel()
	const query = "app_key=1&method=" + DefaultEventMethod + "&timestamp=2023-02-01+15%3A40%3A52"
	p := mustSign(t, newPush(query, "application/json;charset=utf-8", tracedEvent), "s")
	for _, panics := range []bool{false, true} {
		h, err := NewHandler(Secrets{"1": {"s"}}, WithTracer(hostileTracer{panics}),
			WithClock(func() time.Time { return fliggy.MustTime("2023-02-01 15:40:52").Time }),
			OnEvent(func(context.Context, *Delivery, events.Event) error { return nil }))
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequest(http.MethodPost, "/?"+p.RawQuery, strings.NewReader(string(p.Body)))
		r.Header = p.Header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"success":true`) {
			t.Errorf("panics %t: %d, %s", panics, w.Code, w.Body)
		}
	}
	_, err := NewHandler(Secrets{"1": {"s"}}, WithTracer(nil))
	if err == nil || !strings.Contains(err.Error(), "WithTracer") {
		t.Errorf("got %v", err)
	}
}

// Without a tracer nothing is allocated for one. AllocsPerRun forbids t.Parallel.
func TestTracerCostsNothing(t *testing.T) {
	c, ctx, o := defaultConfig(), t.Context(), &Observation{}
	if n := testing.AllocsPerRun(100, func() {
		ctx := c.traceFunction(c.tracePush(ctx, nil), o)
		c.traceEnd(func(t Tracer) { t.TraceFunctionEnd(ctx, *o) })
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
