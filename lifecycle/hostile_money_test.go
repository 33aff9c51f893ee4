package lifecycle_test

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// revived is a renewal that was rejected, whose payment went back, and that lives.
func revived(d *desk) {
	d.t.Helper()
	undo := d.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
	r := d.submit("R1")
	d.push(rejection(r, r.RenewalOrderID))
	d.settle(2 * time.Hour)
	undo()
	d.wantPaid("100", 1)
	d.gw.Accept(r.RenewalOrderID)
	d.settle(time.Minute)
	d.want("R1", lifecycle.Disputed)
}

func (d *desk) wantBill(lines int, total string) {
	d.t.Helper()
	d.settle(time.Minute)
	bill, err := d.book.Bill(d.t.Context(), "B1", time.Now())
	if err != nil || bill.Lines != lines || !bill.Total.Equal(fliggy.MustYuan(total)) {
		d.t.Errorf("%v: %d lines, %s; want %d, %s", err, bill.Lines, bill.Total, lines, total)
	}
}

// A renewal that was rejected and lives is billed.
func TestBillRevived(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		revived(d)
		d.resolve("R1", lifecycle.Accepted)
		d.wantBill(1, "100")
	})
}

// What went back because of a rejection is billed as a refund if the renewal turns out to be cancelled.
func TestBillRevivedAndCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		revived(d)
		d.resolve("R1", lifecycle.Cancelled)
		d.wantPaid("100", 1)
		d.wantBill(2, "0")
	})
}

// The bill of a cancelled renewal has its refund and its fee whoever has paid the return, or refused to.
func TestBillReturnByHand(t *testing.T) {
	for _, action := range []lifecycle.RefundAction{lifecycle.CloseRefund, lifecycle.RefuseRefund} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			d.accepted("R1")
			d.results = []lifecycle.RefundResult{lifecycle.RefundRefused("no account")}
			if _, err := d.book.Cancel(t.Context(), "R1", free); err != nil {
				t.Fatal(err)
			}
			d.settle(time.Minute)
			d.decide("R1", "", action)
			d.wantBill(2, "0")
			d.settle(time.Minute)
			if n, err := d.book.Purge(t.Context(), time.Now()); n != 1 || err != nil {
				t.Error(n, err)
			}
		})
	}
}

// A person who decides on another fee than that at which the return was paid is told that the rest is open.
func TestFeeAfterReturn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.accepted("R1")
		d.settle(2 * 24 * time.Hour)
		fee, err := d.book.CancelFee(t.Context(), "R1")
		if err != nil || !fee.IsPositive() {
			t.Fatal(err, fee)
		}
		r, err := d.book.Cancel(t.Context(), "R1", lifecycle.CancelRequest{MaxFee: fee})
		if err != nil {
			t.Fatal(err)
		}
		d.settle(time.Minute)
		d.push(rejection(r, r.RenewalOrderID))
		d.want("R1", lifecycle.Disputed)
		d.overdue = nil
		d.resolve("R1", lifecycle.Rejected) // the fee is the customer's
		if f := d.get("R1").Return; f.Problem != lifecycle.ProblemRefundChanged || len(d.overdue) != 1 {
			t.Errorf("%+v %+v", f, d.overdue)
		}
		d.decide("R1", "", lifecycle.CloseRefund)
		if page, err := d.book.List(t.Context(), lifecycle.Filter{NeedsPerson: true}); err != nil || len(page.Renewals) != 0 {
			t.Error(err, page)
		}
	})
}

// A return that a person has closed waits for a person when it would be due anew.
func TestClosedReturnDueAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		undo := d.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
		r := d.submit("R1")
		d.push(rejection(r, r.RenewalOrderID))
		d.gw.Accept(r.RenewalOrderID)
		d.settle(time.Second)
		undo()
		d.want("R1", lifecycle.Disputed)
		d.decide("R1", "", lifecycle.RefuseRefund)
		d.resolve("R1", lifecycle.Accepted)
		d.overdue = nil
		if _, err := d.book.Cancel(t.Context(), "R1", free); err != nil {
			t.Fatal(err)
		}
		d.settle(time.Minute)
		d.wantPaid("0", 0)
		if f := d.get("R1").Return; f.State != lifecycle.RefundHeld || len(d.overdue) != 1 {
			t.Errorf("%+v %+v", f, d.overdue)
		}
		d.decide("R1", "", lifecycle.PayRefund)
		d.wantPaid("100", 1)
		d.wantBill(2, "0")
	})
}

// A renewal that lives after all has no return any more.
func TestResolvePlaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.submit("R1")
		d.push(rejection(r, r.RenewalOrderID)) // Fliggy says that it lives
		d.want("R1", lifecycle.Disputed)
		if r := d.resolve("R1", lifecycle.Placed); r.Return != nil {
			t.Errorf("%+v", r.Return)
		}
		d.wantPaid("0", 0)
	})
}

// A refund without a trade number that a person has had paid is on the bill.
func TestBillRefundWithoutTradeNumber(t *testing.T) {
	for _, number := range []string{"", " \t"} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			r := d.accepted("R1")
			d.push(feeRefund(r, r.RenewalOrderID, "R1", number))
			f := d.get("R1").Refunds[0]
			if f.State != lifecycle.RefundHeld || f.Problem != lifecycle.ProblemRefundNoTradeNumber {
				t.Fatalf("%+v", f)
			}
			d.decide("R1", f.Key, lifecycle.PayRefund)
			d.wantPaid("10", 1)
			if f := d.get("R1").Refunds[0]; f.State != lifecycle.RefundAnswerRefused {
				t.Errorf("%+v", f)
			}
			d.wantBill(2, "90")
		})
	}
}

// A function that has refused, and whose earlier call comes back late and has paid, is a matter for a person.
func TestPaidAfterRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		calls := 0
		f := lifecycle.OnRefund(func(context.Context, lifecycle.Refund) (lifecycle.RefundResult, error) {
			mu.Lock()
			calls++
			n := calls
			mu.Unlock()
			if n == 1 {
				time.Sleep(10 * time.Minute) // its context is long over
				return lifecycle.RefundPaid("N", time.Now()), nil
			}
			return lifecycle.RefundRefused("no account"), nil
		})
		d := newDesk(t, f)
		d.open(f)
		r := d.accepted("R1")
		d.gw.RequestRefund(r.RenewalOrderID, refundOf("10"))
		d.settle(time.Hour)
		got := d.get("R1")
		if f := got.Refunds[0]; f.Problem == "" || len(d.overdue) == 0 {
			t.Errorf("%+v %+v", f, d.overdue)
		}
	})
}

// A return that was refused goes back under another key if its amount is another by now: nothing of it is forgotten.
func TestRefusedReturnOfOtherAmount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.results = []lifecycle.RefundResult{lifecycle.RefundRefused("no account")}
		d.cancelledAtFee("R1")
		r := d.get("R1")
		d.push(rejection(r, r.RenewalOrderID))
		d.want("R1", lifecycle.Disputed)
		d.overdue = nil
		d.resolve("R1", lifecycle.Rejected) // the fee is the customer's
		again := d.get("R1").Return
		if again.State != lifecycle.RefundHeld || again.Key == r.Return.Key || len(d.overdue) != 1 {
			t.Errorf("%+v %+v", again, d.overdue)
		}
		d.decide("R1", "", lifecycle.PayRefund)
		d.wantPaid("100", 1)
		d.wantBill(2, "0")
	})
}

// The bill of a cancelled renewal whose return was closed by hand has the order's whole fee as its refund, whatever the
// return was when it was closed.
func TestBillClosedReturnAtFee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.submit("R1")
		d.results = []lifecycle.RefundResult{lifecycle.RefundRefused("no account")}
		d.gw.Reject(r.RenewalOrderID, "1", "no car")
		d.settle(time.Hour)
		d.decide("R1", "", lifecycle.CloseRefund)
		d.push(&events.RenewalAccepted{
			Envelope: events.Envelope{
				ChannelID: fliggy.ChannelAmap, OrderID: r.Request.OrderID, OutOrderID: r.Request.OutOrderID,
			},
			RenewalOrderID: r.RenewalOrderID,
		})
		d.want("R1", lifecycle.Disputed)
		if _, err := d.book.Resolve(t.Context(), "R1", lifecycle.Resolution{
			State: lifecycle.Cancelled, Fee: fliggy.MustYuan("10"), By: "li", Note: "asked",
		}); err != nil {
			t.Fatal(err)
		}
		if f := d.get("R1").Return; f.Problem != lifecycle.ProblemRefundChanged {
			t.Errorf("%+v", f)
		}
		d.wantBill(3, "10")
	})
}

// What a person has closed by hand the customer may have: nothing goes out beside it by itself.
func TestClosedByHandCounts(t *testing.T) {
	for _, first := range []string{"refund", "return"} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			r := d.accepted("R1")
			if first == "refund" {
				d.push(feeRefund(r, r.RenewalOrderID, "R1", " "))
				d.decide("R1", d.get("R1").Refunds[0].Key, lifecycle.CloseRefund)
			}
			if first == "return" {
				d.results = []lifecycle.RefundResult{lifecycle.RefundRefused("no account")}
			}
			if _, err := d.book.Cancel(t.Context(), "R1", free); err != nil {
				t.Fatal(err)
			}
			d.settle(time.Minute)
			if first == "return" {
				d.decide("R1", "", lifecycle.CloseRefund)
				d.gw.RequestRefund(r.RenewalOrderID, refundOf("10"))
			}
			d.settle(time.Hour)
			d.wantPaid("0", 0)
			page, err := d.book.List(t.Context(), lifecycle.Filter{NeedsPerson: true})
			if err != nil || len(page.Renewals) != 1 || page.Renewals[0].Problem != "" {
				t.Error(err, page)
			}
		})
	}
}
