package events

import (
	"cmp"
	"encoding/json"
	"slices"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// An Event is something that Fliggy pushed: a pointer to one of the types of
// this package.
type Event interface {
	// Type is the number that the event came with.
	Type() Type
	// Head is the envelope around the event's own data.
	Head() *Envelope
	// Validate lists what breaks a rule of the guide in a *fliggy.ValidationError.
	// The event can be used all the same.
	Validate() error
	// Raw is a copy of the payload that Parse was given, without a byte order mark; nil
	// for an event made by hand.
	Raw() []byte

	findings() fliggy.Problems
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
	// EventType is the number of the event or callback, as it came. An event made
	// by hand may leave it out where its type has one number only.
	EventType Type `top:"eventType,keep"`
	// TraceID is a correlation id. Inferred.
	TraceID string `top:"traceId"`
	// Exts is extension data. Inferred.
	Exts fliggy.Exts `top:"exts"`
	// Extra are members of the envelope without a field, as JSON.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Type is the number that the event came with.
func (e *Envelope) Type() Type { return e.EventType }

// Head is the envelope itself.
func (e *Envelope) Head() *Envelope { return e }

// check records what is wrong with the envelope of a message of type t, which
// must be one of the allowed; none allowed stands for any.
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

// source keeps the payload of an event beside the envelope, so that an envelope
// copied into another event does not take the bytes along.
type source struct{ raw string }

// Raw is a copy of the payload that Parse was given, without a byte order mark; nil for
// an event made by hand.
func (s *source) Raw() []byte {
	if s.raw == "" {
		return nil
	}
	return []byte(s.raw)
}

// RenewalAccepted says that the merchant took a renewal (续租接单成功事件, 103). It
// is the answer to renewal.submit, and may overtake its reply: keep an event of a
// renewal that you do not know yet. It carries no renewalOutOrderId; whether its
// outOrderId names your main order or your renewal is not documented.
//
// Source: B2B renewal guide. That it comes through
// qimen.alitrip.rentcar.btborder.notify is inferred.
type RenewalAccepted struct {
	Envelope `top:"-"`
	source
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号). Correlate
	// by it: the envelope's order id may be the renewal's own.
	RenewalOrderID fliggy.ID `top:"renewalOrderId,number"`
	// CreatedTime is when the renewal order was created (订单创建时间).
	CreatedTime fliggy.Time `top:"createdTime"`
	// PayTradeNo is a trade number. Inferred: it is commented out in the guide.
	PayTradeNo string `top:"payTradeNo"`
	// ExtraData are members of the data without a field, as JSON.
	ExtraData map[string]json.RawMessage `top:",unknown"`
}

// Type is the number that the event came with, 103 for one made by hand.
func (e *RenewalAccepted) Type() Type { return cmp.Or(e.EventType, TypeRenewalAccepted) }

// Validate lists what breaks a rule of the guide.
func (e *RenewalAccepted) Validate() error { return validate(e) }

func (e *RenewalAccepted) findings() (ps fliggy.Problems) {
	e.check(&ps, e.Type(), TypeRenewalAccepted)
	requireChannel(&ps, e.ChannelID)
	requireID(&ps, e.RenewalOrderID)
	if !e.CreatedTime.IsSet() {
		ps.Add("eventData.createdTime", "is missing")
	}
	checkExtra(&ps, &e.Envelope, acceptedPlan, e.ExtraData)
	return ps
}

// MarshalJSON gives the payload as it came, without white space between tokens
// and whatever was changed in the fields since, or the documented form of an
// event made by hand.
func (e RenewalAccepted) MarshalJSON() ([]byte, error) {
	return marshal(e.source, e.Envelope, e.Type(), acceptedPlan, &e, e.ExtraData)
}

// RenewalRejected says that the merchant refused a renewal (续租接单失败事件, 104).
// It is the answer to renewal.submit. What happens to the payment is not
// documented.
//
// Source: B2B renewal guide. That it comes through
// qimen.alitrip.rentcar.btborder.notify is inferred.
type RenewalRejected struct {
	Envelope `top:"-"`
	source
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号).
	RenewalOrderID fliggy.ID `top:"renewalOrderId,number"`
	// ErrorCode is the reason as a code, such as "71008".
	ErrorCode string `top:"errorCode"`
	// ErrorMessage is the reason in words.
	ErrorMessage string `top:"errorMessage"`
	// ExtraData are members of the data without a field, as JSON.
	ExtraData map[string]json.RawMessage `top:",unknown"`
}

// Type is the number that the event came with, 104 for one made by hand.
func (e *RenewalRejected) Type() Type { return cmp.Or(e.EventType, TypeRenewalRejected) }

// Validate lists what breaks a rule of the guide.
func (e *RenewalRejected) Validate() error { return validate(e) }

func (e *RenewalRejected) findings() (ps fliggy.Problems) {
	e.check(&ps, e.Type(), TypeRenewalRejected)
	requireChannel(&ps, e.ChannelID)
	requireID(&ps, e.RenewalOrderID)
	if top.IsBlank(e.ErrorCode) && top.IsBlank(e.ErrorMessage) {
		ps.Add("eventData.errorCode", "one of errorCode and errorMessage is required")
	}
	checkExtra(&ps, &e.Envelope, rejectedPlan, e.ExtraData)
	return ps
}

// MarshalJSON gives the payload as it came, without white space between tokens
// and whatever was changed in the fields since, or the documented form of an
// event made by hand.
func (e RenewalRejected) MarshalJSON() ([]byte, error) {
	return marshal(e.source, e.Envelope, e.Type(), rejectedPlan, &e, e.ExtraData)
}

// Unknown is an event that this version has no type for.
type Unknown struct {
	Envelope
	source
	// Data is the event's own data as JSON, an object also where it came as the
	// text of one; nil where there was none.
	Data json.RawMessage `top:"-"`
}

// Validate lists what is wrong with the envelope.
func (e *Unknown) Validate() error { return validate(e) }

func (e *Unknown) findings() (ps fliggy.Problems) {
	e.check(&ps, e.EventType)
	requireChannel(&ps, e.ChannelID)
	e.checkData(&ps)
	return ps
}

func (e *Unknown) checkData(ps *fliggy.Problems) {
	checkExtra(ps, &e.Envelope, nil, nil)
	if len(e.Data) > 0 && !isJSON(e.Data) {
		ps.Add("eventData", ruleJSON)
	}
}

// MarshalJSON gives the payload as it came, without white space between tokens
// and whatever was changed in the fields since, or envelope and data of an event
// made by hand.
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

func requireChannel(ps *fliggy.Problems, c fliggy.Channel) {
	required(ps, "channelId", string(c))
}

// requireID checks the id of a renewal order, which is a Long in the guide.
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
