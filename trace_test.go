package rentcar

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

type spanKey struct{}

func reply200(r *http.Request, body string) *http.Response {
	return &http.Response{
		StatusCode: http.StatusOK, Request: r, Body: io.NopCloser(strings.NewReader(body)), Header: http.Header{},
	}
}

// A recordingTracer notes what it is told, and what the context of each end carries.
type recordingTracer struct {
	mu   sync.Mutex
	told []string
}

func (r *recordingTracer) note(ctx context.Context, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, fmt.Sprintf(format, args...)+fmt.Sprintf(" in %v", ctx.Value(spanKey{})))
}

func (r *recordingTracer) TraceCallStart(ctx context.Context, s CallStart) context.Context {
	r.note(ctx, "call %s", s.Method)
	return context.WithValue(ctx, spanKey{}, "call")
}

func (r *recordingTracer) TraceCallEnd(ctx context.Context, o Observation) {
	r.note(ctx, "call ends: done %t, %d attempts, %v", o.Done, o.Attempt, o.Outcome)
}

func (r *recordingTracer) TraceAttemptStart(ctx context.Context, s AttemptStart) context.Context {
	r.note(ctx, "attempt %d of %s at %s", s.Attempt, s.Method, s.URL)
	return context.WithValue(ctx, spanKey{}, "attempt")
}

func (r *recordingTracer) TraceAttemptEnd(ctx context.Context, o Observation) {
	r.note(ctx, "attempt %d ends: done %t, %v, HTTP %d", o.Attempt, o.Done, o.Outcome, o.HTTPStatus)
}

// traceBalance is how many starts have no end.
func traceBalance(told []string) (open int) {
	for _, line := range told {
		if strings.Contains(line, " ends") {
			open--
		} else {
			open++
		}
	}
	return open
}

func TestTracer(t *testing.T) {
	t.Parallel()
	tracer := new(recordingTracer)
	var observed, sent []any
	replies := []string{`{"error_response":{"code":10,"msg":"Service Currently Unavailable"}}`, `{"ok":"yes"}`}
	transport := roundTripper(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r.Context().Value(spanKey{}))
		body := replies[0]
		replies = replies[1:]
		return reply200(r, body), nil
	})
	c, err := NewClient("1", "secret", WithBaseURL("https://gw.test/router/rest?tenant=7"), WithTracer(tracer),
		WithHTTPClient(&http.Client{Transport: transport}),
		WithSleep(func(context.Context, time.Duration) error { return nil }),
		WithObserver(func(ctx context.Context, _ Observation) { observed = append(observed, ctx.Value(spanKey{})) }))
	if err != nil {
		t.Fatal(err)
	}
	var reply Raw
	if err := c.Call(context.Background(), "x.y", nil, &reply, CallReadOnly()); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"call x.y in <nil>",
		"attempt 1 of x.y at https://gw.test/router/rest in call",
		"attempt 1 ends: done false, unavailable, HTTP 200 in attempt",
		"attempt 2 of x.y at https://gw.test/router/rest in call",
		"attempt 2 ends: done false, succeeded, HTTP 200 in attempt",
		"call ends: done true, 2 attempts, succeeded in call",
	}
	for i := range want { // what is known of code 10 is not what this is about
		want[i] = strings.Replace(want[i], "unavailable", OutcomeUnknown.String(), 1)
	}
	if diff := cmp.Diff(want, tracer.told); diff != "" {
		t.Errorf("told (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{"attempt", "attempt", "call"}, observed); diff != "" {
		t.Errorf("observers (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]any{"attempt", "attempt"}, sent); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	// Calls that are not sent begin and end too, whatever is wrong with them.
	tracer.told = nil
	var nilContext context.Context
	for _, call := range []func() error{
		func() error { return c.Call(nilContext, "x.y", nil, &reply) },
		func() error { return c.Call(context.Background(), "", nil, &reply) },
		func() error { _, err := c.Orders.Query(context.Background(), nil); return err },
		func() error { _, err := c.Bills.Notify(context.Background(), nil); return err },
	} {
		if err := call(); err == nil {
			t.Error("sent")
		}
	}
	if len(tracer.told) != 8 || traceBalance(tracer.told) != 0 {
		t.Errorf("told %q", tracer.told)
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

func (h hostileTracer) TraceCallStart(context.Context, CallStart) context.Context { return h.start() }
func (h hostileTracer) TraceAttemptStart(context.Context, AttemptStart) context.Context {
	return h.start()
}
func (h hostileTracer) TraceCallEnd(context.Context, Observation)    { h.start() }
func (h hostileTracer) TraceAttemptEnd(context.Context, Observation) { h.start() }

func TestHostileTracer(t *testing.T) {
	t.Parallel()
	for _, panics := range []bool{false, true} {
		transport := roundTripper(func(r *http.Request) (*http.Response, error) { return reply200(r, `{"ok":1}`), nil })
		c, err := NewClient("1", "secret", WithBaseURL("https://gw.test/"), WithTracer(hostileTracer{panics}),
			WithHTTPClient(&http.Client{Transport: transport}))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Call(context.Background(), "x.y", nil, new(Raw)); err != nil {
			t.Errorf("panics %t: %v", panics, err)
		}
	}
	if _, err := NewClient("1", "secret", WithTracer(nil)); err == nil {
		t.Error("a nil tracer was taken")
	}
}

// Without a tracer nothing is allocated for one. AllocsPerRun forbids t.Parallel.
func TestTracerCostsNothing(t *testing.T) {
	c := testClient(t, newSteady())
	ctx, cl := t.Context(), &call{method: "x.y", to: "https://gw.test/?a=1"}
	if n := testing.AllocsPerRun(100, func() {
		c.traceEnd(c.traceAttempt(c.traceCall(ctx, cl.method), cl, 1), Observation{})
		c.traceEnd(ctx, Observation{Done: true})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
