package fliggy

import (
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Decimal is an exact decimal number without a unit: rental days such as 1.5, a quantity, a percentage, a coordinate.
//
// It keeps the scale it was read with ("14.50" stays "14.50") and never passes through binary floating point. The zero
// value is unset and differs from 0. == compares texts; Equal compares numbers.
//
// Accepted text is an optional sign, digits, optionally a point and digits, optionally an exponent as long as the number
// has at most 40 digits in plain notation; spaces around it are dropped. The text kept is plain notation without plus
// sign or leading zeros, zero has no sign.
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
func ParseDecimal(s string) (Decimal, error) {
	text, err := parseDecimal(kindDecimal, s)
	return Decimal{text}, err
}

// MustDecimal is ParseDecimal for constants: it panics on an error.
func MustDecimal(s string) Decimal { return must(ParseDecimal(s)) }

// DecimalOf takes a number as it is, with its scale.
func DecimalOf(d decimal.Decimal) Decimal { return Decimal{formatDecimal(d)} }

// IsSet tells an explicit number, zero included, from none.
func (d Decimal) IsSet() bool { return d.text != "" }

// String gives the number in plain notation, "" when unset.
func (d Decimal) String() string { return d.text }

// Decimal returns the number for calculating; ok is false when there is none.
func (d Decimal) Decimal() (n decimal.Decimal, ok bool) {
	// The text was checked or formatted here: the only one that does not parse is that of the unset value.
	n, _ = decimal.NewFromString(d.text)
	return n, d.IsSet()
}

// IsPositive reports whether the number is more than 0; an unset one is not.
func (d Decimal) IsPositive() bool { return d.sign() > 0 }

// IsNegative reports whether the number is less than 0; an unset one is not.
func (d Decimal) IsNegative() bool { return d.sign() < 0 }

// sign is -1, 0 or 1; 0 when unset.
func (d Decimal) sign() int {
	digits, _, _ := strings.Cut(d.text, "e")
	switch {
	case !strings.ContainsAny(digits, "123456789"):
		return 0
	case digits[0] == '-':
		return -1
	}
	return 1
}

// Cmp compares numbers: -1 when d is less than o, 0 when equal, 1 when greater. It is an error when either of them is
// unset.
func (d Decimal) Cmp(o Decimal) (int, error) { return compare(kindDecimal, d, o) }

// compare is the Cmp of every decimal type.
func compare(kind string, d, o Decimal) (int, error) {
	a, ok := d.Decimal()
	b, known := o.Decimal()
	switch {
	case !ok || !known:
		return 0, invalid(kind, "", "unset, and nothing can be compared with it")
	case d.text == o.text: // the numbers of the same text may be too far apart from 0 to be compared
		return 0, nil
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

// MarshalText gives the number in plain notation, as AppendText does.
func (d Decimal) MarshalText() ([]byte, error) { return d.AppendText(nil) }

// MarshalJSON gives a JSON string such as "14.50", null when unset.
func (d Decimal) MarshalJSON() ([]byte, error) { return quoteScalar(d) }

// UnmarshalText takes the text described at Decimal; empty text and "null" mean unset.
func (d *Decimal) UnmarshalText(text []byte) error {
	s, err := textScalar(kindDecimal, text)
	return readDecimal(&d.text, kindDecimal, s, err)
}

// UnmarshalJSON takes a JSON string with such text, a JSON number, or null (unset).
func (d *Decimal) UnmarshalJSON(data []byte) error {
	s, err := jsonScalar(kindDecimal, data)
	return readDecimal(&d.text, kindDecimal, s, err)
}

// readDecimal ends the Unmarshal methods of every decimal type: it checks s, the text found, and sets the target.
func readDecimal(target *string, kind, s string, err error) error {
	if err == nil && s != "" {
		s, err = normalise(kind, s)
	}
	if err == nil {
		*target = s
	}
	return err
}

// parseDecimal is the Parse function of every decimal type.
func parseDecimal(kind, s string) (string, error) {
	text, err := textScalar(kind, s)
	if err != nil {
		return "", err
	}
	return normalise(kind, text)
}

// normalise checks a trimmed decimal text and gives its plain notation. Only text that is not plain already is copied.
func normalise(kind, s string) (string, error) {
	rest := strings.TrimPrefix(s, "-")
	negative := rest != s
	if !negative {
		rest = strings.TrimPrefix(rest, "+")
	}
	unsigned := rest

	n := countDigits(rest)
	whole, rest := rest[:n], rest[n:]
	fraction, point := "", strings.HasPrefix(rest, ".")
	if point {
		n = countDigits(rest[1:])
		fraction, rest = rest[1:1+n], rest[1+n:]
	}
	if whole == "" || point && fraction == "" {
		return "", invalid(kind, s, ruleDecimal)
	}
	if len(whole)+len(fraction) > maxDigits {
		return "", invalid(kind, s, ruleDigits)
	}
	exponent := 0
	if rest != "" {
		var rule string
		if exponent, rule = parseExponent(rest); rule != "" {
			return "", invalid(kind, s, rule)
		}
	}

	negative = negative && strings.Trim(whole, "0")+strings.Trim(fraction, "0") != ""
	if rest == "" && (len(whole) == 1 || whole[0] != '0') {
		if negative {
			return s, nil
		}
		return unsigned, nil
	}

	mantissa := strings.TrimLeft(whole+fraction, "0")
	scale := len(fraction) - exponent
	places, integers := max(scale, 0), 1
	if mantissa != "" {
		integers = max(len(mantissa)-scale, 1)
	}
	if integers+places > maxDigits {
		return "", invalid(kind, s, ruleDigits)
	}
	if mantissa != "" && scale < 0 {
		mantissa += strings.Repeat("0", -scale)
	}
	if short := places + 1 - len(mantissa); short > 0 {
		mantissa = strings.Repeat("0", short) + mantissa
	}
	plain := mantissa
	if places > 0 {
		cut := len(mantissa) - places
		plain = mantissa[:cut] + "." + mantissa[cut:]
	}
	if negative {
		plain = "-" + plain
	}
	return plain, nil
}

// parseExponent reads e[+-]digits. It gives the broken rule, if any.
func parseExponent(s string) (exponent int, rule string) {
	if s[0] != 'e' && s[0] != 'E' {
		return 0, ruleDecimal
	}
	digits := s[1:]
	negative := strings.HasPrefix(digits, "-")
	if negative || strings.HasPrefix(digits, "+") {
		digits = digits[1:]
	}
	if digits == "" || countDigits(digits) != len(digits) {
		return 0, ruleDecimal
	}
	exponent, err := strconv.Atoi(digits)
	if err != nil || exponent > 2*maxDigits {
		return 0, ruleDigits
	}
	if negative {
		exponent = -exponent
	}
	return exponent, ""
}

// formatDecimal gives the text of a number with its scale. Beyond a thousand digits it falls back to scientific notation
// instead of filling memory with zeros; such a number is never written to the wire.
func formatDecimal(d decimal.Decimal) string {
	const sane = 1000
	switch exponent := d.Exponent(); {
	case exponent < -sane || exponent > sane && !d.IsZero():
		return d.Coefficient().String() + "e" + strconv.Itoa(int(exponent))
	case exponent < 0:
		return d.StringFixed(-exponent)
	}
	return d.String()
}

// appendDecimal appends a decimal text to what goes over the wire.
func appendDecimal(kind string, b []byte, text string) ([]byte, error) {
	if len(text) <= maxDigits && strings.IndexByte(text, 'e') < 0 {
		return append(b, text...), nil
	}
	digits := len(text) - strings.Count(text, "-") - strings.Count(text, ".")
	if digits > maxDigits || strings.Contains(text, "e") {
		return b, invalid(kind, text, ruleDigits)
	}
	return append(b, text...), nil
}
