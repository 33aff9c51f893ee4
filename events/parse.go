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

// maxWrapping is how many wrappers may lie around an envelope; the shapes that
// the platform may use have two.
const maxWrapping = 4

var (
	envelopePlan = mustPlan[Envelope]()
	incoming     = mustPlan[received]()

	// plans of the data of each event, by type of struct
	acceptedPlan      = mustPlan[RenewalAccepted]()
	rejectedPlan      = mustPlan[RenewalRejected]()
	renewalRefundPlan = mustPlan[RenewalFeeRefund]()
	refundPlan        = mustPlan[FeeRefund]()
)

// received is an envelope with its data still unread.
type received struct {
	Envelope
	Data json.RawMessage `top:"eventData"`
}

func mustPlan[T any]() *top.Plan {
	p, err := top.PlanFor(reflect.TypeFor[T]())
	if err != nil {
		panic(err) // a type of this package, known at start-up
	}
	return p
}

// Parse reads the payload of a push: one JSON object. The envelope may be the
// object itself, with its data as an object or as JSON text; or the object may
// carry the whole envelope as the text of eventData (event_data); or any of these
// may lie inside a wrapping member. Ids may be text or numbers. Types and members
// without a place here are kept. An error names the member that has no clear
// meaning, or says that there is no eventType.
func Parse(payload []byte) (Event, error) {
	in, err := find(payload, maxWrapping)
	if err != nil {
		return nil, fmt.Errorf("events: %w", err)
	}
	in.raw = slices.Clone(payload)
	e, err := in.event()
	if err != nil {
		return nil, fmt.Errorf("events: event %v: eventData: %w", in.EventType, err)
	}
	return e, nil
}

// errNoEnvelope says that a value holds no envelope, and nothing worse.
var errNoEnvelope = errors.New("eventType: missing")

// find looks for the envelope in a JSON object, at most depth wrappers deep.
func find(payload []byte, depth int) (*received, error) {
	var members []top.Member
	err := top.ScanObject(payload, func(name string, value json.RawMessage) error {
		members = append(members, top.Member{Name: name, Value: value})
		return nil
	})
	if err != nil {
		return nil, err
	}
	if depth == 0 {
		return nil, errNoEnvelope
	}
	if data := member(members, "eventData", "event_data"); data != nil {
		if inner := object(data); inner != nil && hasMember(inner, "eventType") {
			in, err := find(inner, depth-1)
			if err == nil && in.TraceID == "" {
				in.TraceID = text(member(members, "traceId", "trace_id"))
			}
			return in, err
		}
	}
	if member(members, "eventType") != nil {
		return open(payload)
	}
	return findWrapped(members, depth)
}

// findWrapped looks for the one member that holds an envelope.
func findWrapped(members []top.Member, depth int) (*received, error) {
	var found *received
	for _, m := range members {
		inner := object(m.Value)
		if inner == nil {
			continue
		}
		switch in, err := find(inner, depth-1); {
		case errors.Is(err, errNoEnvelope):
		case err != nil:
			return nil, err
		case found != nil:
			return nil, errors.New("several members hold an event")
		default:
			found = in
		}
	}
	if found == nil {
		return nil, errNoEnvelope
	}
	return found, nil
}

// open reads the envelope that payload is.
func open(payload []byte) (*received, error) {
	in := &received{}
	if err := incoming.DecodeJSON(payload, in); err != nil {
		return nil, err
	}
	if in.EventType == 0 {
		return nil, errNoEnvelope
	}
	return in, nil
}

// event reads the data by the type of the event.
func (in *received) event() (Event, error) {
	data := object(in.Data)
	switch {
	case data == nil && !isNothing(in.Data) && in.EventType.isEvent():
		return nil, errors.New("expected an object")
	case data == nil:
		data = []byte("{}")
	}
	switch in.EventType {
	case TypeRenewalAccepted:
		e := &RenewalAccepted{Envelope: in.Envelope}
		return e, acceptedPlan.DecodeJSON(data, e)
	case TypeRenewalRejected:
		e := &RenewalRejected{Envelope: in.Envelope}
		return e, rejectedPlan.DecodeJSON(data, e)
	case TypeRenewalFeeRefund:
		e := &RenewalFeeRefund{Envelope: in.Envelope}
		return e, renewalRefundPlan.DecodeJSON(data, e)
	case TypeFeeRefund:
		if hasMember(data, "renewalOrderId") || hasMember(data, "renewalOutOrderId") {
			e := &RenewalFeeRefund{Envelope: in.Envelope}
			return e, renewalRefundPlan.DecodeJSON(data, e)
		}
		e := &FeeRefund{Envelope: in.Envelope}
		return e, refundPlan.DecodeJSON(data, e)
	}
	return &Unknown{Envelope: in.Envelope, Data: in.Data}, nil
}

func (t Type) isEvent() bool {
	return t == TypeRenewalAccepted || t == TypeRenewalRejected || t == TypeFeeRefund || t == TypeRenewalFeeRefund
}

// object returns the JSON object that raw is or, as text, holds; nil for
// anything else.
func object(raw json.RawMessage) json.RawMessage {
	t := string(raw)
	if strings.HasPrefix(t, `"`) {
		t = strings.TrimSpace(text(raw))
	}
	if !strings.HasPrefix(t, "{") {
		return nil
	}
	return json.RawMessage(t)
}

// isNothing tells whether raw says nothing: absent, null or such text.
func isNothing(raw json.RawMessage) bool {
	t := string(raw)
	if strings.HasPrefix(t, `"`) {
		t = strings.TrimSpace(text(raw))
	}
	return t == "" || t == "null"
}

func text(raw json.RawMessage) string {
	var s string
	if len(raw) == 0 || json.Unmarshal(raw, &s) != nil {
		return ""
	}
	return s
}

func member(members []top.Member, names ...string) json.RawMessage {
	for i := len(members) - 1; i >= 0; i-- {
		if slices.Contains(names, members[i].Name) {
			return members[i].Value
		}
	}
	return nil
}

func hasMember(object []byte, name string) bool {
	has := false
	err := top.ScanObject(object, func(n string, _ json.RawMessage) error {
		has = has || n == name
		return nil
	})
	return err == nil && has
}
