package merchantcheck

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/shopspring/decimal"

	"github.com/fliggy-go/rentcar/fliggy"
)

func checkPriceMark(x *trial) ([]finding, error) {
	if mark := x.price("priceMark"); !mark.set() {
		return []finding{{member: mark.path, expected: "your token of this price", got: mark.show()}}, nil
	}
	return nil, nil
}

func checkStandardPrice(x *trial) ([]finding, error) {
	var r reader
	standard, rent, fee := r.number(x.price("standardPrice")), r.rent(x), r.number(x.price("poundageFee"))
	if want := rent.Add(fee); r.err == nil && !standard.Equal(want) {
		return []finding{{
			member:   "priceInfo.standardPrice",
			expected: fmt.Sprintf("%s: whole-day rent %s + poundageFee %s", yuan(want), yuan(rent), yuan(fee)),
			got:      yuan(standard),
		}}, nil
	}
	return nil, r.err
}

// checkServicesApart looks whether what the standard price has too much is the
// amount of a service.
func checkServicesApart(x *trial) ([]finding, error) {
	var r reader
	excess := r.number(x.price("standardPrice")).Sub(r.rent(x)).Sub(r.number(x.price("poundageFee")))
	suspects := []node{x.price("basicServiceFee")}
	var sum decimal.Decimal
	for _, line := range r.lines(x) {
		suspects = append(suspects, line.member("amount"))
		sum = sum.Add(r.number(line.member("amount")))
	}
	if r.err != nil || excess.Sign() <= 0 {
		return nil, r.err
	}
	found := func(what string) []finding {
		return []finding{{
			member: "priceInfo.standardPrice", expected: "rent and handling fee only",
			got: fmt.Sprintf("%s more, which is %s", yuan(excess), what),
		}}
	}
	for _, n := range suspects {
		var own reader
		if n.set() && own.number(n).Equal(excess) && own.err == nil {
			return found(n.path), nil
		}
	}
	if sum.Equal(excess) {
		return found("the sum of all added services"), nil
	}
	return nil, nil
}

func checkScatteredRule(x *trial) ([]finding, error) {
	var r reader
	fee, applies := r.scattered(x)
	got := "none"
	if applies {
		got = yuan(fee)
	}
	price := x.lastDay().member("scatteredPrice")
	found := func(doubtful bool, expected string, args ...any) ([]finding, error) {
		return []finding{{price.path, fmt.Sprintf(expected, args...), got, doubtful}}, nil
	}
	if x.minutes() == 0 {
		if r.err == nil && applies { // a range that starts at 0 could be read so
			return found(true, "none: the period has no scattered minutes")
		}
		return nil, r.err
	}
	share, ok := r.share(x)
	base, unit := r.number(x.lastDay().member("dayPrice")), x.price("standardUnitPrice")
	switch {
	case r.err != nil:
		return nil, r.err
	case !ok:
		return nil, fmt.Errorf("no range of scatteredPriceRuleInfo covers %d minutes", x.minutes())
	case share.Cmp(hundred) > 0:
		return nil, fmt.Errorf("the value %s for %d minutes has no documented meaning", share, x.minutes())
	case share.Equal(hundred):
		if !applies {
			return nil, nil
		}
		// The same money under another name: not seen, but not ruled out.
		return found(fee.Equal(base), "none: %d minutes cost 100 %%, which is one whole day more and no fee", x.minutes())
	}
	want := base.Mul(share).Shift(-2)
	if applies && near(fee, want) {
		return nil, nil
	}
	var own reader
	byUnit := own.number(unit).Mul(share).Shift(-2)
	return found(applies && own.err == nil && near(fee, byUnit),
		"%s: %d minutes cost %s %% of the day price %s", yuan(want.Round(2)), x.minutes(), share, yuan(base))
}

// near allows for rounding: no document says where and how.
func near(a, b decimal.Decimal) bool { return a.Sub(b).Abs().Cmp(decimal.New(1, -2)) <= 0 }

func checkScatteredRanges(x *trial) ([]finding, error) {
	list := x.price("scatteredPriceRuleInfo").member("data")
	if len(list.items()) == 0 {
		got := list.show()
		if list.set() {
			got = "an empty list: no range prices any scattered minute"
		}
		return []finding{{"priceInfo.scatteredPriceRuleInfo.data", "ranges from 0 to 1440 minutes", got, true}}, nil
	}
	type minutes struct {
		path     string
		from, to int
	}
	var r reader
	var ranges []minutes
	var found []finding
	for _, n := range list.items() {
		ranges = append(ranges, minutes{n.path, r.whole(n.member("startTime")), r.whole(n.member("endTime"))})
		if value := n.member("value"); r.number(value).Cmp(hundred) > 0 || r.number(value).Sign() < 0 {
			found = append(found, finding{value.path, "a percentage from 0 to 100", value.show(), true})
		}
	}
	if r.err != nil {
		return nil, r.err
	}
	slices.SortStableFunc(ranges, func(a, b minutes) int { return cmp.Compare(a.from, b.from) })
	add := func(at minutes, expected string, args ...any) {
		got := fmt.Sprintf("%d to %d", at.from, at.to)
		found = append(found, finding{at.path, fmt.Sprintf(expected, args...), got, false})
	}
	for i, at := range ranges {
		switch {
		case at.from > at.to:
			add(at, "startTime not after endTime")
		case i == 0 && at.from != 0 && at.from != 1:
			add(at, "a first range that starts at minute 0 or 1")
		case i > 0 && at.from > ranges[i-1].to+1:
			add(at, "a start at minute %d: there is a gap before it", ranges[i-1].to+1)
		case i > 0 && at.from <= ranges[i-1].to:
			add(at, "a start at minute %d: both ends of a range belong to it", ranges[i-1].to+1)
		}
	}
	if last := ranges[len(ranges)-1]; last.to != 1439 && last.to != 1440 {
		add(last, "a last range that ends at minute 1439 or 1440")
	}
	return found, nil
}

// checkCalendar. For a period without scattered minutes no sample exists, so that
// findings there are doubtful.
func checkCalendar(x *trial) ([]finding, error) {
	var r reader
	list, days, unsure := x.price("calendarPrice"), x.calendar(), x.minutes() == 0
	if formOf(list.value) != formList {
		r.fail(list, "a list of days")
		return nil, r.err
	}
	want := x.days()
	if x.minutes() > 0 {
		want++
	}
	var found []finding
	add := func(member, expected, got string) { found = append(found, finding{member, expected, got, unsure}) }
	if len(days) != want {
		add(list.path, fmt.Sprintf("a list of %d: one entry for each started day", want), list.show())
	}
	first := fliggy.DateOf(x.from.In(fliggy.Zone()))
	for i, day := range days {
		if date := day.member("date"); date.text() != first.AddDays(i).String() {
			add(date.path, first.AddDays(i).String(), date.show())
			break // the others are wrong, too
		}
	}
	for i, day := range days {
		for _, name := range []string{"scatteredPrice", "scatteredMinutes"} {
			if n := day.member(name); n.set() && i < len(days)-1 {
				add(n.path, "none: only the last entry has it", n.show())
			}
		}
	}
	_, applies := r.scattered(x)
	minutes := x.lastDay().member("scatteredMinutes")
	switch {
	case r.err != nil:
	case x.lastDay().member("scatteredPrice").set() && applies && minutes.text() != fmt.Sprint(x.minutes()):
		add(minutes.path, fmt.Sprint(x.minutes()), minutes.show())
	case !applies && minutes.set() && minutes.text() != "0":
		found = append(found, finding{minutes.path, "none: there is no scatteredPrice", minutes.show(), true})
	}
	return found, r.err
}

// checkQuantity. Only a share of 50 percent is seen, so that any other fraction of
// the started day is doubtful at most.
func checkQuantity(x *trial) ([]finding, error) {
	var r reader
	days := decimal.NewFromInt(int64(x.days()))
	next := days.Add(decimal.NewFromInt(1))
	want := days
	if x.minutes() > 0 {
		want = next
		if _, applies := r.scattered(x); applies {
			share, ok := r.share(x)
			if !ok {
				return nil, errors.New("no scattered-hour rule says what share of a day is charged")
			}
			want = days.Add(share.Shift(-2))
		}
	}
	var found []finding
	judge := func(n node, want decimal.Decimal, text string, doubtful bool) {
		if got := r.number(n); r.err == nil && !got.Equal(want) {
			found = append(found, finding{n.path, want.String() + text, n.show(), doubtful})
		}
	}
	// What a share other than a half is as a quantity, and a period without a whole
	// day, is in no sample.
	all := x.price("quantity")
	got := r.number(all)
	within := got.Cmp(days) > 0 && got.Cmp(next) < 0 && want.Cmp(days) > 0 && want.Cmp(next) < 0
	unsure := within || x.minutes() == 0 || x.days() == 0
	judge(all, want, ": whole days, and the share that is charged of the started one", unsure)
	for _, line := range r.lines(x) {
		quantity := line.member("quantity")
		switch {
		case hourLine.is(line): // hour-fee looks at it
		case line.member("isOneWayFee").text() == "1":
			judge(quantity, decimal.NewFromInt(1), ": a flat price", true)
		default:
			judge(quantity, got, ", as in "+all.path, false)
		}
	}
	return found, r.err
}
