package pricing_test

import (
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
)

// Amounts that are no whole number of fen: a line per day, and the scattered-hour fee.
func TestRounding(t *testing.T) {
	t.Parallel()
	for mode, want := range map[pricing.Rounding]map[string]string{
		pricing.RoundHalfEven: {"0.5": "0.00", "1.5": "0.02", "14.5": "0.14", "1.25": "0.01", "1.75": "0.02", "2.0": "0.02"},
		pricing.RoundHalfUp:   {"0.5": "0.01", "1.5": "0.02", "14.5": "0.15", "1.25": "0.01", "1.75": "0.02", "2.0": "0.02"},
		pricing.RoundHalfDown: {"0.5": "0.00", "1.5": "0.01", "14.5": "0.14", "1.25": "0.01", "1.75": "0.02", "2.0": "0.02"},
		pricing.RoundUp:       {"0.5": "0.01", "1.5": "0.02", "14.5": "0.15", "1.25": "0.02", "1.75": "0.02", "2.0": "0.02"},
		pricing.RoundDown:     {"0.5": "0.00", "1.5": "0.01", "14.5": "0.14", "1.25": "0.01", "1.75": "0.01", "2.0": "0.02"},
	} {
		t.Run(mode.String(), func(t *testing.T) {
			t.Parallel()
			p := guidePlan()
			p.Rounding = mode
			p.ScatteredRules = []fliggy.ScatteredPriceRule{
				rule("50", 0, 100), rule("25.00", 101, 200), rule("75.0", 201, 300), rule("100", 301, 1439),
			}
			p.DayPrices = map[fliggy.Date]fliggy.Yuan{
				{Year: 2023, Month: 2, Day: 4}: yuan("0.01"), {Year: 2023, Month: 2, Day: 5}: yuan("0.03"),
			}
			for quantity, minutes := range map[string]int{
				"0.5": 100, "1.5": 1540, "14.5": 14*1440 + 1, "1.25": 1640, "1.75": 1740, "2.0": 2880,
			} {
				r := mustQuote(t, p, pickUp, after(minutes))
				if got := r.Price.Quantity.String(); got != quantity {
					t.Errorf("quantity %s, want %s", got, quantity)
				}
				if got := r.AddedServices[0].Amount.String(); got != want[quantity] {
					t.Errorf("0.01 x %s = %s, want %s", quantity, got, want[quantity])
				}
				if got := r.Price.BasicServiceFee.String(); got != want[quantity] {
					t.Errorf("basic service fee %s, want %s", got, want[quantity])
				}
			}
			// 0.01 x 0.5 as above; 0.03 x 0.5 = 0.015 is what 0.01 x 1.5 is.
			for minutes, quantity := range map[int]string{100: "0.5", 1540: "1.5"} {
				calendar := mustQuote(t, p, pickUp, after(minutes)).Price.CalendarPrice
				if got := calendar[len(calendar)-1].ScatteredPrice.String(); got != want[quantity] {
					t.Errorf("fee after %d minutes %s, want %s", minutes, got, want[quantity])
				}
			}
		})
	}
}
