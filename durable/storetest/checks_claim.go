package storetest

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"
)

func claimNothing(k *kit) {
	k.nothing(far, "the store is empty")
}

func claimWhenDue(k *kit) {
	i := newItem("a")
	i.Due = in(5)
	k.added(i)
	k.nothing(in(-1), "it is due later")
	k.nothing(in(5).Add(-time.Second), "it is due a second later")
	k.claimed("a", 1, in(5))
}

func claimOrder(k *kit) {
	// Added in no order; the names have another one.
	dues := map[string]time.Time{
		"c": start.Truncate(time.Second), "a": start.Truncate(time.Second).Add(500 * time.Millisecond),
		"e": start.Truncate(time.Second).Add(510 * time.Millisecond), "b": in(60), "d": in(60 * 24 * 40),
	}
	for _, id := range []string{"d", "a", "c", "b", "e"} {
		i := newItem(id)
		i.Due = dues[id]
		k.added(i)
	}
	for _, id := range []string{"c", "a", "e", "b", "d"} {
		k.done(k.claimed(id, 1, far))
	}
}

func claimOrderOfZones(k *kit) {
	// By the clock on the wall the second is first, and so is the third by its date.
	first, second, third := newItem("first"), newItem("second"), newItem("third")
	first.Due = in(0).In(time.FixedZone("", 8*3600))
	second.Due = in(1).In(time.FixedZone("", -3*3600))
	third.Due = in(2).In(time.FixedZone("", -12*3600))
	k.added(third, first, second)
	for _, id := range []string{"first", "second", "third"} {
		k.done(k.claimed(id, 1, far))
	}
}

func claimOrderAfterRetry(k *kit) {
	b := newItem("b")
	b.Due = in(1)
	k.added(newItem("a"), b)
	k.ok("Retry", k.Retry(k.ctx, k.claimed("a", 1, in(0)), in(2)))
	k.done(k.claimed("b", 1, in(5)))
	k.done(k.claimed("a", 2, in(5)))
}

func claimHides(k *kit) {
	k.added(newItem("a"))
	for attempt := range 3 {
		now := in(attempt)
		k.claimed("a", attempt+1, now)
		k.nothing(now, "the item is claimed")
		k.nothing(now.Add(lease-time.Second), "the item is claimed for another second")
	}
}

func claimAtOnce(k *kit) {
	const items, callers = 100, 8
	for n := range items {
		k.added(newItem(fmt.Sprint("item-", n)))
	}
	var mu sync.Mutex
	count := map[string]int{}
	atOnce(callers, func(int) {
		for range items { // a store that gives one item for ever ends too
			i, err := k.Claim(k.ctx, queue, in(0), in(1))
			if err != nil {
				k.Errorf("Claim: %v", err)
				return
			}
			if i == nil {
				return
			}
			mu.Lock()
			count[i.ID]++
			mu.Unlock()
			if i.Attempt != 1 {
				k.Errorf("%s was handed out with Attempt %d before its claim ran out", i.ID, i.Attempt)
			}
		}
	})
	for id, n := range count {
		if n != 1 {
			k.Errorf("%s was handed out %d times at once; want once", id, n)
		}
	}
	// A store may tell some caller that there is none while another takes the last.
	for range items - len(count) {
		if i, err := k.Claim(k.ctx, queue, in(0), in(1)); err != nil || i == nil || count[i.ID] > 0 {
			k.Fatalf("%d of %d items were handed out, then %v and the error %v", len(count), items, i, err)
		} else {
			count[i.ID]++
		}
	}
	k.nothing(in(0), "all items are claimed")
}

func doAtOnce(k *kit) {
	const items, callers = 60, 6
	for n := range items {
		k.added(newItem(fmt.Sprint("item-", n)))
	}
	var worked atomic.Int32
	atOnce(callers, func(int) {
		for range items {
			i, err := k.Claim(k.ctx, queue, in(0), in(1))
			if err != nil {
				k.Errorf("Claim: %v", err)
				return
			}
			if i == nil {
				return
			}
			next := newItem("next-" + i.ID)
			next.Queue = "other"
			err = k.Do(k.ctx, i, func(ctx context.Context) error {
				_, err := k.Add(ctx, next)
				return err
			})
			if err != nil {
				k.Errorf("Do: %v", err)
				continue
			}
			worked.Add(1)
		}
	})
	for range items - int(worked.Load()) {
		i, err := k.Claim(k.ctx, queue, in(0), in(1))
		if err != nil || i == nil {
			k.Fatalf("%d of %d items were done, then Claim gives %v and the error %v", worked.Load(), items, i, err)
		}
		k.done(i)
	}
	k.nothing(far, "all items are done")
	for range worked.Load() {
		i, err := k.Claim(k.ctx, "other", in(0), far)
		if err != nil || i == nil {
			k.Fatalf("an item is missing that was added within Do: Claim gives %v and the error %v", i, err)
		}
	}
}
