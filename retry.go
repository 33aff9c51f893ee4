package rentcar

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"
)

// A RetryPolicy says how often and after what wait a call is sent again. The zero
// value of a field stands for its default.
//
// Which failures are retried cannot be changed, except by adding Codes. Reads are, after any failure that may
// pass: no connection, a timeout, a reply cut off, not understood, or without
// envelope and with HTTP status 5xx or 429, flow control, an isp. sub code (but for
// those that blame the arguments or the app key), codes 3, 10, 88 and any that is not
// known. Writes are only when the platform has surely not carried them out: no
// connection came about, or flow control refused them. See CallRepeatUnknown.
type RetryPolicy struct {
	// MaxAttempts is how often a call is sent at most: 3. 1 sends every call once; it
	// still waits for the end of a short ban before that.
	MaxAttempts int
	// BaseDelay bounds the wait before the second attempt; each further wait may be
	// twice as long. Waits are random between zero and their bound: 200 ms.
	BaseDelay time.Duration
	// MaxDelay bounds every wait, those for the end of a ban included: 5 s. A call
	// that meets a longer ban fails at once.
	MaxDelay time.Duration
	// Budget is how many repeated attempts all calls of the client together may
	// make without a success: 20. Every tenth success gives one back, so that an
	// outage is not multiplied.
	Budget int
	// Codes are further codes and sub codes of a GatewayError after which a call may be
	// sent again, such as "isv.order-service-error:BUSY", each as the platform writes it:
	// a read, and a write that was surely not carried out (OutcomeRejected). A write
	// whose outcome is unknown, after this attempt or an earlier one, is not repeated for
	// their sake, even under CallRepeatUnknown. None by default.
	Codes []string
}

// The defaults of a RetryPolicy.
const (
	DefaultMaxAttempts = 3                      // attempts of a call
	DefaultBaseDelay   = 200 * time.Millisecond // bound of the first wait
	DefaultMaxDelay    = 5 * time.Second        // bound of every wait
	DefaultRetryBudget = 20                     // repeated attempts of all calls without a success
)

// longestDelay bounds the delays: sums of a few do not overflow.
const longestDelay = 365 * 24 * time.Hour

// withDefaults fills in what is zero, and bounds what is too long.
func (p RetryPolicy) withDefaults() RetryPolicy {
	return RetryPolicy{
		MaxAttempts: cmp.Or(p.MaxAttempts, DefaultMaxAttempts),
		BaseDelay:   min(cmp.Or(p.BaseDelay, DefaultBaseDelay), longestDelay),
		MaxDelay:    min(cmp.Or(p.MaxDelay, DefaultMaxDelay), longestDelay),
		Budget:      cmp.Or(p.Budget, DefaultRetryBudget),
		Codes:       slices.Clone(p.Codes),
	}
}

// names reports whether Codes name a failure. A write that may have been carried out
// must not be sent again for that.
func (p RetryPolicy) names(failure error) bool {
	e, ok := failure.(*GatewayError) //nolint:errorlint // the failure of an attempt, and no error inside another
	return ok && (slices.Contains(p.Codes, e.Code) || slices.Contains(p.Codes, e.SubCode))
}

func (p RetryPolicy) check() error {
	switch {
	case p.MaxAttempts < 0:
		return errors.New("retry policy: MaxAttempts must not be negative: 1 sends every call once")
	case p.BaseDelay < 0 || p.MaxDelay < 0:
		return errors.New("retry policy: delays must not be negative")
	case slices.Contains(p.Codes, ""):
		return errors.New("retry policy: a code of Codes must not be empty")
	case p.Budget < 0:
		return errors.New("retry policy: the budget must not be negative: MaxAttempts 1 switches repeating off")
	}
	return nil
}

// backoff is the wait before attempt n+1: full jitter under a bound that doubles.
func (p RetryPolicy) backoff(n int) time.Duration {
	bound := p.BaseDelay
	for range n - 1 {
		if bound > p.MaxDelay/2 { // doubled it would be more, or overflow
			bound = p.MaxDelay
			break
		}
		bound *= 2
	}
	return rand.N(min(bound, p.MaxDelay))
}

// budget counts the repeated attempts that are left, in tenths.
type budget struct {
	tenths atomic.Int64
	full   int64
}

func newBudget(attempts int) *budget {
	b := &budget{full: 10 * min(int64(attempts), math.MaxInt64/20)} // no sum overflows
	b.tenths.Store(b.full)
	return b
}

// take takes one attempt, if there is one.
func (b *budget) take() bool { return b.add(-10) }

// giveBack gives back an attempt that was not made.
func (b *budget) giveBack() { b.add(10) }

// succeeded gives a tenth of an attempt back.
func (b *budget) succeeded() { b.add(1) }

// add does nothing where the result would be less than zero; more than all is all.
func (b *budget) add(tenths int64) bool {
	for {
		old := b.tenths.Load()
		sum := min(old+tenths, b.full)
		if sum < 0 {
			return false
		}
		if sum == old || b.tenths.CompareAndSwap(old, sum) {
			return true
		}
	}
}
