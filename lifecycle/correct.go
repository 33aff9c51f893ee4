package lifecycle

import (
	"context"
	"fmt"
	"slices"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A FeeCorrection is what a person has decided about the fee of a cancellation. All members are required.
type FeeCorrection struct {
	// Fee is what the cancellation costs in all, in yuan, whole fen; 0 too. It is less than before.
	Fee      fliggy.Yuan
	By, Note string
}

// CorrectFee lowers the fee of a cancelled renewal, once what remained of the payment has gone back. The difference
// goes to the function of OnRefund, under a key of its own, and when it is paid it is a line of the ledger (24) for the
// next bill: lines that are there never change. The error matches [ErrFinal] where the renewal is not cancelled, the
// new fee is not less, or refunds have used it up; [ErrNotSettled] while money is still on its way back.
func (b *Book) CorrectFee(ctx context.Context, id string, c FeeCorrection) (Renewal, error) {
	var ps fliggy.Problems
	if !isFee(c.Fee) {
		ps.Add("Fee", "is required, 0 too: whole fen, not negative")
	}
	checkPerson(&ps, c.By, c.Note)
	if err := ps.Err("lifecycle: correct the fee of " + id); err != nil {
		return Renewal{}, err
	}
	return b.decide(ctx, id, func(t *turn) error {
		back := t.CancelFee.Sub(c.Fee)
		switch {
		case t.State != Cancelled:
			return fmt.Errorf("%w: renewal %s is %s: only the fee of a cancelled one can be corrected", ErrFinal, id, t.State)
		case !back.IsPositive():
			return fmt.Errorf("%w: renewal %s: the fee is %s: a correction lowers it", ErrFinal, id, t.CancelFee)
		case t.isPaying():
			return fmt.Errorf("%w: renewal %s: correct the fee when what goes back has been paid", ErrNotSettled, id)
		case t.left().Sub(back).IsNegative():
			return fmt.Errorf("%w: renewal %s: %s is left of the payment, and %s would go back: refunds have used up the fee",
				ErrFinal, id, t.left(), back)
		}
		t.CancelFee = c.Fee
		t.Corrections++
		f := t.newRefund(RefundCorrected, fmt.Sprint("correction@", t.Corrections), back)
		f.Note = c.Note
		t.Refunds = append(t.Refunds, *f)
		t.noteRefund(f, refundCorrected, c.By)
		return nil
	})
}

// isPaying reports whether money that is taken from the payment is on its way back, or held.
func (r *record) isPaying() bool {
	return slices.ContainsFunc(r.all(), func(f *Refund) bool {
		switch f.State {
		case RefundWaiting, RefundHeld, RefundOrdered, RefundPaying:
			return f.Kind != RefundFee
		}
		return false
	})
}
