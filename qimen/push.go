package qimen

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

const (
	headerContentType     = "Content-Type"
	headerContentEncoding = "Content-Encoding"
	headerSignList        = "Top-Sign-List"
)

// A Push is a request of the Qimen gateway as it arrived, byte for byte: all that
// its signature covers. It can be stored and verified later.
//
// It formats and logs without its content, and has no JSON: the query carries the
// signature, the body personal data. To store a push, store the three fields.
type Push struct {
	// RawQuery is the query of the URL, still encoded, without "?".
	RawQuery string
	// Header needs Content-Type, top-sign-list and the headers named there.
	Header http.Header
	// Body is the body, not decoded in any way.
	Body []byte
}

// ReadPush reads the body of r once, limit bytes at most, and returns what the
// signature covers. Reading ends with the context of r. w may be nil; with it the
// server closes the connection of a client that sends too much, and one that falls
// silent is cut off when the context ends.
//
// Where something has parsed the form of r before, Body is made of r.PostForm, and
// verifies as the body would have. A body that is gone otherwise is an error. A GET without Content-Type and body gets the content type
// text/plain;charset=UTF-8, which is what it is verified as.
//
// The error matches [ErrBodyTooLarge], [ErrBodyTooSlow], or [ErrInvalidSignature] for
// what could not be verified: a query and signed headers of more than
// [DefaultHeaderLimit], or a body that is compressed. Otherwise it says what failed
// while reading.
func ReadPush(w http.ResponseWriter, r *http.Request, limit int64) (*Push, error) {
	if limit <= 0 {
		return nil, fmt.Errorf("qimen: body limit %d: want a positive number of bytes", limit)
	}
	p, _, err := readPush(r.Context(), w, r, DefaultHeaderLimit, limit)
	return p, err
}

// readPush is ReadPush with a context and limits of its own. wasRead reports that
// something may have read the body before.
func readPush(ctx context.Context, w http.ResponseWriter, r *http.Request, headerLimit, bodyLimit int64) (p *Push, wasRead bool, err error) {
	if p, err = readHead(r, headerLimit); err != nil {
		return nil, false, err
	}
	if r.ContentLength > bodyLimit {
		return nil, false, tooLarge(bodyLimit)
	}
	if r.Body != nil {
		p.Body, err = readBody(ctx, w, r, bodyLimit)
		if err != nil && !errors.Is(err, http.ErrBodyReadAfterClose) {
			return nil, false, err
		}
	}
	switch size := int64(len(p.Body)); {
	case size == 0 && r.ContentLength != 0 && len(r.PostForm) > 0:
		if p.Body = appendForm(nil, r.PostForm); int64(len(p.Body)) > bodyLimit {
			return nil, true, tooLarge(bodyLimit)
		}
		return p, true, nil
	case size < r.ContentLength:
		return nil, true, errBodyRead
	default:
		return p, size == 0 && r.ContentLength < 0, nil
	}
}

// appendForm writes a form that has been parsed, with the bytes that came. The order of
// the fields does not count for the signature; that of the values of one name does.
func appendForm(dst []byte, form url.Values) []byte {
	for _, name := range slices.Sorted(maps.Keys(form)) {
		for _, value := range form[name] {
			if len(dst) > 0 {
				dst = append(dst, '&')
			}
			dst = append(appendEscaped(dst, name), '=')
			dst = appendEscaped(dst, value)
		}
	}
	return dst
}

// appendEscaped escapes what is not a letter or a digit, and everything where some is not
// ASCII: a character must lie in one run of escaped bytes.
func appendEscaped(dst []byte, text string) []byte {
	isText := isASCII(text)
	for _, b := range []byte(text) {
		if isText && ('a' <= b && b <= 'z' || 'A' <= b && b <= 'Z' || '0' <= b && b <= '9') {
			dst = append(dst, b)
		} else {
			const digits = "0123456789ABCDEF"
			dst = append(dst, '%', digits[b>>4], digits[b&15])
		}
	}
	return dst
}

// readHead makes a push without its body, of the headers that a signature can cover
// and no others.
func readHead(r *http.Request, limit int64) (*Push, error) {
	for _, encoding := range r.Header[headerContentEncoding] {
		if err := checkContentEncoding(encoding); err != nil {
			return nil, err
		}
	}
	list := r.Header.Get(headerSignList)
	if int64(len(list)) > limit {
		return nil, headTooLarge(limit)
	}
	names, err := splitParams(list, ",")
	if err != nil {
		return nil, err
	}
	p := &Push{RawQuery: r.URL.RawQuery, Header: http.Header{}}
	for _, name := range append(names, headerContentType, headerSignList) {
		name = http.CanonicalHeaderKey(name)
		if _, ok := p.Header[name]; ok { // a list can name one header thousands of times
			continue
		}
		if name == "Host" { // net/http moves it
			p.Header.Set(name, r.Host)
		} else if values := r.Header[name]; len(values) > 0 {
			p.Header[name] = slices.Clone(values)
		}
	}
	if p.Header.Get(headerContentType) == "" && isBareGet(r) {
		p.Header.Set(headerContentType, "text/plain;charset=UTF-8")
	}
	if err := p.checkHead(limit); err != nil {
		return nil, err
	}
	return p, nil
}

// isBareGet reports whether r is a GET that has all it says in its query.
func isBareGet(r *http.Request) bool {
	return r.Method == http.MethodGet && r.ContentLength == 0 && r.URL.RawQuery != ""
}

// checkHead bounds what is signed beside the body before any of it is decoded. A
// header takes part as often as the list names it, so that a short list could make
// gigabytes of a long header.
func (p *Push) checkHead(limit int64) error {
	if p == nil {
		return nil
	}
	list := headerValue(p.Header, headerSignList)
	size := int64(len(p.RawQuery) + len(headerValue(p.Header, headerContentType)) + len(list))
	if size <= limit && !top.IsBlank(list) {
		names, err := splitParams(list, ",")
		if err != nil {
			return err
		}
		index := headerIndex(p.Header)
		for _, name := range names {
			size += int64(len(index[strings.ToLower(name)]))
		}
	}
	if size > limit {
		return headTooLarge(limit)
	}
	return checkContentEncoding(headerValue(p.Header, headerContentEncoding))
}

func headTooLarge(limit int64) error {
	return unverifiable("query and signed headers have more than %d bytes", limit)
}

// checkContentEncoding refuses a body that is compressed: the signature covers the
// bytes that arrived, and what they would become has no limit.
func checkContentEncoding(encoding string) error {
	if top.IsBlank(encoding) || strings.EqualFold(strings.TrimSpace(encoding), "identity") {
		return nil
	}
	return unsupportedContentType("content encoding %s: bodies are never inflated", top.Quote(encoding, 40))
}

// readBody reads the body, and ends with ctx.
func readBody(ctx context.Context, w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	cut := make(chan bool, 1)
	stop := context.AfterFunc(ctx, func() { interrupt(w, r.Body, cut) })
	body, err := io.ReadAll(contextReader{ctx, http.MaxBytesReader(w, r.Body, limit)})
	isEnded := !stop()
	cause := context.Cause(ctx)
	isSlow := errors.Is(err, os.ErrDeadlineExceeded) || err != nil && errors.Is(err, ctx.Err())
	if isEnded { // interrupt runs or has run: it must not use w when the handler has returned
		isCut := <-cut
		// net/http cancels the context of a connection that breaks. Errors of a body that
		// was cut or closed have many names.
		isBroken := errors.Is(cause, context.Canceled) && (isCut || errors.Is(err, io.ErrUnexpectedEOF))
		isSlow = isSlow || err == nil || !isBroken
	}
	var exceeded *http.MaxBytesError
	switch {
	case errors.As(err, &exceeded):
		return nil, tooLarge(limit)
	case isSlow && cause == nil: // the ReadTimeout of the server
		return nil, tooSlow(err)
	case isSlow:
		return nil, tooSlow(cause)
	case err != nil:
		return nil, fmt.Errorf("qimen: reading the body: %w", err)
	}
	return body, nil
}

// interrupt ends a Read of body that waits for the client, and reports whether it has cut
// the connection. In net/http Close waits for the client too, so it comes second.
func interrupt(w http.ResponseWriter, body io.Closer, cut chan<- bool) {
	isCut := false
	defer func() { cut <- isCut }()
	defer contain(func(*fliggy.PanicError) {}) // w and body may be those of a middleware
	if isCut = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) == nil; !isCut {
		_ = body.Close()
	}
}

// A contextReader ends between two Reads, for a client that sends byte by byte.
type contextReader struct {
	ctx context.Context
	in  io.Reader
}

func (r contextReader) Read(b []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.in.Read(b)
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

// headerValue is one entry of the index, for a canonical name in plain ASCII, which
// comes first.
func headerValue(header http.Header, name string) string {
	if values := header[name]; len(values) > 0 {
		return values[0]
	}
	first, value := "", ""
	for other, values := range header {
		if len(values) > 0 && (first == "" || other < first) && isSameHeader(other, name) {
			first, value = other, values[0]
		}
	}
	return value
}

// isSameHeader reports whether two names are the same in lower case; name is plain ASCII.
func isSameHeader(other, name string) bool {
	if isASCII(other) {
		return len(other) == len(name) && strings.EqualFold(other, name)
	}
	other = strings.ToLower(other)
	return isASCII(other) && strings.EqualFold(other, name)
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

// MarshalJSON gives an error: what marshals a value may be a log, and a summary would
// be lost data where it is a store.
func (p Push) MarshalJSON() ([]byte, error) {
	return nil, errors.New("qimen: a Push has no JSON, so that no log shows it: store RawQuery, Header and Body")
}
