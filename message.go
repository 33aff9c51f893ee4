package rentcar

import (
	"bytes"
	"slices"
	"sync"

	"github.com/fliggy-go/rentcar/internal/top"
)

// A message is the parameter that wraps the request of a typed call. Its JSON is
// held where it is short. A long one is encoded again whenever it is needed, so
// that the memory of a call does not grow with its bill; the request must not
// change meanwhile. The zero message is none.
type message struct {
	name    string // of the parameter
	plan    *top.Plan
	request any
	options top.EncodeOptions
	text    []byte      // JSON; nil for a long one
	escaped int64       // length of the JSON in a form
	begun   *top.Digest // of a long one: the signature up to its end, if that is the same for all attempts
	buf     *buffer
}

// prepare encodes the request once. It holds the JSON of a short one; a long one it
// measures, and signs: begin gives the signature of what stands before it, or nil.
// doubtful is Encoder.Doubtful. The message is to be released afterwards.
func (m *message) prepare(begin func() *top.Digest) (doubtful bool, err error) {
	m.buf = takeBuffer()
	e := m.encode(false)
	defer e.Close()
	done, err := m.buf.fill(e)
	if done {
		m.text = m.buf.bytes
		return e.Doubtful(), nil
	}
	if m.begun = begin(); m.begun != nil {
		m.begun.WriteString(m.name)
	}
	for err == nil {
		m.escaped += int64(top.EscapedLen(m.buf.bytes))
		if m.begun != nil {
			m.begun.WriteBytes(m.buf.bytes)
		}
		if done {
			return e.Doubtful(), nil
		}
		done, err = m.buf.fill(e)
	}
	return true, err
}

func (m *message) encode(escaped bool) *top.Encoder {
	o := m.options
	o.Escaped = escaped
	return m.plan.Encode(m.request, o)
}

// place tells where among sorted parameters the message stands.
func (m *message) place(params []top.Param) int {
	if m.plan == nil {
		return len(params)
	}
	at, _ := slices.BinarySearchFunc(params, m.name, func(p top.Param, name string) int { return top.CompareNames(p.Name, name) })
	return at
}

// sign writes the message to a signature.
func (m *message) sign(d *top.Digest) {
	if m.plan == nil {
		return
	}
	d.WriteString(m.name)
	if m.text != nil {
		d.WriteBytes(m.text)
		return
	}
	e := m.encode(false)
	defer e.Close()
	for done := false; !done; {
		var err error
		if done, err = m.buf.fill(e); err != nil {
			return // it could be encoded before: somebody changes it, and reading the body will fail
		}
		d.WriteBytes(m.buf.bytes)
	}
}

// signature goes on with the one that has been begun, if there is one.
func (m *message) signature() (d *top.Digest, begun bool) {
	if m.begun == nil {
		return nil, false
	}
	return m.begun.Clone()
}

// release gives back what the message holds.
func (m *message) release() {
	if m.begun != nil {
		m.begun.Close()
	}
	if m.buf != nil {
		m.buf.release()
	}
	m.begun, m.buf, m.text, m.request = nil, nil, nil, nil
}

// formContent is the body of a call that sends a form: the message, and sorted
// parameters beside it.
func formContent(m *message, params []top.Param) content {
	if m.plan == nil {
		return rawContent(top.AppendForm(nil, params))
	}
	at := m.place(params)
	b := m.buf.bytes
	start := len(m.text)
	if m.text == nil {
		b = nil
	}
	if at > 0 {
		b = append(top.AppendForm(b, params[:at]), '&')
	}
	b = append(top.AppendEscaped(b, m.name), '=')
	var tail []byte
	if at < len(params) {
		tail = top.AppendForm([]byte{'&'}, params[at:])
	}
	if m.text == nil {
		return content{head: b, long: m, tail: tail, size: int64(len(b)) + m.escaped + int64(len(tail))}
	}
	b = append(top.AppendEscaped(b, m.text), tail...)
	m.buf.bytes, m.text = b, b[:start:start]
	return rawContent(bytes.Clone(b[start:])) // a round tripper may still read it when the buffer is another call's
}

const (
	// chunkSize is how much of a long message is encoded at once, and how long one
	// is that is held, in bytes of JSON.
	chunkSize = 8 << 10
	// maxBuffer is the largest buffer that is kept.
	maxBuffer = 16 * chunkSize
)

// A buffer is one that others have used before, and wiped: requests are personal
// data.
type buffer struct {
	bytes []byte
	used  int // most that was in it
}

var buffers = sync.Pool{New: func() any { return &buffer{bytes: make([]byte, 0, chunkSize+chunkSize/2)} }}

func takeBuffer() *buffer { return buffers.Get().(*buffer) }

// fill takes the next piece of what e writes.
func (b *buffer) fill(e *top.Encoder) (done bool, err error) {
	piece, done, err := e.Append(b.bytes[:0], chunkSize)
	if err != nil {
		b.used = cap(b.bytes) // nobody knows
		return false, err
	}
	b.bytes, b.used = piece, max(b.used, len(piece))
	return done, nil
}

func (b *buffer) release() {
	clear(b.bytes[:min(max(b.used, len(b.bytes)), cap(b.bytes))])
	b.bytes, b.used = b.bytes[:0], 0
	if cap(b.bytes) <= maxBuffer {
		buffers.Put(b)
	}
}
