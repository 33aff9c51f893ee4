package top_test

import "testing"

// A keeper keeps the JSON that it is given, as encoding/json forbids.
type keeper struct{ json []byte }

func (k *keeper) UnmarshalJSON(data []byte) error {
	k.json = data
	return nil
}

// What a type has kept is not overwritten by the values and messages that are read
// after it.
func TestKeptJSON(t *testing.T) {
	t.Parallel()
	type message struct {
		A keeper `top:"a"`
		B keeper `top:"b"`
	}
	plan := planOf[message](t)
	var first, second message
	for text, into := range map[string]*message{`{"a":{"x":1},"b":[2]}`: &first, `{"a":{"y":3},"b":[4]}`: &second} {
		if err := plan.DecodeText(text, into); err != nil {
			t.Fatal(err)
		}
	}
	for got, want := range map[*keeper]string{&first.A: `{"x":1}`, &first.B: `[2]`, &second.A: `{"y":3}`, &second.B: `[4]`} {
		if string(got.json) != want {
			t.Errorf("%s became %q", want, got.json)
		}
	}
}
