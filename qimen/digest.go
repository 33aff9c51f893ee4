package qimen

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"regexp"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/internal/top"
)

// digestOf is the SHA-256 of what a message says. White space and the order of
// members do not count, and neither does the trace id: the platform may make a new one
// for each push of the same message, which must not run again for it.
//
// The content type is not signed: whoever has recorded a push can send it again with
// its charset renamed, and it reads as other text. So what can be read as UTF-8 is.
func digestOf(d *Delivery, payload []byte) string {
	payload = d.asUTF8(payload)
	payload = bytes.TrimSpace(bytes.TrimPrefix(payload, []byte("\uFEFF")))
	if len(payload) > 0 && payload[0] == '<' {
		payload = xmlTraceID.ReplaceAll(payload, nil)
	}
	out := sha256.New()
	writeContent(out, payload)
	return hex.EncodeToString(out.Sum(nil))
}

func (d *Delivery) asUTF8(payload []byte) []byte {
	if d.Push == nil {
		return payload
	}
	cs, err := charset.Lookup(charset.FromContentType(headerValue(d.Push.Header, headerContentType)))
	if err != nil || cs == charset.UTF8 {
		return payload
	}
	if signed := cs.Encode(string(payload)); utf8.Valid(signed) {
		return signed
	}
	return payload
}

var xmlTraceID = regexp.MustCompile(`<traceId>[^<]*</traceId>`)

// writeContent writes the members of an object by name, without trace ids, also of one
// that lies in text, and anything else as it stands.
func writeContent(out hash.Hash, raw []byte) {
	members, ok := membersOf(raw)
	if !ok {
		if len(raw) > 0 && raw[0] == '[' {
			var compact bytes.Buffer
			if json.Compact(&compact, raw) == nil {
				raw = compact.Bytes()
			}
		}
		_, _ = out.Write(raw) // a hash does not fail
		return
	}
	slices.SortStableFunc(members, func(a, b top.Member) int { return cmp.Compare(a.Name, b.Name) })
	separator, name := byte('{'), []byte(nil)
	for _, m := range members {
		name = append(strconv.AppendQuote(append(name[:0], separator), m.Name), ':')
		_, _ = out.Write(name)
		writeContent(out, m.Value)
		separator = ','
	}
	_, _ = out.Write([]byte("}"))
}

func membersOf(raw []byte) (members []top.Member, ok bool) {
	if len(raw) > 0 && raw[0] == '"' {
		var text string
		if !bytes.ContainsRune(raw, '{') || json.Unmarshal(raw, &text) != nil {
			return nil, false
		}
		raw = bytes.TrimSpace([]byte(text))
	}
	if len(raw) == 0 || raw[0] != '{' {
		return nil, false
	}
	err := top.ScanObject(raw, func(name string, value json.RawMessage) error {
		if name != "traceId" && name != "trace_id" {
			members = append(members, top.Member{Name: name, Value: value})
		}
		return nil
	})
	return members, err == nil
}
