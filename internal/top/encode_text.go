package top

import (
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
)

var errUTF8 = rulef(ruleUTF8)

// appendText appends the text of a simple value, and reports whether JSON has it
// bare.
func (c *codec) appendText(dst []byte, v reflect.Value, lenient bool) (out []byte, bare bool, err error) {
	start := len(dst)
	if c.kind == kindScalar {
		if dst, bare, err = c.appendScalar(dst, v); err != nil {
			return nil, false, asRule(c.typ, err)
		}
	} else if c.kind == kindBool && c.number {
		dst = append(dst, map[bool]byte{false: '0', true: '1'}[v.Bool()])
	} else if dst, bare, err = appendBase(dst, v); err != nil {
		return nil, false, err
	}
	text := dst[start:]
	if !utf8.Valid(text) {
		return nil, false, errUTF8
	}
	switch {
	case c.text:
		bare = false
	case c.number && c.typ == idType:
		if bare = fliggy.ID(text).IsNumeric(); !bare && !lenient {
			return nil, false, rulef("must be digits without a leading zero: the platform takes a number here")
		}
	case c.number && (len(text) > 0 || c.isText()):
		if bare = isNumber(string(text)); !bare && !lenient {
			return nil, false, rulef("must be a number: the platform takes no text here")
		}
	}
	return dst, bare, nil
}

// appendScalar asks the value for its text; a type that only reads itself is
// written as its base kind.
func (c *codec) appendScalar(dst []byte, v reflect.Value) ([]byte, bool, error) {
	if c.typ == decimalType {
		return nil, false, rulef("a decimal.Decimal loses its scale when written: use fliggy.Yuan or fliggy.Decimal")
	}
	var self any
	if v.CanAddr() {
		self = v.Addr().Interface() // may have methods that the value lacks
	} else {
		self = v.Interface()
	}
	if c.layout != "" {
		if t, ok := self.(timeAppender); ok {
			dst, err := t.AppendLayout(dst, c.layout)
			return dst, false, err
		}
	}
	switch m := self.(type) {
	case interface{ Reveal() string }:
		return append(dst, m.Reveal()...), false, nil
	case encoding.TextAppender:
		dst, err := m.AppendText(dst)
		return dst, c.typ == fenType, err
	case encoding.TextMarshaler:
		b, err := m.MarshalText()
		return append(dst, b...), false, err
	case json.Marshaler:
		raw, err := m.MarshalJSON()
		if err != nil {
			return nil, false, err
		}
		in, err := ParseJSON(string(raw))
		if err != nil || in.raw {
			return nil, false, rulef(ruleJSON)
		}
		return append(dst, in.Text()...), in.Kind() != Text && in.Kind() != Null, nil
	}
	return appendBase(dst, v)
}

// timeAppender is fliggy.Time.
type timeAppender interface {
	AppendLayout(b []byte, layout string) ([]byte, error)
}

// appendBase appends the text of a value by its kind.
func appendBase(dst []byte, v reflect.Value) (out []byte, bare bool, err error) {
	switch {
	case v.Kind() == reflect.String:
		return append(dst, v.String()...), false, nil
	case v.Kind() == reflect.Bool:
		return strconv.AppendBool(dst, v.Bool()), true, nil
	case v.CanInt():
		return strconv.AppendInt(dst, v.Int(), 10), true, nil
	case v.CanUint():
		return strconv.AppendUint(dst, v.Uint(), 10), true, nil
	case v.CanFloat():
		if math.IsNaN(v.Float()) || math.IsInf(v.Float(), 0) {
			return nil, false, rulef("not a finite number")
		}
		return strconv.AppendFloat(dst, v.Float(), 'f', -1, v.Type().Bits()), true, nil
	}
	return nil, false, rulef("no way to write a %s", v.Type())
}

// isNumber reports whether s is a number by the grammar of JSON.
func isNumber(s string) bool {
	sc := scanner{text: s}
	return sc.number() == nil && sc.pos == len(s)
}

// AppendJSONString appends s as JSON text, escaped as the platform's SDK does:
// quote, backslash, slash and the controls, those from U+0080 to U+009F too; all
// else stays as it is.
func AppendJSONString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	from := 0
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"', c == '\\', c == '/', c < ' ', c == 0x7F:
			dst = appendJSONByte(append(dst, s[from:i]...), c)
			from = i + 1
		case c == 0xC2 && i+1 < len(s) && s[i+1] >= 0x80 && s[i+1] < 0xA0:
			dst = appendControl(append(dst, s[from:i]...), s[i+1])
			i++
			from = i + 1
		}
	}
	return append(append(dst, s[from:]...), '"')
}

// appendJSONByte appends a character of ASCII that a JSON string cannot have as it
// is, or that the platform's SDK escapes.
func appendJSONByte(dst []byte, c byte) []byte {
	if at := strings.IndexByte("\b\f\n\r\t", c); at >= 0 {
		return append(dst, '\\', "bfnrt"[at])
	}
	if c < ' ' || c == 0x7F {
		return appendControl(dst, c)
	}
	return append(dst, '\\', c)
}

func appendControl(dst []byte, c byte) []byte {
	return append(dst, '\\', 'u', '0', '0', upperHex[c>>4], upperHex[c&15])
}
