package qimen

import (
	"errors"
	"fmt"
)

// The classes of refusal, for errors.Is.
var (
	// ErrInvalidSignature means that the signature is wrong or of no configured app, or that the push cannot be verified.
	ErrInvalidSignature = errors.New("invalid signature")
	// ErrExpired means that the signed timestamp is missing, invalid, or outside the window.
	ErrExpired = errors.New("timestamp outside the window")
	// ErrBodyTooLarge means that the body exceeds the limit.
	ErrBodyTooLarge = errors.New("body too large")
	// ErrBodyTooSlow means that the body did not arrive before the read timeout or the end of the request context.
	ErrBodyTooSlow = errors.New("body too slow")
	// ErrForbiddenClient means that the address of the client is unknown or in none of the allowed ranges.
	ErrForbiddenClient = errors.New("client not allowed")

	errBadMethod = errors.New("bad HTTP method")
)

// A refusal is an error about a push that was not verified. It matches its class and has a reason, which selects the
// reply.
type refusal struct {
	class  error
	reason Reason
	text   string
}

func (e *refusal) Error() string { return "qimen: " + e.class.Error() + ": " + e.text }

func (e *refusal) Is(target error) bool { return target == e.class }

var errBodyRead error = &refusal{ErrInvalidSignature, ReasonBodyRead,
	"something read the body before the handler, so it cannot be verified: " +
		"mount the handler before any middleware that reads or parses the body, or make that restore r.Body"}

// unverifiable returns an error for a push that cannot be verified. It may quote only short and harmless values of the
// push.
func unverifiable(format string, args ...any) error {
	return &refusal{ErrInvalidSignature, ReasonUnverifiable, fmt.Sprintf(format, args...)}
}

func unsupportedContentType(format string, args ...any) error {
	return &refusal{ErrInvalidSignature, ReasonContentType, fmt.Sprintf(format, args...)}
}

func forbidden(format string, args ...any) error {
	return &refusal{ErrForbiddenClient, ReasonForbiddenClient, fmt.Sprintf(format, args...)}
}

// tooSlow wraps the error that ended the reading.
func tooSlow(cause error) error {
	return fmt.Errorf("%w: %w", &refusal{ErrBodyTooSlow, ReasonTooSlow, "it did not arrive in time"}, cause)
}

func tooLarge(limit int64) error {
	return &refusal{ErrBodyTooLarge, ReasonTooLarge, fmt.Sprintf("more than %d bytes", limit)}
}

// reasonOf returns the reason of an error of this package.
func reasonOf(err error) Reason {
	var r *refusal
	if errors.As(err, &r) {
		return r.reason
	}
	return ReasonUnreadable
}
