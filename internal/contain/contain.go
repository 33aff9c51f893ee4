// Package contain calls functions of the user, which may panic.
package contain

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/fliggy-go/rentcar/fliggy"
)

var errExit = errors.New("it called runtime.Goexit")

// Do calls f and returns its error. A panic of f is a *fliggy.PanicError that names what was called. So is an error whose
// own methods panic: what Do returns can be printed, and searched with errors.Is and errors.As.
func Do(what string, f func() error) (err error) {
	defer Recover(what, &err)
	if err = f(); err != nil {
		err = checked(what, err, err)
	}
	return err
}

// Call is Do on a goroutine of its own: a call of runtime.Goexit is a *fliggy.PanicError too, and does not end the
// caller's goroutine.
func Call(what string, f func() error) (err error) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		err = &fliggy.PanicError{Func: what, Value: errExit} // unless f returns or panics
		err = Do(what, f)
	}()
	<-over
	return err
}

// Recover turns a panic of the function that defers it into an error, as Do does.
func Recover(what string, err *error) {
	if value := recover(); value != nil {
		*err = checked(what, &fliggy.PanicError{Func: what, Value: value, Stack: debug.Stack()}, value)
	}
}

// checked returns err if its methods do not panic. value is what to blame otherwise.
func checked(what string, err error, value any) (result error) {
	defer func() {
		if recover() != nil {
			text := fmt.Sprintf("an error of type %T, whose methods panic", value)
			result = &fliggy.PanicError{Func: what, Value: text, Stack: debug.Stack()}
		}
	}()
	_ = err.Error()
	_ = errors.Is(err, errExit)
	_ = errors.As(err, new(*fliggy.PanicError))
	return err
}
