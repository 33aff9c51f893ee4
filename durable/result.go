package durable

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/internal/contain"
)

// A Result tells how one attempt ended: for metrics and alarms. It carries no
// content.
type Result struct {
	Queue string
	// ID and Attempt are those of the item; empty where none could be claimed.
	ID      string
	Attempt int
	// IsDone tells that the item is done, IsParked that it was set aside, and IsLost
	// that the claim was over before that, see [ErrLost]: the attempt was too long, and
	// the item is another's. Due is when it comes again where it is none of them; unset
	// when the store failed to put it back, and its claim has to run out first.
	IsDone   bool
	IsParked bool
	IsLost   bool
	Due      time.Time
	Duration time.Duration
	// Err is what went wrong: the error of the work, a [*fliggy.PanicError], or that of the
	// store.
	Err error
}

// Permanent marks an error that another attempt would meet again: the item is
// parked. It is nil for a nil error.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return textOf(e.err) }
func (e *permanentError) Unwrap() error { return e.err }

func isPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

// textOf is the text of an error, also where its method panics.
func textOf(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("an error of type %T, whose Error method panics", err)
		}
	}()
	return err.Error()
}

// maxReason bounds the reason that a store is given, in bytes.
const maxReason = 1000

// reasonOf is the text of an error as any store can keep it.
func reasonOf(err error) string {
	text := textOf(err)
	text = strings.ToValidUTF8(text[:min(len(text), maxReason)], "?")
	return strings.ReplaceAll(text, "\x00", "?")
}

// report tells observer and logger; a panic of theirs does not end the worker.
func (c *config) report(ctx context.Context, r Result) {
	level, message := slog.LevelWarn, "durable: item comes again"
	switch {
	case r.IsDone:
		level, message = slog.LevelDebug, "durable: item done"
	case r.IsParked:
		level, message = slog.LevelError, "durable: item parked"
	case r.IsLost:
		message = "durable: claim lost"
	case r.Due.IsZero():
		level, message = slog.LevelError, "durable: the store failed"
	}
	attrs := []slog.Attr{
		slog.String("queue", r.Queue), slog.String("id", r.ID), slog.Int("attempt", r.Attempt), slog.Duration("duration", r.Duration),
	}
	if r.Err != nil {
		attrs = append(attrs, slog.String("error", textOf(r.Err)))
	}
	_ = contain.Call("the observer", func() error { c.observe(ctx, r); return nil })
	_ = contain.Call("the logger", func() error { c.logger.LogAttrs(ctx, level, message, attrs...); return nil })
}
