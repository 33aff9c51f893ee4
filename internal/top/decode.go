package top

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// DecodeJSON reads one JSON object into dst, a pointer to the plan's struct.
// Members may be in any form the platform is known to send: lists wrapped or
// plain, numbers and booleans as text, objects and lists as JSON text, null and
// empty text for nothing. What has no clear meaning is an *Error with its path; so
// is a member that comes twice. Control characters in strings are read as they are;
// types that read themselves, and json.RawMessage, get them escaped.
func (p *Plan) DecodeJSON(data []byte, dst any) error {
	v, err := ParseJSON(string(data))
	if err != nil {
		return err
	}
	if v.Kind() != Object {
		return rulef("expected an object, got %v", v.Kind())
	}
	return p.Decode(v, dst)
}

// DecodeXML reads the root element of an XML document into dst, a pointer to the
// plan's struct, whatever the root is called. Lists are the children of their
// member, whatever those are called.
func (p *Plan) DecodeXML(data []byte, dst any) error {
	v, err := ParseXML(data)
	if err != nil {
		return err
	}
	return p.Decode(v, dst)
}

// Decode reads a value into dst, a pointer to the plan's struct, but for the members
// of the names in leftOut. A value that says nothing is an error.
func (p *Plan) Decode(v Value, dst any, leftOut ...string) error {
	d := decoder{room: maxLists, leftOut: leftOut}
	err := d.message(p, reflect.ValueOf(dst).Elem(), v)
	if errors.Is(err, errNothing) {
		return rulef(ruleEmpty)
	}
	return err
}

// maxLists bounds, in bytes, the elements of all lists of a message: three bytes of
// JSON make an empty element of any size.
const maxLists = 32 << 20

// A decoder reads the values of one message into Go values.
type decoder struct {
	room    uintptr  // what is left of maxLists
	depth   int      // how many structs and lists lie around
	leftOut []string // members of the outermost struct
}

// value reads a value into the field, item or element to. Pointers that are nil stay
// nil where the value says nothing.
func (d *decoder) value(c *codec, to reflect.Value, v Value) error {
	if v.Kind() == Null {
		return errNothing
	}
	if c.pointers == 0 {
		return d.plain(c, to, v)
	}
	if !to.IsNil() {
		return d.plain(c, c.target(to), v)
	}
	fresh := reflect.New(to.Type()).Elem()
	if err := d.plain(c, c.target(fresh), v); err != nil {
		return err
	}
	to.Set(fresh)
	return nil
}

// target follows the pointers of c from v, making what they point to.
func (c *codec) target(v reflect.Value) reflect.Value {
	for range c.pointers {
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		v = v.Elem()
	}
	return v
}

// plain is value once all pointers have been followed.
func (d *decoder) plain(c *codec, to reflect.Value, v Value) error {
	switch c.kind {
	case kindStruct:
		return d.message(c.plan, to, v)
	case kindList:
		return d.list(c, to, v)
	case kindRaw:
		to.SetBytes([]byte(v.JSON()))
		return nil
	}
	switch kind := v.Kind(); {
	case kind == Element && !v.IsEmpty():
		return rulef("expected text, got element %s", printable(v.nodes[v.at+1].name))
	case c.kind == kindScalar:
		return setScalar(c, to, v)
	case c.kind == kindString && (kind == List || kind == Object) && v.IsEmpty():
		return errNothing // as PHP writes it
	case c.kind == kindString:
		to.SetString(v.keep(v.Text()))
		return nil
	case kind == List || kind == Object:
		return rulef("expected a single value, got %v", kind)
	}
	return setText(c, to, v.Text())
}

// message reads an object, an element, or the text of a JSON object.
func (d *decoder) message(p *Plan, to reflect.Value, v Value) error {
	switch kind := v.Kind(); {
	case kind == Object, kind == Element && !v.IsEmpty():
		return d.members(p, to, v)
	case kind == List && v.IsEmpty(): // stands for an empty object in PHP's JSON
		return errNothing
	case kind == Text || kind == Element:
		in, err := d.quoted(v, Object)
		if err != nil {
			return err
		}
		return d.members(p, to, in)
	default:
		return rulef("expected an object, got %v", kind)
	}
}

// quoted reads JSON that travels as text.
func (d *decoder) quoted(v Value, want Kind) (Value, error) {
	text := strings.TrimSpace(v.Text())
	if saysNothing(text) {
		return Value{}, errNothing
	}
	if text[0] != map[Kind]byte{Object: '{', List: '['}[want] {
		return Value{}, rulef("expected %v, got text", want)
	}
	in, err := parseJSON(text, d.depth, len(text))
	if err != nil {
		return Value{}, err
	}
	in.long = in.long || v.long
	return in, nil
}

// How far a member has come.
type arrival uint8

const (
	absent arrival = iota
	came           // and said nothing
	said
)

// ruleTwice refuses a member that comes again: which of two success flags would be
// meant?
const ruleTwice = "comes more than once"

func (d *decoder) members(p *Plan, to reflect.Value, v Value) error {
	if text := v.nodes[v.at].text; v.Kind() == Element && strings.TrimSpace(text) != "" {
		return rulef("expected members only, got text between them")
	}
	leftOut := d.leftOut
	d.leftOut = nil
	d.depth++
	defer func() { d.depth-- }()
	var place [64]arrival
	seen := place[:]
	if len(p.fields) > len(place) {
		seen = make([]arrival, len(p.fields))
	}
	unknown := unknownMembers{plan: p, to: to}
	for m := range v.Inside() {
		name := m.Name()
		f := p.byName[name]
		switch {
		case slices.Contains(leftOut, name):
			continue
		case f == nil:
			if err := unknown.add(m); err != nil {
				return err
			}
			continue
		case seen[f.bit] != absent:
			return under(name, rulef(ruleTwice))
		}
		seen[f.bit] = came
		switch err := d.value(f.codec, to.FieldByIndex(f.path), m); {
		case err == nil:
			seen[f.bit] = said
		case !errors.Is(err, errNothing):
			return under(name, err)
		}
	}
	if err := unknown.keep(d.depth); err != nil {
		return err
	}
	for _, f := range p.required {
		if seen[f.bit] != said || f.codec.isBlank(to.FieldByIndex(f.path)) {
			return &Error{Path: f.name, Rule: "missing"}
		}
	}
	return nil
}

// unknownMembers are the members of a message that have no field.
type unknownMembers struct {
	plan    *Plan
	to      reflect.Value
	members map[string]Value
}

// add fails for a member that comes twice.
func (u *unknownMembers) add(v Value) error {
	if u.members == nil {
		u.members = map[string]Value{}
	}
	if _, ok := u.members[v.Name()]; ok {
		return under(v.Name(), rulef(ruleTwice))
	}
	u.members[v.Name()] = v
	return nil
}

// keep stores the members where the message has a place for them.
func (u *unknownMembers) keep(depth int) error {
	if u.plan.extra == nil || len(u.members) == 0 {
		return nil
	}
	extra := make(map[string]json.RawMessage, len(u.members))
	for name, v := range u.members {
		text := v.JSON()
		if v.Kind() == Element { // repeated elements become lists, which nest too
			if _, err := parseJSON(text, depth, len(text)); err != nil {
				return err
			}
		}
		extra[v.keep(name)] = json.RawMessage(text)
	}
	u.to.FieldByIndex(u.plan.extra).Set(reflect.ValueOf(extra))
	return nil
}

// list reads a list: plain, wrapped in an object of one member, as elements, or as
// the text of a JSON list.
func (d *decoder) list(c *codec, to reflect.Value, v Value) error {
	switch kind := v.Kind(); {
	case kind == List:
		return d.items(c, to, v)
	case kind == Object:
		return d.wrapped(c, to, v)
	case kind == Element && !v.IsEmpty():
		if strings.TrimSpace(v.Text()) != "" {
			return rulef("expected elements only, got text between them")
		}
		return d.items(c, to, v)
	case kind == Element && strings.TrimSpace(v.Text()) == "":
		to.Set(reflect.MakeSlice(to.Type(), 0, 0))
		return nil
	case kind == Text || kind == Element:
		in, err := d.quoted(v, List)
		if err != nil {
			return err
		}
		return d.items(c, to, in)
	default:
		return rulef("expected a list, got %v", kind)
	}
}

// wrapped reads a list inside an object of one member, or of none.
func (d *decoder) wrapped(c *codec, to reflect.Value, v Value) error {
	if v.count() > 1 {
		return rulef("expected a list or its wrapper, got an object of several members")
	}
	for m := range v.Inside() {
		in := m
		switch m.Kind() {
		case Null:
			return errNothing
		case List:
		default:
			in = v // one without brackets
		}
		return under(m.Name(), d.items(c, to, in))
	}
	return d.items(c, to, v)
}

// items reads the values inside v as the elements of the list.
func (d *decoder) items(c *codec, to reflect.Value, v Value) error {
	n := v.count()
	size := c.size * uintptr(n)
	if size > d.room {
		return rulef("lists are too long: their elements take more than %d MiB", maxLists>>20)
	}
	d.room -= size
	d.depth++
	defer func() { d.depth-- }()
	to.Set(reflect.MakeSlice(to.Type(), n, n))
	i := 0
	for item := range v.Inside() {
		err := d.value(c.elem, to.Index(i), item)
		if errors.Is(err, errNothing) {
			err = c.elem.empty()
		}
		if err != nil {
			return underIndex(i, err)
		}
		if item.Kind() == Element && item.Name() != v.nodes[v.at+1].name {
			return rulef("expected elements of one name, got several")
		}
		i++
	}
	return nil
}

// empty fails for an element that says nothing, where a member of it is required: what is
// missing is not 0.
func (c *codec) empty() error {
	if c.kind == kindStruct && c.pointers == 0 && len(c.plan.required) > 0 {
		return &Error{Path: c.plan.required[0].name, Rule: "missing"}
	}
	return nil
}

// sizeOf is how much memory an element of type t may take, in bytes.
func sizeOf(t reflect.Type) uintptr {
	size := t.Size()
	for ; t.Kind() == reflect.Pointer; t = t.Elem() {
		size += t.Elem().Size()
	}
	return size
}

func indexPath(i int) string { return "[" + strconv.Itoa(i) + "]" }

// isBlank reports whether v holds blank text, or a pointer to nothing.
func (c *codec) isBlank(v reflect.Value) bool {
	for range c.pointers {
		if v.IsNil() {
			return true
		}
		v = v.Elem()
	}
	return c.isText() && IsBlank(v.String())
}
