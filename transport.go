package rentcar

import (
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-resty/resty/v2"
)

const acceptTypes = "application/json,text/javascript,text/xml"

// An endpoint is the address of a gateway. The zero endpoint is none.
type endpoint struct {
	text string
	url  *url.URL
	host string
}

// newEndpoint reads an address; empty text is none.
func newEndpoint(text string) (endpoint, error) {
	if text == "" {
		return endpoint{}, nil
	}
	r, err := http.NewRequest(http.MethodPost, text, nil) //nolint:noctx // it is not sent
	if err != nil {
		return endpoint{}, errors.New("the address of a gateway is not a URL") // the parser's text would quote it
	}
	return endpoint{text, r.URL, r.Host}, nil
}

// transport sends one signed request and reads the whole reply.
type transport struct {
	resty  *resty.Client
	header http.Header // of forms; all calls share it. None is blank, or resty would write into it
	limit  int64
}

func newTransport(cfg *config) *transport {
	hc := http.Client{Transport: defaultRoundTripper()}
	if cfg.httpClient != nil {
		hc = *cfg.httpClient
		if hc.Transport == nil {
			hc.Transport = http.DefaultTransport // resty would put one of its own there
		}
	}
	hc.Jar = nil
	hc.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse // following would turn the POST into a GET
	}
	r := resty.NewWithClient(&hc).
		SetLogger(silent{}).
		SetPreRequestHook(fillIn)
	header := http.Header{"Accept": {acceptTypes}, "User-Agent": {cfg.userAgent}, "Content-Type": {formType}}
	return &transport{resty: r, header: header, limit: cfg.replyLimit}
}

// defaultRoundTripper keeps more idle connections than the standard library's: all
// calls go to one or two hosts. Without a bound on all of them, calls that begin
// while others are still connecting would open more than there are callers.
func defaultRoundTripper() http.RoundTripper {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport // somebody has replaced it, and means it
	}
	t = t.Clone()
	if t.OnProxyConnectResponse == nil {
		t.OnProxyConnectResponse = func(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
			return proxyRefusal(answer.StatusCode)
		}
	}
	t.MaxIdleConns, t.MaxIdleConnsPerHost, t.MaxConnsPerHost = 256, 128, maxConnections
	return t
}

// maxConnections is how many connections to a gateway the default transport opens;
// further calls wait for one.
const maxConnections = 80

// silent keeps resty from printing URLs, which carry session and signature.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}

// A request is one attempt, signed.
type request struct {
	to          endpoint
	query       string
	contentType string // empty for a form
	content     content
}

// A phaseError is a failure and where it happened.
type phaseError struct {
	phase Phase
	err   error
}

// send sends the request once and reads the reply, inflated and capped.
func (t *transport) send(ctx context.Context, req request, timeout time.Duration) (*answer, *phaseError) {
	if err := ctx.Err(); err != nil {
		return nil, &phaseError{PhaseBefore, withCause(ctx, err)}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	s := newSending(ctx, req)
	defer s.body.close()
	r := t.resty.R().
		SetContext(s.traced()).
		SetDoNotParseResponse(true)
	r.Header = t.header // of which resty makes a copy for the request
	if req.contentType != "" {
		r.Header = t.header.Clone()
		r.Header.Set("Content-Type", req.contentType)
	}
	resp, err := r.Get(shortAddress)
	if err != nil {
		err = ownError(ctx, unquoted(stripURL(err)))
		failed := &phaseError{PhaseSend, nil}
		if s.unconnected() || !s.asked.Load() && isDialError(err) { // before the caller's cause comes in, which may be anything
			failed = &phaseError{PhaseConnect, nil}
			err = asProxyRefusal(err)
		}
		failed.err = withCause(ctx, err)
		return nil, failed
	}
	body := resp.RawBody()
	defer func() { _ = body.Close() }()
	s.answer = answer{status: resp.StatusCode(), header: resp.Header()}
	s.answer.body, err = t.read(resp.RawResponse)
	err = ownError(ctx, err)
	switch {
	case errors.Is(err, ErrReplyTooLarge):
		return &s.answer, &phaseError{PhaseRead, err}
	case err != nil:
		failed := &phaseError{PhaseRead, withCause(ctx, stripURL(err))}
		stop := time.AfterFunc(drainTime, cancel)
		_, _ = io.CopyN(io.Discard, resp.RawResponse.Body, t.limit)
		stop.Stop()
		return &s.answer, failed
	}
	s.answer.read = true
	return &s.answer, nil
}

// drainTime is how long the rest of an answer that cannot be read is waited for:
// without its end its connection could not be used again.
const drainTime = 50 * time.Millisecond

// read returns the body, inflated where the round tripper has not done it.
func (t *transport) read(resp *http.Response) (body string, err error) {
	if resp.Uncompressed || !strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		return readAll(resp.Body, resp.ContentLength, t.limit)
	}
	z, err := gzip.NewReader(resp.Body)
	if err != nil {
		return "", err
	}
	return readAll(z, -1, t.limit)
}

// isDialError finds the failures that come before a connection exists, for a round
// tripper that knows no traces. It must not be asked where there was a connection:
// the error of a second attempt below says nothing of the first.
func isDialError(err error) bool {
	var op *net.OpError
	var dns *net.DNSError
	var cert *tls.CertificateVerificationError
	var authority x509.UnknownAuthorityError
	var host x509.HostnameError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, &dns) ||
		errors.As(err, &cert) || errors.As(err, &authority) || errors.As(err, &host)
}

// proxyRefusal says that a proxy did not open a connection to the gateway; nil where
// it did. What it wrote beside the status stays out.
func proxyRefusal(status int) error {
	if status == http.StatusOK {
		return nil
	}
	return fmt.Errorf("the proxy refused to connect: %d %s: ask whoever runs it, or check its address and password", status, http.StatusText(status))
}

// asProxyRefusal finds the refusal of a proxy in what a connection failed with: a
// transport of the caller's says no more than the reason phrase.
func asProxyRefusal(err error) error {
	text := fmt.Sprint(err)
	for status := 400; status < 600; status++ {
		if text != "" && text == http.StatusText(status) {
			return proxyRefusal(status)
		}
	}
	return err
}

// stripURL takes the URL, with session and signature in it, out of an error.
func stripURL(err error) error {
	var u *url.Error
	for fmt.Sprint(err) != "<nil>" { // as a pointer that is nil is too
		if !errors.As(err, &u) {
			return err
		}
		if err = nil; u != nil {
			err = u.Err
		}
	}
	return errors.New("the round tripper failed without a reason")
}

// serverQuotes are the errors of net/http that quote what the server sent.
var serverQuotes = []string{"malformed", "Location header", "bad Content-Length", "transfer encoding"}

// unquoted takes what the server sent out of an error about it: it may be a reply
// without a status line.
func unquoted(err error) error {
	text, _, quotes := strings.Cut(fmt.Sprint(err), "\"") // Sprint survives a panic of Error
	if !quotes || !slices.ContainsFunc(serverQuotes, func(s string) bool { return strings.Contains(text, s) }) {
		return err
	}
	return &hidden{strings.TrimRight(text, ": "), func() error { return err }}
}

// ownError is the failure of a call without the cause of its context's end, which
// the standard library returns in its place: the cause may be anything, and says
// nothing of this call.
func ownError(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil && matches(err, context.Cause(ctx)) {
		return ctx.Err()
	}
	return err
}

// withCause adds what ended the context: that it was cancelled or its time was up,
// and the cause that the caller gave. The standard library gives one or the other.
func withCause(ctx context.Context, err error) error {
	err = ownError(ctx, err)
	for _, why := range []error{ctx.Err(), causeOf(ctx)} {
		if why != nil && !matches(err, why) {
			err = fmt.Errorf("%w (%w)", err, why)
		}
	}
	return err
}

// classes are what errors of this package match.
var classes = []error{ErrOutcomeUnknown, ErrRateLimited, ErrUnavailable, ErrUnauthorized, ErrForbidden, ErrInvalidRequest, ErrReplyTooLarge}

// causeOf is the cause of the context's end. One that is, or wraps, an error of this
// package is about another call: neither its classes nor the platform's words in it
// pass on to this one.
func causeOf(ctx context.Context) (cause error) {
	cause = context.Cause(ctx)
	defer func() {
		if recover() != nil { // its methods panic
			cause = &foreignError{cause}
		}
	}()
	var another interface{ Outcome() Outcome }
	if cause != nil && (errors.As(cause, &another) || slices.ContainsFunc(classes, func(class error) bool { return matches(cause, class) })) {
		return &foreignError{cause}
	}
	return cause
}

// A foreignError matches the error that it stands for, and nothing inside.
type foreignError struct{ err error }

func (e *foreignError) Error() string { return fmt.Sprintf("an error of another call, %T", e.err) }

// Format writes the text for every verb: %#v would show the error inside.
func (e *foreignError) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(e.Error())) }

func (e *foreignError) Is(target error) (same bool) {
	defer func() { _ = recover() }() // values that cannot be compared are not the same
	return target == e.err
}

// matches is errors.Is for errors of the caller's, which may hold what cannot be
// compared.
func matches(err, target error) (is bool) {
	defer func() { _ = recover() }()
	return errors.Is(err, target)
}
