package rentcar

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

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
	diff(
		t, "names", []string{"production", "sandbox", "Environment(9)"},
		[]string{Production.String(), Sandbox.String(), Environment(9).String()},
	)
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
			"app_key": testAppKey, "format": "json", "simplify": "true", "sign_method": "hmac-sha256", "v": "2.0",
			"timestamp":  "2023-02-03 14:00:00",
			"partner_id": "rentcar-go-" + Version, "session": "", "target_app_key": "",
		}, "rentcar-go/" + Version},
		"MD5":             {[]Option{WithSignMethod(MD5)}, map[string]string{"sign_method": "md5"}, ""},
		"HMAC":            {[]Option{WithSignMethod(HMACMD5)}, map[string]string{"sign_method": "hmac"}, ""},
		"wrapped":         {[]Option{WithFormat(WrappedJSON)}, map[string]string{"format": "json", "simplify": ""}, ""},
		"session":         {[]Option{WithSession("s 1")}, map[string]string{"session": "s 1"}, ""},
		"partner":         {[]Option{WithPartnerID("me")}, map[string]string{"partner_id": "me"}, ""},
		"no partner":      {[]Option{WithPartnerID("")}, map[string]string{"partner_id": ""}, ""},
		"agent":           {[]Option{WithUserAgent("me/1")}, nil, "me/1"},
		"clock elsewhere": {[]Option{WithClock(newYork)}, map[string]string{"timestamp": "2023-02-03 14:00:00"}, ""},
		"last clock wins": {
			[]Option{WithClock(time.Now), WithClock(newYork)}, map[string]string{"timestamp": "2023-02-03 14:00:00"}, "",
		},
		"last format wins": {
			[]Option{WithFormat(XML), WithFormat(SimplifiedJSON)}, map[string]string{"simplify": "true"}, "",
		},
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
	user := &http.Client{
		Transport: g, Jar: jar, Timeout: time.Hour,
		CheckRedirect: func(*http.Request, []*http.Request) error { redirects++; return nil },
	}
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
	if used := testClient(t, nil).resty.GetClient().Transport; used != (guard{http.DefaultTransport}) {
		t.Errorf("an open transport is %+v, not the default one of net/http", used)
	}
	if d, ok := defaultRoundTripper().(*http.Transport); !ok || d.MaxIdleConnsPerHost != 128 ||
		d == http.DefaultTransport {
		t.Errorf("default transport %+v", d)
	}
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
		c, g := clientFor(
			t, inTurn(gatewayFailure("7", apiBan, ""), replyJSON(okReply)), WithSessionSource(source), withFakeTime(&fakeTime{}),
			WithChannel(fliggy.ChannelAmap),
		)
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
		return "half-a-session-of-them", fmt.Errorf(
			"refreshing %s under %s: %w", "half-a-session-of-them", testSecret, errRefresh,
		)
	}))
	_, err := cancelRenewal(t.Context(), c)
	transport := as[*TransportError](t, err)
	if g.count() != 0 || OutcomeOf(err) != OutcomeNotSent || transport.Phase != PhaseBefore || !errors.Is(
		err, errRefresh,
	) || errors.Is(
		err, ErrOutcomeUnknown,
	) {
		t.Errorf("sent %d times, error %v with outcome %v", g.count(), err, OutcomeOf(err))
	}
	diff(
		t, "text",
		"rentcar: "+opRenewalCancel.Method+": before sending: asking for the session: refreshing [redacted] under "+
			"[redacted]: the refresh token is used up",
		err.Error(),
	)

	// A failure between two attempts is why there was no second one.
	asked := 0
	c, g = clientFor(t, gatewayFailure(
		"7", apiBan, "",
	), withFakeTime(&fakeTime{}), WithSessionSource(func(context.Context) (string, error) {
		if asked++; asked > 1 {
			return "", errRefresh
		}
		return "s", nil
	}))
	_, err = cancelRenewal(t.Context(), c)
	if g.count() != 1 || OutcomeOf(err) != OutcomeRejected || !errors.Is(err, errRefresh) || !errors.Is(
		err, ErrRateLimited,
	) {
		t.Errorf("sent %d times, error %v with outcome %v", g.count(), err, OutcomeOf(err))
	}

	// One that hangs has the time of an attempt.
	synctest.Test(t, func(t *testing.T) {
		c, g := clientFor(t, replyJSON(okReply), WithTimeout(
			time.Minute,
		), WithSessionSource(func(ctx context.Context) (string, error) {
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
		c,
			g := clientFor(t, inTurn(
			gatewayFailure("27", "", ""), replyJSON(okReply),
		), withFakeTime(&fakeTime{}), WithRetry(policy),
			WithSessionSource(func(context.Context) (string, error) { asked++; return fmt.Sprint("session-", asked), nil }))
		_, err := cancelRenewal(t.Context(), c)
		if sent := g.last(t).query(t)["session"]; asked != want || g.count() != want || sent != fmt.Sprint(
			"session-", want,
		) || (err == nil) != (want == 2) {
			t.Errorf("%d requests, asked %d times: %v", g.count(), asked, err)
		}
	}
}

// The client's channel goes into requests that leave it open, and the caller's
// request stays as it was.
func TestDefaultChannel(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c, g := clientFor(
		t, replyJSON(`{"successful":true,"renewal_order_id":1,"item_id":"1","cancel_fee":"0.00"}`),
		WithChannel(fliggy.ChannelDidi),
	)
	query, quote := &OrderQueryRequest{OrderID: "1"}, someQuote()
	quote.ChannelID = ""
	check, cancel := &RenewalCheckCancelRequest{OrderID: "1"}, &RenewalCancelRequest{OrderID: "1"}
	submit, orderCheck := &RenewalSubmitRequest{OrderID: "1"}, &OrderCheckCancelRequest{OrderID: "1", OutOrderID: "2"}
	bills := &BillNotifyRequest{Bills: []Bill{*someBill(t)}}
	callback := &events.Callback{Envelope: events.Envelope{OrderID: "1", EventType: events.TypeOrderCancelled}}
	for param, call := range map[string]func() error{
		opOrderQuery.Param:         func() error { _, err := c.Orders.Query(ctx, query); return err },
		opRenewalQuote.Param:       func() error { _, err := c.Renewals.Quote(ctx, quote); return err },
		opRenewalCheckCancel.Param: func() error { _, err := c.Renewals.CheckCancel(ctx, check); return err },
		opRenewalCancel.Param:      func() error { _, err := c.Renewals.Cancel(ctx, cancel); return err },
		opRenewalSubmit.Param:      func() error { _, err := c.Renewals.Submit(ctx, submit); return err },
		opOrderCheckCancel.Param:   func() error { _, err := c.Orders.CheckCancel(ctx, orderCheck); return err },
		opBillNotify.Param:         func() error { _, err := c.Bills.NotifyAll(ctx, bills); return err },
		opCallback.Param:           func() error { _, err := c.Callbacks.Send(ctx, callback); return err },
	} {
		if err := call(); err != nil {
			t.Fatalf("%s: %v", param, err)
		}
		if message := g.last(t).form(t)[param]; !strings.Contains(message, `"channel_id":"80003"`) {
			t.Errorf("%s: no channel in %s", param, message)
		}
	}
	if message := g.last(t); message.body == "" {
		t.Error("an empty form")
	}
	channels := []fliggy.Channel{
		query.ChannelID, quote.ChannelID, check.ChannelID, cancel.ChannelID, submit.ChannelID, orderCheck.ChannelID,
		bills.ChannelID, callback.ChannelID,
	}
	diff(t, "the caller's requests", make([]fliggy.Channel, len(channels)), channels)

	if _, err := c.Orders.Query(ctx, &OrderQueryRequest{OrderID: "1", ChannelID: fliggy.ChannelHello}); err != nil {
		t.Fatal(err)
	}
	diff(t, "own channel", `{"order_id":"1","channel_id":"80002"}`, g.last(t).form(t)[opOrderQuery.Param])
}

func TestBaseURLWithQuery(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"http://gateway.test":            "http://gateway.test?",
		"http://gateway.test/rest":       "http://gateway.test/rest?",
		"http://gateway.test/rest?":      "http://gateway.test/rest?",
		"http://gateway.test/rest?a=1":   "http://gateway.test/rest?a=1&",
		"http://gateway.test/rest?a=1&":  "http://gateway.test/rest?a=1&",
		"HTTPS://gateway.test:8443/rest": "https://gateway.test:8443/rest?",
	} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			c, g := clientFor(t, replyJSON(`{"successful":true}`), WithBaseURL(base))
			if _, err := queryOrder(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			got := g.last(t)
			if u := got.url.String(); !strings.HasPrefix(u, want) {
				t.Errorf("sent to %s, want %s...", u, want)
			}
			if got.query(t)["method"] != opOrderQuery.Method {
				t.Errorf("the query lacks the parameters: %s", got.url.RawQuery)
			}
		})
	}
}
