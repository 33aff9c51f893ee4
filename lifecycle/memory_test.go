package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/durable/storetest"
	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/lifecycle/lifecycletest"
)

func TestMemoryStore(t *testing.T) {
	lifecycletest.TestStore(t, func(*testing.T) lifecycle.Store { return lifecycle.NewMemoryStore() })
}

func TestMemoryStoreKeepsItems(t *testing.T) {
	t.Parallel()
	storetest.Run(t, storetest.Subject{
		New: func(*testing.T) durable.Store { return lifecycle.NewMemoryStore() }, Transactions: true,
	})
}

// The time of a Tx is that of its Atomically, however long the work of its Do takes.
func TestMemoryStoreNow(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := lifecycle.NewMemoryStore()
		now := time.Now()
		item := &durable.Item{Queue: "q", ID: "a", Digest: strings.Repeat("0", 64), Added: now, Due: now}
		_, err := s.Add(t.Context(), item)
		claimed, claimErr := s.Claim(t.Context(), "q", now, now.Add(time.Hour))
		if err := errors.Join(err, claimErr); err != nil {
			t.Fatal(err)
		}
		if err := s.Do(t.Context(), claimed, func(ctx context.Context) error {
			time.Sleep(time.Minute)
			return s.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error {
				for range 2 {
					got, err := tx.Now(ctx)
					if want := now.Add(time.Minute).Truncate(time.Millisecond); !got.Equal(want) || err != nil {
						t.Errorf("Now = %v, %v; want %v", got, err, want)
					}
					time.Sleep(time.Second)
				}
				return nil
			})
		}); err != nil {
			t.Error(err)
		}
	})
}

// A document is due when its time has come.
func TestMemoryStoreDue(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := lifecycle.NewMemoryStore()
		put := func(doc *lifecycle.Doc) {
			t.Helper()
			if err := s.Atomically(t.Context(), func(ctx context.Context, tx lifecycle.Tx) error {
				return tx.Put(ctx, doc)
			}); err != nil {
				t.Fatal(err)
			}
		}
		want := func(want int) {
			t.Helper()
			if docs, err := s.Due(t.Context(), 10); len(docs) != want || err != nil {
				t.Errorf("Due = %d documents, %v; want %d", len(docs), err, want)
			}
		}
		a := &lifecycle.Doc{Kind: "k", ID: "a", State: "new", Due: time.Now().Add(time.Minute)}
		put(a)
		time.Sleep(time.Minute - time.Millisecond)
		want(0)
		time.Sleep(time.Millisecond)
		want(1)
		a.Due = time.Now().Add(time.Minute)
		put(a)
		want(0)
		a.Due = time.Now()
		put(a)
		want(1)
	})
}

// Another stores between Put and the end of the transaction, which then stores nothing.
func TestMemoryStoreIsOvertaken(t *testing.T) {
	t.Parallel()
	type work = func(ctx context.Context, tx lifecycle.Tx) error
	put := func(id string, version int64, unique ...string) work {
		return func(ctx context.Context, tx lifecycle.Tx) error {
			return tx.Put(ctx, &lifecycle.Doc{Kind: "k", ID: id, Version: version, State: "new", Unique: unique})
		}
	}
	remove := func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.Delete(ctx, &lifecycle.Doc{Kind: "k", ID: "a", Version: 1})
	}
	for name, test := range map[string]struct {
		first, second work
		want          error
	}{
		"a change":          {put("a", 1), put("a", 1), lifecycle.ErrStale},
		"a deletion":        {put("a", 1), remove, lifecycle.ErrStale},
		"a deletion of two": {remove, remove, lifecycle.ErrStale},
		"an id":             {put("b", 0), put("b", 0), lifecycle.ErrExists},
		"a unique key":      {put("b", 0, "u"), put("c", 0, "u"), lifecycle.ErrExists},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := lifecycle.NewMemoryStore()
			if err := s.Atomically(t.Context(), put("a", 0)); err != nil {
				t.Fatal(err)
			}
			err := s.Atomically(t.Context(), func(ctx context.Context, tx lifecycle.Tx) error {
				err := errors.Join(test.first(ctx, tx), put("mine", 0)(ctx, tx))
				return errors.Join(err, s.Atomically(t.Context(), test.second))
			})
			if !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			if doc, err := s.Get(t.Context(), "k", "mine"); doc != nil || err != nil {
				t.Errorf("a part of it was stored: %v, %v", doc, err)
			}
		})
	}
}

func TestMemoryStorePrintsNoContents(t *testing.T) {
	t.Parallel()
	s := lifecycle.NewMemoryStore()
	const secret = "13800000000"
	if err := s.Atomically(t.Context(), func(ctx context.Context, tx lifecycle.Tx) error {
		return tx.Put(ctx, &lifecycle.Doc{
			Kind: "k", ID: secret + "-id", State: "new", Keys: []string{secret + "-key"}, Data: []byte(secret),
		})
	}); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("store", "store", s)
	for _, text := range []string{fmt.Sprint(s), fmt.Sprintf("%+v %#v %q %x", s, s, s, s), log.String()} {
		if strings.Contains(text, secret) || strings.Contains(text, fmt.Sprintf("%x", secret)) {
			t.Errorf("it prints what it holds: %s", text)
		}
	}
}

// Of two who refuse a refund at once, the other is told that it was decided, not that its answer is there already.
func TestRefuseAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		refund := refundOf("101")
		refund.PayTradeNo = "T1"
		d.gw.RequestRefund(d.accepted("R1").RenewalOrderID, refund)
		d.settle(time.Minute)
		decision := lifecycle.RefundDecision{Action: lifecycle.RefuseRefund, By: "li", Note: "too much"}
		book, store := d.hooked()
		first := sync.OnceValue(func() error {
			_, err := d.book.ResolveRefund(t.Context(), "R1", "T1", decision)
			return err
		})
		store.commit = first
		_, err := book.ResolveRefund(t.Context(), "R1", "T1", decision)
		wantIs(t, err, lifecycle.ErrFinal)
	})
}
