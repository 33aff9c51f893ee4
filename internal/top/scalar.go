package top

import (
	"encoding"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
)

// errNothing is returned for a value that says nothing: empty text or "null" where
// something other than text is due. It is no failure, but neither has the member
// been seen.
var errNothing = errors.New("nothing")

// saysNothing reports whether text is what the platform writes for missing data.
func saysNothing(text string) bool {
	text = strings.TrimSpace(text)
	return text == "" || text == "null"
}

// isText reports whether values of c are text, which may be empty.
func (c *codec) isText() bool {
	return c.kind == kindString || c.kind == kindScalar && c.typ.Kind() == reflect.String
}

// setScalar hands a value to a type that reads itself: as text what an element holds and, to a type of package
// fliggy, JSON text and numbers, except that a number for an id stays JSON; everything else as JSON.
func setScalar(c *codec, to reflect.Value, v Value) error {
	kind, text := v.Kind(), v.Text()
	isNumber := c.isText() && c.number // an id, which space around it does not change
	if isNumber {
		text = strings.TrimSpace(text)
	}
	if (kind == Text || kind == Element) && (isNumber || !c.isText()) && saysNothing(text) {
		return errNothing
	}
	reader, readsJSON := to.Addr().Interface().(json.Unmarshaler)
	asText := kind == Element || !readsJSON || kind == Text && isNumber || c.own && (kind == Text || kind == Number &&
		!c.isText())
	if reads, ok := to.Addr().Interface().(encoding.TextUnmarshaler); ok && asText {
		return asRule(c.typ, reads.UnmarshalText([]byte(text)))
	}
	return asRule(c.typ, reader.UnmarshalJSON([]byte(v.JSON()))) // a scalar has one or the other
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

// setText reads the text of a boolean or a number.
func setText(c *codec, v reflect.Value, text string) error {
	text = strings.TrimSpace(text)
	if saysNothing(text) {
		return errNothing
	}
	switch c.kind {
	case kindBool:
		switch strings.ToLower(text) {
		case "true", "1":
			v.SetBool(true)
		case "false", "0":
			v.SetBool(false)
		default:
			return rulef("expected true or false")
		}
	case kindInt:
		n, err := strconv.ParseInt(integral(text), 10, c.typ.Bits())
		if err != nil {
			return numberRule(err, "a whole number", c.typ)
		}
		v.SetInt(n)
	case kindUint:
		n, err := strconv.ParseUint(integral(text), 10, c.typ.Bits())
		if err != nil {
			return numberRule(err, "a whole number that is not negative", c.typ)
		}
		v.SetUint(n)
	case kindFloat:
		if strings.Trim(text, "0123456789+-.eE") != "" {
			return rulef("expected a number") // strconv takes NaN, Inf and hexadecimal too
		}
		n, err := strconv.ParseFloat(text, c.typ.Bits())
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
