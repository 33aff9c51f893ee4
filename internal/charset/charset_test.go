package charset

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"pgregory.net/rapid"

	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
)

func lookup(t testing.TB, name string) Charset {
	t.Helper()
	c, err := Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func unhex(t *testing.T, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFromContentType(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                                      "UTF-8",
		"application/json":                      "UTF-8",
		"application/json;charset=UTF-8":        "UTF-8",
		"application/json; charset=utf-8":       "utf-8",
		"text/xml;charset=GBK":                  "GBK",
		"text/xml; charset = gbk ; version=1":   "gbk",
		"text/xml;charset":                      "UTF-8",
		"text/xml;charset=":                     "UTF-8",
		"text/xml;charset= \t":                  "UTF-8",
		"text/xml;charset;charset=GBK":          "UTF-8", // the first one that starts so decides
		"text/xml;charset=GBK;charset=UTF-8":    "GBK",
		"text/xml;Charset=GBK":                  "UTF-8", // lower case only
		"text/xml;charsetfoo=GBK":               "GBK",
		`text/xml;charset="GBK"`:                `"GBK"`, // no unquoting
		"text/xml;charset=a=b":                  "a=b",
		"charset=GBK":                           "GBK",
		"multipart/form-data; boundary=charset": "UTF-8",
	} {
		if got := FromContentType(in); got != want {
			t.Errorf("FromContentType(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestUnknownCharsetIsNamed(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"latin1", "ISO-8859-1", "UTF-16", `"utf-8x`, "", strings.Repeat("x", 5000)} {
		_, errLookup := Lookup(name)
		_, errStrict := DecodeStrict(name, nil)
		for _, err := range []error{errLookup, errStrict} {
			if err == nil || !strings.Contains(err.Error(), strings.Trim(name, `"`)[:min(len(strings.Trim(name, `"`)), 40)]) {
				t.Errorf("charset %.50q: error %v does not name it", name, err)
			}
			if err != nil && len(err.Error()) > 200 {
				t.Errorf("error carries the whole name: %d bytes", len(err.Error()))
			}
		}
	}
}

func TestIsUTF8(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"utf-8": true, "UTF-8": true, "Utf8": true, "GBK": false, "nonsense": false} {
		if got := IsUTF8(name); got != want {
			t.Errorf("IsUTF8(%q) = %v", name, got)
		}
	}
}

func TestDecodeStrict(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ charset, in, want string }{
		{"UTF-8", "e4b8ad", "中"},
		{`"utf-8"`, "e4b8ad", "中"},
		{"GBK", "d6d0", "中"},
		{"GB2312", "e946", "镕"},
		{`"GB18030"`, "9439e437", "🔑"},
	} {
		got, err := DecodeStrict(c.charset, unhex(t, c.in))
		if err != nil || got != c.want {
			t.Errorf("DecodeStrict(%s, %s) = %q, %v; want %q", c.charset, c.in, got, err, c.want)
		}
	}
	for _, c := range []struct{ charset, in, name string }{
		{"UTF-8", "e4b8", "UTF-8"},
		{"utf-8", "c9cc", "UTF-8"},
		{"gbk", "61c9", "GBK"},
		{`"gb18030"`, "ff", "GB18030"},
	} {
		got, err := DecodeStrict(c.charset, unhex(t, c.in))
		if !errors.Is(err, ErrInvalid) || got != "" || !strings.Contains(err.Error(), c.name) {
			t.Errorf("DecodeStrict(%s, %s) = %q, %v; want an error that names %s", c.charset, c.in, got, err, c.name)
		}
	}
}

// What a charset can carry comes back, and what it cannot is one '?' a character.
func TestEncodeDecodeProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		// Private-use characters have no agreed place in the GB family.
		text = strings.Map(func(r rune) rune {
			if unicode.Is(unicode.Co, r) {
				return -1
			}
			return r
		}, text)
		for _, c := range []Charset{UTF8, GBK, GB2312, GB18030} {
			b := c.Encode(text)
			back := c.Decode(b)
			if utf8.RuneCountInString(back) != utf8.RuneCountInString(text) {
				t.Fatalf("%v: %q came back as %q", c, text, back)
			}
			if lossless := c == UTF8 || c == GB18030; lossless && back != text {
				t.Fatalf("%v: %q came back as %q", c, text, back)
			}
			if again := c.Encode(back); !bytes.Equal(again, b) {
				t.Fatalf("%v: bytes %x became %x", c, b, again)
			}
		}
	})
}

func FuzzDecode(f *testing.F) {
	f.Add(uint8(UTF8), []byte("\xe4\xb8a\xed\xa0\x80"))
	f.Add(uint8(GBK), []byte("\xc9\xccz\xff\x80\xa2\xe3"))
	f.Add(uint8(GB2312), []byte("\xe9F"))
	f.Add(uint8(GB18030), []byte("\x94\x39\xe4\x37\x84\x31"))
	f.Fuzz(func(t *testing.T, which uint8, body []byte) {
		c := Charset(which % 4)
		text := c.Decode(body)
		if !utf8.ValidString(text) {
			t.Fatalf("%v: %x decodes to invalid UTF-8", c, body)
		}
		strict, err := DecodeStrict(c.String(), body)
		if err == nil && strict != text {
			t.Fatalf("%v: strict %q, lenient %q", c, strict, text)
		}
		if c == UTF8 && (err == nil) != utf8.Valid(body) {
			t.Fatalf("strict UTF-8: %x gives %v", body, err)
		}
		if n := len(c.Encode(text)); n > 4*len(body) {
			t.Fatalf("%v: %d bytes grew to %d", c, len(body), n)
		}
	})
}
