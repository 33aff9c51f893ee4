package acceptance

import (
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

// pricingRows are plans, periods and totals that are wrong.
func pricingRows() []leakRow {
	from, to := fliggy.MustTime("2023-02-04 10:00"), fliggy.MustTime("2023-02-05 10:30")
	text := markBody.text + "\xff"
	amount := fliggy.MustYuan("-4711081523424299107")
	wrong := &pricing.Plan{
		DayPrice: amount, DayPrices: map[fliggy.Date]fliggy.Yuan{{}: amount}, StandardUnitPrice: amount,
		PoundageFee: fliggy.MustYuan("4711081523424299107.001"),
		ScatteredRules: []fliggy.ScatteredPriceRule{
			{Value: fliggy.MustDecimal("4711081523424299107"), StartTime: 5, EndTime: 2}, {StartTime: -1, EndTime: 9999},
		},
		Services: []pricing.Service{
			{Code: text, Name: text, Desc: text, Price: amount}, {Code: text, Name: markBody.text},
		},
		CancelPolicy: fliggy.CancelPolicy{Rules: []fliggy.CancelRule{{Num: -1, Time: -1}, {Num: 500, Time: 5}}},
		Rounding:     77, ScatteredBase: 77, MaxDays: -1,
	}
	right := &pricing.Plan{
		DayPrice: fliggy.MustYuan("10.00"), PoundageFee: fliggy.MustYuan("0"), MaxDays: 3,
		CancelPolicy: fliggy.CancelPolicy{CancelType: 1},
	}
	strategy := fliggy.CancelPolicy{CancelType: 1, SupportCancel: true, Rules: []fliggy.CancelRule{{Num: 0, Time: 24}}}
	return []leakRow{{
		name: "pricing.Plan", covers: []string{"pricing.Plan.Validate", "pricing.Plan.Quote"}, want: "not valid",
		run: func(*testing.T, *leakStage) []any {
			return all(wrong.Validate(), second(wrong.Quote(from, to)), second(
				(*pricing.Plan)(nil).Quote(from, to),
			), second(right.Quote(to, from)),
				second(right.Quote(fliggy.Time{}, to)), second(right.Quote(from, fliggy.At(from.AddDate(1, 0, 0)))))
		},
	}, {
		name: "pricing.CheckTotal", covers: []string{"pricing.CheckTotal", "qimen.RenewalPricesReply.Total"},
		want: "the submitted total is", may: leakReasons{markDigits: "a *TotalError gives both totals, and says so"},
		run: func(t *testing.T, _ *leakStage) []any {
			quote, err := right.Quote(from, to)
			if err != nil {
				t.Fatal(err)
			}
			quote.Price.PriceMark = markBody.text
			quote.AddedServices = []qimen.AddedService{
				{ServiceCode: markBody.text, ServiceName: markBody.text, Amount: fliggy.MustYuan("1.00")},
			}
			lacks := &qimen.RenewalPricesReply{
				AddedServices: []qimen.AddedService{{ServiceCode: markBody.text, ServiceName: markBody.text}},
			}
			return all(
				second(lacks.Total()), pricing.CheckTotal(lacks, fliggy.MustYuan(markDigits.text)),
				pricing.CheckTotal(quote, fliggy.MustYuan(markDigits.text)), pricing.CheckTotal(quote, fliggy.Yuan{}),
				pricing.CheckTotal(nil, fliggy.Yuan{}),
			)
		},
	}, {
		name: "pricing.TierAt", covers: []string{"pricing.TierAt"}, want: "pricing: ",
		run: func(*testing.T, *leakStage) []any {
			return all(second(
				pricing.TierAt(fliggy.CancelPolicy{}, from, to),
			), second(pricing.TierAt(strategy, from, to)), second(pricing.TierAt(strategy, fliggy.Time{}, to)),
				second(pricing.TierAt(strategy, from, fliggy.At(from.Add(-time.Hour)))))
		},
	}}
}
