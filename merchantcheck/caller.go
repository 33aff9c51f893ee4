package merchantcheck

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/internal/push"
	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/fliggy-go/rentcar/qimen"
)

// A Caller plays Fliggy towards the endpoint of a merchant (商家): it signs
// and sends what Fliggy would send through the Qimen gateway, and reads the answer.
// Make one with [New] or [NewForHandler]; it cannot be changed afterwards and may be
// used by any number of goroutines.
//
// It formats, logs and marshals without secret and query.
type Caller struct {
	name string // the address without what may be secret in it
	// Pointers, so that no formatting verb reaches what may be secret.
	sender *push.Sender // nil in the zero Caller
	shape  *push.Shape
}

// DefaultTimeout is how long a request waits for its answer, unless a [Variant] or [Config] has another Timeout.
const DefaultTimeout = 10 * time.Second

// New calls the endpoint of a merchant: an address, over http or https, and app key and
// secret of the app that receives. A query of the address is kept and signed. Proxies are
// taken from the environment; redirects are not followed.
//
// The error lists everything that is wrong.
func New(endpoint, appKey, appSecret string) (*Caller, error) {
	address := strings.TrimSpace(endpoint)
	to, err := push.To(address)
	if err != nil {
		return newCaller(to, "", fmt.Errorf("endpoint: %w", err), appKey, appSecret)
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err // push.To has parsed it
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return newCaller(to, u.String(), nil, appKey, appSecret)
}

// NewForHandler calls a handler, without a connection in between. It must return when the
// context of its request ends: only that ends a request that takes too long.
func NewForHandler(h http.Handler, appKey, appSecret string) (*Caller, error) {
	var err error
	if h == nil {
		err = errors.New("handler: it is nil")
	}
	return newCaller(push.ToHandler(h), "a handler", err, appKey, appSecret)
}

func newCaller(to push.Target, name string, problem error, appKey, appSecret string) (*Caller, error) {
	problems := []error{problem}
	check := func(bad bool, text string) {
		if bad {
			problems = append(problems, errors.New(text))
		}
	}
	check(top.IsBlank(appKey), "app key: it is empty: use that of the app that receives")
	check(top.IsBlank(appSecret), "app secret: it is empty: is a variable unset?")
	check(appSecret != strings.TrimSpace(appSecret), "app secret: white space around it: was a line break pasted with it?")
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("merchantcheck: %w", err)
	}
	m := &Caller{name: name, shape: &push.Shape{}, sender: &push.Sender{
		To: to, AppKey: appKey, Secret: func() string { return appSecret }, Now: time.Now, Timeout: DefaultTimeout,
		Client: push.NewClient(http.ProxyFromEnvironment),
	}}
	if _, err := m.sender.Sign(qimen.RenewalPricesMethod, m.shape, nil); err != nil {
		return nil, fmt.Errorf("merchantcheck: endpoint: its query cannot be signed: %w", err)
	}
	return m, nil
}

// A Variant says how requests differ from those that Fliggy sends. The zero Variant differs
// in nothing.
type Variant struct {
	// ContentType declares another content type than JSON in UTF-8: a form, XML or text, in
	// any charset of the platform. Typed requests are written so; the body of Call must fit.
	ContentType string
	// Params are added to the query, or replace its app_key, method and timestamp. They are
	// signed.
	Params map[string]string
	// Headers are sent percent-encoded, signed decoded, and named in the header
	// top-sign-list. That the gateway does so for these APIs is not known.
	Headers map[string]string
	// SignedAt signs with this time instead of that of the clock.
	SignedAt time.Time
	// BadSignature signs with a secret that nobody has.
	BadSignature bool
	// Unsigned leaves the signature out.
	Unsigned bool
	// Timeout is how long the answer may take: DefaultTimeout where it is zero.
	Timeout time.Duration
	// Times sends the request so many times, byte for byte the same, and returns the last
	// answer; once where it is less than 2.
	Times int
}

// Vary returns a caller whose requests differ as v says, and from those of m in nothing
// else. Variants do not add up. [Run] has its own.
func (m *Caller) Vary(v Variant) *Caller {
	own := *m
	v.Params, v.Headers = maps.Clone(v.Params), maps.Clone(v.Headers)
	shape := push.Shape(v)
	own.shape = &shape
	return &own
}

// Prices asks for the price of a renewal. A refusal is a *[qimen.Refusal]; any
// other error says what is wrong with the answer (none came, HTTP status, no JSON,
// no success flag, a member that is missing or unreadable) without quoting it.
//
// Source: qimen.alitrip.rentcar.renewalprices.query.
func (m *Caller) Prices(ctx context.Context, r *qimen.RenewalPricesRequest) (*qimen.RenewalPricesReply, error) {
	return readReply[qimen.RenewalPricesReply](m, qimen.RenewalPricesMethod, m.prices(ctx, r))
}

// Submit places a renewal order. Errors are those of [Caller.Prices].
//
// Source: qimen.alitrip.rentcar.renewalorder.submit.
func (m *Caller) Submit(ctx context.Context, r *qimen.RenewalSubmitRequest) (*qimen.RenewalSubmitReply, error) {
	return readReply[qimen.RenewalSubmitReply](m, qimen.RenewalSubmitMethod, m.submit(ctx, r))
}

// Cancel cancels a renewal order. Errors are those of [Caller.Prices].
//
// Source: qimen.alitrip.rentcar.renewalorder.cancel.
func (m *Caller) Cancel(ctx context.Context, r *qimen.RenewalCancelRequest) (*qimen.RenewalCancelReply, error) {
	return readReply[qimen.RenewalCancelReply](m, qimen.RenewalCancelMethod, m.cancel(ctx, r))
}

// Call sends any body to any method, signed, and returns the answer as it came: HTTP status
// and body. The error says why none came. The body must fit the content type: JSON in
// UTF-8, or that of the [Variant].
func (m *Caller) Call(ctx context.Context, method string, body []byte) (status int, answer []byte, err error) {
	res := m.call(ctx, method, body)
	return res.Status, res.Body, res.Err
}

// Close lets go of idle connections.
func (m *Caller) Close() { m.sender.Client.CloseIdleConnections() }

func (m *Caller) call(ctx context.Context, method string, body []byte) (res push.Result) {
	p, err := m.sender.Sign(method, m.shape, body)
	if err != nil {
		return failed(method, err)
	}
	m.sender.Send(ctx, p, m.shape, func(last push.Result) { res = last })
	if res.Err != nil {
		res.Err = failed(method, res.Err).Err
	}
	return res
}

func failed(method string, err error) push.Result {
	return push.Result{Err: fmt.Errorf("merchantcheck: %s: %w", method, err)}
}

func (m *Caller) prices(ctx context.Context, r *qimen.RenewalPricesRequest) push.Result {
	return callTyped(ctx, m, qimen.RenewalPricesMethod, r)
}

func (m *Caller) submit(ctx context.Context, r *qimen.RenewalSubmitRequest) push.Result {
	return callTyped(ctx, m, qimen.RenewalSubmitMethod, r)
}

func (m *Caller) cancel(ctx context.Context, r *qimen.RenewalCancelRequest) push.Result {
	return callTyped(ctx, m, qimen.RenewalCancelMethod, r)
}

// callTyped sends a request in the form that its content type asks for.
func callTyped[Req any](ctx context.Context, m *Caller, method string, request *Req) push.Result {
	if request == nil {
		return failed(method, errors.New("the request is nil"))
	}
	plan, err := top.PlanFor(reflect.TypeFor[Req]())
	var body []byte
	if err == nil {
		body, err = plan.AppendJSON(nil, request, top.EncodeOptions{})
	}
	if err == nil {
		body, err = push.Encode(body, cmp.Or(m.shape.ContentType, push.DefaultContentType))
	}
	if err != nil {
		return failed(method, err)
	}
	return m.call(ctx, method, body)
}

// readReply reads the reply out of an answer.
func readReply[Rep any, PRep interface {
	*Rep
	json.Unmarshaler
}](m *Caller, method string, res push.Result) (*Rep, error) {
	if res.Err != nil {
		return nil, res.Err
	}
	if res.Status != http.StatusOK {
		return nil, fmt.Errorf("merchantcheck: %s: the answer has HTTP status %d, want 200", method, res.Status)
	}
	if !json.Valid(res.Body) {
		return nil, fmt.Errorf("merchantcheck: %s: the answer is not JSON", method)
	}
	reply := new(Rep)
	if err := PRep(reply).UnmarshalJSON(res.Body); err != nil {
		if no := (*qimen.Refusal)(nil); errors.As(err, &no) { // in the merchant's words
			no.Code, no.Message = m.redact(no.Code), m.redact(no.Message)
		}
		return nil, fmt.Errorf("merchantcheck: %s: %w", method, err)
	}
	return reply, nil
}

// String names app key and address, never the secret.
func (m Caller) String() string {
	if m.sender == nil {
		return "merchantcheck.Caller{}"
	}
	return fmt.Sprintf("merchantcheck.Caller{app key %s, %s}", m.sender.AppKey, m.name)
}

// Format writes String for every verb.
func (m Caller) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// MarshalText is String: a caller has no other form.
func (m Caller) MarshalText() ([]byte, error) { return []byte(m.String()), nil }
