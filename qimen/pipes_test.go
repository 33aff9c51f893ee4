package qimen

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

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
	return "POST /?" + p.RawQuery + " HTTP/1.1\r\nHost: x\r\nContent-Type: " + p.Header.Get("Content-Type") + "\r\n" + length + "\r\n\r\n"
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
