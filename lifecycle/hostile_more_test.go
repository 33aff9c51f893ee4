package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// Functions that do not come back hold up neither other renewals nor what a person is told.
func TestOnRefundBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := make(chan struct{})
		defer close(blocked)
		var d *desk
		d = newDesk(t, lifecycle.OnRefund(func(ctx context.Context, r lifecycle.Refund) (lifecycle.RefundResult, error) {
			if r.RenewalID != "last" {
				<-blocked
				return lifecycle.RefundResult{}, nil
			}
			return d.pay(ctx, r)
		}))
		for i := range 20 {
			r := d.accepted(fmt.Sprint("R", i))
			d.gw.RequestRefund(r.RenewalOrderID, refundOf("10"))
			d.settle(time.Second)
		}
		r := d.accepted("last")
		d.gw.RequestRefund(r.RenewalOrderID, refundOf("10"))
		d.settle(3 * time.Hour)
		d.wantPaid("10", 1)
		told := map[string]bool{}
		for _, o := range d.overdue {
			if o.Problem == lifecycle.ProblemRefundFailing {
				told[o.Renewal.ID] = true
			}
		}
		if len(told) != 20 {
			t.Errorf("told of %d", len(told))
		}
	})
}

// What a person has decided about a 104 is decided: a cancellation after it is one as others are.
func TestCancelAfterResolve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		dispute(d, "R1")
		d.resolve("R1", lifecycle.Accepted)
		undo := d.gw.Fail(fliggytest.Failed(&rentcar.BusinessError{Code: "1", Message: "no"}).On(api.RenewalCancel.Method))
		if _, err := d.book.Cancel(t.Context(), "R1", free); err == nil {
			t.Fatal("it was cancelled")
		}
		undo()
		d.want("R1", lifecycle.Accepted)
		d.settle(2 * 24 * time.Hour)
		fee, err := d.book.CancelFee(t.Context(), "R1")
		if err != nil || !fee.IsPositive() {
			t.Fatal(err, fee)
		}
		if r, err := d.book.Cancel(t.Context(), "R1", lifecycle.CancelRequest{MaxFee: fee}); err != nil ||
			r.State != lifecycle.Cancelled {
			t.Fatal(err, r.State, r.Problem)
		}
	})
}

// A 104 that comes while one is cancelled that a person has accepted contradicts that person: no money moves.
func TestRejectionWhileCancelling(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.submit("R1")
		d.settle(3 * time.Hour)
		d.resolve("R1", lifecycle.Accepted)
		d.gw.Fail(fliggytest.Delayed(3 * time.Second).On(api.RenewalCancel.Method))
		go func() {
			time.Sleep(time.Second)
			d.gw.Reject(r.RenewalOrderID, "1", "no car")
		}()
		if _, err := d.book.Cancel(t.Context(), "R1", free); err == nil {
			t.Fatal("it was cancelled")
		}
		d.settle(2 * time.Hour)
		d.want("R1", lifecycle.Disputed)
		d.wantPaid("0", 0)
	})
}

// A cancellation that may still arrive is not given up by a person.
func TestResolveBeforeFence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.accepted("R1")
		d.gw.Fail(fliggytest.CutOff().On(api.RenewalCancel.Method))
		_, err := d.book.Cancel(t.Context(), "R1", free)
		wantIs(t, err, rentcar.ErrOutcomeUnknown)
		for _, state := range []lifecycle.State{lifecycle.Accepted, lifecycle.Placed} {
			_, err = d.book.Resolve(t.Context(), "R1", lifecycle.Resolution{State: state, By: "li", Note: "x"})
			wantIs(t, err, lifecycle.ErrNotSettled)
		}
	})
}

// Each movement of the ledger is one of the other book, and no two are the same one.
func TestReconcileSameNumbers(t *testing.T) {
	for file, want := range map[string][]string{
		"P-R1,100\nP-R1,-10\nP-R1,-20\n":             nil,
		"P-R1,100\nP-R1,-10\n":                       {"missing there"},
		"P-R1,100\nP-R1,-10\nP-R1,-25\n":             {"amount differs"},
		"P-R1,100\nP-R1,-10\nP-R1,-20\nP-R1,-20.0\n": {"double"},
	} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			r := d.accepted("R1")
			for _, amount := range []string{"10", "20"} {
				d.results = append(d.results, lifecycle.RefundPaid("P-R1", time.Now()))
				d.gw.RequestRefund(r.RenewalOrderID, refundOf(amount))
				d.settle(time.Minute)
			}
			report, err := d.book.Reconcile(t.Context(), lifecycle.ReadEntries(strings.NewReader("number,yuan\n"+file),
				lifecycle.Columns{TradeNo: "number", Amount: "yuan"}))
			var got []string
			for _, f := range report.Findings {
				got = append(got, string(f.Kind))
			}
			if err != nil || !slices.Equal(got, want) || report.Matched < 2 {
				t.Errorf("%q: %v, %q, %d agree; want %q", file, err, got, report.Matched, want)
			}
		})
	}
}

// A slash would make two lines one: the payment of renewal A/refund/x, and refund x/paid of renewal A.
func TestSubmitSlash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		_, err := d.book.Submit(t.Context(), d.request("A/refund/x"))
		var invalid *fliggy.ValidationError
		if !errors.As(err, &invalid) || !strings.Contains(err.Error(), "slash") {
			t.Error(err)
		}
	})
}

// An event finds a renewal by the distributor's id of the main order, with or without spaces around it.
func TestEventOfSpacedOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.gw.Fail(dropSubmit())
		d.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
		req := d.request("R1")
		req.OutOrderID = " " + req.OutOrderID + " "
		_, err := d.book.Submit(t.Context(), req)
		wantIs(t, err, rentcar.ErrOutcomeUnknown)
		d.push(&events.RenewalAccepted{
			Envelope:       events.Envelope{ChannelID: fliggy.ChannelAmap, OrderID: "987", OutOrderID: req.OutOrderID},
			RenewalOrderID: "987",
		})
		d.want("R1", lifecycle.Accepted)
	})
}

// A line that no bill takes is told of by its id, however long that is.
func TestOverdueLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.accepted("R1")
		refund := refundOf("10")
		refund.PayTradeNo = strings.Repeat("T", 100)
		d.gw.RequestRefund(r.RenewalOrderID, refund)
		d.settle(36 * 24 * time.Hour)
		var got []string
		for _, o := range d.overdue {
			got = append(got, o.Subject)
		}
		slices.Sort(got)
		if want := []string{"R1/paid", "R1/refund/" + refund.PayTradeNo}; !slices.Equal(got, want) {
			t.Errorf("%q", got)
		}
	})
}

// A purged renewal whose id of Fliggy was never learnt is one still that an event of its main order may be about.
func TestEventOfPurgedNameless(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
		d.gw.Fail(fliggytest.CutOff().On(api.RenewalSubmit.Method).AfterCommit())
		r, _ := d.book.Submit(t.Context(), d.request("R1"))
		id := d.renewal(r).RenewalOrderID
		d.push(&events.RenewalAccepted{
			Envelope: events.Envelope{
				ChannelID: fliggy.ChannelAmap, OrderID: r.Request.OrderID, OutOrderID: r.Request.OutOrderID,
			},
			RenewalOrderID: id,
		})
		if r := d.want("R1", lifecycle.Accepted); r.RenewalOrderID != "" {
			t.Fatal(r.RenewalOrderID)
		}
		d.wantPurged(1)
		d.gw.Fail(dropSubmit())
		_, err := d.book.Submit(t.Context(), d.request("R2"))
		wantIs(t, err, rentcar.ErrOutcomeUnknown)
		d.settle(time.Hour)
		d.push(rejection(r, id))
		d.settle(10 * time.Hour)
		d.want("R2", lifecycle.Unknown)
		d.wantPaid("0", 0)
		if n, err := d.book.Purge(t.Context(), time.Now()); n != 0 || err != nil {
			t.Error(n, err)
		}
		page, err := d.book.List(t.Context(), lifecycle.Filter{OrderID: r.Request.OrderID})
		if err != nil || len(page.Renewals) != 1 || page.Renewals[0].ID != "R2" {
			t.Error(err, page)
		}
	})
}
