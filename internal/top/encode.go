package top

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
)

// EncodeOptions shape the JSON of a message.
type EncodeOptions struct {
	// Wrapped writes lists inside their wrapper, as replies of the gateway have
	// them that were not asked for in simplified form.
	Wrapped bool
	// Lenient writes an id that is no number as text where a number is due,
	// instead of failing.
	Lenient bool
	// Members are written besides the fields, and instead of a field of the same
	// name. Of several with one name the last counts.
	Members []Member
}

// A Member is one member of an object with its JSON text.
type Member struct {
	Name  string
	Value json.RawMessage
}

// AppendJSON appends src, a pointer to the plan's struct, as a JSON object. Nil
// pointers, nil lists, empty text and unset values are left out unless their
// tag says keep; empty lists are written.
func (p *Plan) AppendJSON(dst []byte, src any, o EncodeOptions) ([]byte, error) {
	e := encoder{EncodeOptions: o}
	return e.message(dst, p, reflect.ValueOf(src).Elem(), o.Members)
}

// AppendValue appends the JSON of any value that could be a member, as a field
// without options has it.
func AppendValue(dst []byte, value any) ([]byte, error) {
	v := reflect.ValueOf(value)
	if !v.IsValid() {
		return append(dst, "null"...), nil
	}
	c, err := codecFor(v.Type())
	if err != nil {
		return nil, err
	}
	return (&encoder{}).value(dst, c, v)
}

// An encoder writes the JSON of one message.
type encoder struct {
	EncodeOptions
	depth int    // how many structs lie around
	text  []byte // of one value
}

func (e *encoder) message(dst []byte, p *Plan, v reflect.Value, members []Member) ([]byte, error) {
	if e.depth++; e.depth > maxDepth {
		return nil, rulef(ruleDepth, maxDepth) // a value may contain itself
	}
	defer func() { e.depth-- }()
	start := len(dst)
	var err error
	for _, f := range p.fields {
		fv := v.FieldByIndex(f.path)
		if !f.keep && f.isUnset(fv) || replaced(members, f.name) {
			continue
		}
		dst = append(append(dst, ','), f.key...)
		if dst, err = e.value(dst, f.codec, fv); err != nil {
			return nil, under(f.name, err)
		}
	}
	for _, m := range p.unknown(v) {
		if replaced(members, m.Name) {
			continue
		}
		if p.byName[m.Name] != nil {
			return nil, under(m.Name, rulef("has a field of its own"))
		}
		if dst, err = appendMember(dst, m); err != nil {
			return nil, err
		}
	}
	for i, m := range members {
		if replaced(members[i+1:], m.Name) {
			continue
		}
		if dst, err = appendMember(dst, m); err != nil {
			return nil, err
		}
	}
	if len(dst) == start {
		return append(dst, "{}"...), nil
	}
	dst[start] = '{' // in place of the first comma
	return append(dst, '}'), nil
}

// unknown lists the members of a message that have no field, by name.
func (p *Plan) unknown(v reflect.Value) []Member {
	if p.extra == nil {
		return nil
	}
	extra := v.FieldByIndex(p.extra).Interface().(map[string]json.RawMessage)
	members := make([]Member, 0, len(extra))
	for _, name := range slices.Sorted(maps.Keys(extra)) {
		members = append(members, Member{name, extra[name]})
	}
	return members
}

func appendMember(dst []byte, m Member) ([]byte, error) {
	if err := checkJSON(m.Value); err != nil {
		return nil, under(m.Name, err)
	}
	dst = append(AppendJSONString(append(dst, ','), m.Name), ':')
	return append(dst, m.Value...), nil
}

func replaced(members []Member, name string) bool {
	return slices.ContainsFunc(members, func(m Member) bool { return m.Name == name })
}

func (e *encoder) value(dst []byte, c *codec, v reflect.Value) ([]byte, error) {
	for range c.pointers {
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		v = v.Elem()
	}
	switch c.kind {
	case kindStruct:
		return e.message(dst, c.plan, v, nil)
	case kindList:
		return e.list(dst, c, v)
	case kindRaw:
		if v.Len() == 0 {
			return append(dst, "null"...), nil
		}
		return append(dst, v.Bytes()...), checkJSON(v.Bytes())
	}
	text, bare, err := c.appendText(e.text[:0], v, e.Lenient)
	if err != nil {
		return nil, err
	}
	e.text = text
	switch {
	case len(text) == 0 && c.kind == kindScalar && !c.isText():
		return append(dst, "null"...), nil
	case bare:
		return append(dst, text...), nil
	}
	return AppendJSONString(dst, text), nil
}

func (e *encoder) list(dst []byte, c *codec, v reflect.Value) ([]byte, error) {
	if e.Wrapped {
		dst = append(AppendJSONString(append(dst, '{'), c.wrap), ':')
	}
	dst = append(dst, '[')
	start := len(dst)
	var err error
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		if dst, err = e.value(dst, c.elem, v.Index(i)); err != nil {
			return nil, underIndex(i, err)
		}
		if i == 0 { // a list of many is not copied again and again as it grows
			one := len(dst) - start + 1
			dst = slices.Grow(dst, (v.Len()-1)*(one+one/32))
		}
	}
	dst = append(dst, ']')
	if e.Wrapped {
		dst = append(dst, '}')
	}
	return dst, nil
}

// isZeroer is a type that has its own notion of unset, such as fliggy.Time.
type isZeroer interface{ IsZero() bool }

// isUnset reports whether the field has nothing to say: the zero value, and a time
// that says so itself.
func (f *field) isUnset(v reflect.Value) bool {
	switch {
	case !f.zeroer:
		return v.IsZero()
	case v.CanAddr():
		return v.Addr().Interface().(isZeroer).IsZero()
	}
	return v.Interface().(isZeroer).IsZero()
}
