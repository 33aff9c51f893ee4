package top

import (
	"encoding"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
)

var errUTF8 = rulef(ruleUTF8)

// appendText appends the text of a simple value, and tells whether JSON has it
// bare.
func (c *codec) appendText(dst []byte, v reflect.Value, lenient bool) (out []byte, bare bool, err error) {
	start := len(dst)
	if c.kind == kindScalar {
		if dst, bare, err = c.appendScalar(dst, v); err != nil {
			return nil, false, asRule(c.typ, err)
		}
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
		if err == nil {
			err = checkJSON(raw)
		}
		if err != nil {
			return nil, false, err
		}
		text, bare := jsonText(raw)
		return append(dst, text...), bare, nil
	}
	return appendBase(dst, v)
}

// timeAppender is fliggy.Time.
type timeAppender interface {
	AppendLayout(b []byte, layout string) ([]byte, error)
}

// jsonText returns the text of a JSON value, and whether JSON has it bare.
func jsonText(raw []byte) (text string, bare bool) {
	s := scanner{text: string(raw)}
	t, _ := s.token() // checked by the caller
	switch t.first {
	case '"':
		return t.str(), false
	case 'n':
		return "", false
	}
	return Compact(t.raw), true
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

// isNumber tells whether s is a number by the grammar of JSON.
func isNumber(s string) bool {
	sc := scanner{text: s}
	return sc.number() == nil && sc.pos == len(s)
}

// AppendJSONString appends s as JSON text, escaped as the platform's SDK does:
// quote, backslash, slash and the controls; all else stays as it is.
func AppendJSONString(dst []byte, s string) []byte {
	return append(appendJSONText(append(dst, '"'), s), '"')
}

// quoted appends text as a JSON string, and fails where it is not UTF-8.
func quoted[T string | []byte](dst []byte, text T, escaped bool) ([]byte, error) {
	if escaped {
		return quotedEscaped(dst, text)
	}
	dst = append(dst, '"')
	for i := range len(text) {
		if !jsonPlain[text[i]] {
			if !utf8.ValidString(string(text)) {
				return nil, errUTF8
			}
			return append(appendJSONText(dst, text), '"'), nil
		}
	}
	return append(append(dst, text...), '"'), nil
}

// quotedEscaped is quoted, in the form of AppendEscaped.
func quotedEscaped[T string | []byte](dst []byte, text T) ([]byte, error) {
	dst = append(dst, "%22"...)
	start := len(dst)
	dst, high := appendWords(dst, text, &formJSONWords)
	if high && !bytewise(text) {
		if !utf8.ValidString(string(text)) {
			return nil, errUTF8
		}
		dst = AppendEscaped(dst[:start], appendJSONText(nil, text))
	}
	return append(dst, "%22"...), nil
}

// bytewise tells whether each byte of text is escaped by itself: no character from
// U+0080 to U+009F, which begin with C2, and nothing that is not UTF-8.
func bytewise[T string | []byte](text T) bool {
	for i := range len(text) {
		if text[i] == 0xC2 {
			return false
		}
	}
	return utf8.ValidString(string(text))
}

func appendJSONText[T string | []byte](dst []byte, text T) []byte {
	from := 0
	for i := 0; i < len(text); {
		c := text[i]
		if jsonPlain[c] {
			i++
			continue
		}
		r, n := rune(c), 1
		if c >= utf8.RuneSelf {
			r, n = utf8.DecodeRuneInString(string(text[i:min(len(text), i+utf8.UTFMax)]))
		}
		if r > 0x9F && (r != utf8.RuneError || n > 1) {
			i += n
			continue
		}
		dst = append(dst, text[from:i]...)
		switch {
		case r == utf8.RuneError:
			dst = utf8.AppendRune(dst, r)
		case r >= utf8.RuneSelf:
			dst = appendControl(dst, r)
		default:
			dst = appendJSONByte(dst, c)
		}
		i += n
		from = i
	}
	return append(dst, text[from:]...)
}

// jsonPlain says which bytes of ASCII a JSON string has as they are.
var jsonPlain = func() (t [256]bool) {
	for c := range byte(utf8.RuneSelf) {
		t[c] = len(appendJSONByte(nil, c)) == 1
	}
	return t
}()

// appendJSONByte appends one byte of a JSON string, a whole character if it is
// ASCII.
func appendJSONByte(dst []byte, c byte) []byte {
	switch {
	case c == '"' || c == '\\' || c == '/':
		return append(dst, '\\', c)
	case c == '\b':
		return append(dst, '\\', 'b')
	case c == '\f':
		return append(dst, '\\', 'f')
	case c == '\n':
		return append(dst, '\\', 'n')
	case c == '\r':
		return append(dst, '\\', 'r')
	case c == '\t':
		return append(dst, '\\', 't')
	case c < ' ', c == 0x7F:
		return appendControl(dst, rune(c))
	}
	return append(dst, c)
}

func appendControl(dst []byte, r rune) []byte {
	return append(dst, '\\', 'u', '0', '0', upperHex[r>>4], upperHex[r&15])
}
