package events_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/google/go-cmp/cmp"
)

// Events that were not parsed are encoded in the documented form.
func TestMarshalByHand(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		event events.Event
		want  string
	}{
		{
			&events.RenewalAccepted{
				Envelope: mainOrder, RenewalOrderID: "3187983531024266527",
				CreatedTime: fliggy.At(time.Date(2022, 10, 22, 2, 22, 0, 0, time.UTC)),
			},
			`{"channelId":"80001","orderId":"3104050285204362836","outOrderId":"RC202212191604667539969978368","eventType"` +
				`:103,` +
				`"eventData":{"renewalOrderId":3187983531024266527,"createdTime":"2022-10-22 10:22:00"}}`,
		},
		{
			&events.RenewalRejected{
				Envelope: mainOrder, RenewalOrderID: "3187983531024266522", ErrorCode: "71008", ErrorMessage: "商家接单失败",
			},
			`{"channelId":"80001","orderId":"3104050285204362836","outOrderId":"RC202212191604667539969978368","eventType"` +
				`:104,` +
				`"eventData":{"renewalOrderId":3187983531024266522,"errorCode":"71008","errorMessage":"商家接单失败"}}`,
		},
		{
			&events.RenewalFeeRefund{
				Envelope: mainOrder, RenewalOrderID: "3187983531024266527", RenewalOutOrderID: "RC202212191604667539969978361",
				Canceller: fliggy.CancellerPlatform, FeeRefundData: sampleRefund,
			},
			`{"channelId":"80001","orderId":"3104050285204362836","outOrderId":"RC202212191604667539969978368","eventType"` +
				`:142,` +
				`"eventData":{"renewalOrderId":3187983531024266527,"renewalOutOrderId":"RC202212191604667539969978361","cancelle` +
				`r":"1",` +
				`"refundType":2,"amount":"200.98","reason":"油费退款","payTradeNo":"202212191604667539969978368"}}`,
		},
		{
			&events.FeeRefund{Envelope: mainOrder, FeeRefundData: sampleRefund},
			`{"channelId":"80001","orderId":"3104050285204362836","outOrderId":"RC202212191604667539969978368","eventType"` +
				`:141,` +
				`"eventData":{"refundType":2,"amount":"200.98","reason":"油费退款","payTradeNo":"202212191604667539969978368"}}`,
		},
		{
			&events.Unknown{Envelope: head(150), Data: json.RawMessage(`{"a":1.0}`)},
			`{"channelId":"80001","orderId":"3104050285204362836","outOrderId":"RC202212191604667539969978368","eventType":15` +
				`0,"eventData":{"a":1.0}}`,
		},
		{
			&events.Unknown{Envelope: head(events.TypeOrderCancelled)},
			`{"channelId":"80001","orderId":"3104050285204362836","outOrderId":"RC202212191604667539969978368","eventType":10}`,
		},
		{
			&events.RenewalAccepted{
				Envelope: events.Envelope{
					OrderID: "fz2939293", EventType: 103, TraceID: "t/1", Exts: `{"k":"v"}`,
					Extra: map[string]json.RawMessage{"z": json.RawMessage("1.0"), "a": json.RawMessage("null")},
				},
				RenewalOrderID: "fz2939293", PayTradeNo: "1_132_1",
				ExtraData: map[string]json.RawMessage{"n": json.RawMessage(`{"x":[1]}`)},
			},
			`{"orderId":"fz2939293","eventType":103,"traceId":"t\/1","exts":"{\"k\":\"v\"}","a":null,"z":1.0,` +
				`"eventData":{"renewalOrderId":"fz2939293","payTradeNo":"1_132_1","n":{"x":[1]}}}`,
		},
		{&events.RenewalRejected{}, `{"eventType":104,"eventData":{}}`},
	} {
		text, err := c.event.(json.Marshaler).MarshalJSON()
		if err != nil {
			t.Errorf("%T: %v", c.event, err)
			continue
		}
		if diff := cmp.Diff(c.want, string(text)); diff != "" {
			t.Errorf("%T (-want +got):\n%s", c.event, diff)
		}
		if c.event.Raw() != nil {
			t.Errorf("%T: Raw() = %s", c.event, c.event.Raw())
		}
		again := parse(t, text)
		// A number that was left out is there after the journey.
		c.event.Head().EventType = c.event.Type()
		if diff := cmp.Diff(c.event, again, sameEvent); diff != "" {
			t.Errorf("%T: parsed again (-made +parsed):\n%s", c.event, diff)
		}
	}
}

// Values are encoded like pointers.
func TestMarshalValues(t *testing.T) {
	t.Parallel()
	var refund, parsed = events.RenewalFeeRefund{Envelope: mainOrder}, parse(
		t, sample(t, "event-103.json"),
	).(*events.RenewalAccepted)
	for _, c := range []struct{ value, pointer any }{
		{*parsed, parsed},
		{refund, &refund},
		{events.RenewalRejected{}, &events.RenewalRejected{}},
		{events.FeeRefund{}, &events.FeeRefund{}},
		{events.Unknown{}, &events.Unknown{}},
		{*refund.SuccessCallback(), refund.SuccessCallback()},
	} {
		value, err := json.Marshal(struct{ V any }{c.value})
		if err != nil {
			t.Fatal(err)
		}
		pointer, err := json.Marshal(struct{ V any }{c.pointer})
		if err != nil {
			t.Fatal(err)
		}
		if string(value) != string(pointer) {
			t.Errorf("%T: value %s, pointer %s", c.value, value, pointer)
		}
	}
}

// A copy of the envelope does not hold the payload.
func TestMarshalCopiedEnvelope(t *testing.T) {
	t.Parallel()
	from := parse(t, sample(t, "event-103.json"))
	h := *from.Head()
	h.EventType = events.TypeRenewalRejected
	e := &events.RenewalRejected{Envelope: h, RenewalOrderID: "1", ErrorCode: "2"}
	text, err := json.Marshal(e)
	want := `{"channelId":"80001","orderId":"3187983531024266527","outOrderId":"761448761000000016108099","eventType"` +
		`:104,` +
		`"eventData":{"renewalOrderId":1,"errorCode":"2"}}`
	if err != nil || e.Raw() != nil || string(text) != want {
		t.Errorf("%s, %v; Raw %s", text, err, e.Raw())
	}
}

// A parsed event is encoded as its payload, even if its fields were changed.
func TestMarshalParsedAndChanged(t *testing.T) {
	t.Parallel()
	payload := sample(t, "event-142.json")
	e := parseAs[*events.RenewalFeeRefund](t, payload)
	e.Reason, e.EventType, e.Extra = "other", 7, map[string]json.RawMessage{"x": nil}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	if diff := diffJSON(payload, text); diff != "" {
		t.Error(diff)
	}
}

// Extra members that would make the result ambiguous or invalid JSON are refused by Validate and MarshalJSON alike.
func TestMarshalRefused(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		extra, data map[string]json.RawMessage
		want        []finding
	}{
		"no JSON": {
			map[string]json.RawMessage{"a": json.RawMessage("{"), "b": nil, "c": json.RawMessage("\"\xff\"")},
			map[string]json.RawMessage{"d": json.RawMessage("1 2")},
			[]finding{
				{"a", "must be valid JSON"},
				{"b", "must be valid JSON"},
				{"c", "must be valid JSON"},
				{"eventData.d", "must be valid JSON"},
			},
		},
		"names": {
			map[string]json.RawMessage{"\xff": json.RawMessage("null")},
			map[string]json.RawMessage{"a\xff": json.RawMessage("1")},
			[]finding{
				{"extra member", "must have a name in valid UTF-8"},
				{"eventData: extra member", "must have a name in valid UTF-8"},
			},
		},
		"taken names": {
			map[string]json.RawMessage{"orderId": json.RawMessage("1"), "eventData": json.RawMessage("{}")},
			map[string]json.RawMessage{"payTradeNo": json.RawMessage(`"x"`)},
			[]finding{
				{"eventData", "must be set in its field, not as an extra member"},
				{"orderId", "must be set in its field, not as an extra member"},
				{"eventData.payTradeNo", "must be set in its field, not as an extra member"},
			},
		},
	} {
		h := mainOrder
		h.Extra = c.extra
		data := sampleRefund
		data.ExtraData = c.data
		callback := (&events.FeeRefund{Envelope: h, FeeRefundData: data}).SuccessCallback()
		callback.Extra, callback.Data.ExtraData = c.extra, c.data
		accepted := &events.RenewalAccepted{
			Envelope: h, ExtraData: c.data, RenewalOrderID: "1", PayTradeNo: "1",
			CreatedTime: fliggy.MustTime("2022-10-22 10:22:00"),
		}
		for _, v := range []interface {
			json.Marshaler
			Validate() error
		}{&events.FeeRefund{Envelope: h, FeeRefundData: data}, accepted, callback} {
			if diff := cmp.Diff(c.want, findings(t, v.Validate())); diff != "" {
				t.Errorf("%s: %T: Validate (-want +got):\n%s", name, v, diff)
			}
			text, err := v.MarshalJSON()
			if diff := cmp.Diff(c.want, findings(t, err)); diff != "" || text != nil {
				t.Errorf("%s: %T: MarshalJSON gives %s (-want +got):\n%s", name, v, text, diff)
			}
		}
	}

	unknown := &events.Unknown{Envelope: head(150), Data: json.RawMessage(`{"a":`)}
	want := []finding{{"eventData", "must be valid JSON"}}
	_, err := unknown.MarshalJSON()
	for _, err := range []error{err, unknown.Validate()} {
		if diff := cmp.Diff(want, findings(t, err)); diff != "" {
			t.Error(diff)
		}
	}
}

// A value that cannot be encoded is an error that names the member.
func TestMarshalUnwritable(t *testing.T) {
	t.Parallel()
	_, err := events.RenewalRejected{ErrorMessage: "\xff"}.MarshalJSON()
	wantError(t, err, "event 104 renewal rejected", "eventData: errorMessage: not valid UTF-8")
	_, err = events.RenewalRejected{Envelope: events.Envelope{OutOrderID: "\xff"}}.MarshalJSON()
	wantError(t, err, "104 renewal rejected", "outOrderId: not valid UTF-8")
	c := events.NewRefundPaid(events.Order{OrderID: "1"}, fliggy.Yuan{}, "\xff")
	_, err = c.MarshalJSON()
	wantError(t, err, "callback 230 refund paid", "eventData: payTradeNo: not valid UTF-8")
}
