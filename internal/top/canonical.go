package top

import (
	"crypto/sha256"
	"slices"
	"strings"
)

// Digest is the SHA-256 of what v says, a JSON value, in the form that all texts which say
// the same share: members sorted by name, strings without needless escapes, no white
// space, objects and lists that travel as the text of a string in the place of that
// string, numbers and booleans as strings, since a form has nothing else. Numbers keep
// their digits: 1.0 is not 1. Members named in leftOut are left out, at any level.
//
// The error names a member that comes more than once in an object, at any level; the
// digest is good all the same.
func (v Value) Digest(leftOut ...string) ([sha256.Size]byte, error) {
	c := canonizer{leftOut: leftOut}
	text := c.append(make([]byte, 0, len(v.JSON())+64), v, 0)
	return sha256.Sum256(text), c.twice
}

// A canonizer writes JSON in canonical form.
type canonizer struct {
	leftOut []string
	twice   error // of the first member that came again
}

func (c *canonizer) append(dst []byte, v Value, depth int) []byte {
	switch v.Kind() {
	case Object:
		return c.appendObject(dst, v, depth)
	case List:
		dst = append(dst, '[')
		for item := range v.Inside() {
			if dst[len(dst)-1] != '[' {
				dst = append(dst, ',')
			}
			dst = c.append(dst, item, depth+1)
		}
		return append(dst, ']')
	case Text:
		text := v.Text()
		if in := strings.TrimSpace(text); in != "" && (in[0] == '{' || in[0] == '[') {
			if inner, err := parseJSON(in, depth, len(in)); err == nil {
				return c.append(dst, inner, depth)
			}
		}
		return appendPlainString(dst, text)
	case Number, Bool:
		return appendPlainString(dst, v.JSON())
	}
	return append(dst, v.JSON()...)
}

func (c *canonizer) appendObject(dst []byte, v Value, depth int) []byte {
	members := make([]Value, 0, v.count())
	for m := range v.Inside() {
		members = append(members, m)
	}
	slices.SortStableFunc(members, func(a, b Value) int { return strings.Compare(a.Name(), b.Name()) })
	start := len(dst)
	for i, m := range members {
		if i > 0 && m.Name() == members[i-1].Name() && c.twice == nil {
			c.twice = under(m.Name(), rulef(ruleTwice))
		}
		before := len(dst)
		dst = append(appendPlainString(append(dst, ','), m.Name()), ':')
		dst = c.append(dst, m, depth+1)
		if slices.Contains(c.leftOut, m.Name()) { // but what is inside must not come twice
			dst = dst[:before]
		}
	}
	if len(dst) == start {
		return append(dst, "{}"...)
	}
	dst[start] = '{' // in place of the first comma
	return append(dst, '}')
}

// appendPlainString appends text as a JSON string with the escapes that it needs.
func appendPlainString(dst []byte, text string) []byte {
	dst = append(dst, '"')
	for i := range len(text) {
		if b := text[i]; b < ' ' || b == '"' || b == '\\' {
			dst = append(dst, '\\', 'u', '0', '0', upperHex[b>>4], upperHex[b&15])
		} else {
			dst = append(dst, b)
		}
	}
	return append(dst, '"')
}
