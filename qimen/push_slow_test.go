package qimen

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

const timedOut = `{"success":false,"retCode":"request-timeout","retMessage":"Request timeout"}`

// A slow client gets a reply when its time is over, and its connection is closed.
func TestSlowBodies(t *testing.T) {
	t.Parallel()
	signed := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	fixed, chunked := "Content-Length: 1000", "Transfer-Encoding: chunked"
	drops := strings.Split(strings.Repeat("x", 120), "")
	for _, c := range []struct {
		name   string
		server *http.Server
		opts   []Option
		ctx    func(context.Context) (context.Context, context.CancelFunc)
		text   string
		pieces []string
		after  time.Duration
		cause  string
	}{
		{"silent", &http.Server{}, nil, nil, head(signed, fixed), nil, DefaultReadTimeout, "read timeout"},
		{
			"silent after a start", &http.Server{}, nil, nil, head(signed, fixed) + event103, nil, DefaultReadTimeout,
			"read timeout",
		},
		{
			"silent chunks", &http.Server{}, nil, nil, head(signed, chunked) + "5\r\nxx", nil, DefaultReadTimeout,
			"read timeout",
		},
		{
			"silent before the last chunk", &http.Server{}, nil, nil, head(signed, chunked) + "1\r\nx\r\n0\r\n", nil,
			DefaultReadTimeout, "read timeout",
		},
		{"byte by byte", &http.Server{}, nil, nil, head(signed, fixed), drops, DefaultReadTimeout, "read timeout"},
		{
			"option", &http.Server{}, []Option{WithReadTimeout(3 * time.Second)}, nil, head(signed, fixed), drops,
			3 * time.Second, "read timeout",
		},
		{
			"timeout of the server", &http.Server{ReadTimeout: 7 * time.Second}, nil, nil, head(signed, fixed), nil,
			7 * time.Second, "body too slow",
		},
		{"deadline of the context", &http.Server{}, nil, func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeout(ctx, 5*time.Second)
		}, head(signed, fixed), nil, 5 * time.Second, "context deadline exceeded"},
		{"cancelled context", &http.Server{}, nil, func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			timer := time.AfterFunc(4*time.Second, func() { cancel(errors.New("shutting down")) })
			return ctx, func() { timer.Stop() }
		}, head(signed, fixed), drops, 4 * time.Second, "shutting down"},
		{"context that is over", &http.Server{}, nil, func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			cancel()
			return ctx, cancel
		}, head(signed, fixed), nil, 0, "context canceled"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var s seen
			h := s.handler(t, c.opts...)
			c.server.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if c.ctx != nil {
					ctx, cancel := c.ctx(r.Context())
					defer cancel()
					r = r.WithContext(ctx)
				}
				h.ServeHTTP(w, r)
			})
			inBubble(t, c.server, func(t *testing.T, p *pipes) {
				k := talk(t, p)
				k.say(c.text, time.Second, c.pieces...)
				status, body, isClosing, after := k.reply()
				if status != http.StatusRequestTimeout || body != timedOut || !isClosing || after != c.after {
					t.Errorf("HTTP %d %s, closing %v, after %v; want %v", status, body, isClosing, after, c.after)
				}
				start := time.Now()
				k.hangUp(true)
				if len(c.pieces) == 0 && time.Since(start) > time.Second { // net/http lingers for half of one
					t.Errorf("the connection stays for %v", time.Since(start))
				}
				o := s.observed[0]
				if o.Reason != ReasonTooSlow || !errors.Is(o.Err, ErrBodyTooSlow) || !strings.Contains(
					o.Err.Error(), c.cause,
				) || o.Status != status || s.calls != 0 {
					t.Errorf("%d calls, observed %+v", s.calls, o)
				}
			})
		})
	}
}

// net/http waits for the rest of a refused body before it sends the reply: not for ever.
func TestSlowBodiesThatAreRefused(t *testing.T) {
	t.Parallel()
	good := newPush(eventQuery, jsonType, event103)
	const fixed = "Content-Length: 1000"
	for _, c := range []struct {
		name   string
		text   string
		server *http.Server
		opts   []Option
		reason Reason
		after  time.Duration
	}{
		{
			"client", head(good, fixed), &http.Server{}, []Option{WithAllowedClients("192.0.2.0/24")}, ReasonForbiddenClient,
			DefaultReadTimeout,
		},
		{
			"method", strings.Replace(head(good, fixed), "POST", "PUT", 1), &http.Server{}, nil, ReasonBadMethod,
			DefaultReadTimeout,
		},
		{
			"content type", head(newPush(eventQuery, "image/png", ""), fixed), &http.Server{},
			[]Option{WithReadTimeout(time.Second)}, ReasonContentType, time.Second,
		},
		{
			"content encoding", head(good, fixed+"\r\nContent-Encoding: gzip"), &http.Server{ReadTimeout: 5 * time.Second}, nil,
			ReasonContentType, 5 * time.Second,
		},
		{
			"declared size", head(good, fixed), &http.Server{ReadTimeout: time.Hour}, []Option{WithBodyLimit(999)},
			ReasonTooLarge, DefaultReadTimeout,
		},
		{
			"size", head(good, fixed[:8]+"X: y\r\nTransfer-Encoding: chunked") + "a\r\n1234567890\r\n", &http.Server{},
			[]Option{WithBodyLimit(9)}, ReasonTooLarge, 0,
		},
		{"huge declared size", head(good, "Content-Length: 100000000"), &http.Server{}, nil, ReasonTooLarge, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var s seen
			c.server.Handler = s.handler(t, c.opts...)
			inBubble(t, c.server, func(t *testing.T, p *pipes) {
				k := talk(t, p)
				k.say(c.text, 0)
				status, _, isClosing, after := k.reply()
				if after != c.after || !isClosing {
					t.Errorf("HTTP %d, closing %v, after %v; want %v", status, isClosing, after, c.after)
				}
				k.hangUp(true)
				if o := s.observed[0]; o.Reason != c.reason || o.Status != status || s.calls != 0 {
					t.Errorf("%d calls, observed %+v", s.calls, o)
				}
			})
		})
	}
}

// The time for the body is not that of the function, nor of the next request on the connection; and what arrives in
// time, however slowly, is served.
func TestSlowBodyInTime(t *testing.T) {
	t.Parallel()
	signed := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	refused := newPush(eventQuery, "image/png", event103)
	var s seen
	s.onEvent = func(ctx context.Context) {
		<-time.After(3 * DefaultReadTimeout)
		if err := ctx.Err(); err != nil {
			t.Errorf("the function's context: %v", context.Cause(ctx))
		}
	}
	h := s.handler(t, WithHandlerTimeout(time.Hour), WithoutGate())
	inBubble(t, &http.Server{Handler: h}, func(t *testing.T, p *pipes) {
		k := talk(t, p)
		half := len(event103) / 2
		for _, push := range []*Push{signed, refused, signed} {
			k.say(
				head(push, "Content-Length: "+strconv.Itoa(len(event103)))+event103[:half], DefaultReadTimeout-1, event103[half:],
			)
			status, body, isClosing, _ := k.reply()
			if want := map[*Push]string{
				signed: bodyAccepted, refused: bodyBadSignature,
			}[push]; status != 200 || body != want || isClosing {
				t.Errorf("HTTP %d %s, closing %v", status, body, isClosing)
			}
			if !<-k.sent {
				t.Error("not all was taken")
			}
			<-time.After(10 * DefaultReadTimeout) // the connection stays
		}
		k.sent <- true
		k.hangUp(false)
	})
	if s.calls != 2 {
		t.Errorf("%d calls", s.calls)
	}
}

// A body may come whole at the moment when the context ends. Its connection has been cut for reading, so it is not
// kept.
func TestBodyAtTheLastMoment(t *testing.T) {
	t.Parallel()
	signed := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	var s seen
	h := s.handler(t)
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithCancel(r.Context())
		defer cancel()
		r = r.WithContext(ctx)
		r.Body = io.NopCloser(io.MultiReader(r.Body, readerFunc(func([]byte) (int, error) {
			cancel()
			return 0, io.EOF
		})))
		h.ServeHTTP(w, r)
	})}
	inBubble(t, server, func(t *testing.T, p *pipes) {
		k := talk(t, p)
		k.say(head(signed, "Content-Length: "+strconv.Itoa(len(event103)))+event103, 0)
		if status, body, isClosing, _ := k.reply(); status != http.StatusRequestTimeout || body != timedOut || !isClosing {
			t.Errorf("HTTP %d %s, closing %v", status, body, isClosing)
		}
		k.hangUp(true)
	})
	if s.observed[0].Reason != ReasonTooSlow || s.calls != 0 {
		t.Errorf("%d calls, observed %+v", s.calls, s.observed[0])
	}
}

// A body that breaks off is not slow.
func TestBrokenBody(t *testing.T) {
	t.Parallel()
	signed := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	for _, length := range []string{"Content-Length: 1000", "Transfer-Encoding: chunked"} {
		var s seen
		inBubble(t, &http.Server{Handler: s.handler(t)}, func(t *testing.T, p *pipes) {
			k := talk(t, p)
			k.say(head(signed, length)+"3e8\r\nxxx", 0)
			if !<-k.sent {
				t.Fatal("not all was taken")
			}
			_ = k.conn.Close()
			synctest.Wait()
			if o := s.observed[0]; o.Reason != ReasonUnreadable || !errors.Is(o.Err, io.ErrUnexpectedEOF) || s.calls != 0 {
				t.Errorf("%s: %d calls, observed %+v", length, s.calls, o)
			}
		})
	}
}

// In HTTP/2 a slow body ends alone: other requests on the connection go on.
func TestSlowBodyHTTP2(t *testing.T) {
	t.Parallel()
	signed := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	var s seen
	h := s.handler(t)
	inBubble(t, &http.Server{Handler: h, Protocols: &protocols}, func(t *testing.T, p *pipes) {
		dials := 0
		transport := &http.Transport{Protocols: &protocols, DialContext: func(
			ctx context.Context, network, addr string,
		) (net.Conn, error) {
			dials++
			return p.dial(ctx, network, addr)
		}}
		defer transport.CloseIdleConnections()
		post := func(body io.Reader) (int, string, time.Duration) {
			start := time.Now()
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://x/?"+signed.RawQuery, body)
			if err != nil {
				t.Error(err)
				return 0, "", 0
			}
			r.Header.Set("Content-Type", jsonType)
			reply, err := transport.RoundTrip(r)
			if err != nil {
				t.Error(err)
				return 0, "", 0
			}
			text, err := io.ReadAll(reply.Body)
			if err != nil {
				t.Error(err)
			}
			_ = reply.Body.Close()
			return reply.StatusCode, string(text), time.Since(start)
		}
		silent, end := io.Pipe()
		slow := make(chan struct{})
		go func() {
			defer close(slow)
			if status, body, after := post(silent); status != http.StatusRequestTimeout || body != timedOut ||
				after != DefaultReadTimeout {
				t.Errorf("silent: HTTP %d %s after %v", status, body, after)
			}
		}()
		synctest.Wait() // it has begun
		for range 2 {
			if status, body, after := post(strings.NewReader(event103)); status != 200 || body != bodyAccepted || after != 0 {
				t.Errorf("HTTP %d %s after %v", status, body, after)
			}
			<-slow // and once more when it is over
		}
		_ = end.Close()
		if dials != 1 {
			t.Errorf("%d connections", dials)
		}
	})
	if len(s.observed) != 3 || s.observed[1].Reason != ReasonTooSlow || s.calls != 1 {
		t.Errorf("%d calls, observed %+v", s.calls, s.observed)
	}
}

// A ResponseWriter that cannot cut the connection: the body is closed, and a client that sends byte by byte is cut off
// between two bytes.
func TestSlowBodyWithoutDeadline(t *testing.T) {
	t.Parallel()
	signed := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	t.Run("closed", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var s seen
			h := s.handler(t)
			body, _ := io.Pipe()
			r := request(signed)
			r.Body, r.ContentLength = body, -1
			start := time.Now()
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if after := time.Since(start); w.Code != http.StatusRequestTimeout || after != DefaultReadTimeout ||
				s.observed[0].Reason != ReasonTooSlow {
				t.Errorf("HTTP %d after %v, observed %+v", w.Code, after, s.observed[0])
			}
		})
	})
	t.Run("cancelled", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(time.Second, cancel)
			body, _ := io.Pipe()
			r := request(signed).WithContext(ctx)
			r.Body, r.ContentLength = body, -1
			if p, err := ReadPush(
				httptest.NewRecorder(), r, 10,
			); p != nil || !errors.Is(err, ErrBodyTooSlow) || !errors.Is(err, context.Canceled) {
				t.Errorf("%v, %v", p, err)
			}
		})
	})
	t.Run("byte by byte", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var s seen
			h := s.handler(t)
			reads := 0
			r := request(signed)
			r.ContentLength = -1
			r.Body = io.NopCloser(readerFunc(func(b []byte) (int, error) {
				reads++
				<-time.After(time.Second)
				return copy(b, "x"), nil
			}))
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			if o := s.observed[0]; w.Code != http.StatusRequestTimeout || o.Reason != ReasonTooSlow ||
				o.Duration > DefaultReadTimeout+time.Second || reads < 29 {
				t.Errorf("HTTP %d after %d bytes, observed %+v", w.Code, reads, o)
			}
		})
	})
}

// ReadPush alone ends with the context of the request, also when the body came whole at that moment: the connection may
// have been cut by then.
func TestReadPushEndsWithContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	r := request(newPush("a=1", jsonType, "")).WithContext(ctx)
	gone := errors.New("gone")
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader([]byte("123")), readerFunc(func([]byte) (int, error) {
		cancel(gone)
		return 0, io.EOF
	})))
	if p, err := ReadPush(nil, r, 10); p != nil || !errors.Is(err, ErrBodyTooSlow) || !errors.Is(err, gone) {
		t.Errorf("%v, %v", p, err)
	}
	if p, err := ReadPush(
		nil, request(newPush("a=1", jsonType, "123")).WithContext(ctx), 10,
	); p != nil || !errors.Is(err, ErrBodyTooSlow) {
		t.Errorf("a context that is over: %v, %v", p, err)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// pipes is a listener in memory: in a bubble its deadlines go by the bubble's clock.
type pipes struct {
	conns chan net.Conn
	end   chan struct{}
	once  sync.Once
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.end:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error {
	p.once.Do(func() { close(p.end) })
	return nil
}

func (p *pipes) Addr() net.Addr { return &net.IPAddr{} }

func (p *pipes) dial(context.Context, string, string) (net.Conn, error) {
	near, far := net.Pipe()
	p.conns <- far
	return near, nil
}

// inBubble serves h by net/http in a bubble.
func inBubble(t *testing.T, server *http.Server, test func(t *testing.T, p *pipes)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := &pipes{conns: make(chan net.Conn), end: make(chan struct{})}
		done := make(chan struct{})
		go func() {
			defer close(done)
			_ = server.Serve(p) // it was closed
		}()
		test(t, p)
		_ = server.Close()
		<-done
		<-time.After(time.Second) // of the bubble: net/http lingers before it closes a connection
	})
}

// A talker is a client that says what it is told to, when it is told to.
type talker struct {
	t    *testing.T
	conn net.Conn
	in   *bufio.Reader
	sent chan bool // whether all of it went out
}

func talk(t *testing.T, p *pipes) *talker {
	t.Helper()
	conn, err := p.dial(t.Context(), "", "")
	if err != nil {
		t.Fatal(err)
	}
	return &talker{t: t, conn: conn, in: bufio.NewReader(conn), sent: make(chan bool, 1)}
}

// head is what stands before the body of a push.
func head(p *Push, length string) string {
	return "POST /?" + p.RawQuery + " HTTP/1.1\r\nHost: x\r\nContent-Type: " + p.Header.Get(
		"Content-Type",
	) + "\r\n" + length + "\r\n\r\n"
}

// say sends text, and then each of the pieces after a wait. The server may hang up first.
func (k *talker) say(text string, wait time.Duration, pieces ...string) {
	go func() {
		_, err := io.WriteString(k.conn, text)
		for _, piece := range pieces {
			<-time.After(wait)
			if err == nil {
				_, err = io.WriteString(k.conn, piece)
			}
		}
		k.sent <- err == nil
	}()
}

// reply reads a reply and the time from now until it came.
func (k *talker) reply() (status int, body string, isClosing bool, after time.Duration) {
	k.t.Helper()
	start := time.Now()
	r, err := http.ReadResponse(k.in, nil)
	if err != nil {
		k.t.Fatal(err)
	}
	text, err := io.ReadAll(r.Body)
	if err != nil {
		k.t.Fatal(err)
	}
	return r.StatusCode, string(text), r.Close, time.Since(start)
}

// hangUp closes the connection, after the server has where isClosing.
func (k *talker) hangUp(isClosing bool) {
	k.t.Helper()
	if isClosing {
		if n, err := k.in.Read(make([]byte, 1)); err == nil {
			k.t.Errorf("%d more bytes", n)
		}
	}
	_ = k.conn.Close()
	<-k.sent
}
