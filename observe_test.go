package rentcar

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A refused call is logged with its reason, as far as that is not the platform's own
// words, and with the ids of the request, which name nobody.
func TestLogOfRefusals(t *testing.T) {
	t.Parallel()
	query := func(ctx context.Context, c *Client) error {
		_, err := c.Orders.Query(ctx, &OrderQueryRequest{OrderID: "523412312", OutOrderID: "OUT-1"})
		return err
	}
	const orderIDs = " ids.order_id=523412312 ids.out_order_id=OUT-1"
	for name, tc := range map[string]struct {
		reply string
		call  func(context.Context, *Client) error
		want  string // how the line ends
	}{
		"signature": {
			`{"error_response":{"code":25,"msg":"replymarker","sub_msg":"replymarker"}}`, query,
			`detail="Invalid Signature"` + orderIDs,
		},
		"a word": {
			`{"error_response":{"code":"IncompleteSignature","msg":"replymarker"}}`, query,
			`detail="Invalid Signature"` + orderIDs,
		},
		"ban": {
			`{"error_response":{"code":7,"sub_msg":"This ban will last for 60 more seconds"}}`, query,
			`detail="App Call Limited"` + orderIDs,
		},
		"service": {
			`{"error_response":{"code":15,"sub_code":"isv.invalid-parameter","sub_msg":"replymarker"}}`, query,
			`detail="the service refuses the request"` + orderIDs,
		},
		"no code":  {`{"error_response":{"code":10,"msg":"replymarker"}}`, query, `detail=""` + orderIDs},
		"business": {`{"successful":false,"ret_code":"012","ret_msg":"replymarker"}`, query, `detail=""` + orderIDs},
		"not sent": {"", func(ctx context.Context, c *Client) error {
			_, err := c.Orders.CheckCancel(ctx, &OrderCheckCancelRequest{OrderID: "523412312", OutOrderID: " "})
			return err
		}, `out_order_id: is required, got white space only" ids.order_id=523412312`},
		"text that is no id": {okReply, func(ctx context.Context, c *Client) error {
			_, err := c.Orders.Query(ctx, &OrderQueryRequest{OrderID: "523412312", OutOrderID: "张三 bodymarker"})
			return err
		}, `detail="" ids.order_id=523412312`},
		"bill": {okReply, func(ctx context.Context, c *Client) error {
			_, err := c.Bills.Notify(ctx, billOf(1))
			return err
		}, `detail="" ids.bill_no=ID20230203 ids.req_batch_no=20230203001`},
		"callback": {okReply, func(ctx context.Context, c *Client) error {
			_, err := c.Callbacks.Send(ctx, events.NewOrderCancelled(events.Order{OrderID: "523412312", OutOrderID: "OUT-1"}))
			return err
		}, `detail=""` + orderIDs},
		"generic": {okReply, func(ctx context.Context, c *Client) error {
			return c.Call(ctx, "x.y", Params{"order_id": "bodymarker"}, &Raw{})
		}, `detail=""`},
	} {
		var b bytes.Buffer
		c, _ := clientFor(
			t, replyJSON(tc.reply), WithChannel(fliggy.ChannelAmap),
			WithLogger(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		)
		_ = tc.call(t.Context(), c)
		line := strings.TrimSpace(b.String())
		if !strings.HasSuffix(line, tc.want) || strings.Contains(line, "marker") {
			t.Errorf("%s: the log is\n%s\nwant the end\n%s", name, line, tc.want)
		}
	}
}

// The number of attempts of a call counts none that failed before it was sent.
func TestObservedAttemptsOfCallsNotSent(t *testing.T) {
	t.Parallel()
	gone, leave := context.WithCancel(t.Context())
	leave()
	working := func(context.Context) (string, error) { return "s", nil }
	asked := 0
	for name, tc := range map[string]struct {
		ctx    context.Context
		source func(context.Context) (string, error)
		want   int
	}{
		"source":  {t.Context(), func(context.Context) (string, error) { return "", errors.New("no session") }, 0},
		"context": {gone, working, 0},
		"source, later": {t.Context(), func(context.Context) (string, error) {
			if asked++; asked > 1 {
				return "", errors.New("no session")
			}
			return "s", nil
		}, 1},
	} {
		var last Observation
		c,
			g := clientFor(t, gatewayFailure("10", "", ""), withFakeTime(&fakeTime{}), WithRetry(
			RetryPolicy{},
		), WithSessionSource(tc.source),
			WithObserver(func(_ context.Context, o Observation) { last = o }))
		if _, err := queryOrder(tc.ctx, c); err == nil || !last.Done || last.Attempt != tc.want || g.count() != tc.want {
			t.Errorf("%s: %d requests, observed %+v: %v", name, g.count(), last, err)
		}
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
			`level=WARN msg="rentcar request looks wrong" method=alitrip.rentcar.btb.renewal.submit ` +
				`field=renewal_out_order_id rule="is empty; the platform most likely needs it"`,
			`level=DEBUG msg="rentcar call" method=alitrip.rentcar.btb.order.query attempts=1 duration=0s outcome=succeeded ` +
				`code="" sub_code="" http_status=200 request_id=r1 detail=""`,
		}},
		"failure": {replyJSON(
			`{"error_response":{"code":25,"msg":"MARKER","sub_code":"isv.x","sub_msg":"MARKER","request_id":"r2"}}`,
		), []string{
			`level=WARN msg="rentcar call" method=alitrip.rentcar.btb.order.query attempts=1 duration=0s outcome=rejected ` +
				`code=25 sub_code=isv.x http_status=200 request_id=r2 detail="Invalid Signature" ids.order_id=523412312`,
		}},
		"refused": {replyJSON(`{"successful":false,"ret_code":"71008","ret_msg":"MARKER","request_id":"r3"}`), []string{
			`level=WARN msg="rentcar call" method=alitrip.rentcar.btb.order.query attempts=1 duration=0s outcome=rejected ` +
				`code=71008 sub_code="" http_status=200 request_id=r3 detail=""`,
		}},
		"transport": {httpmock.NewErrorResponder(errors.New("line is down")), []string{
			`outcome=unknown code="" sub_code="" http_status=0 request_id="" detail="rentcar: ` +
				`alitrip.rentcar.btb.order.query: sending or waiting for the reply: line is down"`,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var b bytes.Buffer
			c, _ := clientFor(
				t, tc.respond, WithLogger(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}))),
			)
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
		WithObserver(func(_ context.Context, o Observation) { seen = append(seen, o) }), WithObserver(
			func(_ context.Context, o Observation) { second = append(second, o) },
		))
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		want    Observation
	}{
		"success": {replyJSON(okReply), Observation{Outcome: OutcomeSucceeded, HTTPStatus: 200, RequestID: "r1"}},
		"business": {
			replyJSON(`{"successful":false,"ret_code":"012","request_id":"r2"}`),
			Observation{Outcome: OutcomeRejected, HTTPStatus: 200, Code: "012", RequestID: "r2"},
		},
		"gateway": {
			reply(500, jsonType, `{"error_response":{"code":15,"sub_code":"isp.x","request_id":"r3"}}`),
			Observation{Outcome: OutcomeUnknown, HTTPStatus: 500, Code: "15", SubCode: "isp.x", RequestID: "r3"},
		},
		"decode": {
			replyJSON(`{"request_id":"r4"}`), Observation{Outcome: OutcomeUnknown, HTTPStatus: 200, RequestID: "r4"},
		},
		"status":    {reply(502, "text/html", "<html>"), Observation{Outcome: OutcomeUnknown, HTTPStatus: 502}},
		"transport": {httpmock.NewErrorResponder(http.ErrHandlerTimeout), Observation{Outcome: OutcomeUnknown}},
	} {
		seen, second, respond = nil, nil, tc.respond
		_, err := queryOrder(ctx, c)
		if len(seen) != 2 || (err == nil) != (seen[1].Err == nil) || !errors.Is(
			seen[0].Err, err,
		) || !errors.Is(seen[1].Err, err) {
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
	c, _ := clientFor(
		t, replyJSON(okReply), WithObserver(func(ctx context.Context, _ Observation) { got = append(got, ctx.Value(key{})) }),
	)
	_, _ = queryOrder(ctx, c)
	_, _ = c.Orders.Query(ctx, nil)
	_, _ = queryOrder(nil, c) //nolint:staticcheck // a mistake that is made
	diff(t, "values of the contexts", []any{"value", "value", "value", nil}, got)
}
