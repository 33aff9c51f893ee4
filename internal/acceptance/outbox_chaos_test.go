package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A mortalStore is the store as a process sees it that dies now and then: before it
// works on an item, or after that and before the mark. The item stays claimed.
type mortalStore struct {
	*durable.MemoryStore
	dies  func() bool
	dead  map[string]int // by id, the attempt that has died
	added string         // the id that was added last
}

var errDied = errors.New("killed")

func (s *mortalStore) Add(ctx context.Context, item *durable.Item) (*durable.Item, error) {
	s.added = item.ID
	return s.MemoryStore.Add(ctx, item)
}

func (s *mortalStore) Do(ctx context.Context, item *durable.Item, work func(context.Context) error) error {
	before, after := s.dies(), s.dies()
	if before || after {
		s.dead[item.ID] = item.Attempt
		if after && !before {
			_ = work(ctx)
		}
		return errDied
	}
	return s.MemoryStore.Do(ctx, item, work)
}

func (s *mortalStore) Retry(ctx context.Context, item *durable.Item, due time.Time) error {
	if s.dead[item.ID] == item.Attempt {
		return errDied
	}
	return s.MemoryStore.Retry(ctx, item, due)
}

// An outboxWorld is a store, processes that come and go with their outboxes, a network
// where everything goes wrong, and Fliggy. One goroutine runs at a time, so that a seed
// lives the same life every time.
type outboxWorld struct {
	t       *testing.T
	rng     *rand.Rand
	clock   *chaosClock
	gw      *fliggytest.Gateway
	store   *mortalStore
	added   map[string]string // what was added, as JSON by id
	open    map[string]bool   // ids that are neither done nor parked
	late    []func()          // requests that arrive after their time
	results []durable.Observation
	nets    []*network
}

// What was added is confirmed by Fliggy's records or parked, and nothing is lost: what
// was parked arrives after it was released. Nothing arrives that was not added.
func TestOutboxChaos(t *testing.T) {
	t.Parallel()
	var done, parked, died, repeated, hits atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for n := range *outboxes {
			seed := *chaosSeed + n
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				w := newOutboxWorld(t, seed)
				for range 6 {
					w.addSome()
					w.live(1+w.rng.IntN(25), 0.5)
				}
				w.store.dies = func() bool { return false }
				for len(w.open) > 0 {
					w.live(1<<30, 0.3)
				}
				parked.Add(int64(w.release()))
				w.check()
				for _, r := range w.results {
					if r.Done {
						done.Add(1)
					}
					if errors.Is(r.Err, errDied) {
						died.Add(1)
					}
				}
				repeated.Add(int64(len(w.gw.Bills()) + len(w.gw.Callbacks()) - len(w.added)))
				for _, net := range w.nets {
					for _, n := range net.hits {
						hits.Add(int64(n))
					}
				}
			})
		}
	})
	t.Logf(
		"%d done, %d parked, %d kills, %d repeats, %d faults", done.Load(), parked.Load(), died.Load(), repeated.Load(),
		hits.Load(),
	)
	for what, n := range map[string]*atomic.Int64{
		"done": &done, "parked": &parked, "killed": &died, "carried out again": &repeated, "hit by a fault": &hits,
	} {
		if n.Load() < 5 {
			t.Errorf("%d items were %s: the test shows too little", n.Load(), what)
		}
	}
}

func newOutboxWorld(t *testing.T, seed uint64) *outboxWorld {
	rng := rand.New(rand.NewPCG(seed, 5))
	w := &outboxWorld{
		t: t, rng: rng, clock: &chaosClock{}, added: map[string]string{}, open: map[string]bool{},
		store: &mortalStore{
			MemoryStore: durable.NewMemoryStore(), dead: map[string]int{}, dies: func() bool { return rng.Float64() < 0.05 },
		},
	}
	w.clock.seconds.Store(fliggy.MustTime("2023-02-03 14:00:00").Unix())
	w.gw = fliggytest.NewGateway(fliggytest.WithClock(w.clock.now))
	t.Cleanup(w.gw.Close)
	return w
}

// client is that of a new process, which knows of no ban.
func (w *outboxWorld) client(rate float64) *rentcar.Client {
	w.t.Helper()
	net := newNetwork(w.rng, w.clock, w.gw)
	w.t.Cleanup(net.close)
	net.rate = rate
	net.late = func(deliver func()) { w.late = append(w.late, deliver) }
	net.giveUp = func(error) {}
	net.wrong = func(text string) { w.t.Error(text) }
	w.nets = append(w.nets, net)
	client, err := w.gw.Client(
		rentcar.WithChannel(fliggy.ChannelAmap), rentcar.WithHTTPClient(&http.Client{Transport: net}),
		rentcar.WithFormat([]rentcar.Format{rentcar.SimplifiedJSON, rentcar.WrappedJSON, rentcar.XML}[w.rng.IntN(3)]),
		rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 1 + w.rng.IntN(3), BaseDelay: 100 * time.Millisecond}),
		rentcar.WithSleep(func(ctx context.Context, d time.Duration) error {
			w.clock.advance(d + time.Second)
			return ctx.Err()
		}),
	)
	if err != nil {
		w.t.Fatal(err)
	}
	return client
}

// outbox is that of a new process. Time passes whenever it looks at the clock.
func (w *outboxWorld) outbox(rate float64, observe func(context.Context, durable.Observation)) *durable.Outbox {
	w.t.Helper()
	return newOutbox(w.t, w.client(rate), w.store, durable.Config{
		MinDelay: time.Second, MaxDelay: time.Minute, Observer: observe,
		Clock: func() time.Time {
			w.clock.advance(10 * time.Second)
			return w.clock.now()
		},
	})
}

// addSome adds callbacks and bills, some twice and some with other content.
func (w *outboxWorld) addSome() {
	w.t.Helper()
	outbox := w.outbox(0, nil)
	for range 1 + w.rng.IntN(12) {
		n := w.rng.IntN(40)
		amount := fliggy.FenOf(1602).Yuan()
		if w.rng.IntN(10) == 0 {
			amount = fliggy.FenOf(w.rng.Int64N(1e9)).Yuan() // of something that may be there with another
		}
		order := events.Order{ChannelID: fliggy.ChannelAmap, OrderID: fliggy.ID(fmt.Sprint(n)), OutOrderID: "M 中/"}
		var err error
		var content any
		if n%2 == 0 {
			bill := outboxBill(fmt.Sprint(n))
			bill.TotalAmount, content = amount, bill
			err = outbox.AddBill(w.t.Context(), bill)
		} else {
			cb := []*events.Callback{
				events.NewOrderCancelled(order), events.NewOrderCancelFailed(order, "7", amount.String()),
				events.NewRefundInProgress(order, amount, "T"), events.NewRefundPaid(order, amount, "T"),
			}[n/2%4]
			content = cb
			err = outbox.AddCallback(w.t.Context(), cb)
		}
		text, id := w.textOf(content), w.store.added
		switch known, isKnown := w.added[id]; {
		case isKnown && known != text:
			if !errors.Is(err, durable.ErrConflict) {
				w.t.Errorf("%s with other content: %v", id, err)
			}
		case err != nil:
			w.t.Errorf("%s: %v", id, err)
		case !isKnown:
			w.added[id], w.open[id] = text, true
		}
	}
}

func (w *outboxWorld) textOf(v any) string {
	w.t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// live runs a process until it has made some attempts, or nothing is left to do.
func (w *outboxWorld) live(attempts int, rate float64) {
	w.t.Helper()
	for _, deliver := range w.late {
		deliver()
	}
	w.late = nil
	if len(w.open) == 0 {
		return
	}
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	outbox := w.outbox(rate, func(_ context.Context, r durable.Observation) {
		w.results = append(w.results, r)
		if r.Done || r.Parked {
			delete(w.open, r.ID)
		}
		if attempts--; attempts == 0 || len(w.open) == 0 {
			stop()
		}
	})
	if err := outbox.Run(ctx); !errors.Is(err, context.Canceled) {
		w.t.Fatalf("%d are open: %v", len(w.open), err)
	}
}

// release gives what was parked another chance, on a network without faults.
func (w *outboxWorld) release() (parked int) {
	w.t.Helper()
	list := w.store.Parked(durable.OutboxQueue)
	for _, p := range list {
		if p.Reason == "" || w.open[p.Item.ID] {
			w.t.Errorf("%s is parked without a reason: %q", p.Item.ID, p.Reason)
		}
		if err := w.store.Release(durable.OutboxQueue, p.Item.ID); err != nil {
			w.t.Error(err)
		}
		w.open[p.Item.ID] = true
	}
	w.live(1<<30, 0)
	return len(list)
}

// check compares what was added with Fliggy's records.
func (w *outboxWorld) check() {
	w.t.Helper()
	missing := map[string]string{}
	for id, text := range w.added {
		missing[text] = id
	}
	texts := slices.Collect(maps.Values(w.added))
	known := func(text string) {
		if !slices.Contains(texts, text) {
			w.t.Errorf("never added: %s", text)
		}
		delete(missing, text)
	}
	for _, c := range w.gw.Callbacks() {
		known(w.textOf(&c.Message))
	}
	for _, b := range w.gw.Bills() {
		known(w.textOf(&b.Message))
	}
	for _, id := range missing {
		w.t.Errorf("lost: %s", id)
	}
	nothingIsDue(w.t, w.store)
}

// Several outboxes with several workers each share a store, while Fliggy is down for
// some time and replies get lost. Everything arrives.
func TestOutboxesShareAStore(t *testing.T) {
	t.Parallel()
	gw, client := newOutboxGateway(t)
	store := durable.NewMemoryStore()
	const items, processes = 60, 3
	gw.Fail(fliggytest.Unavailable().Times(40))
	gw.Fail(fliggytest.CutOff().AfterCommit().Times(40))
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	var done atomic.Int64
	var running sync.WaitGroup
	for p := range processes {
		outbox := newOutbox(t, client, store, durable.Config{
			Workers: 4,
			Observer: func(_ context.Context, r durable.Observation) {
				if r.Done && done.Add(1) == items {
					stop()
				}
			},
		})
		running.Go(func() {
			if err := outbox.Run(ctx); !errors.Is(err, context.Canceled) {
				t.Errorf("Run: %v", err)
			}
		})
		running.Go(func() { // what all add is sent once, if its reply does not get lost
			for n := range items / 2 {
				if err := errors.Join(
					outbox.AddBill(ctx, outboxBill(fmt.Sprint(n))), outbox.AddCallback(ctx, paidCallback(fmt.Sprint(n))),
				); err != nil {
					t.Errorf("process %d: %v", p, err)
				}
			}
		})
	}
	running.Wait()
	seen := map[string]int{}
	for _, b := range gw.Bills() {
		seen["bill "+b.Message.BatchNo]++
	}
	for _, c := range gw.Callbacks() {
		seen["callback "+c.Message.Data.PayTradeNo]++
	}
	if total := len(gw.Bills()) + len(gw.Callbacks()); len(seen) != items || total != items+40 {
		t.Errorf("%d of %d arrived, %d in all, want %d", len(seen), items, total, items+40)
	}
}
