package events_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

var (
	mainOrder = events.Envelope{
		ChannelID: fliggy.ChannelAmap, OrderID: "3104050285204362836",
		OutOrderID: "RC202212191604667539969978368",
	}
	sampleRefund = events.FeeRefundData{
		RefundType: fliggy.RefundFuelFee, Amount: fliggy.MustYuan("200.98"), Reason: "油费退款",
		PayTradeNo: "202212191604667539969978368",
	}
)

func head(t events.Type) events.Envelope {
	h := mainOrder
	h.EventType = t
	return h
}

// The guide's samples, field by field.
func TestParseSamples(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]events.Event{
		"event-103.json": &events.RenewalAccepted{
			Envelope: events.Envelope{
				ChannelID: "80001", OrderID: "3187983531024266527",
				OutOrderID: "761448761000000016108099", EventType: events.TypeRenewalAccepted,
			},
			RenewalOrderID: "3187983531024266527", CreatedTime: fliggy.MustTime("2022-10-22 10:22:00"),
		},
		"event-104.json": &events.RenewalRejected{
			Envelope: head(events.TypeRenewalRejected), RenewalOrderID: "3187983531024266522",
			ErrorCode: "71008", ErrorMessage: "商家接单失败",
		},
		// numbered 141, and kept so
		"event-142.json": &events.RenewalFeeRefund{
			Envelope: head(events.TypeFeeRefund), RenewalOrderID: "3187983531024266527",
			RenewalOutOrderID: "RC202212191604667539969978361", FeeRefundData: sampleRefund,
		},
	} {
		e := parse(t, sample(t, name))
		if diff := cmp.Diff(want, e, sameEvent); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if e.Type() != e.Head().EventType {
			t.Errorf("%s: Type() %v, envelope %v", name, e.Type(), e.Head().EventType)
		}
	}
}

// Different forms of a member with the same meaning.
func TestParseForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sample string
		forms  [][]string
	}{
		{"event-103.json", [][]string{
			{"eventData.renewalOrderId", `3187983531024266527`},
			{"orderId", `3187983531024266527`},
			{"outOrderId", `761448761000000016108099`},
			{"channelId", `80001`},
			{"eventType", `"103"`},
			{"eventType", `" 103 "`},
			{"eventType", `103.0`},
			{"eventData.createdTime", `1666405320000`},
			{"eventData.createdTime", `"1666405320000"`},
			{"eventData.createdTime", `"2022-10-22T10:22:00"`},
			{"eventData.createdTime", `"2022-10-22 10:22"`},
			{"eventData.createdTime", `"2022-10-22T02:22:00Z"`},
			{"eventData.payTradeNo", `null`},
			{"eventData.payTradeNo", `""`},
			{"traceId", `null`, "exts", `null`},
			{"exts", `"{}"`},
			{"exts", `{}`},
			{"exts", `"null"`},
		}},
		{"event-104.json", [][]string{
			{"eventData.renewalOrderId", `"3187983531024266522"`},
			{"orderId", `3104050285204362836`},
			{"eventData.errorCode", `71008`},
			{"eventData.errorMessage", `"\u5546\u5bb6\u63a5\u5355\u5931\u8d25"`},
		}},
		{"event-142.json", [][]string{
			{"eventData.renewalOrderId", `3187983531024266527`},
			{"eventData.refundType", `"2"`},
			{"eventData.refundType", `2.0`},
			{"eventData.amount", `200.98`},
			{"eventData.amount", `" 200.98"`},
			{"eventData.payTradeNo", `202212191604667539969978368`},
			{"eventData.canceller", `null`},
			{"eventData.canceller", `""`},
		}},
	} {
		original := sample(t, c.sample)
		want := parse(t, original)
		for _, changes := range c.forms {
			payload := edit(t, original, changes...)
			e := parse(t, payload)
			if diff := cmp.Diff(want, e, sameEvent); diff != "" {
				t.Errorf("%s %q (-sample +got):\n%s", c.sample, changes, diff)
			}
			checkLossless(t, payload, e)
		}
	}
}

// Ids and amounts keep every digit, whatever their length and form.
func TestParseExact(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("9876543210", 4)
	e := parseAs[*events.RenewalFeeRefund](t, edit(t, sample(t, "event-142.json"),
		"orderId", long, "outOrderId", long, "eventData.renewalOrderId", `"`+long+`"`,
		"eventData.amount", "0.10", "eventData.payTradeNo", long))
	if string(e.OrderID) != long || e.OutOrderID != long || string(e.RenewalOrderID) != long || e.PayTradeNo != long {
		t.Errorf("got %+v", e)
	}
	if e.Amount.String() != "0.10" {
		t.Errorf("amount %v", e.Amount)
	}
}

// Unknown members of the envelope and of the data, values of enumerations, and types are kept.
func TestParseUnknown(t *testing.T) {
	t.Parallel()
	extra := map[string]json.RawMessage{
		"new": json.RawMessage(`{"big":1.000000000000000000001}`), "none": json.RawMessage("null"),
	}
	add := []string{
		"new", string(extra["new"]), "none", "null", "eventData.new", string(extra["new"]), "eventData.none", "null",
	}
	for _, name := range []string{"event-103.json", "event-104.json", "event-142.json"} {
		payload := edit(t, sample(t, name), add...)
		e := parse(t, payload)
		var data map[string]json.RawMessage
		switch e := e.(type) {
		case *events.RenewalAccepted:
			data = e.ExtraData
		case *events.RenewalRejected:
			data = e.ExtraData
		case *events.RenewalFeeRefund:
			data = e.ExtraData
		}
		if diff := cmp.Diff(extra, e.Head().Extra, sameEvent); diff != "" {
			t.Errorf("%s: Extra (-want +got):\n%s", name, diff)
		}
		if diff := cmp.Diff(extra, data, sameEvent); diff != "" {
			t.Errorf("%s: ExtraData (-want +got):\n%s", name, diff)
		}
		checkLossless(t, payload, e)
	}

	payload := edit(
		t, sample(t, "event-142.json"), "channelId", `"90009"`, "eventData.refundType", "77", "eventData.canceller", `"9"`,
	)
	refund := parseAs[*events.RenewalFeeRefund](t, payload)
	if refund.ChannelID != "90009" || refund.RefundType != 77 || refund.Canceller != "9" {
		t.Errorf("unknown values: %+v", refund)
	}

	payload = edit(t, payload, "eventType", "150")
	unknown := parseAs[*events.Unknown](t, payload)
	if diff := cmp.Diff(
		tree(payload).(map[string]any)["eventData"], tree(unknown.Data),
	); diff != "" || unknown.EventType != 150 {
		t.Errorf("unknown type %v: %s", unknown.EventType, diff)
	}
	checkLossless(t, payload, unknown)
}

// The data of an unknown event is an object if it arrived as one or as the JSON text of one. Other text stays text. No
// data is nil.
func TestParseUnknownData(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		`{"a":1.0}`:           `{"a":1.0}`,
		`"{\"a\":1.0}"`:       `{"a":1.0}`,
		`" {\"a\":1.0}\n"`:    `{"a":1.0}`,
		`"{\"a\":"`:           `"{\"a\":"`,
		`"some text"`:         `"some text"`,
		`[1,{"eventType":1}]`: `[1,{"eventType":1}]`,
		`7`:                   `7`,
		`null`:                ``,
		`""`:                  ``,
		`"null"`:              ``,
		``:                    ``,
	} {
		payload := edit(t, sample(t, "event-103.json"), "eventType", "150", "eventData", data)
		e := parseAs[*events.Unknown](t, payload)
		if string(e.Data) != want || want == "" && e.Data != nil {
			t.Errorf("eventData %s gives %s, want %s", data, e.Data, want)
		}
		checkLossless(t, payload, e)
	}
}

// Known events without data decode; Validate says what is missing.
func TestParseNoData(t *testing.T) {
	t.Parallel()
	for _, typ := range []string{"103", "104", "141", "142"} {
		for _, data := range []string{"", "null", `""`, `"null"`, `" "`, "{}", `"{}"`} {
			payload := edit(t, sample(t, "event-103.json"), "eventType", typ, "eventData", data)
			e := parse(t, payload)
			if _, unknown := e.(*events.Unknown); unknown || e.Validate() == nil {
				t.Errorf("%s: %T, findings %v", payload, e, e.Validate())
			}
			checkLossless(t, payload, e)
		}
	}
}

// Parse and Raw share no memory with the caller.
func TestParseOwnership(t *testing.T) {
	t.Parallel()
	payload := edit(t, sample(t, "event-142.json"), "new", `{"a":"b"}`, "eventData.new", `{"a":"b"}`, "exts", `{"a":"b"}`)
	for _, typ := range []string{"141", "150"} {
		payload := edit(t, payload, "eventType", typ)
		own := append([]byte(nil), payload...)
		e, want := parse(t, own), parse(t, payload)
		for i := range own {
			own[i] = 'x'
		}
		raw := e.Raw()
		for i := range raw {
			raw[i] = 'x'
		}
		if diff := cmp.Diff(want, e, sameEvent); diff != "" {
			t.Errorf("the event changed with the bytes:\n%s", diff)
		}
		checkLossless(t, payload, e)
	}
}

// The platform sends unescaped line feeds and tabs inside strings. They are read and kept in every shape of a payload,
// and encoded as valid JSON.
func TestParseControlCharacters(t *testing.T) {
	t.Parallel()
	const plain = "{\"eventType\":104,\"channelId\":\"80001\",\"orderId\":\"1\",\"exts\":{\"a\":\"\n\"},\"x\":\"\t\"," +
		"\"eventData\":{\"renewalOrderId\":2,\"errorCode\":\"71008\",\"errorMessage\":\"a\n\r\t\x00b\",\"y\":{\"z\":\"\n\"}}}"
	want := &events.RenewalRejected{
		Envelope: events.Envelope{
			ChannelID: "80001", OrderID: "1", EventType: 104, Exts: `{"a":"\n"}`,
			Extra: map[string]json.RawMessage{"x": json.RawMessage(`"\t"`)},
		},
		RenewalOrderID: "2", ErrorCode: "71008", ErrorMessage: "a\n\r\t\x00b",
		ExtraData: map[string]json.RawMessage{"y": json.RawMessage(`{"z":"\n"}`)},
	}
	for name, payload := range shapes(
		t, []byte(strings.NewReplacer("\n", `\n`, "\r", `\r`, "\t", `\t`, "\x00", `\u0000`).Replace(plain)),
	) {
		raw := regexp.MustCompile(`\\+(n|r|t|u0000)`).ReplaceAllStringFunc(string(payload), func(escape string) string {
			return map[byte]string{'n': "\n", 'r': "\r", 't': "\t", '0': "\x00"}[escape[len(escape)-1]]
		})
		e := parse(t, []byte(raw))
		if diff := cmp.Diff(events.Event(want), e, sameEvent); diff != "" {
			t.Errorf("%v: %s (-want +got):\n%s", name, raw, diff)
		}
		text, err := json.Marshal(e)
		if err != nil {
			t.Errorf("%v: written again: %v", name, err)
		}
		if diff := cmp.Diff(e, parse(t, text), sameEvent); diff != "" {
			t.Errorf("%v: read again (-want +got):\n%s", name, diff)
		}
	}
	unknown := parse(t, []byte("{\"eventType\":999,\"eventData\":\"{\\\"a\\\":\\\"\\n\\\"}\"}")).(*events.Unknown)
	if string(unknown.Data) != `{"a":"\n"}` {
		t.Errorf("data %s", unknown.Data)
	}
}

// A byte order mark before the payload or before the text of its data is skipped.
func TestParseByteOrderMark(t *testing.T) {
	t.Parallel()
	const bom = "\uFEFF"
	for _, payload := range []string{
		bom + `{"eventType":104,"orderId":"1","eventData":{"renewalOrderId":7}}`,
		`{"eventType":104,"orderId":"1","eventData":"` + bom + `{\"renewalOrderId\":7}"}`,
		bom + `{"message":"` + bom + `{\"eventType\":104,\"orderId\":1,\"eventData\":{\"renewalOrderId\":7}}"}`,
	} {
		e, err := events.Parse([]byte(payload))
		rejected, ok := e.(*events.RenewalRejected)
		if err != nil || !ok || rejected.RenewalOrderID != "7" || rejected.OrderID != "1" {
			t.Errorf("%s: %+v, %v", payload, e, err)
			continue
		}
		if b, err := json.Marshal(e); err != nil || !bytes.HasPrefix(b, []byte("{")) || bytes.HasPrefix(
			e.Raw(), []byte(bom),
		) {
			t.Errorf("%s: %s, %v", payload, b, err)
		}
		if c, err := events.ParseCallback([]byte(payload)); err != nil || c.Data.RenewalOrderID != "7" {
			t.Errorf("%s: %+v, %v", payload, c, err)
		}
	}
	if _, err := events.Parse([]byte(bom + bom + `{"eventType":104}`)); err == nil {
		t.Error("two marks are read")
	}
}

// maxErrorText is more than four wrappers and a member with the longest names that an error shows take.
const maxErrorText = 2500

// An error names the member that is ambiguous.
func TestParseErrors(t *testing.T) {
	t.Parallel()
	e103, e142 := sample(t, "event-103.json"), sample(t, "event-142.json")
	badTime := edit(t, e103, "eventData.createdTime", `"soon"`)
	for _, c := range []struct {
		payload string
		parts   []string
	}{
		{``, []string{"not JSON"}},
		{`null`, []string{"expected an object"}},
		{`[]`, []string{"expected an object"}},
		{`"text"`, []string{"expected an object"}},
		{`{"eventType":103`, []string{"cut off at byte 16"}},
		{`{"eventType":103} x`, []string{"not JSON at byte 18"}},
		{"{\"eventType\":103,\"a\":\"\xff\"}", []string{"not valid UTF-8"}},
		{`{}`, []string{"eventType: missing"}},
		{`{"eventType":null,"eventData":{"reason":"x"}}`, []string{"eventType: missing"}},
		{`{"eventType":""}`, []string{"eventType: missing"}},
		{`{"eventType":0}`, []string{"eventType: must not be 0"}},
		{`{"eventType":"0"}`, []string{"eventType: must not be 0"}},
		{`{"eventType":"RENEWAL"}`, []string{"eventType: expected a whole number"}},
		{`{"eventType":1.5}`, []string{"eventType: expected a whole number"}},
		{`{"eventType":true}`, []string{"eventType: expected a whole number"}},
		{`{"eventType":{"code":103}}`, []string{"eventType: expected a single value"}},
		{`{"eventType":99999999999999999999}`, []string{"eventType: too large"}},
		{`{"request":{"body":{}},"n":1,"o":"{}"}`, []string{"eventType: missing"}},
		{`{"request":"{\"eventType\":103"}`, []string{"request: not JSON: cut off at byte 16"}},
		{`{"request":{"eventType":"x"}}`, []string{"request: eventType: expected a whole number"}},
		{`{"trace_id":"1","event_data":"{\"eventType\":\"x\"}"}`, []string{"event_data: eventType: expected a whole number"}},
		{`{"r":{"eventData":{"eventType":103,"orderId":true}}}`, []string{"r: eventData: orderId: "}},
		{string(edit(t, e103, "orderId", "1.5")), []string{"orderId: "}},
		{string(edit(t, e103, "channelId", "[]")), []string{"channelId: "}},
		{string(edit(t, e103, "eventData", `"text"`)), []string{"event 103 renewal accepted: eventData: expected an object"}},
		{string(edit(t, e103, "eventData", `7`)), []string{"event 103", "eventData: expected an object"}},
		{string(edit(t, e103, "eventData", `[{}]`)), []string{"event 103", "eventData: expected an object"}},
		{string(edit(t, e103, "eventData", `"{\"a\""`)), []string{"event 103", "eventData: not JSON"}},
		{string(edit(t, e142, "eventData", `"{\"a\""`)), []string{"event 141", "eventData: not JSON"}},
		{string(badTime), []string{"event 103", "eventData: createdTime: "}},
		{`{"f":` + quote(badTime) + `}`, []string{"event 103", "eventData: createdTime: "}},
		{string(edit(t, e103, "eventData.createdTime", `{}`)), []string{"eventData: createdTime: "}},
		{string(edit(t, e103, "eventData.renewalOrderId", `3.1e18`)), []string{"eventData: renewalOrderId: "}},
		{string(edit(t, e142, "eventData.amount", `"many"`)), []string{"event 141", "eventData: amount: "}},
		{string(edit(t, e142, "eventData.amount", `1e999999999`)), []string{"eventData: amount: "}},
		{string(edit(t, e142, "eventData.amount", `{"yuan":1}`)), []string{"eventData: amount: "}},
		{string(edit(t, e142, "eventData.refundType", `"fuel"`)), []string{"eventData: refundType: "}},
		{string(edit(t, e142, "eventData.refundType", `1.5`)), []string{"eventData: refundType: "}},
	} {
		e, err := events.Parse([]byte(c.payload))
		if e != nil {
			t.Errorf("%s: gives %T with its error", c.payload, e)
		}
		wantError(t, err, append(c.parts, "events: ")...)
	}
}

func TestParseCallbackErrors(t *testing.T) {
	t.Parallel()
	c270 := sample(t, "callback-270.json")
	for payload, part := range map[string]string{
		``:                                       "events: callback: not JSON",
		`{}`:                                     "events: callback: eventType: missing",
		string(edit(t, c270, "orderId", "true")): "events: callback: orderId: ",
		string(edit(t, c270, "eventData", "[]")): "events: callback 260 fee refund succeeded: eventData: expected an object",
		string(edit(t, c270, "eventData", `"x"`)):           "eventData: expected an object",
		string(edit(t, c270, "eventData.amount", `"x"`)):    "eventData: amount: ",
		string(edit(t, c270, "eventData", `"{\"amount\""`)): "eventData: not JSON",
	} {
		c, err := events.ParseCallback([]byte(payload))
		if c != nil {
			t.Errorf("%s: gives a callback with its error", payload)
		}
		wantError(t, err, part)
	}
}

// An error stays readable whatever the names of the members are.
func TestParseErrorNames(t *testing.T) {
	t.Parallel()
	for _, unit := range []string{"n", "名", "\U0001F697", "\u2028", `\n`} {
		name := strings.Repeat(unit, 100_000)
		wrapped := `{"eventType":"x"}`
		for range 4 {
			wrapped = `{"` + name + `":` + wrapped + `}`
		}
		for _, payload := range []string{
			`{"` + name + `":tru}`,
			wrapped,
			`{"eventType":103,"eventData":{"` + name + `":tru}}`,
			`{"eventType":103,"eventData":` + quote([]byte(`{"`+name+`":tru}`)) + `}`,
		} {
			_, err := events.Parse([]byte(payload))
			wantError(t, err, "events: ")
			_, callbackErr := events.ParseCallback([]byte(payload))
			wantError(t, callbackErr, "events: callback")
			for _, text := range []string{err.Error(), callbackErr.Error()} {
				if len(text) > maxErrorText || !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
					t.Errorf("error of %d bytes: %.400q", len(text), text)
				}
			}
		}
	}
}

// A duplicate member is refused by name, wherever the event is: which of two amounts would be meant?
func TestParseTwice(t *testing.T) {
	t.Parallel()
	data := `{"renewalOrderId":"1","amount":"1","amount":"200"}`
	for payload, want := range map[string]string{
		`{"eventType":142,"eventType":103,"eventData":{}}`:             "events: eventType: comes more than once",
		`{"eventType":142,"eventData":{},"eventData":null}`:            "events: eventData: comes more than once",
		`{"eventType":142,"orderId":"1","new":1,"new":1}`:              "events: new: comes more than once",
		`{"eventType":142,"eventData":` + data + `}`:                   "eventData: amount: comes more than once",
		`{"eventType":142,"eventData":` + quote([]byte(data)) + `}`:    "eventData: amount: comes more than once",
		`{"eventType":142,"eventData":{"new":1,"amount":"1","new":1}}`: "eventData: new: comes more than once",
		`{"eventData":{"eventType":142,"eventType":` +
			`103}}`: "events: eventData: eventType: comes more than once",
		`{"request":{"eventType":142,"orderId":"1","orderId":` +
			`"2"}}`: "events: request: orderId: comes more than once",
		`{"request":` + quote(
			[]byte(`{"eventType":1,"eventType":2}`),
		) + `}`: "events: request: eventType: comes more than once",
		`{"trace_id":"1","trace_id":"2","eventData":{"eventType":142}}`:         "events: trace_id: comes more than once",
		`{"eventType":142,"eventData":{"eventType":142,"eventType":103}}`:       "eventData: eventType: comes more than once",
		`{"eventType":142,"eventData":{"a":1},"event\u0044ata":{"amount":"2"}}`: "events: eventData: comes more than once",
	} {
		_, err := events.Parse([]byte(payload))
		wantError(t, err, want)
		if _, err := events.ParseCallback([]byte(payload)); err == nil {
			t.Errorf("%s: a callback", payload)
		}
	}
}

// An envelope without unknown members has no Extra, whatever the members of its data are called.
func TestDataAreNoFurtherMember(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`"eventData":{}`, `"event_data":{}`, `"eventData":null,"event_data":{}`} {
		e, err := events.Parse([]byte(`{"eventType":103,"orderId":"1",` + data + `}`))
		if err != nil || e.Head().Extra != nil {
			t.Errorf("%s: %v, %v", data, e, err)
		}
	}
}
