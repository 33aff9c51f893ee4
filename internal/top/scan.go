package top

import (
	"encoding/json"
	"strconv"
	"unicode/utf8"
)

// maxDepth bounds the nesting of what is read; the documented messages nest
// six deep.
const (
	maxDepth  = 64
	ruleDepth = "nested deeper than %d"
)

// A scanner walks over JSON text. The text must be valid UTF-8.
type scanner struct {
	data  []byte
	pos   int
	depth int
}

// errSyntax says where the text stops being JSON; the text itself stays out.
func (s *scanner) errSyntax(want string) error {
	if s.pos >= len(s.data) {
		return rulef("not JSON: cut off at byte %d, expected %s", len(s.data), want)
	}
	return rulef("not JSON at byte %d: expected %s", s.pos, want)
}

// peek skips white space and returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; c {
		case ' ', '\t', '\r', '\n':
			s.pos++
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
	if _, err := rest.raw(); err != nil || rest.end() != nil {
		return s.errSyntax(want)
	}
	return rulef("expected %s, got %s", want, kindOf(first))
}

// end fails unless only white space is left.
func (s *scanner) end() error {
	if s.peek() != 0 || s.pos < len(s.data) {
		return s.errSyntax("the end")
	}
	return nil
}

func (s *scanner) expect(c byte) error {
	if s.peek() != c {
		return s.errSyntax(strconv.Quote(string(rune(c))))
	}
	s.pos++
	return nil
}

// enter and leave count nesting.
func (s *scanner) enter() error {
	if s.depth++; s.depth > maxDepth {
		return rulef(ruleDepth, maxDepth)
	}
	return nil
}

func (s *scanner) leave() { s.depth-- }

// members calls f for every member of the object whose '{' the caller has seen at
// the cursor; f must consume the value.
func (s *scanner) members(f func(name string) error) error {
	s.pos++
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if s.peek() == '}' {
		s.pos++
		return nil
	}
	for {
		if s.peek() != '"' {
			return s.errSyntax("a member name")
		}
		name, err := s.str()
		if err != nil {
			return err
		}
		if err := s.expect(':'); err != nil {
			return err
		}
		if err := f(name); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.pos++
		case '}':
			s.pos++
			return nil
		default:
			return s.errSyntax("',' or '}'")
		}
	}
}

// elements calls f for every element of the array whose '[' the caller has seen
// at the cursor; f must consume the element.
func (s *scanner) elements(f func(i int) error) error {
	s.pos++
	if err := s.enter(); err != nil {
		return err
	}
	defer s.leave()
	if s.peek() == ']' {
		s.pos++
		return nil
	}
	for i := 0; ; i++ {
		if err := f(i); err != nil {
			return err
		}
		switch s.peek() {
		case ',':
			s.pos++
		case ']':
			s.pos++
			return nil
		default:
			return s.errSyntax("',' or ']'")
		}
	}
}

// raw consumes one value of any kind and returns its text.
func (s *scanner) raw() ([]byte, error) {
	c := s.peek()
	start := s.pos
	var err error
	switch {
	case c == '{':
		err = s.members(func(string) error { _, err := s.raw(); return err })
	case c == '[':
		err = s.elements(func(int) error { _, err := s.raw(); return err })
	case c == '"':
		err = s.skipString()
	case c == 't':
		err = s.literal("true")
	case c == 'f':
		err = s.literal("false")
	case c == 'n':
		err = s.literal("null")
	case c == '-' || c >= '0' && c <= '9':
		err = s.number()
	default:
		err = s.errSyntax("a value")
	}
	if err != nil {
		return nil, err
	}
	return s.data[start:s.pos:s.pos], nil // who appends to it must not write into data
}

func (s *scanner) literal(word string) error {
	if len(s.data)-s.pos < len(word) || string(s.data[s.pos:s.pos+len(word)]) != word {
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
	if s.pos < len(s.data) {
		return s.data[s.pos]
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

// skipString consumes a string and checks its escapes.
func (s *scanner) skipString() error {
	s.pos++
	for s.pos < len(s.data) {
		switch c := s.data[s.pos]; {
		case c == '"':
			s.pos++
			return nil
		case c == '\\':
			if err := s.skipEscape(); err != nil {
				return err
			}
		case c < ' ':
			return s.errSyntax("no control character in a string")
		default:
			s.pos++
		}
	}
	return s.errSyntax("a closing quote")
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
	start := s.pos
	if err := s.skipString(); err != nil {
		return "", err
	}
	return unquote(s.data[start:s.pos]), nil
}

// ScanObject checks that data is one JSON object in valid UTF-8 and nothing
// else, and calls f with the name and raw text of every member, in order.
func ScanObject(data []byte, f func(name string, value json.RawMessage) error) error {
	if !utf8.Valid(data) {
		return rulef("not valid UTF-8")
	}
	s := &scanner{data: data}
	if s.peek() != '{' {
		return s.errKind("an object")
	}
	err := s.members(func(name string) error {
		v, err := s.raw()
		if err != nil {
			return under(name, err)
		}
		return f(name, v)
	})
	if err != nil {
		return err
	}
	return s.end()
}

// checkJSON fails unless raw is one JSON value in valid UTF-8 and nothing else.
func checkJSON(raw []byte) error {
	s := scanner{data: raw}
	if _, err := s.raw(); err != nil || s.end() != nil || !utf8.Valid(raw) {
		return rulef(ruleJSON)
	}
	return nil
}

const ruleJSON = "must be valid JSON"
