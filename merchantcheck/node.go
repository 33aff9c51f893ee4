package merchantcheck

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A node is a value in a merchant's reply, and its place there. The self-test
// reads replies by itself, not with the types of package qimen: it has to see what
// those forgive, and to go on where they give up.
type node struct {
	path  string
	value any // as encoding/json has it, numbers as json.Number; nil for null and for what is missing
}

// parseNode reads a JSON object. The error says what came instead.
func parseNode(body []byte) (node, error) {
	text := bytes.TrimSpace(body)
	switch {
	case len(text) == 0:
		return node{}, errors.New("an empty body")
	case !utf8.Valid(text):
		return node{}, errors.New("a body that is not UTF-8")
	case text[0] == '<':
		return node{}, errors.New("HTML or XML")
	}
	if text[0] != '{' && text[0] != '[' && !json.Valid(text) { // such as "404 page not found"
		return node{}, fmt.Errorf("plain text of %d bytes", len(text))
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return node{}, errors.New("a body that is not JSON")
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return node{}, errors.New("a JSON value with something behind it")
	}
	if _, ok := value.(map[string]any); !ok {
		return node{}, fmt.Errorf("JSON, but %s instead of an object", formOf(value))
	}
	return node{value: value}, nil
}

// A form is the JSON type of a value.
type form string

const (
	formBoolean form = "a boolean"
	formNumber  form = "a number"
	formText    form = "text"
	formList    form = "a list"
	formObject  form = "an object"
	formNull    form = "null"
)

func formOf(value any) form {
	switch value.(type) {
	case bool:
		return formBoolean
	case json.Number:
		return formNumber
	case string:
		return formText
	case []any:
		return formList
	case map[string]any:
		return formObject
	}
	return formNull
}

// set reports whether there is a value: one that is missing, null or blank is none.
func (n node) set() bool {
	text, isText := n.value.(string)
	return n.value != nil && (!isText || strings.TrimSpace(text) != "")
}

func (n node) isObject() bool { return formOf(n.value) == formObject }

// member is a member of an object; there is none in anything else.
func (n node) member(name string) node {
	child := node{path: name}
	if n.path != "" {
		child.path = n.path + "." + name
	}
	if object, ok := n.value.(map[string]any); ok {
		child.value = object[name]
	}
	return child
}

// items are the members of a list; there are none in anything else.
func (n node) items() []node {
	list, _ := n.value.([]any)
	out := make([]node, len(list))
	for i, value := range list {
		out[i] = node{fmt.Sprintf("%s[%d]", n.path, i), value}
	}
	return out
}

// find gives all values at a place such as "calendarPrice[].date". A member that
// its object lacks is among them, a member of what is no object is not.
func (n node) find(place string) []node {
	found := []node{n}
	for name := range strings.SplitSeq(place, ".") {
		name, each := strings.CutSuffix(name, "[]")
		var next []node
		for _, n := range found {
			if !n.isObject() {
				continue
			}
			child := n.member(name)
			if each {
				next = append(next, child.items()...)
			} else {
				next = append(next, child)
			}
		}
		found = next
	}
	return found
}

// text is a text, or the digits of a number.
func (n node) text() string {
	switch v := n.value.(type) {
	case string:
		return strings.TrimSpace(v)
	case json.Number:
		return v.String()
	}
	return ""
}

// truth is a boolean, also one that is text; ok is false for anything else.
func (n node) truth() (value, ok bool) {
	switch v := n.value.(type) {
	case bool:
		return v, true
	case string:
		switch strings.ToLower(strings.TrimSpace(v)) {
		case "true":
			return true, true
		case "false":
			return false, true
		}
	}
	return false, false
}

// show quotes a value for the report, on one line.
func (n node) show() string {
	switch v := n.value.(type) {
	case nil:
		return "nothing"
	case string:
		return strconv.Quote(v)
	case json.Number:
		return v.String()
	case bool:
		return strconv.FormatBool(v)
	case []any:
		return fmt.Sprintf("a list of %d", len(v))
	}
	return string(formOf(n.value))
}

// A reader reads values for a rule and keeps the first that it cannot read: the
// rule cannot be judged then.
type reader struct{ err error }

func (r *reader) fail(n node, what string) {
	switch {
	case r.err != nil:
	case !n.set():
		r.err = fmt.Errorf("%s is missing", n.path)
	default:
		r.err = fmt.Errorf("%s is not %s", n.path, what)
	}
}

// number reads a decimal number, from a number or from text.
func (r *reader) number(n node) decimal.Decimal {
	text, err := fliggy.ParseDecimal(n.text())
	if err != nil {
		r.fail(n, "a number")
	}
	d, _ := text.Decimal()
	return d
}

// whole reads a whole number of at most nine digits.
func (r *reader) whole(n node) int {
	d := r.number(n)
	if d.Abs().Cmp(decimal.New(1, 9)) >= 0 || !d.IsInteger() {
		r.fail(n, "a whole number")
		return 0
	}
	return int(d.IntPart())
}

// yuan writes an amount with two decimals, more where it has more.
func yuan(d decimal.Decimal) string {
	if d.Exponent() >= -2 {
		return d.StringFixed(2)
	}
	return d.String()
}
