package pricing_test

import (
	"encoding/json"
	"math"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/google/go-cmp/cmp"
)

// For any plan and period, Quote returns either an error or a valid reply that survives encoding and decoding.
// CheckTotal and TierAt accept that reply.
func FuzzQuote(f *testing.F) {
	seed := func(p *pricing.Plan, from, to int64) {
		text, err := json.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text, from, to, int64(0))
	}
	start := pickUp.Unix()
	seed(guidePlan(), start, start+1470*60)
	seed(guidePlan(), start, start+480*60)
	seed(pricesByDate(), start, start+1470*60)
	seed(&pricing.Plan{}, start, start)
	seed(guidePlan(), math.MinInt64, math.MaxInt64)
	const extreme = `{"DayPrice":"1e39","ScatteredRules":[{"Value":"1e-38","StartTime":-9223372036854775808,"EndTime":9` +
		`223372036854775807}]}`
	f.Add([]byte(extreme), start, start+60, start)
	f.Fuzz(func(t *testing.T, planJSON []byte, fromUnix, toUnix, atUnix int64) {
		var p pricing.Plan
		if err := json.Unmarshal(planJSON, &p); err != nil {
			return
		}
		p.MaxDays = min(p.MaxDays, 1000) // a plan may ask for any length, and gets it
		from, to := fliggy.Time{Time: time.Unix(fromUnix, 0)}, fliggy.Time{Time: time.Unix(toUnix, 0)}
		r, err := p.Quote(from, to)
		if err != nil {
			return
		}
		if err := r.Validate(); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var again qimen.RenewalPricesReply
		if err := json.Unmarshal(text, &again); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(r, &again, exact); diff != "" {
			t.Fatalf("(-quote +read):\n%s", diff)
		}
		total := totalOf(t, r)
		if total.IsNegative() {
			t.Fatalf("total %s", total)
		}
		if err := pricing.CheckTotal(&again, total); err != nil {
			t.Fatal(err)
		}
		tier, err := pricing.TierAt(r.CancelPolicy, from, fliggy.Time{Time: time.Unix(atUnix, 0)})
		if err != nil && tier != (fliggy.CancelRule{}) {
			t.Fatalf("%+v with %v", tier, err)
		}
	})
}
