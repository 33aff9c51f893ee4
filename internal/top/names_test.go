package top_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/internal/top"
)

// javaSpaces is the whole set of blanks, and notSpaces what is easily taken for
// one: the table of the platform.
var (
	javaSpaces = []rune{
		0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x1C, 0x1D, 0x1E, 0x1F, 0x20, 0x1680,
		0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2008, 0x2009, 0x200A,
		0x2028, 0x2029, 0x205F, 0x3000,
	}
	notSpaces = []rune{0x85, 0xA0, 0x2007, 0x202F, 0x200B, 0xFEFF, 0x180E, 0x00}
)

func TestIsBlank(t *testing.T) {
	t.Parallel()
	for r := range rune(unicode.MaxRune + 1) {
		if want := slices.Contains(javaSpaces, r); top.IsBlank(string(r)) != want {
			t.Errorf("U+%04X: blank %v", r, !want)
		}
	}
	for _, r := range notSpaces {
		if top.IsBlank(string(r)) || top.IsBlank(" "+string(r)+" ") {
			t.Errorf("U+%04X is blank", r)
		}
	}
	for text, want := range map[string]bool{
		"": true, string(javaSpaces): true, " x ": false, "\xff": false, " \xE3\x80": false,
	} {
		if top.IsBlank(text) != want {
			t.Errorf("%q: blank %v", text, !want)
		}
	}
}

func TestCompareNamesProperties(t *testing.T) {
	t.Parallel()
	// Ends of the ranges where the orders differ come up often.
	char := rapid.OneOf(rapid.Rune(), rapid.SampledFrom([]rune{
		'a', 0x7F, 0x80, 0x7FF, 0x800, 0xD7FF, 0xE000, 0xEFFF, 0xF000, 0xFFFF, 0x10000, 0x1F697, 0x10FFFF,
	}))
	text := rapid.Custom(func(t *rapid.T) string {
		return strings.ToValidUTF8(string(rapid.SliceOfN(char, 0, 6).Draw(t, "text")), "?")
	})
	t.Run("UTF-16 order", rapid.MakeCheck(func(t *rapid.T) {
		a, b := text.Draw(t, "a"), text.Draw(t, "b")
		want := slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
		if got := top.CompareNames(a, b); got != want {
			t.Fatalf("%q, %q: got %d, want %d", a, b, got, want)
		}
	}))
	t.Run("total order of all bytes", rapid.MakeCheck(func(t *rapid.T) {
		bytes := rapid.SliceOfN(rapid.OneOf(rapid.Byte(), rapid.SampledFrom([]byte{0xED, 0xEE, 0xEF, 0xF0, 0xFF})), 0, 4)
		a, b, c := string(bytes.Draw(t, "a")), string(bytes.Draw(t, "b")), string(bytes.Draw(t, "c"))
		ab, bc, ac := top.CompareNames(a, b), top.CompareNames(b, c), top.CompareNames(a, c)
		switch {
		case top.CompareNames(b, a) != -ab:
			t.Fatal("not antisymmetric")
		case (ab == 0) != (a == b):
			t.Fatal("equal only if the same")
		case ab <= 0 && bc <= 0 && ac > 0:
			t.Fatal("not transitive")
		}
	}))
}
