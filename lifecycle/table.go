package lifecycle

// This file has the tables of transitions. They are read from the top: the first row that has the state, the cause and
// a condition that holds is the one that counts. What no row has changes nothing. docs/lifecycle.md draws the first.

// A transition is a row: in one of the states from, because of one of the causes on, if when holds, the renewal goes to
// to (the same state where that is empty), and do is done.
type transition struct {
	from []State
	on   []Cause
	when condition
	to   State
	back bool // to where a cancellation began, in place of to
	do   []action
}

func in(s ...State) []State    { return s }
func on(c ...Cause) []Cause    { return c }
func do(a ...action) []action  { return a }
func problem(p Problem) action { return func(t *turn) { t.Problem = p } }

var transitions = []transition{
	// The submit. It is stored before anything leaves, so that a crash leaves it unknown at worst.
	{from: in(none, NotSent), on: on(CauseSubmit), to: Submitting, do: do(lease)},
	{from: in(Submitting, Unknown), on: on(CausePlaced), to: Placed, do: do(learnID)},
	{from: in(Submitting, Unknown), on: on(CauseRefused), to: Rejected, do: do(nothingThere)},
	{from: in(Submitting, Unknown), on: on(CauseNotSent), to: NotSent},
	{from: in(Submitting), on: on(CauseLost), to: Unknown, do: do(lookNow)},
	{from: in(NotSent), on: on(CauseCancel), to: Rejected, do: do(nothingThere)},

	// What Run finds out. Only what proves something ends Unknown; that nothing was found proves nothing.
	{from: in(Unknown), on: on(CauseFound, Cause142), to: Placed, do: do(learnID)},
	{from: in(Unknown), on: on(CauseProbeRejected), to: Rejected, do: do(learnID)},
	{from: in(Unknown), on: on(CauseNothing), do: do(lookLater)},

	// The merchant's decision, in any order with replies.
	{from: in(Submitting, Unknown, Placed), on: on(Cause103), to: Accepted, do: do(learnID, accepted)},
	{from: in(Submitting, Unknown, Placed), on: on(Cause104), when: byEliminationEarly},
	{from: in(Submitting, Unknown, Placed), on: on(Cause104), to: Rejected, do: do(learnID, refused, askFirst)},
	{from: in(Accepted), on: on(Cause104, CauseRefused, CauseNotSent), to: Disputed,
		do: do(refused, problem(ProblemRejectedAfterAccepted))},
	{from: in(Accepted), on: on(CausePlaced, Cause103), do: do(learnID, accepted)},
	{from: in(Placed), on: on(CauseRefused, CauseNotSent), to: Disputed, do: do(problem(ProblemAcceptedAfterRejected))},
	{from: in(Placed), on: on(CausePlaced), do: do(learnID)},
	{from: in(Rejected), on: on(CausePlaced), when: after104, do: do(learnID)},
	{from: in(Rejected), on: on(CausePlaced, Cause103), to: Disputed,
		do: do(learnID, accepted, problem(ProblemAcceptedAfterRejected))},
	{from: in(Rejected), on: on(Cause104), do: do(refused)},
	{from: in(NotSent), on: on(Cause103, Cause104, Cause142, CausePlaced), to: Disputed,
		do: do(learnID, problem(ProblemAcceptedAfterRejected))},

	// Before money goes back on a 104, the platform is asked once: what can be cancelled lives.
	{from: in(Rejected), on: on(CauseAlive), when: isAsked, to: Disputed, do: do(problem(ProblemAcceptedAfterRejected))},
	{from: in(Rejected), on: on(CauseNotCancellable), when: isAsked, do: do(asked, releaseReturn)},
	{from: in(Rejected), on: on(CauseNothing), when: isAskedLong, do: do(asked, releaseReturn)},
	{from: in(Rejected, Cancelled), on: on(CauseNothing), when: isAsked, do: do(lookLater)},

	// The cancellation. It too is stored before it leaves.
	{from: in(Placed, Accepted), on: on(CauseCancel), to: Cancelling, do: do(rememberBack, lease)},
	{from: in(Cancelling, CancelUnknown), on: on(CauseCancelled), when: feeFits, to: Cancelled},
	{from: in(Cancelling, CancelUnknown), on: on(CauseCancelled), to: Disputed, do: do(problem(ProblemFeeDiffers))},
	{from: in(Cancelling, CancelUnknown), on: on(CauseCancelRefused), when: bothEvents, to: Disputed,
		do: do(problem(ProblemRejectedAfterAccepted))},
	{from: in(Cancelling, CancelUnknown), on: on(CauseCancelRefused), when: after104, to: Rejected, do: do(askFirst)},
	{from: in(Cancelling, CancelUnknown), on: on(CauseCancelRefused), back: true},
	{from: in(Cancelling), on: on(CauseCancelLost), to: CancelUnknown, do: do(lookNow)},
	{from: in(CancelUnknown), on: on(CauseAlive), when: beforeFence, do: do(lookLater)},
	{from: in(CancelUnknown), on: on(CauseAlive), when: after104, to: Disputed,
		do: do(problem(ProblemRejectedAfterAccepted))},
	{from: in(CancelUnknown), on: on(CauseAlive), back: true},
	{from: in(CancelUnknown), on: on(CauseNotCancellable, CauseNothing), do: do(lookLater)},
	{from: in(Cancelling, CancelUnknown), on: on(Cause103), do: do(learnID, accepted)},
	{from: in(Cancelling, CancelUnknown), on: on(Cause104), do: do(learnID, refused)},
	{from: in(Placed, Accepted, Rejected), on: on(CauseCancelled), to: Disputed, do: do(problem(ProblemFeeDiffers))},
	{from: in(Cancelling, CancelUnknown, Cancelled), on: on(CausePlaced), do: do(learnID)},
	{from: in(Cancelling, CancelUnknown, Cancelled), on: on(CauseRefused, CauseNotSent), to: Disputed,
		do: do(problem(ProblemIDMismatch))},

	// After the cancellation, a first 103 may only be late: the platform is asked.
	{from: in(Cancelled), on: on(Cause103), when: after103},
	{from: in(Cancelled), on: on(Cause103), do: do(learnID, accepted, askFirst)},
	{from: in(Cancelled), on: on(CauseAlive), when: isAsked, to: Disputed, do: do(problem(ProblemAcceptedAfterCancelled))},
	{from: in(Cancelled), on: on(CauseNotCancellable), when: isAsked, do: do(asked)},
	{from: in(Cancelled), on: on(Cause104), when: hasFee, to: Disputed, do: do(refused, problem(ProblemFeeDiffers))},
	{from: in(Cancelled), on: on(Cause104), do: do(refused)},

	// Two ids of Fliggy for one of ours.
	{from: in(Submitting, NotSent, Unknown, Placed, Accepted, Rejected, Cancelling, CancelUnknown, Cancelled),
		on: on(CauseOtherID), to: Disputed, do: do(problem(ProblemIDMismatch))},

	// Only a person ends these. Why a decision is refused says Book.Resolve.
	{from: in(NotSent, Unknown, CancelUnknown, Disputed, Placed), on: on(CauseDecided), when: toAccepted, to: Accepted,
		do: do(settled)},
	{from: in(NotSent, Unknown, CancelUnknown, Disputed, Placed), on: on(CauseDecided), when: toRejected, to: Rejected,
		do: do(settled)},
	{from: in(NotSent, Unknown, CancelUnknown, Disputed, Placed), on: on(CauseDecided), when: toCancelled, to: Cancelled,
		do: do(settled)},
	{from: in(NotSent, Unknown, CancelUnknown, Disputed), on: on(CauseDecided), when: toPlaced, to: Placed,
		do: do(settled)},
}

// entering is what is done when a renewal gets into a state, whatever the cause.
var entering = map[State][]action{
	Submitting: {payWaiting},
	Placed:     {closeReturn},
	Accepted:   {closeReturn, payOpen, decideRefunds},
	Rejected:   {payVoid, orderReturn, decideRefunds},
	Cancelled:  {payOpen, orderReturn, decideRefunds},
	Disputed:   {holdMoney},
}

// refundCause is why a refund changes.
type refundCause string

const (
	refundAsked      refundCause = "ordered by 142"
	refundDecided    refundCause = "the renewal was decided"
	refundStopped    refundCause = "the renewal is disputed"
	refundCalled     refundCause = "the function is called"
	refundPaid       refundCause = "the function said paid"
	refundRefused    refundCause = "the function refused"
	refundPending    refundCause = "the function said nothing"
	refundConfirmed  refundCause = "answer confirmed"
	refundNoAnswer   refundCause = "answer refused"
	refundChanged    refundCause = "other content under the same trade number"
	refundPay        refundCause = "a person: pay"
	refundRefuse     refundCause = "a person: refuse"
	refundCloseCause refundCause = "a person: close"
	refundCorrected  refundCause = "a person: the fee is lower"
)

// A refundTransition is a row of the table of refunds, which has the returns too.
type refundTransition struct {
	from []RefundState
	on   refundCause
	when refundCondition
	to   RefundState
	do   []refundAction
}

func at(s ...RefundState) []RefundState      { return s }
func doing(a ...refundAction) []refundAction { return a }
func heldFor(p Problem) refundAction         { return func(_ *turn, f *Refund) { f.Problem = p } }

const unordered RefundState = "" // before the order

var refundTransitions = []refundTransition{
	{at(unordered), refundAsked, noTradeNumber, RefundHeld, doing(heldFor(ProblemRefundNoTradeNumber))},
	{at(unordered), refundAsked, noAmount, RefundHeld, doing(heldFor(ProblemRefundOverLimit))},
	// It may have overtaken the 103. Paid now, a later 104 would leave a refund on an order that was never sold.
	{at(unordered), refundAsked, renewalOpen, RefundWaiting, nil},
	{at(unordered), refundAsked, renewalDead, RefundHeld, doing(heldFor(ProblemRefundOnRejected))},
	{at(unordered), refundAsked, overLimit, RefundHeld, doing(heldFor(ProblemRefundOverLimit))},
	{at(unordered), refundAsked, anyRefund, RefundOrdered, doing(callNow)},
	{at(RefundWaiting), refundDecided, renewalDead, RefundHeld, doing(heldFor(ProblemRefundOnRejected))},
	{at(RefundWaiting), refundDecided, overLimit, RefundHeld, doing(heldFor(ProblemRefundOverLimit))},
	{at(RefundWaiting), refundDecided, anyRefund, RefundOrdered, doing(callNow)},
	{at(RefundWaiting, RefundOrdered), refundStopped, anyRefund, RefundHeld, doing(heldFor(ProblemRefundOnRejected))},

	// The function. An error of it is no answer: it may have paid.
	{at(RefundOrdered, RefundPaying), refundCalled, anyRefund, RefundPaying, doing(callLease)},
	{at(RefundPaying), refundPaid, isReturn, RefundClosed, doing(pay)},
	{at(RefundPaying), refundPaid, anyRefund, RefundAnswering, doing(pay, answer)},
	{at(RefundPaying), refundRefused, isReturn, RefundHeld, doing(heldFor(ProblemRefundRefused))},
	{at(RefundPaying), refundRefused, anyRefund, RefundAnswering, doing(answer)},
	{at(RefundPaying), refundPending, anyRefund, RefundPaying, doing(callLater)},
	{at(RefundAnswering), refundConfirmed, anyRefund, RefundAnswered, nil},
	{at(RefundAnswering), refundNoAnswer, anyRefund, RefundAnswerRefused, doing(heldFor(ProblemAnswerRefused))},

	// A changed mind of Fliggy. What the function was called with stays.
	{at(RefundWaiting, RefundHeld, RefundOrdered), refundChanged, anyRefund, RefundHeld,
		doing(heldFor(ProblemRefundChanged))},
	{at(RefundPaying, RefundAnswering, RefundAnswered, RefundAnswerRefused, RefundClosed), refundChanged, anyRefund, "",
		doing(heldFor(ProblemRefundChanged))},

	// A person.
	{at(RefundHeld), refundPay, anyRefund, RefundOrdered, doing(callNow)},
	{at(RefundHeld), refundRefuse, isReturn, RefundClosed, doing(solve, byHand)},
	{at(RefundHeld), refundRefuse, anyRefund, RefundAnswering, doing(solve, answer)},
	{at(RefundHeld, RefundAnswerRefused), refundCloseCause, anyRefund, RefundClosed, doing(solve, byHand)},
	{at(RefundPaying, RefundAnswering, RefundAnswered, RefundClosed), refundCloseCause, isChanged, "", doing(solve)},
}
