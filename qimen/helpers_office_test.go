package qimen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"sync"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A run is one call of a user's function.
type run struct {
	Key        string
	IsConflict bool
	Message    any
	Delivery   *Delivery
}

// An office serves all operations and may be called by many at once. Each run of a merchant's function gives another
// reply.
type office struct {
	mu       sync.Mutex
	runs     []run
	observed []Observation
	log      safeLog
	act      func(ctx context.Context, d *Delivery, run int) error // what each function does
}

// A safeLog takes the records of several handlers.
type safeLog struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *safeLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *safeLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

func (f *office) note(ctx context.Context, d *Delivery, message any) (int, error) {
	f.mu.Lock()
	f.runs = append(f.runs, run{d.Key, d.IsConflict, message, d})
	n, act := len(f.runs), f.act
	f.mu.Unlock()
	if act == nil {
		return n, nil
	}
	return n, act(ctx, d, n)
}

func (f *office) options() []Option {
	return []Option{
		WithClock(fixedClock),
		WithLogger(slog.New(slog.NewJSONHandler(&f.log, &slog.HandlerOptions{Level: slog.LevelDebug}))),
		WithObserver(func(_ context.Context, o Observation) {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.observed = append(f.observed, o)
		}),
		OnEvent(func(ctx context.Context, d *Delivery, e events.Event) error {
			_, err := f.note(ctx, d, e)
			return err
		}),
		OnRenewalPrices(func(ctx context.Context, d *Delivery, r *RenewalPricesRequest) (*RenewalPricesReply, error) {
			n, err := f.note(ctx, d, r)
			reply := quotes()[0]
			reply.Price.PriceMark = strconv.Itoa(n)
			return reply, err
		}),
		OnRenewalSubmit(func(ctx context.Context, d *Delivery, r *RenewalSubmitRequest) (*RenewalSubmitReply, error) {
			n, err := f.note(ctx, d, r)
			if errors.Is(err, errNoReply) {
				return nil, nil
			}
			return &RenewalSubmitReply{OutOrderID: "R" + strconv.Itoa(n), CreatedTime: fliggy.At(testNow)}, err
		}),
		OnRenewalCancel(func(ctx context.Context, d *Delivery, r *RenewalCancelRequest) (*RenewalCancelReply, error) {
			n, err := f.note(ctx, d, r)
			if errors.Is(err, errNoReply) {
				return nil, nil
			}
			return &RenewalCancelReply{Extra: map[string]json.RawMessage{"run": json.RawMessage(strconv.Itoa(n))}}, err
		}),
	}
}

var errNoReply = errors.New("no reply")

func (f *office) handler(t testing.TB, opts ...Option) *Handler {
	t.Helper()
	h, err := NewHandler(testSecrets, append(f.options(), opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func (f *office) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.runs)
}

// last is what the handler reported last.
func (f *office) last() Observation {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.observed[len(f.observed)-1]
}

// The operations that act, and a message for each.
var actingBodies = map[string]string{
	DefaultEventMethod:  event103,
	RenewalSubmitMethod: merchantBodies[RenewalSubmitMethod],
	RenewalCancelMethod: merchantBodies[RenewalCancelMethod],
}

func pushOf(t testing.TB, method, body string) *Push {
	t.Helper()
	return mustSign(t, newPush(queryFor(method), jsonType, body), testSecret)
}

// overHTTP sends pushes to a real server.
func overHTTP(t *testing.T, h http.Handler) func(*Push) Reply {
	over := make(chan struct{}, 1000)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() { over <- struct{}{} }() // the observer is called after the reply
		h.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return func(p *Push) Reply {
		r, err := http.NewRequest(http.MethodPost, server.URL+"/?"+p.RawQuery, bytes.NewReader(p.Body))
		if err != nil {
			return Reply{Body: []byte(err.Error())}
		}
		r.Header = p.Header.Clone()
		w, err := server.Client().Do(r)
		if err != nil {
			return Reply{Body: []byte(err.Error())}
		}
		defer func() { _ = w.Body.Close() }()
		body, err := io.ReadAll(w.Body)
		if err != nil {
			body = []byte(err.Error())
		}
		<-over
		return Reply{Status: w.StatusCode, ContentType: w.Header.Get("Content-Type"), Body: body}
	}
}

func sameReply(a, b Reply) bool {
	return a.Status == b.Status && a.ContentType == b.ContentType && bytes.Equal(a.Body, b.Body)
}
