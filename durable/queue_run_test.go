package durable_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/durable"
)

// What a transaction of others has added is there at its commit, of which Add knows nothing.
func TestWake(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, seen := durable.NewMemoryStore(), &recorder{}
		q := newQueue(t, store, durable.Config{Poll: time.Hour, Observer: seen.observe})
		stop := run(t, q, func(context.Context, *durable.Item) error { return nil })
		begin := time.Now()
		err := store.Atomically(t.Context(), func(ctx context.Context) (durable.MemoryPart, error) {
			if isNew, err := q.Add(ctx, "a", "", nil); err != nil || !isNew {
				t.Errorf("Add = %v, %v", isNew, err)
			}
			synctest.Wait() // Run has looked, and found nothing
			return durable.MemoryPart{}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := len(seen.all()); n != 0 {
			t.Errorf("%d results before Wake", n)
		}
		q.Wake()
		synctest.Wait()
		if r, d := seen.one(t), time.Since(begin); !r.Done || d != 0 {
			t.Errorf("%+v after %v", r, d)
		}
		_ = stop()
	})
}

func TestRunTakesWhatIsAddedAtOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		q := newQueue(t, durable.NewMemoryStore(), durable.Config{Poll: time.Hour, Observer: seen.observe})
		var got []string
		stop := run(t, q, func(_ context.Context, i *durable.Item) error {
			got = append(got, fmt.Sprintf("%s %s %d %s", i.Queue, i.ID, i.Attempt, i.Data))
			return nil
		})
		synctest.Wait()
		begin := time.Now()
		add(t, q, "a", "b")
		synctest.Wait()
		if d := time.Since(begin); d != 0 {
			t.Errorf("it took %v; want no time", d)
		}
		want := []string{"test.queue a 1 " + secret + "a", "test.queue b 1 " + secret + "b"}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("worked on (-want +got):\n%s", diff)
		}
		for _, r := range seen.all() {
			if !r.Done || r.Parked || r.Lost || r.Err != nil || !r.Due.IsZero() || r.Queue != "test.queue" || r.Attempt != 1 {
				t.Errorf("result %+v; want a done one", r)
			}
		}
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v; want the cause of the context", err)
		}
	})
}

// What another process adds is found by looking.
func TestRunPolls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := durable.NewMemoryStore()
		q, other := newQueue(t, store, durable.Config{Poll: 7 * time.Second}), newQueue(t, store, durable.Config{})
		var at []time.Duration
		begin := time.Now()
		stop := run(t, q, func(context.Context, *durable.Item) error {
			at = append(at, time.Since(begin))
			return nil
		})
		synctest.Wait()
		add(t, other, "a")
		<-time.After(10 * time.Second)
		_ = stop()
		if diff := cmp.Diff([]time.Duration{7 * time.Second}, at); diff != "" {
			t.Errorf("worked at (-want +got):\n%s", diff)
		}
	})
}

// What work adds to another queue is worked on when it is there: after the commit.
func TestRunTakesWhatATransactionAdds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := durable.NewMemoryStore()
		first := newQueue(t, store, durable.Config{Poll: time.Hour, MinDelay: time.Minute, MaxDelay: time.Minute})
		second, err := durable.NewQueue("second", store, durable.Config{Poll: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		var at []time.Duration
		stopSecond := run(t, second, func(context.Context, *durable.Item) error {
			at = append(at, time.Since(begin))
			return nil
		})
		stopFirst := run(t, first, func(ctx context.Context, i *durable.Item) error {
			if isNew, err := second.Add(ctx, "of-"+i.ID, "", nil); err != nil || !isNew {
				t.Errorf("Add = %v, %v; want a new item", isNew, err)
			}
			<-time.After(time.Second)
			if i.Attempt == 1 {
				return errWork
			}
			return nil
		})
		add(t, first, "a")
		<-time.After(2 * time.Hour) // attempt 2 comes with the first look
		_ = stopFirst()
		_ = stopSecond()
		if diff := cmp.Diff([]time.Duration{time.Hour + 2*time.Second}, at); diff != "" {
			t.Errorf("the second queue worked at (-want +got):\n%s", diff)
		}
	})
}

func TestWorkers(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			q := newQueue(t, durable.NewMemoryStore(), durable.Config{Workers: workers, Poll: time.Hour})
			var (
				mu         sync.Mutex
				order      []string
				busy, most int
			)
			stop := run(t, q, func(_ context.Context, i *durable.Item) error {
				mu.Lock()
				order = append(order, i.ID)
				busy++
				most = max(most, busy)
				mu.Unlock()
				<-time.After(time.Second)
				mu.Lock()
				busy--
				mu.Unlock()
				return nil
			})
			synctest.Wait()
			ids := []string{"f", "a", "e", "b", "d", "c"}
			begin := time.Now()
			for _, id := range ids {
				add(t, q, id)
			}
			<-time.After(time.Duration(6/workers)*time.Second - time.Nanosecond)
			synctest.Wait()
			_ = stop()
			if d := time.Since(begin); most != workers || len(order) != len(ids) || d != time.Duration(6/workers)*time.Second {
				t.Errorf("%d workers: %d at once, %v in %v; want them all busy", workers, most, order, d)
			}
			if workers == 1 && !slices.Equal(order, ids) {
				t.Errorf("one worker began %v; want the order of Add %v", order, ids)
			}
		})
	}
}

// One word is enough for all workers, as when one transaction adds many items.
func TestWorkersWakeEachOther(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := durable.NewMemoryStore()
		q, other := newQueue(t, store, durable.Config{Workers: 3, Poll: time.Hour}), newQueue(t, store, durable.Config{})
		stop := run(t, q, func(context.Context, *durable.Item) error { <-time.After(time.Second); return nil })
		synctest.Wait()
		add(t, other, "a", "b") // which q is not told of
		add(t, q, "c")
		begin := time.Now()
		<-time.After(time.Millisecond)
		_ = stop()
		const want = "MemoryStore(0 waiting, 0 parked, 3 done, content redacted)"
		if d := time.Since(begin); d != time.Second || store.String() != want {
			t.Errorf("after %v: %s; want all done at once", d, store)
		}
	})
}

func TestBackoff(t *testing.T) {
	t.Parallel()
	const second = time.Second
	for name, c := range map[string]struct {
		cfg  durable.Config
		want []time.Duration
	}{
		"default": {durable.Config{}, []time.Duration{1 * second, 2 * second, 4 * second, 8 * second, 16 * second,
			32 * second, 64 * second,
			128 * second, 256 * second, 512 * second, 600 * second, 600 * second}},
		"bounds": {durable.Config{MinDelay: 3 * second, MaxDelay: 10 * second},
			[]time.Duration{3 * second, 6 * second, 10 * second, 10 * second}},
		"long":     {durable.Config{MinDelay: 700 * second}, []time.Duration{700 * second, 700 * second}},
		"short":    {durable.Config{MaxDelay: second / 2}, []time.Duration{second / 2, second / 2}},
		"constant": {durable.Config{MinDelay: second, MaxDelay: second}, []time.Duration{second, second, second}},
		"doubling": {durable.Config{MinDelay: second, MaxDelay: 4 * second},
			[]time.Duration{second, 2 * second, 4 * second, 4 * second}},
		"all but 1": {
			durable.Config{MinDelay: second, MaxDelay: 4*second - 1}, []time.Duration{second, 2 * second, 4*second - 1},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var waits []time.Duration
				enough := make(chan struct{})
				c.cfg.Observer = func(_ context.Context, r durable.Observation) {
					waits = append(waits, time.Until(r.Due))
					if r.Attempt != len(waits) || !errors.Is(r.Err, errWork) || r.Done || r.Parked || r.Lost {
						t.Errorf("result %+v of attempt %d; want one that comes again", r, len(waits))
					}
					if len(waits) == len(c.want) {
						close(enough)
					}
				}
				q := newQueue(t, durable.NewMemoryStore(), c.cfg)
				add(t, q, "a")
				stop := run(t, q, func(context.Context, *durable.Item) error { return errWork })
				<-enough
				_ = stop()
				if diff := cmp.Diff(c.want, waits); diff != "" {
					t.Errorf("waits (-want +got):\n%s", diff)
				}
			})
		})
	}
}

// claims hands out one item with an Attempt.
type claims struct {
	durable.Store
	attempt int
}

func (c *claims) Claim(_ context.Context, queue string, _, until time.Time) (*durable.Item, error) {
	if c.attempt == 0 {
		return nil, nil
	}
	i := &durable.Item{Queue: queue, ID: "a", Attempt: c.attempt, Due: until}
	c.attempt = 0
	return i, nil
}

func (c *claims) Do(ctx context.Context, _ *durable.Item, work func(context.Context) error) error {
	return work(ctx)
}

func (c *claims) Retry(context.Context, *durable.Item, time.Time) error { return nil }

func TestBackoffOfAnyAttempt(t *testing.T) {
	t.Parallel()
	const year = 365 * 24 * time.Hour
	for attempt, want := range map[int]time.Duration{
		math.MinInt: 1, -1: 1, 1: 1, 2: 2, 40: 1 << 39, 54: 1 << 53, 55: 1 << 54, 56: year, 64: year, math.MaxInt: year,
	} {
		synctest.Test(t, func(t *testing.T) {
			seen := &recorder{}
			q := newQueue(t, &claims{attempt: attempt}, durable.Config{MinDelay: 1, MaxDelay: year, Observer: seen.observe})
			stop := run(t, q, func(context.Context, *durable.Item) error { return errWork })
			synctest.Wait()
			_ = stop()
			if got := time.Until(seen.one(t).Due); got != want {
				t.Errorf("attempt %d: the item is due %v later; want %v", attempt, got, want)
			}
		})
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		store := &hooked{MemoryStore: durable.NewMemoryStore()}
		store.claim = func(now, until time.Time) error {
			if lease := until.Sub(now); lease < 5*time.Second+30*time.Second {
				t.Errorf("the claim lasts %v; want it longer than the attempt and its mark", lease)
			}
			return nil
		}
		q := newQueue(t, store, durable.Config{Timeout: 5 * time.Second, Workers: 4, Observer: seen.observe})
		var mu sync.Mutex
		busy := 0
		stop := run(t, q, func(ctx context.Context, _ *durable.Item) error {
			mu.Lock()
			if busy++; busy > 1 {
				t.Error("the item is worked on twice at once")
			}
			mu.Unlock()
			<-ctx.Done()
			mu.Lock()
			busy--
			mu.Unlock()
			return ctx.Err()
		})
		add(t, q, "a")
		<-time.After(5*time.Second + 1)
		r := seen.one(t)
		if !errors.Is(r.Err, context.DeadlineExceeded) || r.Duration != 5*time.Second || r.Due.IsZero() || r.Done {
			t.Errorf("result %+v; want one that was cut off after 5s, and comes again", r)
		}
		<-time.After(time.Hour)
		_ = stop()
	})
}

// Work that takes longer than its time and succeeds all the same is done.
func TestWorkThatOverruns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		store := durable.NewMemoryStore()
		q := newQueue(t, store, durable.Config{Timeout: 5 * time.Second, Observer: seen.observe})
		add(t, q, "late", "later", "permanent")
		stop := run(t, q, func(_ context.Context, i *durable.Item) error {
			switch i.ID {
			case "late":
				<-time.After(20 * time.Second)
				return nil
			case "later": // even the store's time is over
				<-time.After(50 * time.Second)
				return errWork
			}
			<-time.After(50 * time.Second)
			return durable.Permanent(errWork)
		})
		<-time.After(2 * time.Minute)
		_ = stop()
		all := seen.all()
		if len(all) < 3 || !all[0].Done || all[1].Due.IsZero() || !errors.Is(all[1].Err, errWork) || !all[2].Parked {
			t.Errorf("results %+v; want done, put back, parked", all)
		}
	})
}

// A worker that takes longer than its claim loses it.
func TestLostClaim(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]error{"success": nil, "error": errWork, "permanent": durable.Permanent(errWork)} {
		synctest.Test(t, func(t *testing.T) {
			store := durable.NewMemoryStore()
			slow, quick := &recorder{}, &recorder{}
			q := newQueue(t, store, durable.Config{Timeout: time.Second, Observer: slow.observe})
			other := newQueue(t, store, durable.Config{Observer: quick.observe})
			add(t, q, "a")
			stop := run(t, q, func(context.Context, *durable.Item) error { <-time.After(time.Hour); return end })
			synctest.Wait()
			stopOther := run(t, other, func(context.Context, *durable.Item) error { return nil })
			<-time.After(time.Hour + time.Second)
			if r := quick.one(t); !r.Done || r.Attempt != 2 {
				t.Errorf("%s: the second holder has %+v; want attempt 2, done", name, r)
			}
			if r := slow.one(t); !r.Lost || r.Done || r.Parked || !r.Due.IsZero() || r.Attempt != 1 ||
				!errors.Is(r.Err, durable.ErrLost) {
				t.Errorf("%s: the first holder has %+v; want a lost claim", name, r)
			}
			_, _ = stop(), stopOther()
			if len(store.Parked("test.queue")) != 0 {
				t.Errorf("%s: the loser has parked the item", name)
			}
		})
	}
}

func TestWorkCannotChangeTheClaim(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		seen := &recorder{}
		q := newQueue(t, durable.NewMemoryStore(), durable.Config{Observer: seen.observe})
		add(t, q, "a")
		stop := run(t, q, func(_ context.Context, i *durable.Item) error {
			*i = durable.Item{}
			return nil
		})
		synctest.Wait()
		_ = stop()
		if r := seen.one(t); !r.Done || r.ID != "a" {
			t.Errorf("result %+v; want a done one", r)
		}
	})
}
