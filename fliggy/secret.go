package fliggy

import (
	"errors"
	"fmt"
	"log/slog"
)

const redacted = "[redacted]"

// Secret is a text that is sent to the platform but never printed: every
// formatting verb and slog write "[redacted]" for it. It does not marshal; Reveal
// gives the text to be stored. The zero value is unset.
type Secret struct {
	// A function, since package fmt prints the fields of a struct behind a pointer
	// without asking the struct (measured with %s).
	reveal func() string
}

// NewSecret is text as a Secret. Empty text is unset.
func NewSecret(text string) Secret {
	if text == "" {
		return Secret{}
	}
	return Secret{reveal: func() string { return text }}
}

// IsSet reports whether there is a text.
func (s Secret) IsSet() bool { return s.reveal != nil }

// Reveal gives the text.
func (s Secret) Reveal() string {
	if s.reveal == nil {
		return ""
	}
	return s.reveal()
}

// Equal reports whether both hold the same text.
func (s Secret) Equal(o Secret) bool { return s.Reveal() == o.Reveal() }

// String gives "[redacted]", or nothing when unset.
func (s Secret) String() string {
	if s.reveal == nil {
		return ""
	}
	return redacted
}

// Format writes String for every verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(s.String())) }

// LogValue is String.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText gives an error: what marshals a value may be a log, and a placeholder
// would be lost data where it is a store. An unset secret is the empty text.
func (s Secret) MarshalText() ([]byte, error) {
	if s.IsSet() {
		return nil, errors.New("fliggy: a Secret does not marshal: store the text that Reveal gives, in a safe place")
	}
	return nil, nil
}

// UnmarshalText takes the text as it is.
func (s *Secret) UnmarshalText(text []byte) error {
	*s = NewSecret(string(text))
	return nil
}
