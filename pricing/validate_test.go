package pricing_test

import (
	"math"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/shopspring/decimal"
)

// Each rule of a plan, broken one at a time.
func TestPlanProblems(t *testing.T) {
	t.Parallel()
	type rules = []fliggy.ScatteredPriceRule
	const (
		negative, required = "must not be negative", "is required"
		below              = "must be below 1000000000000"
		decimals           = "must have at most two decimals: the smallest unit is the fen"
		cover              = ": the ranges must cover every scattered minute"
		noCancelType       = "CancelPolicy.CancelType: is required: 1 is the only known type"
	)
	wild := fliggy.YuanOf(decimal.New(1, math.MaxInt32)) // no text that is read gives such a number
	day := fliggy.Date{Year: 2023, Month: time.February, Day: 4}
	ranges := func(r ...fliggy.ScatteredPriceRule) func(*pricing.Plan) {
		return func(p *pricing.Plan) { p.ScatteredRules = r }
	}
	service := func(change func(*pricing.Service)) func(*pricing.Plan) {
		return func(p *pricing.Plan) { change(&p.Services[0]) }
	}
	cancel := func(rules ...fliggy.CancelRule) func(*pricing.Plan) {
		return func(p *pricing.Plan) { p.CancelPolicy.Rules = rules }
	}
	for name, c := range map[string]struct {
		change func(*pricing.Plan)
		want   []string
	}{
		"no day price": {
			func(p *pricing.Plan) { p.DayPrice = fliggy.Yuan{} },
			[]string{"DayPrice: is required when there are no DayPrices"},
		},
		// No fee was 0.00 before, and no base of the share the day price: money on a guess.
		"no handling fee": {func(p *pricing.Plan) { p.PoundageFee = fliggy.Yuan{} }, []string{"PoundageFee: " + required}},
		"no base of the share": {
			func(p *pricing.Plan) {
				p.ScatteredBase, p.StandardUnitPrice = pricing.BaseStandardUnitPrice, fliggy.Yuan{}
			},
			[]string{"StandardUnitPrice: is required when it is the ScatteredBase"},
		},
		"negative day price": {func(p *pricing.Plan) { p.DayPrice = yuan("-0.01") }, []string{"DayPrice: " + negative}},
		"parts of a fen":     {func(p *pricing.Plan) { p.DayPrice = yuan("10.001") }, []string{"DayPrice: " + decimals}},
		"a million million":  {func(p *pricing.Plan) { p.DayPrice = yuan("1e12") }, []string{"DayPrice: " + below}},
		"a wild amount":      {func(p *pricing.Plan) { p.DayPrice = wild }, []string{"DayPrice: " + below}},
		"other amounts": {
			func(p *pricing.Plan) { p.StandardUnitPrice, p.PoundageFee = yuan("-1"), yuan("0.001") },
			[]string{"StandardUnitPrice: " + negative, "PoundageFee: " + decimals},
		},
		"prices by date, in order": {
			func(p *pricing.Plan) {
				p.DayPrices = map[fliggy.Date]fliggy.Yuan{
					day.AddDays(1): yuan("-1"), day: {}, {}: yuan("1"), {Year: 2023, Month: time.February, Day: 30}: yuan("0.005"),
				}
			},
			[]string{
				"DayPrices[2023-02-04]: " + required, "DayPrices[2023-02-05]: " + negative,
				"DayPrices[2023-02-30]: must be a real date in the years 1 to 9999", "DayPrices[2023-02-30]: " + decimals,
				"DayPrices[]: must be a real date in the years 1 to 9999",
			},
		},

		"no percentage": {
			ranges(fliggy.ScatteredPriceRule{EndTime: 1440}), []string{"ScatteredRules[0].Value: " + required},
		},
		"percentage below 0": {ranges(rule("-1", 0, 1440)), []string{"ScatteredRules[0].Value: must be 0 to 100 percent"}},
		"percentage above 100": {
			ranges(rule("100.01", 0, 1440)), []string{"ScatteredRules[0].Value: must be 0 to 100 percent"},
		},
		"wild percentage": {
			ranges(fliggy.ScatteredPriceRule{Value: fliggy.DecimalOf(decimal.New(1, math.MaxInt32)), EndTime: 1440}),
			[]string{"ScatteredRules[0].Value: must be 0 to 100 percent"},
		},
		"percentage too fine": {
			ranges(rule("33.33333", 0, 1440)), []string{"ScatteredRules[0].Value: must have at most 4 decimals"},
		},
		"starts late": {ranges(rule("50", 2, 1440)), []string{"ScatteredRules[0].StartTime: must be 0 or 1" + cover}},
		"ends early": {
			ranges(rule("50", 0, 420), rule("100", 421, 1438)),
			[]string{"ScatteredRules[1].EndTime: must be 1439 or 1440" + cover},
		},
		"gap": {
			ranges(rule("50", 0, 420), rule("100", 422, 1440)),
			[]string{"ScatteredRules[1].StartTime: leaves a gap after the previous range, which ends at 420"},
		},
		"overlap": {
			ranges(rule("50", 0, 420), rule("100", 420, 1440)),
			[]string{"ScatteredRules[1].StartTime: overlaps the previous range, which ends at 420"},
		},
		"not sorted": {
			ranges(rule("100", 421, 1440), rule("50", 0, 420)),
			[]string{
				"ScatteredRules[0].StartTime: must be 0 or 1" + cover,
				"ScatteredRules[1].StartTime: overlaps the previous range, which ends at 1440",
				"ScatteredRules[1].EndTime: must be 1439 or 1440" + cover,
			},
		},
		"backwards": {
			ranges(rule("50", 420, 0), rule("100", 421, 1440)),
			[]string{"ScatteredRules[0].EndTime: must not be less than StartTime"},
		},
		"no minutes of a day": {
			ranges(rule("50", math.MinInt, 420), rule("50", 421, math.MaxInt), rule("100", 421, 1440)),
			[]string{
				"ScatteredRules[0].StartTime: must be 0 to 1440 minutes",
				"ScatteredRules[1].EndTime: must be 0 to 1440 minutes",
			},
		},

		"empty service": {
			service(func(s *pricing.Service) { *s = pricing.Service{} }),
			[]string{
				"Services[0].Type: " + required, "Services[0].Code: " + required,
				"Services[0].Name: " + required, "Services[0].Price: " + required,
			},
		},
		"blank service": {
			service(func(s *pricing.Service) { s.Code, s.Name = " \u3000", "\x1c" }),
			[]string{"Services[0].Code: " + required, "Services[0].Name: " + required},
		},
		"service price": {
			service(func(s *pricing.Service) { s.Price = yuan("0.015") }), []string{"Services[0].Price: " + decimals},
		},
		"service texts": {
			service(func(s *pricing.Service) {
				s.Code, s.Name, s.Desc, s.Include, s.Exclude = "\xff", "\xff", "\xff", []string{"", "\xff"}, []string{"\xff"}
			}),
			[]string{
				"Services[0].Code: must be valid UTF-8", "Services[0].Name: must be valid UTF-8",
				"Services[0].Desc: must be valid UTF-8",
				"Services[0].Include[1]: must be valid UTF-8", "Services[0].Exclude[0]: must be valid UTF-8",
			},
		},
		"scattered-hour fee as a service": {
			service(func(s *pricing.Service) { s.Type, s.Code = fliggy.ServiceTypeScatteredHour, qimen.ScatteredHourCode }),
			[]string{
				"Services[0].Type: must not be 4: Quote adds the scattered-hour line itself",
				"Services[0].Code: must not be hourFee: Quote adds the scattered-hour line itself",
			},
		},
		"one code thrice": {
			func(p *pricing.Plan) { p.Services = append(p.Services, p.Services[0], p.Services[0]) },
			[]string{
				"Services[1].Code: must be unique: Services[0] has the same code",
				"Services[2].Code: must be unique: Services[0] has the same code",
			},
		},

		"no policy":            {func(p *pricing.Plan) { p.CancelPolicy = fliggy.CancelPolicy{} }, []string{noCancelType}},
		"negative cancel type": {func(p *pricing.Plan) { p.CancelPolicy.CancelType = -1 }, []string{noCancelType}},
		"tiers without support": {
			func(p *pricing.Plan) { p.CancelPolicy.SupportCancel = false },
			[]string{"CancelPolicy.Rules: must be empty when SupportCancel is false"},
		},
		"negative tier": {
			cancel(fliggy.CancelRule{Num: -1, Time: -1}),
			[]string{"CancelPolicy.Rules[0].Num: " + negative, "CancelPolicy.Rules[0].Time: " + negative},
		},
		"penalty above 100": {
			cancel(fliggy.CancelRule{Num: 101}),
			[]string{"CancelPolicy.Rules[0].Num: must be 0 to 100 percent when CancelType is 1"},
		},
		"tiers that rise": {
			cancel(fliggy.CancelRule{Num: 50, Time: 0}, fliggy.CancelRule{Num: 30, Time: 2}),
			[]string{
				"CancelPolicy.Rules[1].Num: must not be less than that of the previous tier: cancelling later costs more",
				"CancelPolicy.Rules[1].Time: must be less than that of the previous tier",
			},
		},
		"two tiers of one time": {
			cancel(fliggy.CancelRule{Num: 30, Time: 2}, fliggy.CancelRule{Num: 30, Time: 2}),
			[]string{"CancelPolicy.Rules[1].Time: must be less than that of the previous tier"},
		},

		"options": {
			func(p *pricing.Plan) { p.Rounding, p.ScatteredBase, p.MaxDays = 5, 2, -1 },
			[]string{
				"Rounding: must be one of the Rounding constants", "ScatteredBase: must be one of the Base constants",
				"MaxDays: " + negative,
			},
		},
		"negative options": {
			func(p *pricing.Plan) { p.Rounding, p.ScatteredBase = -1, -1 },
			[]string{"Rounding: must be one of the Rounding constants", "ScatteredBase: must be one of the Base constants"},
		},
		"everything at once": {
			func(p *pricing.Plan) {
				*p = pricing.Plan{ScatteredRules: rules{{}}, Services: []pricing.Service{{}}, MaxDays: -1}
			},
			[]string{
				"DayPrice: is required when there are no DayPrices", "PoundageFee: " + required,
				"ScatteredRules[0].Value: " + required, "ScatteredRules[0].EndTime: must be 1439 or 1440" + cover,
				"Services[0].Type: " + required, "Services[0].Code: " + required,
				"Services[0].Name: " + required, "Services[0].Price: " + required,
				noCancelType, "MaxDays: " + negative,
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := guidePlan()
			c.change(p)
			wantProblems(t, p.Validate(), "", c.want...)
			r, err := p.Quote(pickUp, after(1470))
			if r != nil {
				t.Error("a reply")
			}
			wantProblems(t, err, "", c.want...)
		})
	}
	var none *pricing.Plan
	wantProblems(
		t, none.Validate(), "", "DayPrice: is required when there are no DayPrices", "PoundageFee: "+required, noCancelType,
	)
	_, err := none.Quote(pickUp, after(1470))
	wantProblems(t, err, "", "DayPrice: is required when there are no DayPrices", "PoundageFee: "+required, noCancelType)
}

// Unusual plans that are valid.
func TestUnusualPlans(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*pricing.Plan){
		"all for nothing": func(p *pricing.Plan) {
			p.DayPrice, p.PoundageFee, p.Services[0].Price = yuan("0"), yuan("0.00"), yuan("0")
		},
		"zeros behind the fen": func(p *pricing.Plan) { p.DayPrice = yuan("10.0000") },
		"the dearest":          func(p *pricing.Plan) { p.DayPrice = yuan("999999999999.99") },
		"ranges of a minute": func(p *pricing.Plan) {
			p.ScatteredRules = []fliggy.ScatteredPriceRule{
				rule("0", 0, 0), rule("10", 1, 1), rule("0.0001", 2, 1439), rule("100", 1440, 1440),
			}
		},
		"ranges from 1 to 1439": func(p *pricing.Plan) {
			p.ScatteredRules = []fliggy.ScatteredPriceRule{rule("50", 1, 1439)}
		},
		"percentages that fall": func(p *pricing.Plan) {
			p.ScatteredRules[0].Value, p.ScatteredRules[1].Value = number("100"), number("0")
		},
		"a type nobody knows": func(p *pricing.Plan) { p.Services[0].Type = -3 },
		"services of one type": func(p *pricing.Plan) {
			p.Services = append(p.Services, p.Services[0])
			p.Services[1].Code = "x"
		},
		"cancelling without tiers":     func(p *pricing.Plan) { p.CancelPolicy.Rules = nil },
		"a last tier before the start": func(p *pricing.Plan) { p.CancelPolicy.Rules = tiers[:3] },
		"one penalty for all":          func(p *pricing.Plan) { p.CancelPolicy.Rules[0].Num = 10 },
		"a cancel type nobody knows": func(p *pricing.Plan) {
			p.CancelPolicy.CancelType, p.CancelPolicy.Rules[0].Num = 2, 500
		},
		"a check time nobody can check": func(p *pricing.Plan) { p.CancelPolicy.ManualCheckTime = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := guidePlan()
			change(p)
			mustQuote(t, p, pickUp, after(1470))
		})
	}
}
