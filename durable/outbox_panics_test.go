package durable_test

import (
	"context"
	"log/slog"
	"net/http"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
)

// An evil function is one of the user's that misbehaves the nth time it is called, and from then on.
type evil struct {
	from, calls int
	do          func()
}

func (e *evil) call() {
	if e.calls++; e.calls >= e.from {
		e.do()
	}
}

func (e *evil) Enabled(context.Context, slog.Level) bool  { e.call(); return true }
func (e *evil) Handle(context.Context, slog.Record) error { e.call(); return nil }
func (e *evil) WithAttrs([]slog.Attr) slog.Handler        { return e }
func (e *evil) WithGroup(string) slog.Handler             { return e }
func (e *evil) now() time.Time                            { e.call(); return time.Now() }

// What panics after a bill was taken does not make an outbox send it again.
func TestOutboxSendsOnceWhateverPanics(t *testing.T) {
	t.Parallel()
	for way, do := range map[string]func(){"panic": func() { panic("boom") }, "Goexit": runtime.Goexit} {
		for name, opts := range map[string]func(*evil) ([]rentcar.Option, durable.Config){
			"observer of the client": func(e *evil) ([]rentcar.Option, durable.Config) {
				return []rentcar.Option{
					rentcar.WithObserver(func(context.Context, rentcar.Observation) { e.call() }),
				}, durable.Config{}
			},
			"logger of the client": func(e *evil) ([]rentcar.Option, durable.Config) {
				return []rentcar.Option{rentcar.WithLogger(slog.New(e))}, durable.Config{}
			},
			"clock of the client": func(e *evil) ([]rentcar.Option, durable.Config) {
				e.from = 4
				return []rentcar.Option{rentcar.WithClock(e.now)}, durable.Config{}
			},
			"observer of the outbox": func(e *evil) ([]rentcar.Option, durable.Config) {
				return nil, durable.Config{Observer: func(context.Context, durable.Observation) { e.call() }}
			},
			"logger of the outbox": func(e *evil) ([]rentcar.Option, durable.Config) {
				return nil, durable.Config{Logger: slog.New(e)}
			},
		} {
			synctest.Test(t, func(t *testing.T) {
				e := &evil{from: 1, do: do}
				clientOpts, cfg := opts(e)
				sent := 0
				count := responder(func(r *http.Request) (*http.Response, error) { sent++; return yes(r) })
				client := scriptClient(t, &script{lines: []responder{count}}, clientOpts...)
				store := durable.NewMemoryStore()
				outbox, err := durable.NewOutbox(client, store, cfg)
				if err != nil {
					t.Fatal(err)
				}
				mustAdd(t, outbox.AddBill(t.Context(), outboxBill("1")))
				ctx, stop := context.WithTimeout(t.Context(), time.Hour)
				defer stop()
				_ = outbox.Run(ctx)
				if sent != 1 || e.calls == 0 || store.String() != "MemoryStore(0 waiting, 0 parked, 1 done, content redacted)" {
					t.Errorf("%s, %s: sent %d times, %d calls of the function, %v", name, way, sent, e.calls, store)
				}
			})
		}
	}
}
