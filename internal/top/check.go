package top

import (
	"reflect"

	"github.com/fliggy-go/rentcar/fliggy"
)

// Check lists what the tags of src, a pointer to the plan's struct, find wrong
// with it: required members that are unset, values that have no wire form,
// extension data that is no JSON object.
func (p *Plan) Check(src any) fliggy.Problems {
	var ps fliggy.Problems
	p.check(&ps, reflect.ValueOf(src).Elem(), "")
	return ps
}

func (p *Plan) check(ps *fliggy.Problems, v reflect.Value, at string) {
	for _, f := range p.fields {
		fv := v.FieldByIndex(f.path)
		name := at + f.name
		switch {
		case isUnset(fv):
			if f.required {
				ps.Add(name, "is required")
			}
		case f.required && f.codec.kind == kindString && IsBlank(fv.String()):
			ps.Add(name, "is required, got white space only")
		default:
			f.codec.check(ps, fv, name)
		}
	}
}

func (c *codec) check(ps *fliggy.Problems, v reflect.Value, name string) {
	for range c.pointers {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	switch c.kind {
	case kindStruct:
		c.plan.check(ps, v, name+".")
	case kindList:
		for i := range v.Len() {
			c.elem.check(ps, v.Index(i), name+indexPath(i))
		}
	case kindRaw:
		s := scanner{data: v.Bytes()}
		if _, err := s.raw(); err != nil || s.end() != nil {
			ps.Add(name, "must be valid JSON")
		}
	default:
		if x, ok := v.Interface().(fliggy.Exts); ok && x != "" && !x.IsObject() {
			ps.Add(name, "must be the text of a JSON object")
			return
		}
		if _, _, err := c.textOf(v, false); err != nil {
			ps.Add(name, "%s", err.Error())
		}
	}
}
