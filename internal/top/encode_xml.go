package top

import (
	"bytes"
	"encoding/xml"
	"reflect"
	"strings"
)

// AppendXML appends src, a pointer to the plan's struct, as an element called
// root. What is left out is left out as in JSON; raw JSON is written as text.
// Text with a character that XML cannot carry is an error.
func (p *Plan) AppendXML(dst []byte, root string, src any) ([]byte, error) {
	return (&xmlEncoder{}).message(dst, root, p, reflect.ValueOf(src).Elem())
}

type xmlEncoder struct{ depth int }

func (e *xmlEncoder) message(dst []byte, name string, p *Plan, v reflect.Value) ([]byte, error) {
	if e.depth++; e.depth > maxDepth {
		return nil, rulef(ruleDepth, maxDepth) // a value may contain itself
	}
	defer func() { e.depth-- }()
	dst = appendTag(dst, "<", name)
	var err error
	for _, f := range p.fields {
		fv := f.of(v)
		if !f.keep && f.isUnset(fv) {
			continue
		}
		if dst, err = e.value(dst, f.name, f.codec, fv); err != nil {
			return nil, under(f.name, err)
		}
	}
	for _, m := range p.unknown(v) {
		switch {
		case p.byName[m.Name] != nil:
			err = rulef("has a field of its own")
		case !isXMLName(m.Name):
			err = rulef("cannot be the name of an element")
		default:
			dst, err = appendXMLRaw(dst, m.Name, m.Value)
		}
		if err != nil {
			return nil, under(m.Name, err)
		}
	}
	return appendTag(dst, "</", name), nil
}

func (e *xmlEncoder) value(dst []byte, name string, c *codec, v reflect.Value) ([]byte, error) {
	for range c.pointers {
		if v.IsNil() {
			return dst, nil
		}
		v = v.Elem()
	}
	switch c.kind {
	case kindStruct:
		return e.message(dst, name, c.plan, v)
	case kindList:
		return e.list(dst, name, c, v)
	case kindRaw:
		if v.Len() == 0 {
			return dst, nil
		}
		return appendXMLRaw(dst, name, v.Bytes())
	}
	text, _, err := c.appendText(nil, v, true)
	if err != nil {
		return nil, err
	}
	return appendXMLText(dst, name, string(text))
}

func (e *xmlEncoder) list(dst []byte, name string, c *codec, v reflect.Value) ([]byte, error) {
	dst = appendTag(dst, "<", name)
	for i := range v.Len() {
		before := len(dst)
		var err error
		if dst, err = e.value(dst, c.wrap, c.elem, v.Index(i)); err != nil {
			return nil, underIndex(i, err)
		}
		if len(dst) == before { // nothing keeps its place
			dst = appendTag(appendTag(dst, "<", c.wrap), "</", c.wrap)
		}
	}
	return appendTag(dst, "</", name), nil
}

// appendXMLRaw writes a JSON value as text: a string as what it says, null as
// nothing, all else as it is.
func appendXMLRaw(dst []byte, name string, raw []byte) ([]byte, error) {
	if err := checkJSON(raw); err != nil {
		return nil, err
	}
	text, _ := jsonText(raw)
	return appendXMLText(dst, name, text)
}

func appendXMLText(dst []byte, name, text string) ([]byte, error) {
	if strings.ContainsFunc(text, notInXML) {
		return nil, rulef("has a character that XML cannot carry")
	}
	dst = appendTag(dst, "<", name)
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a bytes.Buffer does not fail
	return appendTag(append(dst, b.Bytes()...), "</", name), nil
}

func appendTag(dst []byte, open, name string) []byte {
	dst = append(dst, open...)
	dst = append(dst, name...)
	return append(dst, '>')
}

// notInXML reports whether XML 1.0 has no way to write r.
func notInXML(r rune) bool {
	return r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF
}

// isXMLName reports whether s can name an element: letters and digits of ASCII,
// '_', '-' and '.', a letter or '_' first.
func isXMLName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '_', c|0x20 >= 'a' && c|0x20 <= 'z':
		case i > 0 && (c == '-' || c == '.' || c >= '0' && c <= '9'):
		default:
			return false
		}
	}
	return s != ""
}
