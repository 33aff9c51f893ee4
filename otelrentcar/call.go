package otelrentcar

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// TraceCallStart is part of rentcar.Tracer.
func (t *Tracer) TraceCallStart(ctx context.Context, call rentcar.CallStart) context.Context {
	attributes := append([]attribute.KeyValue{systemName, t.method(call.Method)}, t.original(call.Method)...)
	ctx, s := t.tracer.Start(
		ctx, t.name(call.Method), trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...),
	)
	return begin(ctx, aCall, &span{Span: s, method: call.Method})
}

// TraceCallEnd is part of rentcar.Tracer.
func (t *Tracer) TraceCallEnd(ctx context.Context, o rentcar.Observation) {
	s := begun(ctx, aCall)
	if s == nil {
		return
	}
	defer s.End()
	attributes := append([]attribute.KeyValue{
		systemName, t.method(o.Method), outcomeKey.String(word(o.Outcome.String())),
	}, s.server...)
	if o.Err != nil {
		attributes = append(attributes, semconv.ErrorTypeKey.String(errorType(o.Err)))
	}
	t.calls.Inst().Record(ctx, o.Duration.Seconds(), metric.WithAttributes(attributes...))
	if errors.As(o.Err, new(*rentcar.RateLimitError)) {
		t.ban(ctx, o.Method, "client")
	}
	if s.IsRecording() {
		s.SetAttributes(append(s.server, attemptsKey.Int(o.Attempt))...)
		s.observe(o)
	}
}

// TraceAttemptStart is part of rentcar.Tracer.
func (t *Tracer) TraceAttemptStart(ctx context.Context, attempt rentcar.AttemptStart) context.Context {
	server := serverOf(attempt.URL)
	if call := begun(ctx, aCall); call != nil {
		call.server = server
	}
	attributes := append([]attribute.KeyValue{
		semconv.HTTPRequestMethodPost, semconv.URLFull(attempt.URL), t.method(attempt.Method),
	}, server...)
	if attempt.Attempt > 1 {
		attributes = append(attributes, semconv.HTTPRequestResendCount(attempt.Attempt-1))
	}
	ctx, s := t.tracer.Start(
		ctx, "POST", trace.WithSpanKind(trace.SpanKindClient), trace.WithAttributes(attributes...),
	)
	return begin(ctx, anAttempt, &span{Span: s, method: attempt.Method, server: server})
}

// TraceAttemptEnd is part of rentcar.Tracer.
func (t *Tracer) TraceAttemptEnd(ctx context.Context, o rentcar.Observation) {
	s := begun(ctx, anAttempt)
	if s == nil {
		return
	}
	defer s.End()
	attributes := append([]attribute.KeyValue{semconv.HTTPRequestMethodPost, t.method(o.Method)}, s.server...)
	if o.HTTPStatus != 0 {
		status := semconv.HTTPResponseStatusCode(o.HTTPStatus)
		attributes = append(attributes, status)
		s.SetAttributes(status)
	}
	if o.Err != nil {
		attributes = append(attributes, semconv.ErrorTypeKey.String(errorType(o.Err)))
	}
	t.attempts.Inst().Record(ctx, o.Duration.Seconds(), metric.WithAttributes(attributes...))
	if errors.Is(o.Err, rentcar.ErrRateLimited) {
		t.ban(ctx, o.Method, "gateway")
	}
	if s.IsRecording() {
		s.observe(o)
	}
}

func (t *Tracer) ban(ctx context.Context, method, source string) {
	t.bans.Add(ctx, 1, metric.WithAttributes(t.method(method), banSourceKey.String(source)))
}

// observe describes how a call or an attempt ended.
func (s *span) observe(o rentcar.Observation) {
	s.SetAttributes(outcomeKey.String(word(o.Outcome.String())))
	for key, text := range map[attribute.Key]string{
		semconv.RPCResponseStatusCodeKey: o.Code, subCodeKey: o.SubCode, requestIDKey: o.RequestID,
	} {
		if text = plain(text); text != "" {
			s.SetAttributes(key.String(text))
		}
	}
	if o.Err != nil {
		s.fail(errorType(o.Err), brief(o.Err.Error()))
	}
}

// serverOf returns the address and the port of a URL.
func serverOf(address string) []attribute.KeyValue {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() == "" {
		return nil
	}
	port, err := strconv.Atoi(u.Port())
	if err != nil {
		port = map[string]int{"http": 80, "https": 443}[u.Scheme]
	}
	return []attribute.KeyValue{semconv.ServerAddress(u.Hostname()), semconv.ServerPort(port)}
}

// errorType returns the class of the error of a call or an attempt.
func errorType(err error) string {
	var transport *rentcar.TransportError
	switch {
	case errors.As(err, new(*fliggy.PanicError)):
		return "panic"
	case errors.Is(err, rentcar.ErrRateLimited):
		return "rate_limited"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &transport):
		return transportType(transport)
	case errors.Is(err, rentcar.ErrUnauthorized):
		return "unauthorized"
	case errors.Is(err, rentcar.ErrForbidden):
		return "forbidden"
	case errors.As(err, new(*rentcar.BusinessError)):
		return "business"
	case errors.Is(err, fliggy.ErrInvalidRequest):
		return "invalid_request"
	case errors.As(err, new(*rentcar.DecodeError)):
		return "undecodable"
	case errors.Is(err, rentcar.ErrUnavailable):
		return "unavailable"
	}
	return "_OTHER"
}

func transportType(err *rentcar.TransportError) string {
	switch err.Phase {
	case rentcar.PhaseBefore:
		return "before_sending"
	case rentcar.PhaseConnect:
		return "connecting"
	case rentcar.PhaseSend:
		return "sending"
	case rentcar.PhaseRead:
		return "reading"
	}
	return strconv.Itoa(err.HTTPStatus)
}

// word turns words into one, as values of attributes are written.
func word(text string) string { return strings.ReplaceAll(strings.ToLower(text), " ", "_") }

// brief shortens a text to what the description of a span may have.
func brief(text string) string {
	const most = 256
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most-3], "") + "..."
}
