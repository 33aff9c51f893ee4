package durable_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggy"
)

func TestPermanentParks(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := durable.NewMemoryStore()
		seen := &recorder{}
		q := newQueue(t, store, durable.Config{Observer: seen.observe})
		add(t, q, "a")
		isMended := false
		stop := run(t, q, func(context.Context, *durable.Item) error {
			if isMended {
				return nil
			}
			return errors.Join(errors.New("refused"), durable.Permanent(errWork))
		})
		<-time.After(time.Hour)
		if r := seen.one(t); !r.Parked || r.Done || !r.Due.IsZero() || !errors.Is(r.Err, errWork) {
			t.Errorf("result %+v; want a parked one", r)
		}
		parked := store.Parked("test.queue")
		if len(parked) != 1 || parked[0].Item.ID != "a" || parked[0].Reason != "refused\nthe work failed" {
			t.Fatalf("parked: %+v; want a with its reason", parked)
		}
		isMended = true
		if err := store.Release("test.queue", "a"); err != nil {
			t.Fatalf("Release: %v", err)
		}
		<-time.After(time.Hour)
		_ = stop()
		if r := seen.one(t); !r.Done || r.Attempt != 2 {
			t.Errorf("result after Release %+v; want attempt 2, done", r)
		}
	})
}

func TestPanicIsAnError(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		value any
		text  string
	}{
		"text":  {"boom", "panic in the function given to Run: boom"},
		"error": {errWork, "panic in the function given to Run: the work failed"},
	} {
		synctest.Test(t, func(t *testing.T) {
			seen := &recorder{}
			q := newQueue(t, durable.NewMemoryStore(), durable.Config{Observer: seen.observe})
			add(t, q, "a")
			stop := run(t, q, func(_ context.Context, i *durable.Item) error {
				if i.Attempt == 1 {
					panic(c.value)
				}
				return nil
			})
			<-time.After(time.Minute)
			_ = stop()
			all := seen.all()
			if len(all) != 2 || all[0].Due.IsZero() || !all[1].Done {
				t.Fatalf("%s: results %+v; want a failed attempt and a done one", name, all)
			}
			var p *fliggy.PanicError
			if !errors.As(all[0].Err, &p) || p.Value != c.value || p.Error() != c.text ||
				!strings.Contains(string(p.Stack), "failure_test.go") {
				t.Errorf("%s: the error is %v; want a PanicError with value and stack", name, all[0].Err)
			}
			if _, isError := c.value.(error); errors.Is(all[0].Err, errWork) != isError {
				t.Errorf("%s: errors.Is finds the value of the panic: %v", name, !isError)
			}
		})
	}
}

// Work may meet the lost claim of an item in another store.
func TestErrLostOfWorkIsAnErrorOfWork(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		q := newQueue(t, durable.NewMemoryStore(), durable.Config{Observer: seen.observe})
		add(t, q, "a")
		stop := run(t, q, func(context.Context, *durable.Item) error { return durable.ErrLost })
		synctest.Wait()
		_ = stop()
		if r := seen.one(t); r.Lost || r.Due.IsZero() {
			t.Errorf("result %+v; want one that comes again", r)
		}
	})
}

func TestStoreFailsToAdd(t *testing.T) {
	t.Parallel()
	store := &hooked{MemoryStore: durable.NewMemoryStore(), add: func() error { return errStore }}
	q := newQueue(t, store, durable.Config{})
	isNew, err := q.Add(t.Context(), "a", "", []byte(secret))
	if isNew || !errors.Is(err, errStore) || err.Error() != "durable: test.queue: storing a: the store failed" {
		t.Errorf("Add = %v, %v; want false and the error of the store", isNew, err)
	}
}

// A store that fails to hand out is asked again at intervals, however many items are
// added.
func TestStoreFailsToClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		store := &hooked{MemoryStore: durable.NewMemoryStore()}
		var isDown atomic.Bool
		isDown.Store(true)
		store.claim = func(time.Time, time.Time) error {
			if isDown.Load() {
				return errStore
			}
			return nil
		}
		q := newQueue(t, store, durable.Config{Workers: 2, Observer: seen.observe})
		add(t, q, "a", "b")
		stop := run(t, q, func(context.Context, *durable.Item) error { return nil })
		<-time.After(10*time.Second + 1)
		if n := store.claimed(); n > 11+2 {
			t.Errorf("the store was asked %d times in 10s; want once a second for all workers, and once an Add", n)
		}
		all := seen.all()
		if len(all) < 10 {
			t.Errorf("%d results; want one for each failure", len(all))
		}
		for _, r := range all {
			if r.Queue != "test.queue" || r.ID != "" || r.Attempt != 0 || r.Done || !r.Due.IsZero() ||
				r.Err.Error() != "durable: test.queue: claiming: the store failed" || !errors.Is(r.Err, errStore) {
				t.Errorf("result %+v; want the failure to claim", r)
			}
		}
		isDown.Store(false)
		<-time.After(time.Second)
		synctest.Wait()
		_ = stop()
		if all := seen.all(); len(all) != 2 || !all[0].Done || !all[1].Done {
			t.Errorf("results when the store is back: %+v; want both items done", all)
		}
	})
}

// A claim that hangs is given up in time, so that what it hands out is not yet due again.
func TestStoreHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		store := &hanging{MemoryStore: durable.NewMemoryStore()}
		q := newQueue(t, store, durable.Config{Timeout: time.Second, Observer: seen.observe})
		stop := run(t, q, func(context.Context, *durable.Item) error { return nil })
		<-time.After(31 * time.Second)
		if r := seen.one(t); !errors.Is(r.Err, context.DeadlineExceeded) || r.ID != "" {
			t.Errorf("result %+v; want a claim that was given up", r)
		}
		_ = stop()
	})
}

type hanging struct{ *durable.MemoryStore }

func (*hanging) Claim(ctx context.Context, _ string, _, _ time.Time) (*durable.Item, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestStoreFailsToMark(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		store := &hooked{MemoryStore: durable.NewMemoryStore()}
		fails := true
		store.mark = func() error {
			if fails {
				fails = false
				return errStore
			}
			return nil
		}
		q := newQueue(t, store, durable.Config{Observer: seen.observe})
		add(t, q, "a")
		begin := time.Now()
		stop := run(t, q, func(context.Context, *durable.Item) error { return nil })
		<-time.After(time.Minute)
		_ = stop()
		all := seen.all()
		if len(all) != 2 || all[0].Done || all[0].Due.Sub(begin) != time.Second || !all[1].Done || all[1].Attempt != 2 {
			t.Fatalf("results %+v; want one that comes again and one that is done", all)
		}
		if err := all[0].Err; !errors.Is(err, errStore) || err.Error() != "durable: test.queue: marking a: the store failed" {
			t.Errorf("the error is %v; want that of the store", err)
		}
	})
}

// An item that cannot be put back comes again when its claim has run out.
func TestStoreFailsToPutBack(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err         error // of work
		retry, park error // of the store
		wantLost    bool
	}{
		"retry":      {err: errWork, retry: errStore},
		"park":       {err: durable.Permanent(errWork), park: errStore},
		"retry lost": {err: errWork, retry: durable.ErrLost, wantLost: true},
		"park lost":  {err: durable.Permanent(errWork), park: durable.ErrLost, wantLost: true},
	} {
		synctest.Test(t, func(t *testing.T) {
			seen := &recorder{}
			store := &hooked{MemoryStore: durable.NewMemoryStore(),
				retry: func() error { return c.retry }, park: func() error { return c.park }}
			q := newQueue(t, store, durable.Config{Timeout: 5 * time.Second, Observer: seen.observe})
			add(t, q, "a")
			begin := time.Now()
			var at []time.Duration
			stop := run(t, q, func(_ context.Context, i *durable.Item) error {
				at = append(at, time.Since(begin))
				if i.Attempt == 1 {
					return c.err
				}
				return nil
			})
			<-time.After(5 * time.Minute)
			_ = stop()
			all := seen.all()
			if len(all) != 2 || !all[1].Done {
				t.Fatalf("%s: results %+v; want a failed one and a done one", name, all)
			}
			r, want := all[0], errors.Join(c.retry, c.park)
			if r.Done || r.Parked || r.Lost != c.wantLost || !r.Due.IsZero() || !errors.Is(r.Err, errWork) ||
				!strings.HasSuffix(r.Err.Error(), "\ndurable: test.queue: putting a back: "+want.Error()) {
				t.Errorf("%s: result %+v; want both errors and no due time", name, r)
			}
			if diff := cmp.Diff([]time.Duration{0, 65 * time.Second}, at); diff != "" {
				t.Errorf("%s: worked at (-want +got):\n%s", name, diff)
			}
		})
	}
}
