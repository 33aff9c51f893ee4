package top

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A quickScalar reads plain text into self, a pointer to a scalar that may keep a
// part of the text. Text that says nothing is only given to types that are text.
type quickScalar func(self any, text string) error

// quickScalars are the types of package fliggy that keep text or are made of it.
// Reading them through UnmarshalJSON or UnmarshalText, as all other scalars are
// read, would scan the text again and copy it. Both ways give the same.
var quickScalars = map[reflect.Type]quickScalar{
	idType:                                     asText[fliggy.ID],
	reflect.TypeFor[fliggy.Channel]():          asText[fliggy.Channel],
	reflect.TypeFor[fliggy.Canceller]():        asText[fliggy.Canceller],
	reflect.TypeFor[fliggy.PayModel]():         asText[fliggy.PayModel],
	reflect.TypeFor[fliggy.PositionType]():     asText[fliggy.PositionType],
	reflect.TypeFor[fliggy.OrderServiceType](): asText[fliggy.OrderServiceType],
	reflect.TypeFor[fliggy.AddedServiceCode](): asText[fliggy.AddedServiceCode],
	reflect.TypeFor[fliggy.Exts]():             asExts,
	reflect.TypeFor[fliggy.Yuan]():             parsed(fliggy.ParseYuan),
	reflect.TypeFor[fliggy.Decimal]():          parsed(fliggy.ParseDecimal),
	fenType:                                    parsed(fliggy.ParseFen),
	fliggyTimeType:                             parsed(fliggy.ParseTime),
	reflect.TypeFor[fliggy.LocalTime]():        parsed(fliggy.ParseLocalTime),
	reflect.TypeFor[fliggy.Date]():             parsed(fliggy.ParseDate),
}

func asText[T ~string](self any, text string) error {
	*self.(*T) = T(text)
	return nil
}

// asExts is asText for extension data, which some texts leave unset.
func asExts(self any, text string) error {
	clean := text
	if !hasNoMargin(text) {
		clean = strings.Trim(text, " \t\r\n\v\f")
	}
	if clean == "" || clean == "null" || clean == "{}" {
		text = ""
	}
	if strings.IndexFunc(text, func(r rune) bool { return r < ' ' }) >= 0 {
		return self.(*fliggy.Exts).UnmarshalText([]byte(text)) // which escapes them
	}
	return asText[fliggy.Exts](self, text)
}

func parsed[T any](parse func(string) (T, error)) quickScalar {
	return func(self any, text string) error {
		v, err := parse(text)
		if err == nil {
			*self.(*T) = v
		}
		return err
	}
}

// maxQuick bounds, in bytes, the JSON of a number or time that is read quickly;
// all legal ones are shorter. The types refuse what is longer.
const maxQuick = 256

// quickText returns the text of a JSON value for c.quick. It is false where the
// type has to look at the JSON itself.
func (c *codec) quickText(t token) (string, bool) {
	switch {
	case c.quick == nil:
	case c.isText():
		if t.first == '"' {
			return t.str(), true
		}
		return t.raw, c.typ == idType && fliggy.ID(t.raw).IsNumeric()
	case t.escaped || len(t.raw) > maxQuick:
	case t.first == '"':
		return t.content(), true
	case t.first == '-' || t.first >= '0' && t.first <= '9':
		return t.raw, true
	}
	return "", false
}

// setScalarText hands text to a type that reads itself.
func setScalarText(c *codec, v reflect.Value, text string) error {
	if !c.isText() && saysNothing(text) {
		return errNothing
	}
	self := v.Addr().Interface()
	if c.quick != nil {
		return asRule(c.typ, c.quick(self, text))
	}
	if u, ok := self.(encoding.TextUnmarshaler); ok {
		return asRule(c.typ, u.UnmarshalText([]byte(text)))
	}
	return asRule(c.typ, self.(json.Unmarshaler).UnmarshalJSON(AppendJSONString(nil, text))) // a scalar has one or the other
}
