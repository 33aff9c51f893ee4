package durable

import (
	"context"
	"log/slog"
	"time"

	"github.com/fliggy-go/rentcar/internal/contain"
)

// An Observation is what an observer learns of one attempt, for metrics and alarms. It holds no content.
type Observation struct {
	Queue    string        // name of the queue
	ID       string        // of the item; empty where none could be claimed
	Attempt  int           // of the item: 1 for the first
	Done     bool          // the item is done
	Parked   bool          // the item is set aside: a dead letter
	Lost     bool          // the claim ended before the attempt, which took too long: see [ErrLost]
	Due      time.Time     // when the item is tried again; unset where it is not, or not before its claim ends
	Duration time.Duration // of the attempt
	Err      error         // of the work, a [*fliggy.PanicError] included, or of the store; nil when done
}

// report calls observer, logger and tracer. A panic of theirs does not end the worker.
func (c *Config) report(ctx context.Context, o Observation) {
	level, message := slog.LevelWarn, "durable: item comes again"
	switch {
	case o.Done:
		level, message = slog.LevelDebug, "durable: item done"
	case o.Parked:
		level, message = slog.LevelError, "durable: item parked"
	case o.Lost:
		message = "durable: claim lost"
	case o.Due.IsZero():
		level, message = slog.LevelError, "durable: the store failed"
	}
	attrs := []slog.Attr{
		slog.String("queue", o.Queue), slog.String("id", o.ID), slog.Int("attempt", o.Attempt),
		slog.Duration("duration", o.Duration),
	}
	if o.Err != nil {
		attrs = append(attrs, slog.String("error", textOf(o.Err)))
	}
	_ = contain.Call("the observer", func() error { c.Observer(ctx, o); return nil })
	_ = contain.Call("the logger", func() error { c.Logger.LogAttrs(ctx, level, message, attrs...); return nil })
	c.traceEnd(ctx, o)
}
