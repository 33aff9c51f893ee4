package otelrentcar_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/codes"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/otelrentcar"
)

// What became of an attempt is in its span and in the metric.
func TestResults(t *testing.T) {
	t.Parallel()
	secret := errors.New("of " + person)
	for name, c := range map[string]struct {
		o     durable.Observation
		point string
	}{
		"done":    {durable.Observation{Done: true}, "fliggy.item.result=done"},
		"parked":  {durable.Observation{Parked: true, Err: secret}, "error.type=parked fliggy.item.result=parked"},
		"lost":    {durable.Observation{Lost: true, Err: secret}, "error.type=lost fliggy.item.result=lost"},
		"retried": {durable.Observation{Due: time.Unix(1, 0), Err: secret}, "error.type=retried fliggy.item.result=retried"},
		"store":   {durable.Observation{Err: secret}, "error.type=store_failed fliggy.item.result=store_failed"},
		"panic": {
			durable.Observation{Due: time.Unix(1, 0), Err: fmt.Errorf("x: %w", &fliggy.PanicError{Value: person})},
			"error.type=panic fliggy.item.result=retried",
		},
		"timeout": {
			durable.Observation{Due: time.Unix(1, 0), Err: context.DeadlineExceeded},
			"error.type=timeout fliggy.item.result=retried",
		},
	} {
		r := newRig(t, otelrentcar.Config{})
		c.o.Queue, c.o.ID = "q", ours
		r.TraceItemEnd(r.TraceItemStart(t.Context(), &durable.Item{Queue: "q", ID: ours, Attempt: 7}), c.o)
		diff(t, name, []string{c.point + " messaging.destination.name=q messaging.operation.name=process " +
			"messaging.operation.type=process messaging.system=fliggy_rentcar: 1"}, r.points(t, "messaging.process.duration"))
		s := r.span(t, "process q")
		if (s.Status.Code == codes.Error) == c.o.Done || s.Status.Description != "" || valueOf(s, "fliggy.attempt") != "7" {
			t.Errorf("%s: %+v, %s", name, s.Status, texts(s.Attributes))
		}
		if all := r.exported(t); strings.Contains(all, person) || strings.Contains(all, ours) {
			t.Errorf("%s: exported %s", name, all)
		}
	}
}

// An item is a trace of its own, whatever span the context of Run has. What travels with it fits into an Item, also
// with the longest trace state.
func TestTraceOfItem(t *testing.T) {
	t.Parallel()
	r := newRig(t, otelrentcar.Config{})
	state := trace.TraceState{}
	for n := range 3 {
		var err error
		if state, err = state.Insert(fmt.Sprint("key", n), strings.Repeat("%", 150)); err != nil {
			t.Fatal(err)
		}
	}
	for _, state := range []trace.TraceState{{}, state} {
		r.spans.Reset()
		added := trace.NewSpanContext(trace.SpanContextConfig{
			TraceID: trace.TraceID{1}, SpanID: trace.SpanID{2}, TraceFlags: trace.FlagsSampled, TraceState: state,
		})
		text := r.TraceAdd(trace.ContextWithSpanContext(t.Context(), added), "q", "1")
		if len(text) > 1000 || strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) {
			t.Errorf("%d bytes travel: %q", len(text), text)
		}
		ctx, running := r.provider.Tracer("another").Start(t.Context(), "run")
		ctx = r.TraceItemStart(ctx, &durable.Item{Queue: "q", ID: "1", Attempt: 1, Trace: text})
		r.TraceItemEnd(ctx, durable.Observation{Queue: "q", ID: "1", Done: true})
		running.End()
		s := r.span(t, "process q")
		if s.Parent.IsValid() || len(s.Links) != 1 || s.Links[0].SpanContext.SpanID() != added.SpanID() ||
			s.Links[0].SpanContext.TraceID() != added.TraceID() {
			t.Errorf("parent %v, links %+v", s.Parent, s.Links)
		}
	}
	if text := r.TraceAdd(t.Context(), "q", "1"); text != "" {
		t.Errorf("without a span %q travels", text)
	}
}

// queues is a store that counts as it is told.
type queues struct {
	durable.Store
	panics bool
}

func (q queues) Count(_ context.Context, queue string) (c durable.Counts, err error) {
	switch {
	case queue != "broken":
		return durable.Counts{Waiting: 3, Parked: 1, Age: 90 * time.Second}, nil
	case q.panics:
		panic("in the store")
	}
	return c, errors.New("the database is away")
}

// The gauges of a queue are there while it is observed. A store that fails leaves out its queue and no other.
func TestObserveQueues(t *testing.T) {
	t.Parallel()
	for _, panics := range []bool{false, true} {
		r := newRig(t, otelrentcar.Config{})
		observed, err := r.ObserveQueues(queues{panics: panics}, "broken", "q")
		if err != nil {
			t.Fatal(err)
		}
		var all metricdata.ResourceMetrics
		if err := r.reader.Collect(t.Context(), &all); err == nil || !strings.Contains(err.Error(), "counting broken: ") {
			t.Errorf("collecting: %v", err)
		}
		got := map[string][]string{}
		for _, m := range all.ScopeMetrics[0].Metrics {
			switch data := m.Data.(type) {
			case metricdata.Gauge[int64]:
				for _, p := range data.DataPoints {
					got[m.Name] = append(got[m.Name], fmt.Sprint(texts(p.Attributes.ToSlice()), " ", p.Value))
				}
			case metricdata.Gauge[float64]:
				for _, p := range data.DataPoints {
					got[m.Name] = append(got[m.Name], fmt.Sprint(texts(p.Attributes.ToSlice()), " ", p.Value))
				}
			}
		}
		const of = "messaging.destination.name=q messaging.system=fliggy_rentcar "
		diff(t, "gauges", map[string][]string{
			"fliggy.queue.waiting": {of + "3"}, "fliggy.queue.parked": {of + "1"}, "fliggy.queue.age": {of + "90"},
		}, got)
		if err := observed.Unregister(); err != nil {
			t.Fatal(err)
		}
		if n := len(r.metrics(t)); n != 0 {
			t.Errorf("%d metrics after Unregister", n)
		}
	}
	r := newRig(t, otelrentcar.Config{})
	for name, observe := range map[string]func() error{
		"no store":  func() error { _, err := r.ObserveQueues(nil, "q"); return err },
		"no queues": func() error { _, err := r.ObserveQueues(queues{}); return err },
	} {
		if observe() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// The zero Config has the global providers, which do nothing until they are set.
func TestGlobals(t *testing.T) { //nolint:paralleltest // the globals
	reader := sdkmetric.NewManualReader()
	provider := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	old := otel.GetMeterProvider()
	otel.SetMeterProvider(provider)
	defer otel.SetMeterProvider(old)
	tracer, err := otelrentcar.New(otelrentcar.Config{})
	if err != nil {
		t.Fatal(err)
	}
	tracer.TraceItemEnd(tracer.TraceItemStart(t.Context(), &durable.Item{Queue: "q"}), durable.Observation{Queue: "q"})
	var all metricdata.ResourceMetrics
	if err := reader.Collect(t.Context(), &all); err != nil || len(all.ScopeMetrics) != 1 ||
		all.ScopeMetrics[0].Scope.Name != otelrentcar.ScopeName || all.ScopeMetrics[0].Scope.SchemaURL != semconv.SchemaURL {
		t.Errorf("collected %+v: %v", all, err)
	}
}
