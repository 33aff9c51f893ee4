package events

import (
	"regexp"
	"strconv"
	"strings"
)

// A TradeNo is a trade number (交易流水号) of the guide's form
// order_event_sub[_batch], such as 202301021122903_142_1_2.
//
// Source: B2B renewal guide, callbacks 270 and 271. The guide's own samples do
// not follow it: a trade number is opaque first of all.
type TradeNo struct {
	Order   string // order number, of whatever kind
	Event   Type   // event type
	SubType int    // sub type; that it equals refundType is inferred
	Batch   string // batch number, empty where there is none
}

var (
	tradeNoForm = regexp.MustCompile(`^(.+?)_([0-9]{1,9})_(-?[0-9]{1,9})(?:_([0-9]+))?$`)
	tradeNoTail = regexp.MustCompile(`^(-?[0-9]{1,9})(?:_([0-9]+))?$`)
)

// ParseTradeNo takes a trade number apart. event is the type of the event that
// carries it, 0 when unknown: it settles which digits are the event type when
// the order number has underscores itself. ok is false for a number of another
// form, and where the parts have more digits than a type may have.
func ParseTradeNo(s string, event Type) (no TradeNo, ok bool) { return parseTradeNo(s, event) }

// parseTradeNo looks for the first of the events that fits, then for any.
func parseTradeNo(s string, events ...Type) (no TradeNo, ok bool) {
	for _, event := range events {
		if no, ok = anchored(s, event); ok {
			return no, true
		}
	}
	m := tradeNoForm.FindStringSubmatch(s)
	if m == nil {
		return TradeNo{}, false
	}
	return newTradeNo(m[1], number(m[2]), m[3], m[4]), true
}

// anchored takes a trade number apart at the last place that names the event.
func anchored(s string, event Type) (no TradeNo, ok bool) {
	mark := "_" + strconv.Itoa(int(event)) + "_"
	i := strings.LastIndex(s, mark)
	if event <= 0 || i <= 0 {
		return TradeNo{}, false
	}
	m := tradeNoTail.FindStringSubmatch(s[i+len(mark):])
	if m == nil {
		return TradeNo{}, false
	}
	return newTradeNo(s[:i], int(event), m[1], m[2]), true
}

func newTradeNo(order string, event int, sub, batch string) TradeNo {
	return TradeNo{Order: order, Event: Type(event), SubType: number(sub), Batch: batch}
}

// number reads digits that the forms above have bounded.
func number(digits string) int {
	n, _ := strconv.Atoi(digits)
	return n
}
