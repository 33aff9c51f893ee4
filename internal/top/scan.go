package top

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// byteOrderMark is what some writers put before a text in UTF-8.
const byteOrderMark = "\uFEFF"

// ParseJSON reads a text that is one JSON value in valid UTF-8. Control characters
// inside strings are taken as they are: some gateways of the platform write them.
func ParseJSON(text string) (Value, error) { return parseJSON(text, 0, len(text)) }

// parseJSON is ParseJSON for a text that lies that deep in a message of so many
// bytes.
func parseJSON(text string, depth, size int) (Value, error) {
	if !utf8.ValidString(text) {
		return Value{}, rulef(ruleUTF8)
	}
	s := scanner{text: text, depth: depth, tree: &tree{long: size > maxShared}}
	s.nodes = make([]node, 0, 1+min(len(text)/16, 1024))
	if err := s.value(""); err != nil {
		return Value{}, err
	}
	if s.peek() != 0 || s.pos < len(text) {
		return Value{}, s.errSyntax("the end")
	}
	return Value{s.tree, 0}, nil
}

// A scanner reads JSON into a tree, byte by byte.
type scanner struct {
	*tree
	text  string
	pos   int
	depth int
}

// errSyntax says where the text stops being JSON; the text itself stays out.
func (s *scanner) errSyntax(want string) error {
	if s.pos >= len(s.text) {
		return rulef("not JSON: cut off at byte %d, expected %s", len(s.text), want)
	}
	return rulef("not JSON at byte %d: expected %s", s.pos, want)
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// value adds the value at the cursor to the tree.
func (s *scanner) value(name string) error {
	first, start, at := s.peek(), s.pos, len(s.nodes)
	if at == maxValues {
		return rulef(ruleValues, maxValues)
	}
	s.nodes = append(s.nodes, node{name: name})
	n := node{name: name}
	var err error
	switch {
	case first == '"':
		n.kind = Text
		n.escaped, err = s.str()
	case first == '-' || first >= '0' && first <= '9':
		n.kind, err = Number, s.number()
	case first == '{':
		n.kind, err = Object, s.inside('}')
	case first == '[':
		n.kind, err = List, s.inside(']')
	case first == 't':
		n.kind, err = Bool, s.literal("true")
	case first == 'f':
		n.kind, err = Bool, s.literal("false")
	case first == 'n':
		n.kind, err = Null, s.literal("null")
	default:
		err = s.errSyntax("a value")
	}
	if err != nil {
		return err
	}
	n.text, n.end = s.text[start:s.pos], int32(len(s.nodes)) //nolint:gosec // at most maxValues
	s.nodes[at] = n
	return nil
}

// inside reads the members of an object or the items of a list, whose bracket is at
// the cursor.
func (s *scanner) inside(closing byte) error {
	s.pos++
	if s.depth++; s.depth > maxDepth {
		return rulef(ruleDepth, maxDepth)
	}
	for i := 0; ; i++ {
		switch c := s.peek(); {
		case c == closing:
			s.pos++
			s.depth--
			return nil
		case i == 0:
		case c == ',':
			s.pos++
		default:
			return s.errSyntax("',' or '" + string(closing) + "'")
		}
		name, err := "", error(nil)
		if closing == '}' {
			name, err = s.name()
		}
		if err == nil {
			err = s.value(name)
		}
		if err != nil {
			return err
		}
	}
}

// name reads the name of a member and the colon behind it.
func (s *scanner) name() (string, error) {
	if s.peek() != '"' {
		return "", s.errSyntax("a member name")
	}
	start := s.pos
	escaped, err := s.str()
	if err != nil {
		return "", err
	}
	name := s.text[start+1 : s.pos-1]
	if escaped {
		name = unescape(name)
	}
	if s.peek() != ':' {
		return "", s.errSyntax("':'")
	}
	s.pos++
	return name, nil
}

func (s *scanner) literal(word string) error {
	if !strings.HasPrefix(s.text[s.pos:], word) {
		return s.errSyntax(word)
	}
	s.pos += len(word)
	return nil
}

// number reads a number by the grammar of JSON.
func (s *scanner) number() error {
	if s.here() == '-' {
		s.pos++
	}
	if s.here() == '0' {
		s.pos++
	} else if !s.digits() {
		return s.errSyntax("a digit")
	}
	if s.here() == '.' {
		s.pos++
		if !s.digits() {
			return s.errSyntax("a digit")
		}
	}
	if s.here()|0x20 == 'e' {
		s.pos++
		if c := s.here(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return s.errSyntax("a digit")
		}
	}
	return nil
}

// here returns the byte at the cursor, 0 at the end.
func (s *scanner) here() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) digits() bool {
	start := s.pos
	for c := s.here(); c >= '0' && c <= '9'; c = s.here() {
		s.pos++
	}
	return s.pos > start
}

// str reads a string and reports whether it has escapes.
func (s *scanner) str() (escaped bool, err error) {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; {
		case c == '"':
			s.pos++
			return escaped, nil
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return false, err
			}
		case c < ' ':
			s.raw = true
		}
	}
	return false, s.errSyntax("a closing quote")
}

// escape checks the escape at the cursor, and moves to its last byte.
func (s *scanner) escape() error {
	s.pos++
	switch s.here() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return nil
	case 'u':
		for range 4 {
			s.pos++
			if _, ok := hexDigit(s.here()); !ok {
				return s.errSyntax("a hexadecimal digit")
			}
		}
		return nil
	}
	return s.errSyntax("an escape")
}

func hexDigit(c byte) (rune, bool) {
	switch {
	case c >= '0' && c <= '9':
		return rune(c - '0'), true
	case c|0x20 >= 'a' && c|0x20 <= 'f':
		return rune(c|0x20-'a') + 10, true
	}
	return 0, false
}

// unescape returns what the checked content of a JSON string stands for.
func unescape(body string) string {
	var out strings.Builder
	out.Grow(len(body))
	for {
		plain, rest, found := strings.Cut(body, `\`)
		out.WriteString(plain)
		if !found {
			return out.String()
		}
		c := rest[0]
		body = rest[1:]
		if at := strings.IndexByte("bfnrt", c); at >= 0 {
			c = "\b\f\n\r\t"[at]
		}
		if c != 'u' {
			out.WriteByte(c)
			continue
		}
		r := hex4(body)
		body = body[4:]
		if utf16.IsSurrogate(r) {
			low := rune(-1)
			if strings.HasPrefix(body, `\u`) {
				low = hex4(body[2:])
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				body = body[6:]
			}
		}
		out.WriteRune(r)
	}
}

// hex4 reads four hexadecimal digits, which the scanner has checked.
func hex4(s string) rune {
	var r rune
	for i := range 4 {
		d, _ := hexDigit(s[i])
		r = r<<4 | d
	}
	return r
}

// Compact returns checked JSON without white space between its tokens, and with the
// control characters in its strings escaped.
func Compact(raw string) string { return strict(raw, false) }

// strict returns checked JSON with the control characters in its strings escaped, so
// that encoding/json reads it too, and with the white space between its tokens if
// wanted.
func strict(raw string, space bool) string {
	out := make([]byte, 0, len(raw))
	quoted := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			quoted = !quoted
			out = append(out, c)
		case quoted && c == '\\':
			i++
			out = append(out, c, raw[i])
		case quoted && c < ' ':
			out = appendJSONByte(out, c)
		case quoted || space || c > ' ':
			out = append(out, c)
		}
	}
	return string(out)
}

// checkJSON fails unless raw is one JSON value in valid UTF-8 and nothing else, as
// encoding/json reads it.
func checkJSON(raw []byte) error {
	if v, err := ParseJSON(string(raw)); err != nil || v.raw {
		return rulef(ruleJSON)
	}
	return nil
}

const (
	ruleJSON = "must be valid JSON"
	ruleUTF8 = "not valid UTF-8"
)
