package qimen

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A stubGate answers as it is told to, and counts.
type stubGate struct {
	begin                     func(ctx context.Context, key, digest string) (Claim, error)
	signature                 string                          // the last one
	end                       func(ctx context.Context) error // of Finish and Abandon
	begun, finished, forsaken int
	claim                     Claim
	reply                     Reply
}

func (g *stubGate) Begin(ctx context.Context, key, digest, signature string) (Claim, error) {
	g.begun++
	g.signature = signature
	if g.begin == nil {
		return Claim{State: ClaimNew}, nil
	}
	return g.begin(ctx, key, digest)
}

func (g *stubGate) Finish(ctx context.Context, c Claim, reply Reply) error {
	g.finished++
	g.claim, g.reply = c, reply
	return g.over(ctx)
}

func (g *stubGate) Abandon(ctx context.Context, c Claim) error {
	g.forsaken++
	g.claim = c
	return g.over(ctx)
}

func (g *stubGate) over(ctx context.Context) error {
	if g.end == nil {
		return nil
	}
	return g.end(ctx)
}

var errGate = errors.New("the gate is gone")

// The ways in which a gate fails; each takes the fake time told at most.
var gateFailures = map[string]struct {
	fail func(ctx context.Context) error
	err  string
	took time.Duration
}{
	"error": {func(context.Context) error { return errGate }, "gate is gone", 0},
	"panic": {func(context.Context) error { panic(errGate) }, "gate is gone", 0},
	"hang": {
		func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }, "deadline exceeded", DefaultHandlerTimeout,
	},
}

// Where Begin fails, or answers with what is none of the answers, nothing runs and the gateway is told that the system
// failed. Nothing is finished or abandoned then.
func TestGateBeginFails(t *testing.T) {
	t.Parallel()
	answer := func(c Claim) func(context.Context, string, string) (Claim, error) {
		return func(context.Context, string, string) (Claim, error) { return c, nil }
	}
	type failure struct {
		begin func(context.Context, string, string) (Claim, error)
		err   string
		took  time.Duration
	}
	cases := map[string]failure{
		"no state":           {answer(Claim{}), "state of the claim is 0", 0},
		"unknown state":      {answer(Claim{State: 5}), "state of the claim is 5", 0},
		"reply that is none": {answer(Claim{State: ClaimFinished}), "HTTP status 0", 0},
	}
	for name, c := range gateFailures {
		cases[name] = failure{func(ctx context.Context, _, _ string) (Claim, error) {
			return Claim{State: ClaimNew}, c.fail(ctx)
		}, c.err, c.took}
	}
	for name, c := range cases {
		for method, body := range actingBodies {
			t.Run(name+" "+method, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var f office
					gate := &stubGate{begin: c.begin}
					start := time.Now()
					r := f.handler(t, WithGate(gate)).Handle(context.Background(), pushOf(t, method, body))
					o := f.last()
					if f.count() != 0 || gate.finished+gate.forsaken != 0 || time.Since(start) != c.took {
						t.Errorf("%d runs, %+v, after %v", f.count(), gate, time.Since(start))
					}
					if !sameReply(r, DefaultReplies()[ReasonGateFailed]) || r.Status != http.StatusInternalServerError {
						t.Errorf("reply %d %s", r.Status, r.Body)
					}
					if o.Reason != ReasonGateFailed || o.IsRepeat || o.Err == nil || !strings.HasPrefix(
						o.Err.Error(), "qimen: gate: ",
					) || !strings.Contains(o.Err.Error(), c.err) {
						t.Errorf("observed %+v", o)
					}
					if errors.Is(o.Err, errGate) != (name == "error" || name == "panic") {
						t.Errorf("the cause is lost: %v", o.Err)
					}
					if p := (*fliggy.PanicError)(nil); errors.As(o.Err, &p) != (name == "panic") || !strings.Contains(
						f.log.String(), `"level":"ERROR"`,
					) {
						t.Errorf("error %v, log %s", o.Err, f.log.String())
					}
				})
			})
		}
	}
}

// Where Finish or Abandon fails, the reply is that of the work, and the failure is reported beside what else went
// wrong.
func TestGateEndFails(t *testing.T) {
	t.Parallel()
	errWork := errors.New("no database")
	for name, c := range gateFailures {
		for reason, act := range map[Reason]func() error{
			ReasonAccepted:     func() error { return nil },
			ReasonHandlerError: func() error { return errWork },
			ReasonRefused:      func() error { return Refuse("7", "no") },
			ReasonPanic:        func() error { panic(errWork) },
		} {
			t.Run(name+" "+string(reason), func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					f := office{act: func(context.Context, *Delivery, int) error { return act() }}
					gate := &stubGate{end: c.fail}
					start := time.Now()
					r := f.handler(t, WithGate(gate)).Handle(
						context.Background(), pushOf(t, RenewalSubmitMethod, actingBodies[RenewalSubmitMethod]),
					)
					o := f.last()
					if time.Since(start) != c.took || f.count() != 1 {
						t.Errorf("%d runs, after %v", f.count(), time.Since(start))
					}
					var g office
					g.act = f.act
					if want := g.handler(t, WithoutGate()).Handle(
						t.Context(), pushOf(t, RenewalSubmitMethod, actingBodies[RenewalSubmitMethod]),
					); !sameReply(r, want) || o.Reason != reason {
						t.Errorf("reply %d %s, observed %+v", r.Status, r.Body, o)
					}
					if (gate.finished == 1) != (reason == ReasonAccepted) || gate.finished+gate.forsaken != 1 {
						t.Errorf("%+v", gate)
					}
					if o.Err == nil || !strings.Contains(o.Err.Error(), "qimen: gate: ") || !strings.Contains(o.Err.Error(), c.err) {
						t.Errorf("error %v", o.Err)
					}
					if failed := reason == ReasonHandlerError || reason == ReasonPanic; errors.Is(o.Err, errWork) != failed {
						t.Errorf("error %v", o.Err)
					}
					if !strings.Contains(f.log.String(), "qimen: gate: ") || strings.Contains(f.log.String(), "DEBUG") {
						t.Errorf("log %s", f.log.String())
					}
				})
			})
		}
	}
}

// Begin has the request's context and the handler's time; Finish and Abandon have a context that is alive also when the
// request is over and the function's time is up.
func TestGateContexts(t *testing.T) {
	t.Parallel()
	type key struct{}
	for name, fails := range map[string]bool{"finish": false, "abandon": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				check := func(ctx context.Context, what string) {
					if at, ok := ctx.Deadline(); ctx.Err() != nil || !ok || time.Until(at) != DefaultHandlerTimeout ||
						ctx.Value(key{}) != "value" {
						t.Errorf("%s: %v, %v left, value %v", what, ctx.Err(), time.Until(at), ctx.Value(key{}))
					}
				}
				gate := &stubGate{end: func(ctx context.Context) error { check(ctx, name); return nil }}
				gate.begin = func(ctx context.Context, _, _ string) (Claim, error) {
					check(ctx, "begin")
					return Claim{State: ClaimNew}, nil
				}
				ctx, cancel := context.WithCancel(context.WithValue(context.Background(), key{}, "value"))
				f := office{act: func(ctx context.Context, _ *Delivery, _ int) error {
					check(ctx, "function")
					cancel() // the gateway hangs up
					<-time.After(2 * DefaultHandlerTimeout)
					if fails {
						return ctx.Err()
					}
					return nil
				}}
				f.handler(t, WithGate(gate)).Handle(ctx, pushOf(t, DefaultEventMethod, event103))
				if gate.begun != 1 || gate.finished+gate.forsaken != 1 || (gate.forsaken == 1) != fails {
					t.Errorf("%+v", gate)
				}
				// A request that is over before it begins is told so to the gate.
				gate.begin = func(ctx context.Context, _, _ string) (Claim, error) { return Claim{State: ClaimNew}, ctx.Err() }
				f.handler(t, WithGate(gate)).Handle(ctx, pushOf(t, DefaultEventMethod, event103))
				if f.count() != 1 || f.last().Reason != ReasonGateFailed || !errors.Is(f.last().Err, context.Canceled) {
					t.Errorf("%d runs, observed %+v", f.count(), f.last())
				}
			})
		})
	}
}

// What the gate said of a claim comes back to it; key and digest also where it left them out. It gets the very reply
// that goes out, and cannot change it.
func TestGateClaimTravels(t *testing.T) {
	t.Parallel()
	for method, body := range actingBodies {
		var key, digest string
		gate := &stubGate{begin: func(_ context.Context, k, d string) (Claim, error) {
			key, digest = k, d
			return Claim{State: ClaimNew, Token: "lease 7", IsConflict: true}, nil
		}}
		f := office{}
		h := f.handler(t, WithGate(gate))
		p := pushOf(t, method, body)
		r := h.Handle(t.Context(), p)
		want := Claim{
			Key: key, Digest: digest, Signature: gate.signature, State: ClaimNew, Token: "lease 7", IsConflict: true,
		}
		if diff := cmp.Diff(want, gate.claim); diff != "" || key != f.last().Key || len(digest) != 64 {
			t.Errorf("%s: %s", method, diff)
		}
		if !sameReply(gate.reply, r) || gate.reply.Render != nil {
			t.Errorf("%s: %s goes out, the gate gets %s", method, r.Body, gate.reply.Body)
		}
		clear(gate.reply.Body)
		if again := h.Handle(t.Context(), p); len(again.Body) != len(r.Body) || again.Body[0] != '{' {
			t.Errorf("%s: the gate has changed the reply: %q", method, again.Body)
		}
		f.act = func(context.Context, *Delivery, int) error { return errors.New("oops") }
		if h.Handle(t.Context(), p); gate.claim.Token != "lease 7" || gate.forsaken != 1 {
			t.Errorf("%s: %+v", method, gate)
		}
		// Whatever the gate gives back goes out as it is.
		stored := Reply{Status: 201, ContentType: "text/x", Body: []byte("stored")}
		gate.begin = func(context.Context, string, string) (Claim, error) {
			return Claim{State: ClaimFinished, Reply: stored}, nil
		}
		got := h.Handle(t.Context(), p)
		if !sameReply(got, stored) || f.last().Reason != ReasonAccepted || !f.last().IsRepeat || f.last().Status != 201 {
			t.Errorf("%s: %d %q, observed %+v", method, got.Status, got.Body, f.last())
		}
		got.Body[0] = 'X'
		if string(stored.Body) != "stored" {
			t.Errorf("%s: the reply of the gate is given away", method)
		}
	}
	// Prices pass the gate by, and so does what is refused before.
	gate := &stubGate{}
	var f office
	h := f.handler(t, WithGate(gate))
	h.Handle(t.Context(), pushOf(t, RenewalPricesMethod, merchantBodies[RenewalPricesMethod]))
	h.Handle(t.Context(), pushOf(t, RenewalSubmitMethod, `{}`))
	h.Handle(t.Context(), pushOf(t, "none", `{}`))
	h.Handle(t.Context(), newPush(eventQuery, jsonType, event103))
	if gate.begun != 0 || f.count() != 1 || len(f.observed) != 4 {
		t.Errorf("the gate was asked %d times, %d runs", gate.begun, f.count())
	}
}

// A delivery that was stored as a conflict stays one, whatever the gate knows.
func TestGateKeepsConflict(t *testing.T) {
	t.Parallel()
	var f office
	h := f.handler(t)
	d, err := h.Verify(pushOf(t, DefaultEventMethod, event103))
	if err != nil {
		t.Fatal(err)
	}
	d.IsConflict = true
	if _, _ = h.Work(t.Context(), d); !f.runs[0].IsConflict || !f.last().IsConflict {
		t.Errorf("observed %+v", f.last())
	}
}

func TestClaimState(t *testing.T) {
	t.Parallel()
	for state, want := range map[ClaimState]string{
		0: "unknown", ClaimNew: "new", ClaimRunning: "running", ClaimFinished: "finished", ClaimRecut: "recut", 5: "unknown",
	} {
		if got := state.String(); got != want {
			t.Errorf("%d is %q, want %q", state, got, want)
		}
	}
}
