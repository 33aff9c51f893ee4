package qimen

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A testStore is a MemoryStore that fails as it is told to.
type testStore struct {
	*durable.MemoryStore
	add    func(*durable.Item) error // before the item is added
	added  func(*durable.Item) error // after it was added
	commit func(*durable.Item) error // after the work has succeeded
}

func newTestStore() *testStore { return &testStore{MemoryStore: durable.NewMemoryStore()} }

func (s *testStore) Add(ctx context.Context, item *durable.Item) (*durable.Item, error) {
	if s.add != nil {
		if err := s.add(item); err != nil {
			return nil, err
		}
	}
	known, err := s.MemoryStore.Add(ctx, item)
	if err == nil && s.added != nil {
		err = s.added(item)
	}
	return known, err
}

func (s *testStore) Do(ctx context.Context, item *durable.Item, work func(context.Context) error) error {
	return s.MemoryStore.Do(ctx, item, func(ctx context.Context) error {
		if err := work(ctx); err != nil || s.commit == nil {
			return err
		}
		return s.commit(item)
	})
}

// waiting lists the ids of what waits, by handing it out far in the future of a copy of
// the queue's time. The items are put back.
func (s *testStore) waiting(t testing.TB) (ids []string) {
	t.Helper()
	far := testNow.AddDate(50, 0, 0)
	var items []*durable.Item
	for {
		item, err := s.Claim(context.Background(), InboxQueue, far, far.AddDate(1, 0, 0))
		if err != nil {
			t.Fatal(err)
		}
		if item == nil {
			break
		}
		items = append(items, item)
		ids = append(ids, item.ID)
	}
	for _, item := range items {
		if err := s.Retry(context.Background(), item, item.Added); err != nil {
			t.Fatal(err)
		}
	}
	return ids
}

func (f *office) inbox(t testing.TB, store durable.Store, opts ...Option) *Inbox {
	t.Helper()
	in, err := NewInbox(f.handler(t, opts...), store)
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// drain runs an inbox until nothing happens any more, for the time told. It is to be
// called in a bubble.
func drain(t testing.TB, in *Inbox, long time.Duration) {
	t.Helper()
	stop := errors.New("that is all")
	ctx, cancel := context.WithCancelCause(context.Background())
	over := make(chan error, 1)
	go func() { over <- in.Run(ctx) }()
	<-time.After(long)
	cancel(stop)
	if err := <-over; !errors.Is(err, stop) {
		t.Errorf("Run returns %v", err)
	}
}

func TestNewInbox(t *testing.T) {
	t.Parallel()
	var f office
	h := f.handler(t)
	prices, err := NewHandler(testSecrets, f.options()[4])
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		h     *Handler
		store durable.Store
		opts  []durable.Option
		err   string
	}{
		{nil, newTestStore(), nil, "qimen: NewInbox: the handler is nil"},
		{prices, newTestStore(), nil, "qimen: NewInbox: the handler has no function for events: pass OnEvent(...) to NewHandler"},
		{h, nil, nil, "the store is nil"},
		{h, newTestStore(), []durable.Option{durable.WithWorkers(0)}, "WithWorkers: 0"},
	} {
		if in, err := NewInbox(c.h, c.store, c.opts...); err == nil || in != nil || !strings.Contains(err.Error(), c.err) {
			t.Errorf("%v, %v, want %q", in, err, c.err)
		}
	}
	in := f.inbox(t, newTestStore())
	if text := printed(in, *in); strings.Contains(text, testSecret) {
		t.Errorf("prints the secret: %s", text)
	}
}

// Nobody is told that an event was taken before the store has it.
func TestInboxStoresFirst(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f office
		store := newTestStore()
		release := make(chan struct{})
		store.add = func(*durable.Item) error { <-release; return nil }
		in := f.inbox(t, store)
		p := pushOf(t, DefaultEventMethod, event103)
		replies := make(chan Reply, 1)
		go func() { replies <- in.Handle(context.Background(), p) }()
		synctest.Wait() // all that can happen has happened
		if len(replies) != 0 {
			t.Errorf("told before it is stored: %s", (<-replies).Body)
		}
		if r := in.Handle(context.Background(), p); !sameReply(r, DefaultReplies()[ReasonInProgress]) {
			t.Errorf("a repeat meanwhile: %d %s", r.Status, r.Body)
		}
		close(release)
		if r := <-replies; r.Status != http.StatusOK || string(r.Body) != bodyAccepted {
			t.Errorf("%d %s", r.Status, r.Body)
		}
		o := f.last()
		if f.count() != 0 || !o.IsStored || o.Reason != ReasonAccepted || o.EventType != 103 || o.Attempt != 1 || o.IsConflict {
			t.Errorf("%d runs, observed %+v", f.count(), o)
		}
		if ids := store.waiting(t); len(ids) != 1 || ids[0] != o.Key {
			t.Errorf("stored %v, key %s", ids, o.Key)
		}
		if !strings.Contains(f.log.String(), `"stored":true`) {
			t.Errorf("log %s", f.log.String())
		}
	})
}

// What could not be stored, or may not have been, is not acknowledged; the next push
// is, and is handled once.
func TestInboxStoreFails(t *testing.T) {
	t.Parallel()
	errDisk := errors.New("disk full")
	for name, fail := range map[string]func(*testStore, bool){
		"error": func(s *testStore, on bool) {
			s.add = map[bool]func(*durable.Item) error{true: func(*durable.Item) error { return errDisk }}[on]
		},
		"panic": func(s *testStore, on bool) {
			s.add = map[bool]func(*durable.Item) error{true: func(*durable.Item) error { panic(errDisk) }}[on]
		},
		"stored, and yet an error": func(s *testStore, on bool) {
			s.added = map[bool]func(*durable.Item) error{true: func(*durable.Item) error { return errDisk }}[on]
		},
	} {
		for _, opts := range [][]Option{nil, {WithoutGate()}} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var f office
					store := newTestStore()
					in := f.inbox(t, store, opts...)
					p := pushOf(t, DefaultEventMethod, event103)
					fail(store, true)
					for range 2 {
						r := in.Handle(context.Background(), p)
						o := f.last()
						if r.Status != http.StatusInternalServerError || o.IsStored || !errors.Is(o.Err, errDisk) || o.IsRepeat {
							t.Errorf("%d %s, observed %+v", r.Status, r.Body, o)
						}
						// The queue contains a panic of its store: it is an error like any other.
						if p := (*fliggy.PanicError)(nil); o.Reason != ReasonNotStored || errors.As(o.Err, &p) != (name == "panic") || strings.Contains(string(r.Body), "disk") {
							t.Errorf("observed %+v", o)
						}
					}
					fail(store, false)
					if r := in.Handle(context.Background(), p); r.Status != http.StatusOK || !f.last().IsStored {
						t.Errorf("%d %s, observed %+v", r.Status, r.Body, f.last())
					}
					if drain(t, in, time.Hour); f.count() != 1 {
						t.Errorf("%d runs", f.count())
					}
				})
			})
		}
	}
}

// A push that comes again is stored once: at once and by many, after it was handled,
// and after a restart, when only the store remembers.
func TestInboxRepeats(t *testing.T) {
	t.Parallel()
	for name, opts := range map[string][]Option{"gate": nil, "no gate": {WithoutGate()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var f office
				store := newTestStore()
				p := pushOf(t, DefaultEventMethod, event103)
				for restart := range 3 {
					in := f.inbox(t, store, opts...)
					var wait sync.WaitGroup
					for range 200 {
						wait.Go(func() {
							r := in.Handle(context.Background(), p)
							if string(r.Body) != bodyAccepted && !sameReply(r, DefaultReplies()[ReasonInProgress]) {
								t.Errorf("%d %s", r.Status, r.Body)
							}
						})
					}
					wait.Wait()
					if r := in.Handle(context.Background(), p); string(r.Body) != bodyAccepted {
						t.Errorf("%s", r.Body)
					}
					if ids := store.waiting(t); len(ids) != map[bool]int{true: 1}[restart == 0] {
						t.Errorf("restart %d: %v wait", restart, ids)
					}
					if drain(t, in, time.Hour); f.count() != 1 {
						t.Errorf("restart %d: %d runs", restart, f.count())
					}
				}
			})
		})
	}
}

// The same ids with other content are stored beside each other, each once, whatever
// the gate remembers and whichever came first.
func TestInboxConflict(t *testing.T) {
	t.Parallel()
	errDisk := errors.New("disk full")
	first := pushOf(t, DefaultEventMethod, event103)
	second := pushOf(t, DefaultEventMethod, strings.Replace(event103, "08:59:00", "08:59:01", 1))
	for name, c := range map[string]struct {
		opts      []Option
		restart   bool // between the two
		failFirst bool // the first is not stored until the second is
		told      int  // how many are told as conflicts
	}{
		"gate":              {nil, false, false, 1},
		"no gate":           {[]Option{WithoutGate()}, false, false, 1},
		"restart":           {nil, true, false, 2}, // the new gate knows the second when the first comes again
		"first one fails":   {nil, false, true, 1},
		"fails, no gate":    {[]Option{WithoutGate()}, false, true, 1},
		"fails and restart": {nil, true, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var f office
				store := newTestStore()
				in := f.inbox(t, store, c.opts...)
				take := func(p *Push) Observation {
					if r := in.Handle(context.Background(), p); string(r.Body) != bodyAccepted {
						t.Errorf("%d %s", r.Status, r.Body)
					}
					return f.last()
				}
				if c.failFirst {
					store.add = func(*durable.Item) error { return errDisk }
					in.Handle(context.Background(), first)
					store.add = nil
				} else {
					take(first)
				}
				if c.restart {
					in = f.inbox(t, store, c.opts...)
				}
				told := 0
				for _, p := range []*Push{second, first} {
					if o := take(p); o.IsConflict {
						told++
					}
				}
				if told != c.told {
					t.Errorf("%d conflicts are observed, want %d", told, c.told)
				}
				for range 2 { // repeats, before and after another restart
					take(first)
					take(second)
					in = f.inbox(t, store, c.opts...)
				}
				if drain(t, in, time.Hour); f.count() != 2 {
					t.Fatalf("%d runs", f.count())
				}
				take(first)
				take(second)
				drain(t, in, time.Hour)
				a, b := f.runs[0], f.runs[1]
				if f.count() != 2 || a.Key != b.Key || a.IsConflict || !b.IsConflict || a.Delivery.Text == b.Delivery.Text {
					t.Errorf("%d runs, %v %v, %s, %s", f.count(), a.IsConflict, b.IsConflict, a.Delivery.Text, b.Delivery.Text)
				}
				if o := f.last(); !o.IsConflict && o.Key != a.Key {
					t.Errorf("observed %+v", o)
				}
			})
		})
	}
}

// What the handler serves beside events is answered at once, by its function.
func TestInboxPassesOthers(t *testing.T) {
	t.Parallel()
	var f office
	store := newTestStore()
	store.add = func(*durable.Item) error { return errors.New("nothing is to be stored") }
	in := f.inbox(t, store)
	send := overHTTP(t, in)
	for _, method := range []string{RenewalSubmitMethod, RenewalCancelMethod, RenewalPricesMethod} {
		before := f.count()
		p := pushOf(t, method, merchantBodies[method])
		first := send(p)
		again := send(p)
		if first.Status != 200 || f.last().IsStored || f.last().Reason != ReasonAccepted {
			t.Errorf("%s: %d %s, observed %+v", method, first.Status, first.Body, f.last())
		}
		if acts := method != RenewalPricesMethod; sameReply(first, again) != acts || (f.count() == before+1) != acts {
			t.Errorf("%s: %d runs", method, f.count()-before)
		}
	}
	for _, bad := range []*Push{newPush(eventQuery, jsonType, event103), pushOf(t, "none", "{}"), nil} {
		var want office
		if got, plain := in.Handle(t.Context(), bad), want.handler(t).Handle(t.Context(), bad); !sameReply(got, plain) {
			t.Errorf("%d %s, want %d %s", got.Status, got.Body, plain.Status, plain.Body)
		}
	}
	store.add = nil
	if r := send(pushOf(t, DefaultEventMethod, event103)); string(r.Body) != bodyAccepted || !f.last().IsStored {
		t.Errorf("%s, observed %+v", r.Body, f.last())
	}
	if w := send(newPush("", jsonType, "")); string(w.Body) != bodyBadSignature {
		t.Errorf("%s", w.Body)
	}
}
