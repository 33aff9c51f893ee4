package fliggy

import "fmt"

// A PanicError is a panic of a function that the user has given to this library, such as
// an observer, a limiter or a handler. It shows the value of the panic, which may be
// anything: its text is for the user alone.
type PanicError struct {
	Func  string // which function it was, such as "the limiter"; may be empty
	Value any    // what it panicked with; an error that says so when it called runtime.Goexit
	Stack []byte // the stack of the panic; nil for runtime.Goexit
}

// Error names the function and gives the value of the panic, without the stack.
func (e *PanicError) Error() string {
	if e.Func == "" {
		return fmt.Sprintf("panic: %v", e.Value)
	}
	return fmt.Sprintf("panic in %s: %v", e.Func, e.Value)
}

// Unwrap returns the value of the panic where it is an error.
func (e *PanicError) Unwrap() error {
	err, _ := e.Value.(error)
	return err
}
