package top

import (
	"reflect"

	"github.com/fliggy-go/rentcar/fliggy"
)

// Check lists what the tags of src, a pointer to the plan's struct, find wrong
// with it: required members that are unset, values that have no wire form,
// extension data that is no JSON object.
func (p *Plan) Check(src any) fliggy.Problems {
	var c checker
	c.message(p, reflect.ValueOf(src).Elem(), "")
	return c.problems
}

type checker struct {
	problems fliggy.Problems
	depth    int
}

func (k *checker) message(p *Plan, v reflect.Value, at string) {
	for _, f := range p.fields {
		fv := v.FieldByIndex(f.path)
		name := at + f.name
		switch {
		case isUnset(fv):
			if f.required {
				k.problems.Add(name, "is required")
			}
		case f.required && f.codec.isBlank(fv):
			k.problems.Add(name, "is required, got white space only")
		case f.required && f.codec.kind == kindList && f.codec.pointers == 0 && fv.Len() == 0:
			k.problems.Add(name, "is required, got an empty list")
		default:
			k.value(f.codec, fv, name)
		}
	}
}

func (k *checker) value(c *codec, v reflect.Value, name string) {
	for range c.pointers {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	switch c.kind {
	case kindStruct:
		if k.depth == maxDepth {
			k.problems.Add(name, ruleDepth, maxDepth)
			return
		}
		k.depth++
		k.message(c.plan, v, name+".")
		k.depth--
	case kindList:
		for i := range v.Len() {
			k.value(c.elem, v.Index(i), name+indexPath(i))
		}
	case kindRaw:
		if v.Len() > 0 && checkJSON(v.Bytes()) != nil {
			k.problems.Add(name, ruleJSON)
		}
	default:
		if x, ok := v.Interface().(fliggy.Exts); ok && x != "" && !x.IsObject() {
			k.problems.Add(name, "must be the text of a JSON object")
			return
		}
		if _, _, err := c.textOf(v, false); err != nil {
			k.problems.Add(name, "%s", err.Error())
		}
	}
}
