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
		name: cmp.Or(cfg.Name, name), store: store, config: cfg.withDefaults(), wake: make(chan struct{}, 1),
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
	now, err := q.time()
	if err != nil {
		return false, fmt.Errorf("durable: %s: storing %s: %w", q.name, id, err)
	}
	var known *Item
	err = contain.Call("the store", func() (err error) {
		known, err = q.store.Add(ctx, &Item{Queue: q.name, ID: id, Digest: digest, Data: data, Added: now, Due: now})
		return err
	})
	switch {
	case err != nil:
		return false, fmt.Errorf("durable: %s: storing %s: %w", q.name, id, err)
	case known == nil:
		q.nudge()
		if w, ok := ctx.Value(wakesKey{}).(*wakes); ok {
			w.add(q)
		}
		return true, nil
	case known.Digest != digest:
		return false, fmt.Errorf("%w: %s: %s", ErrConflict, q.name, id)
	}
	return false, nil
}

// time reads the clock.
func (q *Queue) time() (now time.Time, err error) {
	err = contain.Call("the clock", func() error { now = q.config.Clock(); return nil })
	return now, err
}

// nudge wakes a worker that waits.
func (q *Queue) nudge() {
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
// Run may run in any number of processes at once. What is due goes by their clocks:
// as long as these agree within 30 seconds, no item is handed out while work that
// honors its context still has it. A clock that is set back makes items wait that
// much longer.
func (q *Queue) Run(ctx context.Context, work func(ctx context.Context, item *Item) error) error {
	if work == nil {
		return fmt.Errorf("durable: %s: Run: the function is nil", q.name)
	}
	var workers sync.WaitGroup
	for range q.config.Workers {
		workers.Go(func() {
			for ctx.Err() == nil {
				if !q.next(ctx, work) {
					q.wait(ctx)
				}
			}
		})
	}
	workers.Wait()
	return context.Cause(ctx)
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

// next works on one item. It is false where none is due, or the store fails.
func (q *Queue) next(ctx context.Context, work func(context.Context, *Item) error) bool {
	ctx = context.WithoutCancel(ctx) // what is begun is not cut off by the end of Run
	// Whatever the store takes its time for, all work is over a grace before the claim.
	end := time.Now().Add(q.config.Timeout + grace)
	item, err := q.claim(ctx)
	if err != nil {
		q.config.report(ctx, Observation{Queue: q.name, Err: fmt.Errorf("durable: %s: claiming: %w", q.name, err)})
		return false
	}
	if item == nil {
		return false
	}
	q.nudge() // there may be more for the other workers
	q.config.report(ctx, q.attempt(ctx, end, item, work))
	return true
}

// claim asks the store for an item. Its claim lasts as long as what next may take,
// but for putting the item back.
func (q *Queue) claim(ctx context.Context) (*Item, error) {
	ctx, cancel := context.WithTimeout(ctx, grace)
	defer cancel()
	now, err := q.time()
	if err != nil {
		return nil, err
	}
	var item *Item
	err = contain.Call("the store", func() (err error) {
		item, err = q.store.Claim(ctx, q.name, now, now.Add(q.config.Timeout+2*grace))
		return err
	})
	return item, err
}

func (q *Queue) attempt(
	ctx context.Context, end time.Time, item *Item, work func(context.Context, *Item) error,
) Observation {
	var (
		start  = time.Now()
		handed = *item // whatever work does to it
		failed error   // how work itself failed
		called bool
		added  wakes
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
		if now, err = q.time(); err != nil {
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
	mu     sync.Mutex
	queues []*Queue
}

type wakesKey struct{}

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
		q.nudge()
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
