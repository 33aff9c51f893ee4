package top

import (
	"encoding/json"
	"unicode/utf8"
)

// A Part is a member of a JSON object, its value as it stands in the text.
type Part struct{ Name, Value string }

// AppendParts appends the members of text, in order. It fails unless text is one
// JSON object in valid UTF-8 and nothing else, with no member that comes twice.
func AppendParts(parts []Part, text string) ([]Part, error) {
	if !utf8.ValidString(text) {
		return nil, rulef(ruleUTF8)
	}
	first := len(parts)
	parts, err := appendParts(parts, text)
	if err != nil {
		return nil, err
	}
	var names nameSet
	for _, p := range parts[first:] {
		if err := names.add(p.Name); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// appendParts appends the members of text, which is valid UTF-8, in order. It
// fails unless text is one JSON object and nothing else.
func appendParts(parts []Part, text string) ([]Part, error) {
	parts, _, err := appendPartsInside(parts, nil, text)
	return parts, err
}

// appendPartsInside is appendParts that also appends the members of the first
// member, where that is an object, to inside, if that is not nil.
func appendPartsInside(parts, inside []Part, text string) (all, allInside []Part, err error) {
	s := scanner{text: text}
	if s.peek() != '{' {
		return nil, nil, s.errKind("an object")
	}
	if parts, inside, err = s.parts(parts, inside); err == nil {
		err = s.end()
	}
	return parts, inside, err
}

// parts is appendPartsInside for the object at the cursor.
func (s *scanner) parts(dst, inside []Part) (all, allInside []Part, err error) {
	if err := s.open(); err != nil {
		return nil, nil, err
	}
	for i := 0; ; i++ {
		name, more, err := s.member(i)
		if !more {
			return dst, inside, err
		}
		first := s.peek()
		start := s.pos
		if i == 0 && inside != nil && first == '{' {
			inside, _, err = s.parts(inside, nil)
		} else {
			_, err = s.token()
		}
		if err != nil {
			return nil, nil, under(name.str(), err)
		}
		dst = append(dst, Part{name.str(), s.text[start:s.pos]})
	}
}

// ScanObject checks that data is one JSON object in valid UTF-8 and nothing
// else, and calls f with the name and value of every member, in order. Control
// characters in strings are escaped in the values.
func ScanObject(data []byte, f func(name string, value json.RawMessage) error) error {
	if !utf8.Valid(data) {
		return rulef(ruleUTF8)
	}
	parts, err := appendParts(nil, string(data))
	if err != nil {
		return err
	}
	for _, p := range parts {
		if err := f(p.Name, Strict(p.Value)); err != nil {
			return err
		}
	}
	return nil
}
