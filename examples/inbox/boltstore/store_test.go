package boltstore

import (
	"bytes"
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	bbolterrors "go.etcd.io/bbolt/errors"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/durable/storetest"
)

// open opens a store, and closes it with the test.
func open(t *testing.T, path string) *Store {
	t.Helper()
	s, err := Open(path, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() }) // a second time where the test has closed it: bbolt takes that
	return s
}

func newStore(t *testing.T) *Store { return open(t, filepath.Join(t.TempDir(), "test.db")) }

// What every store has to do.
func TestContract(t *testing.T) {
	t.Parallel()
	reopen := func(t *testing.T, s durable.Store) durable.Store { return restart(t, s.(*Store)) }
	storetest.Run(t, storetest.Subject{
		New: func(t *testing.T) durable.Store { return newStore(t) }, Transactions: true, Reopen: reopen,
	})
}

// restart closes a store, as the end of its process does, and opens it again.
func restart(t *testing.T, s *Store) *Store {
	t.Helper()
	path := s.db.Path()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return open(t, path)
}

// Claims of a process that is no more are due at once, behind what was due when they were
// handed out: an item that kills every process does not stop the others.
func TestClaimsOfTheDead(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	claim(t, s, "a")
	early, late := itemOf("early", ""), itemOf("late", "")
	early.Due, late.Due = now.Add(-time.Second), now.Add(time.Second)
	for _, item := range []*durable.Item{late, early} {
		if _, err := s.Add(t.Context(), item); err != nil {
			t.Fatal(err)
		}
	}
	s = restart(t, s)
	wantCounts(t, s, Counts{Waiting: 3})
	for _, id := range []string{"early", "a", "late"} {
		if item := reclaim(
			t, s, id, now.Add(time.Second),
		); item.Attempt != map[string]int{"early": 1, "a": 2, "late": 1}[id] {
			t.Errorf("%v", item)
		}
	}
}

// Done items are remembered for a time, without their content, and then forgotten, some
// with each that is done.
func TestRetention(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	clock := now
	s.now = func() time.Time { return clock }
	work := func(id string) {
		t.Helper()
		if err := s.Do(t.Context(), claim(t, s, id), func(context.Context) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	const many = forgotten + 5
	for i := range many {
		work(strconv.Itoa(i))
	}
	known, err := s.Add(t.Context(), itemOf("0", "0"))
	if err != nil || known == nil || known.Digest != "digest of 0" || known.Data != nil {
		t.Errorf("a done item is known as %v, %v", known, err)
	}
	clock = now.Add(DefaultRetention - time.Second)
	work("a")
	wantCounts(t, s, Counts{Done: many + 1})
	clock = now.Add(DefaultRetention)
	work("b")
	wantCounts(t, s, Counts{Done: many + 2 - forgotten})
	work("c")
	wantCounts(t, s, Counts{Done: 3})
	if known, err := s.Add(t.Context(), itemOf("0", "0")); err != nil || known != nil {
		t.Errorf("a forgotten item is known as %v, %v", known, err)
	}
}

func TestParked(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	if err := s.Park(t.Context(), claim(t, s, "a"), "why"); err != nil {
		t.Fatal(err)
	}
	s = restart(t, s)
	list, err := s.Parked(queue)
	if err != nil || len(list) != 1 || list[0].Item.ID != "a" || list[0].Reason != "why" || string(
		list[0].Item.Data,
	) != "a" {
		t.Fatalf("%v, %v", list, err)
	}
	if list, err := s.Parked("other"); err != nil || len(list) != 0 {
		t.Errorf("another queue has %v, %v", list, err)
	}
	if err := s.Release(queue, "a"); err != nil {
		t.Error(err)
	}
	for _, id := range []string{"a", "b"} {
		if err := s.Release(queue, id); !errors.Is(err, ErrNotParked) {
			t.Errorf("%s: %v", id, err)
		}
	}
	if item := reclaim(t, s, "a", now); item.Attempt != 2 {
		t.Errorf("%v; want attempt 2", item)
	}
	if list, err := s.Parked(queue); err != nil || len(list) != 0 {
		t.Errorf("released, and still parked: %v, %v", list, err)
	}
}

// A queue that looks for work and finds none costs no write.
func TestLookingWritesNothing(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	claim(t, s, "a")
	before := s.db.Stats()
	for range 10 {
		if item, err := s.Claim(t.Context(), queue, now, later); item != nil || err != nil {
			t.Fatalf("%v, %v", item, err)
		}
	}
	after := s.db.Stats()
	if n, m := before.TxStats.GetWrite(), after.TxStats.GetWrite(); n == 0 || n != m {
		t.Errorf("%d writes before, %d after", n, m)
	}
}

// The order of keys is that of times, then of numbers.
func TestIndexOrder(t *testing.T) {
	t.Parallel()
	var last []byte
	for _, at := range []time.Time{
		{}, time.Unix(-1, 999_999_999), time.Unix(0, 0), time.Unix(0, 1), now, later,
		time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		for _, number := range []uint64{0, 1, 256, math.MaxUint64} {
			key := indexKey(queue, at, number)
			if bytes.Compare(last, key) >= 0 {
				t.Errorf("%v, number %d: not behind the one before", at, number)
			}
			last = key
		}
	}
	if bytes.HasPrefix(indexKey("queue", now, 1), prefixOf(queue)) {
		t.Error("one queue is taken for another")
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "test.db")
	if _, err := Open(path, -time.Second); err == nil || !strings.Contains(err.Error(), "retention -1s") {
		t.Errorf("retention below zero: %v", err)
	}
	open(t, path)
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v; want it to be the owner's alone", info.Mode(), err)
	}
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, bytes.Repeat([]byte("text"), 10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(text, 0); !errors.Is(err, bbolterrors.ErrInvalid) {
		t.Errorf("a file that is no database: %v", err)
	}
}
