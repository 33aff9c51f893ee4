package rentcar

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
)

// An answer is what came back for one attempt.
type answer struct {
	status int
	header http.Header
	read   bool   // whether body is all of it
	body   string // inflated, in its own charset
}

// raw is the answer in the form that callers get.
func (a *answer) raw() RawReply {
	r := RawReply{HTTPStatus: a.status, Header: a.header}
	if a.read {
		r.Body = []byte(a.body)
	}
	return r
}

// describe says what came without showing it.
func (a *answer) describe() string {
	body := strings.TrimSpace(a.body)
	kind := "text"
	switch {
	case body == "":
		return "empty"
	case body[0] == '{' || body[0] == '[':
		kind = "JSON"
	case isHTML(body):
		kind = "HTML"
	case body[0] == '<':
		kind = "XML"
	}
	return fmt.Sprintf("%s, %d bytes", kind, len(a.body))
}

func isHTML(body string) bool {
	return hasPrefixFold(body, "<html") || hasPrefixFold(body, "<!doctype html")
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}

// replyBuffers are kept for replies alone, so that a body that is still written to after
// it has been read, against the rules, spoils no request.
var replyBuffers = sync.Pool{New: func() any { return new([]byte) }}

// readAll returns at most limit bytes. size is how many there are believed to be. The
// buffer of a body that failed is not kept: who has given it up may still write to it.
func readAll(from io.Reader, size, limit int64) (string, error) {
	const most = 64 << 10 // of what is believed before it is there
	buf := replyBuffers.Get().(*[]byte)
	body := slices.Grow((*buf)[:0], max(4<<10, int(min(size, most))+1)) // one more, to meet the end
	for {
		n, err := from.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case int64(len(body)) > limit:
			return "", ErrReplyTooLarge
		case err == io.EOF:
			text := string(body)
			if whole := body[:cap(body)]; len(whole) <= maxBuffer {
				clear(whole) // a reader may have used all of it
				*buf = whole[:0]
				replyBuffers.Put(buf)
			}
			return text, nil
		case err != nil:
			return "", err
		case len(body) == cap(body):
			body = slices.Grow(body, len(body))
		}
	}
}
