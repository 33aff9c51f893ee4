package top

import (
	"encoding"
	"encoding/json"
	"reflect"
	"slices"

	"github.com/fliggy-go/rentcar/fliggy"
)

// What encoding needs to know of a field beforehand.
type fieldText struct {
	key    mark // its name, quoted, and a colon
	zeroer bool // its type says itself whether it is unset

	checked bool // Check has a rule for it, besides that it must have a text
	exts    bool // it is extension data
	index   int  // among the fields of the struct; -1 where it is inside another
}

// isZeroer is a type that has its own notion of unset, such as fliggy.Time.
type isZeroer interface{ IsZero() bool }

var zeroerType = reflect.TypeFor[isZeroer]()

// A textWay is a short cut to the JSON of a simple value.
type textWay uint8

const (
	wayGeneral textWay = iota
	wayText            // text as it is
	wayInt             // a bare whole number
	wayKnown           // appendKnown
)

var (
	knownTypes  = []reflect.Type{reflect.TypeFor[fliggy.Yuan](), reflect.TypeFor[fliggy.Decimal](), fliggyTimeType}
	writerTypes = []reflect.Type{
		reflect.TypeFor[interface{ Reveal() string }](), reflect.TypeFor[encoding.TextAppender](),
		reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[json.Marshaler](),
	}
)

// wayOf chooses the short cut of a codec that is complete.
func wayOf(c *codec) textWay {
	p := reflect.PointerTo(c.typ)
	writes := p.NumMethod() > 0 && slices.ContainsFunc(writerTypes, p.Implements)
	switch {
	case c.number || c.text || c.layout != "":
		return wayGeneral
	case c.typ == idType || c.typ == extsType || c.isText() && !writes:
		return wayText
	case reflect.Zero(c.typ).CanInt() && !writes:
		return wayInt
	case slices.Contains(knownTypes, c.typ):
		return wayKnown
	}
	return wayGeneral
}

// appendKnown appends the text of the frequent types, if it has one.
func appendKnown(dst []byte, v reflect.Value) (out []byte, ok bool) {
	if !v.CanAddr() {
		return nil, false
	}
	var err error
	switch p := v.Addr().Interface().(type) {
	case *fliggy.Yuan:
		dst, err = p.AppendText(dst)
	case *fliggy.Decimal:
		dst, err = p.AppendText(dst)
	case *fliggy.Time:
		dst, err = p.AppendText(dst)
	}
	return dst, err == nil
}

// prepareText fills in what encoding needs of a field of type t.
func (f *field) prepareText(t reflect.Type) {
	c := f.codec
	c.way = wayOf(c)
	if c.elem != nil {
		c.elem.way = wayOf(c.elem)
	}
	f.fieldText = fieldText{
		key:    newMark(string(append(AppendJSONString(nil, f.name), ':'))),
		zeroer: t.Kind() != reflect.Pointer && t.Implements(zeroerType),
		exts:   c.typ == extsType || c.elem != nil && c.elem.typ == extsType,
		index:  -1,
	}
	f.checked = f.required || f.exts
	if len(f.path) == 1 {
		f.index = f.path[0]
	}
}

// of returns the field of the struct v.
func (f *field) of(v reflect.Value) reflect.Value {
	if f.index >= 0 {
		return v.Field(f.index)
	}
	return v.FieldByIndex(f.path)
}

// isUnset tells whether the field has nothing to say: the zero value, and a time
// that says so itself.
func (f *field) isUnset(v reflect.Value) bool {
	switch {
	case !f.zeroer:
		return v.IsZero()
	case v.CanAddr():
		return v.Addr().Interface().(isZeroer).IsZero()
	}
	return v.Interface().(isZeroer).IsZero()
}

// isDoubtful tells whether Check may find something wrong with the field that
// encoding does not.
func (f *field) isDoubtful(v reflect.Value, unset bool) bool {
	c := f.codec
	switch {
	case unset:
		return f.required
	case f.required && c.pointers == 0 && (c.way == wayInt || c.way == wayKnown):
		return false
	case f.required && (c.isBlank(v) || c.kind == kindList && c.pointers == 0 && v.Len() == 0):
		return true
	case f.exts && c.kind == kindScalar && c.pointers == 0:
		return !fliggy.Exts(v.String()).IsObject()
	}
	return f.exts
}
