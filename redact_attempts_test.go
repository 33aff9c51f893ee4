package rentcar

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar/fliggy"
)

// What errors, logs and observations say of calls that were repeated, or were not,
// or were held back shows nothing secret, and the log nothing of a message of the
// platform.
func TestRepeatedCallsShowNothingSecret(t *testing.T) {
	t.Parallel()
	const throttled = `{"error_response":{"code":7,"msg":"` + markerReply + ` %[1]s","sub_code":"` + apiBan +
		`","sub_msg":"%[1]s This ban will last for 2 more seconds"}}`
	const down = `{"error_response":{"code":10,"msg":"` + markerReply + ` %s"}}`
	const refused = `{"successful":false,"ret_code":"%[1]s","ret_msg":"` + markerReply + ` %[1]s"}`
	leaking := func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("proxy could not send %s with %s", r.URL, markerSecret)
	}
	gone, leave := context.WithCancel(context.Background())
	soon, cancel := context.WithTimeout(context.Background(), time.Hour) // the first wait would be longer
	t.Cleanup(cancel)
	hurried := WithRetry(RetryPolicy{BaseDelay: 1e6 * time.Hour, MaxDelay: 1e6 * time.Hour})
	for name, tc := range map[string]struct {
		ctx     context.Context
		respond httpmock.Responder
		opts    []Option
		log     string // what it must tell
	}{
		"all attempts fail": {nil, echo(down), nil, `attempts=3 duration=`},
		"throttled": {
			nil, echo(throttled), []Option{WithRetry(RetryPolicy{MaxDelay: time.Second})}, `sub_code=` + apiBan,
		},
		"budget": {
			nil, echo(down), []Option{func(c *config) error { c.retry.Budget = -1; return nil }}, `outcome=unknown code=10`,
		},
		"deadline": {soon, echo(down), []Option{hurried}, `outcome=unknown code=10`},
		"given up": {gone, echo(throttled), []Option{WithSleep(func(ctx context.Context, d time.Duration) error {
			if d > 0 {
				leave()
			}
			return ctx.Err()
		})}, `outcome=rejected code=7`},
		"limiter":               {nil, echo(throttled), []Option{WithLimiter(refusing(1))}, `outcome=rejected code=7`},
		"limiter, first":        {nil, echo(throttled), []Option{WithLimiter(refusing(0))}, `outcome="not sent"`},
		"unknown, then refused": {nil, inTurn(leaking, echo(refused)), nil, `outcome=unknown`},
		"unknown, then invalid": {
			nil, inTurn(leaking, echo(`{"error_response":{"code":31,"msg":"`+markerReply+` %s"}}`)), nil,
			`outcome=unknown code=31`,
		},
		"transport":          {nil, leaking, nil, `sending or waiting for the reply: proxy could not send [redacted]`},
		"transport, limiter": {nil, leaking, []Option{WithLimiter(refusing(1))}, `not sent: rate limited: no token left)`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			var seen []Observation
			opts := append([]Option{
				withFakeTime(&fakeTime{}), WithLogger(slog.New(slog.NewTextHandler(&b, nil))),
				WithObserver(func(_ context.Context, o Observation) { seen = append(seen, o) }),
			}, tc.opts...)
			c, g := markedClient(t, tc.respond, opts...)
			ctx := tc.ctx
			if ctx == nil {
				ctx = context.Background()
			}
			// ids are logged
			req := &RenewalCancelRequest{OutOrderID: "out-1", CancelMessage: markerBody, ChannelID: fliggy.ChannelAmap}
			_, err := c.Renewals.Cancel(ctx, req, CallRepeatUnknown())
			if err == nil {
				t.Fatal("no error")
			}
			markers := []string{markerSecret, markerSession, markerURL, markerBody}
			for _, s := range g.sent {
				markers = append(markers, s.query(t)["sign"])
			}
			checkHiddenInside(t, err, markers)
			checkHidden(t, "log", b.String(), append(markers, markerReply)...)
			checkHidden(t, "observations", seen, append(markers, markerReply)...)
			if !strings.Contains(b.String(), tc.log) || len(seen) == 0 {
				t.Errorf("the log does not tell of %s: %s", tc.log, b.String())
			}
		})
	}
}

// checkHiddenInside looks at an error and at every error inside it.
func checkHiddenInside(t *testing.T, err error, markers []string) {
	t.Helper()
	checkHidden(t, fmt.Sprintf("%T", err), err, markers...)
	if several, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range several.Unwrap() {
			checkHiddenInside(t, e, markers)
		}
	}
	if one := errors.Unwrap(err); one != nil {
		checkHiddenInside(t, one, markers)
	}
}

// A ban held back by the client, a limiter's refusal, and what Settle learnt.
func TestBansAndSettlementsShowNothingSecret(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c, g := markedClient(
		t,
		echo(`{"error_response":{"code":7,"sub_code":"`+appBan+`","sub_msg":"This ban will last for 60 more seconds %s"}}`),
	)
	_, met := queryOrder(ctx, c)
	_, held := queryOrder(ctx, c)
	_ = as[*GatewayError](t, met)
	_ = as[*RateLimitError](t, held)
	refused, g2 := markedClient(t, echo(`{"successful":false,"ret_code":"%[1]s","ret_msg":"%[1]s"}`))
	settled, err := refused.Renewals.Settle(ctx, &SettleRequest{Submit: unknownSubmit()})
	if err != nil || !isA[*BusinessError](settled.Err) {
		t.Fatalf("%+v, %v", settled, err)
	}
	lost, g3 := markedClient(t, func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("round trip: %w", &url.Error{Op: "Post", URL: r.URL.String(), Err: errors.New("broken")})
	})
	unanswered, err := lost.Renewals.Settle(ctx, &SettleRequest{Submit: unknownSubmit()})
	if err != nil || !isA[*TransportError](unanswered.Err) {
		t.Fatalf("%+v, %v", unanswered, err)
	}
	for name, v := range map[string]any{
		"met": met, "held back": held, "settlement": settled, "settlement value": *settled, "its error": settled.Err,
		"unanswered": unanswered, "its error too": unanswered.Err,
		"client": c, "bans": c.bans, "budget": c.budget,
	} {
		checkHidden(
			t, name, v, markerSecret, markerSession, markerURL, g.last(t).query(t)["sign"], g2.last(t).query(t)["sign"],
			g3.last(t).query(t)["sign"],
		)
	}
	diff(
		t, "JSON of a ban", `{"Method":"alitrip.rentcar.btb.order.query","RetryAfter":60000000000}`,
		renderings(t, held)["JSON"],
	)
}

// A cause that somebody made of the request loses the signature too, also that of
// an earlier attempt.
func TestCausesShowNoSignature(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	var sign string
	c, _ := clientFor(t, func(r *http.Request) (*http.Response, error) {
		sign = r.URL.Query().Get("sign")
		cancel(fmt.Errorf("POST %s (%s): upstream gone", r.URL, sign))
		return nil, errors.New("EOF")
	}, withFakeTime(&fakeTime{}), WithSession(markerSession))
	_, err := queryOrder(ctx, c)
	checkHidden(t, "error", err, sign, markerSession)
}

// A session is hidden in every form in which a URL may carry it.
func TestSessionIsHiddenAsSent(t *testing.T) {
	t.Parallel()
	const session = "61~a*b(c) d/e"
	mt := httpmock.NewMockTransport()
	mt.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		q := r.URL.RawQuery
		i := strings.Index(q, "session=")
		return nil, fmt.Errorf("proxy says no to %s and to %s", q[i:], r.URL.Query().Get("session"))
	})
	_, err := queryOrder(t.Context(), testClient(t, mt, WithSession(session)))
	for _, form := range []string{session, "61%7Ea*b%28c%29+d%2Fe", "61~a%2Ab%28c%29+d%2Fe"} {
		if err == nil || strings.Contains(err.Error(), form) {
			t.Errorf("%q in %v", form, err)
		}
	}
}
