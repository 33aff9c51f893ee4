package fliggy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Exts is extension data (扩展信息): the text of a JSON object, which the platform carries inside a string, such as
// {"key":"value"}. Empty text, null and {} mean nothing and give the empty Exts, which is unset.
//
// Text is kept as it came, also when it is no JSON object: nothing is lost, see IsObject. Only raw control characters
// inside the strings of an object, which strict readers refuse, are escaped when it is read. A value that came as a
// plain JSON object instead of a string is taken too, and is written as a string.
type Exts string

const kindExts = "extension data"

// ExtsOf makes extension data of these members, in the order of their keys. No members give the unset Exts. Characters
// that are not valid UTF-8 are replaced.
func ExtsOf(members map[string]string) Exts {
	if len(members) == 0 {
		return ""
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(members) // a map of texts always has a form
	return Exts(strings.TrimSuffix(b.String(), "\n"))
}

// Get returns one member: a string as its text, any other value as its JSON text. It is false when there is no such
// member or the text is no JSON object.
func (e Exts) Get(key string) (string, bool) {
	members, _ := e.Map()
	value, ok := members[key]
	if !ok {
		return "", false
	}
	var text string
	if value[0] == '"' && json.Unmarshal(value, &text) == nil {
		return text, true
	}
	return string(value), true
}

// Map returns the members as JSON texts, none when unset. Text that is no JSON object is an error.
func (e Exts) Map() (map[string]json.RawMessage, error) {
	var members map[string]json.RawMessage
	if err := e.Decode(&members); err != nil {
		return nil, err
	}
	return members, nil
}

// Decode reads the text into v as [json.Unmarshal] does; it leaves v alone when unset. Text that is no JSON object, or
// does not fit v, is an error.
func (e Exts) Decode(v any) error {
	if clean(e) == "" {
		return nil
	}
	if !strings.HasPrefix(strings.TrimSpace(string(e)), "{") {
		return invalid(kindExts, string(e), "not a JSON object")
	}
	if err := json.Unmarshal([]byte(e), v); err != nil {
		if mismatch := (*json.UnmarshalTypeError)(nil); errors.As(err, &mismatch) {
			mismatch.Value, _, _ = strings.Cut(mismatch.Value, " ") // "number 4711": of any length
		}
		return fmt.Errorf("fliggy: %s: %w", kindExts, err)
	}
	return nil
}

// IsObject reports whether the text is a JSON object; false when unset.
func (e Exts) IsObject() bool {
	return strings.HasPrefix(strings.TrimSpace(string(e)), "{") && json.Valid([]byte(e))
}

// String returns the text itself.
func (e Exts) String() string { return string(e) }

// AppendText appends the text. It refuses text that is not valid UTF-8.
func (e Exts) AppendText(b []byte) ([]byte, error) { return appendUTF8(kindExts, b, string(e)) }

// MarshalText returns the text. It refuses text that is not valid UTF-8.
func (e Exts) MarshalText() ([]byte, error) { return e.AppendText(nil) }

// UnmarshalText takes any valid UTF-8 text; empty text, null and {}, with any space around, mean unset.
func (e *Exts) UnmarshalText(text []byte) error {
	if !utf8.Valid(text) {
		return invalid(kindExts, head(text), ruleUTF8)
	}
	*e = clean(Exts(text))
	return nil
}

// UnmarshalJSON takes a JSON string that holds such text, or any other JSON value, whose text is kept; null means
// unset.
func (e *Exts) UnmarshalJSON(data []byte) error {
	data = bytes.Trim(data, jsonSpace)
	if len(data) == 0 || data[0] != '"' {
		if !json.Valid(data) {
			return invalid(kindExts, head(data), "not a JSON value")
		}
		return e.UnmarshalText(data)
	}
	text, err := unquote(kindExts, data)
	if err != nil {
		return err
	}
	return e.UnmarshalText(text)
}

// clean drops the texts that mean nothing, and escapes control characters where that makes the text a JSON object.
func clean(e Exts) Exts {
	switch strings.TrimSpace(string(e)) {
	case "", "null", "{}":
		return ""
	}
	if strict := Exts(escapeControls(string(e))); strict != e && strict.IsObject() {
		return strict
	}
	return e
}

// escapeControls escapes the control characters between the quotes of JSON text.
func escapeControls(text string) string {
	if strings.IndexFunc(text, func(r rune) bool { return r < ' ' }) < 0 {
		return text
	}
	var out strings.Builder
	quoted, escaped := false, false
	for i := range len(text) {
		c := text[i]
		if quoted && !escaped && c < ' ' {
			fmt.Fprintf(&out, `\u%04x`, c)
			continue
		}
		quoted = quoted != (c == '"' && !escaped)
		escaped = quoted && c == '\\' && !escaped
		out.WriteByte(c)
	}
	return out.String()
}
