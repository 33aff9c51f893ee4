package qimen

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/internal/top"
)

// digestOf returns the SHA-256 of the content of a message. White space, escapes, the order of members and the trace id
// do not count: the platform may use a new trace id each time it repeats a message. Nor does it count whether a number
// or a boolean is written as text, which it always is in a form.
//
// The content type is not signed, so somebody who recorded a push can resend it with another charset, which changes the
// text. digestOf therefore reads everything as UTF-8 that is valid UTF-8.
func digestOf(cs charset.Charset, payload []byte) string {
	digest, _ := checkedDigest(cs, payload)
	return digest
}

// checkedDigest is digestOf with an error for JSON that has a duplicate member in an object, since its meaning is
// ambiguous.
func checkedDigest(cs charset.Charset, payload []byte) (string, error) {
	if cs != charset.UTF8 {
		if signed := cs.Encode(string(payload)); utf8.Valid(signed) {
			payload = signed
		}
	}
	text := strings.TrimSpace(strings.TrimPrefix(string(payload), "\uFEFF"))
	v, err := top.ParseJSON(text)
	if err != nil {
		if strings.HasPrefix(text, "<") {
			text = xmlTraceID.ReplaceAllLiteralString(text, "")
		}
		return fmt.Sprintf("%x", sha256.Sum256([]byte(text))), nil
	}
	sum, err := v.Digest(traceNames...)
	if err != nil {
		err = fmt.Errorf("qimen: %w", err)
	}
	var buf [2 * sha256.Size]byte
	return string(hex.AppendEncode(buf[:0], sum[:])), err
}

// traceNames are the names of the trace id.
var traceNames = []string{"traceId", "trace_id"}

var xmlTraceID = regexp.MustCompile(`<traceId>[^<]*</traceId>`)
