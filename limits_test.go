package rentcar

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar/fliggy"
)

// asksToWait is a reply of a proxy with a Retry-After header.
func asksToWait(status int, value, body string) httpmock.Responder {
	return func(r *http.Request) (*http.Response, error) {
		header := http.Header{"Content-Type": {"text/html"}, "Retry-After": {value}}
		return &http.Response{
			StatusCode: status, Header: header, Request: r, Body: io.NopCloser(strings.NewReader(body)),
		}, nil
	}
}

// What a Retry-After header asks for is bounded, and only flow control's statuses are
// believed.
func TestRetryAfterHeader(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) string { return testClock().Add(d).UTC().Format(http.TimeFormat) }
	for _, tc := range []struct {
		status int
		value  string
		want   time.Duration
	}{
		{503, "7", 7 * time.Second},
		{429, "7", 7 * time.Second},
		{429, " 120 ", 2 * time.Minute},
		{503, at(7 * time.Second), 7 * time.Second},
		{429, testClock().Add(time.Hour).Format(time.RFC850), time.Hour},
		{503, at(0), 0},
		{503, at(-time.Hour), 0},
		{503, at(1000 * time.Hour), 24 * time.Hour},
		{503, "Mon, 01 Jan 9999 00:00:00 GMT", 24 * time.Hour},
		{503, "Thu, 01 Jan 0001 00:00:00 GMT", 0},
		{429, "86401", 24 * time.Hour},
		{429, "1000000000000", 24 * time.Hour},
		{429, "99999999999999999999999", 24 * time.Hour},
		{429, "0", 0},
		{429, "-7", 0},
		{429, "+7", 0},
		{429, "7.5", 0},
		{429, "7s", 0},
		{429, "soon", 0},
		{429, "", 0},
		{500, "7", 0},
		{502, "7", 0},
		{301, "7", 0},
		{404, "7", 0},
		{200, "7", 0},
	} {
		a := &RawReply{HTTPStatus: tc.status, Header: http.Header{"Retry-After": {tc.value}}}
		if got := a.retryAfter(testClock()); got != tc.want {
			t.Errorf("%d, %q: %v, want %v", tc.status, tc.value, got, tc.want)
		}
	}
	if got := (&RawReply{HTTPStatus: 503}).retryAfter(testClock()); got != 0 {
		t.Errorf("no header: %v", got)
	}
}

// A read waits as long as a proxy asks for, as for the end of a ban, or gives up at
// once and says how long. What became of a write is not known: it is not repeated.
func TestProxyThatAsksToWait(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, status := range []int{429, 503} {
		limited := status == 429
		ft := &fakeTime{}
		c, g := clientFor(t, inTurn(asksToWait(status, "3", "<html>"), replyJSON(okReply)), withFakeTime(ft))
		meta, err := send(ctx, c, false)
		if took := ft.time().Sub(
			testClock(),
		); err != nil || meta.Attempts != 2 || took < 3*time.Second || took >= 3*time.Second+banJitter {
			t.Errorf("%d: %d requests after %v: %v", status, g.count(), took, err)
		}

		ft = &fakeTime{}
		c, g = clientFor(t, inTurn(asksToWait(status, "7", "<html>"), replyJSON(okReply)), withFakeTime(ft))
		_, err = queryOrder(ctx, c)
		e := as[*TransportError](t, err)
		if after, ok := RetryAfter(err); !ok || after != 7*time.Second || e.RetryAfter != after || g.count() != 1 ||
			len(ft.waits) != 0 {
			t.Errorf("%d: RetryAfter is %v, %v after %d requests: %v", status, after, ok, g.count(), err)
		}
		if errors.Is(
			err, ErrRateLimited,
		) != limited || errors.Is(err, ErrUnavailable) == limited || OutcomeOf(err) != OutcomeUnknown {
			t.Errorf("%d: %v", status, err)
		}
		_, err = queryOrder(ctx, c) // it is remembered, for the method that met it
		if later := as[*RateLimitError](t, err); later.RetryAfter != 7*time.Second || g.count() != 1 {
			t.Errorf("%d: %d requests: %v", status, g.count(), err)
		}
		if _, err := cancelRenewal(ctx, c); err != nil {
			t.Errorf("%d, another method: %v", status, err)
		}

		c, g = clientFor(t, asksToWait(status, "3", "<html>"), withFakeTime(&fakeTime{}))
		_, err = cancelRenewal(ctx, c)
		e = as[*TransportError](t, err)
		if after, ok := RetryAfter(err); ok || e.RetryAfter != 3*time.Second || g.count() != 1 || !errors.Is(
			err, ErrOutcomeUnknown,
		) || errors.Is(err, ErrRateLimited) != limited {
			t.Errorf("%d: %d requests, RetryAfter is %v: %v", status, g.count(), after, err)
		}
	}
}

// Beside an envelope the header counts where the code says nothing against waiting.
func TestRetryAfterBesideAnEnvelope(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]time.Duration{
		`{"error_response":{"code":7}}`: 9 * time.Second,
		`{"error_response":{"code":7,"sub_msg":"This ban will last for 60 more seconds"}}`: time.Minute,
		`{"error_response":{"code":10}}`:                  9 * time.Second,
		`{"error_response":{"code":25}}`:                  0,
		`{"error_response":{"code":7},"successful":true}`: 0,
	} {
		c, g := clientFor(t, asksToWait(429, "9", body), withRetries())
		_, err := queryOrder(t.Context(), c)
		if e := as[*GatewayError](t, err); e.RetryAfter != want || g.count() != 1 {
			t.Errorf("%s: %v, want %v, after %d requests", body, e.RetryAfter, want, g.count())
		}
		if left := c.bans.left("", opOrderQuery.Method, testClock); left != want {
			t.Errorf("%s: banned for %v, want %v", body, left, want)
		}
	}
}

// A ban without end in sight is lifted by hand, and others can be met after that.
func TestLiftBans(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for name, first := range map[string]httpmock.Responder{
		"app":   gatewayFailure("7", appBan, "This ban will last for 1000000000000 more seconds"),
		"api":   gatewayFailure("7", apiBan, "This ban will last for 1000000000000 more seconds"),
		"proxy": asksToWait(429, "1000000000000", ""),
	} {
		c, g := clientFor(t, inTurn(first, replyJSON(okReply), banFor("60")))
		c.LiftBans() // there is none
		_, _ = queryOrder(ctx, c)
		if _, err := queryOrder(ctx, c); !isA[*RateLimitError](err) || g.count() != 1 {
			t.Errorf("%s: %d requests: %v", name, g.count(), err)
		}
		c.LiftBans()
		if _, err := queryOrder(ctx, c); err != nil || g.count() != 2 {
			t.Errorf("%s, lifted: %d requests: %v", name, g.count(), err)
		}
		_, _ = queryOrder(ctx, c)
		if _, err := queryOrder(ctx, c); !isA[*RateLimitError](err) || g.count() != 3 {
			t.Errorf("%s, another ban: %d requests: %v", name, g.count(), err)
		}
	}
}

// A ban that is met while calls wait for the limiter holds those back that have not
// gone out yet.
func TestBanMetInTheLimiter(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		next := make(chan struct{}, 1)
		limiter := limiterFunc(func(ctx context.Context) error {
			select {
			case next <- struct{}{}:
				<-time.After(100 * time.Millisecond)
				<-next
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		c, g := clientFor(t, banFor("60"), withRetries(), WithClock(time.Now), WithLimiter(limiter))
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() {
				if _, err := queryOrder(context.Background(), c); !errors.Is(err, ErrRateLimited) {
					t.Errorf("%v", err)
				}
			})
		}
		wg.Wait()
		if g.count() != 1 {
			t.Errorf("%d requests, want the one that met the ban", g.count())
		}
	})
}

// Waiting for the end of a ban costs no budget: it multiplies no outage.
func TestBansCostNoBudget(t *testing.T) {
	t.Parallel()
	ft := &fakeTime{}
	respond := []httpmock.Responder{}
	for range 40 {
		respond = append(respond, banFor("1"), replyJSON(okReply))
	}
	c, g := clientFor(t, inTurn(respond...), withFakeTime(ft))
	before := c.budget.tenths
	for range 40 {
		if _, err := queryOrder(t.Context(), c); err != nil {
			t.Fatal(err)
		}
	}
	if g.count() != 80 || c.budget.tenths != before {
		t.Errorf("%d requests, %d tenths left of %d", g.count(), c.budget.tenths, before)
	}
}

// An attempt that was taken and not made is given back whole, also where successes
// have filled the budget meanwhile.
func TestBudgetIsGivenBackWhole(t *testing.T) {
	t.Parallel()
	b := newBudget(1)
	if !b.add(-oneRetry) || b.add(-oneRetry) {
		t.Fatal("want one attempt")
	}
	b.add(oneSuccess)
	b.add(oneRetry)
	if !b.add(-oneRetry) {
		t.Error("the attempt is lost")
	}
}

// Close to its deadline a write that surely was not carried out is not tried again,
// while a read is: cut off by the deadline it would end unknown.
func TestWriteCloseToTheDeadline(t *testing.T) {
	t.Parallel()
	for write, want := range map[bool]int{true: 1, false: 3} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), leastForWrite)
			defer cancel()
			c, g := clientFor(t, dialFailure(), WithRetry(RetryPolicy{BaseDelay: time.Millisecond, MaxDelay: time.Millisecond}))
			_, err := send(ctx, c, write)
			if g.count() != want || OutcomeOf(err) != OutcomeNotSent || errors.Is(err, ErrOutcomeUnknown) {
				t.Errorf("write %v: %d requests, want %d: %v", write, g.count(), want, err)
			}
		})
	}
}

// A nil pointer is no limiter.
func TestNilLimiter(t *testing.T) {
	t.Parallel()
	for _, l := range []Limiter{nil, (*nilLimiter)(nil)} {
		if _, err := NewClient(testAppKey, testSecret, WithLimiter(l)); err == nil {
			t.Errorf("%T is taken", l)
		}
	}
}

type nilLimiter struct{ n int }

func (l *nilLimiter) Wait(context.Context) error { l.n++; return nil }

// A write that may have been carried out is to be settled, not to be sent again
// after a while.
func TestNoRetryAfterUnknown(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, inTurn(failure(t, "EOF"), banFor("60")), withFakeTime(&fakeTime{}))
	_, err := send(t.Context(), c, true, CallRepeatUnknown())
	if after, ok := RetryAfter(err); ok || !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("RetryAfter is %v: %v", after, err)
	}
}

type limiterFunc func(ctx context.Context) error

func (f limiterFunc) Wait(ctx context.Context) error { return f(ctx) }

var errNoToken = errors.New("no token left")

// refusing is a limiter that lets the first n attempts pass.
func refusing(n int) Limiter {
	var asked atomic.Int64
	return limiterFunc(func(context.Context) error {
		if asked.Add(1) > int64(n) {
			return errNoToken
		}
		return nil
	})
}

// The limiter is asked before every attempt, with the caller's context.
func TestLimiterIsAskedBeforeEveryAttempt(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, "mine")
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		write   bool
		want    string
	}{
		"one attempt": {replyJSON(okReply), true, "wait send"},
		"repeated read": {
			inTurn(replyJSON("?"), gatewayFailure("10", "", ""), replyJSON(okReply)), false, "wait send wait send wait send",
		},
		"repeated write": {
			inTurn(dialFailure(), gatewayFailure("5", "", ""), replyJSON(okReply)), true, "wait send wait send wait send",
		},
		"write not repeated":  {gatewayFailure("10", "", ""), true, "wait send"},
		"all attempts failed": {gatewayFailure("10", "", ""), false, "wait send wait send wait send"},
	} {
		var steps []string
		ft := &fakeTime{}
		c, _ := clientFor(t, func(r *http.Request) (*http.Response, error) {
			steps = append(steps, "send")
			return tc.respond(r)
		}, withFakeTime(ft), WithLimiter(limiterFunc(func(ctx context.Context) error {
			if ctx.Value(key{}) != "mine" {
				t.Errorf("%s: not the caller's context", name)
			}
			steps = append(steps, "wait")
			return nil
		})))
		_, _ = send(ctx, c, tc.write)
		diff(t, name, tc.want, strings.Join(steps, " "))
	}
	// A request that is refused asks for nothing.
	c, _ := clientFor(t, replyJSON(okReply), WithLimiter(limiterFunc(func(context.Context) error {
		t.Error("asked for a request that is not sent")
		return nil
	})))
	if _, err := c.Orders.Query(ctx, &OrderQueryRequest{}); !isA[*fliggy.ValidationError](err) {
		t.Error(err)
	}
}

// What the limiter lets through at its pace goes out at its pace.
func TestLimiterSpacesCallsOut(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		next := time.Now()
		pace := limiterFunc(func(ctx context.Context) error {
			mu.Lock()
			wait := time.Until(next)
			next = next.Add(time.Second)
			mu.Unlock()
			return sleep(ctx, wait)
		})
		var sentAt []time.Duration
		start := time.Now()
		c, _, _ := watched(t, func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			sentAt = append(sentAt, time.Since(start))
			return replyJSON(okReply)(r)
		}, WithLimiter(pace))
		c.cfg.observers = nil // watched's own is for one goroutine
		var wg sync.WaitGroup
		for range 5 {
			wg.Go(func() {
				if _, err := queryOrder(t.Context(), c); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		diff(t, "times", []time.Duration{0, time.Second, 2 * time.Second, 3 * time.Second, 4 * time.Second}, sentAt)
	})
}

// A limiter that refuses: nothing is sent, and the error tells so.
func TestLimiterRefuses(t *testing.T) {
	t.Parallel()
	for _, write := range []bool{false, true} {
		c, g, seen := watched(t, replyJSON(okReply), WithClock(testClock), WithLimiter(refusing(0)))
		meta, err := send(context.Background(), c, write, CallRepeatUnknown())
		method := opOrderQuery.Method
		if write {
			method = opRenewalCancel.Method
		}
		e := as[*RateLimitError](t, err)
		// not the very error: that may hold anything
		if e.Method != method || e.RetryAfter != 0 || !errors.Is(e.Err, errNoToken) || meta != nil || g.count() != 0 {
			t.Errorf("%+v after %d requests", e, g.count())
		}
		if !errors.Is(err, errNoToken) || OutcomeOf(err) != OutcomeNotSent {
			t.Errorf("outcome %v: %v", OutcomeOf(err), err)
		}
		for _, s := range sentinels {
			if got, want := errors.Is(err, s), errors.Is(s, ErrRateLimited); got != want {
				t.Errorf("matches %q: %v", s, got)
			}
		}
		if after, ok := RetryAfter(err); ok || after != 0 {
			t.Errorf("a ban of %v", after)
		}
		diff(t, "text", "rentcar: "+method+": not sent: rate limited: no token left", err.Error())
		diff(t, "observations", []Observation{{Method: method, Done: true, Outcome: OutcomeNotSent}}, *seen)
	}
}

// A limiter that refuses the next attempt leaves the failure of the last one.
func TestLimiterRefusesToRepeat(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		write   bool
		passes  int
		want    want
	}{
		"read":          {gatewayFailure("10", "", ""), false, 1, wantLost},
		"twice":         {gatewayFailure("10", "", ""), false, 2, wantLost},
		"no connection": {dialFailure(), true, 1, wantNotSent},
		"flow control":  {gatewayFailure("5", "", ""), true, 2, wantThrottled},
		"undecodable":   {replyJSON("?"), false, 1, wantGarbled},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ft := &fakeTime{}
			c, g, seen := watched(t, tc.respond, withFakeTime(ft), WithLimiter(refusing(tc.passes)))
			_, err := send(context.Background(), c, tc.write)
			if g.count() != tc.passes || attemptsOf(err) != tc.passes {
				t.Errorf("%d requests: %v", g.count(), err)
			}
			//nolint:errorlint // the sentinel itself
			if OutcomeOf(err) != tc.want.outcome || testClass(t, err).kind != tc.want.kind {
				t.Errorf("outcome %v: %v", OutcomeOf(err), err)
			}
			if tc.want.kind != nil && !errors.Is(err, tc.want.kind) {
				t.Errorf("%v does not match %v", err, tc.want.kind)
			}
			if !isA[*RateLimitError](err) || !errors.Is(err, ErrRateLimited) || !errors.Is(err, errNoToken) {
				t.Errorf("the limiter is not in the error: %v", err)
			}
			if !strings.Contains(err.Error(), " (not sent again: rentcar: ") {
				t.Errorf("the text does not say why: %v", err)
			}
			checkSeen(t, *seen, tc.passes, tc.want.outcome, tc.want.outcome)
			if left := c.budget.full - c.budget.tenths; left != int64(10*(tc.passes-1)) {
				t.Errorf("%d tenths of the budget are spent", left)
			}
		})
	}
}

// The context may end while the limiter waits: that is no matter of the limit.
func TestContextEndsInTheLimiter(t *testing.T) {
	t.Parallel()
	boss := errors.New("the boss says no")
	endless := func(n int) Limiter { // waits after n attempts
		asked := 0
		return limiterFunc(func(ctx context.Context) error {
			if asked++; asked > n {
				<-ctx.Done()
				return errNoToken // as some say it
			}
			return nil
		})
	}
	synctest.Test(t, func(t *testing.T) {
		c, g, seen := watched(t, replyJSON(okReply), WithLimiter(endless(0)))
		ctx, cancel := cancelAfter(time.Second, boss)
		defer cancel()
		_, err := send(ctx, c, true)
		wantNever.check(t, err, true)
		e := as[*TransportError](t, err)
		if e.Phase != PhaseBefore || e.Attempts != 0 || g.count() != 0 {
			t.Errorf("%+v after %d requests", e, g.count())
		}
		for _, is := range []error{context.Canceled, boss, errNoToken} {
			if !errors.Is(err, is) {
				t.Errorf("%v does not match %v", err, is)
			}
		}
		diff(
			t, "observations",
			[]Observation{{Method: opRenewalCancel.Method, Done: true, Duration: time.Second, Outcome: OutcomeNotSent}}, *seen,
		)

		c, g, _ = watched(t, dialFailure(), WithLimiter(endless(1)))
		ctx, cancel = cancelAfter(time.Second, boss)
		defer cancel()
		_, err = send(ctx, c, true)
		if e := as[*TransportError](t, err); e.Phase != PhaseConnect || e.Attempts != 1 || g.count() != 1 ||
			OutcomeOf(err) != OutcomeNotSent {
			t.Errorf("%+v after %d requests", e, g.count())
		}
		if !errors.Is(
			err, context.Canceled,
		) || !errors.Is(err, boss) || errors.Is(err, ErrRateLimited) || !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v", err)
		}
	})
}

// A limiter and a sleep may return what ended the context, which may be the limit of another call.
func TestLimitOfAnotherCall(t *testing.T) {
	t.Parallel()
	other := &RateLimitError{Method: "other.method", RetryAfter: time.Hour}
	const why = "context canceled (an error of another call, *rentcar.RateLimitError)"
	for name, tc := range map[string]struct {
		wait   func(end func()) Option
		text   string // the end of it
		unsent bool
	}{
		"limiter": {func(end func()) Option {
			return WithLimiter(limiterFunc(func(ctx context.Context) error { end(); return context.Cause(ctx) }))
		}, "before sending: " + why, true},
		"limiter of a retry": {func(end func()) Option {
			asked := 0
			return WithLimiter(limiterFunc(func(ctx context.Context) error {
				if asked++; asked > 1 {
					end()
				}
				return context.Cause(ctx)
			}))
		}, "(not sent again: " + why + ")", false},
		"sleep": {func(end func()) Option {
			return WithSleep(func(ctx context.Context, _ time.Duration) error { end(); return context.Cause(ctx) })
		}, "(not sent again: " + why + ")", false},
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		c, g := clientFor(t, dialFailure(), withRetries(), tc.wait(func() { cancel(other) }))
		_, err := cancelRenewal(ctx, c)
		if !strings.HasSuffix(err.Error(), tc.text) || (g.count() == 0) != tc.unsent || OutcomeOf(err) != OutcomeNotSent {
			t.Errorf("%s: %d requests, outcome %v: %v", name, g.count(), OutcomeOf(err), err)
		}
		if !isA[*TransportError](err) || !errors.Is(err, context.Canceled) || !errors.Is(err, other) {
			t.Errorf("%s: %T does not match: %v", name, err, err)
		}
		if _, told := RetryAfter(err); told || errors.Is(err, ErrRateLimited) || isA[*RateLimitError](err) {
			t.Errorf("%s: the limit of another call is taken over: %v", name, err)
		}
	}
}
