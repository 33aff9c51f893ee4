package top_test

import (
	"encoding/json"
	"testing"

	"github.com/fliggy-go/rentcar/internal/top"
)

func TestEncoderRefusesWhatIsNotUTF8(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"\xff", "plain\xc2", "飞\xe7\x8c"} {
		v := all{Items: []item{{SID: "x"}, {SID: text}}}
		_, err := planOf[all](t).AppendJSON(nil, &v, top.EncodeOptions{})
		if err == nil || err.Error() != "items[1].sid: not valid UTF-8" {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Any text is read back by the standard library.
func FuzzAppendJSONString(f *testing.F) {
	for _, text := range []string{
		"", "a/b", "\"\\\b\f\n\r\t", "飞猪\u0080\u009f\u00a0é", "\u2028\U0001F697\ufffd", "\xff\xc2", "\xc2a", "\xe1\xc2\x80",
		"a b+c&d=%",
	} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got string
		if err := json.Unmarshal(top.AppendJSONString(nil, text), &got); err != nil || got != string([]rune(text)) {
			t.Fatalf("%q came back as %q, %v", text, got, err)
		}
	})
}

// What AppendJSONString writes is what encoding/json reads.
func TestAppendJSONString(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                         `""`,
		"\x00\x1f\x7f\u0080\u009f": `"\u0000\u001F\u007F\u0080\u009F"`,
		"\u00a0\u2028\u2029\ufeff": "\"\u00a0\u2028\u2029\ufeff\"",
		"</script>&'":              `"<\/script>&'"`,
	} {
		got := string(top.AppendJSONString(nil, text))
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
		var back string
		if err := json.Unmarshal([]byte(got), &back); err != nil || back != string([]rune(text)) {
			t.Errorf("%q: reads back as %q, %v", text, back, err)
		}
	}
}
