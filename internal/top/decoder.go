package top

import (
	"reflect"
	"slices"
	"strings"
	"sync"
)

// A jsonDecoder reads a text in one pass.
type jsonDecoder struct {
	scanner
	sharer
	room    *room
	own     room     // of the decoder that reads the whole message
	scratch []byte   // of values whose types read themselves
	short   [64]byte // where scratch begins
}

// Decoders are kept without anything of what they have read.
var decoders = sync.Pool{New: func() any { return new(jsonDecoder) }}

// takeDecoder returns the decoder of a message that lies in a text of so many bytes.
func takeDecoder(size int) *jsonDecoder {
	d := decoders.Get().(*jsonDecoder)
	d.sharer, d.own = newSharer(size), newRoom()
	d.room, d.scratch = &d.own, d.short[:0]
	return d
}

func (d *jsonDecoder) release() {
	*d = jsonDecoder{}
	decoders.Put(d)
}

// newJSONDecoder returns the decoder of a text that lies that deep in a message, whose
// sharer is s.
func newJSONDecoder(text string, depth int, s sharer, r *room) *jsonDecoder {
	d := &jsonDecoder{scanner: scanner{text: text, depth: depth}, sharer: sharer{s.copies || newSharer(len(text)).copies}, room: r}
	d.scratch = d.short[:0]
	return d
}

// maxShared bounds, in bytes, the text of a message that its values may share: a
// value that is kept keeps all of it.
const maxShared = 64 << 10

// A sharer hands out parts of a text.
type sharer struct{ copies bool }

func newSharer(size int) sharer { return sharer{size > maxShared} }

// keep returns what may be stored of a part of the text.
func (s sharer) keep(part string) string {
	if s.copies {
		return strings.Clone(part)
	}
	return part
}

// DecodeParts is DecodeText of an object whose members AppendParts has listed, in a text
// of that many bytes, but for those of the names in leftOut.
func (p *Plan) DecodeParts(parts []Part, size int, dst any, leftOut ...string) error {
	d := takeDecoder(size)
	defer d.release()
	d.depth = 1
	v := reflect.ValueOf(dst).Elem()
	var seen fieldSet
	for i, m := range parts {
		if slices.Contains(leftOut, m.Name) {
			continue
		}
		d.text, d.pos = m.Value, 0
		f := p.find(m.Name, i)
		if f == nil {
			p.keepUnknown(v, d.keep(m.Name), m.Value)
			continue
		}
		if err := d.field(f, v, &seen); err != nil {
			return err
		}
	}
	return p.checkSeen(&seen, v)
}
