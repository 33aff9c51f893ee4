package pricing

import (
	"strconv"

	"github.com/fliggy-go/rentcar/fliggy"
)

// DefaultMaxDays is the default of [Plan.MaxDays].
const DefaultMaxDays = 365

// A Plan is a rate plan: the prices of a renewal. It is plain data. Goroutines may share it as long as none changes it.
//
// Amounts are in yuan, at least 0.00 and below 1,000,000,000,000, with at most two decimals.
type Plan struct {
	// DayPrice is the rent of a whole day (日租金). Required unless DayPrices has every day of the period.
	DayPrice fliggy.Yuan
	// DayPrices are the rents of single days, keyed by the date in GMT+8 on which the 24 hours start. They override
	// DayPrice.
	DayPrices map[fliggy.Date]fliggy.Yuan
	// StandardUnitPrice is the rent of one day to display (standardUnitPrice). It is also the base of the scattered-hour
	// fee with BaseStandardUnitPrice, and then required. The default is DayPrice or, without one, the price of the first
	// day.
	StandardUnitPrice fliggy.Yuan
	// PoundageFee is the handling fee (手续费), charged once per renewal. Required; 0.00 if there is no fee.
	PoundageFee fliggy.Yuan
	// ScatteredRules are the scattered-hour rules (零散小时规则): ranges of minutes beyond the last whole day, both ends
	// included. They are in rising order without gap or overlap, from 0 or 1 to 1439 or 1440. Value is a percentage of a
	// day price, 0 to 100 with at most four decimals; 100 charges a whole day instead of the fee. If there are no rules,
	// every started day is charged in full.
	ScatteredRules []fliggy.ScatteredPriceRule
	// Services are the added services (增值服务), without the scattered-hour fee.
	Services []Service
	// CancelPolicy is the cancellation policy (取消政策) of the reply. Its CancelType is required; 1 is the only value in the
	// samples.
	CancelPolicy fliggy.CancelPolicy
	// Rounding is how amounts are rounded to whole fen. The default is RoundHalfEven.
	Rounding Rounding
	// ScatteredBase is the day price that the percentage of the scattered-hour fee applies to. The default is BaseLastDay.
	ScatteredBase ScatteredBase
	// MaxDays is the maximum number of started days of a renewal, and of entries in the calendar. The default is
	// DefaultMaxDays.
	MaxDays int
}

// A Service is an added service (增值服务) of a rate plan.
type Service struct {
	// Type is the kind of service: [fliggy.ServiceTypeBasic], the only documented one, or a value of your own. Required. 4
	// is reserved for the scattered-hour fee.
	Type fliggy.ServiceType
	// Code is your code of the service, for example [qimen.BasicServiceCode]. Required and unique. hourFee is reserved for
	// the scattered-hour fee.
	Code string
	// Name is the name to display. Required.
	Name string
	// Desc is a description. Optional.
	Desc string
	// Price is the price of a day, or of the whole renewal when FlatPrice. Required.
	Price fliggy.Yuan
	// FlatPrice makes Price a flat price (一口价) instead of a price per day.
	FlatPrice bool
	// Optional makes the service optional instead of mandatory (必选).
	Optional bool
	// Include lists what the service includes.
	Include []string
	// Exclude lists what the service excludes.
	Exclude []string
}

// A ScatteredBase selects the day price that the percentage of the scattered-hour fee (零散小时费) applies to. In all
// samples the choices are equal.
type ScatteredBase int

const (
	// BaseLastDay is the price of the last started day, whose calendar entry carries the fee.
	BaseLastDay ScatteredBase = iota
	// BaseStandardUnitPrice is [Plan.StandardUnitPrice].
	BaseStandardUnitPrice
)

var scatteredBaseNames = [...]string{BaseLastDay: "last day", BaseStandardUnitPrice: "standard unit price"}

// String returns an English name, or the number if the value is unknown.
func (b ScatteredBase) String() string { return nameOf(scatteredBaseNames[:], int(b)) }

// nameOf returns the name of a value, or the number if it has none.
func nameOf(names []string, value int) string {
	if value < 0 || value >= len(names) {
		return strconv.Itoa(value)
	}
	return names[value]
}

// dayPrice returns the rent of a day, unset if the plan has none.
func (p *Plan) dayPrice(date fliggy.Date) fliggy.Yuan {
	if price, ok := p.DayPrices[date]; ok {
		return price
	}
	return p.DayPrice
}

// standardUnitPrice returns the rent of one day to display. first is the rent of the first day.
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
