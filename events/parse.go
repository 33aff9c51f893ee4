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

	// plans of the data of each event, by type of struct
	acceptedPlan      = mustPlan[RenewalAccepted]()
	rejectedPlan      = mustPlan[RenewalRejected]()
	renewalRefundPlan = mustPlan[RenewalFeeRefund]()
	refundPlan        = mustPlan[FeeRefund]()
)

func mustPlan[T any]() *top.Plan {
	p, err := top.PlanFor(reflect.TypeFor[T]())
	if err != nil {
		panic(err) // a type of this package, known at start-up
	}
	return p
}

// Parse reads the payload of a push: one JSON object. The envelope may be the
// object itself, with its data as an object or as JSON text; or the object may
// carry the whole envelope in eventData (event_data), as an object or as text; or
// any of these may lie in a member of the object, again as an object or as text.
// Whichever it is, the event has the same fields. Ids may be text or numbers.
// Types and members without a place here are kept, and a byte order mark before an
// object is skipped. An error names the member that has no clear meaning or comes
// twice, or says that there is no eventType.
func Parse(payload []byte) (Event, error) {
	in, text, err := read(payload)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	e, err := in.event(source{text})
	if err != nil {
		return nil, fmt.Errorf("events: event %v: eventData: %w", in.EventType, err)
	}
	return e, nil
}

// read finds the envelope in a payload, and returns the text of that without a byte
// order mark.
func read(payload []byte) (in *received, text string, err error) {
	text = strings.TrimPrefix(string(payload), "\uFEFF")
	v, err := top.ParseJSON(text)
	if err != nil {
		return nil, "", err
	}
	if v.Kind() != top.Object {
		return nil, "", fmt.Errorf("expected an object, got %v", v.Kind())
	}
	in, err = find(v, maxWrapping)
	return in, text, err
}

// event reads the data by the type of the event.
func (in *received) event(s source) (Event, error) {
	data, err := in.data.AsObject()
	switch known := in.EventType.isEvent(); {
	case !known:
		return &Unknown{Envelope: in.Envelope, source: s, Data: in.unknownData(data)}, nil
	case err != nil:
		return nil, err
	case data.Kind() == top.None && in.data.Says():
		return nil, errors.New("expected an object")
	case data.Kind() == top.None:
		data, _ = top.ParseJSON("{}")
	}
	switch in.EventType {
	case TypeRenewalAccepted:
		e := &RenewalAccepted{Envelope: in.Envelope, source: s}
		return e, acceptedPlan.Decode(data, e)
	case TypeRenewalRejected:
		e := &RenewalRejected{Envelope: in.Envelope, source: s}
		return e, rejectedPlan.Decode(data, e)
	}
	if in.EventType == TypeFeeRefund && !hasRenewal(data) {
		e := &FeeRefund{Envelope: in.Envelope, source: s}
		return e, refundPlan.Decode(data, e)
	}
	e := &RenewalFeeRefund{Envelope: in.Envelope, source: s}
	return e, renewalRefundPlan.Decode(data, e)
}

// hasRenewal reports whether a 141 is on a renewal, as in the guide's sample.
// Members that are there and say nothing do not make it one, nor does the id 0 of
// a Java bean that was never set.
func hasRenewal(data top.Value) bool {
	return slices.ContainsFunc([]string{"renewalOrderId", "renewalOutOrderId"}, func(name string) bool {
		id := data.Get(name)
		return id.Says() && number(id) != "0"
	})
}

// unknownData is the data without the quotes of an object that came as text;
// text that is no object stays text.
func (in *received) unknownData(object top.Value) json.RawMessage {
	switch {
	case !in.data.Says():
		return nil
	case object.Kind() != top.None:
		return json.RawMessage(object.JSON())
	}
	return json.RawMessage(in.data.JSON())
}

func (t Type) isEvent() bool {
	return t == TypeRenewalAccepted || t == TypeRenewalRejected || t == TypeFeeRefund || t == TypeRenewalFeeRefund
}
