package events

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// A Callback reports the result of an operation of the distributor to Fliggy (回调). Build one with a constructor or from
// an event, and send it with rentcar.CallbackService.
//
// Source: B2B renewal guide, alitrip.rentcar.btb.distribution.callback.
type Callback struct {
	Envelope
	// Data is the part that depends on the type of the callback.
	Data CallbackData
}

// CallbackData is the data of a callback. [Callback.Validate] checks the members that a type requires.
//
// The guide documents the members of 270 and 271. alitrip.rentcar.btb.distribution.callback documents those of 11, 210,
// 220 and 230, and refundType and amount of 260. Inferred: reason and payTradeNo of 260, and all members of 261.
type CallbackData struct {
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号): digits, sent as a number, which is the documented
	// type. Required for 270 and 271.
	RenewalOrderID fliggy.ID `top:"renewalOrderId,number"`
	// RenewalOutOrderID is the distributor's id of the renewal (分销续租订单号). Required for 270 and 271.
	RenewalOutOrderID string `top:"renewalOutOrderId"`
	// RefundType is the kind of refund (退款类型). Required for 270. Inferred for 261.
	RefundType fliggy.RefundType `top:"refundType"`
	// Amount is the amount of the refund in yuan (退款金额). Inferred for 261.
	Amount fliggy.Yuan `top:"amount"`
	// Reason is the reason of the refund (退款原因). Inferred for 260 and 261.
	Reason string `top:"reason"`
	// PayTradeNo is the trade number of the refund (当前退款交易流水号), byte for byte as in the event: Fliggy finds its record by
	// it. Required for 270 and 271. Inferred for 260 and 261.
	PayTradeNo string `top:"payTradeNo"`
	// ErrorCode is the reason of a failure as a code, for 11 and 220.
	ErrorCode string `top:"errorCode"`
	// ErrorMessage is the reason of a failure in words, for 11 and 220.
	ErrorMessage string `top:"errorMessage"`
	// ExtraData holds the members that have no field, as JSON.
	ExtraData map[string]json.RawMessage `top:",unknown"`
}

var dataPlan = mustPlan[CallbackData]()

// SuccessCallback returns the callback for a refunded fee (270), with the ids, the amount and the trade number of the
// event.
func (e *RenewalFeeRefund) SuccessCallback() *Callback {
	return e.callback(TypeRenewalFeeRefundSucceeded)
}

// FailureCallback returns the callback for a fee that was not refunded (271).
func (e *RenewalFeeRefund) FailureCallback() *Callback {
	return e.callback(TypeRenewalFeeRefundFailed)
}

func (e *RenewalFeeRefund) callback(t Type) *Callback {
	c := refundCallback(&e.Envelope, t, &e.FeeRefundData)
	c.Data.RenewalOrderID, c.Data.RenewalOutOrderID = e.RenewalOrderID, e.RenewalOutOrderID
	return c
}

// SuccessCallback returns the callback for a refunded fee (260), with the ids, the amount and the trade number of the
// event. Inferred: 260 is the answer to 141.
func (e *FeeRefund) SuccessCallback() *Callback {
	return refundCallback(&e.Envelope, TypeFeeRefundSucceeded, &e.FeeRefundData)
}

// FailureCallback returns the callback for a fee that was not refunded (261). Inferred: 261 is the answer to 141.
func (e *FeeRefund) FailureCallback() *Callback {
	return refundCallback(&e.Envelope, TypeFeeRefundFailed, &e.FeeRefundData)
}

func refundCallback(head *Envelope, t Type, d *FeeRefundData) *Callback {
	return &Callback{
		Envelope: Order{head.ChannelID, head.OrderID, head.OutOrderID}.envelope(t),
		Data: CallbackData{
			RefundType: d.RefundType, Amount: d.Amount, Reason: d.Reason, PayTradeNo: d.PayTradeNo,
		},
	}
}

// An Order identifies the order that a callback is about.
type Order struct {
	ChannelID  fliggy.Channel // distribution channel; the default is the client's
	OrderID    fliggy.ID      // Fliggy's id of the main order
	OutOrderID string         // the distributor's id of the main order
}

func (o Order) envelope(t Type) Envelope {
	return Envelope{ChannelID: o.ChannelID, OrderID: o.OrderID, OutOrderID: o.OutOrderID, EventType: t}
}

// NewOrderCancelled returns the callback for a cancelled order (取消订单成功, 10).
func NewOrderCancelled(o Order) *Callback {
	return &Callback{Envelope: o.envelope(TypeOrderCancelled)}
}

// NewOrderCancelFailed returns the callback for an order that could not be cancelled (取消订单失败, 11), with the reason.
func NewOrderCancelFailed(o Order, code, message string) *Callback {
	return &Callback{o.envelope(TypeOrderCancelFailed), CallbackData{ErrorCode: code, ErrorMessage: message}}
}

// NewRefundInProgress returns the callback for a refund in progress (退款中, 210).
func NewRefundInProgress(o Order, amount fliggy.Yuan, payTradeNo string) *Callback {
	return &Callback{o.envelope(TypeRefundInProgress), CallbackData{Amount: amount, PayTradeNo: payTradeNo}}
}

// NewRefundRefused returns the callback for a refused refund (退款拒绝, 220), with the reason.
func NewRefundRefused(o Order, code, message string) *Callback {
	return &Callback{o.envelope(TypeRefundRefused), CallbackData{ErrorCode: code, ErrorMessage: message}}
}

// NewRefundPaid returns the callback for a refund that was agreed and paid (同意已退款, 230).
func NewRefundPaid(o Order, amount fliggy.Yuan, payTradeNo string) *Callback {
	return &Callback{o.envelope(TypeRefundPaid), CallbackData{Amount: amount, PayTradeNo: payTradeNo}}
}

// NewCallback returns a callback of any type. data is a struct with `top` or json tags, a pointer to one, a
// json.RawMessage that holds an object, or nil for no data. Members that CallbackData has no field for are kept in
// ExtraData. A map is refused, because the encoding of its numbers is undefined: pass a json.RawMessage instead.
func NewCallback(t Type, o Order, data any) (*Callback, error) {
	c := &Callback{Envelope: o.envelope(t)}
	if data == nil {
		return c, nil
	}
	raw, err := dataJSON(data)
	if err == nil && raw != nil {
		err = dataPlan.DecodeJSON(raw, &c.Data)
	}
	if err != nil {
		return nil, fmt.Errorf("events: new callback %v: data: %w", t, err)
	}
	return c, nil
}

// dataJSON encodes the data of a callback. It returns nil for a nil pointer and for JSON null.
func dataJSON(data any) (json.RawMessage, error) {
	raw, isRaw := data.(json.RawMessage)
	if !isRaw {
		if reflect.TypeOf(data).Kind() == reflect.Map {
			return nil, errors.New("a map has no fixed encoding: use a struct or a json.RawMessage")
		}
		var err error
		if raw, err = top.AppendValue(nil, data); err != nil {
			return nil, err
		}
	}
	raw = bytes.TrimSpace(raw)
	switch {
	case len(raw) == 0, string(raw) == "null":
		return nil, nil
	case raw[0] != '{':
		return nil, fmt.Errorf("expected a struct, a pointer to one or the json.RawMessage of an object, got %T", data)
	}
	return raw, nil
}

// ParseCallback decodes a callback: the inverse of MarshalJSON, for tests and stores. It accepts every shape that Parse
// accepts.
func ParseCallback(payload []byte) (*Callback, error) {
	in, err := read(payload)
	if err != nil {
		return nil, fmt.Errorf("events: callback: %w", err)
	}
	c := &Callback{Envelope: in.Envelope}
	data, err := in.data.AsObject()
	switch {
	case err != nil:
	case data.Kind() != top.None:
		err = dataPlan.Decode(data, &c.Data)
	case in.data.Says():
		err = errors.New("expected an object")
	}
	if err != nil {
		return nil, fmt.Errorf("events: callback %v: eventData: %w", in.EventType, err)
	}
	return c, nil
}

// Validate returns a *fliggy.ValidationError that lists every broken rule of the guide and every value that cannot be
// encoded. Sending a callback validates it again. ChannelID may be empty: the client sets its own.
func (c *Callback) Validate() error {
	var ps fliggy.Problems
	c.check(&ps, c.EventType)
	ps = append(ps, envelopePlan.Check(&c.Envelope)...)
	d := &c.Data
	if c.EventType == TypeRenewalFeeRefundSucceeded || c.EventType == TypeRenewalFeeRefundFailed {
		required(&ps, "eventData.renewalOrderId", string(d.RenewalOrderID))
		required(&ps, "eventData.renewalOutOrderId", d.RenewalOutOrderID)
		if c.EventType == TypeRenewalFeeRefundSucceeded && d.RefundType == 0 {
			ps.Add("eventData.refundType", "is missing")
		}
		required(&ps, "eventData.payTradeNo", d.PayTradeNo)
	}
	if d.Amount.IsNegative() {
		ps.Add("eventData.amount", "must not be negative")
	}
	ps = append(ps, dataPlan.Check(d).In("eventData")...)
	checkExtra(&ps, &c.Envelope, dataPlan, d.ExtraData)
	return ps.Err("callback " + c.EventType.String())
}

// MarshalJSON returns the documented form, which is the one that is sent.
func (c Callback) MarshalJSON() ([]byte, error) {
	p := dataPlan
	if reflect.ValueOf(c.Data).IsZero() {
		p = nil
	}
	return encodeFields("callback ", c.Envelope, c.EventType, p, &c.Data, c.Data.ExtraData)
}
