package top

import (
	"math/bits"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// nextSpecial returns where, from i on, the first quote or backslash stands. Without
// any it is the length of the text.
func nextSpecial(text string, i int) int {
	for ; i+8 <= len(text); i += 8 {
		w := text[i : i+8]
		x := uint64(w[0]) | uint64(w[1])<<8 | uint64(w[2])<<16 | uint64(w[3])<<24 |
			uint64(w[4])<<32 | uint64(w[5])<<40 | uint64(w[6])<<48 | uint64(w[7])<<56
		if found := specials(x); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(text); i++ {
		if c := text[i]; c == '"' || c == '\\' {
			break
		}
	}
	return i
}

// specials sets the high bit of the first such byte of eight; bits behind it say
// nothing. A byte less 1 borrows from its high bit only if it is 0, or after another
// one did.
func specials(x uint64) uint64 {
	const each = 0x0101010101010101
	quote, backslash := x^each*'"', x^each*'\\'
	return ((quote-each)&^quote | (backslash-each)&^backslash) & (each * 0x80)
}

// unescape returns what the checked content of a JSON string stands for.
func unescape(body string) string {
	var out strings.Builder
	out.Grow(len(body))
	for {
		i := strings.IndexByte(body, '\\')
		if i < 0 {
			out.WriteString(body)
			return out.String()
		}
		out.WriteString(body[:i])
		if c := body[i+1]; c != 'u' {
			out.WriteByte(unescaped[c])
			body = body[i+2:]
			continue
		}
		r := hex4(body[i+2:])
		body = body[i+6:]
		if utf16.IsSurrogate(r) {
			low := rune(-1)
			if len(body) >= 6 && body[0] == '\\' && body[1] == 'u' {
				low = hex4(body[2:])
			}
			if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
				body = body[6:]
			}
		}
		out.WriteRune(r)
	}
}

// Text returns what a checked JSON string holds, quotes around it.
func Text(raw string) string {
	t := token{raw: raw, first: '"', escaped: strings.IndexByte(raw, '\\') >= 0}
	return t.str()
}

var unescaped = [256]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

// hex4 reads four hexadecimal digits, which the scanner has checked.
func hex4(s string) rune {
	var r rune
	for i := range 4 {
		r = r<<4 | rune(hexValue(s[i]))
	}
	return r
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c&^0x20 - 'A' + 10 // either case
}

// Compact returns checked JSON without white space between its tokens, and with the
// control characters in its strings escaped.
func Compact(raw string) string { return string(appendStrict(nil, raw, false)) }

// Strict returns checked JSON with the control characters in its strings escaped, so
// that encoding/json reads it too. It shares no memory with raw.
func Strict(raw string) []byte { return appendStrict(nil, raw, true) }

// appendStrict appends checked JSON with the control characters in its strings
// escaped, and the white space between its tokens if wanted.
func appendStrict(dst []byte, raw string, space bool) []byte {
	dst = slices.Grow(dst, len(raw))
	quoted := false
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; {
		case c == '"':
			quoted = !quoted
			dst = append(dst, c)
		case quoted && c == '\\':
			i++
			dst = append(dst, c, raw[i])
		case quoted && c < ' ':
			dst = appendJSONText(dst, raw[i:i+1])
		case quoted || space || c > ' ':
			dst = append(dst, c)
		}
	}
	return dst
}
