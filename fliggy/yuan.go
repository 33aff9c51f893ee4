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
// Accepted text is that of [Decimal]: at most 40 digits. Calculating has no such limit; an amount that it made longer
// than 40 digits is kept in full, shown by String, and refused when it is to be written.
type Yuan struct{ text string }

const kindYuan = "amount in yuan"

// ParseYuan reads an amount. Empty text is an error.
func ParseYuan(s string) (Yuan, error) {
	text, err := parseDecimal(kindYuan, s)
	return Yuan{text}, err
}

// MustYuan is ParseYuan for constants: it panics on an error.
func MustYuan(s string) Yuan { return must(ParseYuan(s)) }

// YuanFromDecimal takes a number of yuan as it is, with its scale.
func YuanFromDecimal(d decimal.Decimal) Yuan { return Yuan{formatDecimal(d)} }

// YuanFromFen converts a number of fen: 5565 gives 55.65.
func YuanFromFen(fen int64) Yuan {
	var place [len("-92233720368547758.08")]byte
	digits, n := place[:0], uint64(fen) //nolint:gosec // the two's complement, which is made good next
	if fen < 0 {
		digits, n = append(digits, '-'), -n
	}
	digits = append(strconv.AppendUint(digits, n/100, 10), '.', byte('0'+n/10%10), byte('0'+n%10))
	return Yuan{string(digits)}
}

// SumYuan adds amounts. Unset ones count as 0; the result is always set, its scale is the largest scale among them.
func SumYuan(amounts ...Yuan) Yuan {
	sum := decimal.Zero
	for _, y := range amounts {
		sum = sum.Add(y.Decimal())
	}
	return YuanFromDecimal(sum)
}

// IsSet tells an explicit amount, zero included, from none.
func (y Yuan) IsSet() bool { return y.text != "" }

// String gives the amount in plain notation without unit, "" when unset.
func (y Yuan) String() string { return y.text }

// Decimal gives the number of yuan for calculating, 0 when unset.
func (y Yuan) Decimal() decimal.Decimal { return Decimal(y).Decimal() }

// Fen converts to fen. An amount that is not a whole number of fen, or does not fit into 64 bits, is an error. Unset stays
// unset.
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

// Add gives y + o. Unset counts as 0; the result is set and has the larger scale of the two.
func (y Yuan) Add(o Yuan) Yuan { return SumYuan(y, o) }

// Sub gives y - o. Unset counts as 0; the result is set and has the larger scale of the two.
func (y Yuan) Sub(o Yuan) Yuan { return SumYuan(y, o.Neg()) }

// Neg gives -y; unset stays unset.
func (y Yuan) Neg() Yuan {
	switch {
	case y.Sign() == 0:
		return y
	case y.text[0] == '-':
		return Yuan{y.text[1:]}
	}
	return Yuan{"-" + y.text}
}

// Mul gives the exact product of the amount and a number without unit, for example a price and a quantity; see RoundBank.
// It is unset when either of them is.
func (y Yuan) Mul(d Decimal) Yuan {
	if !y.IsSet() || !d.IsSet() {
		return Yuan{}
	}
	return YuanFromDecimal(y.Decimal().Mul(d.Decimal()))
}

// RoundBank rounds to exactly that many places after the point, half to even (banker's rounding, the mode that fits all
// amounts of the merchant renewal guide): 0.015 gives 0.02, 0.145 gives 0.14, 5 gives 5.00. Places are limited to 0..40.
// Unset stays unset.
func (y Yuan) RoundBank(places int32) Yuan {
	if !y.IsSet() {
		return y
	}
	return Yuan{y.Decimal().StringFixedBank(min(max(places, 0), maxDigits))}
}

// Sign gives -1, 0 or 1; 0 when unset.
func (y Yuan) Sign() int { return Decimal(y).Sign() }

// Cmp compares amounts: -1 when y is less than o, 0 when equal, 1 when greater. Unset counts as 0.
func (y Yuan) Cmp(o Yuan) int { return Decimal(y).Cmp(Decimal(o)) }

// Equal tells whether both are unset, or both are set to the same amount whatever their scale.
func (y Yuan) Equal(o Yuan) bool { return Decimal(y).Equal(Decimal(o)) }

// AppendText appends the amount in plain notation, nothing when unset. More than 40 digits are an error.
func (y Yuan) AppendText(b []byte) ([]byte, error) { return appendDecimal(kindYuan, b, y.text) }

// MarshalText gives the amount in plain notation, as AppendText does.
func (y Yuan) MarshalText() ([]byte, error) { return y.AppendText(nil) }

// MarshalJSON gives a JSON string such as "10.00", null when unset.
func (y Yuan) MarshalJSON() ([]byte, error) { return quoteScalar(y) }

// UnmarshalText takes the text described at Decimal; empty text and "null" mean unset.
func (y *Yuan) UnmarshalText(text []byte) error {
	s, err := textScalar(kindYuan, text)
	return readDecimal(&y.text, kindYuan, s, err)
}

// UnmarshalJSON takes a JSON string with such text, a JSON number, or null (unset).
func (y *Yuan) UnmarshalJSON(data []byte) error {
	s, err := jsonScalar(kindYuan, data)
	return readDecimal(&y.text, kindYuan, s, err)
}
