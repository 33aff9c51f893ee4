package top_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/internal/top"
)

func TestQuote(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                              `""`,
		"text/html":                     `"text/html"`,
		"0123456789012345":              `"0123456789012345"`,
		"01234567890123456":             `"012345678901234..."`,
		"中文中文中":                         `"中文中文中"`,
		"中文中文中文":                        `"中文中文中..."`,
		strings.Repeat("\U0010FFFF", 9): `"\U0010ffff\U001..."`,
		"\x00\n\"\\\xff":                `"\x00\n\"\\\xff"`,
	} {
		if got := top.Quote(text, 16); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
	for _, c := range []string{"a", "\"", "\x00", "\xff", "中", "\u2028", "\U0010FFFF"} {
		for n := range 100 {
			if got := top.Quote(strings.Repeat(c, n), 40); len(got) > 45 || !utf8.ValidString(got) {
				t.Errorf("%q %d times: %s", c, n, got)
			}
		}
	}
}
