package lifecycletest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/lifecycle"
)

func keyed(keys ...string) func(*lifecycle.Doc) { return func(d *lifecycle.Doc) { d.Keys = keys } }

func unique(keys ...string) func(*lifecycle.Doc) { return func(d *lifecycle.Doc) { d.Unique = keys } }

// list lists the ids of a query.
func list(t *testing.T, s lifecycle.Store, q lifecycle.Query) string {
	t.Helper()
	q.Kind = "kind"
	if q.Limit == 0 {
		q.Limit = 100
	}
	docs, err := s.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	return ids(docs)
}

func wantIDs(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// testNames: ids and keys are bytes.
func testNames(t *testing.T, s lifecycle.Store) {
	long := strings.Repeat("x", 254)
	names := []string{"a", "A", "%", "_", "*", "\\", "'", "a/", "a//", "!a", "-a", "?", "$1", long + "y", long + "Y"}
	for _, name := range names {
		put(t, s, doc(name, keyed("key/"+name[:min(250, len(name))]), unique(name)))
	}
	for _, name := range names {
		d := get(t, s, name)
		if d == nil || !slices.Equal(d.Unique, []string{name}) || string(d.Data) != name {
			t.Errorf("%q: %+v", name, d)
		}
		wantIDs(t, name, list(t, s, lifecycle.Query{Key: name}), name)
	}
	wantIDs(t, "a state", list(t, s, lifecycle.Query{State: "NEW"}), "")
}

// testData: any bytes, up to 1 MiB at least, and none.
func testData(t *testing.T, s lifecycle.Store) {
	for id, data := range map[string][]byte{
		"none": nil, "zero": {0}, "text": []byte("取车 '\" ? $1 \\"),
		"large": bytes.Repeat([]byte("0123456789abcde\xff"), 1<<16),
	} {
		put(t, s, doc(id, func(d *lifecycle.Doc) { d.Data = data }))
		if d := get(t, s, id); !bytes.Equal(d.Data, data) {
			t.Errorf("%s: %d bytes, and others than the %d that were put", id, len(d.Data), len(data))
		}
	}
}

// testCopies: what is done to a document later changes nothing in the store.
func testCopies(t *testing.T, s lifecycle.Store) {
	spoil := func(docs ...*lifecycle.Doc) {
		for _, d := range docs {
			d.State, d.Data[0], d.Keys[0], d.Unique[0] = "spoilt", '!', "spoilt", "spoilt"
		}
	}
	a := doc("a", keyed("k"), unique("u"), func(d *lifecycle.Doc) { d.Due = base.AddDate(-10, 0, 0) })
	want := *a
	want.Version, want.Data, want.Keys, want.Unique = 1, []byte("a"), []string{"k"}, []string{"u"}
	if err := atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
		own := *a
		own.Data, own.Keys, own.Unique = bytes.Clone(a.Data), slices.Clone(a.Keys), slices.Clone(a.Unique)
		err := tx.Put(ctx, &own)
		spoil(&own)
		for range 2 {
			d, getErr := tx.Get(ctx, "kind", "a")
			found, findErr := tx.Find(ctx, "kind", "k")
			if err := errors.Join(err, getErr, findErr); err != nil {
				return err
			}
			same(t, append(found, d), []*lifecycle.Doc{&want, &want})
			spoil(append(found, d)...)
		}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		listed, listErr := s.List(t.Context(), lifecycle.Query{Kind: "kind", State: "new", Limit: 1})
		due, dueErr := s.Due(t.Context(), 1)
		if err := errors.Join(listErr, dueErr); err != nil {
			t.Fatal(err)
		}
		all := slices.Concat(listed, due, []*lifecycle.Doc{get(t, s, "a")})
		same(t, all, []*lifecycle.Doc{&want, &want, &want})
		spoil(all...)
	}
}

// testOrder: At comes before ID, and a time is exact to the millisecond.
func testOrder(t *testing.T, s lifecycle.Store) {
	at := func(ms int) time.Time { return base.Add(time.Duration(ms) * time.Millisecond) }
	put := func(id, state string, ms int) {
		put(t, s, doc(id, keyed("k"), func(d *lifecycle.Doc) { d.At, d.State = at(ms), state }))
	}
	put("c", "new", 1)
	put("b", "new", 2)
	put("a", "new", 3)
	put("d", "new", 2)
	put("0", "old", 2)
	for name, q := range map[string]lifecycle.Query{"state": {State: "new"}, "key": {Key: "k"}} {
		zero := map[string]string{"state": "", "key": "0 "}[name]
		wantIDs(t, name, list(t, s, q), "c "+zero+"b d a")
		q.Before = at(2)
		wantIDs(t, name+" before 2 ms", list(t, s, q), "c")
		q.Before = at(2).Add(500 * time.Microsecond)
		wantIDs(t, name+" before 2.5 ms", list(t, s, q), "c "+zero+"b d")
		q.Before, q.After = at(3), lifecycle.Cursor{At: at(2), ID: "b"}
		wantIDs(t, name+" between", list(t, s, q), "d")
		q.Before, q.After = time.Time{}, lifecycle.Cursor{At: at(2)}
		wantIDs(t, name+" after 2 ms", list(t, s, q), zero+"b d a")
		q.Before, q.Limit = at(2), 1
		wantIDs(t, name+" of none", list(t, s, q), "")
	}
	wantIDs(t, "another kind", func() string {
		docs, err := s.List(t.Context(), lifecycle.Query{Kind: "other", State: "new", Limit: 9})
		if err != nil {
			t.Fatal(err)
		}
		return ids(docs)
	}(), "")
	for _, q := range []lifecycle.Query{{Kind: "kind", State: "new"}, {Kind: "kind", Limit: 1}} {
		if _, err := s.List(t.Context(), q); err == nil {
			t.Errorf("%+v: no error; want one: it needs a limit, and a state or a key", q)
		}
	}
}

// testMoved: a document that was changed is listed where it is now, and nowhere else.
func testMoved(t *testing.T, s lifecycle.Store) {
	put(t, s, doc("a", keyed("k")), doc("b", keyed("k")), doc("c", keyed("k")))
	change := func(id string, f func(d *lifecycle.Doc)) {
		t.Helper()
		if err := atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
			d, err := tx.Get(ctx, "kind", id)
			if err != nil {
				return err
			}
			f(d)
			return tx.Put(ctx, d)
		}); err != nil {
			t.Fatal(err)
		}
	}
	change("a", func(d *lifecycle.Doc) { d.At = base.Add(time.Second) })
	wantIDs(t, "by key, after At", list(t, s, lifecycle.Query{Key: "k"}), "b c a")
	wantIDs(t, "by state, after At", list(t, s, lifecycle.Query{State: "new"}), "b c a")
	change("b", func(d *lifecycle.Doc) { d.State = "old" })
	wantIDs(t, "the state before", list(t, s, lifecycle.Query{State: "new"}), "c a")
	wantIDs(t, "the state after", list(t, s, lifecycle.Query{State: "old"}), "b")
	wantIDs(t, "by key, after State", list(t, s, lifecycle.Query{Key: "k"}), "b c a")
	change("c", func(d *lifecycle.Doc) { d.Keys, d.Unique = nil, []string{"k"} })
	wantIDs(t, "by key, after it became unique", list(t, s, lifecycle.Query{Key: "k"}), "b c a")
	change("c", func(d *lifecycle.Doc) { d.Unique = nil })
	wantIDs(t, "by key, after it went", list(t, s, lifecycle.Query{Key: "k"}), "b a")
}

// testDueAgain: of a document that is deleted and put again only the last Due counts.
func testDueAgain(t *testing.T, s lifecycle.Store) {
	due := func(d *lifecycle.Doc) { d.Due = base.AddDate(-10, 0, 0) }
	for _, again := range []*lifecycle.Doc{
		doc("a", func(d *lifecycle.Doc) { d.Due = base.AddDate(100, 0, 0) }), doc("a"), doc("a", due), doc("a", due),
	} {
		put(t, s, again)
		want := ""
		if !again.Due.IsZero() && again.Due.Before(base) {
			want = "a"
		}
		docs, err := s.Due(t.Context(), 10)
		if err != nil {
			t.Fatal(err)
		}
		wantIDs(t, "due", ids(docs), want)
		if err := atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.Delete(ctx, again)
		}); err != nil {
			t.Fatal(err)
		}
	}
	if docs, err := s.Due(t.Context(), 10); len(docs) > 0 || err != nil {
		t.Error(ids(docs), err)
	}
}

// testDeleted: a deleted document is nowhere, in its transaction too, and can be put again there.
func testDeleted(t *testing.T, s lifecycle.Store) {
	a := doc("a", keyed("k"), unique("u"))
	put(t, s, a)
	if err := atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
		if err := tx.Delete(ctx, a); err != nil {
			return err
		}
		docs, err := tx.Find(ctx, "kind", "k")
		wantIDs(t, "found", ids(docs), "")
		return errors.Join(err, tx.Put(ctx, doc("b", unique("u"))), tx.Put(ctx, doc("a", keyed("l"))))
	}); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"k": "", "l": "a", "u": "b"} {
		wantIDs(t, key, list(t, s, lifecycle.Query{Key: key}), want)
	}
	wantIDs(t, "all", list(t, s, lifecycle.Query{State: "new"}), "a b")
}

// failures are what ends a transaction, also where its error is passed by.
var failures = map[string]func(ctx context.Context, tx lifecycle.Tx) error{
	"an id":      func(ctx context.Context, tx lifecycle.Tx) error { return tx.Put(ctx, doc("there")) },
	"a key":      func(ctx context.Context, tx lifecycle.Tx) error { return tx.Put(ctx, doc("x", unique("k"))) },
	"a version":  func(ctx context.Context, tx lifecycle.Tx) error { return tx.Put(ctx, versioned(doc("there"), 7)) },
	"a deletion": func(ctx context.Context, tx lifecycle.Tx) error { return tx.Delete(ctx, versioned(doc("there"), 7)) },
}

func versioned(d *lifecycle.Doc, version int64) *lifecycle.Doc {
	d.Version = version
	return d
}

// testErrorPassedBy: after an error of Put or Delete nothing is stored, whatever the function returns.
func testErrorPassedBy(t *testing.T, s lifecycle.Store) {
	put(t, s, doc("there", unique("k")))
	for name, fail := range failures {
		var failed error
		err := atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
			_, err := s.Add(ctx, item("a"))
			err = errors.Join(err, tx.Put(ctx, doc("a")))
			failed = fail(ctx, tx)
			return err
		})
		if !errors.Is(err, lifecycle.ErrExists) && !errors.Is(err, lifecycle.ErrStale) {
			t.Errorf("%s: error %v of Atomically, after %v of the Tx", name, err, failed)
		}
		if get(t, s, "a") != nil || get(t, s, "x") != nil || claim(t, s) != nil {
			t.Fatalf("%s: something was stored after an error", name)
		}
	}
}

// testErrorPassedByWithinDo: the same of an Atomically whose error, or panic, is passed by within a Do.
func testErrorPassedByWithinDo(t *testing.T, s lifecycle.Store) {
	put(t, s, doc("there", unique("k")))
	if _, err := s.Add(t.Context(), item("first")); err != nil {
		t.Fatal(err)
	}
	claimed := claim(t, s)
	failures := map[string]func(ctx context.Context, tx lifecycle.Tx) error{
		"an error": func(context.Context, lifecycle.Tx) error { return errOwn },
		"a panic":  func(context.Context, lifecycle.Tx) error { panic("own") },
		"a key":    failures["a key"],
	}
	for name, fail := range failures {
		err := s.Do(t.Context(), claimed, func(ctx context.Context) error {
			defer func() { _ = recover() }()
			_ = s.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error {
				_, err := s.Add(ctx, item("a"))
				return errors.Join(err, tx.Put(ctx, doc("a")), fail(ctx, tx))
			})
			return nil
		})
		if err == nil {
			t.Fatalf("%s: Do has marked its item", name)
		}
		if get(t, s, "a") != nil || claim(t, s) != nil {
			t.Fatalf("%s: something was stored after an error", name)
		}
	}
	if err := s.Do(t.Context(), claimed, func(context.Context) error { return nil }); err != nil {
		t.Error(err)
	}
}

// testErrorPassedByWithin: the same of an Atomically within another.
func testErrorPassedByWithin(t *testing.T, s lifecycle.Store) {
	nested := func(end error) error {
		return atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
			if err := tx.Put(ctx, doc("a")); err != nil {
				return err
			}
			_ = s.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error {
				return errors.Join(tx.Put(ctx, doc("b")), end)
			})
			return nil
		})
	}
	wantErr(t, nested(errOwn), errOwn)
	wantIDs(t, "after an error", list(t, s, lifecycle.Query{State: "new"}), "")
	if err := nested(nil); err != nil {
		t.Fatal(err)
	}
	wantIDs(t, "after success", list(t, s, lifecycle.Query{State: "new"}), "a b")
}

// testHidden looks from outside while a transaction is open. A store may make the looker wait.
func testHidden(t *testing.T, s lifecycle.Store) {
	put(t, s, doc("a"))
	var looking sync.WaitGroup
	wantErr(t, atomically(t, s, func(ctx context.Context, tx lifecycle.Tx) error {
		a, err := tx.Get(ctx, "kind", "a")
		if err != nil {
			return err
		}
		a.State = "changed"
		if err := errors.Join(tx.Put(ctx, a), tx.Put(ctx, doc("b"))); err != nil {
			return err
		}
		looked := make(chan struct{})
		looking.Go(func() {
			defer close(looked)
			a, errA := s.Get(t.Context(), "kind", "a")
			b, errB := s.Get(t.Context(), "kind", "b")
			if err := errors.Join(errA, errB); err != nil || a.State != "new" || b != nil {
				t.Errorf("a reader sees what was not committed: %+v, %+v, %v", a, b, err)
			}
		})
		moment := time.NewTimer(100 * time.Millisecond)
		defer moment.Stop()
		select {
		case <-looked:
		case <-moment.C:
		}
		return errOwn
	}), errOwn)
	looking.Wait()
}

// testSameID: of documents of one id that are put at once one is stored.
func testSameID(t *testing.T, s lifecycle.Store) {
	const writers = 8
	var group sync.WaitGroup
	var mu sync.Mutex
	var stored []byte
	for i := range byte(writers) {
		group.Go(func() {
			err := s.Atomically(t.Context(), func(ctx context.Context, tx lifecycle.Tx) error {
				return tx.Put(ctx, doc("a", unique("k"), func(d *lifecycle.Doc) { d.Data = []byte{i} }))
			})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				stored = append(stored, i)
			} else if !errors.Is(err, lifecycle.ErrExists) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if len(stored) != 1 || !bytes.Equal(get(t, s, "a").Data, stored) {
		t.Errorf("%v were stored, and %v is there", stored, get(t, s, "a").Data)
	}
}

// testKeysMove: writers at once take unique keys from documents and give them to others, in any order. Each key stays
// with one document, and whoever was too late is told so.
func testKeysMove(t *testing.T, s lifecycle.Store) {
	const writers, rounds, docs = 4, 5, 3
	name := func(n int) string { return fmt.Sprintf("d%d", n%docs) }
	for n := range docs {
		put(t, s, doc(name(n), keyed("all"), unique(fmt.Sprintf("k%d", n), fmt.Sprintf("l%d", n))))
	}
	move := func(ctx context.Context, tx lifecycle.Tx, from, to string) error {
		a, errA := tx.Get(ctx, "kind", from)
		b, errB := tx.Get(ctx, "kind", to)
		if err := errors.Join(errA, errB); err != nil {
			return err
		}
		if len(a.Unique) == 0 {
			return nil
		}
		b.Unique = append(b.Unique, a.Unique[0])
		a.Unique = a.Unique[1:]
		a.At = a.At.Add(time.Millisecond)
		if err := tx.Put(ctx, a); err != nil {
			return err
		}
		return tx.Put(ctx, b)
	}
	var group sync.WaitGroup
	for w := range writers {
		group.Go(func() {
			for n := 0; n < rounds; {
				err := s.Atomically(t.Context(), func(ctx context.Context, tx lifecycle.Tx) error {
					return move(ctx, tx, name(w+n), name(w+n+1+w%2))
				})
				switch {
				case err == nil:
					n++
				case !errors.Is(err, lifecycle.ErrStale) && !errors.Is(err, lifecycle.ErrExists):
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
	var all []string
	for n := range docs {
		d := get(t, s, name(n))
		for _, key := range d.Unique {
			wantIDs(t, key, list(t, s, lifecycle.Query{Key: key}), d.ID)
		}
		all = append(all, d.Unique...)
	}
	slices.Sort(all)
	same(t, all, []string{"k0", "k1", "k2", "l0", "l1", "l2"})
}
