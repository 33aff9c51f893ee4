package fliggy_test

import (
	"encoding"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// scalarPtr is what every scalar of the package offers to decoders.
type scalarPtr[T any] interface {
	*T
	encoding.TextUnmarshaler
	json.Unmarshaler
}

// scalarValue is what every scalar of the package offers to encoders.
type scalarValue interface {
	comparable
	encoding.TextAppender
	encoding.TextMarshaler
	String() string
}

// exact compares structs with unexported fields by ==.
func exact[T comparable]() cmp.Option {
	return cmp.Comparer(func(a, b T) bool { return a == b })
}

func fromText[T any, P scalarPtr[T]](text string) (T, error) {
	var v T
	err := P(&v).UnmarshalText([]byte(text))
	return v, err
}

func fromJSON[T any, P scalarPtr[T]](data string) (T, error) {
	var v T
	err := P(&v).UnmarshalJSON([]byte(data))
	return v, err
}

// textOf gives the text of v and checks that all ways of writing it agree.
func textOf[T scalarValue](t rapid.TB, v T) string {
	t.Helper()
	text, err := v.MarshalText()
	if err != nil {
		t.Fatalf("MarshalText(%v): %v", v, err)
	}
	appended, err := v.AppendText([]byte("before "))
	if err != nil {
		t.Fatalf("AppendText(%v): %v", v, err)
	}
	if want := "before " + string(text); string(appended) != want {
		t.Fatalf("AppendText = %q, want %q", appended, want)
	}
	if v.String() != string(text) {
		t.Fatalf("String = %q, MarshalText = %q", v.String(), text)
	}
	return string(text)
}

// jsonOf gives the JSON of v, with the characters of HTML as they are.
func jsonOf[T scalarValue](t rapid.TB, v T) string {
	t.Helper()
	var data strings.Builder
	e := json.NewEncoder(&data)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		t.Fatalf("JSON of %v: %v", v, err)
	}
	return strings.TrimSuffix(data.String(), "\n")
}

// roundTrip checks that v survives its own text and JSON.
func roundTrip[T scalarValue, P scalarPtr[T]](t rapid.TB, v T) {
	t.Helper()
	for form, read := range map[string]func() (T, error){
		"text": func() (T, error) { return fromText[T, P](textOf(t, v)) },
		"JSON": func() (T, error) { return fromJSON[T, P](jsonOf(t, v)) },
	} {
		got, err := read()
		if err != nil {
			t.Fatalf("%s of %v does not read: %v", form, v, err)
		}
		if got != v {
			t.Fatalf("%s of %v reads as %v", form, v, got)
		}
	}
}

// wantError checks that err exists, names what it is about and quotes little of its input.
func wantError(t rapid.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range append(parts, "fliggy: ") {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
	if n := utf8.RuneCountInString(err.Error()); n > 40*len(`\U0010ffff`)+100 {
		t.Errorf("error has %d characters: %q", n, err)
	}
}

// fuzzScalar checks what must hold for any input of a scalar: no panic, bounded errors, a target left alone on errors,
// and that what was read can be written and read again.
func fuzzScalar[T scalarValue, P scalarPtr[T]](t *testing.T, before T, data []byte) (text, js *T) {
	read := func(unmarshal func(P) error) *T {
		v := before
		if err := unmarshal(&v); err != nil {
			wantError(t, err)
			if v != before {
				t.Fatalf("failed read of %q changed the target to %v", data, v)
			}
			return nil
		}
		roundTrip[T, P](t, v)
		return &v
	}
	text = read(func(p P) error { return p.UnmarshalText(data) })
	js = read(func(p P) error { return p.UnmarshalJSON(data) })
	return text, js
}

// member gives the raw JSON value at a path of a sample file.
func member(t *testing.T, file string, path ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "samples", file))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range path {
		if name == "0" || name == "1" {
			var list []json.RawMessage
			if err := json.Unmarshal(data, &list); err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			data = list[int(name[0]-'0')]
			continue
		}
		var object map[string]json.RawMessage
		if err := json.Unmarshal(data, &object); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if data = object[name]; data == nil {
			t.Fatalf("%s has no member %s of %v", file, name, path)
		}
	}
	return string(data)
}
