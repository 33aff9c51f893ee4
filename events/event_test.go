package events_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/events"
)

// The documented payloads are valid, contradictions included: the guide's sample of 142 has the number 141, and that of
// 103 has the renewal in orderId.
func TestValidateDocumented(t *testing.T) {
	t.Parallel()
	for name, payload := range documented(t) {
		if found := findings(t, parse(t, payload).Validate()); found != nil {
			t.Errorf("%s: %v", name, found)
		}
	}
}

const (
	missing    = "is missing"
	noOrder    = "one of orderId and outOrderId is required"
	digits     = "must be digits without a leading zero: the documented type is a number"
	sentDigits = "must be digits without a leading zero: the platform takes a number here"
	deduction  = "is required for refundType 3 and 4, and must be empty for others"
	positive   = "must be positive"
)

// Changes of a documented payload, each with all problems that it causes.
func TestValidateEvents(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		sample  string
		changes []string
		want    []finding
	}{
		{"event-103.json", []string{"channelId", ""}, []finding{{"channelId", missing}}},
		{"event-103.json", []string{"channelId", `" "`}, []finding{{"channelId", missing}}},
		{"event-103.json", []string{"channelId", `"90009"`}, nil},
		{"event-103.json", []string{"orderId", ""}, nil},
		{"event-103.json", []string{"outOrderId", "null"}, nil},
		{"event-103.json", []string{"orderId", "", "outOrderId", `" "`}, []finding{{"orderId", noOrder}}},
		{"event-103.json", []string{"eventData.renewalOrderId", ""}, []finding{{"eventData.renewalOrderId", missing}}},
		{
			"event-103.json", []string{"eventData.renewalOrderId", `"fz2939293"`},
			[]finding{{"eventData.renewalOrderId", digits}},
		},
		{"event-103.json", []string{"eventData.renewalOrderId", `"007"`}, []finding{{"eventData.renewalOrderId", digits}}},
		{"event-103.json", []string{"eventData.renewalOrderId", `-5`}, []finding{{"eventData.renewalOrderId", digits}}},
		{"event-103.json", []string{"eventData.createdTime", "null"}, []finding{{"eventData.createdTime", missing}}},
		{"event-103.json", []string{"eventData.payTradeNo", `"3187983531024266527_132_1"`}, nil},
		{
			"event-103.json",
			[]string{"channelId", "", "orderId", "", "outOrderId", "", "eventData", ""},
			[]finding{
				{"orderId", noOrder}, {"channelId", missing}, {"eventData.renewalOrderId", missing},
				{"eventData.createdTime", missing},
			},
		},
		{"event-104.json", []string{"eventData.errorCode", ""}, nil},
		{"event-104.json", []string{"eventData.errorMessage", `""`}, nil},
		{
			"event-104.json",
			[]string{"eventData.errorCode", "", "eventData.errorMessage", `" "`, "eventData.renewalOrderId", `""`},
			[]finding{
				{"eventData.renewalOrderId", missing}, {"eventData.errorCode", "one of errorCode and errorMessage is required"},
			},
		},
		{"event-142.json", []string{"eventType", "142"}, nil},
		{"event-142.json", []string{"eventType", "142", "eventData.reason", ""}, []finding{{"eventData.reason", missing}}},
		{"event-142.json", []string{"eventData.reason", `"\u3000"`}, []finding{{"eventData.reason", missing}}},
		{"event-142.json", []string{"eventData.payTradeNo", "null"}, []finding{{"eventData.payTradeNo", missing}}},
		{"event-142.json", []string{"eventData.refundType", ""}, []finding{{"eventData.refundType", missing}}},
		{"event-142.json", []string{"eventData.refundType", "-1"}, nil},
		{"event-142.json", []string{"eventData.refundType", "77"}, nil},
		{"event-142.json", []string{"eventData.amount", ""}, []finding{{"eventData.amount", missing}}},
		{"event-142.json", []string{"eventData.amount", `"0.00"`}, []finding{{"eventData.amount", positive}}},
		{"event-142.json", []string{"eventData.amount", `-1`}, []finding{{"eventData.amount", positive}}},
		{"event-142.json", []string{"eventData.canceller", `"1"`}, nil},
		{
			"event-142.json", []string{"eventData.canceller", `2`},
			[]finding{{"eventData.canceller", "2 (merchant) is documented as not supported yet"}},
		},
		{"event-142.json", []string{"eventData.canceller", `"3"`}, nil},
		{"event-142.json", []string{"eventData.refundType", "3", "eventData.deductPayTradeNo", `"1"`}, nil},
		{"event-142.json", []string{"eventData.refundType", "4", "eventData.deductPayTradeNo", `"1"`}, nil},
		{"event-142.json", []string{"eventData.refundType", "3"}, []finding{{"eventData.deductPayTradeNo", deduction}}},
		{
			"event-142.json", []string{"eventData.refundType", "4", "eventData.deductPayTradeNo", `""`},
			[]finding{{"eventData.deductPayTradeNo", deduction}},
		},
		{
			"event-142.json", []string{"eventData.deductPayTradeNo", `"1"`},
			[]finding{{"eventData.deductPayTradeNo", deduction}},
		},
		{"event-142.json", []string{"eventData.renewalOutOrderId", ""}, []finding{{"eventData.renewalOutOrderId", missing}}},
		{"event-142.json", []string{"eventData.renewalOrderId", ""}, []finding{{"eventData.renewalOrderId", missing}}},
		{
			"event-142.json",
			[]string{"eventType", "142", "eventData", `{"canceller":"2","deductPayTradeNo":"1"}`},
			[]finding{
				{"eventData.renewalOrderId", missing},
				{"eventData.renewalOutOrderId", missing},
				{"eventData.canceller", "2 (merchant) is documented as not supported yet"},
				{"eventData.refundType", missing},
				{"eventData.amount", missing},
				{"eventData.reason", missing},
				{"eventData.payTradeNo", missing},
			},
		},
		{
			"event-142.json",
			[]string{"channelId", "", "eventData", `{}`}, // a 141 without renewal ids
			[]finding{
				{"channelId", missing},
				{"eventData.refundType", missing},
				{"eventData.amount", missing},
				{"eventData.reason", missing},
				{"eventData.payTradeNo", missing},
			},
		},
		{"event-103.json", []string{"eventType", "150", "eventData", ""}, nil},
		{
			"event-103.json", []string{"eventType", "-3", "orderId", "", "outOrderId", "", "channelId", ""},
			[]finding{{"eventType", positive}, {"orderId", noOrder}, {"channelId", missing}},
		},
	} {
		payload := edit(t, sample(t, c.sample), c.changes...)
		err := parse(t, payload).Validate()
		if diff := cmp.Diff(c.want, findings(t, err)); diff != "" {
			t.Errorf("%s %q (-want +got):\n%s", c.sample, c.changes, diff)
		}
	}
}

func TestValidateNamesTheEvent(t *testing.T) {
	t.Parallel()
	err := parse(t, edit(t, sample(t, "event-142.json"), "eventData.reason", "")).Validate()
	wantError(t, err, "event 141 fee refund requested", "eventData.reason: is missing")
	err = (&events.RenewalFeeRefund{}).Validate()
	wantError(t, err, "event 142 renewal fee refund requested")
	err = events.NewOrderCancelled(events.Order{}).Validate()
	wantError(t, err, "callback 10 order cancelled", "orderId: one of")
}

// An event that was not parsed cannot have the number of another type.
func TestValidateType(t *testing.T) {
	t.Parallel()
	wrong := head(99)
	for want, e := range map[string]events.Event{
		"eventType: must be 103 here": &events.RenewalAccepted{Envelope: wrong},
		"eventType: must be 104 here": &events.RenewalRejected{Envelope: wrong},
		"eventType: must be 142 here": &events.RenewalFeeRefund{Envelope: wrong},
		"eventType: must be 141 here": &events.FeeRefund{Envelope: wrong},
	} {
		wantError(t, e.Validate(), want)
		e.Head().EventType = 0
		if strings.Contains(e.Validate().Error(), "eventType: ") {
			t.Errorf("%T without a number: %v", e, e.Validate())
		}
	}
	if e := (&events.FeeRefund{Envelope: head(events.TypeRenewalFeeRefund)}); !strings.Contains(
		e.Validate().Error(), "must be 141 here",
	) {
		t.Errorf("a main-order refund numbered 142: %v", e.Validate())
	}
	if e := (&events.Unknown{Envelope: head(0)}); !strings.Contains(e.Validate().Error(), "eventType: must be positive") {
		t.Errorf("unknown without a number: %v", e.Validate())
	}
}
