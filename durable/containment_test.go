package durable_test

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/durable"
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
	const panicked, exited = "durable: panic: boom", "durable: runtime.Goexit was called"
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
		"work exits":                       {&hooked{}, exit, exited, time.Second, time.Second},
		"error panics":                     {&hooked{}, func() error { return (*nilError)(nil) }, "", time.Second, time.Second},
		"panics with an error that panics": {&hooked{}, func() error { panic((*nilError)(nil)) }, "durable: panic: an error of type *durable_test.nilError, whose methods panic", time.Second, time.Second},

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
			q := newQueue(t, store, durable.WithTimeout(5*time.Second), durable.WithObserver(func(r durable.Result) {
				seen.observe(r)
				store.mend()
				runtime.Goexit() // an observer may end its goroutine too
			}))
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
			if len(all) != 2 || !all[1].IsDone || all[1].Err != nil {
				t.Fatalf("%s: results %+v; want a failed one and a done one", name, all)
			}
			r := all[0]
			if r.IsDone || r.IsParked || r.IsLost || r.Due.IsZero() != (c.due == 0) || c.due > 0 && r.Due.Sub(begin) != c.due {
				t.Errorf("%s: result %+v; want one that is due after %v", name, r, c.due)
			}
			var p *durable.PanicError
			if c.err == "" && !errors.As(r.Err, &p) || c.err != "" && r.Err.Error() != c.err {
				t.Errorf("%s: the error is %v; want %s", name, r.Err, c.err)
			}
			if at != c.again {
				t.Errorf("%s: worked again after %v; want %v", name, at, c.again)
			}
		})
	}
}
