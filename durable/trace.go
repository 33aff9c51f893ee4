package durable

import (
	"context"

	"github.com/fliggy-go/rentcar/internal/contain"
)

// A Tracer follows items from the process that adds them to the one that works on them, to make spans of them. Package
// otelrentcar, a module of its own, is a Tracer for OpenTelemetry.
//
// Like an observer, a tracer must not block, and its panics change nothing. Where a start returns nil, or panics, the
// context stays what it was.
type Tracer interface {
	// TraceAdd is called before an item is stored. What it returns travels with the item as its Trace: printable ASCII
	// without spaces, 1,000 bytes at most. Other text is dropped. Of an item that is added twice the first counts.
	TraceAdd(ctx context.Context, queue, id string) (trace string)
	// TraceItemStart is called before an attempt. The context that it returns is what the function gets.
	TraceItemStart(ctx context.Context, item *Item) context.Context
	// TraceItemEnd is called when the attempt is over, and the item marked or put back, after the observer.
	TraceItemEnd(ctx context.Context, o Observation)
}

// maxTrace bounds what travels with an item.
const maxTrace = 1000

// traceAdd asks the tracer what travels with an item.
func (c *Config) traceAdd(ctx context.Context, queue, id string) string {
	if c.Tracer == nil {
		return ""
	}
	var trace string
	_ = contain.Call("the tracer", func() error { trace = c.Tracer.TraceAdd(ctx, queue, id); return nil })
	if !isName(trace, maxTrace) {
		return ""
	}
	return trace
}

// traceItem lets the tracer begin an attempt.
func (c *Config) traceItem(ctx context.Context, item *Item) context.Context {
	if c.Tracer == nil {
		return ctx
	}
	var own context.Context
	handed := *item
	_ = contain.Call("the tracer", func() error { own = c.Tracer.TraceItemStart(ctx, &handed); return nil })
	if own == nil {
		return ctx
	}
	return own
}

// traceEnd lets the tracer end an attempt. An observation without an item is of none.
func (c *Config) traceEnd(ctx context.Context, o Observation) {
	if c.Tracer == nil || o.ID == "" {
		return
	}
	ended := o // the function below would move o to the heap where there is no tracer, too
	_ = contain.Call("the tracer", func() error { c.Tracer.TraceItemEnd(ctx, ended); return nil })
}
