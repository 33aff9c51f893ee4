package pricing

import (
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/shopspring/decimal"
)

// A Rounding is a way to round an amount to whole fen. It is applied once to the amount of each line and once to the
// scattered-hour fee. All other amounts are whole fen already.
type Rounding int

const (
	// RoundHalfEven rounds half to the even neighbour: 0.015 to 0.02, 0.145 to 0.14. It is the only mode that fits all
	// amounts of the merchant renewal guide.
	RoundHalfEven Rounding = iota
	// RoundHalfUp rounds half up: 0.015 to 0.02, 0.145 to 0.15.
	RoundHalfUp
	// RoundHalfDown rounds half down: 0.015 to 0.01, 0.145 to 0.14.
	RoundHalfDown
	// RoundUp rounds every fraction up: 0.011 to 0.02.
	RoundUp
	// RoundDown drops every fraction: 0.019 to 0.01.
	RoundDown
)

const fenPlaces = 2 // decimals of a yuan

var (
	roundingNames = [...]string{
		RoundHalfEven: "half even", RoundHalfUp: "half up", RoundHalfDown: "half down", RoundUp: "up", RoundDown: "down",
	}
	roundingFuncs = [...]func(decimal.Decimal, int32) decimal.Decimal{
		RoundHalfEven: decimal.Decimal.RoundBank, RoundHalfUp: decimal.Decimal.Round, RoundHalfDown: halfDown,
		RoundUp: decimal.Decimal.RoundUp, RoundDown: decimal.Decimal.RoundDown,
	}
)

// String returns an English name, or the number if the value is unknown.
func (r Rounding) String() string { return nameOf(roundingNames[:], int(r)) }

// round rounds an amount to whole fen; an unset amount stays unset. Amounts must not be negative.
func (r Rounding) round(amount fliggy.Yuan) fliggy.Yuan {
	d, ok := amount.Decimal()
	if !ok {
		return fliggy.Yuan{}
	}
	return fliggy.YuanOf(roundingFuncs[r](d, fenPlaces)).RoundBank(fenPlaces)
}

// halfDown rounds d, which must not be negative, with half rounded down.
func halfDown(d decimal.Decimal, places int32) decimal.Decimal {
	return d.Sub(decimal.New(5, -places-1)).RoundCeil(places)
}

// days returns a number of days with as few decimals as needed and at least one: "2.0", "14.5".
func days(d decimal.Decimal) fliggy.Decimal {
	places := int32(1)
	for !d.Equal(d.Truncate(places)) {
		places++
	}
	return fliggy.DecimalOf(d.Truncate(places).Add(decimal.New(0, -1)))
}
