package top

import (
	"bytes"
	"encoding"
	"encoding/json"
	"reflect"
	"unicode/utf8"
)

// DecodeJSON reads one JSON object into dst, a pointer to the plan's struct.
// Members may be in any form the platform is known to send: lists wrapped or
// plain, numbers and booleans as text, objects and lists as JSON text, null and
// empty text for nothing. What has no clear meaning is an *Error with its path.
func (p *Plan) DecodeJSON(data []byte, dst any) error {
	if !utf8.Valid(data) {
		return rulef("not valid UTF-8")
	}
	d := &jsonDecoder{scanner: scanner{data: data}, room: newRoom()}
	if d.peek() != '{' {
		return d.errKind("an object")
	}
	if err := d.object(p, reflect.ValueOf(dst).Elem()); err != nil {
		return err
	}
	return d.end()
}

// Knows tells whether the message has a member of that name.
func (p *Plan) Knows(name string) bool { return p.byName[name] != nil }

type jsonDecoder struct {
	scanner
	room *room
}

// object reads the object at the cursor.
func (d *jsonDecoder) object(p *Plan, v reflect.Value) error {
	var seen seenSet
	err := d.members(func(name string) error {
		f := p.byName[name]
		if f == nil {
			return d.unknown(p, v, name)
		}
		if d.peek() == 'n' {
			return d.literal("null")
		}
		if f.required && seen.has(f.bit) {
			return under(name, rulef(ruleTwice)) // which of two success flags would be meant?
		}
		switch err := d.value(f.codec, v.FieldByIndex(f.path)); {
		case err == nil:
			seen.add(f.bit)
		case !isNothing(err):
			return under(name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.checkSeen(seen, v)
}

func (d *jsonDecoder) unknown(p *Plan, v reflect.Value, name string) error {
	raw, err := d.raw()
	if err != nil {
		return err // without the name, which is the sender's choice
	}
	p.keepUnknown(v, name, raw)
	return nil
}

// keepUnknown stores a member without a field where the message has a place for
// it.
func (p *Plan) keepUnknown(v reflect.Value, name string, raw []byte) {
	if p.extra == nil {
		return
	}
	m := v.FieldByIndex(p.extra)
	if m.IsNil() {
		m.Set(reflect.MakeMap(extraType))
	}
	m.SetMapIndex(reflect.ValueOf(name), reflect.ValueOf(json.RawMessage(bytes.Clone(raw))))
}

// value reads the value at the cursor, which is not null, into v.
func (d *jsonDecoder) value(c *codec, v reflect.Value) error {
	if c.pointers > 0 {
		return c.fill(v, d.plain)
	}
	return d.plain(c, v)
}

// plain is value once all pointers have been followed.
func (d *jsonDecoder) plain(c *codec, v reflect.Value) error {
	switch c.kind {
	case kindRaw:
		raw, err := d.raw()
		v.SetBytes(bytes.Clone(raw))
		return err
	case kindStruct:
		return d.structValue(c, v)
	case kindList:
		return d.list(c, v)
	}
	first := d.peek()
	raw, err := d.raw()
	if err != nil {
		return err
	}
	if c.kind == kindScalar {
		return setScalarJSON(c, v, raw, first)
	}
	text := ""
	switch first {
	case '"':
		text = unquote(raw)
	case '{', '[':
		if c.kind != kindString {
			return rulef("expected a single value, got %s", kindOf(first))
		}
		text = string(compact(raw))
	default:
		text = string(raw)
	}
	return setText(c, v, text)
}

func (d *jsonDecoder) structValue(c *codec, v reflect.Value) error {
	switch first := d.peek(); first {
	case '{':
		return d.object(c.plan, v)
	case '[': // an empty list stands for an empty object in PHP's JSON
		err := d.elements(func(int) error { return rulef("expected an object, got a list") })
		if err == nil {
			err = errNothing
		}
		return err
	case '"': // an object as JSON text
		return d.quoted('{', "an object", func(in *jsonDecoder) error { return in.object(c.plan, v) })
	default:
		return rulef("expected an object, got %s", kindOf(first))
	}
}

// list reads a list: plain, wrapped in an object of one member, or as JSON text.
func (d *jsonDecoder) list(c *codec, v reflect.Value) error {
	switch first := d.peek(); first {
	case '[':
		return d.array(c, v)
	case '{':
		v.Set(reflect.MakeSlice(v.Type(), 0, 0))
		n := 0
		return d.members(func(name string) error {
			if n++; n > 1 {
				return rulef("expected a list or its wrapper, got an object of several members")
			}
			var err error
			switch d.peek() {
			case 'n':
				return d.literal("null")
			case '[':
				err = d.array(c, v)
			default: // a list of one, without brackets
				err = d.element(c, v, 0)
			}
			if err != nil {
				return under(name, err)
			}
			return nil
		})
	case '"':
		return d.quoted('[', "a list", func(in *jsonDecoder) error { return in.array(c, v) })
	default:
		return rulef("expected a list, got %s", kindOf(first))
	}
}

func (d *jsonDecoder) array(c *codec, v reflect.Value) error {
	v.Set(reflect.MakeSlice(v.Type(), 0, 0))
	return d.elements(func(i int) error { return d.element(c, v, i) })
}

// element appends one element to the list v.
func (d *jsonDecoder) element(c *codec, v reflect.Value, i int) error {
	e, err := d.room.grow(v)
	if err != nil {
		return under(indexPath(i), err)
	}
	if d.peek() == 'n' {
		return d.literal("null")
	}
	if err := d.value(c.elem, e); err != nil && !isNothing(err) {
		return under(indexPath(i), err)
	}
	return nil
}

// quoted reads JSON that travels as the text of a string. Empty text and "null"
// are nothing.
func (d *jsonDecoder) quoted(first byte, want string, read func(*jsonDecoder) error) error {
	text, err := d.str()
	if err != nil {
		return err
	}
	if saysNothing(text) {
		return errNothing
	}
	in := &jsonDecoder{scanner: scanner{data: []byte(text), depth: d.depth}, room: d.room}
	if in.peek() != first {
		return rulef("expected %s, got text", want)
	}
	if err := read(in); err != nil {
		return err
	}
	return in.end()
}

// setScalarJSON hands raw to a type that reads itself.
func setScalarJSON(c *codec, v reflect.Value, raw []byte, first byte) error {
	if first == '"' && !c.isText() && saysNothing(raw[1:len(raw)-1]) {
		return errNothing
	}
	self := v.Addr().Interface()
	if u, ok := self.(json.Unmarshaler); ok {
		return asRule(c.typ, u.UnmarshalJSON(raw))
	}
	if first == '"' {
		raw = []byte(unquote(raw))
	}
	return asRule(c.typ, self.(encoding.TextUnmarshaler).UnmarshalText(raw)) // a scalar has one or the other
}

func kindOf(first byte) string {
	switch first {
	case '{':
		return "an object"
	case '[':
		return "a list"
	case '"':
		return "text"
	case 't', 'f':
		return "a boolean"
	case 'n':
		return "null"
	}
	return "a number"
}
