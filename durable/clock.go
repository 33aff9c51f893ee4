package durable

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/internal/contain"
)

// A clock says what is due.
type clock interface {
	now(ctx context.Context) (time.Time, error)
}

// clockOf returns the clock that own reads, or else that of the store, or of the process.
func clockOf(own func() time.Time, store Store) clock {
	if own != nil {
		return ownClock(own)
	}
	if s, ok := store.(ClockStore); ok {
		return &storeClock{store: s, turn: make(chan struct{}, 1)}
	}
	return ownClock(time.Now)
}

// An ownClock is a function of the user.
type ownClock func() time.Time

func (c ownClock) now(context.Context) (now time.Time, err error) {
	err = contain.Call("the clock", func() error { now = c(); return nil })
	return now, err
}

// A storeClock is that of a store. Between two questions it goes by the monotonic clock of the process.
type storeClock struct {
	store ClockStore
	turn  chan struct{} // holds a value while somebody asks

	mu    sync.Mutex
	told  time.Time // by the store; zero before the first time
	heard time.Time // when, by the process
	asked time.Time // when the store was last asked, whatever it answered
}

const (
	// resync is how often a storeClock asks.
	resync = time.Minute
	// hearing is how long it waits for an answer that it can do without.
	hearing = 5 * time.Second
	// sharing is how long it waits for the first answer to another, before it asks for itself.
	sharing = 2 * time.Second
)

func (c *storeClock) now(ctx context.Context) (time.Time, error) {
	now, isFresh := c.count()
	if isFresh {
		return now, nil
	}
	if now.IsZero() {
		waiting := time.NewTimer(sharing)
		defer waiting.Stop()
		select {
		case c.turn <- struct{}{}:
			defer func() { <-c.turn }()
		case <-waiting.C: // who asks may itself wait for the connection that the transaction of ctx has
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("the store's clock: %w", context.Cause(ctx))
		}
	} else {
		if isWithinDo(ctx) { // whose transaction may have the connection that the answer needs
			return now, nil
		}
		select {
		case c.turn <- struct{}{}:
		default:
			return now, nil // somebody asks
		}
		defer func() { <-c.turn }()
	}
	if now, isFresh = c.count(); isFresh {
		return now, nil
	}
	limit := grace
	if !now.IsZero() {
		limit = hearing
	}
	// What the store told before is good for longer, if it does not answer: the next claim will say what ails it.
	if err := c.ask(ctx, limit); err != nil && now.IsZero() {
		return time.Time{}, fmt.Errorf("the store's clock: %w", err)
	}
	now, _ = c.count()
	return now, nil
}

// count returns the time, which is zero before the store has told it, and reports whether it was asked lately.
func (c *storeClock) count() (now time.Time, isFresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told.IsZero() {
		return time.Time{}, false
	}
	return c.told.Add(time.Since(c.heard)), time.Since(c.asked) < resync
}

// A valueless context ends with another, and has none of its values.
type valueless struct{ context.Context }

func (valueless) Value(any) any { return nil }

// ask asks the store.
func (c *storeClock) ask(ctx context.Context, limit time.Duration) error {
	if isWithinDo(ctx) { // its transaction is none of the clock's; one that the user has begun serves well
		ctx = valueless{ctx}
	}
	asking, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	before := time.Now()
	var told time.Time
	err := contain.Call("the store", func() (err error) {
		told, err = c.store.Now(asking)
		return err
	})
	if err == nil && told.IsZero() {
		err = errors.New("it gave the zero time")
	}
	after := time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.asked = after
	if err == nil {
		c.told, c.heard = told.Add(after.Sub(before)/2), after // it was read on half the way
	}
	return err
}
