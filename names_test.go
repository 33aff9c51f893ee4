package rentcar

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

// Names are corrected in requests and replies, at the top and inside, in all
// three formats.
func TestWithNames(t *testing.T) {
	t.Parallel()
	names := WithNames(opRenewalSubmit.Method, Names{
		Param:   "rent_car_b2b_submit_renewal_order_req",
		Request: map[string]string{"renewal_out_order_id": "out_renewal_id", "order_id": "main_order_id"},
		Inner:   "data",
		Reply:   map[string]string{"renewal_order_id": "fliggy_renewal_order_id", "successful": "ok"},
	})
	for format, respond := range map[Format]string{
		SimplifiedJSON: `{"data":{"ok":true,"fliggy_renewal_order_id":3187983531024266527,"renewal_order_id":"5"},"request` +
			`_id":"r1"}`,
		WrappedJSON: `{"x_response":{"data":{"ok":true,"fliggy_renewal_order_id":"3187983531024266527","renewal_order_i` +
			`d":"5"},"request_id":"r1"}}`,
		XML: `<x_response><data><ok>true</ok><fliggy_renewal_order_id>3187983531024266527</fliggy_renewal_order` +
			`_id><renewal_order_id>5</renewal_order_id></data><request_id>r1</request_id></x_response>`,
	} {
		t.Run(format.String(), func(t *testing.T) {
			t.Parallel()
			c, g := clientFor(t, reply(http.StatusOK, jsonType, respond), WithFormat(format), names)
			res, err := c.Renewals.Submit(
				context.Background(), &RenewalSubmitRequest{OrderID: mainOrder, RenewalOutOrderID: outRenewal},
			)
			if err != nil {
				t.Fatal(err)
			}
			if res.RenewalOrderID != renewalOrder || !res.Successful || len(res.Extra) != 1 || res.RequestID != "r1" {
				t.Errorf("result %+v", res)
			}
			want := map[string]string{
				"rent_car_b2b_submit_renewal_order_req": `{"main_order_id":3104050285204362836,"out_renewal_id":"` + outRenewal +
					`"}`,
			}
			diff(t, "form", want, g.last(t).form(t))
		})
	}
	// Other APIs and other clients keep their names.
	c, g := clientFor(t, replyJSON(okReply), names)
	if _, err := queryOrder(context.Background(), c); err != nil {
		t.Fatal(err)
	}
	diff(
		t, "form of another API", map[string]string{opOrderQuery.Param: `{"order_id":"523412312","channel_id":"80001"}`},
		g.last(t).form(t),
	)
}

func TestWithNamesInside(t *testing.T) {
	t.Parallel()
	c,
		g := clientFor(t, replyJSON(
		`{"successful":true,"item_id":"1","price":{"days":"1.5","quantity":"9"},"services":[{"sum":"2.00","amount":"9"}]}`,
	),
		WithNames(opRenewalQuote.Method, Names{Reply: map[string]string{
			"price_info": "price", "price_info.quantity": "days", "added_service_list": "services",
			"added_service_list.amount": "sum",
		}}),
		WithNames(
			opBillNotify.Method,
			Names{
				Request: map[string]string{"distributor_bill_list.bill_detail_list.ext": "exts", "distributor_bill_list": "bills"},
			},
		))
	res, err := c.Renewals.Quote(context.Background(), someQuote())
	if err != nil {
		t.Fatal(err)
	}
	if res.Price.Quantity.String() != "1.5" || len(
		res.AddedServices,
	) != 1 || res.AddedServices[0].Amount.String() != "2.00" {
		t.Errorf("result %+v", res)
	}
	bill := someBill(t)
	bill.Lines[0].Ext = "{}"
	if _, err := c.Bills.Notify(
		context.Background(), bill, CallMember("channel_id", "80001"), CallWithoutValidation(),
	); err != nil {
		t.Fatal(err)
	}
	message := g.last(t).form(t)[opBillNotify.Param]
	if !strings.Contains(message, `{"bills":[`) || !strings.Contains(
		message, `"exts":"{}"`,
	) || strings.Contains(message, `"ext"`) {
		t.Errorf("request %s", message)
	}
}

func TestWithNamesRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		names Names
		want  string
	}{
		"no member of the request": {
			Names{Request: map[string]string{"order": "x"}}, `request: OrderQueryRequest has no member "order"`,
		},
		"no member of the reply": {
			Names{Reply: map[string]string{"order_info.x": "x"}}, `reply: OrderQueryResult has no member "order_info.x"`,
		},
		"a Go name": {
			Names{Request: map[string]string{"OrderID": "x"}}, `request: OrderQueryRequest has no member "OrderID"`,
		},
		"a list as a place": {
			Names{Reply: map[string]string{"order_info.added_service_list[0].sid": "x"}},
			`reply: OrderQueryResult has no member "order_info.added_service_list[0].sid"`,
		},
		"name of another member": {
			Names{Request: map[string]string{"order_id": "out_order_id"}},
			`request: OrderQueryRequest.OutOrderID: a second member "out_order_id"`,
		},
		"no name": {
			Names{Request: map[string]string{"order_id": ""}}, `the real name of "order_id" is empty`,
		},
		"blank name": {
			Names{Reply: map[string]string{"successful": " "}}, `the real name of "successful" is empty`,
		},
		"protocol parameter": {Names{Param: "session"}, `session is a parameter of the protocol`},
	} {
		_, err := NewClient(testAppKey, testSecret, WithNames(opOrderQuery.Method, tc.names))
		if want := "rentcar: new client: names of alitrip.rentcar.btb.order.query: " + tc.want; err == nil ||
			err.Error() != want {
			t.Errorf("%s:\n  %v, want\n  %s", name, err, want)
		}
	}
	// Two members may change places.
	swap := Names{Request: map[string]string{"order_id": "out_order_id", "out_order_id": "order_id"}}
	c, g := clientFor(t, replyJSON(okReply), WithNames(opOrderQuery.Method, swap))
	if _, err := c.Orders.Query(
		context.Background(), &OrderQueryRequest{OrderID: "1", OutOrderID: "2", ChannelID: fliggy.ChannelAmap},
	); err != nil {
		t.Fatal(err)
	}
	diff(
		t, "form", map[string]string{opOrderQuery.Param: `{"out_order_id":"1","order_id":"2","channel_id":"80001"}`},
		g.last(t).form(t),
	)
}

// Inner is where the reply has its members, or nothing is.
func TestInnerMissing(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		okReply, `{"data":null,"x":1}`, `{"data":"text","x":1}`, `{"data":{}}`, `{"data":[],"x":1}`,
	} {
		c, _ := clientFor(t, replyJSON(body), WithNames(opOrderQuery.Method, Names{Inner: "data"}))
		if _, err := queryOrder(context.Background(), c); !isA[*DecodeError](err) {
			t.Errorf("%s: %v, want a DecodeError", body, err)
		}
	}
	c, _ := clientFor(t, replyJSON(`{"error_response":{"code":25}}`), WithNames(opOrderQuery.Method, Names{Inner: "data"}))
	if _, err := queryOrder(context.Background(), c); !isA[*GatewayError](err) {
		t.Errorf("an error envelope: %v", err)
	}
}

// A submit that succeeds without a renewal order says how to correct its name.
func TestSubmitWithoutRenewalOrder(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, replyJSON(`{"successful":true,"id":"7","request_id":"r1"}`))
	res, err := c.Renewals.Submit(context.Background(), &RenewalSubmitRequest{OrderID: mainOrder})
	e := as[*DecodeError](t, err)
	if res != nil || OutcomeOf(err) != OutcomeUnknown || e.RequestID != "r1" {
		t.Errorf("result %+v, outcome %v, %+v", res, OutcomeOf(err), e)
	}
	for _, part := range []string{
		"renewal_order_id: missing from a success",
		`rentcar.WithNames("alitrip.rentcar.btb.renewal.submit", rentcar.Names{Reply: ...})`,
	} {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("the text lacks %q: %v", part, err)
		}
	}
	// A refusal needs no order.
	refused, _ := clientFor(t, replyJSON(`{"successful":false,"ret_msg":"no"}`))
	if _, err := refused.Renewals.Submit(
		context.Background(), &RenewalSubmitRequest{OrderID: mainOrder},
	); !isA[*BusinessError](err) {
		t.Errorf("a refusal: %v", err)
	}
}

// Methods has the name of each API once, and those that only Call can send are not among them.
func TestMethods(t *testing.T) {
	t.Parallel()
	got := Methods()
	if len(got) != len(api.All()) || !slices.IsSorted(got) || !slices.Contains(got, opOrderQuery.Method) {
		t.Errorf("Methods() = %q", got)
	}
	for _, method := range got {
		if _, err := NewClient("1", "secret", WithNames(method, Names{})); err != nil {
			t.Error(err)
		}
	}
}
