package sandbox

import (
	"context"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// TestButtons presses every button of renewals and orders, and sees what arrives and what is shown.
func TestButtons(t *testing.T) {
	t.Parallel()
	d, e := newDesk(t, nil), newEndpoint(t)
	noError(t, d.s.aim(e.url))
	first, second := d.submit("R1"), d.submit("R2")
	var pushed pushedView
	for _, c := range []struct {
		path, body string
		event      events.Type
	}{
		{"/renewals/" + first + "/accept", "", events.TypeRenewalAccepted},
		{"/renewals/" + second + "/reject", `{"code":"9","message":"没车","form":true,"gbk":true}`, events.TypeRenewalRejected},
		{"/renewals/" + first + "/refund", `{"amount":"1.50","reason":"油费","type":2}`, events.TypeRenewalFeeRefund},
		{"/orders/3104050285204362836/refund", `{"amount":2}`, events.TypeFeeRefund},
		{"/events", `{"event":{"channelId":"80001","orderId":"1","eventType":104,"eventData":{"renewalOrderId":7}}}`,
			events.TypeRenewalRejected},
	} {
		pushed = pushedView{}
		status := d.do("POST", c.path, c.body, &pushed)
		got := <-e.events
		if status != 200 || !pushed.Accepted || got.Type() != c.event || pushed.EventType != int(c.event) {
			t.Errorf("%s: status %d, %+v, event %v", c.path, status, pushed, got.Type())
		}
		if rejected, ok := got.(*events.RenewalRejected); ok && c.path != "/events" && rejected.ErrorMessage != "没车" {
			t.Errorf("%s: %+v", c.path, rejected)
		}
	}
	var list struct{ Renewals []renewalView }
	d.do("GET", "/renewals", "", &list)
	if r := list.Renewals; len(r) != 2 || r[0].State != "accepted" || r[1].State != "rejected" ||
		r[1].ErrorMessage != "没车" ||
		len(r[0].Refunds) != 1 || r[0].Refunds[0].State != "requested" || r[0].Refunds[0].Amount != "1.50" ||
		r[0].Total != "12.00" {
		t.Errorf("renewals %+v", r)
	}
	var orders struct{ Orders []orderView }
	d.do("GET", "/orders", "", &orders)
	if o := orders.Orders; len(o) != 1 || len(o[0].Refunds) != 1 || !o[0].Renewable {
		t.Errorf("orders %+v", o)
	}
	// What was decided stays so.
	for path, want := range map[string]string{"/renewals/" + second + "/accept": "rejected",
		"/renewals/" + first + "/reject": "accepted"} {
		var got failure
		if status := d.do("POST", path, "", &got); status != 409 || !strings.Contains(got.Error.Message, want) {
			t.Errorf("%s: %d, %+v", path, status, got)
		}
	}
}

// TestResend sends a push again in every way.
func TestResend(t *testing.T) {
	t.Parallel()
	d, e := newDesk(t, nil), newEndpoint(t)
	noError(t, d.s.aim(e.url))
	id := d.submit("R1")
	var first, again pushedView
	d.do("POST", "/renewals/"+id+"/reject", `{"bad_signature":true,"message":"没车","code":"1","gbk":true}`, &first)
	if first.Accepted || first.ContentType != "application/json;charset=GBK" || len(e.events) > 0 {
		t.Errorf("a bad signature: %+v", first)
	}
	for body, accepted := range map[string]bool{
		``: true, `{"form":true}`: true, `{"form":true,"gbk":true}`: true, `{"gbk":true,"times":3}`: true,
		`{"bad_signature":true}`: false, `{"unsigned":true}`: false, `{"late_seconds":660}`: false,
		`{"late_seconds":60}`: true,
	} {
		status := d.do("POST", "/pushes/"+first.ID+"/resend", body, &again)
		if status != 200 || again.Accepted != accepted || again.ID == first.ID {
			t.Errorf("%s: status %d, %+v", body, status, again)
		}
		for n := len(e.events); n > 0; n-- {
			if got, ok := (<-e.events).(*events.RenewalRejected); !ok || got.ErrorMessage != "没车" || !accepted {
				t.Errorf("%s: got %+v", body, got)
			}
		}
	}
	var list struct{ Pushes []pushedView }
	d.do("GET", "/pushes?limit=3", "", &list)
	if len(list.Pushes) != 3 || list.Pushes[2].ID != again.ID || list.Pushes[2].Query != "" {
		t.Errorf("pushes %+v", list)
	}
	var whole pushedView
	d.do("GET", "/pushes/"+again.ID, "", &whole)
	if whole.Query == "" || whole.Answer == "" || whole.Body == "" {
		t.Errorf("push %+v", whole)
	}
}

// TestDecideTwice does not push an event again that was pushed: its own button does.
func TestDecideTwice(t *testing.T) {
	t.Parallel()
	d, e := newDesk(t, nil), newEndpoint(t)
	ids := map[string]string{"accept": d.submit("R1"), "reject": d.submit("R2")}
	for verb, id := range ids {
		path := "/renewals/" + id + "/" + verb
		noError(t, d.s.aim(""))
		var first, again pushedView
		d.do("POST", path, "", &first) // decided, and nobody told
		noError(t, d.s.aim(e.url))
		if status := d.do("POST", path, `{"form":true}`, &again); first.ID != "" || status != 200 || !again.Accepted {
			t.Errorf("%s after nowhere: status %d, %+v, %+v", verb, status, first, again)
		}
		<-e.events
		var got failure
		resend := "/pushes/" + again.ID + "/resend"
		if status := d.do("POST", path, "", &got); status != 409 || len(e.events) > 0 ||
			!strings.Contains(got.Error.Message, "POST "+Prefix+resend) {
			t.Errorf("%s again: status %d, %+v", verb, status, got)
		}
		if status := d.do("POST", resend, "", nil); status != 200 || len(e.events) != 1 {
			t.Errorf("%s: resend: status %d, %d events", verb, status, len(e.events))
		}
		<-e.events
	}
}

// TestNowhereToPush decides all the same, and says that nobody heard.
func TestNowhereToPush(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	id := d.submit("R1")
	var got pushedView
	if status := d.do("POST", "/renewals/"+id+"/accept", "", &got); status != 200 || got.ID != "" ||
		!strings.Contains(got.Error, "PUT /control/v1/push-to") {
		t.Errorf("status %d, %+v", status, got)
	}
	noError(t, d.s.aim("http://127.0.0.1:1/"))
	if status := d.do("POST", "/renewals/"+id+"/accept", "", &got); status != 200 || !strings.Contains(got.Error,
		"refused") {
		t.Errorf("status %d, %+v", status, got)
	}
}

// TestEventAsWritten pushes an event byte for byte as it came.
func TestEventAsWritten(t *testing.T) {
	t.Parallel()
	e := newEndpoint(t)
	d := newDesk(t, func(c *Config) { c.PushTo = e.url })
	const event = `{"eventType": 104,  "orderId":3104050285204362836, "note": "a<b&c"}`
	var got pushedView
	if status := d.do("POST", "/events", `{"event":`+event+`}`, &got); status != 200 || got.Body != event {
		t.Errorf("status %d, pushed %s", status, got.Body)
	}
}

// TestAddOrders adds and replaces orders, and refuses the out_order_id of another order.
func TestAddOrders(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	for _, c := range []struct {
		orders string
		status int
		want   string // the ids of what there is, without the sample order
	}{
		{`{"order_id":"1","out_order_id":"A"},{"order_id":"2","out_order_id":"B"}`, 200, "1A 2B"},
		{`{"order_id":"1","out_order_id":"B"},{"order_id":"2","out_order_id":"A"}`, 200, "1B 2A"}, // swapped
		{`{"order_id":"1","out_order_id":"B"}`, 200, "1B 2A"},
		{`{"order_id":"3","out_order_id":"C"},{"out_order_id":"B"}`, 409, "1B 2A"},
		{`{"order_id":"1","out_order_id":"A"}`, 409, "1B 2A"},
		{`{"out_order_id":"` + fliggytest.SampleOutOrderID + `"}`, 409, "1B 2A"},
	} {
		var got failure
		if status := d.do("POST", "/orders", `{"orders":[`+c.orders+`]}`, &got); status != c.status ||
			status == 409 && !strings.Contains(got.Error.Message, "].out_order_id: order ") {
			t.Errorf("%s: status %d, %+v", c.orders, status, got)
		}
		ids := []string{}
		for _, o := range d.s.gateway.Orders() {
			if o.OrderID != fliggytest.SampleOrderID {
				ids = append(ids, string(o.OrderID)+o.OutOrderID)
			}
		}
		if got := strings.Join(ids, " "); got != c.want {
			t.Errorf("%s: there is %s, want %s", c.orders, got, c.want)
		}
	}
	for _, id := range []string{"1", "2"} { // the index follows
		o, _ := d.s.gateway.Order(fliggy.ID(id))
		res, err := d.client().Orders.Query(context.Background(), &rentcar.OrderQueryRequest{OutOrderID: o.OutOrderID})
		if err != nil || !res.Successful {
			t.Errorf("order %s by %s: %v", id, o.OutOrderID, err)
		}
	}
}
