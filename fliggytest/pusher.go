package fliggytest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
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
	if err := req.Context().Err(); err != nil { // nobody waits for the answer any more
		return nil, err
	}
	return w.Result(), nil
}

// newPushClient makes the HTTP client of a sender. It follows no redirect.
func newPushClient() *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// A sender signs what Fliggy sends through the Qimen gateway, sends it and reads
// the answer.
type sender struct {
	what    string // names the sender in errors
	appKey  string
	secret  func() string // a function, so that no formatting verb reaches the text
	now     func() time.Time
	timeout time.Duration
	client  *http.Client
}

// push sends a body as often as cfg says, and tells sent of each time. The result
// is that of the last.
func (s *sender) push(
	ctx context.Context, cfg *pushConfig, aim func() (target, error), body []byte, sent func(*qimen.Push, PushResult),
) PushResult {
	if !wait(ctx, cfg.delay) {
		return PushResult{Err: context.Cause(ctx)}
	}
	to, err := aim()
	if err != nil {
		return PushResult{Err: err}
	}
	p, err := s.signed(cfg, to, body)
	if err != nil {
		return PushResult{Err: fmt.Errorf("fliggytest: %s: %w", s.what, err)}
	}
	var res PushResult
	for range cfg.times {
		res = s.deliver(ctx, to, p)
		sent(p, res)
	}
	return res
}

// signed makes the request of a push.
func (s *sender) signed(cfg *pushConfig, to target, body []byte) (*qimen.Push, error) {
	at := cfg.signedAt
	if at.IsZero() {
		at = s.now()
	}
	params := []top.Param{
		{Name: "app_key", Value: s.appKey},
		{Name: "method", Value: cfg.method},
		{Name: "timestamp", Value: at.In(fliggy.Zone()).Format(time.DateTime)},
	}
	for _, param := range cfg.params { // receivers disagree on which of two values counts
		if i := slices.IndexFunc(params[:3], func(own top.Param) bool { return own.Name == param.Name }); i >= 0 {
			params[i].Value = param.Value
		} else {
			params = append(params, param)
		}
	}
	query := string(top.AppendForm(nil, params))
	if to.query != "" {
		query = to.query + "&" + query
	}
	secret := s.secret()
	if cfg.badSignature {
		secret = "not " + secret
	}
	push := &qimen.Push{RawQuery: query, Header: http.Header{"Content-Type": {cfg.contentType}}, Body: body}
	var signed []string
	for _, h := range cfg.headers {
		signed = append(signed, h.Name)
		push.Header.Set(h.Name, url.QueryEscape(h.Value))
	}
	if signed != nil {
		push.Header.Set("top-sign-list", strings.Join(signed, ","))
	}
	if cfg.unsigned {
		return push, nil
	}
	return qimen.SignPush(push, secret)
}

// deliver sends a push once and reads the answer.
func (s *sender) deliver(ctx context.Context, to target, p *qimen.Push) PushResult {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	status, body, err := to.send(ctx, s.client, p)
	if err != nil {
		if cause := context.Cause(ctx); errors.Is(cause, ErrClosed) {
			err = cause
		}
		return PushResult{Status: status, Err: fmt.Errorf("fliggytest: %s: %w", s.what, withoutURL(err))}
	}
	return PushResult{Status: status, Body: body, Accepted: status == http.StatusOK && saysSuccess(body)}
}

// withoutURL takes the URL, with the signature in it, out of an error, and what
// net/http quotes of an answer that is none: the other side may repeat the signature.
func withoutURL(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	text, _, quotes := strings.Cut(err.Error(), `"`)
	if quotes && (strings.Contains(text, "malformed") || strings.Contains(text, "Location header")) {
		return errors.New(strings.TrimRight(text, ": "))
	}
	return err
}

// saysSuccess reads the success flag of an answer, boolean or text.
func saysSuccess(body []byte) bool {
	var answer struct {
		Success bool `top:"success"`
	}
	return json.Valid(body) && decode(body, &answer) == nil && answer.Success
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
	p.client = newPushClient()
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
