package rentcar

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// The classes of failure, to be matched with errors.Is. An error may belong to
// several: a timeout of a submit is ErrUnavailable and ErrOutcomeUnknown.
var (
	// ErrOutcomeUnknown: a call that changes something may or may not have been
	// carried out. Do not repeat it: ask the platform first.
	ErrOutcomeUnknown = errors.New("outcome unknown: the call may have been carried out")
	// ErrRateLimited: flow control (限流) refused the call, which was not carried out.
	// A write that got HTTP status 429 without an envelope may have been, since a proxy
	// does not say what it did before; so may an earlier attempt of a call repeated
	// under CallRepeatUnknown. Both match ErrOutcomeUnknown too.
	ErrRateLimited = errors.New("rate limited")
	// ErrUnavailable: the gateway, the network or the service behind failed.
	ErrUnavailable = errors.New("service unavailable")
	// ErrUnauthorized: signature, app key or session were refused.
	ErrUnauthorized = errors.New("unauthorized")
	// ErrForbidden: the app or the user lacks the permission.
	ErrForbidden = errors.New("forbidden")
	// ErrReplyTooLarge: the reply is larger than WithReplyLimit allows.
	ErrReplyTooLarge = errors.New("reply too large")
)

// An Outcome says what is known of a call that failed.
type Outcome uint8

const (
	// OutcomeUnknown means that the call may have been carried out, or not.
	OutcomeUnknown Outcome = iota
	// OutcomeNotSent means that nothing has left this process, or no connection came about.
	OutcomeNotSent
	// OutcomeRejected means that the platform refused the call and did not carry it out.
	OutcomeRejected
	// OutcomeSucceeded means that the call was carried out and says so.
	OutcomeSucceeded
)

// String returns the outcome in words.
func (o Outcome) String() string {
	switch o {
	case OutcomeNotSent:
		return "not sent"
	case OutcomeRejected:
		return "rejected"
	case OutcomeSucceeded:
		return "succeeded"
	}
	return "unknown"
}

// OutcomeOf returns what became of the call that returned err: OutcomeSucceeded for
// nil, OutcomeNotSent or OutcomeRejected where that is certain, and OutcomeUnknown
// for everything else, errors of other packages included.
func OutcomeOf(err error) Outcome {
	if err == nil {
		return OutcomeSucceeded
	}
	var known interface{ Outcome() Outcome }
	if errors.As(err, &known) {
		return known.Outcome()
	}
	var invalid *fliggy.ValidationError
	if errors.As(err, &invalid) {
		return OutcomeNotSent
	}
	return OutcomeUnknown
}

// IsFinal reports whether err, as a call returned it, blames what the request says, so that the same request would fail
// again at any later time: a *ValidationError, a *BusinessError, or a *GatewayError about its content. It is false for
// everything that can be put right without another request (signature, session, permission, clock, API name), for what
// passes (flow control, an outage), and for an outcome that is not known.
func IsFinal(err error) bool {
	for ; err != nil; err = errors.Unwrap(err) {
		//nolint:errorlint // the loop looks into errors that wrap one, not into the causes of a call's error
		switch e := err.(type) {
		case *fliggy.ValidationError, *BusinessError:
			return true
		case *GatewayError:
			return e.Is(fliggy.ErrInvalidRequest) && e.Outcome() == OutcomeRejected && isAboutContent(e.Code, e.SubCode)
		case *TransportError, *DecodeError:
			return false
		}
	}
	return false
}

// isPanic reports whether a function of the user's panicked: it would do so again.
func isPanic(err error) bool {
	var p *fliggy.PanicError
	return errors.As(err, &p)
}

// A TransportError says that no usable reply came: the connection failed, the time was up, or the reply was cut off or
// is not one of the gateway. A test can make one from these fields, as with the other errors of this package: it
// matches the same sentinel errors. A method that has no type here counts as a write.
type TransportError struct {
	Method     string // API name
	Attempts   int    // how often the call was sent or tried
	Phase      Phase  // what failed
	HTTPStatus int    // 0 when no status line came
	// Err is the cause, for errors.Is and errors.As. Its text is at most 4 KiB of that of the cause, without URL,
	// secrets and what the server sent.
	Err error `json:"-"`

	// RetryAfter is how long to wait by the Retry-After header (in seconds or as a date)
	// of a reply with HTTP status 429 or 503; 24 hours at most, 0 without the header.
	RetryAfter time.Duration

	readOnly bool // the call was marked so
}

// A Phase is the part of an attempt that failed.
type Phase string

// The phases of an attempt.
const (
	// the context was over, or the clock, the limiter or the source of sessions failed: nothing was sent
	PhaseBefore  Phase = "before sending"
	PhaseConnect Phase = "connecting"                       // name, connection or TLS: nothing was sent
	PhaseSend    Phase = "sending or waiting for the reply" // a connection came about, no reply did
	PhaseRead    Phase = "reading the reply"                // a reply was cut off, broken or too large
	PhaseStatus  Phase = "HTTP status"                      // a reply without envelope, not with status 200
)

// Error names the method, the phase and the cause, never URL, body or secrets.
func (e *TransportError) Error() string {
	return fmt.Sprintf(
		"rentcar: %s: %s: %v%s%s", e.Method, e.Phase, e.Err, attempts(e.Attempts), e.class().warning(e.Method),
	)
}

// Unwrap returns the cause, such as context.DeadlineExceeded.
func (e *TransportError) Unwrap() error { return e.Err }

// Is matches the classes of this package.
func (e *TransportError) Is(target error) bool { return e.class().is(target) }

// Outcome is OutcomeNotSent when no connection came about, else OutcomeUnknown.
func (e *TransportError) Outcome() Outcome { return e.class().outcome }

// Timeout reports whether the time of the attempt or of the caller was up.
func (e *TransportError) Timeout() (timeout bool) {
	defer func() { _ = recover() }() // the cause may be of any type
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// A GatewayError is an error_response of the gateway: the call did not reach
// the service, or the service behind failed. Method and codes as in the
// platform's list of error codes (错误码). Of what the platform sent, codes and
// RequestID hold at most 256 bytes, messages at most 4 KiB, and no secrets of the call.
type GatewayError struct {
	Method     string // API name
	Code       string // main code as text, such as "15"
	Msg        string // such as "Remote service error"
	SubCode    string // such as "isv.invalid-parameter", may be empty
	SubMsg     string // SubCode in words, may be empty
	RequestID  string // the gateway's id of the call, for the platform's support; may be empty
	HTTPStatus int    // 200 as a rule
	Attempts   int    // how often the call was sent

	// RetryAfter is how long a ban of flow control lasts by its message, or else how long to wait by the Retry-After
	// header: at most 24 hours, and 0 if neither is known.
	RetryAfter time.Duration

	readOnly  bool // the call was marked so
	undecided bool // the codes do not say what became of the call: a Qimen provider's own, or contradicted by the reply
}

// Error gives codes, messages and the request id.
func (e *GatewayError) Error() string {
	text := fmt.Sprintf("rentcar: %s: gateway error %s", e.Method, cmp.Or(brief(e.Code), "without a code"))
	if e.SubCode != "" {
		text += " (" + brief(e.SubCode) + ")"
	}
	for _, message := range []string{e.Msg, e.SubMsg} {
		if message != "" {
			text += ": " + brief(message)
		}
	}
	return text + requestID(e.RequestID) + attempts(e.Attempts) + e.class().warning(e.Method)
}

// Is matches the classes of this package.
func (e *GatewayError) Is(target error) bool { return e.class().is(target) }

// Outcome is OutcomeRejected where the code proves it, else OutcomeUnknown.
func (e *GatewayError) Outcome() Outcome { return e.class().outcome }

// A BusinessError is a regular reply whose success flag says no. The method
// that returns it also returns the decoded reply, which has the texts in full: here
// Code and RequestID hold at most 256 bytes, Message at most 4 KiB, and no secrets of
// the call.
type BusinessError struct {
	Method    string // API name
	Code      string // ret_code, or biz_error_code of the agency; free text
	Message   string // ret_msg, or biz_error_msg of the agency
	RequestID string // the gateway's id of the call, for the platform's support; may be empty
	Attempts  int    // how often the call was sent
}

// Error gives code, message and the request id.
func (e *BusinessError) Error() string {
	text := fmt.Sprintf("rentcar: %s: refused", e.Method)
	if e.Code != "" {
		text += fmt.Sprintf(" with code %s", brief(e.Code))
	}
	if e.Message != "" {
		text += ": " + brief(e.Message)
	}
	return text + requestID(e.RequestID) + attempts(e.Attempts)
}

// Outcome is OutcomeRejected.
func (e *BusinessError) Outcome() Outcome { return OutcomeRejected }

// A DecodeError says that a reply was not understood. The error does not show the reply, which may hold personal data:
// CallRawReply stores it.
type DecodeError struct {
	Method     string // API name
	RequestID  string // at most 256 bytes; empty when it could not be read either
	HTTPStatus int    // 200, since any other without an envelope is a TransportError
	Attempts   int    // how often the call was sent
	Reply      string // what came, in words: "HTML, 120 bytes"
	Err        error  `json:"-"` // path and rule

	readOnly bool // the call was marked so
}

// Error names what came and the member and rule it breaks.
func (e *DecodeError) Error() string {
	return fmt.Sprintf("rentcar: %s: reply not understood (%s): %v%s%s%s", e.Method, e.Reply, e.Err,
		requestID(e.RequestID), attempts(e.Attempts), e.class().warning(e.Method))
}

// Unwrap returns the path and rule.
func (e *DecodeError) Unwrap() error { return e.Err }

// Is matches the classes of this package.
func (e *DecodeError) Is(target error) bool { return e.class().is(target) }

// Outcome is OutcomeUnknown.
func (e *DecodeError) Outcome() Outcome { return e.class().outcome }

func requestID(id string) string {
	if id == "" {
		return ""
	}
	return fmt.Sprintf(" [request_id %s]", brief(id))
}

// maxBrief is the maximum number of characters of a message of the platform in the text of an error.
const maxBrief = 300

// brief makes a message of the platform fit for one line of a log.
func brief(text string) string {
	if runes := []rune(text); len(runes) > maxBrief {
		text = string(runes[:maxBrief]) + "..."
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, text)
}

func attempts(n int) string {
	if n < 2 {
		return ""
	}
	return fmt.Sprintf(" [after %d attempts]", n)
}

// transportError completes the error of an attempt.
func (c *Client) transportError(cl *call, n int, got *RawReply, e *TransportError) error {
	e.Method, e.Attempts, e.Err, e.readOnly = cl.method, n, cl.private.hide(e.Err), !cl.write
	if got != nil {
		e.HTTPStatus, e.RetryAfter = got.HTTPStatus, got.retryAfter(c.now())
	}
	return e
}

func (c *Client) gatewayError(cl *call, n int, got *RawReply, f *top.Fault, obs *Observation) *GatewayError {
	e := &GatewayError{
		Method: cl.method, Code: cl.private.redact(f.Code, maxCode), Msg: cl.private.redact(f.Msg, maxText),
		SubCode: cl.private.redact(f.SubCode, maxCode), SubMsg: cl.private.redact(f.SubMsg, maxText),
		RequestID:  cl.private.redact(f.RequestID, maxCode),
		HTTPStatus: got.HTTPStatus, Attempts: n, readOnly: !cl.write,
	}
	limited := e.class().is(ErrRateLimited)
	// A Qimen provider may have written the error. Its code 7 is its own.
	e.undecided = f.Provider || f.Contradicted || cl.dialect == top.Qimen && limited && !strings.HasPrefix(
		f.SubCode, "accesscontrol.",
	)
	if limited && !e.undecided {
		e.RetryAfter = cmp.Or(banOf(cut(f.SubMsg, maxText)), banOf(cut(f.Msg, maxText)))
	}
	if e.class().repeat != repeatNone { // what repeating does not mend, waiting does not
		e.RetryAfter = cmp.Or(e.RetryAfter, got.retryAfter(c.now()))
	}
	obs.RequestID, obs.Code, obs.SubCode = e.RequestID, e.Code, e.SubCode
	return e
}
