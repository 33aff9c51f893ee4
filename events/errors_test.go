package events_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/events"
)

// maxErrorText is more than four wrappers and a member with the longest names that
// an error shows take.
const maxErrorText = 2500

// An error names the member that has no clear meaning.
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
