package rentcar

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/contain"
)

// An Observation is what an observer learns of an attempt or of a whole call. It
// holds no payload and no secret. Codes and RequestID hold at most 256 bytes.
type Observation struct {
	Method     string        // API name
	Attempt    int           // 1 for the first attempt; for a whole call the number of attempts, 0 if nothing was sent because it was refused or failed before
	Done       bool          // the call is over: this is about all of it
	Duration   time.Duration // of the attempt or the call, by the client's clock
	Outcome    Outcome       // OutcomeSucceeded, or what is known of the failure
	Code       string        // code of the gateway or the business error, empty otherwise
	SubCode    string        // sub code of the gateway, such as "isv.invalid-parameter"
	HTTPStatus int           // 0 when no status line came
	RequestID  string        // empty when no reply was understood
}

// observe reports an attempt or a call. req is the request of a typed call, for its ids.
func (c *Client) observe(ctx context.Context, o Observation, err error, req any) {
	for _, f := range c.cfg.observers {
		c.tell(ctx, "the observer", func() { f(ctx, o) })
	}
	if !o.Done || c.cfg.logger == nil {
		return
	}
	level := slog.LevelWarn
	if o.Outcome == OutcomeSucceeded {
		level = slog.LevelDebug
	}
	c.log(ctx, level, "rentcar call",
		slog.String("method", o.Method), slog.Int("attempts", o.Attempt), slog.Duration("duration", o.Duration),
		slog.String("outcome", o.Outcome.String()), slog.String("code", o.Code), slog.String("sub_code", o.SubCode),
		slog.Int("http_status", o.HTTPStatus), slog.String("request_id", o.RequestID), slog.String("detail", detail(err)),
		slog.Attr{Key: "ids", Value: slog.GroupValue(idsOf(req)...)})
}

// tell calls what only looks on: a panic of it is logged, and changes nothing.
func (c *Client) tell(ctx context.Context, what string, f func()) {
	err := contain.Call(what, func() error { f(); return nil })
	if p := (*fliggy.PanicError)(nil); errors.As(err, &p) {
		c.log(ctx, slog.LevelError, "rentcar: a function of yours panicked", slog.String("error", err.Error()), slog.String("stack", string(p.Stack)))
	}
}

// log writes a record where there is a logger. Whom could a panic of that be told?
func (c *Client) log(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
	if c.cfg.logger != nil {
		_ = contain.Call("the logger", func() error { c.cfg.logger.LogAttrs(ctx, level, message, attrs...); return nil })
	}
}

// detail is the reason of a failure without personal data. A message of the platform may
// quote the request, so there is what the table of codes says instead of it.
func detail(err error) string {
	var gateway *GatewayError
	var business *BusinessError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &gateway):
		text := lookUp(gateway.Code, gateway.SubCode).words()
		if why := notAgain(err); why != "" {
			text = strings.TrimPrefix(text+"; "+why, "; ")
		}
		return text
	case errors.As(err, &business):
		return notAgain(err)
	}
	return err.Error()
}

// notAgain is why a failed call was not sent again, where it was not the failure itself.
func notAgain(err error) string {
	var ended *stopped
	if errors.As(err, &ended) && ended.why != nil {
		return "not sent again: " + ended.why.Error()
	}
	return ""
}

// idNames are the members of requests that name an order, a bill or a batch, and nobody.
var idNames = []string{
	"order_id", "out_order_id", "renewal_order_id", "renewal_out_order_id", "agent_order_no", "fliggy_order_id", "bill_no", "req_batch_no",
}

// idText is what an id looks like; other text in its place stays out of logs.
var idText = regexp.MustCompile(`^[0-9A-Za-z_./-]{1,64}$`)

// idsOf lists the ids in a typed request.
func idsOf(req any) (ids []slog.Attr) {
	switch r := req.(type) {
	case *BillNotifyRequest:
		if r != nil && len(r.Bills) > 0 {
			req = &r.Bills[0]
		}
	case *CallbackRequest:
		var envelope struct {
			OrderID    fliggy.ID `json:"orderId" top:"order_id"`
			OutOrderID string    `json:"outOrderId" top:"out_order_id"`
		}
		if r != nil && json.Unmarshal([]byte(r.EventData), &envelope) == nil {
			req = &envelope
		}
	}
	v := reflect.Indirect(reflect.ValueOf(req))
	if v.Kind() != reflect.Struct {
		return nil
	}
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("top"), ",")
		if f := v.Field(i); f.Kind() == reflect.String && slices.Contains(idNames, name) && idText.MatchString(f.String()) {
			ids = append(ids, slog.String(name, f.String()))
		}
	}
	return ids
}

// refused reports a call that ended before it was sent, and returns its error.
func (c *Client) refused(ctx context.Context, method string, err error, req any) error {
	if ctx == nil { // which may be why
		ctx = context.Background()
	}
	c.observe(ctx, Observation{Method: method, Done: true, Outcome: OutcomeOf(err)}, err, req)
	return err
}

// warn logs what is only likely to be wrong with a request or its reply.
func (c *Client) warn(ctx context.Context, method, message string, problems []fliggy.Problem) {
	if ctx == nil {
		return // the call will be refused
	}
	for _, p := range problems {
		c.log(ctx, slog.LevelWarn, "rentcar "+message+" looks wrong",
			slog.String("method", method), slog.String("field", p.Field), slog.String("rule", p.Rule))
	}
}
