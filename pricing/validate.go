package pricing

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/shopspring/decimal"
)

const (
	dayMinutes = 24 * 60

	// percentPlaces is enough for a third of a day, 33.3333, and keeps quantities readable.
	percentPlaces = 4

	ruleRequired = "is required"
	ruleNegative = "must not be negative"
)

var (
	hundred = decimal.New(100, 0)

	// maxAmount keeps every sum and product far below the 40 digits that the wire format allows.
	maxAmount = decimal.New(1, 12)
)

// Validate returns a *fliggy.ValidationError that lists every problem of the plan, with fields named like
// "ScatteredRules[1].StartTime". Replies of a valid plan are valid. No document defines a valid plan: Validate rejects
// values that have no meaning or cannot be encoded.
func (p *Plan) Validate() error {
	if p == nil {
		p = &Plan{}
	}
	var ps fliggy.Problems
	p.checkPrices(&ps)
	checkRules(&ps, p.ScatteredRules)
	checkServices(&ps, p.Services)
	checkCancelPolicy(&ps, &p.CancelPolicy)
	if p.Rounding < 0 || int(p.Rounding) >= len(roundingFuncs) {
		ps.Add("Rounding", "must be one of the Rounding constants")
	}
	if p.ScatteredBase < 0 || int(p.ScatteredBase) >= len(scatteredBaseNames) {
		ps.Add("ScatteredBase", "must be one of the Base constants")
	}
	if p.MaxDays < 0 {
		ps.Add("MaxDays", ruleNegative)
	}
	return ps.Err("")
}

func (p *Plan) checkPrices(ps *fliggy.Problems) {
	if !p.DayPrice.IsSet() && len(p.DayPrices) == 0 {
		ps.Add("DayPrice", "is required when there are no DayPrices")
	}
	checkAmount(ps, "DayPrice", p.DayPrice)
	var byDate fliggy.Problems
	for date, price := range p.DayPrices {
		field := fmt.Sprintf("DayPrices[%s]", date)
		if !date.IsValid() {
			byDate.Add(field, "must be a real date in the years 1 to 9999")
		}
		checkRequired(&byDate, field, price)
	}
	slices.SortFunc(byDate, func(a, b fliggy.Problem) int { return strings.Compare(a.String(), b.String()) })
	*ps = append(*ps, byDate...)
	checkAmount(ps, "StandardUnitPrice", p.StandardUnitPrice)
	if p.ScatteredBase == BaseStandardUnitPrice && !p.StandardUnitPrice.IsSet() {
		ps.Add("StandardUnitPrice", "is required when it is the ScatteredBase")
	}
	checkRequired(ps, "PoundageFee", p.PoundageFee)
}

func checkRequired(ps *fliggy.Problems, field string, amount fliggy.Yuan) {
	if !amount.IsSet() {
		ps.Add(field, ruleRequired)
	}
	checkAmount(ps, field, amount)
}

// checkAmount checks an amount if it is set.
func checkAmount(ps *fliggy.Problems, field string, amount fliggy.Yuan) {
	_, err := amount.AppendText(nil) // Decimal fails if the exponent is out of range
	d, _ := amount.Decimal()
	switch {
	case !amount.IsSet():
	case amount.IsNegative():
		ps.Add(field, ruleNegative)
	case err != nil || d.GreaterThanOrEqual(maxAmount):
		ps.Add(field, "must be below %s", maxAmount)
	case !d.Equal(d.Truncate(fenPlaces)):
		ps.Add(field, "must have at most two decimals: the smallest unit is the fen")
	}
}

func checkRules(ps *fliggy.Problems, rules []fliggy.ScatteredPriceRule) {
	previous := -1 // end of the previous range, -1 if there is none or it is invalid
	for i, r := range rules {
		at := fmt.Sprintf("ScatteredRules[%d].", i)
		checkPercent(ps, at+"Value", r.Value)
		start, end := checkMinute(ps, at+"StartTime", r.StartTime), checkMinute(ps, at+"EndTime", r.EndTime)
		if start && end && r.EndTime < r.StartTime {
			ps.Add(at+"EndTime", "must not be less than StartTime")
			end = false
		}
		if !start || !end {
			previous = -1
			continue
		}
		switch {
		case i == 0 && r.StartTime > 1:
			ps.Add(at+"StartTime", "must be 0 or 1: the ranges must cover every scattered minute")
		case previous >= 0 && r.StartTime > previous+1:
			ps.Add(at+"StartTime", "leaves a gap after the previous range, which ends at %d", previous)
		case previous >= 0 && r.StartTime <= previous:
			ps.Add(at+"StartTime", "overlaps the previous range, which ends at %d", previous)
		}
		if i == len(rules)-1 && r.EndTime < dayMinutes-1 {
			ps.Add(at+"EndTime", "must be %d or %d: the ranges must cover every scattered minute", dayMinutes-1, dayMinutes)
		}
		previous = r.EndTime
	}
}

func checkMinute(ps *fliggy.Problems, field string, minute int) bool {
	ok := 0 <= minute && minute <= dayMinutes
	if !ok {
		ps.Add(field, "must be 0 to %d minutes", dayMinutes)
	}
	return ok
}

func checkPercent(ps *fliggy.Problems, field string, value fliggy.Decimal) {
	_, err := value.AppendText(nil)
	d, _ := value.Decimal()
	switch {
	case !value.IsSet():
		ps.Add(field, ruleRequired)
	case value.IsNegative() || err != nil || d.GreaterThan(hundred):
		ps.Add(field, "must be 0 to 100 percent")
	case !d.Equal(d.Truncate(percentPlaces)):
		ps.Add(field, "must have at most %d decimals", percentPlaces)
	}
}

func checkServices(ps *fliggy.Problems, services []Service) {
	first := map[string]int{}
	for i, s := range services {
		at := fmt.Sprintf("Services[%d].", i)
		switch s.Type {
		case 0:
			ps.Add(at+"Type", ruleRequired)
		case fliggy.ServiceTypeScatteredHour:
			ps.Add(at+"Type", "must not be %d: Quote adds the scattered-hour line itself", s.Type)
		}
		checkText(ps, at+"Code", s.Code, true)
		if s.Code == qimen.ScatteredHourCode {
			ps.Add(at+"Code", "must not be %s: Quote adds the scattered-hour line itself", s.Code)
		}
		if j, seen := first[s.Code]; seen && s.Code != "" {
			ps.Add(at+"Code", "must be unique: Services[%d] has the same code", j)
		} else {
			first[s.Code] = i
		}
		checkText(ps, at+"Name", s.Name, true)
		checkText(ps, at+"Desc", s.Desc, false)
		checkRequired(ps, at+"Price", s.Price)
		for j, text := range s.Include {
			checkText(ps, fmt.Sprintf("%sInclude[%d]", at, j), text, false)
		}
		for j, text := range s.Exclude {
			checkText(ps, fmt.Sprintf("%sExclude[%d]", at, j), text, false)
		}
	}
}

func checkText(ps *fliggy.Problems, field, text string, required bool) {
	invisible := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }
	switch {
	case !utf8.ValidString(text):
		ps.Add(field, "must be valid UTF-8")
	case required && strings.TrimFunc(text, invisible) == "":
		ps.Add(field, ruleRequired)
	}
}

// checkCancelPolicy checks a policy against the sample of the guide. ManualCheckTime is undocumented and may be
// anything.
func checkCancelPolicy(ps *fliggy.Problems, s *fliggy.CancelPolicy) {
	if s.CancelType < 1 {
		ps.Add("CancelPolicy.CancelType", "is required: 1 is the only known type")
	}
	if len(s.Rules) > 0 && !s.SupportCancel {
		ps.Add("CancelPolicy.Rules", "must be empty when SupportCancel is false")
	}
	for i := range s.Rules {
		checkTier(ps, fmt.Sprintf("CancelPolicy.Rules[%d].", i), s.Rules, i, s.CancelType)
	}
}

// checkTier checks tiers[i]. The tiers must be in falling order of Time.
func checkTier(ps *fliggy.Problems, at string, tiers []fliggy.CancelRule, i, cancelType int) {
	r := tiers[i]
	switch {
	case r.Num < 0:
		ps.Add(at+"Num", ruleNegative)
	case cancelType == 1 && r.Num > 100: // the meaning of Num is unknown for other types
		ps.Add(at+"Num", "must be 0 to 100 percent when CancelType is 1")
	case i > 0 && cancelType == 1 && r.Num < tiers[i-1].Num:
		ps.Add(at+"Num", "must not be less than that of the previous tier: cancelling later costs more")
	}
	switch {
	case r.Time < 0:
		ps.Add(at+"Time", ruleNegative)
	case i > 0 && r.Time >= tiers[i-1].Time:
		ps.Add(at+"Time", "must be less than that of the previous tier")
	}
}
