package top_test

import (
	"crypto/hmac"
	"crypto/md5"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"hash"
	"net/url"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
	"pgregory.net/rapid"
)

// In pieces of any size, plain and escaped, the same text comes as in one.
func TestEncoderPieces(t *testing.T) {
	t.Parallel()
	plan := planOf[all](t)
	rapid.Check(t, func(t *rapid.T) {
		v := drawAll.Draw(t, "value")
		v.Text = rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\u0080é\u009f\u00a0", "\u2028飞猪\U0001F697\ufffd", "\x00\"\\/\x7f", "a b+c"})).Draw(t, "text")
		o := top.EncodeOptions{Wrapped: rapid.Bool().Draw(t, "wrapped"), Members: []top.Member{{Name: "a b", Value: []byte(`"/é"`)}}}
		whole, err := plan.AppendJSON(nil, &v, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, o.Escaped = range []bool{false, true} {
			want := whole
			if o.Escaped {
				want = top.AppendEscaped(nil, whole)
				if len(want) != top.EscapedLen(whole) {
					t.Fatalf("%d bytes, counted %d", len(want), top.EscapedLen(whole))
				}
			}
			e := plan.Encode(&v, o)
			var got []byte
			for done := false; !done; {
				size := rapid.IntRange(1, 200).Draw(t, "size")
				var piece []byte
				if piece, done, err = e.Append(nil, size); err != nil {
					t.Fatal(err)
				}
				if len(piece) < size && !done {
					t.Fatalf("%d bytes of %d, and not the end", len(piece), size)
				}
				got = append(got, piece...)
			}
			e.Close()
			if string(got) != string(want) {
				t.Fatalf("escaped %v:\n got %s\nwant %s", o.Escaped, got, want)
			}
		}
	})
}

func TestEncoderRefusesWhatIsNotUTF8(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"\xff", "plain\xc2", "飞\xe7\x8c"} {
		for _, escaped := range []bool{false, true} {
			v := all{Items: []item{{SID: "x"}, {SID: text}}}
			_, err := planOf[all](t).AppendJSON(nil, &v, top.EncodeOptions{Escaped: escaped})
			if err == nil || err.Error() != "items[1].sid: not valid UTF-8" {
				t.Errorf("%q: %v", text, err)
			}
		}
	}
}

// Where the encoder has no doubt, Check finds nothing; where Check finds something,
// the encoder fails or has its doubts.
func TestEncoderDoubts(t *testing.T) {
	t.Parallel()
	type inner struct {
		Name string      `top:"name,required"`
		Exts fliggy.Exts `top:"exts"`
	}
	type message struct {
		ID      fliggy.ID      `top:"id,required"`
		Number  fliggy.ID      `top:"number,number"`
		Total   fliggy.Yuan    `top:"total,required"`
		Time    fliggy.Time    `top:"time,required"`
		Count   int            `top:"count,required"`
		Text    *string        `top:"text,required"`
		Exts    *fliggy.Exts   `top:"exts"`
		More    []fliggy.Exts  `top:"more"`
		Inner   inner          `top:"inner"`
		Inners  []inner        `top:"inners,required"`
		Pointer *[]inner       `top:"pointer,required"`
		Texts   []fliggy.ID    `top:"texts"`
		Secret  *fliggy.Secret `top:"secret"`
	}
	plan := planOf[message](t)
	texts := rapid.SampledFrom([]string{"", " ", "\u3000", "x", "7", "\xff", "{}", `{"a":1}`, "{"})
	drawInner := rapid.Custom(func(t *rapid.T) inner {
		return inner{texts.Draw(t, "name"), fliggy.Exts(texts.Draw(t, "exts"))}
	})
	rapid.Check(t, func(t *rapid.T) {
		v := message{
			ID: fliggy.ID(texts.Draw(t, "id")), Number: fliggy.ID(texts.Draw(t, "number")), Count: rapid.IntRange(0, 1).Draw(t, "count"),
			Text: rapid.Ptr(texts, true).Draw(t, "text"), Inner: drawInner.Draw(t, "inner"), Inners: rapid.SliceOfN(drawInner, 0, 2).Draw(t, "inners"),
			Pointer: rapid.Ptr(rapid.SliceOfN(drawInner, 0, 1), true).Draw(t, "pointer"),
		}
		if rapid.Bool().Draw(t, "set") {
			v.Total, v.Time = fliggy.MustYuan("0.00"), fliggy.MustTime("2023-02-03 19:23:32")
		}
		for _, text := range rapid.SliceOfN(texts, 0, 2).Draw(t, "more") {
			v.More = append(v.More, fliggy.Exts(text))
			v.Texts = append(v.Texts, fliggy.ID(text))
		}
		if rapid.Bool().Draw(t, "exts") {
			exts := fliggy.Exts(texts.Draw(t, "exts"))
			v.Exts = &exts
		}
		e := plan.Encode(&v, top.EncodeOptions{})
		defer e.Close()
		_, _, err := e.Append(nil, 1<<20)
		if problems := plan.Check(&v); len(problems) > 0 && err == nil && !e.Doubtful() || len(problems) == 0 && err != nil {
			t.Fatalf("error %v, doubtful %v, but Check finds %v", err, e.Doubtful(), problems)
		}
	})
	full := message{
		ID: "x", Total: fliggy.MustYuan("1"), Time: fliggy.MustTime("2023-02-03"), Count: 1, Text: ptr("x"), Inner: inner{Name: "x", Exts: `{"a":1}`},
		Inners: []inner{{Name: "x"}}, Pointer: &[]inner{{Name: "x"}},
	}
	e := plan.Encode(&full, top.EncodeOptions{})
	defer e.Close()
	if _, done, err := e.Append(nil, 1<<20); err != nil || !done || e.Doubtful() {
		t.Errorf("a message without a fault: done %v, doubtful %v, %v", done, e.Doubtful(), err)
	}
}

// Forms are those of net/url but for two characters.
func TestAppendEscaped(t *testing.T) {
	t.Parallel()
	standard := strings.NewReplacer("~", "%7E", "%2A", "*")
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 0, 600).Draw(t, "text")
		want := "x" + standard.Replace(url.QueryEscape(string(text)))
		if got := string(top.AppendEscaped([]byte("x"), text)); got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
		if n := top.EscapedLen(text); n != len(want)-1 {
			t.Fatalf("counted %d of %d", n, len(want)-1)
		}
	})
}

// A signature is that of the standard library, however the text is cut, also after
// a clone.
func TestDigest(t *testing.T) {
	t.Parallel()
	texts := rapid.SliceOfN(rapid.StringOfN(rapid.Rune(), 0, 400, 2000), 0, 6)
	rapid.Check(t, func(t *rapid.T) {
		method := rapid.SampledFrom([]string{top.SignMD5, top.SignHMAC, top.SignHMACSHA256, ""}).Draw(t, "method")
		secret := strings.Repeat("s3cret-", rapid.IntRange(0, 30).Draw(t, "times"))
		var h hash.Hash
		suffix := ""
		switch method {
		case top.SignHMAC:
			h = hmac.New(md5.New, []byte(secret))
		case top.SignHMACSHA256:
			h = hmac.New(sha256.New, []byte(secret))
		case top.SignMD5:
			h, suffix = md5.New(), secret
			h.Write([]byte(secret))
		default:
			h, suffix = md5.New(), secret
		}
		d := top.NewDigest(method, secret)
		for i, text := range texts.Draw(t, "texts") {
			h.Write([]byte(text))
			if i%2 == 0 {
				d.WriteString(text)
			} else {
				d.WriteBytes([]byte(text))
			}
			if rapid.Bool().Draw(t, "clone") {
				c, ok := d.Clone()
				if !ok {
					t.Fatal("no clone")
				}
				d.WriteString("not of the clone")
				d.Close()
				d = c
			}
		}
		h.Write([]byte(suffix))
		if got, want := d.Sum(), strings.ToUpper(hex.EncodeToString(h.Sum(nil))); got != want {
			t.Fatalf("%s: got %s, want %s", method, got, want)
		}
	})
}

// Any text is read back by the standard library, from JSON and from a form.
func FuzzAppendJSONString(f *testing.F) {
	for _, text := range []string{"", "a/b", "\"\\\b\f\n\r\t", "飞猪\u0080\u009f\u00a0é", "\u2028\U0001F697\ufffd", "\xff\xc2", "a b+c&d=%"} {
		f.Add(text)
	}
	type message struct {
		Text string `top:"text,keep"`
	}
	plan := planOf[message](f)
	f.Fuzz(func(t *testing.T, text string) {
		var got string
		if err := json.Unmarshal(top.AppendJSONString(nil, text), &got); err != nil || got != string([]rune(text)) {
			t.Fatalf("%q came back as %q, %v", text, got, err)
		}
		escaped, err := plan.AppendJSON(nil, &message{text}, top.EncodeOptions{Escaped: true})
		if err != nil {
			if utf8.ValidString(text) {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		plain, err := url.QueryUnescape(string(escaped))
		if err != nil || plain != `{"text":`+string(top.AppendJSONString(nil, text))+"}" || !utf8.ValidString(text) {
			t.Fatalf("%q came back as %q, %v", text, plain, err)
		}
	})
}
