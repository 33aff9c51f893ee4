package top

import (
	"cmp"
	"crypto/sha256"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"
)

// A canonizer writes JSON in the form that all texts which say the same share: members
// sorted by name, strings without needless escapes, no white space, objects and lists that
// travel as the text of a string in the place of that string. Numbers stay as they are
// written. It is one pass: an object is written as it comes, and put in order at its end.
type canonizer struct {
	scanner
	out     []byte
	members []span // of the objects that are open
	sorted  []byte // where an object is put in order
	leftOut []string
	twice   error // of the first member that came again
}

// Canonizers are kept without anything of what they have written, and while they are small.
var canonizers sync.Pool

const maxKept = 16 << 10

// DigestJSON is the SHA-256 of what text says, one JSON value, in canonical form. Members
// named in leftOut are left out, at any level. isJSON is false, and the digest zero, for
// any other text. The error tells of a member that comes more than once in an object, at
// any level; the digest is good all the same.
func DigestJSON(text string, leftOut ...string) (digest [sha256.Size]byte, isJSON bool, err error) {
	if !utf8.ValidString(text) {
		return digest, false, nil
	}
	c, ok := canonizers.Get().(*canonizer)
	if !ok {
		c = &canonizer{}
	}
	defer c.release()
	c.scanner, c.leftOut = scanner{text: text}, leftOut
	if c.value() != nil || c.end() != nil {
		return digest, false, nil
	}
	return sha256.Sum256(c.out), true, c.twice
}

func (c *canonizer) release() {
	if max(cap(c.out), cap(c.sorted)) > maxKept || cap(c.members) > maxKept/64 {
		return
	}
	clear(c.out[:cap(c.out)])
	clear(c.sorted[:cap(c.sorted)])
	clear(c.members[:cap(c.members)])
	*c = canonizer{out: c.out[:0], sorted: c.sorted[:0], members: c.members[:0]}
	canonizers.Put(c)
}

// A span is where a member lies in out.
type span struct {
	name       string
	start, end int
}

func (c *canonizer) value() error {
	switch c.peek() {
	case '{':
		return c.object()
	case '[':
		return c.list()
	}
	t, err := c.token()
	switch {
	case err != nil:
		return err
	case t.first != '"':
		c.out = append(c.out, t.raw...)
		return nil
	}
	text := t.str()
	if in := trim(text); in != "" && (in[0] == '{' || in[0] == '[') && isJSONAt(in, c.depth) {
		outer := c.scanner
		c.scanner = scanner{text: in, depth: outer.depth}
		err = c.value()
		c.scanner = outer
		return err
	}
	c.out = appendPlainString(c.out, text)
	return nil
}

// isJSONAt tells whether text is one JSON value and nothing else, at that depth.
func isJSONAt(text string, depth int) bool {
	s := scanner{text: text, depth: depth}
	_, err := s.token()
	return err == nil && s.end() == nil
}

func (c *canonizer) list() error {
	if err := c.open(); err != nil {
		return err
	}
	c.out = append(c.out, '[')
	for i := 0; ; i++ {
		more, err := c.element(i)
		switch {
		case err != nil:
			return err
		case !more:
			c.out = append(c.out, ']')
			return nil
		case i > 0:
			c.out = append(c.out, ',')
		}
		if err := c.value(); err != nil {
			return err
		}
	}
}

func (c *canonizer) object() error {
	if err := c.open(); err != nil {
		return err
	}
	first, start := len(c.members), len(c.out)
	for i := 0; ; i++ {
		name, more, err := c.member(i)
		if err != nil {
			return err
		} else if !more {
			break
		}
		m := span{name: name.str(), start: len(c.out)}
		c.out = append(appendPlainString(c.out, m.name), ':')
		if err := c.value(); err != nil {
			return err
		}
		m.end = len(c.out)
		c.members = append(c.members, m)
	}
	c.order(start, c.members[first:])
	c.members = c.members[:first]
	return nil
}

// order puts the members of the object that begins at start in order.
func (c *canonizer) order(start int, members []span) {
	slices.SortFunc(members, func(a, b span) int {
		if order := strings.Compare(a.name, b.name); order != 0 {
			return order
		}
		return cmp.Compare(a.start, b.start)
	})
	c.sorted = append(c.sorted[:0], '{')
	for i, m := range members {
		if i > 0 && m.name == members[i-1].name && c.twice == nil {
			c.twice = under(m.name, rulef(ruleTwice))
		}
		if slices.Contains(c.leftOut, m.name) {
			continue
		}
		if len(c.sorted) > 1 {
			c.sorted = append(c.sorted, ',')
		}
		c.sorted = append(c.sorted, c.out[m.start:m.end]...)
	}
	c.out = append(append(c.out[:start], c.sorted...), '}')
}

// appendPlainString appends text as a JSON string with the escapes that it needs.
func appendPlainString(dst []byte, text string) []byte {
	dst = append(dst, '"')
	const digits = "0123456789abcdef"
	for i := range len(text) {
		if b := text[i]; b < ' ' || b == '"' || b == '\\' {
			dst = append(dst, '\\', 'u', '0', '0', digits[b>>4], digits[b&15])
		} else {
			dst = append(dst, b)
		}
	}
	return append(dst, '"')
}
