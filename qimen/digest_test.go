package qimen

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/internal/charset"
)

// What makes a message another one, and what does not.
func TestDigest(t *testing.T) {
	t.Parallel()
	for name, same := range map[string][]string{
		"object": {`{"a":1,"b":{"c":[1,2]}}`, ` { "b":{"c":[1,2]},"a":1}` + "\n",
			`{"traceId":"x","a":1,"b":{"c":[1,2],"trace_id":7}}`, "\ufeff{\"a\":1,\"b\":{\"c\":[1,2]}}",
			`{"a":1,"b":"{\"c\":[1,2],\"traceId\":\"y\"}"}`, `{"a":"1","b":{"c":["1","2"]}}`},
		"other number":  {`{"a":1.0,"b":{"c":[1,2]}}`},
		"other order":   {`{"a":1,"b":{"c":[2,1]}}`},
		"other name":    {`{"A":1,"b":{"c":[1,2]}}`},
		"one more":      {`{"a":1,"b":{"c":[1,2]},"d":null}`},
		"large numbers": {`{"a":3187983531024266527}`},
		"one off":       {`{"a":3187983531024266528}`},
		"trace text":    {`{"a":"traceId"}`},
		"XML":           {`<r><a>1</a></r>`, `<r><traceId>x</traceId><a>1</a></r>`},
		"other XML":     {`<r><a>2</a></r>`},
		"trailing":      {`{"a":1,"b":{"c":[1,2]}} x`},
		"cut off":       {`{"a":1,"b":{"c":[1,2]`},
		"text":          {`a`},
		"nothing":       {``},
		"null":          {`null`},
	} {
		for _, text := range same {
			if digestOf(charset.UTF8, []byte(text)) != digestOf(charset.UTF8, []byte(same[0])) || len(
				digestOf(charset.UTF8, []byte(text)),
			) != 64 {
				t.Errorf("%s: %s is not %s", name, text, same[0])
			}
		}
	}
	digests := map[string]bool{}
	texts := []string{`{"a":1,"b":{"c":[1,2]}}`, `{"a":1.0,"b":{"c":[1,2]}}`,
		`{"a":1,"b":{"c":[2,1]}}`, `{"A":1,"b":{"c":[1,2]}}`, `{"a":1,"b":{"c":[1,2]},"d":null}`,
		`{"a":3187983531024266527}`, `{"a":3187983531024266528}`, `{"a":"traceId"}`, `<r><a>1</a></r>`, `<r><a>2</a></r>`,
		`{"a":1,"b":{"c":[1,2]}} x`, `{"a":1,"b":{"c":[1,2]`, `a`, ``, `null`}
	for _, text := range texts {
		digests[digestOf(charset.UTF8, []byte(text))] = true
	}
	if len(digests) != len(texts) {
		t.Errorf("%d texts have %d digests", len(texts), len(digests))
	}
	deep := strings.Repeat(`{"a":`, 9000) + `1` + strings.Repeat(`}`, 9000)
	if digestOf(charset.UTF8, []byte(deep)) == digestOf(charset.UTF8, []byte(strings.Replace(deep, "1", "2", 1))) {
		t.Error("depth hides the content")
	}
	nested := `1`
	for range 12 { // text in text in text
		quoted, err := json.Marshal(map[string]string{"a": nested})
		if err != nil {
			t.Fatal(err)
		}
		nested = string(quoted)
	}
	if digestOf(charset.UTF8, []byte(nested)) == digestOf(charset.UTF8, []byte(strings.Replace(nested, "1", "2", 1))) {
		t.Error("quotes hide the content")
	}
}

// An object that is written in another way has the same digest, one with another value has another.
func TestDigestProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		members := rapid.MapOf(rapid.String(), rapid.String()).Draw(t, "members")
		write := func(names []string) []byte {
			ps := make([]pair, len(names))
			for i, name := range names {
				ps[i] = pair{name, members[name]}
			}
			if len(ps) == 0 {
				return []byte("{}")
			}
			return []byte(asJSON(ps))
		}
		names := slices.Sorted(maps.Keys(members))
		digest := digestOf(charset.UTF8, write(names))
		if got := digestOf(charset.UTF8, write(rapid.Permutation(names).Draw(t, "order"))); got != digest {
			t.Fatal("the order counts")
		}
		if len(names) == 0 {
			return
		}
		changed := rapid.SampledFrom(names).Draw(t, "changed")
		members[changed] += "x"
		if got := digestOf(charset.UTF8, write(names)); (got == digest) != (changed == "traceId" || changed == "trace_id") {
			t.Fatalf("%q counts: %v", changed, got != digest)
		}
	})
}
