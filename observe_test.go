package rentcar

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"

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
		"signature": {`{"error_response":{"code":25,"msg":"replymarker","sub_msg":"replymarker"}}`, query, `detail="Invalid Signature"` + orderIDs},
		"a word":    {`{"error_response":{"code":"IncompleteSignature","msg":"replymarker"}}`, query, `detail="Invalid Signature"` + orderIDs},
		"ban":       {`{"error_response":{"code":7,"sub_msg":"This ban will last for 60 more seconds"}}`, query, `detail="App Call Limited"` + orderIDs},
		"service":   {`{"error_response":{"code":15,"sub_code":"isv.invalid-parameter","sub_msg":"replymarker"}}`, query, `detail="the service refuses the request"` + orderIDs},
		"no code":   {`{"error_response":{"code":10,"msg":"replymarker"}}`, query, `detail=""` + orderIDs},
		"business":  {`{"successful":false,"ret_code":"012","ret_msg":"replymarker"}`, query, `detail=""` + orderIDs},
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
		c, _ := clientFor(t, replyJSON(tc.reply), WithChannel(fliggy.ChannelAmap), WithLogger(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}))))
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
		c, g := clientFor(t, gatewayFailure("10", "", ""), withFakeTime(&fakeTime{}), WithRetry(RetryPolicy{}), WithSessionSource(tc.source),
			WithObserver(func(_ context.Context, o Observation) { last = o }))
		if _, err := queryOrder(tc.ctx, c); err == nil || !last.Done || last.Attempt != tc.want || g.count() != tc.want {
			t.Errorf("%s: %d requests, observed %+v: %v", name, g.count(), last, err)
		}
	}
}
