package rentcar

import (
	"context"
	"net/http"
	"strconv"
	"sync"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
)

// Every refusal of the constructor, with what its text must say.
func TestNewClientRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		key, secret string
		opts        []Option
		want        string
	}{
		"no key": {"", testSecret, nil, "the app key is empty: take it from the console of the open platform"},
		"blank key": {
			" \t", testSecret, nil, "the app key is empty: take it from the console of the open platform",
		},
		"no secret": {
			testAppKey, "", nil, "the app secret is empty: take it from the console of the open platform",
		},
		"blank secret": {
			testAppKey, "\u3000", nil, "the app secret is empty: take it from the console of the open platform",
		},
		"nil option": {testAppKey, testSecret, []Option{WithPlainHTTP(), nil}, "option 2 is nil: leave it out"},
		"environment": {
			testAppKey, testSecret, []Option{WithEnvironment(7)},
			"unknown environment Environment(7): use Production or Sandbox, or WithBaseURL for any other address",
		},
		"two gateways": {
			testAppKey, testSecret, []Option{WithBaseURL("https://h"), WithEnvironment(Production)},
			"WithBaseURL and WithEnvironment name two gateways: choose one",
		},
		"plain HTTP of a URL": {
			testAppKey, testSecret, []Option{WithPlainHTTP(), WithBaseURL("https://h")},
			"WithPlainHTTP is for the gateways of an environment: write http:// into WithBaseURL instead",
		},
		"no URL": {testAppKey, testSecret, []Option{WithBaseURL("http://a b\x7f")}, "base URL: not a URL"},
		"empty URL": {
			testAppKey, testSecret, []Option{WithBaseURL("")}, "base URL: must be absolute and start with http:// or https://",
		},
		"relative URL": {
			testAppKey, testSecret, []Option{WithBaseURL("/router/rest")},
			"base URL: must be absolute and start with http:// or https://",
		},
		"URL without scheme": {
			testAppKey, testSecret, []Option{WithBaseURL("gw.api.taobao.com/router/rest")},
			"base URL: must be absolute and start with http:// or https://",
		},
		"other scheme": {
			testAppKey, testSecret, []Option{WithQimenURL("ftp://h/x")},
			"Qimen URL: must be absolute and start with http:// or https://",
		},
		"URL without host": {
			testAppKey, testSecret, []Option{WithQimenURL("https:///x")},
			"Qimen URL: must be absolute and start with http:// or https://",
		},
		"URL with a password": {
			testAppKey, testSecret, []Option{WithBaseURL("https://u:p@h/x")}, "base URL: must not carry a user or password",
		},
		"URL with a fragment": {
			testAppKey, testSecret, []Option{WithBaseURL("https://h/x#y")}, "base URL: must not carry a fragment (#)",
		},
		"nil HTTP client": {
			testAppKey, testSecret, []Option{WithHTTPClient(nil)},
			"the HTTP client is nil: leave the option out for the default one",
		},
		"no time": {
			testAppKey, testSecret, []Option{WithTimeout(0)}, "the timeout must be positive: use a context to wait longer",
		},
		"negative time": {
			testAppKey, testSecret, []Option{WithTimeout(-1)}, "the timeout must be positive: use a context to wait longer",
		},
		"no reply": {testAppKey, testSecret, []Option{WithReplyLimit(0)}, "the reply limit must be positive"},
		"no session": {
			testAppKey, testSecret, []Option{WithSession("")}, "the session is empty: leave the option out to send none",
		},
		"blank session": {
			testAppKey, testSecret, []Option{WithSession(" ")}, "the session is empty: leave the option out to send none",
		},
		"nil source": {
			testAppKey, testSecret, []Option{WithSessionSource(nil)},
			"the source of sessions is nil: leave the option out to send none",
		},
		"two sessions": {
			testAppKey, testSecret, []Option{WithSession("s"), WithSessionSource((&evil{}).session)},
			"WithSession and WithSessionSource give two sessions: choose one",
		},
		"no channel": {
			testAppKey, testSecret, []Option{WithChannel("")},
			"the channel is empty: leave the option out and set ChannelID in each request",
		},
		"sign method": {
			testAppKey, testSecret, []Option{WithSignMethod("MD5")}, `unknown sign method "MD5": use HMACSHA256, HMACMD5 or MD5`,
		},
		"format": {
			testAppKey, testSecret, []Option{WithFormat(3)}, "unknown format Format(3): use SimplifiedJSON, WrappedJSON or XML",
		},
		"negative attempts": {
			testAppKey, testSecret, []Option{WithRetry(RetryPolicy{MaxAttempts: -1})},
			"retry policy: MaxAttempts must not be negative: 1 sends every call once",
		},
		"negative base delay": {
			testAppKey, testSecret, []Option{WithRetry(RetryPolicy{BaseDelay: -1})}, "retry policy: delays must not be negative",
		},
		"negative delay": {
			testAppKey, testSecret, []Option{WithRetry(RetryPolicy{MaxDelay: -1})}, "retry policy: delays must not be negative",
		},
		"negative budget": {
			testAppKey, testSecret, []Option{WithRetry(RetryPolicy{Budget: -1})},
			"retry policy: the budget must not be negative: MaxAttempts 1 switches repeating off",
		},
		"nil limiter": {
			testAppKey, testSecret, []Option{WithLimiter(nil)}, "the limiter is nil: leave the option out for none",
		},
		"nil bans": {
			testAppKey, testSecret, []Option{WithBans(nil)}, "the bans are nil: leave the option out for those of the client",
		},
		"nil sleep": {testAppKey, testSecret, []Option{WithSleep(nil)}, "the function to wait with is nil"},
		"nil clock": {testAppKey, testSecret, []Option{WithClock(nil)}, "the clock is nil"},
		"nil logger": {
			testAppKey, testSecret, []Option{WithLogger(nil)}, "the logger is nil: leave the option out to log nothing",
		},
		"nil observer": {testAppKey, testSecret, []Option{WithObserver(nil)}, "the observer is nil"},
		"nil wire log": {
			testAppKey, testSecret, []Option{WithWireLog(nil)}, "the wire log is nil: leave the option out for none",
		},
		"secret wire log": {
			testAppKey, testSecret, []Option{WithWireLog(func(context.Context, WireLog) {}, "session")},
			`the wire log cannot show parameter "session"`,
		},
		"no user agent": {
			testAppKey, testSecret, []Option{WithUserAgent("")},
			"the user agent must be one line of text without control characters",
		},
		"blank user agent": {
			testAppKey, testSecret, []Option{WithUserAgent(" ")},
			"the user agent must be one line of text without control characters",
		},
		"two lines": {
			testAppKey, testSecret, []Option{WithUserAgent("a\r\nb: c")},
			"the user agent must be one line of text without control characters",
		},
		"control character": {
			testAppKey, testSecret, []Option{WithUserAgent("a\x00")},
			"the user agent must be one line of text without control characters",
		},
		"names of no type": {
			testAppKey, testSecret, []Option{WithNames("x.y", Names{})},
			`names: no type for method "x.y": use Call, which takes any name`,
		},
		"names twice": {
			testAppKey, testSecret, []Option{WithNames(opOrderQuery.Method, Names{}), WithNames(opOrderQuery.Method, Names{})},
			"names: given twice for alitrip.rentcar.btb.order.query: put all names into one option",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := NewClient(tc.key, tc.secret, tc.opts...)
			if want := "rentcar: new client: " + tc.want; c != nil || err == nil || err.Error() != want {
				t.Errorf("client %v, error\n  %v, want\n  %s", c, err, want)
			}
		})
	}
}

// A client serves many goroutines at once; each result is of its own call.
func TestConcurrentCalls(t *testing.T) {
	t.Parallel()
	c, g := clientFor(t, func(r *http.Request) (*http.Response, error) {
		id := r.URL.Query().Get("session")
		return replyJSON(`{"successful":true,"request_id":"` + id + `","order_info":{"service_type":["` + id + `"]}}`)(r)
	}, WithObserver(func(context.Context, Observation) {}))
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			id := strconv.Itoa(i)
			res, err := queryOrder(context.Background(), c, CallSession(id), CallParam("i", id))
			if err != nil || res.RequestID != id || res.Info.ServiceTypes[0] != fliggy.OrderServiceType(id) {
				t.Errorf("call %s: %+v, %v", id, res, err)
			}
		})
	}
	wg.Wait()
	if g.count() != 50 {
		t.Errorf("%d requests", g.count())
	}
}
