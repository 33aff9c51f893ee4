package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestConsumer(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := errors.Join(distribute(t.Context(), &out), price(&out)); err != nil {
		t.Fatal(err)
	}
	const want = "renewal: accepted\nevent: refund of 20.50\ncallback: succeeded\nprice: 16.00\n"
	if diff := cmp.Diff(want, out.String()); diff != "" {
		t.Error(diff)
	}
}
