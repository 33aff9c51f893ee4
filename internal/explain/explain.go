// Package explain finds out, by trying, what else a sender has signed whose signature does not match.
package explain

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/internal/top"
)

// The causes of a signature that does not match.
const (
	Missing    = "missing"
	Secret     = "secret"
	Unsigned   = "unsigned parameter"
	Encoding   = "encoding"
	Order      = "order"
	SignMethod = "sign method"
	LetterCase = "letter case"
	Body       = "body"
	TimeZone   = "time zone"
	Clock      = "clock"
	Unreadable = "unreadable"
)

// A Finding is a mistake that explains a signature. Parameter is empty if it is not about a single one.
type Finding struct{ Cause, Parameter, Reason string }

// A Message is what the signature of a message covers.
type Message struct {
	Params []top.Param // in the order in which they were sent, without sign
	Body   []byte      // the body as it is signed, nil for none
	// Other is a body that is not signed, such as that of a form; nil for none.
	Other []byte
}

// Text is the text that is signed: names and values in the order of the names, then the body.
func (m *Message) Text() []byte { return text(m.sorted(), m.Body) }

func (m *Message) sorted() []top.Param {
	byName := func(a, b top.Param) int { return top.CompareNames(a.Name, b.Name) }
	return slices.SortedStableFunc(slices.Values(m.Params), byName)
}

func text(params []top.Param, body []byte) []byte {
	var out []byte
	for _, p := range params {
		out = append(append(out, p.Name...), p.Value...)
	}
	return append(out, body...)
}

// Find returns the first mistake that explains the signature. matches reports whether the signature that came is one of
// a text.
func (m *Message) Find(matches func(text []byte) bool) (Finding, bool) {
	params := m.sorted()
	for i, p := range params {
		for _, form := range []struct{ how, value string }{
			{"percent-encoded", url.QueryEscape(p.Value)},
			{"percent-encoded, with %20 for a space", strings.ReplaceAll(url.QueryEscape(p.Value), "+", "%20")},
			{"without the white space around it", strings.TrimSpace(p.Value)},
			{`with "+" for "%2B" and "%20"`, strings.ReplaceAll(p.Value, "+", " ")},
		} {
			other := slices.Clone(params)
			other[i].Value = form.value
			if form.value != p.Value && matches(text(other, m.Body)) {
				return Finding{Encoding, p.Name, "the parameter is signed " + form.how}, true
			}
		}
		if matches(text(slices.Delete(slices.Clone(params), i, i+1), m.Body)) {
			return Finding{Unsigned, p.Name, "the parameter is sent, but not signed: was it added after signing?"}, true
		}
	}
	lower := func(a, b top.Param) int { return strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)) }
	encoded := slices.Clone(params)
	for i := range encoded {
		encoded[i].Value = url.QueryEscape(encoded[i].Value)
	}
	for _, t := range []struct {
		finding Finding
		text    []byte
	}{
		{Finding{Encoding, "", "all values are signed percent-encoded: sign them decoded"}, text(encoded, m.Body)},
		{
			Finding{Encoding, "", "the text is signed in GBK: sign it in UTF-8"},
			charset.GBK.Encode(string(text(params, m.Body))),
		},
		{
			Finding{Order, "", "the parameters are signed in the order in which they are sent: sort them by name"},
			text(m.Params, m.Body),
		},
		{
			Finding{Order, "", "the parameters are sorted without regard to case: sort them as bytes"},
			text(slices.SortedStableFunc(slices.Values(m.Params), lower), m.Body),
		},
		{
			Finding{Body, "", "the body is JSON, XML or text, and is not signed: put it behind the parameters"},
			text(params, nil),
		},
		{
			Finding{Body, "", "the body is signed without the line breaks around it: sign it byte for byte"},
			text(params, []byte(strings.TrimSpace(string(m.Body)))),
		},
		{Finding{Body, "", "the body of a form is signed as text: sign its fields"}, text(params, m.Other)},
		{Finding{Body, "", "the body is signed in front of the parameters"}, slices.Concat(m.Body, text(params, nil))},
	} {
		if matches(t.text) {
			return t.finding, true
		}
	}
	return Finding{}, false
}

// Skew explains a timestamp that is off by a time: in another zone, or by another clock. It finds nothing if the time
// is within the window.
func Skew(off, window time.Duration) (Finding, bool) {
	if off.Abs() <= window {
		return Finding{}, false
	}
	direction := "behind"
	if off > 0 {
		direction = "ahead of"
	}
	hours := off.Round(time.Hour)
	if hours != 0 && hours.Abs() <= 14*time.Hour && (off-hours).Abs() <= window {
		return Finding{TimeZone, "timestamp", fmt.Sprintf(
			"the timestamp is %v %s the clock, whole hours: was it made in another time zone? It is in GMT+8",
			hours.Abs(), direction)}, true
	}
	return Finding{Clock, "timestamp", fmt.Sprintf(
		"the timestamp is %v %s the clock, and %v are allowed: is the clock wrong, or was it signed long ago?",
		off.Abs().Round(time.Second), direction, window)}, true
}
