package durable

import (
	"context"
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
	asked time.Time // when, by the process
}

// resync is how often a storeClock asks.
const resync = time.Minute

func (c *storeClock) now(ctx context.Context) (time.Time, error) {
	now, isFresh := c.count()
	if isFresh {
		return now, nil
	}
	if now.IsZero() {
		select {
		case c.turn <- struct{}{}:
		case <-ctx.Done():
			return time.Time{}, fmt.Errorf("the store's clock: %w", context.Cause(ctx))
		}
	} else {
		select {
		case c.turn <- struct{}{}:
		default:
			return now, nil // somebody asks
		}
	}
	defer func() { <-c.turn }()
	if now, isFresh = c.count(); isFresh {
		return now, nil
	}
	// What the store told before is good for longer, if it does not answer: the next claim will say what ails it.
	if err := c.ask(ctx); err != nil && now.IsZero() {
		return time.Time{}, fmt.Errorf("the store's clock: %w", err)
	}
	now, _ = c.count()
	return now, nil
}

// count returns the time, which is zero before the store has told it, and reports whether it was told lately.
func (c *storeClock) count() (now time.Time, isFresh bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.told.IsZero() {
		return time.Time{}, false
	}
	since := time.Since(c.asked)
	return c.told.Add(since), since < resync
}

// ask asks the store. Its context is another one than that which Do gave, whose transaction is none of the clock's.
func (c *storeClock) ask(ctx context.Context) error {
	asking, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	before := time.Now()
	return contain.Call("the store", func() error {
		told, err := c.store.Now(asking)
		if err != nil {
			return err
		}
		after := time.Now()
		c.mu.Lock()
		defer c.mu.Unlock()
		c.told, c.asked = told.Add(after.Sub(before)/2), after // it was read on half the way
		return nil
	})
}
