package fliggy

import (
	"errors"
	"strconv"
)

// Fen is an amount in fen (分, a hundredth of a yuan), a whole number that fits into 64 bits: the unit of the agency API.
// The zero value is unset and differs from FenOf(0). == compares amounts. An unset amount is not 0: it has no number, and
// what is converted from it is unset.
type Fen struct {
	n   int64
	set bool
}

const kindFen = "amount in fen"

// FenOf gives an amount of n fen.
func FenOf(n int64) Fen { return Fen{n: n, set: true} }

// Equal reports whether both are the same amount, and both set or both unset.
func (f Fen) Equal(o Fen) bool { return f == o }

// ParseFen reads a whole number of fen: an optional sign and digits, spaces around it are dropped. Empty text, a fraction
// (even .00) and what does not fit into 64 bits are errors.
func ParseFen(s string) (Fen, error) {
	s, err := textScalar(kindFen, s)
	if err != nil {
		return Fen{}, err
	}
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return Fen{}, invalid(kindFen, s, "does not fit into 64 bits")
	case err != nil:
		return Fen{}, invalid(kindFen, s, "not a whole number")
	}
	return FenOf(n), nil
}

// IsSet tells an explicit amount, zero included, from none.
func (f Fen) IsSet() bool { return f.set }

// Int64 returns the number of fen for calculating; ok is false when there is none.
func (f Fen) Int64() (n int64, ok bool) { return f.n, f.set }

// Yuan converts to yuan with two decimals: 5565 gives 55.65. Unset stays unset.
func (f Fen) Yuan() Yuan {
	if !f.set {
		return Yuan{}
	}
	return YuanFromFen(f.n)
}

// String gives the digits without unit, "" when unset.
func (f Fen) String() string {
	b, _ := f.AppendText(nil)
	return string(b)
}

// AppendText appends the digits, nothing when unset. The error is always nil.
func (f Fen) AppendText(b []byte) ([]byte, error) {
	if !f.set {
		return b, nil
	}
	return strconv.AppendInt(b, f.n, 10), nil
}

// MarshalText gives the digits, nothing when unset. The error is always nil.
func (f Fen) MarshalText() ([]byte, error) { return f.AppendText(nil) }

// MarshalJSON gives a JSON number, null when unset. The error is always nil.
func (f Fen) MarshalJSON() ([]byte, error) {
	if !f.set {
		return []byte("null"), nil
	}
	return f.AppendText(nil)
}

// UnmarshalText takes the text that ParseFen takes; empty text and "null" mean unset.
func (f *Fen) UnmarshalText(text []byte) error {
	s, err := textScalar(kindFen, text)
	return f.read(s, err)
}

// UnmarshalJSON takes an integer JSON number, a JSON string with such digits, or null (unset).
func (f *Fen) UnmarshalJSON(data []byte) error {
	s, err := jsonScalar(kindFen, data)
	return f.read(s, err)
}

func (f *Fen) read(s string, err error) error {
	var v Fen
	if err == nil && s != "" {
		v, err = ParseFen(s)
	}
	if err == nil {
		*f = v
	}
	return err
}
