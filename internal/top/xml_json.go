package top

import (
	"bytes"
	"strings"
)

// elements gathers child elements by name, as JSON.
type elements struct {
	names  []string
	values map[string][][]byte
}

// read adds the element of that name whose start has been read.
func (e *elements) read(d *xmlDecoder, name string) error {
	raw, err := d.toJSON()
	if err != nil {
		return err // without the name, which is the sender's choice
	}
	e.add(name, raw)
	return nil
}

func (e *elements) add(name string, raw []byte) {
	if e.values == nil {
		e.values = map[string][][]byte{}
	}
	if e.values[name] == nil {
		e.names = append(e.names, name)
	}
	e.values[name] = append(e.values[name], raw)
}

// json returns the element of that name, a list where it came repeatedly.
func (e *elements) json(name string) []byte {
	vs := e.values[name]
	if len(vs) == 1 {
		return vs[0]
	}
	out := append([]byte{'['}, bytes.Join(vs, []byte{','})...)
	return append(out, ']')
}

// textBetween names, in JSON, the text that stood between elements.
const textBetween = "#text"

// toJSON turns the element whose start has been read into JSON: text into a
// string, child elements into an object, repeated ones into lists.
func (d *xmlDecoder) toJSON() ([]byte, error) {
	var inner elements
	text, err := d.children(func(name string) error { return inner.read(d, name) })
	if err != nil {
		return nil, err
	}
	if len(inner.names) == 0 {
		return AppendJSONString(nil, text), nil
	}
	if strings.TrimSpace(text) != "" {
		inner.add(textBetween, AppendJSONString(nil, text))
	}
	out := []byte{'{'}
	for i, name := range inner.names {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(AppendJSONString(out, name), ':')
		out = append(out, inner.json(name)...)
	}
	return append(out, '}'), nil
}
