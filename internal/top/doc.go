// Package top is the TOP protocol itself: the canonical text that is signed, the
// digests, form encoding, and the one tag-driven encoder and decoder that serve
// simplified JSON, wrapped JSON and XML. It knows no HTTP and no single API.
//
// A message is a plain Go struct whose fields carry a tag:
//
//	OrderID fliggy.ID `top:"order_id,number,required"`
//
// The first part is the wire name; where the tag is missing the json tag's name
// serves, else the field's own name. The options are:
//
//	required     decode: missing, null and blank text are errors; check: must be
//	             set, text not blank, a list not empty
//	present      decode: as required; check: may be unset, since 0 says something
//	keep         written even when zero; unset amounts and times are null
//	number       an exact decimal or id is written as a bare JSON number; an id
//	             that is not digits alone is an error
//	text         a bool or a number is written as JSON text ("false")
//	layout=L     a time is written as L: minute (yyyy-MM-dd HH:mm)
//	wrap=NAME    element name of a list in wrapped JSON and XML
//	unknown      map[string]json.RawMessage that takes members without a field
//
// Fields of embedded structs without a tag belong to the outer message. A field
// tagged "-" is no member.
package top
