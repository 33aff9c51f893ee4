package rentcar

import (
	"errors"
	"net/http"
	"slices"
	"strings"
)

// A class is what a failure means for the call.
type class struct {
	outcome Outcome
	kind    error // the sentinel it matches, may be nil
	write   bool  // the call changes something

	// Whether the call may be sent again, by what it does, and whether flow control
	// refused it.
	retryRead, retryWrite, wait bool
}

// repeatable tells whether the call may be sent again. unknownToo lets a write be
// repeated like a read.
func (c class) repeatable(unknownToo bool) bool {
	return c.retryWrite || c.retryRead && (!c.write || unknownToo)
}

// is tells whether the failure belongs to the class that target stands for.
func (c class) is(target error) bool {
	if errors.Is(target, ErrOutcomeUnknown) {
		return c.write && c.outcome == OutcomeUnknown
	}
	return c.kind != nil && errors.Is(target, c.kind)
}

// warning is what the text of an error says of a write whose fate is unknown.
func (c class) warning(method string) string {
	if c.is(ErrOutcomeUnknown) {
		return " (" + unknownOutcome(method) + ")"
	}
	return ""
}

// unknownOutcome warns of an unknown outcome, and says how to settle it.
func unknownOutcome(method string) string {
	text := ErrOutcomeUnknown.Error() + "; find out before repeating it"
	if op, ok := operationByName(method); ok && op.settle != "" {
		text += ": " + op.settle
	}
	return text
}

// The rows of the classification. A write may be repeated only where the
// platform has surely not carried it out.
var (
	rowNotSent     = class{outcome: OutcomeNotSent, kind: ErrUnavailable, retryRead: true, retryWrite: true}
	rowBefore      = class{outcome: OutcomeNotSent}
	rowLost        = class{outcome: OutcomeUnknown, kind: ErrUnavailable, retryRead: true}
	rowStatus      = class{outcome: OutcomeUnknown, kind: ErrUnavailable}
	rowUndecodable = class{outcome: OutcomeUnknown, retryRead: true}
	rowTooLarge    = class{outcome: OutcomeUnknown, kind: ErrReplyTooLarge}
	rowThrottled   = class{outcome: OutcomeRejected, kind: ErrRateLimited, retryRead: true, retryWrite: true, wait: true}
	rowInvalid     = class{outcome: OutcomeRejected, kind: ErrInvalidRequest}
	rowForbidden   = class{outcome: OutcomeRejected, kind: ErrForbidden}
	rowAuth        = class{outcome: OutcomeRejected, kind: ErrUnauthorized}
	rowBadArgument = class{outcome: OutcomeUnknown, kind: ErrInvalidRequest}
	rowProvider    = class{outcome: OutcomeUnknown} // a Qimen provider's own flag and code, whose meaning is its own
)

// gatewayCodes classifies the main codes that decide by themselves; all others
// are decided by their sub code.
var gatewayCodes = map[string]class{
	"4": rowThrottled, "5": rowThrottled, "6": rowThrottled, "7": rowThrottled, "8": rowThrottled,
	"9":  rowInvalid,
	"11": rowForbidden, "12": rowForbidden, "13": rowForbidden,
	"21": rowInvalid, "22": rowInvalid, "23": rowInvalid,
	"24": rowAuth, "25": rowAuth, "26": rowAuth, "27": rowAuth, "28": rowAuth, "29": rowAuth,
	"30": rowInvalid, "31": rowInvalid, "32": rowInvalid, "33": rowInvalid, "34": rowInvalid,
	"40": rowInvalid, "41": rowInvalid, "42": rowForbidden, "43": rowInvalid, "44": rowAuth,
	"47": rowInvalid, "53": rowForbidden,
}

// classifyStatus classifies a reply that is none of the gateway's, by its HTTP
// status: a proxy that is overloaded or has lost the gateway may find it again.
func classifyStatus(status int) class {
	if status/100 == 5 || status == http.StatusTooManyRequests {
		return rowLost
	}
	return rowStatus
}

// accessControl begins the sub codes of the gateway's flow control.
const accessControl = "accesscontrol."

// badArgumentCodes are faults of the platform that repeating does not mend.
var badArgumentCodes = []string{
	"isp.null-pointer-exception", "isp.top-parse-error", "isp.top-mapping-parse-error", "isp.invalid-parameters",
}

// classifyGateway classifies an error_response. Codes 3, 10, 88 and unlisted
// ones with no telling sub code end in rowLost: the service may have acted.
func classifyGateway(code, subCode string) class {
	switch {
	case strings.HasPrefix(subCode, accessControl), subCode == "isv.BUSINESS_LIMIT_CONTROL": // the latter as other clients have it
		return rowThrottled
	case slices.Contains(badArgumentCodes, subCode):
		return rowBadArgument
	case strings.HasPrefix(subCode, "isp."): // the service side, whatever the main code
		return rowLost
	}
	if c, ok := gatewayCodes[code]; ok {
		return c
	}
	if strings.HasPrefix(subCode, "isv.") {
		return rowInvalid
	}
	return rowLost
}
