package top

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// An xmlDecoder walks over the elements of a document.
type xmlDecoder struct {
	*xml.Decoder
	depth int
	room  *room
}

func newXMLDecoder(data []byte) (*xmlDecoder, error) {
	if !utf8.Valid(data) {
		return nil, rulef("not valid UTF-8")
	}
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	return &xmlDecoder{Decoder: d, room: newRoom()}, nil
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
				return nil, rulef(ruleDepth, maxDepth)
			}
			return t, nil
		case xml.EndElement:
			d.depth--
			return t, nil
		case xml.CharData:
			return t, nil
		case xml.Directive:
			return nil, rulef(ruleDirective)
		}
	}
}

const ruleDirective = "not XML as expected: a document type or directive"

func xmlRule(err error) error {
	var syntax *xml.SyntaxError
	switch ok := errors.As(err, &syntax); {
	case errors.Is(err, io.EOF), ok && syntax.Msg == io.ErrUnexpectedEOF.Error():
		return rulef("not XML: cut off")
	case ok:
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
		case xml.Directive:
			return rulef(ruleDirective)
		default:
			return rulef("not XML: a second root element")
		}
	}
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
	return d.children(func(name string) error { return rulef("expected text, got element %s", printable(name)) })
}

// skip passes over the element whose start has been read.
func (d *xmlDecoder) skip() error {
	_, err := d.children(func(string) error { return d.skip() })
	return err
}
