package top

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
)

// find returns the field of that name, nil without one; it may be at next.
func (p *Plan) find(name string, next int) *field {
	if next < len(p.fields) && p.fields[next].name == name {
		return p.fields[next]
	}
	return p.byName[name]
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

// fill calls read with the value behind the pointers of c. Pointers that are nil
// stay nil unless read finds something.
func (c *codec) fill(v reflect.Value, read func(*codec, reflect.Value) error) error {
	if !v.IsNil() {
		return read(c, c.target(v))
	}
	fresh := reflect.New(v.Type()).Elem()
	if err := read(c, c.target(fresh)); err != nil {
		return err
	}
	v.Set(fresh)
	return nil
}

// errNothing is returned for a value that says nothing: empty text or "null"
// where something other than text is due. It is no failure, but neither has the
// member been seen.
var errNothing = errors.New("nothing")

func isNothing(err error) bool { return errors.Is(err, errNothing) }

// saysNothing tells whether text is what the platform writes for missing data.
func saysNothing(text string) bool {
	text = trim(text)
	return text == "" || text == "null"
}

// trim is strings.TrimSpace, which few texts need.
func trim(s string) string {
	if hasNoMargin(s) {
		return s
	}
	return strings.TrimSpace(s)
}

// hasNoMargin tells whether text begins and ends with visible ASCII characters.
func hasNoMargin(s string) bool {
	n := len(s)
	return n > 0 && s[0] > ' ' && s[0] < 0x7f && s[n-1] > ' ' && s[n-1] < 0x7f
}

// isText tells whether values of c are text, which may be empty.
func (c *codec) isText() bool {
	return c.kind == kindString || c.kind == kindScalar && c.typ.Kind() == reflect.String
}

// setText reads the text of a simple value.
func setText(c *codec, v reflect.Value, text string) error {
	if c.kind == kindString {
		v.SetString(text)
		return nil
	}
	if saysNothing(text) {
		return errNothing
	}
	trimmed := trim(text)
	switch c.kind {
	case kindBool:
		switch {
		case strings.EqualFold(trimmed, "true"), trimmed == "1":
			v.SetBool(true)
		case strings.EqualFold(trimmed, "false"), trimmed == "0":
			v.SetBool(false)
		default:
			return rulef("expected true or false")
		}
	case kindInt:
		n, err := strconv.ParseInt(integral(trimmed), 10, c.typ.Bits())
		if err != nil {
			return numberRule(err, "a whole number", c.typ)
		}
		v.SetInt(n)
	case kindUint:
		n, err := strconv.ParseUint(integral(trimmed), 10, c.typ.Bits())
		if err != nil {
			return numberRule(err, "a whole number that is not negative", c.typ)
		}
		v.SetUint(n)
	case kindFloat:
		if strings.Trim(trimmed, "0123456789+-.eE") != "" {
			return rulef("expected a number") // strconv takes NaN, Inf and hexadecimal too
		}
		n, err := strconv.ParseFloat(trimmed, c.typ.Bits())
		if err != nil {
			return numberRule(err, "a number", c.typ)
		}
		v.SetFloat(n)
	}
	return nil
}

// integral cuts a fraction of zeros: 2.0 is the whole number 2.
func integral(s string) string {
	whole, frac, ok := strings.Cut(s, ".")
	if ok && whole != "" && frac != "" && strings.Trim(frac, "0") == "" {
		return whole
	}
	return s
}

func numberRule(err error, want string, t reflect.Type) error {
	if errors.Is(err, strconv.ErrRange) {
		return rulef("too large for %s", t.Kind())
	}
	return rulef("expected %s", want)
}

// asRule makes the error of a scalar of type t one of this package.
func asRule(t reflect.Type, err error) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) {
		return e
	}
	var scalar interface{ Rule() string } // without the text, which may be personal data
	if errors.As(err, &scalar) {
		return &Error{Rule: scalar.Rule()}
	}
	return rulef("not a valid %s", t) // the error's own text may quote the value
}

// maxLists bounds, in bytes, the elements of all lists of a message: three bytes
// of JSON make an empty element of any size.
const maxLists = 32 << 20

// maxRoomy bounds, in bytes, the elements of lists that start with place for four,
// and roomyLists how many lists of a message do.
const (
	maxRoomy   = 512
	roomyLists = 64
)

// A room is what is left of maxLists and roomyLists.
type room struct {
	bytes uintptr
	roomy int
}

func newRoom() room { return room{maxLists, roomyLists} }

// grow appends a zero element to the list v of c and returns it.
func (r *room) grow(c *codec, v reflect.Value) (reflect.Value, error) {
	if c.size > r.bytes {
		return reflect.Value{}, rulef("lists are too long: their elements take more than %d MiB", maxLists>>20)
	}
	r.bytes -= c.size
	n := v.Len()
	if n == v.Cap() {
		more := 1
		if r.roomy > 0 && c.size <= maxRoomy {
			more = 4
			r.roomy--
		}
		v.Grow(more)
	}
	v.SetLen(n + 1) // nothing was written there: lists are made by c.empty and by this
	return v.Index(n), nil
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

// checkSeen fails for a required member that did not come, or came as text that
// says nothing.
func (p *Plan) checkSeen(seen *fieldSet, v reflect.Value) error {
	for _, f := range p.required {
		if !seen.has(f.bit) || f.codec.isBlank(v.FieldByIndex(f.path)) {
			return &Error{Path: f.name, Rule: "missing"}
		}
	}
	return nil
}

// isBlank tells whether v holds blank text, or a pointer to nothing.
func (c *codec) isBlank(v reflect.Value) bool {
	for range c.pointers {
		if v.IsNil() {
			return true
		}
		v = v.Elem()
	}
	return c.isText() && IsBlank(v.String())
}
