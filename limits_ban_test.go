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
	"pgregory.net/rapid"
)

const apiBan = "accesscontrol.limited-by-api-access-count"

// What a message tells of the rest of a ban.
func TestBanTexts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"This ban will last for 1 more seconds":                          time.Second,
		"This ban will last for 1 more second.":                          time.Second,
		"This ban will last for 60 more seconds":                         time.Minute,
		"This ban will last for 31062 more seconds":                      8*time.Hour + 37*time.Minute + 42*time.Second,
		"This ban will last for 00031062 more seconds":                   31062 * time.Second,
		"app call limited: THIS BAN WILL LAST FOR 5 MORE SECONDS, sorry": 5 * time.Second,
		"it will last\tfor  7\nmore  seconds":                            7 * time.Second,
		// a call too early may prolong a ban
		"last for 3 more seconds, last for 9 more seconds":                   9 * time.Second,
		"exceeds the limit. This ban will last 14229 seconds":                14229 * time.Second,
		"exceeds the limit. this ban will last 1 seconds":                    time.Second,
		"not forbidden, will last 7 more seconds":                            7 * time.Second,
		"last for 12 seconds":                                                12 * time.Second,
		"in the last 60 seconds the limit; this ban will last 14229 seconds": 14229 * time.Second,
		"This ban will last 5 seconds, more than in the last 60 seconds":     5 * time.Second,
		"This ban will last 14,229 seconds":                                  14229 * time.Second,
		// no longer ignored, as are hours
		"This ban will last for 2 more minutes":              2 * time.Minute,
		"this ban will last 1 hour":                          time.Hour,
		"this ban will last 25 HOURS":                        24 * time.Hour,
		"this ban will last 9,999,999,999,999,999,999 hours": 24 * time.Hour,
		"this ban will last 1,2 seconds":                     0,
		"This ban will last for 86399 more seconds":          86399 * time.Second,
		"This ban will last for 86400 more seconds":          24 * time.Hour,
		"This ban will last for 86401 more seconds":          24 * time.Hour,
		"This ban will last for 999999999 more seconds":      24 * time.Hour,

		"":                                       0,
		"This ban will last for 0 more seconds":  0,
		"This ban will last for -5 more seconds": 0,
		"This ban will last for 1.5 more seconds":                  0,
		"this ban will last 0 seconds":                             0,
		"at last, 5 seconds":                                       0,
		"This ban will last for some more seconds":                 0,
		"This ban will last for 9999999999 more seconds":           24 * time.Hour,
		"This ban will last for 1000000000000 more seconds":        24 * time.Hour,
		"This ban will last 1000000000000 seconds":                 24 * time.Hour,
		"This ban will last for 99999999999999999999 more seconds": 24 * time.Hour,
		"This ban will last for １２ more seconds":                   0,
		"This ban lasts 12 seconds":                                0,
		"该应用在 12 秒内被限流":                                            0,
	} {
		if got := banOf(text); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "before") + fmt.Sprintf(
			"last for %s more seconds", rapid.StringMatching(`[0-9]{0,25}`).Draw(t, "seconds"),
		)
		if got := banOf(text); got < 0 || got > maxBan {
			t.Fatalf("%q: %v", text, got)
		}
	})
}

// Only flow control bans, whichever of its two texts tells for how long.
func TestBansInReplies(t *testing.T) {
	t.Parallel()
	const ban = "This ban will last for 60 more seconds"
	for name, tc := range map[string]struct {
		code, msg, subCode, subMsg string
		want                       time.Duration
	}{
		"sub message":     {"7", "App Call Limited", apiBan, ban, time.Minute},
		"message":         {"7", ban, apiBan, "", time.Minute},
		"both":            {"7", "This ban will last for 5 more seconds", apiBan, ban, time.Minute},
		"no sub code":     {"7", "App Call Limited", "", ban, time.Minute},
		"other main code": {"15", "Remote service error", appBan, ban, time.Minute},
		"business limit":  {"15", "Remote service error", "isv.BUSINESS_LIMIT_CONTROL", ban, time.Minute},
		"no time":         {"7", "App Call Limited", apiBan, "later", 0},
		"hostile":         {"7", "App Call Limited", apiBan, "This ban will last for 999999999 more seconds", 24 * time.Hour},
		"isv., ban":       {"15", ban, "isv.invalid-parameter", ban, 0},
		"isp., ban":       {"7", ban, "isp.http-closed", ban, 0},
		"code 10, ban":    {"10", ban, "", ban, 0},
		"code 25, ban":    {"25", ban, "", ban, 0},
	} {
		c, g := clientFor(
			t,
			replyJSON(
				fmt.Sprintf(
					`{"error_response":{"code":%q,"msg":%q,"sub_code":%q,"sub_msg":%q}}`, tc.code, tc.msg, tc.subCode, tc.subMsg,
				),
			),
		)
		_, err := queryOrder(context.Background(), c)
		if e := as[*GatewayError](t, err); e.RetryAfter != tc.want {
			t.Errorf("%s: %v, want %v", name, e.RetryAfter, tc.want)
		}
		after, told := RetryAfter(err)
		if after != tc.want || told != (tc.want > 0) {
			t.Errorf("%s: RetryAfter is %v, %v", name, after, told)
		}
		if left := c.bans.left("", opOrderQuery.Method, testClock); left != tc.want || g.count() != 1 {
			t.Errorf("%s: banned for %v after %d requests, want %v", name, left, g.count(), tc.want)
		}
	}
}

// A ban holds for what its sub code names: the API that met it, or the app.
func TestScopesOfBans(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	var out Raw
	calls := map[string]func(c *Client) error{
		"order.query": func(c *Client) error { _, err := queryOrder(ctx, c); return err },
		"cancel":      func(c *Client) error { _, err := cancelRenewal(ctx, c); return err },
		"Call of it":  func(c *Client) error { return c.Call(ctx, opOrderQuery.Method, nil, &out) },
		"Call":        func(c *Client) error { return c.Call(ctx, "x.y", nil, &out) },
		"CallQimen":   func(c *Client) error { return c.CallQimen(ctx, "x.z", &QimenRequest{TargetAppKey: "1"}, &out) },
	}
	api := map[string]bool{"order.query": true, "Call of it": true}
	app := map[string]bool{"order.query": true, "Call of it": true, "cancel": true, "Call": true, "CallQimen": true}
	for name, tc := range map[string]struct {
		subCode, subMsg string
		banned          map[string]bool
	}{
		"app":            {appBan, "This ban will last for 60 more seconds", app},
		"api":            {apiBan, "This ban will last for 60 more seconds", api},
		"app and api":    {"accesscontrol.limited-by-app-api-access-count", "This ban will last for 60 more seconds", api},
		"dynamic":        {"accesscontrol.limited-by-dynamic-access-count", "This ban will last for 60 more seconds", api},
		"unknown":        {"accesscontrol.limited-by-the-moon", "This ban will last for 60 more seconds", api},
		"no sub code":    {"", "This ban will last for 60 more seconds", api},
		"no time told":   {appBan, "for a while", nil},
		"already over":   {appBan, "This ban will last for 0 more seconds", nil},
		"no flow at all": {"isv.invalid-parameter", "This ban will last for 60 more seconds", nil},
	} {
		for second, call := range calls {
			c, g := clientFor(
				t, inTurn(gatewayFailure("7", tc.subCode, tc.subMsg), replyOK), WithQimenURL("http://qimen.test/qm"),
			)
			if name == "no flow at all" {
				c, g = clientFor(
					t, inTurn(gatewayFailure("15", tc.subCode, tc.subMsg), replyOK), WithQimenURL("http://qimen.test/qm"),
				)
			}
			if _, err := queryOrder(ctx, c); !isA[*GatewayError](err) || g.count() != 1 {
				t.Fatalf("%s: %v", name, err)
			}
			err := call(c)
			if tc.banned[second] {
				if e := as[*RateLimitError](t, err); e.RetryAfter != time.Minute || g.count() != 1 {
					t.Errorf("%s, then %s: %d requests: %v", name, second, g.count(), err)
				}
				continue
			}
			if err != nil || g.count() != 2 {
				t.Errorf("%s, then %s: %d requests: %v", name, second, g.count(), err)
			}
		}
	}
}

// replyOK is a success, as each gateway says it.
func replyOK(r *http.Request) (*http.Response, error) {
	if r.URL.Query().Has("target_app_key") {
		return replyJSON(`{"response":{"flag":"success"}}`)(r)
	}
	return replyJSON(okReply)(r)
}

// A ban that comes through a Qimen provider holds for that provider alone: it may
// have written the reply.
func TestBanOfAQimenProvider(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	banned := replyJSON(
		fmt.Sprintf(
			`{"response":{"flag":"failure","code":7,"sub_code":%q,"sub_message":"This ban will last for 60 more seconds"}}`,
			appBan,
		),
	)
	c, g := clientFor(t, inTurn(banned, replyOK), WithQimenURL("http://qimen.test/qm"))
	var out Raw
	call := func(target string) error {
		return c.CallQimen(ctx, "x.z", &QimenRequest{TargetAppKey: target}, &out)
	}
	if e := as[*GatewayError](t, call("1")); e.RetryAfter != time.Minute {
		t.Errorf("%+v", e)
	}
	if e := as[*RateLimitError](t, call("1")); e.RetryAfter != time.Minute || g.count() != 1 {
		t.Errorf("%d requests: %v", g.count(), e)
	}
	if err := call("2"); err != nil {
		t.Errorf("another provider: %v", err)
	}
	if _, err := queryOrder(ctx, c); err != nil {
		t.Errorf("the TOP gateway: %v", err)
	}
}

// A provider's own code 7 is no flow control: what it means is not known.
func TestCodeSevenOfAQimenProvider(t *testing.T) {
	t.Parallel()
	c,
		g := clientFor(t, reply(
		200, xmlType, `<response><flag>failure</flag><code>7</code><message>booked already</message></response>`,
	),
		WithQimenURL("http://qimen.test/qm"), WithFormat(XML), withFakeTime(&fakeTime{}))
	var out Raw
	err := c.CallQimen(context.Background(), "x.z", &QimenRequest{TargetAppKey: "1", XML: []byte("<r/>")}, &out)
	if g.count() != 1 || !errors.Is(err, ErrOutcomeUnknown) || errors.Is(err, ErrRateLimited) {
		t.Errorf("%d requests: %v", g.count(), err)
	}
}

// Of several bans the longest holds, whichever was told first, and what is over is
// forgotten.
func TestBansAreMerged(t *testing.T) {
	t.Parallel()
	now := testClock()
	var b bans
	left := func(after time.Duration, a, other time.Duration) {
		t.Helper()
		then := func() time.Time { return now.Add(after) }
		if got, rest := b.left("", "a", then), b.left("", "b", then); got != a || rest != other {
			t.Errorf("after %v: %v and %v are left, want %v and %v", after, got, rest, a, other)
		}
	}
	left(0, 0, 0)
	b.note("", "a", 0, now)
	left(0, 0, 0)
	b.note("", "a", time.Minute, now)
	left(0, time.Minute, 0)
	b.note("", "a", time.Second, now) // told earlier, heard later
	left(0, time.Minute, 0)
	b.note("", "", 20*time.Second, now)
	left(0, time.Minute, 20*time.Second)
	b.note("", "", 90*time.Second, now)
	left(0, 90*time.Second, 90*time.Second)
	left(90*time.Second-1, 1, 1)
	left(90*time.Second, 0, 0)
	b.note("", "b", time.Minute, now.Add(2*time.Hour))
	left(2*time.Hour, 0, time.Minute)
	if kept := b.until; len(kept) != 1 {
		t.Errorf("bans that are over are kept: %v", kept)
	}
	left(-time.Hour, 0, 3*time.Hour+time.Minute) // a clock that was put back
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	limited := &RateLimitError{Method: "m", RetryAfter: time.Second}
	gateway := &GatewayError{Method: "m", Code: "7", RetryAfter: time.Minute}
	for name, tc := range map[string]struct {
		err  error
		want time.Duration
	}{
		"nil":                     {nil, 0},
		"another package's":       {errors.New("x"), 0},
		"not banned":              {limited, time.Second},
		"wrapped":                 {fmt.Errorf("x: %w", limited), time.Second},
		"gateway":                 {fmt.Errorf("x: %w", gateway), time.Minute},
		"limiter":                 {&RateLimitError{Err: errNoToken}, 0},
		"gateway, no ban":         {&GatewayError{Code: "7"}, 0},
		"limiter, after a ban":    {&stopped{last: gateway, why: &RateLimitError{Err: errNoToken}}, time.Minute},
		"a longer ban of another": {&stopped{last: limited, why: gateway}, time.Second},
		"no ban, then one": {
			&stopped{last: &GatewayError{Method: opOrderQuery.Method, Code: "10"}, why: limited}, time.Second,
		},
		"a write, then a ban": {&stopped{last: &GatewayError{Method: "m", Code: "10"}, why: limited}, 0},
		"a proxy, of a read": {
			&TransportError{Method: opOrderQuery.Method, Phase: PhaseStatus, HTTPStatus: 503, RetryAfter: time.Hour}, time.Hour,
		},
		"a proxy, of a write": {
			&TransportError{Method: "m", Phase: PhaseStatus, HTTPStatus: 503, RetryAfter: time.Hour}, 0,
		},
	} {
		if got, ok := RetryAfter(tc.err); got != tc.want || ok != (tc.want > 0) {
			t.Errorf("%s: %v, %v, want %v", name, got, ok, tc.want)
		}
	}
}

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
			c, g, ft := banned(
				t, tc.seconds, append(tc.opts, WithObserver(func(_ context.Context, o Observation) { seen = append(seen, o) }))...,
			)
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
			if meta != nil || g.count() != 1 || len(ft.waits) != 0 || OutcomeOf(err) != OutcomeNotSent || !errors.Is(
				err, ErrRateLimited,
			) || errors.Is(
				err, ErrOutcomeUnknown,
			) {
				t.Errorf("%d requests, waits %v: %v", g.count(), ft.waits, err)
			}
			if after, ok := RetryAfter(err); !ok || after != tc.left {
				t.Errorf("RetryAfter is %v, %v", after, ok)
			}
			diff(
				t, "text",
				"rentcar: alitrip.rentcar.btb.order.query: not sent: rate limited: the ban lasts for "+tc.left.Round(
					time.Millisecond,
				).String()+" more",
				err.Error(),
			)
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
	if e := as[*GatewayError](t, err); e.RetryAfter != time.Minute || g.count() != 1 || isA[*stopped](err) ||
		OutcomeOf(err) != OutcomeRejected {
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
		if e := as[*GatewayError](t, err); e.Code != tc.code || e.RetryAfter != tc.told || g.count() != 1 ||
			OutcomeOf(err) != e.Outcome() {
			t.Errorf("%s: %d requests: %v", name, g.count(), err)
		}
		if after, ok := RetryAfter(err); !ok || after != time.Minute || !errors.Is(err, ErrRateLimited) {
			t.Errorf("%s: RetryAfter is %v, %v", name, after, ok)
		}
		if want := "(not sent again: rentcar: alitrip.rentcar.btb.order.query: not sent: rate limited: the ban lasts for " +
			"1m0s more)"; !strings.HasSuffix(
			err.Error(), want,
		) {
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
		if e := as[*RateLimitError](t, err); e.RetryAfter != 3*time.Second || time.Since(start) != 0 || g.count() != 1 ||
			errors.Is(
				err, context.DeadlineExceeded,
			) {
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
		if e.Phase != PhaseBefore || e.Attempts != 0 || OutcomeOf(err) != OutcomeNotSent || !errors.Is(err, boss) ||
			!errors.Is(
				err, context.Canceled,
			) {
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
			if took := time.Since(start); e.RetryAfter != left || g.count() != 0 || took < left ||
				took > DefaultMaxDelay+banJitter {
				t.Errorf("%v: %d requests after %v: %v", left, g.count(), took, err)
			}
		})
	}
	sleeps := 0
	c, g := clientFor(
		t, banFor("1"), withRetries(), WithSleep(func(context.Context, time.Duration) error { sleeps++; return nil }),
	)
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
		c, g := clientFor(t, replyJSON(okReply), withFakeTime(ft), WithSleep(func(ctx context.Context,
			d time.Duration) error {
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
