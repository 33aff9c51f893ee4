package merchantcheck

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/shopspring/decimal"

	"github.com/fliggy-go/rentcar/qimen"
)

func info(reply object) object     { return reply["priceInfo"].(object) }
func strategy(reply object) object { return reply["cancelStrategyStruct"].(object) }
func tiers(reply object) []any     { return strategy(reply)["cancelRules"].([]any) }
func calendar(reply object) []any  { return info(reply)["calendarPrice"].([]any) }
func lastOf(list []any) object     { return list[len(list)-1].(object) }
func services(reply object) []any  { return reply["addedServiceList"].([]any) }
func basic(reply object) object    { return services(reply)[0].(object) }
func ranges(reply object) []any {
	return info(reply)["scatteredPriceRuleInfo"].(object)["data"].([]any)
}

// hour is the hour-fee line, or an object of its own where there is none.
func hour(reply object) object {
	if last := lastOf(services(reply)); last["serviceCode"] == "hourFee" {
		return last
	}
	return object{}
}

func hit(reply object) bool { return len(hour(reply)) > 0 }

// plus adds amounts.
func plus(a, b any) string {
	return dec(fmt.Sprint(a)).Add(dec(fmt.Sprint(b))).StringFixed(2)
}

// priced spoils price replies.
func priced(spoil func(reply object)) func(*testMerchant) {
	return func(m *testMerchant) { m.prices = spoil }
}

// plantedFaults are merchants with one mistake each. The rule that names the
// mistake comes first, then what the mistake breaks besides.
var plantedFaults = []struct {
	name  string
	plant func(*testMerchant)
	rule  string
	also  []string
}{
	{"another secret", func(m *testMerchant) {
		m.instead = func(w http.ResponseWriter, _ *http.Request, _ string) bool {
			_, _ = io.WriteString(w, badSignatureReply)
			return true
		}
	}, "signature-taken", []string{"reply-shape"}},
	{"error page", func(m *testMerchant) {
		m.instead = func(w http.ResponseWriter, _ *http.Request, method string) bool {
			if method == qimen.RenewalPricesMethod {
				http.Error(w, "<html>oops</html>", http.StatusInternalServerError)
			}
			return method == qimen.RenewalPricesMethod
		}
	}, "endpoint", nil},
	{"HTTP status 202", func(m *testMerchant) {
		m.instead = func(w http.ResponseWriter, _ *http.Request, method string) bool {
			if method == qimen.RenewalPricesMethod {
				w.WriteHeader(http.StatusAccepted)
			}
			return false
		}
		m.prices = func(r object) { info(r)["standardPrice"] = "7.00" } // not judged
	}, "reply-shape", []string{"bad-signature", "malformed-body (warning)", "stale-timestamp (warning)", "unknown-order (warning)"}},
	{"fault of a gateway", priced(func(r object) {
		clear(r)
		r["error_response"] = object{"code": 15, "msg": "Remote service error"}
	}), "reply-shape", nil},
	{"no success flag", priced(func(r object) { delete(r, "success") }), "reply-shape", nil},
	{"success is a number", priced(func(r object) { r["success"] = 1 }), "reply-shape", nil},
	{"refused price", priced(func(r object) { clear(r); r["success"], r["retCode"] = false, "1" }), "reply-shape",
		[]string{"reply-shape (warning)"}},
	{"no unit price", priced(func(r object) { delete(info(r), "standardUnitPrice") }), "members (warning)", nil},
	{"no handling fee", priced(func(r object) { delete(info(r), "poundageFee") }), "members", nil},
	{"no calendar", priced(func(r object) { delete(info(r), "calendarPrice") }), "members", nil},
	{"lines that are null", priced(func(r object) { r["addedServiceList"] = []any{nil} }), "members",
		[]string{"basic-service-fee", "hour-fee"}},
	{"success is text", priced(func(r object) { r["success"] = "true" }), "number-forms", nil},
	{"numbers as text", priced(func(r object) { basic(r)["isFixed"], strategy(r)["cancelType"] = "1", "1" }), "number-forms", nil},
	{"amount as a number", priced(func(r object) { info(r)["standardPrice"] = dec(info(r)["standardPrice"].(string)).InexactFloat64() }),
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
	{"range that runs backwards", priced(func(r object) { ranges(r)[1].(object)["endTime"] = 7 }), "scattered-ranges", nil},
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
	{"tiers as shares of one", priced(func(r object) { tiers(r)[1].(object)["num"] = 0.1 }), "number-forms", nil},
	{"percentage with its sign", priced(func(r object) { ranges(r)[0].(object)["value"] = "50%" }), "number-forms", nil},
	{"quantity with a unit", priced(func(r object) { info(r)["quantity"] = fmt.Sprint(info(r)["quantity"], "天") }), "number-forms", nil},
	{"half minutes", priced(func(r object) { ranges(r)[0].(object)["startTime"] = 0.5 }), "number-forms", nil},
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
	{"line neither flat nor per day", priced(func(r object) { basic(r)["isOneWayFee"] = 2 }), "line-amount (warning)", nil},
	{"basic service fee per day", priced(func(r object) { info(r)["basicServiceFee"] = basic(r)["price"] }), "basic-service-fee", nil},
	{"basic service fee without a line", priced(func(r object) { r["addedServiceList"] = services(r)[1:] }), "basic-service-fee", nil},
	{"basic service line without a fee", priced(func(r object) { delete(info(r), "basicServiceFee") }), "basic-service-fee (warning)", nil},
	{"tiers upside down", priced(func(r object) { slices.Reverse(tiers(r)) }), "cancel-tiers", nil},
	{"penalty falls", priced(func(r object) { tiers(r)[3].(object)["num"] = 15 }), "cancel-tiers", nil},
	{"penalty above 100", priced(func(r object) { tiers(r)[4].(object)["num"] = 101 }), "cancel-tiers", nil},
	{"penalty above 100 of another type", priced(func(r object) {
		tiers(r)[4].(object)["num"], strategy(r)["cancelType"] = 500, 2
	}), "cancel-tiers (warning)", nil},
	{"same time twice", priced(func(r object) { tiers(r)[1].(object)["time"] = 72 }), "cancel-tiers", nil},
	{"no tiers", priced(func(r object) { strategy(r)["cancelRules"] = []any{} }), "cancel-tiers (warning)", nil},
	{"submit computes another total", func(m *testMerchant) {
		m.total = func(total string) string { return plus(total, "0.02") }
	}, "quoted-total", nil},
	{"submit without an id", func(m *testMerchant) {
		m.submitted = func(_ int, r object) { delete(r, "outOrderId") }
	}, "submit-reply", []string{"left"}},
	{"creation time without seconds", func(m *testMerchant) {
		m.submitted = func(_ int, r object) { r["createdTime"] = "2023-02-01 15:40" }
	}, "submit-reply", nil},
	{"creation time with milliseconds", func(m *testMerchant) {
		m.submitted = func(_ int, r object) { r["createdTime"] = "2023-02-01 15:40:52.123" }
	}, "submit-reply", nil},
	{"repeat booked again", func(m *testMerchant) { m.forgetful = true }, "submit-repeat", nil},
	{"repeats told by the trade number alone", func(m *testMerchant) { m.byTrade = true }, "untraded-submits", nil},
	{"repeat refused", func(m *testMerchant) {
		m.submitted = func(n int, r object) {
			if n == 2 {
				r["success"], r["retCode"] = false, "duplicate"
			}
		}
	}, "submit-repeat (warning)", nil},
	{"cancellation refused", func(m *testMerchant) {
		m.cancelled = func(_ int, r object) { r["success"] = false }
	}, "cancel-reply", []string{"left"}},
	{"cancellation again refused", func(m *testMerchant) {
		m.cancelled = func(n int, r object) { r["success"] = n != 2 }
	}, "cancel-repeat (warning)", nil},
	{"failure flag is a boolean", func(m *testMerchant) {
		m.signedBadly = `{"success":false,"retMessage":"Illegal request","retCode":"sign-check-failure"}`
	}, "bad-signature", nil},
	{"bad signature with HTTP 400", func(m *testMerchant) { m.badStatus = http.StatusBadRequest }, "bad-signature (warning)", nil},
	{"bad signature with HTTP 401", func(m *testMerchant) { m.badStatus = http.StatusUnauthorized }, "bad-signature", nil},
	{"id of the rental for the renewal", func(m *testMerchant) {
		m.submitted = func(_ int, r object) { r["outOrderId"] = guideOrder.OutOrderID }
		m.cancelled = func(int, object) {}
	}, "submit-reply (warning)", []string{"cancel-reply", "left"}}, // and nothing more is booked then
	{"total without optional services", func(m *testMerchant) {
		m.prices = func(r object) { basic(r)["isFixed"] = 0 }
		m.total = func(s string) string { return plus(s, "-0.02") }
	}, "quoted-total (warning)", nil},
	{"unsigned requests served", func(m *testMerchant) { m.unsigned = true }, "bad-signature", nil},
	{"no signature checked", func(m *testMerchant) { m.trusting = true }, "bad-signature", []string{"unknown-app"}},
	{"unknown app told", func(m *testMerchant) {
		m.unknownApp = `{"success":"false","retMessage":"unknown app","retCode":"1"}`
	}, "unknown-app (warning)", nil},
	{"unknown app served", func(m *testMerchant) { m.unknownApp = `{"success":true}` }, "unknown-app", nil},
	{"age not checked", func(m *testMerchant) { m.eternal = true }, "stale-timestamp", nil},
	{"malformed body answered with text", func(m *testMerchant) { m.malformed = "bad request" }, "malformed-body", nil},
	{"malformed body taken", func(m *testMerchant) { m.malformed = `{"success":true}` }, "malformed-body", nil},
	{"unknown order priced", func(m *testMerchant) { m.unknown = `{"success":true,"priceInfo":{}}` }, "unknown-order", nil},
	{"unknown order without reason", func(m *testMerchant) { m.unknown = `{"success":false}` }, "unknown-order (warning)", nil},
}

// TestPlantedFaults: each mistake is caught by the rule that names it, and by no
// other than those listed. "left" stands for a booking that may be left.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range plantedFaults {
		m := newTestMerchant()
		fault.plant(m)
		report := Run(context.Background(), connectMerchant(t, m), guideCheck)
		got := broken(report)
		if len(report.MayBeBooked) > 0 {
			got = append(got, "left")
		}
		want := append([]string{fault.rule}, fault.also...)
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%v", fault.name, diff, report)
		}
		if left := m.booked(); len(report.MayBeBooked) == 0 && len(left) > 0 {
			t.Errorf("%s: left without a word: %v", fault.name, left)
		}
		if fails := strings.Count(strings.Join(got, "\n")+"\n", "\n") > strings.Count(strings.Join(got, "\n"), "(warning)"); fails == report.OK() {
			t.Errorf("%s: OK is %v with %v", fault.name, report.OK(), got)
		}
	}
}

// TestEveryRuleIsPlanted: each rule has a mistake that it names.
func TestEveryRuleIsPlanted(t *testing.T) {
	t.Parallel()
	for _, rule := range rules {
		named := false
		for _, fault := range plantedFaults {
			named = named || strings.TrimSuffix(fault.rule, " (warning)") == rule.id
		}
		if !named {
			t.Errorf("no merchant breaks %s", rule.id)
		}
		if rule.title == "" || rule.why == "" || rule.on == 0 {
			t.Errorf("%s: incomplete", rule.id)
		}
	}
}
