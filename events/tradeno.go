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
// the order number has underscores itself.
func ParseTradeNo(s string, event Type) (no TradeNo, ok bool) {
	if event > 0 {
		mark := "_" + strconv.Itoa(int(event)) + "_"
		if i := strings.LastIndex(s, mark); i > 0 {
			if m := tradeNoTail.FindStringSubmatch(s[i+len(mark):]); m != nil {
				return newTradeNo(s[:i], int(event), m[1], m[2])
			}
		}
	}
	m := tradeNoForm.FindStringSubmatch(s)
	if m == nil {
		return TradeNo{}, false
	}
	n, err := strconv.Atoi(m[2])
	if err != nil {
		return TradeNo{}, false
	}
	return newTradeNo(m[1], n, m[3], m[4])
}

func newTradeNo(order string, event int, sub, batch string) (TradeNo, bool) {
	n, err := strconv.Atoi(sub)
	return TradeNo{Order: order, Event: Type(event), SubType: n, Batch: batch}, err == nil
}
