package lifecycle_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// What is wrong with store, client and options is said, and so is whose the journal is.
func TestOpen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		pay := lifecycle.OnRefund(d.pay)
		other, err := rentcar.NewClient("another", "secret")
		if err != nil {
			t.Fatal(err)
		}
		var none *lifecycle.MemoryStore
		for text, open := range map[string]func() (*lifecycle.Book, error){
			"is nil":           func() (*lifecycle.Book, error) { return lifecycle.Open(nil, d.store, pay) },
			"the store is nil": func() (*lifecycle.Book, error) { return lifecycle.Open(d.client, none, pay) },
			"OnRefund":         func() (*lifecycle.Book, error) { return lifecycle.Open(d.client, d.store) },
			"option 2 is nil":  func() (*lifecycle.Book, error) { return lifecycle.Open(d.client, d.store, pay, nil) },
			"WithWorkers: 0: want 1": func() (*lifecycle.Book, error) {
				return lifecycle.Open(d.client, d.store, pay, lifecycle.WithWorkers(0))
			},
			"WithLogger: nil": func() (*lifecycle.Book, error) {
				return lifecycle.Open(d.client, d.store, pay, lifecycle.WithLogger(nil))
			},
			"WithCallTimeout": func() (*lifecycle.Book, error) {
				return lifecycle.Open(d.client, d.store, pay, lifecycle.WithCallTimeout(1))
			},
			"app key": func() (*lifecycle.Book, error) { return lifecycle.Open(other, d.store, pay) },
		} {
			if _, err := open(); err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%v, want %s", err, text)
			}
		}
		var journal *lifecycle.JournalError
		_, err = lifecycle.Open(other, d.store, pay)
		if !errors.As(err, &journal) || strings.Contains(err.Error(), "newer version") {
			t.Error(err)
		}
		if err := d.store.Atomically(t.Context(), func(ctx context.Context, tx lifecycle.Tx) error {
			doc, err := tx.Get(ctx, "meta", "journal")
			if err != nil {
				return err
			}
			doc.Data = []byte(strings.Replace(string(doc.Data), `"Version":1`, `"Version":2`, 1))
			return tx.Put(ctx, doc)
		}); err != nil {
			t.Fatal(err)
		}
		_, err = lifecycle.Open(d.client, d.store, pay)
		want := lifecycle.JournalError{Field: "version", Have: "2", Want: "1"}
		if !errors.As(err, &journal) || *journal != want || strings.Contains(err.Error(), "app key") {
			t.Error(err)
		}
	})
}

// An error of OnChange undoes the change; the caller is told, and Run tries again.
func TestOnChangeFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("the table is locked")
		var fails atomic.Bool
		d := newDesk(t, lifecycle.OnChange(func(context.Context, lifecycle.Renewal, lifecycle.Renewal) error {
			if fails.Load() {
				return broken
			}
			return nil
		}))
		r := d.submit("R1")
		fails.Store(true)
		_, err := d.book.Submit(t.Context(), d.request("R2"))
		wantIs(t, err, broken)
		_, err = d.book.Get(t.Context(), "R2")
		wantIs(t, err, lifecycle.ErrNotFound)
		if n := len(d.gw.Renewals()); n != 1 {
			t.Fatalf("%d renewals at Fliggy", n)
		}
		d.gw.Accept(r.RenewalOrderID)
		d.settle(time.Minute)
		d.want("R1", lifecycle.Placed)
		fails.Store(false)
		d.settle(20 * time.Minute)
		d.want("R1", lifecycle.Accepted)
	})
}

// An answer that Fliggy has confirmed is not sent again because that could not be stored.
func TestAnswerIsNotSentAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var failed atomic.Int64
		d := newDesk(t, lifecycle.OnChange(func(_ context.Context, _, after lifecycle.Renewal) error {
			if len(after.Refunds) == 1 && after.Refunds[0].State == lifecycle.RefundAnswered && failed.Add(1) < 4 {
				return errors.New("the table is locked")
			}
			return nil
		}))
		d.gw.RequestRefund(d.accepted("R1").RenewalOrderID, refundOf("10"))
		d.settle(time.Hour)
		if f := d.get("R1").Refunds[0]; f.State != lifecycle.RefundAnswered || failed.Load() != 4 {
			t.Fatal(f.State, failed.Load())
		}
		if n := len(d.gw.Callbacks()); n != 1 {
			t.Errorf("the answer was sent %d times", n)
		}
	})
}

// The function of OnRefund is called until it says something, with the same key; a refusal of it is a 271.
func TestOnRefund(t *testing.T) {
	for name, last := range map[string]lifecycle.RefundResult{
		"paid": lifecycle.RefundPaid("T", time.Unix(946_700_000, 0)), "refused": lifecycle.RefundRefused("no account"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				r := d.accepted("R1")
				d.errs = []error{errors.New("away"), errors.New("away")}
				d.results = []lifecycle.RefundResult{{}, last}
				d.gw.RequestRefund(r.RenewalOrderID, refundOf("10"))
				d.settle(time.Second)
				if f := d.get("R1").Refunds[0]; f.State != lifecycle.RefundPaying || f.Attempts != 1 {
					t.Fatalf("%+v", f)
				}
				d.settle(time.Hour)
				f := d.get("R1").Refunds[0]
				want := map[string]int{"paid": 270, "refused": 271}[name]
				callbacks := d.gw.Callbacks()
				if f.State != lifecycle.RefundAnswered || d.calls != 4 || len(callbacks) != 1 ||
					int(callbacks[0].Message.EventType) != want {
					t.Fatalf("%+v, %d calls, %+v", f, d.calls, callbacks)
				}
				_, err := d.book.ResolveRefund(t.Context(), "R1", f.PayTradeNo, lifecycle.RefundDecision{
					Action: lifecycle.PayRefund, By: "li", Note: "again",
				})
				wantIs(t, err, lifecycle.ErrFinal)
			})
		})
	}
}

// What is Held is paid, refused or closed by a person only.
func TestResolveRefund(t *testing.T) {
	for action, want := range map[lifecycle.RefundAction]lifecycle.RefundState{
		lifecycle.PayRefund: lifecycle.RefundAnswered, lifecycle.RefuseRefund: lifecycle.RefundAnswered,
		lifecycle.CloseRefund: lifecycle.RefundClosed,
	} {
		t.Run(string(action), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				r := d.accepted("R1")
				d.gw.RequestRefund(r.RenewalOrderID, refundOf("100.01"))
				d.settle(time.Hour)
				f := d.get("R1").Refunds[0]
				if f.State != lifecycle.RefundHeld || len(d.overdue) != 1 {
					t.Fatalf("%+v %+v", f, d.overdue)
				}
				decision := lifecycle.RefundDecision{Action: action, By: "li", Note: "asked"}
				_, err := d.book.ResolveRefund(t.Context(), "R1", "none", decision)
				wantIs(t, err, lifecycle.ErrNotFound)
				if _, err := d.book.ResolveRefund(t.Context(), "R1", f.PayTradeNo, lifecycle.RefundDecision{}); err == nil {
					t.Error("nobody has decided")
				}
				if _, err := d.book.ResolveRefund(t.Context(), "R1", f.PayTradeNo, decision); err != nil {
					t.Fatal(err)
				}
				d.settle(time.Minute)
				if got := d.get("R1").Refunds[0]; got.State != want || got.Note != "asked" {
					t.Fatalf("%+v", got)
				}
			})
		})
	}
}

// A person does not reject what may still arrive, nor decide without a name.
func TestResolve(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, lifecycle.WithProbe(
			func(context.Context, *rentcar.RenewalSubmitRequest) (rentcar.Verdict, error) {
				return rentcar.VerdictStillUnknown, nil
			}))
		d.gw.Fail(dropSubmit())
		if _, err := d.book.Submit(t.Context(), d.request("R1")); err == nil {
			t.Fatal("the submit was not lost")
		}
		reject := lifecycle.Resolution{State: lifecycle.Rejected, By: "li", Note: "it is not there"}
		_, err := d.book.Resolve(t.Context(), "R1", reject)
		wantIs(t, err, lifecycle.ErrNotSettled)
		for _, bad := range []lifecycle.Resolution{
			{State: lifecycle.Rejected, Note: "x"}, {State: lifecycle.Rejected, By: "x"},
			{State: lifecycle.Unknown, By: "x", Note: "x"},
			{State: lifecycle.Cancelled, By: "x", Note: "x"},
		} {
			if _, err := d.book.Resolve(t.Context(), "R1", bad); err == nil {
				t.Errorf("%+v was taken", bad)
			}
		}
		d.settle(31 * time.Minute)
		if _, err := d.book.Resolve(t.Context(), "R1", reject); err != nil {
			t.Fatal(err)
		}
		d.settle(time.Minute)
		d.wantPaid("100", 1)
		_, err = d.book.Resolve(t.Context(), "R1", lifecycle.Resolution{State: lifecycle.Accepted, By: "li", Note: "x"})
		wantIs(t, err, lifecycle.ErrFinal)
		last := d.get("R1").History
		if e := last[len(last)-2]; e.By != "li" || e.Note != "it is not there" {
			t.Errorf("%+v", last)
		}
	})
}

// A call that comes back late with nothing does not end the lease of the next one.
func TestOnRefundLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var begun []time.Time
		late := lifecycle.OnRefund(func(context.Context, lifecycle.Refund) (lifecycle.RefundResult, error) {
			mu.Lock()
			begun = append(begun, time.Now())
			mu.Unlock()
			time.Sleep(4 * time.Minute) // its context is long over
			return lifecycle.RefundResult{}, nil
		})
		d := newDesk(t, late)
		d.open(late) // two more processes
		d.open(late)
		r := d.accepted("R1")
		d.gw.RequestRefund(r.RenewalOrderID, refundOf("10"))
		d.settle(20 * time.Minute)
		mu.Lock()
		defer mu.Unlock()
		for i := 1; i < len(begun); i++ {
			if gap := begun[i].Sub(begun[i-1]); gap < 3*time.Minute {
				t.Errorf("call %d begins %v after the one before", i+1, gap)
			}
		}
		if len(begun) < 3 {
			t.Errorf("%d calls", len(begun))
		}
	})
}
