package durable_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/durable"
)

var (
	errFirst  = errors.New("first")
	errSecond = errors.New("second")
)

// A partLog tells in which order the functions of parts were called.
type partLog []string

func (l *partLog) part(name string, err error) durable.MemoryPart {
	return durable.MemoryPart{
		Check:  func() error { *l = append(*l, "check "+name); return err },
		Commit: func() { *l = append(*l, "commit "+name) },
	}
}

func (l *partLog) want(t *testing.T, want ...string) {
	t.Helper()
	if !slices.Equal(*l, want) {
		t.Errorf("calls %q, want %q", *l, want)
	}
	*l = nil
}

// adding is work that adds an item, and ends with a part and an error.
func adding(
	s *durable.MemoryStore, id string, part durable.MemoryPart, end error,
) func(context.Context) (durable.MemoryPart, error) {
	return func(ctx context.Context) (durable.MemoryPart, error) {
		_, err := s.Add(ctx, item(id, noon))
		return part, errors.Join(err, end)
	}
}

// wantItems wants exactly these items to be due; it claims them.
func wantItems(t *testing.T, s *durable.MemoryStore, want ...string) {
	t.Helper()
	var got []string
	for {
		i, err := s.Claim(t.Context(), "q", noon, noon.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if i == nil {
			break
		}
		got = append(got, i.ID)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("items %q, want %q", got, want)
	}
}

func TestMemoryStoreAtomically(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		check, end, want error
		calls, items     []string
	}{
		"stored":  {nil, nil, nil, []string{"check a", "commit a"}, []string{"a"}},
		"failed":  {nil, errFirst, errFirst, nil, nil},
		"refused": {errSecond, nil, errSecond, []string{"check a"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := durable.NewMemoryStore()
			var log partLog
			err := s.Atomically(t.Context(), adding(s, "a", log.part("a", test.check), test.end))
			if !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
			log.want(t, test.calls...)
			wantItems(t, s, test.items...)
		})
	}
}

// What takes part in a Do is stored with the mark. All parts are checked before one is stored.
func TestMemoryStoreAtomicallyWithinDo(t *testing.T) {
	t.Parallel()
	s := durable.NewMemoryStore()
	known(t, s, item("a", noon))
	i := claim(t, s)
	var log partLog
	two := func(second, end error, swallow bool) error {
		return s.Do(t.Context(), i, func(ctx context.Context) error {
			err := s.Atomically(ctx, adding(s, "b", log.part("b", nil), nil))
			log.want(t) // nothing yet
			err = errors.Join(err, s.Atomically(ctx, adding(s, "c", log.part("c", second), end)))
			if swallow {
				err = nil
			}
			return err
		})
	}
	if err := two(errSecond, nil, false); !errors.Is(err, errSecond) {
		t.Errorf("%v, want that of Check", err)
	}
	log.want(t, "check b", "check c")
	if err := two(nil, errFirst, true); !errors.Is(err, errFirst) { // though work passed it by
		t.Errorf("%v, want that of the part", err)
	}
	log.want(t)
	wantItems(t, s)
	if err := two(nil, nil, false); err != nil {
		t.Error(err)
	}
	log.want(t, "check b", "check c", "commit b", "commit c")
	wantItems(t, s, "b", "c")
}

func TestMemoryStoreAtomicallyOfALostClaim(t *testing.T) {
	t.Parallel()
	s := durable.NewMemoryStore()
	known(t, s, item("a", noon))
	i := claim(t, s)
	var log partLog
	err := s.Do(t.Context(), i, func(ctx context.Context) error {
		if err := s.Retry(t.Context(), i, noon.Add(time.Minute)); err != nil {
			return err
		}
		return s.Atomically(ctx, adding(s, "b", log.part("b", nil), nil))
	})
	if !errors.Is(err, durable.ErrLost) {
		t.Errorf("%v, want ErrLost", err)
	}
	log.want(t)
	wantItems(t, s)
}

// A part that panics leaves nothing, also where the panic goes no further.
func TestMemoryStoreAtomicallyPanics(t *testing.T) {
	t.Parallel()
	s := durable.NewMemoryStore()
	known(t, s, item("a", noon))
	i := claim(t, s)
	panics := func(ctx context.Context) {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		_ = s.Atomically(ctx, func(ctx context.Context) (durable.MemoryPart, error) {
			_, _ = s.Add(ctx, item("b", noon))
			panic("own")
		})
	}
	panics(t.Context())
	if err := s.Do(t.Context(), i, func(ctx context.Context) error { panics(ctx); return nil }); err == nil {
		t.Error("Do stores a part that has panicked")
	}
	wantItems(t, s)
}

// Another has added the item meanwhile: no part is stored.
func TestMemoryStoreAtomicallyCollides(t *testing.T) {
	t.Parallel()
	s := durable.NewMemoryStore()
	var log partLog
	err := s.Atomically(t.Context(), func(ctx context.Context) (durable.MemoryPart, error) {
		_, err := s.Add(ctx, item("a", noon))
		_, outside := s.Add(t.Context(), item("a", noon))
		return log.part("a", nil), errors.Join(err, outside)
	})
	if err == nil {
		t.Error("an item was stored twice")
	}
	log.want(t, "check a")
}

// A part may have nothing to check or store. It ends with its transaction, and with its context.
func TestMemoryStoreAtomicallyIsOver(t *testing.T) {
	t.Parallel()
	s := durable.NewMemoryStore()
	var kept context.Context
	empty := func(ctx context.Context) (durable.MemoryPart, error) { kept = ctx; return durable.MemoryPart{}, nil }
	if err := s.Atomically(t.Context(), empty); err != nil {
		t.Error(err)
	}
	if _, err := s.Add(kept, item("a", noon)); err == nil {
		t.Error("Add after the transaction")
	}
	called := false
	fail := func(context.Context) (durable.MemoryPart, error) { called = true; return durable.MemoryPart{}, nil }
	if err := s.Atomically(kept, fail); err == nil || called {
		t.Errorf("Atomically after the transaction: %v, called: %v", err, called)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Atomically(over, fail); !errors.Is(err, context.Canceled) || called {
		t.Errorf("Atomically with a context that is over: %v, called: %v", err, called)
	}
}
