package rentcar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar/internal/contain"
)

// A RetryPolicy says how often and after what wait a call is sent again. The zero
// value of a field stands for its default.
//
// The policy retries these failures; Codes adds to them.
//
// A read is retried after any failure that may be temporary: no connection, a timeout, a reply that was cut off, was
// not understood, or came without an envelope and with HTTP status 5xx or 429, flow control, an isp. sub code (except
// those that blame the arguments or the app key), codes 3, 10 and 88, and any unknown code.
//
// A write is retried only if the platform certainly did not carry it out: there was no connection, or flow control
// refused it. See CallRepeatUnknown.
type RetryPolicy struct {
	// MaxAttempts is the maximum number of times a call is sent. The default is 3. With 1 a call is sent once; it
	// may still wait for the end of a short ban first.
	MaxAttempts int
	// BaseDelay is the upper bound of the wait before the second attempt. The bound doubles with each further
	// attempt, and the wait is random between zero and the bound. The default is 200 ms.
	BaseDelay time.Duration
	// MaxDelay is the upper bound of every wait, including waits for the end of a ban. A call that meets a longer
	// ban fails at once. The default is 5 s.
	MaxDelay time.Duration
	// Budget is the number of retries that all calls of the client together may make without a success, so that
	// retries do not multiply the load of an outage. Ten successes give one retry back. The default is 20.
	Budget int
	// Codes are further codes and sub codes of a GatewayError after which a call is retried, as the platform
	// writes them: "isv.order-service-error:BUSY". A write is retried for them only if its outcome is
	// OutcomeRejected and no earlier attempt is unknown, even under CallRepeatUnknown. None by default.
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

// names reports whether Codes has the code or sub code of failure. The caller checks that a repeat is safe.
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
		bound = min(2*bound, p.MaxDelay)
	}
	return rand.N(min(bound, p.MaxDelay))
}

// budget counts the repeated attempts that are left, in tenths.
type budget struct {
	mu           sync.Mutex
	tenths, full int64
}

func newBudget(attempts int) *budget {
	full := 10 * min(int64(attempts), math.MaxInt64/20) // no sum overflows
	return &budget{tenths: full, full: full}
}

// oneRetry is what a retry takes from the budget, oneSuccess what a success gives back, in tenths.
const oneRetry, oneSuccess = 10, 1

// add changes the budget, up to full. It reports false, and changes nothing, if the budget would fall below zero.
func (b *budget) add(tenths int64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	sum := min(b.tenths+tenths, b.full)
	if sum < 0 {
		return false
	}
	b.tenths = sum
	return true
}

// The reasons why a call is not retried although its failure allows it.
var (
	errBudget   = errors.New("the retry budget of the client is spent")
	errDeadline = errors.New("too little time is left before the caller's deadline")
)

// do sends a validated and encoded call, with as many attempts as its failures and the policy allow.
func (c *Client) do(ctx context.Context, cl *call) error {
	start, ctx := c.now(), c.traceCall(ctx, cl.method)
	cl.private = append(make(secrets, 0, 8), cl.to, c.secret(), cl.config.session())
	at := Observation{Method: cl.method}
	limited, err := c.admit(ctx, cl, 0)
	if limited != nil {
		err = limited
	} else if err != nil {
		err = c.transportError(cl, 0, nil, &TransportError{Phase: PhaseBefore, Err: withCause(ctx, err)})
	}
	again, maybeDone := err == nil, false // maybeDone: an attempt of a write may have been carried out
	for n := 1; again; n++ {
		now, failed := c.attempt(ctx, cl, n)
		before, ok := failed.(*TransportError) //nolint:errorlint // not wrapped
		isBefore := ok && before.Phase == PhaseBefore
		var why error
		if isBefore && n > 1 { // the context ended just before this attempt
			again, why = false, before.Err
		} else {
			at, err = now, failed
			maybeDone = maybeDone || cl.write && at.Outcome == OutcomeUnknown
			again, why = c.next(ctx, cl, n, maybeDone, err)
		}
		if isBefore && n == 1 {
			at.Attempt = 0
		}
		if !again && err != nil && (why != nil || maybeDone && at.Outcome != OutcomeUnknown) {
			err = &stopped{method: cl.method, last: err, why: why, maybeDone: maybeDone}
		}
	}
	at.Done, at.Outcome, at.Duration, at.Err = true, OutcomeOf(err), c.now().Sub(start), observedError(err)
	c.observe(ctx, at, cl.request)
	return err
}

// next decides whether a call is retried after attempt n ended with err, and waits until it may be. If it is not
// retried for another reason than err itself, why is that reason. maybeDone reports whether any attempt of a write so
// far may have been carried out.
func (c *Client) next(ctx context.Context, cl *call, n int, maybeDone bool, err error) (again bool, why error) {
	if err == nil {
		c.budget.add(oneSuccess)
		return false, nil
	}
	failed, ok := err.(interface{ class() class })
	// not ok: a business error, the platform has understood the call, and said no
	if !ok || n >= cl.config.attempts || isPanic(err) {
		return false, nil
	}
	if failure := failed.class(); !failure.repeatable(cl.config.repeatUnknown) && (maybeDone || !c.cfg.retry.names(err)) {
		return false, nil
	}
	limited, why := c.pause(ctx, cl, c.cfg.retry.backoff(n))
	switch {
	case limited != nil:
		told, _ := RetryAfter(err)
		if limited.RetryAfter > c.cfg.retry.MaxDelay && told >= limited.RetryAfter {
			return false, nil // the failure says so already
		}
		return false, limited
	case why != nil:
		return false, cl.private.hide(withCause(ctx, why))
	}
	return true, nil
}

// leastForWrite is the time that must remain before the deadline when a write is retried. A write that was certainly
// not carried out is better than one that the deadline cuts off.
const leastForWrite = time.Second

// pause waits until a call may be sent again, or returns why it may not, as admit does: for the end of a ban, or else
// for the backoff.
func (c *Client) pause(ctx context.Context, cl *call, backoff time.Duration) (limited *RateLimitError, err error) {
	defer contain.Recover("the context", &err)
	needed := time.Duration(0)
	if cl.write {
		needed = leastForWrite
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	// Waiting for the end of a ban multiplies no outage, and costs no budget.
	left, err := c.banned(cl)
	if err != nil {
		return nil, err
	}
	if left == 0 {
		switch {
		case tooLate(ctx, backoff+needed):
			return nil, errDeadline
		case !c.budget.add(-oneRetry):
			return nil, errBudget
		}
		defer func() {
			if limited != nil || err != nil { // no attempt is made
				c.budget.add(oneRetry)
			}
		}()
		if err := c.cfg.sleep(ctx, backoff); err != nil {
			return nil, err
		}
	}
	if limited, err := c.admit(ctx, cl, needed); limited != nil || err != nil {
		return limited, err
	}
	return nil, ctx.Err() // it may have ended together with the wait
}

// tooLate reports whether a wait ends after the caller's deadline.
func tooLate(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) <= wait
}

// sleep waits for d, or for the end of the context.
func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A stopped is the error of the last attempt of a call, with the reason why there was no further attempt, or with the
// warning that an earlier one may have been carried out.
type stopped struct {
	method    string
	last      error
	why       error // may be nil
	maybeDone bool
}

func (e *stopped) Error() string {
	text := e.last.Error()
	if e.why != nil {
		text += fmt.Sprintf(" (not sent again: %v)", e.why)
	}
	if e.maybeDone && !errors.Is(e.last, ErrOutcomeUnknown) {
		text += " (of an earlier attempt: " + unknownOutcome(e.method) + ")"
	}
	return text
}

func (e *stopped) Unwrap() []error {
	if e.why == nil {
		return []error{e.last}
	}
	return []error{e.last, e.why}
}

// Is matches ErrOutcomeUnknown where any attempt may have been carried out.
func (e *stopped) Is(target error) bool {
	return e.maybeDone && target == ErrOutcomeUnknown
}

// Outcome is that of the whole call.
func (e *stopped) Outcome() Outcome {
	if e.maybeDone {
		return OutcomeUnknown
	}
	return OutcomeOf(e.last)
}
