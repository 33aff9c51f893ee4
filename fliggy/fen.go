package fliggy

import (
	"errors"
	"strconv"

	"github.com/shopspring/decimal"
)

// Fen is an amount in fen (分, a hundredth of a yuan), a whole number that fits into 64 bits: the unit of the agency
// API. The zero value is unset and differs from FenOf(0). == compares amounts. An unset amount is not 0: it has no
// number, and what is converted from it is unset.
//
// Accepted text is an optional sign and digits; spaces around it are dropped. A fraction, even .00, is an error.
type Fen struct {
	n   int64
	set bool
}

const kindFen = "amount in fen"

// FenOf returns an amount of n fen.
func FenOf(n int64) Fen { return Fen{n: n, set: true} }

// Equal reports whether both are the same amount, and both set or both unset.
func (f Fen) Equal(o Fen) bool { return f == o }

func parseFen(s string) (f Fen, rule string) {
	n, err := strconv.ParseInt(s, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange):
		return Fen{}, "does not fit into 64 bits"
	case err != nil:
		return Fen{}, ruleWhole
	}
	return FenOf(n), ""
}

// IsSet reports whether there is an amount, 0 included.
func (f Fen) IsSet() bool { return f.set }

// Int64 returns the number of fen for calculating; ok is false when f is unset.
func (f Fen) Int64() (n int64, ok bool) { return f.n, f.set }

// Yuan converts to yuan with two decimals: 5565 gives 55.65. Unset stays unset.
func (f Fen) Yuan() Yuan {
	if !f.set {
		return Yuan{}
	}
	return YuanOf(decimal.New(f.n, -2))
}

// String returns the digits without unit, "" when unset.
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

// MarshalText returns the digits, nothing when unset. The error is always nil.
func (f Fen) MarshalText() ([]byte, error) { return f.AppendText(nil) }

// MarshalJSON returns a JSON number, null when unset. The error is always nil.
func (f Fen) MarshalJSON() ([]byte, error) {
	if !f.set {
		return []byte("null"), nil
	}
	return f.AppendText(nil)
}

// UnmarshalText takes the text described at Fen; empty text and "null" mean unset.
func (f *Fen) UnmarshalText(text []byte) error { return readText(f, kindFen, text, parseFen) }

// UnmarshalJSON takes an integer JSON number, a JSON string with such digits, or null (unset).
func (f *Fen) UnmarshalJSON(data []byte) error { return readJSON(f, kindFen, data, parseFen) }
