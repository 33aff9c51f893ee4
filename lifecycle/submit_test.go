package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// A request that lacks what money needs is refused by name; nothing is sent, nothing is in the journal.
func TestSubmitBadInput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		for field, change := range map[string]func(*lifecycle.SubmitRequest){
			"order_id":             func(r *lifecycle.SubmitRequest) { r.OrderID = "" },
			"out_order_id":         func(r *lifecycle.SubmitRequest) { r.OutOrderID = "" },
			"total_fee":            func(r *lifecycle.SubmitRequest) { r.TotalFee = fliggy.Yuan{} },
			"payment":              func(r *lifecycle.SubmitRequest) { r.Payment = fliggy.Yuan{} },
			"whole number of fen":  func(r *lifecycle.SubmitRequest) { r.Payment = fliggy.MustYuan("1.005") },
			"pay_trade_no":         func(r *lifecycle.SubmitRequest) { r.PayTradeNo = "" },
			"PaidTime":             func(r *lifecycle.SubmitRequest) { r.PaidTime = time.Time{} },
			"car_use_time":         func(r *lifecycle.SubmitRequest) { r.CarUseTime = fliggy.Time{} },
			"car_return_time":      func(r *lifecycle.SubmitRequest) { r.CarReturnTime = fliggy.Time{} },
			"ids of the main":      func(r *lifecycle.SubmitRequest) { r.RenewalOutOrderID = r.OutOrderID },
			"without spaces and":   func(r *lifecycle.SubmitRequest) { r.RenewalOutOrderID = "a b" },
			"renewal_out_order_id": func(r *lifecycle.SubmitRequest) { r.RenewalOutOrderID = strings.Repeat("x", 65) },
		} {
			req := d.request("R1")
			change(req)
			_, err := d.book.Submit(t.Context(), req)
			var invalid *fliggy.ValidationError
			if !errors.As(err, &invalid) || !strings.Contains(err.Error(), field) {
				t.Errorf("%s: %v", field, err)
			}
		}
		if _, err := d.book.Submit(t.Context(), nil); err == nil {
			t.Error("a nil request was submitted")
		}
		if n := len(d.gw.Requests()); n != 0 {
			t.Errorf("%d requests were sent", n)
		}
		_, err := d.book.Get(t.Context(), "R1")
		wantIs(t, err, lifecycle.ErrNotFound)
	})
}

// The same request again is what it was; another one under its id, or with its payment, is refused.
func TestSubmitAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		req := d.request("R1")
		first, err := d.book.Submit(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		req.TraceID = "another"
		again, err := d.book.Submit(t.Context(), req)
		if err != nil || again.RenewalOrderID != first.RenewalOrderID || len(d.gw.Renewals()) != 1 {
			t.Fatal(err, again, len(d.gw.Renewals()))
		}
		req.TotalFee, req.PaidTime = fliggy.MustYuan("99"), req.PaidTime.Add(time.Second)
		_, err = d.book.Submit(t.Context(), req)
		wantIs(t, err, lifecycle.ErrConflict)
		if !strings.Contains(err.Error(), "another TotalFee, PaidTime: repeat that request") {
			t.Error(err)
		}
		other := d.request("R2")
		other.PayTradeNo = "P-R1"
		_, err = d.book.Submit(t.Context(), other)
		wantIs(t, err, lifecycle.ErrConflict)
		made := d.request("")
		made.PayTradeNo = "P-made"
		r, err := d.book.Submit(t.Context(), made)
		if err != nil || len(r.ID) < 20 || len(r.ID) > 32 || r.Request.RenewalOutOrderID != r.ID {
			t.Fatal(err, r.ID)
		}
	})
}

// What a first submit ended with is what a repeat says.
func TestSubmitOutcomes(t *testing.T) {
	refused := fliggytest.Failed(&rentcar.BusinessError{Code: "71008", Message: "no"})
	for name, test := range map[string]struct {
		fault  fliggytest.Fault
		state  lifecycle.State
		repeat error
	}{
		"refused":      {refused, lifecycle.Rejected, lifecycle.ErrFinal},
		"flow control": {fliggytest.Banned(time.Hour, fliggytest.BanApp), lifecycle.Rejected, lifecycle.ErrFinal},
		"lost":         {fliggytest.Dropped(), lifecycle.Unknown, rentcar.ErrOutcomeUnknown},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				d.gw.Fail(test.fault.On(api.RenewalSubmit.Method))
				d.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
				r, err := d.book.Submit(t.Context(), d.request("R1"))
				if err == nil || r.State != test.state {
					t.Fatal(r.State, err)
				}
				_, err = d.book.Submit(t.Context(), d.request("R1"))
				wantIs(t, err, test.repeat)
				d.settle(time.Hour)
				if test.state == lifecycle.Rejected {
					d.wantPaid("100", 1)
				} else {
					d.wantPaid("0", 0)
				}
			})
		})
	}
}

// Of two that are submitted at once beside an open one, or one of them where none is open, one is sent.
func TestBesideOpenAtOnce(t *testing.T) {
	for name, isOpen := range map[string]bool{"one open": true, "none open": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				if isOpen {
					d.gw.Fail(fliggytest.Unavailable().On(api.RenewalCheckCancel.Method).Always())
					d.gw.Fail(dropSubmit())
					_, err := d.book.Submit(t.Context(), d.request("R1"))
					wantIs(t, err, rentcar.ErrOutcomeUnknown)
					d.settle(31 * time.Minute)
				}
				d.gw.Fail(fliggytest.Delayed(10 * time.Second).On(api.RenewalSubmit.Method).Always())
				book, store := d.hooked()
				store.commit = func() error { // both have looked before either is stored
					time.Sleep(time.Second)
					return nil
				}
				var group sync.WaitGroup
				var refused atomic.Int64
				for i := range 2 {
					group.Go(func() {
						req := d.request(fmt.Sprint("B", i))
						req.BesideOpen = isOpen || i == 0
						_, err := book.Submit(context.Background(), req)
						var open *lifecycle.OpenError
						if errors.As(err, &open) {
							refused.Add(1)
						} else if err != nil {
							t.Error(err)
						}
					})
				}
				group.Wait()
				if n := len(d.gw.Renewals()); n != 1 || refused.Load() != 1 {
					t.Errorf("%d renewals at Fliggy, %d refused", n, refused.Load())
				}
			})
		})
	}
}
