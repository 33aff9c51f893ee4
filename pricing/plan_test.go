package pricing_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

func TestNamesOfOptions(t *testing.T) {
	t.Parallel()
	for want, got := range map[string]string{
		"half down": pricing.RoundHalfDown.String(), "5": pricing.Rounding(5).String(), "-1": pricing.Rounding(-1).String(),
		"last day": pricing.BaseLastDay.String(), "standard unit price": pricing.BaseStandardUnitPrice.String(),
		"2": pricing.ScatteredBase(2).String(),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// pricesByDate is a plan with a price for 4, 5 and 6 February only.
func pricesByDate() *pricing.Plan {
	p := guidePlan()
	p.DayPrice = fliggy.Yuan{}
	p.DayPrices = map[fliggy.Date]fliggy.Yuan{
		{Year: 2023, Month: time.February, Day: 4}: yuan("10"),
		{Year: 2023, Month: time.February, Day: 5}: yuan("20"),
		{Year: 2023, Month: time.February, Day: 6}: yuan("0.0"),
	}
	return p
}

func TestDayPrices(t *testing.T) {
	t.Parallel()
	type want struct{ Standard, Unit, Fee, Total string }
	with := func(change func(*pricing.Plan)) *pricing.Plan {
		p := pricesByDate()
		change(p)
		return p
	}
	for name, c := range map[string]struct {
		plan     *pricing.Plan
		from, to fliggy.Time
		want     want
	}{
		"each day its price": {pricesByDate(), pickUp, at("2023-02-06 10:00"), want{"31.00", "10.00", "", "31.02"}},
		// The 24 hours that start on the 4th at 23:00 are mostly on the 5th.
		"the date of the start": {
			pricesByDate(), at("2023-02-04 23:00"), at("2023-02-05 23:00"), want{"11.00", "10.00", "", "11.01"},
		},
		"the last day is the base of the fee": {
			pricesByDate(), pickUp, at("2023-02-05 11:00"), want{"11.00", "10.00", "10.00", "21.02"},
		},
		"the unit price is the base": {
			with(func(p *pricing.Plan) {
				p.ScatteredBase, p.StandardUnitPrice = pricing.BaseStandardUnitPrice, yuan("33.3")
			}),
			pickUp, at("2023-02-05 11:00"), want{"11.00", "33.30", "16.65", "27.67"},
		},
		"the unit price is only printed": {
			with(func(p *pricing.Plan) { p.StandardUnitPrice, p.DayPrice = yuan("33.3"), yuan("99") }),
			pickUp, at("2023-02-05 11:00"), want{"11.00", "33.30", "10.00", "21.02"},
		},
		"other days": {
			with(func(p *pricing.Plan) { p.DayPrice = yuan("7") }),
			at("2023-02-06 10:00"), at("2023-02-08 10:00"), want{"8.00", "7.00", "", "8.02"}, // 0.00 and 7
		},
		"a day of 0.00 is a price": {
			with(func(p *pricing.Plan) { p.DayPrice, p.PoundageFee = yuan("7"), yuan("0") }),
			at("2023-02-06 10:00"), at("2023-02-06 11:00"), want{"0.00", "7.00", "0.00", "0.00"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := mustQuote(t, c.plan, c.from, c.to)
			calendar := r.Price.CalendarPrice
			got := want{
				r.Price.StandardPrice.String(), r.Price.StandardUnitPrice.String(),
				calendar[len(calendar)-1].ScatteredPrice.String(), totalOf(t, r).String(),
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A plan may allow any length: 400 years are more than a time.Duration holds.
func TestMaxDays(t *testing.T) {
	t.Parallel()
	p := guidePlan()
	p.MaxDays = 146097
	if n := len(mustQuote(t, p, at("1900-01-01 00:00"), at("2300-01-01 00:00")).Price.CalendarPrice); n != 146097 {
		t.Errorf("%d days in 400 years, want 146097", n)
	}
	_, err := p.Quote(at("1900-01-01 00:00"), at("2300-01-01 00:01"))
	wantProblems(t, err, qimen.RenewalPricesMethod, "carReturnTime: must be at most 146097 days after carUseTime")
}

// The smallest valid plan: every started day is charged in full, and lists are empty, not null.
func TestSmallestPlan(t *testing.T) {
	t.Parallel()
	p := &pricing.Plan{DayPrice: yuan("8.5"), PoundageFee: yuan("0"), CancelPolicy: fliggy.CancelPolicy{CancelType: 1}}
	got := mustQuote(t, p, pickUp, after(1441))
	day := func(d int) qimen.DailyPrice {
		return qimen.DailyPrice{Date: fliggy.Date{Year: 2023, Month: time.February, Day: d}, DayPrice: yuan("8.50")}
	}
	want := &qimen.RenewalPricesReply{
		AddedServices: []qimen.AddedService{},
		CancelPolicy:  fliggy.CancelPolicy{Rules: []fliggy.CancelRule{}, CancelType: 1},
		Price: qimen.RenewalPrice{
			StandardPrice: yuan("17.00"), StandardUnitPrice: yuan("8.50"), PoundageFee: yuan("0.00"), Quantity: number("2.0"),
			CalendarPrice:       []qimen.DailyPrice{day(4), day(5)},
			ScatteredPriceRules: fliggy.ScatteredPriceRules{Rules: []fliggy.ScatteredPriceRule{}},
			PriceMark:           got.Price.PriceMark,
		},
	}
	if diff := cmp.Diff(want, got, exact); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
