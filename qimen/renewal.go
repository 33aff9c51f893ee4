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

// A RenewalPricesRequest asks what it costs to keep the car longer. The rental is
// picked up (已取车) by then.
//
// It is refused before your function sees it only when it cannot be decoded, or
// names no order at all; any other member may be unset, see Validate and
// [Delivery.Findings]. The members are those of the guide's samples, so which of
// them are always there is inferred.
//
// Members may also come as parameters of the query, beside a JSON or form body that lacks
// them, or without a body (also by GET): the platform signs them there. One that comes in
// both places and differs is an error. [WithoutForms] and [WithPayload] switch this off.
//
// Unlike a [Delivery], a request prints and logs with all its content.
//
// Source: qimen.alitrip.rentcar.renewalprices.query, merchant renewal guide.
type RenewalPricesRequest struct {
	// OrderID is Fliggy's id of the order (飞猪订单号).
	OrderID fliggy.ID `top:"orderId"`
	// OutOrderID is your own id of the rental to be renewed.
	OutOrderID string `top:"outOrderId"`
	// CarUseTime is when the renewal starts: the present return time of the rental.
	// yyyy-MM-dd HH:mm in GMT+8, read with seconds too.
	CarUseTime fliggy.Time `top:"carUseTime,layout=minute"`
	// CarReturnTime is the new return time, in the same form.
	CarReturnTime fliggy.Time `top:"carReturnTime,layout=minute"`
	// IsPressureTest marks load-test traffic (压测流量): answer it, and keep it out of
	// your books. Text "true" or "false" on the wire.
	IsPressureTest bool `top:"isPressureTest,text,keep"`
	// TraceID is for troubleshooting only.
	TraceID string `top:"traceId"`
	// Exts is extension data (扩展信息); the text "null" means nothing and reads as
	// unset.
	Exts fliggy.Exts `top:"exts"`
	// Extra holds the members that this version has no field for.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Validate lists in a *fliggy.ValidationError what the request lacks, and a return
// that is not after the start.
func (r *RenewalPricesRequest) Validate() error {
	ps := checkIDs(r.OrderID, r.OutOrderID)
	checkPeriod(&ps, r.CarUseTime, r.CarReturnTime)
	return ps.Err(RenewalPricesMethod)
}

// MarshalJSON writes the request as Fliggy sends it, without unset members.
func (r RenewalPricesRequest) MarshalJSON() ([]byte, error) { return writeMessage(&r, nil) }

// UnmarshalJSON reads a request in any form that the documents show.
func (r *RenewalPricesRequest) UnmarshalJSON(data []byte) error { return readMessage(data, r) }

// A RenewalSubmitRequest places a renewal order. Inferred: the same order may be
// placed again, when Fliggy did not learn your answer; answer it as the first time.
// What tells a repeat is not documented either; [Delivery.Key] does, which is made of the
// ids together with times, PayTradeNo and PriceMark.
//
// What is said of missing members and of content at [RenewalPricesRequest] holds
// here too.
//
// Source: qimen.alitrip.rentcar.renewalorder.submit, merchant renewal guide.
type RenewalSubmitRequest struct {
	// OrderID is Fliggy's id of the order (飞猪订单号). Whether it is that of the main
	// order or of the renewal order is not documented.
	OrderID fliggy.ID `top:"orderId"`
	// OutOrderID is your own id of the rental to be renewed.
	OutOrderID string `top:"outOrderId"`
	// CarUseTime is when the renewal starts: the present return time of the rental.
	// yyyy-MM-dd HH:mm in GMT+8, read with seconds too.
	CarUseTime fliggy.Time `top:"carUseTime,layout=minute"`
	// CarReturnTime is the new return time, in the same form.
	CarReturnTime fliggy.Time `top:"carReturnTime,layout=minute"`
	// RenewalOrderTotalAmount is what the customer pays, in yuan: the standard price
	// plus the added services of the quote. Package pricing compares the two.
	RenewalOrderTotalAmount fliggy.Yuan `top:"renewalOrderTotalAmount"`
	// PriceMark is the token of the quote, as you gave it. Inferred: the sample's is
	// that of none of the sample quotes.
	PriceMark string `top:"priceMark"`
	// PayTradeNo is the trade number of the payment (交易流水号). It may be empty, so it is
	// no key by itself.
	PayTradeNo string `top:"payTradeNo"`
	// IsPressureTest marks load-test traffic (压测流量): answer it, and keep it out of
	// your books. Text "true" or "false" on the wire.
	IsPressureTest bool `top:"isPressureTest,text,keep"`
	// TraceID is for troubleshooting only.
	TraceID string `top:"traceId"`
	// Exts is extension data (扩展信息); the text "null" means nothing and reads as
	// unset.
	Exts fliggy.Exts `top:"exts"`
	// Extra holds the members that this version has no field for.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Validate lists in a *fliggy.ValidationError what the request lacks, and a return
// that is not after the start.
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

// MarshalJSON writes the request as Fliggy sends it, without unset members.
func (r RenewalSubmitRequest) MarshalJSON() ([]byte, error) { return writeMessage(&r, nil) }

// UnmarshalJSON reads a request in any form that the documents show.
func (r *RenewalSubmitRequest) UnmarshalJSON(data []byte) error { return readMessage(data, r) }

// A RenewalSubmitReply says that the renewal is booked.
//
// Source: qimen.alitrip.rentcar.renewalorder.submit, merchant renewal guide.
type RenewalSubmitReply struct {
	// OutOrderID is your id of the new renewal order, not that of the rental.
	// Required.
	OutOrderID string `top:"outOrderId,required"`
	// CreatedTime is when you created it: yyyy-MM-dd HH:mm:ss in GMT+8. Required.
	CreatedTime fliggy.Time `top:"createdTime,required"`
	// Extra holds further members, which are written as they are.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Validate lists in a *fliggy.ValidationError what is missing.
func (r *RenewalSubmitReply) Validate() error { return checkMessage(RenewalSubmitMethod, r) }

// MarshalJSON writes the reply as the guide's sample has it, success and empty
// code and message included.
func (r RenewalSubmitReply) MarshalJSON() ([]byte, error) { return writeMessage(&r, submitStatus) }

// UnmarshalJSON reads a reply. One that says failure is a *[Refusal], one without
// its success flag an error.
func (r *RenewalSubmitReply) UnmarshalJSON(data []byte) error { return readReply(data, r, &r.Extra) }

// A RenewalCancelRequest cancels a renewal order. Inferred: it may come again, when
// Fliggy did not learn your answer; answer it as the first time.
//
// What is said of missing members and of content at [RenewalPricesRequest] holds
// here too.
//
// Source: qimen.alitrip.rentcar.renewalorder.cancel, merchant renewal guide.
type RenewalCancelRequest struct {
	// OrderID is Fliggy's id of the order (飞猪订单号).
	OrderID fliggy.ID `top:"orderId"`
	// OutOrderID is your id of the renewal order. Inferred: the one that your reply
	// to the submit gave.
	OutOrderID string `top:"outOrderId"`
	// CancelTime is when it was cancelled: yyyy-MM-dd HH:mm:ss in GMT+8.
	CancelTime fliggy.Time `top:"cancelTime"`
	// CancelMessage is the reason, free text.
	CancelMessage string `top:"cancelMessage"`
	// PenaltyAmount is the cancellation penalty (违约金) in yuan, as Fliggy computed
	// it. The amount of the guide's sample fits a refund better; do not recompute or
	// refuse it.
	PenaltyAmount fliggy.Yuan `top:"penaltyAmount"`
	// IsPressureTest marks load-test traffic (压测流量). Inferred: the sample has no
	// such member, its siblings have it.
	IsPressureTest bool `top:"isPressureTest,text"`
	// TraceID is for troubleshooting only.
	TraceID string `top:"traceId"`
	// Exts is extension data (扩展信息); the text "null" means nothing and reads as
	// unset.
	Exts fliggy.Exts `top:"exts"`
	// Extra holds the members that this version has no field for.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Validate lists in a *fliggy.ValidationError what the request lacks.
func (r *RenewalCancelRequest) Validate() error {
	ps := checkIDs(r.OrderID, r.OutOrderID)
	checkTime(&ps, "cancelTime", r.CancelTime)
	return ps.Err(RenewalCancelMethod)
}

// MarshalJSON writes the request as Fliggy sends it, without unset members.
func (r RenewalCancelRequest) MarshalJSON() ([]byte, error) { return writeMessage(&r, nil) }

// UnmarshalJSON reads a request in any form that the documents show.
func (r *RenewalCancelRequest) UnmarshalJSON(data []byte) error { return readMessage(data, r) }

// A RenewalCancelReply says that the renewal is cancelled; it says nothing more.
//
// Source: qimen.alitrip.rentcar.renewalorder.cancel, merchant renewal guide.
type RenewalCancelReply struct {
	// Extra holds further members, which are written as they are.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Validate finds nothing wrong: the reply has no member of its own.
func (r *RenewalCancelReply) Validate() error { return checkMessage(RenewalCancelMethod, r) }

// MarshalJSON writes the reply as the guide's sample has it: success, code 200,
// empty message.
func (r RenewalCancelReply) MarshalJSON() ([]byte, error) { return writeMessage(&r, cancelStatus) }

// UnmarshalJSON reads a reply. One that says failure is a *[Refusal], one without
// its success flag an error.
func (r *RenewalCancelReply) UnmarshalJSON(data []byte) error { return readReply(data, r, &r.Extra) }
