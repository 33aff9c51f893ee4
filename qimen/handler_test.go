package qimen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

var testNow = time.Date(2026, 11, 22, 1, 0, 30, 0, time.UTC) // 09:00:30 in GMT+8

const (
	jsonType   = "application/json;charset=UTF-8"
	eventQuery = "app_key=24700001&method=qimen.alitrip.rentcar.btborder.notify&timestamp=2026-11-22+09%3A00%3A00"
	event103   = `{"channelId":"80001","orderId":"3187983531024266527","outOrderId":"761448761000000016108099","eventTy` +
		`pe":103,"eventData":{"renewalOrderId":"3187983531024266528","createdTime":"2026-11-22 08:59:00"}}`
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("../testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func fixedClock() time.Time { return testNow }

// A seen holds what a handler under test did.
type seen struct {
	event      events.Event
	delivery   *Delivery
	calls      int
	observed   []Observation
	returns    error
	onEvent    func(context.Context)
	log        bytes.Buffer
	deadlineIn time.Duration
}

func (s *seen) handler(t testing.TB, opts ...Option) *Handler {
	t.Helper()
	h, err := NewHandler(testSecrets, append([]Option{
		WithClock(fixedClock),
		WithObserver(func(_ context.Context, o Observation) { s.observed = append(s.observed, o) }),
		WithLogger(slog.New(slog.NewJSONHandler(&s.log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		OnEvent(func(ctx context.Context, d *Delivery, e events.Event) error {
			s.calls++
			s.delivery, s.event = d, e
			if at, ok := ctx.Deadline(); ok {
				s.deadlineIn = time.Until(at)
			}
			if s.onEvent != nil {
				s.onEvent(ctx)
			}
			return s.returns
		}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func request(p *Push) *http.Request {
	r := httptest.NewRequest(http.MethodPost, "/fliggy?"+p.RawQuery, bytes.NewReader(p.Body))
	r.Header = p.Header.Clone()
	return r
}

// Each reason: which push leads to it, and what the gateway, the observer and the log get.
func TestHandlerReasons(t *testing.T) {
	t.Parallel()
	illegal := strings.TrimSpace(string(readFile(t, "samples/qimen.sign-check-failure.response.json")))
	failure := func(code, message string) string {
		return fmt.Sprintf(`{"success":false,"retCode":%q,"retMessage":%q}`, code, message)
	}
	sign := func(p *Push) *http.Request { return request(mustSign(t, p, testSecret)) }
	good := newPush(eventQuery, jsonType, event103)
	for _, c := range []struct {
		name    string
		request *http.Request
		setup   func(*seen)
		opts    []Option
		reason  Reason
		status  int
		body    string
		level   string
		errText string
	}{
		{"accepted", sign(good), nil, nil, ReasonAccepted, 200, `{"success":true,"retCode":"","retMessage":""}`, "DEBUG", ""},
		{
			"wrong secret", request(mustSign(t, good, "another")), nil, nil, ReasonBadSignature, 200, illegal, "WARN",
			"does not match",
		},
		{"no sign", request(good), nil, nil, ReasonBadSignature, 200, illegal, "WARN", "no sign"},
		{
			"unknown app key",
			request(mustSign(t, newPush(strings.Replace(eventQuery, testApp, "999", 1), jsonType, event103), "another")), nil,
			nil, ReasonBadSignature, 200, illegal, "WARN", "does not match",
		},
		{
			"no query", request(newPush("", jsonType, event103)), nil, nil, ReasonUnverifiable, 200, illegal, "WARN", "no query",
		},
		{
			"malformed escape", request(newPush("a=%25&b=%&sign=x", jsonType, event103)), nil, nil, ReasonUnverifiable, 200,
			illegal, "WARN", "escape",
		},
		{
			"no content type", request(newPush(eventQuery, "", event103)), nil, nil, ReasonContentType, 200, illegal, "WARN",
			"no Content-Type",
		},
		{
			"multipart", request(newPush(eventQuery, "multipart/form-data; boundary=x", event103)), nil, nil, ReasonContentType,
			200, illegal, "WARN", "multipart",
		},
		{
			"unknown charset", request(newPush(eventQuery, "application/json;charset=big5", event103)), nil, nil,
			ReasonContentType, 200, illegal, "WARN", "big5",
		},
		{
			"old", sign(newPush(strings.Replace(eventQuery, "09%3A00", "08%3A50", 1), jsonType, event103)), nil, nil,
			ReasonExpired, 200, failure("invalid-timestamp", "Invalid timestamp"), "WARN", "10m30s old",
		},
		{
			"from the future", sign(newPush(strings.Replace(eventQuery, "09%3A00", "09%3A11", 1), jsonType, event103)), nil, nil,
			ReasonExpired, 200, failure("invalid-timestamp", "Invalid timestamp"), "WARN", "10m30s in the future",
		},
		{
			"no timestamp", sign(newPush("app_key=24700001&method="+DefaultEventMethod, jsonType, event103)), nil, nil,
			ReasonExpired, 200, failure("invalid-timestamp", "Invalid timestamp"), "WARN", "no signed timestamp",
		},
		{
			"wider window", sign(newPush(strings.Replace(eventQuery, "09%3A00", "08%3A50", 1), jsonType, event103)), nil,
			[]Option{WithWindow(time.Hour)}, ReasonAccepted, 200, bodyAccepted, "DEBUG", "",
		},
		{
			"unknown method",
			sign(newPush(strings.Replace(eventQuery, "btborder.notify", "renewalprices.query", 1), jsonType, event103)), nil,
			nil, ReasonUnknownMethod, 200, failure("unknown-method", "Unknown method"), "WARN", "renewalprices.query",
		},
		{
			"other event method", sign(newPush(strings.Replace(eventQuery, "btborder.notify", "x", 1), jsonType, event103)), nil,
			[]Option{WithEventMethod("qimen.alitrip.rentcar.x")}, ReasonAccepted, 200, bodyAccepted, "DEBUG", "",
		},
		{
			"not JSON", sign(newPush(eventQuery, jsonType, "<x/>")), nil, nil, ReasonUndecodable, 200,
			failure("invalid-request", "Invalid request"), "WARN", "",
		},
		{
			"empty body", sign(newPush(eventQuery, jsonType, "")), nil, nil, ReasonUndecodable, 200,
			failure("invalid-request", "Invalid request"), "WARN", "",
		},
		{
			"no event type", sign(newPush(eventQuery, jsonType, `{"orderId":"1"}`)), nil, nil, ReasonUndecodable, 200,
			failure("invalid-request", "Invalid request"), "WARN", "eventType",
		},
		{
			"empty form", sign(newPush(eventQuery, formPrefix, "v=2.0")), nil, nil, ReasonUndecodable, 200,
			failure("invalid-request", "Invalid request"), "WARN", "gateway only",
		},
		{
			"handler error", sign(good), func(s *seen) { s.returns = errors.New("no stock at dsn=postgres") }, nil,
			ReasonHandlerError, 500, failure("system-error", "System error"), "ERROR", "no stock",
		},
		{
			"panic", sign(good), func(s *seen) { s.onEvent = func(context.Context) { panic("lost my keys") } }, nil, ReasonPanic,
			500, failure("system-error", "System error"), "ERROR", "lost my keys",
		},
		{
			"abort panic", sign(good), func(s *seen) { s.onEvent = func(context.Context) { panic(http.ErrAbortHandler) } }, nil,
			ReasonPanic, 500, failure("system-error", "System error"), "ERROR", "abort",
		},
		{
			"payload error", sign(good), nil,
			[]Option{WithPayload(func(*Delivery) ([]byte, error) { return nil, errors.New("not here") })}, ReasonUndecodable,
			200, failure("invalid-request", "Invalid request"), "WARN", "not here",
		},
		{
			"payload panic", sign(good), nil, []Option{WithPayload(func(*Delivery) ([]byte, error) { panic("oops") })},
			ReasonPanic, 500, failure("system-error", "System error"), "ERROR", "oops",
		},
		{
			"clock panic", sign(good), nil, []Option{WithClock(func() time.Time { panic("no battery") })}, ReasonPanic, 500,
			failure("system-error", "System error"), "ERROR", "battery",
		},
		{
			"GET", httptest.NewRequest(http.MethodGet, "/?"+mustSign(t, good, testSecret).RawQuery, nil), nil, nil,
			ReasonBadSignature, 200, bodyBadSignature, "WARN", "does not match",
		},
		{
			"GET without a query", httptest.NewRequest(http.MethodGet, "/", nil), nil, nil, ReasonBadMethod, 405,
			failure("method-not-allowed", "Method not allowed"), "WARN", `"GET"`,
		},
		{
			"GET with a body",
			httptest.NewRequest(http.MethodGet, "/?"+mustSign(t, good, testSecret).RawQuery, bytes.NewReader(good.Body)), nil,
			nil, ReasonBadMethod, 405, failure("method-not-allowed", "Method not allowed"), "WARN", `"GET"`,
		},
		{
			"HEAD", httptest.NewRequest(http.MethodHead, "/?"+mustSign(t, good, testSecret).RawQuery, nil), nil, nil,
			ReasonBadMethod, 405, failure("method-not-allowed", "Method not allowed"), "WARN", `"HEAD"`,
		},
		{
			"PUT", httptest.NewRequest(http.MethodPut, "/", strings.NewReader("x")), nil, nil, ReasonBadMethod, 405,
			failure("method-not-allowed", "Method not allowed"), "WARN", `"PUT"`,
		},
		{
			"too large", sign(good), nil, []Option{WithBodyLimit(10)}, ReasonTooLarge, 413,
			failure("request-too-large", "Request too large"), "WARN", "more than 10 bytes",
		},
		{
			"broken off", brokenRequest(mustSign(t, good, testSecret)), nil, nil, ReasonUnreadable, 400,
			failure("unreadable-request", "Unreadable request"), "WARN", "connection lost",
		},
		{
			"replaced row", sign(good), nil,
			[]Option{WithReplies(Replies{ReasonAccepted: {Status: 202, ContentType: "text/plain", Body: []byte("ok")}})},
			ReasonAccepted, 202, "ok", "DEBUG", "",
		},
		{
			"replaced row without body", request(good), nil, []Option{WithReplies(Replies{ReasonBadSignature: {Status: 204}})},
			ReasonBadSignature, 204, "", "WARN", "",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var s seen
			if c.setup != nil {
				c.setup(&s)
			}
			h := s.handler(t, c.opts...)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, c.request)

			if w.Code != c.status || w.Body.String() != c.body {
				t.Errorf("reply %d %s, want %d %s", w.Code, w.Body, c.status, c.body)
			}
			if got := w.Header().Get("Content-Type"); len(c.opts) == 0 && got != "application/json;charset=utf-8" {
				t.Errorf("content type %q", got)
			}
			if got := w.Header().Get("Allow"); (got == "GET, POST") != (c.status == 405) {
				t.Errorf("Allow: %q", got)
			}
			if len(s.observed) != 1 {
				t.Fatalf("observed %d times", len(s.observed))
			}
			o := s.observed[0]
			if o.Reason != c.reason || o.Status != c.status || o.Duration < 0 {
				t.Errorf("observed %+v, want %s %d", o, c.reason, c.status)
			}
			if c.errText == "" && c.reason == ReasonAccepted && o.Err != nil || c.errText != "" && (o.Err == nil ||
				!strings.Contains(o.Err.Error(), c.errText)) {
				t.Errorf("observed error %v, want %q", o.Err, c.errText)
			}
			verified := o.Method != ""
			if want := slices.Contains(
				[]Reason{ReasonAccepted, ReasonExpired, ReasonUnknownMethod, ReasonUndecodable, ReasonHandlerError, ReasonPanic},
				c.reason,
			); verified != want || (o.AppKey == testApp) != want {
				t.Errorf("observed method %q and app key %q", o.Method, o.AppKey)
			}
			if want := c.reason == ReasonAccepted || c.reason == ReasonHandlerError || strings.HasSuffix(
				c.name, "panic",
			) && c.name != "payload panic" && c.name != "clock panic"; (s.calls == 1) != want || (o.EventType == 103) != want {
				t.Errorf("%d calls, event type %d", s.calls, o.EventType)
			}
			if c.reason == ReasonPanic {
				var p *fliggy.PanicError
				if !errors.As(o.Err, &p) || !bytes.Contains(p.Stack, []byte("qimen")) {
					t.Errorf("no stack in %v", o.Err)
				}
				if (c.name == "abort panic") != errors.Is(o.Err, http.ErrAbortHandler) {
					t.Errorf("%v lost its cause", o.Err)
				}
			}
			var record map[string]any
			if err := json.Unmarshal(s.log.Bytes(), &record); err != nil {
				t.Fatalf("log %q: %v", s.log.String(), err)
			}
			if record["level"] != c.level || record["reason"] != string(c.reason) {
				t.Errorf("logged %v", record)
			}
			for _, secret := range []string{testSecret, "sign=", event103} {
				if strings.Contains(s.log.String(), secret) {
					t.Errorf("the log has %q: %s", secret, s.log.String())
				}
			}
		})
	}
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection lost") }

func brokenRequest(p *Push) *http.Request {
	r := request(p)
	r.Body = io.NopCloser(brokenReader{})
	return r
}

// The whole path over HTTP, with every sample event, and what the function gets.
func TestHandlerSamples(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file string
		want events.Type
	}{{"event-103.json", 103}, {"event-104.json", 104}, {"event-142.json", 141}} { // the sample of 142 says 141
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			var s seen
			server := httptest.NewServer(s.handler(t, WithoutGate())) // both forms reach the function
			defer server.Close()
			payload := readFile(t, "samples/"+c.file)
			form := "eventData=" + strings.NewReplacer("%", "%25", "&", "%26", "+", "%2B").Replace(string(payload))
			for _, p := range []*Push{
				newPush(eventQuery, jsonType, string(payload), "top-sign-list", "host,x-trace", "x-trace", "t+1"),
				newPush(eventQuery, formPrefix, form),
			} {
				if p.Header.Get("top-sign-list") != "" {
					p.Header.Set("Host", server.Listener.Addr().String())
				}
				p = mustSign(t, p, testSecret)
				s.event = nil
				r, err := http.NewRequestWithContext(
					t.Context(), http.MethodPost, server.URL+"?"+p.RawQuery, bytes.NewReader(p.Body),
				)
				if err != nil {
					t.Fatal(err)
				}
				r.Header = p.Header.Clone()
				r.Header.Del("Host")
				reply, err := server.Client().Do(r)
				if err != nil {
					t.Fatal(err)
				}
				body, err := io.ReadAll(reply.Body)
				_ = reply.Body.Close()
				if err != nil || reply.StatusCode != http.StatusOK || string(body) != bodyAccepted {
					t.Fatalf("%d %s %v", reply.StatusCode, body, err)
				}
				if s.event == nil || s.event.Type() != c.want {
					t.Fatalf("got event %v", s.event)
				}
				if s.delivery.Method != DefaultEventMethod || s.delivery.Time.String() != "2026-11-22 09:00:00" ||
					s.delivery.AppKey != testApp {
					t.Errorf("delivery %v", s.delivery)
				}
				if s.deadlineIn <= 0 || s.deadlineIn > DefaultHandlerTimeout {
					t.Errorf("deadline in %v", s.deadlineIn)
				}
			}
			server.CloseClientConnections()
		})
	}
}

// Broken rules and unknown events are told, and taken.
func TestHandlerFindings(t *testing.T) {
	t.Parallel()
	var s seen
	h := s.handler(t)
	handle := func(body string) Reply {
		return h.Handle(t.Context(), mustSign(t, newPush(eventQuery, jsonType, body), testSecret))
	}
	if reply := handle(`{"eventType":103,"eventData":{}}`); string(reply.Body) != bodyAccepted {
		t.Errorf("reply %s", reply.Body)
	}
	if len(s.delivery.Findings) == 0 || !cmp.Equal(s.delivery.Findings, s.observed[0].Findings) {
		t.Errorf("findings %v, observed %v", s.delivery.Findings, s.observed[0].Findings)
	}
	if reply := handle(
		`{"eventType":777,"orderId":"1","channelId":"80001","eventData":{"x":1}}`,
	); string(reply.Body) != bodyAccepted {
		t.Errorf("reply %s", reply.Body)
	}
	if _, ok := s.event.(*events.Unknown); !ok || s.observed[1].EventType != 777 {
		t.Errorf("event %T, observed %+v", s.event, s.observed[1])
	}
	for _, err := range []error{
		nil, &fliggy.ValidationError{Problems: []fliggy.Problem{{Field: "a", Rule: "b"}}}, errors.New("plain"),
	} {
		got := findings(err)
		if (len(got) > 0) != (err != nil) {
			t.Errorf("findings(%v) = %v", err, got)
		}
	}
}

// The context of the function has the values of the request, ends with it, and ends in time.
func TestHandlerContext(t *testing.T) {
	t.Parallel()
	type key struct{}
	p := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	s := seen{onEvent: func(ctx context.Context) {
		if ctx.Value(key{}) != "value" {
			t.Error("values are lost")
		}
	}}
	h := s.handler(t, WithHandlerTimeout(time.Hour))
	h.Handle(context.WithValue(t.Context(), key{}, "value"), p)
	if s.calls != 1 || s.deadlineIn < 50*time.Minute {
		t.Errorf("deadline in %v", s.deadlineIn)
	}

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s = seen{onEvent: func(ctx context.Context) {
		if ctx.Err() == nil {
			t.Error("the context outlives the request")
		}
	}}
	s.handler(t).Handle(ctx, p)

	s = seen{onEvent: func(ctx context.Context) { <-ctx.Done() }}
	s.handler(t, WithHandlerTimeout(time.Nanosecond)).Handle(t.Context(), p)
	if s.calls != 1 {
		t.Error("not called")
	}
}

// Observer and logger cannot spoil a reply.
func TestHandlerReportPanics(t *testing.T) {
	t.Parallel()
	var s seen
	p := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	h := s.handler(t, WithObserver(func(context.Context, Observation) { panic("observer") }))
	if reply := h.Handle(t.Context(), p); reply.Status != 200 {
		t.Errorf("reply %d", reply.Status)
	}
	if !strings.Contains(s.log.String(), "the observer panicked") || !strings.Contains(s.log.String(), "push accepted") {
		t.Errorf("log %s", s.log.String())
	}
	h = s.handler(t, WithLogger(slog.New(panicLog{slog.DiscardHandler})))
	w := httptest.NewRecorder()
	h.ServeHTTP(w, request(p))
	if w.Code != 200 || len(s.observed) != 2 { // by the observer of the first handler too: both are called
		t.Errorf("reply %d, observed %d", w.Code, len(s.observed))
	}
}

type panicLog struct{ slog.Handler }

func (panicLog) Enabled(context.Context, slog.Level) bool { panic("logger") }

// A reply that does not go out is reported beside the reason.
func TestHandlerWriteError(t *testing.T) {
	t.Parallel()
	var s seen
	s.handler(t).ServeHTTP(
		brokenWriter{httptest.NewRecorder()}, request(mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)),
	)
	o := s.observed[0]
	if o.Reason != ReasonAccepted || o.Err == nil || !strings.Contains(
		o.Err.Error(), "writing the reply: gone",
	) || !strings.Contains(s.log.String(), "WARN") {
		t.Errorf("observed %+v, log %s", o, s.log.String())
	}
}

// The gateway has its reply before the observer is done.
func TestHandlerRepliesBeforeReporting(t *testing.T) {
	t.Parallel()
	release, observed := make(chan struct{}), make(chan Observation, 1)
	var s seen
	server := httptest.NewServer(s.handler(t, WithObserver(func(_ context.Context, o Observation) {
		<-release
		observed <- o
	})))
	defer server.Close()
	p := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	reply, err := server.Client().Post(server.URL+"?"+p.RawQuery, jsonType, bytes.NewReader(p.Body))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(reply.Body)
	_ = reply.Body.Close()
	if err != nil || string(body) != bodyAccepted || reply.ContentLength != int64(len(body)) {
		t.Errorf("%s, %d bytes announced, %v", body, reply.ContentLength, err)
	}
	close(release)
	if o := <-observed; o.Err != nil || o.Reason != ReasonAccepted {
		t.Errorf("observed %+v", o)
	}
}

// A flush that fails is a reply that did not go out; a writer that cannot flush is none.
func TestHandlerFlush(t *testing.T) {
	t.Parallel()
	var s seen
	h := s.handler(t)
	p := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	h.ServeHTTP(noFlush{httptest.NewRecorder()}, request(p))
	h.ServeHTTP(badFlush{httptest.NewRecorder()}, request(p))
	if o := s.observed[0]; o.Reason != ReasonAccepted || o.Err != nil {
		t.Errorf("observed %+v", o)
	}
	if o := s.observed[1]; o.Reason != ReasonAccepted || o.Err == nil || o.Err.Error() !=
		"qimen: writing the reply: reset" {
		t.Errorf("observed %+v", o)
	}
}

type noFlush struct{ http.ResponseWriter }

type badFlush struct{ http.ResponseWriter }

func (badFlush) FlushError() error { return errors.New("reset") }

type brokenWriter struct{ http.ResponseWriter }

func (brokenWriter) Write([]byte) (int, error) { return 0, errors.New("gone") }

func TestHandlerVerify(t *testing.T) {
	t.Parallel()
	var s seen
	h := s.handler(t)
	p := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	d, err := h.Verify(p)
	if err != nil || d.AppKey != testApp || d.Text != event103 {
		t.Errorf("%v, %v", d, err)
	}
	if d, err := h.Verify(newPush(eventQuery, jsonType, event103)); !errors.Is(err, ErrInvalidSignature) || d != nil {
		t.Errorf("%v, %v", d, err)
	}
	old := mustSign(t, newPush(strings.Replace(eventQuery, "2026", "2025", 1), jsonType, event103), testSecret)
	if d, err := h.Verify(old); !errors.Is(err, ErrExpired) || errors.Is(err, ErrInvalidSignature) || d != nil {
		t.Errorf("%v, %v", d, err)
	}
	if s.calls != 0 || len(s.observed) != 0 {
		t.Error("Verify handled the push")
	}
	h = s.handler(t, WithBodyLimit(int64(len(p.Body))-1))
	if reply := h.Handle(t.Context(), p); reply.Status != http.StatusRequestEntityTooLarge || !errors.Is(
		s.observed[0].Err, ErrBodyTooLarge,
	) {
		t.Errorf("large push: %d, %+v", reply.Status, s.observed)
	}
	if reply := h.Handle(t.Context(), nil); string(reply.Body) != bodyBadSignature {
		t.Errorf("nil push: %s", reply.Body)
	}
}

// The handler keeps its own copy of what it was made of, and gives copies away.
func TestHandlerImmutable(t *testing.T) {
	t.Parallel()
	secrets := Secrets{testApp: {testSecret}}
	rows := Replies{ReasonAccepted: {Status: 200, ContentType: "text/plain", Body: []byte("ok")}}
	h, err := NewHandler(
		secrets, WithReplies(rows), WithClock(fixedClock),
		OnEvent(func(context.Context, *Delivery, events.Event) error { return nil }),
	)
	if err != nil {
		t.Fatal(err)
	}
	secrets[testApp][0] = "changed"
	clear(secrets)
	rows[ReasonAccepted].Body[0] = 'X'
	p := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	for range 2 {
		reply := h.Handle(t.Context(), p)
		if string(reply.Body) != "ok" {
			t.Fatalf("reply %s", reply.Body)
		}
		reply.Body[0] = 'Y'
	}
}

// A clock that panics fails what asks it, and nothing else.
func TestClockPanics(t *testing.T) {
	t.Parallel()
	var f office
	h := f.handler(t, WithClock(func() time.Time { panic("no battery") }))
	p := mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)
	var panicked *fliggy.PanicError
	if d, err := h.Verify(p); d != nil || !errors.As(err, &panicked) {
		t.Errorf("Verify: %v, %v", d, err)
	}
	gate := mustGate(t, MemoryGateConfig{Now: func() time.Time { panic("no battery") }})
	h = f.handler(t, WithGate(gate))
	if r := h.Handle(
		t.Context(), p,
	); r.Status != http.StatusInternalServerError || f.last().Reason != ReasonGateFailed || !errors.As(
		f.last().Err, &panicked,
	) {
		t.Errorf("%d, observed %+v", r.Status, f.last())
	}
}

// A body of a middleware whose Close panics cannot end the process.
func TestBodyThatPanicsWhenClosed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f office
		h := f.handler(t, WithReadTimeout(time.Second))
		r := request(mustSign(t, newPush(eventQuery, jsonType, event103), testSecret))
		closed := make(chan struct{})
		r.Body = panickyBody{closed}
		if h.ServeHTTP(httptest.NewRecorder(), r); f.last().Reason != ReasonTooSlow {
			t.Errorf("observed %+v", f.last())
		}
	})
}

type panickyBody struct{ closed chan struct{} }

func (b panickyBody) Read([]byte) (int, error) {
	<-b.closed
	return 0, io.ErrClosedPipe
}

func (b panickyBody) Close() error {
	close(b.closed)
	panic("closed")
}
