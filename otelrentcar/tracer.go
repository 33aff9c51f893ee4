package otelrentcar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/metric"
	"go.opentelemetry.io/otel/propagation"
	semconv "go.opentelemetry.io/otel/semconv/v1.43.0"
	"go.opentelemetry.io/otel/semconv/v1.43.0/httpconv"
	"go.opentelemetry.io/otel/semconv/v1.43.0/messagingconv"
	"go.opentelemetry.io/otel/semconv/v1.43.0/rpcconv"
	"go.opentelemetry.io/otel/trace"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/qimen"
)

// ScopeName is the name of the instrumentation scope of all spans and metrics.
const ScopeName = "github.com/fliggy-go/rentcar/otelrentcar"

// A Config configures a Tracer. The zero Config has the defaults.
type Config struct {
	// TracerProvider makes the spans. The default is the global one.
	TracerProvider trace.TracerProvider
	// MeterProvider makes the metrics. The default is the global one.
	MeterProvider metric.MeterProvider
	// Propagator reads the headers of pushes. The default is the global one. What travels with durable items is always in
	// the format of W3C Trace Context, without baggage, since it lies in your database.
	Propagator propagation.TextMapPropagator
	// TrustHeaders makes a push the child of the span that its headers name. It is for handlers that only a proxy of your
	// own can reach. Without it such a span is only linked: a stranger could choose the trace, and whether it is sampled.
	TrustHeaders bool
	// Methods are further API names that spans and metrics may have: those that you pass to rentcar.Client.Call or to
	// qimen.WithEventMethod. All names that are not known count as one, _OTHER, so that their number is bounded.
	Methods []string
}

// A Tracer makes spans and metrics of calls, pushes and durable items. Make it with [New]. It is safe for concurrent
// use.
type Tracer struct {
	tracer       trace.Tracer
	meter        metric.Meter
	propagator   propagation.TextMapPropagator
	trustHeaders bool
	methods      []string // sorted

	calls    rpcconv.ClientCallDuration
	attempts httpconv.ClientRequestDuration
	bans     metric.Int64Counter
	pushes   rpcconv.ServerCallDuration
	hits     metric.Int64Counter
	items    messagingconv.ProcessDuration
}

var (
	_ rentcar.Tracer = (*Tracer)(nil)
	_ qimen.Tracer   = (*Tracer)(nil)
	_ durable.Tracer = (*Tracer)(nil)
)

// New makes a Tracer. The error is that of a meter that refuses an instrument.
func New(cfg Config) (*Tracer, error) {
	if cfg.TracerProvider == nil {
		cfg.TracerProvider = otel.GetTracerProvider()
	}
	if cfg.MeterProvider == nil {
		cfg.MeterProvider = otel.GetMeterProvider()
	}
	if cfg.Propagator == nil {
		cfg.Propagator = otel.GetTextMapPropagator()
	}
	t := &Tracer{
		tracer: cfg.TracerProvider.Tracer(
			ScopeName, trace.WithInstrumentationVersion(rentcar.Version), trace.WithSchemaURL(semconv.SchemaURL),
		),
		meter: cfg.MeterProvider.Meter(
			ScopeName, metric.WithInstrumentationVersion(rentcar.Version), metric.WithSchemaURL(semconv.SchemaURL),
		),
		propagator: cfg.Propagator, trustHeaders: cfg.TrustHeaders,
		methods: slices.Concat(rentcar.Methods(), cfg.Methods, []string{
			qimen.DefaultEventMethod, qimen.RenewalPricesMethod, qimen.RenewalSubmitMethod, qimen.RenewalCancelMethod,
		}),
	}
	slices.Sort(t.methods)
	var problems [6]error
	t.calls, problems[0] = rpcconv.NewClientCallDuration(t.meter)
	t.attempts, problems[1] = httpconv.NewClientRequestDuration(t.meter)
	t.bans, problems[2] = t.meter.Int64Counter("fliggy.client.bans", metric.WithUnit("{refusal}"),
		metric.WithDescription("Refusals of calls by flow control."))
	t.pushes, problems[3] = rpcconv.NewServerCallDuration(t.meter)
	t.hits, problems[4] = t.meter.Int64Counter("fliggy.gate.hits", metric.WithUnit("{message}"),
		metric.WithDescription("Pushed messages that the gate knew, or whose ids it knew."))
	t.items, problems[5] = messagingconv.NewProcessDuration(t.meter)
	if err := errors.Join(problems[:]...); err != nil {
		return nil, fmt.Errorf("otelrentcar: %w", err)
	}
	return t, nil
}

// The attributes that the semantic conventions do not have.
const (
	outcomeKey    = attribute.Key("fliggy.outcome")
	requestIDKey  = attribute.Key("fliggy.request_id")
	subCodeKey    = attribute.Key("fliggy.sub_code")
	attemptKey    = attribute.Key("fliggy.attempt")
	attemptsKey   = attribute.Key("fliggy.attempts")
	banSourceKey  = attribute.Key("fliggy.ban.source")
	reasonKey     = attribute.Key("fliggy.reason")
	eventTypeKey  = attribute.Key("fliggy.event.type")
	storedKey     = attribute.Key("fliggy.stored")
	gateHitKey    = attribute.Key("fliggy.gate.hit")
	itemResultKey = attribute.Key("fliggy.item.result")
)

// system is the value of rpc.system.name: the protocol of TOP and Qimen.
const system = "taobao_top"

var (
	systemName = semconv.RPCSystemNameKey.String(system)
	other      = semconv.RPCMethod("_OTHER")
)

// method returns the attribute for an API name.
func (t *Tracer) method(name string) attribute.KeyValue {
	if _, known := slices.BinarySearch(t.methods, name); known {
		return semconv.RPCMethod(name)
	}
	return other
}

// name returns what a span of a method is called.
func (t *Tracer) name(method string) string {
	if _, known := slices.BinarySearch(t.methods, method); known {
		return method
	}
	return system
}

// original returns the attribute for an API name that is not known, if it looks like one.
func (t *Tracer) original(method string) []attribute.KeyValue {
	if t.method(method) != other || plain(method) == "" {
		return nil
	}
	return []attribute.KeyValue{semconv.RPCMethodOriginal(method)}
}

// plain returns text that looks like a code or a name, and nothing in the place of any other.
func plain(text string) string {
	const most, also = 100, "._:/-"
	bad := func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && !strings.ContainsRune(also, r)
	}
	if len(text) > most || strings.ContainsFunc(text, bad) {
		return ""
	}
	return text
}

// Each kind of span has a key of its own in the context, so that an end finds the span of its start and no other.
type kind int

const (
	aCall kind = iota
	anAttempt
	aPush
	aFunction
	anItem
)

// A span is what an end has to know of its start.
type span struct {
	trace.Span
	method, queue string
	server        []attribute.KeyValue // address and port of the gateway, once an attempt knows them
	isServed      bool                 // the push came over HTTP
}

// begin returns the context with a span in it.
func begin(ctx context.Context, k kind, s *span) context.Context { return context.WithValue(ctx, k, s) }

// begun returns the span that was begun with a context, or nil.
func begun(ctx context.Context, k kind) *span {
	s, _ := ctx.Value(k).(*span)
	return s
}

// fail marks a span as failed.
func (s *span) fail(errorType, description string) {
	s.SetAttributes(semconv.ErrorTypeKey.String(errorType))
	s.SetStatus(codes.Error, description)
}
