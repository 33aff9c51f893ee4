package events

import (
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

// CallbackData is the data of a callback. Which members a type needs, Validate
// says.
type CallbackData struct {
	// RenewalOrderID is Fliggy's id of the renewal order, digits; sent as the
	// number it is documented to be. Required for 270 and 271.
	RenewalOrderID fliggy.ID `top:"renewalOrderId,number"`
	// RenewalOutOrderID is the distributor's id of the renewal. Required for 270
	// and 271.
	RenewalOutOrderID string `top:"renewalOutOrderId"`
	// RefundType is the kind of refund. Required for 270.
	RefundType fliggy.RefundType `top:"refundType"`
	// Amount is the amount refunded or to be refunded, in yuan.
	Amount fliggy.Yuan `top:"amount"`
	// Reason is the reason of the refund.
	Reason string `top:"reason"`
	// PayTradeNo is the trade number of the refund, byte for byte as the event
	// brought it: Fliggy finds its record by it. Required for 270 and 271.
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
// and the trade number of the event.
func (e *FeeRefund) SuccessCallback() *Callback {
	return answer(&e.Envelope, TypeFeeRefundSucceeded, &e.FeeRefundData)
}

// FailureCallback says that the fee was not refunded: 261.
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
// tags, a pointer to one, a json.RawMessage that is an object, or nil for none.
func NewCallback(t Type, o Order, data any) (*Callback, error) {
	c := &Callback{Envelope: o.envelope(t)}
	if data == nil {
		return c, nil
	}
	raw, err := top.AppendValue(nil, data)
	if err == nil {
		err = dataPlan.DecodeJSON(raw, &c.Data)
	}
	if err != nil {
		return nil, fmt.Errorf("events: new callback %v: data: %w", t, err)
	}
	return c, nil
}

// ParseCallback reads the text of a callback back, as Fliggy would: the
// counterpart of MarshalJSON, for tests and stores.
func ParseCallback(payload []byte) (*Callback, error) {
	in, err := find(payload, maxWrapping)
	if err != nil {
		return nil, fmt.Errorf("events: callback: %w", err)
	}
	c := &Callback{Envelope: in.Envelope}
	data := object(in.Data)
	switch {
	case data == nil && isNothing(in.Data):
		return c, nil
	case data == nil:
		err = errors.New("expected an object")
	default:
		err = dataPlan.DecodeJSON(data, &c.Data)
	}
	if err != nil {
		return nil, fmt.Errorf("events: callback %v: eventData: %w", in.EventType, err)
	}
	return c, nil
}

// Validate lists what is wrong with the callback in a *fliggy.ValidationError:
// what the guide forbids. It is checked again before sending.
func (c *Callback) Validate() error {
	var ps fliggy.Problems
	if c.EventType <= 0 {
		ps.Add("eventType", "must be positive")
	}
	if c.OrderID == "" && c.OutOrderID == "" {
		ps.Add("orderId", "one of orderId and outOrderId is required")
	}
	d := &c.Data
	switch c.EventType {
	case TypeRenewalFeeRefundSucceeded, TypeRenewalFeeRefundFailed:
		required(&ps, "eventData.renewalOrderId", string(d.RenewalOrderID))
		required(&ps, "eventData.renewalOutOrderId", d.RenewalOutOrderID)
		required(&ps, "eventData.payTradeNo", d.PayTradeNo)
		if c.EventType == TypeRenewalFeeRefundSucceeded && d.RefundType == 0 {
			ps.Add("eventData.refundType", "is missing")
		}
	}
	if d.Amount.Sign() < 0 {
		ps.Add("eventData.amount", "must not be negative")
	}
	ps = append(ps, envelopePlan.Check(&c.Envelope)...)
	ps = append(ps, dataPlan.Check(d).In("eventData")...)
	return ps.Err("callback " + c.EventType.String())
}

// MarshalJSON gives the documented form, the one that is sent.
func (c *Callback) MarshalJSON() ([]byte, error) {
	if reflect.ValueOf(c.Data).IsZero() {
		return encode(&c.Envelope, nil)
	}
	return encode(&c.Envelope, &c.Data)
}
