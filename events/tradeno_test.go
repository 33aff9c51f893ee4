package events_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/google/go-cmp/cmp"
)

func TestParseTradeNo(t *testing.T) {
	t.Parallel()
	type no = events.TradeNo
	const order = "202301021122903"
	for _, c := range []struct {
		text  string
		event events.Type
		want  no // zero for an opaque one
	}{
		// The documented examples, with the type known, unknown and another.
		{order + "_142_1", 142, no{order, 142, 1, ""}},
		{order + "_142_2", 142, no{order, 142, 2, ""}},
		{order + "_142_1_1", 142, no{order, 142, 1, "1"}},
		{order + "_142_1_2", 142, no{order, 142, 1, "2"}},
		{order + "_142_1_2", 0, no{order, 142, 1, "2"}},
		{order + "_142_1_2", 141, no{order, 142, 1, "2"}},
		{"3187983531024266527_132_1", 0, no{"3187983531024266527", 132, 1, ""}},
		{"3187983531024266527_132_1", 103, no{"3187983531024266527", 132, 1, ""}},
		{"202301021122903550010007_141_1", 141, no{"202301021122903550010007", 141, 1, ""}},
		{order + "_142_-1", 142, no{order, 142, -1, ""}},
		{order + "_142_-1_3", 0, no{order, 142, -1, "3"}},
		// Underscores in the order number: the known type settles it.
		{"RC_2023_142_1", 142, no{"RC_2023", 142, 1, ""}},
		{"RC_2023_142_1", 0, no{"RC", 2023, 142, "1"}},
		{"RC_7_142_1_2", 142, no{"RC_7", 142, 1, "2"}},
		{"RC_7_142_1_2", 0, no{"RC_7", 142, 1, "2"}},
		{"RC_142_142_1", 142, no{"RC_142", 142, 1, ""}},
		{"_142_142_1", 142, no{"_142", 142, 1, ""}},
		{"a_b_142_1", 0, no{"a_b", 142, 1, ""}},
		{"订单_142_1", 0, no{"订单", 142, 1, ""}},
		// Any number of digits in the order and the batch, nine elsewhere.
		{strings.Repeat("9", 500) + "_142_1_" + strings.Repeat("8", 500), 142, no{strings.Repeat("9", 500), 142, 1, strings.Repeat("8", 500)}},
		{"1_999999999_-999999999", 0, no{"1", 999999999, -999999999, ""}},
		{"1_9999999999_1", 0, no{}},
		{"1_142_1234567890", 142, no{}},
		{"1_142_007_00", 142, no{"1", 142, 7, "00"}},
		// The guide's own samples, and other things: opaque.
		{"202212191604667539969978368", 142, no{}},
		{"2022120122001192491422107773", 142, no{}},
		{"", 142, no{}},
		{"_", 0, no{}},
		{"_142_1", 142, no{}},
		{"1_142", 142, no{}},
		{"1_142_", 142, no{}},
		{"1_142_x", 142, no{}},
		{"1_142_1_", 142, no{}},
		{"1_142_1_-1", 142, no{"1_142", 1, -1, ""}},
		{"1_142_1_x", 142, no{}},
		{"1_142_1 ", 142, no{}},
		{"1_142_1\n", 142, no{}},
		{"1_+142_1", 142, no{}},
		{"1_142_--1", 142, no{}},
		{"1_１４２_1", 142, no{}},
		{"1-142-1", 142, no{}},
		{"1_-5_1", -5, no{}},
		{"1__1", 0, no{}},
	} {
		got, ok := events.ParseTradeNo(c.text, c.event)
		if diff := cmp.Diff(c.want, got); diff != "" || ok != (c.want != no{}) {
			t.Errorf("%.60q, event %v: ok %t (-want +got):\n%s", c.text, c.event, ok, diff)
		}
	}
}

// The table above has all documented examples.
func TestParseTradeNoCatalogue(t *testing.T) {
	t.Parallel()
	want := []string{"202301021122903_142_1", "202301021122903_142_2", "202301021122903_142_1_1", "202301021122903_142_1_2", "3187983531024266527_132_1"}
	if diff := cmp.Diff(want, readCatalogue(t).Meta.PayTradeNo.Examples); diff != "" {
		t.Errorf("documented examples (-in the table +in the catalogue):\n%s", diff)
	}
}

// A refund on a renewal is numbered 142 or, as in the guide's sample, 141; its
// trade number may have either.
func TestTradeNoOfEvents(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		event, no string
		want      events.TradeNo
	}{
		{"142", "RC_2023_142_1", events.TradeNo{Order: "RC_2023", Event: 142, SubType: 1}},
		{"141", "RC_2023_142_1", events.TradeNo{Order: "RC_2023", Event: 142, SubType: 1}},
		{"141", "RC_2023_141_1_9", events.TradeNo{Order: "RC_2023", Event: 141, SubType: 1, Batch: "9"}},
		{"142", "RC_2023_141_1", events.TradeNo{Order: "RC", Event: 2023, SubType: 141, Batch: "1"}},
		{"142", "202212191604667539969978368", events.TradeNo{}},
	} {
		payload := edit(t, sample(t, "event-142.json"), "eventType", c.event, "eventData.payTradeNo", `"`+c.no+`"`)
		got, ok := parseAs[*events.RenewalFeeRefund](t, payload).TradeNo()
		if got != c.want || ok != (c.want != events.TradeNo{}) {
			t.Errorf("%s in %s: %+v, %t", c.no, c.event, got, ok)
		}
	}
	e := parseAs[*events.FeeRefund](t, edit(t, readCatalogue(t).entry(t, 141).Sample, "eventData.payTradeNo", `"RC_2023_141_1"`))
	if got, ok := e.TradeNo(); !ok || got != (events.TradeNo{Order: "RC_2023", Event: 141, SubType: 1}) {
		t.Errorf("main order: %+v, %t", got, ok)
	}
	byHand := &events.RenewalFeeRefund{FeeRefundData: events.FeeRefundData{PayTradeNo: "RC_2023_142_1"}}
	if got, ok := byHand.TradeNo(); !ok || got.Order != "RC_2023" {
		t.Errorf("made by hand: %+v, %t", got, ok)
	}
}

func FuzzTradeNo(f *testing.F) {
	for _, s := range append(readCatalogue(f).Meta.PayTradeNo.Examples, "202212191604667539969978368", "RC_2023_142_1", "_142_142_1", "1_142_-1", "") {
		f.Add(s, 142)
		f.Add(s, 0)
	}
	f.Fuzz(func(t *testing.T, s string, event int) {
		no, ok := events.ParseTradeNo(s, events.Type(event))
		if !ok {
			if no != (events.TradeNo{}) {
				t.Errorf("%q is opaque and gives %+v", s, no)
			}
			return
		}
		if no.Order == "" || no.Event < 0 {
			t.Errorf("%q: %+v", s, no)
		}
		// The parts are those of the text, in order: order, type, sub type, batch.
		parts := strings.Split(strings.TrimPrefix(s, no.Order), "_")
		if !strings.HasPrefix(s, no.Order+"_") || len(parts) < 3 || len(parts) > 4 || parts[0] != "" {
			t.Fatalf("%q: %+v", s, no)
		}
		number := func(digits string) string {
			trimmed := strings.TrimLeft(strings.TrimPrefix(digits, "-"), "0")
			if trimmed == "" {
				return "0"
			}
			if strings.HasPrefix(digits, "-") {
				return "-" + trimmed
			}
			return trimmed
		}
		got := []string{"", decimal(int(no.Event)), decimal(no.SubType)}
		want := []string{"", number(parts[1]), number(parts[2])}
		if len(parts) == 4 {
			got, want = append(got, no.Batch), append(want, parts[3])
		}
		if !slices.Equal(got, want) || len(parts) == 3 && no.Batch != "" {
			t.Errorf("%q: %+v", s, no)
		}
	})
}
