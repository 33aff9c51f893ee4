package storetest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

// far is a time at which everything is due that is not done or parked.
var far = in(100_000)

func addNew(k *kit) {
	want := newItem("a")
	want.Trace = strings.Repeat("0123456789", 99) + "traceparent=00-4bf9-01&x=;,%"
	want.Trace = want.Trace[len(want.Trace)-1000:]
	k.added(want)
	i := k.claimed("a", 1, in(0))
	if i.Trace != want.Trace {
		k.Errorf("the claimed item has trace %q; want %q, as added", i.Trace, want.Trace)
	}
	if i.Digest != want.Digest || !bytes.Equal(i.Data, want.Data) {
		k.Errorf(
			"the claimed item has digest %q and data %q; want %q and %q, as added", i.Digest, i.Data, want.Digest, want.Data,
		)
	}
}

func addAgain(k *kit) {
	first, again := newItem("a"), newItem("a")
	again.Data, again.Digest, again.Due = []byte("other data"), digest([]byte("other data")), in(-5)
	first.Trace, again.Trace = "first", "again"
	k.added(first)
	k.known(first, first)
	k.known(again, first)
	k.nothing(in(-1), "the due time of the second Add does not count")
	i := k.claimed("a", 1, in(0))
	if i.Trace != first.Trace {
		k.Errorf("after a second Add the item has trace %q; want %q, as first added", i.Trace, first.Trace)
	}
	if !bytes.Equal(i.Data, first.Data) || i.Digest != first.Digest {
		k.Errorf("after Add with other data the item has digest %q and data %q; want %q and %q, as first added",
			i.Digest, i.Data, first.Digest, first.Data)
	}
	k.done(i)
	k.nothing(far, "the item was added twice and is one")
}

func addClaimed(k *kit) {
	k.added(newItem("a"))
	i := k.claimed("a", 1, in(0))
	k.known(newItem("a"), newItem("a"))
	k.nothing(in(0), "Add of a claimed item does not end the claim")
	k.done(i)
}

func addRetried(k *kit) {
	k.added(newItem("a"))
	k.ok("Retry", k.Retry(k.ctx, k.claimed("a", 1, in(0)), in(10)))
	k.known(newItem("a"), newItem("a"))
	k.nothing(in(9), "Add of a waiting item leaves its due time")
	k.claimed("a", 2, in(10))
}

func addDone(k *kit) {
	k.added(newItem("a"))
	k.done(k.claimed("a", 1, in(0)))
	k.knownDone(newItem("a"), newItem("a"))
	k.nothing(far, "Add of a done item leaves it done")
}

func addParked(k *kit) {
	k.added(newItem("a"))
	k.ok("Park", k.Park(k.ctx, k.claimed("a", 1, in(0)), "a reason"))
	k.known(newItem("a"), newItem("a"))
	k.nothing(far, "Add of a parked item leaves it parked")
}

func addAtOnce(k *kit) {
	const callers = 16
	var isNew [callers]bool
	atOnce(callers, func(n int) {
		i := newItem("a")
		i.Data = fmt.Append(nil, n)
		known, err := k.Add(k.ctx, i)
		if err != nil {
			k.Errorf("Add: %v", err)
		}
		isNew[n] = err == nil && known == nil
	})
	winner := -1
	for n, won := range isNew {
		if won && winner >= 0 {
			k.Errorf("of %d concurrent calls of Add with one ID two were told that the item is new", callers)
		}
		if won {
			winner = n
		}
	}
	i := k.claimed("a", 1, in(0))
	if string(i.Data) != fmt.Sprint(winner) {
		k.Errorf("the item has the data of caller %s; want that of caller %d, who was told that it is new", i.Data, winner)
	}
	k.nothing(in(0), "one item was added")
}

// queuesApart also has names that run together when joined.
func queuesApart(k *kit) {
	type name struct{ queue, id string }
	var all []name
	for _, join := range []string{"", "/", ":", "|", ".", ",", "-", "_", "#", "%", "\\"} {
		all = append(all, name{"q" + join + "x", "y"}, name{"q", "x" + join + "y"})
	}
	for _, n := range all {
		i := newItem(n.id)
		i.Queue = n.queue
		k.added(i)
	}
	k.nothingIn("other", far, "this queue has none")
	for range len(all) / 2 {
		i, err := k.Claim(k.ctx, "q", in(0), in(1))
		if err != nil || i == nil || i.Queue != "q" {
			k.Fatalf("Claim of queue q gives %v and the error %v; want one of its items", i, err)
		}
		k.done(i)
	}
	k.nothingIn("q", far, "all its items are done")
	for _, n := range all {
		if n.queue == "q" {
			continue
		}
		k.done(k.claimedOf(n.queue, n.id, 1, in(0)))
		k.nothingIn(n.queue, far, "its only item is done")
	}
}

func names(k *kit) {
	var every strings.Builder
	for c := byte('!'); c <= '~'; c++ {
		every.WriteByte(c)
	}
	long := strings.Repeat("x", 299)
	ids := []string{every.String(), long, long + "x", long + "y", "a", "A", "%", "_", "*"}
	for _, id := range ids {
		i := newItem(id)
		i.Queue = strings.Repeat("q", 100)
		k.added(i)
		k.done(k.claimedOf(i.Queue, id, 1, in(0)))
	}
}

func dataKept(k *kit) {
	odd := make([]byte, 0, 512)
	for c := range 256 {
		odd = append(odd, byte(c), byte(255-c))
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	for id, data := range map[string][]byte{
		"none": nil, "one": {0}, "odd": odd, "big": big,
		"text": []byte("取车门店 'a' \"b\" \\ \r\n %s ? $1 ;--"), "not-UTF-8": []byte("a\xff\xfe"),
	} {
		i := newItem(id)
		i.Data, i.Digest = data, digest(data)
		k.added(i)
		got := k.claimed(id, 1, in(0))
		if !bytes.Equal(got.Data, data) {
			k.Errorf("data %q: %d bytes were added and %d others came back", id, len(data), len(got.Data))
		}
		k.done(got)
	}
}

func dataTaken(k *kit) {
	i := newItem("a")
	want := newItem("a")
	k.added(i)
	copy(i.Data, "XXXXXXXX")
	i.ID, i.Queue, i.Digest, i.Due, i.Attempt = "b", "other", "x", in(50), 7
	got := k.claimed("a", 1, in(0))
	if !bytes.Equal(got.Data, want.Data) || got.Digest != want.Digest {
		k.Errorf("what the caller of Add did to its item later has reached the store")
	}
}

func dataGiven(k *kit) {
	want := newItem("a")
	k.added(newItem("a"))
	spoil := func(i *durable.Item) {
		copy(i.Data, "XXXXXXXX")
		i.Digest, i.Added = "x", in(77)
	}
	if known, err := k.Add(k.ctx, newItem("a")); err != nil || known == nil {
		k.Fatalf("Add of a known item gives %v and the error %v", known, err)
	} else {
		spoil(known)
	}
	check := func(how string, got *durable.Item) {
		k.Helper()
		if !bytes.Equal(got.Data, want.Data) || got.Digest != want.Digest || !near(got.Added, want.Added) {
			k.Errorf("what was done to the item that %s gave has reached the store", how)
		}
	}
	i := k.claimed("a", 1, in(0))
	check("Add", i)
	spoil(i)
	k.ok("Retry", k.Retry(k.ctx, i, in(0)))
	i = k.claimed("a", 2, in(0))
	check("Claim", i)
	spoil(i)
	again := k.claimed("a", 3, in(5))
	check("Claim", again)
}

func near(a, b time.Time) bool { return a.Sub(b).Abs() <= precision }

func timesKept(k *kit) {
	china, west := time.FixedZone("", 8*3600), time.FixedZone("west", -(3*3600+1800))
	i := newItem("a")
	i.Added, i.Due = start.Add(-time.Hour).In(china), start.Add(654321*time.Nanosecond).In(west)
	added := i.Added
	k.added(i)
	until := in(3).Add(999_999_999 * time.Nanosecond).In(china)
	got, err := k.Claim(k.ctx, queue, start.Add(654321*time.Nanosecond).In(china), until)
	if err != nil || got == nil {
		k.Fatalf("Claim at the due time, in another zone, gives %v and the error %v; want the item", got, err)
	}
	if !near(got.Added, added) {
		k.Errorf("Added is %v; want %v", got.Added, added)
	}
	if !near(got.Due, until) {
		k.Errorf("Due of the claimed item is %v; want %v, the end of the claim", got.Due, until)
	}
	due := in(10).Add(987_654_321 * time.Nanosecond).In(west)
	k.ok("Retry", k.Retry(k.ctx, got, due))
	k.nothing(due.Add(-time.Second), "it is due a second later")
	again := k.claimed("a", 2, due.UTC())
	if !near(again.Added, added) {
		k.Errorf("after Retry Added is %v; want %v", again.Added, added)
	}
}

// doAdds holds for every store: in a transaction, or beside it.
func doAdds(k *kit) {
	k.added(newItem("a"))
	first := k.claimed("a", 1, in(0))
	b := newItem("b")
	b.Queue = "other"
	var calls atomic.Int32
	k.ok("Do", k.Do(k.ctx, first, func(ctx context.Context) error {
		calls.Add(1)
		if known, err := k.Add(ctx, b); err != nil || known != nil {
			k.Errorf("Add within Do gives %v and the error %v; want none, the item is new", known, err)
		}
		if known, err := k.Add(ctx, b); err != nil || known == nil {
			k.Errorf("a second Add within Do gives %v and the error %v; want the known item", known, err)
		}
		if known, err := k.Add(ctx, newItem("a")); err != nil || known == nil {
			k.Errorf("Add within Do of the item that is worked on gives %v and the error %v; want the known item", known, err)
		}
		return nil
	}))
	k.known(b, b)
	k.done(k.claimedOf("other", "b", 1, in(0)))
	k.nothing(far, "the item that Do worked on is done")
}
