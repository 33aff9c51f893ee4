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

// Recorded with OpenJDK 17: new String(bytes, UTF_8) and InputStreamReader agree.
func TestDecodeUTF8LikeJava(t *testing.T) {
	t.Parallel()
	const r = "\uFFFD"
	for in, want := range map[string]string{
		"":               "",
		"61":             "a",
		"e4b8ad":         "中",
		"e4b8":           r,
		"e4b861":         r + "a",
		"e4":             r,
		"e461":           r + "a",
		"e4b8e4b8ad":     r + "中",
		"f09f9a":         r,
		"f09f9a61":       r + "a",
		"f09f61":         r + "a",
		"f0":             r,
		"f0808080":       r + r + r + r,
		"f4908080":       r + r + r + r,
		"f48fbf":         r,
		"f5808080":       r + r + r + r,
		"f8888080":       r + r + r + r,
		"eda080":         r,
		"eda0":           r,
		"eda08061":       r + "a",
		"eda061":         r + "a",
		"edb080eda080":   r + r,
		"c0af":           r + r,
		"e08080":         r + r + r,
		"e080":           r + r,
		"c3":             r,
		"c328":           r + "(",
		"80":             r,
		"ff":             r,
		"efbfbd":         r,
		"efbfbe":         "\uFFFE",
		"efbbbf7b7d":     "\uFEFF{}",
		"f09f9a97":       "🚗",
		"f48fbfbf":       "\U0010FFFF",
		"61ff62f09f9a97": "a" + r + "b🚗",
	} {
		if got := UTF8.Decode(unhex(t, in)); got != want {
			t.Errorf("Decode(%s) = %+q, want %+q", in, got, want)
		}
	}
}

// Recorded with OpenJDK 17.
func TestEncodeLikeJava(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ charset, text, want string }{
		{"UTF-8", "中é🔑", "e4b8ad c3a9 f09f9491"},
		{"GBK", "商家接单失败", "c9ccbcd2bdd3b5a5caa7b0dc"},
		{"gbk", "a中?", "61 d6d0 3f"},
		{"GBK", "é🔑密钥", "a8a6 3f c3dcd4bf"},
		{"GBK", "€10€", "a2e3 3130 a2e3"},
		{"GBK", "\uFFFD", "3f"},
		{"GBK", "镕ⅰ", "e946 a2a1"},
		{"GB2312", "中镕文", "d6d0 3f cec4"}, // 镕 is in GBK only
		{"GB2312", "€é€", "3f a8a6 3f"},
		{"gb2312", "〇、ㄅ─啊座亍齄", "3f a1a2 a8c5 a9a4 b0a1 d7f9 d8a1 f7fe"},
		{"GB2312", "⒈①㈠Ａぁァ Αа", "a2b1 a2d9 a2e5 a3c1 a4a1 a5a1 20 a6a1 a7d1"},
		{"GB18030", "中é🔑€\uFFFD", "d6d0 a8a6 9439e437 a2e3 8431a437"},
		{"GB18030", "\xff", "8431a437"}, // not UTF-8
	} {
		got := lookup(t, c.charset).Encode(c.text)
		if want := unhex(t, c.want); !bytes.Equal(got, want) {
			t.Errorf("Encode(%s, %s) = %x, want %x", c.charset, c.text, got, want)
		}
	}
}

func TestGB2312Gaps(t *testing.T) {
	t.Parallel()
	// Number of pairs that Java's GB2312 assigns, per row; every other row from
	// B0 to F7 has 94.
	want := map[int]int{0xA1: 94, 0xA2: 72, 0xA3: 94, 0xA4: 83, 0xA5: 86, 0xA6: 48, 0xA7: 66, 0xA8: 63, 0xA9: 76, 0xD7: 89}
	total := 0
	for row := range 256 {
		n := 0
		for cell := range 256 {
			if inGB2312(byte(row), byte(cell)) {
				n++
			}
		}
		expect, special := want[row]
		if !special && row >= 0xB0 && row <= 0xF7 {
			expect = 94
		}
		if n != expect {
			t.Errorf("row %X has %d pairs, want %d", row, n, expect)
		}
		total += n
	}
	if total != 7445 {
		t.Errorf("GB2312 has %d characters, want 7445", total)
	}
}

func TestDecodeGB(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ charset, in, want string }{
		{"GBK", "c9ccbcd2", "商家"},
		{"CP936", "a2e3", "€"},
		{"gb2312", "d6d0", "中"},
		{"GB18030", "9439e437", "🔑"},
		{"GBK", "61c9", "a\uFFFD"},
		{"GBK", "c920", "\uFFFD "},
		{"GBK", "ff", "\uFFFD"},
	} {
		got := lookup(t, c.charset).Decode(unhex(t, c.in))
		if got != c.want {
			t.Errorf("Decode(%s, %s) = %+q, want %+q", c.charset, c.in, got, c.want)
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
