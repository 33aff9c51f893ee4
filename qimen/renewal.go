package qimen

import (
	"encoding/json"

	"github.com/fliggy-go/rentcar/fliggy"
)

// The methods that a merchant (商家) serves.
const (
	// RenewalPricesMethod asks for the price of a renewal (续租报价搜索接口).
	RenewalPricesMethod = "qimen.alitrip.rentcar.renewalprices.query"
	// RenewalSubmitMethod places a renewal order (续租下单接口).
	RenewalSubmitMethod = "qimen.alitrip.rentcar.renewalorder.submit"
	// RenewalCancelMethod cancels a renewal order (取消续租接口).
	RenewalCancelMethod = "qimen.alitrip.rentcar.renewalorder.cancel"
)

// A RenewalPricesRequest asks for the price of a renewal. The customer has picked up the car (已取车) by then.
//
// It is refused before your function runs only if it cannot be decoded or has no order id. Any other member may be
// unset: see Validate and [Delivery.Findings]. The members are those of the guide's samples. Inferred: which ones are
// always set.
//
// Members may also arrive as query parameters, beside a JSON or form body that lacks them, or without a body (also in a
// GET): the platform signs them there. A member with different values in body and query is an error. [WithoutForms] and
// [WithPayload] turn this off.
//
// Unlike a [Delivery], a request is printed and logged with its content.
//
// Source: qimen.alitrip.rentcar.renewalprices.query, merchant renewal guide.
type RenewalPricesRequest struct {
	// OrderID is Fliggy's id of the order (飞猪订单号).
	OrderID fliggy.ID `top:"orderId"`
	// OutOrderID is your own id of the rental to be renewed.
	OutOrderID string `top:"outOrderId"`
	// CarUseTime is the start of the renewal: the current return time of the rental. yyyy-MM-dd HH:mm in GMT+8; seconds
	// are accepted too.
	CarUseTime fliggy.Time `top:"carUseTime,layout=minute"`
	// CarReturnTime is the new return time, in the same format.
	CarReturnTime fliggy.Time `top:"carReturnTime,layout=minute"`
	// IsPressureTest marks load-test traffic (压测流量): reply to it, but keep it out of your books. Text "true" or "false" on
	// the wire.
	IsPressureTest bool `top:"isPressureTest,text,keep"`
	// TraceID is for troubleshooting only.
	TraceID string `top:"traceId"`
	// Exts is extension data (扩展信息). The text "null" decodes as unset.
	Exts fliggy.Exts `top:"exts"`
	// Extra holds the members that have no field.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Validate returns a *fliggy.ValidationError that lists missing members, and a return time that is not after the start.
func (r *RenewalPricesRequest) Validate() error {
	ps := checkIDs(r.OrderID, r.OutOrderID)
	checkPeriod(&ps, r.CarUseTime, r.CarReturnTime)
	return ps.Err(RenewalPricesMethod)
}

// MarshalJSON encodes the request as Fliggy sends it. Unset members are omitted.
func (r RenewalPricesRequest) MarshalJSON() ([]byte, error) { return writeMessage(&r, nil) }

// UnmarshalJSON decodes a request in any documented form.
func (r *RenewalPricesRequest) UnmarshalJSON(data []byte) error { return readMessage(data, r) }

// A RenewalSubmitRequest places a renewal order. Inferred: Fliggy may repeat an order whose reply it did not get. Give
// the same reply to a repeat. How to recognise one is not documented: use [Delivery.Key], which includes the ids, both
// times, PayTradeNo and PriceMark.
//
// The notes of [RenewalPricesRequest] on missing members and content apply here too.
//
// Source: qimen.alitrip.rentcar.renewalorder.submit, merchant renewal guide.
type RenewalSubmitRequest struct {
	// OrderID is Fliggy's id of the order (飞猪订单号). Whether it is the main order or the renewal order is not documented.
	OrderID fliggy.ID `top:"orderId"`
	// OutOrderID is your own id of the rental to be renewed.
	OutOrderID string `top:"outOrderId"`
	// CarUseTime is the start of the renewal: the current return time of the rental. yyyy-MM-dd HH:mm in GMT+8; seconds
	// are accepted too.
	CarUseTime fliggy.Time `top:"carUseTime,layout=minute"`
	// CarReturnTime is the new return time, in the same format.
	CarReturnTime fliggy.Time `top:"carReturnTime,layout=minute"`
	// RenewalOrderTotalAmount is what the customer pays, in yuan: the standard price plus the added services of the quote.
	// Package pricing compares the two.
	RenewalOrderTotalAmount fliggy.Yuan `top:"renewalOrderTotalAmount"`
	// PriceMark is the token of your quote. Inferred: the one in the sample matches no sample quote.
	PriceMark string `top:"priceMark"`
	// PayTradeNo is the trade number of the payment (交易流水号). It may be empty, so do not use it alone as a key.
	PayTradeNo string `top:"payTradeNo"`
	// IsPressureTest marks load-test traffic (压测流量): reply to it, but keep it out of your books. Text "true" or "false" on
	// the wire.
	IsPressureTest bool `top:"isPressureTest,text,keep"`
	// TraceID is for troubleshooting only.
	TraceID string `top:"traceId"`
	// Exts is extension data (扩展信息). The text "null" decodes as unset.
	Exts fliggy.Exts `top:"exts"`
	// Extra holds the members that have no field.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Validate returns a *fliggy.ValidationError that lists missing members, and a return time that is not after the start.
func (r *RenewalSubmitRequest) Validate() error {
	ps := checkIDs(r.OrderID, r.OutOrderID)
	checkPeriod(&ps, r.CarUseTime, r.CarReturnTime)
	if !r.RenewalOrderTotalAmount.IsSet() {
		ps.Add("renewalOrderTotalAmount", ruleMissing)
	} else if r.RenewalOrderTotalAmount.IsNegative() {
		ps.Add("renewalOrderTotalAmount", ruleNegative)
	}
	checkText(&ps, "priceMark", r.PriceMark)
	checkText(&ps, "payTradeNo", r.PayTradeNo)
	return ps.Err(RenewalSubmitMethod)
}

// MarshalJSON encodes the request as Fliggy sends it. Unset members are omitted.
func (r RenewalSubmitRequest) MarshalJSON() ([]byte, error) { return writeMessage(&r, nil) }

// UnmarshalJSON decodes a request in any documented form.
func (r *RenewalSubmitRequest) UnmarshalJSON(data []byte) error { return readMessage(data, r) }

// A RenewalSubmitReply reports that the renewal is booked.
//
// Source: qimen.alitrip.rentcar.renewalorder.submit, merchant renewal guide.
type RenewalSubmitReply struct {
	// OutOrderID is your id of the new renewal order, not that of the rental. Required.
	OutOrderID string `top:"outOrderId,required"`
	// CreatedTime is the time at which you created the order: yyyy-MM-dd HH:mm:ss in GMT+8. Required.
	CreatedTime fliggy.Time `top:"createdTime,required"`
	// Extra holds additional members, which are encoded as they are.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Validate returns a *fliggy.ValidationError that lists missing members.
func (r *RenewalSubmitReply) Validate() error { return checkMessage(RenewalSubmitMethod, r) }

// MarshalJSON encodes the reply like the guide's sample, with success true and empty code and message.
func (r RenewalSubmitReply) MarshalJSON() ([]byte, error) { return writeMessage(&r, submitStatus) }

// UnmarshalJSON decodes a reply. The error is a *[Refusal] if success is false. A missing success is an error.
func (r *RenewalSubmitReply) UnmarshalJSON(data []byte) error { return readReply(data, r, &r.Extra) }

// A RenewalCancelRequest cancels a renewal order. Inferred: Fliggy may repeat it if it did not get your reply. Give the
// same reply to a repeat.
//
// The notes of [RenewalPricesRequest] on missing members and content apply here too.
//
// Source: qimen.alitrip.rentcar.renewalorder.cancel, merchant renewal guide.
type RenewalCancelRequest struct {
	// OrderID is Fliggy's id of the order (飞猪订单号).
	OrderID fliggy.ID `top:"orderId"`
	// OutOrderID is your id of the renewal order. Inferred: the one in your reply to the submit.
	OutOrderID string `top:"outOrderId"`
	// CancelTime is the time of the cancellation: yyyy-MM-dd HH:mm:ss in GMT+8.
	CancelTime fliggy.Time `top:"cancelTime"`
	// CancelMessage is the reason, free text.
	CancelMessage string `top:"cancelMessage"`
	// PenaltyAmount is the cancellation penalty (违约金) in yuan, as computed by Fliggy. Accept it without recomputing it:
	// the amount in the guide's sample fits a refund better.
	PenaltyAmount fliggy.Yuan `top:"penaltyAmount"`
	// IsPressureTest marks load-test traffic (压测流量). Inferred: the other two requests have it, the sample of this one does
	// not.
	IsPressureTest bool `top:"isPressureTest,text"`
	// TraceID is for troubleshooting only.
	TraceID string `top:"traceId"`
	// Exts is extension data (扩展信息). The text "null" decodes as unset.
	Exts fliggy.Exts `top:"exts"`
	// Extra holds the members that have no field.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Validate returns a *fliggy.ValidationError that lists missing members.
func (r *RenewalCancelRequest) Validate() error {
	ps := checkIDs(r.OrderID, r.OutOrderID)
	checkTime(&ps, "cancelTime", r.CancelTime)
	return ps.Err(RenewalCancelMethod)
}

// MarshalJSON encodes the request as Fliggy sends it. Unset members are omitted.
func (r RenewalCancelRequest) MarshalJSON() ([]byte, error) { return writeMessage(&r, nil) }

// UnmarshalJSON decodes a request in any documented form.
func (r *RenewalCancelRequest) UnmarshalJSON(data []byte) error { return readMessage(data, r) }

// A RenewalCancelReply reports that the renewal is cancelled.
//
// Source: qimen.alitrip.rentcar.renewalorder.cancel, merchant renewal guide.
type RenewalCancelReply struct {
	// Extra holds additional members, which are encoded as they are.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Validate always returns nil: the reply has no members of its own.
func (r *RenewalCancelReply) Validate() error { return checkMessage(RenewalCancelMethod, r) }

// MarshalJSON encodes the reply like the guide's sample: success true, code 200, empty message.
func (r RenewalCancelReply) MarshalJSON() ([]byte, error) { return writeMessage(&r, cancelStatus) }

// UnmarshalJSON decodes a reply. The error is a *[Refusal] if success is false. A missing success is an error.
func (r *RenewalCancelReply) UnmarshalJSON(data []byte) error { return readReply(data, r, &r.Extra) }
