package merchantcheck

import (
	"errors"
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
	place string
	form  form
	need  need
	reads content
}

// A content says how the value of a member must read, beyond its JSON type.
type content uint8

const (
	anything content = iota
	amounts          // yuan, for the rule amounts
	decimals         // a plain decimal number that is not negative
	wholes           // a whole number
)

// replyForms are the members of the replies, by what they answer.
var replyForms = []struct {
	on      trialKind
	members []memberForm
}{{askRegulars, []memberForm{
	{"success", formBoolean, optional, anything}, // reply-shape demands it
}}, {askPrices, []memberForm{
	{"addedServiceList", formList, usual, anything},
	{"addedServiceList[]", formObject, required, anything},
	{"addedServiceList[].serviceType", formNumber, usual, wholes},
	{"addedServiceList[].serviceCode", formText, required, anything},
	{"addedServiceList[].serviceName", formText, usual, anything},
	{"addedServiceList[].serviceDesc", formText, optional, anything},
	{"addedServiceList[].price", formText, required, amounts},
	{"addedServiceList[].quantity", formText, required, decimals},
	{"addedServiceList[].amount", formText, required, amounts},
	{"addedServiceList[].isOneWayFee", formNumber, required, wholes},
	{"addedServiceList[].isFixed", formNumber, usual, wholes},
	{"addedServiceList[].listInclude", formList, usual, anything},
	{"addedServiceList[].listExcloud", formList, usual, anything},
	{"cancelStrategyStruct", formObject, usual, anything},
	{"cancelStrategyStruct.cancelRules", formList, optional, anything}, // cancel-tiers looks at it
	{"cancelStrategyStruct.cancelRules[]", formObject, required, anything},
	{"cancelStrategyStruct.cancelRules[].num", formNumber, usual, wholes},
	{"cancelStrategyStruct.cancelRules[].time", formNumber, usual, wholes},
	{"cancelStrategyStruct.manualCheckTime", formNumber, usual, wholes},
	{"cancelStrategyStruct.cancelType", formNumber, usual, wholes},
	{"cancelStrategyStruct.supportCancel", formBoolean, usual, anything},
	{"priceInfo", formObject, required, anything},
	{"priceInfo.standardPrice", formText, required, amounts},
	{"priceInfo.poundageFee", formText, required, amounts},
	{"priceInfo.basicServiceFee", formText, optional, amounts}, // basic-service-fee looks at it
	{"priceInfo.standardUnitPrice", formText, usual, amounts},
	{"priceInfo.quantity", formText, required, decimals},
	{"priceInfo.priceMark", formText, optional, anything}, // price-mark demands it
	{"priceInfo.calendarPrice", formList, required, anything},
	{"priceInfo.calendarPrice[]", formObject, required, anything},
	{"priceInfo.calendarPrice[].date", formText, required, anything},
	{"priceInfo.calendarPrice[].dayPrice", formText, required, amounts},
	{"priceInfo.calendarPrice[].scatteredPrice", formText, optional, amounts},
	{"priceInfo.calendarPrice[].scatteredMinutes", formNumber, optional, wholes},
	{"priceInfo.scatteredPriceRuleInfo", formObject, usual, anything},
	{"priceInfo.scatteredPriceRuleInfo.data", formList, usual, anything},
	{"priceInfo.scatteredPriceRuleInfo.data[]", formObject, required, anything},
	{"priceInfo.scatteredPriceRuleInfo.data[].value", formText, usual, decimals},
	{"priceInfo.scatteredPriceRuleInfo.data[].startTime", formNumber, usual, wholes},
	{"priceInfo.scatteredPriceRuleInfo.data[].endTime", formNumber, usual, wholes},
}}, {askSubmits, []memberForm{
	{"outOrderId", formText, optional, anything}, // submit-reply demands both
	{"createdTime", formText, optional, anything},
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
		switch {
		case !n.set():
		case got != m.form:
			return &finding{expected: string(m.form), got: fmt.Sprintf("%s: %s", got, n.show())}
		case m.reads == decimals && !decimalForm.MatchString(n.text()):
			return &finding{expected: `a decimal number such as "1.5"`, got: n.show()}
		case m.reads == wholes && !wholeForm.MatchString(n.text()):
			return &finding{expected: "a whole number", got: n.show()}
		}
		return nil
	}), nil
}

var (
	decimalForm = regexp.MustCompile(`^[0-9]{1,9}(\.[0-9]{1,9})?$`)
	wholeForm   = regexp.MustCompile(`^-?[0-9]{1,9}(\.0+)?$`)
)

var amountForm = regexp.MustCompile(`^[0-9]+(\.[0-9]{1,2})?$`)

func checkAmounts(x *trial) ([]finding, error) {
	seen := false
	found := x.eachForm(func(m memberForm, n node) *finding {
		seen = seen || m.reads == amounts && n.set()
		if m.reads != amounts || !n.set() || amountForm.MatchString(n.text()) {
			return nil
		}
		return &finding{expected: `an amount such as "12.50"`, got: n.show()}
	})
	if !seen {
		return nil, errors.New("the reply has no amount")
	}
	return found, nil
}
