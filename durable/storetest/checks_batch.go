package storetest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// batch claims n items at now.
func (k *kit) batch(n int, now time.Time) []*durable.Item {
	k.Helper()
	items, err := k.Store.(durable.BatchStore).ClaimBatch(k.ctx, queue, n, now, now.Add(lease))
	if err != nil {
		k.Fatalf("ClaimBatch of %d: %v", n, err)
	}
	if slices.Contains(items, nil) {
		k.Fatalf("ClaimBatch of %d gives a nil item", n)
	}
	return items
}

// batchOf claims n items, and wants these, in this order, handed out for the nth time.
func (k *kit) batchOf(n int, now time.Time, attempt int, want ...string) []*durable.Item {
	k.Helper()
	items := k.batch(n, now)
	k.are(items, attempt, want)
	return items
}

// sameBatchOf is batchOf of items that were claimed together, so that they are due together.
func (k *kit) sameBatchOf(n int, now time.Time, attempt int, want ...string) []*durable.Item {
	k.Helper()
	items := k.batch(n, now)
	slices.SortFunc(items, func(a, b *durable.Item) int { return strings.Compare(a.ID, b.ID) })
	k.are(items, attempt, want)
	return items
}

func (k *kit) are(items []*durable.Item, attempt int, want []string) {
	k.Helper()
	var got []string
	for _, i := range items {
		got = append(got, i.ID)
		if i.Queue != queue || i.Attempt != attempt {
			k.Errorf("ClaimBatch gives item %s of queue %s with Attempt %d; want queue %s and Attempt %d",
				i.ID, i.Queue, i.Attempt, queue, attempt)
		}
	}
	if !slices.Equal(got, want) {
		k.Fatalf("ClaimBatch gives the items %q; want %q", got, want)
	}
}

// addedInOrder stores items that are due a minute after each other, the last first.
func (k *kit) addedInOrder(ids ...string) {
	k.Helper()
	for n, id := range slices.Backward(ids) {
		i := newItem(id)
		i.Due = in(n)
		k.added(i)
	}
}

func batchNothing(k *kit) {
	k.batchOf(10, far, 1)
	k.added(newItem("a"))
	k.done(k.claimed("a", 1, in(0)))
	k.batchOf(10, far, 1)
}

func batchOrder(k *kit) {
	k.addedInOrder("d", "a", "c", "b", "e", "f")
	k.batchOf(1, in(10), 1, "d")
	k.batchOf(3, in(10), 1, "a", "c", "b")
	k.batchOf(10, in(10), 1, "e", "f")
	k.batchOf(10, in(10), 1)
}

func batchItems(k *kit) {
	k.addedInOrder("a", "b")
	for range 2 {
		for n, got := range k.batch(2, in(5)) {
			want := newItem([]string{"a", "b"}[n])
			if got.ID != want.ID || got.Digest != want.Digest || !bytes.Equal(got.Data, want.Data) {
				k.Errorf("ClaimBatch gives item %s with digest %q and data %q; want %s with %q and %q, as added",
					got.ID, got.Digest, got.Data, want.ID, want.Digest, want.Data)
			}
			if !near(got.Added, want.Added) || !near(got.Due, in(5).Add(lease)) || got.Attempt < 1 {
				k.Errorf("ClaimBatch gives item %s, added at %v, due at %v, with Attempt %d; want %v, %v which is the end of the "+
					"claim, and 1 at least", got.ID, got.Added, got.Due, got.Attempt, want.Added, in(5).Add(lease))
			}
			copy(got.Data, "XXXXXXXX")
			k.ok("Retry", k.Retry(k.ctx, got, in(n)))
		}
	}
}

func batchWhenDue(k *kit) {
	k.addedInOrder("a", "b", "c")
	other := newItem("other")
	other.Queue = queue + "x"
	k.added(other)
	k.batchOf(10, in(-1), 1)
	k.batchOf(10, in(2).Add(-time.Second), 1, "a", "b")
	k.batchOf(10, in(2), 1, "c")
}

func batchHides(k *kit) {
	k.addedInOrder("a", "b")
	for attempt := range 3 {
		now := in(10 + attempt)
		k.sameBatchOf(3, now, attempt+1, "a", "b")
		k.batchOf(3, now.Add(lease-time.Second), attempt+1)
		k.nothing(now.Add(lease-time.Second), "both items are claimed for another second")
	}
}

func batchEnds(k *kit) {
	k.addedInOrder("a", "b", "c", "d")
	items := k.batchOf(4, in(10), 1, "a", "b", "c", "d")
	k.done(items[1])
	k.ok("Retry", k.Retry(k.ctx, items[0], in(20)))
	k.ok("Park", k.Park(k.ctx, items[2], "a reason"))
	k.done(k.batchOf(4, in(19), 2, "d")[0])
	k.batchOf(4, in(30), 2, "a")
}

func batchLost(k *kit) {
	k.addedInOrder("a", "b")
	old := k.batchOf(2, in(10), 1, "a", "b")
	again := k.sameBatchOf(2, in(11), 2, "a", "b")
	for n := range old {
		k.lost(old[n], "attempt 2 is out")
		k.done(again[n])
	}
	k.batchOf(2, far, 3)
}

func batchAtOnce(k *kit) {
	const items, callers, size = 100, 8, 7
	for n := range items {
		k.added(newItem(fmt.Sprint("item-", n)))
	}
	var mu sync.Mutex
	count := map[string]int{}
	store := k.Store.(durable.BatchStore)
	atOnce(callers, func(int) {
		for range items { // a store that gives one item for ever ends too
			batch, err := store.ClaimBatch(k.ctx, queue, size, in(0), in(1))
			if err != nil || len(batch) > size || slices.Contains(batch, nil) {
				k.Errorf("ClaimBatch of %d gives %d items and the error %v", size, len(batch), err)
				return
			}
			if len(batch) == 0 {
				return
			}
			mu.Lock()
			for _, i := range batch {
				count[i.ID]++
				if i.Attempt != 1 {
					k.Errorf("%s was handed out with Attempt %d before its claim ran out", i.ID, i.Attempt)
				}
			}
			mu.Unlock()
		}
	})
	for id, n := range count {
		if n != 1 {
			k.Errorf("%s was handed out %d times at once; want once", id, n)
		}
	}
	// A store may give some caller fewer, or none, while another takes them.
	for _, i := range k.batch(items, in(0)) {
		count[i.ID]++
	}
	if len(count) != items {
		k.Errorf("%d items were handed out; want %d", len(count), items)
	}
	k.batchOf(1, in(0), 1)
}

func batchContextOver(k *kit) {
	over, cancel := context.WithCancel(k.ctx)
	cancel()
	k.addedInOrder("a", "b")
	items, err := k.Store.(durable.BatchStore).ClaimBatch(over, queue, 2, in(5), in(6))
	switch {
	case err != nil && len(items) > 0:
		k.Errorf("ClaimBatch gives %d items and the error %v", len(items), err)
	case err == nil && len(items) != 2:
		k.Errorf("ClaimBatch gives %d items and no error; want 2, or an error: its context is over", len(items))
	case err != nil:
		k.batchOf(2, in(5), 1, "a", "b")
	default:
		k.batchOf(2, in(5), 1)
	}
}

// now asks the store for the time.
func (k *kit) now() time.Time {
	k.Helper()
	now, err := k.Store.(durable.ClockStore).Now(k.ctx)
	if err != nil {
		k.Fatalf("Now: %v", err)
	}
	return now
}

// clockIsRight allows for a clock that is wrong, and finds one that is in another unit or counts from another year.
func clockIsRight(k *kit) {
	if now := k.now(); time.Until(now).Abs() > 24*time.Hour {
		k.Errorf("Now gives %v; want a time within a day of %v", now, time.Now())
	}
}

func clockAdvances(k *kit) {
	last := k.now()
	for range 3 {
		until(k, k.patience, func(int) bool {
			now := k.now()
			if now.Before(last) {
				k.Fatalf("Now gives %v after %v; want a clock that does not run backwards", now, last)
			}
			advances := now.After(last)
			last = now
			return advances
		}, "a later time")
	}
}

func clockContextOver(k *kit) {
	over, cancel := context.WithCancel(k.ctx)
	cancel()
	now, err := k.Store.(durable.ClockStore).Now(over)
	if err == nil && time.Until(now).Abs() > 24*time.Hour {
		k.Errorf("Now gives %v and no error; want the time, or an error: its context is over", now)
	}
}
