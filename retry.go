package rentcar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fliggy-go/rentcar/internal/contain"
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

// Why a call was not sent again, although its failure would have allowed it.
var (
	errBudget   = errors.New("the retry budget of the client is spent")
	errDeadline = errors.New("too little time is left before the caller's deadline")
)

// do is the path of every call: as many attempts as its failures and the policy
// allow. The request has been validated and encoded.
func (c *Client) do(ctx context.Context, cl *call) error {
	start := c.now()
	at := Observation{Method: cl.method}
	err := cl.notSent(c.admit(ctx, cl))
	var last error
	for n, maybeDone := 1, false; err == nil; n++ {
		var now Observation
		now, err = c.attempt(ctx, cl, n)
		if failed, ok := err.(*TransportError); ok && failed.Phase == PhaseBefore && last != nil { //nolint:errorlint // not wrapped
			err = &stopped{method: cl.method, last: last, why: failed.Err, maybeDone: maybeDone}
			break // the context ended just before the next one
		}
		at = now
		if failed, ok := err.(*TransportError); ok && failed.Phase == PhaseBefore { //nolint:errorlint // not wrapped
			at.Attempt = 0 // nothing was sent
		}
		if err == nil {
			c.budget.succeeded()
			break
		}
		last = err
		maybeDone = maybeDone || cl.write && at.Outcome == OutcomeUnknown
		again, why := c.next(ctx, cl, n, maybeDone, err)
		if again {
			err = nil
		} else if why != nil || maybeDone && at.Outcome != OutcomeUnknown {
			err = &stopped{method: cl.method, last: err, why: why, maybeDone: maybeDone}
		}
	}
	at.Done, at.Outcome, at.Duration, at.Err = true, OutcomeOf(err), c.now().Sub(start), observedError(err)
	c.observe(ctx, at, cl.request)
	return err
}

// next decides whether a call is sent again after attempt n has failed, and waits
// until it may be. why says what stood against it, where it was not the failure
// itself. maybeDone: this or an earlier attempt of a write may have been carried out.
func (c *Client) next(ctx context.Context, cl *call, n int, maybeDone bool, err error) (again bool, why error) {
	defer c.hidePanic(cl, &why)
	defer contain.Recover("the context", &why)
	failed, ok := err.(interface{ class() class })
	if !ok || n >= cl.config.attempts || isPanic(err) { // not ok: a business error, the platform has understood the call, and said no
		return false, nil
	}
	if failure := failed.class(); !failure.repeatable(cl.config.repeatUnknown) && (maybeDone || !c.cfg.retry.names(err)) {
		return false, nil
	}
	if ctx.Err() != nil {
		return false, c.ended(ctx, cl, ctx.Err())
	}
	if ban := c.bans.left(cl.banScope, cl.method, c.now); ban > 0 { // waiting for its end multiplies no outage, and costs no budget
		if cl.write && tooLate(ctx, ban+leastForWrite) {
			return false, &RateLimitError{Method: cl.method, RetryAfter: ban}
		}
		if ban > c.cfg.retry.MaxDelay {
			return false, newsOf(&RateLimitError{Method: cl.method, RetryAfter: ban}, err)
		}
		why := c.pause(ctx, cl, 0)
		return why == nil, why
	}
	wait, needed := c.cfg.retry.backoff(n), time.Duration(0)
	if cl.write {
		needed = leastForWrite
	}
	switch {
	case tooLate(ctx, wait+needed):
		return false, errDeadline
	case !c.budget.take():
		return false, errBudget
	}
	if err := c.pause(ctx, cl, wait); err != nil {
		c.budget.giveBack()
		return false, err
	}
	return true, nil
}

// leastForWrite is the time that a repeated write must have left: one that surely
// was not carried out is better than one cut off by the deadline.
const leastForWrite = time.Second

// pause waits until a call may be sent again.
func (c *Client) pause(ctx context.Context, cl *call, wait time.Duration) error {
	if err := c.cfg.sleep(ctx, wait); err != nil {
		return c.ended(ctx, cl, err)
	}
	if err := c.admit(ctx, cl); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil { // it ended together with the wait
		return c.ended(ctx, cl, err)
	}
	return nil
}

// ended says what ended a wait, without the secrets of the call: a cause is the
// caller's, and may be an error that somebody made of the request.
func (c *Client) ended(ctx context.Context, cl *call, err error) (ended error) {
	defer func() { ended = c.hide(cl, ended) }()
	defer contain.Recover("the context", &ended)
	return withCause(ctx, err)
}

// hidePanic hides the secrets in what a function of the user's panicked with.
func (c *Client) hidePanic(cl *call, err *error) {
	if *err != nil && isPanic(*err) {
		*err = c.hide(cl, *err)
	}
}

// hide takes the secrets of a call out of an error that is not about one attempt.
func (c *Client) hide(cl *call, err error) error {
	cl.private.add(cl.to, c.secret(), cl.config.session())
	return cl.private.hide(err)
}

// newsOf returns ban, or nil if failure already carries a RetryAfter at least as long.
func newsOf(ban *RateLimitError, failure error) error {
	if told, _ := RetryAfter(failure); told >= ban.RetryAfter {
		return nil
	}
	return ban
}

// notSent says that the context was over before anything left, unless flow control
// was the reason, which says so itself.
func (cl *call) notSent(err error) error {
	if _, limited := err.(*RateLimitError); err == nil || limited { //nolint:errorlint // as admit returns it, not inside a cause
		return err
	}
	return &TransportError{Method: cl.method, Phase: PhaseBefore, Err: err, readOnly: !cl.write}
}

// tooLate reports whether a wait ends after the caller's deadline.
func tooLate(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return ok && time.Until(deadline) <= wait
}

// sleep waits for d, or for the end of the context.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// A stopped is the failure of the last attempt of a call, and what it alone does
// not tell: why there was no further one, and that an earlier one may have been
// carried out.
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
