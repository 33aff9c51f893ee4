package fliggytest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

func TestNames(t *testing.T) {
	t.Parallel()
	names := rentcar.Names{
		Param:   "rent_car_b2b_submit_renewal_order_req",
		Request: map[string]string{"renewal_out_order_id": "distributor_renewal_id"},
		Inner:   "result",
		Reply: map[string]string{
			"renewal_order_id": "fliggy_renewal_order_id", "successful": "success", "ret_msg": "message",
		},
	}
	for _, format := range allFormats {
		g := start(t, WithNames(methodSubmit, names))
		c := connect(t, g, rentcar.WithNames(methodSubmit, names), rentcar.WithFormat(format))
		res, err := c.Renewals.Submit(context.Background(), submitRequest())
		noError(t, err)
		held, ok := g.Renewal(res.RenewalOrderID)
		if !ok || held.RenewalOutOrderID != ownRenewalID || res.RequestID != lastRequest(t, g).ID {
			t.Errorf("%v: got %+v, held %+v", format, res, held)
		}
		r := lastRequest(t, g)
		var decoded rentcar.RenewalSubmitRequest
		if err := r.Decode(&decoded); err != nil || decoded.RenewalOutOrderID != ownRenewalID {
			t.Errorf("%v: decoded %+v, %v", format, decoded, err)
		}
		if body := string(r.Answer.Body); !strings.Contains(
			body, "fliggy_renewal_order_id",
		) || !strings.Contains(body, "result") {
			t.Errorf("%v: answered %s", format, body)
		}
		res, err = c.Renewals.Submit(context.Background(), &rentcar.RenewalSubmitRequest{OrderID: "1"})
		if code(err) != RetOrderNotFound || res.RetMsg != "订单不存在" {
			t.Errorf("%v: refused: %+v, %v", format, res, err)
		}
		// A client with the names as they are inferred is not understood.
		if _, err := connect(t, g).Renewals.Submit(context.Background(), submitRequest()); code(err) != "40 " {
			t.Errorf("%v: other names: %v", format, err)
		}
	}
}

func TestNamesThatFitNothing(t *testing.T) {
	t.Parallel()
	for name, opt := range map[string]Option{
		`alitrip.rentcar.none`: WithNames("alitrip.rentcar.none", rentcar.Names{}),
		`"no_request_member"`:  WithNames(methodSubmit, rentcar.Names{Request: map[string]string{"no_request_member": "x"}}),
		`"no_reply_member"`:    WithNames(methodSubmit, rentcar.Names{Reply: map[string]string{"no_reply_member": "x"}}),
		`second member`:        WithNames(methodSubmit, rentcar.Names{Reply: map[string]string{"ret_code": "ret_msg"}}),
	} {
		if _, err := start(t, opt).Client(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// without leaves members out of the replies of an API.
func without(method string, members ...string) Option {
	names := rentcar.Names{Reply: map[string]string{}}
	for _, member := range members {
		names.Reply[member] = "-"
	}
	return WithNames(method, names)
}

func TestNamesLeaveMembersOut(t *testing.T) {
	t.Parallel()
	const quote, check = "alitrip.rentcar.btb.renewaldetail.query", "alitrip.rentcar.btb.renewal.checkcancel"
	for _, format := range allFormats {
		g := start(t, without(quote, "added_service_list.amount", "price_info.poundage_fee", "request_id"),
			WithNames(
				methodSubmit, rentcar.Names{Inner: "result", Reply: map[string]string{"ret_code": "code", "ret_msg": "-"}},
			))
		c := connect(t, g, rentcar.WithFormat(format))
		res, err := c.Renewals.Quote(context.Background(), quoteRequest())
		noError(t, err)
		if body := string(
			lastRequest(t, g).Answer.Body,
		); strings.Contains(body, "amount") || strings.Contains(
			body, "poundage_fee",
		) || strings.Contains(body, "request_id") {
			t.Errorf("%v: answered %s", format, body)
		}
		if total, err := res.Total(); err == nil || total.IsSet() || res.RequestID != "" ||
			!res.AddedServices[0].Price.IsSet() {
			t.Errorf("%v: total %v, %v of %+v", format, total, err, res)
		}
		// Refusals lack the member too, and other names hold beside it.
		_, err = c.Renewals.Submit(context.Background(), &rentcar.RenewalSubmitRequest{OrderID: "1"})
		if body := string(
			lastRequest(t, g).Answer.Body,
		); err == nil || strings.Contains(
			body, "ret_msg",
		) || !strings.Contains(body, "code") || !strings.Contains(body, "result") {
			t.Errorf("%v: refused with %s, %v", format, body, err)
		}
	}
	for want, opt := range map[string]Option{
		`alitrip.rentcar.none`: without("alitrip.rentcar.none", "x"),
		`"no_member"`:          without(check, "no_member"),
		`"price_info.none"`:    without(quote, "price_info.none"),
	} {
		if _, err := start(t, opt).Client(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", want, err)
		}
	}
}

func TestOptionsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	g := start(t, nil, WithApp("", "x"), WithApp("x", " "), WithClock(nil), WithSession(""))
	if g.AppKey() != DefaultAppKey || g.AppSecret() != DefaultAppSecret {
		t.Error("an option without a meaning changed something")
	}
	c, err := g.Client()
	noError(t, err)
	submit(t, c, submitRequest())
	if r := g.Renewals()[0]; r.ChannelID != fliggy.ChannelAmap || r.Submit.ChannelID != "" {
		t.Errorf("a submit without a channel has %q, its renewal %q", r.Submit.ChannelID, r.ChannelID)
	}
}

// TestWireClock moves the clock of the business alone.
func TestWireClock(t *testing.T) {
	t.Parallel()
	later := testNow.AddDate(0, 1, 0)
	g := NewGateway(WithClock(func() time.Time { return later }), WithWireClock(fixedClock))
	defer g.Close()
	h, err := qimen.NewHandler(qimen.Secrets{g.AppKey(): {g.AppSecret()}}, qimen.WithClock(fixedClock),
		qimen.OnEvent(func(context.Context, *qimen.Delivery, events.Event) error { return nil }))
	noError(t, err)
	g.PushToHandler(h)
	id := submit(t, connect(t, g), submitRequest())
	if res := g.Accept(id); !res.Accepted || !res.Time.Equal(later) {
		t.Errorf("got %v at %v", res, res.Time)
	}
	if r, _ := g.Renewal(id); !r.CreatedTime.Equal(later) {
		t.Errorf("created %v", r.CreatedTime)
	}
}
