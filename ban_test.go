package rentcar

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const apiBan = "accesscontrol.limited-by-api-access-count"

// What a message tells of the rest of a ban.
func TestBanTexts(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{
		"This ban will last for 1 more seconds":                              time.Second,
		"This ban will last for 1 more second.":                              time.Second,
		"This ban will last for 60 more seconds":                             time.Minute,
		"This ban will last for 31062 more seconds":                          8*time.Hour + 37*time.Minute + 42*time.Second,
		"This ban will last for 00031062 more seconds":                       31062 * time.Second,
		"app call limited: THIS BAN WILL LAST FOR 5 MORE SECONDS, sorry":     5 * time.Second,
		"it will last\tfor  7\nmore  seconds":                                7 * time.Second,
		"last for 3 more seconds, last for 9 more seconds":                   9 * time.Second, // a call too early may prolong a ban
		"exceeds the limit. This ban will last 14229 seconds":                14229 * time.Second,
		"exceeds the limit. this ban will last 1 seconds":                    time.Second,
		"not forbidden, will last 7 more seconds":                            7 * time.Second,
		"last for 12 seconds":                                                12 * time.Second,
		"in the last 60 seconds the limit; this ban will last 14229 seconds": 14229 * time.Second,
		"This ban will last 5 seconds, more than in the last 60 seconds":     5 * time.Second,
		"This ban will last 14,229 seconds":                                  14229 * time.Second,
		"This ban will last for 2 more minutes":                              2 * time.Minute, // no longer ignored, as are hours
		"this ban will last 1 hour":                                          time.Hour,
		"this ban will last 25 HOURS":                                        24 * time.Hour,
		"this ban will last 9,999,999,999,999,999,999 hours":                 24 * time.Hour,
		"this ban will last 1,2 seconds":                                     0,
		"This ban will last for 86399 more seconds":                          86399 * time.Second,
		"This ban will last for 86400 more seconds":                          24 * time.Hour,
		"This ban will last for 86401 more seconds":                          24 * time.Hour,
		"This ban will last for 999999999 more seconds":                      24 * time.Hour,

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
		text := rapid.String().Draw(t, "before") + fmt.Sprintf("last for %s more seconds", rapid.StringMatching(`[0-9]{0,25}`).Draw(t, "seconds"))
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
		c, g := clientFor(t, replyJSON(fmt.Sprintf(`{"error_response":{"code":%q,"msg":%q,"sub_code":%q,"sub_msg":%q}}`, tc.code, tc.msg, tc.subCode, tc.subMsg)))
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
			c, g := clientFor(t, inTurn(gatewayFailure("7", tc.subCode, tc.subMsg), replyOK), WithQimenURL("http://qimen.test/qm"))
			if name == "no flow at all" {
				c, g = clientFor(t, inTurn(gatewayFailure("15", tc.subCode, tc.subMsg), replyOK), WithQimenURL("http://qimen.test/qm"))
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
	banned := replyJSON(fmt.Sprintf(`{"response":{"flag":"failure","code":7,"sub_code":%q,"sub_message":"This ban will last for 60 more seconds"}}`, appBan))
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
	c, g := clientFor(t, reply(200, xmlType, `<response><flag>failure</flag><code>7</code><message>booked already</message></response>`),
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
	if kept := *b.until.Load(); len(kept) != 1 {
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
		"no ban, then one":        {&stopped{last: &GatewayError{Method: opOrderQuery.Method, Code: "10"}, why: limited}, time.Second},
		"a write, then a ban":     {&stopped{last: &GatewayError{Method: "m", Code: "10"}, why: limited}, 0},
		"a proxy, of a read":      {&TransportError{Method: opOrderQuery.Method, Phase: PhaseStatus, HTTPStatus: 503, RetryAfter: time.Hour}, time.Hour},
		"a proxy, of a write":     {&TransportError{Method: "m", Phase: PhaseStatus, HTTPStatus: 503, RetryAfter: time.Hour}, 0},
	} {
		if got, ok := RetryAfter(tc.err); got != tc.want || ok != (tc.want > 0) {
			t.Errorf("%s: %v, %v, want %v", name, got, ok, tc.want)
		}
	}
}
