package rentcar

import (
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// The total is that of exact decimals, whatever the amounts look like.
func TestLineTotalProperty(t *testing.T) {
	t.Parallel()
	amounts := rapid.OneOf(
		rapid.StringMatching(`-?[0-9]{1,12}(\.[0-9]{1,4})?`),
		rapid.SampledFrom([]string{"", "0", "0.00", "-0.01", "99999999.99", "-99999999.9", "100000000", "1e20", "1.5e-30"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		var b Bill
		want := decimal.New(0, -2)
		for _, text := range rapid.SliceOf(amounts).Draw(t, "amounts") {
			l := BillLine{TradeType: rapid.SampledFrom([]TradeType{0, TradeIncome, TradeRefund}).Draw(t, "type")}
			if text != "" {
				l.OrderAmount = MustYuan(text)
			}
			if rapid.IntRange(0, 20).Draw(t, "huge") == 0 {
				l.OrderAmount = YuanFromDecimal(decimal.New(5, 1100)) // which has no plain notation
			}
			b.Lines = append(b.Lines, l)
			amount := l.OrderAmount.Decimal()
			if l.TradeType == TradeRefund {
				amount = amount.Neg()
			}
			want = want.Add(amount)
		}
		if got := b.LineTotal(); got != YuanFromDecimal(want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}
