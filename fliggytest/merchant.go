package fliggytest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/fliggy-go/rentcar/qimen"
)

// A MerchantCaller plays Fliggy towards the endpoint of a merchant (商家): it signs
// and sends what Fliggy would send through the Qimen gateway, and reads the answer.
// Make one with [NewMerchantCaller] or [NewMerchantHandlerCaller]; it cannot be
// changed afterwards and may be used by any number of goroutines.
//
// It formats, logs and marshals without secret and query.
type MerchantCaller struct {
	name         string // the address without what may be secret in it
	aim          func() (target, error)
	appKey       string
	secret       func() string
	now          func() time.Time
	timeout      time.Duration
	pressureTest bool
	client       *http.Client
}

// A MerchantOption configures a [MerchantCaller].
type MerchantOption func(*merchantConfig)

type merchantConfig struct {
	now          func() time.Time
	timeout      time.Duration
	pressureTest bool
}

// MerchantClock sets the clock that requests are signed with: time.Now without it.
func MerchantClock(now func() time.Time) MerchantOption {
	return func(c *merchantConfig) { c.now = now }
}

// MerchantTimeout bounds how long a request waits for its answer:
// DefaultPushTimeout without it.
func MerchantTimeout(d time.Duration) MerchantOption {
	return func(c *merchantConfig) { c.timeout = d }
}

// MerchantPressureTest marks every typed request, and all that [CheckMerchant]
// sends, as load-test traffic (压测流量): isPressureTest "true".
func MerchantPressureTest() MerchantOption {
	return func(c *merchantConfig) { c.pressureTest = true }
}

// NewMerchantCaller calls the endpoint of a merchant: an address, over http or https,
// and app key and secret of the app that receives. A query
// of the address is kept and signed. Proxies are taken from the environment;
// redirects are not followed.
//
// The error lists everything that is wrong.
func NewMerchantCaller(endpoint, appKey, appSecret string, opts ...MerchantOption) (*MerchantCaller, error) {
	to, err := target{address: strings.TrimSpace(endpoint)}.open()
	if err != nil {
		err = errors.New("endpoint: want an absolute address that starts with http:// or https://")
	}
	return newMerchant(to, err, appKey, appSecret, opts)
}

// NewMerchantHandlerCaller calls a handler, without a connection in between. It must return when the context of its request ends: only
// that ends a request that takes too long.
func NewMerchantHandlerCaller(h http.Handler, appKey, appSecret string, opts ...MerchantOption) (*MerchantCaller, error) {
	if h == nil {
		return newMerchant(target{}, errors.New("handler: it is nil"), appKey, appSecret, opts)
	}
	to, err := target{handler: h}.open()
	return newMerchant(to, err, appKey, appSecret, opts)
}

func newMerchant(to target, problem error, appKey, appSecret string, opts []MerchantOption) (*MerchantCaller, error) {
	cfg := merchantConfig{now: time.Now, timeout: DefaultPushTimeout}
	for _, opt := range opts {
		if opt != nil {
			opt(&cfg)
		}
	}
	m := &MerchantCaller{
		name:         "a handler",
		aim:          func() (target, error) { return to, nil },
		appKey:       appKey,
		secret:       func() string { return appSecret },
		now:          cfg.now,
		timeout:      cfg.timeout,
		pressureTest: cfg.pressureTest,
		client:       newPushClient(),
	}
	if transport, ok := m.client.Transport.(*http.Transport); ok {
		transport.Proxy = http.ProxyFromEnvironment
	}
	problems := []error{problem}
	check := func(bad bool, text string) {
		if bad {
			problems = append(problems, errors.New(text))
		}
	}
	check(top.IsBlank(appKey), "app key: it is empty: use that of the app that receives")
	check(top.IsBlank(appSecret), "app secret: it is empty: is a variable unset?")
	check(appSecret != strings.TrimSpace(appSecret), "app secret: white space around it: was a line break pasted with it?")
	check(cfg.now == nil, "MerchantClock: the function is nil")
	check(cfg.timeout <= 0, "MerchantTimeout: want more than zero")
	if err := errors.Join(problems...); err != nil {
		return nil, fmt.Errorf("fliggytest: merchant: %w", err)
	}
	if u, err := url.Parse(to.address); err == nil && to.handler == nil {
		u.User = nil
		m.name = u.String()
	}
	s := m.sender(qimen.RenewalPricesMethod)
	if _, err := s.signed(newPushConfig(qimen.RenewalPricesMethod, nil), to, nil); err != nil {
		return nil, fmt.Errorf("fliggytest: merchant: endpoint: its query cannot be signed: %w", err)
	}
	return m, nil
}

// Prices asks for the price of a renewal. An answer no is a *[qimen.Refusal]; any
// other error says what is wrong with the answer (none came, HTTP status, no JSON,
// no success flag, a member that is missing or unreadable) without quoting it.
//
// With [PushContentType] the request goes out as a form or as XML, in any charset
// of the platform.
//
// Source: qimen.alitrip.rentcar.renewalprices.query.
func (m *MerchantCaller) Prices(
	ctx context.Context, r *qimen.RenewalPricesRequest, opts ...PushOption,
) (*qimen.RenewalPricesReply, error) {
	return readAnswer[qimen.RenewalPricesReply](m, qimen.RenewalPricesMethod, m.prices(ctx, r, opts...))
}

// Submit places a renewal order. Errors and options are those of [MerchantCaller.Prices].
//
// Source: qimen.alitrip.rentcar.renewalorder.submit.
func (m *MerchantCaller) Submit(
	ctx context.Context, r *qimen.RenewalSubmitRequest, opts ...PushOption,
) (*qimen.RenewalSubmitReply, error) {
	return readAnswer[qimen.RenewalSubmitReply](m, qimen.RenewalSubmitMethod, m.submit(ctx, r, opts...))
}

// Cancel cancels a renewal order. Errors and options are those of
// [MerchantCaller.Prices].
//
// Source: qimen.alitrip.rentcar.renewalorder.cancel.
func (m *MerchantCaller) Cancel(
	ctx context.Context, r *qimen.RenewalCancelRequest, opts ...PushOption,
) (*qimen.RenewalCancelReply, error) {
	return readAnswer[qimen.RenewalCancelReply](m, qimen.RenewalCancelMethod, m.cancel(ctx, r, opts...))
}

// Call sends any body to any method, signed. The body must fit the content type:
// JSON in UTF-8, or that of [PushContentType].
func (m *MerchantCaller) Call(ctx context.Context, method string, body []byte, opts ...PushOption) PushResult {
	return m.call(ctx, newPushConfig(method, opts), body)
}

// Close lets go of idle connections.
func (m *MerchantCaller) Close() { m.client.CloseIdleConnections() }

func (m *MerchantCaller) sender(what string) *sender {
	return &sender{what: what, appKey: m.appKey, secret: m.secret, now: m.now, timeout: m.timeout, client: m.client}
}

func (m *MerchantCaller) call(ctx context.Context, cfg *pushConfig, body []byte) PushResult {
	return m.sender(cfg.method).push(ctx, cfg, m.aim, body, func(*qimen.Push, PushResult) {})
}

func (m *MerchantCaller) prices(ctx context.Context, r *qimen.RenewalPricesRequest, opts ...PushOption) PushResult {
	mark := func(r *qimen.RenewalPricesRequest) { r.IsPressureTest = true }
	return callTyped(ctx, m, qimen.RenewalPricesMethod, r, mark, opts)
}

func (m *MerchantCaller) submit(ctx context.Context, r *qimen.RenewalSubmitRequest, opts ...PushOption) PushResult {
	mark := func(r *qimen.RenewalSubmitRequest) { r.IsPressureTest = true }
	return callTyped(ctx, m, qimen.RenewalSubmitMethod, r, mark, opts)
}

func (m *MerchantCaller) cancel(ctx context.Context, r *qimen.RenewalCancelRequest, opts ...PushOption) PushResult {
	mark := func(r *qimen.RenewalCancelRequest) { r.IsPressureTest = true }
	return callTyped(ctx, m, qimen.RenewalCancelMethod, r, mark, opts)
}

// callTyped sends a request in the form that its content type asks for.
func callTyped[Req any](
	ctx context.Context, m *MerchantCaller, method string, request *Req, mark func(*Req), opts []PushOption,
) PushResult {
	if request == nil {
		return PushResult{Err: fmt.Errorf("fliggytest: %s: the request is nil", method)}
	}
	own := *request
	if m.pressureTest {
		mark(&own)
	}
	cfg := newPushConfig(method, opts)
	body, err := encodeRequest(&own, cfg.contentType)
	if err != nil {
		return PushResult{Err: fmt.Errorf("fliggytest: %s: %w", method, err)}
	}
	return m.call(ctx, cfg, body)
}

// encodeRequest writes a request as the content type says: form, XML, or else
// JSON.
func encodeRequest(request any, contentType string) ([]byte, error) {
	plan, err := top.PlanFor(reflect.TypeOf(request).Elem())
	if err != nil {
		return nil, err
	}
	cs, err := charset.Lookup(charset.FromContentType(contentType))
	if err != nil {
		return nil, err
	}
	has := func(prefix string) bool { return strings.HasPrefix(contentType, prefix) }
	if has("text/xml") || has("application/xml") {
		body, err := plan.AppendXML(nil, "request", request)
		return cs.Encode(string(body)), err
	}
	body, err := plan.AppendJSON(nil, request, top.EncodeOptions{})
	if err != nil || !has("application/x-www-form-urlencoded") {
		return cs.Encode(string(body)), err
	}
	object, err := top.ParseJSON(string(body))
	var fields []top.Param
	for m := range object.Inside() {
		fields = append(fields, top.Param{Name: m.Name(), Value: string(cs.Encode(m.Text()))})
	}
	return top.AppendForm(nil, fields), err
}

// readAnswer reads the reply out of an answer.
func readAnswer[Rep any, PRep interface {
	*Rep
	json.Unmarshaler
}](m *MerchantCaller, method string, res PushResult) (*Rep, error) {
	if res.Err != nil {
		return nil, res.Err
	}
	if res.Status != http.StatusOK {
		return nil, fmt.Errorf("fliggytest: %s: the answer has HTTP status %d, want 200", method, res.Status)
	}
	if !json.Valid(res.Body) {
		return nil, fmt.Errorf("fliggytest: %s: the answer is not JSON", method)
	}
	reply := new(Rep)
	if err := PRep(reply).UnmarshalJSON(res.Body); err != nil {
		if no := (*qimen.Refusal)(nil); errors.As(err, &no) { // in the merchant's words
			no.Code, no.Message = m.redact(no.Code), m.redact(no.Message)
		}
		return nil, fmt.Errorf("fliggytest: %s: %w", method, err)
	}
	return reply, nil
}

// String names app key and address, never the secret.
func (m MerchantCaller) String() string {
	return fmt.Sprintf("fliggytest.MerchantCaller{app key %s, %s}", m.appKey, m.name)
}

// GoString is String.
func (m MerchantCaller) GoString() string { return m.String() }

// Format writes String for every verb.
func (m MerchantCaller) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, m.String()) }

// LogValue is String.
func (m MerchantCaller) LogValue() slog.Value { return slog.StringValue(m.String()) }

// MarshalText is String: a merchant has no other form.
func (m MerchantCaller) MarshalText() ([]byte, error) { return []byte(m.String()), nil }
