package charset

import (
	"bytes"
	"testing"
)

// Recorded with OpenJDK 17.
func TestEncodeLikeJava(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ charset, text, want string }{
		{"UTF-8", "中é🔑", "e4b8ad c3a9 f09f9491"},
		{"GBK", "商家接单失败", "c9ccbcd2bdd3b5a5caa7b0dc"},
		{"gbk", "a中?", "61 d6d0 3f"},
		{"GBK", "é🔑密钥", "a8a6 3f c3dcd4bf"},
		{"GBK", "€10€", "a2e3 3130 a2e3"},
		{"GBK", "\uFFFD", "3f"},
		{"GBK", "镕ⅰ", "e946 a2a1"},
		{"GB2312", "中镕文", "d6d0 3f cec4"}, // 镕 is in GBK only
		{"GB2312", "€é€", "3f a8a6 3f"},
		{"gb2312", "〇、ㄅ─啊座亍齄", "3f a1a2 a8c5 a9a4 b0a1 d7f9 d8a1 f7fe"},
		{"GB2312", "⒈①㈠Ａぁァ Αа", "a2b1 a2d9 a2e5 a3c1 a4a1 a5a1 20 a6a1 a7d1"},
		{"GB18030", "中é🔑€\uFFFD", "d6d0 a8a6 9439e437 a2e3 8431a437"},
		{"GB18030", "\xff", "8431a437"}, // not UTF-8
	} {
		got := lookup(t, c.charset).Encode(c.text)
		if want := unhex(t, c.want); !bytes.Equal(got, want) {
			t.Errorf("Encode(%s, %s) = %x, want %x", c.charset, c.text, got, want)
		}
	}
}

func TestGB2312Gaps(t *testing.T) {
	t.Parallel()
	// Number of pairs that Java's GB2312 assigns, per row; every other row from
	// B0 to F7 has 94.
	want := map[int]int{0xA1: 94, 0xA2: 72, 0xA3: 94, 0xA4: 83, 0xA5: 86, 0xA6: 48, 0xA7: 66, 0xA8: 63, 0xA9: 76, 0xD7: 89}
	total := 0
	for row := range 256 {
		n := 0
		for cell := range 256 {
			if inGB2312(byte(row), byte(cell)) {
				n++
			}
		}
		expect, special := want[row]
		if !special && row >= 0xB0 && row <= 0xF7 {
			expect = 94
		}
		if n != expect {
			t.Errorf("row %X has %d pairs, want %d", row, n, expect)
		}
		total += n
	}
	if total != 7445 {
		t.Errorf("GB2312 has %d characters, want 7445", total)
	}
}

func TestDecodeGB(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ charset, in, want string }{
		{"GBK", "c9ccbcd2", "商家"},
		{"CP936", "a2e3", "€"},
		{"gb2312", "d6d0", "中"},
		{"GB18030", "9439e437", "🔑"},
		{"GBK", "61c9", "a\uFFFD"},
		{"GBK", "c920", "\uFFFD "},
		{"GBK", "ff", "\uFFFD"},
	} {
		got := lookup(t, c.charset).Decode(unhex(t, c.in))
		if got != c.want {
			t.Errorf("Decode(%s, %s) = %+q, want %+q", c.charset, c.in, got, c.want)
		}
	}
}
