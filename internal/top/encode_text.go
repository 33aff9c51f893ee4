package top

import (
	"bytes"
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
)

// textOf returns the text of a simple value, and whether JSON has it bare.
func (c *codec) textOf(v reflect.Value, lenient bool) (text string, bare bool, err error) {
	switch {
	case c.kind == kindString:
		text = v.String()
	case c.kind == kindScalar:
		if text, bare, err = c.scalarText(v); err != nil {
			return "", false, asRule(c.typ, err)
		}
	case v.Kind() == reflect.Bool:
		text, bare = strconv.FormatBool(v.Bool()), true
	case v.CanInt():
		text, bare = strconv.FormatInt(v.Int(), 10), true
	case v.CanUint():
		text, bare = strconv.FormatUint(v.Uint(), 10), true
	case v.CanFloat():
		if math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0) {
			return "", false, rulef("not a finite number")
		}
		text, bare = strconv.FormatFloat(v.Float(), 'f', -1, c.typ.Bits()), true
	}
	if !utf8.ValidString(text) {
		return "", false, rulef("not valid UTF-8")
	}
	switch {
	case c.text:
		bare = false
	case c.number && c.typ == idType:
		if bare = fliggy.ID(text).IsNumeric(); !bare && !lenient {
			return "", false, rulef("must be digits without a leading zero: the platform takes a number here")
		}
	case c.number && (text != "" || c.isText()):
		if bare = isNumber(text); !bare && !lenient {
			return "", false, rulef("must be a number: the platform takes no text here")
		}
	}
	return text, bare, nil
}

// scalarText asks the value for its text; a type that only reads itself is
// written as its base kind.
func (c *codec) scalarText(v reflect.Value) (string, bool, error) {
	if c.typ == decimalType {
		return "", false, rulef("a decimal.Decimal loses its scale when written: use fliggy.Yuan or fliggy.Decimal")
	}
	self := v.Interface()
	if v.CanAddr() {
		self = v.Addr().Interface() // may have methods that the value lacks
	}
	if t, ok := self.(timeAppender); ok && c.layout != "" {
		b, err := t.AppendLayout(nil, c.layout)
		return string(b), false, err
	}
	switch m := self.(type) {
	case interface{ Reveal() string }:
		return m.Reveal(), false, nil
	case encoding.TextAppender:
		b, err := m.AppendText(make([]byte, 0, 32))
		return string(b), c.typ == fenType, err
	case encoding.TextMarshaler:
		b, err := m.MarshalText()
		return string(b), false, err
	case json.Marshaler:
		raw, err := m.MarshalJSON()
		if err == nil {
			err = checkJSON(raw)
		}
		if err != nil {
			return "", false, err
		}
		text, bare := jsonText(raw)
		return text, bare, nil
	}
	return c.baseText(v)
}

// timeAppender is fliggy.Time.
type timeAppender interface {
	AppendLayout(b []byte, layout string) ([]byte, error)
}

// jsonText returns the text of a JSON value, and whether JSON has it bare.
func jsonText(raw []byte) (text string, bare bool) {
	s := scanner{data: raw}
	switch s.peek() {
	case '"':
		return unquote(bytes.TrimSpace(raw)), false
	case 'n':
		return "", false
	}
	return string(compact(raw)), true
}

// baseText returns the text of a value whose type only reads itself.
func (c *codec) baseText(v reflect.Value) (string, bool, error) {
	base := codec{typ: c.typ}
	switch {
	case v.Kind() == reflect.String:
		base.kind = kindString
	case v.Kind() == reflect.Bool, v.CanInt(), v.CanUint(), v.CanFloat():
		base.kind = kindInt
	default:
		return "", false, rulef("no way to write a %s", c.typ)
	}
	return base.textOf(v, false)
}

// isNumber tells whether s is a number by the grammar of JSON.
func isNumber(s string) bool {
	sc := scanner{data: []byte(s)}
	return sc.number() == nil && sc.pos == len(s)
}
