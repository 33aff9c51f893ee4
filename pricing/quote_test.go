package pricing_test

import (
	"errors"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/google/go-cmp/cmp"
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
			p.ScatteredRules = []qimen.ScatteredPriceRule{
				rule("50", 0, 100), rule("25.00", 101, 200), rule("75.0", 201, 300), rule("100", 301, 1439),
			}
			p.DayPrices = map[fliggy.Date]fliggy.Yuan{
				{Year: 2023, Month: 2, Day: 4}: yuan("0.01"), {Year: 2023, Month: 2, Day: 5}: yuan("0.03"),
			}
			for quantity, minutes := range map[string]int{"0.5": 100, "1.5": 1540, "14.5": 14*1440 + 1, "1.25": 1640, "1.75": 1740, "2.0": 2880} {
				r := mustQuote(t, p, pickUp, after(minutes))
				if got := r.PriceInfo.Quantity.String(); got != quantity {
					t.Errorf("quantity %s, want %s", got, quantity)
				}
				if got := r.AddedServices[0].Amount.String(); got != want[quantity] {
					t.Errorf("0.01 x %s = %s, want %s", quantity, got, want[quantity])
				}
				if got := r.PriceInfo.BasicServiceFee.String(); got != want[quantity] {
					t.Errorf("basic service fee %s, want %s", got, want[quantity])
				}
			}
			// 0.01 x 0.5 as above; 0.03 x 0.5 = 0.015 is what 0.01 x 1.5 is.
			for minutes, quantity := range map[int]string{100: "0.5", 1540: "1.5"} {
				calendar := mustQuote(t, p, pickUp, after(minutes)).PriceInfo.CalendarPrice
				if got := calendar[len(calendar)-1].ScatteredPrice.String(); got != want[quantity] {
					t.Errorf("fee after %d minutes %s, want %s", minutes, got, want[quantity])
				}
			}
		})
	}
}

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
		"the date of the start": {pricesByDate(), at("2023-02-04 23:00"), at("2023-02-05 23:00"), want{"11.00", "10.00", "", "11.01"}},
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
			calendar := r.PriceInfo.CalendarPrice
			got := want{
				r.PriceInfo.StandardPrice.String(), r.PriceInfo.StandardUnitPrice.String(),
				calendar[len(calendar)-1].ScatteredPrice.String(), totalOf(t, r).String(),
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPeriodProblems(t *testing.T) {
	t.Parallel()
	three := guidePlan()
	three.MaxDays = 3
	ancient := fliggy.Time{Time: time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)}
	far := fliggy.Time{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, fliggy.Zone())}
	const short, long = "carReturnTime: must be at least a minute after carUseTime", "carReturnTime: must be at most 365 days after carUseTime"
	for name, c := range map[string]struct {
		plan     *pricing.Plan
		from, to fliggy.Time
		want     []string
	}{
		"no times":       {guidePlan(), fliggy.Time{}, fliggy.Time{}, []string{"carUseTime: is missing", "carReturnTime: is missing"}},
		"no return":      {guidePlan(), pickUp, fliggy.Time{}, []string{"carReturnTime: is missing"}},
		"same time":      {guidePlan(), pickUp, pickUp, []string{short}},
		"backwards":      {guidePlan(), after(1440), pickUp, []string{short}},
		"59 seconds":     {guidePlan(), pickUp, plus(pickUp, 59), []string{short}},
		"a day too many": {guidePlan(), pickUp, after(365*1440 + 1), []string{long}},
		"millennia":      {guidePlan(), at("0001-01-02 00:00"), at("9999-12-31 23:59"), []string{long}},
		"three days":     {three, pickUp, after(3*1440 + 1), []string{"carReturnTime: must be at most 3 days after carUseTime"}},
		"no such year": {guidePlan(), ancient, far, []string{
			"carUseTime: must be in the years 1 to 9999", "carReturnTime: must be in the years 1 to 9999",
		}},
		"days without a price": {pricesByDate(), at("2023-02-03 10:00"), at("2023-02-07 10:01"), []string{
			"DayPrices[2023-02-03]: is missing, and there is no DayPrice",
			"DayPrices[2023-02-07]: is missing, and there is no DayPrice",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r, err := c.plan.Quote(c.from, c.to)
			if r != nil {
				t.Error("a reply")
			}
			wantProblems(t, err, qimen.RenewalPricesMethod, c.want...)
		})
	}
	if n := len(mustQuote(t, three, pickUp, after(3*1440)).PriceInfo.CalendarPrice); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
}

// A plan may allow any length: 400 years are more than a time.Duration holds.
func TestMaxDays(t *testing.T) {
	t.Parallel()
	p := guidePlan()
	p.MaxDays = 146097
	if n := len(mustQuote(t, p, at("1900-01-01 00:00"), at("2300-01-01 00:00")).PriceInfo.CalendarPrice); n != 146097 {
		t.Errorf("%d days in 400 years, want 146097", n)
	}
	_, err := p.Quote(at("1900-01-01 00:00"), at("2300-01-01 00:01"))
	wantProblems(t, err, qimen.RenewalPricesMethod, "carReturnTime: must be at most 146097 days after carUseTime")
}

// Percentages other than 50 and 100.
func TestPercentages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ value, quantity, fee, amount string }{
		{"0", "1.0", "0.00", "1.00"}, // a period of grace
		{"33", "1.33", "3.30", "1.33"},
		{"12.5", "1.125", "1.25", "1.12"},
		{"33.3333", "1.333333", "3.33", "1.33"},
		{"99.99", "1.9999", "10.00", "2.00"},
		{"5e1", "1.5", "5.00", "1.50"},
		{"100.00", "2.0", "", "2.00"},
	} {
		p := guidePlan()
		p.ScatteredRules = []qimen.ScatteredPriceRule{rule(c.value, 1, 1439)}
		p.Services[0].Price = yuan("1")
		r := mustQuote(t, p, pickUp, after(1441))
		last := r.PriceInfo.CalendarPrice[1]
		got := []string{r.PriceInfo.Quantity.String(), last.ScatteredPrice.String(), r.AddedServices[0].Amount.String()}
		if diff := cmp.Diff([]string{c.quantity, c.fee, c.amount}, got); diff != "" {
			t.Errorf("%s percent (-want +got):\n%s", c.value, diff)
		}
		if c.fee != "" {
			want := qimen.AddedService{
				ServiceType: 4, ServiceCode: "hourFee", ServiceName: "零散小时费", ServiceDesc: "零散小时费",
				Price: yuan(c.fee), Amount: yuan(c.fee), Quantity: number("1"), IsFlatPrice: 1, IsMandatory: 1,
				ListInclude: []string{}, ListExclude: []string{},
			}
			if diff := cmp.Diff(want, r.AddedServices[1], exact); diff != "" {
				t.Errorf("%s percent (-want +got):\n%s", c.value, diff)
			}
		}
	}
}

// The lines of services come in the order of the plan, the scattered-hour fee last.
func TestServices(t *testing.T) {
	t.Parallel()
	p := guidePlan()
	p.Services = append(p.Services,
		pricing.Service{Type: fliggy.ServiceTypeBasic, Code: "basicPlus", Name: "基础服务费", Price: yuan("0.50"), IsOptional: true},
		pricing.Service{Type: 7, Code: "childSeat", Name: "儿童座椅", Price: yuan("30"), IsFlat: true, IsOptional: true, Exclude: []string{"安装"}},
	)
	r := mustQuote(t, p, pickUp, after(1470))
	want := []qimen.AddedService{
		{
			ServiceType: 1, ServiceCode: "basicServiceMoney", ServiceName: "基础服务费", ServiceDesc: "基础服务费",
			Price: yuan("0.01"), Quantity: number("1.5"), Amount: yuan("0.02"), IsMandatory: 1,
			ListInclude: include, ListExclude: []string{},
		},
		{
			ServiceType: 1, ServiceCode: "basicPlus", ServiceName: "基础服务费",
			Price: yuan("0.50"), Quantity: number("1.5"), Amount: yuan("0.75"), ListInclude: []string{}, ListExclude: []string{},
		},
		{
			ServiceType: 7, ServiceCode: "childSeat", ServiceName: "儿童座椅",
			Price: yuan("30.00"), Quantity: number("1"), Amount: yuan("30.00"), IsFlatPrice: 1,
			ListInclude: []string{}, ListExclude: []string{"安装"},
		},
	}
	if diff := cmp.Diff(want, r.AddedServices[:3], exact); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(r.AddedServices) != 4 || r.AddedServices[3].ServiceCode != qimen.ScatteredHourCode {
		t.Errorf("lines: %+v", r.AddedServices)
	}
	if total := totalOf(t, r); r.PriceInfo.BasicServiceFee != yuan("0.77") || total != yuan("46.77") {
		t.Errorf("basic services %s, total %s", r.PriceInfo.BasicServiceFee, total)
	}
}

// The least that a plan can be: every started day is charged whole, and lists are
// empty, not null.
func TestSmallestPlan(t *testing.T) {
	t.Parallel()
	p := &pricing.Plan{DayPrice: yuan("8.5"), PoundageFee: yuan("0"), CancelStrategy: qimen.CancelStrategy{CancelType: 1}}
	got := mustQuote(t, p, pickUp, after(1441))
	day := func(d int) qimen.DailyPrice {
		return qimen.DailyPrice{Date: fliggy.Date{Year: 2023, Month: time.February, Day: d}, DayPrice: yuan("8.50")}
	}
	want := &qimen.RenewalPricesReply{
		AddedServices:  []qimen.AddedService{},
		CancelStrategy: qimen.CancelStrategy{CancelRules: []qimen.CancelRule{}, CancelType: 1},
		PriceInfo: qimen.PriceInfo{
			StandardPrice: yuan("17.00"), StandardUnitPrice: yuan("8.50"), PoundageFee: yuan("0.00"), Quantity: number("2.0"),
			CalendarPrice:       []qimen.DailyPrice{day(4), day(5)},
			ScatteredPriceRules: qimen.ScatteredPriceRules{Rules: []qimen.ScatteredPriceRule{}},
			PriceMark:           got.PriceInfo.PriceMark,
		},
	}
	if diff := cmp.Diff(want, got, exact); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Whoever changes a reply changes neither the plan nor the next reply.
func TestReplySharesNothing(t *testing.T) {
	t.Parallel()
	p := guidePlan()
	first := mustQuote(t, p, pickUp, after(1470))
	reply := mustQuote(t, guidePlan(), pickUp, after(1470)) // of a plan that shares nothing with p
	first.AddedServices[0].ListInclude[0] = "x"
	first.CancelStrategy.CancelRules[0].Num = 99
	first.PriceInfo.ScatteredPriceRules.Rules[0].EndTime = 1
	if diff := cmp.Diff(reply, mustQuote(t, p, pickUp, after(1470)), exact); diff != "" {
		t.Errorf("the next reply changed:\n%s", diff)
	}
	if diff := cmp.Diff(guidePlan(), p, exact); diff != "" {
		t.Errorf("the plan changed:\n%s", diff)
	}
}

// Any number of goroutines may use a plan.
func TestConcurrentQuotes(t *testing.T) {
	t.Parallel()
	p := guidePlan()
	want := mustQuote(t, guidePlan(), pickUp, after(1470))
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			got, err := p.Quote(pickUp, after(1470))
			if err != nil || !cmp.Equal(want, got, exact) {
				t.Errorf("%+v, %v", got, err)
				return
			}
			got.AddedServices[0].ListInclude[0], got.CancelStrategy.CancelRules[0].Num = "x", 1
		})
	}
	wait.Wait()
}

// Everything that a customer would notice changes the mark, and nothing else does.
func TestPriceMark(t *testing.T) {
	t.Parallel()
	mark := func(p *pricing.Plan, to fliggy.Time) string {
		t.Helper()
		return mustQuote(t, p, pickUp, to).PriceInfo.PriceMark
	}
	guide := mark(guidePlan(), after(1470))
	if !regexp.MustCompile(`^[0-9a-f]{20}$`).MatchString(guide) {
		t.Errorf("mark %q", guide)
	}
	// Fixed, so that the marks of quotes outlive an update.
	if guide != "c1a55dcb89bee8d613c9" {
		t.Errorf("the mark of scenario 1 is now %s", guide)
	}
	same := guidePlan()
	same.DayPrice, same.Services[0].Desc, same.MaxDays = yuan("10.00"), "x", 30
	if got := mark(same, after(1470)); got != guide {
		t.Errorf("the mark of the same price is %s", got)
	}
	seen := map[string]string{guide: "the guide's plan"}
	add := func(name, mark string) {
		if other, ok := seen[mark]; ok {
			t.Errorf("%s has the mark of %s", name, other)
		}
		seen[mark] = name
	}
	add("another period", mark(guidePlan(), after(1471)))
	for name, change := range map[string]func(*pricing.Plan){
		"day price":     func(p *pricing.Plan) { p.DayPrice = yuan("10.01") },
		"handling fee":  func(p *pricing.Plan) { p.PoundageFee = yuan("1.01") },
		"unit price":    func(p *pricing.Plan) { p.StandardUnitPrice = yuan("10.01") },
		"range":         func(p *pricing.Plan) { p.ScatteredRules[0].EndTime, p.ScatteredRules[1].StartTime = 419, 420 },
		"percentage":    func(p *pricing.Plan) { p.ScatteredRules[0].Value = number("50.01") },
		"service price": func(p *pricing.Plan) { p.Services[0].Price = yuan("0.02") },
		"service code":  func(p *pricing.Plan) { p.Services[0].Code = "basic" },
		"service type":  func(p *pricing.Plan) { p.Services[0].Type = 2 },
		"optional":      func(p *pricing.Plan) { p.Services[0].IsOptional = true },
		"tier":          func(p *pricing.Plan) { p.CancelStrategy.CancelRules[0].Time = 73 },
		"cancel type":   func(p *pricing.Plan) { p.CancelStrategy.CancelType = 2 },
		"check time":    func(p *pricing.Plan) { p.CancelStrategy.ManualCheckTime = 1 },
		"no tiers":      func(p *pricing.Plan) { p.CancelStrategy.CancelRules = nil },
		"no cancelling": func(p *pricing.Plan) { p.CancelStrategy = qimen.CancelStrategy{CancelType: 1} },
		"flat":          func(p *pricing.Plan) { p.Services[0].IsFlat = true },
	} {
		p := guidePlan()
		change(p)
		add(name, mark(p, after(1470)))
	}
}

// A period without a price is told from a plan that is wrong, and both are
// validation errors.
func TestErrPeriod(t *testing.T) {
	t.Parallel()
	from := fliggy.MustTime("2023-02-04 10:00")
	later := fliggy.At(from.AddDate(3, 0, 0))
	for name, tt := range map[string]struct {
		plan pricing.Plan
		to   fliggy.Time
		want bool
	}{
		"ends before it begins": {pricing.Plan{DayPrice: fliggy.MustYuan("1"), PoundageFee: yuan("0"), CancelStrategy: guidePlan().CancelStrategy}, fliggy.At(from.Add(-1)), true},
		"too long":              {*guidePlan(), later, true},
		"no price":              {pricing.Plan{PoundageFee: yuan("0"), CancelStrategy: guidePlan().CancelStrategy, DayPrices: map[fliggy.Date]fliggy.Yuan{fliggy.DateOf(from.AddDate(0, 1, 0)): fliggy.MustYuan("1")}}, fliggy.At(from.AddDate(0, 0, 1)), true},
		"wrong plan":            {pricing.Plan{DayPrice: fliggy.MustYuan("-1")}, later, false},
	} {
		_, err := tt.plan.Quote(from, tt.to)
		var invalid *fliggy.ValidationError
		if errors.Is(err, pricing.ErrPeriod) != tt.want || !errors.As(err, &invalid) || !errors.Is(err, fliggy.ErrInvalidRequest) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
