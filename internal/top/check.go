package top

import (
	"reflect"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
)

// Check lists what the tags of src, a pointer to the plan's struct, find wrong
// with it: required members that are unset, values that have no wire form,
// extension data that is no JSON object.
func (p *Plan) Check(src any) fliggy.Problems {
	var k checker
	k.message(p, reflect.ValueOf(src).Elem(), "")
	return k.problems
}

type checker struct {
	problems fliggy.Problems
	depth    int
	text     []byte // of one value
}

func (k *checker) message(p *Plan, v reflect.Value, at string) {
	if at != "" {
		at += "."
	}
	for _, f := range p.fields {
		fv := v.FieldByIndex(f.path)
		switch {
		case f.isUnset(fv):
			if f.required {
				k.problems.Add(at+f.name, "is required")
			}
		case f.required && f.codec.isBlank(fv):
			k.problems.Add(at+f.name, "is required, got white space only")
		case f.required && f.codec.kind == kindList && f.codec.pointers == 0 && fv.Len() == 0:
			k.problems.Add(at+f.name, "is required, got an empty list")
		default:
			k.value(f.codec, fv, at, f.name)
		}
	}
}

// value checks the value at the path that at and name make.
func (k *checker) value(c *codec, v reflect.Value, at, name string) {
	for range c.pointers {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	switch c.kind {
	case kindStruct:
		if k.depth == maxDepth {
			k.problems.Add(at+name, ruleDepth, maxDepth)
			return
		}
		k.depth++
		k.message(c.plan, v, at+name)
		k.depth--
	case kindList:
		at += name
		for i := range v.Len() {
			k.value(c.elem, v.Index(i), at, indexPath(i))
		}
	default:
		if rule := k.simple(c, v); rule != "" {
			k.problems.Add(at+name, "%s", rule)
		}
	}
}

// simple returns the rule that a value without others inside breaks.
func (k *checker) simple(c *codec, v reflect.Value) string {
	switch {
	case c.kind == kindRaw && v.Len() > 0 && checkJSON(v.Bytes()) != nil:
		return ruleJSON
	case c.kind == kindRaw:
	case c.typ == extsType && v.Len() > 0 && !fliggy.Exts(v.String()).IsObject():
		return "must be the text of a JSON object"
	case c.kind == kindString && !c.number:
		if !utf8.ValidString(v.String()) {
			return ruleUTF8
		}
	default:
		text, _, err := c.appendText(k.text[:0], v, false)
		if err != nil {
			return err.Error()
		}
		k.text = text
	}
	return ""
}
