package pricing_test

import (
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/google/go-cmp/cmp"
)

func plus(t fliggy.Time, seconds int) fliggy.Time {
	return fliggy.At(t.Add(time.Duration(seconds) * time.Second))
}

// The scenarios of the guide come out equal: every member but the mark, amounts as
// numbers.
func TestGuideScenarios(t *testing.T) {
	t.Parallel()
	for scenario, total := range map[string]string{"scenario1": "16.02", "scenario2": "21.02", "scenario3": "146.14"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			var request qimen.RenewalPricesRequest
			var want qimen.RenewalPricesReply
			readSample(t, "renewalprices.query."+scenario+".request", &request)
			readSample(t, "renewalprices.query."+scenario+".response", &want)
			got := mustQuote(t, guidePlan(), request.CarUseTime, request.CarReturnTime)
			want.PriceInfo.PriceMark = got.PriceInfo.PriceMark
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("(-guide +quote):\n%s", diff)
			}
			if got.PriceInfo.Quantity != want.PriceInfo.Quantity {
				t.Errorf("quantity %s, want the text %s", got.PriceInfo.Quantity, want.PriceInfo.Quantity)
			}
			if got := totalOf(t, got); got != yuan(total) {
				t.Errorf("total %s, want %s", got, total)
			}
		})
	}
}

// The total of the submit sample is that of the quote; with basicServiceFee added a
// second time it would be 16.04.
func TestGuideSubmit(t *testing.T) {
	t.Parallel()
	var request qimen.RenewalSubmitRequest
	readSample(t, "renewalorder.submit.request", &request)
	quote := mustQuote(t, guidePlan(), request.CarUseTime, request.CarReturnTime)
	if request.RenewalOrderTotalAmount != yuan("16.02") {
		t.Errorf("the sample says %s", request.RenewalOrderTotalAmount)
	}
	if err := pricing.CheckTotal(quote, request.RenewalOrderTotalAmount); err != nil {
		t.Error(err)
	}
	if err := pricing.CheckTotal(quote, yuan("16.04")); err == nil {
		t.Error("16.04 agrees")
	}
}

// Everything that a period decides, of the guide's plan.
func TestDurations(t *testing.T) {
	t.Parallel()
	type want struct {
		Standard, Fee, Quantity, Basic, Total string
		Entries, Minutes                      int
	}
	for _, c := range []struct {
		name    string
		minutes int
		want    want
	}{
		{"a minute", 1, want{"1.00", "5.00", "0.5", "0.00", "6.00", 1, 1}},
		{"2 hours: the fee alone", 120, want{"1.00", "5.00", "0.5", "0.00", "6.00", 1, 120}},
		{"the last minute of the fee", 420, want{"1.00", "5.00", "0.5", "0.00", "6.00", 1, 420}},
		{"the first minute of a whole day", 421, want{"11.00", "", "1.0", "0.01", "11.01", 1, 0}},
		{"8 hours: a whole day", 480, want{"11.00", "", "1.0", "0.01", "11.01", 1, 0}},
		{"a minute less than a day", 1439, want{"11.00", "", "1.0", "0.01", "11.01", 1, 0}},
		{"a day: no scattered part, no fee", 1440, want{"11.00", "", "1.0", "0.01", "11.01", 1, 0}},
		{"a day and a minute", 1441, want{"11.00", "5.00", "1.5", "0.02", "16.02", 2, 1}},
		{"two days", 2880, want{"21.00", "", "2.0", "0.02", "21.02", 2, 0}},
		{"a year, the most by default", 365 * 1440, want{"3651.00", "", "365.0", "3.65", "3654.65", 365, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := mustQuote(t, guidePlan(), pickUp, after(c.minutes))
			p := r.PriceInfo
			last := p.CalendarPrice[len(p.CalendarPrice)-1]
			got := want{
				p.StandardPrice.String(), last.ScatteredPrice.String(), p.Quantity.String(), p.BasicServiceFee.String(),
				totalOf(t, r).String(), len(p.CalendarPrice), last.ScatteredMinutes,
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			hourFee := r.AddedServices[len(r.AddedServices)-1].ServiceCode == qimen.ScatteredHourCode
			if hourFee != (c.want.Fee != "") {
				t.Errorf("a line of the scattered-hour fee: %t", hourFee)
			}
		})
	}
}

// The same instants give the same quote, in whatever zone they are held.
func TestZones(t *testing.T) {
	t.Parallel()
	// 01:30 in GMT+8 is still the day before in UTC, and the day after began in Auckland.
	from, to := at("2024-02-28 01:30"), at("2024-03-01 02:00")
	want := mustQuote(t, guidePlan(), from, to)
	if dates := calendarDates(want); !cmp.Equal(dates, []string{"2024-02-28", "2024-02-29", "2024-03-01"}) {
		t.Errorf("leap day: %v", dates)
	}
	for _, hours := range []int{-12, -3, 0, 13} {
		zone := time.FixedZone("", hours*60*60)
		got := mustQuote(t, guidePlan(), fliggy.Time{Time: from.In(zone)}, fliggy.Time{Time: to.In(zone)})
		if diff := cmp.Diff(want, got, exact); diff != "" {
			t.Errorf("UTC%+d (-GMT+8 +got):\n%s", hours, diff)
		}
	}
	common := mustQuote(t, guidePlan(), at("2023-02-28 23:59"), at("2023-03-02 00:00"))
	if dates := calendarDates(common); !cmp.Equal(dates, []string{"2023-02-28", "2023-03-01"}) {
		t.Errorf("no leap day: %v", dates)
	}
}

func calendarDates(r *qimen.RenewalPricesReply) (dates []string) {
	for _, d := range r.PriceInfo.CalendarPrice {
		dates = append(dates, d.Date.String())
	}
	return dates
}

// Seconds and fractions of them are rounded down, as a duration.
func TestSeconds(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		from, to string
		minutes  int
	}{
		{"2023-02-04 10:00:00", "2023-02-05 17:00:59", 420},
		{"2023-02-04 10:00:30", "2023-02-05 17:01:29", 420},
		{"2023-02-04 10:00:30", "2023-02-05 10:30:10", 29},
		{"2023-02-04 10:00:00.5", "2023-02-05 10:30:00.4", 29},
		{"2023-02-04 10:00:00.4", "2023-02-05 10:30:00.5", 30},
		{"2023-02-04 10:00:59", "2023-02-05 10:01:58", 0},
	} {
		p := mustQuote(t, guidePlan(), at(c.from), at(c.to)).PriceInfo
		if got := p.CalendarPrice[len(p.CalendarPrice)-1].ScatteredMinutes; got != c.minutes {
			t.Errorf("%s to %s: %d scattered minutes, want %d", c.from, c.to, got, c.minutes)
		}
	}
}
