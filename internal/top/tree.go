package top

import (
	"iter"
	"strings"
)

// A Kind is the kind of a value.
type Kind uint8

// The kinds of a value.
const (
	None    Kind = iota // no value at all
	Null                // JSON null
	Bool                // JSON true or false
	Number              // a JSON number
	Text                // a JSON string
	List                // a JSON array
	Object              // a JSON object
	Element             // an XML element: its text, or the elements inside it
)

func (k Kind) String() string {
	return [...]string{"nothing", "null", "a boolean", "a number", "text", "a list", "an object", "an element"}[k]
}

const (
	// maxDepth bounds the nesting of what is read; the documented messages nest six
	// deep.
	maxDepth  = 64
	ruleDepth = "nested deeper than %d"

	// maxValues bounds the values of one text: two bytes of JSON make one.
	maxValues  = 1 << 20
	ruleValues = "more than %d values"

	// textBetween names, in JSON, the text that stood between elements of XML.
	textBetween = "#text"
)

// A tree holds all values of one text, each before those inside it.
type tree struct {
	nodes []node
	// long reports whether a value that is kept has to be copied: it would keep the
	// whole text alive.
	long bool
	// raw reports whether strings have control characters as they are, which JSON
	// would escape.
	raw bool
}

// A node is one value.
type node struct {
	name    string // of the member or element
	text    string // JSON: the value as it stands in the text; XML: the text of the element
	end     int32  // the node behind all values inside this one
	kind    Kind
	escaped bool // a string with escapes
}

// A Value is a value of a message that has been read. The zero Value is none.
type Value struct {
	*tree
	at int32
}

// Kind returns the kind of the value.
func (v Value) Kind() Kind {
	if v.tree == nil {
		return None
	}
	return v.nodes[v.at].kind
}

// Name returns the name of the member or element.
func (v Value) Name() string {
	if v.tree == nil {
		return ""
	}
	return v.nodes[v.at].name
}

// Says reports whether the value says something: it is not null, blank or "null".
func (v Value) Says() bool {
	switch v.Kind() {
	case None, Null:
		return false
	case Text, Element:
		return !v.IsEmpty() || !saysNothing(v.Text())
	}
	return true
}

// Inside returns the members, elements or list items inside the value.
func (v Value) Inside() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.tree == nil {
			return
		}
		for j := v.at + 1; j < v.nodes[v.at].end; j = v.nodes[j].end {
			if !yield(Value{v.tree, j}) {
				return
			}
		}
	}
}

// Get returns the last member with one of the names, none without any.
func (v Value) Get(names ...string) Value {
	var found Value
	for m := range v.Inside() {
		for _, name := range names {
			if m.Name() == name {
				found = m
			}
		}
	}
	return found
}

// IsEmpty reports whether nothing lies inside the value.
func (v Value) IsEmpty() bool { return v.tree == nil || v.nodes[v.at].end == v.at+1 }

func (v Value) count() int {
	n := 0
	for range v.Inside() {
		n++
	}
	return n
}

// Text returns what a string or an element says, and any other JSON value as it
// stands, without white space between its tokens. Null says nothing.
func (v Value) Text() string {
	switch v.Kind() {
	case None, Null:
		return ""
	case Text:
		n := &v.nodes[v.at]
		body := n.text[1 : len(n.text)-1]
		if n.escaped {
			return unescape(body)
		}
		return body
	case List, Object:
		return Compact(v.nodes[v.at].text)
	}
	return v.nodes[v.at].text
}

// JSON returns the value as JSON, as it stands where it is JSON.
func (v Value) JSON() string {
	switch {
	case v.tree == nil:
		return ""
	case v.Kind() == Element:
		return string(v.appendJSON(nil))
	case v.tree.raw:
		return strict(v.nodes[v.at].text, true)
	}
	return v.nodes[v.at].text
}

// appendJSON appends an element as JSON: text as a string, elements inside it as an
// object, repeated ones as lists.
func (v Value) appendJSON(dst []byte) []byte {
	if v.IsEmpty() {
		return AppendJSONString(dst, v.Text())
	}
	groups := map[string][]Value{}
	var names []string
	for m := range v.Inside() {
		if groups[m.Name()] == nil {
			names = append(names, m.Name())
		}
		groups[m.Name()] = append(groups[m.Name()], m)
	}
	mark := byte('{')
	for _, name := range names {
		dst = append(AppendJSONString(append(dst, mark), name), ':')
		dst = appendGroup(dst, groups[name])
		mark = ','
	}
	if text := v.Text(); strings.TrimSpace(text) != "" {
		dst = append(AppendJSONString(append(dst, mark), textBetween), ':')
		dst = AppendJSONString(dst, text)
	}
	return append(dst, '}')
}

// appendGroup appends elements of one name: one as it is, several as a list.
func appendGroup(dst []byte, same []Value) []byte {
	if len(same) == 1 {
		return same[0].appendJSON(dst)
	}
	mark := byte('[')
	for _, v := range same {
		dst = v.appendJSON(append(dst, mark))
		mark = ','
	}
	return append(dst, ']')
}

// maxShared bounds, in bytes, the text of a message that its values may share.
const maxShared = 64 << 10

// keep returns what may be stored of a part of the text.
func (t *tree) keep(part string) string {
	if t.long {
		return strings.Clone(part)
	}
	return part
}

// AsObject returns the object that the value is, or holds as JSON text; none for any
// other value. Text that begins as an object and is not one is an error.
func (v Value) AsObject() (Value, error) {
	if v.Kind() == Object {
		return v, nil
	}
	text := strings.TrimSpace(strings.TrimPrefix(v.Text(), byteOrderMark))
	if v.Kind() != Text || !strings.HasPrefix(text, "{") {
		return Value{}, nil
	}
	in, err := parseJSON(text, 0, len(text))
	if err != nil {
		return Value{}, err
	}
	in.long = in.long || v.long
	return in, nil
}

// CheckTwice fails for a member of an object that comes twice.
func (v Value) CheckTwice() error {
	n := v.count()
	if n < 2 {
		return nil
	}
	seen := make(map[string]bool, n)
	for m := range v.Inside() {
		if seen[m.Name()] {
			return under(m.Name(), rulef(ruleTwice))
		}
		seen[m.Name()] = true
	}
	return nil
}
