package fliggytest

import (
	"fmt"
	"regexp"
)

// A need says what it means that a member is missing.
type need uint8

const (
	optional need = iota
	usual         // all samples have it, but no document demands it
	required      // the rules of the guide, or the next request, cannot do without
)

// A memberForm is a member as the guide's replies have it.
type memberForm struct {
	place  string
	form   form
	need   need
	amount bool
}

// replyForms are the members of the replies, by what they answer.
var replyForms = []struct {
	on      trialKind
	members []memberForm
}{{askRegulars, []memberForm{
	{"success", formBoolean, optional, false}, // reply-shape demands it
}}, {askPrices, []memberForm{
	{"addedServiceList", formList, usual, false},
	{"addedServiceList[]", formObject, required, false},
	{"addedServiceList[].serviceType", formNumber, usual, false},
	{"addedServiceList[].serviceCode", formText, required, false},
	{"addedServiceList[].serviceName", formText, usual, false},
	{"addedServiceList[].serviceDesc", formText, optional, false},
	{"addedServiceList[].price", formText, required, true},
	{"addedServiceList[].quantity", formText, required, false},
	{"addedServiceList[].amount", formText, required, true},
	{"addedServiceList[].isOneWayFee", formNumber, required, false},
	{"addedServiceList[].isFixed", formNumber, usual, false},
	{"addedServiceList[].listInclude", formList, usual, false},
	{"addedServiceList[].listExcloud", formList, usual, false},
	{"cancelStrategyStruct", formObject, usual, false},
	{"cancelStrategyStruct.cancelRules", formList, optional, false}, // cancel-tiers looks at it
	{"cancelStrategyStruct.cancelRules[]", formObject, required, false},
	{"cancelStrategyStruct.cancelRules[].num", formNumber, usual, false},
	{"cancelStrategyStruct.cancelRules[].time", formNumber, usual, false},
	{"cancelStrategyStruct.manualCheckTime", formNumber, usual, false},
	{"cancelStrategyStruct.cancelType", formNumber, usual, false},
	{"cancelStrategyStruct.supportCancel", formBoolean, usual, false},
	{"priceInfo", formObject, required, false},
	{"priceInfo.standardPrice", formText, required, true},
	{"priceInfo.poundageFee", formText, required, true},
	{"priceInfo.basicServiceFee", formText, optional, true}, // basic-service-fee looks at it
	{"priceInfo.standardUnitPrice", formText, usual, true},
	{"priceInfo.quantity", formText, required, false},
	{"priceInfo.priceMark", formText, optional, false}, // price-mark demands it
	{"priceInfo.calendarPrice", formList, required, false},
	{"priceInfo.calendarPrice[]", formObject, required, false},
	{"priceInfo.calendarPrice[].date", formText, required, false},
	{"priceInfo.calendarPrice[].dayPrice", formText, required, true},
	{"priceInfo.calendarPrice[].scatteredPrice", formText, optional, true},
	{"priceInfo.calendarPrice[].scatteredMinutes", formNumber, optional, false},
	{"priceInfo.scatteredPriceRuleInfo", formObject, usual, false},
	{"priceInfo.scatteredPriceRuleInfo.data", formList, usual, false},
	{"priceInfo.scatteredPriceRuleInfo.data[]", formObject, required, false},
	{"priceInfo.scatteredPriceRuleInfo.data[].value", formText, usual, false},
	{"priceInfo.scatteredPriceRuleInfo.data[].startTime", formNumber, usual, false},
	{"priceInfo.scatteredPriceRuleInfo.data[].endTime", formNumber, usual, false},
}}, {askSubmits, []memberForm{
	{"outOrderId", formText, optional, false}, // submit-reply demands both
	{"createdTime", formText, optional, false},
}}}

// eachForm looks at all members of a reply, place by place. judge gives a finding,
// or none, for one value; of several at one place the first is kept.
func (x *trial) eachForm(judge func(memberForm, node) *finding) (found []finding) {
	for _, reply := range replyForms {
		if reply.on&x.kind == 0 {
			continue
		}
		for _, m := range reply.members {
			var first *finding
			more := 0
			for _, n := range x.reply.find(m.place) {
				f := judge(m, n)
				if f != nil && first == nil {
					first = f
					first.member = n.path
				} else if f != nil {
					more++
				}
			}
			if first == nil {
				continue
			}
			if more > 0 {
				first.got += fmt.Sprintf(", and the like %d times more", more)
			}
			found = append(found, *first)
		}
	}
	return found
}

func checkMembers(x *trial) ([]finding, error) {
	return x.eachForm(func(m memberForm, n node) *finding {
		if m.need == optional || n.set() {
			return nil
		}
		return &finding{expected: string(m.form), got: n.show(), doubtful: m.need == usual}
	}), nil
}

func checkForms(x *trial) ([]finding, error) {
	return x.eachForm(func(m memberForm, n node) *finding {
		got := formOf(n.value)
		if !n.set() || got == m.form {
			return nil
		}
		return &finding{expected: string(m.form), got: fmt.Sprintf("%s: %s", got, n.show())}
	}), nil
}

var amountForm = regexp.MustCompile(`^[0-9]+(\.[0-9]{1,2})?$`)

func checkAmounts(x *trial) ([]finding, error) {
	return x.eachForm(func(m memberForm, n node) *finding {
		if !m.amount || !n.set() || amountForm.MatchString(n.text()) {
			return nil
		}
		return &finding{expected: `an amount such as "12.50"`, got: n.show()}
	}), nil
}
