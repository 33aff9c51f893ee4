package fliggy

import (
	"bytes"
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
func head[T string | []byte](data T) string {
	return string(data[:min(len(data), (maxExcerpt+1)*utf8.UTFMax)])
}

// A parser reads trimmed text, or returns the rule that the text breaks.
type parser[T any] func(text string) (v T, rule string)

// parse reads text that must hold a value. Spaces around it are dropped.
func parse[T any](kind, text string, p parser[T]) (v T, err error) {
	if len(text) > maxScalar {
		return v, invalid(kind, head(text), "too long")
	}
	s := strings.TrimSpace(text)
	v, rule := p(s)
	if rule != "" {
		return *new(T), invalid(kind, s, rule)
	}
	return v, nil
}

// readText is UnmarshalText of a number or time. No text gives the unset value, and so does the text null, which the
// platform writes for missing data.
func readText[T any](target *T, kind string, text []byte, p parser[T]) error {
	switch s := bytes.TrimSpace(text); {
	case len(text) > maxScalar:
		text = text[:maxScalar+1] // parse refuses it
	case len(s) == 0 || string(s) == "null":
		*target = *new(T)
		return nil
	}
	v, err := parse(kind, string(text), p)
	if err != nil {
		return err
	}
	*target = v
	return nil
}

// readJSON is UnmarshalJSON of a number or time.
func readJSON[T any](target *T, kind string, data []byte, p parser[T]) error {
	if len(data) > maxScalar {
		return invalid(kind, head(data), "too long")
	}
	text, _, err := jsonText(kind, data)
	if err != nil {
		return err
	}
	return readText(target, kind, text, p)
}

// jsonText returns the text of one JSON value: the content of a string, a number as it stands, nothing for null. A
// number is not checked: every type has a grammar of its own.
func jsonText(kind string, data []byte) (text []byte, isString bool, err error) {
	data = bytes.Trim(data, jsonSpace)
	switch {
	case len(data) > 0 && data[0] == '"':
		text, err = unquote(kind, data)
		return text, true, err
	case len(data) > 0 && (data[0] == '-' || isDigits(data[:1])):
		return data, false, nil
	case string(data) == "null":
		return nil, false, nil
	}
	return nil, false, invalid(kind, head(data), "want a JSON string or number")
}

const jsonSpace = " \t\r\n"

// unquote returns the content of a JSON string. Only one with escapes is copied.
func unquote(kind string, data []byte) ([]byte, error) {
	if !utf8.Valid(data) {
		return nil, invalid(kind, head(data), ruleUTF8)
	}
	content, isPlain := bytes.CutSuffix(data[1:], []byte{'"'})
	for _, c := range content {
		isPlain = isPlain && c >= ' ' && c != '"' && c != '\\'
	}
	if isPlain {
		return content, nil
	}
	var s string
	if json.Unmarshal(data, &s) != nil {
		return nil, invalid(kind, head(data), "malformed JSON string")
	}
	return []byte(s), nil
}

// readOpaque is UnmarshalJSON of an id or a code: a string as it is, an integer number digit by digit, null as "".
func readOpaque[T ~string](target *T, kind string, data []byte) error {
	text, isString, err := jsonText(kind, data)
	if err != nil {
		return err
	}
	if !isString && text != nil && !ID(bytes.TrimPrefix(text, []byte{'-'})).IsNumeric() {
		return invalid(kind, head(text), "want an integer number without fraction, exponent or leading zero")
	}
	*target = T(text)
	return nil
}

// isDigits reports whether text is one or more ASCII digits.
func isDigits[T ~string | []byte](text T) bool {
	for i := range len(text) {
		if text[i] < '0' || text[i] > '9' {
			return false
		}
	}
	return len(text) > 0
}

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

const ruleUTF8 = "not valid UTF-8"

// appendUTF8 appends text and refuses what no JSON or XML document can carry unchanged.
func appendUTF8(kind string, b []byte, text string) ([]byte, error) {
	if !utf8.ValidString(text) {
		return b, invalid(kind, text, ruleUTF8)
	}
	return append(b, text...), nil
}

// must serves the constructors meant for constants.
func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
