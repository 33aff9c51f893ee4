package lifecycle

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A Resolution is what a person has found out about a renewal.
type Resolution struct {
	// State is Accepted, Rejected, Cancelled or Placed. What is done with the money is what is done when a renewal gets
	// into that state.
	State State
	// Fee is the fee of a cancellation, in yuan, whole fen. Required for Cancelled, 0 too. Where what remained has gone
	// back already, decide for Cancelled at the fee it went back at, and lower that by Book.CorrectFee: that is billed.
	Fee fliggy.Yuan
	// By says who has decided, Note why. Both are required, and are in the history.
	By, Note string
}

// Resolve ends what only a person can end: a renewal that is NotSent, Unknown, CancelUnknown, Disputed, or Placed
// without a decision. Refunds that are Held stay so, see [Book.ResolveRefund]. The error matches [ErrFinal] in any
// other state, and [ErrNotSettled] within 30 minutes of a call that may still arrive: for the rejection of an Unknown
// one, and for Accepted or Placed where it is CancelUnknown. With an error the Renewal is the zero Renewal.
func (b *Book) Resolve(ctx context.Context, id string, res Resolution) (Renewal, error) {
	var ps fliggy.Problems
	if !slices.Contains([]State{Accepted, Rejected, Cancelled, Placed}, res.State) {
		ps.Add("State", "must be Accepted, Rejected, Cancelled or Placed")
	}
	if res.State == Cancelled && !isFee(res.Fee) {
		ps.Add("Fee", "is required for Cancelled, 0 too: whole fen")
	}
	checkPerson(&ps, res.By, res.Note)
	if err := ps.Err("lifecycle: resolve " + id); err != nil {
		return Renewal{}, err
	}
	in := input{cause: CauseDecided, to: res.State, fee: res.Fee, by: res.By, note: res.Note}
	return b.decide(ctx, id, func(t *turn) error {
		switch from := t.State; {
		case from == Unknown && res.State == Rejected && t.isBeforeFence():
			return fmt.Errorf("%w: renewal %s was sent %v ago and may still arrive: reject it 30 minutes after that",
				ErrNotSettled, id, t.now.Sub(t.Sent).Round(time.Second))
		case from == CancelUnknown && (res.State == Accepted || res.State == Placed) && t.isBeforeFence():
			return fmt.Errorf("%w: the cancellation of renewal %s was sent %v ago and may still arrive: "+
				"decide that it was not carried out 30 minutes after that", ErrNotSettled, id, t.now.Sub(t.Sent).Round(time.Second))
		case res.State == Cancelled && t.left().Sub(res.Fee).IsNegative():
			return fmt.Errorf("%w: renewal %s: the fee %s is more than is left of the payment, %s",
				ErrFinal, id, res.Fee, t.left())
		}
		from := t.State
		if t.step(in); t.State == from {
			return fmt.Errorf("%w: renewal %s is %s and cannot be made %s", ErrFinal, id, from, res.State)
		}
		return nil
	})
}

func checkPerson(ps *fliggy.Problems, by, note string) {
	if by == "" {
		ps.Add("By", "is required: who decides")
	}
	if note == "" {
		ps.Add("Note", "is required: why")
	}
}

// decide lets f change a renewal, and Run look at it.
func (b *Book) decide(ctx context.Context, id string, f func(t *turn) error) (Renewal, error) {
	r, err := b.alter(ctx, id, f)
	b.nudge()
	if err != nil {
		return Renewal{}, err
	}
	return r.Renewal, nil
}

// RefundAction is what a person decides about a refund.
type RefundAction string

// The actions.
const (
	// PayRefund gives a Held refund to the function of OnRefund, also above what is left of the payment.
	PayRefund RefundAction = "pay"
	// RefuseRefund answers 271 for a Held refund; a return is closed.
	RefuseRefund RefundAction = "refuse"
	// CloseRefund closes a refund that was dealt with by hand: one that is Held, or whose answer was refused. The
	// customer may have its amount then: a later return is Held, and so is a refund that does not fit beside it. Of any
	// other it ends ProblemRefundChanged, and changes nothing else.
	CloseRefund RefundAction = "close"
)

// A RefundDecision is what a person has decided about a refund. All members are required.
type RefundDecision struct {
	Action   RefundAction
	By, Note string
}

// ResolveRefund ends what only a person can end for a refund of a renewal: the one that Fliggy ordered under
// payTradeNo, or the return where payTradeNo is empty. The error matches [ErrFinal] if its state does not allow it:
// what was paid or answered stays. A refund that came without a trade number is named by its Key in place of
// payTradeNo.
func (b *Book) ResolveRefund(ctx context.Context, id, payTradeNo string, d RefundDecision) (Renewal, error) {
	var ps fliggy.Problems
	cause, ok := map[RefundAction]refundCause{
		PayRefund: refundPay, RefuseRefund: refundRefuse, CloseRefund: refundCloseCause,
	}[d.Action]
	if !ok {
		ps.Add("Action", "must be PayRefund, RefuseRefund or CloseRefund")
	}
	checkPerson(&ps, d.By, d.Note)
	if err := ps.Err("lifecycle: resolve refund"); err != nil {
		return Renewal{}, err
	}
	return b.decide(ctx, id, func(t *turn) error {
		f := t.Return
		if payTradeNo != "" {
			f = cmp.Or(t.keyed(payTradeNo), t.refund(payTradeNo))
		}
		switch {
		case f == nil:
			return fmt.Errorf("%w: renewal %s has no refund %q", ErrNotFound, id, payTradeNo)
		case d.Action == PayRefund && !f.canBePaid():
			return fmt.Errorf("%w: refund %s of %q has no amount in whole fen to pay: close it", ErrFinal, f.Key, f.Amount)
		case !t.refundStep(f, cause):
			return fmt.Errorf("%w: refund %s is %s", ErrFinal, f.Key, f.State)
		}
		f.Note = d.Note
		t.noteRefund(f, cause, d.By)
		return nil
	})
}
