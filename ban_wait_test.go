package rentcar

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"
)

// banned is a client that has just met a ban and is let through from now on; ft is
// its clock.
func banned(t *testing.T, seconds string, opts ...Option) (*Client, *gatewayMock, *fakeTime) {
	t.Helper()
	ft := &fakeTime{}
	c, g := clientFor(t, inTurn(banFor(seconds), replyJSON(okReply)), append([]Option{withFakeTime(ft)}, opts...)...)
	if _, err := queryOrder(t.Context(), c, CallAttempts(1)); !isA[*GatewayError](err) || !errors.Is(err, ErrRateLimited) {
		t.Fatal(err)
	}
	return c, g, ft
}

// A call waits for the end of a ban that is short, and fails at once for a long one:
// what is long is up to the policy.
func TestShortBansAreWaitedOut(t *testing.T) {
	t.Parallel()
	long := WithRetry(RetryPolicy{MaxDelay: 2 * time.Minute})
	for name, tc := range map[string]struct {
		seconds string
		opts    []Option
		passed  time.Duration // before the second call
		left    time.Duration // of the ban then
		fails   bool
	}{
		"one second":             {"1", nil, 0, time.Second, false},
		"partly over":            {"3", nil, 1500 * time.Millisecond, 1500 * time.Millisecond, false},
		"as long as may be":      {"5", nil, 0, 5 * time.Second, false},
		"longer":                 {"6", nil, 0, 6 * time.Second, true},
		"a little longer":        {"6", nil, time.Second - 1, 5*time.Second + 1, true},
		"just short":             {"6", nil, time.Second, 5 * time.Second, false},
		"a minute":               {"60", nil, 0, time.Minute, true},
		"a minute, shrinking":    {"60", nil, 50 * time.Second, 10 * time.Second, true},
		"almost over":            {"60", nil, 59 * time.Second, time.Second, false},
		"over":                   {"60", nil, time.Minute, 0, false},
		"long over":              {"60", nil, time.Hour, 0, false},
		"a patient policy":       {"60", []Option{long}, 0, time.Minute, false},
		"the day's quota":        {"31062", nil, 0, 31062 * time.Second, true},
		"the day's quota, later": {"31062", nil, 31000 * time.Second, 62 * time.Second, true},
		"hostile":                {"999999999", nil, 0, 24 * time.Hour, true},
		"hostile, tomorrow":      {"999999999", nil, 24 * time.Hour, 0, false},
		"sent once, waiting":     {"3", []Option{WithRetry(RetryPolicy{MaxAttempts: 1})}, 0, 3 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var seen []Observation
			c, g, ft := banned(t, tc.seconds, append(tc.opts, WithObserver(func(_ context.Context, o Observation) { seen = append(seen, o) }))...)
			ft.advance(tc.passed)
			seen, ft.waits = nil, nil
			meta, err := send(context.Background(), c, false)
			if !tc.fails {
				if err != nil || meta.Attempts != 1 || g.count() != 2 {
					t.Errorf("%d requests, %+v: %v", g.count(), meta, err)
				}
				if tc.left == 0 {
					diff(t, "waits", []time.Duration(nil), ft.waits)
				} else if len(ft.waits) != 1 || ft.waits[0] < tc.left || ft.waits[0] >= tc.left+banJitter {
					t.Errorf("waited %v, want %v", ft.waits, tc.left)
				}
				checkSeen(t, seen, 1, OutcomeSucceeded, OutcomeSucceeded)
				return
			}
			diff(t, "error", &RateLimitError{Method: opOrderQuery.Method, RetryAfter: tc.left}, as[*RateLimitError](t, err))
			if meta != nil || g.count() != 1 || len(ft.waits) != 0 || OutcomeOf(err) != OutcomeNotSent || !errors.Is(err, ErrRateLimited) || errors.Is(err, ErrOutcomeUnknown) {
				t.Errorf("%d requests, waits %v: %v", g.count(), ft.waits, err)
			}
			if after, ok := RetryAfter(err); !ok || after != tc.left {
				t.Errorf("RetryAfter is %v, %v", after, ok)
			}
			diff(t, "text", "rentcar: alitrip.rentcar.btb.order.query: not sent: rate limited: the ban lasts for "+tc.left.Round(time.Millisecond).String()+" more", err.Error())
			diff(t, "observations", []Observation{{Method: opOrderQuery.Method, Done: true, Outcome: OutcomeNotSent}}, seen)
		})
	}
}

// A call that meets a short ban itself waits for its end, and goes out again.
func TestABanThatTheCallMeets(t *testing.T) {
	t.Parallel()
	for _, write := range []bool{false, true} {
		ft := &fakeTime{}
		c, g := clientFor(t, inTurn(banFor("2"), banFor("3"), replyJSON(okReply)), withFakeTime(ft))
		meta, err := send(context.Background(), c, write)
		if err != nil || meta.Attempts != 3 || g.count() != 3 {
			t.Errorf("%d requests: %v", g.count(), err)
		}
		if took := ft.time().Sub(testClock()); took < 5*time.Second || took >= 5*time.Second+2*banJitter {
			t.Errorf("took %v: %v", took, ft.waits)
		}
	}
	c, g := clientFor(t, banFor("60"), withRetries())
	_, err := send(context.Background(), c, true)
	if e := as[*GatewayError](t, err); e.RetryAfter != time.Minute || g.count() != 1 || isA[*stopped](err) || OutcomeOf(err) != OutcomeRejected {
		t.Errorf("%d requests: %v", g.count(), err)
	}
}

// A ban that another call has met meanwhile stands against another attempt, too.
func TestABanThatAnotherCallMeets(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		code    string
		told    time.Duration // by the failure itself
	}{
		"an outage": {gatewayFailure("10", "", ""), "10", 0},
		"a ban":     {banFor("1"), "7", time.Second},
	} {
		var c *Client
		c, g := clientFor(t, func(r *http.Request) (*http.Response, error) {
			c.bans.note("", "", time.Minute, testClock())
			return tc.respond(r)
		}, withFakeTime(&fakeTime{}))
		_, err := queryOrder(context.Background(), c)
		if e := as[*GatewayError](t, err); e.Code != tc.code || e.RetryAfter != tc.told || g.count() != 1 || OutcomeOf(err) != e.Outcome() {
			t.Errorf("%s: %d requests: %v", name, g.count(), err)
		}
		if after, ok := RetryAfter(err); !ok || after != time.Minute || !errors.Is(err, ErrRateLimited) {
			t.Errorf("%s: RetryAfter is %v, %v", name, after, ok)
		}
		if want := "(not sent again: rentcar: alitrip.rentcar.btb.order.query: not sent: rate limited: the ban lasts for 1m0s more)"; !strings.HasSuffix(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The caller's deadline decides whether a ban is waited out.
func TestBansAndDeadlines(t *testing.T) {
	t.Parallel()
	boss := errors.New("the boss says no")
	synctest.Test(t, func(t *testing.T) {
		c, g, seen := watched(t, inTurn(banFor("3"), replyJSON(okReply)))
		_, _ = queryOrder(t.Context(), c, CallAttempts(1))

		soon, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		start := time.Now()
		_, err := queryOrder(soon, c)
		if e := as[*RateLimitError](t, err); e.RetryAfter != 3*time.Second || time.Since(start) != 0 || g.count() != 1 || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%d requests after %v: %v", g.count(), time.Since(start), err)
		}
		cancel()

		*seen = nil
		left, leave := cancelAfter(time.Second, boss)
		_, err = send(left, c, true)
		if err != nil {
			t.Errorf("another API is banned: %v", err) // of the API that met it only
		}
		_, err = queryOrder(left, c)
		e := as[*TransportError](t, err)
		if e.Phase != PhaseBefore || e.Attempts != 0 || OutcomeOf(err) != OutcomeNotSent || !errors.Is(err, boss) || !errors.Is(err, context.Canceled) {
			t.Errorf("%+v: %v", e, err)
		}
		if took := time.Since(start); took != time.Second || g.count() != 2 {
			t.Errorf("%d requests after %v", g.count(), took)
		}
		want := Observation{Method: opOrderQuery.Method, Done: true, Outcome: OutcomeNotSent, Duration: time.Second}
		diff(t, "observation", want, (*seen)[len(*seen)-1])
		leave()

		late, cancel := context.WithTimeout(t.Context(), 2*time.Second+banJitter)
		defer cancel()
		if _, err := queryOrder(late, c); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took < 3*time.Second || took >= 3*time.Second+banJitter || g.count() != 3 {
			t.Errorf("%d requests after %v", g.count(), took)
		}
	})
}

// A clock that stands still, as a test's may, ends no ban: the call gives up when it
// has waited long enough.
func TestBanUnderAFrozenClock(t *testing.T) {
	t.Parallel()
	for _, left := range []time.Duration{1, time.Millisecond, time.Second, 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			c, g := clientFor(t, replyJSON(okReply), withRetries())
			c.bans.note("", "", left, testClock())
			start := time.Now()
			_, err := queryOrder(t.Context(), c)
			e := as[*RateLimitError](t, err)
			if took := time.Since(start); e.RetryAfter != left || g.count() != 0 || took < left || took > DefaultMaxDelay+banJitter {
				t.Errorf("%v: %d requests after %v: %v", left, g.count(), took, err)
			}
		})
	}
	sleeps := 0
	c, g := clientFor(t, banFor("1"), withRetries(), WithSleep(func(context.Context, time.Duration) error { sleeps++; return nil }))
	_, err := queryOrder(context.Background(), c)
	if e := as[*GatewayError](t, err); e.RetryAfter != time.Second || g.count() != 1 || sleeps > 7 {
		t.Errorf("%d requests, %d waits: %v", g.count(), sleeps, err)
	}
}

// A ban that grows while a call waits for its end is waited out too, as long as it
// is short all together.
func TestABanThatGrows(t *testing.T) {
	t.Parallel()
	for grown, fails := range map[time.Duration]bool{2 * time.Second: false, 30 * time.Second: true} {
		ft := &fakeTime{}
		var c *Client
		grow := sync.OnceFunc(func() { c.bans.note("", "", grown, ft.time()) })
		c, g := clientFor(t, replyJSON(okReply), withFakeTime(ft), WithSleep(func(ctx context.Context, d time.Duration) error {
			defer grow()
			return ft.sleep(ctx, d)
		}))
		c.bans.note("", "", 2*time.Second, ft.time())
		_, err := queryOrder(context.Background(), c)
		if fails {
			if e := as[*RateLimitError](t, err); e.RetryAfter != grown || g.count() != 0 || len(ft.waits) != 1 {
				t.Errorf("%d requests, waits %v: %v", g.count(), ft.waits, err)
			}
		} else if err != nil || g.count() != 1 || len(ft.waits) != 2 {
			t.Errorf("%d requests, waits %v: %v", g.count(), ft.waits, err)
		}
	}
}

// Many callers meet one ban: none is sent while it is known and lasts, all are sent
// after it, not at one instant.
func TestManyCallersInABan(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const callers = 100
		start := time.Now()
		var mu sync.Mutex
		var inside int
		after := map[time.Duration]int{}
		c, g := clientFor(t, func(r *http.Request) (*http.Response, error) {
			mu.Lock()
			defer mu.Unlock()
			passed := time.Since(start)
			if passed < 3*time.Second {
				inside++
				return banFor("3")(r)
			}
			after[passed]++
			return replyJSON(okReply)(r)
		}, withRetries(), WithClock(time.Now))
		_, _ = queryOrder(t.Context(), c, CallAttempts(1))
		var wg sync.WaitGroup
		var failed atomic.Int64
		for range callers {
			wg.Go(func() {
				if _, err := queryOrder(t.Context(), c); err != nil {
					failed.Add(1)
				}
			})
		}
		wg.Wait()
		if inside != 1 || failed.Load() != 0 || g.count() != callers+1 {
			t.Errorf("%d requests within the ban, %d calls failed, %d requests", inside, failed.Load(), g.count())
		}
		for at := range after {
			if at >= 3*time.Second+banJitter {
				t.Errorf("a call was sent after %v", at)
			}
		}
		if len(after) < callers/2 {
			t.Errorf("%d calls were sent at %d times only", callers, len(after))
		}
	})
}

// Callers that meet bans at once, of many APIs, leave all of them.
func TestBansUnderRace(t *testing.T) {
	t.Parallel()
	const callers, each = 8, 50
	var b bans
	var wg sync.WaitGroup
	method := func(caller, n int) string { return fmt.Sprintf("%d.%d", caller, n) }
	for caller := range callers {
		wg.Go(func() {
			for n := range each {
				b.note("", method(caller, n), time.Minute, testClock())
				b.note("", "all", time.Duration(1+caller*each+n)*time.Second, testClock())
				_ = b.left("", "all", testClock)
			}
		})
	}
	wg.Wait()
	for caller := range callers {
		for n := range each {
			if got := b.left("", method(caller, n), testClock); got != time.Minute {
				t.Errorf("%s: %v are left", method(caller, n), got)
			}
		}
	}
	if got := b.left("", "all", testClock); got != callers*each*time.Second {
		t.Errorf("%v are left of the longest", got)
	}
}
