package top

import (
	"encoding/json"
	"reflect"
	"unicode/utf8"
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
	e := &jsonEncoder{o: o}
	return e.object(dst, p, reflect.ValueOf(src).Elem(), o.Members)
}

// AppendValue appends the JSON of any value that could be a member, as a field
// without options has it.
func AppendValue(dst []byte, value any) ([]byte, error) {
	v := reflect.ValueOf(value)
	if !v.IsValid() {
		return append(dst, "null"...), nil
	}
	c, err := (&compiler{busy: map[reflect.Type]*Plan{}}).codec(v.Type(), "")
	if err != nil {
		return nil, err
	}
	return (&jsonEncoder{}).value(dst, c, v)
}

type jsonEncoder struct {
	o     EncodeOptions
	depth int
}

func (e *jsonEncoder) object(dst []byte, p *Plan, v reflect.Value, members []Member) ([]byte, error) {
	if e.depth++; e.depth > maxDepth {
		return nil, rulef(ruleDepth, maxDepth) // a value may contain itself
	}
	defer func() { e.depth-- }()
	dst = append(dst, '{')
	start := len(dst)
	name := func(dst []byte, name string) []byte {
		if len(dst) > start {
			dst = append(dst, ',')
		}
		dst = AppendJSONString(dst, name)
		return append(dst, ':')
	}
	for _, f := range p.fields {
		if replaced(members, f.name) {
			continue
		}
		fv := v.FieldByIndex(f.path)
		if !f.keep && isUnset(fv) {
			continue
		}
		var err error
		dst = name(dst, f.name)
		if dst, err = e.value(dst, f.codec, fv); err != nil {
			return nil, under(f.name, err)
		}
	}
	if p.extra != nil {
		extra := v.FieldByIndex(p.extra).Interface().(map[string]json.RawMessage)
		for _, k := range sortedKeys(extra) {
			if replaced(members, k) {
				continue
			}
			if err := p.checkExtra(k, extra[k]); err != nil {
				return nil, under(k, err)
			}
			dst = append(name(dst, k), extra[k]...)
		}
	}
	for i, m := range members {
		if replaced(members[i+1:], m.Name) {
			continue
		}
		if err := checkJSON(m.Value); err != nil {
			return nil, under(m.Name, err)
		}
		dst = append(name(dst, m.Name), m.Value...)
	}
	return append(dst, '}'), nil
}

// checkExtra fails for an unknown member that is known, or is no JSON.
func (p *Plan) checkExtra(name string, raw json.RawMessage) error {
	if p.Knows(name) {
		return rulef("has a field of its own")
	}
	return checkJSON(raw)
}

func replaced(members []Member, name string) bool {
	for i := range members {
		if members[i].Name == name {
			return true
		}
	}
	return false
}

func (e *jsonEncoder) value(dst []byte, c *codec, v reflect.Value) ([]byte, error) {
	for range c.pointers {
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		v = v.Elem()
	}
	switch c.kind {
	case kindRaw:
		if v.Len() == 0 {
			return append(dst, "null"...), nil
		}
		if err := checkJSON(v.Bytes()); err != nil {
			return nil, err
		}
		return append(dst, v.Bytes()...), nil
	case kindStruct:
		return e.object(dst, c.plan, v, nil)
	case kindList:
		return e.list(dst, c, v)
	}
	text, bare, err := c.textOf(v, e.o.Lenient)
	if err != nil {
		return nil, err
	}
	switch {
	case text == "" && c.kind == kindScalar && !c.isText():
		return append(dst, "null"...), nil
	case bare:
		return append(dst, text...), nil
	}
	return AppendJSONString(dst, text), nil
}

func (e *jsonEncoder) list(dst []byte, c *codec, v reflect.Value) ([]byte, error) {
	if e.o.Wrapped {
		dst = append(dst, '{')
		dst = AppendJSONString(dst, c.wrap)
		dst = append(dst, ':')
	}
	dst = append(dst, '[')
	for i := range v.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		var err error
		if dst, err = e.value(dst, c.elem, v.Index(i)); err != nil {
			return nil, under(indexPath(i), err)
		}
	}
	dst = append(dst, ']')
	if e.o.Wrapped {
		dst = append(dst, '}')
	}
	return dst, nil
}

// isUnset tells whether a field has nothing to say: the zero value, and a time
// that says so itself.
func isUnset(v reflect.Value) bool {
	if v.Kind() != reflect.Pointer {
		if z, ok := v.Interface().(interface{ IsZero() bool }); ok {
			return z.IsZero()
		}
	}
	return v.IsZero()
}

// AppendJSONString appends s as JSON text, escaped as the platform's SDK does:
// quote, backslash, slash and the controls; all else stays as it is.
func AppendJSONString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\' || r == '/':
			dst = append(dst, '\\', byte(r))
		case r >= ' ' && r < 0x7F || r > 0x9F:
			dst = utf8.AppendRune(dst, r)
		case r == '\b':
			dst = append(dst, '\\', 'b')
		case r == '\f':
			dst = append(dst, '\\', 'f')
		case r == '\n':
			dst = append(dst, '\\', 'n')
		case r == '\r':
			dst = append(dst, '\\', 'r')
		case r == '\t':
			dst = append(dst, '\\', 't')
		default:
			dst = append(dst, '\\', 'u', '0', '0', upperHex[r>>4], upperHex[r&15])
		}
	}
	return append(dst, '"')
}
