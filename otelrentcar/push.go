package otelrentcar

import (
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/fliggy-go/rentcar/qimen"
)

// TracePushStart is part of qimen.Tracer. A stored event that a durable.Inbox works on is no push: it has the span of
// its item.
func (t *Tracer) TracePushStart(ctx context.Context, header http.Header) context.Context {
	if header == nil && begun(ctx, anItem) != nil {
		return begin(ctx, aPush, nil)
	}
	options := []trace.SpanStartOption{trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(systemName)}
	// A span of the context, such as that of otelhttp, was made of the same headers.
	if !trace.SpanContextFromContext(ctx).IsValid() && header != nil {
		told := t.propagator.Extract(ctx, propagation.HeaderCarrier(header))
		if t.trustHeaders {
			ctx = told
		} else if caller := trace.SpanContextFromContext(told); caller.IsValid() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: caller}))
		}
	}
	ctx, s := t.tracer.Start(ctx, system, options...)
	return begin(ctx, aPush, &span{Span: s, isServed: header != nil})
}

// TracePushEnd is part of qimen.Tracer.
func (t *Tracer) TracePushEnd(ctx context.Context, o qimen.Observation) {
	s := begun(ctx, aPush)
	if s == nil {
		return
	}
	defer s.End()
	problem := problemOf(o)
	attributes := []attribute.KeyValue{systemName, reasonKey.String(word(string(o.Reason)))}
	if o.Method != "" { // empty for a push that was not verified
		attributes = append(attributes, t.method(o.Method))
	}
	if problem != "" {
		attributes = append(attributes, semconv.ErrorTypeKey.String(problem))
	}
	t.pushes.Inst().Record(ctx, o.Duration.Seconds(), metric.WithAttributes(attributes...))
	for hit, is := range map[string]bool{"repeat": o.IsRepeat, "conflict": o.IsConflict} {
		if is {
			t.hits.Add(ctx, 1, metric.WithAttributes(t.method(o.Method), gateHitKey.String(hit)))
			s.SetAttributes(gateHitKey.String(hit))
		}
	}
	if s.IsRecording() {
		s.SetName(t.name(o.Method))
		s.SetAttributes(append(attributes, t.original(o.Method)...)...)
		if s.isServed {
			s.SetAttributes(semconv.HTTPResponseStatusCode(o.Status))
		}
		s.push(o)
	}
}

// TraceFunctionStart is part of qimen.Tracer.
func (t *Tracer) TraceFunctionStart(ctx context.Context, o qimen.Observation) context.Context {
	ctx, s := t.tracer.Start(
		ctx, "handle "+t.name(o.Method), trace.WithAttributes(systemName, t.method(o.Method), attemptKey.Int(o.Attempt)),
	)
	return begin(ctx, aFunction, &span{Span: s, method: o.Method})
}

// TraceFunctionEnd is part of qimen.Tracer.
func (t *Tracer) TraceFunctionEnd(ctx context.Context, o qimen.Observation) {
	s := begun(ctx, aFunction)
	if s == nil {
		return
	}
	defer s.End()
	if s.IsRecording() {
		if o.IsStored || o.Reason == qimen.ReasonNotStored {
			s.SetName("store " + t.name(o.Method))
		}
		if problem := problemOf(o); problem != "" {
			s.SetAttributes(semconv.ErrorTypeKey.String(problem))
		}
		s.push(o)
	}
}

// push describes a push. Like an HTTP server that answers 4xx, it has not failed where it turned away what it was sent.
func (s *span) push(o qimen.Observation) {
	s.SetAttributes(reasonKey.String(word(string(o.Reason))), storedKey.Bool(o.IsStored))
	if o.EventType != 0 {
		s.SetAttributes(eventTypeKey.Int(int(o.EventType)))
	}
	switch problemOf(o) {
	case word(string(qimen.ReasonHandlerError)), word(string(qimen.ReasonBadReply)),
		word(string(qimen.ReasonGateFailed)), word(string(qimen.ReasonNotStored)), word(string(qimen.ReasonPanic)),
		replyNotSent:
		s.SetStatus(codes.Error, "")
	}
}

// replyNotSent is the error type of a push whose reply did not go out, or not whole.
const replyNotSent = "reply_not_sent"

// problemOf returns the error type of a push, or nothing.
func problemOf(o qimen.Observation) string {
	switch {
	case o.Reason != qimen.ReasonAccepted:
		return word(string(o.Reason))
	case o.Err != nil:
		return replyNotSent
	}
	return ""
}
