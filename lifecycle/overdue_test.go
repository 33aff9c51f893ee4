package lifecycle_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/qimen"
)

// An event that fails again and again is told of, and so is one that is set aside: each once.
func TestItemFailing(t *testing.T) {
	broken := errors.New("the table is locked")
	for name, failure := range map[string]error{"again and again": broken, "set aside": durable.Permanent(broken)} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mended atomic.Bool
				d := newDesk(t, lifecycle.OnOther(func(context.Context, *qimen.Delivery, events.Event) error {
					if mended.Load() {
						return nil
					}
					return failure
				}))
				d.push(mainRefund())
				d.settle(24 * time.Hour)
				d.mu.Lock()
				told := d.overdue
				d.mu.Unlock()
				if len(told) != 1 || told[0].Problem != lifecycle.ProblemItemFailing || told[0].Subject == "" ||
					!errors.Is(told[0].Err, broken) {
					t.Fatalf("%+v", told)
				}
				mended.Store(true)
				d.settle(time.Hour)
				if n, err := d.waiting(); err != nil || n != 0 {
					t.Errorf("%d events wait, %v", n, err)
				}
			})
		})
	}
}

// An item that is released and set aside again is told of again.
func TestItemReleased(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, lifecycle.OnOther(func(context.Context, *qimen.Delivery, events.Event) error {
			return durable.Permanent(errors.New("no such order"))
		}))
		d.push(mainRefund())
		store, ok := d.store.(*lifecycle.MemoryStore)
		if !ok || len(d.overdue) != 1 {
			t.Fatalf("%T, %+v", d.store, d.overdue)
		}
		if err := store.Release(lifecycle.InboxQueue, d.overdue[0].Subject); err != nil {
			t.Fatal(err)
		}
		d.settle(2 * time.Minute)
		if len(d.overdue) != 2 || d.overdue[1].Subject != d.overdue[0].Subject {
			t.Errorf("%+v", d.overdue)
		}
	})
}

// mainRefund is an event that is not about a renewal.
func mainRefund() events.Event {
	return &events.FeeRefund{Envelope: events.Envelope{
		ChannelID: fliggy.ChannelAmap, OrderID: fliggytest.SampleOrderID, OutOrderID: "M",
	}, FeeRefundData: events.FeeRefundData{
		RefundType: fliggy.RefundOther, Amount: fliggy.MustYuan("1"), Reason: "x", PayTradeNo: "T",
	}}
}

// waiting counts the events that Run has not applied.
func (d *desk) waiting() (int64, error) {
	s, ok := d.store.(durable.CountStore)
	if !ok {
		return 0, errors.New("the store does not count")
	}
	counts, err := s.Count(d.t.Context(), lifecycle.InboxQueue)
	return counts.Waiting, err
}

// What OnOverdue could not be told of is listed.
func TestOnOverdueFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t, lifecycle.OnOverdue(func(context.Context, lifecycle.Overdue) error {
			return errors.New("the mail server is down")
		}))
		d.submit("R1")
		for i, after := range []time.Duration{time.Hour, 70 * time.Minute, 24 * time.Hour} {
			d.settle(after)
			page, err := d.book.List(t.Context(), lifecycle.Filter{NeedsPerson: true})
			if want := min(i, 1); err != nil || len(page.Renewals) != want {
				t.Errorf("%d listed, want %d: %v", len(page.Renewals), want, err)
			}
		}
	})
}

// A function that does not come back holds up no events.
func TestOnOverdueBlocks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		blocked := make(chan struct{})
		defer close(blocked)
		d := newDesk(t, lifecycle.OnOverdue(func(_ context.Context, o lifecycle.Overdue) error {
			if o.Problem == lifecycle.ProblemItemFailing {
				<-blocked
			}
			return nil
		}), lifecycle.OnChange(func(_ context.Context, _, after lifecycle.Renewal) error {
			if after.ID != "last" && after.State == lifecycle.Accepted {
				return errors.New("the table is locked")
			}
			return nil
		}))
		for i := range 5 {
			d.gw.Accept(d.submit(fmt.Sprint("R", i)).RenewalOrderID)
		}
		d.settle(time.Hour)
		d.gw.Accept(d.submit("last").RenewalOrderID)
		d.settle(time.Minute)
		d.want("last", lifecycle.Accepted)
	})
}
