package fliggy

import (
	"encoding"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"
)

const (
	// maxScalar bounds the bytes of a number or time before anything looks at them: the longest legal one has fewer
	// than 60 characters, the rest is room for spaces and JSON escapes.
	maxScalar = 256
	// maxExcerpt bounds, in characters, what an error quotes of its input.
	maxExcerpt = 40
)

// invalid makes the error for text that breaks rule; kind says what the text should have been.
func invalid(kind, text, rule string) error {
	return &textError{kind: kind, excerpt: excerpt(text), rule: rule}
}

// textError says that a text is no scalar of its kind.
type textError struct{ kind, excerpt, rule string }

// Error quotes the beginning of the text.
func (e *textError) Error() string { return "fliggy: " + e.kind + " " + e.excerpt + ": " + e.rule }

// Rule is Error without the text, for errors about messages that hold personal data.
func (e *textError) Rule() string { return "not a valid " + e.kind + ": " + e.rule }

// excerpt quotes the beginning of text for an error.
func excerpt(text string) string {
	n := 0
	for i := range text {
		if n == maxExcerpt {
			return strconv.Quote(text[:i]) + "..."
		}
		n++
	}
	return strconv.Quote(text)
}

// head copies no more of data than an excerpt can show.
func head(data []byte) string {
	return string(data[:min(len(data), (maxExcerpt+1)*utf8.UTFMax)])
}

// jsonKind tells the forms of JSON value that a scalar can meet.
type jsonKind uint8

const (
	jsonNull jsonKind = iota
	jsonString
	jsonNumber
	jsonOther // boolean, object or array
)

// scanJSON tells the kind of one raw JSON value and gives its text: the content of a string, the digits of a number, the
// raw value otherwise. Only a string with escapes is copied. A number is not checked: every type has a grammar of its own.
func scanJSON(kind string, data []byte) (jsonKind, []byte, error) {
	data = trimSpace(data)
	if len(data) == 0 {
		return 0, nil, invalid(kind, "", "no JSON value")
	}
	switch c := data[0]; {
	case c == '"':
		text, err := unquote(kind, data)
		return jsonString, text, err
	case c == '-' || isDigit(c):
		return jsonNumber, data, nil
	case string(data) == "null":
		return jsonNull, nil, nil
	case c == '{' || c == '[' || string(data) == "true" || string(data) == "false":
		return jsonOther, data, nil
	}
	return 0, nil, invalid(kind, head(data), "not a JSON value")
}

// unquote gives the content of a JSON string.
func unquote(kind string, data []byte) ([]byte, error) {
	last := len(data) - 1
	if last < 1 || data[last] != '"' {
		return nil, invalid(kind, head(data), "JSON string without its closing quote")
	}
	ascii := true
	for _, c := range data[1:last] {
		switch {
		case c == '\\':
			return unescape(kind, data)
		case c == '"' || c < ' ':
			return nil, invalid(kind, head(data), "malformed JSON string")
		case c >= utf8.RuneSelf:
			ascii = false
		}
	}
	if !ascii && !utf8.Valid(data) {
		return nil, invalid(kind, head(data), "not valid UTF-8")
	}
	return data[1:last], nil
}

// unescape is unquote for a string that has escapes.
func unescape(kind string, data []byte) ([]byte, error) {
	if !utf8.Valid(data) {
		return nil, invalid(kind, head(data), "not valid UTF-8")
	}
	var s string
	if json.Unmarshal(data, &s) != nil {
		return nil, invalid(kind, head(data), "malformed JSON string")
	}
	return []byte(s), nil
}

// jsonScalar gives the text of a number or time from one raw JSON value, and "" for nothing.
func jsonScalar(kind string, data []byte) (string, error) {
	if len(data) > maxScalar {
		return "", invalid(kind, head(data), "too long")
	}
	form, text, err := scanJSON(kind, data)
	if err != nil {
		return "", err
	}
	if form == jsonOther {
		return "", invalid(kind, head(text), "want a JSON string or number")
	}
	return textScalar(kind, text)
}

// textScalar trims the text of a number or time; it gives "" for nothing: no text, or the text null that the platform
// writes for missing data.
func textScalar[T string | []byte](kind string, text T) (string, error) {
	if len(text) > maxScalar {
		return "", invalid(kind, head([]byte(text)), "too long")
	}
	s := trimASCII(string(text))
	if s == "null" {
		return "", nil
	}
	return s, nil
}

// trimASCII drops white space around text. Most text has none.
func trimASCII(s string) string {
	if n := len(s); n > 0 && s[0] > ' ' && s[n-1] > ' ' {
		return s
	}
	return strings.Trim(s, asciiSpace)
}

// jsonOpaque gives the text of an id or code from one raw JSON value: a string as it is, an integer number digit by
// digit, null as "".
func jsonOpaque(kind string, data []byte) (string, error) {
	form, text, err := scanJSON(kind, data)
	switch {
	case err != nil:
		return "", err
	case form == jsonOther:
		return "", invalid(kind, head(text), "want a JSON string or an integer number")
	case form == jsonNumber && !isInteger(text):
		return "", invalid(kind, head(text), "want an integer number without fraction, exponent or leading zero")
	}
	return string(text), nil
}

// isInteger reports whether text is -?(0|[1-9][0-9]*).
func isInteger[T ~string | []byte](text T) bool {
	if len(text) > 0 && text[0] == '-' {
		text = text[1:]
	}
	return len(text) > 0 && countDigits(text) == len(text) && (text[0] != '0' || len(text) == 1)
}

// countDigits counts the ASCII digits that text starts with.
func countDigits[T ~string | []byte](text T) int {
	n := 0
	for n < len(text) && isDigit(text[n]) {
		n++
	}
	return n
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

const asciiSpace = " \t\r\n\v\f"

// trimSpace drops the white space of JSON around a value.
func trimSpace(data []byte) []byte {
	for len(data) > 0 && isJSONSpace(data[0]) {
		data = data[1:]
	}
	for len(data) > 0 && isJSONSpace(data[len(data)-1]) {
		data = data[:len(data)-1]
	}
	return data
}

func isJSONSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

// scalar is what the struct types have in common.
type scalar interface {
	encoding.TextAppender
	IsSet() bool
}

// quoteScalar is MarshalJSON of a scalar whose text needs no escapes.
func quoteScalar[T scalar](v T) ([]byte, error) {
	if !v.IsSet() {
		return []byte("null"), nil
	}
	b, err := v.AppendText(append(make([]byte, 0, len(`"2006-01-02 15:04:05"`)), '"'))
	if err != nil {
		return nil, err
	}
	return append(b, '"'), nil
}

// appendUTF8 appends text and refuses what no JSON or XML document can carry unchanged.
func appendUTF8(kind string, b []byte, text string) ([]byte, error) {
	if !utf8.ValidString(text) {
		return b, invalid(kind, text, "not valid UTF-8")
	}
	return append(b, text...), nil
}

// quoteOpaque is MarshalJSON of an id or a text: HTML characters stay as they are, unlike in encoding/json.
func quoteOpaque(kind, text string) ([]byte, error) {
	if !utf8.ValidString(text) {
		return nil, invalid(kind, text, "not valid UTF-8")
	}
	return appendQuoted(make([]byte, 0, len(text)+2), text), nil
}

// appendQuoted appends text, valid UTF-8, as a JSON string.
func appendQuoted(b []byte, text string) []byte {
	const hex = "0123456789abcdef"
	b = append(b, '"')
	from := 0
	for i := range len(text) {
		c := text[i]
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		b = append(b, text[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, `\n`...)
		case '\r':
			b = append(b, `\r`...)
		case '\t':
			b = append(b, `\t`...)
		default:
			b = append(b, `\u00`...)
			b = append(b, hex[c>>4], hex[c&15])
		}
	}
	b = append(b, text[from:]...)
	return append(b, '"')
}

// must serves the constructors meant for constants.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
