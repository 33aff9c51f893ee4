package merchantcheck

import (
	"context"
	"slices"
	"testing"
)

// A rule about amounts never passes on a reply that lacks one of them, and nothing is
// ordered whose total is not known. (An hour fee without an amount passed before, and
// so did every rule about the lines of a quote without the list.)
func TestNoRulePassesWithoutItsAmounts(t *testing.T) {
	t.Parallel()
	each := func(reply object, lose func(line object)) {
		for _, line := range services(reply) {
			lose(line.(object))
		}
	}
	eachDay := func(reply object, lose func(day object)) {
		for _, day := range calendar(reply) {
			lose(day.(object))
		}
	}
	lines := []string{"hour-fee", "line-amount", "basic-service-fee", "services-not-in-standard-price", "quantity"}
	for name, c := range map[string]struct {
		lose  func(reply object)
		rules []string // that need it
		total bool     // some total is known all the same
	}{
		"standardPrice":      {func(r object) { delete(info(r), "standardPrice") }, []string{"standard-price", "services-not-in-standard-price"}, false},
		"standardPrice null": {func(r object) { info(r)["standardPrice"] = nil }, []string{"standard-price", "services-not-in-standard-price"}, false},
		"poundageFee":        {func(r object) { delete(info(r), "poundageFee") }, []string{"standard-price", "services-not-in-standard-price"}, true},
		"dayPrice":           {func(r object) { eachDay(r, func(day object) { delete(day, "dayPrice") }) }, []string{"standard-price", "scattered-rule"}, true},
		"quantity":           {func(r object) { delete(info(r), "quantity") }, []string{"quantity"}, true},
		"addedServiceList":   {func(r object) { delete(r, "addedServiceList") }, lines, false},
		"amount": {
			func(r object) { each(r, func(line object) { delete(line, "amount") }) },
			[]string{"hour-fee", "line-amount", "basic-service-fee", "services-not-in-standard-price"}, false,
		},
		"amount of the hour fee": {func(r object) { delete(hour(r), "amount") }, []string{"hour-fee", "services-not-in-standard-price"}, true}, // another period has none
		"price":                  {func(r object) { each(r, func(line object) { delete(line, "price") }) }, []string{"hour-fee", "line-amount"}, true},
		"isOneWayFee":            {func(r object) { each(r, func(line object) { delete(line, "isOneWayFee") }) }, []string{"hour-fee", "line-amount"}, true},
		"quantity of a line":     {func(r object) { each(r, func(line object) { delete(line, "quantity") }) }, []string{"hour-fee", "line-amount", "quantity"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newTestMerchant()
			m.prices = c.lose
			submits := 0
			m.submitted = func(int, object) { submits++ }
			report := Run(context.Background(), connectMerchant(t, m), guideCheck)
			for _, r := range report.Results {
				// The price of 1 d 30 min has everything, an hour fee too.
				if r.Scenario == "price of 1 d 30 min" && slices.Contains(c.rules, r.Rule) && r.Status == Passed {
					t.Errorf("%s passed without %s", r.Rule, name)
				}
			}
			if c.total != (submits > 0) {
				t.Errorf("%d submits", submits)
			}
		})
	}
}
