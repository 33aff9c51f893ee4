package top_test

import (
	"net/url"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/internal/top"
)

type wireVector struct {
	Name    string
	Input   struct{ Params map[string]*string }
	Request struct {
		QueryParams map[string]string  `json:"query_params"`
		FormParams  *map[string]string `json:"form_params"`
		Body        string
		RawQuery    string `json:"raw_query"`
	}
}

// Every pair of the recorded requests is escaped as the official SDK does it;
// their order has no meaning.
func TestFormVectors(t *testing.T) {
	t.Parallel()
	special := false
	for _, v := range vectors[wireVector](t, "wire.json") {
		t.Run(v.Name, func(t *testing.T) {
			checkPairs(t, v.Request.QueryParams, v.Request.RawQuery)
			if v.Request.FormParams != nil {
				checkPairs(t, *v.Request.FormParams, v.Request.Body)
			}
		})
		if v.Name == "top_special_chars" {
			special = true
			got := string(top.AppendForm(nil, top.Merge(group(v.Input.Params))))
			if want := "p=a+b%2Bc%26d%3De%25f*g%7Eh-i_j.k%2F%E4%B8%AD%F0%9F%9A%97&q=x"; got != want || got != v.Request.Body {
				t.Errorf("got %s, want %s", got, want)
			}
		}
	}
	if !special {
		t.Error("no case top_special_chars")
	}
}

func checkPairs(t *testing.T, params map[string]string, text string) {
	t.Helper()
	pairs := map[string]bool{}
	for pair := range strings.SplitSeq(text, "&") {
		pairs[pair] = text != ""
	}
	for name, value := range params {
		pair := string(top.AppendForm(nil, []top.Param{{Name: name, Value: value}}))
		if !pairs[pair] {
			t.Errorf("%s is not in %s", pair, text)
		}
	}
}

func TestAppendForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		params []top.Param
		want   string
	}{
		{nil, ""},
		{[]top.Param{{Name: "a", Value: ""}}, "a="},
		{[]top.Param{{Name: "", Value: ""}, {Name: "b", Value: "1"}}, "=&b=1"},
		{[]top.Param{{Name: "a b&", Value: "=\x00\xff\n"}}, "a+b%26=%3D%00%FF%0A"},
		{[]top.Param{{Name: "azAZ09.-*_", Value: "~!'()"}}, "azAZ09.-*_=%7E%21%27%28%29"},
	} {
		if got := string(top.AppendForm([]byte("x?"), c.params)); got != "x?"+c.want {
			t.Errorf("%v: got %s, want %s", c.params, got, c.want)
		}
	}
}

func TestAppendFormProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Custom(func(t *rapid.T) string { return string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes")) })
		pairs := rapid.MapOf(text, rapid.SliceOfN(text, 1, 3)).Draw(t, "pairs")
		var params []top.Param
		for name, values := range pairs {
			for _, value := range values {
				params = append(params, top.Param{Name: name, Value: value})
			}
		}
		form := string(top.AppendForm(nil, params))
		got, err := url.ParseQuery(form)
		if err != nil {
			t.Fatalf("%q: %v", form, err)
		}
		if want := url.Values(pairs).Encode(); got.Encode() != want {
			t.Fatalf("%q reads as %q, want %q", form, got.Encode(), want)
		}
		for _, r := range form {
			if r <= ' ' || r >= 0x7F {
				t.Fatalf("%q is not plain ASCII", form)
			}
		}
	})
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
