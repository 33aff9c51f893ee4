package rentcar

import (
	"bytes"
	"errors"
	"io"
	"sync"

	"github.com/fliggy-go/rentcar/internal/top"
)

// A content is the body of a call: all its attempts send the same.
type content struct {
	head []byte   // the call's own, and nobody changes it
	long *message // follows, escaped; nil for nothing
	tail []byte
	size int64
}

func rawContent(body []byte) content { return content{head: body, size: int64(len(body))} }

// A payload is a content on its way, and can be read several times. A long one can be
// read until it is closed: a round tripper may still read when it has given an answer,
// but the message belongs to the caller.
type payload struct {
	content
	mu      sync.Mutex
	closed  bool
	first   payloadReader
	further []*payloadReader // of a body that is sent again
}

// open gives a reader that starts from the beginning.
func (p *payload) open() io.ReadCloser {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.size == int64(len(p.head)) { // a short one: net/http sends what it knows to be in memory together with the headers
		return io.NopCloser(bytes.NewReader(p.head))
	}
	r := &p.first
	if r.from != nil {
		r = &payloadReader{}
		p.further = append(p.further, r)
	}
	r.from = p
	return r
}

// close ends all reading of a long one. What has been read to its end stays so.
func (p *payload) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.first.forget()
	for _, r := range p.further {
		r.forget()
	}
	if p.long != nil {
		p.head, p.long, p.tail, p.further = nil, nil, nil, nil
	}
}

var (
	errPayloadClosed  = errors.New("the body was read after the call")
	errPayloadChanged = errors.New("the request was changed while it was being sent")
)

// A payloadReader reads a payload once.
type payloadReader struct {
	from    *payload
	part    int    // how many of head, message and tail have been taken up
	rest    []byte // of the last one, or of the piece of it
	sent    int64
	closed  bool
	encoder *top.Encoder // of the message, while it is being read
	buf     *buffer
}

// Read gives as much as fits. It fails where the message has another length than
// before.
func (r *payloadReader) Read(b []byte) (n int, err error) {
	p := r.from
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case r.sent == p.size:
		return 0, io.EOF
	case p.closed || r.closed:
		return 0, errPayloadClosed
	}
	ended := false
	for n < len(b) && !ended {
		copied := copy(b[n:], r.rest)
		r.rest = r.rest[copied:]
		n += copied
		if len(r.rest) == 0 {
			if ended, err = r.next(); err != nil {
				return 0, err
			}
		}
	}
	r.sent += int64(n)
	if r.sent > p.size || ended != (r.sent == p.size) {
		return 0, errPayloadChanged
	}
	return n, nil
}

// next takes up the next piece that is not empty, if there is one.
func (r *payloadReader) next() (ended bool, err error) {
	for len(r.rest) == 0 {
		switch r.part {
		case 0:
			r.rest = r.from.head
		case 1:
			done, err := r.nextPiece()
			if err != nil {
				return false, err
			}
			if !done {
				continue
			}
		case 2:
			r.rest = r.from.tail
		default:
			return true, nil
		}
		r.part++
	}
	return false, nil
}

// nextPiece takes up the next piece of the message, and tells whether it is the last.
func (r *payloadReader) nextPiece() (done bool, err error) {
	if r.encoder == nil {
		r.encoder, r.buf = r.from.long.encode(true), takeBuffer()
	}
	defer func() { // this may be the round tripper's goroutine, whose panic nobody can catch
		if recover() != nil {
			r.buf.used = cap(r.buf.bytes)
			done, err = false, errPayloadChanged
		}
	}()
	if done, err = r.buf.fill(r.encoder); err != nil {
		return false, errPayloadChanged
	}
	r.rest = r.buf.bytes
	return done, nil
}

// Close ends this reader only.
func (r *payloadReader) Close() error {
	r.from.mu.Lock()
	defer r.from.mu.Unlock()
	r.forget()
	return nil
}

func (r *payloadReader) forget() {
	r.closed, r.rest = true, nil
	if r.encoder != nil {
		r.encoder.Close()
		r.buf.release()
		r.encoder, r.buf = nil, nil
	}
}
