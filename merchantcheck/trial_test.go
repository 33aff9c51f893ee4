package merchantcheck

import (
	"context"
	"net/http"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestRunFreeMinutes: minutes that cost 0 percent are free, whether they are
// spelt out or left out.
func TestRunFreeMinutes(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(object){
		"spelt out": nil,
		"without a line": func(r object) {
			if hour(r)["amount"] == "0.00" {
				r["addedServiceList"] = services(r)[:1]
			}
		},
		"left out": func(r object) {
			if hour(r)["amount"] == "0.00" {
				r["addedServiceList"] = services(r)[:1]
				delete(lastOf(calendar(r)), "scatteredPrice")
				delete(lastOf(calendar(r)), "scatteredMinutes")
			}
		},
	} {
		m := newTestMerchant()
		m.ranges = []testRange{{0, 60, "0"}, {61, 420, "50"}, {421, 1440, "100"}}
		m.prices = spoil
		t.Run(name, func(t *testing.T) {
			wantClean(t, Run(context.Background(), connectMerchant(t, m), guideCheck))
		})
	}
	// A zero that fills a gap in a table is no fee.
	m := newTestMerchant()
	m.prices = func(r object) {
		if !hit(r) {
			lastOf(calendar(r))["scatteredPrice"], lastOf(calendar(r))["scatteredMinutes"] = "0.00", 0
		}
	}
	wantClean(t, Run(context.Background(), connectMerchant(t, m), guideCheck))
}

// TestRunOfAnEmptyYes: a yes that says nothing else shows nothing of prices and orders.
func TestRunOfAnEmptyYes(t *testing.T) {
	t.Parallel()
	yes := func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"success":true}`)) }
	report := Run(context.Background(), connectMerchant(t, http.HandlerFunc(yes)), guideCheck)
	var passed []string
	for _, result := range report.Results {
		if result.Status == Passed && !slices.Contains(passed, result.Rule) {
			passed = append(passed, result.Rule)
		}
	}
	want := []string{"endpoint", "signature-taken", "reply-shape", "number-forms"}
	if diff := cmp.Diff(want, passed); diff != "" {
		t.Errorf("passed (-want +got):\n%s", diff)
	}
}
