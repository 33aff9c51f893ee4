package events

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/fliggy-go/rentcar/internal/top"
)

// byteOrderMark is what some writers put before a text in UTF-8.
const byteOrderMark = "\uFEFF"

// maxWrapping is how many wrappers may lie around an envelope. The shapes that
// the platform may use have two, the field of a form makes them three. It also
// bounds the work: each level reads its text a fixed number of times.
const maxWrapping = 4

// received is an envelope with its data still unread, as they stand in the payload.
type received struct {
	Envelope
	data string
	size int // of the payload
}

var (
	// errNoEnvelope says that a value holds no envelope, and nothing worse.
	errNoEnvelope = errors.New("eventType: missing")
	errSeveral    = errors.New("several members hold an event")
)

// find looks for the envelope in a JSON object, which lies in a payload of that many
// bytes, through that many wrappers at most.
func find(payload string, size, wrappers int) (*received, error) {
	var place [fewMembers]top.Part
	ms, err := scan(place[:0], payload)
	if err != nil {
		return nil, err
	}
	if name, inner := ms.enveloped(); inner != "" && wrappers > 0 {
		in, err := find(inner, size, wrappers-1)
		if err != nil {
			return nil, within(name, err)
		}
		if trace := ms.get("traceId", "trace_id").Value; in.TraceID == "" && !isNothing(trace) {
			in.TraceID = strings.Clone(scalar(trace)) // not the whole payload with it
		}
		return in, nil
	}
	if ms.say("eventType") {
		return open(ms, size)
	}
	if wrappers == 0 {
		return nil, errNoEnvelope
	}
	return findWrapped(ms, size, wrappers-1)
}

// findWrapped looks for the one member that holds an envelope. A member that
// only looks like one, such as text with a brace, is no fault beside it.
func findWrapped(ms members, size, wrappers int) (*received, error) {
	var found *received
	var fault error
	for _, m := range ms {
		inner := object(m.Value)
		if inner == "" {
			continue
		}
		switch in, err := find(inner, size, wrappers); {
		case errors.Is(err, errSeveral), err == nil && found != nil:
			return nil, errSeveral
		case err == nil:
			found = in
		case fault == nil && !errors.Is(err, errNoEnvelope):
			fault = within(m.Name, err)
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

// open reads the envelope that an object in a payload of that many bytes is.
func open(ms members, size int) (*received, error) {
	data := ms.get("eventData")
	names := []string{"eventData"}
	if data.Value == "" || data.Value == "null" {
		if other := ms.get("event_data"); other.Value != "" {
			data, names = other, append(names, other.Name)
		}
	}
	in := &received{data: data.Value, size: size}
	if err := envelopePlan.DecodeParts(ms, size, &in.Envelope, names...); err != nil {
		return nil, err
	}
	if in.EventType == 0 {
		return nil, errors.New("eventType: must not be 0")
	}
	return in, nil
}

// members are those of one JSON object, in order.
type members []top.Part

// fewMembers is how many members most objects have at most. A place for so many
// costs nothing.
const fewMembers = 16

// scan checks that text is one JSON object, none of whose members comes twice, and
// lists them in place, which grows if it must.
func scan(place members, text string) (members, error) { return top.AppendParts(place, text) }

// get returns the last member with one of the names, the zero Part without any.
func (ms members) get(names ...string) top.Part {
	for _, m := range slices.Backward(ms) {
		if slices.Contains(names, m.Name) {
			return m
		}
	}
	return top.Part{}
}

// say tells whether one of the members is there and says something.
func (ms members) say(names ...string) bool {
	return slices.ContainsFunc(ms, func(m top.Part) bool {
		return slices.Contains(names, m.Name) && !isNothing(m.Value)
	})
}

// enveloped returns the envelope that lies in eventData, and the name of that
// member; nothing where eventData is something else. Data that a Java bean was made
// into has the number of its event too, so beside a number outside only the same
// number counts, and only around data or beside nothing but ids: an event that
// quotes another one stays itself.
func (ms members) enveloped() (name, inner string) {
	m := ms.get("eventData", "event_data")
	if inner = object(m.Value); inner == "" {
		return "", ""
	}
	var place [fewMembers]top.Part
	in, err := scan(place[:0], inner)
	if err != nil || !in.say("eventType") {
		return "", ""
	}
	if ms.say("eventType") {
		same := in.number() == ms.number()
		bare := in.onlyHead() && !ms.say("channelId", "orderId", "outOrderId")
		if !same || !in.say("eventData") && !bare {
			return "", ""
		}
	}
	return m.Name, inner
}

// number is the number of the event as text.
func (ms members) number() string {
	return strings.TrimSpace(scalar(ms.get("eventType").Value))
}

// onlyHead tells whether all members are those of an envelope without data.
func (ms members) onlyHead() bool {
	return !slices.ContainsFunc(ms, func(m top.Part) bool {
		return m.Name == "eventData" || !envelopePlan.Knows(m.Name)
	})
}

// object returns the JSON object that raw is or, as text, seems to hold; nothing
// for anything else.
func object(raw string) string {
	if isText(raw) {
		raw = strings.TrimSpace(strings.TrimPrefix(top.Text(raw), byteOrderMark))
	}
	if raw == "" || raw[0] != '{' {
		return ""
	}
	return raw
}

// isNothing tells whether raw says nothing: absent, null or such text.
func isNothing(raw string) bool {
	t := strings.TrimSpace(scalar(raw))
	return t == "" || t == "null"
}

// scalar returns the text of a simple value: of a string without its quotes, of
// anything else as it stands.
func scalar(raw string) string {
	if isText(raw) {
		return top.Text(raw)
	}
	return raw
}

func isText(raw string) bool { return raw != "" && raw[0] == '"' }
