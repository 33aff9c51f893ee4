package merchantcheck

import (
	"slices"
)

// plantedLines are mistakes of added services and cancellation tiers.
var plantedLines = []plantedFault{
	{"basic service listed twice", priced(func(r object) {
		r["addedServiceList"] = append(services(r)[:1:1], services(r)...)
	}), "duplicate-lines", nil},
	{"hour fee under two codes", priced(func(r object) {
		if hit(r) {
			r["addedServiceList"] = append(services(r), line(4, "oddHours", "5.00", "1", "5.00", 1))
		}
	}), "duplicate-lines", nil},
	{"hour fee only in the calendar", priced(func(r object) {
		if hit(r) {
			r["addedServiceList"] = services(r)[:1]
		}
	}), "hour-fee", nil},
	{"hour fee not in the calendar", priced(func(r object) {
		if !hit(r) {
			r["addedServiceList"] = append(services(r), line(4, "hourFee", "5.00", "1", "5.00", 1))
		}
	}), "hour-fee", nil},
	{"hour fee of another amount", priced(func(r object) {
		if hit(r) {
			hour(r)["amount"] = "6.00"
		}
	}), "hour-fee", nil},
	{"hour fee of another price", priced(func(r object) {
		if hit(r) {
			hour(r)["price"] = "6.00"
		}
	}), "hour-fee", nil},
	{"hour fee per day", priced(func(r object) { hour(r)["isOneWayFee"] = 0 }), "hour-fee", nil},
	{"amount that is not the product", func(m *testMerchant) {
		m.basic = dec("1.00")
		m.prices = func(r object) {
			basic(r)["amount"] = plus(basic(r)["amount"], "0.02") // a fen could be rounding
			info(r)["basicServiceFee"] = basic(r)["amount"]
		}
	}, "line-amount", nil},
	{"flat line multiplied", func(m *testMerchant) {
		m.flat = map[string]string{"childSeat": "30.00"}
		m.prices = func(r object) {
			for _, s := range services(r) {
				if s.(object)["serviceCode"] == "childSeat" {
					s.(object)["amount"] = "60.00"
				}
			}
		}
	}, "line-amount", nil},
	{
		"line neither flat nor per day", priced(func(r object) { basic(r)["isOneWayFee"] = 2 }), "line-amount (warning)", nil,
	},
	{
		"basic service fee per day", priced(func(r object) { info(r)["basicServiceFee"] = basic(r)["price"] }),
		"basic-service-fee", nil,
	},
	{
		"basic service fee without a line", priced(func(r object) { r["addedServiceList"] = services(r)[1:] }),
		"basic-service-fee", nil,
	},
	{
		"basic service line without a fee", priced(func(r object) { delete(info(r), "basicServiceFee") }),
		"basic-service-fee (warning)", nil,
	},
	{"tiers upside down", priced(func(r object) { slices.Reverse(tiers(r)) }), "cancel-tiers", nil},
	{"penalty falls", priced(func(r object) { tiers(r)[3].(object)["num"] = 15 }), "cancel-tiers", nil},
	{"penalty above 100", priced(func(r object) { tiers(r)[4].(object)["num"] = 101 }), "cancel-tiers", nil},
	{"penalty above 100 of another type", priced(func(r object) {
		tiers(r)[4].(object)["num"], strategy(r)["cancelType"] = 500, 2
	}), "cancel-tiers (warning)", nil},
	{"same time twice", priced(func(r object) { tiers(r)[1].(object)["time"] = 72 }), "cancel-tiers", nil},
	{"no tiers", priced(func(r object) { strategy(r)["cancelRules"] = []any{} }), "cancel-tiers (warning)", nil},
}
