package lifecycle

import (
	"cmp"
	"strings"

	"github.com/fliggy-go/rentcar/fliggy"
)

// line puts a line, or changes the state of one that waits.
func (t *turn) line(l Line) { t.lines = append(t.lines, l) }

// newLine is a line of the renewal.
func (t *turn) newLine(kind LineKind, name string, biz fliggy.BillBizType, amount, cash fliggy.Yuan) Line {
	id := t.ID + "/" + string(kind)
	if name != "" {
		id += "/" + name
	}
	return Line{
		ID: id, Kind: kind, State: openIf(amount), RenewalID: t.ID, OrderID: t.Request.OrderID,
		OutOrderID: t.Request.OutOrderID, BizType: biz, Amount: amount, Cash: cash, PayType: t.PayType,
		CustomerPaid: t.paid(), At: t.now,
	}
}

// openIf is the state of a line that opens: void where the amount is not positive, because a bill has no such lines.
func openIf(amount fliggy.Yuan) LineState {
	if amount.IsPositive() {
		return LineOpen
	}
	return LineVoid
}

// paidLine is what the customer paid.
func (t *turn) paidLine(state LineState) Line {
	l := t.newLine(LinePaid, "", fliggy.BillOrderFee, t.Request.TotalFee, t.paid())
	l.State, l.TradeNo, l.PayTime = state, t.payTradeNo(), t.PaidTime
	if l.PayTime.IsZero() { // nothing was paid
		l.PayTime = t.Sent
	}
	return l
}

// payTradeNo is the trade number of the payment, or one of the journal where nothing was paid: a bill needs one.
func (t *turn) payTradeNo() string { return cmp.Or(t.Request.PayTradeNo, t.ID+"-paid") }

// refundLine is a refund that Fliggy ordered.
func (t *turn) refundLine(f *Refund) Line {
	biz := map[fliggy.RefundType]fliggy.BillBizType{
		fliggy.RefundVehicleDamage:    fliggy.BillVehicleDamageDeductionRefund,
		fliggy.RefundTrafficViolation: fliggy.BillTrafficViolationDeductionRefund,
		fliggy.RefundCancelPenalty:    fliggy.BillCancelPenaltyRefund,
	}[f.Type]
	if biz == 0 {
		biz = fliggy.BillOrderFeeRefund
	}
	l := t.newLine(LineRefund, f.PayTradeNo, biz, f.Amount, f.Amount.Neg())
	l.TradeNo, l.PayTime, l.DeductTradeNo = f.PayTradeNo, f.PaidTime, f.DeductPayTradeNo
	if isBlank(l.TradeNo) { // a person has had it paid; a bill needs a number
		l.TradeNo = cmp.Or(f.TradeNo, t.ID+"-refund")
	}
	l.ProviderNo = f.TradeNo
	return l
}

// ownLines are those of a refund that Fliggy did not order: the return, or what a person took off the fee.
func (t *turn) ownLines(f *Refund) {
	if f.Kind != RefundCorrected {
		t.returnLines(f.Amount)
		return
	}
	_, name, _ := strings.Cut(f.Key, "@correction@")
	l := t.newLine(LineCorrection, cmp.Or(name, f.Key), fliggy.BillCancelPenaltyRefund, f.Amount, f.Amount.Neg())
	l.TradeNo, l.PayTime = cmp.Or(f.TradeNo, f.Key), f.PaidTime
	if f.isByHand() {
		l.Cash, l.PayTime = fliggy.FenOf(0).Yuan(), t.now
	}
	t.line(l)
}

// returnLines are those of what went back, or was dealt with by hand. After a rejection nothing is billed, unless the
// payment was. After a cancellation the whole fee of the order is refunded and the penalty is an income of its own: the
// sum is the penalty. due is what goes back as the renewal was decided.
func (t *turn) returnLines(due fliggy.Yuan) {
	f := t.Return
	amount := due.Add(t.Request.TotalFee.Sub(t.paid()))
	if f.Kind == RefundCancelled {
		amount = amount.Add(t.CancelFee)
	}
	cash, paidTime := f.Amount.Neg(), f.PaidTime
	if f.isByHand() {
		cash, paidTime = fliggy.FenOf(0).Yuan(), t.now
	}
	l := t.newLine(LineReturned, "", fliggy.BillOrderFeeRefund, amount, cash)
	l.TradeNo, l.PayTime = cmp.Or(f.TradeNo, t.ID+"-return"), paidTime
	if f.Kind == RefundRejected && !t.Opened {
		l.State = LineVoid
	}
	t.line(l)
	if f.Kind == RefundCancelled && t.CancelFee.IsPositive() {
		fee := t.newLine(LineFee, "", fliggy.BillCancelPenalty, t.CancelFee, fliggy.FenOf(0).Yuan())
		fee.TradeNo, fee.PayTime, fee.CustomerPaid = t.payTradeNo(), paidTime, t.CancelFee
		t.line(fee)
	}
}
