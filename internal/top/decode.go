package top

import (
	"errors"
	"reflect"
	"strconv"
	"strings"
)

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

// errNothing is returned for a value that says nothing: empty text or "null"
// where something other than text is due. It is no failure, but neither has the
// member been seen.
var errNothing = errors.New("nothing")

// setText reads the text of a simple value.
func setText(c *codec, v reflect.Value, text string) error {
	if c.kind == kindString {
		v.SetString(text)
		return nil
	}
	trimmed := strings.TrimSpace(text)
	if trimmed == "" || trimmed == "null" {
		return errNothing
	}
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

// asRule makes the error of a scalar one of this package.
func asRule(err error) error {
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
	return &Error{Rule: err.Error()}
}

func indexPath(i int) string { return "[" + strconv.Itoa(i) + "]" }

// A seenSet notes which members of a message came with a value.
type seenSet struct {
	low  uint64
	high map[int]bool // members past the 64th
}

func (s *seenSet) add(bit int) {
	if bit < 64 {
		s.low |= 1 << bit
		return
	}
	if s.high == nil {
		s.high = map[int]bool{}
	}
	s.high[bit] = true
}

func (s *seenSet) has(bit int) bool {
	if bit < 64 {
		return s.low&(1<<bit) != 0
	}
	return s.high[bit]
}

// checkSeen fails for a required member that did not come, or came as empty
// text.
func (p *Plan) checkSeen(seen seenSet, v reflect.Value) error {
	for _, f := range p.fields {
		if !f.required {
			continue
		}
		if !seen.has(f.bit) || f.codec.kind != kindBool && f.codec.kind != kindInt && v.FieldByIndex(f.path).IsZero() {
			return &Error{Path: f.name, Rule: "missing"}
		}
	}
	return nil
}
