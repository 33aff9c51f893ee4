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

// A Reason is the result of handling a push. Each reason has a row in the table of replies.
type Reason string

// The reasons.
const (
	// ReasonAccepted means that your function did its work, now or for an earlier push of the message. The row of the
	// table is for events; a merchant's function makes its own reply.
	ReasonAccepted Reason = "accepted"
	// ReasonBadSignature means that the signature is wrong, missing, or of no configured app.
	ReasonBadSignature Reason = "bad signature"
	// ReasonUnverifiable means that the query or the body has a form that cannot be verified.
	ReasonUnverifiable Reason = "unverifiable"
	// ReasonContentType means that content type, charset or content encoding is missing or not supported.
	ReasonContentType Reason = "unsupported content type"
	// ReasonBodyRead means that the signature does not match because something read the body before the handler:
	// middleware that logs it or parses the form, or a call of r.FormValue. Mount the handler before it, or make it
	// restore r.Body.
	ReasonBodyRead Reason = "body read before"
	// ReasonExpired means that the signed timestamp is missing, invalid, or outside the window.
	ReasonExpired Reason = "expired"
	// ReasonUnknownMethod means that no function is registered for the signed method.
	ReasonUnknownMethod Reason = "unknown method"
	// ReasonUndecodable means that the signed message cannot be decoded, is garbled (see [Delivery.IsGarbled]), or has no
	// order id.
	ReasonUndecodable Reason = "undecodable"
	// ReasonBadMethod means that the request is neither a POST nor a GET with a query and no body.
	ReasonBadMethod Reason = "bad HTTP method"
	// ReasonForbiddenClient means that the address of the client is not allowed; see [WithAllowedClients].
	ReasonForbiddenClient Reason = "forbidden client"
	// ReasonTooLarge means that the body exceeds the limit; see [WithBodyLimit].
	ReasonTooLarge Reason = "too large"
	// ReasonTooSlow means that the body did not arrive before the read timeout or the end of the request context; see
	// [WithReadTimeout].
	ReasonTooSlow Reason = "too slow"
	// ReasonUnreadable means that reading the body failed.
	ReasonUnreadable Reason = "unreadable"
	// ReasonRefused means that your function returned a [Refusal].
	ReasonRefused Reason = "refused"
	// ReasonBadReply means that a merchant's function returned no reply or an invalid one.
	ReasonBadReply Reason = "bad reply"
	// ReasonHandlerError means that your function returned any other error.
	ReasonHandlerError Reason = "handler error"
	// ReasonInProgress means that the same message is being handled; see [Gate].
	ReasonInProgress Reason = "in progress"
	// ReasonGateFailed means that the gate returned an error.
	ReasonGateFailed Reason = "gate failed"
	// ReasonNotStored means that the event could not be stored; see [WithStore].
	ReasonNotStored Reason = "not stored"
	// ReasonPanic means that one of your functions panicked.
	ReasonPanic Reason = "panic"
)

// A Reply is the HTTP response to a push.
type Reply struct {
	Status      int // HTTP status
	ContentType string
	Body        []byte
	// Render returns the body for the code and message of a [Refusal], instead of Body. Allowed for ReasonRefused only.
	Render func(code, message string) []byte `json:"-"`
}

// Replies is the table from reasons to replies.
type Replies map[Reason]Reply

const (
	jsonContentType = "application/json;charset=utf-8"

	bodyAccepted     = `{"success":true,"retCode":"","retMessage":""}`
	bodyBadSignature = `{"success":"false","retMessage":"Illegal request","retCode":"sign-check-failure"}`
)

// DefaultReplies returns the default replies of a handler.
//
// The body for a bad signature is the one that a sibling API (qimen.alitrip.rentcar.commodity.notify) documents.
// Inferred: that it applies here, with HTTP 200, and all other rows. Pushes that cannot be verified and clients that
// are not allowed get the same bytes, so that an attacker learns nothing. No reply has details of the failure.
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

// failureBody returns a failure reply like those of the sibling APIs. Inferred.
func failureBody(code, message string) []byte {
	body := top.AppendJSONString([]byte(`{"success":false,"retCode":`), code)
	return append(top.AppendJSONString(append(body, `,"retMessage":`...), message), '}')
}

func (r Reply) clone() Reply {
	r.Body = bytes.Clone(r.Body)
	return r
}

// check returns an error that lists the rows that cannot be sent.
func (t Replies) check() error {
	known := DefaultReplies()
	var problems []error
	for _, reason := range slices.Sorted(maps.Keys(t)) {
		reply := t[reason]
		if _, ok := known[reason]; !ok {
			problems = append(problems, fmt.Errorf("replies: unknown reason %q: use the Reason constants", reason))
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
		if (len(reply.Body) > 0 || reply.Render != nil) && (reply.Status == http.StatusNoContent ||
			reply.Status == http.StatusNotModified) {
			problems = append(problems, fmt.Errorf("replies: %s: HTTP status %d allows no body", reason, reply.Status))
		}
	}
	return errors.Join(problems...)
}
