package qimen

import (
	"errors"
	"fmt"
)

// The classes of refusal, to be matched with errors.Is.
var (
	// ErrInvalidSignature: the signature is wrong, belongs to no configured app,
	// or the push is of a form that cannot be verified.
	ErrInvalidSignature = errors.New("invalid signature")
	// ErrExpired: the signed timestamp is missing, is no time, or lies outside
	// the window.
	ErrExpired = errors.New("timestamp outside the window")
	// ErrBodyTooLarge: the body is longer than the limit.
	ErrBodyTooLarge = errors.New("body too large")
	// ErrBodyTooSlow: the body had not arrived when the time for it or the context of
	// the request ended.
	ErrBodyTooSlow = errors.New("body too slow")
	// ErrForbiddenClient: the client is in none of the allowed ranges, or not known.
	ErrForbiddenClient = errors.New("client not allowed")

	errBadMethod = errors.New("bad HTTP method")
)

// A refusal says why a push was not verified. It matches one of the classes and
// chooses the row of the reply table.
type refusal struct {
	class  error
	reason Reason
	text   string
}

func (e *refusal) Error() string { return "qimen: " + e.class.Error() + ": " + e.text }

func (e *refusal) Is(target error) bool { return target == e.class }

var errBodyRead error = &refusal{ErrInvalidSignature, ReasonBodyRead, "the body had been read before the handler, so it cannot be verified: " +
	"mount the handler before any middleware that reads or parses the body, or let that put the bytes back into r.Body"}

// unverifiable says what in the request rules out a verification. Values of the
// request are quoted only where they are short and harmless.
func unverifiable(format string, args ...any) error {
	return &refusal{ErrInvalidSignature, ReasonUnverifiable, fmt.Sprintf(format, args...)}
}

func unsupportedContentType(format string, args ...any) error {
	return &refusal{ErrInvalidSignature, ReasonContentType, fmt.Sprintf(format, args...)}
}

func forbidden(format string, args ...any) error {
	return &refusal{ErrForbiddenClient, ReasonForbiddenClient, fmt.Sprintf(format, args...)}
}

// tooSlow keeps what ended the reading.
func tooSlow(cause error) error {
	return fmt.Errorf("%w: %w", &refusal{ErrBodyTooSlow, ReasonTooSlow, "it had not arrived in time"}, cause)
}

func tooLarge(limit int64) error {
	return &refusal{ErrBodyTooLarge, ReasonTooLarge, fmt.Sprintf("more than %d bytes", limit)}
}

// reasonOf gives the row of the reply table for an error of this package.
func reasonOf(err error) Reason {
	var r *refusal
	if errors.As(err, &r) {
		return r.reason
	}
	return ReasonUnreadable
}
