package fliggytest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

	"github.com/fliggy-go/rentcar/internal/charset"
)

var gbk = charset.GBK

// A delivery is how a reply travels.
type delivery func(w http.ResponseWriter, r *http.Request, rep reply)

// deliverWhole sends the reply as it should be, compressed where the client takes
// that.
func deliverWhole(w http.ResponseWriter, r *http.Request, rep reply) {
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		rep.body = compress(rep.body)
		w.Header().Set("Content-Encoding", "gzip")
	}
	send(w, rep)
}

// deliverGBK sends the reply in GBK and says so.
func deliverGBK(w http.ResponseWriter, r *http.Request, rep reply) { deliverWhole(w, r, rep.inGBK()) }

// deliverTruncatedGzip sends the first half of the compressed reply as if it were
// all of it.
func deliverTruncatedGzip(w http.ResponseWriter, _ *http.Request, rep reply) {
	rep.body = compress(rep.body)
	rep.body = rep.body[:len(rep.body)/2]
	w.Header().Set("Content-Encoding", "gzip")
	send(w, rep)
}

// deliverHalf announces the whole reply, sends half of it and closes the
// connection.
func deliverHalf(w http.ResponseWriter, _ *http.Request, rep reply) {
	hangUp(w, fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		rep.status, http.StatusText(rep.status), rep.contentType, len(rep.body), rep.body[:len(rep.body)/2]))
}

// deliverNothing closes the connection.
func deliverNothing(w http.ResponseWriter, _ *http.Request, _ reply) { hangUp(w, nil) }

// hangUp closes the connection after some last bytes.
func hangUp(w http.ResponseWriter, last []byte) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return // the connection is gone already
	}
	_, _ = conn.Write(last) // whoever hangs up does not care
	_ = conn.Close()
}

// send writes the reply and does not return before it is on its way.
func send(w http.ResponseWriter, rep reply) {
	w.Header().Set("Content-Type", rep.contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(rep.body)))
	w.WriteHeader(rep.status)
	_, _ = w.Write(rep.body) // the client may be gone, which is its affair
	_ = http.NewResponseController(w).Flush()
}

// zippers keeps compressors: one takes most of a megabyte.
var zippers = sync.Pool{New: func() any { return gzip.NewWriter(io.Discard) }}

func compress(data []byte) []byte {
	var b bytes.Buffer
	z, _ := zippers.Get().(*gzip.Writer)
	defer zippers.Put(z)
	z.Reset(&b)
	_, _ = z.Write(data) // a bytes.Buffer does not fail
	_ = z.Close()
	return b.Bytes()
}
