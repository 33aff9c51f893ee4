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
// Types and members without a place here are kept, and a byte order mark before an object
// is skipped. An error names the member that
// has no clear meaning or comes twice, or says that there is no eventType.
func Parse(payload []byte) (Event, error) {
	text := strings.TrimPrefix(string(payload), byteOrderMark)
	in, err := find(text, len(text), maxWrapping)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	e, err := in.event(source{text})
	if err != nil {
		return nil, fmt.Errorf("events: event %v: eventData: %w", in.EventType, err)
	}
	return e, nil
}

// event reads the data by the type of the event.
func (in *received) event(s source) (Event, error) {
	data := object(in.data)
	switch {
	case data == "" && !isNothing(in.data) && in.EventType.isEvent():
		return nil, errors.New("expected an object")
	case data == "":
		data = "{}"
	}
	switch in.EventType {
	case TypeRenewalAccepted:
		e := &RenewalAccepted{Envelope: in.Envelope, source: s}
		return e, acceptedPlan.DecodeText(data, in.size, e)
	case TypeRenewalRejected:
		e := &RenewalRejected{Envelope: in.Envelope, source: s}
		return e, rejectedPlan.DecodeText(data, in.size, e)
	case TypeFeeRefund, TypeRenewalFeeRefund:
		if in.EventType == TypeFeeRefund && !hasRenewal(data) {
			e := &FeeRefund{Envelope: in.Envelope, source: s}
			return e, refundPlan.DecodeText(data, in.size, e)
		}
		e := &RenewalFeeRefund{Envelope: in.Envelope, source: s}
		return e, renewalRefundPlan.DecodeText(data, in.size, e)
	}
	return &Unknown{Envelope: in.Envelope, source: s, Data: in.unknownData()}, nil
}

// hasRenewal tells whether a 141 is on a renewal, as in the guide's sample.
// Members that are there and say nothing do not make it one, nor does the id 0 of
// a Java bean that was never set.
func hasRenewal(data string) bool {
	var place [fewMembers]top.Part
	ms, err := scan(place[:0], data)
	return err == nil && slices.ContainsFunc([]string{"renewalOrderId", "renewalOutOrderId"}, func(name string) bool {
		id := strings.TrimSpace(scalar(ms.get(name).Value))
		return id != "" && id != "null" && id != "0"
	})
}

// unknownData is the data without the quotes of an object that came as text;
// text that is no object stays text.
func (in *received) unknownData() json.RawMessage {
	if isNothing(in.data) {
		return nil
	}
	if o := object(in.data); o != "" {
		if top.ScanObject([]byte(o), func(string, json.RawMessage) error { return nil }) == nil {
			return top.Strict(o)
		}
	}
	return top.Strict(in.data)
}

func (t Type) isEvent() bool {
	return t == TypeRenewalAccepted || t == TypeRenewalRejected || t == TypeFeeRefund || t == TypeRenewalFeeRefund
}
