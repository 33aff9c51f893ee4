package contain_test

import (
	"errors"
	"runtime"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/contain"
	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
)

var errWork = errors.New("it failed")

// nilError is the classic one: a nil pointer in an error, whose methods panic.
type nilError struct{ cause error }

func (e *nilError) Error() string { return e.cause.Error() }
func (e *nilError) Unwrap() error { return e.cause }

func TestCall(t *testing.T) {
	t.Parallel()
	const methods = "panic in f: an error of type *contain_test.nilError, whose methods panic"
	for name, c := range map[string]struct {
		f    func() error
		want string // text of the error; empty for none
	}{
		"success":          {func() error { return nil }, ""},
		"error":            {func() error { return errWork }, "it failed"},
		"panic with text":  {func() error { panic("boom") }, "panic in f: boom"},
		"panic with error": {func() error { panic(errWork) }, "panic in f: it failed"},
		"panic with nil":   {func() error { panic(nil) }, "panic in f: " + new(runtime.PanicNilError).Error()},
		"nil pointer": {
			func() error { return errors.Join((*nilError)(nil).Unwrap()) },
			"panic in f: runtime error: invalid memory address or nil pointer dereference",
		},
		"Goexit":            {func() error { runtime.Goexit(); return nil }, "panic in f: it called runtime.Goexit"},
		"error that panics": {func() error { return (*nilError)(nil) }, methods},
		"panic with that":   {func() error { panic((*nilError)(nil)) }, methods},
		"that, joined": {
			func() error { return errors.Join(errWork, (*nilError)(nil)) },
			"panic in f: an error of type *errors.joinError, whose methods panic",
		},
		"Goexit in deferred": {
			func() error { defer runtime.Goexit(); panic("boom") }, "panic in f: it called runtime.Goexit",
		},
	} {
		err := contain.Call("f", c.f)
		if text := ""; err != nil {
			text = err.Error()
			if text != c.want {
				t.Errorf("%s: error %q, want %q", name, text, c.want)
			}
		} else if c.want != "" {
			t.Errorf("%s: no error, want %q", name, c.want)
		}
		if p := (*fliggy.PanicError)(nil); errors.As(err, &p) && p.Stack == nil && !errors.Is(err, p.Value.(error)) {
			t.Errorf("%s: neither a stack nor an error in %#v", name, p)
		}
	}
}
