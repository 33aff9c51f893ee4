package engines

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// byWorkers are the numbers of workers that everything is measured with.
func byWorkers(b *testing.B, bench func(b *testing.B, workers int)) {
	b.Helper()
	for _, workers := range []int{1, 8, 64} {
		b.Run("workers="+strconv.Itoa(workers), func(b *testing.B) { bench(b, workers) })
	}
}

// A contestant does the same work as the others of its row.
type contestant struct {
	name string
	run  func(b *testing.B)
}

// contest runs those of a row one after the other.
func contest(b *testing.B, all ...contestant) {
	b.Helper()
	for _, c := range all {
		b.Run("impl="+c.name, c.run)
	}
}

// measure calls f with each number below b.N, by so many workers, and reports the rate and how long the calls took.
func measure(b *testing.B, workers int, f func(ctx context.Context, i int) error) {
	b.Helper()
	took := make([]time.Duration, b.N)
	var next atomic.Int64
	var all sync.WaitGroup
	b.ResetTimer()
	for range workers {
		all.Go(func() {
			for i := int(next.Add(1)) - 1; i < b.N; i = int(next.Add(1)) - 1 {
				start := time.Now()
				if err := f(b.Context(), i); err != nil {
					b.Error(err)
					return
				}
				took[i] = time.Since(start)
			}
		})
	}
	all.Wait()
	report(b, took)
}

// report stops the clock and reports the rate, and the percentiles of how long the items took.
func report(b *testing.B, took []time.Duration) {
	b.Helper()
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "items/s")
	slices.Sort(took)
	b.ReportMetric(float64(percentile(took, 50)), "p50-ns")
	b.ReportMetric(float64(percentile(took, 99)), "p99-ns")
}

// percentile returns the value of a sorted list that so many of a hundred are not above.
func percentile(sorted []time.Duration, percent int) time.Duration {
	return sorted[(len(sorted)*percent+99)/100-1]
}

func TestPercentile(t *testing.T) {
	t.Parallel()
	list := make([]time.Duration, 200)
	for i := range list {
		list[i] = time.Duration(i + 1)
	}
	for _, c := range []struct {
		list    []time.Duration
		percent int
		want    time.Duration
	}{{list, 50, 100}, {list, 99, 198}, {list[:1], 50, 1}, {list[:1], 99, 1}, {list[:3], 50, 2}, {list[:3], 99, 3}} {
		if got := percentile(c.list, c.percent); got != c.want {
			t.Errorf("percentile(%d values, %d) = %d, want %d", len(c.list), c.percent, got, c.want)
		}
	}
}
