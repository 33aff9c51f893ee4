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
	"unicode/utf16"

	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/internal/top"
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
		"nothing": {nil, p()},
		"sorted": {
			[][]top.Param{p("b", "1", "a", "2", "B", "3", "_", "4", "1", "5")},
			p("1", "5", "B", "3", "_", "4", "a", "2", "b", "1"),
		},
		"later group wins": {
			[][]top.Param{p("a", "1", "b", "1"), p("a", "2"), p("a", "3", "c", "1")}, p("a", "3", "b", "1", "c", "1"),
		},
		"later in a group wins": {[][]top.Param{p("a", "1", "a", "2", "a", "3")}, p("a", "3")},
		"blanks fall away": {
			[][]top.Param{p("a", "", "b", " \t", "", "x", "\u3000", "x", "c", "\u00a0")}, p("c", "\u00a0"),
		},
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
		text := rapid.OneOf(
			rapid.String(), rapid.SampledFrom([]string{"", " ", "\u3000", "\u00a0", "0", "null", "\U0001F697", "\uE000"}),
		)
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
