package rentcar

import (
	"context"
	"errors"
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
		"one attempt":         {replyJSON(okReply), true, "wait send"},
		"repeated read":       {inTurn(replyJSON("?"), gatewayFailure("10", "", ""), replyJSON(okReply)), false, "wait send wait send wait send"},
		"repeated write":      {inTurn(dialFailure(), gatewayFailure("5", "", ""), replyJSON(okReply)), true, "wait send wait send wait send"},
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
		if e.Method != method || e.RetryAfter != 0 || !errors.Is(e.Err, errNoToken) || meta != nil || g.count() != 0 { // not the very error: that may hold anything
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
			if OutcomeOf(err) != tc.want.outcome || testClass(t, err).kind != tc.want.kind { //nolint:errorlint // the sentinel itself
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
			if left := c.budget.full - c.budget.tenths.Load(); left != int64(10*(tc.passes-1)) {
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
		diff(t, "observations", []Observation{{Method: opRenewalCancel.Method, Done: true, Duration: time.Second, Outcome: OutcomeNotSent}}, *seen)

		c, g, _ = watched(t, dialFailure(), WithLimiter(endless(1)))
		ctx, cancel = cancelAfter(time.Second, boss)
		defer cancel()
		_, err = send(ctx, c, true)
		if e := as[*TransportError](t, err); e.Phase != PhaseConnect || e.Attempts != 1 || g.count() != 1 || OutcomeOf(err) != OutcomeNotSent {
			t.Errorf("%+v after %d requests", e, g.count())
		}
		if !errors.Is(err, context.Canceled) || !errors.Is(err, boss) || errors.Is(err, ErrRateLimited) || !errors.Is(err, ErrUnavailable) {
			t.Errorf("%v", err)
		}
	})
}
