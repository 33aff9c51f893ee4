package rentcar

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"regexp"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/go-resty/resty/v2"

	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/internal/contain"
)

const acceptTypes = "application/json,text/javascript,text/xml"

func newResty(cfg *config) *resty.Client {
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
	hc.Transport = guard{hc.Transport}
	return resty.NewWithClient(&hc).
		SetLogger(silent{}).
		SetHeader("Accept", acceptTypes).
		SetHeader("User-Agent", cfg.userAgent)
}

// defaultRoundTripper keeps more idle connections than http.DefaultTransport, since all calls go to one or two hosts.
// The bound on all connections keeps calls that start while others are connecting from opening too many.
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

// send sends an attempt once and reads the reply, inflated and capped. A panic is one of the round tripper or of the
// body that it returned, so the request may have been sent.
func (c *Client) send(ctx context.Context, cl *call, query string) (got *RawReply, failed *TransportError) {
	var panicked error
	defer func() {
		if panicked != nil {
			got, failed = nil, &TransportError{Phase: PhaseSend, Err: panicked}
		}
	}()
	defer contain.Recover("the round tripper", &panicked)
	if err := ctx.Err(); err != nil {
		return nil, &TransportError{Phase: PhaseBefore, Err: withCause(ctx, err)}
	}
	ctx, cancel := context.WithTimeout(ctx, cl.config.timeout)
	defer cancel()
	address := joinQuery(cl.to, query)
	cl.private = append(cl.private, address)
	resp, err := c.resty.R().
		SetContext(ctx).
		SetDoNotParseResponse(true).
		SetHeader("Content-Type", cl.contentType).
		SetBody(bytes.NewReader(cl.body)). // sent with its length, and not copied
		Post(address)
	if err != nil {
		phase := PhaseSend
		if isUnconnected(err) {
			phase = PhaseConnect
		}
		return nil, &TransportError{Phase: phase, Err: withCause(ctx, stripServerText(stripURL(err)))}
	}
	defer func() { _ = resp.RawBody().Close() }()
	got = &RawReply{HTTPStatus: resp.StatusCode(), Header: resp.Header()}
	if got.Body, err = read(resp.RawResponse, c.cfg.replyLimit); err != nil {
		failed = &TransportError{Phase: PhaseRead, Err: withCause(ctx, stripURL(err))}
	}
	return got, failed
}

// isUnconnected reports whether err, of the HTTP client, says that no connection was made. It looks no further than the
// guard's own error: inside may be what ended the context, and that may be a *connectError of another call.
func isUnconnected(err error) bool {
	var own *url.Error
	if !errors.As(err, &own) || own == nil {
		return false
	}
	_, ok := own.Err.(*connectError) //nolint:errorlint // as the guard returns it, not inside a cause
	return ok
}

// read returns the body, inflated where the round tripper has not done it.
func read(resp *http.Response, limit int64) ([]byte, error) {
	var from io.Reader = resp.Body
	if !resp.Uncompressed && strings.EqualFold(resp.Header.Get("Content-Encoding"), "gzip") {
		z, err := gzip.NewReader(resp.Body)
		if err != nil {
			return nil, err
		}
		from = z
	}
	body, err := io.ReadAll(io.LimitReader(from, max(limit, limit+1)))
	if err == nil && int64(len(body)) > limit {
		err = ErrReplyTooLarge
	}
	if err != nil {
		return nil, err
	}
	return body, nil
}

// A guard is a round tripper that keeps next from repeating a request, bounds the number of interim replies, and marks
// errors before which no connection was made.
type guard struct{ next http.RoundTripper }

// RoundTrip sends a request once. Its error is a *connectError if nothing was sent.
func (g guard) RoundTrip(r *http.Request) (*http.Response, error) {
	var asked, got, wrote atomic.Bool
	trace := httptrace.ClientTrace{
		GetConn:      func(string) { asked.Store(true) },
		GotConn:      func(httptrace.GotConnInfo) { got.Store(true) },
		WroteHeaders: func() { wrote.Store(true) },
	}
	again := r.GetBody
	r = r.WithContext(httptrace.WithClientTrace(r.Context(), &trace))
	var interim atomic.Int32
	hook := trace.Got1xxResponse // now the caller's, which composed with ours would have the last word
	trace.Got1xxResponse = func(code int, header textproto.MIMEHeader) error {
		if interim.Add(1) > maxInterim {
			return errInterim
		}
		if hook == nil {
			return nil
		}
		return hook(code, header)
	}
	// HTTP/2 asks for the body again after some resets that prove nothing. Before the
	// headers have gone out, such as on a connection that had died idle, it may.
	r.GetBody = func() (io.ReadCloser, error) {
		if wrote.Load() || again == nil {
			return nil, errSentBefore
		}
		return again()
	}
	resp, err := g.next.RoundTrip(r)
	if err == nil {
		return resp, nil
	}
	isUnsent := asked.Load() && !got.Load()
	if !asked.Load() { // an error of another call may have ended the context, and come back as the error of this one
		isUnsent = isDialError(err) && !isDialError(context.Cause(r.Context()))
	}
	if isUnsent {
		err = &connectError{asProxyRefusal(err)}
	}
	return resp, err
}

var errSentBefore = errors.New("the connection failed after the request had gone out; it is not sent again")

// A connectError says that no connection was made.
type connectError struct{ err error }

func (e *connectError) Error() string { return e.err.Error() }
func (e *connectError) Unwrap() error { return e.err }

// maxInterim bounds the interim replies to a request, as net/http does without a Got1xxResponse hook.
const maxInterim = 5

var errInterim = fmt.Errorf("more than %d interim (1xx) answers, and no final one", maxInterim)

// isDialError reports whether err comes from before a connection exists. It is for round trippers that do not trace:
// after a connection the error of a second try below says nothing about the first.
func isDialError(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial" || errors.As(err, new(*net.DNSError)) ||
		errors.As(err, new(*tls.CertificateVerificationError)) ||
		errors.As(err, new(x509.UnknownAuthorityError)) || errors.As(err, new(x509.HostnameError))
}

// proxyRefusal returns the error for the status with which a proxy answered CONNECT, or nil for 200. It leaves out the
// proxy's own text.
func proxyRefusal(status int) error {
	if status == http.StatusOK {
		return nil
	}
	return fmt.Errorf(
		"the proxy refused to connect: %d %s: ask whoever runs it, or check its address and password", status,
		http.StatusText(status),
	)
}

// asProxyRefusal returns the proxyRefusal for an error that is the reason phrase of an HTTP status: a transport of the
// caller reports a proxy's refusal so.
func asProxyRefusal(err error) error {
	text := fmt.Sprint(err)
	for status := 400; status < 600; status++ {
		if text != "" && text == http.StatusText(status) {
			return proxyRefusal(status)
		}
	}
	return err
}

// kindOf says what a reply is in a word: empty, HTML, XML, JSON or text.
func kindOf(body string) string {
	body = strings.TrimSpace(body)
	start := strings.ToLower(body[:min(len(body), len("<!doctype html"))])
	switch {
	case start == "":
		return "empty"
	case strings.HasPrefix(start, "<html") || strings.HasPrefix(start, "<!doctype html"):
		return "HTML" // well-formed HTML is XML too
	case start[0] == '<':
		return "XML"
	case start[0] == '{' || start[0] == '[':
		return "JSON"
	}
	return "text"
}

// xmlEncoding finds the encoding that an XML declaration names.
var xmlEncoding = regexp.MustCompile(`^<\?xml[^>]{0,80}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']`)

// text returns the body in UTF-8. Its charset is what the Content-Type says, else
// what an XML declaration says, else UTF-8.
func (r *RawReply) text() (string, error) {
	body := strings.TrimPrefix(string(r.Body), "\ufeff")
	contentType := r.Header.Get("Content-Type")
	name := charset.FromContentType(contentType)
	byHeader := strings.Contains(strings.ToLower(contentType), "charset")
	if m := xmlEncoding.FindStringSubmatch(body); m != nil && !byHeader {
		name = m[1]
	}
	switch isUTF8 := utf8.ValidString(body); {
	case !charset.IsUTF8(name):
		text, err := charset.DecodeStrict(name, []byte(body))
		if err != nil && !byHeader && isUTF8 {
			return body, nil // recoded on its way, the declaration left as it was
		}
		return text, err
	case !isUTF8:
		return "", errors.New("not valid UTF-8, and no other charset is declared")
	}
	return body, nil
}

// joinQuery appends a query to a URL that may have one.
func joinQuery(address, query string) string {
	between := "&"
	switch {
	case !strings.Contains(address, "?"):
		between = "?"
	case strings.HasSuffix(address, "&") || strings.HasSuffix(address, "?"):
		between = ""
	}
	return address + between + query
}
