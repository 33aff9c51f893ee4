package events

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/fliggy-go/rentcar/internal/top"
)

// The payload of a push has one of these shapes. Objects may be the text of one.
//
//	{"eventType":103, "eventData":{"renewalOrderId":1}}                the guide's
//	{"eventType":103, "event_data":{...}}
//	{"eventData":{"eventType":103, "eventData":{...}}}                 the whole envelope as data
//	{"eventType":103, "eventData":{"eventType":103, "eventData":{...}}}
//	{"any":{one of those}}                                             in a member of its own
//
// maxWrapping is how many wrappers may lie around an envelope: the shapes have two,
// the field of a form makes them three.
const maxWrapping = 4

var (
	// errNoEnvelope says that a value holds no envelope, and nothing worse.
	errNoEnvelope = errors.New("eventType: missing")
	errSeveral    = errors.New("several members hold an event")
)

// received is an envelope with its data still unread.
type received struct {
	Envelope
	data top.Value
}

// find looks for the envelope in an object, through that many wrappers at most.
func find(v top.Value, wrappers int) (*received, error) {
	if err := v.CheckTwice(); err != nil {
		return nil, err
	}
	if name, inner := enveloped(v); inner.Kind() != top.None && wrappers > 0 {
		in, err := find(inner, wrappers-1)
		if err != nil {
			return nil, within(name, err)
		}
		if trace := v.Get("traceId", "trace_id"); in.TraceID == "" && trace.Says() {
			in.TraceID = strings.Clone(trace.Text()) // not the whole payload with it
		}
		return in, nil
	}
	if v.Get("eventType").Says() {
		return open(v)
	}
	if wrappers == 0 {
		return nil, errNoEnvelope
	}
	return findWrapped(v, wrappers-1)
}

// findWrapped looks for the one member that holds an envelope. A member that
// only looks like one, such as text with a brace, is no fault beside it.
func findWrapped(v top.Value, wrappers int) (*received, error) {
	var found *received
	var fault error
	for m := range v.Inside() {
		inner, err := m.AsObject()
		var in *received
		switch {
		case err != nil:
		case inner.Kind() == top.None:
			continue
		default:
			in, err = find(inner, wrappers)
		}
		switch {
		case errors.Is(err, errSeveral), err == nil && found != nil:
			return nil, errSeveral
		case err == nil:
			found = in
		case fault == nil && !errors.Is(err, errNoEnvelope):
			fault = within(m.Name(), err)
		}
	}
	switch {
	case found != nil:
		return found, nil
	case fault != nil:
		return nil, fault
	}
	return nil, errNoEnvelope
}

// within puts the name of a wrapper in front of an error, in a form that fits
// into one: names come from outside.
func within(name string, err error) error {
	const most = 32
	if len(name) > most || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		name = top.Quote(name, most)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// open reads the envelope that an object is.
func open(v top.Value) (*received, error) {
	in := &received{data: v.Get("eventData")}
	names := []string{"eventData"}
	if kind := in.data.Kind(); kind == top.None || kind == top.Null {
		if other := v.Get("event_data"); other.Kind() != top.None {
			in.data, names = other, append(names, other.Name())
		}
	}
	if err := envelopePlan.Decode(v, &in.Envelope, names...); err != nil {
		return nil, err
	}
	if in.EventType == 0 {
		return nil, errors.New("eventType: must not be 0")
	}
	return in, nil
}

// enveloped returns the envelope that lies in eventData, and the name of that
// member; none where eventData is something else. Data that a Java bean was made
// into has the number of its event too, so beside a number outside only the same
// number counts, and only around data or beside nothing but ids: an event that
// quotes another one stays itself.
func enveloped(v top.Value) (name string, inner top.Value) {
	data := v.Get("eventData", "event_data")
	inner, err := data.AsObject()
	if err != nil || !inner.Get("eventType").Says() || inner.CheckTwice() != nil {
		return "", top.Value{}
	}
	if outer := v.Get("eventType"); outer.Says() {
		same := number(inner.Get("eventType")) == number(outer)
		bare := onlyHead(inner) && !v.Get("channelId", "orderId", "outOrderId").Says()
		if !same || !inner.Get("eventData").Says() && !bare {
			return "", top.Value{}
		}
	}
	return data.Name(), inner
}

// number is the number of an event as text.
func number(v top.Value) string { return strings.TrimSpace(v.Text()) }

// onlyHead reports whether all members are those of an envelope without data.
func onlyHead(v top.Value) bool {
	for m := range v.Inside() {
		if m.Name() == "eventData" || !envelopePlan.Knows(m.Name()) {
			return false
		}
	}
	return true
}
