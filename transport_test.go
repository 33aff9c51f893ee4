package rentcar

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// rawServer accepts connections, reads one request from each and hands the
// connection over; it returns a URL.
func rawServer(t *testing.T, answer func(c *net.TCPConn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			r, err := http.ReadRequest(bufio.NewReader(c))
			if err == nil {
				_, _ = io.Copy(io.Discard, r.Body)
			}
			answer(c.(*net.TCPConn))
			_ = c.Close()
		}
	})
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	return "http://" + l.Addr().String() + "/top/router/rest"
}

func writing(text string) func(*net.TCPConn) {
	return func(c *net.TCPConn) { _, _ = io.WriteString(c, text) }
}

// server is an HTTP server that ends with the test and logs nothing.
func server(t *testing.T, start func(*httptest.Server), h http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	start(s)
	t.Cleanup(s.Close)
	return s
}

// realClient sends to a URL over real connections that are not kept.
func realClient(t *testing.T, baseURL string, opts ...Option) *Client {
	t.Helper()
	rt := &http.Transport{DisableKeepAlives: true}
	return testClient(t, rt, append([]Option{WithBaseURL(baseURL)}, opts...)...)
}

func gzipped(t testing.TB, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

const okReply = `{"successful":true,"request_id":"r1"}`

// Every way in which a call can end without a usable reply.
func TestTransportErrors(t *testing.T) {
	t.Parallel()
	truncated := gzipped(t, okReply)[:20]
	for name, tc := range map[string]struct {
		client func(t *testing.T) *Client
		phase  Phase
		want   want
		status int
		is     error // what the error also matches
	}{
		"connection refused": {
			client: func(t *testing.T) *Client {
				l, err := net.Listen("tcp", "127.0.0.1:0")
				if err != nil {
					t.Fatal(err)
				}
				_ = l.Close()
				return realClient(t, "http://"+l.Addr().String())
			},
			phase: PhaseConnect, want: wantNotSent,
		},
		"no such host": {
			client: func(t *testing.T) *Client {
				rt := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
					return nil, &net.OpError{
						Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "gw.api.taobao.com", IsNotFound: true},
					}
				}}
				return testClient(t, rt)
			},
			phase: PhaseConnect, want: wantNotSent,
		},
		"no such host, from a round tripper without traces": {
			client: func(t *testing.T) *Client { return failing(t, &net.DNSError{Err: "no such host"}) },
			phase:  PhaseConnect, want: wantNotSent,
		},
		"dial error, from a round tripper without traces": {
			client: func(t *testing.T) *Client { return failing(t, &net.OpError{Op: "dial", Err: errors.New("refused")}) },
			phase:  PhaseConnect, want: wantNotSent,
		},
		"certificate of an unknown authority": {
			client: func(t *testing.T) *Client {
				return realClient(t, server(t, (*httptest.Server).StartTLS, func(http.ResponseWriter, *http.Request) {}).URL)
			},
			phase: PhaseConnect, want: wantNotSent,
		},
		"certificate of another host": {
			client: func(t *testing.T) *Client {
				s := server(t, (*httptest.Server).StartTLS, func(http.ResponseWriter, *http.Request) {})
				rt := s.Client().Transport.(*http.Transport).Clone()
				rt.DisableKeepAlives = true
				rt.TLSClientConfig.ServerName = "gw.api.taobao.com"
				return testClient(t, rt, WithBaseURL(s.URL))
			},
			phase: PhaseConnect, want: wantNotSent,
		},
		"no TLS at all": {
			client: func(t *testing.T) *Client {
				s := server(t, (*httptest.Server).Start, func(http.ResponseWriter, *http.Request) {})
				return realClient(t, strings.Replace(s.URL, "http://", "https://", 1))
			},
			phase: PhaseConnect, want: wantNotSent,
		},
		"TLS handshake cut off": {
			client: func(t *testing.T) *Client {
				return realClient(t, strings.Replace(rawServer(t, writing("")), "http://", "https://", 1))
			},
			phase: PhaseConnect, want: wantNotSent,
		},
		"TLS alert, from a round tripper without traces": {
			client: func(t *testing.T) *Client { return failing(t, tls.RecordHeaderError{Msg: "any record"}) },
			phase:  PhaseSend, want: wantLost,
		},
		"closed after the request": {
			client: func(t *testing.T) *Client { return realClient(t, rawServer(t, writing(""))) },
			phase:  PhaseSend, want: wantLost, is: io.EOF,
		},
		"reset after the request": {
			client: func(t *testing.T) *Client {
				return realClient(t, rawServer(t, func(c *net.TCPConn) { _ = c.SetLinger(0) }))
			},
			phase: PhaseSend, want: wantLost,
		},
		"not HTTP": {
			client: func(t *testing.T) *Client { return realClient(t, rawServer(t, writing("busy\r\n\r\n"))) },
			phase:  PhaseSend, want: wantLost,
		},
		"error without a reason": {
			client: func(t *testing.T) *Client { return failing(t, errors.New("broken")) },
			phase:  PhaseSend, want: wantLost,
		},
		"HTTP 503 without an envelope": {
			client: func(t *testing.T) *Client {
				c, _ := clientFor(t, reply(http.StatusServiceUnavailable, jsonType, okReply)) // its body is nobody's word
				return c
			},
			phase: PhaseStatus, want: wantLost, status: 503,
		},
		"HTTP 404": {
			client: func(t *testing.T) *Client {
				c, _ := clientFor(t, reply(http.StatusNotFound, "text/html", "<html>"))
				return c
			},
			phase: PhaseStatus, want: wantStatus, status: 404,
		},
		"cut reply": {
			client: func(t *testing.T) *Client {
				return realClient(t, rawServer(t, writing("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n"+okReply)))
			},
			phase: PhaseRead, want: wantLost, status: 200, is: io.ErrUnexpectedEOF,
		},
		"cut reply of a failure": {
			client: func(t *testing.T) *Client {
				return realClient(t, rawServer(t, writing("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 100\r\n\r\n<html>")))
			},
			phase: PhaseRead, want: wantLost, status: 502, is: io.ErrUnexpectedEOF,
		},
		"truncated gzip": {
			client: func(t *testing.T) *Client {
				s := server(t, (*httptest.Server).Start, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Encoding", "gzip")
					_, _ = w.Write(truncated)
				})
				return realClient(t, s.URL)
			},
			phase: PhaseRead, want: wantLost, status: 200, is: io.ErrUnexpectedEOF,
		},
		"truncated gzip, inflated here": {
			client: func(t *testing.T) *Client { return encoded(t, "gzip", truncated) },
			phase:  PhaseRead, want: wantLost, status: 200, is: io.ErrUnexpectedEOF,
		},
		"no gzip": {
			client: func(t *testing.T) *Client { return encoded(t, "GZIP", []byte(okReply)) },
			phase:  PhaseRead, want: wantLost, status: 200, is: gzip.ErrHeader,
		},
		"damaged gzip": {
			client: func(t *testing.T) *Client {
				damaged := gzipped(t, okReply)
				damaged[len(damaged)-6] ^= 1 // the checksum
				return encoded(t, "gzip", damaged)
			},
			phase: PhaseRead, want: wantLost, status: 200, is: gzip.ErrChecksum,
		},
		"too large": {
			client: func(t *testing.T) *Client {
				c, _ := clientFor(t, replyJSON(okReply+" "), WithReplyLimit(int64(len(okReply))))
				return c
			},
			phase: PhaseRead, want: wantTooLarge, status: 200, is: ErrReplyTooLarge,
		},
		"gzip that inflates": {
			client: func(t *testing.T) *Client {
				s := server(t, (*httptest.Server).Start, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Encoding", "gzip")
					_, _ = w.Write(gzipped(t, strings.Repeat(" ", DefaultReplyLimit+1)))
				})
				return realClient(t, s.URL)
			},
			phase: PhaseRead, want: wantTooLarge, status: 200, is: ErrReplyTooLarge,
		},
		"gzip that inflates here": {
			client: func(t *testing.T) *Client {
				return encoded(t, "gzip", gzipped(t, strings.Repeat(" ", DefaultReplyLimit+1)))
			},
			phase: PhaseRead, want: wantTooLarge, status: 200, is: ErrReplyTooLarge,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := tc.client(t)
			tc.want.both(t, c, func(t *testing.T, err error) {
				e := as[*TransportError](t, err)
				if e.Phase != tc.phase || e.HTTPStatus != tc.status || e.Attempts != 1 || e.Timeout() {
					t.Errorf(
						"phase %q, status %d, attempts %d, timeout %v; want %q, %d: %v", e.Phase, e.HTTPStatus, e.Attempts, e.Timeout(),
						tc.phase, tc.status, err,
					)
				}
				if tc.is != nil && !errors.Is(err, tc.is) {
					t.Errorf("%v does not match %v", err, tc.is)
				}
				if isA[*url.Error](err) || strings.Contains(err.Error(), "/top/router") || strings.Contains(err.Error(), "sign=") {
					t.Errorf("the URL is in the error: %v", err)
				}
			})
		})
	}
}

// failing is a client whose round tripper fails, and knows no traces.
func failing(t *testing.T, err error) *Client {
	t.Helper()
	c, _ := clientFor(t, func(r *http.Request) (*http.Response, error) {
		// As net/http's client does, with the URL in it.
		return nil, fmt.Errorf("round trip: %w", &url.Error{Op: "Post", URL: r.URL.String(), Err: err})
	})
	return c
}

// encoded is a client that gets body with a Content-Encoding.
func encoded(t *testing.T, encoding string, body []byte) *Client {
	t.Helper()
	c, _ := clientFor(t, func(*http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: http.StatusOK, Header: http.Header{"Content-Type": {jsonType}, "Content-Encoding": {encoding}},
			Body: io.NopCloser(bytes.NewReader(body)), ContentLength: int64(len(body)),
		}, nil
	})
	return c
}

// Replies within the limit are read whole, also inflated ones, on both ways.
func TestRepliesWithinTheLimit(t *testing.T) {
	t.Parallel()
	limit := WithReplyLimit(int64(len(okReply)))
	plain, _ := clientFor(t, replyJSON(okReply), limit)
	s := server(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") == "gzip" {
			w.Header().Set("Content-Encoding", "gzip")
			_, _ = w.Write(gzipped(t, okReply))
		}
	})
	for name, c := range map[string]*Client{
		"plain":         plain,
		"gzip":          realClient(t, s.URL, limit),
		"inflated here": encoded(t, "gzip", gzipped(t, okReply)),
	} {
		var raw RawReply
		res, err := queryOrder(context.Background(), c, CallRawReply(&raw))
		if err != nil || res.RequestID != "r1" || string(raw.Body) != okReply || raw.HTTPStatus != 200 {
			t.Errorf("%s: %v, raw %q", name, err, raw.Body)
		}
	}
	endless, _ := clientFor(t, replyJSON(okReply), WithReplyLimit(1<<63-1))
	if _, err := queryOrder(context.Background(), endless); err != nil {
		t.Errorf("the largest limit: %v", err)
	}
}

// A redirect would turn the POST into a GET, or send the call elsewhere.
func TestRedirectsAreRefused(t *testing.T) {
	t.Parallel()
	elsewhere := server(
		t, (*httptest.Server).Start, func(http.ResponseWriter, *http.Request) { t.Error("the redirect was followed") },
	)
	for _, status := range []int{301, 302, 303, 307, 308} {
		s := server(t, (*httptest.Server).Start, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL+"/?"+r.URL.RawQuery, status)
		})
		user := &http.Client{
			Transport:     &http.Transport{DisableKeepAlives: true},
			CheckRedirect: func(*http.Request, []*http.Request) error { return nil }, // ours wins
		}
		c := testClient(t, nil, WithHTTPClient(user), WithBaseURL(s.URL))
		wantStatus.both(t, c, func(t *testing.T, err error) {
			e := as[*TransportError](t, err)
			if e.Phase != PhaseStatus || e.HTTPStatus != status || strings.Contains(err.Error(), elsewhere.URL) {
				t.Errorf("%d: %v", status, err)
			}
		})
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Interim answers without end are an error after a few, in HTTP/1.1 and HTTP/2, also
// where the caller listens to them and would go on for ever.
func TestInterimAnswersWithoutEnd(t *testing.T) {
	t.Parallel()
	var served sync.WaitGroup
	endless := func(w http.ResponseWriter, r *http.Request) {
		served.Add(1)
		defer served.Done()
		_, _ = io.Copy(io.Discard, r.Body)
		for r.Context().Err() == nil {
			w.WriteHeader(http.StatusEarlyHints)
		}
	}
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2": true} {
		for _, listens := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", heard ", listens), func(t *testing.T) {
				t.Parallel()
				s := server(t, func(s *httptest.Server) { s.EnableHTTP2 = http2; s.StartTLS() }, endless)
				c := testClient(t, s.Client().Transport, WithBaseURL(s.URL))
				ctx, heard := t.Context(), 0
				if listens {
					ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
						Got1xxResponse: func(int, textproto.MIMEHeader) error { heard++; return nil },
					})
				}
				_, err := send(ctx, c, true)
				e := as[*TransportError](t, err)
				if e.Phase != PhaseSend || e.Timeout() || OutcomeOf(err) != OutcomeUnknown || !strings.Contains(
					err.Error(), "interim (1xx)",
				) {
					t.Errorf("%v", err)
				}
				if listens && heard != maxInterim {
					t.Errorf("the caller heard %d", heard)
				}
			})
		}
	}
}

// A few interim answers are none of an error.
func TestInterimAnswers(t *testing.T) {
	t.Parallel()
	s := server(t, (*httptest.Server).Start, func(w http.ResponseWriter, _ *http.Request) {
		for range maxInterim {
			w.WriteHeader(http.StatusEarlyHints)
		}
		w.Header().Set("Content-Type", jsonType)
		_, _ = io.WriteString(w, okReply)
	})
	if _, err := send(t.Context(), realClient(t, s.URL), true); err != nil {
		t.Error(err)
	}
}

// A proxy that refuses the tunnel is named as such, with its status; its password and
// what it wrote are not.
func TestProxyRefuses(t *testing.T) {
	t.Parallel()
	for reply, want := range map[string]string{
		"403 Forbidden":                     "the proxy refused to connect: 403 Forbidden",
		"407 Proxy Authentication Required": "the proxy refused to connect: 407 Proxy Authentication Required",
		"503 Service Unavailable":           "the proxy refused to connect: 503 Service Unavailable",
	} {
		address := rawServer(t, writing("HTTP/1.1 "+reply+"\r\nContent-Length: 0\r\n\r\n"))
		proxy, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		proxy.User = url.UserPassword("proxyuser", markerSecret)
		own := &http.Transport{Proxy: http.ProxyURL(proxy), DisableKeepAlives: true}
		ours := defaultRoundTripper().(*http.Transport)
		ours.Proxy, ours.DisableKeepAlives = own.Proxy, true
		for name, rt := range map[string]*http.Transport{"the caller's transport": own, "the default one": ours} {
			_, err := send(t.Context(), testClient(t, rt, WithBaseURL("https://gateway.test/")), true)
			e := as[*TransportError](t, err)
			if e.Phase != PhaseConnect || OutcomeOf(err) != OutcomeNotSent || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, %s: %v", name, reply, err)
			}
			checkHidden(t, name, err, markerSecret, "proxyuser")
		}
	}
	// A reason phrase that is no known one can be anything: only the default transport sees the status.
	address := rawServer(t, writing("HTTP/1.1 403 "+markerReply+"\r\nContent-Length: 0\r\n\r\n"))
	proxy, _ := url.Parse(address)
	ours := defaultRoundTripper().(*http.Transport)
	ours.Proxy, ours.DisableKeepAlives = http.ProxyURL(proxy), true
	_, err := send(t.Context(), testClient(t, ours, WithBaseURL("https://gateway.test/")), true)
	if !strings.Contains(err.Error(), "the proxy refused to connect: 403 Forbidden") {
		t.Error(err)
	}
	checkHidden(t, "own phrase", err, markerReply)
}

// Whatever a round tripper returns, the call ends in an error.
func TestOddRoundTrippers(t *testing.T) {
	t.Parallel()
	for name, respond := range map[string]func(*http.Request) (*http.Response, error){
		"URL error without a reason": func(*http.Request) (*http.Response, error) {
			return nil, &url.Error{Op: "Post", URL: "x"}
		},
		"one inside another": func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("x: %w", &url.Error{})
		},
		"URL error in a URL error": func(*http.Request) (*http.Response, error) {
			return nil, &url.Error{Err: &url.Error{}}
		},
		//nolint:nilnil // it is what is tested
		"nothing":           func(*http.Request) (*http.Response, error) { return nil, nil },
		"nil pointer":       func(*http.Request) (*http.Response, error) { return nil, (*net.OpError)(nil) },
		"nil URL error":     func(*http.Request) (*http.Response, error) { return nil, (*url.Error)(nil) },
		"error that panics": func(*http.Request) (*http.Response, error) { return nil, panicking{} },
		"error inside that panics": func(*http.Request) (*http.Response, error) {
			return nil, errors.Join(panicking{}, nil)
		},
		"no body": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK}, nil
		},
		"no body, with a length": func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, ContentLength: 7}, nil
		},
		"no status": func(*http.Request) (*http.Response, error) { return &http.Response{Body: http.NoBody}, nil },
		"reply and error": func(*http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("%w", errors.Join())
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := testClient(t, roundTripper(respond))
			_, err := send(t.Context(), c, true)
			if err == nil || OutcomeOf(err) != OutcomeUnknown || err.Error() == "" {
				t.Errorf("outcome %v: %v", OutcomeOf(err), err)
			}
			_ = errors.Is(err, context.Canceled)
			_ = isA[*net.OpError](err)
			_ = renderings(t, err)
		})
	}
}

type panicking struct{}

func (panicking) Error() string { panic("an error that cannot be printed") }
