package events

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/fliggy-go/rentcar/internal/top"
)

var (
	envelopePlan = mustPlan[Envelope]()

	// The plans of the data of each event.
	acceptedPlan      = mustPlan[RenewalAccepted]()
	rejectedPlan      = mustPlan[RenewalRejected]()
	renewalRefundPlan = mustPlan[RenewalFeeRefund]()
	refundPlan        = mustPlan[FeeRefund]()
)

func mustPlan[T any]() *top.Plan {
	p, err := top.PlanFor(reflect.TypeFor[T]())
	if err != nil {
		panic(err) // a mistake in the types of this package, found at start-up
	}
	return p
}

// Parse decodes the payload of a push, which is one JSON object. The event has the same fields whatever the shape of
// the payload is:
//
//   - The object is the envelope, with its data as an object or as JSON text.
//   - The object has the whole envelope in eventData (event_data), as an object or as JSON text.
//   - A member of the object holds one of these, again as an object or as JSON text.
//
// Ids may be text or numbers. Unknown types and members are kept. A byte order mark before an object is skipped. The
// error names the member that is ambiguous or occurs twice, or reports that there is no eventType.
func Parse(payload []byte) (Event, error) {
	in, err := read(payload)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	e, err := in.event()
	if err != nil {
		return nil, fmt.Errorf("events: event %v: eventData: %w", in.EventType, err)
	}
	return e, nil
}

// read returns the envelope in a payload.
func read(payload []byte) (*received, error) {
	text := strings.TrimPrefix(string(payload), "\uFEFF")
	v, err := top.ParseJSON(text)
	if err != nil {
		return nil, err
	}
	if v.Kind() != top.Object {
		return nil, fmt.Errorf("expected an object, got %v", v.Kind())
	}
	in, err := find(v, maxWrapping)
	if err != nil {
		return nil, err
	}
	in.source.raw = text
	return in, nil
}

// event decodes the data according to the type of the event.
func (in *received) event() (Event, error) {
	data, err := in.data.AsObject()
	switch in.EventType {
	case TypeRenewalAccepted, TypeRenewalRejected, TypeFeeRefund, TypeRenewalFeeRefund:
	default:
		return &Unknown{Envelope: in.Envelope, source: in.source, Data: in.unknownData(data)}, nil
	}
	switch {
	case err != nil:
		return nil, err
	case data.Kind() == top.None && in.data.Says():
		return nil, errors.New("expected an object")
	case data.Kind() == top.None:
		data, _ = top.ParseJSON("{}")
	}
	switch in.EventType {
	case TypeRenewalAccepted:
		e := &RenewalAccepted{Envelope: in.Envelope, source: in.source}
		return e, acceptedPlan.Decode(data, e)
	case TypeRenewalRejected:
		e := &RenewalRejected{Envelope: in.Envelope, source: in.source}
		return e, rejectedPlan.Decode(data, e)
	}
	if in.EventType == TypeFeeRefund && !hasRenewal(data) {
		e := &FeeRefund{Envelope: in.Envelope, source: in.source}
		return e, refundPlan.Decode(data, e)
	}
	e := &RenewalFeeRefund{Envelope: in.Envelope, source: in.source}
	return e, renewalRefundPlan.Decode(data, e)
}

// hasRenewal reports whether a 141 is about a renewal, as in the guide's sample. Empty ids do not count, nor does 0,
// which a Java bean has if the id was never set.
func hasRenewal(data top.Value) bool {
	return slices.ContainsFunc([]string{"renewalOrderId", "renewalOutOrderId"}, func(name string) bool {
		id := data.Get(name)
		return id.Says() && number(id) != "0"
	})
}

// unknownData returns the data as JSON. An object that arrived as JSON text is unquoted; other text stays text.
func (in *received) unknownData(object top.Value) json.RawMessage {
	switch {
	case !in.data.Says():
		return nil
	case object.Kind() != top.None:
		return json.RawMessage(object.JSON())
	}
	return json.RawMessage(in.data.JSON())
}
