package fliggy

import (
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// Yuan is an exact amount in yuan (元, CNY), such as "200.98": the unit of the B2B and merchant APIs.
//
// It keeps the scale it was read with ("10.00" stays "10.00") and never passes through binary floating point. The zero
// value is unset and differs from 0.00. == compares texts ("10" and "10.00" differ); Equal compares amounts. Yuan and
// Fen convert only on demand, by Yuan.Fen and Fen.Yuan.
//
// An unset amount is not 0: what is calculated from one is unset, and Cmp of one is an error.
//
// Accepted text is that of [Decimal]: at most 40 digits. Calculating has no such limit; an amount that it made longer
// than 40 digits is kept in full, shown by String, and refused when it is to be written.
type Yuan struct{ text string }

const kindYuan = "amount in yuan"

// ParseYuan reads an amount. Empty text is an error.
func ParseYuan(s string) (Yuan, error) { return parse(kindYuan, s, parseYuan) }

func parseYuan(s string) (Yuan, string) {
	d, rule := parseDecimal(s)
	return Yuan(d), rule
}

// MustYuan is ParseYuan for constants: it panics on an error.
func MustYuan(s string) Yuan { return must(ParseYuan(s)) }

// YuanOf takes a number of yuan as it is, with its scale.
func YuanOf(d decimal.Decimal) Yuan { return Yuan{formatDecimal(d)} }

// IsSet reports whether there is an amount, 0 included.
func (y Yuan) IsSet() bool { return y.text != "" }

// String returns the amount in plain notation without unit, "" when unset.
func (y Yuan) String() string { return y.text }

// Decimal returns the number of yuan for calculating. ok is false when y is unset, or too far from 0 to be calculated
// with.
func (y Yuan) Decimal() (d decimal.Decimal, ok bool) { return Decimal(y).Decimal() }

// Fen converts to fen. An amount that is not a whole number of fen, or does not fit into 64 bits, is an error. Unset
// stays unset.
func (y Yuan) Fen() (Fen, error) {
	if !y.IsSet() {
		return Fen{}, nil
	}
	whole, fraction, _ := strings.Cut(y.text, ".")
	cents := fraction + "00"
	if strings.Trim(cents[2:], "0") != "" {
		return Fen{}, invalid(kindYuan, y.text, "not a whole number of fen")
	}
	n, err := strconv.ParseInt(whole+cents[:2], 10, 64)
	if err != nil {
		return Fen{}, invalid(kindYuan, y.text, "more fen than 64 bits hold")
	}
	return FenOf(n), nil
}

// Add returns y + o with the larger scale of the two. It is unset when either of them is.
func (y Yuan) Add(o Yuan) Yuan {
	a, ok := y.Decimal()
	b, known := o.Decimal()
	if !ok || !known {
		return Yuan{}
	}
	return YuanOf(a.Add(b))
}

// Sub returns y - o with the larger scale of the two. It is unset when either of them is.
func (y Yuan) Sub(o Yuan) Yuan { return y.Add(o.Neg()) }

// Neg returns -y; unset stays unset.
func (y Yuan) Neg() Yuan {
	switch {
	case y.IsNegative():
		return Yuan{y.text[1:]}
	case y.IsPositive():
		return Yuan{"-" + y.text}
	}
	return y
}

// Mul returns the exact product of the amount and a number without unit, for example a price and a quantity; see
// RoundBank. It is unset when either of them is.
func (y Yuan) Mul(d Decimal) Yuan {
	price, ok := y.Decimal()
	quantity, known := d.Decimal()
	if !ok || !known {
		return Yuan{}
	}
	return YuanOf(price.Mul(quantity))
}

// RoundBank rounds to exactly that many places after the point, half to even (banker's rounding, the mode that fits all
// amounts of the merchant renewal guide): 0.015 gives 0.02, 0.145 gives 0.14, 5 gives 5.00. Places are limited to
// 0..40. Unset stays unset.
func (y Yuan) RoundBank(places int32) Yuan {
	d, ok := y.Decimal()
	if !ok {
		return y
	}
	return Yuan{d.StringFixedBank(min(max(places, 0), maxDigits))}
}

// IsPositive reports whether the amount is more than 0; an unset one is not.
func (y Yuan) IsPositive() bool { return Decimal(y).IsPositive() }

// IsNegative reports whether the amount is less than 0; an unset one is not.
func (y Yuan) IsNegative() bool { return Decimal(y).IsNegative() }

// Cmp compares amounts: -1 when y is less than o, 0 when equal, 1 when greater. It is an error when either of them is
// unset, so that no missing amount passes a limit:
//
//	if c, err := total.Cmp(limit); err != nil || c > 0 {
//		return errors.New("too expensive, or no price")
//	}
func (y Yuan) Cmp(o Yuan) (int, error) { return compare(kindYuan, Decimal(y), Decimal(o)) }

// Equal reports whether both are unset, or both are set to the same amount whatever their scale. Use Cmp where a
// missing amount must not pass.
func (y Yuan) Equal(o Yuan) bool { return Decimal(y).Equal(Decimal(o)) }

// AppendText appends the amount in plain notation, nothing when unset. More than 40 digits are an error.
func (y Yuan) AppendText(b []byte) ([]byte, error) { return appendDecimal(kindYuan, b, y.text) }

// MarshalText returns the amount in plain notation, as AppendText does.
func (y Yuan) MarshalText() ([]byte, error) { return y.AppendText(nil) }

// MarshalJSON returns a JSON string such as "10.00", null when unset.
func (y Yuan) MarshalJSON() ([]byte, error) { return quoteScalar(y) }

// UnmarshalText takes the text described at Decimal; empty text and "null" mean unset.
func (y *Yuan) UnmarshalText(text []byte) error { return readText(y, kindYuan, text, parseYuan) }

// UnmarshalJSON takes a JSON string with such text, a JSON number, or null (unset).
func (y *Yuan) UnmarshalJSON(data []byte) error { return readJSON(y, kindYuan, data, parseYuan) }
