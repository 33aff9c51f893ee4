package fliggy

import "unicode/utf8"

// ID is an order id or another identifier of the platform, of a distributor or of a merchant: opaque text, such as
// "3187983531024266527" or "fz2939293" (飞猪订单号, 分销商订单号).
//
// The documents declare the same id as a string in one API and as a number in another, up to 19 digits and more, above
// what a binary floating-point number holds. An ID reads both forms and keeps every digit; which form is written is the
// matter of the field. Text is kept byte for byte, surrounding spaces included. The empty ID is unset.
type ID string

const kindID = "id"

// String returns the id itself.
func (id ID) String() string { return string(id) }

// IsNumeric reports whether the id can be written as a JSON number without changing it: digits only, without a leading
// zero (or just "0").
func (id ID) IsNumeric() bool { return isDigits(id) && (id[0] != '0' || id == "0") }

// AppendText appends the id. It refuses text that is not valid UTF-8.
func (id ID) AppendText(b []byte) ([]byte, error) { return appendUTF8(kindID, b, string(id)) }

// MarshalText returns the id. It refuses text that is not valid UTF-8.
func (id ID) MarshalText() ([]byte, error) { return id.AppendText(nil) }

// UnmarshalText takes any valid UTF-8 text as it is.
func (id *ID) UnmarshalText(text []byte) error {
	if !utf8.Valid(text) {
		return invalid(kindID, head(text), ruleUTF8)
	}
	*id = ID(text)
	return nil
}

// UnmarshalJSON takes a JSON string, an integer JSON number of any length, or null (unset). Numbers with a fraction or
// an exponent, booleans, objects and arrays are errors.
func (id *ID) UnmarshalJSON(data []byte) error { return readOpaque(id, kindID, data) }
