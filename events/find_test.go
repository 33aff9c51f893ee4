package events_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// shapes lists the forms in which one envelope may arrive: A to D of the catalogue, each as it is and as a form field,
// and the envelope spread over the fields of a form.
func shapes(t testing.TB, envelope []byte) map[string][]byte {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(envelope, &m); err != nil {
		t.Fatal(err)
	}
	direct := map[string][]byte{"A": envelope}
	if data := m["eventData"]; data != nil {
		direct["B"] = edit(t, envelope, "eventData", quote(data))
	}
	for name, body := range maps.Clone(direct) {
		direct["C of "+name] = fmt.Appendf(nil, `{"eventData":%s}`, quote(body))
		direct["C of "+name+", snake case"] = fmt.Appendf(nil, `{"event_data": %s, "exts": "{}"}`, quote(body))
		direct["C of "+name+", object"] = fmt.Appendf(nil, `{"eventData":%s}`, body)
	}
	for name, body := range maps.Clone(direct) {
		direct["D of "+name] = fmt.Appendf(nil, `{"request" : %s}`, body)
		direct["D of "+name+", text"] = fmt.Appendf(
			nil, `{"btb_order_notify_req":%s,"n":1,"list":[{"eventType":1}],"none":null}`, quote(body),
		)
	}
	all := maps.Clone(direct)
	for name, body := range direct {
		all["form field with "+name] = fmt.Appendf(nil, `{"field":%s}`, quote(body))
		all["fields of a form with "+name] = fmt.Appendf(
			nil, `{"remark":"{not JSON","event":%s,"empty":"","n":"5","o":"{}"}`, quote(body),
		)
	}
	spread := map[string]string{}
	for name, value := range m {
		var text string
		if json.Unmarshal(value, &text) != nil {
			text = string(value)
		}
		spread[name] = text
	}
	all["spread over a form"], _ = json.Marshal(spread) // a map of strings always encodes
	return all
}

// Every documented payload gives the same event in every shape, and nothing of it is lost.
func TestShapes(t *testing.T) {
	t.Parallel()
	for origin, envelope := range documented(t) {
		t.Run(origin, func(t *testing.T) {
			t.Parallel()
			want := parse(t, envelope)
			all := shapes(t, envelope)
			for _, name := range slices.Sorted(maps.Keys(all)) {
				payload := all[name]
				e, err := events.Parse(payload)
				if err != nil {
					t.Errorf("%s: %v\n%s", name, err, payload)
					continue
				}
				if diff := cmp.Diff(want, e, sameEvent); diff != "" {
					t.Errorf("%s: %s\n(-A +got):\n%s", name, payload, diff)
				}
				checkLossless(t, payload, e)
			}
		})
	}
}

// checkLossless reports whether an event writes what was read, and reads it back.
func checkLossless(t testing.TB, payload []byte, e events.Event) {
	t.Helper()
	if !bytes.Equal(e.Raw(), payload) {
		t.Errorf("Raw() = %s, want %s", e.Raw(), payload)
	}
	text, err := json.Marshal(e)
	if err != nil {
		t.Fatalf("json.Marshal of %s: %v", payload, err)
	}
	if diff := diffJSON(payload, text); diff != "" {
		t.Errorf("json.Marshal changes %s:\n%s", payload, diff)
	}
	own, err := e.(json.Marshaler).MarshalJSON()
	if err != nil {
		t.Fatalf("MarshalJSON of %s: %v", payload, err)
	}
	if diff := diffJSON(payload, own); diff != "" {
		t.Errorf("MarshalJSON changes %s:\n%s", payload, diff)
	}
	if diff := cmp.Diff(e, parse(t, own), sameEvent); diff != "" {
		t.Errorf("%s: parsed again (-first +second):\n%s", payload, diff)
	}
}

// The wrapper of shape C may carry a trace id of its own.
func TestShapesTraceID(t *testing.T) {
	t.Parallel()
	envelope := sample(t, "event-104.json")
	traced := edit(t, envelope, "traceId", `"inner"`)
	for payload, want := range map[string]string{
		`{"traceId":"t1","eventData":` + quote(envelope) + `}`:              "t1",
		`{"trace_id":"t2","event_data":` + quote(envelope) + `}`:            "t2",
		`{"trace_id":3,"event_data":` + quote(envelope) + `}`:               "3",
		`{"trace_id":null,"event_data":` + quote(envelope) + `}`:            "",
		`{"trace_id":"t4","event_data":` + quote(traced) + `}`:              "inner",
		`{"r":{"trace_id":"t5","event_data":` + string(envelope) + `}}`:     "t5",
		`{"traceId":"not of the event","request":` + string(envelope) + `}`: "",
	} {
		e := parse(t, []byte(payload))
		if got := e.Head().TraceID; got != want {
			t.Errorf("%s: trace id %q, want %q", payload, got, want)
		}
		checkLossless(t, []byte(payload), e)
	}
}

// Data and wrappers with an eventType are distinguished from envelopes: the JSON of a bean with getEventType has one.
func TestShapesTypeInData(t *testing.T) {
	t.Parallel()
	const renewal = `"renewalOrderId":"3187983531024266527","createdTime":"2022-10-22 10:22:00"`
	const ids = `"channelId":"80001","orderId":"1","outOrderId":"RC1",`
	envelope := `{` + ids + `"eventType":103,"eventData":{` + renewal + `}}`
	bare := `{"eventType":103,"eventData":{` + renewal + `}}`
	for name, c := range map[string]struct {
		payload string
		order   string
	}{
		"number in the data": {`{` + ids + `"eventType":103,"eventData":{"eventType":103,` + renewal + `}}`, "1"},
		"number in data as text": {
			`{` + ids + `"eventType":103,"eventData":` + quote([]byte(`{"eventType":103,`+renewal+`}`)) + `}`, "1",
		},
		"number in the data, no ids": {`{"eventType":103,"eventData":{"eventType":103,` + renewal + `}}`, ""},
		"null in the data":           {`{` + ids + `"eventType":103,"eventData":{"eventType":null,` + renewal + `}}`, "1"},
		"ids in the data": {
			`{` + ids + `"eventType":103,"eventData":{"eventType":103,"orderId":"2",` + renewal + `}}`, "1",
		},
		"number beside a whole":         {`{"eventType":103,"eventData":` + quote([]byte(envelope)) + `}`, "1"},
		"number and ids beside a whole": {`{"orderId":"9","eventType":103,"eventData":` + quote([]byte(envelope)) + `}`, "1"},
		"whole without ids":             {`{"eventType":103,"eventData":` + bare + `}`, ""},
		"no number outside":             {`{"eventType":null,"orderId":"9","eventData":` + envelope + `}`, "1"},
		"empty number outside":          {`{"eventType":"","eventData":` + envelope + `}`, "1"},
	} {
		e := parseAs[*events.RenewalAccepted](t, []byte(c.payload))
		if e.RenewalOrderID != "3187983531024266527" || string(e.OrderID) != c.order || e.EventType != 103 {
			t.Errorf("%s: %+v", name, e)
		}
		checkLossless(t, []byte(c.payload), e)
	}
	// An envelope without data beside a number.
	e := parse(t, []byte(`{"eventType":10,"eventData":{"orderId":"1","eventType":10}}`))
	if e.Head().OrderID != "1" || e.(*events.Unknown).Data != nil {
		t.Errorf("%+v", e)
	}
}

func TestShapesSeveral(t *testing.T) {
	t.Parallel()
	e := string(sample(t, "event-103.json"))
	for _, payload := range []string{
		`{"a":` + e + `,"b":` + e + `}`,
		`{"a":` + e + `,"b":` + quote([]byte(e)) + `}`,
		`{"w":{"a":` + e + `,"b":` + e + `}}`,
		`{"w":{"a":` + e + `,"b":` + e + `},"c":` + e + `}`,
		`{"c":` + e + `,"w":{"a":` + e + `,"b":` + e + `}}`,
	} {
		_, err := events.Parse([]byte(payload))
		wantError(t, err, "events: ", "several members hold an event")
	}
}

const refundData = `"renewalOrderId":"3187","renewalOutOrderId":"R1","refundType":1,"amount":"10.00","reason":"r","p` +
	`ayTradeNo":"1_142_1"`

// An event that quotes a refund request is no refund request.
func TestQuotedEventStaysInside(t *testing.T) {
	t.Parallel()
	const order = `{"eventType":142,"channelId":"80001","orderId":"2","outOrderId":"o","eventData":{` + refundData + `}}`
	for payload, want := range map[string]events.Type{
		`{"eventType":104,"channelId":"80001","orderId":"1","eventData":` + order + `}`: events.TypeRenewalRejected,
		`{"eventType":999,"channelId":"80001","orderId":"1","eventData":` + order + `}`: 999,
		`{"eventType":999,"eventData":` + order + `}`:                                   999,
	} {
		e, err := events.Parse([]byte(payload))
		if err != nil || e.Type() != want {
			t.Errorf("%s: %v, %v", payload, e, err)
		}
	}
}

// Data that is unambiguous is read, amount included.
func TestRefundDataInOddPlaces(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		`{"eventType":142,"eventData":{"eventType":142,"channelId":"80001","orderId":"1","outOrderId":"o",` + refundData +
			`}}`,
		`{"eventType":142,"traceId":"t","eventData":{"eventType":142,"orderId":"1",` + refundData + `}}`,
		`{"eventType":142,"channelId":"80001","orderId":"1","outOrderId":"o","event_data":{` + refundData + `}}`,
		`{"eventType":142,"event_data":{"eventType":142,"orderId":"1","eventData":{` + refundData + `}}}`,
	} {
		e, err := events.Parse([]byte(payload))
		refund, ok := e.(*events.RenewalFeeRefund)
		if err != nil || !ok || !refund.Amount.Equal(fliggy.MustYuan("10.00")) || refund.PayTradeNo != "1_142_1" {
			t.Errorf("%s: %+v, %v", payload, e, err)
		}
	}
}

// A Java bean whose renewal id was never set says 0.
func TestRefundOnMainOrderWithZeroRenewal(t *testing.T) {
	t.Parallel()
	e, err := events.Parse([]byte(`{"eventType":141,"channelId":"80001","orderId":"1","outOrderId":"o",` +
		`"eventData":{"renewalOrderId":0,"refundType":1,"amount":"10.00","reason":"r","payTradeNo":"p"}}`))
	if _, ok := e.(*events.FeeRefund); err != nil || !ok {
		t.Errorf("%T, %v", e, err)
	}
}
