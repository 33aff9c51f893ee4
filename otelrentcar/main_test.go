package otelrentcar_test

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/propagation"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	"go.uber.org/goleak"

	"github.com/fliggy-go/rentcar/otelrentcar"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A rig is a tracer whose spans and metrics can be looked at.
type rig struct {
	*otelrentcar.Tracer
	provider *sdktrace.TracerProvider
	spans    *tracetest.InMemoryExporter
	reader   *sdkmetric.ManualReader
}

func newRig(t testing.TB, cfg otelrentcar.Config) *rig {
	t.Helper()
	r := &rig{spans: tracetest.NewInMemoryExporter(), reader: sdkmetric.NewManualReader()}
	r.provider = sdktrace.NewTracerProvider(sdktrace.WithSyncer(r.spans))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(r.reader))
	cfg.TracerProvider, cfg.Propagator = r.provider, propagation.TraceContext{}
	if cfg.MeterProvider == nil {
		cfg.MeterProvider = meters
	}
	tracer, err := otelrentcar.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_, _ = r.provider.Shutdown(ctx), meters.Shutdown(ctx)
	})
	r.Tracer = tracer
	return r
}

// metrics returns what the reader collects, without times and exemplars.
func (r *rig) metrics(t testing.TB) map[string]metricdata.Metrics {
	t.Helper()
	var all metricdata.ResourceMetrics
	if err := r.reader.Collect(t.Context(), &all); err != nil {
		t.Fatal(err)
	}
	byName := map[string]metricdata.Metrics{}
	for _, scope := range all.ScopeMetrics {
		for _, m := range scope.Metrics {
			byName[m.Name] = m
		}
	}
	return byName
}

// points lists the data points of a metric in lines: their attributes, and how many measurements or what value.
func (r *rig) points(t testing.TB, name string) (lines []string) {
	t.Helper()
	switch data := r.metrics(t)[name].Data.(type) {
	case metricdata.Histogram[float64]:
		for _, p := range data.DataPoints {
			lines = append(lines, fmt.Sprintf("%s: %d", texts(p.Attributes.ToSlice()), p.Count))
		}
	case metricdata.Sum[int64]:
		for _, p := range data.DataPoints {
			lines = append(lines, fmt.Sprintf("%s: %d", texts(p.Attributes.ToSlice()), p.Value))
		}
	case metricdata.Gauge[int64]:
		for _, p := range data.DataPoints {
			lines = append(lines, fmt.Sprintf("%s: %d", texts(p.Attributes.ToSlice()), p.Value))
		}
	case metricdata.Gauge[float64]:
		for _, p := range data.DataPoints {
			lines = append(lines, fmt.Sprintf("%s: %g", texts(p.Attributes.ToSlice()), p.Value))
		}
	}
	slices.Sort(lines)
	return lines
}

// texts writes attributes in one line, in order. That of the server is left out: its port is another each time.
func texts(attributes []attribute.KeyValue) string {
	var list []string
	for _, a := range attributes {
		if !strings.HasPrefix(string(a.Key), "server.") && a.Key != "url.full" {
			list = append(list, string(a.Key)+"="+a.Value.String())
		}
	}
	slices.Sort(list)
	return strings.Join(list, " ")
}

// exported is everything that leaves the process, as text.
func (r *rig) exported(t testing.TB) string {
	t.Helper()
	var b strings.Builder
	for _, s := range r.spans.GetSpans() {
		fmt.Fprintf(&b, "%s %v %+v %+v %+v\n", s.Name, s.Attributes, s.Status, s.Events, s.Links)
	}
	for _, m := range r.metrics(t) {
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(text)
	}
	return b.String()
}

// tree writes spans in lines, each below its parent, with its kind, and the spans that it is linked to.
func (r *rig) tree() string {
	spans := r.spans.GetSpans()
	slices.SortStableFunc(spans, func(a, b tracetest.SpanStub) int { return a.StartTime.Compare(b.StartTime) })
	names := map[string]string{}
	for _, s := range spans {
		names[s.SpanContext.SpanID().String()] = s.Name
	}
	var b strings.Builder
	var write func(parent, indent string)
	write = func(parent, indent string) {
		for _, s := range spans {
			above := ""
			if s.Parent.IsValid() {
				above = s.Parent.SpanID().String()
			}
			if above != parent {
				continue
			}
			fmt.Fprintf(&b, "%s%s (%s)", indent, s.Name, s.SpanKind)
			for _, link := range s.Links {
				fmt.Fprintf(&b, " -> %s", names[link.SpanContext.SpanID().String()])
			}
			b.WriteString("\n")
			write(s.SpanContext.SpanID().String(), indent+"  ")
		}
	}
	write("", "")
	return b.String()
}

// span returns the span of a name, which must be there once.
func (r *rig) span(t testing.TB, name string) tracetest.SpanStub {
	t.Helper()
	var found []tracetest.SpanStub
	for _, s := range r.spans.GetSpans() {
		if s.Name == name {
			found = append(found, s)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d spans named %q in\n%s", len(found), name, r.tree())
	}
	return found[0]
}

func diff(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}
