package durable

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/google/go-cmp/cmp"
)

type spanKey struct{}

// A recordingTracer notes what it is told, and what the context carries.
type recordingTracer struct {
	mu    sync.Mutex
	told  []string
	trace string // what travels
}

func (r *recordingTracer) note(ctx context.Context, format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.told = append(r.told, fmt.Sprintf(format, args...)+fmt.Sprintf(" in %v", ctx.Value(spanKey{})))
}

func (r *recordingTracer) TraceAdd(ctx context.Context, queue, id string) string {
	r.note(ctx, "adding %s to %s", id, queue)
	return r.trace
}

func (r *recordingTracer) TraceItemStart(ctx context.Context, i *Item) context.Context {
	r.note(ctx, "attempt %d of %s from %q", i.Attempt, i.ID, i.Trace)
	i.Data = nil // what a tracer does to its copy changes nothing
	return context.WithValue(ctx, spanKey{}, "item")
}

func (r *recordingTracer) TraceItemEnd(ctx context.Context, o Observation) {
	r.note(ctx, "attempt %d of %s ends: done %t", o.Attempt, o.ID, o.Done)
}

func TestTracer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		tracer := &recordingTracer{trace: "00-1"}
		ctx, cancel := context.WithCancel(context.Background())
		store := NewMemoryStore()
		q, err := NewQueue("q", store, Config{
			Tracer: tracer, Observer: func(ctx context.Context, _ Observation) { tracer.note(ctx, "observed") },
		})
		if err != nil {
			t.Fatal(err)
		}
		other, err := NewQueue("other", store, Config{Tracer: tracer})
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := q.Add(context.WithValue(ctx, spanKey{}, "push"), "a", "", []byte("data")); err != nil {
				t.Fatal(err)
			}
			tracer.trace = "00-2" // of a repeat: the first counts
		}
		err = q.Run(ctx, func(ctx context.Context, i *Item) error {
			tracer.note(ctx, "working on %s", i.Data)
			if i.Attempt == 1 {
				return errors.New("no")
			}
			cancel()
			_, err := other.Add(ctx, "b", "", nil) // what work adds comes of its span
			return err
		})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		want := []string{
			"adding a to q in push", "adding a to q in push",
			`attempt 1 of a from "00-1" in <nil>`, "working on data in item", "observed in item",
			"attempt 1 of a ends: done false in item",
			`attempt 2 of a from "00-1" in <nil>`, "working on data in item", "adding b to other in item", "observed in item",
			"attempt 2 of a ends: done true in item",
		}
		if diff := cmp.Diff(want, tracer.told); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

// hostileTracer panics, or returns what makes no sense.
type hostileTracer struct{ trace string }

func (h hostileTracer) TraceAdd(context.Context, string, string) string {
	if h.trace == "" {
		panic("in the tracer")
	}
	return h.trace
}

func (h hostileTracer) TraceItemStart(ctx context.Context, i *Item) context.Context {
	if h.TraceAdd(ctx, "", "") != "" && i.Trace != "" {
		panic("a trace that makes no sense has travelled")
	}
	return nil
}

func (h hostileTracer) TraceItemEnd(ctx context.Context, _ Observation) { h.TraceAdd(ctx, "", "") }

func TestHostileTracer(t *testing.T) {
	t.Parallel()
	for _, trace := range []string{"", "a b", "中", strings.Repeat("x", 1001), "a\x00"} {
		ctx, cancel := context.WithCancel(context.Background())
		q, err := NewQueue("q", NewMemoryStore(), Config{Tracer: hostileTracer{trace}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := q.Add(ctx, "a", "", nil); err != nil {
			t.Errorf("%q: %v", trace, err)
		}
		err = q.Run(ctx, func(_ context.Context, i *Item) error {
			if i.Trace != "" {
				t.Errorf("%q: it has travelled as %q", trace, i.Trace)
			}
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// Without a tracer nothing is allocated for one. AllocsPerRun forbids t.Parallel.
func TestTracerCostsNothing(t *testing.T) {
	c, ctx, item := &Config{}, t.Context(), &Item{Queue: "q", ID: "1"}
	if n := testing.AllocsPerRun(100, func() {
		_ = c.traceAdd(ctx, "q", "1")
		c.traceEnd(c.traceItem(ctx, item), Observation{ID: "1"})
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
