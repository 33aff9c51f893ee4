package rentcar

import (
	"context"
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
	"pgregory.net/rapid"
)

// A wait lies between zero and a bound that doubles up to the largest one, whatever
// the policy and however many attempts came before.
func TestBackoffBounds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		delay := rapid.OneOf(
			rapid.Int64Range(0, math.MaxInt64), rapid.Int64Range(0, 100), rapid.Int64Range(math.MaxInt64-3, math.MaxInt64),
		)
		p := RetryPolicy{BaseDelay: time.Duration(delay.Draw(t, "base")), MaxDelay: time.Duration(delay.Draw(t, "max"))}
		if err := p.check(); err != nil {
			t.Fatal(err)
		}
		p = p.withDefaults()
		n := rapid.IntRange(1, 1000).Draw(t, "n")
		bound := new(big.Int).Lsh(big.NewInt(int64(p.BaseDelay)), uint(n-1))
		if most := big.NewInt(int64(p.MaxDelay)); bound.Cmp(most) > 0 {
			bound = most
		}
		for range 20 {
			if wait := p.backoff(n); wait < 0 || big.NewInt(int64(wait)).Cmp(bound) > 0 {
				t.Fatalf("%v is not between 0 and %v", wait, bound)
			}
		}
	})
}

// The jitter is full: every part of the range is hit, and as often.
func TestBackoffIsSpread(t *testing.T) {
	t.Parallel()
	p := RetryPolicy{BaseDelay: time.Second, MaxDelay: 6 * time.Second}.withDefaults()
	for n, bound := range map[int]time.Duration{
		1: time.Second, 2: 2 * time.Second, 3: 4 * time.Second, 4: 6 * time.Second, 5: 6 * time.Second, 99: 6 * time.Second,
	} {
		const draws, parts = 10000, 10
		var hits [parts]int
		for range draws {
			hits[min(int(parts*p.backoff(n)/bound), parts-1)]++
		}
		for part, hit := range hits {
			if hit < draws/parts*7/10 || hit > draws/parts*13/10 { // ten standard deviations
				t.Errorf("before attempt %d, part %d of %v is hit %d times of %d", n+1, part, bound, hit, draws)
			}
		}
	}
}

func TestRetryPolicyDefaults(t *testing.T) {
	t.Parallel()
	documented := RetryPolicy{MaxAttempts: 3, BaseDelay: 200 * time.Millisecond, MaxDelay: 5 * time.Second, Budget: 20}
	own := RetryPolicy{MaxAttempts: 7, BaseDelay: 1, MaxDelay: 2, Budget: 3}
	for name, tc := range map[string]struct {
		opts []Option
		want RetryPolicy
	}{
		"no option":   {nil, documented},
		"zero policy": {[]Option{withRetries()}, documented},
		"all set":     {[]Option{WithRetry(own)}, own},
		"some set": {
			[]Option{WithRetry(RetryPolicy{MaxDelay: time.Minute})},
			RetryPolicy{3, 200 * time.Millisecond, time.Minute, 20, nil},
		},
		"last wins": {[]Option{WithRetry(own), withRetries()}, documented},
	} {
		c, err := NewClient(testAppKey, testSecret, tc.opts...)
		if err != nil {
			t.Fatal(err)
		}
		diff(t, name, tc.want, c.cfg.retry)
	}
}

// The waits of a call, as they are asked for: what the call takes is their sum.
func TestWaitsOfACall(t *testing.T) {
	t.Parallel()
	policy := RetryPolicy{MaxAttempts: 6, BaseDelay: time.Second, MaxDelay: 5 * time.Second}
	for range 50 {
		ft := &fakeTime{}
		var took time.Duration
		c, g := clientFor(t, gatewayFailure(
			"10", "", "",
		), withFakeTime(ft), WithRetry(policy), WithObserver(func(_ context.Context, o Observation) {
			if o.Done {
				took = o.Duration
			}
		}))
		_, err := queryOrder(context.Background(), c)
		if g.count() != 6 || attemptsOf(err) != 6 || len(ft.waits) != 5 {
			t.Fatalf("%d requests, %d waits: %v", g.count(), len(ft.waits), err)
		}
		sum := time.Duration(0)
		for i, most := range []time.Duration{1, 2, 4, 5, 5} {
			if w := ft.waits[i]; w < 0 || w > most*time.Second {
				t.Errorf("wait %d is %v, want at most %ds", i+1, w, most)
			}
			sum += ft.waits[i]
		}
		if took != sum {
			t.Errorf("the call took %v, the waits %v", took, sum)
		}
	}
}

// forAges is a policy whose first wait outlasts every test.
func forAges() Option {
	return WithRetry(RetryPolicy{BaseDelay: 1e6 * time.Hour, MaxDelay: 1e6 * time.Hour})
}

func banFor(seconds string) httpmock.Responder {
	return gatewayFailure(
		"7", "accesscontrol.limited-by-api-access-count", "This ban will last for "+seconds+" more seconds",
	)
}

// A wait that would end after the caller's deadline is not begun: the last failure
// comes at once, with what stood against another attempt.
func TestNoWaitPastTheDeadline(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		opts    []Option
		write   bool
		text    string
		limited bool
	}{
		"read": {
			gatewayFailure("10", "", ""), []Option{forAges()}, false,
			"gateway error 10: Failed [request_id r7] (not sent again: too little time is left before the caller's deadline)",
			false,
		},
		"write": {
			gatewayFailure("4", "", ""), []Option{forAges()}, true,
			"(not sent again: too little time is left before the caller's deadline)", true,
		},
		"no reply": {
			dialFailure(), []Option{forAges()}, true, "(not sent again: too little time is left before the caller's deadline)",
			false,
		},
		"a short ban": {
			banFor("3"), []Option{withRetries()}, true, "not sent: rate limited: the ban lasts for 3s more)", true,
		},
		"just as long": {
			banFor("2"), []Option{withRetries()}, false, "not sent: rate limited: the ban lasts for 2s more)", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, g, seen := watched(t, tc.respond, tc.opts...)
				ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
				defer cancel()
				start := time.Now()
				_, err := send(ctx, c, tc.write)
				if took := time.Since(start); took != 0 || g.count() != 1 || attemptsOf(err) != 1 {
					t.Errorf("took %v, %d requests: %v", took, g.count(), err)
				}
				if !strings.Contains(err.Error(), tc.text) || errors.Is(err, ErrRateLimited) != tc.limited || errors.Is(
					err, context.DeadlineExceeded,
				) {
					t.Errorf("%v; want %q, limited %v", err, tc.text, tc.limited)
				}
				checkSeen(t, *seen, 1, OutcomeOf(err), OutcomeOf(err))
				if left := c.budget.tenths; left != c.budget.full {
					t.Errorf("the budget has %d of %d tenths", left, c.budget.full)
				}
			})
		})
	}
}

// A wait that ends with the deadline ends too late.
func TestTooLate(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for wait, want := range map[time.Duration]bool{
			0: false, time.Second - 1: false, time.Second: true, time.Second + 1: true,
		} {
			if got := tooLate(ctx, wait); got != want {
				t.Errorf("%v: %v", wait, got)
			}
			if tooLate(context.Background(), wait) {
				t.Errorf("%v is too late without a deadline", wait)
			}
		}
	})
}

// Whatever the deadline and the failure, a call ends by then, and a call that was
// not sent as often as it might says why.
func TestCallsEndByTheDeadline(t *testing.T) {
	t.Parallel()
	responders := []httpmock.Responder{
		hanging, stalling, dialFailure(), gatewayFailure("10", "", ""), banFor("1"), banFor("4"), gatewayFailure("5", "", ""),
	}
	synctest.Test(t, func(t *testing.T) {
		for i := range 700 {
			c, g, _ := watched(
				t, responders[i%len(responders)], WithTimeout(300*time.Millisecond),
				WithRetry(RetryPolicy{MaxAttempts: 5, MaxDelay: time.Second}),
			)
			patience := rand.N(4*time.Second) + 1
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			start := time.Now()
			_, err := queryOrder(ctx, c)
			if took := time.Since(start); took > patience {
				t.Errorf("took %v of %v", took, patience)
			}
			if attemptsOf(err) != g.count() {
				t.Errorf("%d requests: %v", g.count(), err)
			}
			_, told := RetryAfter(err)
			if why := isA[*stopped](err) || told; !why && g.count() < 5 {
				t.Errorf("%d requests within %v: %v", g.count(), patience, err)
			}
			cancel()
		}
	})
}

// The deadline bounds the attempts too, and its cause is in the error.
func TestDeadlineDuringASecondAttempt(t *testing.T) {
	t.Parallel()
	boss := errors.New("the boss is waiting")
	synctest.Test(t, func(t *testing.T) {
		c, g, seen := watched(t, hanging, WithTimeout(2*time.Second))
		ctx, cancel := context.WithTimeoutCause(t.Context(), 3*time.Second, boss)
		defer cancel()
		start := time.Now()
		_, err := queryOrder(ctx, c)
		if took := time.Since(start); took != 3*time.Second || g.count() != 2 {
			t.Errorf("took %v, %d requests", took, g.count())
		}
		e := as[*TransportError](t, err)
		if e.Attempts != 2 || !e.Timeout() || e.Phase != PhaseSend || !errors.Is(
			err, context.DeadlineExceeded,
		) || !errors.Is(err, boss) {
			t.Errorf("%+v: %v", e, err)
		}
		checkSeen(t, *seen, 2, OutcomeUnknown, OutcomeUnknown)
	})
}

// Who gives up during a wait learns that, why, and what had gone wrong.
func TestCancelledDuringAWait(t *testing.T) {
	t.Parallel()
	boss := errors.New("the boss says no")
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		opts    []Option
		write   bool
		outcome Outcome
		kind    error
	}{
		"read":            {gatewayFailure("10", "", ""), []Option{forAges()}, false, OutcomeUnknown, ErrUnavailable},
		"undecodable":     {replyJSON("?"), []Option{forAges()}, false, OutcomeUnknown, nil},
		"write":           {gatewayFailure("5", "", ""), []Option{forAges()}, true, OutcomeRejected, ErrRateLimited},
		"no connection":   {dialFailure(), []Option{forAges()}, true, OutcomeNotSent, ErrUnavailable},
		"until a ban end": {banFor("3"), []Option{withRetries()}, true, OutcomeRejected, ErrRateLimited},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				c, g, seen := watched(t, tc.respond, tc.opts...)
				ctx, cancel := cancelAfter(time.Second, boss)
				defer cancel()
				start := time.Now()
				_, err := send(ctx, c, tc.write)
				if took := time.Since(start); took != time.Second || g.count() != 1 || attemptsOf(err) != 1 {
					t.Errorf("took %v, %d requests: %v", took, g.count(), err)
				}
				if !errors.Is(
					err, context.Canceled,
				) || !errors.Is(err, boss) || OutcomeOf(err) != tc.outcome || tc.kind != nil && !errors.Is(err, tc.kind) {
					t.Errorf("outcome %v: %v", OutcomeOf(err), err)
				}
				if !strings.Contains(err.Error(), "(not sent again: ") || !strings.HasSuffix(
					err.Error(), "context canceled (the boss says no))",
				) {
					t.Errorf("the text does not say why: %v", err)
				}
				checkSeen(t, *seen, 1, tc.outcome, tc.outcome)
				if left := c.budget.tenths; left != c.budget.full {
					t.Errorf("the budget has %d of %d tenths", left, c.budget.full)
				}
			})
		})
	}
}

// Who gives up during an attempt waits for no other, whatever that attempt ends with.
func TestCancelledDuringAnAttempt(t *testing.T) {
	t.Parallel()
	boss := errors.New("the boss says no")
	for name, respond := range map[string]httpmock.Responder{
		"code 10": gatewayFailure("10", "", ""), "a ban": banFor("3"), "undecodable": replyJSON("?"),
	} {
		ctx, cancel := context.WithCancelCause(context.Background())
		c, g := clientFor(t, func(r *http.Request) (*http.Response, error) {
			cancel(boss)
			return respond(r)
		}, withRetries(), WithSleep(func(context.Context, time.Duration) error {
			t.Errorf("%s: waited", name)
			return nil
		}))
		_, err := queryOrder(ctx, c)
		if g.count() != 1 || attemptsOf(err) != 1 || !errors.Is(err, boss) || !errors.Is(
			err, context.Canceled,
		) || isA[*TransportError](err) {
			t.Errorf("%s: %d requests: %v", name, g.count(), err)
		}
		if left := c.budget.tenths; left != c.budget.full {
			t.Errorf("%s: the budget has %d of %d tenths", name, left, c.budget.full)
		}
	}
}

// The context may end together with the wait: then nothing more is sent either, and
// the failure before is not lost.
func TestCancelledAtTheEndOfAWait(t *testing.T) {
	t.Parallel()
	boss := errors.New("the boss says no")
	ctx, cancel := context.WithCancelCause(context.Background())
	c, g := clientFor(t, gatewayFailure(
		"10", "", "",
	), withRetries(), WithSleep(func(context.Context, time.Duration) error {
		cancel(boss)
		return nil
	}))
	_, err := queryOrder(ctx, c)
	if e := as[*GatewayError](t, err); e.Code != "10" || e.Attempts != 1 || g.count() != 1 || !errors.Is(err, boss) ||
		!errors.Is(
			err, context.Canceled,
		) {
		t.Errorf("%d requests: %v", g.count(), err)
	}
}

// A context that is over before the call sends nothing, however often it might be
// sent.
func TestContextOverBeforeARepeatableCall(t *testing.T) {
	t.Parallel()
	boss := errors.New("the boss says no")
	cancelled, cancel := context.WithCancelCause(context.Background())
	cancel(boss)
	for _, opts := range [][]Option{
		nil, {WithLimiter(limiterFunc(func(ctx context.Context) error { return ctx.Err() }))},
	} {
		for _, write := range []bool{false, true} {
			c, g, seen := watched(t, replyJSON(okReply), opts...)
			_, err := send(cancelled, c, write, CallRepeatUnknown())
			wantNever.check(t, err, write)
			if e := as[*TransportError](t, err); e.Phase != PhaseBefore || g.count() != 0 || !errors.Is(err, boss) || !errors.Is(
				err, context.Canceled,
			) {
				t.Errorf("%d requests: %v", g.count(), err)
			}
			if last := (*seen)[len(*seen)-1]; !last.Done || last.Outcome != OutcomeNotSent || last.HTTPStatus != 0 {
				t.Errorf("observed %+v", last)
			}
		}
	}
}

// CallTimeout bounds each attempt, not the call.
func TestTimeoutIsOfEachAttempt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		slow := func(r *http.Request) (*http.Response, error) {
			select {
			case <-time.After(4 * time.Second):
				return replyJSON(okReply)(r)
			case <-r.Context().Done():
				return nil, r.Context().Err()
			}
		}
		c, g, _ := watched(t, inTurn(hanging, hanging, slow), WithTimeout(time.Second))
		start := time.Now()
		res, err := queryOrder(t.Context(), c, CallTimeout(5*time.Second))
		if took := time.Since(start); err != nil || res.Attempts != 3 || g.count() != 3 || took < 14*time.Second ||
			took > 15*time.Second {
			t.Errorf("took %v, %d requests: %v", took, g.count(), err)
		}
	})
}
