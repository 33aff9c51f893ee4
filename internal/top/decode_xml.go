package top

import (
	"bytes"
	"encoding"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"reflect"
	"strings"
	"unicode/utf8"
)

// DecodeXML reads the root element of an XML document into dst, a pointer to
// the plan's struct, whatever the root is called. Lists are the children of
// their member, whatever those are called. The document must be UTF-8 by now:
// an encoding that its declaration names is taken as dealt with.
func (p *Plan) DecodeXML(data []byte, dst any) error {
	return p.decodeXML(data, "", dst)
}

// decodeXML reads the members inside the child called inner where that is not
// empty.
func (p *Plan) decodeXML(data []byte, inner string, dst any) error {
	d, err := newXMLDecoder(data)
	if err != nil {
		return err
	}
	if _, err := d.root(); err != nil {
		return err
	}
	c := &codec{kind: kindStruct, typ: p.typ, plan: p}
	v := reflect.ValueOf(dst).Elem()
	if inner == "" {
		err = d.element(c, v)
	} else {
		err = d.innerElement(c, inner, v)
	}
	if err == errNothing {
		err = rulef("the reply is empty")
	}
	if err != nil {
		return err
	}
	return d.end()
}

// innerElement reads the child called inner of the element whose start has been
// read.
func (d *xmlDecoder) innerElement(c *codec, inner string, v reflect.Value) error {
	found := false
	_, err := d.children(func(name string) error {
		if name != inner {
			_, err := d.toJSON()
			return err
		}
		found = true
		if err := d.element(c, v); err != nil && err != errNothing {
			return under(name, err)
		}
		return nil
	})
	if err == nil && !found {
		err = &Error{Path: inner, Rule: ruleInner}
	}
	return err
}

// XMLRoot returns the name of the root element.
func XMLRoot(data []byte) (string, error) {
	d, err := newXMLDecoder(data)
	if err != nil {
		return "", err
	}
	start, err := d.root()
	return start.Name.Local, err
}

// xmlNames returns the names of the members of a document, of those inside the
// child called inner where that is not empty.
func xmlNames(data []byte, inner string) ([]string, error) {
	d, err := newXMLDecoder(data)
	if err != nil {
		return nil, err
	}
	if _, err := d.root(); err != nil {
		return nil, err
	}
	var names []string
	note := func(name string) error {
		names = append(names, name)
		_, err := d.toJSON()
		return err
	}
	if inner == "" {
		_, err = d.children(note)
		return names, err
	}
	_, err = d.children(func(name string) error {
		if name == inner {
			_, err := d.children(note)
			return err
		}
		_, err := d.toJSON()
		return err
	})
	return names, err
}

type xmlDecoder struct {
	*xml.Decoder
	depth int
}

func newXMLDecoder(data []byte) (*xmlDecoder, error) {
	if !utf8.Valid(data) {
		return nil, rulef("not valid UTF-8")
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	return &xmlDecoder{Decoder: d}, nil
}

// next returns the next start, text or end; the rest says nothing.
func (d *xmlDecoder) next() (xml.Token, error) {
	for {
		t, err := d.Token()
		if err != nil {
			return nil, xmlRule(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			if d.depth++; d.depth > maxDepth {
				return nil, rulef("nested deeper than %d", maxDepth)
			}
			return t, nil
		case xml.EndElement:
			d.depth--
			return t, nil
		case xml.CharData:
			return t, nil
		case xml.Directive:
			return nil, rulef("not XML as expected: a document type or directive")
		}
	}
}

func xmlRule(err error) error {
	var syntax *xml.SyntaxError
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return rulef("not XML: cut off")
	}
	if errors.As(err, &syntax) {
		return rulef("not XML: line %d", syntax.Line) // its text would quote the document
	}
	return rulef("not XML")
}

func (d *xmlDecoder) root() (xml.StartElement, error) {
	for {
		t, err := d.next()
		if err != nil {
			return xml.StartElement{}, err
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t, nil
		case xml.CharData:
			if len(bytes.TrimSpace(bytes.TrimPrefix(t, []byte("\ufeff")))) > 0 {
				return xml.StartElement{}, rulef("not XML: text before the root element")
			}
		case xml.EndElement:
			return xml.StartElement{}, rulef("not XML: an end without a start")
		}
	}
}

// end fails unless only comments and white space are left.
func (d *xmlDecoder) end() error {
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return xmlRule(err)
		}
		switch t := t.(type) {
		case xml.Comment, xml.ProcInst:
		case xml.CharData:
			if len(bytes.TrimSpace(t)) > 0 {
				return rulef("not XML: text after the root element")
			}
		default:
			return rulef("not XML: a second root element")
		}
	}
}

// element reads the content of the element whose start has been read.
func (d *xmlDecoder) element(c *codec, v reflect.Value) error {
	switch c.kind {
	case kindRaw:
		raw, err := d.toJSON()
		if err != nil {
			return err
		}
		c.target(v).SetBytes(raw)
		return nil
	case kindStruct:
		return d.structValue(c, v)
	case kindList:
		return d.list(c, v)
	}
	text, err := d.text()
	if err != nil {
		return err
	}
	if c.kind == kindScalar {
		if text == "" {
			return errNothing
		}
		return setScalarText(c.target(v), text)
	}
	if text == "" && c.kind != kindString {
		return errNothing
	}
	return setText(c, c.target(v), text)
}

// children calls child for every child element, which it must consume, and
// returns the text between them.
func (d *xmlDecoder) children(child func(name string) error) (string, error) {
	var text strings.Builder
	for {
		t, err := d.next()
		if err != nil {
			return "", err
		}
		switch t := t.(type) {
		case xml.CharData:
			text.Write(t)
		case xml.StartElement:
			if err := child(t.Name.Local); err != nil {
				return "", err
			}
		case xml.EndElement:
			return text.String(), nil
		}
	}
}

func (d *xmlDecoder) text() (string, error) {
	return d.children(func(name string) error { return rulef("expected text, got element %.40q", name) })
}

func (d *xmlDecoder) structValue(c *codec, v reflect.Value) error {
	var seen seenSet
	inner, some := v, false
	text, err := d.children(func(name string) error {
		if !some {
			inner, some = c.target(v), true
		}
		f := c.plan.byName[name]
		if f == nil {
			raw, err := d.toJSON()
			if err != nil {
				return under(name, err)
			}
			c.plan.keepUnknown(inner, name, raw)
			return nil
		}
		switch err := d.element(f.codec, inner.FieldByIndex(f.path)); {
		case err == nil:
			seen.add(f.bit)
		case err != errNothing:
			return under(name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if some {
		return c.plan.checkSeen(seen, inner)
	}
	switch t := strings.TrimSpace(text); {
	case t == "" || t == "null":
		return errNothing
	case t[0] == '{': // an object as JSON text
		return c.plan.DecodeJSON([]byte(t), c.target(v).Addr().Interface())
	}
	return rulef("expected members, got text")
}

func (d *xmlDecoder) list(c *codec, v reflect.Value) error {
	l := c.target(v)
	l.Set(reflect.MakeSlice(l.Type(), 0, 4))
	text, err := d.children(func(string) error {
		i := l.Len()
		e := reflect.New(l.Type().Elem()).Elem()
		if err := d.element(c.elem, e); err != nil && err != errNothing {
			return under(indexPath(i), err)
		}
		l.Set(reflect.Append(l, e))
		return nil
	})
	if err != nil || l.Len() > 0 {
		return err
	}
	switch t := strings.TrimSpace(text); {
	case t == "" || t == "null":
		return nil
	case t[0] == '[': // a list as JSON text
		if !utf8.ValidString(t) {
			return rulef("not valid UTF-8")
		}
		in := &jsonDecoder{scanner: scanner{data: []byte(t), depth: d.depth}}
		if err := in.array(c, l); err != nil {
			return err
		}
		return in.end()
	}
	return rulef("expected a list, got text")
}

// toJSON turns the element whose start has been read into JSON: text into a
// string, child elements into an object, repeated ones into lists.
func (d *xmlDecoder) toJSON() ([]byte, error) {
	var names []string
	values := map[string][][]byte{}
	text, err := d.children(func(name string) error {
		raw, err := d.toJSON()
		if err != nil {
			return under(name, err)
		}
		if values[name] == nil {
			names = append(names, name)
		}
		values[name] = append(values[name], raw)
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(names) == 0 {
		return AppendJSONString(nil, text), nil
	}
	out := []byte{'{'}
	for i, name := range names {
		if i > 0 {
			out = append(out, ',')
		}
		out = AppendJSONString(out, name)
		out = append(out, ':')
		if vs := values[name]; len(vs) == 1 {
			out = append(out, vs[0]...)
		} else {
			out = append(out, '[')
			out = append(out, bytes.Join(vs, []byte{','})...)
			out = append(out, ']')
		}
	}
	return append(out, '}'), nil
}

// setScalarText hands text to a type that reads itself.
func setScalarText(v reflect.Value, text string) error {
	switch u := v.Addr().Interface().(type) {
	case encoding.TextUnmarshaler:
		return asRule(u.UnmarshalText([]byte(text)))
	case json.Unmarshaler:
		return asRule(u.UnmarshalJSON(AppendJSONString(nil, text)))
	}
	return rulef("no way to read a %s", v.Type())
}
