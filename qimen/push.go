package qimen

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strings"
)

const (
	headerContentType = "Content-Type"
	headerSignList    = "top-sign-list"
)

// A Push is a request of the Qimen gateway as it arrived, byte for byte: all that
// its signature covers. It can be stored and verified later.
//
// It formats, logs and marshals to JSON without its content: the query carries
// the signature, the body personal data. To store a push, store the three fields.
type Push struct {
	// RawQuery is the query of the URL, still encoded, without "?".
	RawQuery string
	// Header needs Content-Type, top-sign-list and the headers named there.
	Header http.Header
	// Body is the body, not decoded in any way.
	Body []byte
}

// ReadPush reads the body of r once, limit bytes at most, and returns what the
// signature covers. w may be nil; with it the server closes the connection of a
// client that sends too much. The error matches [ErrBodyTooLarge], or says what
// failed while reading.
func ReadPush(w http.ResponseWriter, r *http.Request, limit int64) (*Push, error) {
	if limit <= 0 {
		return nil, fmt.Errorf("qimen: body limit %d: want a positive number of bytes", limit)
	}
	p := &Push{RawQuery: r.URL.RawQuery, Header: signedHeaders(r)}
	if r.Body == nil {
		return p, nil
	}
	if r.ContentLength > limit {
		return nil, tooLarge(limit)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if exceeded := (*http.MaxBytesError)(nil); errors.As(err, &exceeded) {
		return nil, tooLarge(limit)
	}
	if err != nil {
		return nil, fmt.Errorf("qimen: reading the body: %w", err)
	}
	p.Body = body
	return p, nil
}

// signedHeaders copies the headers that a signature can cover, and no others.
func signedHeaders(r *http.Request) http.Header {
	header := http.Header{}
	names := javaSplit(headerValue(r.Header, headerSignList), ",")
	if len(names) > maxParams { // verification refuses it too
		names = nil
	}
	for _, name := range append(names, headerContentType, headerSignList) {
		name = http.CanonicalHeaderKey(name)
		if name == "Host" { // net/http moves it
			header.Set(name, r.Host)
		} else if values := r.Header[name]; len(values) > 0 {
			header[name] = slices.Clone(values)
		}
	}
	return header
}

// headerIndex gives the first value of each header by its name in lower case. A
// Push may be made by hand, with names that are not canonical.
func headerIndex(header http.Header) map[string]string {
	index := make(map[string]string, len(header))
	for _, name := range slices.Sorted(maps.Keys(header)) {
		lower := strings.ToLower(name)
		if _, ok := index[lower]; !ok && len(header[name]) > 0 {
			index[lower] = header[name][0]
		}
	}
	return index
}

func headerValue(header http.Header, name string) string {
	if values := header[http.CanonicalHeaderKey(name)]; len(values) > 0 {
		return values[0]
	}
	return headerIndex(header)[strings.ToLower(name)]
}

func (p *Push) clone() *Push {
	return &Push{RawQuery: p.RawQuery, Header: p.Header.Clone(), Body: bytes.Clone(p.Body)}
}

// String tells only the sizes.
func (p Push) String() string {
	return fmt.Sprintf("Push(query %d bytes, body %d bytes, redacted)", len(p.RawQuery), len(p.Body))
}

// GoString is String.
func (p Push) GoString() string { return p.String() }

// Format writes String for every verb.
func (p Push) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue logs String.
func (p Push) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON writes String.
func (p Push) MarshalJSON() ([]byte, error) { return json.Marshal(p.String()) }
