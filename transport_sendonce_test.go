package rentcar

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/http2"

	"github.com/fliggy-go/rentcar/fliggy"
)

// tlsServer accepts TLS connections and lets serve play the gateway on each.
func tlsServer(
	t *testing.T, protocol string, serve func(l net.Listener, raw net.Conn, secure *tls.Conn),
) (address string, hc *http.Client) {
	t.Helper()
	cert := httptest.NewUnstartedServer(nil)
	cert.EnableHTTP2 = protocol == "h2"
	cert.StartTLS()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conf := cert.TLS.Clone()
	conf.NextProtos = []string{protocol}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				serve(l, raw, tls.Server(raw, conf))
				_ = raw.Close()
			})
		}
	})
	hc = cert.Client()
	t.Cleanup(func() {
		_ = l.Close()
		hc.CloseIdleConnections()
		cert.Close()
		running.Wait()
	})
	return "https://" + l.Addr().String(), hc
}

func submitTo(t *testing.T, address string, hc *http.Client) error {
	t.Helper()
	c, err := NewClient("12345678", "0123456789abcdef0123456789abcdef", WithBaseURL(address), WithHTTPClient(hc))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Renewals.Submit(t.Context(), &RenewalSubmitRequest{OrderID: "1"})
	return err
}

func wantUnknown(t *testing.T, err error, executed int32) {
	t.Helper()
	if OutcomeOf(err) != OutcomeUnknown || !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("outcome %v of a submit that was carried out: %v", OutcomeOf(err), err)
	}
	if executed != 1 {
		t.Errorf("the submit arrived %d times", executed)
	}
}

// A broken TLS record after the request is no failure to connect.
func TestBrokenRecordAfterRequest(t *testing.T) {
	t.Parallel()
	for _, record := range []string{
		"<html>502 Bad Gateway</html>", "\x17\x03\x03\xff\xffaaaa", "\x17\x03\x01\x00\x04aaaa",
	} {
		var executed atomic.Int32
		address, hc := tlsServer(t, "http/1.1", func(_ net.Listener, raw net.Conn, secure *tls.Conn) {
			req, err := http.ReadRequest(bufio.NewReader(secure))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			executed.Add(1)
			_, _ = raw.Write([]byte(record))
		})
		wantUnknown(t, submitTo(t, address, hc), executed.Load())
	}
}

// HTTP/2 sends a request again after some resets that do not prove that nothing
// was done with it, also after an interim answer. A write must not be among those.
func TestHTTP2ResetIsNotReplayed(t *testing.T) {
	t.Parallel()
	submit := func(c *Client) error {
		_, err := c.Renewals.Submit(t.Context(), &RenewalSubmitRequest{OrderID: "1"})
		return err
	}
	generic := func(c *Client) error { return c.Call(t.Context(), "some.write", Params{"a": "1"}, new(Raw)) }
	bare := func(c *Client) error { return c.Call(t.Context(), "some.write", nil, new(Raw)) }
	blank := func(c *Client) error { return c.Call(t.Context(), "some.write", Params{"a": " "}, new(Raw)) }
	provider := func(c *Client) error {
		return c.CallQimen(t.Context(), "some.write", &QimenRequest{TargetAppKey: "1"}, new(Raw))
	}
	for name, tc := range map[string]struct {
		gone    bool
		interim string // status of an answer before the reset
		reset   http2.ErrCode
		call    func(*Client) error
	}{
		"server stays":              {false, "", http2.ErrCodeProtocol, submit},
		"server gone":               {true, "", http2.ErrCodeProtocol, submit},
		"after 103":                 {false, "103", http2.ErrCodeProtocol, submit},
		"after 100, stream refused": {false, "100", http2.ErrCodeRefusedStream, submit},
		"generic call":              {false, "", http2.ErrCodeProtocol, generic},
		"generic call, after 103":   {false, "103", http2.ErrCodeProtocol, generic},
		"refused":                   {false, "", http2.ErrCodeRefusedStream, submit},
		"no parameters":             {false, "", http2.ErrCodeRefusedStream, bare},
		"no parameters, protocol":   {false, "", http2.ErrCodeProtocol, bare},
		"no parameters, gone":       {true, "", http2.ErrCodeRefusedStream, bare},
		"blank parameters":          {false, "", http2.ErrCodeRefusedStream, blank},
		"Qimen, no parameters":      {false, "", http2.ErrCodeRefusedStream, provider},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var executed atomic.Int32
			address, hc := tlsServer(t, "h2", func(l net.Listener, _ net.Conn, secure *tls.Conn) {
				if _, err := io.ReadFull(secure, make([]byte, len(http2.ClientPreface))); err != nil {
					return
				}
				framer := http2.NewFramer(secure, secure)
				_ = framer.WriteSettings()
				for {
					f, err := framer.ReadFrame()
					if err != nil {
						return
					}
					if h := f.Header(); h.Flags&http2.FlagDataEndStream == 0 || h.Type != http2.FrameData &&
						h.Type != http2.FrameHeaders {
						continue
					}
					stream := f.Header().StreamID
					if executed.Add(1) > 1 { // the second one would be told that there is one already
						_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: []byte{0x88}, EndHeaders: true})
						_ = framer.WriteData(stream, true, []byte(`{"successful":false,"ret_code":"DUP"}`))
						continue
					}
					if tc.interim != "" {
						status := append([]byte{0x08, 0x03}, tc.interim...)
						_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: stream, BlockFragment: status, EndHeaders: true})
					}
					if tc.gone {
						_ = l.Close()
						_ = framer.WriteGoAway(stream, http2.ErrCodeNo, nil)
					}
					_ = framer.WriteRSTStream(stream, tc.reset)
				}
			})
			c, err := NewClient(
				"12345678", "0123456789abcdef0123456789abcdef", WithBaseURL(address), WithQimenURL(address), WithHTTPClient(hc),
			)
			if err != nil {
				t.Fatal(err)
			}
			wantUnknown(t, tc.call(c), executed.Load())
		})
	}
}

// What ended a context says nothing of this call, even when it is an error of
// another one.
func TestCausesOfOtherCalls(t *testing.T) {
	t.Parallel()
	other, _ := clientFor(t, banFor("600"))
	_, banned := queryOrder(t.Context(), other)
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, cause := range map[string]error{
		"ban":     banned,
		"unknown": ErrOutcomeUnknown,
		"limit":   &RateLimitError{Method: "x", RetryAfter: time.Hour},
		"invalid": &fliggy.ValidationError{},
		"dial":    dial,
	} {
		ctx, cancel := context.WithCancelCause(t.Context())
		c, g := clientFor(t, func(*http.Request) (*http.Response, error) {
			cancel(cause)
			return nil, context.Canceled
		})
		_, err := send(ctx, c, true)
		if OutcomeOf(err) != OutcomeUnknown || !errors.Is(err, cause) || errors.Is(err, ErrRateLimited) || !errors.Is(
			err, ErrOutcomeUnknown,
		) || isA[*GatewayError](err) {
			t.Errorf("%s: outcome %v: %v", name, OutcomeOf(err), err)
		}
		if _, told := RetryAfter(err); told || c.bans.left("", opOrderQuery.Method, c.now) > 0 {
			t.Errorf("%s: a ban of another call is taken over", name)
		}
		_, err = queryOrder(ctx, c) // a read that is never sent
		if OutcomeOf(err) != OutcomeNotSent || errors.Is(
			err, ErrOutcomeUnknown,
		) != (name == "unknown") || !isA[*TransportError](err) || g.count() != 1 {
			t.Errorf("%s: outcome %v: %v", name, OutcomeOf(err), err)
		}
	}
}

// The same with the standard library's transport, which returns the cause itself.
func TestCausesOfOtherCallsOverHTTP(t *testing.T) {
	t.Parallel()
	for name, cause := range map[string]error{
		"ban":          &RateLimitError{Method: "other", RetryAfter: time.Hour},
		"business":     &BusinessError{Method: "other", Message: "PERSONAL"},
		"too large":    ErrReplyTooLarge,
		"uncomparable": boxedError{[]int{1}},
	} {
		for phase, flush := range map[string]bool{"before the reply": false, "within the reply": true} {
			ctx, cancel := context.WithCancelCause(t.Context())
			s := server(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if flush {
					_, _ = io.WriteString(w, "{")
					_ = http.NewResponseController(w).Flush()
				}
				cancel(cause)
				<-r.Context().Done()
			})
			_, err := queryOrder(ctx, realClient(t, s.URL))
			_, told := RetryAfter(err)
			if told || OutcomeOf(err) != OutcomeUnknown || !errors.Is(
				err, context.Canceled,
			) || isA[*BusinessError](err) || errors.Is(err, ErrReplyTooLarge) != (name == "too large") {
				t.Errorf("%s, %s: %v", name, phase, err)
			}
			if strings.Contains(err.Error(), "PERSONAL") {
				t.Errorf("%s, %s: %v", name, phase, err)
			}
		}
	}
}

// A connection that was refused to one call of a group ends the others, whose writes the server may have.
func TestRefusedConnectionOfAnotherCall(t *testing.T) {
	t.Parallel()
	other, _ := clientFor(t, dialFailure())
	_, refused := cancelRenewal(t.Context(), other)
	if e := as[*TransportError](t, refused); e.Phase != PhaseConnect {
		t.Fatalf("phase %v: %v", e.Phase, refused)
	}
	for name, cause := range map[string]error{
		"alone": refused, "wrapped": fmt.Errorf("group: %w", refused), "uncomparable": severalErrors{refused},
	} {
		for _, flush := range []bool{false, true} {
			ctx, cancel := context.WithCancelCause(t.Context())
			s := server(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if flush {
					_, _ = io.WriteString(w, "{")
					_ = http.NewResponseController(w).Flush()
				}
				cancel(cause)
				<-r.Context().Done()
			})
			_, err := cancelRenewal(ctx, realClient(t, s.URL))
			wantSentAndCancelled(t, name, err)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		untraced, _ := clientFor(t, func(r *http.Request) (*http.Response, error) {
			cancel(cause)
			return nil, context.Cause(r.Context())
		})
		_, err := cancelRenewal(ctx, untraced)
		wantSentAndCancelled(t, name+", untraced", err)
	}
}

func wantSentAndCancelled(t *testing.T, name string, err error) {
	t.Helper()
	e := as[*TransportError](t, err)
	if e.Phase != PhaseSend && e.Phase != PhaseRead || OutcomeOf(err) != OutcomeUnknown ||
		!errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, context.Canceled) {
		t.Errorf("%s: phase %v, outcome %v: %v", name, e.Phase, OutcomeOf(err), err)
	}
}

// severalErrors is an error whose values cannot be compared with ==.
type severalErrors []error

func (severalErrors) Error() string        { return "several" }
func (severalErrors) Is(target error) bool { _, ok := target.(severalErrors); return ok }
func (s severalErrors) Unwrap() []error    { return s }

type boxedError struct{ v any }

func (boxedError) Error() string { return "boxed" }

// A round tripper that repeats calls itself says of its last attempt that it could
// not connect; the first one was carried out.
func TestRepeatingRoundTripper(t *testing.T) {
	t.Parallel()
	var executed atomic.Int32
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		executed.Add(1)
		_ = s.Listener.Close()
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer s.Close()
	hc := &http.Client{Transport: repeating{&http.Transport{DisableKeepAlives: true}}}
	wantUnknown(t, submitTo(t, s.URL, hc), executed.Load())
}

type repeating struct{ http.RoundTripper }

func (r repeating) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := r.RoundTripper.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusServiceUnavailable {
		return res, err
	}
	_ = res.Body.Close()
	again := req.Clone(req.Context())
	again.Body = http.NoBody
	again.ContentLength = 0
	return r.RoundTripper.RoundTrip(again)
}

// A header that makes net/http repeat a call of HTTP/1.1 whose connection breaks: the
// write is sent once all the same.
func TestIdempotencyKeyIsNotReplayed(t *testing.T) {
	t.Parallel()
	for _, params := range []Params{nil, {"a": "1"}} {
		var arrived atomic.Int32
		address := rawServer(t, func(c *net.TCPConn) {
			in := bufio.NewReader(c)
			arrived.Add(1)
			_, _ = io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
			if r, err := http.ReadRequest(in); err == nil { // on the connection that is used again, which then breaks
				_, _ = io.Copy(io.Discard, r.Body)
				arrived.Add(1)
			}
		})
		c := testClient(t, withKey{&http.Transport{}}, WithBaseURL(address))
		if err := c.Call(t.Context(), "some.write", params, new(Raw)); err != nil {
			t.Fatal(err)
		}
		err := c.Call(t.Context(), "some.write", params, new(Raw))
		wantUnknown(t, err, arrived.Load()-1)
	}
}

type withKey struct{ *http.Transport }

func (k withKey) RoundTrip(r *http.Request) (*http.Response, error) {
	r.Header.Set("Idempotency-Key", "1")
	return k.Transport.RoundTrip(r)
}
