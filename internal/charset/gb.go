package charset

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

func (c Charset) decodeGB(b []byte) string {
	// The decoder writes U+FFFD, three bytes, for what it does not know; it has no
	// errors. No character takes more for each of its bytes.
	text := make([]byte, 3*len(b))
	n, _, _ := c.encoding().NewDecoder().Transformer.Transform(text, b, true)
	return string(text[:n])
}

// EndsInside reports whether b, bytes of a charset of the GB family that begin with a whole
// character, ends inside one.
func (c Charset) EndsInside(b []byte) bool {
	for len(b) > 0 {
		size := 1
		switch {
		case b[0] < 0x81:
		case c == GB18030 && len(b) > 1 && b[1] >= '0' && b[1] <= '9':
			size = 4
		default:
			size = 2
		}
		if size > len(b) {
			return true
		}
		b = b[size:]
	}
	return false
}

// encodeGB writes text, and '?' for every character that the charset lacks: the
// encoder's own replacement would be U+001A.
func (c Charset) encodeGB(text string) []byte {
	encoder := c.encoding().NewEncoder().Transformer
	src := []byte(strings.ToValidUTF8(text, string(utf8.RuneError)))
	out := make([]byte, 0, 2*len(src)) // GB18030 makes four bytes of two at most
	for len(src) > 0 {
		n, read, err := encoder.Transform(out[len(out):cap(out)], src, true)
		out, src = out[:len(out)+n], src[read:]
		if err != nil && len(src) > 0 {
			_, size := utf8.DecodeRune(src)
			out, src = append(out, '?'), src[size:]
		}
	}
	if c != GB18030 {
		out = javaEuro(out)
	}
	if c == GB2312 {
		return onlyGB2312(out)
	}
	return out
}

// javaEuro writes the euro sign as Java does: A2E3. The table has 0x80, as Windows does.
func javaEuro(gbk []byte) []byte {
	if bytes.IndexByte(gbk, 0x80) < 0 {
		return gbk
	}
	out := make([]byte, 0, 2*len(gbk))
	for i := 0; i < len(gbk); {
		switch {
		case gbk[i] == 0x80:
			out = append(out, 0xA2, 0xE3)
			i++
		case gbk[i] < utf8.RuneSelf:
			out = append(out, gbk[i])
			i++
		default:
			out = append(out, gbk[i], gbk[i+1])
			i += 2
		}
	}
	return out
}

// onlyGB2312 replaces the characters of a GBK text that GB2312 lacks by '?'.
func onlyGB2312(gbk []byte) []byte {
	out := gbk[:0]
	for i := 0; i < len(gbk); {
		switch {
		case gbk[i] < utf8.RuneSelf:
			out = append(out, gbk[i])
			i++
		case inGB2312(gbk[i], gbk[i+1]):
			out = append(out, gbk[i], gbk[i+1])
			i += 2
		default:
			out = append(out, '?')
			i += 2
		}
	}
	return out
}

// inGB2312 reports whether the standard assigns the pair: rows A1 to A9 hold
// symbols and have gaps, B0 to F7 hold ideographs.
func inGB2312(row, cell byte) bool {
	in := func(low, high byte) bool { return cell >= low && cell <= high }
	switch row {
	case 0xA1, 0xA3:
		return in(0xA1, 0xFE)
	case 0xA2:
		return in(0xB1, 0xE2) || in(0xE5, 0xEE) || in(0xF1, 0xFC)
	case 0xA4:
		return in(0xA1, 0xF3)
	case 0xA5:
		return in(0xA1, 0xF6)
	case 0xA6:
		return in(0xA1, 0xB8) || in(0xC1, 0xD8)
	case 0xA7:
		return in(0xA1, 0xC1) || in(0xD1, 0xF1)
	case 0xA8:
		return in(0xA1, 0xBA) || in(0xC5, 0xE9)
	case 0xA9:
		return in(0xA4, 0xEF)
	case 0xD7:
		return in(0xA1, 0xF9)
	}
	return row >= 0xB0 && row <= 0xF7 && in(0xA1, 0xFE)
}
