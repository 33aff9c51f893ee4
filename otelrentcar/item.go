package otelrentcar

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggy"
)

var (
	messagingSystem = semconv.MessagingSystemKey.String("fliggy_rentcar")
	processing      = semconv.MessagingOperationName("process")
)

// w3c is the format of what travels with an item, whatever the headers of pushes have.
var w3c propagation.TraceContext

// mostTrace is how long that may be: what is longer goes without trace state.
const mostTrace = 1000

// TraceAdd is part of durable.Tracer. It returns the span of ctx as text.
func (t *Tracer) TraceAdd(ctx context.Context, _, _ string) string {
	carrier := propagation.MapCarrier{}
	w3c.Inject(ctx, carrier)
	values := url.Values{}
	for key, value := range carrier {
		values.Set(key, value)
	}
	if text := values.Encode(); len(text) <= mostTrace {
		return text
	}
	return url.Values{"traceparent": {carrier["traceparent"]}}.Encode()
}

// TraceItemStart is part of durable.Tracer.
func (t *Tracer) TraceItemStart(ctx context.Context, item *durable.Item) context.Context {
	options := []trace.SpanStartOption{
		trace.WithNewRoot(), // the context is that of Run, which may be anybody's
		trace.WithSpanKind(trace.SpanKindConsumer), trace.WithAttributes(
			messagingSystem, processing, semconv.MessagingOperationTypeProcess,
			semconv.MessagingDestinationName(item.Queue), attemptKey.Int(item.Attempt),
		),
	}
	if values, err := url.ParseQuery(item.Trace); err == nil {
		carrier := propagation.MapCarrier{}
		for key := range values {
			carrier[key] = values.Get(key)
		}
		added := trace.SpanContextFromContext(w3c.Extract(context.Background(), carrier))
		if added.IsValid() {
			options = append(options, trace.WithLinks(trace.Link{SpanContext: added}))
		}
	}
	ctx, s := t.tracer.Start(ctx, "process "+item.Queue, options...)
	return begin(ctx, anItem, &span{Span: s, queue: item.Queue})
}

// TraceItemEnd is part of durable.Tracer.
func (t *Tracer) TraceItemEnd(ctx context.Context, o durable.Observation) {
	s := begun(ctx, anItem)
	if s == nil {
		return
	}
	defer s.End()
	result := resultOf(o)
	attributes := []attribute.KeyValue{
		messagingSystem, processing, semconv.MessagingOperationTypeProcess, semconv.MessagingDestinationName(o.Queue),
		itemResultKey.String(result),
	}
	s.SetAttributes(itemResultKey.String(result))
	if !o.Done {
		switch {
		case errors.As(o.Err, new(*fliggy.PanicError)):
			result = "panic"
		case errors.Is(o.Err, context.DeadlineExceeded):
			result = "timeout"
		}
		attributes = append(attributes, semconv.ErrorTypeKey.String(result))
		s.fail(result, "")
	}
	t.items.Inst().Record(ctx, o.Duration.Seconds(), metric.WithAttributes(attributes...))
}

func resultOf(o durable.Observation) string {
	switch {
	case o.Done:
		return "done"
	case o.Parked:
		return "parked"
	case o.Lost:
		return "lost"
	case o.Due.IsZero():
		return "store_failed"
	}
	return "retried"
}

// ObserveQueues measures the queues of a store whenever metrics are read: how many items wait, how long the oldest is
// due, and how many are parked. Each process that observes one store tells the same numbers: take one of them, or their
// maximum, and not the sum. A store that does not answer leaves the queue out, and its error goes to the handler of
// errors of package otel. Unregister ends it.
func (t *Tracer) ObserveQueues(store durable.CountStore, queues ...string) (metric.Registration, error) {
	if store == nil || len(queues) == 0 {
		return nil, errors.New("otelrentcar: ObserveQueues: name a store and at least one queue")
	}
	var problems [4]error
	var waiting, parked metric.Int64ObservableGauge
	var age metric.Float64ObservableGauge
	var registration metric.Registration
	waiting, problems[0] = t.meter.Int64ObservableGauge("fliggy.queue.waiting", metric.WithUnit("{item}"),
		metric.WithDescription("Items that wait, those that are being worked on included."))
	parked, problems[1] = t.meter.Int64ObservableGauge("fliggy.queue.parked", metric.WithUnit("{item}"),
		metric.WithDescription("Items that are set aside as dead letters."))
	age, problems[2] = t.meter.Float64ObservableGauge("fliggy.queue.age", metric.WithUnit("s"),
		metric.WithDescription("How long the waiting item that has been due longest is due."))
	if errors.Join(problems[:]...) == nil {
		registration, problems[3] = t.meter.RegisterCallback(func(ctx context.Context, o metric.Observer) error {
			var failed []error
			for _, queue := range queues {
				counts, err := count(ctx, store, queue)
				if err != nil {
					failed = append(failed, fmt.Errorf("otelrentcar: counting %s: %w", queue, err))
					continue
				}
				of := metric.WithAttributes(messagingSystem, semconv.MessagingDestinationName(queue))
				o.ObserveInt64(waiting, counts.Waiting, of)
				o.ObserveInt64(parked, counts.Parked, of)
				o.ObserveFloat64(age, counts.Age.Seconds(), of)
			}
			return errors.Join(failed...)
		}, waiting, parked, age)
	}
	if err := errors.Join(problems[:]...); err != nil {
		return nil, fmt.Errorf("otelrentcar: %w", err)
	}
	return registration, nil
}

// count asks the store. A panic of it is an error, since it would end the process that reads the metrics.
func count(ctx context.Context, store durable.CountStore, queue string) (counts durable.Counts, err error) {
	defer func() {
		if value := recover(); value != nil {
			err = &fliggy.PanicError{Func: "the store", Value: value}
		}
	}()
	return store.Count(ctx, queue)
}
