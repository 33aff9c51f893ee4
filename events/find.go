package events

import (
	"errors"
	"fmt"
	"strings"
	"unicode"

	"github.com/fliggy-go/rentcar/internal/top"
)

// The payload of a push has one of these shapes. Any object may be JSON text instead.
//
//	{"eventType":103, "eventData":{"renewalOrderId":1}}                as in the guide
//	{"eventType":103, "event_data":{...}}
//	{"eventData":{"eventType":103, "eventData":{...}}}                 the whole envelope as data
//	{"eventType":103, "eventData":{"eventType":103, "eventData":{...}}}
//	{"any":{one of the above}}                                         in a member of any name
//
// maxWrapping is the maximum number of wrappers around an envelope. The shapes have up to two; a form field adds one.
const maxWrapping = 4

var (
	// errNoEnvelope means that a value is valid but holds no envelope.
	errNoEnvelope = errors.New("eventType: missing")
	errSeveral    = errors.New("several members hold an event")
)

// received is an envelope whose data is not decoded yet.
type received struct {
	Envelope
	source
	data top.Value
}

// find returns the envelope in an object, looking through at most that many wrappers.
func find(v top.Value, wrappers int) (*received, error) {
	if err := v.CheckTwice(); err != nil {
		return nil, err
	}
	if name, inner := enveloped(v); inner.Kind() != top.None && wrappers > 0 {
		in, err := find(inner, wrappers-1)
		if err != nil {
			return nil, inMember(name, err)
		}
		if trace := v.Get("traceId", "trace_id"); in.TraceID == "" && trace.Says() {
			in.TraceID = strings.Clone(trace.Text()) // does not keep the whole payload in memory
		}
		return in, nil
	}
	if !v.Get("eventType").Says() {
		if wrappers == 0 {
			return nil, errNoEnvelope
		}
		return findWrapped(v, wrappers-1)
	}
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

// findWrapped returns the envelope of the one member that holds one. If there is one, errors of other members are
// ignored: they may be text that only looks like JSON.
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
			fault = inMember(m.Name(), err)
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

// inMember prefixes an error with the name of a member, shortened and quoted if necessary: the name is untrusted.
func inMember(name string, err error) error {
	const most = 32
	if len(name) > most || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		name = top.Quote(name, most)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// enveloped returns the envelope in eventData and the name of that member, or no value if the data is no envelope. The
// data of an event may have an eventType member too, if it was encoded from a Java bean. So if v has an eventType, the
// data counts as an envelope only if its eventType is the same, and it has data itself or v has no ids and the data has
// only members of an envelope. An event that quotes another event is thus read as itself.
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

// number returns the number of an event as text.
func number(v top.Value) string { return strings.TrimSpace(v.Text()) }

// onlyHead reports whether all members of v belong to an envelope and none of them is data.
func onlyHead(v top.Value) bool {
	for m := range v.Inside() {
		if m.Name() == "eventData" || !envelopePlan.Knows(m.Name()) {
			return false
		}
	}
	return true
}
