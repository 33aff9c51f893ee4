package charset

import (
	"strings"
	"unicode/utf8"
)

// decodeUTF8 decodes like Java's UTF-8 decoder, which makes one U+FFFD of each
// maximal prefix of a character, and one of a whole encoded surrogate, where Go
// makes one of every byte. The signature of a push covers the result, so the
// number matters.
func decodeUTF8(b []byte) string {
	if utf8.Valid(b) {
		return string(b)
	}
	var out strings.Builder
	out.Grow(len(b) + len(b)/2)
	for len(b) > 0 {
		r, size := utf8.DecodeRune(b)
		if r == utf8.RuneError && size == 1 {
			size = malformedLen(b)
		}
		out.WriteRune(r)
		b = b[size:]
	}
	return out.String()
}

// malformedLen tells how many bytes at the start of b, which do not start a
// valid character, Java replaces by one U+FFFD.
func malformedLen(b []byte) int {
	want := 0 // bytes of a character that starts so
	switch {
	case b[0] >= 0xC2 && b[0] <= 0xDF:
		want = 2
	case b[0] >= 0xE0 && b[0] <= 0xEF:
		want = 3
	case b[0] >= 0xF0 && b[0] <= 0xF4:
		want = 4
	}
	n := 1
	for n < want && n < len(b) && isContinuation(b[0], b[n], n) {
		n++
	}
	return n
}

// isContinuation reports whether c may stand at place i behind the first byte.
// ED A0..ED BF, the surrogates, pass here: Java takes them for one character
// before it refuses them.
func isContinuation(first, c byte, i int) bool {
	low, high := byte(0x80), byte(0xBF)
	if i == 1 {
		switch first {
		case 0xE0:
			low = 0xA0
		case 0xF0:
			low = 0x90
		case 0xF4:
			high = 0x8F
		}
	}
	return c >= low && c <= high
}
