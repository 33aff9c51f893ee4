package rentcar

import (
	"cmp"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/contain"
	"github.com/fliggy-go/rentcar/internal/top"
)

// An Observation is how an attempt or a whole call ended. It holds no payload and no secret. Codes and RequestID
// hold at most 256 bytes. Observations of package qimen and package durable name what they share in the same way:
// Method, Attempt, Duration and Err.
type Observation struct {
	Method string // API name
	// Attempt counts from 1. For a whole call it is the number of attempts: 0 if nothing was sent.
	Attempt    int
	Done       bool          // the call is over: this is about all of it
	Duration   time.Duration // of the attempt or the call, by the client's clock
	Outcome    Outcome       // OutcomeSucceeded, or what is known of the failure
	Code       string        // code of the gateway or the business error, empty otherwise
	SubCode    string        // sub code of the gateway, such as "isv.invalid-parameter"
	HTTPStatus int           // 0 when no status line came
	RequestID  string        // empty when no reply was understood
	// Err is nil on success. errors.Is and errors.As find in it what they find in the error of the attempt or the
	// call. Its text leaves the platform's messages out, which may name a person.
	Err error
}

// observe reports an attempt or a call. req is the request of a typed call, for its ids.
func (c *Client) observe(ctx context.Context, o Observation, req any) {
	for _, f := range c.cfg.observers {
		c.tell(ctx, "the observer", func() { f(ctx, o) })
	}
	if o.Done && c.cfg.logger != nil {
		c.logCall(ctx, o, req)
	}
	c.traceEnd(ctx, o)
}

// logCall writes the record of a whole call.
func (c *Client) logCall(ctx context.Context, o Observation, req any) {
	level := slog.LevelWarn
	if o.Outcome == OutcomeSucceeded {
		level = slog.LevelDebug
	}
	c.log(ctx, level, "rentcar call",
		slog.String("method", o.Method), slog.Int("attempts", o.Attempt), slog.Duration("duration", o.Duration),
		slog.String("outcome", o.Outcome.String()), slog.String("code", o.Code), slog.String("sub_code", o.SubCode),
		slog.Int("http_status", o.HTTPStatus), slog.String("request_id", o.RequestID), slog.String("detail", detail(o.Err)),
		slog.Attr{Key: "ids", Value: slog.GroupValue(idsOf(req)...)})
}

// observedError returns err with the text of detail.
func observedError(err error) error {
	if err == nil {
		return nil
	}
	return &hidden{text: cmp.Or(detail(err), "refused"), err: func() error { return err }}
}

// tell calls a function that only observes. Its panic is logged and changes nothing.
func (c *Client) tell(ctx context.Context, what string, f func()) {
	err := contain.Call(what, func() error { f(); return nil })
	if p := (*fliggy.PanicError)(nil); errors.As(err, &p) {
		c.log(
			ctx, slog.LevelError, "rentcar: a function of yours panicked", slog.String("error", err.Error()),
			slog.String("stack", string(p.Stack)),
		)
	}
}

// log writes a record if there is a logger, whose panics are dropped.
func (c *Client) log(ctx context.Context, level slog.Level, message string, attrs ...slog.Attr) {
	if c.cfg.logger != nil {
		_ = contain.Call("the logger", func() error { c.cfg.logger.LogAttrs(ctx, level, message, attrs...); return nil })
	}
}

// detail returns the reason of a failure without personal data. A message of the platform may quote the request, so
// the text of the table of codes is used instead.
func detail(err error) string {
	var gateway *GatewayError
	text := ""
	switch {
	case err == nil:
		return ""
	case errors.As(err, &gateway):
		text = lookUp(gateway.Code, gateway.SubCode).words()
	case !errors.As(err, new(*BusinessError)):
		return err.Error()
	}
	var ended *stopped
	if errors.As(err, &ended) && ended.why != nil {
		text = strings.TrimPrefix(text+"; not sent again: "+ended.why.Error(), "; ")
	}
	return text
}

// idNames are the members of requests that name an order, a bill or a batch, but no person.
var idNames = []string{
	"order_id", "out_order_id", "renewal_order_id", "renewal_out_order_id", "agent_order_no", "fliggy_order_id", "bill_no",
	"req_batch_no",
}

// idText matches ids. Other text in the place of an id is not logged.
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

// refused observes a call that ended before it was sent, and returns its error.
func (c *Client) refused(ctx context.Context, method string, err error, req any) error {
	if ctx == nil { // which may be why
		ctx = context.Background()
	}
	ctx = c.traceCall(ctx, method)
	c.observe(ctx, Observation{Method: method, Done: true, Outcome: OutcomeOf(err), Err: observedError(err)}, req)
	return err
}

// warn logs what is probably wrong with a request or its reply.
func (c *Client) warn(ctx context.Context, method, message string, problems []fliggy.Problem) {
	for _, p := range problems {
		c.log(ctx, slog.LevelWarn, "rentcar "+message+" looks wrong",
			slog.String("method", method), slog.String("field", p.Field), slog.String("rule", p.Rule))
	}
}

// A WireLog is one attempt as it was sent and answered, for whoever must find out why
// the gateway refuses a signature. It shows names, lengths and digests; values only of
// parameters of the protocol, such as app_key and timestamp, and of those that
// WithWireLog is told to show. String gives it in lines.
type WireLog struct {
	Observation             // what became of the attempt
	URL         string      // address of the gateway, without its query
	Params      []WireParam // everything sent as a parameter, in the order sent
	BodyType    string      // Content-Type of the body
	Body        WireText    // the body as sent, a form included
	SignMethod  SignMethod  // how the attempt was signed
	Signed      []string    // names of the parameters in the order in which they were signed
	SignedText  WireText    // the canonical text, as SignBase gives it, made anew of what was sent
	ReplyType   string      // Content-Type of the reply
	Reply       WireText    // the reply, inflated, in the charset it came in; zero for none
}

// A WireText is a text that is not shown. Digest is the first 8 hexadecimal digits of
// HMAC-SHA256 under the app secret, of "rentcar wire log" and the text: texts can be
// compared by it, and only with the secret be guessed. If the digests of one value
// differ, such as that of v, the secrets do. By hand that of v, the first 8 digits, is
//
//	printf 'rentcar wire log2.0' | openssl dgst -sha256 -hmac SECRET
type WireText struct {
	Length int    // bytes
	Digest string // 8 hexadecimal digits, as explained at WireText
}

// String gives length and digest.
func (t WireText) String() string { return fmt.Sprintf("%d bytes, digest %s", t.Length, t.Digest) }

// A WireParam is a parameter as sent. Length and digest are those of its value, decoded.
type WireParam struct {
	Name  string   // name of the parameter
	Place string   // "query" or "form"; "address" for the query of WithBaseURL, which is not signed
	Value string   // its value; empty unless it is shown
	Text  WireText // length and digest of its value
}

// WithWireLog calls log once for each attempt that was signed, after its reply, with the
// context of the call. The values of the parameters named in show are shown too; session
// and sign never are. Building it reads the whole request again: use it while you look
// for a fault. The signed text itself is not shown: SignBase gives it for the parameters
// of the query and the form. Like an observer, log must not block, and a panic of it
// changes nothing.
func WithWireLog(log func(ctx context.Context, w WireLog), show ...string) Option {
	return func(c *config) error {
		if log == nil {
			return errors.New("the wire log is nil: leave the option out for none")
		}
		for _, name := range show {
			if top.IsBlank(name) || isSecretParam(name) {
				return fmt.Errorf("the wire log cannot show parameter %q", name)
			}
		}
		c.wireLog, c.wireShown = log, slices.Clone(show)
		return nil
	}
}

// isSecretParam reports whether a parameter of the protocol is a secret.
func isSecretParam(name string) bool { return name == "session" || name == "sign" }

// wire makes the log of an attempt.
func (c *Client) wire(cl *call, query string, got *RawReply, obs Observation) WireLog {
	address, own, _ := strings.Cut(cl.to, "?")
	w := WireLog{
		Observation: obs, URL: address, BodyType: cl.contentType, Body: c.wireText(string(cl.body)),
		SignMethod: c.cfg.signMethod,
	}
	sent, form, raw := formParams(query), formParams(string(cl.body)), []byte(nil)
	if cl.contentType != formType {
		form, raw = nil, cl.body
	}
	list := func(place string, params []top.Param, mayShow bool) {
		for _, p := range params {
			param := WireParam{Name: p.Name, Place: place, Text: c.wireText(p.Value)}
			isShown := isProtocolParam(p.Name) && !isSecretParam(p.Name) || slices.Contains(c.cfg.wireShown, p.Name)
			if mayShow && isShown {
				param.Value = cl.private.redact(p.Value, len(p.Value))
			}
			w.Params = append(w.Params, param)
		}
	}
	list("address", formParams(own), false)
	list("query", sent, true)
	list("form", form, true)
	sent = slices.DeleteFunc(sent, func(p top.Param) bool { return p.Name == "sign" })
	signed := top.Merge(sent, form)
	for _, p := range signed {
		w.Signed = append(w.Signed, p.Name)
	}
	w.SignedText = c.wireText(top.Base(signed, raw))
	if got != nil {
		w.ReplyType = cl.private.redact(brief(got.Header.Get("Content-Type")), maxBrief)
		w.Reply = c.wireText(string(got.Body))
	}
	return w
}

func (c *Client) wireText(text string) WireText {
	mac := hmac.New(sha256.New, []byte(c.secret()))
	_, _ = io.WriteString(mac, "rentcar wire log"+text)
	return WireText{Length: len(text), Digest: hex.EncodeToString(mac.Sum(nil)[:4])}
}

// formParams splits an encoded form or query, in its order.
func formParams(encoded string) (params []top.Param) {
	for pair := range strings.SplitSeq(encoded, "&") {
		name, value, _ := strings.Cut(pair, "=")
		name, nameErr := url.QueryUnescape(name)
		value, valueErr := url.QueryUnescape(value)
		if pair != "" && nameErr == nil && valueErr == nil { // what is sent is escaped well, unless it is the address
			params = append(params, top.Param{Name: name, Value: value})
		}
	}
	return params
}

// String gives the attempt in lines: where it went, each parameter, body, what was signed,
// and the reply.
func (w WireLog) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, attempt %d: POST %s\n", brief(w.Method), w.Attempt, brief(w.URL))
	for _, p := range w.Params {
		fmt.Fprintf(&b, "  %s %s", p.Place, brief(p.Name))
		if p.Value != "" {
			fmt.Fprintf(&b, "=%s", brief(p.Value))
		}
		fmt.Fprintf(&b, " (%v)\n", p.Text)
	}
	fmt.Fprintf(&b, "  body %s (%v)\n", brief(w.BodyType), w.Body)
	fmt.Fprintf(&b, "  signed with %s:", brief(string(w.SignMethod)))
	for _, name := range w.Signed {
		b.WriteString(" " + brief(name))
	}
	fmt.Fprintf(&b, " (%v)\n", w.SignedText)
	fmt.Fprintf(&b, "  reply HTTP status %d, %s (%v): %v", w.HTTPStatus, brief(w.ReplyType), w.Reply, w.Outcome)
	if code := strings.TrimSpace(brief(w.Code) + " " + brief(w.SubCode)); code != "" {
		b.WriteString(", code " + code)
	}
	return b.String()
}
