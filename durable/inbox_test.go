package durable_test

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
	"github.com/fliggy-go/rentcar/qimen"
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
	far := officeTime.AddDate(50, 0, 0)
	var items []*durable.Item
	for {
		item, err := s.Claim(context.Background(), durable.InboxQueue, far, far.AddDate(1, 0, 0))
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

func TestNewInbox(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]struct {
		store durable.Store
		cfg   durable.Config
	}{
		"durable: the store is nil":                    {nil, durable.Config{Workers: 1}},
		"durable: Config.Workers: -1: want 1 at least": {newTestStore(), durable.Config{Workers: -1}},
	} {
		if in, err := durable.NewInbox(c.store, c.cfg); err == nil || in != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, %v, want %q", in, err, want)
		}
	}
	in, err := durable.NewInbox(newTestStore(), durable.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := in.Run(t.Context(), nil); err == nil || err.Error() != "durable: inbox: Run: the handler is nil" {
		t.Error(err)
	}
	for _, d := range []*qimen.Delivery{nil, {Key: "k"}} {
		if err := in.Add(t.Context(), d); err == nil || err.Error() != "durable: inbox: the delivery has no push to store" {
			t.Errorf("%v: %v", d, err)
		}
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
		in := f.receiver(t, store)
		p := pushOf(t, qimen.DefaultEventMethod, event103)
		replies := make(chan qimen.Reply, 1)
		go func() { replies <- in.Handle(context.Background(), p) }()
		synctest.Wait() // all that can happen has happened
		if len(replies) != 0 {
			t.Errorf("told before it is stored: %s", (<-replies).Body)
		}
		if r := in.Handle(
			context.Background(), p,
		); r.Status != inProgress.Status || string(r.Body) != string(inProgress.Body) {
			t.Errorf("a repeat meanwhile: %d %s", r.Status, r.Body)
		}
		close(release)
		if r := <-replies; r.Status != http.StatusOK || string(r.Body) != accepted {
			t.Errorf("%d %s", r.Status, r.Body)
		}
		o := f.last()
		if f.count() != 0 || !o.IsStored || o.Reason != qimen.ReasonAccepted || o.EventType != 103 || o.Attempt != 1 ||
			o.IsConflict {
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
		for _, opts := range [][]qimen.Option{nil, {qimen.WithoutGate()}} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				synctest.Test(t, func(t *testing.T) {
					var f office
					store := newTestStore()
					in := f.receiver(t, store, opts...)
					p := pushOf(t, qimen.DefaultEventMethod, event103)
					fail(store, true)
					for range 2 {
						r := in.Handle(context.Background(), p)
						o := f.last()
						if r.Status != http.StatusInternalServerError || o.IsStored || !errors.Is(o.Err, errDisk) || o.IsRepeat {
							t.Errorf("%d %s, observed %+v", r.Status, r.Body, o)
						}
						// The queue contains a panic of its store: it is an error like any other.
						if p := (*fliggy.PanicError)(nil); o.Reason != qimen.ReasonNotStored ||
							errors.As(o.Err, &p) != (name == "panic") || strings.Contains(
							string(r.Body), "disk",
						) {
							t.Errorf("observed %+v", o)
						}
					}
					fail(store, false)
					if r := in.Handle(context.Background(), p); r.Status != http.StatusOK || !f.last().IsStored {
						t.Errorf("%d %s, observed %+v", r.Status, r.Body, f.last())
					}
					if in.runFor(t, time.Hour); f.count() != 1 {
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
	for name, opts := range map[string][]qimen.Option{"gate": nil, "no gate": {qimen.WithoutGate()}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var f office
				store := newTestStore()
				p := pushOf(t, qimen.DefaultEventMethod, event103)
				for restart := range 3 {
					in := f.receiver(t, store, opts...)
					var wait sync.WaitGroup
					for range 200 {
						wait.Go(func() {
							r := in.Handle(context.Background(), p)
							if string(r.Body) != accepted && string(r.Body) != string(inProgress.Body) {
								t.Errorf("%d %s", r.Status, r.Body)
							}
						})
					}
					wait.Wait()
					if r := in.Handle(context.Background(), p); string(r.Body) != accepted {
						t.Errorf("%s", r.Body)
					}
					if ids := store.waiting(t); len(ids) != map[bool]int{true: 1}[restart == 0] {
						t.Errorf("restart %d: %v wait", restart, ids)
					}
					if in.runFor(t, time.Hour); f.count() != 1 {
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
	first := pushOf(t, qimen.DefaultEventMethod, event103)
	second := pushOf(t, qimen.DefaultEventMethod, strings.Replace(event103, "08:59:00", "08:59:01", 1))
	for name, c := range map[string]struct {
		opts      []qimen.Option
		restart   bool // between the two
		failFirst bool // the first is not stored until the second is
		told      int  // how many are told as conflicts
	}{
		"gate":              {nil, false, false, 1},
		"no gate":           {[]qimen.Option{qimen.WithoutGate()}, false, false, 1},
		"restart":           {nil, true, false, 2}, // the new gate knows the second when the first comes again
		"first one fails":   {nil, false, true, 1},
		"fails, no gate":    {[]qimen.Option{qimen.WithoutGate()}, false, true, 1},
		"fails and restart": {nil, true, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var f office
				store := newTestStore()
				in := f.receiver(t, store, c.opts...)
				take := func(p *qimen.Push) qimen.Observation {
					if r := in.Handle(context.Background(), p); string(r.Body) != accepted {
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
					in = f.receiver(t, store, c.opts...)
				}
				told := 0
				for _, p := range []*qimen.Push{second, first} {
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
					in = f.receiver(t, store, c.opts...)
				}
				if in.runFor(t, time.Hour); f.count() != 2 {
					t.Fatalf("%d runs", f.count())
				}
				take(first)
				take(second)
				in.runFor(t, time.Hour)
				a, b := f.handled[0], f.handled[1]
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

// A signed event that this version cannot read is refused as ever, and not lost: it
// waits for a version that can.
func TestInboxKeepsWhatItCannotRead(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var f office
		store := newTestStore()
		in := f.receiver(t, store)
		strange := pushOf(t, qimen.DefaultEventMethod, `{"newEnvelope":{"orderId":"31"}}`)
		for range 3 {
			r := in.Handle(context.Background(), strange)
			if o := f.last(); string(r.Body) != string(
				qimen.DefaultReplies()[qimen.ReasonUndecodable].Body,
			) || o.Reason != qimen.ReasonUndecodable || !o.IsStored || o.Err == nil {
				t.Fatalf("%s, observed %+v", r.Body, o)
			}
		}
		in.runFor(t, time.Hour)
		parked := store.Parked(durable.InboxQueue)
		if len(parked) != 1 || !strings.HasPrefix(parked[0].Item.ID, "event/unread/") || f.count() != 0 {
			t.Fatalf("parked %v after %d runs", parked, f.count())
		}

		// A later version finds the message in it.
		later := f.receiver(t, store, qimen.WithPayload(func(*qimen.Delivery) ([]byte, error) {
			return []byte(
				`{"channelId":"80001","orderId":"31","eventType":104,"eventData":{"renewalOrderId":77,"errorCode":"1"}}`,
			), nil
		}))
		if err := store.Release(durable.InboxQueue, parked[0].Item.ID); err != nil {
			t.Fatal(err)
		}
		later.runFor(t, time.Hour)
		if f.count() != 1 || f.handled[0].Delivery.Attempt != 2 || !strings.HasPrefix(
			f.handled[0].Delivery.Key, "event/104/",
		) {
			t.Fatalf("%d runs, observed %+v", f.count(), f.last())
		}

		// Where it cannot be stored, Fliggy is told of a failure, so that it pushes again.
		store.add = func(*durable.Item) error { return errors.New("no disk") }
		if in.Handle(
			context.Background(), pushOf(t, qimen.DefaultEventMethod, `{"newEnvelope":2}`),
		); f.last().Reason != qimen.ReasonNotStored {
			t.Errorf("observed %+v", f.last())
		}
	})
}
