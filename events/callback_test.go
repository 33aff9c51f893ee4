package events_test

import (
	"encoding/json"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/golden"
)

// callbacks returns one callback of every kind, by the name of its golden file.
func callbacks(t testing.TB) map[string]*events.Callback {
	t.Helper()
	order := events.Order{
		ChannelID: fliggy.ChannelAmap, OrderID: "3104050285204362799", OutOrderID: "RC202301021122903550010007",
	}
	yuan := fliggy.MustYuan
	renewal := parseAs[*events.RenewalFeeRefund](t, edit(t, sample(t, "event-142.json"), "eventType", "142"))
	numbered141 := parseAs[*events.RenewalFeeRefund](t, sample(t, "event-142.json"))
	onMain := parseAs[*events.FeeRefund](t, readCatalogue(t).entry(t, events.TypeFeeRefund).Sample)
	custom, err := events.NewCallback(4, order, nil)
	if err != nil {
		t.Fatal(err)
	}
	rich, err := events.NewCallback(
		999, order,
		json.RawMessage(`{"amount":0.00,"payTradeNo":"a\"b\\c/d","deposit":{"id":3187983531024266527,"scale":1.0}}`),
	)
	if err != nil {
		t.Fatal(err)
	}
	return map[string]*events.Callback{
		"004":              custom,
		"010":              events.NewOrderCancelled(order),
		"011":              events.NewOrderCancelFailed(order, "71012", "车辆已取,无法取消"),
		"210":              events.NewRefundInProgress(order, yuan("88.50"), "202301021122903550010007001"),
		"220":              events.NewRefundRefused(order, "2001", "账户异常"),
		"230":              events.NewRefundPaid(order, yuan("88.50"), "202301021122903550010007001"),
		"260":              onMain.SuccessCallback(),
		"261":              onMain.FailureCallback(),
		"270":              renewal.SuccessCallback(),
		"271":              renewal.FailureCallback(),
		"270-numbered-141": numbered141.SuccessCallback(),
		"271-numbered-141": numbered141.FailureCallback(),
		"999":              rich,
	}
}

// The exact text of every callback. go test ./events -update writes the files.
func TestCallbackGolden(t *testing.T) {
	t.Parallel()
	for name, c := range callbacks(t) {
		if err := c.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		got, err := c.MarshalJSON()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		golden.Compare(t, filepath.Join("testdata", "callbacks", name+".json"), append(got, '\n'))
		again, err := events.ParseCallback(got)
		if err != nil {
			t.Errorf("%s: read back: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c, again, sameEvent); diff != "" {
			t.Errorf("%s: read back (-want +got):\n%s", name, diff)
		}
	}
}

// Callbacks equal the documented samples except for the mistakes of the samples: the number of 270 and 271, and the
// quotes around the id of the renewal order, which is a Long.
func TestCallbackDocumented(t *testing.T) {
	t.Parallel()
	listed := readCatalogue(t)
	all := callbacks(t)
	for name, typ := range map[string]events.Type{
		"004": 4, "010": 10, "011": 11, "210": 210, "220": 220, "230": 230, "260": 260, "261": 261,
		"270": 270, "271": 271, "270-numbered-141": 270, "271-numbered-141": 271,
	} {
		entry := listed.entry(t, typ)
		if entry.Direction != "distributor_to_fliggy" {
			t.Errorf("%v is no callback in the catalogue", typ)
		}
		want := entry.Sample
		if typ == 270 || typ == 271 {
			number, err := json.Marshal(typ)
			if err != nil {
				t.Fatal(err)
			}
			want = edit(t, want, "eventType", string(number), "eventData.renewalOrderId", "3187983531024266527")
		}
		got, err := json.Marshal(all[name])
		if err != nil {
			t.Fatal(err)
		}
		if diff := diffJSON(want, got); diff != "" {
			t.Errorf("%s (-catalogue +got):\n%s", name, diff)
		}
	}
}

// Both numbers of a sample are read: 270 and the 260 that the guide prints.
func TestParseCallbackSamples(t *testing.T) {
	t.Parallel()
	for file, numbers := range map[string][]events.Type{"callback-270.json": {260, 270}, "callback-271.json": {261, 271}} {
		for i, number := range numbers {
			text, err := json.Marshal(number)
			if err != nil {
				t.Fatal(err)
			}
			payload := edit(t, sample(t, file), "eventType", string(text))
			want := &events.Callback{Envelope: head(number), Data: events.CallbackData{
				RenewalOrderID: "3187983531024266527", RenewalOutOrderID: "RC202212191604667539969978361",
				RefundType: sampleRefund.RefundType, Amount: sampleRefund.Amount, Reason: sampleRefund.Reason,
				PayTradeNo: sampleRefund.PayTradeNo,
			}}
			for name, shaped := range shapes(t, payload) {
				c, err := events.ParseCallback(shaped)
				if err != nil {
					t.Errorf("%s, %s: %v", file, name, err)
					continue
				}
				if diff := cmp.Diff(want, c, sameEvent); diff != "" {
					t.Errorf("%s, %s (-want +got):\n%s", file, name, diff)
				}
				if err := c.Validate(); err != nil {
					t.Errorf("%s number %d, %s: %v", file, i, name, err)
				}
			}
		}
	}
	// Without data, or with nothing for it.
	for _, data := range []string{"", "null", `""`, `"null"`, "{}", `"{}"`} {
		c, err := events.ParseCallback(edit(t, sample(t, "callback-270.json"), "eventType", "10", "eventData", data))
		if err != nil {
			t.Errorf("data %s: %v", data, err)
			continue
		}
		if diff := cmp.Diff(&events.Callback{Envelope: head(10)}, c, sameEvent); diff != "" {
			t.Errorf("data %s: %s", data, diff)
		}
	}
}

// The callback of an event carries the ids and the refund of the event, and nothing else of it.
func TestCallbackFromEvent(t *testing.T) {
	t.Parallel()
	payload := edit(t, sample(t, "event-142.json"), "traceId", `"t"`, "exts", `"{\"a\":1}"`, "new", "1",
		"eventData.new", "1", "eventData.canceller", `"1"`, "eventData.refundType", "3", "eventData.deductPayTradeNo", `"d"`,
		"eventData.payTradeNo", `" no/1\"\\ "`, "eventData.amount", "10.00")
	e := parseAs[*events.RenewalFeeRefund](t, payload)
	want := &events.Callback{Envelope: head(events.TypeRenewalFeeRefundSucceeded), Data: events.CallbackData{
		RenewalOrderID: "3187983531024266527", RenewalOutOrderID: "RC202212191604667539969978361",
		RefundType: 3, Amount: fliggy.MustYuan("10.00"), Reason: "油费退款", PayTradeNo: ` no/1"\ `,
	}}
	if diff := cmp.Diff(want, e.SuccessCallback(), sameEvent); diff != "" {
		t.Errorf("success (-want +got):\n%s", diff)
	}
	want.EventType = events.TypeRenewalFeeRefundFailed
	if diff := cmp.Diff(want, e.FailureCallback(), sameEvent); diff != "" {
		t.Errorf("failure (-want +got):\n%s", diff)
	}

	main := parseAs[*events.FeeRefund](
		t, edit(t, payload, "eventData.renewalOrderId", "", "eventData.renewalOutOrderId", ""),
	)
	want.EventType, want.Data.RenewalOrderID, want.Data.RenewalOutOrderID = events.TypeFeeRefundSucceeded, "", ""
	if diff := cmp.Diff(want, main.SuccessCallback(), sameEvent); diff != "" {
		t.Errorf("success on the main order (-want +got):\n%s", diff)
	}
	want.EventType = events.TypeFeeRefundFailed
	if diff := cmp.Diff(want, main.FailureCallback(), sameEvent); diff != "" {
		t.Errorf("failure on the main order (-want +got):\n%s", diff)
	}
}

type depositData struct {
	Amount  fliggy.Yuan `top:"amount"`
	Deposit fliggy.ID   `top:"depositId,number"`
	Kind    string      `json:"kind,omitempty"`
	Lines   []line      `json:"lines"`
}

type line struct {
	No int `json:"no"`
}

func TestNewCallback(t *testing.T) {
	t.Parallel()
	order := events.Order{ChannelID: "80002", OrderID: "1", OutOrderID: "RC1"}
	deposit := depositData{
		Amount: fliggy.MustYuan("10.00"), Deposit: "3187983531024266527", Kind: "k", Lines: []line{{1}, {2}},
	}
	full := events.CallbackData{
		Amount: fliggy.MustYuan("10.00"),
		ExtraData: map[string]json.RawMessage{
			"depositId": json.RawMessage("3187983531024266527"), "kind": json.RawMessage(`"k"`),
			"lines": json.RawMessage(`[{"no":1},{"no":2}]`),
		},
	}
	for name, c := range map[string]struct {
		data any
		want events.CallbackData
	}{
		"nil":         {nil, events.CallbackData{}},
		"nil pointer": {(*depositData)(nil), events.CallbackData{}},
		"empty raw":   {json.RawMessage(nil), events.CallbackData{}},
		"raw null":    {json.RawMessage(" null\n"), events.CallbackData{}},
		"raw object": {
			json.RawMessage(` {"amount":10.00,"depositId":3187983531024266527,"kind":"k","lines":[{"no":1},{"no":2}]} `), full,
		},
		"empty object": {json.RawMessage(`{}`), events.CallbackData{}},
		"struct":       {deposit, full},
		"pointer":      {&deposit, full},
		"data of this package": {
			events.CallbackData{PayTradeNo: "p", RenewalOrderID: "2"}, events.CallbackData{PayTradeNo: "p", RenewalOrderID: "2"},
		},
	} {
		got, err := events.NewCallback(900, order, c.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := &events.Callback{
			Envelope: events.Envelope{ChannelID: "80002", OrderID: "1", OutOrderID: "RC1", EventType: 900}, Data: c.want,
		}
		if diff := cmp.Diff(want, got, sameEvent); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if err := got.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNewCallbackRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		data any
		part string
	}{
		{map[string]any{"a": 1}, "a map has no fixed encoding: use a struct or a json.RawMessage"},
		{map[string]string(nil), "a map has no fixed encoding"},
		{&map[string]any{"a": 1}, "no wire format"},
		{struct{ M map[string]any }{}, "M: "},
		{"text", "expected a struct, a pointer to one or the json.RawMessage of an object, got string"},
		{7, "got int"},
		{[]int{1}, "got []int"},
		{[]byte(`{"a":1}`), "json.RawMessage"},
		{fliggy.MustYuan("1"), "got fliggy.Yuan"},
		{json.RawMessage(`[1]`), fmt.Sprintf("got %T", json.RawMessage(nil))},
		{json.RawMessage(`"{}"`), fmt.Sprintf("got %T", json.RawMessage(nil))},
		{json.RawMessage(`{"a":`), "not JSON"},
		{json.RawMessage(`{"a":1} {}`), "not JSON at byte 8"},
		{json.RawMessage("{\"a\":\"\xff\"}"), "not valid UTF-8"},
		{json.RawMessage(`{"amount":"much"}`), "amount: "},
		{struct {
			Amount bool `json:"amount"`
		}{true}, "amount: "},
		{func() {}, "no wire format"},
	} {
		got, err := events.NewCallback(900, events.Order{OrderID: "1"}, c.data)
		if got != nil {
			t.Errorf("%T: a callback with its error", c.data)
		}
		wantError(t, err, "events: new callback 900: data: ", c.part)
	}
}

// The data stays the caller's.
func TestNewCallbackOwnership(t *testing.T) {
	t.Parallel()
	raw := json.RawMessage(`{"kind":"k","payTradeNo":"p"}`)
	c, err := events.NewCallback(900, events.Order{OrderID: "1"}, raw)
	if err != nil {
		t.Fatal(err)
	}
	for i := range raw {
		raw[i] = 'x'
	}
	text, err := json.Marshal(c)
	if want := `{"orderId":"1","eventType":900,"eventData":{"payTradeNo":"p","kind":"k"}}`; err != nil ||
		string(text) != want {
		t.Errorf("%s, %v, want %s", text, err, want)
	}
}

func TestValidateCallbacks(t *testing.T) {
	t.Parallel()
	refund := parseAs[*events.RenewalFeeRefund](t, sample(t, "event-142.json"))
	order := events.Order{OrderID: "1"}
	change := func(c *events.Callback, f func(*events.Callback)) *events.Callback {
		f(c)
		return c
	}
	custom := func(typ events.Type, data any) *events.Callback {
		c, err := events.NewCallback(typ, order, data)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	for name, c := range map[string]struct {
		callback *events.Callback
		want     []finding
	}{
		"no channel":      {change(refund.SuccessCallback(), func(c *events.Callback) { c.ChannelID = "" }), nil},
		"own order only":  {change(refund.SuccessCallback(), func(c *events.Callback) { c.OrderID = "" }), nil},
		"main order only": {change(refund.SuccessCallback(), func(c *events.Callback) { c.OutOrderID = "" }), nil},
		"no order": {
			change(refund.SuccessCallback(), func(c *events.Callback) { c.OrderID, c.OutOrderID = "", " " }),
			[]finding{{"orderId", noOrder}},
		},
		"no type":       {custom(0, nil), []finding{{"eventType", positive}}},
		"negative type": {custom(-1, nil), []finding{{"eventType", positive}}},
		"any type":      {custom(4, nil), nil},
		"empty 270": {custom(270, nil), []finding{
			{"eventData.renewalOrderId", missing},
			{"eventData.renewalOutOrderId", missing},
			{"eventData.refundType", missing},
			{"eventData.payTradeNo", missing},
		}},
		"empty 271": {custom(271, nil), []finding{
			{"eventData.renewalOrderId", missing},
			{"eventData.renewalOutOrderId", missing},
			{"eventData.payTradeNo", missing},
		}},
		"260 without data": {custom(260, nil), nil},
		"id is no number": {
			change(refund.SuccessCallback(), func(c *events.Callback) { c.Data.RenewalOrderID = "fz2939293" }),
			[]finding{{"eventData.renewalOrderId", sentDigits}},
		},
		"id with a leading zero": {
			change(refund.FailureCallback(), func(c *events.Callback) { c.Data.RenewalOrderID = "007" }),
			[]finding{{"eventData.renewalOrderId", sentDigits}},
		},
		"id with a fraction": {
			change(refund.FailureCallback(), func(c *events.Callback) { c.Data.RenewalOrderID = "1.5" }),
			[]finding{{"eventData.renewalOrderId", sentDigits}},
		},
		"id with an exponent, other type": {
			custom(230, json.RawMessage(`{"renewalOrderId":"1e3"}`)),
			[]finding{{"eventData.renewalOrderId", sentDigits}},
		},
		"negative amount": {
			events.NewRefundPaid(order, fliggy.MustYuan("-0.01"), "1"),
			[]finding{{"eventData.amount", "must not be negative"}},
		},
		"zero amount": {events.NewRefundPaid(order, fliggy.MustYuan("0.00"), "1"), nil},
		"exts": {
			change(custom(10, nil), func(c *events.Callback) { c.Exts = "text" }),
			[]finding{{"exts", "must be the text of a JSON object"}},
		},
		"not UTF-8": {
			events.NewRefundRefused(events.Order{OutOrderID: "\xff"}, "1", "\xff"),
			[]finding{{"outOrderId", "not valid UTF-8"}, {"eventData.errorMessage", "not valid UTF-8"}},
		},
		"everything": {
			change(
				custom(270, json.RawMessage(`{"amount":"-1","renewalOrderId":"x"}`)), func(c *events.Callback) { c.OrderID = "" },
			),
			[]finding{
				{"orderId", noOrder},
				{"eventData.renewalOutOrderId", missing},
				{"eventData.refundType", missing},
				{"eventData.payTradeNo", missing},
				{"eventData.amount", "must not be negative"},
				{"eventData.renewalOrderId", sentDigits},
			},
		},
	} {
		if diff := cmp.Diff(c.want, findings(t, c.callback.Validate())); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
