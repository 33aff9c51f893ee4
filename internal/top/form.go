package top

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

const upperHex = "0123456789ABCDEF"

// AppendForm appends the parameters as name=value pairs joined by '&', escaped
// as Java escapes forms: space becomes '+', letters, digits and ".-*_" stay,
// all other bytes become %XX.
func AppendForm(dst []byte, params []Param) []byte {
	for i, p := range params {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = AppendEscaped(dst, p.Name)
		dst = append(dst, '=')
		dst = AppendEscaped(dst, p.Value)
	}
	return dst
}

// AppendEscaped appends a name or a value as AppendForm has it.
func AppendEscaped[T string | []byte](dst []byte, text T) []byte {
	dst, _ = appendWords(dst, text, &formWords)
	return dst
}

// EscapedLen is the length of what AppendEscaped appends.
func EscapedLen[T string | []byte](text T) int {
	n := 0
	for i := range len(text) {
		n += int(formWords.size[text[i]])
	}
	return n
}

// A wordTable says what is written for each byte of a text, as the first bytes of
// a little-endian word. To write a whole word and go on after its used part is
// faster than to branch on each byte.
type wordTable struct {
	word [256]uint64
	size [256]uint8
}

var (
	formWords     = newWordTable(appendFormByte)
	formJSONWords = newWordTable(func(dst []byte, c byte) []byte { // a byte of a JSON string that is sent in a form
		for _, b := range appendJSONByte(nil, c) {
			dst = appendFormByte(dst, b)
		}
		return dst
	})
)

func newWordTable(appendByte func([]byte, byte) []byte) (t wordTable) {
	for c := range 256 {
		b := appendByte(nil, byte(c))
		t.size[c] = uint8(len(b)) //nolint:gosec // 8 at most
		t.word[c] = binary.LittleEndian.Uint64(append(b, make([]byte, 8)...))
	}
	return t
}

// appendWords appends the word of each byte. high tells whether there was any that
// is not ASCII.
func appendWords[T string | []byte](dst []byte, text T, t *wordTable) (out []byte, high bool) {
	const (
		piece = 64
		room  = 8 * piece
	)
	all := byte(0)
	for len(text) > 0 {
		part := text[:min(len(text), piece)]
		text = text[len(part):]
		n := len(dst)
		dst = slices.Grow(dst, room+8)
		free := (*[room + 8]byte)(dst[n : n+room+8])
		at := 0
		for i := 0; i < len(part) && uint(at) <= room; i++ { // which it is; the compiler need not check further
			c := part[i]
			all |= c
			binary.LittleEndian.PutUint64(free[at:], t.word[c])
			at += int(t.size[c])
		}
		dst = dst[:n+at]
	}
	return dst, all >= utf8.RuneSelf
}

func appendFormByte(dst []byte, c byte) []byte {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '.', c == '-', c == '*', c == '_':
		return append(dst, c)
	case c == ' ':
		return append(dst, '+')
	}
	return append(dst, '%', upperHex[c>>4], upperHex[c&15])
}
