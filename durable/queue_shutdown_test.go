package durable_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

func TestShutdownLetsWhatWasBegunFinish(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := durable.NewMemoryStore()
		seen := &recorder{}
		q := newQueue(t, store, durable.Config{Workers: 2, Observer: seen.observe})
		add(t, q, "a", "b", "c")
		cause := errors.New("the program ends")
		ctx, cancel := context.WithCancelCause(t.Context())
		over := make(chan error, 1)
		begin := time.Now()
		go func() {
			over <- q.Run(ctx, func(ctx context.Context, i *durable.Item) error {
				<-time.After(10 * time.Second)
				if err := ctx.Err(); err != nil {
					t.Errorf("the work of %s was cut off: %v", i.ID, err)
				}
				if i.ID == "b" {
					return errWork
				}
				return nil
			})
		}()
		<-time.After(time.Second)
		cancel(cause)
		if err := <-over; !errors.Is(err, cause) {
			t.Errorf("Run returned %v; want the cause of its context", err)
		}
		if d := time.Since(begin); d != 10*time.Second {
			t.Errorf("Run returned after %v; want 10s, when what was begun is over", d)
		}
		var done, again int
		for _, r := range seen.all() {
			switch {
			case r.Done && r.ID == "a":
				done++
			case !r.Due.IsZero() && r.ID == "b":
				again++
			default:
				t.Errorf("result %+v; want a done and b put back", r)
			}
		}
		if done != 1 || again != 1 {
			t.Errorf("%d done and %d put back; want 1 and 1, and c not begun", done, again)
		}
	})
}

func TestShutdownEndsWithTheTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, durable.NewMemoryStore(), durable.Config{Timeout: 30 * time.Second})
		add(t, q, "a")
		begin := time.Now()
		stop := run(t, q, func(ctx context.Context, _ *durable.Item) error { <-ctx.Done(); return ctx.Err() })
		<-time.After(time.Second)
		_ = stop()
		if d := time.Since(begin); d != 30*time.Second {
			t.Errorf("Run returned after %v; want 30s", d)
		}
	})
}

func TestRunReturns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := &hooked{MemoryStore: durable.NewMemoryStore()}
		q := newQueue(t, store, durable.Config{})
		if err := q.Run(t.Context(), nil); err == nil || err.Error() != "durable: test.queue: Run: the function is nil" {
			t.Errorf("Run without a function returned %v", err)
		}
		add(t, q, "a")
		ctx, cancel := context.WithCancelCause(t.Context())
		cancel(errWork)
		if err := q.Run(ctx, func(context.Context, *durable.Item) error { return nil }); !errors.Is(err, errWork) {
			t.Errorf("Run returned %v; want the cause", err)
		}
		if n := store.claimed(); n != 0 {
			t.Errorf("Run with a context that is over has claimed %d times", n)
		}
		// A worker that waits does not wait on.
		begin := time.Now()
		idle := newQueue(t, durable.NewMemoryStore(), durable.Config{Poll: time.Hour})
		stop := run(t, idle, func(context.Context, *durable.Item) error { return nil })
		synctest.Wait()
		if err := stop(); !errors.Is(err, context.Canceled) || time.Since(begin) != 0 {
			t.Errorf("Run returned %v after %v; want context.Canceled at once", err, time.Since(begin))
		}
	})
}
