package durable

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"
)

// The defaults of a [Config].
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

// A Config configures a Queue, an Inbox or an Outbox. The zero Config has the defaults.
type Config struct {
	// Name names the queue, in the place of the name that NewQueue is given, [InboxQueue] or
	// [OutboxQueue]: for a second inbox or outbox on the same store, which would otherwise take
	// the items of the first. Printable ASCII, 100 bytes at most. What was stored under another
	// name stays there.
	Name string
	// Workers is how many items are worked on at once. The default is one, so that items are
	// begun in the order in which they became due. A function that ignores its context stops its
	// worker for as long as it runs.
	Workers int
	// Timeout is the time that one attempt has, a year at most: [DefaultTimeout] by default. See
	// [NewInbox] and [NewOutbox] for theirs. An item whose function ignores its context may be
	// handed out to another worker meanwhile. This is also how soon an item comes again whose
	// process was killed, plus a minute.
	Timeout time.Duration
	// MinDelay is the wait after the first failed attempt, which doubles each time. MaxDelay is
	// the longest wait, a year at most. The defaults are [DefaultMinDelay] and [DefaultMaxDelay];
	// where only one is set, the other is never on the wrong side of it.
	MinDelay, MaxDelay time.Duration
	// Poll is how often the queue looks for items, a year at most: [DefaultPoll] by default.
	Poll time.Duration
	// Clock says what is due. The default is the clock of a [ClockStore], and time.Now for any other store. Timeouts and
	// Poll follow the real one.
	Clock func() time.Time
	// Observer is called after each attempt, and when the store fails to hand out an item. The
	// context has the values of that of [Queue.Run], and does not end with it. A panic of it
	// changes nothing. Optional.
	Observer func(context.Context, Observation)
	// Tracer follows items, across the store. Optional.
	Tracer Tracer
	// Logger gets one record for each attempt: done ones at debug level, those that come again
	// and lost claims as warnings, parked ones as errors, and as errors too items that the store
	// failed to hand out or to put back. Optional.
	Logger *slog.Logger
}

// problems lists what is wrong with the values that are set.
func (c *Config) problems() (list []error) {
	check := func(bad bool, field string, value any, want string) {
		if bad {
			list = append(list, fmt.Errorf("durable: Config.%s: %v: want %s", field, value, want))
		}
	}
	check(c.Name != "" && !isName(c.Name, maxName), "Name", fmt.Sprintf("%.80q", c.Name), wantName)
	check(c.Workers < 0, "Workers", c.Workers, "1 at least, or 0 for the default")
	for _, d := range []struct {
		field string
		value time.Duration
	}{{"Timeout", c.Timeout}, {"MinDelay", c.MinDelay}, {"MaxDelay", c.MaxDelay}, {"Poll", c.Poll}} {
		check(d.value < 0 || d.value > longest, d.field, d.value, "more than zero, a year at most, or 0 for the default")
	}
	check(0 < c.MaxDelay && c.MaxDelay < c.MinDelay, "MaxDelay", c.MaxDelay, "at least MinDelay")
	return list
}

// withDefaults fills in what is not set.
func (c Config) withDefaults() Config {
	c.Workers = cmp.Or(c.Workers, 1)
	c.Timeout = cmp.Or(c.Timeout, DefaultTimeout)
	c.MinDelay = cmp.Or(c.MinDelay, min(DefaultMinDelay, cmp.Or(c.MaxDelay, DefaultMinDelay)))
	c.MaxDelay = cmp.Or(c.MaxDelay, max(DefaultMaxDelay, c.MinDelay))
	c.Poll = cmp.Or(c.Poll, DefaultPoll)
	if c.Observer == nil {
		c.Observer = func(context.Context, Observation) {}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return c
}
