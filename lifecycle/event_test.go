package lifecycle_test

import (
	"context"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/lifecycle"
)

func (d *desk) push(e events.Event) {
	d.t.Helper()
	if p := d.gw.Push(d.t.Context(), e); !p.Accepted {
		d.t.Fatal(p.Err, string(p.Answer))
	}
	d.settle(time.Minute) // Run may work on the renewal at the same time: one of both tries again then
}

func rejection(r lifecycle.Renewal, id fliggy.ID) *events.RenewalRejected {
	return &events.RenewalRejected{
		Envelope: events.Envelope{
			ChannelID: fliggy.ChannelAmap, OrderID: r.Request.OrderID, OutOrderID: r.Request.OutOrderID,
		},
		RenewalOrderID: id,
	}
}

// A 104 after a 103 is for a person: no money moves, and the person's decision moves it.
func TestContradiction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.accepted("R1")
		d.push(rejection(r, r.RenewalOrderID))
		r = d.want("R1", lifecycle.Disputed)
		if r.Problem != lifecycle.ProblemRejectedAfterAccepted || len(d.overdue) != 1 {
			t.Fatal(r.Problem, d.overdue)
		}
		d.push(rejection(r, r.RenewalOrderID)) // again: nothing
		d.settle(48 * time.Hour)
		d.wantPaid("0", 0)
		page, err := d.book.List(t.Context(), lifecycle.Filter{NeedsPerson: true})
		if err != nil || len(page.Renewals) != 1 || !page.IsLast {
			t.Fatal(err, page)
		}
		if _, err := d.book.Resolve(t.Context(), "R1", lifecycle.Resolution{
			State: lifecycle.Rejected, By: "li", Note: "they have no car",
		}); err != nil {
			t.Fatal(err)
		}
		d.settle(time.Minute)
		d.wantPaid("100", 1)
	})
}

// Before money goes back on a 104, Fliggy is asked: what can be cancelled lives.
func TestRejectionAsksFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.submit("R1")
		d.push(rejection(r, r.RenewalOrderID)) // Fliggy knows nothing of it
		d.want("R1", lifecycle.Disputed)
		d.settle(time.Hour)
		d.wantPaid("0", 0)
	})
}

// A 104 that names only the main order waits until a request that is under way cannot arrive any more.
func TestRejectionByElimination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.gw.Fail(fliggytest.CutOff().On(api.RenewalSubmit.Method).AfterCommit())
		d.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Times(100).For(20 * time.Minute))
		r, _ := d.book.Submit(t.Context(), d.request("R1"))
		d.gw.Reject(d.renewal(r).RenewalOrderID, "1", "no car")
		d.settle(25 * time.Minute)
		if got := d.get("R1").State; got == lifecycle.Rejected {
			t.Fatal("rejected before the fence")
		}
		strays, _, err := d.book.Strays(t.Context(), lifecycle.Cursor{}, 10)
		if err != nil || len(strays) != 1 || !strays[0].IsRenewal {
			t.Fatal(err, strays)
		}
		d.settle(2 * time.Hour)
		d.want("R1", lifecycle.Rejected)
		d.wantPaid("100", 1)
		if strays, _, _ := d.book.Strays(t.Context(), lifecycle.Cursor{}, 10); len(strays) != 0 {
			t.Error(strays)
		}
	})
}

// A 104 that names only the main order may be about a renewal that was not made here: what is asked before money goes
// back is about ours.
func TestRejectionOfAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.gw.Fail(fliggytest.CutOff().On(api.RenewalSubmit.Method).AfterCommit())
		r, err := d.book.Submit(t.Context(), d.request("R1"))
		wantIs(t, err, rentcar.ErrOutcomeUnknown)
		other, err := d.client.Renewals.Submit(t.Context(), &d.request("X1").RenewalSubmitRequest)
		if err != nil {
			t.Fatal(err)
		}
		if p := d.gw.Reject(other.RenewalOrderID, "1", "no car"); !p.Accepted {
			t.Fatal(p.Err)
		}
		d.settle(2 * time.Hour)
		d.want("R1", lifecycle.Disputed)
		d.wantPaid("0", 0)
		if _, err := d.book.Resolve(t.Context(), "R1", lifecycle.Resolution{
			State: lifecycle.Placed, By: "li", Note: "the 104 was of X1",
		}); err != nil {
			t.Fatal(err)
		}
		d.gw.Accept(d.renewal(r).RenewalOrderID)
		d.settle(time.Minute)
		d.want("R1", lifecycle.Accepted)
	})
}

// An event of a renewal that nobody knows is kept, told of, and can be dropped. It is matched when its renewal appears.
func TestStrays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.push(rejection(lifecycle.Renewal{}, "123456"))
		d.push(mainRefund())
		d.settle(25 * time.Hour)
		strays, next, err := d.book.Strays(t.Context(), lifecycle.Cursor{}, 10)
		if err != nil || len(strays) != 2 || next != (lifecycle.Cursor{}) || len(d.overdue) != 2 {
			t.Fatal(err, strays, d.overdue)
		}
		for _, s := range strays {
			if err := d.book.DropStray(t.Context(), s.Key); err != nil {
				t.Fatal(err)
			}
		}
		wantIs(t, d.book.DropStray(t.Context(), strays[0].Key), lifecycle.ErrNotFound)
	})
}

// A second order under the same trade number with another amount pays nothing more, and is kept.
func TestRefundChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.accepted("R1")
		refund := fliggytest.Refund{
			Type: fliggy.RefundEarlyReturn, Amount: fliggy.MustYuan("10"), Reason: "early", PayTradeNo: "T1",
		}
		d.gw.RequestRefund(r.RenewalOrderID, refund)
		d.settle(time.Minute)
		refund.Amount = fliggy.MustYuan("10.00")
		d.gw.RequestRefund(r.RenewalOrderID, refund) // the same
		d.settle(time.Minute)
		if f := d.get("R1").Refunds[0]; f.State != lifecycle.RefundAnswered || f.Problem != "" {
			t.Fatalf("%+v", f)
		}
		refund.Amount = fliggy.MustYuan("20")
		d.gw.RequestRefund(r.RenewalOrderID, refund)
		d.settle(time.Minute)
		f := d.get("R1").Refunds[0]
		if f.State != lifecycle.RefundAnswered || f.Problem != lifecycle.ProblemRefundChanged || len(f.Others) != 1 {
			t.Fatalf("%+v", f)
		}
		d.wantPaid("10", 1)
		refund.PayTradeNo, refund.Amount = "T2", fliggy.MustYuan("90.01")
		d.gw.RequestRefund(r.RenewalOrderID, refund)
		d.settle(time.Minute)
		if f := d.get("R1").Refunds[1]; f.State != lifecycle.RefundHeld || f.Problem != lifecycle.ProblemRefundOverLimit {
			t.Fatalf("%+v", f)
		}
		d.wantPaid("10", 1)
		second := d.accepted("R2")
		refund.PayTradeNo, refund.Amount = "T1", fliggy.MustYuan("1")
		d.gw.RequestRefund(second.RenewalOrderID, refund) // the trade number of the other renewal
		d.settle(time.Minute)
		if n := len(d.get("R2").Refunds); n != 0 {
			t.Errorf("%d refunds", n)
		}
		d.wantPaid("10", 1)
	})
}

// feeRefund is an order of a refund, of the renewal that the ids name.
func feeRefund(r lifecycle.Renewal, id fliggy.ID, own, tradeNo string) *events.RenewalFeeRefund {
	return &events.RenewalFeeRefund{
		Envelope: events.Envelope{
			ChannelID: fliggy.ChannelAmap, OrderID: r.Request.OrderID, OutOrderID: r.Request.OutOrderID,
		},
		RenewalOrderID: id, RenewalOutOrderID: own,
		FeeRefundData: events.FeeRefundData{
			RefundType: fliggy.RefundEarlyReturn, Amount: fliggy.MustYuan("10"), Reason: "early", PayTradeNo: tradeNo,
		},
	}
}

// An order to refund is for the renewal that it names: by the main order alone, no money goes out.
func TestRefundByElimination(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.gw.Fail(fliggytest.CutOff().On(api.RenewalSubmit.Method).AfterCommit())
		r, _ := d.book.Submit(t.Context(), d.request("R1"))
		d.settle(time.Minute)
		d.push(&events.RenewalAccepted{
			Envelope: events.Envelope{ChannelID: fliggy.ChannelAmap, OrderID: "555", OutOrderID: "R1"},
		})
		d.want("R1", lifecycle.Accepted)
		d.push(feeRefund(r, "987654", "", "T1"))
		d.settle(time.Hour)
		if n := len(d.get("R1").Refunds); n != 0 {
			t.Errorf("%d refunds", n)
		}
		d.wantPaid("0", 0)
		if strays, _, err := d.book.Strays(t.Context(), lifecycle.Cursor{}, 10); err != nil || len(strays) != 1 {
			t.Error(err, strays)
		}
	})
}

// An order that names two renewals pays nothing; both are Disputed, and what it said is kept and told of once.
func TestEventOfTwoRenewals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		first := d.accepted("R1")
		d.accepted("R2")
		d.push(feeRefund(first, first.RenewalOrderID, "R2", "T1"))
		d.settle(72 * time.Hour)
		d.want("R1", lifecycle.Disputed)
		d.want("R2", lifecycle.Disputed)
		d.wantPaid("0", 0)
		strays, _, err := d.book.Strays(t.Context(), lifecycle.Cursor{}, 10)
		if err != nil || len(strays) != 1 || strays[0].IsRenewal {
			t.Fatal(err, strays)
		}
		told := 0
		for _, o := range d.overdue {
			if o.Problem == lifecycle.ProblemStray {
				told++
			}
		}
		if told != 1 {
			t.Errorf("told %d times", told)
		}
	})
}

// The key of a refund is one that WeChat Pay takes, and another for each refund, whatever the ids are made of.
func TestRefundKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		allowed := regexp.MustCompile(`^[0-9A-Za-z_\-|*@]{1,64}$`)
		seen := map[string]bool{}
		readable := 0
		for _, id := range []string{"R1", "R1@refund", "R#1", strings.Repeat("x", 64)} {
			r := d.accepted(id)
			for _, number := range []string{"1_142_1", "return", "refund@return", "1/2", "1 2"} {
				f := refundOf("1.00")
				f.PayTradeNo = id + number
				if p := d.gw.RequestRefund(r.RenewalOrderID, f); !p.Accepted {
					t.Fatal(p.Err, string(p.Answer))
				}
			}
			d.settle(time.Hour)
			for _, f := range d.get(id).Refunds {
				if !allowed.MatchString(f.Key) || seen[f.Key] {
					t.Errorf("%s: key %q", f.PayTradeNo, f.Key)
				}
				if strings.HasPrefix(f.Key, id+"@refund@") {
					readable++
				}
				seen[f.Key] = true
			}
		}
		if len(seen) != 20 || readable != 3 {
			t.Errorf("%d keys, %d of them readable", len(seen), readable)
		}
	})
}

// An event that is kept as a stray while the reply that names its renewal is being stored finds it soon after.
func TestEventBesideReply(t *testing.T) {
	for name, opts := range map[string][]lifecycle.Option{"own": nil, "shared": {lifecycle.WithSharedOrders()}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var d *desk
				push := func(_ context.Context, before, after lifecycle.Renewal) error {
					if before.State == lifecycle.Submitting && after.State == lifecycle.Placed { // it is not committed yet
						go d.gw.Push(t.Context(), rejection(after, after.RenewalOrderID))
						time.Sleep(time.Second)
					}
					return nil
				}
				d = newDesk(t, append(opts, lifecycle.OnChange(push))...)
				d.submit("R1")
				d.settle(2 * time.Minute)
				list, _, err := d.book.Strays(t.Context(), lifecycle.Cursor{}, 0)
				if r := d.get("R1"); r.State == lifecycle.Placed || len(list) > 0 || err != nil {
					t.Errorf("%s, %d strays, %v", r.State, len(list), err)
				}
			})
		})
	}
}
