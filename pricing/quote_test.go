package pricing_test

import (
	"errors"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

func TestPeriodProblems(t *testing.T) {
	t.Parallel()
	three := guidePlan()
	three.MaxDays = 3
	ancient := fliggy.Time{Time: time.Date(-5, 1, 1, 0, 0, 0, 0, time.UTC)}
	far := fliggy.Time{Time: time.Date(10000, 1, 1, 0, 0, 0, 0, fliggy.Zone())}
	const short, long = "carReturnTime: must be at least a minute after carUseTime",
		"carReturnTime: must be at most 365 days after carUseTime"
	for name, c := range map[string]struct {
		plan     *pricing.Plan
		from, to fliggy.Time
		want     []string
	}{
		"no times": {
			guidePlan(), fliggy.Time{}, fliggy.Time{}, []string{"carUseTime: is missing", "carReturnTime: is missing"},
		},
		"no return":      {guidePlan(), pickUp, fliggy.Time{}, []string{"carReturnTime: is missing"}},
		"same time":      {guidePlan(), pickUp, pickUp, []string{short}},
		"backwards":      {guidePlan(), after(1440), pickUp, []string{short}},
		"59 seconds":     {guidePlan(), pickUp, plus(pickUp, 59), []string{short}},
		"a day too many": {guidePlan(), pickUp, after(365*1440 + 1), []string{long}},
		"millennia":      {guidePlan(), at("0001-01-02 00:00"), at("9999-12-31 23:59"), []string{long}},
		"three days": {
			three, pickUp, after(3*1440 + 1), []string{"carReturnTime: must be at most 3 days after carUseTime"},
		},
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
	if n := len(mustQuote(t, three, pickUp, after(3*1440)).Price.CalendarPrice); n != 3 {
		t.Errorf("%d entries, want 3", n)
	}
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
		p.ScatteredRules = []fliggy.ScatteredPriceRule{rule(c.value, 1, 1439)}
		p.Services[0].Price = yuan("1")
		r := mustQuote(t, p, pickUp, after(1441))
		last := r.Price.CalendarPrice[1]
		got := []string{r.Price.Quantity.String(), last.ScatteredPrice.String(), r.AddedServices[0].Amount.String()}
		if diff := cmp.Diff([]string{c.quantity, c.fee, c.amount}, got); diff != "" {
			t.Errorf("%s percent (-want +got):\n%s", c.value, diff)
		}
		if c.fee != "" {
			want := qimen.AddedService{
				ServiceType: 4, ServiceCode: "hourFee", ServiceName: "零散小时费", ServiceDesc: "零散小时费",
				Price: yuan(c.fee), Amount: yuan(c.fee), Quantity: number("1"), FlatPrice: true, Mandatory: true,
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
		pricing.Service{Type: fliggy.ServiceTypeBasic, Code: "basicPlus", Name: "基础服务费", Price: yuan("0.50"), Optional: true},
		pricing.Service{
			Type: 7, Code: "childSeat", Name: "儿童座椅", Price: yuan("30"), FlatPrice: true, Optional: true,
			Exclude: []string{"安装"},
		},
	)
	r := mustQuote(t, p, pickUp, after(1470))
	want := []qimen.AddedService{
		{
			ServiceType: 1, ServiceCode: "basicServiceMoney", ServiceName: "基础服务费", ServiceDesc: "基础服务费",
			Price: yuan("0.01"), Quantity: number("1.5"), Amount: yuan("0.02"), Mandatory: true,
			ListInclude: include, ListExclude: []string{},
		},
		{
			ServiceType: 1, ServiceCode: "basicPlus", ServiceName: "基础服务费",
			Price: yuan("0.50"), Quantity: number("1.5"), Amount: yuan("0.75"), ListInclude: []string{}, ListExclude: []string{},
		},
		{
			ServiceType: 7, ServiceCode: "childSeat", ServiceName: "儿童座椅",
			Price: yuan("30.00"), Quantity: number("1"), Amount: yuan("30.00"), FlatPrice: true,
			ListInclude: []string{}, ListExclude: []string{"安装"},
		},
	}
	if diff := cmp.Diff(want, r.AddedServices[:3], exact); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if len(r.AddedServices) != 4 || r.AddedServices[3].ServiceCode != qimen.ScatteredHourCode {
		t.Errorf("lines: %+v", r.AddedServices)
	}
	if total := totalOf(t, r); r.Price.BasicServiceFee != yuan("0.77") || total != yuan("46.77") {
		t.Errorf("basic services %s, total %s", r.Price.BasicServiceFee, total)
	}
}

// Changing a reply changes neither the plan nor the next reply.
func TestReplySharesNothing(t *testing.T) {
	t.Parallel()
	p := guidePlan()
	first := mustQuote(t, p, pickUp, after(1470))
	reply := mustQuote(t, guidePlan(), pickUp, after(1470)) // of a plan that shares nothing with p
	first.AddedServices[0].ListInclude[0] = "x"
	first.CancelPolicy.Rules[0].Num = 99
	first.Price.ScatteredPriceRules.Rules[0].EndTime = 1
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
			got.AddedServices[0].ListInclude[0], got.CancelPolicy.Rules[0].Num = "x", 1
		})
	}
	wait.Wait()
}

// Everything that a customer would notice changes the mark, and nothing else does.
func TestPriceMark(t *testing.T) {
	t.Parallel()
	mark := func(p *pricing.Plan, to fliggy.Time) string {
		t.Helper()
		return mustQuote(t, p, pickUp, to).Price.PriceMark
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
		"optional":      func(p *pricing.Plan) { p.Services[0].Optional = true },
		"tier":          func(p *pricing.Plan) { p.CancelPolicy.Rules[0].Time = 73 },
		"cancel type":   func(p *pricing.Plan) { p.CancelPolicy.CancelType = 2 },
		"check time":    func(p *pricing.Plan) { p.CancelPolicy.ManualCheckTime = 1 },
		"no tiers":      func(p *pricing.Plan) { p.CancelPolicy.Rules = nil },
		"no cancelling": func(p *pricing.Plan) { p.CancelPolicy = fliggy.CancelPolicy{CancelType: 1} },
		"flat":          func(p *pricing.Plan) { p.Services[0].FlatPrice = true },
	} {
		p := guidePlan()
		change(p)
		add(name, mark(p, after(1470)))
	}
}

// A period without a price and an invalid plan can be distinguished. Both are validation errors.
func TestErrPeriod(t *testing.T) {
	t.Parallel()
	from := fliggy.MustTime("2023-02-04 10:00")
	later := fliggy.At(from.AddDate(3, 0, 0))
	for name, tt := range map[string]struct {
		plan pricing.Plan
		to   fliggy.Time
		want bool
	}{
		"ends before it begins": {
			pricing.Plan{DayPrice: fliggy.MustYuan("1"), PoundageFee: yuan("0"), CancelPolicy: guidePlan().CancelPolicy},
			fliggy.At(from.Add(-1)), true,
		},
		"too long": {*guidePlan(), later, true},
		"no price": {
			pricing.Plan{
				PoundageFee: yuan("0"), CancelPolicy: guidePlan().CancelPolicy,
				DayPrices: map[fliggy.Date]fliggy.Yuan{fliggy.DateOf(from.AddDate(0, 1, 0)): fliggy.MustYuan("1")},
			},
			fliggy.At(from.AddDate(0, 0, 1)), true,
		},
		"wrong plan": {pricing.Plan{DayPrice: fliggy.MustYuan("-1")}, later, false},
	} {
		_, err := tt.plan.Quote(from, tt.to)
		var invalid *fliggy.ValidationError
		if errors.Is(err, pricing.ErrPeriod) != tt.want || !errors.As(err, &invalid) || !errors.Is(
			err, fliggy.ErrInvalidRequest,
		) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// The boundaries of periods, with the guide's plan.
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
			p := r.Price
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

// The same instants give the same quote in any time zone.
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
	for _, d := range r.Price.CalendarPrice {
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
		p := mustQuote(t, guidePlan(), at(c.from), at(c.to)).Price
		if got := p.CalendarPrice[len(p.CalendarPrice)-1].ScatteredMinutes; got != c.minutes {
			t.Errorf("%s to %s: %d scattered minutes, want %d", c.from, c.to, got, c.minutes)
		}
	}
}
