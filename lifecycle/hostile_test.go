package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
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

// A fee that no cancellation can have pays nothing back: less than nothing would pay more than the customer has paid.
func TestCancelOddFee(t *testing.T) {
	for _, fee := range []string{"-5.00", "0.001"} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			d.accepted("R1")
			d.gw.Fail(fliggytest.RawBody(200, "application/json", []byte(`{"alitrip_rentcar_btb_renewal_order_cancel_response":`+
				`{"successful":true,"cancel_fee":"`+fee+`"}}`)).On(api.RenewalCancel.Method))
			r, err := d.book.Cancel(t.Context(), "R1", lifecycle.CancelRequest{MaxFee: fliggy.MustYuan("10")})
			if err != nil || r.State != lifecycle.Disputed || r.Problem != lifecycle.ProblemFeeDiffers {
				t.Errorf("%s: %v, %s", fee, err, r.State)
			}
			d.settle(time.Hour)
			d.wantPaid("0", 0)
		})
	}
}

// Renewals that a shorter patience made due do not hold up the others.
func TestLongerPatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, lifecycle.WithPatience(lifecycle.Patience{Placed: time.Hour, Stray: time.Hour}))
		for i := range 40 {
			d.submit(fmt.Sprint("R", i))
		}
		r := d.accepted("last")
		d.push(&events.Unknown{Envelope: events.Envelope{EventType: 999, ChannelID: fliggy.ChannelAmap}})
		d.stop()
		d.open(lifecycle.WithPatience(lifecycle.Patience{Placed: 20 * time.Hour, Stray: 20 * time.Hour}))
		d.settle(2 * time.Hour)
		d.gw.RequestRefund(r.RenewalOrderID, refundOf("10"))
		d.settle(time.Hour)
		d.wantPaid("10", 1)
		if len(d.overdue) != 0 {
			t.Errorf("%+v", d.overdue)
		}
		d.settle(20 * time.Hour)
		if len(d.overdue) != 41 {
			t.Errorf("told of %d", len(d.overdue))
		}
	})
}

func dispute(d *desk, id string) {
	r := d.accepted(id)
	d.push(rejection(r, r.RenewalOrderID))
	d.want(id, lifecycle.Disputed)
}

func (d *desk) resolve(id string, state lifecycle.State) lifecycle.Renewal {
	d.t.Helper()
	r, err := d.book.Resolve(d.t.Context(), id, lifecycle.Resolution{
		State: state, Fee: fliggy.MustYuan("0"), By: "li", Note: "asked",
	})
	if err != nil {
		d.t.Fatal(err)
	}
	d.settle(time.Minute)
	return r
}

func (d *desk) decide(id, tradeNo string, action lifecycle.RefundAction) {
	d.t.Helper()
	if _, err := d.book.ResolveRefund(d.t.Context(), id, tradeNo, lifecycle.RefundDecision{
		Action: action, By: "li", Note: "by hand",
	}); err != nil {
		d.t.Fatal(err)
	}
	d.settle(time.Minute)
}

// A return that a person has closed, because the customer has the money, is not paid by the next decision.
func TestClosedReturnStays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		dispute(d, "R1")
		d.results = []lifecycle.RefundResult{lifecycle.RefundRefused("no account")}
		_ = d.resolve("R1", lifecycle.Rejected)
		r := d.get("R1")
		if r.Return.State != lifecycle.RefundHeld {
			t.Fatal(r.Return.State)
		}
		d.decide("R1", "", lifecycle.CloseRefund)
		d.settle(time.Hour)
		d.wantPaid("0", 0)
		if r := d.get("R1"); r.Return.State != lifecycle.RefundClosed {
			t.Fatal(r.Return.State)
		}

		// Here the function was never called.
		second := d.submit("R2")
		d.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
		d.push(rejection(second, second.RenewalOrderID)) // Fliggy cannot be asked
		d.want("R2", lifecycle.Rejected)
		d.gw.Accept(second.RenewalOrderID)
		d.settle(time.Second)
		d.want("R2", lifecycle.Disputed)
		d.decide("R2", "", lifecycle.CloseRefund)
		d.resolve("R2", lifecycle.Rejected)
		d.settle(time.Hour)
		d.wantPaid("0", 0)
	})
}

// What a person has closed or refused is over: it is no problem any more, and the order can be purged.
func TestDecidedRefundIsOver(t *testing.T) {
	for _, action := range []lifecycle.RefundAction{lifecycle.CloseRefund, lifecycle.RefuseRefund} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			r := d.accepted("R1")
			refund := refundOf("100.01")
			refund.PayTradeNo = "T1"
			d.gw.RequestRefund(r.RenewalOrderID, refund)
			d.settle(time.Minute)
			d.decide("R1", "T1", action)
			if f := d.get("R1").Refunds[0]; f.Problem != "" {
				t.Errorf("%s: %s", action, f.Problem)
			}
			d.wantPurged(1)
		})
	}
}

// wantPurged bills everything and purges it.
func (d *desk) wantPurged(want int) {
	d.t.Helper()
	d.settle(time.Minute)
	if _, err := d.book.Bill(d.t.Context(), "B1", time.Now()); err != nil {
		d.t.Fatal(err)
	}
	d.settle(time.Hour)
	if n, err := d.book.Purge(d.t.Context(), time.Now()); n != want || err != nil {
		d.t.Errorf("%d purged, %v; want %d", n, err, want)
	}
}

// That Fliggy has changed its mind about a paid refund is listed until a person says that it is dealt with.
func TestChangedMindEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.accepted("R1")
		for _, amount := range []string{"10", "20"} {
			refund := refundOf(amount)
			refund.PayTradeNo = "T1"
			d.gw.RequestRefund(r.RenewalOrderID, refund)
			d.settle(time.Minute)
		}
		page, err := d.book.List(t.Context(), lifecycle.Filter{NeedsPerson: true})
		if err != nil || len(page.Renewals) != 1 {
			t.Fatal(err, page)
		}
		d.decide("R1", "T1", lifecycle.CloseRefund)
		f := d.get("R1").Refunds[0]
		if f.State != lifecycle.RefundAnswered || f.Problem != "" {
			t.Errorf("%+v", f)
		}
		if page, _ := d.book.List(t.Context(), lifecycle.Filter{NeedsPerson: true}); len(page.Renewals) != 0 {
			t.Error(page)
		}
		_, err = d.book.ResolveRefund(t.Context(), "R1", "T1", lifecycle.RefundDecision{
			Action: lifecycle.CloseRefund, By: "li", Note: "again",
		})
		wantIs(t, err, lifecycle.ErrFinal)
		d.wantPurged(1)
	})
}

// A person cannot have an amount paid that no provider can pay.
func TestPayOddAmount(t *testing.T) {
	for _, amount := range []string{"1.005", "1e30", "0", "-1"} {
		synctest.Test(t, func(t *testing.T) {
			d := newDesk(t)
			r := d.accepted("R1")
			e := feeRefund(r, r.RenewalOrderID, "R1", "T1")
			e.Amount = fliggy.MustYuan(amount)
			d.push(e)
			_, err := d.book.ResolveRefund(t.Context(), "R1", "T1", lifecycle.RefundDecision{
				Action: lifecycle.PayRefund, By: "li", Note: "x",
			})
			if !errors.Is(err, lifecycle.ErrFinal) {
				t.Errorf("%s: %v", amount, err)
			}
			d.settle(time.Minute)
			d.wantPaid("0", 0)
			d.decide("R1", "T1", lifecycle.CloseRefund)
			d.wantPurged(1)
		})
	}
}

// What no bill can say is refused before it is in the journal: one such line would stop all bills.
func TestNothingStopsBills(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		for field, change := range map[string]func(*lifecycle.SubmitRequest){
			"pay_trade_no": func(r *lifecycle.SubmitRequest) { r.PayTradeNo = " \t" },
			"out_order_id": func(r *lifecycle.SubmitRequest) { r.OutOrderID = " " },
			"PaidTime": func(r *lifecycle.SubmitRequest) {
				r.PaidTime = time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC)
			},
		} {
			req := d.request("R-" + field)
			change(req)
			_, err := d.book.Submit(t.Context(), req)
			if err == nil || !strings.Contains(err.Error(), field) {
				t.Errorf("%s: %v", field, err)
			}
		}
		for i, result := range []lifecycle.RefundResult{
			lifecycle.RefundPaid("N", time.Date(9999, 12, 31, 23, 0, 0, 0, time.UTC)),
			lifecycle.RefundPaid("N", time.Date(1, 1, 1, 0, 0, 0, 1, time.UTC)),
			lifecycle.RefundPaid(" ", time.Time{}),
			lifecycle.RefundPaid("N", time.Date(1999, 1, 1, 0, 0, 0, 0, time.FixedZone("odd", 30*3600))),
		} {
			id := fmt.Sprint("R", i)
			r := d.accepted(id)
			d.results = []lifecycle.RefundResult{result}
			fee, err := d.book.CancelFee(t.Context(), id)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := d.book.Cancel(t.Context(), id, lifecycle.CancelRequest{MaxFee: fee}); err != nil {
				t.Fatal(err)
			}
			d.settle(time.Hour)
			if r = d.get(id); r.Return.State != lifecycle.RefundClosed || r.Return.Attempts != 1 {
				t.Errorf("%d: %+v", i, r.Return)
			}
		}
		d.wantPurged(4)
	})
}

// A purged renewal that is submitted again, by the same request, is not placed.
func TestSubmitPurged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		req := d.request("R1")
		r, err := d.book.Submit(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		d.gw.Accept(r.RenewalOrderID)
		d.wantPurged(1)
		_, err = d.book.Submit(t.Context(), req)
		wantIs(t, err, lifecycle.ErrFinal)
	})
}

// A renewal that was submitted beside an open one is open too.
func TestBesideOpenIsOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
		d.gw.Fail(dropSubmit().Times(2))
		_, err := d.book.Submit(t.Context(), d.request("R1"))
		wantIs(t, err, rentcar.ErrOutcomeUnknown)
		d.settle(31 * time.Minute)
		beside := d.request("R2")
		beside.BesideOpen = true
		_, err = d.book.Submit(t.Context(), beside)
		wantIs(t, err, rentcar.ErrOutcomeUnknown)
		d.resolve("R1", lifecycle.Rejected)
		_, err = d.book.Submit(t.Context(), d.request("R3"))
		var open *lifecycle.OpenError
		if !errors.As(err, &open) || open.ID != "R2" {
			t.Fatal(err)
		}
	})
}

// The bill of a renewal that was accepted, partly refunded and rejected sums up to nothing.
func TestBillOfLateRejection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.accepted("R1")
		d.gw.RequestRefund(r.RenewalOrderID, refundOf("10"))
		d.settle(time.Minute)
		d.push(rejection(r, r.RenewalOrderID))
		d.resolve("R1", lifecycle.Rejected)
		d.wantPaid("100", 2)
		d.settle(time.Minute)
		bill, err := d.book.Bill(t.Context(), "B1", time.Now())
		if err != nil || bill.Lines != 3 || !bill.Total.Equal(fliggy.MustYuan("0")) {
			t.Errorf("%v, %d lines, %s", err, bill.Lines, bill.Total)
		}
	})
}

// An id of 0 is what a Java bean has that was never set: it names nothing.
func TestEventWithIDZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.gw.Fail(fliggytest.CutOff().On(api.RenewalSubmit.Method).AfterCommit())
		d.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
		r, _ := d.book.Submit(t.Context(), d.request("R1"))
		d.push(&events.RenewalAccepted{
			Envelope: events.Envelope{
				ChannelID: fliggy.ChannelAmap, OrderID: r.Request.OrderID, OutOrderID: r.Request.OutOrderID,
			},
			RenewalOrderID: "0",
		})
		if r := d.get("R1"); r.RenewalOrderID == "0" || r.State != lifecycle.Unknown {
			t.Errorf("%s is %s", r.RenewalOrderID, r.State)
		}
	})
}

// An event that has the id of a purged renewal and of a live one is not lost.
func TestEventOfPurged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		gone := d.accepted("R1")
		d.wantPurged(1)
		d.gw.Fail(fliggytest.CutOff().On(api.RenewalSubmit.Method).AfterCommit())
		d.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
		r, _ := d.book.Submit(t.Context(), d.request("R2"))
		d.push(&events.RenewalAccepted{
			Envelope:       events.Envelope{ChannelID: fliggy.ChannelAmap, OrderID: r.Request.OrderID, OutOrderID: "R2"},
			RenewalOrderID: gone.RenewalOrderID,
		})
		d.settle(time.Hour)
		d.want("R2", lifecycle.Disputed)
	})
}

// A stray is told of by one process.
func TestStrayToldOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		told := make(chan string, 100)
		slow := lifecycle.OnOverdue(func(_ context.Context, o lifecycle.Overdue) error {
			time.Sleep(time.Minute)
			told <- string(o.Problem)
			return nil
		})
		d := newDesk(t, slow)
		d.open(slow)
		d.open(slow)
		d.push(rejection(lifecycle.Renewal{}, "123456"))
		d.settle(26 * time.Hour)
		if len(told) != 1 {
			t.Errorf("told %d times", len(told))
		}
	})
}

// An error of the user is told as that of the function, and what was not stored is not returned.
func TestErrorsOfFunctions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := true
		d := newDesk(t, lifecycle.BillLine(func(*lifecycle.Line, *rentcar.BillLine) error { panic("boom") }),
			lifecycle.OnChange(func(context.Context, lifecycle.Renewal, lifecycle.Renewal) error {
				if broken {
					return errors.New("the table is locked")
				}
				return nil
			}))
		r, err := d.book.Submit(t.Context(), d.request("R1"))
		if err == nil || r.ID != "" {
			t.Error(err, r)
		}
		broken = false
		d.accepted("R1")
		d.settle(time.Second)
		_, err = d.book.Bill(t.Context(), "B1", time.Now())
		if err == nil || !strings.Contains(err.Error(), "BillLine") {
			t.Error(err)
		}
		d.settle(time.Second)
		d.want("R1", lifecycle.Accepted)
	})
}
