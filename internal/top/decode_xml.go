package top

import (
	"reflect"
	"strings"
)

// DecodeXML reads the root element of an XML document into dst, a pointer to
// the plan's struct, whatever the root is called. Lists are the children of
// their member, whatever those are called. The document must be UTF-8 by now:
// an encoding that its declaration names is taken as dealt with.
func (p *Plan) DecodeXML(data []byte, dst any) error {
	t, err := parseXML(data)
	if err != nil {
		return err
	}
	return t.decode(p, "", dst)
}

// decode reads the document's members into dst, those inside the child called
// inner where that is not empty.
func (t *xmlTree) decode(p *Plan, inner string, dst any) error {
	d := &xmlDecoder{xmlTree: t, sharer: newSharer(len(t.text)), room: newRoom()}
	c := &codec{kind: kindStruct, typ: p.typ, plan: p}
	v := reflect.ValueOf(dst).Elem()
	err := error(nil)
	if inner == "" {
		err = d.element(c, v, 0)
	} else {
		err = d.innerElement(c, inner, v)
	}
	if isNothing(err) {
		return rulef(ruleEmpty)
	}
	if err == nil {
		err = t.err
	}
	return err
}

// An xmlDecoder reads the elements of a document.
type xmlDecoder struct {
	*xmlTree
	sharer
	room  room
	depth int // how many elements lie around the current one
}

// innerElement reads the child of the root that is called inner.
func (d *xmlDecoder) innerElement(c *codec, inner string, v reflect.Value) error {
	found := false
	for i := uint32(1); i < d.next(0); i = d.next(i) {
		if d.name(i) != inner {
			continue
		}
		if found {
			return under(inner, rulef(ruleTwice))
		}
		found = true
		if err := d.child(c, v, i); err != nil {
			return under(inner, err)
		}
	}
	switch {
	case d.broken(0):
		return d.err
	case !found:
		return under(inner, rulef(ruleInner))
	}
	return nil
}

// child reads an element that lies inside the current one.
func (d *xmlDecoder) child(c *codec, v reflect.Value, i uint32) error {
	d.depth++
	err := d.element(c, v, i)
	d.depth--
	return err
}

// element reads the content of an element.
func (d *xmlDecoder) element(c *codec, v reflect.Value, i uint32) error {
	if c.pointers > 0 {
		return c.fill(v, func(c *codec, v reflect.Value) error { return d.plain(c, v, i) })
	}
	return d.plain(c, v, i)
}

// plain is element once all pointers have been followed.
func (d *xmlDecoder) plain(c *codec, v reflect.Value, i uint32) error {
	switch c.kind {
	case kindStruct:
		return d.structValue(c, v, i)
	case kindList:
		return d.list(c, v, i)
	case kindRaw:
		if d.broken(i) {
			return d.err
		}
		v.SetBytes(d.appendJSON(nil, i))
		return nil
	}
	if i+1 < d.next(i) {
		return rulef("expected text, got element %s", printable(d.name(i+1)))
	}
	if d.broken(i) {
		return d.err
	}
	switch text := d.content(i); c.kind {
	case kindScalar:
		return setScalarText(c, v, d.keep(text))
	case kindString:
		v.SetString(d.keep(text))
		return nil
	default:
		return setText(c, v, text)
	}
}

func (d *xmlDecoder) structValue(c *codec, v reflect.Value, i uint32) error {
	var came, seen fieldSet // seen are those that came and said something
	var unknown []uint32
	var names nameSet // of those
	next := 0         // members mostly come in the order of the fields
	for j := i + 1; j < d.next(i); j = d.next(j) {
		name := d.name(j)
		f := c.plan.find(name, next)
		if f == nil {
			if d.broken(j) {
				return d.err
			}
			if err := names.add(name); err != nil {
				return err
			}
			if c.plan.extra != nil {
				unknown = append(unknown, j)
			}
			continue
		}
		if came.has(f.bit) {
			return under(name, rulef(ruleTwice))
		}
		came.add(f.bit)
		next = f.bit + 1
		switch err := d.child(f.codec, v.FieldByIndex(f.path), j); {
		case err == nil:
			seen.add(f.bit)
		case !isNothing(err):
			return under(name, err)
		}
	}
	if d.broken(i) {
		return d.err
	}
	text := strings.TrimSpace(d.content(i))
	switch some := i+1 < d.next(i); {
	case some && text != "":
		return rulef("expected members only, got text between them")
	case some:
		if err := d.keepUnknown(c.plan, v, unknown); err != nil {
			return err
		}
		return c.plan.checkSeen(&seen, v)
	case saysNothing(text):
		return errNothing
	case text[0] == '{':
		in := newJSONDecoder(text, d.depth, d.sharer, &d.room)
		if err := in.object(c.plan, v); err != nil {
			return err
		}
		return in.end()
	}
	return rulef("expected members, got text")
}

// keepUnknown stores elements without a field as JSON.
func (d *xmlDecoder) keepUnknown(p *Plan, v reflect.Value, elements []uint32) error {
	for _, i := range elements {
		raw := string(d.appendJSON(nil, i))
		in := scanner{text: raw, depth: d.depth + 1} // repeated elements become lists, which nest too
		if _, err := in.token(); err != nil {
			return err
		}
		p.keepUnknown(v, d.keep(d.name(i)), raw)
	}
	return nil
}

func (d *xmlDecoder) list(c *codec, v reflect.Value, i uint32) error {
	if i+1 < d.next(i) {
		v.Set(c.empty)
	}
	n := 0
	for j := i + 1; j < d.next(i); j = d.next(j) {
		e, err := d.room.grow(c, v)
		if err == nil {
			err = d.child(c.elem, e, j)
		}
		if err != nil && !isNothing(err) {
			return under(indexPath(n), err)
		}
		n++
	}
	if d.broken(i) {
		return d.err
	}
	text := strings.TrimSpace(d.content(i))
	switch {
	case n > 0 && text != "":
		return rulef("expected elements only, got text between them")
	case n > 0:
		return nil
	case text == "null":
		return errNothing
	case text == "":
		v.Set(c.empty)
		return nil
	case text[0] == '[':
		in := newJSONDecoder(text, d.depth, d.sharer, &d.room)
		if err := in.array(c, v); err != nil {
			return err
		}
		return in.end()
	}
	return rulef("expected a list, got text")
}
