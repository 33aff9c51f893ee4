package durable_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggy"
)

// nilError is the classic one: a nil pointer in an error, whose methods panic.
type nilError struct{ cause error }

func (e *nilError) Error() string { return e.cause.Error() }
func (e *nilError) Unwrap() error { return e.cause }

// What work and the methods of a store do to their goroutine ends neither the program nor a
// worker: the item comes again, or is parked.
func TestWorkersSurvive(t *testing.T) {
	t.Parallel()
	boom := func() error { panic("boom") }
	exit := func() error { runtime.Goexit(); return nil }
	const panicked, exited = "panic in the store: boom", "panic in the store: it called runtime.Goexit"
	const claiming, marking = "durable: test.queue: claiming: ", "durable: test.queue: marking a: "
	const back = "the work failed\ndurable: test.queue: putting a back: "
	fail, refuse := func() error { return errWork }, func() error { return durable.Permanent(errWork) }
	for name, c := range map[string]struct {
		store *hooked // whose hooks are called for attempt 1
		work  func() error
		err   string        // of the first result
		due   time.Duration // zero where the claim has to run out
		again time.Duration // when the work succeeds; at once after a Claim, for Add has nudged
	}{
		"work exits": {
			&hooked{}, exit, "panic in the function given to Run: it called runtime.Goexit", time.Second, time.Second,
		},
		"error panics": {
			&hooked{}, func() error { return (*nilError)(nil) }, "", time.Second, time.Second,
		},
		"panics with an error that panics": {
			&hooked{}, func() error { panic((*nilError)(nil)) },
			"panic in the function given to Run: an error of type *durable_test.nilError, whose methods panic", time.Second,
			time.Second,
		},

		"claim panics":     {&hooked{claim: func(_, _ time.Time) error { return boom() }}, nil, claiming + panicked, 0, 0},
		"claim exits":      {&hooked{claim: func(_, _ time.Time) error { return exit() }}, nil, claiming + exited, 0, 0},
		"mark panics":      {&hooked{mark: boom}, nil, marking + panicked, time.Second, time.Second},
		"mark exits":       {&hooked{mark: exit}, nil, marking + exited, time.Second, time.Second},
		"retry panics":     {&hooked{retry: boom}, fail, back + panicked, 0, 65 * time.Second},
		"retry exits":      {&hooked{retry: exit}, fail, back + exited, 0, 65 * time.Second},
		"park panics":      {&hooked{park: boom}, refuse, back + panicked, 0, 65 * time.Second},
		"Do hides failure": {&hooked{swallow: true}, fail, "the work failed", time.Second, time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			store := c.store
			store.MemoryStore = durable.NewMemoryStore()
			seen := &recorder{}
			q := newQueue(t, store, durable.Config{Timeout: 5 * time.Second, Observer: func(
				_ context.Context, r durable.Observation,
			) {
				seen.observe(t.Context(), r)
				store.mend()
				runtime.Goexit() // an observer may end its goroutine too
			}})
			add(t, q, "a")
			begin := time.Now()
			var at time.Duration
			worked := 0
			stop := run(t, q, func(context.Context, *durable.Item) error {
				if worked++; worked == 1 && c.work != nil {
					return c.work()
				}
				at = time.Since(begin)
				return nil
			})
			<-time.After(5 * time.Minute)
			if err := stop(); !errors.Is(err, context.Canceled) {
				t.Errorf("%s: Run = %v; want the cause of its context", name, err)
			}
			all := seen.all()
			if len(all) != 2 || !all[1].Done || all[1].Err != nil {
				t.Fatalf("%s: results %+v; want a failed one and a done one", name, all)
			}
			r := all[0]
			if r.Done || r.Parked || r.Lost || r.Due.IsZero() != (c.due == 0) || c.due > 0 && r.Due.Sub(begin) != c.due {
				t.Errorf("%s: result %+v; want one that is due after %v", name, r, c.due)
			}
			var p *fliggy.PanicError
			if c.err == "" && !errors.As(r.Err, &p) || c.err != "" && r.Err.Error() != c.err {
				t.Errorf("%s: the error is %v; want %s", name, r.Err, c.err)
			}
			if at != c.again {
				t.Errorf("%s: worked again after %v; want %v", name, at, c.again)
			}
		})
	}
}

// A Store, or a clock, that panics while an item is added has not stored it, and says so.
func TestAddContains(t *testing.T) {
	t.Parallel()
	broken := func() time.Time { panic("boom") }
	for want, c := range map[string]struct {
		add func() error
		cfg durable.Config
	}{
		"panic in the store: boom":                                  {add: func() error { panic("boom") }},
		"panic in the store: it called runtime.Goexit":              {add: func() error { runtime.Goexit(); return nil }},
		"panic in the store: " + new(runtime.PanicNilError).Error(): {add: func() error { panic(nil) }},
		"panic in the clock: boom":                                  {cfg: durable.Config{Clock: broken}},
	} {
		store := &hooked{MemoryStore: durable.NewMemoryStore(), add: c.add}
		isNew, err := newQueue(t, store, c.cfg).Add(t.Context(), "a", "", nil)
		var p *fliggy.PanicError
		if isNew || !errors.As(err, &p) || !strings.Contains(err.Error(), "storing a: "+want) {
			t.Errorf("Add = %v, %v; want false and %q", isNew, err, want)
		}
	}
}

// A lazy store says that an item is done, without having called work for it.
type lazy struct {
	*durable.MemoryStore
	attempts int
}

func (s *lazy) Do(ctx context.Context, item *durable.Item, work func(context.Context) error) error {
	if s.attempts++; s.attempts == 1 {
		return nil
	}
	return s.MemoryStore.Do(ctx, item, work)
}

// An item whose work was not called is not done, whatever the store says.
func TestStoreWithoutWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		q := newQueue(t, &lazy{MemoryStore: durable.NewMemoryStore()}, durable.Config{Observer: seen.observe})
		add(t, q, "a")
		worked := 0
		stop := run(t, q, func(context.Context, *durable.Item) error { worked++; return nil })
		<-time.After(time.Minute)
		_ = stop()
		all := seen.all()
		if len(all) != 2 || all[0].Done || all[0].Due.IsZero() || !all[1].Done || worked != 1 {
			t.Fatalf("worked %d times, results %+v; want one that comes again, and then is worked on and done", worked, all)
		}
		const want = "durable: test.queue: a is not done: Do of the store returned nil without calling work"
		if err := all[0].Err; err == nil || err.Error() != want {
			t.Errorf("the error is %v; want %s", err, want)
		}
	})
}

// The observer of a queue gets the values of the context that Run was given.
func TestObserverContext(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		type key struct{}
		ctx, stop := context.WithCancel(context.WithValue(t.Context(), key{}, "value"))
		var got any
		q := newQueue(t, durable.NewMemoryStore(), durable.Config{Observer: func(ctx context.Context, _ durable.Observation) {
			got = ctx.Value(key{})
			stop()
		}})
		add(t, q, "a")
		_ = q.Run(ctx, func(context.Context, *durable.Item) error { return nil })
		if got != "value" {
			t.Errorf("the observer got %v of its context; want the value that Run was given", got)
		}
	})
}

// A clock that panics holds up a queue for as long as it does, and harms no item.
func TestClockPanics(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen, calls := &recorder{}, 0
		q := newQueue(t, durable.NewMemoryStore(), durable.Config{Observer: seen.observe, Clock: func() time.Time {
			if calls++; calls == 2 || calls == 4 { // 1 is Add's, 2 a Claim's, 3 another, 4 that of the failed attempt
				panic("boom")
			}
			return time.Now()
		}})
		add(t, q, "a")
		stop := run(t, q, func(_ context.Context, i *durable.Item) error {
			if i.Attempt == 1 {
				return errWork
			}
			return nil
		})
		<-time.After(5 * time.Minute)
		_ = stop()
		all := seen.all()
		if len(all) != 3 || all[0].ID != "" || !all[1].Due.IsZero() || !errors.Is(all[1].Err, errWork) || !all[2].Done {
			t.Fatalf("results %+v; want a failed claim, one that could not be put back, and a done one", all)
		}
		for _, r := range all[:2] {
			if p := (*fliggy.PanicError)(nil); !errors.As(r.Err, &p) || p.Func != "the clock" {
				t.Errorf("the error is %v; want a panic in the clock", r.Err)
			}
		}
	})
}
