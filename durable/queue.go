package durable

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"sync"
	"time"
)

// A Queue works on the items of one queue of a [Store]. Make it with [NewQueue].
type Queue struct {
	name  string
	store Store
	config
	wake chan struct{}
}

// ErrConflict says that the store has another item under the same id.
var ErrConflict = errors.New("another item has this id")

// NewQueue makes a queue on a store. The error lists everything that is wrong.
func NewQueue(name string, store Store, opts ...Option) (*Queue, error) {
	q := &Queue{name: name, store: store, config: defaultConfig(), wake: make(chan struct{}, 1)}
	var problems []error
	if store == nil {
		problems = append(problems, errors.New("durable: the store is nil"))
	}
	if !isName(name, maxName) {
		problems = append(problems, fmt.Errorf("durable: queue name %.80q: want printable ASCII, %d bytes at most", name, maxName))
	}
	for i, opt := range opts {
		if opt == nil {
			problems = append(problems, fmt.Errorf("durable: option %d is nil", i+1))
		} else if err := opt(&q.config); err != nil {
			problems = append(problems, err)
		}
	}
	if q.maxDelay < q.minDelay {
		problems = append(problems, fmt.Errorf("durable: WithBackoff: the longest delay %v is below the shortest %v", q.maxDelay, q.minDelay))
	}
	if problems != nil {
		return nil, errors.Join(problems...)
	}
	return q, nil
}

const (
	maxName = 100
	maxID   = 300
)

func isName(s string, limit int) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return s != "" && len(s) <= limit
}

// Digest is the digest of content, as an [Item] has it.
func Digest(content []byte) string {
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// Add stores an item durably, to be worked on by Run, here or in another process.
// id is printable ASCII, 300 bytes at most; digest is that of the content that id
// stands for, and empty takes that of data. isNew is false when the store had the
// item already, done or not: nothing happens then. The error matches
// [ErrConflict] when what it has under id has another digest.
func (q *Queue) Add(ctx context.Context, id, digest string, data []byte) (isNew bool, err error) {
	if !isName(id, maxID) {
		return false, fmt.Errorf("durable: %s: item id %.80q: want printable ASCII, %d bytes at most", q.name, id, maxID)
	}
	if digest == "" {
		digest = Digest(data)
	}
	now := q.now()
	known, err := q.store.Add(ctx, &Item{Queue: q.name, ID: id, Digest: digest, Data: data, Added: now, Due: now})
	switch {
	case err != nil:
		return false, fmt.Errorf("durable: %s: storing %s: %w", q.name, id, err)
	case known == nil:
		q.nudge()
		return true, nil
	case known.Digest != digest:
		return false, fmt.Errorf("durable: %s: %s: %w", q.name, id, ErrConflict)
	}
	return false, nil
}

// nudge wakes a worker that waits.
func (q *Queue) nudge() {
	select {
	case q.wake <- struct{}{}:
	default: // one is on its way
	}
}

// Run works on items until ctx ends, and returns when what was begun by then is
// over; that has the whole time that [WithTimeout] gives. It returns the cause of ctx.
//
// Each item is claimed and given to work. When work returns nil the item is marked
// as done, in one transaction with what work has written through its context, as
// far as the store has transactions. After an error the item is tried again
// later, without end; one marked by [Permanent] is parked. A panic counts as an
// error. An item whose process was killed comes again when its claim has run out.
// Run may run in any number of processes at once.
func (q *Queue) Run(ctx context.Context, work func(ctx context.Context, item *Item) error) error {
	if work == nil {
		return fmt.Errorf("durable: %s: Run: the function is nil", q.name)
	}
	var workers sync.WaitGroup
	for range q.workers {
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
	timer := time.NewTimer(q.poll)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-q.wake:
	case <-timer.C:
	}
}

// next works on one item. It is false where none is due, or the store fails.
func (q *Queue) next(ctx context.Context, work func(context.Context, *Item) error) bool {
	// What is begun is not cut off by the end of Run.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), q.timeout+q.grace)
	defer cancel()
	now := q.now()
	item, err := q.store.Claim(ctx, q.name, now, now.Add(q.timeout+2*q.grace))
	if err != nil {
		q.report(ctx, Result{Queue: q.name, Err: fmt.Errorf("durable: %s: claiming: %w", q.name, err)})
		return false
	}
	if item == nil {
		return false
	}
	q.nudge() // there may be more for the other workers
	start := time.Now()
	err = q.store.Do(ctx, item, func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, q.timeout)
		defer cancel()
		return contained(ctx, item, work)
	})
	result := Result{Queue: q.name, ID: item.ID, Attempt: item.Attempt, Err: err, Duration: time.Since(start)}
	q.settle(ctx, item, &result)
	q.report(ctx, result)
	return true
}

// settle puts an item back whose work has failed.
func (q *Queue) settle(ctx context.Context, item *Item, r *Result) {
	var err error
	switch {
	case r.Err == nil:
		r.IsDone = true
		return
	case errors.Is(r.Err, ErrLost):
		return
	case isPermanent(r.Err):
		r.IsParked = true
		err = q.store.Park(ctx, item, textOf(r.Err))
	default:
		r.Due = q.now().Add(q.delay(item.Attempt))
		err = q.store.Retry(ctx, item, r.Due)
	}
	if err != nil { // it comes again when the claim has run out
		r.IsParked, r.Due = false, time.Time{}
		r.Err = errors.Join(r.Err, fmt.Errorf("durable: %s: putting %s back: %w", q.name, item.ID, err))
	}
}

// delay is how long an item waits after its nth attempt.
func (q *Queue) delay(attempt int) time.Duration {
	delay := q.minDelay
	for ; attempt > 1 && delay < q.maxDelay; attempt-- {
		delay *= 2
	}
	return min(delay, q.maxDelay)
}
