package top_test

import (
	"testing"

	"github.com/fliggy-go/rentcar/internal/top"
)

// A member that is not there can be asked everything, and says nothing.
func TestNoValue(t *testing.T) {
	t.Parallel()
	object, err := top.ParseJSON(`{"a":1}`)
	if err != nil {
		t.Fatal(err)
	}
	none := object.Get("b")
	in, err := none.AsObject()
	if none.Kind() != top.None || in.Kind() != top.None || err != nil || none.Says() || !none.IsEmpty() {
		t.Errorf("%v %v %v", none.Kind(), in.Kind(), err)
	}
	if text := none.Name() + none.Text() + none.JSON(); text != "" || none.CheckTwice() != nil ||
		none.Get("c").Kind() != top.None {
		t.Errorf("%q", text)
	}
}
