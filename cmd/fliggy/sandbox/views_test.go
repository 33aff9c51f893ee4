package sandbox

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// TestDoubleBookings marks both renewals of a double booking, and neither once one of them is over.
func TestDoubleBookings(t *testing.T) {
	t.Parallel()
	at := fliggy.MustTime("2026-12-01 10:00:00")
	renewal := func(id fliggy.ID, own string, day, days int, state fliggytest.State) fliggytest.Renewal {
		return fliggytest.Renewal{
			RenewalOrderID: id, RenewalOutOrderID: own, OrderID: "1", State: state, Start: at.AddDate(0, 0, day),
			Submit: rentcar.RenewalSubmitRequest{CarReturnTime: fliggy.At(at.AddDate(0, 0, day+days))},
		}
	}
	const in, out = fliggytest.RenewalAccepted, fliggytest.RenewalCancelled
	for name, c := range map[string]struct {
		renewals []fliggytest.Renewal
		want     []string
	}{
		"same id":   {[]fliggytest.Renewal{renewal("1", "R", 0, 1, in), renewal("2", "R", 5, 1, in)}, []string{"2", "1"}},
		"overlap":   {[]fliggytest.Renewal{renewal("1", "R", 0, 2, in), renewal("2", "S", 1, 1, in)}, []string{"2", "1"}},
		"one after": {[]fliggytest.Renewal{renewal("1", "R", 0, 1, in), renewal("2", "S", 1, 1, in)}, []string{"", ""}},
		"cancelled": {[]fliggytest.Renewal{renewal("1", "R", 0, 1, out), renewal("2", "R", 0, 1, in)}, []string{"", ""}},
		"no end":    {[]fliggytest.Renewal{renewal("1", "", 0, 0, in), renewal("2", "", 0, 0, in)}, []string{"2", "1"}},
		"three, a gap": {[]fliggytest.Renewal{renewal("1", "", 0, 1, in), renewal("2", "", 1, 1, in), renewal("3", "", 0, 1,
			in)}, []string{"3", "", "1"}},
	} {
		var got []string
		for _, v := range renewalViews(c.renewals) {
			got = append(got, v.DoubleOf)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestCalls shows a call with what was signed and answered, and why one was refused.
func TestCalls(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	d.submit("<img src=x>")
	wrong, err := rentcar.NewClient(fliggytest.DefaultAppKey, "another secret", rentcar.WithBaseURL(d.url+"/router/rest"))
	noError(t, err)
	if err := wrong.Call(context.Background(), "alitrip.rentcar.btb.order.query", nil, new(rentcar.Raw)); err == nil {
		t.Error("taken")
	}
	var list struct{ Calls []callView }
	d.do("GET", "/calls", "", &list)
	if c := list.Calls; len(c) != 2 || c[0].Signature != "valid" || !c[0].Executed || c[1].Signature != "invalid" ||
		c[1].Code != "25" || c[0].SignedText != "" || c[0].Gateway != "top" {
		t.Fatalf("calls %+v", c)
	}
	var call callView
	d.do("GET", "/calls/"+list.Calls[0].ID, "", &call)
	if !strings.Contains(call.SignedText, "app_key24700001") || !strings.Contains(call.Reply, "renewal_order_id") ||
		call.Params["rent_car_b2b_submit_renewal_order_req"] == "" && len(call.Params) != 1 || call.Refused != nil {
		t.Errorf("call %+v", call)
	}
	call = callView{}
	d.do("GET", "/calls/"+list.Calls[1].ID, "", &call)
	if r := call.Refused; r == nil || r.Cause != "secret" || r.SignedText != call.SignedText {
		t.Errorf("refused %+v", r)
	}
	var refused struct{ Refused []refusedView }
	d.do("GET", "/refused", "", &refused)
	if len(refused.Refused) != 1 || refused.Refused[0].ID != list.Calls[1].ID {
		t.Errorf("refused %+v", refused)
	}
}

// TestMoney shows bills with their sums, repeats marked, and callbacks.
func TestMoney(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	c := d.client()
	line := rentcar.BillLine{
		OrderID: fliggytest.SampleOrderID, OutOrderID: "RC1", BizType: fliggy.BillOrderFee,
		OrderAmount: fliggy.MustYuan("12.00"), PayTradeNo: "T1", PayTime: fliggy.MustTime("2026-12-01 10:00:00"),
	}
	refund := line
	refund.BizType, refund.OrderAmount, refund.PayTradeNo = fliggy.BillOrderFeeRefund, fliggy.MustYuan("2.50"), "T2"
	bill, err := rentcar.NewBill("B", "B-1").Income(line).Refund(refund).Build()
	noError(t, err)
	for range 2 {
		_, err = c.Bills.Notify(context.Background(), bill)
		noError(t, err)
	}
	var bills struct{ Bills []billView }
	d.do("GET", "/bills", "", &bills)
	if b := bills.Bills; len(b) != 2 || b[0].Repeat || !b[1].Repeat || b[0].Total != "9.50" || b[0].Sum != "9.50" ||
		len(b[0].Lines) != 2 || len(b[0].Sums) != 2 || b[0].Sums[1].Sum != "-2.50" || b[0].Sums[0].BizType != 10 {
		t.Errorf("bills %+v", b)
	}
	e := newEndpoint(t)
	noError(t, d.s.aim(e.url))
	d.do("POST", "/orders/"+string(fliggytest.SampleOrderID)+"/refund", `{"amount":"1.00","pay_trade_no":"P"}`, nil)
	ordered, ok := (<-e.events).(*events.FeeRefund)
	if !ok {
		t.Fatalf("event %T", ordered)
	}
	_, err = c.Callbacks.Send(context.Background(), ordered.SuccessCallback())
	noError(t, err)
	var callbacks struct {
		Callbacks []struct {
			EventType int    `json:"event_type"`
			CallID    string `json:"call_id"`
		}
	}
	d.do("GET", "/callbacks", "", &callbacks)
	if got := callbacks.Callbacks; len(got) != 1 || got[0].EventType != 260 || got[0].CallID == "" {
		t.Errorf("callbacks %+v", got)
	}
	var orders struct{ Orders []orderView }
	d.do("GET", "/orders", "", &orders)
	if r := orders.Orders[0].Refunds; len(r) != 1 || r[0].State != "succeeded" || r[0].Settled == "" {
		t.Errorf("refunds %+v", r)
	}
	var agency struct {
		AgencyOrders []map[string]any `json:"agency_orders"`
	}
	if status := d.do("GET", "/agency-orders", "", &agency); status != 200 || len(agency.AgencyOrders) != 0 {
		t.Errorf("status %d, %+v", status, agency)
	}
}

// TestHostileText shows what a call in another charset said as well as can be.
func TestHostileText(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	res, err := d.http.PostForm(d.url+"/router/rest?method=%ff", url.Values{"a": {strings.Repeat("x", 70<<10)}})
	noError(t, err)
	noError(t, res.Body.Close())
	var list struct{ Calls []callView }
	d.do("GET", "/calls", "", &list)
	var call callView
	if status := d.do("GET", "/calls/"+list.Calls[0].ID, "", &call); status != http.StatusOK || call.Code != "47" ||
		len(call.Body) > 65<<10 || call.Refused == nil {
		t.Errorf("status %d, %d bytes, %+v", status, len(call.Body), call.Refused)
	}
}
