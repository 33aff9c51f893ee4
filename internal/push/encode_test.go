package push

import (
	"testing"

	"github.com/fliggy-go/rentcar/internal/charset"
)

func TestEncode(t *testing.T) {
	t.Parallel()
	const message = `{"a":1,"b":{"c":"中 &"}}`
	for contentType, want := range map[string]string{
		DefaultContentType:                                   message,
		"text/plain;charset=gbk":                             string(charset.GBK.Encode(message)),
		"application/x-www-form-urlencoded":                  "a=1&b=%7B%22c%22%3A%22%E4%B8%AD+%26%22%7D",
		"application/x-www-form-urlencoded; charset=gb18030": "a=1&b=%7B%22c%22%3A%22%D6%D0+%26%22%7D",
		"text/xml;charset=utf-8": "<request><a>1</a><b>{&#34;c&#34;:&#34;中 &amp;&#34;}</b>" +
			"</request>",
	} {
		if got, err := Encode([]byte(message), contentType); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v", contentType, got, err)
		}
	}
	for message, contentType := range map[string]string{"{": "text/plain", "{}": "text/plain;charset=klingon"} {
		if got, err := Encode([]byte(message), contentType); err == nil {
			t.Errorf("%s, %s: got %q", message, contentType, got)
		}
	}
}
