package top_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/internal/top"
)

// digestJSON is the digest of a text. isJSON is false if it is not one JSON value.
func digestJSON(text string, leftOut ...string) (digest [32]byte, isJSON bool, err error) {
	v, err := top.ParseJSON(text)
	if err != nil {
		return digest, false, nil
	}
	digest, err = v.Digest(leftOut...)
	return digest, true, err
}

// Texts of one row say the same, texts of two rows do not.
func TestDigest(t *testing.T) {
	t.Parallel()
	rows := map[[32]byte]int{}
	for i, row := range [][]string{
		{`{"a":1,"b":[{"c":"x","d":null}]}`, " {\"b\" :\n[ {\"d\":null,\"c\":\"x\"} " +
			"],\t\"a\":1} ", `{"b":"[{\"c\":\"x\",\"d\":null}]","a":1}`,
			`"{\"a\":1,\"b\":[\" {\\\"c\\\":\\\"\\u0078\\\",\\\"d\\\":null}\"]}"`,
			`{"a":1,"t":{"t":1},"b":[{"c":"x","d":null,"\u0074":2}]}`, `{"a":"1","b":[{"c":"x","d":null}]}`},
		{`{"a":1,"b":[{"c":"x"}]}`},
		{`{"a":1,"b":{"c":"x","d":null}}`},
		{`{"a":1.0,"b":[{"c":"x","d":null}]}`},
		{`{}`, `{"t":1}`, `"{}"`, `" { } "`},
		{`[]`, ` [ ] `, `"[]"`},
		{`[{}]`, `[{"t":[{}]}]`},
		{`""`},
		{`"{"`},
		{`"[1"`},
		{`"{} {}"`},
		{`"\""`, `"\u0022"`},
		{`"/"`, `"\/"`, `"\u002F"`},
		{`"\n"`, `"\u000a"`, "\"\n\""},
		{`"\\n"`},
		{`[1,2]`},
		{`[2,1]`},
		{`[12]`},
		{`{"a":{},"b":1}`},
		{`{"a":{"b":1}}`},
		{`true`, `"true"`},
		{`false`, `"false"`},
		{`-1.50`, `"-1.50"`},
		{`null`},
		{`"null"`},
	} {
		for _, text := range row {
			digest, isJSON, err := digestJSON(text, "t", "u")
			if before, ok := rows[digest]; !isJSON || err != nil || ok && before != i {
				t.Errorf("%s: %v, %v, as row %d", text, isJSON, err, before)
			}
			rows[digest] = i
		}
		if len(rows) != i+1 {
			t.Fatalf("%s: %d digests", row[0], len(rows))
		}
	}
	for _, text := range []string{
		"", " ", "x", `{"a":1`, `{"a":1} x`, "{\"a\":\"\xff\"}", strings.Repeat("[", 65) + strings.Repeat("]", 65),
	} {
		if digest, isJSON, err := digestJSON(text); isJSON || err != nil || digest != [32]byte{} {
			t.Errorf("%.40q is JSON: %v", text, err)
		}
	}
}

// A member that comes twice is told at any level, by its name.
func TestDigestTwice(t *testing.T) {
	t.Parallel()
	for text, name := range map[string]string{
		`{"a":1,"a":1}`:                                   "a",
		`{"a":1,"\u0061":2}`:                              "a",
		`{"t":1,"t":2}`:                                   "t",
		`[{"x":[[{"a":1,"b":2,"a":1}]]}]`:                 "a",
		`{"x":"{\"a\":1,\"a\":1}"}`:                       "a",
		`{"x":" [{\"a\":1,\"a\":1}]"}`:                    "a",
		`{"t":{"a":1,"a":1}}`:                             "a",
		`{"` + strings.Repeat("x", 99) + `":{"":1,"":1}}`: "",
	} {
		_, isJSON, err := digestJSON(text, "t")
		wantError(t, text, err, strings.TrimPrefix(name+": comes more than once", ": "))
		if !isJSON {
			t.Errorf("%s is no JSON", text)
		}
	}
	for _, text := range []string{
		`{"a":1,"A":1}`, `{"a":{"a":{"a":1}}}`, `[{"a":1},{"a":1}]`, `{"x":"{\"a\":1,\"a\":1} x"}`,
		`{"x":{"a":1},"y":{"a":1}}`,
	} {
		if _, isJSON, err := digestJSON(text); !isJSON || err != nil {
			t.Errorf("%s: %v, %v", text, isJSON, err)
		}
	}
}

// However an object is written, by encoding/json in any order and with any indent, its
// digest is the same.
func TestDigestProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.MapOf(
			rapid.String(),
			rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"{", `{"a":1}`, `[{"b":"2"}]`, "</>", "\u2028"})),
		).Draw(t, "members")
		write := func(names []string, indent string) string {
			var b strings.Builder
			for i, name := range names {
				text, err := json.MarshalIndent(map[string]any{name: []any{members[name], 1}}, "", indent)
				if err != nil {
					t.Fatal(err)
				}
				b.WriteString(map[bool]string{true: "{", false: ","}[i == 0])
				b.Write(text[1 : len(text)-1])
			}
			return b.String() + "}"
		}
		names := slices.Sorted(maps.Keys(members))
		if len(names) == 0 {
			return
		}
		one, isJSON, err := digestJSON(write(names, ""))
		if !isJSON || err != nil {
			t.Fatal(isJSON, err)
		}
		text := write(rapid.Permutation(names).Draw(t, "order"), " \n")
		if other, _, _ := digestJSON(text); other != one {
			t.Fatalf("%s has another digest", text)
		}
		members[rapid.SampledFrom(names).Draw(t, "changed")] += "."
		if other, _, _ := digestJSON(write(names, "")); other == one {
			t.Fatal("what is changed has the same digest")
		}
	})
}

// Neither depth nor number make the work more than proportional: what is written at each
// level is bounded, and a text in a text takes part in the depth.
func TestDigestHostile(t *testing.T) {
	t.Parallel()
	nested := `1`
	for range 100 {
		quoted, err := json.Marshal(strings.ReplaceAll(nested, `"`, `'`))
		if err != nil {
			t.Fatal(err)
		}
		nested = `{"a":` + string(quoted) + `}`
	}
	var names strings.Builder
	for i := range 100_000 {
		names.WriteString(`,"` + strings.Repeat("x", i%7) + string(rune('0'+i%10)) + `":1`)
	}
	for _, text := range []string{
		nested, `{"y":1` + names.String() + "}",
		strings.Repeat(`{"b":1,"a":`, 63) + `"` + strings.Repeat("x", 1<<19) + `"` + strings.Repeat("}", 63),
		`["` + strings.Repeat("[", 1<<19) + `"]`, `["` + strings.Repeat(`{\"a\":`, 1<<16) + `"]`,
	} {
		if _, isJSON, _ := digestJSON(text, "t"); !isJSON {
			t.Errorf("%.40s is no JSON", text)
		}
	}
}
