package storetest

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

const queue = "storetest.queue"

// lease is the length of the claims.
const lease = time.Minute

// precision is how exactly a store keeps times.
const precision = time.Millisecond

// start is when items are due. It is close to the real time, for stores that look at
// that, and has nanoseconds.
var start = time.Now().UTC().Truncate(time.Second).Add(123456789 * time.Nanosecond)

// in is the nth minute from start.
func in(minutes int) time.Time { return start.Add(time.Duration(minutes) * time.Minute) }

func newItem(id string) *durable.Item {
	data := []byte("data of " + id)
	return &durable.Item{Queue: queue, ID: id, Digest: digest(data), Data: data, Added: start, Due: start}
}

func digest(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}

// added stores items that are new.
func (k *kit) added(items ...*durable.Item) {
	k.Helper()
	for _, i := range items {
		known, err := k.Add(k.ctx, i)
		if err != nil {
			k.Fatalf("Add(%s): %v", i.ID, err)
		}
		if known != nil {
			k.Fatalf("Add(%s) gives the known item %v; want nil, the item is new", i.ID, *known)
		}
	}
}

// known adds an item that the store has, and wants to be told about that one.
func (k *kit) known(again, want *durable.Item) {
	k.Helper()
	if got := k.knownDone(again, want); len(got.Data) == 0 {
		k.Errorf("Add(%s) gives no data; want that which was first added: the item is not done", again.ID)
	}
}

// knownDone is known of an item whose data the store may have dropped.
func (k *kit) knownDone(again, want *durable.Item) *durable.Item {
	k.Helper()
	got, err := k.Add(k.ctx, again)
	if err != nil {
		k.Fatalf("Add(%s) of a known item: %v", again.ID, err)
	}
	if got == nil {
		k.Fatalf("Add(%s) gives nil, as for a new item; want the known one", again.ID)
	}
	if got.Queue != want.Queue || got.ID != want.ID || got.Digest != want.Digest {
		k.Errorf("Add(%s) gives %s %s with digest %q; want the item as it was first added, with digest %q",
			again.ID, got.Queue, got.ID, got.Digest, want.Digest)
	}
	if len(got.Data) != 0 && !bytes.Equal(got.Data, want.Data) {
		k.Errorf("Add(%s) gives other data than was first added", again.ID)
	}
	return got
}

// claimed claims the item id at now, and wants it handed out for the nth time.
func (k *kit) claimed(id string, attempt int, now time.Time) *durable.Item {
	k.Helper()
	return k.claimedOf(queue, id, attempt, now)
}

func (k *kit) claimedOf(queue, id string, attempt int, now time.Time) *durable.Item {
	k.Helper()
	i, err := k.Claim(k.ctx, queue, now, now.Add(lease))
	switch {
	case err != nil:
		k.Fatalf("Claim: %v; want %s", err, id)
	case i == nil:
		k.Fatalf("Claim gives nothing at %v; want %s", now, id)
	case i.Queue != queue || i.ID != id:
		k.Fatalf("Claim gives item %s %s; want %s %s", i.Queue, i.ID, queue, id)
	case i.Attempt != attempt:
		k.Fatalf("Claim gives %s with Attempt %d; want %d", id, i.Attempt, attempt)
	}
	return i
}

// nothing wants no item to be due.
func (k *kit) nothing(now time.Time, why string) {
	k.Helper()
	k.nothingIn(queue, now, why)
}

func (k *kit) nothingIn(queue string, now time.Time, why string) {
	k.Helper()
	switch i, err := k.Claim(k.ctx, queue, now, now.Add(lease)); {
	case err != nil:
		k.Fatalf("Claim: %v; want no item: %s", err, why)
	case i != nil:
		k.Fatalf("Claim gives %s %s, attempt %d; want no item: %s", i.Queue, i.ID, i.Attempt, why)
	}
}

// done works on a claimed item with success.
func (k *kit) done(i *durable.Item) {
	k.Helper()
	k.ok("Do", k.Do(k.ctx, i, func(context.Context) error { return nil }))
}

func (k *kit) ok(method string, err error) {
	k.Helper()
	if err != nil {
		k.Fatalf("%s: %v", method, err)
	}
}

// lost wants every use of a claim to be refused.
func (k *kit) lost(i *durable.Item, why string) {
	k.Helper()
	for method, use := range map[string]func() error{
		"Do":    func() error { return k.Do(k.ctx, i, func(context.Context) error { return nil }) },
		"Retry": func() error { return k.Retry(k.ctx, i, in(0)) },
		"Park":  func() error { return k.Park(k.ctx, i, "lost") },
	} {
		if err := use(); !errors.Is(err, durable.ErrLost) {
			k.Errorf("%s of attempt %d of %s gives the error %v; want durable.ErrLost: %s", method, i.Attempt, i.ID, err, why)
		}
	}
}

// restart closes the store and opens it again.
func (k *kit) restart() {
	k.Helper()
	k.Store = k.reopen(k.Store)
}

// atOnce calls f n times at the same time.
func atOnce(n int, f func(n int)) {
	var all sync.WaitGroup
	begin := make(chan struct{})
	for i := range n {
		all.Go(func() { <-begin; f(i) })
	}
	close(begin)
	all.Wait()
}

// meanwhile calls f beside its caller and gives it a moment: f may have to wait for
// a transaction that is open now.
func meanwhile(f func()) (over <-chan struct{}) {
	c := make(chan struct{})
	go func() { defer close(c); f() }()
	moment := time.NewTimer(100 * time.Millisecond)
	defer moment.Stop()
	select {
	case <-c:
	case <-moment.C:
	}
	return c
}
