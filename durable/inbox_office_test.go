package durable_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/qimen"
)

const (
	officeApp    = "24700001"
	officeSecret = "0123456789abcdef0123456789abcdef"
	jsonType     = "application/json;charset=UTF-8"
	formType     = "application/x-www-form-urlencoded"
	event103     = `{"channelId":"80001","orderId":"3187983531024266527","outOrderId":"761448761000000016108099","event` +
		`Type":103,` +
		`"eventData":{"renewalOrderId":"3187983531024266528","createdTime":"2026-11-22 08:59:00"}}`
)

var (
	officeSecrets = qimen.Secrets{officeApp: {officeSecret}}
	officeTime    = time.Date(2026, 11, 22, 1, 0, 30, 0, time.UTC) // 09:00:30 in GMT+8
	accepted      = string(qimen.DefaultReplies()[qimen.ReasonAccepted].Body)
	inProgress    = qimen.DefaultReplies()[qimen.ReasonInProgress]
)

// A handled is one call of a function of the office.
type handled struct {
	*qimen.Delivery
	Event events.Event
}

// An office receives events.
type office struct {
	mu       sync.Mutex
	handled  []handled
	observed []qimen.Observation
	log      bytes.Buffer
	act      func(ctx context.Context, d *qimen.Delivery) error // what the function for events does
}

func (f *office) options() []qimen.Option {
	return []qimen.Option{
		qimen.WithClock(func() time.Time { return officeTime }),
		qimen.WithLogger(slog.New(slog.NewJSONHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		qimen.WithObserver(func(_ context.Context, o qimen.Observation) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.observed = append(f.observed, o)
		}),
		qimen.OnEvent(func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
			f.mu.Lock()
			f.handled = append(f.handled, handled{d, e})
			act := f.act
			f.mu.Unlock()
			if act == nil {
				return nil
			}
			return act(ctx, d)
		}),
	}
}

func (f *office) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.handled)
}

// last is what the handler observed last.
func (f *office) last() qimen.Observation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.observed[len(f.observed)-1]
}

// A receiver is a handler and the inbox behind it.
type receiver struct {
	*qimen.Handler
	inbox *durable.Inbox
}

// receiver makes what a process makes when it starts.
func (f *office) receiver(t testing.TB, store durable.Store, opts ...qimen.Option) *receiver {
	t.Helper()
	inbox, err := durable.NewInbox(store, durable.Config{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := qimen.NewHandler(officeSecrets, append(append(f.options(), qimen.WithStore(inbox.Add)), opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return &receiver{h, inbox}
}

// runFor runs the inbox for that long. It is to be called in a bubble.
func (r *receiver) runFor(t testing.TB, long time.Duration) {
	t.Helper()
	stop := errors.New("that is all")
	ctx, cancel := context.WithCancelCause(context.Background())
	over := make(chan error, 1)
	go func() { over <- r.inbox.Run(ctx, r.Handler) }()
	<-time.After(long)
	cancel(stop)
	if err := <-over; !errors.Is(err, stop) {
		t.Errorf("Run returns %v", err)
	}
}

// pushOf is a signed push.
func pushOf(t testing.TB, method, body string) *qimen.Push {
	t.Helper()
	return signed(t, "app_key=24700001&method="+method+"&timestamp=2026-11-22+09%3A00%3A00", jsonType, body)
}

func signed(t testing.TB, query, contentType, body string, headers ...string) *qimen.Push {
	t.Helper()
	p := &qimen.Push{RawQuery: query, Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)}
	for i := 0; i < len(headers); i += 2 {
		p.Header.Set(headers[i], headers[i+1])
	}
	p, err := qimen.SignPush(p, officeSecret)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
