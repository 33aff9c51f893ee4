package events

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// An Event is an event that Fliggy pushed: a pointer to one of the types of this package.
type Event interface {
	// Type returns the number of the event.
	Type() Type
	// Head returns the envelope of the event.
	Head() *Envelope
	// Validate returns a *fliggy.ValidationError that lists every broken rule of the guide. The event can be used anyway.
	Validate() error
	// Raw returns a copy of the payload that Parse was given, without a byte order mark. It is nil for an event that was
	// not parsed.
	Raw() []byte

	findings() fliggy.Problems
}

// An Envelope is the common part of all events and callbacks.
//
// Source: B2B renewal guide, samples of the payloads.
type Envelope struct {
	// ChannelID is the distribution channel (分销渠道).
	ChannelID fliggy.Channel `top:"channelId"`
	// OrderID is Fliggy's order id (飞猪订单号): that of the main order or, in the guide's sample of event 103, that of the
	// renewal order.
	OrderID fliggy.ID `top:"orderId"`
	// OutOrderID is the distributor's order id (分销商订单号).
	OutOrderID string `top:"outOrderId"`
	// EventType is the number of the event or callback, as received. It may be 0 in an event that was not parsed if its Go
	// type has only one number.
	EventType Type `top:"eventType,keep"`
	// TraceID is a correlation id. Inferred.
	TraceID string `top:"traceId"`
	// Exts is extension data. Inferred.
	Exts fliggy.Exts `top:"exts"`
	// Extra holds the members of the envelope that have no field, as JSON.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Type returns the number of the event.
func (e *Envelope) Type() Type { return e.EventType }

// Head returns the envelope itself.
func (e *Envelope) Head() *Envelope { return e }

// check records what is wrong with the envelope of a message of type t. If allowed is not empty, t must be one of it.
func (e *Envelope) check(ps *fliggy.Problems, t Type, allowed ...Type) {
	if t <= 0 {
		ps.Add("eventType", "must be positive")
	} else if len(allowed) > 0 && !slices.Contains(allowed, t) {
		ps.Add("eventType", "must be %d here", int(allowed[0]))
	}
	if top.IsBlank(string(e.OrderID)) && top.IsBlank(e.OutOrderID) {
		ps.Add("orderId", "one of orderId and outOrderId is required")
	}
}

// source is the payload of an event. It is separate from the envelope, so that a copy of the envelope does not hold the
// payload.
type source struct{ raw string }

// Raw returns a copy of the payload that Parse was given, without a byte order mark. It is nil for an event that was
// not parsed.
func (s *source) Raw() []byte {
	if s.raw == "" {
		return nil
	}
	return []byte(s.raw)
}

// RenewalAccepted means that the merchant accepted a renewal (续租接单成功事件, 103). It answers renewal.submit and may arrive
// before the reply of that call: keep an event of a renewal that you do not know yet. It carries no renewalOutOrderId.
// Whether its outOrderId is the id of your main order or of your renewal is not documented.
//
// Source: B2B renewal guide. Inferred: it arrives as a qimen.alitrip.rentcar.btborder.notify push.
type RenewalAccepted struct {
	Envelope `top:"-"`
	source
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号). Correlate by it: the order id of the envelope may be
	// that of the renewal.
	RenewalOrderID fliggy.ID `top:"renewalOrderId,number"`
	// CreatedTime is the time at which the renewal order was created (订单创建时间).
	CreatedTime fliggy.Time `top:"createdTime"`
	// PayTradeNo is a trade number. Inferred: the guide has it in a comment.
	PayTradeNo string `top:"payTradeNo"`
	// ExtraData holds the members of the data that have no field, as JSON.
	ExtraData map[string]json.RawMessage `top:",unknown"`
}

// Type returns the number of the event. The default is 103.
func (e *RenewalAccepted) Type() Type { return cmp.Or(e.EventType, TypeRenewalAccepted) }

// Validate returns a *fliggy.ValidationError that lists every broken rule of the guide.
func (e *RenewalAccepted) Validate() error { return validate(e) }

func (e *RenewalAccepted) findings() (ps fliggy.Problems) {
	e.check(&ps, e.Type(), TypeRenewalAccepted)
	required(&ps, "channelId", string(e.ChannelID))
	requireID(&ps, e.RenewalOrderID)
	if !e.CreatedTime.IsSet() {
		ps.Add("eventData.createdTime", "is missing")
	}
	checkExtra(&ps, &e.Envelope, acceptedPlan, e.ExtraData)
	return ps
}

// MarshalJSON returns the payload of a parsed event, without white space between tokens; changes of the fields have no
// effect on it. An event that was not parsed is encoded in the documented form.
func (e RenewalAccepted) MarshalJSON() ([]byte, error) {
	return marshal(e.source, e.Envelope, e.Type(), acceptedPlan, &e, e.ExtraData)
}

// RenewalRejected means that the merchant rejected a renewal (续租接单失败事件, 104). It answers renewal.submit. What happens
// to the payment is not documented.
//
// Source: B2B renewal guide. Inferred: it arrives as a qimen.alitrip.rentcar.btborder.notify push.
type RenewalRejected struct {
	Envelope `top:"-"`
	source
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号).
	RenewalOrderID fliggy.ID `top:"renewalOrderId,number"`
	// ErrorCode is the reason as a code, such as "71008".
	ErrorCode string `top:"errorCode"`
	// ErrorMessage is the reason in words.
	ErrorMessage string `top:"errorMessage"`
	// ExtraData holds the members of the data that have no field, as JSON.
	ExtraData map[string]json.RawMessage `top:",unknown"`
}

// Type returns the number of the event. The default is 104.
func (e *RenewalRejected) Type() Type { return cmp.Or(e.EventType, TypeRenewalRejected) }

// Validate returns a *fliggy.ValidationError that lists every broken rule of the guide.
func (e *RenewalRejected) Validate() error { return validate(e) }

func (e *RenewalRejected) findings() (ps fliggy.Problems) {
	e.check(&ps, e.Type(), TypeRenewalRejected)
	required(&ps, "channelId", string(e.ChannelID))
	requireID(&ps, e.RenewalOrderID)
	if top.IsBlank(e.ErrorCode) && top.IsBlank(e.ErrorMessage) {
		ps.Add("eventData.errorCode", "one of errorCode and errorMessage is required")
	}
	checkExtra(&ps, &e.Envelope, rejectedPlan, e.ExtraData)
	return ps
}

// MarshalJSON returns the payload of a parsed event, without white space between tokens; changes of the fields have no
// effect on it. An event that was not parsed is encoded in the documented form.
func (e RenewalRejected) MarshalJSON() ([]byte, error) {
	return marshal(e.source, e.Envelope, e.Type(), rejectedPlan, &e, e.ExtraData)
}

// Unknown is an event of a type that this version does not know.
type Unknown struct {
	Envelope
	source
	// Data is the data of the event as JSON, nil if there is none. An object that arrived as JSON text is unquoted.
	Data json.RawMessage `top:"-"`
}

// Validate returns a *fliggy.ValidationError that lists every problem of the envelope.
func (e *Unknown) Validate() error { return validate(e) }

func (e *Unknown) findings() (ps fliggy.Problems) {
	e.check(&ps, e.EventType)
	required(&ps, "channelId", string(e.ChannelID))
	e.checkData(&ps)
	return ps
}

func (e *Unknown) checkData(ps *fliggy.Problems) {
	checkExtra(ps, &e.Envelope, nil, nil)
	if len(e.Data) > 0 && !isJSON(e.Data) {
		ps.Add("eventData", ruleJSON)
	}
}

// MarshalJSON returns the payload of a parsed event, without white space between tokens; changes of the fields have no
// effect on it. An event that was not parsed is encoded from envelope and data.
func (e Unknown) MarshalJSON() ([]byte, error) {
	if e.raw != "" {
		return compact(e.raw), nil
	}
	var ps fliggy.Problems
	e.checkData(&ps)
	if err := ps.Err("event " + e.EventType.String()); err != nil {
		return nil, err
	}
	return encode(e.Envelope, e.EventType, e.Data)
}

func validate(e Event) error {
	ps := e.findings()
	if len(ps) == 0 {
		return nil
	}
	return ps.Err("event " + e.Type().String())
}

// requireID checks the id of a renewal order, which the guide documents as a Long.
func requireID(ps *fliggy.Problems, id fliggy.ID) {
	const name = "eventData.renewalOrderId"
	required(ps, name, string(id))
	if !top.IsBlank(string(id)) && !id.IsNumeric() {
		ps.Add(name, ruleDigits)
	}
}

func required(ps *fliggy.Problems, name, value string) {
	if top.IsBlank(value) {
		ps.Add(name, "is missing")
	}
}
