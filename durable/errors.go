package durable

import (
	"errors"
	"fmt"
	"strings"
)

// ErrConflict says that the store has another item under the same id.
var ErrConflict = errors.New("durable: another item has this id")

// Permanent marks an error that another attempt would meet again: the item is
// parked. It is nil for a nil error.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return &permanentError{err}
}

type permanentError struct{ err error }

func (e *permanentError) Error() string { return textOf(e.err) }
func (e *permanentError) Unwrap() error { return e.err }

func isPermanent(err error) bool {
	var p *permanentError
	return errors.As(err, &p)
}

// textOf is the text of an error, also where its method panics.
func textOf(err error) (text string) {
	defer func() {
		if recover() != nil {
			text = fmt.Sprintf("an error of type %T, whose Error method panics", err)
		}
	}()
	return err.Error()
}

// maxReason bounds the reason that a store is given, in bytes.
const maxReason = 1000

// reasonOf is the text of an error as any store can keep it.
func reasonOf(err error) string {
	text := textOf(err)
	text = strings.ToValidUTF8(text[:min(len(text), maxReason)], "?")
	return strings.ReplaceAll(text, "\x00", "?")
}
