package fliggy

import (
	"errors"
	"testing"
)

func TestPanicError(t *testing.T) {
	t.Parallel()
	failed := errors.New("it failed")
	for want, e := range map[string]*PanicError{
		"panic: boom":                     {Value: "boom"},
		"panic in the limiter: it failed": {Func: "the limiter", Value: failed},
	} {
		if e.Error() != want {
			t.Errorf("Error() = %q, want %q", e.Error(), want)
		}
		if isError := e.Func != ""; errors.Is(e, failed) != isError {
			t.Errorf("%s: errors.Is finds the value: %v, want %v", want, !isError, isError)
		}
	}
}
