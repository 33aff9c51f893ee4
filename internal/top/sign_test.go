package top_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf16"

	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

type signVector struct {
	Name           string
	Secret         string
	Params         map[string]*string
	Must, Opt, App map[string]*string
	Body           *string
	BaseString     string `json:"base_string"`
	Signs          map[string]string
}

// group makes a group of parameters; null stands for a missing value, which is
// sent as blank text or not at all.
func group(m map[string]*string) []top.Param {
	var ps []top.Param
	for name, value := range m {
		p := top.Param{Name: name}
		if value != nil {
			p.Value = *value
		}
		ps = append(ps, p)
	}
	return ps
}

func TestSignVectors(t *testing.T) {
	t.Parallel()
	for _, v := range vectors[signVector](t, "sign.json") {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			params := top.Merge(group(v.Params))
			if v.Must != nil {
				merged := top.Merge(group(v.Must), group(v.Opt), group(v.App))
				wantDiff(t, "merged groups", params, merged)
				params = merged
			}
			var body []byte
			if v.Body != nil {
				body = []byte(*v.Body)
			}
			if got := top.Base(params, body); got != v.BaseString {
				t.Errorf("base\n got %s\nwant %s", got, v.BaseString)
			}
			if len(v.Signs) < 3 {
				t.Errorf("only %d methods recorded", len(v.Signs))
			}
			for method, want := range v.Signs {
				if method == "(null)" {
					method = ""
				}
				if got := top.Sign(method, v.Secret, params, body); got != want {
					t.Errorf("%q: got %s, want %s", method, got, want)
				}
			}
		})
	}
}

// The methods of the vectors are those of the constants, and all others are
// signed with the fallback.
func TestSignMethods(t *testing.T) {
	t.Parallel()
	params := []top.Param{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}
	const secret, fallback = "0123456789abcdef0123456789abcdef", "5D4E8E9A53CF439815374D4FB7DB9E8F"
	for _, method := range []string{"", "MD5", "HMAC", "HMAC-SHA256", "hmac-md5", "sha256", " md5", "md5 "} {
		if got := top.Sign(method, secret, params, nil); got != fallback {
			t.Errorf("%q: got %s, want the fallback", method, got)
		}
	}
	for _, method := range []string{top.SignMD5, top.SignHMAC, top.SignHMACSHA256} {
		if got := top.Sign(method, secret, params, nil); got == fallback {
			t.Errorf("%q: got the fallback", method)
		}
	}
}

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
	for text, want := range map[string]bool{"": true, string(javaSpaces): true, " x ": false, "\xff": false, " \xE3\x80": false} {
		if top.IsBlank(text) != want {
			t.Errorf("%q: blank %v", text, !want)
		}
	}
}

func TestMerge(t *testing.T) {
	t.Parallel()
	p := func(pairs ...string) (out []top.Param) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, top.Param{Name: pairs[i], Value: pairs[i+1]})
		}
		return out
	}
	for name, c := range map[string]struct {
		groups [][]top.Param
		want   []top.Param
	}{
		"nothing":               {nil, p()},
		"sorted":                {[][]top.Param{p("b", "1", "a", "2", "B", "3", "_", "4", "1", "5")}, p("1", "5", "B", "3", "_", "4", "a", "2", "b", "1")},
		"later group wins":      {[][]top.Param{p("a", "1", "b", "1"), p("a", "2"), p("a", "3", "c", "1")}, p("a", "3", "b", "1", "c", "1")},
		"later in a group wins": {[][]top.Param{p("a", "1", "a", "2", "a", "3")}, p("a", "3")},
		"blanks fall away":      {[][]top.Param{p("a", "", "b", " \t", "", "x", "\u3000", "x", "c", "\u00a0")}, p("c", "\u00a0")},
		"blanks replace nothing": {
			[][]top.Param{p("a", "1"), p("a", "")}, p("a", "1"),
		},
		"prefixes first": {[][]top.Param{p("ab", "1", "a", "2", "abc", "3")}, p("a", "2", "ab", "1", "abc", "3")},
	} {
		before := make([][]top.Param, len(c.groups))
		for i := range c.groups {
			before[i] = slices.Clone(c.groups[i])
		}
		got := top.Merge(c.groups...)
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, want %v", name, got, c.want)
		}
		wantDiff(t, name+": the groups themselves", before, c.groups, cmpopts.EquateEmpty())
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

// reference is the signature by the words of the protocol, on a map and with no
// code of the package.
func reference(method, secret string, params map[string]string, body string) (base, sign string) {
	names := slices.SortedFunc(maps.Keys(params), func(a, b string) int {
		return slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	})
	blank := func(s string) bool {
		return strings.Trim(s, string(javaSpaces)) == ""
	}
	for _, name := range names {
		if !blank(name) && !blank(params[name]) {
			base += name + params[name]
		}
	}
	base += body
	var sum []byte
	switch method {
	case "md5":
		s := md5.Sum([]byte(secret + base + secret))
		sum = s[:]
	case "hmac":
		h := hmac.New(md5.New, []byte(secret))
		h.Write([]byte(base))
		sum = h.Sum(nil)
	case "hmac-sha256":
		h := hmac.New(sha256.New, []byte(secret))
		h.Write([]byte(base))
		sum = h.Sum(nil)
	default:
		s := md5.Sum([]byte(base + secret))
		sum = s[:]
	}
	return base, strings.ToUpper(hex.EncodeToString(sum))
}

func TestSignProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"", " ", "\u3000", "\u00a0", "0", "null", "\U0001F697", "\uE000"}))
		params := rapid.MapOf(text, text).Draw(t, "params")
		body := text.Draw(t, "body")
		secret := rapid.StringN(1, 40, -1).Draw(t, "secret")
		method := rapid.SampledFrom([]string{"md5", "hmac", "hmac-sha256", "", "MD5"}).Draw(t, "method")

		var list []top.Param
		for name, value := range params {
			list = append(list, top.Param{Name: name, Value: value})
		}
		cut := rapid.IntRange(0, len(list)).Draw(t, "cut")
		merged := top.Merge(list[:cut], list[cut:])
		base, sign := reference(method, secret, params, body)
		if got := top.Base(merged, []byte(body)); got != base {
			t.Fatalf("base %q, want %q", got, base)
		}
		if got := top.Sign(method, secret, merged, []byte(body)); got != sign {
			t.Fatalf("sign %s, want %s", got, sign)
		}
	})
}
