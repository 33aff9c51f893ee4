package merchantcheck

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/shopspring/decimal"
)

func checkDuplicates(x *trial) ([]finding, error) {
	var r reader
	var found []finding
	first := map[string]string{}
	for _, line := range r.lines(x) {
		code := line.member("serviceCode")
		name := code.text() // several services may be of one type
		if hourLine.is(line) {
			name = hourLine.code
		}
		if before, ok := first[name]; ok && name != "" {
			found = append(found, finding{
				member: line.path, expected: "a service that is not listed yet",
				got: code.show() + ", of the same kind as " + before,
			})
			continue
		}
		first[name] = line.path
	}
	return found, r.err
}

func checkHourFee(x *trial) ([]finding, error) {
	var r reader
	fee, applies := r.scattered(x)
	lines := hourLine.among(r.lines(x))
	if r.err != nil {
		return nil, r.err
	}
	if !applies || fee.IsZero() && len(lines) == 0 {
		var found []finding
		for _, line := range lines {
			found = append(found, finding{
				member: line.path, expected: "no such line: the last calendar entry has no scatteredPrice",
				got: "an hour fee of " + line.member("amount").show(),
			})
		}
		return found, nil
	}
	if len(lines) == 0 {
		return []finding{{member: "addedServiceList", expected: "a line hourFee with amount " + yuan(fee), got: "none"}}, nil
	}
	var found []finding
	for _, want := range []struct {
		name  string
		value decimal.Decimal
		text  string
	}{
		{"amount", fee, yuan(fee) + ", the scatteredPrice"},
		{"price", fee, yuan(fee) + ", the scatteredPrice"},
		{"isOneWayFee", decimal.NewFromInt(1), "1: a flat price"},
		{"quantity", decimal.NewFromInt(1), "1"},
	} {
		var own reader // what is missing keeps no other member from being judged
		n := lines[0].member(want.name)
		if got := own.number(n); own.err == nil && !got.Equal(want.value) {
			found = append(found, finding{member: n.path, expected: want.text, got: n.show()})
		}
		r.err = cmp.Or(r.err, own.err)
	}
	return found, r.err
}

func checkLineAmounts(x *trial) ([]finding, error) {
	var r reader
	var found []finding
	for _, line := range r.lines(x) {
		if hourLine.is(line) { // hour-fee looks at it
			continue
		}
		price, quantity := r.number(line.member("price")), r.number(line.member("quantity"))
		amount, kind := r.number(line.member("amount")), line.member("isOneWayFee")
		add := func(member, expected, got string, doubtful bool) {
			found = append(found, finding{member, expected, got, doubtful})
		}
		at := line.member("amount").path
		switch {
		case r.err != nil:
		case kind.text() == "1" && !amount.Equal(price):
			add(at, yuan(price)+", the price: the line is flat", yuan(amount), false)
		case kind.text() == "0" && !near(amount, price.Mul(quantity)):
			want := price.Mul(quantity)
			add(at, fmt.Sprintf("%s: %s x %s, to the fen", yuan(want.RoundBank(2)), yuan(price), quantity), yuan(amount), false)
		case !kind.set():
			r.fail(kind, "0 or 1")
		case kind.text() != "0" && kind.text() != "1":
			add(kind.path, "0 for a price per day or 1 for a flat one", kind.show(), true)
		}
	}
	return found, r.err
}

func checkBasicService(x *trial) ([]finding, error) {
	var r reader
	fee, lines := x.price("basicServiceFee"), basicLine.among(r.lines(x))
	switch {
	case r.err != nil:
		return nil, r.err
	case !fee.set() && len(lines) == 0:
		return nil, errors.New("the reply has no basic service")
	}
	if !fee.set() {
		return []finding{{fee.path, "the amount of " + lines[0].path, fee.show(), true}}, nil
	}
	got := r.number(fee)
	if len(lines) == 0 {
		if r.err == nil && !got.IsZero() {
			return []finding{{member: fee.path, expected: "none: no line is the basic service", got: fee.show()}}, nil
		}
		return nil, r.err
	}
	var sum decimal.Decimal
	for _, line := range lines {
		amount := r.number(line.member("amount"))
		if got.Equal(amount) { // of several lines of this type, which one it repeats is not documented
			return nil, r.err
		}
		sum = sum.Add(amount)
	}
	if r.err == nil && !got.Equal(sum) {
		return []finding{{member: fee.path, expected: yuan(sum) + ", the amount of " + lines[0].path, got: fee.show()}}, nil
	}
	return nil, r.err
}

// checkCancelTiers. What num means is known for cancelType 1 at best.
func checkCancelTiers(x *trial) ([]finding, error) {
	strategy := x.reply.member("cancelStrategyStruct")
	if !strategy.set() {
		return nil, errors.New("the reply has no cancelStrategyStruct")
	}
	rules := strategy.member("cancelRules")
	tiers := rules.items()
	if can, _ := strategy.member("supportCancel").truth(); can && len(tiers) == 0 {
		return []finding{{rules.path, "at least one tier, as cancelling is supported", rules.show(), true}}, nil
	}
	unsure := strategy.member("cancelType").text() != "1"
	var r reader
	var found []finding
	var lastNum decimal.Decimal
	lastTime := 0
	for i, tier := range tiers {
		num, hours := r.number(tier.member("num")), r.whole(tier.member("time"))
		if r.err != nil {
			break
		}
		add := func(member, expected, got string, doubtful bool) {
			found = append(found, finding{tier.path + "." + member, expected, got, doubtful})
		}
		switch {
		case num.Sign() < 0 || num.Cmp(hundred) > 0:
			add("num", "a percentage from 0 to 100", num.String(), unsure)
		case i > 0 && num.Cmp(lastNum) < 0:
			add("num", lastNum.String()+" or more: cancelling later is not cheaper", num.String(), unsure)
		}
		if i > 0 && hours >= lastTime {
			add("time", fmt.Sprintf("less than %d: the longest time comes first", lastTime), fmt.Sprint(hours), false)
		}
		lastNum, lastTime = num, hours
	}
	return found, r.err
}
