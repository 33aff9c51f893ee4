package fliggy

import (
	"testing"
)

func TestBillBizTypeSides(t *testing.T) {
	t.Parallel()
	for b := BillBizType(-1); b < 40; b++ {
		income, refund := b >= 10 && b <= 14, b >= 20 && b <= 24
		if b.IsIncome() != income || b.IsRefund() != refund {
			t.Errorf("%d: income %v, refund %v", int(b), b.IsIncome(), b.IsRefund())
		}
		if income && (b+10).String() != b.String()+" refund" {
			t.Errorf("%d is %q, its refund %q", int(b), b, b+10)
		}
	}
}
