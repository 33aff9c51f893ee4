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

// A Push is a request of the Qimen gateway as it arrived, byte for byte: everything that its signature covers. It can
// be stored and verified later.
//
// It is printed and logged without its content, and cannot be encoded as JSON: the query holds the signature, the body
// personal data. To store a push, store the three fields.
type Push struct {
	// RawQuery is the query of the URL, still encoded, without "?".
	RawQuery string
	// Header holds Content-Type, top-sign-list and the headers that top-sign-list names. Others are not needed.
	Header http.Header
	// Body is the raw body.
	Body []byte
}

// ReadPush reads at most limit bytes of the body of r and returns what the signature covers. Reading ends with the
// context of r. w may be nil. Otherwise the server closes the connection of a client that sends too much, and of one
// that is silent when the context ends.
//
// If the form of r was parsed before, Body is made from r.PostForm and verifies like the original. A body that was read
// otherwise is an error. A GET without Content-Type and body gets the content type text/plain;charset=UTF-8, as which
// it is verified.
//
// The error matches [ErrBodyTooLarge], [ErrBodyTooSlow], or [ErrInvalidSignature] if the push cannot be verified: query
// and signed headers exceed [DefaultHeaderLimit], or the body is compressed. Any other error is that of reading.
func ReadPush(w http.ResponseWriter, r *http.Request, limit int64) (*Push, error) {
	if limit <= 0 {
		return nil, fmt.Errorf("qimen: body limit %d: want a positive number of bytes", limit)
	}
	p, _, err := readPush(r.Context(), w, r, DefaultHeaderLimit, limit)
	return p, err
}

// readPush is ReadPush with its own context and limits. wasRead reports whether something may have read the body
// before.
func readPush(
	ctx context.Context, w http.ResponseWriter, r *http.Request, headerLimit, bodyLimit int64,
) (p *Push, wasRead bool, err error) {
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

// appendForm encodes a parsed form. For the signature the order of the fields does not matter, but that of the values
// of one name does.
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

// appendEscaped escapes all bytes but letters and digits, or every byte of a text that is not ASCII: the escaped bytes
// of a character must be contiguous.
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

// readHead returns a push without its body, with only the headers that a signature can cover.
func readHead(r *http.Request, limit int64) (*Push, error) {
	for _, encoding := range r.Header.Values(headerContentEncoding) {
		if err := checkContentEncoding(encoding); err != nil {
			return nil, err
		}
	}
	list := r.Header.Get(headerSignList)
	if int64(len(list)) > limit {
		return nil, headTooLarge(limit)
	}
	names, err := javaSplit(list, ",")
	if err != nil {
		return nil, err
	}
	p := &Push{RawQuery: r.URL.RawQuery, Header: http.Header{}}
	for _, name := range append(names, headerContentType, headerSignList) {
		name = http.CanonicalHeaderKey(name)
		if _, ok := p.Header[name]; ok { // a list can name one header thousands of times
			continue
		}
		if name == "Host" { // net/http removes it from Header
			p.Header.Set(name, r.Host)
		} else if values := r.Header[name]; len(values) > 0 {
			p.Header[name] = slices.Clone(values)
		}
	}
	if p.Header.Get(headerContentType) == "" && isBareGet(r) {
		p.Header.Set(headerContentType, "text/plain;charset=UTF-8")
	}
	if _, err := p.checkHead(limit); err != nil {
		return nil, err
	}
	return p, nil
}

// isBareGet reports whether r is a GET with a query and no body.
func isBareGet(r *http.Request) bool {
	return r.Method == http.MethodGet && r.ContentLength == 0 && r.URL.RawQuery != ""
}

// checkHead returns the headers with canonical names. It limits query and signed headers before they are decoded. A
// header counts each time it is listed: a short list could multiply a long header to gigabytes.
func (p *Push) checkHead(limit int64) (header http.Header, err error) {
	header = p.Header
	for name := range p.Header {
		if name != http.CanonicalHeaderKey(name) {
			header = canonicalHeader(p.Header)
			break
		}
	}
	list := header.Get(headerSignList)
	size := int64(len(p.RawQuery) + len(header.Get(headerContentType)) + len(list))
	if size <= limit && !top.IsBlank(list) {
		names, err := javaSplit(list, ",")
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			size += int64(len(header.Get(name)))
		}
	}
	if size > limit {
		return nil, headTooLarge(limit)
	}
	return header, checkContentEncoding(header.Get(headerContentEncoding))
}

// canonicalHeader returns a header with canonical names, as a Push need not have them. The canonical spelling of a name
// is preferred, if it has a value.
func canonicalHeader(header http.Header) http.Header {
	canonical := http.Header{}
	for _, name := range slices.Sorted(maps.Keys(header)) {
		key := http.CanonicalHeaderKey(name)
		if len(canonical[key]) == 0 || name == key && len(header[name]) > 0 {
			canonical[key] = header[name]
		}
	}
	return canonical
}

func headTooLarge(limit int64) error {
	return unverifiable("query and signed headers have more than %d bytes", limit)
}

// checkContentEncoding refuses a compressed body: the signature covers the bytes that arrived, and the decompressed
// size is unlimited.
func checkContentEncoding(encoding string) error {
	if top.IsBlank(encoding) || strings.EqualFold(strings.TrimSpace(encoding), "identity") {
		return nil
	}
	return unsupportedContentType("content encoding %s: compressed bodies are not supported", top.Quote(encoding, 40))
}

// readBody reads the body until ctx ends.
func readBody(ctx context.Context, w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	cut := make(chan bool, 1)
	stop := context.AfterFunc(ctx, func() { interrupt(w, r.Body, cut) })
	body, err := io.ReadAll(contextReader{ctx, http.MaxBytesReader(w, r.Body, limit)})
	isEnded := !stop()
	cause := context.Cause(ctx)
	isSlow := errors.Is(err, os.ErrDeadlineExceeded) || err != nil && errors.Is(err, ctx.Err())
	if isEnded { // wait for interrupt: it must not use w after the handler returns
		isCut := <-cut
		// net/http cancels the context of a broken connection. The errors of a body that was cut or closed vary.
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

// interrupt ends a blocked Read of body, and reports whether it cut the connection. Close comes second, because in
// net/http it can block too.
func interrupt(w http.ResponseWriter, body io.Closer, cut chan<- bool) {
	isCut := false
	defer func() { cut <- isCut }()
	defer contain(func(*fliggy.PanicError) {}) // w and body may come from middleware
	if isCut = http.NewResponseController(w).SetReadDeadline(time.Unix(1, 0)) == nil; !isCut {
		_ = body.Close()
	}
}

// A contextReader checks the context before each Read, for a client that sends byte by byte.
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

func (p *Push) clone() *Push {
	return &Push{RawQuery: p.RawQuery, Header: p.Header.Clone(), Body: bytes.Clone(p.Body)}
}

// String returns only the sizes.
func (p Push) String() string {
	return fmt.Sprintf("Push(query %d bytes, body %d bytes, redacted)", len(p.RawQuery), len(p.Body))
}

// Format writes String for every verb.
func (p Push) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, p.String()) }

// LogValue logs String.
func (p Push) LogValue() slog.Value { return slog.StringValue(p.String()) }

// MarshalJSON always returns an error. A log must not show the content, and a summary would be lost data in a store.
func (p Push) MarshalJSON() ([]byte, error) {
	return nil, errors.New("qimen: a Push cannot be encoded, to keep it out of logs: store RawQuery, Header and Body")
}
