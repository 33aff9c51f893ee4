package merchantcheck

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
)

// totals are what a report says of the guide's scenarios: total, or why there is none.
func totals(r *Report) (out []string) {
	for _, q := range r.Quotes {
		out = append(out, strings.TrimSpace(q.Total.String()+" "+q.Unread))
	}
	return out
}

// TestQuotes reads the guide's three prices to the cent.
func TestQuotes(t *testing.T) {
	t.Parallel()
	m := newTestMerchant()
	m.prices = func(r object) { basic(r)["serviceName"] = "基础\n服务费" }
	report := Run(context.Background(), connectMerchant(t, m), guideCheck)
	if diff := cmp.Diff([]string{"16.02", "21.02", "146.14"}, totals(report)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	want := Quote{
		Scenario: "price of 1 d 30 min",
		From:     fliggy.MustTime("2023-02-04 10:00"), To: fliggy.MustTime("2023-02-05 10:30"),
		StandardPrice: fliggy.MustYuan("11.00"), Total: fliggy.MustYuan("16.02"),
		Lines: []QuoteLine{
			{"basicServiceMoney", "基础 服务费", fliggy.MustYuan("0.02")}, {"hourFee", "hourFee", fliggy.MustYuan("5.00")},
		},
	}
	if diff := cmp.Diff(want, report.Quotes[0]); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	const text = `QUOTED, in yuan
  price of 1 d 30 min: 2023-02-04 10:00 to 2023-02-05 10:30
         11.00  standard price
          0.02  basicServiceMoney 基础 服务费
          5.00  hourFee
         16.02  in all
`
	if !strings.Contains(report.String(), text) {
		t.Errorf("want %s in %s", text, report)
	}
}

// TestQuotesThatCannotBeRead says why there is no total, and gives what can be read.
func TestQuotesThatCannotBeRead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*testMerchant)
		want   string // of the first scenario
		text   string
	}{
		"no list": {
			func(m *testMerchant) { m.prices = func(r object) { delete(r, "addedServiceList") } },
			"addedServiceList is missing", "11.00  standard price\n    no total: addedServiceList is missing",
		},
		"amount": {
			func(m *testMerchant) { m.prices = func(r object) { basic(r)["amount"] = "much" } },
			"addedServiceList[0].amount is not a number", "unreadable  basicServiceMoney",
		},
		"refused": {
			func(m *testMerchant) {
				m.prices = func(r object) {
					for name := range r {
						delete(r, name)
					}
					r["success"], r["retCode"] = false, markedSecret
				}
			},
			"success false, retCode", "no total: success false",
		},
		"half a cent": {
			func(m *testMerchant) { m.prices = func(r object) { basic(r)["amount"] = "0.015" } },
			"16.015", "0.015  basicServiceMoney",
		},
		"dead": {
			func(m *testMerchant) {
				m.instead = func(w http.ResponseWriter, _ *http.Request, _ string) bool {
					w.WriteHeader(http.StatusNotFound)
					return true
				}
			},
			deadEndpoint, "no total: " + deadEndpoint,
		},
	} {
		m := newTestMerchant()
		c.change(m)
		report := Run(context.Background(), connectMerchant(t, m), guideCheck)
		got := totals(report)
		if len(got) != guideScenarios || !strings.Contains(got[0], c.want) || !strings.Contains(report.String(), c.text) ||
			strings.Contains(report.String(), markedSecret) {
			t.Errorf("%s: %q in\n%s", name, got, report)
		}
	}
	if report := Run(context.Background(), nil, guideCheck); report.Quotes != nil {
		t.Errorf("of nobody: %+v", report.Quotes)
	}
}
