package fliggytest

import (
	"cmp"
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
	"github.com/fliggy-go/rentcar/qimen"
)

// errNoTarget says that the gateway knows no endpoint to push to.
var errNoTarget = errors.New("fliggytest: nowhere to push to: call PushTo or PushToHandler")

// A PushResult is a push and what became of it.
//
// It formats and logs as a summary, and has no JSON: the query carries the
// signature, the body personal data.
type PushResult struct {
	// ID is unique within the gateway. It is empty where nothing was sent, and so are the next five.
	ID       string
	Time     time.Time // when it ended, by the gateway's clock
	Method   string    // API name
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

// Format writes String for every verb.
func (p PushResult) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue is String.
func (p PushResult) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON gives an error, so that no log shows the push.
func (p PushResult) MarshalJSON() ([]byte, error) {
	return nil, errors.New("fliggytest: a PushResult has no JSON: take its fields")
}

// A Push says how a push differs from those that Fliggy sends. The zero Push differs
// in nothing.
type Push struct {
	// Late is how long to wait before the push is made and signed. The end of the context
	// or of the gateway ends the wait, and nothing is sent.
	Late time.Duration
	// Times sends it so many times, byte for byte the same; once where it is less than 2.
	Times int
	// SignedAt signs with this time instead of the gateway's clock, for stale and for
	// future timestamps.
	SignedAt time.Time
	// BadSignature signs with a secret that nobody has.
	BadSignature bool
	// Unsigned leaves the signature out.
	Unsigned bool
	// ContentType declares another content type than JSON in UTF-8, such as that of a
	// form, or another charset. An event is written so, a body of PushRaw must fit it.
	ContentType string
	// Params are added to the query, or replace its app_key, method and timestamp. They are
	// signed. The method is that of events without them.
	Params map[string]string
	// Headers are sent percent-encoded, signed decoded, and named in the header
	// top-sign-list. That the gateway does so for these APIs is not known.
	Headers map[string]string
	// Timeout is how long the answer may take: DefaultPushTimeout where it is zero.
	Timeout time.Duration
}

func (p *Push) shape() *push.Shape {
	return &push.Shape{
		ContentType: p.ContentType, Params: p.Params, Headers: p.Headers, SignedAt: p.SignedAt,
		BadSignature: p.BadSignature, Unsigned: p.Unsigned, Timeout: p.Timeout, Times: p.Times,
	}
}

// PushTo pushes events to this address from now on, an http or https URL. A query that
// it has is kept and signed. With another text, such as an empty one, every push is an
// error that says so.
func (g *Gateway) PushTo(address string) {
	to, err := push.To(address)
	if err != nil {
		err = fmt.Errorf("fliggytest: PushTo: %w", err)
	}
	if address == "" {
		err = errNoTarget
	}
	g.pushes.aim(to, err)
}

// PushToHandler pushes events to h from now on, without a connection in between.
func (g *Gateway) PushToHandler(h http.Handler) {
	if h == nil {
		g.pushes.aim(push.Target{}, errNoTarget)
		return
	}
	g.pushes.aim(push.ToHandler(h), nil)
}

// Push pushes an event and returns what the endpoint said. The event is sent as it
// marshals, whether its Validate finds fault with it or not: as JSON, or as a form or in another
// charset if the ContentType says so.
//
// It is pushed as each of how says, one after another, and the result is that of the last
// time. Without how it is pushed once, as Fliggy does.
func (g *Gateway) Push(ctx context.Context, e events.Event, how ...Push) PushResult {
	m, ok := e.(json.Marshaler)
	if !ok {
		return PushResult{Err: errors.New("fliggytest: push: want an event, got none")}
	}
	body, err := m.MarshalJSON()
	if err != nil {
		return PushResult{Err: fmt.Errorf("fliggytest: push: %w", err)}
	}
	return g.begin(ctx, how, func(contentType string) ([]byte, error) {
		return push.Encode(body, cmp.Or(contentType, push.DefaultContentType))
	})
}

// PushRaw pushes any body, signed like an event. As for Push, but that the body must fit the ContentType.
func (g *Gateway) PushRaw(ctx context.Context, body []byte, how ...Push) PushResult {
	return g.begin(ctx, how, func(string) ([]byte, error) { return body, nil })
}

// Pushes returns every push since the start or the last [Gateway.Forget], in the
// order in which they ended; see [WithCapacity]. One that was never sent is not there.
func (g *Gateway) Pushes() []PushResult {
	l := &g.log
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]PushResult, len(l.pushes))
	for i := range l.pushes {
		out[i] = l.pushes[i].clone()
	}
	return out
}

// begin pushes the body for a content type as each of how says. The result is that of the last time.
func (g *Gateway) begin(
	ctx context.Context, how []Push, body func(contentType string) ([]byte, error),
) (res PushResult) {
	if !g.pushes.start() {
		return PushResult{Err: errClosed}
	}
	defer g.pushes.done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(g.ctx, func() { cancel(errClosed) })()
	if len(how) == 0 {
		how = []Push{{}}
	}
	for i := range how {
		encoded, err := body(how[i].ContentType)
		if err != nil {
			return PushResult{Err: fmt.Errorf("fliggytest: push: %w", err)}
		}
		res = g.pushAs(ctx, encoded, &how[i])
	}
	return res
}

func (g *Gateway) pushAs(ctx context.Context, body []byte, how *Push) (res PushResult) {
	if !wait(ctx, max(how.Late, 0)) {
		return PushResult{Err: context.Cause(ctx)}
	}
	to, err := g.pushes.target()
	if err != nil {
		return PushResult{Err: err}
	}
	s := push.Sender{
		To: to, AppKey: g.appKey, Secret: g.secret, Now: g.wireNow, Timeout: DefaultPushTimeout, Client: g.pushes.client,
	}
	method, shape := qimen.DefaultEventMethod, how.shape()
	p, err := s.Sign(method, shape, body)
	if err != nil {
		return PushResult{Err: fmt.Errorf("fliggytest: push: %w", err)}
	}
	if other, ok := how.Params["method"]; ok {
		method = other
	}
	s.Send(ctx, p, shape, func(sent push.Result) {
		if err := sent.Err; err != nil {
			if errors.Is(context.Cause(ctx), errClosed) {
				err = errClosed
			}
			sent.Err = fmt.Errorf("fliggytest: push: %w", err)
		}
		res = PushResult{
			Time: g.now(), Method: method, RawQuery: p.RawQuery, Header: p.Header, Body: p.Body,
			Status: sent.Status, Answer: sent.Body, Accepted: sent.Accepted, Err: sent.Err,
		}
		g.log.pushed(&res)
	})
	return res
}
