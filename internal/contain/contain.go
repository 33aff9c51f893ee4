// Package contain calls functions of the user, which may panic.
package contain

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/fliggy-go/rentcar/fliggy"
)

var errExit = errors.New("it called runtime.Goexit")

// Call calls f and returns its error. A panic of f, and a call of runtime.Goexit, is a
// *fliggy.PanicError that names what was called. So is an error whose own methods panic:
// what Call returns can be printed, and searched with errors.Is and errors.As.
//
// f runs on a goroutine of its own, so that runtime.Goexit does not end the caller's.
func Call(what string, f func() error) (err error) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		err = &fliggy.PanicError{Func: what, Value: errExit} // unless f returns or panics
		defer Recover(what, &err)
		failed := f()
		if failed != nil {
			failed = checked(what, failed, failed)
		}
		err = failed
	}()
	<-over
	return err
}

// Recover turns a panic of the function that defers it into an error, as Call does. It
// costs no goroutine, so runtime.Goexit ends the caller's.
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
