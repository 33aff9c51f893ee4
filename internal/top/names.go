package top

import "cmp"

// CompareNames orders parameter names by UTF-16 code unit, as the platform
// sorts them. It is byte order except where a character outside the BMP meets
// one from U+E000 to U+FFFF.
func CompareNames(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return cmp.Compare(utf16Weight(a[i]), utf16Weight(b[i]))
		}
	}
	return cmp.Compare(len(a), len(b))
}

// utf16Weight moves the lead bytes of U+E000..U+FFFF (EE, EF) behind those of
// the characters outside the BMP (F0..F4), whose surrogates sort before them.
func utf16Weight(b byte) int {
	if b == 0xEE || b == 0xEF {
		return int(b) + 0x100
	}
	return int(b)
}

// IsBlank reports whether s is empty or Java whitespace throughout: the platform
// neither signs nor sends such values. The set is Java's: it lacks U+00A0,
// U+2007, U+202F and U+0085, which unicode.IsSpace has, and has U+001C..U+001F,
// which unicode.IsSpace lacks.
func IsBlank(s string) bool {
	for _, r := range s {
		if !isJavaSpace(r) {
			return false
		}
	}
	return true
}

func isJavaSpace(r rune) bool {
	switch {
	case r >= 0x09 && r <= 0x0D, r >= 0x1C && r <= 0x20:
		return true
	case r < 0x1680:
		return false
	case r == 0x1680, r >= 0x2000 && r <= 0x2006, r >= 0x2008 && r <= 0x200A:
		return true
	}
	return r == 0x2028 || r == 0x2029 || r == 0x205F || r == 0x3000
}
