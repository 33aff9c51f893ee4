package fliggytest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

func TestSampleOrderIsThatOfTheDocuments(t *testing.T) {
	t.Parallel()
	sample, err := os.ReadFile("../testdata/samples/alitrip.rentcar.btb.order.query.response.xml")
	noError(t, err)
	if !bytes.Equal(sample, sampleXML) {
		t.Error("data/order.xml is not the sample of the documents")
	}
	o := SampleOrder()
	if !o.Details.SupportsRenewal() || o.Details.Booking.License != "鲁A231212" || len(o.Details.Info.AddedServices) != 1 ||
		o.Details.RetCode != "" || len(o.Details.Info.ServiceTypes) != 3 {
		t.Errorf("got %+v", o)
	}
}

// TestDefaultWorld: with nothing configured the sample order lies in the future, at
// every hour of the clock: a renewal of it is priced, settled when its reply was lost, and cancelled for nothing.
func TestDefaultWorld(t *testing.T) {
	t.Parallel()
	for hour := range 25 {
		opts := []Option{WithClock(func() time.Time { return testNow.Add(time.Duration(hour) * time.Hour) })}
		if hour == 24 {
			opts = nil
		}
		g := NewGateway(opts...)
		t.Cleanup(g.Close)
		defaultWorld(t, g)
	}
}

func defaultWorld(t *testing.T, g *Gateway) {
	t.Helper()
	ctx := context.Background()
	c := connect(t, g)
	order, err := c.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: SampleOrderID})
	noError(t, err)
	now, booking, info := g.now(), order.Booking, order.Info
	if !info.PayTime.Before(now) || !now.Before(booking.CarUseTime.Time) || !booking.CarUseTime.Before(
		booking.CarReturnTime.Time,
	) {
		t.Errorf("at %v: paid %v, from %v to %v", now, info.PayTime, booking.CarUseTime, booking.CarReturnTime)
	}
	from := booking.CarReturnTime
	to := fliggy.At(from.Add(24*time.Hour + 30*time.Minute))
	quote, err := c.Renewals.Quote(
		ctx, &rentcar.RenewalQuoteRequest{OrderID: SampleOrderID, CarUseTime: from, CarReturnTime: to},
	)
	noError(t, err)
	total, err := quote.Total()
	noError(t, err)
	submit := &rentcar.RenewalSubmitRequest{
		OrderID: SampleOrderID, RenewalOutOrderID: ownRenewalID, CarUseTime: from, CarReturnTime: to, TotalFee: total,
		ItemID: quote.ItemID,
	}
	g.Fail(CutOff().AfterCommit())
	if _, err = c.Renewals.Submit(ctx, submit); !errors.Is(err, rentcar.ErrOutcomeUnknown) {
		t.Errorf("submit: %v", err)
	}
	settled, err := c.Renewals.Settle(ctx, &rentcar.SettleRequest{Submit: submit})
	if err != nil || settled.Verdict != rentcar.VerdictDone {
		t.Errorf("settled %+v, %v", settled, err)
	}
	res, err := c.Renewals.Cancel(ctx, &rentcar.RenewalCancelRequest{OutOrderID: ownRenewalID})
	if err != nil || res.CancelFee.String() != "0.00" || total.String() != "16.02" {
		t.Errorf("cancelled %+v, %v", res, err)
	}
}

func TestOrders(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	g := start(t)
	c := connect(t, g)
	query := func(id fliggy.ID, out string) string {
		_, err := c.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: id, OutOrderID: out})
		return code(err)
	}
	const found = "<nil>"
	g.AddOrder(Order{OrderID: "fz2939293", OutOrderID: "mine", CancelFee: fliggy.MustYuan("5.5"), CancelMessage: "违约金"})
	for _, d := range []struct {
		id   fliggy.ID
		out  string
		want string
	}{
		{SampleOrderID, "", found},
		{"", SampleOutOrderID, found},
		{SampleOrderID, SampleOutOrderID, found},
		{SampleOrderID, "mine", RetOrderNotFound},
		{"", "other", RetOrderNotFound},
		{"fz2939293", "mine", found},
	} {
		if got := query(d.id, d.out); got != d.want {
			t.Errorf("%q, %q: got %s, want %s", d.id, d.out, got, d.want)
		}
	}
	fee, err := c.Orders.CheckCancel(ctx, &rentcar.OrderCheckCancelRequest{OrderID: "fz2939293", OutOrderID: "mine"})
	noError(t, err)
	if fee.CancelFee.String() != "5.5" || fee.CancelMessage != "违约金" {
		t.Errorf("got %+v", fee)
	}
	if _, err := c.Orders.CheckCancel(
		ctx, &rentcar.OrderCheckCancelRequest{OrderID: "1", OutOrderID: "1"},
	); code(err) != RetOrderNotFound {
		t.Errorf("got %v", err)
	}
	g.AddOrder(Order{OrderID: "fz2939293", OutOrderID: "renamed"})
	if query("", "mine") != RetOrderNotFound || query("", "renamed") != found {
		t.Error("an order that was replaced is found by its old id")
	}
}
