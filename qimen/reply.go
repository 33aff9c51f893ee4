package qimen

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"

	"github.com/fliggy-go/rentcar/internal/top"
)

// A Reason says how the handling of a push ended. The set is closed; each has a
// row in the reply table.
type Reason string

// The reasons.
const (
	// ReasonAccepted: the function of the user did its work, now or when the message
	// came first. A merchant's function wrote the reply; the row of the table is for
	// events.
	ReasonAccepted Reason = "accepted"
	// ReasonBadSignature: the signature is wrong, missing, or of no configured app.
	ReasonBadSignature Reason = "bad signature"
	// ReasonUnverifiable: the query or the body is of a form that cannot be verified.
	ReasonUnverifiable Reason = "unverifiable"
	// ReasonContentType: content type, charset or content encoding are missing or not
	// supported.
	ReasonContentType Reason = "unsupported content type"
	// ReasonBodyRead: the signature does not match, and something had read the body
	// before the handler: a middleware that logs it or parses the form, or a call of
	// r.FormValue. Mount the handler before it, or let it set r.Body again.
	ReasonBodyRead Reason = "body read before"
	// ReasonExpired: the signed timestamp is outside the window, missing or no time.
	ReasonExpired Reason = "expired"
	// ReasonUnknownMethod: no function is registered for the signed method.
	ReasonUnknownMethod Reason = "unknown method"
	// ReasonUndecodable: the signed message cannot be parsed, is garbled (see
	// [Delivery.IsGarbled]), or names no order.
	ReasonUndecodable Reason = "undecodable"
	// ReasonBadMethod: the HTTP method is neither POST nor, with a query and no body, GET.
	ReasonBadMethod Reason = "bad HTTP method"
	// ReasonForbiddenClient: the address of the client is not allowed; see
	// [WithAllowedClients].
	ReasonForbiddenClient Reason = "forbidden client"
	// ReasonTooLarge: the body is longer than the limit.
	ReasonTooLarge Reason = "too large"
	// ReasonTooSlow: the body had not arrived when the time for it or the context of
	// the request ended; see [WithReadTimeout].
	ReasonTooSlow Reason = "too slow"
	// ReasonUnreadable: the body broke off or could not be read.
	ReasonUnreadable Reason = "unreadable"
	// ReasonRefused: the function of the user returned a [Refusal].
	ReasonRefused Reason = "refused"
	// ReasonBadReply: the function of a merchant returned no reply, or one that
	// breaks rules.
	ReasonBadReply Reason = "bad reply"
	// ReasonHandlerError: the function of the user returned another error.
	ReasonHandlerError Reason = "handler error"
	// ReasonInProgress: the same message is being worked on; see [Gate].
	ReasonInProgress Reason = "in progress"
	// ReasonGateFailed: the gate could not say whether the message is new.
	ReasonGateFailed Reason = "gate failed"
	// ReasonNotStored: the event could not be stored; see [WithStore].
	ReasonNotStored Reason = "not stored"
	// ReasonPanic: a function of the user panicked.
	ReasonPanic Reason = "panic"
)

// A Reply is what the gateway gets.
type Reply struct {
	Status      int // HTTP status
	ContentType string
	Body        []byte
	// Render makes the body from the code and message of a [Refusal], in place of
	// Body. For ReasonRefused only.
	Render func(code, message string) []byte `json:"-"`
}

// Replies is the table from reasons to replies.
type Replies map[Reason]Reply

const (
	jsonContentType = "application/json;charset=utf-8"

	bodyAccepted     = `{"success":true,"retCode":"","retMessage":""}`
	bodyBadSignature = `{"success":"false","retMessage":"Illegal request","retCode":"sign-check-failure"}`
)

// DefaultReplies returns the replies of a handler that is given no other.
//
// The body for a bad signature is the one that the page of a sibling API
// (qimen.alitrip.rentcar.commodity.notify) prescribes. Inferred: that it holds
// here, with HTTP 200, and every other row. Whatever cannot be verified, or comes
// from a client that is not allowed, gets the
// same bytes, so that a stranger learns nothing. No text carries a detail of the
// failure.
func DefaultReplies() Replies {
	reply := func(status int, body []byte) Reply {
		return Reply{Status: status, ContentType: jsonContentType, Body: body}
	}
	failure := func(status int, code, message string) Reply { return reply(status, failureBody(code, message)) }
	badSignature := func() Reply { return reply(http.StatusOK, []byte(bodyBadSignature)) }
	return Replies{
		ReasonAccepted:        reply(http.StatusOK, []byte(bodyAccepted)),
		ReasonBadSignature:    badSignature(),
		ReasonUnverifiable:    badSignature(),
		ReasonContentType:     badSignature(),
		ReasonForbiddenClient: badSignature(),
		ReasonBodyRead:        badSignature(),
		ReasonExpired:         failure(http.StatusOK, "invalid-timestamp", "Invalid timestamp"),
		ReasonUnknownMethod:   failure(http.StatusOK, "unknown-method", "Unknown method"),
		ReasonUndecodable:     failure(http.StatusOK, "invalid-request", "Invalid request"),
		ReasonBadMethod:       failure(http.StatusMethodNotAllowed, "method-not-allowed", "Method not allowed"),
		ReasonTooLarge:        failure(http.StatusRequestEntityTooLarge, "request-too-large", "Request too large"),
		ReasonTooSlow:         failure(http.StatusRequestTimeout, "request-timeout", "Request timeout"),
		ReasonUnreadable:      failure(http.StatusBadRequest, "unreadable-request", "Unreadable request"),
		ReasonRefused:         {Status: http.StatusOK, ContentType: jsonContentType, Render: failureBody},
		ReasonBadReply:        failure(http.StatusInternalServerError, "system-error", "System error"),
		ReasonHandlerError:    failure(http.StatusInternalServerError, "system-error", "System error"),
		ReasonInProgress:      failure(http.StatusServiceUnavailable, "try-later", "Try later"),
		ReasonGateFailed:      failure(http.StatusInternalServerError, "system-error", "System error"),
		ReasonNotStored:       failure(http.StatusInternalServerError, "system-error", "System error"),
		ReasonPanic:           failure(http.StatusInternalServerError, "system-error", "System error"),
	}
}

// failureBody is the failure reply of the family. Inferred.
func failureBody(code, message string) []byte {
	body := top.AppendJSONString([]byte(`{"success":false,"retCode":`), code)
	return append(top.AppendJSONString(append(body, `,"retMessage":`...), message), '}')
}

func (r Reply) clone() Reply {
	r.Body = bytes.Clone(r.Body)
	return r
}

// check lists the rows that cannot be sent.
func (t Replies) check() error {
	known := DefaultReplies()
	var problems []error
	for _, reason := range slices.Sorted(maps.Keys(t)) {
		reply := t[reason]
		if _, ok := known[reason]; !ok {
			problems = append(problems, fmt.Errorf("replies: no reason is called %q: use the Reason constants", reason))
		}
		if reply.Status < 200 || reply.Status > 599 {
			problems = append(problems, fmt.Errorf("replies: %s: HTTP status %d: want 200 to 599", reason, reply.Status))
		}
		if reply.Render != nil && reason != ReasonRefused {
			problems = append(problems, fmt.Errorf("replies: %s: Render is for %s only", reason, ReasonRefused))
		}
		if (len(reply.Body) > 0 || reply.Render != nil) && reply.ContentType == "" {
			problems = append(problems, fmt.Errorf("replies: %s: a body needs a content type", reason))
		}
		if (len(reply.Body) > 0 || reply.Render != nil) && (reply.Status == http.StatusNoContent || reply.Status == http.StatusNotModified) {
			problems = append(problems, fmt.Errorf("replies: %s: HTTP status %d allows no body", reason, reply.Status))
		}
	}
	return errors.Join(problems...)
}
