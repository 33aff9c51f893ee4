package qimen

import (
	"context"
	"errors"
	"net/http"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A Tracer follows pushes and your functions, to make spans of them. Each start returns the context that the push, or
// the function, goes on with; observers and the logger get it too. Each start is followed by its end. Package
// otelrentcar, a module of its own, is a Tracer for OpenTelemetry.
//
// Like an observer, a tracer must not block, and its panics change nothing. If a start returns nil, or panics, the
// context stays what it was. A function of yours that calls runtime.Goexit ends the goroutine of its push, and with it
// the observation: the push has no end then.
type Tracer interface {
	// TracePushStart is called when a push arrives, before it is read. header is that of the request. It is nil for
	// [Handler.Handle], which may have no request, and for [Handler.Work].
	TracePushStart(ctx context.Context, header http.Header) context.Context
	// TracePushEnd is called when a push is answered, after the observers.
	TracePushEnd(ctx context.Context, o Observation)
	// TraceFunctionStart is called before your function, or that of [WithStore], with what is known of the push.
	TraceFunctionStart(ctx context.Context, o Observation) context.Context
	// TraceFunctionEnd is called after the function. Reason and Err are those of the function; Status and Duration are
	// unset.
	TraceFunctionEnd(ctx context.Context, o Observation)
}

// WithTracer sets the tracer of pushes and functions. There is one: the last counts.
func WithTracer(t Tracer) Option {
	return func(c *config) error {
		if t == nil {
			return errors.New("WithTracer: the tracer is nil: leave the option out for none")
		}
		c.tracer = t
		return nil
	}
}

// tracePush lets the tracer begin a push.
func (c *config) tracePush(ctx context.Context, header http.Header) context.Context {
	if c.tracer == nil {
		return ctx
	}
	return started(ctx, func() context.Context { return c.tracer.TracePushStart(ctx, header) })
}

// traceFunction lets the tracer begin a function.
func (c *config) traceFunction(ctx context.Context, o *Observation) context.Context {
	if c.tracer == nil {
		return ctx
	}
	return started(ctx, func() context.Context { return c.tracer.TraceFunctionStart(ctx, *o) })
}

// started returns the context that a start returns, or ctx if it returns none.
func started(ctx context.Context, start func() context.Context) (own context.Context) {
	defer contain(func(*fliggy.PanicError) { own = ctx })
	if own = start(); own == nil {
		return ctx
	}
	return own
}

// traceEnd lets the tracer end a push or a function.
func (c *config) traceEnd(end func(Tracer)) {
	if c.tracer == nil {
		return
	}
	defer contain(func(*fliggy.PanicError) {})
	end(c.tracer)
}
