package events_test

import (
	"testing"

	"github.com/fliggy-go/rentcar/events"
)

// A member that comes twice is refused by name wherever the event is looked for:
// which of two amounts would be meant?
func TestParseTwice(t *testing.T) {
	t.Parallel()
	data := `{"renewalOrderId":"1","amount":"1","amount":"200"}`
	for payload, want := range map[string]string{
		`{"eventType":142,"eventType":103,"eventData":{}}`:                      "events: eventType: comes more than once",
		`{"eventType":142,"eventData":{},"eventData":null}`:                     "events: eventData: comes more than once",
		`{"eventType":142,"orderId":"1","new":1,"new":1}`:                       "events: new: comes more than once",
		`{"eventType":142,"eventData":` + data + `}`:                            "eventData: amount: comes more than once",
		`{"eventType":142,"eventData":` + quote([]byte(data)) + `}`:             "eventData: amount: comes more than once",
		`{"eventType":142,"eventData":{"new":1,"amount":"1","new":1}}`:          "eventData: new: comes more than once",
		`{"eventData":{"eventType":142,"eventType":103}}`:                       "events: eventData: eventType: comes more than once",
		`{"request":{"eventType":142,"orderId":"1","orderId":"2"}}`:             "events: request: orderId: comes more than once",
		`{"request":` + quote([]byte(`{"eventType":1,"eventType":2}`)) + `}`:    "events: request: eventType: comes more than once",
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
