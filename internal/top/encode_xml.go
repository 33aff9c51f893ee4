package top

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"maps"
	"reflect"
	"slices"
)

// AppendXML appends src, a pointer to the plan's struct, as an element called
// root. What is left out is left out as in JSON.
func (p *Plan) AppendXML(dst []byte, root string, src any) ([]byte, error) {
	return appendXMLStruct(dst, root, p, reflect.ValueOf(src).Elem())
}

func appendXMLStruct(dst []byte, name string, p *Plan, v reflect.Value) ([]byte, error) {
	dst = appendTag(dst, "<", name)
	for _, f := range p.fields {
		fv := v.FieldByIndex(f.path)
		if !f.keep && isUnset(fv) {
			continue
		}
		var err error
		if dst, err = appendXMLValue(dst, f.name, f.codec, fv); err != nil {
			return nil, under(f.name, err)
		}
	}
	return appendTag(dst, "</", name), nil
}

func appendXMLValue(dst []byte, name string, c *codec, v reflect.Value) ([]byte, error) {
	for range c.pointers {
		if v.IsNil() {
			return dst, nil
		}
		v = v.Elem()
	}
	switch c.kind {
	case kindStruct:
		return appendXMLStruct(dst, name, c.plan, v)
	case kindList:
		dst = appendTag(dst, "<", name)
		for i := range v.Len() {
			var err error
			if dst, err = appendXMLValue(dst, c.wrap, c.elem, v.Index(i)); err != nil {
				return nil, under(indexPath(i), err)
			}
		}
		return appendTag(dst, "</", name), nil
	case kindRaw:
		return appendXMLText(dst, name, string(v.Bytes())), nil
	}
	text, _, err := c.textOf(v, true)
	if err != nil {
		return nil, err
	}
	return appendXMLText(dst, name, text), nil
}

func appendXMLText(dst []byte, name, text string) []byte {
	dst = appendTag(dst, "<", name)
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a bytes.Buffer does not fail
	return appendTag(append(dst, b.Bytes()...), "</", name)
}

func appendTag(dst []byte, open, name string) []byte {
	dst = append(dst, open...)
	dst = append(dst, name...)
	return append(dst, '>')
}

func sortedKeys(m map[string]json.RawMessage) []string { return slices.Sorted(maps.Keys(m)) }
