package rentcar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jarcoal/httpmock"

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
		"no key":              {"", testSecret, nil, "the app key is empty: take it from the console of the open platform"},
		"blank key":           {" \t", testSecret, nil, "the app key is empty: take it from the console of the open platform"},
		"no secret":           {testAppKey, "", nil, "the app secret is empty: take it from the console of the open platform"},
		"blank secret":        {testAppKey, "\u3000", nil, "the app secret is empty: take it from the console of the open platform"},
		"nil option":          {testAppKey, testSecret, []Option{WithPlainHTTP(), nil}, "option 2 is nil: leave it out"},
		"environment":         {testAppKey, testSecret, []Option{WithEnvironment(7)}, "unknown environment Environment(7): use Production or Sandbox, or WithBaseURL for any other address"},
		"two gateways":        {testAppKey, testSecret, []Option{WithBaseURL("https://h"), WithEnvironment(Production)}, "WithBaseURL and WithEnvironment name two gateways: choose one"},
		"plain HTTP of a URL": {testAppKey, testSecret, []Option{WithPlainHTTP(), WithBaseURL("https://h")}, "WithPlainHTTP is for the gateways of an environment: write http:// into WithBaseURL instead"},
		"no URL":              {testAppKey, testSecret, []Option{WithBaseURL("http://a b\x7f")}, "base URL: not a URL"},
		"empty URL":           {testAppKey, testSecret, []Option{WithBaseURL("")}, "base URL: must be absolute and start with http:// or https://"},
		"relative URL":        {testAppKey, testSecret, []Option{WithBaseURL("/router/rest")}, "base URL: must be absolute and start with http:// or https://"},
		"URL without scheme":  {testAppKey, testSecret, []Option{WithBaseURL("gw.api.taobao.com/router/rest")}, "base URL: must be absolute and start with http:// or https://"},
		"other scheme":        {testAppKey, testSecret, []Option{WithQimenURL("ftp://h/x")}, "Qimen URL: must be absolute and start with http:// or https://"},
		"URL without host":    {testAppKey, testSecret, []Option{WithQimenURL("https:///x")}, "Qimen URL: must be absolute and start with http:// or https://"},
		"URL with a password": {testAppKey, testSecret, []Option{WithBaseURL("https://u:p@h/x")}, "base URL: must not carry a user or password"},
		"URL with a fragment": {testAppKey, testSecret, []Option{WithBaseURL("https://h/x#y")}, "base URL: must not carry a fragment (#)"},
		"nil HTTP client":     {testAppKey, testSecret, []Option{WithHTTPClient(nil)}, "the HTTP client is nil: leave the option out for the default one"},
		"no time":             {testAppKey, testSecret, []Option{WithTimeout(0)}, "the timeout must be positive: use a context to wait longer"},
		"negative time":       {testAppKey, testSecret, []Option{WithTimeout(-1)}, "the timeout must be positive: use a context to wait longer"},
		"no reply":            {testAppKey, testSecret, []Option{WithReplyLimit(0)}, "the reply limit must be positive"},
		"no session":          {testAppKey, testSecret, []Option{WithSession("")}, "the session is empty: leave the option out to send none"},
		"blank session":       {testAppKey, testSecret, []Option{WithSession(" ")}, "the session is empty: leave the option out to send none"},
		"nil source":          {testAppKey, testSecret, []Option{WithSessionSource(nil)}, "the source of sessions is nil: leave the option out to send none"},
		"two sessions":        {testAppKey, testSecret, []Option{WithSession("s"), WithSessionSource((&evil{}).session)}, "WithSession and WithSessionSource give two sessions: choose one"},
		"no channel":          {testAppKey, testSecret, []Option{WithChannel("")}, "the channel is empty: leave the option out and set ChannelID in each request"},
		"sign method":         {testAppKey, testSecret, []Option{WithSignMethod("MD5")}, `unknown sign method "MD5": use HMACSHA256, HMACMD5 or MD5`},
		"format":              {testAppKey, testSecret, []Option{WithFormat(3)}, "unknown format Format(3): use SimplifiedJSON, WrappedJSON or XML"},
		"negative attempts":   {testAppKey, testSecret, []Option{WithRetry(RetryPolicy{MaxAttempts: -1})}, "retry policy: MaxAttempts must not be negative: 1 sends every call once"},
		"negative base delay": {testAppKey, testSecret, []Option{WithRetry(RetryPolicy{BaseDelay: -1})}, "retry policy: delays must not be negative"},
		"negative delay":      {testAppKey, testSecret, []Option{WithRetry(RetryPolicy{MaxDelay: -1})}, "retry policy: delays must not be negative"},
		"negative budget":     {testAppKey, testSecret, []Option{WithRetry(RetryPolicy{Budget: -1})}, "retry policy: the budget must not be negative: MaxAttempts 1 switches repeating off"},
		"nil limiter":         {testAppKey, testSecret, []Option{WithLimiter(nil)}, "the limiter is nil: leave the option out for none"},
		"nil sleep":           {testAppKey, testSecret, []Option{WithSleep(nil)}, "the function to wait with is nil"},
		"nil clock":           {testAppKey, testSecret, []Option{WithClock(nil)}, "the clock is nil"},
		"nil logger":          {testAppKey, testSecret, []Option{WithLogger(nil)}, "the logger is nil: leave the option out to log nothing"},
		"nil observer":        {testAppKey, testSecret, []Option{WithObserver(nil)}, "the observer is nil"},
		"nil wire log":        {testAppKey, testSecret, []Option{WithWireLog(nil)}, "the wire log is nil: leave the option out for none"},
		"secret wire log":     {testAppKey, testSecret, []Option{WithWireLog(func(context.Context, WireLog) {}, "session")}, `the wire log cannot show parameter "session"`},
		"no user agent":       {testAppKey, testSecret, []Option{WithUserAgent("")}, "the user agent must be one line of text without control characters"},
		"blank user agent":    {testAppKey, testSecret, []Option{WithUserAgent(" ")}, "the user agent must be one line of text without control characters"},
		"two lines":           {testAppKey, testSecret, []Option{WithUserAgent("a\r\nb: c")}, "the user agent must be one line of text without control characters"},
		"control character":   {testAppKey, testSecret, []Option{WithUserAgent("a\x00")}, "the user agent must be one line of text without control characters"},
		"names of no type":    {testAppKey, testSecret, []Option{WithNames("x.y", Names{})}, `names: no type for method "x.y": use Call, which takes any name`},
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

// The addresses are those of the catalogue, which has them from the guide.
func TestEnvironments(t *testing.T) {
	t.Parallel()
	type addresses struct {
		HTTP  string `json:"http"`
		HTTPS string `json:"https"`
	}
	var file struct {
		Meta struct {
			Endpoints struct {
				TOP          addresses `json:"gateway_production"`
				TOPSandbox   addresses `json:"gateway_sandbox"`
				Qimen        addresses `json:"qimen_production"`
				QimenSandbox addresses `json:"qimen_sandbox"`
			} `json:"endpoints"`
		} `json:"meta"`
	}
	readJSON(t, &file, "testdata", "catalogue", "apis.json")
	e := file.Meta.Endpoints
	const own, ownQimen = "https://own.test/rest", "http://own.test/qm"
	for name, tc := range map[string]struct {
		opts       []Option
		top, qimen string
	}{
		"default":            {nil, e.TOP.HTTPS, e.Qimen.HTTPS},
		"production":         {[]Option{WithEnvironment(Production)}, e.TOP.HTTPS, e.Qimen.HTTPS},
		"production, http":   {[]Option{WithPlainHTTP()}, e.TOP.HTTP, e.Qimen.HTTP},
		"sandbox":            {[]Option{WithEnvironment(Sandbox)}, e.TOPSandbox.HTTPS, e.QimenSandbox.HTTPS},
		"sandbox, http":      {[]Option{WithPlainHTTP(), WithEnvironment(Sandbox)}, e.TOPSandbox.HTTP, e.QimenSandbox.HTTP},
		"own":                {[]Option{WithBaseURL(own)}, own, ""},
		"own, both":          {[]Option{WithBaseURL(own), WithQimenURL(ownQimen)}, own, ownQimen},
		"own Qimen, sandbox": {[]Option{WithQimenURL(ownQimen), WithEnvironment(Sandbox)}, e.TOPSandbox.HTTPS, ownQimen},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := clientFor(t, replyJSON(okReply), tc.opts...)
			if _, err := queryOrder(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			u := g.last(t).url
			diff(t, "TOP", tc.top, u.Scheme+"://"+u.Host+u.Path)
			var out Raw
			err := c.CallQimen(context.Background(), "x.y", &QimenRequest{TargetAppKey: "1"}, &out)
			if tc.qimen == "" {
				want := []fliggy.Problem{{Field: "Qimen URL", Rule: "is not known: add WithQimenURL to the client's options"}}
				diff(t, "refusal", want, as[*fliggy.ValidationError](t, err).Problems)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			u = g.last(t).url
			diff(t, "Qimen", tc.qimen, u.Scheme+"://"+u.Host+u.Path)
		})
	}
	diff(t, "names", []string{"production", "sandbox", "Environment(9)"}, []string{Production.String(), Sandbox.String(), Environment(9).String()})
	diff(t, "formats", []string{"simplified JSON", "wrapped JSON", "XML", "Format(9)"},
		[]string{SimplifiedJSON.String(), WrappedJSON.String(), XML.String(), Format(9).String()})
}

// What the options put on the wire.
func TestOptionsOnTheWire(t *testing.T) {
	t.Parallel()
	newYork := func() time.Time { return time.Date(2023, 2, 3, 1, 0, 0, 999999999, time.FixedZone("EST", -5*3600)) }
	for name, tc := range map[string]struct {
		opts  []Option
		query map[string]string // empty text for a parameter that is not sent
		agent string
	}{
		"defaults": {nil, map[string]string{
			"app_key": testAppKey, "format": "json", "simplify": "true", "sign_method": "hmac-sha256", "v": "2.0", "timestamp": "2023-02-03 14:00:00",
			"partner_id": "rentcar-go-" + Version, "session": "", "target_app_key": "",
		}, "rentcar-go/" + Version},
		"MD5":                 {[]Option{WithSignMethod(MD5)}, map[string]string{"sign_method": "md5"}, ""},
		"HMAC":                {[]Option{WithSignMethod(HMACMD5)}, map[string]string{"sign_method": "hmac"}, ""},
		"wrapped":             {[]Option{WithFormat(WrappedJSON)}, map[string]string{"format": "json", "simplify": ""}, ""},
		"session":             {[]Option{WithSession("s 1")}, map[string]string{"session": "s 1"}, ""},
		"partner":             {[]Option{WithPartnerID("me")}, map[string]string{"partner_id": "me"}, ""},
		"no partner":          {[]Option{WithPartnerID("")}, map[string]string{"partner_id": ""}, ""},
		"agent":               {[]Option{WithUserAgent("me/1")}, nil, "me/1"},
		"clock elsewhere":     {[]Option{WithClock(newYork)}, map[string]string{"timestamp": "2023-02-03 14:00:00"}, ""},
		"last clock wins":     {[]Option{WithClock(time.Now), WithClock(newYork)}, map[string]string{"timestamp": "2023-02-03 14:00:00"}, ""},
		"last format wins":    {[]Option{WithFormat(XML), WithFormat(SimplifiedJSON)}, map[string]string{"simplify": "true"}, ""},
		"environment is kept": {[]Option{WithEnvironment(Sandbox), WithSession("x")}, map[string]string{"session": "x"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := clientFor(t, replyJSON(okReply), tc.opts...)
			if _, err := queryOrder(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			s := g.last(t)
			got := s.query(t)
			for name, want := range tc.query {
				if value, sent := got[name]; value != want || sent != (want != "") {
					t.Errorf("%s is %q (sent: %v), want %q", name, value, sent, want)
				}
			}
			if agent := s.header.Get("User-Agent"); tc.agent != "" && agent != tc.agent {
				t.Errorf("user agent %q, want %q", agent, tc.agent)
			}
			if s.header.Get("Cookie") != "" || s.header.Get("Authorization") != "" {
				t.Errorf("unexpected headers: %v", s.header)
			}
		})
	}
}

// Two calls are signed with the time of each, and independently.
func TestEveryCallIsSignedAnew(t *testing.T) {
	t.Parallel()
	now := testClock()
	c, g := clientFor(t, replyJSON(okReply), WithClock(func() time.Time { return now }))
	var signs, times []string
	for range 2 {
		if _, err := queryOrder(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		signs, times = append(signs, g.last(t).query(t)["sign"]), append(times, g.last(t).query(t)["timestamp"])
		now = now.Add(time.Minute)
	}
	diff(t, "timestamps", []string{"2023-02-03 14:00:00", "2023-02-03 14:01:00"}, times)
	if signs[0] == signs[1] {
		t.Error("both calls carry one signature")
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

// The user's http.Client is copied: nothing in it changes, and its cookies and
// redirects have no effect.
func TestUserHTTPClientIsCopied(t *testing.T) {
	t.Parallel()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	withCookie := func(r *http.Request) (*http.Response, error) {
		res, err := replyJSON(okReply)(r)
		res.Header.Set("Set-Cookie", "a=b")
		return res, err
	}
	g := newGateway(withCookie)
	redirects := 0
	user := &http.Client{Transport: g, Jar: jar, Timeout: time.Hour, CheckRedirect: func(*http.Request, []*http.Request) error { redirects++; return nil }}
	c := testClient(t, nil, WithHTTPClient(user))
	user.Transport = failingTransport{} // the copy was made before
	for range 2 {
		if _, err := queryOrder(context.Background(), c); err != nil {
			t.Fatal(err)
		}
	}
	if user.Jar != jar || user.Timeout != time.Hour || user.CheckRedirect == nil || redirects != 0 {
		t.Errorf("the client was changed: %+v", user)
	}
	u, err := url.Parse(productionURL)
	if err != nil {
		t.Fatal(err)
	}
	if cookies := jar.Cookies(u); len(cookies) != 0 || g.last(t).header.Get("Cookie") != "" {
		t.Errorf("cookies are kept: %v, sent: %q", cookies, g.last(t).header.Get("Cookie"))
	}
}

type failingTransport struct{}

func (failingTransport) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, http.ErrAbortHandler
}

// Without a client of the user's, and with one that leaves the transport open,
// calls go over a real connection.
func TestDefaultTransports(t *testing.T) {
	t.Parallel()
	s := server(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		w.Header().Set("Connection", "close")
		if r.Header.Get("Accept-Encoding") != "gzip" {
			http.Error(w, "no gzip", http.StatusNotAcceptable)
			return
		}
		_, _ = w.Write([]byte(okReply))
	})
	zero := &http.Client{}
	for name, opts := range map[string][]Option{"default": nil, "zero client": {WithHTTPClient(zero)}} {
		c, err := NewClient(testAppKey, testSecret, append(opts, WithBaseURL(s.URL))...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := queryOrder(context.Background(), c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if zero.Transport != nil {
		t.Error("the user's client got a transport")
	}
	if used := testClient(t, nil).transport.resty.GetClient().Transport; used != (guard{http.DefaultTransport}) {
		t.Errorf("an open transport is %+v, not the default one of net/http", used)
	}
	if d, ok := defaultRoundTripper().(*http.Transport); !ok || d.MaxIdleConnsPerHost != 128 || d == http.DefaultTransport {
		t.Errorf("default transport %+v", d)
	}
}

// The library is silent unless it is given a logger.
func TestLogger(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		want    []string
	}{
		"success": {replyJSON(okReply), []string{
			`level=WARN msg="rentcar request looks wrong" method=alitrip.rentcar.btb.renewal.submit field=renewal_out_order_id rule="is empty; the platform most likely needs it"`,
			`level=DEBUG msg="rentcar call" method=alitrip.rentcar.btb.order.query attempts=1 duration=0s outcome=succeeded code="" sub_code="" http_status=200 request_id=r1 detail=""`,
		}},
		"failure": {replyJSON(`{"error_response":{"code":25,"msg":"MARKER","sub_code":"isv.x","sub_msg":"MARKER","request_id":"r2"}}`), []string{
			`level=WARN msg="rentcar call" method=alitrip.rentcar.btb.order.query attempts=1 duration=0s outcome=rejected code=25 sub_code=isv.x http_status=200 request_id=r2 detail="Invalid Signature" ids.order_id=523412312`,
		}},
		"refused": {replyJSON(`{"successful":false,"ret_code":"71008","ret_msg":"MARKER","request_id":"r3"}`), []string{
			`level=WARN msg="rentcar call" method=alitrip.rentcar.btb.order.query attempts=1 duration=0s outcome=rejected code=71008 sub_code="" http_status=200 request_id=r3 detail=""`,
		}},
		"transport": {httpmock.NewErrorResponder(errors.New("line is down")), []string{
			`outcome=unknown code="" sub_code="" http_status=0 request_id="" detail="rentcar: alitrip.rentcar.btb.order.query: sending or waiting for the reply: line is down"`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			c, _ := clientFor(t, tc.respond, WithLogger(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}))))
			_, _ = queryOrder(context.Background(), c)
			_, _ = c.Renewals.Submit(context.Background(), &RenewalSubmitRequest{OrderID: mainOrder})
			for _, line := range tc.want {
				if !strings.Contains(b.String(), line) {
					t.Errorf("the log lacks\n%s\nin\n%s", line, b.String())
				}
			}
			if strings.Contains(b.String(), "MARKER") {
				t.Errorf("a message of the platform is in the log:\n%s", b.String())
			}
		})
	}
}

// An observer hears of every attempt and of every call, and of nothing that was
// not sent.
func TestObservers(t *testing.T) {
	t.Parallel()
	ctx, now := context.Background(), testClock()
	var seen, second []Observation
	var respond httpmock.Responder
	c, _ := clientFor(t, func(r *http.Request) (*http.Response, error) {
		now = now.Add(40 * time.Millisecond)
		return respond(r)
	}, WithClock(func() time.Time { return now }),
		WithObserver(func(_ context.Context, o Observation) { seen = append(seen, o) }), WithObserver(func(_ context.Context, o Observation) { second = append(second, o) }))
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		want    Observation
	}{
		"success":   {replyJSON(okReply), Observation{Outcome: OutcomeSucceeded, HTTPStatus: 200, RequestID: "r1"}},
		"business":  {replyJSON(`{"successful":false,"ret_code":"012","request_id":"r2"}`), Observation{Outcome: OutcomeRejected, HTTPStatus: 200, Code: "012", RequestID: "r2"}},
		"gateway":   {reply(500, jsonType, `{"error_response":{"code":15,"sub_code":"isp.x","request_id":"r3"}}`), Observation{Outcome: OutcomeUnknown, HTTPStatus: 500, Code: "15", SubCode: "isp.x", RequestID: "r3"}},
		"decode":    {replyJSON(`{"request_id":"r4"}`), Observation{Outcome: OutcomeUnknown, HTTPStatus: 200, RequestID: "r4"}},
		"status":    {reply(502, "text/html", "<html>"), Observation{Outcome: OutcomeUnknown, HTTPStatus: 502}},
		"transport": {httpmock.NewErrorResponder(http.ErrHandlerTimeout), Observation{Outcome: OutcomeUnknown}},
	} {
		seen, second, respond = nil, nil, tc.respond
		_, err := queryOrder(ctx, c)
		if len(seen) != 2 || (err == nil) != (seen[1].Err == nil) || !errors.Is(seen[0].Err, err) || !errors.Is(seen[1].Err, err) {
			t.Errorf("%s: %v, observed %+v", name, err, seen)
		}
		attempt := tc.want
		attempt.Method, attempt.Attempt, attempt.Duration = opOrderQuery.Method, 1, 40*time.Millisecond
		call := attempt
		call.Done = true
		diff(t, name, []Observation{attempt, call}, seen)
		diff(t, name+", second observer", seen, second)
	}
	seen = nil
	_, _ = c.Orders.Query(ctx, &OrderQueryRequest{})
	diff(t, "a refused request", []Observation{{Method: opOrderQuery.Method, Done: true, Outcome: OutcomeNotSent}}, seen)
}

// An observer gets the context of its call, also of one that is not sent.
func TestObserverContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	ctx := context.WithValue(context.Background(), key{}, "value")
	var got []any
	c, _ := clientFor(t, replyJSON(okReply), WithObserver(func(ctx context.Context, _ Observation) { got = append(got, ctx.Value(key{})) }))
	_, _ = queryOrder(ctx, c)
	_, _ = c.Orders.Query(ctx, nil)
	_, _ = queryOrder(nil, c) //nolint:staticcheck // a mistake that is made
	diff(t, "values of the contexts", []any{"value", "value", "value", nil}, got)
}

// A source of sessions is asked once for each attempt, so that a call that is sent again
// carries the session of then.
func TestSessionSource(t *testing.T) {
	t.Parallel()
	sessions := []string{"first", "second", " ", "fourth", "fifth"}
	asked := 0
	source := func(context.Context) (string, error) { asked++; return sessions[asked-1], nil }
	for name, form := range map[string]func(c *Client, opts ...CallOption) error{
		"short": func(c *Client, opts ...CallOption) error { _, err := queryOrder(t.Context(), c, opts...); return err },
		"long": func(c *Client, opts ...CallOption) error {
			_, err := c.Bills.Notify(t.Context(), billOf(100), opts...)
			return err
		},
	} {
		asked = 0
		c, g := clientFor(t, inTurn(gatewayFailure("7", apiBan, ""), replyJSON(okReply)), WithSessionSource(source), withFakeTime(&fakeTime{}), WithChannel(fliggy.ChannelAmap))
		for range 2 { // two attempts, and one
			if err := form(c); err != nil {
				t.Fatal(err)
			}
		}
		if err := form(c, CallSession("mine")); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, s := range g.sent {
			q := s.query(t)
			got = append(got, q["session"])
			all := s.form(t)
			for name, value := range q {
				all[name] = value
			}
			sign, err := Sign(HMACSHA256, testSecret, all, nil)
			if err != nil || sign != q["sign"] {
				t.Errorf("%s: session %q: signed %s, want %s (%v)", name, q["session"], q["sign"], sign, err)
			}
		}
		diff(t, name+": sessions sent", []string{"first", "second", "", "mine"}, got)
		diff(t, name+": asked", 3, asked)
	}
}

// Without a session a call is not sent, and says why.
func TestSessionSourceFails(t *testing.T) {
	t.Parallel()
	errRefresh := errors.New("the refresh token is used up")
	c, g := clientFor(t, replyJSON(okReply), withRetries(), WithSessionSource(func(context.Context) (string, error) {
		return "half-a-session-of-them", fmt.Errorf("refreshing %s under %s: %w", "half-a-session-of-them", testSecret, errRefresh)
	}))
	_, err := cancelRenewal(t.Context(), c)
	transport := as[*TransportError](t, err)
	if g.count() != 0 || OutcomeOf(err) != OutcomeNotSent || transport.Phase != PhaseBefore || !errors.Is(err, errRefresh) || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("sent %d times, error %v with outcome %v", g.count(), err, OutcomeOf(err))
	}
	diff(t, "text", "rentcar: "+opRenewalCancel.Method+": before sending: asking for the session: refreshing [redacted] under [redacted]: the refresh token is used up", err.Error())

	// A failure between two attempts is why there was no second one.
	asked := 0
	c, g = clientFor(t, gatewayFailure("7", apiBan, ""), withFakeTime(&fakeTime{}), WithSessionSource(func(context.Context) (string, error) {
		if asked++; asked > 1 {
			return "", errRefresh
		}
		return "s", nil
	}))
	_, err = cancelRenewal(t.Context(), c)
	if g.count() != 1 || OutcomeOf(err) != OutcomeRejected || !errors.Is(err, errRefresh) || !errors.Is(err, ErrRateLimited) {
		t.Errorf("sent %d times, error %v with outcome %v", g.count(), err, OutcomeOf(err))
	}

	// One that hangs has the time of an attempt.
	synctest.Test(t, func(t *testing.T) {
		c, g := clientFor(t, replyJSON(okReply), WithTimeout(time.Minute), WithSessionSource(func(ctx context.Context) (string, error) {
			<-ctx.Done()
			return "", ctx.Err()
		}))
		_, err := cancelRenewal(t.Context(), c)
		if g.count() != 0 || OutcomeOf(err) != OutcomeNotSent || !as[*TransportError](t, err).Timeout() {
			t.Errorf("sent %d times, error %v with outcome %v", g.count(), err, OutcomeOf(err))
		}
	})
}

// A refused session ends the call, unless the policy names its code: then the source is
// asked again, for a write too.
func TestSessionSourceAfterARefusedSession(t *testing.T) {
	t.Parallel()
	for want, policy := range map[int]RetryPolicy{1: {}, 2: {Codes: []string{"27"}}} {
		asked := 0
		c, g := clientFor(t, inTurn(gatewayFailure("27", "", ""), replyJSON(okReply)), withFakeTime(&fakeTime{}), WithRetry(policy),
			WithSessionSource(func(context.Context) (string, error) { asked++; return fmt.Sprint("session-", asked), nil }))
		_, err := cancelRenewal(t.Context(), c)
		if sent := g.last(t).query(t)["session"]; asked != want || g.count() != want || sent != fmt.Sprint("session-", want) || (err == nil) != (want == 2) {
			t.Errorf("%d requests, asked %d times: %v", g.count(), asked, err)
		}
	}
}
