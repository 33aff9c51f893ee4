package fliggy

import (
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a text that is sent to the platform but never printed: every
// formatting verb, slog and encoding/json write "[redacted]" for it. Convert it
// to string to read it.
type Secret string

// String gives "[redacted]", or nothing for an empty secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return redacted
}

// Format writes String for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue is String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalJSON writes String as a JSON string.
func (s Secret) MarshalJSON() ([]byte, error) { return []byte(`"` + s.String() + `"`), nil }
