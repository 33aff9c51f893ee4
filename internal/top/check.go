package top

import (
	"reflect"
	"sync"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
)

// Check lists what the tags of src, a pointer to the plan's struct, find wrong
// with it: required members that are unset, values that have no wire form,
// extension data that is no JSON object.
func (p *Plan) Check(src any) fliggy.Problems {
	k := checkers.Get().(*checker)
	k.message(p, reflect.ValueOf(src).Elem())
	problems := k.problems
	clear(k.text[:cap(k.text)])
	*k = checker{path: k.path[:0], text: k.text[:0]}
	if cap(k.text) <= maxText {
		checkers.Put(k)
	}
	return problems
}

var checkers = sync.Pool{New: func() any { return &checker{path: make([]step, 0, 8), text: make([]byte, 0, 64)} }}

type checker struct {
	problems fliggy.Problems
	depth    int
	path     []step
	text     []byte // of one value
}

// A step of a path is a member, or an element of a list.
type step struct {
	name  string // empty for an element
	index int
}

// add notes what is wrong with the value at the path.
func (k *checker) add(format string, args ...any) {
	at := ""
	for i, s := range k.path {
		switch {
		case s.name == "":
			at += indexPath(s.index)
		case i > 0:
			at += "." + s.name
		default:
			at = s.name
		}
	}
	k.problems.Add(at, format, args...)
}

func (k *checker) message(p *Plan, v reflect.Value) {
	at := len(k.path)
	for _, f := range p.fields {
		fv := f.of(v)
		k.path = append(k.path[:at], step{name: f.name})
		switch {
		case f.isUnset(fv):
			if f.required {
				k.add("is required")
			}
		case f.required && f.codec.isBlank(fv):
			k.add("is required, got white space only")
		case f.required && f.codec.kind == kindList && f.codec.pointers == 0 && fv.Len() == 0:
			k.add("is required, got an empty list")
		default:
			k.value(f.codec, fv)
		}
	}
	k.path = k.path[:at]
}

func (k *checker) value(c *codec, v reflect.Value) {
	for range c.pointers {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	switch c.kind {
	case kindStruct:
		if k.depth == maxDepth {
			k.add(ruleDepth, maxDepth)
			return
		}
		k.depth++
		k.message(c.plan, v)
		k.depth--
	case kindList:
		at := len(k.path)
		for i := range v.Len() {
			k.path = append(k.path[:at], step{index: i})
			k.value(c.elem, v.Index(i))
		}
		k.path = k.path[:at]
	case kindRaw:
		if v.Len() > 0 && checkJSON(v.Bytes()) != nil {
			k.add(ruleJSON)
		}
	default:
		if c.typ == extsType && v.Len() > 0 && !fliggy.Exts(v.String()).IsObject() {
			k.add("must be the text of a JSON object")
			return
		}
		if c.kind == kindString && !c.number {
			if !utf8.ValidString(v.String()) {
				k.add("%s", errUTF8.Error())
			}
			return
		}
		text, _, err := c.appendText(k.text[:0], v, false)
		if err != nil {
			k.add("%s", err.Error())
			return
		}
		k.text = text
	}
}
