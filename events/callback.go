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

// A Callback tells Fliggy how something ended at the distributor (回调). Build one
// with a constructor or from an event, send it with rentcar.CallbackService.
//
// Source: B2B renewal guide, alitrip.rentcar.btb.distribution.callback.
type Callback struct {
	Envelope
	// Data is the callback's own data.
	Data CallbackData
}

// CallbackData is the data of a callback. Validate says which members a type
// needs.
//
// The guide documents the members of 270 and 271, and
// alitrip.rentcar.btb.distribution.callback those of 11, 210, 220 and 230, and
// refundType and amount of 260. Inferred are reason and payTradeNo of 260, and
// all of 261.
type CallbackData struct {
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号), digits; sent
	// as the number it is documented to be. Required for 270 and 271.
	RenewalOrderID fliggy.ID `top:"renewalOrderId,number"`
	// RenewalOutOrderID is the distributor's id of the renewal (分销续租订单号).
	// Required for 270 and 271.
	RenewalOutOrderID string `top:"renewalOutOrderId"`
	// RefundType is the kind of refund (退款类型). Required for 270. Inferred for 261.
	RefundType fliggy.RefundType `top:"refundType"`
	// Amount is the amount refunded or to be refunded, in yuan (退款金额). Inferred
	// for 261.
	Amount fliggy.Yuan `top:"amount"`
	// Reason is the reason of the refund (退款原因). Inferred for 260 and 261.
	Reason string `top:"reason"`
	// PayTradeNo is the trade number of the refund (当前退款交易流水号), byte for byte as
	// the event brought it: Fliggy finds its record by it. Required for 270 and
	// 271. Inferred for 260 and 261.
	PayTradeNo string `top:"payTradeNo"`
	// ErrorCode is the reason of a failure as a code: 11 and 220.
	ErrorCode string `top:"errorCode"`
	// ErrorMessage is the reason of a failure in words: 11 and 220.
	ErrorMessage string `top:"errorMessage"`
	// ExtraData are members without a field, as JSON.
	ExtraData map[string]json.RawMessage `top:",unknown"`
}

var dataPlan = mustPlan[CallbackData]()

// SuccessCallback says that the fee was refunded: 270, with the ids, the amount
// and the trade number of the event.
func (e *RenewalFeeRefund) SuccessCallback() *Callback {
	return e.callback(TypeRenewalFeeRefundSucceeded)
}

// FailureCallback says that the fee was not refunded: 271.
func (e *RenewalFeeRefund) FailureCallback() *Callback {
	return e.callback(TypeRenewalFeeRefundFailed)
}

func (e *RenewalFeeRefund) callback(t Type) *Callback {
	c := answer(&e.Envelope, t, &e.FeeRefundData)
	c.Data.RenewalOrderID, c.Data.RenewalOutOrderID = e.RenewalOrderID, e.RenewalOutOrderID
	return c
}

// SuccessCallback says that the fee was refunded: 260, with the ids, the amount
// and the trade number of the event. That 260 answers a 141 is inferred.
func (e *FeeRefund) SuccessCallback() *Callback {
	return answer(&e.Envelope, TypeFeeRefundSucceeded, &e.FeeRefundData)
}

// FailureCallback says that the fee was not refunded: 261. That 261 answers a 141
// is inferred.
func (e *FeeRefund) FailureCallback() *Callback {
	return answer(&e.Envelope, TypeFeeRefundFailed, &e.FeeRefundData)
}

func answer(head *Envelope, t Type, d *FeeRefundData) *Callback {
	return &Callback{
		Envelope: Order{head.ChannelID, head.OrderID, head.OutOrderID}.envelope(t),
		Data: CallbackData{
			RefundType: d.RefundType, Amount: d.Amount, Reason: d.Reason, PayTradeNo: d.PayTradeNo,
		},
	}
}

// An Order names the order that a callback is about.
type Order struct {
	ChannelID  fliggy.Channel // distribution channel; empty takes the client's
	OrderID    fliggy.ID      // Fliggy's id of the main order
	OutOrderID string         // the distributor's id of the main order
}

func (o Order) envelope(t Type) Envelope {
	return Envelope{ChannelID: o.ChannelID, OrderID: o.OrderID, OutOrderID: o.OutOrderID, EventType: t}
}

// NewOrderCancelled says that an order was cancelled (取消订单成功, 10).
func NewOrderCancelled(o Order) *Callback {
	return &Callback{Envelope: o.envelope(TypeOrderCancelled)}
}

// NewOrderCancelFailed says that an order could not be cancelled, and why
// (取消订单失败, 11).
func NewOrderCancelFailed(o Order, code, message string) *Callback {
	return &Callback{o.envelope(TypeOrderCancelFailed), CallbackData{ErrorCode: code, ErrorMessage: message}}
}

// NewRefundInProgress says that a refund is on its way (退款中, 210).
func NewRefundInProgress(o Order, amount fliggy.Yuan, payTradeNo string) *Callback {
	return &Callback{o.envelope(TypeRefundInProgress), CallbackData{Amount: amount, PayTradeNo: payTradeNo}}
}

// NewRefundRefused says that a refund was refused, and why (退款拒绝, 220).
func NewRefundRefused(o Order, code, message string) *Callback {
	return &Callback{o.envelope(TypeRefundRefused), CallbackData{ErrorCode: code, ErrorMessage: message}}
}

// NewRefundPaid says that a refund was agreed and paid (同意已退款, 230).
func NewRefundPaid(o Order, amount fliggy.Yuan, payTradeNo string) *Callback {
	return &Callback{o.envelope(TypeRefundPaid), CallbackData{Amount: amount, PayTradeNo: payTradeNo}}
}

// NewCallback builds a callback of any type. data is a struct with `top` or json
// tags, a pointer to one, a json.RawMessage that is an object, or nil for none. A
// map is refused: give it as a json.RawMessage, which decides how its numbers are
// written. Members that CallbackData has no field for are kept in
// ExtraData.
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

// dataJSON writes the data of a callback, nil for a nil pointer and the like.
func dataJSON(data any) (json.RawMessage, error) {
	raw, isRaw := data.(json.RawMessage)
	if !isRaw {
		if reflect.TypeOf(data).Kind() == reflect.Map {
			return nil, errors.New("a map has no fixed wire format: use a struct or a json.RawMessage")
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

// ParseCallback reads the text of a callback back, as Fliggy would: the
// counterpart of MarshalJSON, for tests and stores. It takes every form that
// Parse takes.
func ParseCallback(payload []byte) (*Callback, error) {
	in, _, err := read(payload)
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

// Validate lists what is wrong with the callback in a *fliggy.ValidationError:
// what the guide forbids, and what cannot be written. It is checked again before
// sending. That there is no channel is no finding: the client adds its own.
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

// MarshalJSON gives the documented form, the one that is sent.
func (c Callback) MarshalJSON() ([]byte, error) {
	p := dataPlan
	if reflect.ValueOf(c.Data).IsZero() {
		p = nil
	}
	return encodeFields("callback ", c.Envelope, c.EventType, p, &c.Data, c.Data.ExtraData)
}
