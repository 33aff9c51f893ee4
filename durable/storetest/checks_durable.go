package storetest

import (
	"bytes"
	"context"
	"errors"

	"github.com/fliggy-go/rentcar/durable"
)

// adding is work that adds the item b and ends with an error, or nil.
func (k *kit) adding(err error) func(ctx context.Context) error {
	return func(ctx context.Context) error {
		k.Helper()
		if known, err := k.Add(ctx, newItem("b")); err != nil || known != nil {
			k.Errorf("Add within Do gives %v and the error %v; want none, the item is new", known, err)
		}
		return err
	}
}

func transactionCommits(k *kit) {
	k.added(newItem("a"))
	k.ok("Do", k.Do(k.ctx, k.claimed("a", 1, in(0)), k.adding(nil)))
	k.known(newItem("b"), newItem("b"))
	k.done(k.claimed("b", 1, far))
	k.nothing(far, "both are done")
}

func transactionFails(k *kit) {
	k.added(newItem("a"))
	i := k.claimed("a", 1, in(0))
	if err := k.Do(k.ctx, i, k.adding(errWork)); !errors.Is(err, errWork) {
		k.Errorf("Do gives the error %v; want that of work", err)
	}
	k.nothing(in(0), "what failed work has added is gone")
	k.ok("Do again", k.Do(k.ctx, i, k.adding(nil)))
	k.done(k.claimed("b", 1, in(0)))
	k.nothing(far, "both are done")
}

func transactionLost(k *kit) {
	k.added(newItem("a"))
	old := k.claimed("a", 1, in(0))
	i := k.claimed("a", 2, in(1))
	if err := k.Do(k.ctx, old, k.adding(nil)); !errors.Is(err, durable.ErrLost) {
		k.Errorf("Do gives the error %v; want durable.ErrLost", err)
	}
	k.nothing(in(1), "what the work of a lost claim has added is gone")
	k.ok("Do of the new holder", k.Do(k.ctx, i, k.adding(nil)))
	k.done(k.claimed("b", 1, in(1)))
}

// transactionIsHidden looks from outside while the transaction is open. A store may
// make the looker wait.
func transactionIsHidden(k *kit) {
	k.added(newItem("a"))
	var (
		over <-chan struct{}
		seen *durable.Item
	)
	failed := k.Do(k.ctx, k.claimed("a", 1, in(0)), func(ctx context.Context) error {
		_ = k.adding(nil)(ctx)
		over = meanwhile(func() { seen, _ = k.Claim(k.ctx, queue, in(0), in(1)) })
		return errWork
	})
	if over == nil {
		k.Fatalf("Do has not called work, and gives the error %v", failed)
	}
	<-over
	if seen != nil {
		k.Errorf(
			"Claim beside an open transaction gives %v; want no item: what the transaction has added is nobody's yet", seen,
		)
	}
}

func reopenWaiting(k *kit) {
	want := newItem("a")
	later := newItem("b")
	later.Due = in(5)
	k.added(newItem("a"), later)
	k.restart()
	k.known(newItem("a"), want)
	i := k.claimed("a", 1, in(0))
	if !bytes.Equal(i.Data, want.Data) || i.Digest != want.Digest || !near(i.Added, want.Added) {
		k.Errorf("after the store was opened again an item is not what it was")
	}
	k.done(i)
	k.nothing(in(4), "the other item is due later")
	k.claimed("b", 1, in(5))
}

// reopenClaimed allows for stores that make all claims due when they are opened.
func reopenClaimed(k *kit) {
	k.added(newItem("a"))
	old := k.claimed("a", 1, in(0))
	k.restart()
	i := k.claimed("a", 2, in(1))
	k.restart()
	k.lost(old, "attempt 2 is out")
	k.done(k.claimed("a", 3, i.Due.Add(lease)))
}

func reopenRetried(k *kit) {
	k.added(newItem("a"))
	i := k.claimed("a", 1, in(0))
	k.ok("Retry", k.Retry(k.ctx, i, in(10)))
	k.restart()
	k.lost(i, "the item was put back")
	k.nothing(in(9), "the item was put back, and is due later")
	k.claimed("a", 2, in(10))
}

func reopenDone(k *kit) {
	k.added(newItem("a"))
	i := k.claimed("a", 1, in(0))
	k.ok("Do", k.Do(k.ctx, i, k.adding(nil)))
	k.restart()
	k.knownDone(newItem("a"), newItem("a"))
	k.done(k.claimed("b", 1, far))
	k.nothing(far, "the item is done")
	k.lost(i, "the item is done")
}

func reopenParked(k *kit) {
	k.added(newItem("a"))
	k.ok("Park", k.Park(k.ctx, k.claimed("a", 1, in(0)), "a reason"))
	k.restart()
	k.known(newItem("a"), newItem("a"))
	k.nothing(far, "the item is parked")
}
