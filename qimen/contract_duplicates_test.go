package qimen

import "testing"

// A message with a duplicate member is ambiguous. It is refused in every form, before any function is called.
func TestDuplicateMembers(t *testing.T) { // alone, since it measures memory
	for method, start := range messages {
		for name, body := range map[string]string{
			"same value":    start + `,"orderId":"1","orderId":"1"}`,
			"another value": start + `,"orderId":"2"}`,
			"escaped":       start + `,"order\u0049d":"2"}`,
			"null":          start + `,"orderId":null}`,
			"another type":  start + `,"orderId":2}`,
			"unknown":       start + `,"x":1,"x":2}`,
			"deep":          start + `,"x":{"y":[{"z":1,"z":1}]}}`,
		} {
			t.Run(method+" "+name, func(t *testing.T) {
				wantHostile(
					t, hostile{push: newPush(queryFor(method), jsonType, body), reason: ReasonUndecodable, text: "more than once"},
				)
			})
		}
	}
	for name, body := range map[string]string{
		"event type":     `{"eventType":103,"eventType":104,"orderId":"1","eventData":{}}`,
		"event data":     `{"eventType":103,"orderId":"1","eventData":{},"eventData":{}}`,
		"id in the data": `{"eventType":103,"orderId":"1","eventData":{"renewalOrderId":"1","renewalOrderId":"2"}}`,
		"data as text": `{"eventType":103,"orderId":"1","eventData":"{\"renewalOrderId\":\"1\",\"renewalOrderId\":\"` +
			`2\"}"}`,
		"data of an unknown": `{"eventType":777,"orderId":"1","eventData":{"a":1,"a":2}}`,
		"in a wrapper":       `{"request":{"eventType":103,"orderId":"1","orderId":"2","eventData":{}}}`,
	} {
		t.Run(name, func(t *testing.T) {
			wantHostile(t, hostile{push: newPush(eventQuery, jsonType, body), reason: ReasonUndecodable, text: "more than once"})
		})
	}
	// A form with a field twice is no such message: the first one is what is signed.
	t.Run("form", func(t *testing.T) {
		wantHostile(
			t, hostile{push: newPush(eventQuery, formPrefix, "eventType=103&orderId=1&orderId=2"), reason: ReasonAccepted},
		)
	})
}
