package top_test

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/google/go-cmp/cmp"
)

const testdata = "../../testdata"

// vectors reads the cases of a file of recorded vectors.
func vectors[T any](t testing.TB, file string) []T {
	t.Helper()
	var f struct{ Vectors []T }
	if err := json.Unmarshal(readFile(t, "vectors/"+file), &f); err != nil {
		t.Fatal(err)
	}
	if len(f.Vectors) == 0 {
		t.Fatalf("%s has no vectors", file)
	}
	return f.Vectors
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(testdata, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// planOf returns the plan of T.
func planOf[T any](t testing.TB) *top.Plan {
	t.Helper()
	p, err := top.PlanFor(reflect.TypeFor[T]())
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func fromJSON[T any](t testing.TB, text string) (T, error) {
	t.Helper()
	var v T
	err := planOf[T](t).DecodeJSON([]byte(text), &v)
	return v, err
}

func fromXML[T any](t testing.TB, text string) (T, error) {
	t.Helper()
	var v T
	err := planOf[T](t).DecodeXML([]byte(text), &v)
	return v, err
}

// toJSON writes v and insists on valid JSON.
func toJSON[T any](t testing.TB, v *T, o top.EncodeOptions) (string, error) {
	t.Helper()
	out, err := planOf[T](t).AppendJSON(nil, v, o)
	if err == nil && !json.Valid(out) {
		t.Fatalf("not valid JSON: %s", out)
	}
	return string(out), err
}

// inXML writes wrapped JSON as the platform writes XML: a member is an element, a list as many of its name.
func inXML(wrapped string) string {
	root, _ := top.ParseJSON(wrapped)
	var b strings.Builder
	var write func(name string, v top.Value)
	write = func(name string, v top.Value) {
		if v.Kind() == top.List {
			for item := range v.Inside() {
				write(name, item)
			}
			return
		}
		b.WriteString("<" + name + ">")
		if v.Kind() == top.Object {
			for m := range v.Inside() {
				if m.Kind() != top.Null {
					write(m.Name(), m)
				}
			}
		} else {
			_ = xml.EscapeText(&b, []byte(v.Text())) // a strings.Builder does not fail
		}
		b.WriteString("</" + name + ">")
	}
	for m := range root.Inside() {
		write(m.Name(), m)
	}
	return b.String()
}

// exact compares scalars by what they hold, where cmp would ask their Equal,
// which takes 10.0 for 10.00.
var exact = cmp.Options{
	same[fliggy.Yuan](), same[fliggy.Fen](), same[fliggy.Decimal](), same[fliggy.Date](),
	cmp.AllowUnexported(all{}), // for the struct embedded in it
	cmp.Comparer(func(a, b fliggy.Time) bool { return a.Time.Equal(b.Time) }),
}

func same[T comparable]() cmp.Option { return cmp.Comparer(func(a, b T) bool { return a == b }) }

func wantDiff(t testing.TB, what string, want, got any, opts ...cmp.Option) {
	t.Helper()
	if diff := cmp.Diff(want, got, append(opts, exact)...); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// wantError insists on an error with this very text.
func wantError(t testing.TB, what string, err error, text string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("%s: no error, want %q", what, text)
	case err.Error() != text:
		t.Errorf("%s: error %q, want %q", what, err, text)
	}
}

// jsonValue reads JSON with numbers by their text.
func jsonValue(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("%v in %s", err, text)
	}
	return v
}

func ptr[T any](v T) *T { return &v }

// nested returns depth opening brackets and as many closing ones around inner.
func nested(open, inner, closing string, depth int) string {
	return strings.Repeat(open, depth) + inner + strings.Repeat(closing, depth)
}
