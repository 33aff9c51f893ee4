package rentcar

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
)

// An evil function is one of the user's that misbehaves the nth time it is called, and
// from then on.
type evil struct {
	from, calls int
	do          func()
}

func (e *evil) call() {
	if e.calls++; e.calls >= e.from {
		e.do()
	}
}

// The functions of the user's, each as an interface wants it.
func (e *evil) Wait(context.Context) error                 { e.call(); return nil }
func (e *evil) WaitMethod(context.Context, string) error   { e.call(); return nil }
func (e *evil) Ban(string, string, time.Duration)          { e.call() }
func (e *evil) Left(string, string) time.Duration          { e.call(); return 0 }
func (e *evil) Lift(string)                                { e.call() }
func (e *evil) Enabled(context.Context, slog.Level) bool   { e.call(); return true }
func (e *evil) Handle(context.Context, slog.Record) error  { e.call(); return nil }
func (e *evil) WithAttrs([]slog.Attr) slog.Handler         { return e }
func (e *evil) WithGroup(string) slog.Handler              { return e }
func (e *evil) MarshalJSON() ([]byte, error)               { e.call(); return []byte(`"1"`), nil }
func (e *evil) UnmarshalJSON([]byte) error                 { e.call(); return nil }
func (e *evil) now() time.Time                             { e.call(); return testClock() }
func (e *evil) observe(context.Context, Observation)       { e.call() }
func (e *evil) session(context.Context) (string, error)    { e.call(); return "a-session", nil }
func (e *evil) sleep(context.Context, time.Duration) error { e.call(); return nil }
func (e *evil) probe(context.Context, *RenewalSubmitRequest) (Verdict, error) {
	e.call()
	return VerdictDone, nil
}

// An evilNetwork counts what was sent, and answers in turn.
type evilNetwork struct {
	sent      int
	trip      *evil
	read      *evil
	refuses   bool // the first one, by flow control
	ban       bool // and says for how long
	forbidden bool // all of them
}

func (n *evilNetwork) RoundTrip(r *http.Request) (*http.Response, error) {
	_, _ = io.Copy(io.Discard, r.Body)
	n.sent++
	n.trip.call()
	body := `{"successful":true,"request_id":"r7","x":"1"}`
	if n.refuses && n.sent == 1 {
		body = `{"error_response":{"code":"7","msg":"App Call ` +
			`Limited","sub_code":"accesscontrol.limited-by-api-access-count","sub_msg":"no time is told"}}`
		if n.ban {
			body = strings.Replace(body, "no time is told", "This ban will last for 60 more seconds", 1)
		}
	}
	if n.forbidden {
		body = `{"error_response":{"code":"11","msg":"Insufficient isv permissions"}}`
	}
	return &http.Response{
		StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {jsonType}},
		Body:   &evilBody{strings.NewReader(body), n.read}, ContentLength: -1, Request: r,
	}, nil
}

type evilBody struct {
	io.Reader
	read *evil
}

func (b *evilBody) Read(p []byte) (int, error) { b.read.call(); return b.Reader.Read(p) }
func (b *evilBody) Close() error               { return nil }

// evilType is what a user reads a reply into.
type evilType struct {
	Successful bool     `top:"successful"`
	X          evilText `top:"x"`
}

type evilText struct{}

// evilUnmarshal is what UnmarshalJSON of evilText does. The test that uses it runs alone.
var evilUnmarshal = &evil{}

func (evilText) MarshalText() ([]byte, error) { return nil, nil }
func (*evilText) UnmarshalText([]byte) error  { evilUnmarshal.call(); return nil }

// Where a function of the user's panics decides what becomes of its call: before sending,
// nothing is sent; while a request is out, the outcome is unknown; afterwards the outcome
// stands. No call is sent again for it, none hangs, and no panic reaches the caller.
func TestPanicsOfTheUser(t *testing.T) { //nolint:paralleltest // evilUnmarshal
	const mostCalls = 5 // after the first that panics: two of the observer, three of the logger
	errUser := errors.New("an error of the user's own")
	ways := map[string]func(){
		"text": func() { panic("boom") }, "error": func() { panic(errUser) }, "nil": func() { panic(nil) },
		"nil pointer":          func() { var p *Client; _ = p.appKey },
		"an error that panics": func() { panic((*fliggy.PanicError)(nil)) },
		"Goexit":               runtime.Goexit,
	}
	write := func(ctx context.Context, c *Client, _ *evil, opts ...CallOption) error {
		_, err := cancelRenewal(ctx, c, opts...)
		return err
	}
	for name, c := range map[string]struct {
		from      int // which call of the function is the first to panic; 1 without it
		opts      func(*evil) []Option
		network   func(*evil) *evilNetwork
		call      func(context.Context, *Client, *evil, ...CallOption) error
		outcome   Outcome
		sent      int
		culprit   string // what the error names; empty where the call has no error of a panic
		invalid   bool   // it is a *ValidationError, which quotes the panic
		endsCalls bool   // Goexit ends the caller's goroutine: nothing is known then of a call on it
	}{
		"clock, for the timestamp": {
			from: 1, opts: func(e *evil) []Option { return []Option{WithClock(e.now)} }, outcome: OutcomeNotSent,
			culprit: "the clock",
		},
		"clock, after the reply": {
			from: 4, opts: func(e *evil) []Option { return []Option{WithClock(e.now)} }, outcome: OutcomeSucceeded, sent: 1,
		},
		"clock, after a refusal": {
			from: 4, opts: func(e *evil) []Option { return []Option{WithClock(e.now)} },
			network: func(*evil) *evilNetwork { return &evilNetwork{forbidden: true} }, outcome: OutcomeRejected, sent: 1,
		},
		"limiter": {
			opts: func(e *evil) []Option { return []Option{WithLimiter(e)} }, outcome: OutcomeNotSent, culprit: "the limiter",
		},
		"limiter, before a repeat": {
			from: 2, opts: func(e *evil) []Option { return []Option{WithLimiter(e), withRetries()} },
			network: func(*evil) *evilNetwork { return &evilNetwork{refuses: true} }, outcome: OutcomeRejected, sent: 1,
			culprit: "the limiter",
		},
		"bans": {
			opts: func(e *evil) []Option { return []Option{WithBans(e)} }, outcome: OutcomeNotSent, culprit: "the bans",
		},
		"bans, before a repeat": {
			from: 4, opts: func(e *evil) []Option { return []Option{WithBans(e), withRetries()} },
			network: func(*evil) *evilNetwork { return &evilNetwork{refuses: true} }, outcome: OutcomeRejected, sent: 1,
			culprit: "the bans",
		},
		"bans, told of one": {
			from: 4, opts: func(e *evil) []Option { return []Option{WithBans(e)} },
			network: func(*evil) *evilNetwork { return &evilNetwork{refuses: true, ban: true} }, outcome: OutcomeRejected,
			sent: 1,
		},
		"bans, lifted": {
			outcome: OutcomeSucceeded, opts: func(e *evil) []Option { return []Option{WithBans(e)} },
			call: func(_ context.Context, c *Client, _ *evil, _ ...CallOption) error { c.LiftBans(); return nil },
		},
		"sleep": {
			opts:    func(e *evil) []Option { return []Option{WithSleep(e.sleep), withRetries()} },
			network: func(*evil) *evilNetwork { return &evilNetwork{refuses: true} }, outcome: OutcomeRejected, sent: 1,
			culprit: "the function to wait with",
		},
		"session": {
			opts: func(e *evil) []Option { return []Option{WithSessionSource(e.session)} }, outcome: OutcomeNotSent,
			culprit: "the source of sessions",
		},
		"session, before a repeat": {from: 2, opts: func(e *evil) []Option {
			return []Option{WithSessionSource(e.session), withRetries(), WithSleep((&evil{from: 99}).sleep)}
		}, network: func(*evil) *evilNetwork {
			return &evilNetwork{refuses: true}
		}, outcome: OutcomeRejected, sent: 1, culprit: "the source of sessions"},
		"logger": {
			opts: func(e *evil) []Option { return []Option{WithLogger(slog.New(e))} }, outcome: OutcomeSucceeded, sent: 1,
		},
		"logger, of a refusal": {
			opts:    func(e *evil) []Option { return []Option{WithLogger(slog.New(e))} },
			network: func(*evil) *evilNetwork { return &evilNetwork{forbidden: true} }, outcome: OutcomeRejected, sent: 1,
		},
		"observer, of the attempt": {
			opts: func(e *evil) []Option { return []Option{WithObserver(e.observe)} }, outcome: OutcomeSucceeded, sent: 1,
		},
		"observer, of the call": {
			from: 2, opts: func(e *evil) []Option { return []Option{WithObserver(e.observe)} }, outcome: OutcomeSucceeded,
			sent: 1,
		},
		"observer and logger": {
			opts:    func(e *evil) []Option { return []Option{WithObserver(e.observe), WithLogger(slog.New(e))} },
			outcome: OutcomeSucceeded, sent: 1,
		},
		"wire log": {
			opts:    func(e *evil) []Option { return []Option{WithWireLog(func(context.Context, WireLog) { e.call() })} },
			outcome: OutcomeSucceeded, sent: 1,
		},
		"round tripper": {
			network: func(e *evil) *evilNetwork { return &evilNetwork{trip: e} }, outcome: OutcomeUnknown, sent: 1,
			culprit: "the round tripper", endsCalls: true,
		},
		"body of the reply": {
			network: func(e *evil) *evilNetwork { return &evilNetwork{read: e} }, outcome: OutcomeUnknown, sent: 1,
			culprit: "the round tripper", endsCalls: true,
		},
		"body of the reply, a read": {network: func(e *evil) *evilNetwork {
			return &evilNetwork{read: e}
		}, opts: func(*evil) []Option {
			return []Option{withRetries()}
		}, call: func(
			ctx context.Context, c *Client, _ *evil, _ ...CallOption,
		) error {
			_, err := queryOrder(ctx, c)
			return err
		}, outcome: OutcomeUnknown, sent: 1, culprit: "the round tripper", endsCalls: true},
		"UnmarshalText": {opts: func(*evil) []Option { return []Option{withRetries()} }, call: func(
			ctx context.Context, c *Client, e *evil, _ ...CallOption,
		) error {
			evilUnmarshal = e
			return c.Call(ctx, "x.y", Params{"a": "1"}, &evilType{}, CallReadOnly())
		}, outcome: OutcomeUnknown, sent: 1, culprit: "UnmarshalJSON or UnmarshalText", endsCalls: true},
		"MarshalJSON of a parameter": {call: func(ctx context.Context, c *Client, e *evil, _ ...CallOption) error {
			return c.Call(ctx, "x.y", Params{"a": struct{ E *evil }{e}}, &Raw{})
		}, outcome: OutcomeNotSent, invalid: true, culprit: "MarshalJSON or MarshalText", endsCalls: true},
		"MarshalJSON of a member": {call: func(ctx context.Context, c *Client, e *evil, _ ...CallOption) error {
			_, err := cancelRenewal(ctx, c, CallMember("a", struct{ E *evil }{e}))
			return err
		}, outcome: OutcomeNotSent, invalid: true, culprit: "MarshalJSON or MarshalText", endsCalls: true},
	} {
		for way, do := range ways {
			synctest.Test(t, func(t *testing.T) { // which finds what hangs
				e := &evil{from: max(c.from, 1), do: do}
				network := &evilNetwork{}
				if c.network != nil {
					network = c.network(e)
				}
				harmless := &evil{from: 1 << 30}
				for _, f := range []**evil{&network.trip, &network.read} {
					if *f == nil {
						*f = harmless
					}
				}
				opts := []Option{WithHTTPClient(&http.Client{Transport: network}), WithRetry(RetryPolicy{MaxAttempts: 1})}
				if c.opts != nil {
					opts = append(opts, c.opts(e)...)
				}
				client, err := NewClient(testAppKey, testSecret, opts...)
				if err != nil {
					t.Fatal(err)
				}
				call := write
				if c.call != nil {
					call = c.call
				}
				returned, over := false, make(chan struct{})
				go func() {
					defer close(over)
					err = call(t.Context(), client, e)
					returned = true
				}()
				<-over
				if network.sent != c.sent {
					t.Errorf("%s, %s: sent %d times, want %d", name, way, network.sent, c.sent)
				}
				if e.calls == 0 || e.calls > max(c.from, 1)+mostCalls {
					t.Errorf("%s, %s: the function was called %d times", name, way, e.calls)
				}
				if way == "Goexit" && c.endsCalls {
					if returned {
						t.Errorf("%s, %s: returned", name, way)
					}
					return
				}
				if !returned || OutcomeOf(err) != c.outcome {
					t.Fatalf("%s, %s: returned %v, %v with outcome %v, want %v", name, way, returned, err, OutcomeOf(err), c.outcome)
				}
				if unknown := c.outcome == OutcomeUnknown && c.call == nil; errors.Is(err, ErrOutcomeUnknown) != unknown {
					t.Errorf("%s, %s: matches ErrOutcomeUnknown: %v, want %v", name, way, !unknown, unknown)
				}
				var p *fliggy.PanicError
				switch {
				case c.invalid:
					var invalid *fliggy.ValidationError
					if !errors.As(err, &invalid) || !strings.Contains(err.Error(), "panic in "+c.culprit) {
						t.Errorf("%s, %s: error %v", name, way, err)
					}
				case errors.As(err, &p) != (c.culprit != "") || p != nil && (p.Func != c.culprit ||
					!strings.Contains(err.Error(), "panic in "+c.culprit)):
					t.Errorf("%s, %s: error %v, want a panic in %q", name, way, err, c.culprit)
				}
				if errors.As(err, &p) && errors.Is(err, errUser) != (way == "error") {
					t.Errorf("%s, %s: errors.Is finds the value of the panic: %v", name, way, errors.Is(err, errUser))
				}
			})
		}
	}
}

// A probe that panics has learnt nothing.
func TestProbePanics(t *testing.T) {
	t.Parallel()
	for way, do := range map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit} {
		c := testClient(t, newSteady())
		settled, err := c.Renewals.Settle(t.Context(), &SettleRequest{
			Submit: &RenewalSubmitRequest{RenewalOutOrderID: "R1"}, Probe: (&evil{from: 1, do: do}).probe,
		})
		if err != nil || settled.Verdict != VerdictStillUnknown || !isPanic(settled.Err) {
			t.Errorf("%s: Settle = %+v, %v", way, settled, err)
		}
	}
}

// An error of the user's whose methods panic, such as a nil pointer, harms no call either.
func TestErrorsWhoseMethodsPanic(t *testing.T) {
	t.Parallel()
	bad := error((*fliggy.PanicError)(nil))
	ended, cancel := context.WithCancelCause(t.Context())
	cancel(bad)
	for name, c := range map[string]struct {
		ctx     context.Context
		opt     Option
		outcome Outcome
	}{
		"cause of the context": {ended, WithRetry(RetryPolicy{}), OutcomeNotSent},
		"cause, with a limiter": {
			ended, WithLimiter(limiterFunc(func(ctx context.Context) error { return context.Cause(ctx) })), OutcomeNotSent,
		},
		"limiter": {
			t.Context(), WithLimiter(limiterFunc(func(context.Context) error { return bad })), OutcomeNotSent,
		},
		"session": {
			t.Context(), WithSessionSource(func(context.Context) (string, error) { return "", bad }), OutcomeNotSent,
		},
		"round tripper": {t.Context(), func(c *config) error {
			c.httpClient = &http.Client{Transport: newGateway(failWith(bad))}
			return nil
		}, OutcomeUnknown},
	} {
		_, err := cancelRenewal(c.ctx, testClient(t, newSteady(), c.opt))
		if err == nil || OutcomeOf(err) != c.outcome || err.Error() == "" {
			t.Errorf("%s: error %v with outcome %v, want %v", name, err, OutcomeOf(err), c.outcome)
		}
	}
}
