package top

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"strings"
	"unicode/utf8"
)

// An xmlTree is a document that was tokenized once, up to where it breaks off. It
// is small: a reply may hold millions of elements.
type xmlTree struct {
	nodes []xmlNode // the elements in the order of their starts, the root first
	text  string    // all names and texts
	err   error     // what is wrong behind the last element, nil for a whole document
}

// An xmlNode is an element. Its name and, behind it, its text are parts of the
// tree's text; the text between other elements counts only where it has words.
type xmlNode struct {
	name, text, end uint32
	next            uint32 // the element behind all inside it, 0 where the document breaks off before its end
}

func (t *xmlTree) name(i uint32) string {
	n := t.nodes[i]
	return t.text[n.name:n.text]
}

// broken tells whether the document ends before the element does.
func (t *xmlTree) broken(i uint32) bool { return t.nodes[i].next == 0 }

// next returns the element behind i and all inside it.
func (t *xmlTree) next(i uint32) uint32 {
	if n := t.nodes[i].next; n > 0 {
		return n
	}
	return uint32(len(t.nodes)) //nolint:gosec // at most a node for each byte, see parseXML
}

// content returns the text of the element, without that inside others.
func (t *xmlTree) content(i uint32) string {
	n := t.nodes[i]
	return t.text[n.text:n.end]
}

// children lists the elements inside i.
func (t *xmlTree) children(i uint32) []uint32 {
	var kids []uint32
	for j := i + 1; j < t.next(i); j = t.next(j) {
		kids = append(kids, j)
	}
	return kids
}

// members lists the elements inside the root, or inside those of its children
// that are called inner where that is not empty.
func (t *xmlTree) members(inner string) []uint32 {
	kids := t.children(0)
	if inner == "" {
		return kids
	}
	var members []uint32
	for _, i := range kids {
		if t.name(i) == inner {
			members = append(members, t.children(i)...)
		}
	}
	return members
}

func newTokens(data []byte) *xml.Decoder {
	d := xml.NewDecoder(bytes.NewReader(data))
	d.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	return d
}

const (
	ruleUTF8      = "not valid UTF-8"
	ruleDirective = "not XML as expected: a document type or directive"
)

// XMLRoot returns the name of the root element.
func XMLRoot(data []byte) (string, error) {
	if !utf8.Valid(data) {
		return "", rulef(ruleUTF8)
	}
	b := treeBuilder{tokens: newTokens(data)}
	start, err := b.root()
	return start.Name.Local, err
}

// parseXML reads a document. Where it breaks off behind the start of the root,
// the tree has the error.
func parseXML(data []byte) (*xmlTree, error) {
	switch {
	case !utf8.Valid(data):
		return nil, rulef(ruleUTF8)
	case uint64(len(data)) > math.MaxUint32/2: // texts between elements are kept twice
		return nil, rulef("too long")
	}
	b := treeBuilder{tokens: newTokens(data)}
	start, err := b.root()
	if err != nil {
		return nil, err
	}
	starts := bytes.Count(data, []byte("<")) - bytes.Count(data, []byte("</"))
	b.nodes = make([]xmlNode, 0, min(starts, len(data)/len("<a/>"))+1)
	b.text.Grow(len(data))
	b.start(start)
	for len(b.open) > 0 && err == nil {
		err = b.step()
	}
	if err == nil {
		err = b.end()
	}
	return &xmlTree{nodes: b.nodes, text: b.text.String(), err: err}, nil
}

// A treeBuilder makes a tree of tokens.
type treeBuilder struct {
	tokens *xml.Decoder
	nodes  []xmlNode
	text   strings.Builder
	open   []openElement
}

// An openElement is an element whose end has not come.
type openElement struct {
	node   uint32
	tag    xml.Name
	words  bool        // some text is more than white space
	pieces [][2]uint32 // where its text lies
}

func (b *treeBuilder) root() (xml.StartElement, error) {
	for {
		t, err := b.tokens.RawToken()
		if err != nil {
			return xml.StartElement{}, xmlRule(err)
		}
		switch t := t.(type) {
		case xml.StartElement:
			return t, nil
		case xml.EndElement:
			return xml.StartElement{}, b.errLine()
		case xml.Directive:
			return xml.StartElement{}, rulef(ruleDirective)
		case xml.CharData:
			if len(bytes.TrimSpace(bytes.TrimPrefix(t, []byte("\ufeff")))) > 0 {
				return xml.StartElement{}, rulef("not XML: text before the root element")
			}
		}
	}
}

// step takes the next token inside the root. Raw tokens cost less, and namespaces
// mean nothing here; that ends fit their starts is checked here instead.
func (b *treeBuilder) step() error {
	t, err := b.tokens.RawToken()
	if err != nil {
		return xmlRule(err)
	}
	switch t := t.(type) {
	case xml.StartElement:
		if len(b.open) == maxDepth {
			return rulef(ruleDepth, maxDepth)
		}
		b.start(t)
	case xml.EndElement:
		if b.open[len(b.open)-1].tag != t.Name {
			return b.errLine()
		}
		b.finish()
	case xml.CharData:
		in := &b.open[len(b.open)-1]
		in.words = in.words || len(bytes.TrimSpace(t)) > 0
		at := b.at()
		b.text.Write(t)
		in.pieces = append(in.pieces, [2]uint32{at, b.at()})
	case xml.Directive:
		return rulef(ruleDirective)
	}
	return nil
}

func (b *treeBuilder) at() uint32 { return uint32(b.text.Len()) } //nolint:gosec // see parseXML

func (b *treeBuilder) count() uint32 { return uint32(len(b.nodes)) } //nolint:gosec // see parseXML

func (b *treeBuilder) start(t xml.StartElement) {
	n := len(b.open)
	if n < cap(b.open) {
		b.open = b.open[:n+1] // with the place of the pieces of another element
	} else {
		b.open = append(b.open, openElement{})
	}
	b.open[n] = openElement{node: b.count(), tag: t.Name, pieces: b.open[n].pieces[:0]}
	node := xmlNode{name: b.at()}
	b.text.WriteString(t.Name.Local)
	node.text = b.at()
	b.nodes = append(b.nodes, node)
}

// finish ends the innermost element. Its text lies in one piece behind its name
// unless other elements lie between.
func (b *treeBuilder) finish() {
	last := len(b.open) - 1
	in := b.open[last]
	b.open = b.open[:last]
	n := &b.nodes[in.node]
	n.next = b.count()
	switch leaf := n.next == in.node+1; {
	case leaf:
		n.end = b.at()
	case !in.words:
		n.end = n.text
	default:
		whole := b.text.String()
		name := whole[n.name:n.text]
		n.name = b.at()
		b.text.WriteString(name)
		n.text = b.at()
		for _, p := range in.pieces {
			b.text.WriteString(whole[p[0]:p[1]])
		}
		n.end = b.at()
	}
}

// end fails unless only comments and white space are left.
func (b *treeBuilder) end() error {
	for {
		t, err := b.tokens.RawToken()
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
		case xml.EndElement:
			return b.errLine()
		default:
			return rulef("not XML: a second root element")
		}
	}
}

const ruleLine = "not XML: line %d"

// errLine says where the document stops being XML.
func (b *treeBuilder) errLine() error {
	line, _ := b.tokens.InputPos()
	return rulef(ruleLine, line)
}

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
