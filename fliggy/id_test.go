package fliggy_test

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
	"pgregory.net/rapid"
)

func TestIDUnmarshalJSON(t *testing.T) {
	t.Parallel()
	long := "9" + strings.Repeat("0123456789", 50)
	for data, want := range map[string]fliggy.ID{
		`"3187983531024266527"`:  "3187983531024266527",
		`3187983531024266527`:    "3187983531024266527",
		" 3187983531024266527\n": "3187983531024266527",
		`9007199254740993`:       "9007199254740993",
		long:                     fliggy.ID(long),
		`0`:                      "0",
		`-5`:                     "-5",
		`"007"`:                  "007",
		`"fz2939293"`:            "fz2939293",
		`"  spaces stay  "`:      "  spaces stay  ",
		`""`:                     "",
		`null`:                   "",
		`"null"`:                 "null",
		`"1.5"`:                  "1.5",
		`"\u8ba2\u5355/\"1\"\\"`: `订单/"1"\`,
		`"订单<1>&"`:               "订单<1>&",
	} {
		got, err := fromJSON[fliggy.ID](data)
		if err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", data, got, err, want)
		}
	}
}

func TestIDUnmarshalJSONErrors(t *testing.T) {
	t.Parallel()
	for data, part := range map[string]string{
		`1.5`:         "integer number",
		`1e3`:         "integer number",
		`007`:         "integer number",
		`-`:           "integer number",
		`1 2`:         "integer number",
		`true`:        "want a JSON string",
		`false`:       "want a JSON string",
		`{"id":1}`:    "want a JSON string",
		`[1]`:         "want a JSON string",
		``:            "want a JSON string",
		`  `:          "want a JSON string",
		`nul`:         "want a JSON string",
		`+1`:          "want a JSON string",
		`"`:           "malformed JSON string",
		`"open`:       "malformed JSON string",
		`"a"b"`:       "malformed JSON string",
		"\"a\nb\"":    "malformed JSON string",
		`"\x"`:        "malformed JSON string",
		`"\"`:         "malformed JSON string",
		"\"\xff\"":    "not valid UTF-8",
		"\"\\n\xff\"": "not valid UTF-8",
	} {
		id := fliggy.ID("before")
		wantError(t, id.UnmarshalJSON([]byte(data)), "id ", part)
		if id != "before" {
			t.Errorf("%s: target became %q", data, id)
		}
	}
}

func TestIDText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "null", " 7 ", "fz2939293", "订单"} {
		if got, err := fromText[fliggy.ID](text); err != nil || string(got) != text {
			t.Errorf("%q: got %q, %v", text, got, err)
		}
	}
	_, err := fromText[fliggy.ID]("\xff")
	wantError(t, err, "not valid UTF-8")
}

func TestIDWriting(t *testing.T) {
	t.Parallel()
	for id, want := range map[fliggy.ID]string{
		"":            `""`,
		"31879":       `"31879"`,
		`<a>&"\`:      `"<a>&\"\\"`,
		"a\n\r\t\x01": `"a\n\r\t\u0001"`,
		"\u2028订单":    `"\u2028订单"`,
	} {
		if got := jsonOf(t, id); got != want {
			t.Errorf("%q: got %s, want %s", string(id), got, want)
		}
		roundTrip[fliggy.ID](t, id)
	}
	broken := fliggy.ID("a\xffb")
	_, err := json.Marshal(broken)
	wantError(t, err, "not valid UTF-8")
	_, err = broken.MarshalText()
	wantError(t, err, "not valid UTF-8")
}

func TestIDIsNumeric(t *testing.T) {
	t.Parallel()
	for id, want := range map[fliggy.ID]bool{
		"0": true, "7": true, "3187983531024266527": true, "99999999999999999999999999": true,
		"": false, "00": false, "07": false, "-1": false, "+1": false, "1.0": false, " 1": false, "1e3": false,
		"fz2939293": false, "１": false,
	} {
		if got := id.IsNumeric(); got != want {
			t.Errorf("%q: got %v", string(id), got)
		}
	}
}

func TestIDNumberAndStringAgree(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		digits := rapid.StringMatching(`0|[1-9][0-9]{0,60}`).Draw(t, "digits")
		bare, err := fromJSON[fliggy.ID](digits)
		if err != nil {
			t.Fatal(err)
		}
		quoted, err := fromJSON[fliggy.ID](`"` + digits + `"`)
		if err != nil || quoted != bare || string(bare) != digits || !bare.IsNumeric() {
			t.Fatalf("bare %q, quoted %q, %v", bare, quoted, err)
		}
	})
}

func TestIDAgreesWithEncodingJSON(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "text")
		data, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := fromJSON[fliggy.ID](string(data)); err != nil || string(got) != text {
			t.Fatalf("%s: got %q, %v", data, got, err)
		}
		var back string
		if err := json.Unmarshal([]byte(jsonOf(t, fliggy.ID(text))), &back); err != nil || back != text {
			t.Fatalf("%q: encoding/json reads %q, %v", text, back, err)
		}
	})
}

func FuzzID(f *testing.F) {
	for _, seed := range []string{
		`"3187983531024266527"`, `3187983531024266527`, `null`, `"\u8ba2"`, `1.5`, "\"\xff\"", `"\ud800"`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		text, js := fuzzScalar[fliggy.ID](t, "before", data)
		if (text != nil) != utf8.Valid(data) || text != nil && string(*text) != string(data) {
			t.Fatalf("text %q was not kept", data)
		}
		var want string
		if json.Unmarshal(data, &want) == nil && utf8.Valid(data) && (js == nil || string(*js) != want) {
			t.Fatalf("%s: got %v, encoding/json reads %q", data, js, want)
		}
	})
}
