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
// do not count: the platform may use a new trace id each time it repeats a message.
//
// The content type is not signed, so somebody who recorded a push can resend it with another charset, which changes the
// text. digestOf therefore reads everything as UTF-8 that is valid UTF-8.
func digestOf(d *Delivery, payload []byte) string {
	digest, _ := checkedDigest(d, payload)
	return digest
}

// checkedDigest is digestOf with an error for JSON that has a duplicate member in an object, since its meaning is
// ambiguous.
func checkedDigest(d *Delivery, payload []byte) (string, error) {
	text := d.Text
	if string(payload) != text { // mostly equal: do not copy
		text = string(payload)
	}
	if d.charset != charset.UTF8 {
		if signed := d.charset.Encode(text); utf8.Valid(signed) {
			text = string(signed)
		}
	}
	text = strings.TrimSpace(strings.TrimPrefix(text, "\uFEFF"))
	sum, isJSON, err := top.DigestJSON(text, traceNames...)
	if !isJSON {
		if strings.HasPrefix(text, "<") {
			text = xmlTraceID.ReplaceAllLiteralString(text, "")
		}
		sum = sha256.Sum256([]byte(text))
	}
	if err != nil {
		err = fmt.Errorf("qimen: %w", err)
	}
	return hex.EncodeToString(sum[:]), err
}

// traceNames are the names of the trace id.
var traceNames = []string{"traceId", "trace_id"}

var xmlTraceID = regexp.MustCompile(`<traceId>[^<]*</traceId>`)
