package events

import (
	"cmp"
	"encoding/json"

	"github.com/fliggy-go/rentcar/fliggy"
)

// RenewalFeeRefund asks the distributor to refund a fee of a renewal to the customer (续租退费事件, 142). Answer it with
// SuccessCallback or FailureCallback. The guide's sample has the number 141, which is kept.
//
// Source: B2B renewal guide.
type RenewalFeeRefund struct {
	Envelope `top:"-"`
	source
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号).
	RenewalOrderID fliggy.ID `top:"renewalOrderId,number"`
	// RenewalOutOrderID is the distributor's id of the renewal (分销续租订单号).
	RenewalOutOrderID string `top:"renewalOutOrderId"`
	// Canceller is the party that cancels (取消类型). Optional.
	Canceller fliggy.Canceller `top:"canceller"`
	FeeRefundData
}

// FeeRefund asks the distributor to refund a fee of the main order (退费事件, 141). Answer it with SuccessCallback or
// FailureCallback. Inferred: all of it, from the event of the renewal and the callbacks 260 and 261.
type FeeRefund struct {
	Envelope `top:"-"`
	source
	FeeRefundData
}

// FeeRefundData is the data of a request to refund a fee, of the main order or of a renewal. The guide documents it for
// event 142. Inferred for event 141.
type FeeRefundData struct {
	// RefundType is the kind of refund (退款类型).
	RefundType fliggy.RefundType `top:"refundType"`
	// Amount is the amount to refund in yuan (退款金额).
	Amount fliggy.Yuan `top:"amount"`
	// Reason is the reason of the refund (退款原因). Required by the guide.
	Reason string `top:"reason"`
	// PayTradeNo is the trade number of the refund (当前退款交易流水号). The callback echoes it byte for byte.
	PayTradeNo string `top:"payTradeNo"`
	// DeductPayTradeNo is the trade number of the deduction that is refunded (扣款交易流水号). Required for refund types 3 and 4,
	// and not allowed for the others.
	DeductPayTradeNo string `top:"deductPayTradeNo"`
	// ExtraData holds the members of the data that have no field, as JSON.
	ExtraData map[string]json.RawMessage `top:",unknown"`
}

func (d *FeeRefundData) checkRefund(ps *fliggy.Problems) {
	if d.RefundType == 0 {
		ps.Add("eventData.refundType", "is missing")
	}
	switch {
	case !d.Amount.IsSet():
		ps.Add("eventData.amount", "is missing")
	case !d.Amount.IsPositive():
		ps.Add("eventData.amount", "must be positive")
	}
	required(ps, "eventData.reason", d.Reason)
	required(ps, "eventData.payTradeNo", d.PayTradeNo)
	isWrong := false // unknown types may have one or not
	switch d.RefundType {
	case fliggy.RefundVehicleDamage, fliggy.RefundTrafficViolation:
		isWrong = d.DeductPayTradeNo == ""
	case fliggy.RefundEarlyReturn, fliggy.RefundFuelFee, fliggy.RefundCancelPenalty, fliggy.RefundOther:
		isWrong = d.DeductPayTradeNo != ""
	}
	if isWrong {
		ps.Add("eventData.deductPayTradeNo", "is required for refundType 3 and 4, and must be empty for others")
	}
}

// Type returns the number of the event. The default is 142.
func (e *RenewalFeeRefund) Type() Type { return cmp.Or(e.EventType, TypeRenewalFeeRefund) }

// Validate returns a *fliggy.ValidationError that lists every broken rule of the guide. The number 141, which the
// guide's sample has, is accepted.
func (e *RenewalFeeRefund) Validate() error { return validate(e) }

func (e *RenewalFeeRefund) findings() (ps fliggy.Problems) {
	e.check(&ps, e.Type(), TypeRenewalFeeRefund, TypeFeeRefund)
	required(&ps, "channelId", string(e.ChannelID))
	requireID(&ps, e.RenewalOrderID)
	required(&ps, "eventData.renewalOutOrderId", e.RenewalOutOrderID)
	if e.Canceller == fliggy.CancellerMerchant {
		ps.Add("eventData.canceller", "2 (merchant) is documented as not supported yet")
	}
	e.checkRefund(&ps)
	checkExtra(&ps, &e.Envelope, renewalRefundPlan, e.ExtraData)
	return ps
}

// MarshalJSON returns the payload of a parsed event, without white space between tokens; changes of the fields have no
// effect on it. An event that was not parsed is encoded in the documented form.
func (e RenewalFeeRefund) MarshalJSON() ([]byte, error) {
	return marshal(e.source, e.Envelope, e.Type(), renewalRefundPlan, &e, e.ExtraData)
}

// Type returns the number of the event. The default is 141.
func (e *FeeRefund) Type() Type { return cmp.Or(e.EventType, TypeFeeRefund) }

// Validate returns a *fliggy.ValidationError that lists every broken rule of the guide.
func (e *FeeRefund) Validate() error { return validate(e) }

func (e *FeeRefund) findings() (ps fliggy.Problems) {
	e.check(&ps, e.Type(), TypeFeeRefund)
	required(&ps, "channelId", string(e.ChannelID))
	e.checkRefund(&ps)
	checkExtra(&ps, &e.Envelope, refundPlan, e.ExtraData)
	return ps
}

// MarshalJSON returns the payload of a parsed event, without white space between tokens; changes of the fields have no
// effect on it. An event that was not parsed is encoded in the documented form.
func (e FeeRefund) MarshalJSON() ([]byte, error) {
	return marshal(e.source, e.Envelope, e.Type(), refundPlan, &e, e.ExtraData)
}
