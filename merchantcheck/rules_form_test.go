package merchantcheck

import (
	"fmt"
	"strconv"
)

// plantedForms are mistakes of single members.
var plantedForms = []plantedFault{
	{"no unit price", priced(func(r object) { delete(info(r), "standardUnitPrice") }), "members (warning)", nil},
	{"no handling fee", priced(func(r object) { delete(info(r), "poundageFee") }), "members", nil},
	{"no calendar", priced(func(r object) { delete(info(r), "calendarPrice") }), "members", nil},
	{"lines that are null", priced(func(r object) { r["addedServiceList"] = []any{nil} }), "members",
		[]string{"basic-service-fee", "hour-fee"}},
	{"success is text", priced(func(r object) { r["success"] = "true" }), "number-forms", nil},
	{
		"numbers as text", priced(func(r object) { basic(r)["isFixed"], strategy(r)["cancelType"] = "1", "1" }),
		"number-forms", nil,
	},
	{"amount as a number", priced(
		func(r object) { info(r)["standardPrice"] = dec(info(r)["standardPrice"].(string)).InexactFloat64() },
	),
		"number-forms", nil},
	{"submit id as a number", func(m *testMerchant) {
		m.submitted = func(_ int, r object) { r["outOrderId"], _ = strconv.Atoi(r["outOrderId"].(string)) }
	}, "number-forms", nil},
	{"success of a cancellation is text", func(m *testMerchant) {
		m.cancelled = func(_ int, r object) { r["success"] = "true" }
	}, "number-forms", nil},
	{"negative unit price", priced(func(r object) { info(r)["standardUnitPrice"] = "-10" }), "amounts", nil},
	{"three decimals", priced(func(r object) { info(r)["standardUnitPrice"] = "10.005" }), "amounts", nil},
	{"amount with a currency", priced(func(r object) { info(r)["standardUnitPrice"] = "10元" }), "amounts", nil},
	{"tiers as shares of one", priced(func(r object) { tiers(r)[1].(object)["num"] = 0.1 }), "number-forms", nil},
	{"percentage with its sign", priced(func(r object) { ranges(r)[0].(object)["value"] = "50%" }), "number-forms", nil},
	{
		"quantity with a unit", priced(func(r object) { info(r)["quantity"] = fmt.Sprint(info(r)["quantity"], "天") }),
		"number-forms", nil,
	},
	{"half minutes", priced(func(r object) { ranges(r)[0].(object)["startTime"] = 0.5 }), "number-forms", nil},
}
