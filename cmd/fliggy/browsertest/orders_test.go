package browsertest

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/cmd/fliggy/sandbox"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A shownRenewal is what the control API says of a renewal.
type shownRenewal struct {
	ID           fliggy.ID     `json:"renewal_order_id"`
	State        string        `json:"state"`
	ErrorCode    string        `json:"error_code"`
	ErrorMessage string        `json:"error_message"`
	DoubleOf     string        `json:"double_of"`
	Refunds      []shownRefund `json:"refunds"`
}

type shownRefund struct {
	Type       int    `json:"type"`
	Amount     string `json:"amount"`
	Reason     string `json:"reason"`
	PayTradeNo string `json:"pay_trade_no"`
	State      string `json:"state"`
}

func (d *desk) renewal(id fliggy.ID) (found shownRenewal) {
	d.t.Helper()
	for _, r := range get[struct {
		Renewals []shownRenewal `json:"renewals"`
	}](d, "renewals").Renewals {
		if r.ID == id {
			return r
		}
	}
	d.t.Fatalf("there is no renewal %s", id)
	return found
}

// card is the card of a renewal or an order.
func card(id fliggy.ID) string { return fmt.Sprintf("#panel-orders [data-id=%q]", string(id)) }

func TestRenewals(t *testing.T) {
	t.Parallel()
	d := open(t)
	d.tabTo("orders")
	d.shows("#renewals", "No renewal yet")
	first := d.submit("R1")
	d.shows(card(first), "submitted")
	d.shows(card(first), "21.02 yuan")
	d.until(`!document.querySelector('.card.double')`)

	second := d.submit("R2") // the same period again
	d.until(`document.querySelectorAll('.card.double').length === 2`)
	d.shows("#doubles", "2 renewals are double bookings")
	d.shows(card(second), "the same as "+string(first))
	if got := d.renewal(second).DoubleOf; got != string(first) {
		t.Errorf("double of %q", got)
	}

	d.pressIn(card(second), "reject")
	d.fill("reject-code", "71009")
	d.fill("reject-message", "车辆不可用")
	d.press("dialog-confirm")
	d.shows(card(second), "rejected")
	d.shows(card(second), "71009 车辆不可用")
	d.until(`!document.querySelector('.card.double')`)
	if r := d.renewal(second); r.State != "rejected" || r.ErrorCode != "71009" || r.ErrorMessage != "车辆不可用" {
		t.Errorf("rejected: %+v", r)
	}

	d.pressIn(card(first), "accept")
	d.shows(card(first), "accepted")
	if r := d.renewal(first); r.State != "accepted" {
		t.Errorf("accepted: %+v", r)
	}
	d.refund(first)
	d.refundOrder()
	d.pressIn(card(first), "show-call")
	d.shows("#calls-detail h3", "renewal.submit")
	d.mu.Lock()
	defer d.mu.Unlock()
	if diff := cmp.Diff([]events.Type{104, 103, 142, 141}, d.accepted); diff != "" {
		t.Errorf("the endpoint got (-want +got):\n%s", diff)
	}
}

// refund refunds a renewal by its button, and settles it by a callback.
func (d *desk) refund(id fliggy.ID) {
	d.t.Helper()
	d.pressIn(card(id), "refund-renewal")
	d.press("dialog-cancel")
	d.until(`!document.getElementById('dialog').open`)
	d.pressIn(card(id), "refund-renewal")
	d.fill("refund-amount", "12.50")
	d.set("refund-type", "2")
	d.fill("refund-reason", "油费")
	d.press("dialog-confirm")
	d.shows(card(id)+" .refunds", "requested")
	d.shows(card(id)+" .refunds", "12.50 yuan")
	got := d.renewal(id).Refunds
	if len(got) != 1 {
		d.t.Fatalf("refunds: %+v", got)
	}
	want := shownRefund{Type: 2, Amount: "12.50", Reason: "油费", PayTradeNo: got[0].PayTradeNo, State: "requested"}
	if diff := cmp.Diff(want, got[0]); diff != "" {
		d.t.Errorf("the refund (-want +got):\n%s", diff)
	}
	event, err := events.Parse([]byte(get[shownPush](d, d.last()).Body))
	noError(d.t, err)
	_, err = d.client().Callbacks.Send(d.t.Context(), event.(*events.RenewalFeeRefund).SuccessCallback())
	noError(d.t, err)
	d.shows(card(id)+" .refunds", "succeeded")
	d.shows(card(id)+" .steps", "142 succeeded")
}

func (d *desk) refundOrder() {
	d.t.Helper()
	d.pressIn(card(fliggytest.SampleOrderID), "refund-order")
	d.fill("refund-amount", "7")
	d.press("dialog-confirm")
	d.shows(card(fliggytest.SampleOrderID)+" .refunds", "7 yuan")
	event, err := events.Parse([]byte(get[shownPush](d, d.last()).Body))
	noError(d.t, err)
	_, err = d.client().Callbacks.Send(d.t.Context(), event.(*events.FeeRefund).FailureCallback())
	noError(d.t, err)
	d.shows(card(fliggytest.SampleOrderID)+" .refunds", "failed")
}

// The sandbox says what is wrong with an amount.
func TestRefundRefused(t *testing.T) {
	t.Parallel()
	d := open(t, func(c *sandbox.Config) { c.Scenario = sandbox.Accepted })
	d.expectRefusals()
	id := d.submit("R1")
	d.tabTo("orders")
	d.pressIn(card(id), "refund-renewal")
	d.fill("refund-amount", "0")
	d.press("dialog-confirm")
	d.shows("#toast-bad", "amount: want an amount in yuan above zero")
}
