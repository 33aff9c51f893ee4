package durable_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/durable"
)

// A batched store hands out several items in one step.
type batched struct {
	*durable.MemoryStore

	mu      sync.Mutex
	instead func(ctx context.Context, items []*durable.Item) ([]*durable.Item, error) // where there is one
	ask     func(n int)
	asked   []int
}

func newBatched() *batched { return &batched{MemoryStore: durable.NewMemoryStore(), ask: func(int) {}} }

func (s *batched) Claim(context.Context, string, time.Time, time.Time) (*durable.Item, error) {
	return nil, errors.New("Claim was called in the place of ClaimBatch")
}

func (s *batched) ClaimBatch(
	ctx context.Context, queue string, n int, now, until time.Time,
) (items []*durable.Item, err error) {
	s.mu.Lock()
	s.asked = append(s.asked, n)
	instead, ask := s.instead, s.ask
	s.mu.Unlock()
	ask(n)
	for range n {
		item, err := s.MemoryStore.Claim(ctx, queue, now, until)
		if err != nil || item == nil {
			break
		}
		items = append(items, item)
	}
	if instead != nil {
		return instead(ctx, items)
	}
	return items, nil
}

// give says what ClaimBatch makes of the items that it has claimed.
func (s *batched) give(instead func(context.Context, []*durable.Item) ([]*durable.Item, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.instead = instead
}

// sizes are what was asked for since the last call.
func (s *batched) sizes() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	sizes := s.asked
	s.asked = nil
	return sizes
}

// ids names n items, in order.
func ids(n int) (list []string) {
	for i := range n {
		list = append(list, fmt.Sprintf("item-%02d", i))
	}
	return list
}

func TestBatchesFitTheIdleWorkers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		const workers, items = 4, 60
		store, seen := newBatched(), &recorder{}
		q := newQueue(t, store, durable.Config{Workers: workers, Observer: seen.observe})
		var mu sync.Mutex
		busy, most := 0, 0
		store.ask = func(n int) {
			mu.Lock()
			defer mu.Unlock()
			if n < 1 || n > workers-busy {
				t.Errorf("the store was asked for %d items while %d of %d workers were busy", n, busy, workers)
			}
		}
		add(t, q, ids(items)...)
		stop := run(t, q, func(_ context.Context, i *durable.Item) error {
			mu.Lock()
			busy++
			most = max(most, busy)
			mu.Unlock()
			defer func() {
				mu.Lock()
				defer mu.Unlock()
				busy--
			}()
			<-time.After(time.Duration(len(i.ID)+int(i.ID[6]*7)%5) * time.Second)
			if i.ID[6] == '3' && i.Attempt == 1 {
				return errWork
			}
			return nil
		})
		<-time.After(time.Hour)
		_ = stop()
		done := 0
		for _, r := range seen.all() {
			if r.Done {
				done++
			}
		}
		if done != items || most != workers {
			t.Errorf("%d items done by %d workers at once; want %d by %d", done, most, items, workers)
		}
	})
}

func TestBatchesBeginInOrder(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{1, 3} {
		synctest.Test(t, func(t *testing.T) {
			store := newBatched()
			q := newQueue(t, store, durable.Config{Workers: workers})
			var want []string
			for _, id := range ids(10) {
				add(t, q, id)
				want = append(want, id)
				<-time.After(time.Millisecond)
			}
			var mu sync.Mutex
			began := map[string]time.Time{}
			var order []string
			stop := run(t, q, func(_ context.Context, i *durable.Item) error {
				mu.Lock()
				began[i.ID] = time.Now()
				order = append(order, i.ID)
				mu.Unlock()
				<-time.After(time.Duration(1+int(i.ID[6]*7)%3) * time.Second)
				return nil
			})
			<-time.After(time.Hour)
			_ = stop()
			for n := range want[1:] {
				if began[want[n+1]].Before(began[want[n]]) {
					t.Errorf("%d workers: %s was begun before %s", workers, want[n+1], want[n])
				}
			}
			if diff := cmp.Diff(want, order); workers == 1 && diff != "" {
				t.Errorf("one worker: the order (-want +got):\n%s", diff)
			}
			if n := store.sizes()[0]; n != workers {
				t.Errorf("at first the store was asked for %d items; want %d", n, workers)
			}
		})
	}
}

// A store that breaks its word loses no item: those that it has handed out come again when their claims have run out.
func TestBatchesOfABrokenStore(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		instead func(s *batched, items []*durable.Item) ([]*durable.Item, error)
		want    string
	}{
		"too many": {func(s *batched, items []*durable.Item) ([]*durable.Item, error) {
			now := time.Now()
			more, _ := s.MemoryStore.Claim(context.Background(), "test.queue", now, now.Add(time.Minute))
			return append(items, more), nil
		}, "the store handed out 3 items where 2 were asked for, or a nil one"},
		"nil": {func(_ *batched, items []*durable.Item) ([]*durable.Item, error) {
			return []*durable.Item{items[0], nil}, nil
		}, "the store handed out 2 items where 2 were asked for, or a nil one"},
		"items and an error": {func(_ *batched, items []*durable.Item) ([]*durable.Item, error) {
			return items, errStore
		}, "the store failed"},
		"panic": {func(*batched, []*durable.Item) ([]*durable.Item, error) { panic("boom") },
			"panic in the store: boom"},
	} {
		synctest.Test(t, func(t *testing.T) {
			store, seen := newBatched(), &recorder{}
			q := newQueue(t, store, durable.Config{Workers: 2, Observer: seen.observe})
			add(t, q, ids(5)...)
			store.give(func(_ context.Context, items []*durable.Item) ([]*durable.Item, error) {
				store.give(nil)
				return c.instead(store, items)
			})
			var mu sync.Mutex
			worked := map[string]int{}
			stop := run(t, q, func(_ context.Context, i *durable.Item) error {
				mu.Lock()
				defer mu.Unlock()
				worked[i.ID]++
				return nil
			})
			<-time.After(time.Hour)
			_ = stop()
			all := seen.all()
			if len(all) != 6 || all[0].Err == nil || all[0].ID != "" ||
				all[0].Err.Error() != "durable: test.queue: claiming: "+c.want {
				t.Errorf("%s: results %v; want the error %q and five done items", name, all, c.want)
			}
			for _, id := range ids(5) {
				if worked[id] != 1 {
					t.Errorf("%s: %s was worked on %d times; want once", name, id, worked[id])
				}
			}
		})
	}
}

func TestBatchesFail(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, seen := newBatched(), &recorder{}
		q := newQueue(t, store, durable.Config{Workers: 3, Observer: seen.observe})
		store.give(func(context.Context, []*durable.Item) ([]*durable.Item, error) { return nil, errStore })
		stop := run(t, q, func(context.Context, *durable.Item) error { return nil })
		<-time.After(9*time.Second + 1)
		if diff := cmp.Diff([]int{3, 3, 3, 3, 3, 3, 3, 3, 3, 3}, store.sizes()); diff != "" {
			t.Errorf("the store was asked for (-want +got):\n%s", diff)
		}
		if all := seen.all(); len(all) != 10 || !errors.Is(all[9].Err, errStore) {
			t.Errorf("results %v; want one for each failure", all)
		}
		store.give(nil)
		add(t, q, "a")
		synctest.Wait()
		_ = stop()
		if r := seen.one(t); !r.Done {
			t.Errorf("result %+v; want a done item", r)
		}
	})
}

// A claim that hangs is given up. What is worked on meanwhile ends in its time.
func TestBatchHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, seen := newBatched(), &recorder{}
		q := newQueue(t, store, durable.Config{Workers: 3, Observer: seen.observe})
		add(t, q, "a")
		stop := run(t, q, func(context.Context, *durable.Item) error {
			<-time.After(10 * time.Second)
			return nil
		})
		synctest.Wait()
		store.give(func(ctx context.Context, _ []*durable.Item) ([]*durable.Item, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		<-time.After(10*time.Second + 1)
		if r := seen.one(t); !r.Done || r.Duration != 10*time.Second {
			t.Errorf("result %+v; want the item done while the store hangs", r)
		}
		<-time.After(21 * time.Second)
		if r := seen.one(t); !errors.Is(r.Err, context.DeadlineExceeded) || r.ID != "" {
			t.Errorf("result %+v; want a claim that was given up", r)
		}
		store.give(nil)
		<-time.After(31 * time.Second)
		store.sizes()
		add(t, q, "b")
		synctest.Wait()
		if diff := cmp.Diff([]int{3}, store.sizes()); diff != "" {
			t.Errorf("the store was asked for (-want +got):\n%s", diff)
		}
		begin := time.Now()
		store.give(func(ctx context.Context, _ []*durable.Item) ([]*durable.Item, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		<-time.After(2 * time.Second)
		_ = stop()
		if d := time.Since(begin); d > 32*time.Second {
			t.Errorf("Run returned after %v; want the end of the claim to be waited for", d)
		}
	})
}

func TestRunWaitsForItsBatch(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store, seen := newBatched(), &recorder{}
		q := newQueue(t, store, durable.Config{Workers: 3, Observer: seen.observe})
		add(t, q, ids(9)...)
		begin := time.Now()
		stop := run(t, q, func(ctx context.Context, i *durable.Item) error {
			<-time.After(time.Duration(i.ID[6]-'0'+1) * 10 * time.Second)
			return ctx.Err()
		})
		synctest.Wait()
		if err := stop(); !errors.Is(err, context.Canceled) {
			t.Errorf("Run returned %v; want the cause of the context", err)
		}
		if all, d := seen.all(), time.Since(begin); len(all) != 3 || d != 30*time.Second {
			t.Errorf("Run returned after %v with the results %v; want 30s, and the three items of the batch", d, all)
		}
		if diff := cmp.Diff([]int{3}, store.sizes()); diff != "" {
			t.Errorf("the store was asked for (-want +got):\n%s", diff)
		}
	})
}

func TestBatchesAreAskedForAgainWhenAWorkerIsIdle(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		store := newBatched()
		q := newQueue(t, store, durable.Config{Workers: 2, Poll: time.Hour})
		add(t, q, ids(4)...)
		begin := time.Now()
		var mu sync.Mutex
		var at []string
		stop := run(t, q, func(_ context.Context, i *durable.Item) error {
			mu.Lock()
			at = append(at, time.Since(begin).String())
			mu.Unlock()
			if i.ID == "item-00" || i.ID == "long" {
				<-time.After(10 * time.Second)
			}
			<-time.After(time.Second)
			return nil
		})
		<-time.After(20 * time.Second)
		add(t, q, "long")
		synctest.Wait()
		add(t, q, "short") // while the other worker is busy
		<-time.After(20 * time.Second)
		_ = stop()
		if got := strings.Join(at, " "); got != "0s 0s 1s 2s 20s 20s" {
			t.Errorf("the items were begun at %s; want the next one whenever a worker is idle", got)
		}
	})
}

func TestSeveralWorkersOnAStoreWithoutBatches(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		q := newQueue(t, durable.NewMemoryStore(), durable.Config{Workers: 3, Poll: time.Hour})
		add(t, q, ids(7)...)
		begin := time.Now()
		var mu sync.Mutex
		var at []string
		stop := run(t, q, func(context.Context, *durable.Item) error {
			mu.Lock()
			at = append(at, time.Since(begin).String())
			mu.Unlock()
			<-time.After(time.Second)
			return nil
		})
		<-time.After(time.Minute)
		_ = stop()
		if got := strings.Join(at, " "); got != "0s 0s 0s 1s 1s 1s 2s" {
			t.Errorf("the items were begun at %s; want three at once", got)
		}
	})
}
