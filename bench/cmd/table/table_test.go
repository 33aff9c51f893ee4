package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestResults(t *testing.T) {
	t.Parallel()
	r := results{}
	for _, out := range []string{
		"goos: linux\nBenchmarkSmall/ours-2 \t 100\t 10000 ns/op\t 512 B/op\t 40 allocs/op\nBenchmarkSmall/std-2 100 20000 ns/op 2048 B/op 80 allocs/op\nPASS\n",
		"BenchmarkSmall/ours 100 30000 ns/op 512 B/op 40 allocs/op\nBenchmarkSmall/std 100 50000 ns/op 2048 B/op 80 allocs/op\n",
		"BenchmarkSmall/ours-2 100 12000 ns/op 512 B/op 40 allocs/op\nBenchmarkSmall/std-2 100 10000 ns/op 2048 B/op 80 allocs/op\n",
		"BenchmarkPush/standard-webhooks-16 100 9 ns/op\nBenchmarkPush/std-16 100 6 ns/op\n",
		"BenchmarkLoopback64/ours-2 100 9 ns/op 64.00 connections 1380 calls\n",
		"BenchmarkGrowth/lines=100/ours-2 100 20000 ns/op 512 B/op 7 allocs/op\nBenchmarkGrowth/lines=10/ours-2 100 1000 ns/op 512 B/op 7 allocs/op\n",
	} {
		if err := r.add([]byte(out)); err != nil {
			t.Fatal(err)
		}
	}
	var b strings.Builder
	r.print(&b)
	want := `| work | ours | std | ours/std | target | others/std | allocs ours | std | B/op ours | std |
|---|---:|---:|---:|---|---|---:|---:|---:|---:|
| small call, renewal.checkcancel | 12.0 µs | 20.0 µs | 0.60 | ≤ 1.10 met |  | 40 | 80 | 512 B | 2.00 KiB |
| push: verify, parse event 142, dispatch | – | 6.00 ns | – | – | standard-webhooks 1.50 | – | – | – | – |
| small call over loopback, 64 callers | 9.00 ns | – | – | – |  | – | – | – | – |

Connections opened, and calls made over them:

- small call over loopback, 64 callers, ours: 64 for 1380 calls

| bill.notify, lines | time | per line | allocs | B/op |
|---:|---:|---:|---:|---:|
| 10 | 1.00 µs | 100 ns | 7 | 512 B |
| 100 | 20.0 µs | 200 ns | 7 | 512 B |
`
	if diff := cmp.Diff(want, b.String()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestResultsRefused(t *testing.T) {
	t.Parallel()
	for _, out := range []string{"BenchmarkSmall-2 100 9 ns/op\n", "BenchmarkSmall/ours-2 100 x ns/op\n"} {
		if err := (results{}).add([]byte(out)); err == nil {
			t.Errorf("%q is taken", out)
		}
	}
}

func TestMedian(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		values []float64
		want   float64
		ok     bool
	}{
		{nil, 0, false},
		{[]float64{3}, 3, true},
		{[]float64{9, 1, 2}, 2, true},
		{[]float64{9, 1, 2, 4}, 3, true},
	} {
		if got, ok := median(tt.values); got != tt.want || ok != tt.ok {
			t.Errorf("median(%v) = %v, %v", tt.values, got, ok)
		}
	}
}
