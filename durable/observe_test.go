package durable_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggy"
)

// logger writes records without their time.
func logger(w *bytes.Buffer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug,
		ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}}))
}

func TestLogger(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		store *hooked
		work  work
		want  string
	}{
		"done": {&hooked{}, func(context.Context, *durable.Item) error { return nil },
			`level=DEBUG msg="durable: item done" queue=test.queue id=a attempt=1 duration=0s`},
		"failed": {&hooked{}, func(context.Context, *durable.Item) error { return errWork },
			`level=WARN msg="durable: item comes again" queue=test.queue id=a attempt=1 duration=0s error="the work failed"`},
		"panic": {&hooked{}, func(context.Context, *durable.Item) error { panic("boom") },
			`level=WARN msg="durable: item comes again" queue=test.queue id=a attempt=1 duration=0s error="panic in the ` +
				`function given to Run: boom"`},
		"panic in an error": {&hooked{}, func(context.Context, *durable.Item) error { return badError{} },
			`level=WARN msg="durable: item comes again" queue=test.queue id=a attempt=1 duration=0s ` +
				`error="panic in the function given to Run: an error of type durable_test.badError, whose methods panic"`},
		"permanent": {&hooked{}, func(context.Context, *durable.Item) error { return durable.Permanent(errWork) },
			`level=ERROR msg="durable: item parked" queue=test.queue id=a attempt=1 duration=0s error="the work failed"`},
		"lost": {&hooked{
			mark: func() error { return durable.ErrLost },
		}, func(context.Context, *durable.Item) error { return nil },
			`level=WARN msg="durable: claim lost" queue=test.queue id=a attempt=1 duration=0s ` +
				`error="durable: test.queue: marking a: durable: the claim is over"`},
		"mark": {&hooked{mark: func() error { return errStore }}, func(context.Context, *durable.Item) error { return nil },
			`level=WARN msg="durable: item comes again" queue=test.queue id=a attempt=1 duration=0s ` +
				`error="durable: test.queue: marking a: the store failed"`},
		"put back": {&hooked{
			retry: func() error { return errStore },
		}, func(context.Context, *durable.Item) error { return errWork },
			`level=ERROR msg="durable: the store failed" queue=test.queue id=a attempt=1 duration=0s ` +
				`error="the work failed\ndurable: test.queue: putting a back: the store failed"`},
		"claim": {&hooked{claim: func(time.Time, time.Time) error { return errStore }},
			func(context.Context, *durable.Item) error { return nil },
			`level=ERROR msg="durable: the store failed" queue=test.queue id="" attempt=0 duration=0s ` +
				`error="durable: test.queue: claiming: the store failed"`},
	} {
		synctest.Test(t, func(t *testing.T) {
			var out bytes.Buffer
			store := &hooked{
				MemoryStore: durable.NewMemoryStore(), claim: c.store.claim, mark: c.store.mark, retry: c.store.retry,
			}
			ctx, cancel := context.WithCancel(t.Context())
			q := newQueue(
				t, store, durable.Config{Logger: logger(&out), Observer: func(context.Context, durable.Observation) { cancel() }},
			)
			add(t, q, "a")
			_ = q.Run(ctx, c.work)
			if diff := cmp.Diff(c.want+"\n", out.String()); diff != "" {
				t.Errorf("%s: the log (-want +got):\n%s", name, diff)
			}
		})
	}
}

// panicking is a log handler that panics.
type panicking struct{ slog.Handler }

func (panicking) Enabled(context.Context, slog.Level) bool { panic("logger") }

func TestObserverAndLoggerMayPanic(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		q := newQueue(
			t, durable.NewMemoryStore(),
			durable.Config{Observer: func(context.Context, durable.Observation) { panic("observer") }, Logger: logger(&out)},
		)
		add(t, q, "a", "b")
		done := 0
		stop := run(t, q, func(context.Context, *durable.Item) error { done++; return nil })
		synctest.Wait()
		_ = stop()
		if done != 2 || strings.Count(out.String(), "item done") != 2 {
			t.Errorf("%d items done, log %q; want 2, both logged", done, &out)
		}
		q = newQueue(t, durable.NewMemoryStore(), durable.Config{Logger: slog.New(panicking{slog.DiscardHandler})})
		add(t, q, "a", "b")
		stop = run(t, q, func(context.Context, *durable.Item) error { done++; return nil })
		synctest.Wait()
		_ = stop()
		if done != 4 {
			t.Errorf("%d items done in all; want 4", done)
		}
	})
}

func TestNothingShowsContent(t *testing.T) {
	t.Parallel()
	store := durable.NewMemoryStore()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	q := newQueue(t, store, durable.Config{Workers: 3, Clock: func() time.Time { return now }})
	add(t, q, "a", "b")
	item, err := store.Claim(t.Context(), "test.queue", now, now)
	if err != nil || item == nil {
		t.Fatalf("Claim = %v, %v", item, err)
	}
	if err := store.Park(t.Context(), item, "a reason"); err != nil {
		t.Fatal(err)
	}
	parked := store.Parked("test.queue")
	const shown = "Item(test.queue a, attempt 1, due 2026-11-22T09:00:00Z, 15 bytes, redacted)"
	for name, c := range map[string]struct {
		value any
		want  string
	}{
		"*Item": {item, shown}, "Item": {*item, shown}, "[]Item": {[]durable.Item{*item}, shown},
		"struct":     {struct{ I durable.Item }{*item}, shown},
		"ParkedItem": {parked[0], shown}, "[]ParkedItem": {parked, shown},
		"MemoryStore":     {store, "MemoryStore(1 waiting, 1 parked, 0 done, content redacted)"},
		"Queue":           {q, "Queue(test.queue, 3 workers, store redacted)"},
		"nil Item":        {(*durable.Item)(nil), "nil"},
		"nil MemoryStore": {(*durable.MemoryStore)(nil), "nil"}, "nil Queue": {(*durable.Queue)(nil), "nil"},
		"Result": {durable.Observation{Queue: "q", ID: "a", Err: &fliggy.PanicError{Value: item}}, "a"},
	} {
		var text, structured bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", c.value)
		slog.New(slog.NewJSONHandler(&structured, nil)).Info("m", "v", c.value)
		encoded, err := json.Marshal(c.value)
		// a summary in its place would be lost data
		if isItem := strings.HasPrefix(c.want, "Item(") || name == "Result"; (err != nil) != isItem {
			t.Errorf("%s: json: %s, %v", name, encoded, err)
		}
		all := map[string]string{"slog text": text.String(), "slog JSON": structured.String(), "JSON": string(encoded)}
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			all[verb] = fmt.Sprintf(verb, c.value)
		}
		for how, got := range all {
			if strings.Contains(got, secret) || strings.Contains(
				got, fmt.Sprintf("%x", secret),
			) || strings.Contains(got, "115 51 99") ||
				strings.Contains(got, "czNjcmV0") || strings.Contains(got, "0x73, 0x33") {
				t.Errorf("%s: %s shows content: %s", name, how, got)
			}
			if (how == "%v" || how == "%+v") && !strings.Contains(got, c.want) {
				t.Errorf("%s: %s gives %s; want %s", name, how, got, c.want)
			}
		}
	}
}
