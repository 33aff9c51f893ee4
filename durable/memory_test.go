package durable_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/durable"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func item(id string, added time.Time) *durable.Item {
	return &durable.Item{Queue: "q", ID: id, Digest: "x", Data: []byte("data"), Added: added, Due: added}
}

// claim takes the next item of q at noon.
func claim(t *testing.T, s *durable.MemoryStore) *durable.Item {
	t.Helper()
	i, err := s.Claim(t.Context(), "q", noon, noon.Add(time.Minute))
	if err != nil || i == nil {
		t.Fatalf("Claim = %v, %v; want an item", i, err)
	}
	return i
}

func known(t *testing.T, s *durable.MemoryStore, i *durable.Item) bool {
	t.Helper()
	k, err := s.Add(t.Context(), i)
	if err != nil {
		t.Fatalf("Add: %v", err)
	}
	return k != nil
}

func nothing(context.Context) error { return nil }

func TestMemoryStoreOrder(t *testing.T) {
	t.Parallel()
	s := durable.NewMemoryStore()
	var want, got []string
	for n := range 50 { // all due at the same time
		id := fmt.Sprint((n * 37) % 50)
		want = append(want, id)
		if known(t, s, item(id, noon)) {
			t.Fatalf("%s is known", id)
		}
	}
	for range 50 {
		got = append(got, claim(t, s).ID)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("order of Claim (-want +got):\n%s", diff)
	}
}

// The zero value is an empty store, whichever method comes first.
func TestMemoryStoreZero(t *testing.T) {
	t.Parallel()
	var s durable.MemoryStore
	if i, err := s.Claim(t.Context(), "q", noon, noon); i != nil || err != nil {
		t.Errorf("Claim = %v, %v; want nothing", i, err)
	}
	if err := s.Do(t.Context(), item("a", noon), nothing); !errors.Is(err, durable.ErrLost) {
		t.Errorf("Do = %v; want ErrLost", err)
	}
	if n, list := s.Forget(noon), s.Parked("q"); n != 0 || len(list) != 0 || s.Release("q", "a") == nil {
		t.Errorf("Forget = %d, Parked = %v, or Release has no error", n, list)
	}
	if known(t, &s, item("a", noon)) || claim(t, &s).ID != "a" {
		t.Error("a new item is not stored")
	}
}

func TestMemoryStoreForget(t *testing.T) {
	t.Parallel()
	s := durable.NewMemoryStore()
	for n, id := range []string{"done old", "done new", "parked", "claimed", "waiting"} {
		if known(t, s, item(id, noon.Add(time.Duration(n-5)*time.Hour))) {
			t.Fatalf("%s is known", id)
		}
	}
	for range 2 {
		if err := s.Do(t.Context(), claim(t, s), nothing); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Park(t.Context(), claim(t, s), "why"); err != nil {
		t.Fatal(err)
	}
	held := claim(t, s)
	if n := s.Forget(noon.Add(-4 * time.Hour)); n != 1 {
		t.Errorf("Forget = %d; want 1: the done item that was added before", n)
	}
	if got := s.String(); got != "MemoryStore(2 waiting, 1 parked, 1 done, content redacted)" {
		t.Errorf("left is %s", got)
	}
	if n := s.Forget(noon.Add(time.Hour)); n != 1 {
		t.Errorf("Forget = %d; want 1: what is not done stays", n)
	}
	if known(t, s, item("done old", noon)) {
		t.Error("the forgotten item is known")
	}
	if err := s.Do(t.Context(), held, nothing); err != nil {
		t.Errorf("Do of an item that was claimed during Forget: %v", err)
	}
	if got := claim(t, s).ID; got != "waiting" {
		t.Errorf("Claim gives %s; want the waiting item", got)
	}
}

func TestMemoryStoreDropsDoneData(t *testing.T) {
	t.Parallel()
	s := durable.NewMemoryStore()
	_ = known(t, s, item("a", noon))
	if err := s.Do(t.Context(), claim(t, s), nothing); err != nil {
		t.Fatal(err)
	}
	if k, err := s.Add(t.Context(), item("a", noon)); err != nil || k == nil || k.Data != nil || k.Digest != "x" {
		t.Errorf("Add of a done item = %v, %v; want it without Data", k, err)
	}
}

func TestMemoryStoreParkedAndRelease(t *testing.T) {
	t.Parallel()
	s := durable.NewMemoryStore()
	ids := []string{"b", "c", "a"}
	for _, id := range ids {
		_ = known(t, s, item(id, noon))
	}
	for range ids {
		i := claim(t, s)
		if err := s.Park(t.Context(), i, "why "+i.ID); err != nil {
			t.Fatal(err)
		}
	}
	list := s.Parked("q")
	if len(list) != 3 || len(s.Parked("other")) != 0 {
		t.Fatalf("Parked = %v", list)
	}
	for n, id := range ids {
		if p := list[n]; p.Item.ID != id || p.Reason != "why "+id || p.Item.Attempt != 1 || string(p.Item.Data) != "data" {
			t.Errorf("parked item %d is %+v; want %s, in order of addition", n, p, id)
		}
	}
	copy(list[0].Item.Data, "XXXX")
	if err := s.Release("q", "b"); err != nil {
		t.Fatal(err)
	}
	i := claim(t, s)
	if i.ID != "b" || i.Attempt != 2 || string(i.Data) != "data" {
		t.Errorf("released: %+v; want b, attempt 2, as it was", i)
	}
	for _, id := range []string{"b", "x"} {
		want := `durable: MemoryStore: Release: queue "q" has no parked item "` + id + `"`
		if err := s.Release("q", id); err == nil || err.Error() != want {
			t.Errorf("Release = %v; want %s", err, want)
		}
	}
	if len(s.Parked("q")) != 2 {
		t.Errorf("Parked = %v; want two", s.Parked("q"))
	}
}

// A claim that was put back or released is over, though no other is out.
func TestMemoryStoreEndsClaims(t *testing.T) {
	t.Parallel()
	s := durable.NewMemoryStore()
	_ = known(t, s, item("a", noon))
	i := claim(t, s)
	if err := s.Retry(t.Context(), i, noon); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"Do": s.Do(t.Context(), i, nothing), "Retry": s.Retry(t.Context(), i, noon), "Park": s.Park(t.Context(), i, ""),
	} {
		if !errors.Is(err, durable.ErrLost) {
			t.Errorf("%s after Retry = %v; want ErrLost", name, err)
		}
	}
}

func TestMemoryStoreDoesNotWorkOnWhatIsLost(t *testing.T) {
	t.Parallel()
	s := durable.NewMemoryStore()
	err := s.Do(t.Context(), item("a", noon), func(context.Context) error {
		t.Error("work was called")
		return nil
	})
	if !errors.Is(err, durable.ErrLost) {
		t.Errorf("Do = %v; want ErrLost", err)
	}
}

// Two transactions that add the same item: one of them fails.
func TestMemoryStoreTransactionsCollide(t *testing.T) {
	t.Parallel()
	s := durable.NewMemoryStore()
	_ = known(t, s, item("a", noon))
	i := claim(t, s)
	b := item("b", noon)
	err := s.Do(t.Context(), i, func(ctx context.Context) error {
		if k, err := s.Add(ctx, b); k != nil || err != nil {
			t.Errorf("Add = %v, %v; want a new item", k, err)
		}
		if known(t, s, b) {
			t.Error("Add outside knows what the transaction has added")
		}
		return nil
	})
	if want := "durable: MemoryStore: q b was added by another meanwhile"; err == nil || err.Error() != want {
		t.Errorf("Do = %v; want %s", err, want)
	}
	err = s.Do(t.Context(), i, func(ctx context.Context) error {
		if k, err := s.Add(ctx, b); k == nil || err != nil {
			t.Errorf("Add = %v, %v; want the known item", k, err)
		}
		return nil
	})
	if err != nil {
		t.Errorf("the next attempt: %v", err)
	}
}

// A goroutine that work has left behind cannot add to a transaction that is over.
func TestMemoryStoreTransactionIsOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		end  func() error
		want string
	}{
		"committed":   {func() error { return nil }, "MemoryStore(0 waiting, 0 parked, 1 done, content redacted)"},
		"rolled back": {func() error { return errWork }, "MemoryStore(1 waiting, 0 parked, 0 done, content redacted)"},
		"panicked":    {func() error { panic("boom") }, "MemoryStore(1 waiting, 0 parked, 0 done, content redacted)"},
	} {
		s := durable.NewMemoryStore()
		_ = known(t, s, item("a", noon))
		var kept context.Context
		func() {
			defer func() { _ = recover() }()
			_ = s.Do(t.Context(), claim(t, s), func(ctx context.Context) error { kept = ctx; return c.end() })
		}()
		const want = "durable: MemoryStore: the transaction of this context is over"
		if _, err := s.Add(kept, item("b", noon)); err == nil || err.Error() != want {
			t.Errorf("%s: Add = %v; want an error", name, err)
		}
		if got := s.String(); got != c.want {
			t.Errorf("%s: %s; want %s", name, got, c.want)
		}
		// The context of one store is nothing to another.
		if known(t, durable.NewMemoryStore(), item("b", noon)) {
			t.Error("an empty store knows an item")
		}
		if k, err := durable.NewMemoryStore().Add(kept, item("b", noon)); k != nil || err != nil {
			t.Errorf("%s: Add to another store = %v, %v", name, k, err)
		}
	}
}

// TestCount counts waiting items, claimed ones included, and dead letters of one queue.
func TestCount(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, ctx, start := durable.NewMemoryStore(), t.Context(), time.Now()
		for _, id := range []string{"a", "b", "c", "d"} {
			if _, err := s.Add(ctx, &durable.Item{Queue: "q", ID: id, Due: start}); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Add(ctx, &durable.Item{Queue: "other", ID: "a", Due: start}); err != nil {
			t.Fatal(err)
		}
		claim := func() *durable.Item {
			item, err := s.Claim(ctx, "q", start, start.Add(time.Minute))
			if err != nil || item == nil {
				t.Fatal(item, err)
			}
			return item
		}
		if err := s.Park(ctx, claim(), "no"); err != nil {
			t.Fatal(err)
		}
		if err := s.Do(ctx, claim(), func(context.Context) error { return nil }); err != nil {
			t.Fatal(err)
		}
		claim()
		time.Sleep(time.Second)
		if got, err := s.Count(ctx, "q"); err != nil || got != (durable.Counts{Waiting: 2, Parked: 1, Age: time.Second}) {
			t.Errorf("got %+v, %v", got, err)
		}
		if got, err := s.Count(ctx, "none"); err != nil || got != (durable.Counts{}) {
			t.Errorf("got %+v, %v", got, err)
		}
		over, cancel := context.WithCancel(ctx)
		cancel()
		if _, err := s.Count(over, "q"); err == nil {
			t.Error("counted for one who is gone")
		}
	})
}
