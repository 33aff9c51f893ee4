package lifecycle

// State is where a renewal is.
type State string

// The states of a renewal.
const (
	Submitting    State = "submitting"     // the submit is on its way
	NotSent       State = "not sent"       // it has surely not left: Submit it again, or Cancel
	Unknown       State = "unknown"        // it may have been carried out: Run finds out
	Placed        State = "placed"         // Fliggy has it; the merchant has not decided
	Accepted      State = "accepted"       // the merchant has accepted it
	Rejected      State = "rejected"       // it was rejected: the payment goes back
	Cancelling    State = "cancelling"     // the cancellation is on its way
	CancelUnknown State = "cancel unknown" // the cancellation may have been carried out: Run finds out
	Cancelled     State = "cancelled"      // it was cancelled: the payment less the fee goes back
	Disputed      State = "disputed"       // what is known contradicts itself: a person decides

	none   State = ""       // before the first submit
	purged State = "purged" // only the ids are left
)

// Cause is why something changed.
type Cause string

// The causes. Those of replies are about the call that the state names.
const (
	CauseSubmit         Cause = "submit asked"
	CausePlaced         Cause = "reply: placed"
	CauseRefused        Cause = "reply: rejected"
	CauseNotSent        Cause = "not sent"
	CauseLost           Cause = "outcome unknown"
	CauseFound          Cause = "found by a probe"
	CauseProbeRejected  Cause = "rejected by a probe"
	CauseNothing        Cause = "nothing learnt"
	Cause103            Cause = "event 103"
	Cause104            Cause = "event 104"
	Cause142            Cause = "event 142"
	CauseCancel         Cause = "cancel asked"
	CauseCancelled      Cause = "reply: cancelled"
	CauseCancelRefused  Cause = "reply: not cancelled" // or not sent
	CauseCancelLost     Cause = "outcome of cancel unknown"
	CauseAlive          Cause = "check: cancellable"
	CauseNotCancellable Cause = "check: not cancellable"
	CauseOtherID        Cause = "another id of Fliggy"
	CauseDecided        Cause = "a person decided"
	CauseRefund         Cause = "refund" // a refund of the renewal has changed
)

// Problem is what a person has to look at.
type Problem string

// The problems.
const (
	ProblemRejectedAfterAccepted  Problem = "rejected-after-accepted"
	ProblemAcceptedAfterRejected  Problem = "accepted-after-rejected"
	ProblemAcceptedAfterCancelled Problem = "accepted-after-cancelled"
	ProblemFeeDiffers             Problem = "fee-differs"
	ProblemIDMismatch             Problem = "id-mismatch"
	ProblemRefundChanged          Problem = "refund-changed"
	ProblemRefundOverLimit        Problem = "refund-over-limit"
	ProblemRefundNoTradeNumber    Problem = "refund-no-trade-number"
	ProblemRefundOnRejected       Problem = "refund-on-rejected"
	ProblemRefundRefused          Problem = "refund-refused"
	ProblemAnswerRefused          Problem = "answer-refused"
	ProblemStray                  Problem = "stray"
	ProblemNotSent                Problem = "not-sent"
	ProblemUnknown                Problem = "unknown"
	ProblemNoDecision             Problem = "no-decision" // neither 103 nor 104
	ProblemRefundFailing          Problem = "refund-failing"
	ProblemUnanswered             Problem = "unanswered"  // a refund without a confirmed answer
	ProblemUnconfirmed            Problem = "unconfirmed" // a batch of a bill without an answer
	ProblemBatchRefused           Problem = "batch-refused"
	ProblemLineOpen               Problem = "line-open" // a line that no bill has taken
	// ProblemItemFailing is an event of InboxQueue that has failed ten times, such as by OnChange or OnOther, or an item
	// of a queue that is parked, such as an event that cannot be read: see Parked of sqlstore.Store.
	ProblemItemFailing Problem = "item-failing"
)

// RefundState is where a refund is.
type RefundState string

// The states of a refund.
const (
	RefundWaiting       RefundState = "waiting"        // for the fate of the renewal
	RefundHeld          RefundState = "held"           // never paid by itself: see Book.ResolveRefund
	RefundOrdered       RefundState = "ordered"        // Run calls the function of OnRefund
	RefundPaying        RefundState = "paying"         // the function was called and has not said the result
	RefundAnswering     RefundState = "answering"      // 270 or 271 is on its way to Fliggy
	RefundAnswered      RefundState = "answered"       // Fliggy has confirmed the answer
	RefundAnswerRefused RefundState = "answer refused" // Fliggy has refused the answer; a payment stands
	RefundClosed        RefundState = "closed"         // done, with no answer to give, or by a person
)
