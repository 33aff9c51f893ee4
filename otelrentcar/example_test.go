package otelrentcar_test

import (
	"context"
	"fmt"
	"log"
	"sync"

	sdkmetric "go.opentelemetry.io/otel/sdk/metric"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/otelrentcar"
	"github.com/fliggy-go/rentcar/qimen"
)

// One tracer follows a call, the push that answers it, and the work on what the push has brought.
func ExampleTracer() {
	gw := fliggytest.NewGateway()
	defer gw.Close()
	secrets := qimen.Secrets{gw.AppKey(): {gw.AppSecret()}}
	ctx, stop := context.WithCancel(context.Background())
	store := durable.NewMemoryStore()
	spans, reader := tracetest.NewInMemoryExporter(), sdkmetric.NewManualReader() // in real life those of OTLP
	tracers := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	meters := sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))
	newClient := func(_, _ string, opts ...rentcar.Option) (*rentcar.Client, error) { return gw.Client(opts...) }
	appKey, appSecret := gw.AppKey(), gw.AppSecret()

	// Without the providers those that package otel has for the whole program.
	tracer, err := otelrentcar.New(otelrentcar.Config{TracerProvider: tracers, MeterProvider: meters})
	if err != nil {
		log.Fatal(err)
	}
	client, err := newClient(appKey, appSecret, rentcar.WithTracer(tracer))
	if err != nil {
		log.Fatal(err)
	}
	inbox, err := durable.NewInbox(store, durable.Config{Tracer: tracer})
	if err != nil {
		log.Fatal(err)
	}
	handler, err := qimen.NewHandler(secrets, qimen.WithTracer(tracer), qimen.WithStore(inbox.Add),
		qimen.OnEvent(func(context.Context, *qimen.Delivery, events.Event) error {
			stop() // nothing else is to come here
			return nil
		}))
	if err != nil {
		log.Fatal(err)
	}
	queues, err := tracer.ObserveQueues(store, durable.InboxQueue)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = queues.Unregister() }()

	gw.PushToHandler(handler)
	gw.AutoAccept()
	order := gw.AddOrder(fliggytest.SampleOrder())
	if _, err := client.Renewals.Submit(ctx, &rentcar.RenewalSubmitRequest{
		OrderID: order, RenewalOutOrderID: "R-1", ChannelID: "80001",
	}); err != nil {
		log.Fatal(err)
	}
	if err := gw.WaitPushes(ctx); err != nil {
		log.Fatal(err)
	}
	var running sync.WaitGroup
	running.Go(func() { _ = inbox.Run(ctx, handler) })
	running.Wait()
	for _, s := range spans.GetSpans() {
		fmt.Println(s.SpanKind, s.Name)
	}
	var metrics metricdata.ResourceMetrics
	if err := reader.Collect(context.Background(), &metrics); err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(metrics.ScopeMetrics[0].Metrics), "metrics")
	// Unordered output:
	// client POST
	// client alitrip.rentcar.btb.renewal.submit
	// internal store qimen.alitrip.rentcar.btborder.notify
	// server qimen.alitrip.rentcar.btborder.notify
	// internal handle qimen.alitrip.rentcar.btborder.notify
	// consumer process fliggy.inbox
	// 7 metrics
}
