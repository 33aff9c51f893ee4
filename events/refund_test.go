package events_test

import (
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
)

// A rule about an open enumeration applies to its known values only.
func TestValidateUnknownRefundType(t *testing.T) {
	t.Parallel()
	const deduction = "eventData.deductPayTradeNo"
	for refundType, rule := range map[string][2]bool{ // whether it is a finding without and with the number
		"1": {false, true}, "2": {false, true}, "3": {true, false}, "4": {true, false}, "5": {false, true},
		"-1": {false, true},
		"6":  {false, false}, "99": {false, false}, "-2": {false, false},
	} {
		for i, no := range []string{"", `"20221"`} {
			for _, number := range []string{"141", "142"} {
				payload := edit(
					t, sample(t, "event-142.json"), "eventType", number, "eventData.refundType", refundType, deduction, no,
				)
				err := parse(t, payload).Validate()
				if got := err != nil && strings.Contains(err.Error(), deduction); got != rule[i] {
					t.Errorf("event %s, refund type %s, number %q: %v", number, refundType, no, err)
				}
			}
		}
	}
}

// A 141 is about a renewal if and only if it names the renewal.
func TestParseWhichRefund(t *testing.T) {
	t.Parallel()
	refund := sample(t, "event-142.json")
	for _, c := range []struct {
		typ, id, out string
		renewal      bool
	}{
		{"141", `"1"`, `"RC"`, true},
		{"141", `1`, ``, true},
		{"141", ``, `"RC"`, true},
		{"141", ``, ``, false},
		{"141", `null`, `null`, false},
		{"141", `""`, `"null"`, false},
		{"142", `"1"`, `"RC"`, true},
		{"142", ``, ``, true},
		{"142", `null`, `null`, true},
	} {
		payload := edit(t, refund, "eventType", c.typ, "eventData.renewalOrderId", c.id, "eventData.renewalOutOrderId", c.out)
		for name, shaped := range shapes(t, payload) {
			e := parse(t, shaped)
			if _, renewal := e.(*events.RenewalFeeRefund); renewal != c.renewal {
				t.Errorf("%s: %s gives a %T", name, shaped, e)
			}
			if want := c.typ; e.Type().String()[:3] != want {
				t.Errorf("%s: %s has type %v", name, shaped, e.Type())
			}
		}
	}
}
