// Package fliggy is the vocabulary that every other package of this module shares: identifiers, amounts, times, open
// enumerations and validation findings as the Fliggy (飞猪) rental-car platform writes them.
//
// The documents and samples of the platform contradict each other about the form of a value: an order id is text here
// and a number there, an amount is "10", "10.00" or 10, a time has seconds or has none, missing data is "", null or the
// text "null". The types of this package take every one of these forms and write the documented one.
//
// # Scalars
//
//	ID         order id or another opaque id, text, digits of a JSON number are kept exactly
//	Yuan       exact amount in yuan (元), keeps the scale it was read with
//	Fen        amount in fen (分), a whole number; 1 yuan = 100 fen
//	Decimal    exact number without a unit: days, quantity, percent
//	Time       instant, written yyyy-MM-dd HH:mm:ss in GMT+8
//	LocalTime  wall clock without a zone (当地时间)
//	Date       calendar day
//	Exts       extension data (扩展信息): the text of a JSON object
//
// The zero value of each is "unset" and differs from every value that was read: Yuan{} is not 0.00. The struct types
// report it by IsSet, and the option omitzero of encoding/json leaves them out exactly when they are unset. The Parse
// functions want a value; the Unmarshal methods also take "nothing" (empty text, JSON null, and the text "null" except
// in an ID) and give the unset value. A failed Unmarshal leaves its target as it was.
//
// All scalars implement [encoding.TextAppender], [encoding.TextMarshaler], [encoding.TextUnmarshaler] and
// [encoding/json.Unmarshaler]. Unset is written as empty text and, by the struct types, as JSON null. Errors name the
// type, the rule, and at most 40 characters of the input.
//
// # Enumerations
//
// Enumerations are open: a value without a constant passes through unchanged. String returns an English name for logs
// and screens; it is not the wire form, which is the value itself.
package fliggy
