package fliggytest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"sync"

	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/fliggy-go/rentcar/qimen"
)

// maxAnswer bounds the answer to a push.
const maxAnswer = 1 << 20

// A target is where pushes go: an address or a handler.
type target struct {
	address string
	query   string // of the address
	handler http.Handler
}

// open checks the target and takes its query off.
func (t target) open() (target, error) {
	if t.handler != nil {
		t.address = "http://handler/"
		return t, nil
	}
	if t.address == "" {
		return t, ErrNoTarget
	}
	u, err := url.Parse(t.address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return t, errors.New("fliggytest: PushTo: the address must be absolute and start with http:// or https://")
	}
	t.query, u.RawQuery, u.Fragment = u.RawQuery, "", ""
	t.address = u.String()
	return t, nil
}

// send delivers a push and returns the answer.
func (t target) send(ctx context.Context, client *http.Client, p *qimen.Push) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.address+"?"+p.RawQuery, bytes.NewReader(p.Body))
	if err != nil {
		return 0, nil, err
	}
	req.Header = p.Header.Clone()
	req.Header.Set("User-Agent", "fliggytest")
	var resp *http.Response
	if t.handler != nil {
		resp, err = t.serve(req)
	} else {
		resp, err = client.Do(req)
	}
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err == nil && len(body) > maxAnswer {
		body, err = nil, fmt.Errorf("the answer is longer than %d bytes", maxAnswer)
	}
	return resp.StatusCode, body, err
}

// serve hands the request to the handler as a server would.
func (t target) serve(req *http.Request) (resp *http.Response, err error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	req.RequestURI, req.RemoteAddr = req.URL.RequestURI(), "127.0.0.1:1"
	w := httptest.NewRecorder()
	defer func() {
		if v := recover(); v != nil {
			resp, err = nil, fmt.Errorf("the handler panicked: %v", v)
		}
	}()
	t.handler.ServeHTTP(w, req)
	return w.Result(), nil
}

// A pusher keeps count of pushes and what became of them.
type pusher struct {
	client *http.Client

	mu      sync.Mutex
	to      target
	list    []PushRecord
	stopped bool
	running int           // pushes, and goroutines that will push
	soon    int           // of those, the goroutines
	changed chan struct{} // closed and replaced when a count falls
}

func (p *pusher) init() {
	p.changed = make(chan struct{})
	p.client = &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func (p *pusher) aim(t target) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = t
}

func (p *pusher) target() (target, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.to.open()
}

func (p *pusher) record(r PushRecord) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = append(p.list, r)
}

func (p *pusher) records() []PushRecord {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := slices.Clone(p.list)
	for i := range out {
		out[i].Header, out[i].Body = out[i].Header.Clone(), slices.Clone(out[i].Body)
		out[i].Result.Body = slices.Clone(out[i].Result.Body)
	}
	return out
}

func (p *pusher) forget() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.list = nil
}

// start counts a push; it is false once the pusher is stopped.
func (p *pusher) start() bool { return p.count(1, 0) }
func (p *pusher) done()       { p.count(-1, 0) }

// reserve counts a push that will be made on a goroutine of its own. The returned
// function starts it and must be called; it is nil once the pusher is stopped.
func (p *pusher) reserve(push func()) (start func()) {
	if !p.count(1, 1) {
		return nil
	}
	return func() {
		go func() {
			defer p.count(-1, -1)
			push()
		}()
	}
}

func (p *pusher) count(running, soon int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if running > 0 && p.stopped {
		return false
	}
	p.running += running
	p.soon += soon
	if running < 0 {
		close(p.changed)
		p.changed = make(chan struct{})
	}
	return true
}

// stop lets no further push begin.
func (p *pusher) stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopped = true
}

// wait waits for the end of all pushes, and lets go of their connections.
func (p *pusher) wait() {
	_ = p.until(context.Background(), func() bool { return p.running == 0 })
	p.client.CloseIdleConnections()
}

// until waits for a condition on the counts.
func (p *pusher) until(ctx context.Context, reached func() bool) error {
	for {
		p.mu.Lock()
		ok, changed := reached(), p.changed
		p.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// WaitPushes waits until no automatic decision is on its way any more; ctx ends
// the wait. A decision is on its way from the moment the submit is answered.
func (g *Gateway) WaitPushes(ctx context.Context) error {
	return g.pushes.until(ctx, func() bool { return g.pushes.soon == 0 })
}

func decode(data []byte, to any) error {
	plan, err := top.PlanFor(reflect.TypeOf(to).Elem())
	if err != nil {
		return err
	}
	return plan.DecodeJSON(data, to)
}
