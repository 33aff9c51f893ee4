package durable

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"regexp"
	"slices"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/internal/contain"
)

// A Queue works on the items of one queue of a [Store]. Make it with [NewQueue].
type Queue struct {
	name   string
	store  Store
	clock  clock
	config Config // with the defaults
	wake   chan struct{}
}

// NewQueue makes a queue on a store. The name is printable ASCII, 100 bytes at most. The error
// lists everything that is wrong.
func NewQueue(name string, store Store, cfg Config) (*Queue, error) {
	var problems []error
	if s, isMemory := store.(*MemoryStore); store == nil || isMemory && s == nil {
		problems = append(problems, errors.New("durable: the store is nil"))
	}
	if !isName(name, maxName) {
		problems = append(problems, fmt.Errorf("durable: queue name %.80q: want %s", name, wantName))
	}
	if problems = append(problems, cfg.problems()...); problems != nil {
		return nil, errors.Join(problems...)
	}
	return &Queue{
		name: cmp.Or(cfg.Name, name), store: store, clock: clockOf(cfg.Clock, store), config: cfg.withDefaults(),
		wake: make(chan struct{}, 1),
	}, nil
}

const (
	maxName  = 100
	maxID    = 300
	wantName = "printable ASCII, 100 bytes at most"
)

var digestPattern = regexp.MustCompile(`^[0-9a-f]{64}$`)

func isName(s string, limit int) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

// digestOf is the digest of content, as an [Item] has it.
func digestOf(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Add stores an item durably, to be worked on by Run, here or in another process.
// id is printable ASCII, 300 bytes at most; digest is that of the content that id stands for, see [Item], and empty
// stands for that of data. isNew is false when the
// store had the item already, done or not: nothing happens then. The error matches
// [ErrConflict] when what it has under id has another digest.
func (q *Queue) Add(ctx context.Context, id, digest string, data []byte) (isNew bool, err error) {
	if !isName(id, maxID) {
		return false, fmt.Errorf("durable: %s: item id %.80q: want printable ASCII, %d bytes at most", q.name, id, maxID)
	}
	if ctx == nil {
		return false, fmt.Errorf("durable: %s: storing %s: the context is nil", q.name, id)
	}
	if digest == "" {
		digest = digestOf(data)
	} else if !digestPattern.MatchString(digest) {
		return false, fmt.Errorf("durable: %s: %s: the digest: want 64 lower-case hexadecimal digits", q.name, id)
	}
	w, _ := ctx.Value(wakesKey{}).(*wakes)
	now, err := q.clockWithin(w).now(ctx)
	if err != nil {
		return false, fmt.Errorf("durable: %s: storing %s: %w", q.name, id, err)
	}
	added := &Item{
		Queue: q.name, ID: id, Digest: digest, Data: data, Trace: q.config.traceAdd(ctx, q.name, id), Added: now, Due: now,
	}
	var known *Item
	err = contain.Call("the store", func() (err error) {
		known, err = q.store.Add(ctx, added)
		return err
	})
	switch {
	case err != nil:
		return false, fmt.Errorf("durable: %s: storing %s: %w", q.name, id, err)
	case known == nil:
		q.Wake()
		if w != nil {
			w.add(q)
		}
		return true, nil
	case known.Digest != digest:
		return false, fmt.Errorf("%w: %s: %s", ErrConflict, q.name, id)
	}
	return false, nil
}

// Wake lets Run, if it waits in this process, look at once for what is due. Add does so itself. After an Add in a
// transaction of your own, as with sqlstore.WithTx, call Wake once that is committed: Run cannot see the item before,
// and would find it at its next poll.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default: // one is on its way
	}
}

// Run works on items until ctx ends, and returns when what was begun by then is
// over; that has the whole time that Config.Timeout gives. It returns the cause of ctx.
//
// Each item is claimed and given to work. When work returns nil the item is marked
// as done, in one transaction with what work has written through its context, as
// far as the store has transactions. After an error the item is tried again
// later, without end; one marked by [Permanent] is parked. A panic counts as an
// error, of work or of the store, and so does runtime.Goexit. An item whose process
// was killed comes again when its claim has run out, a minute after its timeout.
//
// Run may run in any number of processes at once. What is due goes by the clock of the store, if it is a
// [ClockStore], or else by their own: as long as these agree within 30 seconds, no item is handed out while work that
// honors its context still has it. A clock that is set back makes items wait that much longer.
func (q *Queue) Run(ctx context.Context, work func(ctx context.Context, item *Item) error) error {
	if work == nil {
		return fmt.Errorf("durable: %s: Run: the function is nil", q.name)
	}
	var workers sync.WaitGroup
	idle := make(chan struct{}, q.config.Workers)
	for range q.config.Workers {
		idle <- struct{}{}
	}
	for n := q.idle(ctx, idle); n > 0; n = q.idle(ctx, idle) {
		began := context.WithoutCancel(ctx) // what is begun is not cut off by the end of Run
		// Whatever the store takes its time for, all work is over a grace before the claim.
		end := time.Now().Add(q.config.Timeout + grace)
		items, err := q.claim(began, n)
		if err != nil {
			q.config.report(began, Observation{Queue: q.name, Err: fmt.Errorf("durable: %s: claiming: %w", q.name, err)})
		}
		for _, item := range items {
			workers.Go(func() {
				defer func() { idle <- struct{}{} }()
				traced := q.config.traceItem(began, item)
				q.config.report(traced, q.attempt(traced, end, item, work))
			})
		}
		for range n - len(items) {
			idle <- struct{}{}
		}
		if len(items) < n {
			q.wait(ctx)
		}
	}
	workers.Wait()
	return context.Cause(ctx)
}

// idle waits for a worker that has nothing to do, and returns how many there are that can be given an item each: one
// where the store hands out one at a time. It returns 0 when ctx is over.
func (q *Queue) idle(ctx context.Context, idle chan struct{}) (n int) {
	if ctx.Err() != nil {
		return 0
	}
	select {
	case <-ctx.Done():
		return 0
	case <-idle:
	}
	if _, ok := q.store.(BatchStore); !ok {
		return 1
	}
	for n = 1; ; n++ {
		select {
		case <-idle:
		default:
			return n
		}
	}
}

// wait waits for an item to be added here, or for the time to look again.
func (q *Queue) wait(ctx context.Context) {
	timer := time.NewTimer(q.config.Poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-q.wake:
	case <-timer.C:
	}
}

// claim asks the store for at most n items. Their claims last as long as what Run may take, but for putting an item
// back.
func (q *Queue) claim(ctx context.Context, n int) (items []*Item, err error) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	now, err := q.clock.now(ctx)
	if err != nil {
		return nil, err
	}
	until := now.Add(q.config.Timeout + 2*grace)
	err = contain.Call("the store", func() (err error) {
		if s, ok := q.store.(BatchStore); ok {
			items, err = s.ClaimBatch(ctx, q.name, n, now, until)
			return err
		}
		item, err := q.store.Claim(ctx, q.name, now, until)
		if item != nil {
			items = []*Item{item}
		}
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case len(items) > n || slices.Contains(items, nil):
		return nil, fmt.Errorf("the store handed out %d items where %d were asked for, or a nil one", len(items), n)
	}
	return items, nil
}

func (q *Queue) attempt(
	ctx context.Context, end time.Time, item *Item, work func(context.Context, *Item) error,
) Observation {
	var (
		start  = time.Now()
		handed = *item // whatever work does to it
		failed error   // how work itself failed
		called bool
		added  = wakes{of: q}
	)
	store, cancel := context.WithDeadline(ctx, end)
	defer cancel()
	err := contain.Call("the store", func() error {
		return q.store.Do(store, item, func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(context.WithValue(ctx, wakesKey{}, &added), q.config.Timeout)
			defer cancel()
			called = true
			failed = contain.Call("the function given to Run", func() error { return work(ctx, &handed) })
			return failed
		})
	})
	switch {
	case !called && err == nil:
		err = fmt.Errorf("durable: %s: %s is not done: Do of the store returned nil without calling work", q.name, item.ID)
	case failed != nil && err == nil: // whatever the store made of it
		err = failed
	case err == nil:
		added.nudge()
	case failed == nil:
		err = fmt.Errorf("durable: %s: marking %s: %w", q.name, item.ID, err)
	}
	o := Observation{Queue: q.name, ID: item.ID, Attempt: item.Attempt, Err: err, Duration: time.Since(start)}
	q.settle(ctx, item, &o, failed)
	return o
}

// settle puts an item back whose work has failed, or whose mark.
func (q *Queue) settle(ctx context.Context, item *Item, o *Observation, failed error) {
	// The time of the attempt may be over by now.
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	var err error
	switch {
	case o.Err == nil:
		o.Done = true
		return
	case errors.Is(o.Err, ErrLost) && !errors.Is(failed, ErrLost): // not that of another item, met by work
		o.Lost = true
		return
	case isPermanent(failed):
		o.Parked = true
		err = contain.Call("the store", func() error { return q.store.Park(ctx, item, reasonOf(failed)) })
	default:
		var now time.Time
		if now, err = q.clock.now(ctx); err != nil {
			break
		}
		o.Due = now.Add(q.delay(item.Attempt))
		err = contain.Call("the store", func() error { return q.store.Retry(ctx, item, o.Due) })
	}
	if err != nil { // it comes again when the claim has run out
		o.Lost, o.Parked, o.Due = errors.Is(err, ErrLost), false, time.Time{}
		o.Err = errors.Join(o.Err, fmt.Errorf("durable: %s: putting %s back: %w", q.name, item.ID, err))
	}
}

// delay is how long an item waits after its nth attempt.
func (q *Queue) delay(attempt int) time.Duration {
	delay := q.config.MinDelay
	for n := 1; n < attempt; n++ {
		if delay > q.config.MaxDelay/2 {
			return q.config.MaxDelay
		}
		delay *= 2
	}
	return delay
}

// A wakes collects the queues that work adds to: in a transaction, what was added
// can be claimed only when Do has ended.
type wakes struct {
	of *Queue // whose work it is

	mu     sync.Mutex
	queues []*Queue
}

type wakesKey struct{}

// isWithinDo reports whether ctx is one that work got.
func isWithinDo(ctx context.Context) bool { return ctx.Value(wakesKey{}) != nil }

// clockWithin returns the clock of q for what work adds. If the queue that works goes by the same store, its clock has
// been told the time already: that of q might have to ask, beside the transaction of Do.
func (q *Queue) clockWithin(w *wakes) clock {
	if w == nil {
		return q.clock
	}
	own, ok := q.clock.(*storeClock)
	other, isToo := w.of.clock.(*storeClock)
	if ok && isToo && reflect.ValueOf(own.store).Comparable() && own.store == other.store {
		return other
	}
	return q.clock
}

func (w *wakes) add(q *Queue) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !slices.Contains(w.queues, q) {
		w.queues = append(w.queues, q)
	}
}

func (w *wakes) nudge() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, q := range w.queues {
		q.Wake()
	}
}

// String names the queue.
func (q *Queue) String() string {
	if q == nil {
		return "Queue(nil)"
	}
	return fmt.Sprintf("Queue(%s, %d workers, store redacted)", q.name, q.config.Workers)
}

// Format writes String for every verb.
func (q *Queue) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, q.String()) }

// LogValue logs what String tells.
func (q *Queue) LogValue() slog.Value { return slog.StringValue(q.String()) }
