package lifecycle_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/qimen"
)

// A renewal is accepted, a fee is refunded, it is cancelled at no fee, and billed.
func TestStory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.submit("R1")
		if r.State != lifecycle.Placed || r.RenewalOrderID == "" {
			t.Fatalf("%+v", r)
		}
		if p := d.gw.Accept(r.RenewalOrderID); !p.Accepted {
			t.Fatal(p.Err, string(p.Answer))
		}
		d.settle(time.Second)
		d.want("R1", lifecycle.Accepted)

		if p := d.gw.RequestRefund(r.RenewalOrderID, fliggytest.Refund{
			Type: fliggy.RefundEarlyReturn, Amount: fliggy.MustYuan("12.50"), Reason: "early",
		}); !p.Accepted {
			t.Fatal(p.Err, string(p.Answer))
		}
		d.settle(2 * time.Second)
		d.wantPaid("12.50", 1)
		if got := d.get("R1").Refunds[0].State; got != lifecycle.RefundAnswered {
			t.Fatal(got)
		}
		if refunds := d.renewal(r).Refunds; len(refunds) != 1 || refunds[0].State != fliggytest.RefundSucceeded {
			t.Fatalf("%+v", refunds)
		}

		fee, err := d.book.CancelFee(t.Context(), "R1")
		if err != nil {
			t.Fatal(err)
		}
		r, err = d.book.Cancel(t.Context(), "R1", lifecycle.CancelRequest{MaxFee: fee})
		if err != nil || r.State != lifecycle.Cancelled {
			t.Fatal(err, r.State, r.Problem)
		}
		d.settle(2 * time.Second)
		d.wantPaid("100", 2)

		d.settle(time.Second)
		bill, err := d.book.Bill(t.Context(), "B1", time.Now())
		if err != nil || bill.Lines != 3 || !bill.Total.Equal(fee) {
			t.Fatalf("%v %+v", err, bill)
		}
		d.settle(2 * time.Second)
		if bills := d.gw.Bills(); len(bills) != 1 || len(bills[0].Message.Lines) != 3 {
			t.Fatalf("%+v", bills)
		}
		lines, err := d.book.Lines(t.Context(), "R1")
		if err != nil || len(lines) != 3 {
			t.Fatal(err, lines)
		}
		for _, l := range lines {
			if l.State != lifecycle.LineBilled {
				t.Errorf("%s is %s", l.ID, l.State)
			}
		}
		if len(d.overdue) != 0 {
			t.Errorf("%+v", d.overdue)
		}
	})
}

// The reply of a submit is lost: it is settled by the probe, and the event finds the renewal by the main order.
func TestLostReply(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.gw.Fail(fliggytest.CutOff().On(api.RenewalSubmit.Method).AfterCommit())
		working := d.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
		r, err := d.book.Submit(t.Context(), d.request("R1"))
		wantIs(t, err, rentcar.ErrOutcomeUnknown)
		if r.State != lifecycle.Unknown {
			t.Fatal(r.State)
		}
		_, err = d.book.Submit(t.Context(), d.request("R2"))
		var open *lifecycle.OpenError
		if !errors.As(err, &open) || open.ID != "R1" {
			t.Fatal(err)
		}
		d.settle(20 * time.Second)
		d.want("R1", lifecycle.Unknown)
		working()
		d.settle(time.Minute)
		d.want("R1", lifecycle.Placed)
		d.gw.Reject(d.renewal(r).RenewalOrderID, "1", "no car")
		d.settle(time.Hour)
		d.want("R1", lifecycle.Rejected)
		d.wantPaid("100", 1)
		d.submit("R2")
	})
}

// Fliggy gives two renewals one id: the second is Disputed, and nothing is lost.
func TestSameIDOfFliggy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.submit("R1")
		d.gw.Fail(fliggytest.RawBody(200, "application/json", []byte(`{"alitrip_rentcar_btb_renewal_submit_response":`+
			`{"successful":true,"renewal_order_id":`+string(r.RenewalOrderID)+`}}`)).On(api.RenewalSubmit.Method))
		second, err := d.book.Submit(t.Context(), d.request("R2"))
		if err != nil || second.State != lifecycle.Disputed || second.Problem != lifecycle.ProblemIDMismatch {
			t.Fatalf("%v %s %s", err, second.State, second.Problem)
		}
		d.want("R1", lifecycle.Placed)
		d.settle(time.Second)
		if len(d.overdue) != 1 || d.overdue[0].Renewal.ID != "R2" {
			t.Errorf("%+v", d.overdue)
		}
	})
}

// A function that would submit within a transaction is told so: what is undone there would be submitted twice.
func TestSubmitWithinTransaction(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var d *desk
		errs := make(chan error, 100)
		d = newDesk(t, lifecycle.OnOther(func(ctx context.Context, _ *qimen.Delivery, _ events.Event) error {
			_, err := d.book.Submit(ctx, d.request("R1"))
			errs <- err
			return errors.New("undone")
		}))
		d.push(&events.Unknown{Envelope: events.Envelope{EventType: 999, ChannelID: fliggy.ChannelAmap}})
		if err := <-errs; err == nil || len(d.gw.Renewals()) != 0 {
			t.Errorf("%v, %d renewals", err, len(d.gw.Renewals()))
		}
	})
}

// What was not stored is neither returned nor counted.
func TestCommitFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.accepted("R1")
		dispute(d, "R2")
		book, store := d.hooked()
		broken := errors.New("the connection is gone")
		store.commit = func() error { return broken }
		r, err := book.Cancel(t.Context(), "R1", free)
		if !errors.Is(err, broken) || r.State != lifecycle.Accepted {
			t.Errorf("Cancel: %v, %s", err, r.State)
		}
		r, err = book.Resolve(t.Context(), "R2", lifecycle.Resolution{State: lifecycle.Accepted, By: "li", Note: "x"})
		if !errors.Is(err, broken) || r.ID != "" {
			t.Errorf("Resolve: %v, %v", err, r)
		}
		d.resolve("R2", lifecycle.Accepted)
		if _, err := d.book.Bill(t.Context(), "B1", time.Now()); err != nil {
			t.Fatal(err)
		}
		d.settle(time.Hour)
		if n, err := book.Purge(t.Context(), time.Now()); !errors.Is(err, broken) || n != 0 {
			t.Errorf("Purge: %v, %d", err, n)
		}
		if n, err := d.book.Purge(t.Context(), time.Now()); err != nil || n != 2 {
			t.Errorf("Purge: %v, %d", err, n)
		}
	})
}

// No renewal has the empty id.
func TestLinesOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		for _, id := range []string{"", "R1"} {
			if lines, err := d.book.Lines(t.Context(), id); len(lines) != 0 || err != nil {
				t.Errorf("%q: %v, %v", id, lines, err)
			}
		}
	})
}

// The options of a handler are the caller's: several books may be given the same ones.
func TestHandlerOptionsStay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		opts := make([]qimen.Option, 0, 8)
		if _, err := d.book.Handler(qimen.Secrets{"key": {"secret"}}, opts...); err != nil {
			t.Fatal(err)
		}
		if opts[:1][0] != nil {
			t.Error("Handler has written behind them")
		}
	})
}
