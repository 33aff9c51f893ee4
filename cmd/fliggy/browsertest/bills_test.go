package browsertest

import (
	"testing"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// notify sends a batch of a bill.
func (d *desk) notify(batch string) {
	d.t.Helper()
	line := func(biz fliggy.BillBizType, amount, tradeNo string) rentcar.BillLine {
		return rentcar.BillLine{
			OrderID: fliggytest.SampleOrderID, OutOrderID: "FX1", BizType: biz, OrderAmount: fliggy.MustYuan(amount),
			PayTradeNo: tradeNo, PayTime: fliggy.MustTime("2026-11-20 19:23:32"),
		}
	}
	bill, err := rentcar.NewBill("ID20261130", batch).
		Income(line(fliggy.BillOrderFee, "100.00", "T1"), line(fliggy.BillOrderFee, "20.50", "T2"),
			line(fliggy.BillCancelPenalty, "9.99", "T3")).
		Refund(line(fliggy.BillOrderFeeRefund, "30.25", "T4")).Build()
	noError(d.t, err)
	_, err = d.client().Bills.Notify(d.t.Context(), bill)
	noError(d.t, err)
}

func TestBills(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.tabTo("bills")
	d.shows("#bills", "No bill yet")
	d.notify("20261130001")
	d.shows("#bills", "ID20261130")
	for _, sum := range []string{"120.50", "9.99", "-30.25", "100.24"} {
		d.shows("#bills td", sum)
	}
	d.shows("#bills td", "10 order fee")
	d.press("bill-lines")
	d.shows("#bills details td", "T4")
	d.shows("#bills details td", "refund")
	d.notify("20261130001")
	d.shows("#bills .badge", "repeated batch")
	d.shows("#tab-bills .count", "2")
	d.pressIn("#bills", "show-call")
	d.shows("#calls-detail h3", "bill.notify")
}

func TestCallbacks(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.submit("R1")
	d.tabTo("callbacks")
	d.shows("#callbacks", "No callback yet")
	call(d, "POST", "renewals/"+string(id)+"/accept", map[string]any{}, nil)
	call(d, "POST", "renewals/"+string(id)+"/refund", map[string]any{"amount": "3.00"}, nil)
	event, err := events.Parse([]byte(get[shownPush](d, d.last()).Body))
	noError(t, err)
	_, err = d.client().Callbacks.Send(t.Context(), event.(*events.RenewalFeeRefund).SuccessCallback())
	noError(t, err)
	d.shows("#callbacks h3", "270 renewal fee refund succeeded")
	d.shows("#callbacks pre", string(id)) // to its last digit
	d.shows("#callbacks pre", string(fliggytest.SampleOrderID))
}
