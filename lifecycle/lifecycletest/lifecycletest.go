// Package lifecycletest checks implementations of [lifecycle.Store].
package lifecycletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// TestStore checks what [lifecycle.Store] says of documents. open returns an empty store for each call; it may be
// closed when the test that it gets ends. Package durable/storetest checks the queues of the store.
//
//	func TestMyStore(t *testing.T) {
//		lifecycletest.TestStore(t, func(t *testing.T) lifecycle.Store { return newStore(t) })
//	}
func TestStore(t *testing.T, open func(t *testing.T) lifecycle.Store) {
	for _, test := range []struct {
		name string
		f    func(*testing.T, lifecycle.Store)
	}{
		{"Documents", testDocuments},
		{"Versions", testVersions},
		{"UniqueKeys", testUniqueKeys},
		{"Keys", testKeys},
		{"Lists", testLists},
		{"Due", testDue},
		{"Rollback", testRollback},
		{"WithinDo", testWithinDo},
		{"LostClaim", testLostClaim},
		{"Writers", testWriters},
		{"Inserts", testInserts},
		{"Contexts", testContexts},
		{"Names", testNames},
		{"Data", testData},
		{"Copies", testCopies},
		{"Order", testOrder},
		{"Moved", testMoved},
		{"DueAgain", testDueAgain},
		{"Deleted", testDeleted},
		{"ErrorPassedBy", testErrorPassedBy},
		{"ErrorPassedByWithinDo", testErrorPassedByWithinDo},
		{"ErrorPassedByWithin", testErrorPassedByWithin},
		{"Hidden", testHidden},
		{"SameID", testSameID},
		{"KeysMove", testKeysMove},
	} {
		t.Run(test.name, func(t *testing.T) { test.f(t, open(t)) })
	}
}

var base = time.Date(2026, 11, 29, 8, 0, 0, 0, time.UTC)

func doc(id string, change ...func(*lifecycle.Doc)) *lifecycle.Doc {
	d := &lifecycle.Doc{Kind: "kind", ID: id, State: "new", At: base, Data: []byte(id)}
	for _, f := range change {
		f(d)
	}
	return d
}

func atomically(t *testing.T, s lifecycle.Store, f func(ctx context.Context, tx lifecycle.Tx) error) error {
	t.Helper()
	return s.Atomically(t.Context(), f)
}

// put stores documents in a transaction.
func put(t *testing.T, s lifecycle.Store, docs ...*lifecycle.Doc) {
	t.Helper()
	copies := make([]*lifecycle.Doc, len(docs))
	err := atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
		for i, d := range docs {
			own := *d
			if err := tx.Put(ctx, &own); err != nil {
				return err
			}
			copies[i] = &own
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, d := range docs {
		d.Version = copies[i].Version
	}
}

func get(t *testing.T, s lifecycle.Store, id string) *lifecycle.Doc {
	t.Helper()
	d, err := s.Get(t.Context(), "kind", id)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func same(t *testing.T, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.EquateApproxTime(0)); diff != "" {
		t.Fatalf("-want +got:\n%s", diff)
	}
}

func wantErr(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%v; want: %v", err, want)
	}
}

// testDocuments: what was put comes back, to the millisecond and the byte.
func testDocuments(t *testing.T, s lifecycle.Store) {
	long := strings.Repeat("x", 255)
	full := doc(long, func(d *lifecycle.Doc) {
		d.At, d.Due = base.Add(1234567*time.Nanosecond), base.Add(time.Hour)
		d.Keys, d.Unique = []string{"a", "b", long}, []string{"only"}
		d.Data = bytes.Repeat([]byte{0, 0xff, '\n'}, 1<<16)
	})
	put(t, s, full, doc("plain"), &lifecycle.Doc{Kind: "other", ID: "plain", State: "new"})
	full.At = full.At.Truncate(time.Millisecond)
	same(t, get(t, s, long), full)
	d := get(t, s, "plain")
	if !d.Due.IsZero() || d.Version != 1 || len(d.Keys)+len(d.Unique) != 0 {
		t.Fatalf("%+v", d)
	}
	other, err := s.Get(t.Context(), "other", "plain")
	if err != nil || !other.At.IsZero() || len(other.Data) != 0 {
		t.Fatal(other, err)
	}
	d.Data[0] = '!'
	same(t, get(t, s, "plain"), doc("plain", func(d *lifecycle.Doc) { d.Version = 1 }))
	if d := get(t, s, "none"); d != nil {
		t.Fatalf("%+v", d)
	}
}

// testVersions: a document is stored over the version that was read only.
func testVersions(t *testing.T, s lifecycle.Store) {
	first := doc("a")
	put(t, s, first)
	stale := *first
	first.State = "changed"
	put(t, s, first)
	if first.Version != 2 {
		t.Fatal(first.Version)
	}
	for want, d := range map[error]*lifecycle.Doc{lifecycle.ErrStale: &stale, lifecycle.ErrExists: doc("a")} {
		wantErr(t, atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error { return tx.Put(ctx, d) }), want)
	}
	wantErr(t, atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.Put(ctx, doc("never", func(d *lifecycle.Doc) { d.Version = 3 }))
	}), lifecycle.ErrStale)
	wantErr(t, atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error { return tx.Delete(ctx, &stale) }),
		lifecycle.ErrStale)
	same(t, get(t, s, "a"), first)
	if err := atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.Delete(ctx, first); err != nil {
			return err
		}
		d, err := tx.Get(ctx, "kind", "a")
		if d != nil {
			t.Errorf("%+v is there after Delete", d)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if d := get(t, s, "a"); d != nil {
		t.Fatalf("%+v", d)
	}
	put(t, s, doc("a"))
}

// testUniqueKeys: one document of a kind has a unique key, as long as it has it.
func testUniqueKeys(t *testing.T, s lifecycle.Store) {
	has := func(keys ...string) func(*lifecycle.Doc) { return func(d *lifecycle.Doc) { d.Unique = keys } }
	first := doc("a", has("k", "l"))
	put(t, s, first, &lifecycle.Doc{Kind: "other", ID: "a", State: "new", Unique: []string{"k"}})
	add := func(d *lifecycle.Doc) error {
		return atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error { return tx.Put(ctx, d) })
	}
	wantErr(t, add(doc("b", has("x", "l"))), lifecycle.ErrExists)
	if get(t, s, "b") != nil {
		t.Fatal("b was stored without its key")
	}
	second := doc("b", has("x"))
	put(t, s, second)
	second.Unique = []string{"k"}
	wantErr(t, add(second), lifecycle.ErrExists)
	second.Version = 1
	first.Unique = []string{"l"}
	put(t, s, first, second) // in one transaction the key goes from one to the other
	wantErr(t, atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.Put(ctx, doc("c", has("y"))); err != nil {
			return err
		}
		return tx.Put(ctx, doc("d", has("y")))
	}), lifecycle.ErrExists)
	wantErr(t, atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error { return tx.Delete(ctx, second) }), nil)
	put(t, s, doc("e", has("k")))
}

// testKeys: a document is found by the keys that it has now.
func testKeys(t *testing.T, s lifecycle.Store) {
	a := doc("a", func(d *lifecycle.Doc) { d.Keys, d.Unique = []string{"x", "y"}, []string{"u"} })
	b := doc("b", func(d *lifecycle.Doc) { d.Keys, d.At = []string{"x"}, base.Add(-time.Second) })
	put(t, s, a, b)
	find := func(key string) string {
		var in, out string
		if err := atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
			docs, err := tx.Find(ctx, "kind", key)
			in = ids(docs)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		docs, err := s.List(t.Context(), lifecycle.Query{Kind: "kind", Key: key, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		if out = ids(docs); in != out {
			t.Fatalf("Find: %s, List: %s", in, out)
		}
		return out
	}
	for key, want := range map[string]string{"x": "b a", "y": "a", "u": "a", "z": ""} {
		if got := find(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	a.Keys, a.Unique = []string{"z", "u"}, nil
	b.At = base.Add(time.Second)
	b.Keys = []string{"x", "z"}
	put(t, s, a, b)
	for key, want := range map[string]string{"x": "b", "y": "", "u": "a", "z": "a b"} {
		if got := find(key); got != want {
			t.Errorf("%s: %q, want %q", key, got, want)
		}
	}
	if err := atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
		c := doc("c", func(d *lifecycle.Doc) { d.Keys = []string{"x"} })
		b.Keys = nil
		err := errors.Join(tx.Put(ctx, c), tx.Put(ctx, b))
		docs, findErr := tx.Find(ctx, "kind", "x")
		if got := ids(docs); got != "c" {
			t.Errorf("a transaction finds %q, want what it has written", got)
		}
		return errors.Join(err, findErr)
	}); err != nil {
		t.Fatal(err)
	}
}

func ids(docs []*lifecycle.Doc) string {
	list := make([]string, len(docs))
	for i, d := range docs {
		list[i] = d.ID
	}
	return strings.Join(list, " ")
}

// testLists: pages have each document once, in order.
func testLists(t *testing.T, s lifecycle.Store) {
	var docs []*lifecycle.Doc
	for i := range 25 {
		docs = append(docs, doc(fmt.Sprintf("d%02d", i), func(d *lifecycle.Doc) {
			d.At = base.Add(time.Duration(i/5) * time.Second) // five at once
			d.Keys = []string{"all"}
			if i%5 == 0 {
				d.State = "fifth"
			}
		}))
	}
	put(t, s, docs...)
	for _, test := range []struct {
		q    lifecycle.Query
		want int
	}{
		{lifecycle.Query{Key: "all"}, 25},
		{lifecycle.Query{State: "new"}, 20},
		{lifecycle.Query{State: "fifth"}, 5},
		{lifecycle.Query{Key: "all", Before: base.Add(2 * time.Second)}, 10},
		{lifecycle.Query{State: "new", Before: base.Add(2 * time.Second)}, 8},
		{lifecycle.Query{State: "none"}, 0},
	} {
		q := test.q
		q.Kind, q.Limit = "kind", 3
		var last string
		n := 0
		for {
			page, err := s.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range page {
				if d.ID <= last {
					t.Fatalf("%+v: %s after %s", test.q, d.ID, last)
				}
				last, q.After = d.ID, lifecycle.Cursor{At: d.At, ID: d.ID}
				n++
			}
			if len(page) < 3 {
				break
			}
		}
		if n != test.want {
			t.Errorf("%+v: %d, want %d", test.q, n, test.want)
		}
	}
}

// testDue: what is due by the clock of the store, longest first.
func testDue(t *testing.T, s lifecycle.Store) {
	var now time.Time
	if err := atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) (err error) {
		now, err = tx.Now(ctx)
		again, _ := tx.Now(ctx)
		if !now.Equal(again) {
			t.Errorf("Now is %v, and %v later in the same Tx", now, again)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	in := func(d time.Duration) func(*lifecycle.Doc) { return func(x *lifecycle.Doc) { x.Due = now.Add(d) } }
	late := doc("late", in(-time.Hour))
	put(t, s, doc("never"), doc("soon", in(time.Hour)), doc("now", in(-time.Second)), late,
		&lifecycle.Doc{Kind: "other", ID: "x", State: "new", Due: now.Add(-time.Minute)})
	due := func(limit int) string {
		docs, err := s.Due(t.Context(), limit)
		if err != nil {
			t.Fatal(err)
		}
		return ids(docs)
	}
	for limit, want := range map[int]string{10: "late x now", 2: "late x"} {
		if got := due(limit); got != want {
			t.Errorf("%d: %q, want %q", limit, got, want)
		}
	}
	late.Due = now.Add(time.Hour)
	put(t, s, late)
	if got := due(10); got != "x now" {
		t.Errorf("%q after a claim", got)
	}
	late.Due = time.Time{}
	put(t, s, late)
	if got := due(10); got != "x now" {
		t.Errorf("%q after the end", got)
	}
}

func item(id string) *durable.Item {
	return &durable.Item{Queue: "q", ID: id, Digest: strings.Repeat("0", 64), Data: []byte(id), Added: base, Due: base}
}

func claim(t *testing.T, s lifecycle.Store) *durable.Item {
	t.Helper()
	i, err := s.Claim(t.Context(), "q", base.Add(time.Second), base.Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

var errOwn = errors.New("own")

// testRollback: an error and a panic undo documents and items.
func testRollback(t *testing.T, s lifecycle.Store) {
	put(t, s, doc("kept"))
	work := func(end func() error) error {
		return atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
			kept, err := tx.Get(ctx, "kind", "kept")
			if err != nil {
				return err
			}
			if err := errors.Join(tx.Delete(ctx, kept), tx.Put(ctx, doc("a"))); err != nil {
				return err
			}
			if _, err := s.Add(ctx, item("a")); err != nil {
				return err
			}
			return end()
		})
	}
	wantErr(t, work(func() error { return errOwn }), errOwn)
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is gone")
			}
		}()
		_ = work(func() error { panic("own") })
	}()
	if get(t, s, "a") != nil || get(t, s, "kept") == nil || claim(t, s) != nil {
		t.Fatal("something of the transaction is there")
	}
	if err := work(func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	if get(t, s, "a") == nil || get(t, s, "kept") != nil || claim(t, s) == nil {
		t.Fatal("something of the transaction is not there")
	}
}

// testWithinDo: documents, items and the mark of Do are one.
func testWithinDo(t *testing.T, s lifecycle.Store) {
	if _, err := s.Add(t.Context(), item("a")); err != nil {
		t.Fatal(err)
	}
	claimed := claim(t, s)
	work := func(end error) error {
		return s.Do(t.Context(), claimed, func(ctx context.Context) error {
			for _, id := range []string{"a", "b"} { // the second sees what the first has written
				if err := s.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error {
					if d, err := tx.Get(ctx, "kind", "a"); err != nil || (d != nil) != (id == "b") {
						t.Errorf("before %s: %+v, %v", id, d, err)
					}
					return tx.Put(ctx, doc(id))
				}); err != nil {
					return err
				}
			}
			_, err := s.Add(ctx, item("added"))
			return errors.Join(err, end)
		})
	}
	wantErr(t, work(errOwn), errOwn)
	if get(t, s, "a") != nil || get(t, s, "b") != nil {
		t.Fatal("documents of a Do that failed are there")
	}
	if err := work(nil); err != nil {
		t.Fatal(err)
	}
	if get(t, s, "a") == nil || get(t, s, "b") == nil {
		t.Fatal("documents of a Do are not there")
	}
	if i := claim(t, s); i == nil || i.ID != "added" {
		t.Fatal(i)
	}
	if i := claim(t, s); i != nil {
		t.Fatal(i)
	}
}

// testLostClaim: a Do whose claim is over stores nothing.
func testLostClaim(t *testing.T, s lifecycle.Store) {
	if _, err := s.Add(t.Context(), item("a")); err != nil {
		t.Fatal(err)
	}
	claimed := claim(t, s)
	wantErr(t, s.Do(t.Context(), claimed, func(ctx context.Context) error {
		if err := s.Retry(context.WithoutCancel(t.Context()), claimed, base); err != nil {
			return err
		}
		return s.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error { return tx.Put(ctx, doc("a")) })
	}), durable.ErrLost)
	if get(t, s, "a") != nil {
		t.Fatal("a document of a lost claim is there")
	}
}

// testWriters: of writers at once each counts once, and every other learns that it was overtaken.
func testWriters(t *testing.T, s lifecycle.Store) {
	put(t, s, doc("a", func(d *lifecycle.Doc) { d.Data = []byte{0} }))
	const writers, rounds = 4, 10
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for n := 0; n < rounds; {
				err := s.Atomically(t.Context(), func(ctx context.Context, tx lifecycle.Tx) error {
					d, err := tx.Get(ctx, "kind", "a")
					if err != nil {
						return err
					}
					d.Data[0]++
					return tx.Put(ctx, d)
				})
				switch {
				case err == nil:
					n++
				case !errors.Is(err, lifecycle.ErrStale):
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	if d := get(t, s, "a"); d.Data[0] != writers*rounds || d.Version != writers*rounds+1 {
		t.Fatalf("%d at version %d", d.Data[0], d.Version)
	}
}

// testInserts: of documents at once with the same unique key one is stored.
func testInserts(t *testing.T, s lifecycle.Store) {
	const writers = 8
	stored := make(chan string, writers)
	var group sync.WaitGroup
	for i := range writers {
		group.Go(func() {
			d := doc(fmt.Sprint(i), func(d *lifecycle.Doc) { d.Unique = []string{"k"} })
			err := s.Atomically(t.Context(), func(ctx context.Context, tx lifecycle.Tx) error {
				own := *d
				return tx.Put(ctx, &own)
			})
			switch {
			case err == nil:
				stored <- d.ID
			case !errors.Is(err, lifecycle.ErrExists):
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(stored) != 1 {
		t.Fatalf("%d were stored", len(stored))
	}
	docs, err := s.List(t.Context(), lifecycle.Query{Kind: "kind", Key: "k", Limit: 10})
	if err != nil || ids(docs) != <-stored {
		t.Fatal(ids(docs), err)
	}
}

// testContexts: a context that is over does nothing.
func testContexts(t *testing.T, s lifecycle.Store) {
	over, cancel := context.WithCancel(t.Context())
	cancel()
	putErr := s.Atomically(over, func(ctx context.Context, tx lifecycle.Tx) error { return tx.Put(ctx, doc("a")) })
	_, getErr := s.Get(over, "kind", "a")
	_, listErr := s.List(over, lifecycle.Query{Kind: "kind", State: "new", Limit: 1})
	_, dueErr := s.Due(over, 1)
	for i, err := range []error{putErr, getErr, listErr, dueErr} {
		if err == nil {
			t.Errorf("call %d with a context that is over succeeds", i)
		}
	}
	if get(t, s, "a") != nil {
		t.Error("something was stored")
	}
}
