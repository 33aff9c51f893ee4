package fliggy_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestExtsReading(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]fliggy.Exts{
		`"{\"key\":\"value\"}"`:     `{"key":"value"}`,
		`{"key":"value"}`:           `{"key":"value"}`,
		` { "key" : 1 } `:           `{ "key" : 1 }`,
		`"null"`:                    "",
		`" null "`:                  "",
		`null`:                      "",
		`""`:                        "",
		`"  "`:                      "",
		`{}`:                        "",
		`"{}"`:                      "",
		`" {}\n"`:                   "",
		`"free text"`:               "free text",
		`" {\"a\":1} "`:             ` {"a":1} `,
		`[]`:                        "[]",
		`12.50`:                     "12.50",
		`true`:                      "true",
		`"{\"地\":\"<a>&\\u4e2d\"}"`: `{"地":"<a>&\u4e2d"}`,
	} {
		got, err := fromJSON[fliggy.Exts](data)
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", data, got, err, want)
		}
	}
	for text, want := range map[string]fliggy.Exts{
		"": "", "null": "", "{}": "", "\t{}\n": "", "NULL": "NULL", `{"a":1}`: `{"a":1}`, " x ": " x ",
	} {
		if got, err := fromText[fliggy.Exts](text); err != nil || got != want {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	for data, rule := range map[string]string{
		`{"a":`: "not a JSON value", `-`: "not a JSON value", `nul`: "not a JSON value", `"`: "malformed",
		"\"\xff\"": "UTF-8", "{\"\xff\":1}": "UTF-8",
	} {
		e := fliggy.Exts("before")
		wantError(t, e.UnmarshalJSON([]byte(data)), "extension data", rule)
		if e != "before" {
			t.Errorf("%s: target became %q", data, e)
		}
	}
}

func TestExtsWriting(t *testing.T) {
	t.Parallel()
	for e, want := range map[fliggy.Exts]string{
		`{"key":"<value>&\n"}`: `"{\"key\":\"<value>&\\n\"}"`,
		"":                     `""`,
	} {
		if got := jsonOf(t, e); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
		roundTrip[fliggy.Exts](t, e)
	}
	_, err := fliggy.Exts("\xff").MarshalText()
	wantError(t, err, "UTF-8")
	_, err = json.Marshal(fliggy.Exts("\xff"))
	wantError(t, err, "UTF-8")
}

func TestExtsMembers(t *testing.T) {
	t.Parallel()
	const e = fliggy.Exts(` {"text":"a\"b","id":3187983531024266527,"list":[1, 2],"nothing":null,"":"empty"}`)
	for key, want := range map[string]string{
		"text": `a"b`, "id": "3187983531024266527", "list": "[1, 2]", "nothing": "null", "": "empty",
	} {
		if got, ok := e.Get(key); !ok || got != want {
			t.Errorf("%q: got %q, %v", key, got, ok)
		}
	}
	if got, ok := e.Get("missing"); ok || got != "" {
		t.Errorf("missing member: %q, %v", got, ok)
	}
	members, err := e.Map()
	if err != nil || len(members) != 5 {
		t.Errorf("got %v, %v", members, err)
	}
	var into struct {
		ID   fliggy.ID `json:"id"`
		List []int     `json:"list"`
	}
	if err := e.Decode(&into); err != nil || into.ID != "3187983531024266527" || !cmp.Equal(into.List, []int{1, 2}) {
		t.Errorf("decoded %+v, %v", into, err)
	}
	if !e.IsObject() {
		t.Error("is no object")
	}
}

func TestExtsWithoutObject(t *testing.T) {
	t.Parallel()
	for e, rule := range map[fliggy.Exts]string{
		"free text": "not a JSON object", "[1]": "not a JSON object", `"text"`: "not a JSON object",
		`{"a":`: "unexpected end", `{"a":1}x`: "invalid character",
		fliggy.Exts(strings.Repeat(`{"a":`, 20_000)): "depth",
	} {
		if _, ok := e.Get("a"); ok || e.IsObject() {
			t.Errorf("%.20q has members", e)
		}
		_, err := e.Map()
		wantError(t, err, "extension data", rule)
	}
	for _, e := range []fliggy.Exts{"", "null", " {} "} {
		into := map[string]string{"stays": "there"}
		members, err := e.Map()
		if err != nil || len(members) != 0 || e.Decode(&into) != nil || len(into) != 1 {
			t.Errorf("%q: got %v, %v; decoded %v", e, members, err, into)
		}
	}
	if fliggy.Exts("").IsObject() {
		t.Error("unset is an object")
	}
}

func TestExtsOf(t *testing.T) {
	t.Parallel()
	for want, members := range map[fliggy.Exts]map[string]string{
		"":                                  {},
		`{"a":"1","b":"<&>","订单":"\"\\\t"}`: {"订单": "\"\\\t", "b": "<&>", "a": "1"},
	} {
		if got := fliggy.ExtsOf(members); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	replaced := fliggy.ExtsOf(map[string]string{"": "\xff"})
	if text, ok := replaced.Get(""); !ok || text != "\ufffd" {
		t.Errorf("got %s for what is not UTF-8", replaced)
	}
}

func TestExtsProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "members")
		e := fliggy.ExtsOf(members)
		roundTrip[fliggy.Exts](t, e)
		got := map[string]string{}
		if err := e.Decode(&got); err != nil || e.IsObject() != (len(members) > 0) {
			t.Fatalf("%s: %v", e, err)
		}
		if diff := cmp.Diff(members, got); diff != "" {
			t.Fatal(diff)
		}
		for key, want := range members {
			if value, ok := e.Get(key); !ok || value != want {
				t.Fatalf("%q: got %q, %v; want %q", key, value, ok, want)
			}
		}
	})
}

func FuzzExts(f *testing.F) {
	for _, seed := range []string{
		`"{\"key\":\"value\"}"`, `{"key":"value"}`, `null`, `"null"`, ` {} `, `[]`, `{"a":`, `{"a":1,"a":2}`, "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, js := fuzzScalar[fliggy.Exts](t, "before", data)
		if (text != nil) != utf8.Valid(data) {
			t.Fatalf("%q: text %v", data, text)
		}
		if js == nil && json.Valid(data) && utf8.Valid(data) {
			t.Fatalf("%q is JSON and was refused", data)
		}
		for _, e := range []*fliggy.Exts{text, js} {
			if e == nil {
				continue
			}
			members, err := e.Map()
			if (err == nil) != (e.IsObject() || *e == "") {
				t.Fatalf("%q: object %v, %v", *e, e.IsObject(), err)
			}
			for key := range members {
				if _, ok := e.Get(key); !ok {
					t.Fatalf("%q lost its member %q", *e, key)
				}
			}
		}
	})
}

// The platform sends control characters in strings as they are: extension data that
// has some is read as an object, and is JSON for every reader afterwards.
func TestExtsControlCharacters(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]fliggy.Exts{
		"{\"a\":\"\n\t\x00\"}":       `{"a":"\u000a\u0009\u0000"}`,
		"{\n\"a\":\"\\\"\n\"\n}":     "{\n\"a\":\"\\\"\\u000a\"\n}",
		"{\"a\":\"\\\\\n\"}":         `{"a":"\\\u000a"}`,
		"{\"a\":\"\\\n\"}":           "{\"a\":\"\\\n\"}", // no JSON, whatever is escaped
		"a \"b\nc":                   "a \"b\nc",
		"{\n \"a\" : 1\n}":           "{\n \"a\" : 1\n}",
		"{\"a\":\"\n\"} and no more": "{\"a\":\"\n\"} and no more",
	} {
		var e fliggy.Exts
		if err := e.UnmarshalText([]byte(text)); err != nil || e != want {
			t.Errorf("%q: %q, %v; want %q", text, e, err, want)
		}
	}
	e := fliggy.Exts("")
	if err := e.UnmarshalJSON([]byte(`"{\"a\":\"x\ny\"}"`)); err != nil || !e.IsObject() {
		t.Errorf("%q, %v", e, err)
	}
	if got, ok := e.Get("a"); !ok || got != "x\ny" {
		t.Errorf("%q, %v", got, ok)
	}
}
