package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// An Option configures a [Book].
type Option func(*config)

type config struct {
	onRefund     func(context.Context, Refund) (RefundResult, error)
	onChange     func(ctx context.Context, before, after Renewal) error
	onOverdue    func(context.Context, Overdue) error
	onOther      func(context.Context, *qimen.Delivery, events.Event) error
	probe        func(context.Context, *rentcar.RenewalSubmitRequest) (rentcar.Verdict, error)
	cancelProbe  func(context.Context, Renewal) (CancelVerdict, error)
	billLine     func(*Line, *rentcar.BillLine) error
	patience     Patience
	checkedFee   bool
	billRejected bool
	sharedOrders bool
	process      string
	logger       *slog.Logger
	workers      int
	callTimeout  time.Duration
}

// lease is for how long no other process takes up what one makes a call for. It is longer than the call.
func (c *config) lease() time.Duration { return c.callTimeout * 3 / 2 }

// OnRefund sets the function that pays money back to the customer. Required. It is called at least once for each
// refund, by one process at a time, always with the same Key and Amount; your payment provider tells repeats by the
// Key. Keys of providers often expire after a day: look the Key up before you pay again.
//
// It returns [RefundPaid], or [RefundRefused] if the refund will never be paid. With an error, with the zero
// RefundResult (not known yet), after a panic, or after the time of [WithCallTimeout] it is called again later: an
// error is never an answer to Fliggy.
func OnRefund(f func(context.Context, Refund) (RefundResult, error)) Option {
	return func(c *config) { c.onRefund = f }
}

// A RefundResult is what became of a refund. The zero RefundResult says that it is not known yet.
type RefundResult struct {
	cause   refundCause
	tradeNo string
	at      time.Time
	note    string
}

// RefundPaid says that the customer has the money. tradeNo is the payment provider's number of it; without one, the
// line of the bill has a number of the journal. at is when it was paid; where that is zero, or a time that no bill can
// say, the time by the clock of the store counts.
func RefundPaid(tradeNo string, at time.Time) RefundResult {
	return RefundResult{cause: refundPaid, tradeNo: tradeNo, at: at}
}

// RefundRefused says that the refund is not paid and never will be: Fliggy is told 271. The reason is for the journal.
func RefundRefused(reason string) RefundResult {
	return RefundResult{cause: refundRefused, note: reason}
}

// OnChange sets a function that is called in the transaction of each change of a renewal, with the renewal before and
// after it. What it writes must go through ctx, such as by sqlstore.Tx: it happens together with the change, or not at
// all, and it may be called again for the same change. An error undoes the change, and is returned to the caller, or
// tried again by Run. It must do no other I/O.
func OnChange(f func(ctx context.Context, before, after Renewal) error) Option {
	return func(c *config) { c.onChange = f }
}

// OnOverdue sets a function that is told once of everything that should have happened by now, see [Patience], and of
// what a person has to decide. After an error it is told again.
func OnOverdue(f func(context.Context, Overdue) error) Option {
	return func(c *config) { c.onOverdue = f }
}

// OnOther sets the function for all events that are not about renewals: refunds of main orders (141 without ids of a
// renewal), deposits, unknown ones. It is called as that of qimen.OnEvent behind an inbox: in the transaction that
// marks the event as done, again after an error; after one of durable.Permanent the event is parked in [InboxQueue].
// Without it they are kept as strays, see [Book.Strays].
func OnOther(f func(context.Context, *qimen.Delivery, events.Event) error) Option {
	return func(c *config) { c.onOther = f }
}

// WithProbe sets what asks whether a renewal exists whose submit has an unknown outcome, see
// rentcar.SettleRequest.Probe. The default asks checkcancel by the distributor's id. Inferred: that this finds it.
func WithProbe(f func(context.Context, *rentcar.RenewalSubmitRequest) (rentcar.Verdict, error)) Option {
	return func(c *config) { c.probe = f }
}

// A CancelVerdict says whether a renewal can be cancelled now.
type CancelVerdict uint8

// The verdicts. A refusal proves nothing: the rental may have started, or the renewal may be gone.
const (
	CancelVerdictUnknown CancelVerdict = iota
	CancelVerdictCancellable
	CancelVerdictRefused
)

// WithCancelProbe sets what asks whether a renewal can be cancelled. The default asks checkcancel.
func WithCancelProbe(f func(context.Context, Renewal) (CancelVerdict, error)) Option {
	return func(c *config) { c.cancelProbe = f }
}

// WithCheckedFee takes the fee of the preceding check for that of a cancellation whose reply has none. Without it, the
// renewal is Disputed.
func WithCheckedFee() Option { return func(c *config) { c.checkedFee = true } }

// WithSharedOrders says that others renew the same main orders, so that an event which names only the main order says
// nothing about a renewal of this journal.
func WithSharedOrders() Option { return func(c *config) { c.sharedOrders = true } }

// BillLine sets a function that may change each line of a bill before it is stored, such as its discounts and
// commission. It is called in a transaction, and may be called again for the same line. [Book.Bill] returns its error,
// and its batch is not made: its lines stay open for the next call.
func BillLine(f func(*Line, *rentcar.BillLine) error) Option {
	return func(c *config) { c.billLine = f }
}

// BillRejected bills payment and return of rejected renewals too. By default a renewal that was never accepted is not
// billed.
func BillRejected() Option { return func(c *config) { c.billRejected = true } }

// WithPatience sets when what has not happened counts as overdue; see [Patience] for the defaults.
func WithPatience(p Patience) Option { return func(c *config) { c.patience = p } }

// WithProcess names this process in histories. The default is its host and process id.
func WithProcess(name string) Option { return func(c *config) { c.process = name } }

// WithLogger sets the logger of Run. The default logs nothing.
func WithLogger(l *slog.Logger) Option { return func(c *config) { c.logger = l } }

// WithWorkers sets how many renewals, events and answers Run works on at once, each; 4 by default.
func WithWorkers(n int) Option { return func(c *config) { c.workers = n } }

// WithCallTimeout sets how long a call of the platform with its retries, and a call of the function of OnRefund, may
// take: 2 minutes by default, from a second to 10 minutes. One and a half of it after the beginning, another process
// takes up what a killed one was at. All processes on a journal have the same.
func WithCallTimeout(d time.Duration) Option { return func(c *config) { c.callTimeout = d } }

// Patience says when something counts as overdue. A member that is zero or less has the default, which stands behind
// it.
type Patience struct {
	NotSent       time.Duration // neither sent again nor cancelled; 1 h
	Unknown       time.Duration // the outcome of a submit; 15 min
	Placed        time.Duration // neither 103 nor 104; 2 h
	BeforeUse     time.Duration // the same, but this long before the renewal begins at the latest; 1 h
	CancelUnknown time.Duration // the outcome of a cancellation; 30 min
	Unanswered    time.Duration // an ordered refund without a confirmed 270 or 271; 24 h
	Failing       time.Duration // the function of OnRefund without a result; 1 h
	Stray         time.Duration // an event that belongs to nothing known; 24 h
	Unconfirmed   time.Duration // a batch of a bill; 24 h
	LineOpen      time.Duration // a line that no bill has taken; 35 d
}

func (p Patience) withDefaults() Patience {
	for _, d := range []struct {
		value *time.Duration
		usual time.Duration
	}{
		{&p.NotSent, time.Hour}, {&p.Unknown, 15 * time.Minute}, {&p.Placed, 2 * time.Hour}, {&p.BeforeUse, time.Hour},
		{&p.CancelUnknown, 30 * time.Minute}, {&p.Unanswered, 24 * time.Hour}, {&p.Failing, time.Hour},
		{&p.Stray, 24 * time.Hour}, {&p.Unconfirmed, 24 * time.Hour}, {&p.LineOpen, 35 * 24 * time.Hour},
	} {
		if *d.value <= 0 {
			*d.value = d.usual
		}
	}
	return p
}

func newConfig(opts []Option) (*config, error) {
	host, _ := os.Hostname()
	c := &config{process: fmt.Sprintf("%s/%d", host, os.Getpid()), logger: slog.New(slog.DiscardHandler), workers: 4,
		callTimeout: defaultCallTimeout}
	for i, opt := range opts {
		if opt == nil {
			return nil, fmt.Errorf("lifecycle: open: option %d is nil: leave it out", i+1)
		}
		opt(c)
	}
	if c.onRefund == nil {
		return nil, errors.New("lifecycle: open: OnRefund is required: without it no money can go back to customers")
	}
	if c.callTimeout < time.Second || c.callTimeout > 10*time.Minute {
		return nil, fmt.Errorf("lifecycle: open: WithCallTimeout: %v: want a second to ten minutes", c.callTimeout)
	}
	if c.logger == nil {
		return nil, errors.New("lifecycle: open: WithLogger: nil: leave it out to log nothing")
	}
	if c.workers < 1 {
		return nil, fmt.Errorf("lifecycle: open: WithWorkers: %d: want 1 at least", c.workers)
	}
	c.patience = c.patience.withDefaults()
	return c, nil
}

// The errors of a Book.
var (
	// ErrConflict says that an id, or a payment, is in use with other content. Nothing was sent.
	ErrConflict = errors.New("lifecycle: the id is in use with other content")
	// ErrNotSettled says that the outcome of an earlier call is not known yet: wait for Run to settle it.
	ErrNotSettled = errors.New("lifecycle: an earlier call is not settled")
	// ErrNotFound says that the journal does not have it.
	ErrNotFound = errors.New("lifecycle: not in the journal")
	// ErrFinal says that the state does not allow what was asked: what was decided stays.
	ErrFinal = errors.New("lifecycle: this was decided")
)

// An OpenError says that another renewal of the main order is open: it is Submitting or Unknown. Nothing was sent. Wait
// until that one is settled: a second submit could renew twice. To know before the customer pays, ask [Book.List] for
// the renewals of the order.
type OpenError struct {
	OrderID fliggy.ID
	ID      string // of the open renewal
}

func (e *OpenError) Error() string {
	return fmt.Sprintf("lifecycle: order %s has the open renewal %s: wait until it is settled", e.OrderID, e.ID)
}

// A FeeError says that cancelling costs more than the customer has agreed to. Nothing was cancelled.
type FeeError struct{ Fee, MaxFee fliggy.Yuan }

func (e *FeeError) Error() string {
	return fmt.Sprintf("lifecycle: cancelling costs %s, more than MaxFee %s: ask the customer again", e.Fee, e.MaxFee)
}

// A JournalError says that the journal of a store is not one that this book can open.
type JournalError struct {
	Field string // "app key" or "version", that of the format of the journal
	Have  string // what the journal has
	Want  string // what this program has: the app key of its client, or the newest version that it reads
}

func (e *JournalError) Error() string {
	advice := "each app key has a journal of its own, such as under another sqlstore.Config.Prefix"
	if e.Field == "version" {
		advice = "use a newer version of this package"
	}
	return fmt.Sprintf("lifecycle: open: the journal has %s %s and this program %s: %s", e.Field, e.Have, e.Want, advice)
}
