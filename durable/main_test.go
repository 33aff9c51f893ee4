package durable_test

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/fliggy-go/rentcar/durable"
	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var (
	errWork  = errors.New("the work failed")
	errStore = errors.New("the store failed")
)

// secret is the content that nothing may show.
const secret = "s3cret-payload"

func newQueue(t *testing.T, store durable.Store, cfg durable.Config) *durable.Queue {
	t.Helper()
	q, err := durable.NewQueue("test.queue", store, cfg)
	if err != nil {
		t.Fatalf("NewQueue: %v", err)
	}
	return q
}

// quick makes a queue look and try again at once, where cfg does not say otherwise.
func quick(cfg durable.Config) durable.Config {
	cfg.MinDelay, cfg.MaxDelay = cmp.Or(cfg.MinDelay, time.Millisecond), cmp.Or(cfg.MaxDelay, time.Millisecond)
	cfg.Poll = cmp.Or(cfg.Poll, time.Millisecond)
	return cfg
}

func add(t *testing.T, q *durable.Queue, ids ...string) {
	t.Helper()
	for _, id := range ids {
		if isNew, err := q.Add(t.Context(), id, "", []byte(secret+id)); err != nil || !isNew {
			t.Fatalf("Add(%s) = %v, %v; want true and no error", id, isNew, err)
		}
	}
}

type work = func(context.Context, *durable.Item) error

// run runs a queue until stop is called, which returns what Run has returned.
func run(t *testing.T, q *durable.Queue, w work) (stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	over := make(chan error, 1)
	go func() { over <- q.Run(ctx, w) }()
	return func() error { cancel(); return <-over }
}

// A recorder observes a queue.
type recorder struct {
	mu      sync.Mutex
	results []durable.Observation
}

func (r *recorder) observe(_ context.Context, result durable.Observation) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.results = append(r.results, result)
}

// all is what was observed since it was last called.
func (r *recorder) all() []durable.Observation {
	r.mu.Lock()
	defer r.mu.Unlock()
	all := r.results
	r.results = nil
	return all
}

// one wants one result to have been observed since the last call.
func (r *recorder) one(t *testing.T) durable.Observation {
	t.Helper()
	all := r.all()
	if len(all) != 1 {
		t.Fatalf("%d results: %v; want one", len(all), all)
	}
	return all[0]
}

// A hooked store calls a hook in the place of a method where there is one.
type hooked struct {
	*durable.MemoryStore
	add   func() error
	claim func(now, until time.Time) error
	mark  func() error // after the work of a Do
	retry func() error
	park  func() error
	// Its Do says nothing of work that has failed.
	swallow bool
	mu      sync.Mutex
	claims  int
}

// mend takes all hooks away.
func (h *hooked) mend() {
	h.add, h.claim, h.mark, h.retry, h.park, h.swallow = nil, nil, nil, nil, nil, false
}

func (h *hooked) Add(ctx context.Context, item *durable.Item) (*durable.Item, error) {
	if h.add != nil {
		if err := h.add(); err != nil {
			return nil, err
		}
	}
	return h.MemoryStore.Add(ctx, item)
}

func (h *hooked) Claim(ctx context.Context, queue string, now, until time.Time) (*durable.Item, error) {
	h.mu.Lock()
	h.claims++
	h.mu.Unlock()
	if h.claim != nil {
		if err := h.claim(now, until); err != nil {
			return nil, err
		}
	}
	return h.MemoryStore.Claim(ctx, queue, now, until)
}

func (h *hooked) Do(ctx context.Context, item *durable.Item, work func(context.Context) error) error {
	err := h.MemoryStore.Do(ctx, item, func(ctx context.Context) error {
		err := work(ctx)
		if err == nil && h.mark != nil {
			err = h.mark()
		}
		return err
	})
	if h.swallow {
		return nil
	}
	return err
}

func (h *hooked) Retry(ctx context.Context, item *durable.Item, due time.Time) error {
	if h.retry != nil {
		if err := h.retry(); err != nil {
			return err
		}
	}
	return h.MemoryStore.Retry(ctx, item, due)
}

func (h *hooked) Park(ctx context.Context, item *durable.Item, reason string) error {
	if h.park != nil {
		if err := h.park(); err != nil {
			return err
		}
	}
	return h.MemoryStore.Park(ctx, item, reason)
}

// claimed is how often an item was asked for since the last call.
func (h *hooked) claimed() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	n := h.claims
	h.claims = 0
	return n
}
