package sandbox

import (
	"sync"
	"time"
)

// A clock can be moved and stopped. It is that of the business: when rentals start, what cancelling costs, how long a
// ban lasts. Timestamps of calls and pushes follow the real time, so that clients need no other clock.
type clock struct {
	mu      sync.Mutex
	offset  time.Duration
	stopped time.Time // zero while it runs
}

func newClock(start time.Time) *clock {
	c := &clock{}
	if !start.IsZero() {
		c.set(start, false)
	}
	return c
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopped.IsZero() {
		return c.stopped
	}
	return time.Now().Add(c.offset)
}

// set moves the clock, and stops it there or lets it run on.
func (c *clock) set(to time.Time, stop bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.stopped = time.Until(to), time.Time{}
	if stop {
		c.stopped = to
	}
}

// reset lets it show the real time.
func (c *clock) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.stopped = 0, time.Time{}
}

// isReal reports whether it shows the real time, and isStopped whether it stands still.
func (c *clock) state() (isReal, isStopped bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.offset == 0 && c.stopped.IsZero(), !c.stopped.IsZero()
}
