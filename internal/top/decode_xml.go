package top

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
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
	if isNothing(err) {
		return rulef(ruleEmpty)
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
			return d.skip()
		}
		if found {
			return under(name, rulef(ruleTwice))
		}
		found = true
		return under(name, d.element(c, v))
	})
	if err == nil && !found {
		err = under(inner, rulef(ruleInner))
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
		return d.skip()
	}
	each := note
	if inner != "" {
		each = func(name string) error {
			if name == inner {
				_, err := d.children(note)
				return err
			}
			return d.skip()
		}
	}
	if _, err := d.children(each); err != nil {
		return nil, err
	}
	return names, d.end()
}

// element reads the content of the element whose start has been read.
func (d *xmlDecoder) element(c *codec, v reflect.Value) error {
	if c.pointers > 0 {
		return c.fill(v, d.plain)
	}
	return d.plain(c, v)
}

// plain is element once all pointers have been followed.
func (d *xmlDecoder) plain(c *codec, v reflect.Value) error {
	switch c.kind {
	case kindRaw:
		raw, err := d.toJSON()
		v.SetBytes(raw)
		return err
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
		return setScalarText(c, v, text)
	}
	return setText(c, v, text)
}

func (d *xmlDecoder) structValue(c *codec, v reflect.Value) error {
	var seen seenSet
	var unknown elements
	some := false
	text, err := d.children(func(name string) error {
		some = true
		f := c.plan.byName[name]
		if f == nil {
			return unknown.read(d, name)
		}
		if f.required && seen.has(f.bit) {
			return under(name, rulef(ruleTwice)) // which of two success flags would be meant?
		}
		switch err := d.element(f.codec, v.FieldByIndex(f.path)); {
		case err == nil:
			seen.add(f.bit)
		case !isNothing(err):
			return under(name, err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	text = strings.TrimSpace(text)
	switch {
	case some && text != "":
		return rulef("expected members only, got text between them")
	case some:
		for _, name := range unknown.names {
			raw := unknown.json(name)
			in := scanner{data: raw, depth: d.depth + 1} // repeated elements become lists, which nest too
			if _, err := in.raw(); err != nil {
				return err
			}
			c.plan.keepUnknown(v, name, raw)
		}
		return c.plan.checkSeen(seen, v)
	case saysNothing(text):
		return errNothing
	case text[0] == '{':
		return d.inText(text, func(in *jsonDecoder) error { return in.object(c.plan, v) })
	}
	return rulef("expected members, got text")
}

// inText reads JSON that travels as the text of an element.
func (d *xmlDecoder) inText(text string, read func(*jsonDecoder) error) error {
	in := &jsonDecoder{scanner: scanner{data: []byte(text), depth: d.depth}, room: d.room}
	if err := read(in); err != nil {
		return err
	}
	return in.end()
}

func (d *xmlDecoder) list(c *codec, v reflect.Value) error {
	l := reflect.New(v.Type()).Elem()
	l.Set(reflect.MakeSlice(l.Type(), 0, 0))
	text, err := d.children(func(string) error {
		i := l.Len()
		e, err := d.room.grow(l)
		if err == nil {
			err = d.element(c.elem, e)
		}
		if isNothing(err) {
			return nil
		}
		return under(indexPath(i), err)
	})
	if err != nil {
		return err
	}
	text = strings.TrimSpace(text)
	switch {
	case l.Len() > 0 && text != "":
		return rulef("expected elements only, got text between them")
	case text == "null":
		return errNothing
	case text == "":
		v.Set(l)
		return nil
	case text[0] == '[':
		return d.inText(text, func(in *jsonDecoder) error { return in.array(c, v) })
	}
	return rulef("expected a list, got text")
}

// setScalarText hands text to a type that reads itself.
func setScalarText(c *codec, v reflect.Value, text string) error {
	if !c.isText() && saysNothing(text) {
		return errNothing
	}
	self := v.Addr().Interface()
	if u, ok := self.(encoding.TextUnmarshaler); ok {
		return asRule(c.typ, u.UnmarshalText([]byte(text)))
	}
	return asRule(c.typ, self.(json.Unmarshaler).UnmarshalJSON(AppendJSONString(nil, text))) // a scalar has one or the other
}
