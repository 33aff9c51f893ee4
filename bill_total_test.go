package rentcar

import (
	"testing"

	"github.com/shopspring/decimal"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/fliggy"
)

// The total is that of exact decimals, whatever the amounts look like; and there is
// none as soon as one line lacks its amount, or says not whether it is income. (Both
// counted as 0 and as income here before: money moved on a guess.)
func TestLineTotalProperty(t *testing.T) {
	t.Parallel()
	amounts := rapid.OneOf(
		rapid.StringMatching(`-?[0-9]{1,12}(\.[0-9]{1,4})?`),
		rapid.SampledFrom([]string{"0", "0.00", "-0.01", "99999999.99", "-99999999.9", "100000000", "1e20", "1.5e-30"}),
	)
	rapid.Check(t, func(t *rapid.T) {
		var b Bill
		want := decimal.New(0, -2)
		for _, text := range rapid.SliceOf(amounts).Draw(t, "amounts") {
			l := BillLine{TradeType: rapid.SampledFrom([]fliggy.TradeType{fliggy.TradeIncome, fliggy.TradeRefund}).Draw(t, "type"), OrderAmount: fliggy.MustYuan(text)}
			if rapid.IntRange(0, 20).Draw(t, "huge") == 0 {
				l.OrderAmount = fliggy.YuanFromDecimal(decimal.New(5, 1100)) // which has no plain notation
			}
			b.Lines = append(b.Lines, l)
			amount, _ := l.OrderAmount.Decimal()
			if l.TradeType == fliggy.TradeRefund {
				amount = amount.Neg()
			}
			want = want.Add(amount)
		}
		if got, err := b.LineTotal(); err != nil || got != fliggy.YuanFromDecimal(want) {
			t.Fatalf("got %v, %v, want %v", got, err, want)
		}
		if len(b.Lines) == 0 {
			return
		}
		broken := &b.Lines[rapid.IntRange(0, len(b.Lines)-1).Draw(t, "broken")]
		if rapid.Bool().Draw(t, "of unknown type") {
			broken.TradeType = rapid.SampledFrom([]fliggy.TradeType{0, 3}).Draw(t, "other type")
		} else {
			broken.OrderAmount = fliggy.Yuan{}
		}
		if got, err := b.LineTotal(); err == nil || got.IsSet() {
			t.Fatalf("got %v, %v without an amount or type", got, err)
		}
	})
}
