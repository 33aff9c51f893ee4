package pricing_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// A model is a plan in whole numbers. It computes quotes independently of Plan.
type model struct {
	plan     pricing.Plan
	dayPrice int64                 // fen
	byDate   map[fliggy.Date]int64 // fen
	unit     int64                 // fen, -1 when unset
	fee      int64                 // fen
	ranges   []modelRange
	services []int64 // fen
}

type modelRange struct {
	end   int   // last minute
	share int64 // of a day price, in millionths
}

const million = 1_000_000 // a share of 1

var (
	amounts = rapid.OneOf(rapid.Int64Range(0, 20), rapid.Int64Range(0, 100_000), rapid.Int64Range(0, 99_999_999_999_999))
	// A percentage has four decimals at most.
	shares    = rapid.OneOf(rapid.SampledFrom([]int64{0, 250_000, 500_000, million}), rapid.Int64Range(0, million))
	roundings = rapid.SampledFrom([]pricing.Rounding{
		pricing.RoundHalfEven, pricing.RoundHalfUp, pricing.RoundHalfDown, pricing.RoundUp, pricing.RoundDown,
	})
	texts  = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", " ", "null", "儿童座椅", `<&">\`, "\u2028\x00"}))
	starts = rapid.Map(
		rapid.IntRange(0, 50_000_000), func(minutes int) fliggy.Time { return plus(at("2000-01-01 00:00"), minutes*60) },
	)
	whole   = rapid.Map(rapid.IntRange(1, 365), func(days int) int { return days * 1440 })
	minutes = rapid.OneOf(rapid.IntRange(1, 3*1440), rapid.IntRange(1, 365*1440), whole)
)

// drawRules draws ranges without gap or overlap. If rising is set, more minutes never cost less.
func drawRules(t *rapid.T, m *model, rising bool) {
	ends := rapid.SliceOfNDistinct(rapid.IntRange(1, 1438), 0, 4, rapid.ID[int]).Draw(t, "ends")
	slices.Sort(ends)
	ends = append(ends, rapid.IntRange(1439, 1440).Draw(t, "end"))
	values := rapid.SliceOfN(shares, len(ends), len(ends)).Draw(t, "shares")
	if rising {
		slices.Sort(values)
	}
	start := rapid.IntRange(0, 1).Draw(t, "start")
	for i, end := range ends {
		percent := new(big.Rat).SetFrac64(values[i], 10_000).FloatString(4)
		m.plan.ScatteredRules = append(m.plan.ScatteredRules, rule(percent, start, end))
		m.ranges = append(m.ranges, modelRange{end, values[i]})
		start = end + 1
	}
}

// drawModel draws a valid plan with one day price.
func drawModel(t *rapid.T, rising bool) *model {
	m := &model{dayPrice: amounts.Draw(t, "day price"), unit: -1, fee: amounts.Draw(t, "handling fee")}
	m.plan = pricing.Plan{
		DayPrice:     fliggy.FenOf(m.dayPrice).Yuan(),
		PoundageFee:  fliggy.FenOf(m.fee).Yuan(),
		Rounding:     roundings.Draw(t, "rounding"),
		CancelPolicy: fliggy.CancelPolicy{CancelType: 1, SupportCancel: true, Rules: tiers},
	}
	if rapid.Bool().Draw(t, "has rules") {
		drawRules(t, m, rising)
	}
	for i := range rapid.IntRange(0, 3).Draw(t, "services") {
		price := amounts.Draw(t, "price")
		m.services = append(m.services, price)
		m.plan.Services = append(m.plan.Services, pricing.Service{
			Type: fliggy.ServiceType(rapid.SampledFrom([]int{1, 2, 7}).Draw(t, "type")), Code: "code" + string(rune('a'+i)),
			Name: "x" + texts.Draw(t, "name"), Desc: texts.Draw(t, "description"), Price: fliggy.FenOf(price).Yuan(),
			FlatPrice: rapid.Bool().Draw(t, "flat"), Optional: rapid.Bool().Draw(t, "optional"),
			Include: rapid.SliceOfN(texts, 0, 2).Draw(t, "include"), Exclude: rapid.SliceOfN(texts, 0, 2).Draw(t, "exclude"),
		})
	}
	return m
}

// drawAny draws a valid plan that may use every field.
func drawAny(t *rapid.T, from fliggy.Time) *model {
	m := drawModel(t, false)
	m.byDate = map[fliggy.Date]int64{}
	m.plan.DayPrices = map[fliggy.Date]fliggy.Yuan{}
	first := fliggy.DateOf(from.In(fliggy.Zone()))
	for range rapid.IntRange(0, 5).Draw(t, "dates") {
		date, price := first.AddDays(rapid.IntRange(-1, 5).Draw(t, "date")), amounts.Draw(t, "price of the date")
		m.byDate[date], m.plan.DayPrices[date] = price, fliggy.FenOf(price).Yuan()
	}
	if rapid.Bool().Draw(t, "has a unit price") {
		m.unit = amounts.Draw(t, "unit price")
		m.plan.StandardUnitPrice = fliggy.FenOf(m.unit).Yuan()
	}
	if m.unit >= 0 && rapid.Bool().Draw(t, "unit price is the base") {
		m.plan.ScatteredBase = pricing.BaseStandardUnitPrice
	}
	return m
}

func (m *model) price(date fliggy.Date) int64 {
	if price, ok := m.byDate[date]; ok {
		return price
	}
	return m.dayPrice
}

// share returns the share of a day price that m scattered minutes cost, in millionths.
func (m *model) share(minutes int) int64 {
	for _, r := range m.ranges {
		if minutes <= r.end {
			return r.share
		}
	}
	return million
}

// round rounds millionths of a fen to whole fen.
func (m *model) round(millionths *big.Int) *big.Int {
	whole, rest := new(big.Int).QuoRem(millionths, big.NewInt(million), new(big.Int))
	half := rest.Cmp(big.NewInt(million / 2))
	var up bool
	switch m.plan.Rounding {
	case pricing.RoundHalfEven:
		up = half > 0 || half == 0 && whole.Bit(0) == 1
	case pricing.RoundHalfUp:
		up = half >= 0
	case pricing.RoundHalfDown:
		up = half > 0
	case pricing.RoundUp:
		up = rest.Sign() > 0
	}
	if up {
		whole.Add(whole, big.NewInt(1))
	}
	return whole
}

// A bill is the essential part of a quote, in fen.
type bill struct {
	Standard, Total, Basic string
	Lines, Days            []string
	Fee                    string
	Quantity               string // in millionths
	Minutes                int
}

// bill computes a quote in whole numbers.
func (m *model) bill(from fliggy.Time, minutes int) bill {
	days, rest := int64(minutes/1440), minutes%1440
	share := m.share(rest)
	applies := rest > 0 && share < million
	entries := days
	if rest > 0 {
		entries++
	}
	charged, quantity := entries, entries*million
	if applies {
		charged, quantity = days, days*million+share
	}
	b := bill{Quantity: big.NewInt(quantity).String()}
	date, last := fliggy.DateOf(from.In(fliggy.Zone())), int64(0)
	standard := big.NewInt(m.fee)
	for i := range entries {
		last = m.price(date)
		b.Days = append(b.Days, date.String()+" "+fen(last))
		if i < charged {
			standard.Add(standard, big.NewInt(last))
		}
		date = date.AddDays(1)
	}
	total, basic, hasBasic := new(big.Int).Set(standard), new(big.Int), false
	for i, price := range m.services {
		amount := big.NewInt(price)
		if !m.plan.Services[i].FlatPrice {
			amount = m.round(new(big.Int).Mul(amount, big.NewInt(quantity)))
		}
		b.Lines = append(b.Lines, amount.String())
		total.Add(total, amount)
		if m.plan.Services[i].Type == fliggy.ServiceTypeBasic {
			basic.Add(basic, amount)
			hasBasic = true
		}
	}
	if applies {
		base := last
		if m.plan.ScatteredBase == pricing.BaseStandardUnitPrice {
			base = m.unit
		}
		fee := m.round(new(big.Int).Mul(big.NewInt(base), big.NewInt(share)))
		b.Fee, b.Minutes = fee.String(), rest
		b.Lines = append(b.Lines, b.Fee)
		total.Add(total, fee)
	}
	b.Standard, b.Total = standard.String(), total.String()
	if hasBasic {
		b.Basic = basic.String()
	}
	return b
}

func fen(n int64) string { return big.NewInt(n).String() }

// inFen returns an amount in fen: its text without the point. Amounts have two decimals.
func inFen(t *rapid.T, y fliggy.Yuan) string {
	if !y.IsSet() {
		return ""
	}
	text := y.String()
	if len(text) < 4 || text[len(text)-3] != '.' || text[0] == '-' {
		t.Fatalf("amount %q", text)
	}
	n, _ := new(big.Int).SetString(text[:len(text)-3]+text[len(text)-2:], 10)
	return n.String()
}

// billOf returns the bill of a quote.
func billOf(t *rapid.T, r *qimen.RenewalPricesReply) bill {
	p := r.Price
	last := p.CalendarPrice[len(p.CalendarPrice)-1]
	b := bill{
		Standard: inFen(t, p.StandardPrice), Total: inFen(t, totalOf(t, r)), Basic: inFen(t, p.BasicServiceFee),
		Fee: inFen(t, last.ScatteredPrice), Minutes: last.ScatteredMinutes,
		Quantity: fliggy.Yuan(p.Quantity).Mul(number("1000000")).RoundBank(0).String(),
	}
	for _, d := range p.CalendarPrice {
		b.Days = append(b.Days, d.Date.String()+" "+inFen(t, d.DayPrice))
	}
	for _, s := range r.AddedServices {
		b.Lines = append(b.Lines, inFen(t, s.Amount))
	}
	return b
}

// A quote equals that of the model, to the fen: the total is the sum of its parts, no amount is negative, and the
// calendar has every started day.
func TestPropertyExact(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, length := starts.Draw(t, "from"), minutes.Draw(t, "minutes")
		m := drawAny(t, from)
		r, err := m.plan.Quote(from, plus(from, length*60))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(m.bill(from, length), billOf(t, r)); diff != "" {
			t.Fatalf("(-whole numbers +quote):\n%s", diff)
		}
		if err := pricing.CheckTotal(r, totalOf(t, r)); err != nil {
			t.Fatal(err)
		}
	})
}

// Replies are valid and survive encoding and decoding, every text included.
func TestPropertyLossless(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, length := starts.Draw(t, "from"), minutes.Draw(t, "minutes")
		m := drawAny(t, from)
		r, err := m.plan.Quote(from, plus(from, length*60))
		if err != nil {
			t.Fatal(err)
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
	})
}

// With one day price and percentages that rise with the minutes, a longer period never costs less.
func TestPropertyLongerNeverCheaper(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, length := starts.Draw(t, "from"), rapid.IntRange(1, 364*1440).Draw(t, "minutes")
		more := rapid.OneOf(rapid.IntRange(1, 10), rapid.IntRange(1, 1440)).Draw(t, "more")
		m := drawModel(t, true)
		total := func(length int) fliggy.Yuan {
			r, err := m.plan.Quote(from, plus(from, length*60))
			if err != nil {
				t.Fatal(err)
			}
			return totalOf(t, r)
		}
		short, long := total(length), total(length+more)
		if c, err := long.Cmp(short); err != nil || c < 0 {
			t.Fatalf("%d minutes cost %s, %d cost %s", length, short, length+more, long)
		}
	})
}

// A total agrees if and only if some choice of the optional lines gives it.
func TestPropertyCheckTotal(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		few := rapid.SliceOfN(rapid.Int64Range(0, 30), 0, 8)
		mandatory, optional := few.Draw(t, "mandatory"), few.Draw(t, "optional")
		standard, submitted := rapid.Int64Range(0, 30).Draw(t, "standard"), rapid.Int64Range(0, 300).Draw(t, "submitted")
		r := &qimen.RenewalPricesReply{Price: qimen.RenewalPrice{StandardPrice: fliggy.FenOf(standard).Yuan()}}
		base := standard
		for _, amount := range mandatory {
			r.AddedServices = append(r.AddedServices, qimen.AddedService{Amount: fliggy.FenOf(amount).Yuan(), Mandatory: true})
			base += amount
		}
		for _, amount := range optional {
			r.AddedServices = append(r.AddedServices, qimen.AddedService{Amount: fliggy.FenOf(amount).Yuan()})
		}
		want := false
		for choice := range 1 << len(optional) {
			sum := base
			for i, amount := range optional {
				if choice>>i&1 == 1 {
					sum += amount
				}
			}
			want = want || sum == submitted
		}
		if err := pricing.CheckTotal(r, fliggy.FenOf(submitted).Yuan()); (err == nil) != want {
			t.Fatalf("%v, want agreement %t", err, want)
		}
	})
}

// A plan that lacks a required amount gives no quote, and a quote that lacks one has no total.
func TestPropertyNoTotalWithoutAnAmount(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		from, length := starts.Draw(t, "from"), minutes.Draw(t, "minutes")
		m := drawAny(t, from)
		r, err := m.plan.Quote(from, plus(from, length*60))
		if err != nil {
			t.Fatal(err)
		}
		total := totalOf(t, r)

		lines := len(r.AddedServices)
		if i := rapid.IntRange(0, lines).Draw(t, "lost amount"); i == lines {
			r.Price.StandardPrice = fliggy.Yuan{}
		} else {
			r.AddedServices[i].Amount = fliggy.Yuan{}
		}
		if got, err := r.Total(); err == nil || got.IsSet() {
			t.Fatalf("total %q, %v", got, err)
		}
		for _, submitted := range []fliggy.Yuan{total, {}, yuan("0")} {
			var mismatch *pricing.TotalError
			if err := pricing.CheckTotal(r, submitted); !errors.As(
				err, &mismatch,
			) || mismatch.Err == nil || mismatch.Quoted.IsSet() {
				t.Fatalf("%q agrees with a quote without a total: %v", submitted, err)
			}
		}

		p := m.plan
		amounts := []*fliggy.Yuan{&p.PoundageFee}
		if len(p.DayPrices) == 0 {
			amounts = append(amounts, &p.DayPrice)
		}
		if p.ScatteredBase == pricing.BaseStandardUnitPrice {
			amounts = append(amounts, &p.StandardUnitPrice)
		}
		p.Services = slices.Clone(p.Services)
		for i := range p.Services {
			amounts = append(amounts, &p.Services[i].Price)
		}
		*amounts[rapid.IntRange(0, len(amounts)-1).Draw(t, "lost price")] = fliggy.Yuan{}
		if r, err := p.Quote(from, plus(from, length*60)); err == nil {
			t.Fatalf("a quote without a price: %+v", r)
		}
	})
}
