package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// leakTime is the time on the stage: 2023-02-03 14:00:00 in China.
func leakTime() time.Time { return time.UnixMilli(1675404000000).UTC() }

const leakApp = "24700001"

// A leakResponder answers a request of the client.
type leakResponder func(r *http.Request) (*http.Response, error)

// A leakStage is what a row plays on: a client with markers in all places, a network
// that answers as told, and an ear on log and observers.
type leakStage struct {
	t       testing.TB
	respond leakResponder

	mu    sync.Mutex
	log   *bytes.Buffer
	seen  []any
	signs []leakMarker
}

func newLeakStage(t testing.TB) *leakStage { return &leakStage{t: t, log: &bytes.Buffer{}} }

// Write takes log lines.
func (s *leakStage) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.Write(p)
}

// A twice hands each record to two handlers.
type twice [2]slog.Handler

func (h twice) Enabled(context.Context, slog.Level) bool { return true }

func (h twice) Handle(ctx context.Context, r slog.Record) error {
	return errors.Join(h[0].Handle(ctx, r.Clone()), h[1].Handle(ctx, r))
}

func (h twice) WithAttrs(as []slog.Attr) slog.Handler {
	return twice{h[0].WithAttrs(as), h[1].WithAttrs(as)}
}
func (h twice) WithGroup(name string) slog.Handler {
	return twice{h[0].WithGroup(name), h[1].WithGroup(name)}
}

// logger writes each line twice, as text and as JSON.
func (s *leakStage) logger() *slog.Logger {
	o := &slog.HandlerOptions{Level: slog.LevelDebug}
	return slog.New(twice{slog.NewTextHandler(s, o), slog.NewJSONHandler(s, o)})
}

func (s *leakStage) observe(o any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q, ok := o.(qimen.Observation); ok {
		if p, ok := q.Err.(*fliggy.PanicError); ok { //nolint:errorlint // it is not wrapped
			q.Err = &fliggy.PanicError{Value: p.Value, Stack: p.Stack[:min(len(p.Stack), 100)]} // the log has all of it
		}
		s.seen = append(s.seen, q)
		s.seen = append(s.seen, errorTree(q.Err)...)
		return
	}
	s.seen = append(s.seen, o)
}

func (s *leakStage) observed() []any {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen
}

// signed notes the signature in a query: from now on it is a marker.
func (s *leakStage) signed(rawQuery string) string {
	q, _ := url.ParseQuery(rawQuery)
	sign := q.Get("sign")
	if sign != "" {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.signs = append(s.signs, leakMarker{"signature", sign})
	}
	return sign
}

func (s *leakStage) signatures() []leakMarker {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.signs
}

// RoundTrip is the network of the client.
func (s *leakStage) RoundTrip(r *http.Request) (*http.Response, error) {
	s.signed(r.URL.RawQuery)
	if r.Body != nil {
		_, _ = io.Copy(io.Discard, r.Body)
		_ = r.Body.Close()
	}
	return s.respond(r)
}

var (
	leakBase      = "http://gateway.test/rest?tenant=" + url.QueryEscape(markURL.text)
	leakQimenBase = "http://qimen.test/qm?tenant=" + url.QueryEscape(markURL.text)
)

// client has markers in all places. opts come last and win.
func (s *leakStage) client(opts ...rentcar.Option) *rentcar.Client {
	s.t.Helper()
	own := []rentcar.Option{
		rentcar.WithHTTPClient(&http.Client{Transport: s}), rentcar.WithClock(leakTime),
		rentcar.WithSession(markSession.text),
		rentcar.WithBaseURL(leakBase), rentcar.WithQimenURL(leakQimenBase), rentcar.WithChannel(fliggy.ChannelAmap),
		rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 1}), rentcar.WithLogger(s.logger()),
		rentcar.WithSleep(func(ctx context.Context, _ time.Duration) error { return ctx.Err() }),
		rentcar.WithObserver(func(_ context.Context, o rentcar.Observation) { s.observe(o) }),
	}
	c, err := rentcar.NewClient(leakApp, markSecret.text, append(own, opts...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	return c
}

// echoes are the secrets of a request as a careless or hostile peer gives them back.
func echoes(r *http.Request) string {
	q := r.URL.Query()
	session := q.Get("session")
	return strings.Join([]string{
		markSecret.text, session, q.Get("sign"), url.QueryEscape(session), url.PathEscape(session), r.URL.String(),
		r.URL.RawQuery,
	}, " ")
}

func leakReply(r *http.Request, status int, contentType string, body io.Reader) (*http.Response, error) {
	return &http.Response{
		StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {contentType}}, Request: r,
		Body: io.NopCloser(body), ContentLength: -1,
	}, nil
}

// answer gives the same text to every request.
func answer(status int, contentType, body string) leakResponder {
	return func(r *http.Request) (*http.Response, error) {
		return leakReply(r, status, contentType, strings.NewReader(body))
	}
}

// answerJSON makes the reply from the request.
func answerJSON(body func(r *http.Request) any) leakResponder {
	return func(r *http.Request) (*http.Response, error) {
		text, err := json.Marshal(body(r))
		if err != nil {
			return nil, err
		}
		return leakReply(r, http.StatusOK, "application/json", bytes.NewReader(text))
	}
}

type leakDuration = time.Duration

type object map[string]any

// valueError is an error of a round tripper that shows its fields when it is printed.
type valueError struct{ Text, URL string }

func (e valueError) Error() string { return "failed: " + e.Text }

// brokenBody breaks off with an error.
type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }

func urlError(r *http.Request) error {
	return &url.Error{Op: "Post", URL: r.URL.String(), Err: fmt.Errorf("refused by the proxy")}
}

func jsonText(v any) string {
	text, _ := json.Marshal(v)
	return string(text)
}
