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

// digestOf is the SHA-256 of what a message says. White space, escapes and the order of
// members do not count, and neither does the trace id: the platform may make a new one
// for each push of the same message, which must not run again for it.
//
// The content type is not signed: whoever has recorded a push can send it again with
// its charset renamed, and it reads as other text. So what can be read as UTF-8 is.
func digestOf(d *Delivery, payload []byte) string {
	digest, _ := checkedDigest(d, payload)
	return digest
}

// checkedDigest is digestOf, with an error for JSON that has a member more than once in
// an object: it says two things.
func checkedDigest(d *Delivery, payload []byte) (string, error) {
	text := d.Text
	if string(payload) != text { // mostly it is, and need not be copied
		text = string(payload)
	}
	text = strings.TrimSpace(strings.TrimPrefix(d.asUTF8(text), "\uFEFF"))
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
	return hexText(sum), err
}

func (d *Delivery) asUTF8(payload string) string {
	if d.Push == nil {
		return payload
	}
	cs, err := charset.Lookup(charset.FromContentType(headerValue(d.Push.Header, headerContentType)))
	if err != nil || cs == charset.UTF8 {
		return payload
	}
	if signed := cs.Encode(payload); utf8.Valid(signed) {
		return string(signed)
	}
	return payload
}

// traceNames are what the trace id is called.
var traceNames = []string{"traceId", "trace_id"}

var xmlTraceID = regexp.MustCompile(`<traceId>[^<]*</traceId>`)

// hexText is hex.EncodeToString of a hash in one allocation.
func hexText(sum [sha256.Size]byte) string {
	var place [2 * sha256.Size]byte
	hex.Encode(place[:], sum[:])
	return string(place[:])
}
