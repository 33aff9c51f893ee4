package otelrentcar_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	exporter "go.opentelemetry.io/otel/exporters/prometheus"
	sdkmetric "go.opentelemetry.io/otel/sdk/metric"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/otelrentcar"
)

// What Prometheus scrapes after the story. Durations, and with them sums and all buckets but the last, are another each
// time, and so is the port of the gateway.
func TestPrometheus(t *testing.T) {
	t.Parallel()
	registry := prometheus.NewRegistry()
	reader, err := exporter.New(
		exporter.WithRegisterer(registry), exporter.WithoutTargetInfo(), exporter.WithoutScopeInfo(),
	)
	if err != nil {
		t.Fatal(err)
	}
	r := newRig(t, otelrentcar.Config{MeterProvider: sdkmetric.NewMeterProvider(sdkmetric.WithReader(reader))})
	s := tell(t, r)
	if _, err := r.ObserveQueues(s.store, durable.InboxQueue, durable.OutboxQueue); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	defer server.Close()
	want, err := os.ReadFile("testdata/scrape.txt")
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "scrape", string(want), steady(get(t, server.URL)))
}

func get(t *testing.T, url string) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatal(resp.Status, err)
	}
	return string(text)
}

// steady leaves out what is another each time.
func steady(scrape string) string {
	var b strings.Builder
	for line := range strings.Lines(scrape) {
		if strings.Contains(line, "_sum{") || strings.Contains(line, "_bucket{") && !strings.Contains(line, `le="+Inf"`) {
			continue
		}
		b.WriteString(regexp.MustCompile(`server_port="\d+"`).ReplaceAllString(line, `server_port="PORT"`))
	}
	return b.String()
}
