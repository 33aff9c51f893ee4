package top_test

import (
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/internal/top"
	"pgregory.net/rapid"
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

// Forms are those of net/url but for two characters.
func TestAppendFormStandard(t *testing.T) {
	t.Parallel()
	standard := strings.NewReplacer("~", "%7E", "%2A", "*")
	rapid.Check(t, func(t *rapid.T) {
		text := string(rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "text"))
		params := []top.Param{{Name: text, Value: "x"}, {Name: "y", Value: text}}
		want := standard.Replace(url.QueryEscape(text)) + "=x&y=" + standard.Replace(url.QueryEscape(text))
		if got := string(top.AppendForm(nil, params)); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if n := top.FormLen(params); n != len(want) {
			t.Fatalf("counted %d of %d", n, len(want))
		}
	})
}

// Any text is read back by the standard library.
func FuzzAppendJSONString(f *testing.F) {
	for _, text := range []string{"", "a/b", "\"\\\b\f\n\r\t", "飞猪\u0080\u009f\u00a0é", "\u2028\U0001F697\ufffd", "\xff\xc2", "\xc2a", "\xe1\xc2\x80", "a b+c&d=%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got string
		if err := json.Unmarshal(top.AppendJSONString(nil, text), &got); err != nil || got != string([]rune(text)) {
			t.Fatalf("%q came back as %q, %v", text, got, err)
		}
	})
}
