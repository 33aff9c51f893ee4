package merchantcheck

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
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
		"standardPrice": {
			func(r object) { delete(info(r), "standardPrice") }, []string{"standard-price", "services-not-in-standard-price"},
			false,
		},
		"standardPrice null": {
			func(r object) { info(r)["standardPrice"] = nil }, []string{"standard-price", "services-not-in-standard-price"},
			false,
		},
		"poundageFee": {
			func(r object) { delete(info(r), "poundageFee") }, []string{"standard-price", "services-not-in-standard-price"},
			true,
		},
		"dayPrice": {
			func(r object) { eachDay(r, func(day object) { delete(day, "dayPrice") }) },
			[]string{"standard-price", "scattered-rule"}, true,
		},
		"quantity":         {func(r object) { delete(info(r), "quantity") }, []string{"quantity"}, true},
		"addedServiceList": {func(r object) { delete(r, "addedServiceList") }, lines, false},
		"amount": {
			func(r object) { each(r, func(line object) { delete(line, "amount") }) },
			[]string{"hour-fee", "line-amount", "basic-service-fee", "services-not-in-standard-price"}, false,
		},
		// another period has none
		"amount of the hour fee": {
			func(r object) { delete(hour(r), "amount") }, []string{"hour-fee", "services-not-in-standard-price"}, true,
		},
		"price": {
			func(r object) { each(r, func(line object) { delete(line, "price") }) }, []string{"hour-fee", "line-amount"}, true,
		},
		"isOneWayFee": {
			func(r object) { each(r, func(line object) { delete(line, "isOneWayFee") }) }, []string{"hour-fee", "line-amount"},
			true,
		},
		"quantity of a line": {
			func(r object) { each(r, func(line object) { delete(line, "quantity") }) },
			[]string{"hour-fee", "line-amount", "quantity"}, true,
		},
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

// plantedPrices are mistakes of a price.
var plantedPrices = []plantedFault{
	{"no price mark", priced(func(r object) { info(r)["priceMark"] = " " }), "price-mark", nil},
	{"handling fee forgotten", priced(func(r object) { info(r)["standardPrice"] = plus(info(r)["standardPrice"], "-1") }),
		"standard-price", nil},
	{"day of the hour fee charged as well", priced(func(r object) {
		if hit(r) {
			info(r)["standardPrice"] = plus(info(r)["standardPrice"], "10")
		}
	}), "standard-price", nil},
	{"basic service in the standard price", priced(func(r object) {
		info(r)["standardPrice"] = plus(info(r)["standardPrice"], basic(r)["amount"])
	}), "services-not-in-standard-price", []string{"standard-price"}},
	{"all services in the standard price", func(m *testMerchant) {
		m.basic = dec("1.00")
		m.prices = func(r object) {
			for _, s := range services(r) {
				if hit(r) {
					info(r)["standardPrice"] = plus(info(r)["standardPrice"], s.(object)["amount"])
				}
			}
		}
	}, "services-not-in-standard-price", []string{"standard-price"}},
	{"hours cheaper than the rule", priced(func(r object) {
		if hit(r) {
			lastOf(calendar(r))["scatteredPrice"], hour(r)["price"], hour(r)["amount"] = "4.00", "4.00", "4.00"
		}
	}), "scattered-rule", nil},
	{"hour fee where the rule says a day", priced(func(r object) {
		if day := lastOf(calendar(r)); !hit(r) && !strings.Contains(info(r)["priceMark"].(string), "-2880") {
			day["scatteredPrice"], day["scatteredMinutes"] = "5.00", 480
			info(r)["standardPrice"] = plus(info(r)["standardPrice"], "-10")
			r["addedServiceList"] = append(services(r), line(4, "hourFee", "5.00", "1", "5.00", 1))
		}
	}), "scattered-rule", nil},
	{"hour fee of a whole day", priced(func(r object) {
		if day := lastOf(calendar(r)); !hit(r) && !strings.Contains(info(r)["priceMark"].(string), "-2880") {
			day["scatteredPrice"], day["scatteredMinutes"] = "10.00", 480
			info(r)["standardPrice"] = plus(info(r)["standardPrice"], "-10")
			r["addedServiceList"] = append(services(r), line(4, "hourFee", "10.00", "1", "10.00", 1))
		}
	}), "scattered-rule (warning)", nil},
	{"hour fee of the unit price", func(m *testMerchant) {
		m.dayPrice = func(i int) decimal.Decimal { return decimal.NewFromInt(int64(10 + i)) }
		m.prices = func(r object) {
			if hit(r) {
				lastOf(calendar(r))["scatteredPrice"], hour(r)["price"], hour(r)["amount"] = "5.00", "5.00", "5.00"
			}
		}
	}, "scattered-rule (warning)", nil},
	{"hours forgotten", priced(func(r object) {
		if hit(r) {
			delete(lastOf(calendar(r)), "scatteredPrice")
			delete(lastOf(calendar(r)), "scatteredMinutes")
			r["addedServiceList"] = services(r)[:1]
		}
	}), "scattered-rule", []string{"standard-price", "quantity", "quantity (warning)"}},
	{"hour fee of a whole-day period", priced(func(r object) {
		if strings.HasSuffix(info(r)["priceMark"].(string), "-2880") {
			lastOf(calendar(r))["scatteredPrice"], lastOf(calendar(r))["scatteredMinutes"] = "5.00", 0
			info(r)["standardPrice"] = plus(info(r)["standardPrice"], "-10")
			r["addedServiceList"] = append(services(r), line(4, "hourFee", "5.00", "1", "5.00", 1))
		}
	}), "scattered-rule (warning)", nil},
	{"gap between ranges", priced(func(r object) { ranges(r)[1].(object)["startTime"] = 430 }), "scattered-ranges", nil},
	{"ranges overlap", priced(func(r object) { ranges(r)[1].(object)["startTime"] = 420 }), "scattered-ranges", nil},
	{
		"range that runs backwards", priced(func(r object) { ranges(r)[1].(object)["endTime"] = 7 }), "scattered-ranges", nil,
	},
	{"ranges end early", priced(func(r object) { ranges(r)[1].(object)["endTime"] = 1400 }), "scattered-ranges", nil},
	{"ranges start late", priced(func(r object) { ranges(r)[0].(object)["startTime"] = 5 }), "scattered-ranges", nil},
	{"percentage above 100", priced(func(r object) {
		info(r)["scatteredPriceRuleInfo"].(object)["data"] = append(ranges(r)[:1:1],
			object{"startTime": 421, "endTime": 470, "value": "100"}, object{"startTime": 471, "endTime": 1440, "value": "150"})
	}), "scattered-ranges (warning)", nil},
	{"no ranges", priced(func(r object) { info(r)["scatteredPriceRuleInfo"] = object{"data": []any{}} }),
		"scattered-ranges (warning)", nil},
	{"last day missing", priced(func(r object) {
		if !hit(r) && len(calendar(r)) > 1 {
			info(r)["calendarPrice"] = calendar(r)[:len(calendar(r))-1]
			info(r)["standardPrice"] = plus(info(r)["standardPrice"], "-10")
		}
	}), "calendar", []string{"calendar (warning)"}},
	{"calendar a day late", priced(func(r object) {
		for i, day := range calendar(r) {
			day.(object)["date"] = fmt.Sprintf("2023-02-%02d", i+5)
		}
	}), "calendar", []string{"calendar (warning)"}},
	{"scattered price on the first day", priced(func(r object) {
		if len(calendar(r)) > 1 {
			calendar(r)[0].(object)["scatteredPrice"] = "5.00"
		}
	}), "calendar", []string{"calendar (warning)"}},
	{"scattered minutes of the whole day", priced(func(r object) {
		if hit(r) {
			lastOf(calendar(r))["scatteredMinutes"] = 1440
		}
	}), "calendar", nil},
	{"scattered minutes without a price", priced(func(r object) {
		if !hit(r) {
			lastOf(calendar(r))["scatteredMinutes"] = 480
		}
	}), "calendar (warning)", nil},
	{"quantity one too many", priced(func(r object) { info(r)["quantity"] = plus(info(r)["quantity"], "1") }), "quantity",
		[]string{"quantity (warning)"}},
	{"another fraction of the day", priced(func(r object) {
		if hit(r) {
			info(r)["quantity"], basic(r)["quantity"] = plus(info(r)["quantity"], "0.2"), plus(basic(r)["quantity"], "0.2")
		}
	}), "quantity (warning)", nil},
	{"services for whole days only", priced(func(r object) {
		if hit(r) {
			basic(r)["quantity"] = dec(fmt.Sprint(basic(r)["quantity"])).Truncate(0).String()
		}
	}), "quantity", nil},
	{"whole days as quantity", priced(func(r object) {
		if hit(r) {
			days := dec(fmt.Sprint(info(r)["quantity"])).Truncate(0).String()
			info(r)["quantity"], basic(r)["quantity"] = days, days
		}
	}), "quantity", []string{"quantity (warning)"}},
	{"a started day that is charged and not counted", priced(func(r object) {
		if !hit(r) && info(r)["priceMark"] != "" {
			info(r)["quantity"], basic(r)["quantity"] = "1", "1"
		}
	}), "quantity", []string{"quantity (warning)"}},
}
