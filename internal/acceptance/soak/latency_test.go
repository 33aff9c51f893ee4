package soak_test

import (
	"fmt"
	"math/bits"
	"sync/atomic"
	"time"
)

// A histogram counts durations in classes that are at most an eighth wide. It
// allocates nothing, so that it is not part of what is measured.
type histogram struct {
	classes [64 * 8]atomic.Int64
	count   atomic.Int64
}

func (h *histogram) add(d time.Duration) {
	h.classes[classOf(uint64(max(d, 1)))].Add(1)
	h.count.Add(1)
}

// classOf puts numbers with the same highest bit and the same three bits after it in
// one class.
func classOf(n uint64) int {
	top := bits.Len64(n) - 1
	if top < 3 {
		return int(n)
	}
	return top*8 + int(n>>(top-3)&7)
}

// upper is the largest duration of a class.
func upper(class int) time.Duration {
	if class < 8 {
		return time.Duration(class)
	}
	top := class / 8
	return time.Duration((uint64(8+class%8)+1)<<(top-3) - 1)
}

// percentile is the duration that p percent stay below, at most an eighth too high.
func (h *histogram) percentile(p float64) time.Duration {
	want := int64(float64(h.count.Load()) * p / 100)
	for class := range h.classes {
		if want -= h.classes[class].Load(); want < 0 {
			return upper(class)
		}
	}
	return 0
}

func (h *histogram) line(elapsed time.Duration) string {
	n := h.count.Load()
	short := func(p float64) time.Duration { return h.percentile(p).Round(10 * time.Microsecond) }
	return fmt.Sprintf("%d (%.0f/s, p50 %v, p95 %v, p99 %v, p99.9 %v)",
		n, float64(n)/elapsed.Seconds(), short(50), short(95), short(99), short(99.9))
}
