package fliggytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/internal/push"
	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/fliggy-go/rentcar/qimen"
)

// ErrNoTarget says that the gateway knows no endpoint to push to.
var ErrNoTarget = errors.New("fliggytest: nowhere to push to: call PushTo or PushToHandler")

// A PushResult is a push and what became of it.
//
// It formats and logs as a summary, and has no JSON: the query carries the
// signature, the body personal data.
type PushResult struct {
	// Time is when it ended, by the gateway's clock. It is zero where nothing was sent, and so are the next four.
	Time     time.Time
	Method   string // API name
	RawQuery string
	Header   http.Header
	Body     []byte

	Status   int    // HTTP status of the answer, 0 where none came
	Answer   []byte // the body of the answer
	Accepted bool   // HTTP status 200 and a JSON object whose success is true
	Err      error  // why no answer came, or why nothing was sent
}

// String names method, status and error.
func (p PushResult) String() string {
	text := fmt.Sprintf("PushResult(%s, status %d, accepted %t", p.Method, p.Status, p.Accepted)
	if p.Err != nil {
		text += ", error: " + p.Err.Error()
	}
	return text + ")"
}

func (p PushResult) clone() PushResult {
	p.Header, p.Body, p.Answer = p.Header.Clone(), slices.Clone(p.Body), slices.Clone(p.Answer)
	return p
}

// GoString is String.
func (p PushResult) GoString() string { return p.String() }

// Format writes String for every verb.
func (p PushResult) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue is String.
func (p PushResult) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON gives an error, so that no log shows the push.
func (p PushResult) MarshalJSON() ([]byte, error) {
	return nil, errors.New("fliggytest: a PushResult has no JSON: take its fields")
}

// A PushOption shapes one push.
type PushOption func(*pushConfig)

type pushConfig struct {
	push.Shape
	times int
	delay time.Duration
}

// method is the API name that is sent.
func (c *pushConfig) method() string {
	for _, param := range slices.Backward(c.Params) {
		if param.Name == "method" {
			return param.Value
		}
	}
	return c.Method
}

// PushRepeated sends the push n times, byte for byte the same. The result is that
// of the last.
func PushRepeated(n int) PushOption { return func(c *pushConfig) { c.times = max(n, 1) } }

// PushLate waits so long before the push is made and signed. The end of the
// context or of the gateway ends the wait.
func PushLate(d time.Duration) PushOption { return func(c *pushConfig) { c.delay = max(d, 0) } }

// PushSignedAt signs with this time instead of the gateway's clock, for stale and
// for future timestamps.
func PushSignedAt(t time.Time) PushOption { return func(c *pushConfig) { c.SignedAt = t } }

// PushBadSignature signs with a secret that nobody has.
func PushBadSignature() PushOption { return func(c *pushConfig) { c.BadSignature = true } }

// PushUnsigned leaves the signature out.
func PushUnsigned() PushOption { return func(c *pushConfig) { c.Unsigned = true } }

// PushContentType declares another content type than JSON in UTF-8, such as that
// of a form, or another charset. The body must fit it.
func PushContentType(contentType string) PushOption {
	return func(c *pushConfig) { c.ContentType = contentType }
}

// PushParam adds a parameter to the query, or replaces app_key, method or timestamp; it is signed. The method is that of
// events without it.
func PushParam(name, value string) PushOption {
	return func(c *pushConfig) { c.Params = append(c.Params, top.Param{Name: name, Value: value}) }
}

// PushSignedHeader sends a header that is signed: its name stands in the header
// top-sign-list. The value travels percent-encoded; the receiver signs it decoded. That
// the gateway does so for these APIs is not known.
func PushSignedHeader(name, value string) PushOption {
	return func(c *pushConfig) { c.Headers = append(c.Headers, top.Param{Name: name, Value: value}) }
}

// PushTo pushes events to this address from now on, over HTTP. A query that it
// has is kept and signed.
func (g *Gateway) PushTo(address string) {
	to, err := push.To(address)
	if err != nil {
		err = fmt.Errorf("fliggytest: PushTo: %w", err)
	}
	if address == "" {
		err = ErrNoTarget
	}
	g.pushes.aim(to, err)
}

// PushToHandler pushes events to h from now on, without a connection in between.
func (g *Gateway) PushToHandler(h http.Handler) {
	if h == nil {
		g.pushes.aim(push.Target{}, ErrNoTarget)
		return
	}
	g.pushes.aim(push.ToHandler(h), nil)
}

// Push pushes an event and returns what the endpoint said. The event is sent as it
// marshals, whether its Validate finds fault with it or not.
func (g *Gateway) Push(ctx context.Context, e events.Event, opts ...PushOption) PushResult {
	m, ok := e.(json.Marshaler)
	if !ok {
		return PushResult{Err: errors.New("fliggytest: push: want an event, got none")}
	}
	body, err := m.MarshalJSON()
	if err != nil {
		return PushResult{Err: fmt.Errorf("fliggytest: push: %w", err)}
	}
	return g.PushRaw(ctx, body, opts...)
}

// PushRaw pushes any body, signed like an event.
func (g *Gateway) PushRaw(ctx context.Context, body []byte, opts ...PushOption) PushResult {
	if !g.pushes.start() {
		return PushResult{Err: ErrClosed}
	}
	defer g.pushes.done()
	return g.push(ctx, body, opts)
}

// Pushes returns every push since the start or the last [Gateway.Forget], in the
// order in which they ended. One that was never sent is not there.
func (g *Gateway) Pushes() []PushResult { return g.pushes.records() }

// push sends a body as often as the options say. The result is that of the last time.
func (g *Gateway) push(ctx context.Context, body []byte, opts []PushOption) (res PushResult) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(g.ctx, func() { cancel(ErrClosed) })()
	cfg := &pushConfig{Shape: push.Shape{Method: qimen.DefaultEventMethod, ContentType: push.DefaultContentType}, times: 1}
	for _, opt := range opts {
		if opt != nil {
			opt(cfg)
		}
	}
	if !wait(ctx, cfg.delay) {
		return PushResult{Err: context.Cause(ctx)}
	}
	to, err := g.pushes.target()
	if err != nil {
		return PushResult{Err: err}
	}
	s := push.Sender{To: to, AppKey: g.appKey, Secret: g.secret, Now: g.now, Timeout: g.pushTimeout, Client: g.pushes.client}
	p, err := s.Sign(&cfg.Shape, body)
	if err != nil {
		return PushResult{Err: fmt.Errorf("fliggytest: push: %w", err)}
	}
	for range cfg.times {
		sent := s.Send(ctx, p)
		if err := sent.Err; err != nil {
			if errors.Is(context.Cause(ctx), ErrClosed) {
				err = ErrClosed
			}
			sent.Err = fmt.Errorf("fliggytest: push: %w", err)
		}
		res = PushResult{
			Time: g.now(), Method: cfg.method(), RawQuery: p.RawQuery, Header: p.Header, Body: p.Body,
			Status: sent.Status, Answer: sent.Body, Accepted: sent.Accepted, Err: sent.Err,
		}
		g.pushes.record(res.clone())
	}
	return res
}
