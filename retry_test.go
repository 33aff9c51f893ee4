package rentcar

import (
	"math"
	"testing"
	"time"
)

// A wait is added to others: however long a policy wants it, no sum overflows.
func TestRetryPolicyDelaysAreBounded(t *testing.T) {
	t.Parallel()
	p := RetryPolicy{BaseDelay: math.MaxInt64, MaxDelay: math.MaxInt64}.withDefaults()
	for n := 1; n < 100; n++ {
		if wait := p.backoff(n) + leastForWrite + banJitter; wait <= 0 || p.MaxDelay+maxBan+leastForWrite <= 0 {
			t.Fatalf("attempt %d waits %v", n, wait)
		}
	}
	if short := (RetryPolicy{BaseDelay: time.Second, MaxDelay: time.Hour}).withDefaults(); short.BaseDelay != time.Second || short.MaxDelay != time.Hour {
		t.Errorf("%+v", short)
	}
}
