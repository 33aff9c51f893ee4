package top

import (
	"cmp"
	"strings"
)

// CompareNames orders parameter names by UTF-16 code unit, as the platform
// sorts them. It is byte order except where a character outside the BMP meets
// one from U+E000 to U+FFFF: those begin with the bytes EE and EF, and sort behind
// the others, whose bytes F0 to F4 are higher.
func CompareNames(a, b string) int {
	for i := range min(len(a), len(b)) {
		low, high := min(a[i], b[i]), max(a[i], b[i])
		switch {
		case low == high:
		case (low == 0xEE || low == 0xEF) && high >= 0xF0:
			return cmp.Compare(b[i], a[i])
		default:
			return cmp.Compare(a[i], b[i])
		}
	}
	return cmp.Compare(len(a), len(b))
}

// IsBlank reports whether s is empty or Java whitespace throughout: the platform
// neither signs nor sends such values. The set is Java's: it lacks U+00A0,
// U+2007, U+202F and U+0085, which unicode.IsSpace has, and has U+001C..U+001F,
// which unicode.IsSpace lacks.
func IsBlank(s string) bool { return strings.TrimLeft(s, javaSpace) == "" }

const javaSpace = "\u3000\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200A\u2028\u2029\u205F" +
	"\t\n\v\f\r\x1C\x1D\x1E\x1F "
