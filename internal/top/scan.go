package top

import (
	"encoding/json"
	"unicode/utf8"
)

// maxDepth bounds the nesting of what is read; the documented messages nest
// six deep.
const (
	maxDepth  = 64
	ruleDepth = "nested deeper than %d"
)

// A scanner walks over JSON text. The text must be valid UTF-8. What it returns
// are parts of the text, not copies.
type scanner struct {
	text  string
	pos   int
	depth int
}

// A token is one value of any kind as it stands in the text.
type token struct {
	raw     string
	first   byte // tells the kind
	escaped bool // a string with escapes
}

// content returns what stands between the quotes of a string.
func (t token) content() string { return t.raw[1 : len(t.raw)-1] }

// str returns the text of a string.
func (t token) str() string {
	if t.escaped {
		return unescape(t.content())
	}
	return t.content()
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
	if s.pos < len(s.text) && s.text[s.pos] > ' ' {
		return s.text[s.pos]
	}
	return s.skipSpace()
}

func (s *scanner) skipSpace() byte {
	for ; s.pos < len(s.text); s.pos++ {
		switch c := s.text[s.pos]; c {
		case ' ', '\t', '\r', '\n':
		default:
			return c
		}
	}
	return 0
}

// errKind says what stands at the cursor in place of what is due: another kind of
// value, or no JSON at all.
func (s *scanner) errKind(want string) error {
	first := s.peek()
	rest := *s
	if _, err := rest.token(); err != nil || rest.end() != nil {
		return s.errSyntax(want)
	}
	return rulef("expected %s, got %s", want, kindOf(first))
}

// end fails unless only white space is left.
func (s *scanner) end() error {
	if s.peek() != 0 || s.pos < len(s.text) {
		return s.errSyntax("the end")
	}
	return nil
}

// open enters the object or list whose bracket the caller has seen at the cursor.
func (s *scanner) open() error {
	s.pos++
	if s.depth++; s.depth > maxDepth {
		return rulef(ruleDepth, maxDepth)
	}
	return nil
}

// next moves to the i-th part of an object or list that was opened, counted from
// 0. It is false, and the object or list left, where there are no more.
func (s *scanner) next(i int, closing byte) (more bool, err error) {
	switch c := s.peek(); {
	case c == ',' && i > 0:
		s.pos++
	case c == closing:
		s.pos++
		s.depth--
		return false, nil
	case i == 0:
	case closing == '}':
		return false, s.errSyntax("',' or '}'")
	default:
		return false, s.errSyntax("',' or ']'")
	}
	return true, nil
}

// member moves to the value of the i-th member of an object that was opened, and
// returns the member's name, a string.
func (s *scanner) member(i int) (name token, more bool, err error) {
	if more, err = s.next(i, '}'); more {
		name, err = s.name()
	}
	return name, more && err == nil, err
}

// name consumes the name of a member and the colon behind it.
func (s *scanner) name() (name token, err error) {
	if s.peek() != '"' {
		return token{}, s.errSyntax("a member name")
	}
	start := s.pos
	if name.escaped, err = s.skipString(); err != nil {
		return token{}, err
	}
	name.raw = s.text[start:s.pos]
	return name, s.colon()
}

func (s *scanner) colon() error {
	if s.peek() != ':' {
		return s.errSyntax("\":\"")
	}
	s.pos++
	return nil
}

// element moves to the i-th element of a list that was opened.
func (s *scanner) element(i int) (more bool, err error) { return s.next(i, ']') }

// token consumes one value of any kind.
func (s *scanner) token() (t token, err error) {
	t.first = s.peek()
	start := s.pos
	if t.first == '"' {
		t.escaped, err = s.skipString()
	} else {
		err = s.skip(t.first)
	}
	if err != nil {
		return token{}, err
	}
	t.raw = s.text[start:s.pos]
	return t, nil
}

// skip consumes the value at the cursor, whose first byte the caller has seen.
func (s *scanner) skip(first byte) error {
	switch {
	case first == '"':
		_, err := s.skipString()
		return err
	case first == '-' || first >= '0' && first <= '9':
		return s.number()
	case first == '{':
		return s.skipObject()
	case first == '[':
		return s.skipList()
	case first == 't':
		return s.literal("true")
	case first == 'f':
		return s.literal("false")
	case first == 'n':
		return s.literal("null")
	}
	return s.errSyntax("a value")
}

func (s *scanner) skipObject() error {
	if err := s.open(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		if more, err := s.next(i, '}'); !more {
			return err
		}
		if s.peek() != '"' {
			return s.errSyntax("a member name")
		}
		if _, err := s.skipString(); err != nil {
			return err
		}
		if err := s.colon(); err != nil {
			return err
		}
		if err := s.skip(s.peek()); err != nil {
			return err
		}
	}
}

func (s *scanner) skipList() error {
	if err := s.open(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		if more, err := s.element(i); !more {
			return err
		}
		if err := s.skip(s.peek()); err != nil {
			return err
		}
	}
}

func (s *scanner) literal(word string) error {
	if len(s.text)-s.pos < len(word) || s.text[s.pos:s.pos+len(word)] != word {
		return s.errSyntax(word)
	}
	s.pos += len(word)
	return nil
}

// number consumes a number by the grammar of JSON.
func (s *scanner) number() error {
	if s.at() == '-' {
		s.pos++
	}
	switch c := s.at(); {
	case c == '0':
		s.pos++
	case c >= '1' && c <= '9':
		s.digits()
	default:
		return s.errSyntax("a digit")
	}
	if s.at() == '.' {
		s.pos++
		if !s.digits() {
			return s.errSyntax("a digit")
		}
	}
	if c := s.at(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.at(); c == '+' || c == '-' {
			s.pos++
		}
		if !s.digits() {
			return s.errSyntax("a digit")
		}
	}
	return nil
}

func (s *scanner) at() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

func (s *scanner) digits() bool {
	start := s.pos
	for c := s.at(); c >= '0' && c <= '9'; c = s.at() {
		s.pos++
	}
	return s.pos > start
}

// skipString consumes a string, checks its escapes and reports whether it has any.
// Control characters need none: the platform sends line feeds and tabs as they are,
// and the official SDK's own reader takes them.
func (s *scanner) skipString() (escaped bool, err error) {
	i := s.pos + 1
	for {
		i = nextSpecial(s.text, i)
		s.pos = i
		switch {
		case i == len(s.text):
			return false, s.errSyntax("a closing quote")
		case s.text[i] == '"':
			s.pos++
			return escaped, nil
		}
		if err := s.skipEscape(); err != nil {
			return false, err
		}
		escaped, i = true, s.pos
	}
}

func (s *scanner) skipEscape() error {
	s.pos++
	switch s.at() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		return nil
	case 'u':
		s.pos++
		for range 4 {
			if !isHex(s.at()) {
				return s.errSyntax("a hexadecimal digit")
			}
			s.pos++
		}
		return nil
	}
	return s.errSyntax("an escape")
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// str consumes a string and returns its text.
func (s *scanner) str() (string, error) {
	t, err := s.token()
	if err != nil {
		return "", err
	}
	return t.str(), nil
}

// checkJSON fails unless raw is one JSON value in valid UTF-8 and nothing else, by
// the letter of the grammar: it is to be sent.
func checkJSON(raw []byte) error {
	s := scanner{text: string(raw)}
	if _, err := s.token(); err != nil || !json.Valid(raw) || !utf8.Valid(raw) {
		return rulef(ruleJSON)
	}
	return nil
}

const ruleJSON = "must be valid JSON"
