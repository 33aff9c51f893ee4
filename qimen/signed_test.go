package qimen

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/internal/charset"
)

// hostileShapes are pushes with a forged signature that make as much work as they can of their bytes, each of about so
// many bytes of body or of query and headers.
var hostileShapes = []struct {
	name string
	most int // of bytes
	push func(size int) *Push
}{
	{"JSON", DefaultBodyLimit, func(n int) *Push { return forged("", jsonType, strings.Repeat("{", n)) }},
	{"JSON not UTF-8", DefaultBodyLimit, func(n int) *Push { return forged("", jsonType, strings.Repeat("\xd6a", n/2)) }},
	{
		"text in GBK", DefaultBodyLimit,
		func(n int) *Push { return forged("", "text/plain;charset=GBK", strings.Repeat("\xd6\xd0a", n/3)) },
	},
	{"text in GB18030", DefaultBodyLimit, func(n int) *Push {
		return forged("", "text/plain;charset=GB18030", strings.Repeat("\x81\x30\x81\x30a", n/5))
	}},
	{"form", DefaultBodyLimit, func(n int) *Push { return forged("", formPrefix, "a="+strings.Repeat("a", n)) }},
	{
		"form in GBK runs", DefaultBodyLimit,
		func(n int) *Push { return forged("", formPrefix+";charset=GBK", "a="+strings.Repeat("\xd6\xd0a", n/3)) },
	},
	{"form in GB18030 runs", DefaultBodyLimit, func(n int) *Push {
		return forged("", formPrefix+";charset=GB18030", "a="+strings.Repeat("%81%30%81%30+", n/13))
	}},
	{
		"form in escaped GBK runs", DefaultBodyLimit,
		func(n int) *Push { return forged("", formPrefix+";charset=GBK", "a="+strings.Repeat("%d6%d0+", n/7)) },
	},
	{
		"form not UTF-8", DefaultBodyLimit,
		func(n int) *Push { return forged("", formPrefix, "a="+strings.Repeat("\xd6a", n/2)) },
	},
	{"form of many fields", DefaultBodyLimit, func(n int) *Push { return forged("", formPrefix, repeat("&%d=a", n)) }},
	{
		"form of many fields in GBK", DefaultBodyLimit,
		func(n int) *Push { return forged("", formPrefix+";charset=GBK", repeat("&%d\xd6\xd0=\xd6\xd0", n)) },
	},
	{"form of one field", DefaultBodyLimit, func(n int) *Push { return forged("", formPrefix, repeat("&a=%d", n)) }},
	{
		"form of escapes", DefaultBodyLimit,
		func(n int) *Push { return forged("", formPrefix, "a="+strings.Repeat("%61+", n/4)) },
	},
	{
		"query of many parameters", DefaultHeaderLimit, func(n int) *Push { return forged(repeat("&%d=a", n), jsonType, "") },
	},
	{"query of one parameter", DefaultHeaderLimit, func(n int) *Push { return forged(repeat("&a=%d", n), jsonType, "") }},
	{
		"query in escaped GBK runs", DefaultHeaderLimit,
		func(n int) *Push { return forged("&a="+strings.Repeat("%d6%d0+", n/7), jsonType+";charset=GBK", "") },
	},
	{"listed headers", DefaultHeaderLimit, func(n int) *Push {
		p := forged("", jsonType, "")
		p.Header.Set(headerSignList, strings.Trim(repeat(",h%d", n), ","))
		return p
	}},
	{"one listed header", DefaultHeaderLimit, func(n int) *Push {
		p := forged("", jsonType, "")
		p.Header.Set(headerSignList, strings.Trim(strings.Repeat(",long", n/10), ","))
		p.Header.Set("Long", "12345")
		return p
	}},
	{
		"content type", DefaultHeaderLimit,
		func(n int) *Push { return forged("", jsonType+";"+strings.Repeat("charse;", n/7), "") },
	},
}

// forged is a push whose signature has the right form.
func forged(more, contentType, body string) *Push {
	return newPush("sign=0123456789ABCDEF0123456789ABCDEF&"+eventQuery+more, contentType, body)
}

// repeat writes numbered pieces of about n bytes in all, not more than a push may have parameters: the last one is as
// long as it takes.
func repeat(format string, n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n && i < maxParams-20; i++ {
		fmt.Fprintf(&b, format, i)
	}
	return b.String() + strings.Repeat("a", max(0, n-b.Len()))
}

// A forged push costs one MD5 of its bytes for each secret, and no more than a few times its size in memory: the cost
// of a byte does not grow with their number.
func BenchmarkHostilePush(b *testing.B) {
	for _, shape := range hostileShapes {
		for _, size := range []int{shape.most / 64, shape.most / 8, shape.most - 1<<10} {
			b.Run(fmt.Sprintf("%s/%d", shape.name, size), func(b *testing.B) {
				p := shape.push(size)
				b.SetBytes(
					int64(len(p.RawQuery) + len(p.Body) + len(p.Header.Get(headerSignList)) + len(p.Header.Get(headerContentType))),
				)
				b.ReportAllocs()
				for b.Loop() {
					if _, err := VerifyPush(p, testSecrets); !errors.Is(err, ErrInvalidSignature) {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// The work before the signature is known to be right is bounded by the bytes that came, not by how they are cut. (A
// form in GBK made 2.8 million allocations of 70 MB out of one MiB.) AllocsPerRun forbids t.Parallel.
func TestHostilePushesAreCheap(t *testing.T) {
	for _, shape := range hostileShapes {
		p := shape.push(shape.most - 1<<10)
		verify := func() {
			if _, err := VerifyPush(p, testSecrets); !errors.Is(err, ErrInvalidSignature) {
				t.Fatalf("%s: %v", shape.name, err)
			}
		}
		pieces := 1 + strings.Count(p.RawQuery+string(p.Body), "&") + strings.Count(p.Header.Get(headerSignList), ",")
		if n := int(testing.AllocsPerRun(1, verify)); n > 200+20*min(pieces, maxParams) {
			t.Errorf("%s: %d allocations for %d pieces", shape.name, n, pieces)
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		verify()
		runtime.ReadMemStats(&after)
		if size := after.TotalAlloc - before.TotalAlloc; size > uint64(40*shape.most+500*min(pieces, maxParams)) {
			t.Errorf("%s: %d bytes allocated for %d", shape.name, size, shape.most)
		}
	}
}

// A character of the GB family lies in one run of escaped bytes: the checker takes each for itself, so what crosses its
// end is no text there.
func TestEscapedRunsInGB(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		charset, raw, want string // "" where it is refused
	}{
		{"GBK", "%D6%D0a%B9%FA", "中a国"},
		{"GBK", "\xd6\xd0a\xb9\xfa", "中a国"},
		{"GBK", "%D6%61", "謅"},
		{"GBK", "%81%40", "丂"},
		{"GBK", "%81@", ""}, // the pair is a character, but not in one run
		{"GBK", "%81", ""},
		{"GBK", "+%81+", ""},
		{"GBK", "%80", ""},
		{"GBK", "%FF", ""},
		{"GBK", "%D6%D0+%A2%E3", "中 €"},
		{"GB18030", "%81%30%81%30", "\u0080"},
		{"GB18030", "%810%810", ""},
		{"GB18030", "%81%30%810", ""},
		{"GB18030", "%94%39%E4%37a", "🔑a"},
		{"GB2312", "%D6%D0", "中"},
		{"GB2312", "%81%40", ""},
		{"UTF-8", "%E4%B8%ADa%E4%B8", "中a\uFFFD"},
		{"UTF-8", "%E4a%B8", "\uFFFDa\uFFFD"},
	} {
		cs, err := charset.Lookup(c.charset)
		if err != nil {
			t.Fatal(err)
		}
		got, err := (&signedPush{charset: cs}).unescape(c.raw)
		if got != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s in %s: %q, %v, want %q", c.raw, c.charset, got, err, c.want)
		}
	}
}
