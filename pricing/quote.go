package pricing

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/shopspring/decimal"
)

// scatteredHourName is the name and description of the scattered-hour line in the guide.
const scatteredHourName = "零散小时费"

// Quote prices a renewal from from (carUseTime) to to (carReturnTime). The period is at least one minute and at most
// MaxDays started days. The reply is complete, shares no memory with the plan, and may be changed.
//
// PriceMark is a digest of the period, the numbers and the cancellation policy. It depends on the plan and the period
// only, not on the order. Compare it with the mark of a submit to see that nothing has changed since the quote, or
// replace it with a token of your own. It does not prove who made the quote.
//
// Errors are *fliggy.ValidationError. An error about the period matches [ErrPeriod] and names carUseTime,
// carReturnTime, or each day without a price, such as "DayPrices[2023-02-04]": decline the renewal with [qimen.Refuse].
// Any other error comes from Validate: the plan is invalid.
//
// Source: qimen.alitrip.rentcar.renewalprices.query, merchant renewal guide.
func (p *Plan) Quote(from, to fliggy.Time) (*qimen.RenewalPricesReply, error) {
	if err := p.Validate(); err != nil {
		return nil, err
	}
	var ps fliggy.Problems
	d := p.duration(&ps, from, to)
	calendar := p.calendar(&ps, from, d.started())
	if err := ps.Err(qimen.RenewalPricesMethod); err != nil {
		return nil, &periodError{err}
	}
	c := p.charge(d)
	rent := p.PoundageFee
	for _, day := range calendar[:c.wholeDays] {
		rent = rent.Add(day.DayPrice)
	}
	unit := p.standardUnitPrice(calendar[0].DayPrice)
	reply := &qimen.RenewalPricesReply{
		AddedServices: p.lines(c.quantity),
		CancelPolicy:  p.CancelPolicy,
		Price: qimen.RenewalPrice{
			StandardPrice:       rent.RoundBank(fenPlaces),
			StandardUnitPrice:   unit.RoundBank(fenPlaces),
			PoundageFee:         p.PoundageFee.RoundBank(fenPlaces),
			Quantity:            days(c.quantity),
			CalendarPrice:       calendar,
			ScatteredPriceRules: fliggy.ScatteredPriceRules{Rules: cloned(p.ScatteredRules)},
		},
	}
	reply.CancelPolicy.Rules = cloned(p.CancelPolicy.Rules)
	fee := &reply.Price.BasicServiceFee
	for _, s := range reply.AddedServices {
		if s.ServiceType == fliggy.ServiceTypeBasic && fee.IsSet() {
			*fee = fee.Add(s.Amount)
		} else if s.ServiceType == fliggy.ServiceTypeBasic {
			*fee = s.Amount
		}
	}
	if c.feeApplies {
		last := &calendar[len(calendar)-1]
		base := last.DayPrice
		if p.ScatteredBase == BaseStandardUnitPrice {
			base = unit
		}
		fee := p.Rounding.round(base.Mul(c.share))
		last.ScatteredPrice, last.ScatteredMinutes = fee, d.minutes
		reply.AddedServices = append(reply.AddedServices, scatteredHourLine(fee))
	}
	reply.Price.PriceMark = mark(from, to, reply)
	return reply, nil
}

// ErrPeriod means that a plan has no price for a period: the period ends before it begins, is too long, or includes a
// day without a price. Retrying does not help.
var ErrPeriod = errors.New("pricing: no price for this period")

// A periodError is a *fliggy.ValidationError that matches ErrPeriod.
type periodError struct{ error }

func (e *periodError) Unwrap() error { return e.error }

func (e *periodError) Is(target error) bool { return target == ErrPeriod }

// A duration is whole days of 24 hours and the scattered minutes after them.
type duration struct{ days, minutes int }

// started returns the number of days that begin in d.
func (d duration) started() int {
	if d.minutes > 0 {
		return d.days + 1
	}
	return d.days
}

// duration measures a period. It returns 0 if the period is invalid.
func (p *Plan) duration(ps *fliggy.Problems, from, to fliggy.Time) duration {
	before := len(*ps)
	checkTime(ps, "carUseTime", from)
	checkTime(ps, "carReturnTime", to)
	if len(*ps) > before {
		return duration{}
	}
	minutes := wholeSeconds(from, to) / 60
	limit := int64(p.maxDays())
	switch {
	case !to.After(from.Time) || minutes < 1:
		ps.Add("carReturnTime", "must be at least a minute after carUseTime")
		return duration{}
	case (minutes+dayMinutes-1)/dayMinutes > limit:
		ps.Add("carReturnTime", "must be at most %d days after carUseTime", limit)
		return duration{}
	}
	return duration{days: int(minutes / dayMinutes), minutes: int(minutes % dayMinutes)}
}

func checkTime(ps *fliggy.Problems, field string, t fliggy.Time) {
	if !t.IsSet() {
		ps.Add(field, "is missing")
	} else if _, err := t.AppendText(nil); err != nil {
		ps.Add(field, "must be in the years 1 to 9999")
	}
}

// wholeSeconds returns the seconds from one instant to a later one, rounded down. Unlike time.Time.Sub it is not
// limited to 292 years.
func wholeSeconds(from, to fliggy.Time) int64 {
	seconds := to.Unix() - from.Unix()
	if to.Nanosecond() < from.Nanosecond() {
		seconds--
	}
	return seconds
}

// calendar returns the entries of n days, without the scattered-hour fee.
func (p *Plan) calendar(ps *fliggy.Problems, from fliggy.Time, n int) []qimen.DailyPrice {
	calendar := make([]qimen.DailyPrice, n)
	first := fliggy.DateOf(from.In(fliggy.Zone()))
	for i := range calendar {
		date := first.AddDays(i)
		price := p.dayPrice(date)
		if !price.IsSet() {
			ps.Add(fmt.Sprintf("DayPrices[%s]", date), "is missing, and there is no DayPrice")
		}
		calendar[i] = qimen.DailyPrice{Date: date, DayPrice: price.RoundBank(fenPlaces)}
	}
	return calendar
}

// A charge is how a duration is charged.
type charge struct {
	wholeDays  int             // days charged whole
	quantity   decimal.Decimal // wholeDays, plus share if the fee applies
	feeApplies bool            // 命中
	share      fliggy.Decimal  // the fee as a share of a day price
}

func (p *Plan) charge(d duration) charge {
	percent := hundred // if no range matches
	for _, r := range p.ScatteredRules {
		if r.StartTime <= d.minutes && d.minutes <= r.EndTime {
			percent, _ = r.Value.Decimal() // Validate checked it
		}
	}
	if d.minutes == 0 || percent.Equal(hundred) {
		return charge{wholeDays: d.started(), quantity: decimal.NewFromInt(int64(d.started()))}
	}
	share := percent.Shift(-2)
	quantity := decimal.NewFromInt(int64(d.days)).Add(share)
	return charge{wholeDays: d.days, quantity: quantity, feeApplies: true, share: fliggy.DecimalOf(share)}
}

// lines returns the lines of the services of the plan.
func (p *Plan) lines(quantity decimal.Decimal) []qimen.AddedService {
	lines := make([]qimen.AddedService, 0, len(p.Services)+1)
	for _, s := range p.Services {
		line := qimen.AddedService{
			ServiceType: s.Type, ServiceCode: s.Code, ServiceName: s.Name, ServiceDesc: s.Desc,
			Price:       s.Price.RoundBank(fenPlaces),
			Quantity:    days(quantity),
			Amount:      p.Rounding.round(s.Price.Mul(fliggy.DecimalOf(quantity))),
			Mandatory:   !s.Optional,
			ListInclude: cloned(s.Include), ListExclude: cloned(s.Exclude),
		}
		if s.FlatPrice {
			line.Quantity, line.Amount, line.FlatPrice = one, line.Price, true
		}
		lines = append(lines, line)
	}
	return lines
}

var one = fliggy.DecimalOf(decimal.New(1, 0)) // quantity of a flat price

func scatteredHourLine(fee fliggy.Yuan) qimen.AddedService {
	return qimen.AddedService{
		ServiceType: fliggy.ServiceTypeScatteredHour, ServiceCode: qimen.ScatteredHourCode,
		ServiceName: scatteredHourName, ServiceDesc: scatteredHourName,
		Price: fee, Quantity: one, Amount: fee, FlatPrice: true, Mandatory: true,
		ListInclude: []string{}, ListExclude: []string{},
	}
}

// cloned copies a list. The copy is never nil, so that it is encoded as [].
func cloned[T any](list []T) []T { return append(make([]T, 0, len(list)), list...) }

var number = map[bool]int{true: 1}

// mark returns the default PriceMark. It lists each member so that the mark stays the same when a type grows.
func mark(from, to fliggy.Time, r *qimen.RenewalPricesReply) string {
	p, c := &r.Price, &r.CancelPolicy
	b := fmt.Appendf(nil, "%s %s %s %s ", from, to, p.StandardPrice, p.StandardUnitPrice)
	b = fmt.Appendf(b, "%s %s %s\n", p.PoundageFee, p.BasicServiceFee, p.Quantity)
	for _, d := range p.CalendarPrice {
		b = fmt.Appendf(b, "%s %s %s %d\n", d.Date, d.DayPrice, d.ScatteredPrice, d.ScatteredMinutes)
	}
	for _, rule := range p.ScatteredPriceRules.Rules {
		b = fmt.Appendf(b, "rule %s %d %d\n", rule.Value, rule.StartTime, rule.EndTime)
	}
	for _, s := range r.AddedServices {
		b = fmt.Appendf(b, "line %d %q %s %s %s ", int(s.ServiceType), s.ServiceCode, s.Price, s.Quantity, s.Amount)
		b = fmt.Appendf(b, "%d %d\n", number[s.FlatPrice], number[s.Mandatory])
	}
	b = fmt.Appendf(b, "cancel %t %d %d\n", c.SupportCancel, c.CancelType, c.ManualCheckTime)
	for _, tier := range c.Rules {
		b = fmt.Appendf(b, "tier %d %d\n", tier.Num, tier.Time)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:10]) // as long as the marks of the samples
}
