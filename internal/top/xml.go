package top

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"unicode/utf8"
)

// ParseXML reads a document and returns its root element. It must be UTF-8 by now:
// an encoding that its declaration names is taken as dealt with. Namespaces mean
// nothing; document types and directives are refused.
func ParseXML(data []byte) (Value, error) {
	if !utf8.Valid(data) {
		return Value{}, rulef(ruleUTF8)
	}
	b := builder{tokens: xml.NewDecoder(bytes.NewReader(data)), tree: &tree{long: len(data) > maxShared}}
	b.tokens.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	b.nodes = make([]node, 0, 8+min(len(data)/32, 1024))
	for {
		t, err := b.tokens.RawToken() // that ends fit their starts is checked here
		switch {
		case errors.Is(err, io.EOF) && len(b.open) == 0 && len(b.nodes) > 0:
			return Value{b.tree, 0}, nil
		case err != nil:
			return Value{}, xmlRule(err)
		}
		if err := b.add(t); err != nil {
			return Value{}, err
		}
	}
}

// A builder makes a tree of XML tokens.
type builder struct {
	*tree
	tokens *xml.Decoder
	open   []openElement
	text   []byte // of the open elements, one behind the other
}

// An openElement is an element whose end has not come.
type openElement struct {
	at   int
	tag  xml.Name
	text int // where its text begins; that of an element inside is gone when it has ended
}

func (b *builder) add(t xml.Token) error {
	switch t := t.(type) {
	case xml.StartElement:
		return b.start(t.Name)
	case xml.EndElement:
		return b.finish(t.Name)
	case xml.CharData:
		return b.chars(t)
	case xml.Directive:
		return rulef("not XML as expected: a document type or directive")
	}
	return nil
}

func (b *builder) start(tag xml.Name) error {
	switch {
	case len(b.open) == 0 && len(b.nodes) > 0:
		return rulef("not XML: a second root element")
	case len(b.open) == maxDepth:
		return rulef(ruleDepth, maxDepth)
	case len(b.nodes) == maxValues:
		return rulef(ruleValues, maxValues)
	}
	b.open = append(b.open, openElement{len(b.nodes), tag, len(b.text)})
	b.nodes = append(b.nodes, node{name: tag.Local, kind: Element})
	return nil
}

// finish ends the innermost element. Text between elements counts only where it has
// words.
func (b *builder) finish(tag xml.Name) error {
	last := len(b.open) - 1
	if last < 0 || b.open[last].tag != tag {
		line, _ := b.tokens.InputPos()
		return rulef(ruleLine, line)
	}
	in := b.open[last]
	b.open = b.open[:last]
	n := &b.nodes[in.at]
	n.end = int32(len(b.nodes)) //nolint:gosec // at most maxValues
	text := b.text[in.text:]
	if in.at+1 == len(b.nodes) || len(bytes.TrimSpace(text)) > 0 {
		n.text = string(text)
	}
	b.text = b.text[:in.text]
	return nil
}

func (b *builder) chars(t xml.CharData) error {
	if len(b.open) > 0 {
		b.text = append(b.text, t...)
		return nil
	}
	if text := strings.TrimSpace(strings.TrimPrefix(string(t), "\ufeff")); text != "" {
		return rulef("not XML: text outside of the root element")
	}
	return nil
}

const ruleLine = "not XML: line %d"

func xmlRule(err error) error {
	var syntax *xml.SyntaxError
	switch ok := errors.As(err, &syntax); {
	case errors.Is(err, io.EOF), ok && syntax.Msg == io.ErrUnexpectedEOF.Error():
		return rulef("not XML: cut off")
	case ok:
		return rulef(ruleLine, syntax.Line) // its text would quote the document
	}
	return rulef("not XML")
}
