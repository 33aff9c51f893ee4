package rentcar

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/internal/charset"
)

// xmlEncoding finds the encoding that an XML declaration names.
var xmlEncoding = regexp.MustCompile(`^<\?xml[^>]{0,80}?\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']`)

// text returns the body in UTF-8. Its charset is what the Content-Type says, else
// what an XML declaration says, else UTF-8.
func (a *answer) text() (string, error) {
	body := strings.TrimPrefix(a.body, "\ufeff")
	contentType := a.header.Get("Content-Type")
	name := charset.FromContentType(contentType)
	const mark = "charset"
	byHeader := strings.Contains(contentType, mark) || strings.Contains(strings.ToLower(contentType), mark)
	if !byHeader && strings.HasPrefix(body, "<?xml") {
		if m := xmlEncoding.FindStringSubmatch(body); m != nil {
			name = m[1]
		}
	}
	if strings.EqualFold(name, charset.Default) || charset.IsUTF8(name) {
		if !utf8.ValidString(body) {
			return "", errors.New("not valid UTF-8, and no other charset is declared")
		}
		return body, nil
	}
	text, err := charset.DecodeStrict(name, []byte(body))
	if err != nil && !byHeader && utf8.ValidString(body) {
		return body, nil // recoded on its way, the declaration left as it was
	}
	return text, err
}
