package rentcar

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/internal/charset"
)

// xmlEncoding finds the encoding that an XML declaration names.
var xmlEncoding = regexp.MustCompile(`^<\?xml[^>]{0,80}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']`)

// replyText returns the reply in UTF-8. Its charset is what the Content-Type
// says, else what an XML declaration says, else UTF-8.
func replyText(raw *RawReply) ([]byte, error) {
	body := bytes.TrimPrefix(raw.Body, []byte("\ufeff"))
	contentType := raw.Header.Get("Content-Type")
	name := charset.FromContentType(contentType)
	const mark = "charset"
	byHeader := strings.Contains(contentType, mark) || strings.Contains(strings.ToLower(contentType), mark)
	if !byHeader && bytes.HasPrefix(body, []byte("<?xml")) {
		if m := xmlEncoding.FindSubmatch(body); m != nil {
			name = string(m[1])
		}
	}
	if strings.EqualFold(name, charset.Default) || charset.IsUTF8(name) {
		if !utf8.Valid(body) {
			return nil, errors.New("not valid UTF-8, and no other charset is declared")
		}
		return body, nil
	}
	text, err := charset.DecodeStrict(name, body)
	if err != nil && !byHeader && utf8.Valid(body) {
		return body, nil // recoded on its way, the declaration left as it was
	}
	return []byte(text), err
}
