package lifecycle_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// A fee that was billed is lowered by a line of its own: bills and cash agree before and after.
func TestCorrectFee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		fee := d.cancelledAtFee("R1")
		bill := func(no, total string) {
			t.Helper()
			b, err := d.book.Bill(t.Context(), no, time.Now())
			if err != nil || !b.Total.Equal(fliggy.MustYuan(total)) {
				t.Fatal(err, b)
			}
			d.settle(time.Minute)
		}
		bill("B1", fee.String())
		lower := lifecycle.FeeCorrection{Fee: fliggy.MustYuan("4.5"), By: "li", Note: "a flood"}
		for range 2 {
			r, err := d.book.CorrectFee(t.Context(), "R1", lower)
			if err != nil || !r.CancelFee.Equal(lower.Fee) {
				t.Fatal(err, r.CancelFee)
			}
			d.settle(time.Minute)
			lower.Fee = fliggy.MustYuan("0")
		}
		d.wantPaid("100", 3)
		bill("B2", fee.Neg().String())
		lines, err := d.book.Lines(t.Context(), "R1")
		if err != nil {
			t.Fatal(err)
		}
		cash := fliggy.FenOf(0).Yuan()
		for _, l := range lines {
			cash = cash.Add(l.Cash)
			if l.Kind == lifecycle.LineCorrection && (l.BizType != fliggy.BillCancelPenaltyRefund || l.BillNo != "B2") {
				t.Errorf("%+v", l)
			}
		}
		if len(lines) != 5 || !cash.Equal(fliggy.FenOf(0).Yuan()) {
			t.Errorf("%d lines, %s kept", len(lines), cash)
		}
	})
}

// What a correction must not do says why, and changes nothing.
func TestCorrectFeeRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		ok := lifecycle.FeeCorrection{Fee: fliggy.MustYuan("0"), By: "li", Note: "why"}
		correct := func(id string, c lifecycle.FeeCorrection) error {
			_, err := d.book.CorrectFee(t.Context(), id, c)
			return err
		}
		wantIs(t, correct("none", ok), lifecycle.ErrNotFound)
		d.accepted("R0")
		wantIs(t, correct("R0", ok), lifecycle.ErrFinal)
		d.errs = []error{errors.New("away")}
		fee := d.cancelledAtFee("R1")
		for _, bad := range []lifecycle.FeeCorrection{
			{By: "li", Note: "why"}, {Fee: ok.Fee, Note: "why"}, {Fee: ok.Fee, By: "li"},
			{Fee: fliggy.MustYuan("-1"), By: "li", Note: "why"}, {Fee: fliggy.MustYuan("0.001"), By: "li", Note: "why"},
		} {
			if err := correct("R1", bad); err == nil || errors.Is(err, lifecycle.ErrFinal) {
				t.Errorf("%+v: %v", bad, err)
			}
		}
		wantIs(t, correct("R1", ok), lifecycle.ErrNotSettled) // the return is not paid
		d.settle(time.Hour)
		wantIs(t, correct("R1", lifecycle.FeeCorrection{Fee: fee, By: "li", Note: "the same"}), lifecycle.ErrFinal)
		d.gw.RequestRefund(d.get("R1").RenewalOrderID, fliggytest.Refund{
			Type: fliggy.RefundCancelPenalty, Amount: fliggy.MustYuan("0.01"), Reason: "flood",
		})
		d.settle(time.Hour)
		wantIs(t, correct("R1", ok), lifecycle.ErrFinal) // a fen of the fee has gone back already
		if r := d.get("R1"); !r.CancelFee.Equal(fee) || len(r.Refunds) != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// cancelledAtFee is a renewal that was cancelled when that cost something.
func (d *desk) cancelledAtFee(id string) (fee fliggy.Yuan) {
	d.t.Helper()
	d.accepted(id)
	d.settle(2 * 24 * time.Hour)
	fee, err := d.book.CancelFee(d.t.Context(), id)
	if err == nil {
		_, err = d.book.Cancel(d.t.Context(), id, lifecycle.CancelRequest{MaxFee: fee})
	}
	if err != nil || !fee.IsPositive() {
		d.t.Fatal(err, fee)
	}
	d.settle(time.Second)
	return fee
}
