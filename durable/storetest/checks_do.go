package storetest

import (
	"context"
	"errors"

	"github.com/fliggy-go/rentcar/durable"
)

// errWork is the error of work that fails.
var errWork = errors.New("the work failed")

func doDone(k *kit) {
	k.added(newItem("a"), newItem("b"))
	i, err := k.Claim(k.ctx, queue, in(0), in(1))
	if err != nil || i == nil {
		k.Fatalf("Claim gives %v and the error %v; want an item", i, err)
	}
	k.done(i)
	other := map[string]string{"a": "b", "b": "a"}[i.ID]
	k.done(k.claimed(other, 1, far))
	k.nothing(far, "both items are done")
}

func doCallsOnce(k *kit) {
	for id, want := range map[string]error{"done": nil, "failed": errWork} {
		k.added(newItem(id))
		calls := 0
		err := k.Do(k.ctx, k.claimed(id, 1, in(0)), func(context.Context) error {
			calls++
			return want
		})
		if !errors.Is(err, want) {
			k.Errorf("Do gives the error %v; want that of work, %v", err, want)
		}
		if calls != 1 {
			k.Errorf("Do has called work %d times; want once", calls)
		}
	}
	k.done(k.claimed("failed", 2, in(1)))
}

func doContext(k *kit) {
	type key struct{}
	k.added(newItem("a"))
	ctx, cancel := context.WithCancel(context.WithValue(k.ctx, key{}, "value"))
	defer cancel()
	_ = k.Do(ctx, k.claimed("a", 1, in(0)), func(ctx context.Context) error {
		if ctx.Value(key{}) != "value" {
			k.Errorf("the context that work gets is not derived from that of Do: it has not its values")
		}
		if ctx.Done() == nil {
			k.Errorf("the context that work gets is not derived from that of Do: it has no end")
			return nil
		}
		cancel()
		<-ctx.Done()
		return ctx.Err()
	})
}

func doFailed(k *kit) {
	k.added(newItem("a"))
	i := k.claimed("a", 1, in(0))
	for range 2 {
		if err := k.Do(k.ctx, i, func(context.Context) error { return errWork }); !errors.Is(err, errWork) {
			k.Errorf("Do gives the error %v; want that of work", err)
		}
		k.nothing(in(1).Add(-precision), "failed work does not end the claim")
	}
	k.ok("Retry after Do failed", k.Retry(k.ctx, i, in(0)))
	i = k.claimed("a", 2, in(0))
	_ = k.Do(k.ctx, i, func(context.Context) error { return errWork })
	k.ok("Park after Do failed", k.Park(k.ctx, i, "a reason"))
}

func retry(k *kit) {
	k.added(newItem("a"))
	k.ok("Retry", k.Retry(k.ctx, k.claimed("a", 1, in(0)), in(10)))
	k.nothing(in(9), "it comes again later, though its claim would be over")
	i := k.claimed("a", 2, in(10))
	k.ok("Retry", k.Retry(k.ctx, i, in(10)))
	i = k.claimed("a", 3, in(10))
	k.done(i)
	k.nothing(far, "the item is done")
}

func park(k *kit) {
	k.added(newItem("a"), newItem("b"))
	i, err := k.Claim(k.ctx, queue, in(0), in(1))
	if err != nil || i == nil {
		k.Fatalf("Claim gives %v and the error %v; want an item", i, err)
	}
	k.ok("Park", k.Park(k.ctx, i, "it said:\n'no' \"退款\" %s \\"))
	other := map[string]string{"a": "b", "b": "a"}[i.ID]
	k.done(k.claimed(other, 1, far))
	k.nothing(far, "one item is parked, the other done")
}

func lostWhenHandedOutAgain(k *kit) {
	k.added(newItem("a"))
	old := k.claimed("a", 1, in(0))
	i := k.claimed("a", 2, in(1))
	k.lost(old, "attempt 2 is out")
	k.nothing(in(2).Add(-precision), "the item is claimed, and the old holder has not changed that")
	k.done(i)
	k.nothing(far, "the item is done")
}

// lostWhenRetried looks before anyone has another claim.
func lostWhenRetried(k *kit) {
	k.added(newItem("a"))
	i := k.claimed("a", 1, in(0))
	k.ok("Retry", k.Retry(k.ctx, i, in(10)))
	k.lost(i, "the item was put back")
	k.nothing(in(9), "the item was put back, and is due later")
	k.done(k.claimed("a", 2, in(10)))
}

func lostWhenDone(k *kit) {
	k.added(newItem("a"))
	i := k.claimed("a", 1, in(0))
	k.done(i)
	k.lost(i, "the item is done")
	k.nothing(far, "the item is done")
}

func lostWhenParked(k *kit) {
	k.added(newItem("a"))
	i := k.claimed("a", 1, in(0))
	k.ok("Park", k.Park(k.ctx, i, "a reason"))
	k.lost(i, "the item is parked")
	k.nothing(far, "the item is parked")
}

// lostWithinDo has a claim that runs out while work works. A store may keep the item
// from others as long.
func lostWithinDo(k *kit) {
	k.added(newItem("a"))
	var (
		over   <-chan struct{}
		second *durable.Item
	)
	err := k.Do(k.ctx, k.claimed("a", 1, in(0)), func(context.Context) error {
		over = meanwhile(func() { second, _ = k.Claim(k.ctx, queue, in(5), in(6)) }) // it may find the item locked
		return nil
	})
	if over == nil {
		k.Fatalf("Do has not called work, and gives the error %v", err)
	}
	<-over
	switch {
	case second == nil && err != nil:
		k.Fatalf("Do gives the error %v, though the item was not handed out again", err)
	case second != nil && !errors.Is(err, durable.ErrLost):
		k.Fatalf("Do gives the error %v; want durable.ErrLost: attempt 2 was handed out before it marked the item", err)
	case second != nil:
		k.done(second)
	}
	k.nothing(far, "the item is done")
}

func unknownIsLost(k *kit) {
	i := newItem("a")
	i.Attempt = 1
	k.lost(i, "the store has no such item")
	k.nothing(far, "nothing was added")
	k.added(i)
}

// contextOver leaves open what a method does whose context is over, as long as it
// tells it truly.
func contextOver(k *kit) {
	over, cancel := context.WithCancel(k.ctx)
	cancel()
	known, err := k.Add(over, newItem("a"))
	if known != nil {
		k.Fatalf("Add of a new item gives a known one")
	}
	if err != nil {
		k.added(newItem("a"))
	}
	i, err := k.Claim(over, queue, in(0), in(1))
	if err == nil && i == nil {
		k.Fatalf("Claim gives neither an item nor an error, though one is due")
	}
	if err != nil {
		i = k.claimed("a", 1, in(1))
	}
	if err := k.Retry(over, i, in(0)); err != nil {
		k.ok("Retry after it failed", k.Retry(k.ctx, i, in(0)))
	}
	i = k.claimed("a", 2, in(0))
	calls := 0
	if err := k.Do(over, i, func(context.Context) error { calls++; return errWork }); err == nil {
		k.Fatalf("Do gives no error, though its work failed or was not called")
	}
	if err := k.Do(over, i, func(context.Context) error { calls++; return nil }); err != nil {
		k.done(i)
	} else if calls == 0 {
		k.Fatalf("Do has not called work, and gives no error")
	}
	k.nothing(far, "the item is done")
	k.added(newItem("b"))
	i = k.claimed("b", 1, in(0))
	if err := k.Park(over, i, "a reason"); err != nil {
		k.ok("Park after it failed", k.Park(k.ctx, i, "a reason"))
	}
	k.nothing(far, "the item is parked")
}
