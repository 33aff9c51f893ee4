package rentcar

import (
	"context"
	"strings"
)

// A Tracer follows calls and their attempts, to make spans of them. Each start returns the context that the call, or
// the attempt, goes on with; observers, loggers and the transport get it too. Each start is followed by its end.
// Package otelrentcar, a module of its own, is a Tracer for OpenTelemetry.
//
// Like an observer, a tracer must not block, and its panics change nothing. Where a start returns nil, or panics, the
// context stays what it was.
type Tracer interface {
	// TraceCallStart is called when a call begins, one that turns out not to be sent included.
	TraceCallStart(ctx context.Context, call CallStart) context.Context
	// TraceCallEnd is called when a call is over, after the observers.
	TraceCallEnd(ctx context.Context, o Observation)
	// TraceAttemptStart is called before each attempt, which is one HTTP request.
	TraceAttemptStart(ctx context.Context, attempt AttemptStart) context.Context
	// TraceAttemptEnd is called when an attempt is over, after the observers.
	TraceAttemptEnd(ctx context.Context, o Observation)
}

// A CallStart is a call that begins.
type CallStart struct {
	Method string // API name, as it was given
}

// An AttemptStart is an attempt that begins.
type AttemptStart struct {
	Method  string // API name
	Attempt int    // counts from 1
	URL     string // address of the gateway, without user, query and fragment
}

// WithTracer sets the tracer of calls and attempts. There is one: the last counts.
func WithTracer(t Tracer) Option {
	return option(t != nil, "the tracer is nil: leave the option out for none",
		func(c *config) { c.tracer = t })
}

// traceCall lets the tracer begin a call.
func (c *Client) traceCall(ctx context.Context, method string) context.Context {
	if c.cfg.tracer == nil {
		return ctx
	}
	return c.started(ctx, func() context.Context { return c.cfg.tracer.TraceCallStart(ctx, CallStart{Method: method}) })
}

// traceAttempt lets the tracer begin an attempt.
func (c *Client) traceAttempt(ctx context.Context, cl *call, n int) context.Context {
	if c.cfg.tracer == nil {
		return ctx
	}
	address, _, _ := strings.Cut(cl.to, "?")
	start := AttemptStart{Method: cl.method, Attempt: n, URL: address}
	return c.started(ctx, func() context.Context { return c.cfg.tracer.TraceAttemptStart(ctx, start) })
}

// started returns the context that a start returns, or ctx where it returns none.
func (c *Client) started(ctx context.Context, start func() context.Context) context.Context {
	var own context.Context
	c.tell(ctx, "the tracer", func() { own = start() })
	if own == nil {
		return ctx
	}
	return own
}

// traceEnd lets the tracer end an attempt or a call.
func (c *Client) traceEnd(ctx context.Context, o Observation) {
	switch t := c.cfg.tracer; {
	case t == nil:
	case o.Done:
		c.tell(ctx, "the tracer", func() { t.TraceCallEnd(ctx, o) })
	default:
		c.tell(ctx, "the tracer", func() { t.TraceAttemptEnd(ctx, o) })
	}
}
