package top

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"unicode/utf8"
)

// DecodeJSON reads one JSON object into dst, a pointer to the plan's struct.
// Members may be in any form the platform is known to send: lists wrapped or
// plain, numbers and booleans as text, objects and lists as JSON text, null and
// empty text for nothing. What has no clear meaning is an *Error with its path; so
// is a member that comes twice. Control characters in strings are read as they are;
// types that read themselves, and json.RawMessage, get them escaped.
func (p *Plan) DecodeJSON(data []byte, dst any) error {
	return p.DecodeText(string(data), len(data), dst)
}

// DecodeText is DecodeJSON of a string, which lies in a text of that many bytes. What
// was read may share the memory of that, if it is short.
func (p *Plan) DecodeText(text string, size int, dst any) error {
	if !utf8.ValidString(text) {
		return rulef(ruleUTF8)
	}
	return p.decodeText(text, size, dst)
}

// decodeText is DecodeText once the text is known to be valid UTF-8.
func (p *Plan) decodeText(text string, size int, dst any) error {
	d := takeDecoder(size)
	defer d.release()
	d.text = text
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

// object reads the object at the cursor.
func (d *jsonDecoder) object(p *Plan, v reflect.Value) error {
	if err := d.open(); err != nil {
		return err
	}
	var came, seen fieldSet // seen are those that came and said something
	var unknown nameSet
	next := 0 // members mostly come in the order of the fields
	for i := 0; ; i++ {
		if more, err := d.next(i, '}'); err != nil {
			return err
		} else if !more {
			return p.checkSeen(&seen, v)
		}
		f := d.expected(p, next)
		name := ""
		if f != nil {
			name = f.name
		} else {
			token, err := d.name()
			if err != nil {
				return err
			}
			name = token.str()
			f = p.byName[name]
		}
		if f == nil {
			if err := unknown.add(name); err != nil {
				return err
			}
			if err := d.unknown(p, v, name); err != nil {
				return err // without the name, which is the sender's choice
			}
			continue
		}
		if came.has(f.bit) {
			return under(name, rulef(ruleTwice))
		}
		came.add(f.bit)
		next = f.bit + 1
		if err := d.field(f, v, &seen); err != nil {
			return err
		}
	}
}

// field reads the value at the cursor into its field, and adds it to seen if it says
// something.
func (d *jsonDecoder) field(f *field, v reflect.Value, seen *fieldSet) error {
	if d.peek() == 'n' {
		return d.literal("null")
	}
	switch err := d.value(f.codec, v.FieldByIndex(f.path)); {
	case err == nil:
		seen.add(f.bit)
	case !isNothing(err):
		return under(f.name, err)
	}
	return nil
}

// expected consumes the name at the cursor, and the colon, where it is that of the
// next field, written as it would be sent; else it is nil.
func (d *jsonDecoder) expected(p *Plan, next int) *field {
	d.peek()
	if next == len(p.fields) || !strings.HasPrefix(d.text[d.pos:], p.fields[next].key.plain) {
		return nil
	}
	d.pos += len(p.fields[next].key.plain)
	return p.fields[next]
}

func (d *jsonDecoder) unknown(p *Plan, v reflect.Value, name string) error {
	t, err := d.token()
	if err == nil {
		p.keepUnknown(v, d.keep(name), t.raw)
	}
	return err
}

// keepUnknown stores a member without a field where the message has a place for
// it.
func (p *Plan) keepUnknown(v reflect.Value, name, raw string) {
	if p.extra == nil {
		return
	}
	m := v.FieldByIndex(p.extra).Addr().Interface().(*map[string]json.RawMessage)
	if *m == nil {
		*m = map[string]json.RawMessage{}
	}
	(*m)[name] = Strict(raw)
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
	case kindStruct:
		return d.structValue(c, v)
	case kindList:
		return d.list(c, v)
	}
	t, err := d.token()
	if err != nil {
		return err
	}
	switch c.kind {
	case kindRaw:
		v.SetBytes(Strict(t.raw))
		return nil
	case kindScalar:
		return d.scalar(c, v, t)
	}
	text := t.raw
	switch t.first {
	case '"':
		text = t.str()
	case '{', '[':
		if c.kind != kindString {
			return rulef("expected a single value, got %s", kindOf(t.first))
		}
		text = Compact(t.raw)
	}
	if c.kind == kindString {
		v.SetString(d.keep(text))
		return nil
	}
	return setText(c, v, text)
}

// scalar hands a value to a type that reads itself.
func (d *jsonDecoder) scalar(c *codec, v reflect.Value, t token) error {
	if t.first == '"' && !c.isText() && saysNothing(t.str()) {
		return errNothing
	}
	self := v.Addr().Interface()
	if text, ok := c.quickText(t); ok {
		return asRule(c.typ, c.quick(self, d.keep(text)))
	}
	if u, ok := self.(json.Unmarshaler); ok {
		if c.keeps { // against the rule of encoding/json, but a pooled decoder's memory is that of another message next
			return asRule(c.typ, u.UnmarshalJSON(Strict(t.raw)))
		}
		d.scratch = appendStrict(d.scratch[:0], t.raw, true)
		return asRule(c.typ, u.UnmarshalJSON(d.scratch))
	}
	text := t.raw
	if t.first == '"' {
		text = t.str()
	}
	return asRule(c.typ, self.(encoding.TextUnmarshaler).UnmarshalText([]byte(text))) // a scalar has one or the other
}

func (d *jsonDecoder) structValue(c *codec, v reflect.Value) error {
	switch first := d.peek(); first {
	case '{':
		return d.object(c.plan, v)
	case '[': // an empty list stands for an empty object in PHP's JSON
		if err := d.open(); err != nil {
			return err
		}
		more, err := d.element(0)
		switch {
		case err != nil:
			return err
		case more:
			return rulef("expected an object, got a list")
		}
		return errNothing
	case '"': // an object as JSON text
		in, err := d.quoted('{', "an object")
		if err != nil {
			return err
		}
		if err := in.object(c.plan, v); err != nil {
			return err
		}
		return in.end()
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
		return d.wrapped(c, v)
	case '"':
		in, err := d.quoted('[', "a list")
		if err != nil {
			return err
		}
		if err := in.array(c, v); err != nil {
			return err
		}
		return in.end()
	default:
		return rulef("expected a list, got %s", kindOf(first))
	}
}

// wrapped reads a list inside an object of one member, or of none.
func (d *jsonDecoder) wrapped(c *codec, v reflect.Value) error {
	v.Set(c.empty)
	if err := d.open(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		name, more, err := d.member(i)
		if !more {
			return err
		}
		if i > 0 {
			return rulef("expected a list or its wrapper, got an object of several members")
		}
		switch d.peek() {
		case 'n':
			if err := d.literal("null"); err != nil {
				return err
			}
		case '[':
			err = d.array(c, v)
		default: // a list of one, without brackets
			err = d.append(c, v, 0)
		}
		if err != nil {
			return under(name.str(), err)
		}
	}
}

func (d *jsonDecoder) array(c *codec, v reflect.Value) error {
	v.Set(c.empty)
	if err := d.open(); err != nil {
		return err
	}
	for i := 0; ; i++ {
		if more, err := d.element(i); !more {
			return err
		}
		if err := d.append(c, v, i); err != nil {
			return err
		}
	}
}

// append appends the value at the cursor to the list v, which has i elements.
func (d *jsonDecoder) append(c *codec, v reflect.Value, i int) error {
	e, err := d.room.grow(c, v)
	if err == nil && d.peek() == 'n' {
		return d.literal("null")
	}
	if err == nil {
		err = d.value(c.elem, e)
	}
	if err == nil || isNothing(err) {
		return nil
	}
	return under(indexPath(i), err)
}

// quoted opens JSON that travels as the text of a string. Empty text and "null"
// are nothing.
func (d *jsonDecoder) quoted(first byte, want string) (*jsonDecoder, error) {
	text, err := d.str()
	if err != nil {
		return nil, err
	}
	if saysNothing(text) {
		return nil, errNothing
	}
	in := newJSONDecoder(text, d.depth, d.sharer, d.room)
	if in.peek() != first {
		return nil, rulef("expected %s, got text", want)
	}
	return in, nil
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
