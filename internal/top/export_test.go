package top

import (
	"encoding/json"
)

// MaxDepth is maxDepth.
const MaxDepth = maxDepth

// XMLAsJSON returns the name of a document's root and what is kept of it where it
// is unknown, for the test that compares the tree with encoding/xml's own tokens.
func XMLAsJSON(data []byte) (root, text string, err error) {
	v, err := ParseXML(data)
	if err != nil {
		return "", "", err
	}
	return v.Name(), v.JSON(), nil
}

// A Part, AppendParts, ScanObject and TextOf are how tests look at the members of an object.
type Part struct{ Name, Value string }

func AppendParts(parts []Part, text string) ([]Part, error) {
	v, err := ParseJSON(text)
	if err != nil {
		return nil, err
	}
	if v.Kind() != Object {
		return nil, rulef("expected an object, got %v", v.Kind())
	}
	seen := map[string]bool{}
	for m := range v.Inside() {
		if seen[m.Name()] {
			return nil, under(m.Name(), rulef(ruleTwice))
		}
		seen[m.Name()] = true
		parts = append(parts, Part{m.Name(), m.JSON()})
	}
	return parts, nil
}

func ScanObject(data []byte, f func(name string, value json.RawMessage) error) error {
	v, err := ParseJSON(string(data))
	if err != nil {
		return err
	}
	if v.Kind() != Object {
		return rulef("expected an object, got %v", v.Kind())
	}
	for m := range v.Inside() {
		if err := f(m.Name(), json.RawMessage(m.JSON())); err != nil {
			return err
		}
	}
	return nil
}

func TextOf(raw string) string {
	v, _ := ParseJSON(raw)
	return v.Text()
}
