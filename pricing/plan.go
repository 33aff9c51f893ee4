package pricing

import (
	"strconv"

	"github.com/fliggy-go/rentcar/fliggy"
)

// DefaultMaxDays is how many started days a renewal has at most, where the plan says
// nothing else.
const DefaultMaxDays = 365

// A Plan is a rate plan: what a renewal costs. It is plain data; any number of
// goroutines may use it as long as none changes it.
//
// Amounts are in yuan, not negative, with at most two decimals, and below
// 1,000,000,000,000. 0.00 is an amount.
type Plan struct {
	// DayPrice is the rent of a whole day (日租金). Required, unless DayPrices has
	// every day that is asked for.
	DayPrice fliggy.Yuan
	// DayPrices are the rents of single days, by the date in GMT+8 on which the 24
	// hours start. They win over DayPrice.
	DayPrices map[fliggy.Date]fliggy.Yuan
	// StandardUnitPrice is the rent of one day to display (standardUnitPrice), and the
	// base of the scattered-hour fee with BaseStandardUnitPrice, where it is required.
	// Unset, DayPrice is displayed, and without one the price of the first day.
	StandardUnitPrice fliggy.Yuan
	// PoundageFee is the handling fee (手续费), once per renewal. Required: 0.00 where
	// there is none.
	PoundageFee fliggy.Yuan
	// ScatteredRules are the scattered-hour rules (零散小时规则): ranges of minutes
	// beyond the last whole day, both ends included, in rising order, without gap or
	// overlap from 0 or 1 to 1439 or 1440. Value is a percentage of a day price, 0 to
	// 100 with at most four decimals; 100 charges a whole day instead of the fee.
	// Empty: every started day is charged whole.
	ScatteredRules []fliggy.ScatteredPriceRule
	// Services are the added services (增值服务), without the scattered-hour fee.
	Services []Service
	// CancelPolicy is the cancellation policy (取消政策) that the reply carries. Its
	// CancelType is required: 1, the only one that is seen.
	CancelPolicy fliggy.CancelPolicy
	// Rounding is how an amount that is no whole number of fen is rounded. Zero value:
	// RoundHalfEven.
	Rounding Rounding
	// ScatteredBase is the day price of which the scattered-hour fee is a share. Zero
	// value: BaseLastDay.
	ScatteredBase ScatteredBase
	// MaxDays is how many started days a renewal has at most, and so the length of the
	// calendar. 0: DefaultMaxDays.
	MaxDays int
}

// A Service is an added service (增值服务) of a rate plan.
type Service struct {
	// Type is the kind of service: [fliggy.ServiceTypeBasic], or a value of your own;
	// no other is documented. Required. 4 is kept for the scattered-hour fee.
	Type fliggy.ServiceType
	// Code is your code of the service, for example [qimen.BasicServiceCode]. Required
	// and unique; hourFee is kept for the scattered-hour fee.
	Code string
	// Name is the name to display. Required.
	Name string
	// Desc is a description.
	Desc string
	// Price is the price of a day, or of the whole renewal when IsFlat. Required.
	Price fliggy.Yuan
	// IsFlat tells a flat price (一口价) from a price per day.
	IsFlat bool
	// IsOptional tells an optional service from a mandatory one (必选).
	IsOptional bool
	// Include says what the service includes.
	Include []string
	// Exclude says what it does not include.
	Exclude []string
}

// ScatteredBase is the day price of which the scattered-hour fee (零散小时费) is a
// share. The two are equal in all samples.
type ScatteredBase int

const (
	// BaseLastDay is the price of the last started day, where the reply has the fee.
	BaseLastDay ScatteredBase = iota
	// BaseStandardUnitPrice is StandardUnitPrice.
	BaseStandardUnitPrice
)

var scatteredBaseNames = [...]string{BaseLastDay: "last day", BaseStandardUnitPrice: "standard unit price"}

// String gives an English name, the value itself when it is unknown.
func (b ScatteredBase) String() string { return nameOf(scatteredBaseNames[:], int(b)) }

// nameOf gives the name of a value, or the value.
func nameOf(names []string, value int) string {
	if value < 0 || value >= len(names) {
		return strconv.Itoa(value)
	}
	return names[value]
}

// dayPrice is the rent of a day, unset when the plan has none.
func (p *Plan) dayPrice(date fliggy.Date) fliggy.Yuan {
	if price, ok := p.DayPrices[date]; ok {
		return price
	}
	return p.DayPrice
}

// standardUnitPrice is the rent of one day to display; first is that of the first day.
func (p *Plan) standardUnitPrice(first fliggy.Yuan) fliggy.Yuan {
	for _, price := range []fliggy.Yuan{p.StandardUnitPrice, p.DayPrice} {
		if price.IsSet() {
			return price
		}
	}
	return first
}

func (p *Plan) maxDays() int {
	if p.MaxDays == 0 {
		return DefaultMaxDays
	}
	return p.MaxDays
}
