package top_test

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
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

// all has a member of every kind that a message may have.
type all struct {
	Text    string   `top:"text"`
	TextPtr *string  `top:"text_ptr"`
	Flag    bool     `top:"flag"`
	FlagPtr *bool    `top:"flag_ptr"`
	AsText  bool     `top:"as_text,text"`
	Int     int64    `top:"int"`
	Small   int8     `top:"small"`
	IntPtr  *int     `top:"int_ptr"`
	Uint    uint16   `top:"uint"`
	Float   float64  `top:"float"`
	Single  *float32 `top:"single"`
	scalars
	Item     item     `top:"item"`
	ItemPtr  *item    `top:"item_ptr"`
	Texts    []string `top:"texts"`
	Ints     []int64  `top:"ints"`
	Uints    []uint16 `top:"uints"`
	Floats   []float64
	Flags    []bool             `top:"flags"`
	IntPtrs  []*int             `top:"int_ptrs"`
	IDs      []fliggy.ID        `top:"ids"`
	Yuans    []fliggy.Yuan      `top:"yuans"`
	Fens     []fliggy.Fen       `top:"fens"`
	Times    []fliggy.Time      `top:"times,layout=minute"`
	Statuses []fliggy.PayStatus `top:"statuses"`
	Items    []item             `top:"items,wrap=order_detail_item"`
	ItemPtrs []*item            `top:"item_ptrs"`
	ListPtr  *[]string          `top:"list_ptr"`
}

// scalars are members of package fliggy, embedded to be part of the message.
type scalars struct {
	ID        fliggy.ID        `top:"id"`
	IDNumber  fliggy.ID        `top:"id_number,number"`
	IDPtr     *fliggy.ID       `top:"id_ptr"`
	Yuan      fliggy.Yuan      `top:"yuan"`
	YuanPtr   *fliggy.Yuan     `top:"yuan_ptr"`
	Bare      fliggy.Yuan      `top:"bare,number"`
	Fen       fliggy.Fen       `top:"fen"`
	Decimal   fliggy.Decimal   `top:"decimal"`
	Time      fliggy.Time      `top:"time"`
	Minute    fliggy.Time      `top:"minute,layout=minute"`
	LocalTime fliggy.LocalTime `top:"local_time"`
	Date      fliggy.Date      `top:"date"`
	Exts      fliggy.Exts      `top:"exts"`
	Channel   fliggy.Channel   `top:"channel"`
	PayStatus fliggy.PayStatus `top:"pay_status"`
}

// item is a message inside a message, which may hold another one.
type item struct {
	SID   string      `top:"sid"`
	N     int64       `top:"n"`
	Price fliggy.Yuan `top:"price"`
	Next  *item       `top:"next"`
	Tags  []string    `top:"tags"`
}

// open keeps what it does not know.
type open struct {
	A     string                     `top:"a"`
	Inner *open                      `top:"inner"`
	Raw   json.RawMessage            `top:"raw"`
	Extra map[string]json.RawMessage `top:",unknown"`
}
