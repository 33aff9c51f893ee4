package rentcar

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/fliggy-go/rentcar/internal/contain"
)

// An Observation is what an observer learns of an attempt or of a whole call. It
// holds no payload and no secret. Codes and RequestID hold at most 256 bytes.
type Observation struct {
	Method     string        // API name
	Attempt    int           // 1 for the first attempt; for a whole call the number of attempts, 0 if it was refused before sending
	Done       bool          // the call is over: this is about all of it
	Duration   time.Duration // of the attempt or the call, by the client's clock
	Outcome    Outcome       // OutcomeSucceeded, or what is known of the failure
	Code       string        // code of the gateway or the business error, empty otherwise
	SubCode    string        // sub code of the gateway, such as "isv.invalid-parameter"
	HTTPStatus int           // 0 when no status line came
	RequestID  string        // empty when no reply was understood
}

func (c *Client) observe(ctx context.Context, o Observation, err error) {
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
		slog.Int("http_status", o.HTTPStatus), slog.String("request_id", o.RequestID), slog.String("detail", detail(err)))
}

// tell calls what only looks on: a panic of it is logged, and changes nothing.
func (c *Client) tell(ctx context.Context, what string, f func()) {
	err := contain.Call(what, func() error { f(); return nil })
	if p := (*PanicError)(nil); errors.As(err, &p) {
		c.log(ctx, slog.LevelError, "rentcar: a function of yours panicked", slog.String("error", err.Error()), slog.String("stack", string(p.Stack)))
	}
}

// log writes a record where there is a logger. Whom could a panic of that be told?
func (c *Client) log(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
	if c.cfg.logger != nil {
		_ = contain.Call("the logger", func() error { c.cfg.logger.LogAttrs(ctx, level, message, attrs...); return nil })
	}
}

// detail says of a failure what holds nothing of a payload: a message of the
// platform may, so of those there is the code only, also where an error tells of
// more than that.
func detail(err error) string {
	var gateway *GatewayError
	var business *BusinessError
	var ended *stopped
	switch {
	case err == nil:
		return ""
	case !errors.As(err, &gateway) && !errors.As(err, &business):
		return err.Error()
	case errors.As(err, &ended) && ended.why != nil:
		return "not sent again: " + ended.why.Error()
	}
	return ""
}

// refused reports a call that ended before it was sent, and returns its error.
func (c *Client) refused(ctx context.Context, method string, err error) error {
	if ctx == nil { // which may be why
		ctx = context.Background()
	}
	c.observe(ctx, Observation{Method: method, Done: true, Outcome: OutcomeOf(err)}, err)
	return err
}

// warn logs what is only likely to be wrong with a request or its reply.
func (c *Client) warn(ctx context.Context, method, message string, problems []Problem) {
	if ctx == nil {
		return // the call will be refused
	}
	for _, p := range problems {
		c.log(ctx, slog.LevelWarn, "rentcar "+message+" looks wrong",
			slog.String("method", method), slog.String("field", p.Field), slog.String("rule", p.Rule))
	}
}
