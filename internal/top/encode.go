package top

import (
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"sync"
)

// EncodeOptions shape the JSON of a message.
type EncodeOptions struct {
	// Wrapped writes lists inside their wrapper, as replies of the gateway have
	// them that were not asked for in simplified form.
	Wrapped bool
	// Lenient writes an id that is no number as text where a number is due,
	// instead of failing.
	Lenient bool
	// Escaped writes the JSON as AppendEscaped has it.
	Escaped bool
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
	e := p.Encode(src, o)
	defer e.Close()
	dst, _, err := e.Append(dst, math.MaxInt)
	return dst, err
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
	e := newEncoder(EncodeOptions{})
	defer e.Close()
	if dst, err = e.value(dst, c, v); err != nil {
		return nil, err
	}
	dst, _, err = e.Append(dst, math.MaxInt)
	return dst, err
}

// An Encoder writes the JSON of a message in pieces, so that a long one need not
// be held whole. It keeps its place in the message on a stack of its own.
type Encoder struct {
	o       EncodeOptions
	stack   []place
	structs int    // on the stack
	text    []byte // of one value
	doubt   bool
}

// A place is a struct or a list that is being written.
type place struct {
	v       reflect.Value
	plan    *Plan  // of a struct
	list    *codec // of a list
	members []Member
	next    int  // index of the next field or element
	begun   bool // the opening bracket is written
	some    bool // so is a member
}

var encoders = sync.Pool{New: func() any { return &Encoder{stack: make([]place, 0, 8), text: make([]byte, 0, 64)} }}

func newEncoder(o EncodeOptions) *Encoder {
	e := encoders.Get().(*Encoder)
	e.o = o
	return e
}

// Encode begins to write src, a pointer to the plan's struct, as AppendJSON does.
// The message must not change before Close.
func (p *Plan) Encode(src any, o EncodeOptions) *Encoder {
	e := newEncoder(o)
	e.structs++
	e.stack = append(e.stack, place{plan: p, v: reflect.ValueOf(src).Elem(), members: o.Members})
	return e
}

// Close forgets the message. The encoder must not be used again.
func (e *Encoder) Close() {
	clear(e.stack)
	clear(e.text[:cap(e.text)])
	*e = Encoder{stack: e.stack[:0], text: e.text[:0]}
	if cap(e.stack) <= 2*maxDepth && cap(e.text) <= maxText {
		encoders.Put(e)
	}
}

// Doubtful tells whether Check could find something wrong with what has been
// written. Where it is false, and nothing has failed, Check need not be asked; but
// it leaves out what is leniently written, and what members replace.
func (e *Encoder) Doubtful() bool { return e.doubt }

// maxText bounds what an encoder keeps for the text of values.
const maxText = 4 << 10

// Append appends about size bytes more, or fewer when the message ends; done says
// that it has ended.
func (e *Encoder) Append(dst []byte, size int) (out []byte, done bool, err error) {
	full := len(dst) + min(size, math.MaxInt-len(dst))
	for len(e.stack) > 0 {
		if len(dst) >= full {
			return dst, false, nil
		}
		at := &e.stack[len(e.stack)-1]
		if at.plan != nil {
			dst, err = e.fields(dst, at)
		} else {
			dst, err = e.elements(dst, at, full)
		}
		if err != nil {
			return nil, false, e.located(err)
		}
	}
	return dst, true, nil
}

// located puts the path to where the encoder is in front of an error.
func (e *Encoder) located(err error) error {
	for i := len(e.stack) - 1; i >= 0; i-- {
		switch at := &e.stack[i]; {
		case at.plan == nil:
			err = under(indexPath(at.next-1), err)
		case at.next <= len(at.plan.fields):
			err = under(at.plan.fields[at.next-1].name, err)
		}
	}
	return err
}

// fields writes the fields of a struct, up to one that has to be written first.
func (e *Encoder) fields(dst []byte, at *place) ([]byte, error) {
	if !at.begun {
		dst = e.mark(dst, &markObject)
		at.begun = true
	}
	depth := len(e.stack)
	for at.next < len(at.plan.fields) {
		f := at.plan.fields[at.next]
		at.next++
		if len(at.members) > 0 && replaced(at.members, f.name) {
			continue
		}
		v := f.of(at.v)
		unset := f.isUnset(v)
		if f.checked && !e.doubt {
			e.doubt = f.isDoubtful(v, unset)
		}
		if unset && !f.keep {
			continue
		}
		if at.some {
			dst = e.mark(dst, &markComma)
		}
		at.some = true
		dst = e.mark(dst, &f.key)
		var err error
		if dst, err = e.value(dst, f.codec, v); err != nil || len(e.stack) > depth {
			return dst, err
		}
	}
	at.next++ // past the fields: what is wrong from here on names itself
	dst, err := e.others(dst, at)
	if err != nil {
		return nil, err
	}
	e.structs--
	e.pop()
	return e.mark(dst, &markObjectEnd), nil
}

// others writes the members of a struct that have no field.
func (e *Encoder) others(dst []byte, at *place) ([]byte, error) {
	write := func(name string, raw json.RawMessage) {
		if at.some {
			dst = e.mark(dst, &markComma)
		}
		at.some = true
		dst = e.raw(dst, AppendJSONString(nil, name))
		dst = e.raw(e.mark(dst, &markColon), raw)
	}
	if at.plan.extra != nil {
		extra := at.v.FieldByIndex(at.plan.extra).Interface().(map[string]json.RawMessage)
		for _, k := range sortedKeys(extra) {
			if replaced(at.members, k) {
				continue
			}
			if err := at.plan.checkExtra(k, extra[k]); err != nil {
				return nil, under(k, err)
			}
			write(k, extra[k])
		}
	}
	for i, m := range at.members {
		if replaced(at.members[i+1:], m.Name) {
			continue
		}
		if err := checkJSON(m.Value); err != nil {
			return nil, under(m.Name, err)
		}
		write(m.Name, m.Value)
	}
	return dst, nil
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

// elements writes the elements of a list, up to one that has to be written first,
// or until dst is full.
func (e *Encoder) elements(dst []byte, at *place, full int) ([]byte, error) {
	if !at.begun {
		if e.o.Wrapped {
			dst = e.mark(dst, &markObject)
			dst = e.raw(dst, AppendJSONString(nil, at.list.wrap))
			dst = e.mark(dst, &markColon)
		}
		dst = e.mark(dst, &markList)
		at.begun = true
	}
	depth, n := len(e.stack), at.v.Len()
	for at.next < n {
		if len(dst) >= full {
			return dst, nil
		}
		if at.next > 0 {
			dst = e.mark(dst, &markComma)
		}
		at.next++
		var err error
		if dst, err = e.value(dst, at.list.elem, at.v.Index(at.next-1)); err != nil || len(e.stack) > depth {
			return dst, err
		}
	}
	dst = e.mark(dst, &markListEnd)
	if e.o.Wrapped {
		dst = e.mark(dst, &markObjectEnd)
	}
	e.pop()
	return dst, nil
}

func (e *Encoder) pop() {
	last := len(e.stack) - 1
	e.stack[last] = place{}
	e.stack = e.stack[:last]
}

// value writes a simple value; a struct or a list it puts on the stack.
func (e *Encoder) value(dst []byte, c *codec, v reflect.Value) ([]byte, error) {
	for range c.pointers {
		if v.IsNil() {
			return append(dst, "null"...), nil
		}
		v = v.Elem()
	}
	switch c.kind {
	case kindStruct:
		if e.structs++; e.structs > maxDepth {
			return nil, rulef(ruleDepth, maxDepth) // a value may contain itself
		}
		e.stack = append(e.stack, place{plan: c.plan, v: v})
		return dst, nil
	case kindList:
		e.stack = append(e.stack, place{list: c, v: v})
		return dst, nil
	case kindRaw:
		if v.Len() == 0 {
			return append(dst, "null"...), nil
		}
		if err := checkJSON(v.Bytes()); err != nil {
			return nil, err
		}
		return e.raw(dst, v.Bytes()), nil
	}
	switch c.way { // where something is wrong the general way knows what
	case wayText:
		if out, err := quoted(dst, v.String(), e.o.Escaped); err == nil {
			return out, nil
		}
	case wayInt:
		return strconv.AppendInt(dst, v.Int(), 10), nil
	case wayKnown:
		if text, ok := appendKnown(e.text[:0], v); ok {
			e.text = text
			if len(text) == 0 {
				return append(dst, "null"...), nil
			}
			return quoted(dst, text, e.o.Escaped)
		}
	}
	text, bare, err := c.appendText(e.text[:0], v, e.o.Lenient)
	if err != nil {
		return nil, err
	}
	e.text = text
	switch {
	case len(text) == 0 && c.kind == kindScalar && !c.isText():
		return append(dst, "null"...), nil
	case bare:
		return e.raw(dst, text), nil
	}
	return quoted(dst, text, e.o.Escaped)
}

// raw appends JSON text.
func (e *Encoder) raw(dst, text []byte) []byte {
	if e.o.Escaped {
		return AppendEscaped(dst, text)
	}
	return append(dst, text...)
}

// A mark is a piece of JSON that is known beforehand, plain and escaped.
type mark struct{ plain, escaped string }

func newMark(plain string) mark {
	var place [1 << 10]byte
	return mark{plain, string(AppendEscaped(place[:0], plain))}
}

var (
	markObject, markObjectEnd = newMark("{"), newMark("}")
	markList, markListEnd     = newMark("["), newMark("]")
	markComma, markColon      = newMark(","), newMark(":")
)

func (e *Encoder) mark(dst []byte, m *mark) []byte {
	if e.o.Escaped {
		return append(dst, m.escaped...)
	}
	return append(dst, m.plain...)
}
