package rentcar

import (
	"encoding"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/contain"
	"github.com/fliggy-go/rentcar/internal/top"
)

// Params are the business parameters of a call without a type, by name. A value
// may be text, a boolean, a whole number, a type of package fliggy, a list of
// those (sent joined by commas), or a struct, a pointer to one or a list of
// structs (sent as JSON, its members named by their `top` or json tags), or a
// json.RawMessage (sent as it is). Nil and blank values are not sent. A float itself
// is refused: use Yuan, Decimal or text.
type Params map[string]any

// list returns the parameters as text, sorted by name.
func (p Params) list(problems *fliggy.Problems) []top.Param {
	out := make([]top.Param, 0, len(p))
	for _, name := range slices.Sorted(maps.Keys(p)) { // the problems come in this order
		value := p[name]
		switch {
		case top.IsBlank(name) || !utf8.ValidString(name):
			problems.Add("parameter", ruleName)
			continue
		case isProtocolParam(name):
			problems.Add(name, "is a parameter of the protocol: the client sends it")
			continue
		}
		text, err := paramText(value)
		if err != nil {
			problems.Add(name, "%s", err.Error())
			continue
		}
		out = append(out, top.Param{Name: name, Value: text})
	}
	return top.Merge(out)
}

const ruleName = "must have a name, in valid UTF-8"

// paramText returns the text of a top-level parameter.
func paramText(value any) (string, error) {
	raw, simple, err := valueJSON(value)
	switch {
	case err != nil:
		return "", err
	case simple && len(raw) > 0 && raw[0] == '"':
		v, err := top.ParseJSON(string(raw))
		return v.Text(), err
	case simple && string(raw) == "null":
		return "", nil
	case simple:
		return string(raw), nil
	}
	v := reflect.ValueOf(value)
	if v.Kind() == reflect.Slice && v.Type() != reflect.TypeFor[json.RawMessage]() && isSimpleType(v.Type().Elem()) {
		parts := make([]string, v.Len())
		for i := range parts {
			if parts[i], err = paramText(v.Index(i).Interface()); err != nil {
				return "", err
			}
		}
		return strings.Join(parts, ","), nil
	}
	return string(raw), nil
}

// valueJSON returns the JSON of any value that Params takes, and whether it is a
// simple one.
func valueJSON(value any) (raw json.RawMessage, simple bool, err error) {
	defer contain.Recover("MarshalJSON or MarshalText", &err)
	v := reflect.ValueOf(value)
	for v.Kind() == reflect.Pointer && !v.IsNil() {
		v = v.Elem()
	}
	if !v.IsValid() || v.Kind() == reflect.Pointer {
		return json.RawMessage("null"), true, nil
	}
	if r, ok := v.Interface().(json.RawMessage); ok {
		switch {
		case len(r) == 0:
			return json.RawMessage("null"), true, nil
		case !json.Valid(r) || !utf8.Valid(r):
			return nil, false, errors.New("must be valid JSON")
		}
		return r, false, nil
	}
	t := v.Type()
	elem := t
	if t.Kind() == reflect.Slice {
		elem = pointedTo(t.Elem())
	}
	switch {
	case elem.Kind() == reflect.Float32 || elem.Kind() == reflect.Float64:
		return nil, false, errors.New("is a float, which has no exact text: use Yuan, Decimal or text")
	case t.Kind() == reflect.Slice && elem.Kind() == reflect.Uint8:
		return nil, false, errors.New("is bytes: use a string, or a json.RawMessage")
	}
	raw, err = top.AppendValue(nil, v.Interface())
	return raw, isSimpleType(t), err
}

var (
	textAppender = reflect.TypeFor[encoding.TextAppender]()
	secretType   = reflect.TypeFor[fliggy.Secret]()
)

func pointedTo(t reflect.Type) reflect.Type {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return t
}

func isSimpleType(t reflect.Type) bool {
	t = pointedTo(t)
	return t.Implements(textAppender) || t == secretType || t.Kind() != reflect.Struct && t.Kind() != reflect.Slice
}

// protocolParams are what the client itself sends beside the request.
var protocolParams = []string{
	"app_key", "format", "method", "partner_id", "session", "sign", "sign_method", "simplify", "target_app_key",
	"timestamp", "v",
}

func isProtocolParam(name string) bool { return slices.Contains(protocolParams, name) }
