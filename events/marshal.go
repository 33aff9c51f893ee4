package events

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

const (
	ruleJSON   = "must be valid JSON"
	ruleDigits = "must be digits without a leading zero: the documented type is a number"
)

// marshal returns the payload of a parsed event, or encodes the fields.
func marshal(s source, head Envelope, t Type, p *top.Plan, data any, extra map[string]json.RawMessage) ([]byte, error) {
	if s.raw != "" {
		return compact(s.raw), nil
	}
	return encodeFields("event ", head, t, p, data, extra)
}

// compact drops the white space between tokens and escapes control characters. Numbers, escapes and duplicate members
// stay as they are.
func compact(raw string) []byte { return []byte(top.Compact(raw)) }

// encodeFields encodes envelope and data. It refuses extra members that would make the result ambiguous or invalid
// JSON. If p is nil, there is no data.
func encodeFields(
	kind string, head Envelope, t Type, p *top.Plan, data any, extra map[string]json.RawMessage,
) ([]byte, error) {
	var ps fliggy.Problems
	checkExtra(&ps, &head, p, extra)
	if err := ps.Err(kind + t.String()); err != nil {
		return nil, err
	}
	if p == nil {
		return encode(head, t, nil)
	}
	raw, err := p.AppendJSON(nil, data, top.EncodeOptions{Lenient: true})
	if err != nil {
		return nil, fmt.Errorf("events: %s%v: eventData: %w", kind, t, err)
	}
	return encode(head, t, raw)
}

// encode encodes the envelope with the data. Without data it omits eventData.
func encode(head Envelope, t Type, data json.RawMessage) ([]byte, error) {
	var members []top.Member
	if len(data) > 0 {
		members = []top.Member{{Name: "eventData", Value: data}}
	}
	head.EventType = t
	text, err := envelopePlan.AppendJSON(nil, &head, top.EncodeOptions{Members: members})
	if err != nil {
		return nil, fmt.Errorf("events: %v: %w", t, err)
	}
	return text, nil
}

// checkExtra records extra members that cannot be encoded: those that are invalid JSON and those that have a field. If
// p is nil, extra must be empty.
func checkExtra(ps *fliggy.Problems, head *Envelope, p *top.Plan, extra map[string]json.RawMessage) {
	const ruleName = "must have a name in valid UTF-8"
	const taken = "must be set in its field, not as an extra member"
	if len(head.Extra)+len(extra) == 0 {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(head.Extra)) {
		switch {
		case !utf8.ValidString(name):
			ps.Add("extra member", ruleName)
		case name == "eventData" || envelopePlan.Knows(name):
			ps.Add(name, taken)
		case !isJSON(head.Extra[name]):
			ps.Add(name, ruleJSON)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		switch {
		case !utf8.ValidString(name):
			ps.Add("eventData: extra member", ruleName)
		case p.Knows(name):
			ps.Add("eventData."+name, taken)
		case !isJSON(extra[name]):
			ps.Add("eventData."+name, ruleJSON)
		}
	}
}

func isJSON(raw json.RawMessage) bool { return utf8.Valid(raw) && json.Valid(raw) }
