package boltstore

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"go.etcd.io/bbolt"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggy"
)

const queue = "q"

var (
	now   = time.Now()
	later = now.Add(time.Minute)
	errNo = errors.New("no")
)

func itemOf(id, data string) *durable.Item {
	return &durable.Item{Queue: queue, ID: id, Digest: "digest of " + data, Data: []byte(data), Added: now, Due: now}
}

// claim adds an item and claims it.
func claim(t *testing.T, s *Store, id string) *durable.Item {
	t.Helper()
	if known, err := s.Add(t.Context(), itemOf(id, id)); err != nil || known != nil {
		t.Fatalf("known %v, %v", known, err)
	}
	return reclaim(t, s, id, now)
}

func reclaim(t *testing.T, s *Store, id string, at time.Time) *durable.Item {
	t.Helper()
	item, err := s.Claim(t.Context(), queue, at, at.Add(time.Minute))
	if err != nil || item == nil || item.ID != id {
		t.Fatalf("claimed %v, %v; want %s", item, err, id)
	}
	return item
}

// put is a write of the user's.
func put(tx *bbolt.Tx) error {
	b, err := tx.CreateBucketIfNotExists([]byte("mine"))
	if err != nil {
		return err
	}
	return b.Put([]byte("k"), []byte("v"))
}

// has reports whether put has happened.
func has(t *testing.T, s *Store) (isThere bool) {
	t.Helper()
	err := s.Read(func(tx *bbolt.Tx) error {
		b := tx.Bucket([]byte("mine"))
		isThere = b != nil && b.Get([]byte("k")) != nil
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return isThere
}

func wantCounts(t *testing.T, s *Store, want Counts) {
	t.Helper()
	if got, err := s.Count(queue); err != nil || got != want {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}

// What is written within Do happens with the mark, or not at all.
func TestWriteIsOneWithTheMark(t *testing.T) {
	t.Parallel()
	panicking := func(*bbolt.Tx) error { panic(errNo) }
	for _, tt := range []struct {
		name  string
		work  func(s *Store, ctx context.Context) error
		isErr func(error) bool // nil for success
	}{
		{"success", func(*Store, context.Context) error { return nil }, nil},
		{
			"the work fails", func(*Store, context.Context) error { return errNo },
			func(err error) bool { return errors.Is(err, errNo) },
		},
		{
			"a later write fails",
			func(s *Store, ctx context.Context) error { return s.Write(ctx, func(*bbolt.Tx) error { return errNo }) },
			func(err error) bool { return errors.Is(err, errNo) },
		},
		{
			"a later write panics",
			func(s *Store, ctx context.Context) error { return s.Write(ctx, panicking) },
			func(err error) bool {
				var p *fliggy.PanicError
				return errors.As(err, &p) && errors.Is(err, errNo) && strings.Contains(string(p.Stack), "write_test.go")
			},
		},
		{
			"the claim is lost meanwhile",
			func(s *Store, ctx context.Context) error {
				item, err := s.Claim(ctx, queue, later, later.Add(time.Minute))
				if item == nil || item.Attempt != 2 {
					return errors.New("nothing to claim")
				}
				return err
			},
			func(err error) bool { return errors.Is(err, durable.ErrLost) },
		},
		{
			"an item of the same id comes meanwhile, with another content",
			func(s *Store, ctx context.Context) error {
				if _, err := s.Add(ctx, itemOf("b", "one")); err != nil {
					return err
				}
				_, err := s.Add(context.WithoutCancel(context.Background()), itemOf("b", "other"))
				return err
			},
			func(err error) bool { return errors.Is(err, durable.ErrConflict) },
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newStore(t)
			err := s.Do(t.Context(), claim(t, s, "a"), func(ctx context.Context) error {
				if err := s.Write(ctx, put); err != nil {
					return err
				}
				if has(t, s) {
					t.Error("it is there before the mark")
				}
				return tt.work(s, ctx)
			})
			if tt.isErr == nil && err != nil || tt.isErr != nil && !tt.isErr(err) {
				t.Errorf("error %v", err)
			}
			if has(t, s) != (err == nil) {
				t.Errorf("written %t after the error %v", has(t, s), err)
			}
			if c, err2 := s.Count(queue); err2 != nil || c.Done != map[bool]int{true: 1}[err == nil] {
				t.Errorf("%+v, %v after the error %v", c, err2, err)
			}
		})
	}
}

// An item that is added twice within one Do, or by others with the same content meanwhile,
// is one item.
func TestAddWithinDo(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	b := itemOf("b", "content")
	err := s.Do(t.Context(), claim(t, s, "a"), func(ctx context.Context) error {
		for range 2 {
			known, err := s.Add(ctx, b)
			if err != nil {
				return err
			}
			b.Data[0]++ // what happens to it later is nobody's business
			if known != nil && string(known.Data) != "content" {
				t.Errorf("known data %q", known.Data)
			}
		}
		_, err := s.Add(t.Context(), itemOf("b", "content"))
		return err
	})
	if err != nil {
		t.Error(err)
	}
	wantCounts(t, s, Counts{Waiting: 1, Done: 1})
	if item := reclaim(t, s, "b", now); string(item.Data) != "content" || item.Attempt != 1 {
		t.Errorf("%v with data %q", item, item.Data)
	}
}

// Who goes on writing when the work is over is told so.
func TestWriteTooLate(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	var kept context.Context
	err := s.Do(t.Context(), claim(t, s, "a"), func(ctx context.Context) error {
		kept = ctx
		return errNo
	})
	if !errors.Is(err, errNo) {
		t.Fatal(err)
	}
	if err := s.Write(kept, put); !errors.Is(err, errOver) {
		t.Errorf("Write: %v", err)
	}
	if _, err := s.Add(kept, itemOf("b", "")); !errors.Is(err, errOver) {
		t.Errorf("Add: %v", err)
	}
	if has(t, s) {
		t.Error("it was written")
	}
	wantCounts(t, s, Counts{Claimed: 1})
}

// Outside of Do, and in that of another store, a write is a transaction of its own.
func TestWriteAlone(t *testing.T) {
	t.Parallel()
	s, other := newStore(t), newStore(t)
	err := other.Do(t.Context(), claim(t, other, "a"), func(ctx context.Context) error {
		if err := s.Write(ctx, put); err != nil {
			return err
		}
		return errNo
	})
	if !errors.Is(err, errNo) || !has(t, s) || has(t, other) {
		t.Errorf("%v, here %t, there %t", err, has(t, s), has(t, other))
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := other.Write(ended, put); !errors.Is(err, context.Canceled) || has(t, other) {
		t.Errorf("with a context that is over: %v", err)
	}
}
