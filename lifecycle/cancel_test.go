package lifecycle_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/lifecycle"
)

func (d *desk) accepted(id string) lifecycle.Renewal {
	d.t.Helper()
	r := d.submit(id)
	d.gw.Accept(r.RenewalOrderID)
	d.settle(time.Second)
	return d.want(id, lifecycle.Accepted)
}

var free = lifecycle.CancelRequest{MaxFee: fliggy.MustYuan("0")}

// A cancellation that costs more than the customer agreed to is not sent.
func TestCancelFee(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.accepted("R1")
		d.settle(2 * 24 * time.Hour) // less than 72 hours are left
		_, err := d.book.Cancel(t.Context(), "R1", free)
		var over *lifecycle.FeeError
		if !errors.As(err, &over) || !over.Fee.IsPositive() {
			t.Fatal(err)
		}
		d.want("R1", lifecycle.Accepted)
		r, err := d.book.Cancel(t.Context(), "R1", lifecycle.CancelRequest{MaxFee: over.Fee})
		if err != nil || r.State != lifecycle.Cancelled || !r.CancelFee.Equal(over.Fee) {
			t.Fatal(err, r)
		}
		if again, err := d.book.Cancel(t.Context(), "R1", free); err != nil || again.State != lifecycle.Cancelled {
			t.Fatal(err, again)
		}
		d.settle(time.Minute)
		d.wantPaid(fliggy.MustYuan("100").Sub(over.Fee).String(), 1)
		for _, bad := range []fliggy.Yuan{{}, fliggy.MustYuan("-1"), fliggy.MustYuan("0.001")} {
			if _, err := d.book.Cancel(t.Context(), "R1", lifecycle.CancelRequest{MaxFee: bad}); err == nil {
				t.Errorf("MaxFee %q was taken", bad)
			}
		}
	})
}

// An unknown cancellation that was carried out stays unknown: a refused check proves nothing.
func TestCancelUnknown(t *testing.T) {
	for name, fault := range map[string]fliggytest.Fault{
		"carried out": fliggytest.CutOff().AfterCommit(), "not carried out": fliggytest.CutOff(),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				d.accepted("R1")
				d.gw.Fail(fault.On(api.RenewalCancel.Method))
				_, err := d.book.Cancel(t.Context(), "R1", free)
				wantIs(t, err, rentcar.ErrOutcomeUnknown)
				d.settle(25 * time.Minute)
				d.want("R1", lifecycle.CancelUnknown)
				d.settle(24 * time.Hour)
				d.wantPaid("0", 0)
				if name == "not carried out" {
					d.want("R1", lifecycle.Accepted)
					return
				}
				d.want("R1", lifecycle.CancelUnknown)
				if _, err := d.book.Resolve(t.Context(), "R1", lifecycle.Resolution{
					State: lifecycle.Cancelled, Fee: fliggy.MustYuan("0"), By: "li", Note: "Fliggy says so",
				}); err != nil {
					t.Fatal(err)
				}
				d.settle(time.Minute)
				d.wantPaid("100", 1)
			})
		})
	}
}

// A renewal that cannot be cancelled now is returned with the error, as it is in the journal.
func TestCancelOfNotSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		away, err := d.gw.Client(rentcar.WithChannel(fliggy.ChannelAmap),
			rentcar.WithHTTPClient(&http.Client{Transport: unreachable{}}))
		if err != nil {
			t.Fatal(err)
		}
		var full error
		book, err := lifecycle.Open(away, d.store, lifecycle.OnRefund(d.pay),
			lifecycle.OnChange(func(context.Context, lifecycle.Renewal, lifecycle.Renewal) error { return full }))
		if err != nil {
			t.Fatal(err)
		}
		if r, err := book.Submit(t.Context(), d.request("R1")); r.State != lifecycle.NotSent {
			t.Fatal(r, err)
		}
		full = errors.New("the disk is full")
		r, err := book.Cancel(t.Context(), "R1", free)
		if wantIs(t, err, full); r.ID != "R1" || r.State != lifecycle.NotSent {
			t.Error(r)
		}
		full = nil
		r, err = book.Cancel(t.Context(), "R1", free)
		if err != nil || r.State != lifecycle.Rejected {
			t.Error(r, err)
		}
	})
}

// Nobody listens where unreachable sends.
type unreachable struct{}

func (unreachable) RoundTrip(*http.Request) (*http.Response, error) {
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection refused")}
}

// One that is submitted again while it is given up is cancelled as others are: nothing is taken for sent that was not.
func TestCancelSubmittedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		book, store := d.hooked()
		ctx, cancel := context.WithCancel(t.Context())
		store.after = cancel // once it is in the journal
		req := d.request("R1")
		_, err := book.Submit(ctx, req)
		wantIs(t, err, context.Canceled)
		d.want("R1", lifecycle.NotSent)
		store.before = sync.OnceFunc(func() {
			if _, err := d.book.Submit(t.Context(), req); err != nil {
				t.Error(err)
			}
		})
		r, err := book.Cancel(t.Context(), "R1", free)
		if err != nil || r.State != lifecycle.Cancelled || d.renewal(r).State != fliggytest.RenewalCancelled {
			t.Errorf("%v, %s, at Fliggy %s", err, r.State, d.renewal(r).State)
		}
	})
}

// Of two who cancel at once, neither is told that it is not possible.
func TestCancelAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.accepted("R1")
		d.gw.Fail(fliggytest.Delayed(5 * time.Second).On(api.RenewalCheckCancel.Method))
		var group sync.WaitGroup
		for range 2 {
			group.Go(func() {
				r, err := d.book.Cancel(t.Context(), "R1", free)
				if err != nil || r.State != lifecycle.Cancelled {
					t.Errorf("%s, %v", r.State, err)
				}
			})
			d.settle(time.Second)
		}
		group.Wait()
	})
}
