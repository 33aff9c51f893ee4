package fliggy

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Decimal is an exact decimal number without a unit: rental days such as 1.5, a quantity, a percentage, a coordinate.
//
// It keeps the scale it was read with ("14.50" stays "14.50") and never passes through binary floating point. The zero
// value is unset and differs from 0. == compares texts; Equal compares numbers.
//
// Accepted text is an optional sign, digits, optionally a point and digits, optionally an exponent as long as the
// number has at most 40 digits in plain notation; spaces around it are dropped. The text kept is plain notation without
// plus sign or leading zeros, zero has no sign.
type Decimal struct{ text string }

const (
	kindDecimal = "decimal number"

	// maxDigits bounds integer and fraction digits together: money of any economy fits, and no text gets far enough to
	// cost time or memory.
	maxDigits   = 40
	ruleDigits  = "more than 40 digits"
	ruleDecimal = "want digits with an optional sign and fraction, such as -12.50"
)

// ParseDecimal reads a decimal number. Empty text is an error.
func ParseDecimal(s string) (Decimal, error) { return parse(kindDecimal, s, parseDecimal) }

// MustDecimal is ParseDecimal for constants: it panics on an error.
func MustDecimal(s string) Decimal { return must(ParseDecimal(s)) }

// DecimalOf takes a number as it is, with its scale.
func DecimalOf(d decimal.Decimal) Decimal { return Decimal{formatDecimal(d)} }

// IsSet reports whether there is a number, 0 included.
func (d Decimal) IsSet() bool { return d.text != "" }

// String returns the number in plain notation, "" when unset.
func (d Decimal) String() string { return d.text }

// Decimal returns the number for calculating. ok is false when d is unset, or too far from 0 to be calculated with.
func (d Decimal) Decimal() (n decimal.Decimal, ok bool) {
	n, err := decimal.NewFromString(d.text)
	return n, err == nil
}

// IsPositive reports whether the number is more than 0; an unset one is not.
func (d Decimal) IsPositive() bool {
	digits, _, _ := strings.Cut(d.text, "e")
	return !d.IsNegative() && strings.ContainsAny(digits, "123456789")
}

// IsNegative reports whether the number is less than 0; an unset one is not.
func (d Decimal) IsNegative() bool { return strings.HasPrefix(d.text, "-") }

// Cmp compares numbers: -1 when d is less than o, 0 when equal, 1 when greater. It is an error when either of them is
// unset.
func (d Decimal) Cmp(o Decimal) (int, error) { return compare(kindDecimal, d, o) }

// compare is the Cmp of every decimal type.
func compare(kind string, d, o Decimal) (int, error) {
	a, ok := d.Decimal()
	b, known := o.Decimal()
	if !ok || !known {
		return 0, invalid(kind, "", "unset, or too far from 0 to be compared")
	}
	return a.Cmp(b), nil
}

// Equal reports whether both are unset, or both are set to the same number whatever their scale.
func (d Decimal) Equal(o Decimal) bool {
	if d.text == o.text {
		return true
	}
	c, err := d.Cmp(o)
	return err == nil && c == 0
}

// AppendText appends the number in plain notation, nothing when unset. A number that a calculation made longer than 40
// digits is an error: no reader would take it.
func (d Decimal) AppendText(b []byte) ([]byte, error) { return appendDecimal(kindDecimal, b, d.text) }

// MarshalText returns the number in plain notation, as AppendText does.
func (d Decimal) MarshalText() ([]byte, error) { return d.AppendText(nil) }

// MarshalJSON returns a JSON string such as "14.50", null when unset.
func (d Decimal) MarshalJSON() ([]byte, error) { return quoteScalar(d) }

// UnmarshalText takes the text described at Decimal; empty text and "null" mean unset.
func (d *Decimal) UnmarshalText(text []byte) error {
	return readText(d, kindDecimal, text, parseDecimal)
}

// UnmarshalJSON takes a JSON string with such text, a JSON number, or null (unset).
func (d *Decimal) UnmarshalJSON(data []byte) error {
	return readJSON(d, kindDecimal, data, parseDecimal)
}

var decimalSyntax = regexp.MustCompile(`^[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?$`)

// parseDecimal is the parser of every decimal type.
func parseDecimal(s string) (d Decimal, rule string) {
	if isPlain(s) {
		return Decimal{s}, ""
	}
	if !decimalSyntax.MatchString(s) {
		return Decimal{}, ruleDecimal
	}
	n, err := decimal.NewFromString(s)
	if err != nil { // the exponent is far out of bounds
		return Decimal{}, ruleDigits
	}
	integers, places := 1, max(-int(n.Exponent()), 0)
	if !n.IsZero() {
		integers = max(n.NumDigits()+int(n.Exponent()), 1)
	}
	if integers+places > maxDigits {
		return Decimal{}, ruleDigits
	}
	return DecimalOf(n), ""
}

// isPlain reports whether s is a number without sign as it is kept. Nearly all numbers are: the others cost arithmetic.
func isPlain(s string) bool {
	whole, fraction, hasPoint := strings.Cut(s, ".")
	return ID(whole).IsNumeric() && hasPoint == isDigits(fraction) && len(s) <= maxDigits
}

// formatDecimal returns the text of a number with its scale. Beyond a thousand digits it falls back to scientific
// notation instead of filling memory with zeros; such a number is never written to the wire.
func formatDecimal(d decimal.Decimal) string {
	const sane = 1000
	switch exponent := d.Exponent(); {
	case exponent >= 0 && d.IsZero():
		return "0"
	case exponent < -sane || exponent > sane:
		return d.Coefficient().String() + "e" + strconv.Itoa(int(exponent))
	default:
		return d.StringFixed(max(-exponent, 0))
	}
}

// appendDecimal appends a decimal text to what goes over the wire.
func appendDecimal(kind string, b []byte, text string) ([]byte, error) {
	isLong := len(text) > maxDigits && len(text)-strings.Count(text, "-")-strings.Count(text, ".") > maxDigits
	if isLong || strings.Contains(text, "e") {
		return b, invalid(kind, text, ruleDigits)
	}
	return append(b, text...), nil
}
