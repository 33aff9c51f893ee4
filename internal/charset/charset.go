// Package charset turns the bytes of pushes and replies into text and back, for
// the charsets that the platform declares: UTF-8 and the GB family.
package charset

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
)

// Default is the charset of a content type that declares none.
const Default = "UTF-8"

// ErrInvalid is matched by the errors of DecodeStrict for bytes that are not
// text in the named charset.
var ErrInvalid = errors.New("invalid byte sequence")

// A Charset is one of the charsets that the platform declares.
type Charset int

// The charsets.
const (
	UTF8 Charset = iota
	GBK
	GB2312
	GB18030
)

// names holds the spellings that Java knows for these charsets, in lower case.
var names = map[string]Charset{
	"utf-8": UTF8, "utf8": UTF8,
	"gbk": GBK, "cp936": GBK, "windows-936": GBK,
	"gb2312": GB2312, "gb2312-80": GB2312, "euc-cn": GB2312,
	"gb18030": GB18030,
}

// Lookup finds a charset by its name, in any case. The error names a charset that
// is unknown.
func Lookup(name string) (Charset, error) {
	// No known name is longer than 16 bytes: an error must not carry a
	// header-sized name.
	if len(name) <= 16 {
		if c, ok := names[strings.ToLower(name)]; ok {
			return c, nil
		}
	}
	return 0, fmt.Errorf("charset %q is not supported: use UTF-8, GBK, GB2312 or GB18030", name[:min(len(name), 40)])
}

// String gives the usual name.
func (c Charset) String() string {
	return [...]string{"UTF-8", "GBK", "GB2312", "GB18030"}[c]
}

func (c Charset) encoding() encoding.Encoding {
	if c == GB18030 {
		return simplifiedchinese.GB18030
	}
	return simplifiedchinese.GBK // GB2312 is a part of it
}

// IsUTF8 reports whether name is a spelling of UTF-8.
func IsUTF8(name string) bool {
	c, err := Lookup(name)
	return err == nil && c == UTF8
}

// FromContentType returns the charset that a content type declares, as the
// platform's own checker reads it: the first parameter that starts with
// "charset" in lower case, the text after its first "=", trimmed and not
// unquoted. Where there is none the result is Default.
func FromContentType(contentType string) string {
	for param := range strings.SplitSeq(contentType, ";") {
		param = strings.TrimFunc(param, isJavaTrim)
		if !strings.HasPrefix(param, "charset") {
			continue
		}
		_, value, _ := strings.Cut(param, "=")
		if value = strings.TrimFunc(value, isJavaTrim); value != "" {
			return value
		}
		break
	}
	return Default
}

// isJavaTrim is the set that Java's String.trim cuts.
func isJavaTrim(r rune) bool { return r <= ' ' }

// Decode reads b as text. Bytes that are not text become U+FFFD: in UTF-8 exactly
// as many as Java makes of them, in the GB family possibly another number.
func (c Charset) Decode(b []byte) string {
	if c == UTF8 {
		return decodeUTF8(b)
	}
	return c.decodeGB(b)
}

// Encode writes text in the charset. A character that it lacks becomes '?', as in
// Java.
func (c Charset) Encode(text string) []byte {
	switch c {
	case UTF8:
		return []byte(text)
	}
	return c.encodeGB(text)
}

// DecodeStrict reads body as text in the named charset, and refuses bytes that
// are not text in it with an error that matches ErrInvalid. The name may stand
// in double quotes; an error names a charset that is unknown. GB2312 is read as
// GBK, which contains it. U+FFFD itself counts as invalid in the GB family.
func DecodeStrict(name string, body []byte) (string, error) {
	c, err := Lookup(strings.Trim(name, `"`))
	if err != nil {
		return "", err
	}
	text := ""
	valid := false
	if c == UTF8 {
		text, valid = string(body), utf8.Valid(body)
	} else {
		text = c.decodeGB(body)
		valid = !strings.ContainsRune(text, utf8.RuneError)
	}
	if !valid {
		return "", fmt.Errorf("not valid %v: %w", c, ErrInvalid)
	}
	return text, nil
}
