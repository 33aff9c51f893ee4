package qimen

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// The context of the function has the values of the request, ends with it, and
// ends in time.
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
	s.handler(t).ServeHTTP(brokenWriter{httptest.NewRecorder()}, request(mustSign(t, newPush(eventQuery, jsonType, event103), testSecret)))
	o := s.observed[0]
	if o.Reason != ReasonAccepted || o.Err == nil || !strings.Contains(o.Err.Error(), "writing the reply: gone") || !strings.Contains(s.log.String(), "WARN") {
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

// A flush that fails is a reply that did not go out; a writer that cannot flush
// is none.
func TestSend(t *testing.T) {
	t.Parallel()
	reply := DefaultReplies()[ReasonAccepted]
	if err := send(noFlush{httptest.NewRecorder()}, reply); err != nil {
		t.Error(err)
	}
	if err := send(badFlush{httptest.NewRecorder()}, reply); err == nil || err.Error() != "reset" {
		t.Error(err)
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
	if reply := h.Handle(t.Context(), p); reply.Status != http.StatusRequestEntityTooLarge || !errors.Is(s.observed[0].Err, ErrBodyTooLarge) {
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
	h, err := NewHandler(secrets, WithReplies(rows), WithClock(fixedClock), OnEvent(func(context.Context, *Delivery, events.Event) error { return nil }))
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
	gate := mustGate(t, GateClock(func() time.Time { panic("no battery") }))
	h = f.handler(t, WithGate(gate))
	if r := h.Handle(t.Context(), p); r.Status != http.StatusInternalServerError || f.last().Reason != ReasonGateFailed || !errors.As(f.last().Err, &panicked) {
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
