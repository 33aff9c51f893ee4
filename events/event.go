package events

import (
	"bytes"
	"encoding/json"
	"reflect"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// An Event is something that Fliggy pushed: one of the types of this package.
type Event interface {
	// Type is the number that the event came with.
	Type() Type
	// Head is the envelope around the event's own data.
	Head() *Envelope
	// Validate lists what breaks a rule of the guide in a *fliggy.ValidationError.
	// The event can be used all the same.
	Validate() error
	// Raw is the payload that Parse was given; nil for an event made by hand.
	Raw() []byte

	validate(*fliggy.Problems)
}

// An Envelope is what all events and callbacks have around their data.
//
// Source: B2B renewal guide, samples of the payloads.
type Envelope struct {
	// ChannelID is the distribution channel (分销渠道).
	ChannelID fliggy.Channel `top:"channelId"`
	// OrderID is Fliggy's order id (飞猪订单号): the main order, but the renewal
	// order itself in the guide's sample of event 103.
	OrderID fliggy.ID `top:"orderId"`
	// OutOrderID is the distributor's order id (分销商订单号).
	OutOrderID string `top:"outOrderId"`
	// EventType is the number of the event or callback, as it came.
	EventType Type `top:"eventType,keep"`
	// TraceID is a correlation id. Inferred.
	TraceID string `top:"traceId"`
	// Exts is extension data. Inferred.
	Exts fliggy.Exts `top:"exts"`
	// Extra are members of the envelope without a field, as JSON.
	Extra map[string]json.RawMessage `top:",unknown"`

	raw []byte
}

// Type is the number that the event came with.
func (e *Envelope) Type() Type { return e.EventType }

// Head is the envelope itself.
func (e *Envelope) Head() *Envelope { return e }

// Raw is the payload that Parse was given; nil for one made by hand.
func (e *Envelope) Raw() []byte { return e.raw }

func (e *Envelope) validate(ps *fliggy.Problems) {
	if e.OrderID == "" && e.OutOrderID == "" {
		ps.Add("orderId", "one of orderId and outOrderId is required")
	}
	if e.ChannelID == "" {
		ps.Add("channelId", "is missing")
	}
}

// RenewalAccepted says that the merchant took a renewal (续租接单成功事件, 103). It
// is the answer to renewal.submit.
//
// Source: B2B renewal guide.
type RenewalAccepted struct {
	Envelope `top:"-"`
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号). Correlate
	// by it: the envelope's order id may be the renewal's own.
	RenewalOrderID fliggy.ID `top:"renewalOrderId,number"`
	// CreatedTime is when the renewal order was created.
	CreatedTime fliggy.Time `top:"createdTime"`
	// PayTradeNo is a trade number. Inferred: it is commented out in the guide.
	PayTradeNo string `top:"payTradeNo"`
	// ExtraData are members of the data without a field, as JSON.
	ExtraData map[string]json.RawMessage `top:",unknown"`
}

// Validate lists what breaks a rule of the guide.
func (e *RenewalAccepted) Validate() error { return validate(e) }

func (e *RenewalAccepted) validate(ps *fliggy.Problems) {
	e.Envelope.validate(ps)
	required(ps, "eventData.renewalOrderId", string(e.RenewalOrderID))
	if e.CreatedTime.IsZero() {
		ps.Add("eventData.createdTime", "is missing")
	}
}

// MarshalJSON gives the payload as it came, without white space between tokens,
// or the documented form of an event made by hand.
func (e *RenewalAccepted) MarshalJSON() ([]byte, error) { return marshal(&e.Envelope, e) }

// RenewalRejected says that the merchant refused a renewal (续租接单失败事件, 104).
// It is the answer to renewal.submit. What happens to the payment is not
// documented.
//
// Source: B2B renewal guide.
type RenewalRejected struct {
	Envelope `top:"-"`
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号).
	RenewalOrderID fliggy.ID `top:"renewalOrderId,number"`
	// ErrorCode is the reason as a code, such as "71008".
	ErrorCode string `top:"errorCode"`
	// ErrorMessage is the reason in words.
	ErrorMessage string `top:"errorMessage"`
	// ExtraData are members of the data without a field, as JSON.
	ExtraData map[string]json.RawMessage `top:",unknown"`
}

// Validate lists what breaks a rule of the guide.
func (e *RenewalRejected) Validate() error { return validate(e) }

func (e *RenewalRejected) validate(ps *fliggy.Problems) {
	e.Envelope.validate(ps)
	required(ps, "eventData.renewalOrderId", string(e.RenewalOrderID))
	if e.ErrorCode == "" && e.ErrorMessage == "" {
		ps.Add("eventData.errorCode", "one of errorCode and errorMessage is required")
	}
}

// MarshalJSON gives the payload as it came, without white space between tokens,
// or the documented form of an event made by hand.
func (e *RenewalRejected) MarshalJSON() ([]byte, error) { return marshal(&e.Envelope, e) }

// RenewalFeeRefund orders the distributor to refund a fee of a renewal to the
// customer (续租退费事件, 142), and to answer with SuccessCallback or
// FailureCallback. The guide's sample carries the number 141, which is kept.
//
// Source: B2B renewal guide.
type RenewalFeeRefund struct {
	Envelope `top:"-"`
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号).
	RenewalOrderID fliggy.ID `top:"renewalOrderId,number"`
	// RenewalOutOrderID is the distributor's id of the renewal (分销续租订单号).
	RenewalOutOrderID string `top:"renewalOutOrderId"`
	// Canceller is who cancels (取消类型). Optional.
	Canceller fliggy.Canceller `top:"canceller"`
	FeeRefundData
}

// FeeRefund orders the distributor to refund a fee of the main order (退费事件,
// 141), and to answer with SuccessCallback or FailureCallback. All of it is
// inferred from the renewal's event and the callbacks 260 and 261.
type FeeRefund struct {
	Envelope `top:"-"`
	FeeRefundData
}

// FeeRefundData is what an order to refund a fee says, whichever order it is on.
type FeeRefundData struct {
	// RefundType is the kind of refund (退款类型).
	RefundType fliggy.RefundType `top:"refundType"`
	// Amount is what to refund, in yuan (退款金额).
	Amount fliggy.Yuan `top:"amount"`
	// Reason is the reason (退款原因). Required by the guide.
	Reason string `top:"reason"`
	// PayTradeNo is the trade number of the refund (当前退款交易流水号). The callback
	// echoes it byte for byte.
	PayTradeNo string `top:"payTradeNo"`
	// DeductPayTradeNo is the trade number of the deduction that is refunded
	// (扣款交易流水号): for refund types 3 and 4 only.
	DeductPayTradeNo string `top:"deductPayTradeNo"`
	// ExtraData are members of the data without a field, as JSON.
	ExtraData map[string]json.RawMessage `top:",unknown"`
}

func (d *FeeRefundData) check(ps *fliggy.Problems) {
	switch {
	case !d.Amount.IsSet():
		ps.Add("eventData.amount", "is missing")
	case d.Amount.Sign() <= 0:
		ps.Add("eventData.amount", "must be positive")
	}
	if d.RefundType == 0 {
		ps.Add("eventData.refundType", "is missing")
	}
	required(ps, "eventData.reason", d.Reason)
	required(ps, "eventData.payTradeNo", d.PayTradeNo)
	deduction := d.RefundType == fliggy.RefundVehicleDamage || d.RefundType == fliggy.RefundTrafficViolation
	if deduction != (d.DeductPayTradeNo != "") {
		ps.Add("eventData.deductPayTradeNo", "goes with refundType 3 and 4, and with no other")
	}
}

// TradeNo takes PayTradeNo apart where it follows the guide's form; ok is false
// where it does not, which is no fault.
func (e *RenewalFeeRefund) TradeNo() (no TradeNo, ok bool) {
	return ParseTradeNo(e.PayTradeNo, e.EventType)
}

// Validate lists what breaks a rule of the guide.
func (e *RenewalFeeRefund) Validate() error { return validate(e) }

func (e *RenewalFeeRefund) validate(ps *fliggy.Problems) {
	e.Envelope.validate(ps)
	required(ps, "eventData.renewalOrderId", string(e.RenewalOrderID))
	required(ps, "eventData.renewalOutOrderId", e.RenewalOutOrderID)
	if e.Canceller == fliggy.CancellerMerchant {
		ps.Add("eventData.canceller", "2 (merchant) is documented as not supported yet")
	}
	e.check(ps)
}

// MarshalJSON gives the payload as it came, without white space between tokens,
// or the documented form of an event made by hand.
func (e *RenewalFeeRefund) MarshalJSON() ([]byte, error) { return marshal(&e.Envelope, e) }

// TradeNo takes PayTradeNo apart where it follows the guide's form; ok is false
// where it does not, which is no fault.
func (e *FeeRefund) TradeNo() (no TradeNo, ok bool) { return ParseTradeNo(e.PayTradeNo, e.EventType) }

// Validate lists what breaks a rule of the guide.
func (e *FeeRefund) Validate() error { return validate(e) }

func (e *FeeRefund) validate(ps *fliggy.Problems) {
	e.Envelope.validate(ps)
	e.check(ps)
}

// MarshalJSON gives the payload as it came, without white space between tokens,
// or the documented form of an event made by hand.
func (e *FeeRefund) MarshalJSON() ([]byte, error) { return marshal(&e.Envelope, e) }

// Unknown is an event that this version has no type for.
type Unknown struct {
	Envelope
	// Data is the event's own data as JSON; nil where there was none.
	Data json.RawMessage `top:"-"`
}

// Validate lists what is wrong with the envelope.
func (e *Unknown) Validate() error { return validate(e) }

// MarshalJSON gives the payload as it came, without white space between tokens.
func (e *Unknown) MarshalJSON() ([]byte, error) { return marshal(&e.Envelope, nil, e.Data) }

func validate(e Event) error {
	var ps fliggy.Problems
	e.validate(&ps)
	return ps.Err("event " + e.Type().String())
}

func required(ps *fliggy.Problems, name, value string) {
	if top.IsBlank(value) {
		ps.Add(name, "is missing")
	}
}

// marshal writes a message: what was read, else envelope and data from their
// fields.
func marshal(head *Envelope, data any, rawData ...json.RawMessage) ([]byte, error) {
	if head.raw != nil {
		var b bytes.Buffer
		err := json.Compact(&b, head.raw)
		return b.Bytes(), err
	}
	return encode(head, data, rawData...)
}

// encode writes envelope and data from their fields; without data there is no
// member for it.
func encode(head *Envelope, data any, rawData ...json.RawMessage) ([]byte, error) {
	var members []top.Member
	for _, raw := range rawData {
		if raw != nil {
			members = append(members, top.Member{Name: "eventData", Value: raw})
		}
	}
	if data != nil {
		p, err := top.PlanFor(reflect.TypeOf(data).Elem())
		if err != nil {
			return nil, err
		}
		raw, err := p.AppendJSON(nil, data, top.EncodeOptions{Lenient: true})
		if err != nil {
			return nil, err
		}
		members = append(members, top.Member{Name: "eventData", Value: raw})
	}
	return envelopePlan.AppendJSON(nil, head, top.EncodeOptions{Members: members})
}
