package fliggytest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
)

func TestOrdersThereAndBack(t *testing.T) {
	t.Parallel()
	second := Order{OutOrderID: "A-2", CancelFee: fliggy.MustYuan("12.50"), CancelMessage: "迟了"}
	second.Details.Successful = true
	want := []Order{SampleOrder(), second}
	var b bytes.Buffer
	noError(t, WriteOrders(&b, want))
	got, err := ReadOrders(strings.NewReader("\ufeff" + b.String()))
	noError(t, err)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s\n%s", diff, b.String())
	}
	g := start(t, WithOrders(got...))
	for range 2 {
		if ids := g.Orders(); len(ids) != 2 || ids[1].OutOrderID != "A-2" || ids[0].OrderID != SampleOrderID {
			t.Errorf("%d orders", len(ids))
		}
		g.AddOrder(Order{OutOrderID: "later"})
		g.Reset()
	}
}

func TestReadOrdersThatAreWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"no JSON":   {"{\n \"orders\": [\n  {,\n", "line 3: not JSON"},
		"cut off":   {"{\n\"orders\": [", "line 2: not JSON"},
		"empty":     {"", "line 1: not JSON"},
		"list":      {"[]", "expected an object"},
		"no orders": {"{}", "orders: missing"},
		"misspelt": {
			"{\"orders\": [\n {\"out_order_id\": \"1\"},\n {\"out_orderid\":\n\"2\"}]}",
			"line 3: orders[1].out_orderid: there is no",
		},
		"beside": {"{\"orders\": [],\n\"orderz\": 1}", "line 2: orderz: there is no"},
		"bad amount": {
			"{\"orders\": [\n {\"out_order_id\": \"1\",\n  \"order_info\": {\n   \"total_fee\": \"much\"}}]}",
			"line 4: orders[0].order_info.total_fee",
		},
		"bad time": {
			"{\"orders\": [{\"out_order_id\": \"1\",\n \"booking_info\": {\"car_use_time\": \"soon\"}}]}",
			"line 2: orders[0].booking_info.car_use_time",
		},
		"no id": {
			"{\"orders\": [\n\n {\"order_id\": \"1\"}]}",
			"line 3: orders[0].out_order_id: missing",
		},
		"twice": {
			"{\"orders\": [\n {\"out_order_id\": \"1\"},\n {\"out_order_id\": \"1\"}]}",
			"line 3: orders[1].out_order_id: another order has this id",
		},
		"negative fee": {
			"{\"orders\": [\n {\"out_order_id\": \"1\",\n  \"cancel_fee\": \"-0.01\"}]}",
			"line 3: orders[0].cancel_fee: must not be negative",
		},
		"negative total": {
			"{\"orders\": [\n {\"out_order_id\": \"1\", \"order_info\": {\n  \"user_real_pay\": -1}}]}",
			"line 3: orders[0].order_info.user_real_pay: must not be negative",
		},
		"negative service": {
			"{\"orders\": [{\"out_order_id\": \"1\", \"order_info\": {\"added_service_list\": [\n {},\n" +
				" {\"service_price_amount\": \"-5\"}]}}]}",
			"line 3: orders[0].order_info.added_service_list[1].service_price_amount: must not be negative",
		},
	} {
		if _, err := ReadOrders(strings.NewReader(c.text)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}
