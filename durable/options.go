package durable

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// The defaults of a Queue.
const (
	// DefaultTimeout is the time that one attempt has.
	DefaultTimeout = time.Minute
	// DefaultMinDelay and DefaultMaxDelay bound the wait after a failed attempt,
	// which doubles each time.
	DefaultMinDelay = time.Second
	DefaultMaxDelay = 10 * time.Minute
	// DefaultPoll is how often a queue looks for items that it was not told of:
	// those of other processes, and those that are due again.
	DefaultPoll = time.Second
)

// grace is what the store gets beyond the timeout of an attempt, to mark it. As much
// is a claim longer than both, for clocks that differ.
const grace = 30 * time.Second

// longest keeps sums of durations and times in their range.
const longest = 365 * 24 * time.Hour

// An Option configures a Queue.
type Option func(*config) error

type config struct {
	name               string
	workers            int
	timeout, grace     time.Duration
	minDelay, maxDelay time.Duration
	poll               time.Duration
	now                func() time.Time
	observe            func(context.Context, Observation)
	logger             *slog.Logger
}

func defaultConfig(name string) config {
	return config{
		name: name, workers: 1, timeout: DefaultTimeout, grace: grace,
		minDelay: DefaultMinDelay, maxDelay: DefaultMaxDelay, poll: DefaultPoll,
		now: time.Now, observe: func(context.Context, Observation) {}, logger: slog.New(slog.DiscardHandler),
	}
}

// WithName names the queue, in the place of the name that NewQueue is given: for a second
// inbox or outbox on the same store, which would otherwise take the items of the first.
// Printable ASCII, 100 bytes at most. What was stored under another name stays there.
func WithName(name string) Option {
	return func(c *config) error {
		if !isName(name, maxName) {
			return fmt.Errorf("durable: WithName: %.80q: want printable ASCII, %d bytes at most", name, maxName)
		}
		c.name = name
		return nil
	}
}

// WithWorkers sets how many items are worked on at once: one without it, so that
// items are begun in the order in which they became due. A function that ignores its
// context stops its worker for as long as it runs.
func WithWorkers(n int) Option {
	return func(c *config) error {
		if n < 1 {
			return fmt.Errorf("durable: WithWorkers: %d: want 1 at least", n)
		}
		c.workers = n
		return nil
	}
}

// WithTimeout sets the time that one attempt has: DefaultTimeout without it. A
// function that ignores its context stops its worker for as long as it runs, and the item
// may be handed out to another meanwhile. This is also how soon an item comes again whose process was killed, plus a
// minute.
func WithTimeout(timeout time.Duration) Option {
	return bounded("WithTimeout", timeout, func(c *config) { c.timeout = timeout })
}

// WithBackoff sets the wait after the first failed attempt, which doubles each time,
// and the longest wait: DefaultMinDelay and DefaultMaxDelay without it.
func WithBackoff(first, most time.Duration) Option {
	return func(c *config) error {
		if first <= 0 || most < first || most > longest {
			return fmt.Errorf("durable: WithBackoff: %v, %v: want more than zero, the second not below the first, a year at most",
				first, most)
		}
		c.minDelay, c.maxDelay = first, most
		return nil
	}
}

// WithPoll sets how often the queue looks for items: DefaultPoll without it.
func WithPoll(interval time.Duration) Option {
	return bounded("WithPoll", interval, func(c *config) { c.poll = interval })
}

func bounded(option string, d time.Duration, set func(*config)) Option {
	return func(c *config) error {
		if d <= 0 || d > longest {
			return fmt.Errorf("durable: %s: %v: want more than zero, a year at most", option, d)
		}
		set(c)
		return nil
	}
}

// WithClock sets the clock that tells what is due: time.Now without it. Timeouts
// and the poll interval follow the real one.
func WithClock(now func() time.Time) Option {
	return func(c *config) error {
		if now == nil {
			return errors.New("durable: WithClock: the function is nil")
		}
		c.now = now
		return nil
	}
}

// WithObserver calls f after each attempt, and when the store fails to hand out an
// item. The context has the values of that of [Queue.Run], and does not end with it. A
// panic of f changes nothing.
func WithObserver(f func(context.Context, Observation)) Option {
	return func(c *config) error {
		if f == nil {
			return errors.New("durable: WithObserver: the function is nil")
		}
		c.observe = f
		return nil
	}
}

// WithLogger logs one record for each attempt: done ones at debug level, those that
// come again and lost claims as warnings, parked ones as errors, and as errors too
// items that the store failed to hand out or to put back. Without it nothing is
// logged.
func WithLogger(logger *slog.Logger) Option {
	return func(c *config) error {
		if logger == nil {
			return errors.New("durable: WithLogger: the logger is nil: leave the option out to log nothing")
		}
		c.logger = logger
		return nil
	}
}
