package rentcar

import (
	"errors"
	"net/http"
)

// A class is what a failure means for the call.
type class struct {
	kind    error // the sentinel it matches, may be nil
	outcome Outcome
	repeat  repeat
	write   bool // the call may change something
}

// A repeat says which calls may be sent again after a failure.
type repeat uint8

const (
	repeatNone  repeat = iota
	repeatReads        // those that change nothing
	repeatAll          // writes too, which were surely not carried out
)

// repeatable reports whether the call may be sent again. unknownToo lets a write be
// repeated like a read.
func (c class) repeatable(unknownToo bool) bool {
	return c.repeat == repeatAll || c.repeat == repeatReads && (!c.write || unknownToo)
}

// is reports whether the failure belongs to the class that target stands for.
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

// mayChange reports whether a call changes something, as far as is known: a method
// without a type may, unless the call was marked as reading.
func mayChange(method string, readOnly bool) bool {
	if op, ok := operationByName(method); ok {
		return op.write
	}
	return !readOnly
}

// class is what the phase, the status and the cause say. A proxy that is overloaded or
// has lost the gateway may find it again; what it did with the request is not known.
func (e *TransportError) class() class {
	c := class{write: mayChange(e.Method, e.readOnly)} // the outcome is unknown
	switch {
	case e.Phase == PhaseBefore:
		c.outcome = OutcomeNotSent
	case e.Phase == PhaseConnect:
		c.kind, c.outcome, c.repeat = ErrUnavailable, OutcomeNotSent, repeatAll
	case e.Phase == PhaseRead && matches(e.Err, ErrReplyTooLarge):
		c.kind = ErrReplyTooLarge
	case e.HTTPStatus == http.StatusTooManyRequests:
		c.kind, c.repeat = ErrRateLimited, repeatReads
	case e.Phase == PhaseStatus && e.HTTPStatus/100 != 5:
		c.kind = ErrUnavailable
	default:
		c.kind, c.repeat = ErrUnavailable, repeatReads
	}
	return c
}

// class is what the codes say, unless they are known to decide nothing.
func (e *GatewayError) class() class {
	c := class{write: mayChange(e.Method, e.readOnly)}
	if !e.undecided {
		row := lookUp(e.Code, e.SubCode)
		c.kind, c.outcome, c.repeat = row.kind, row.outcome, row.repeat
	}
	return c
}

func (e *DecodeError) class() class {
	return class{write: mayChange(e.Method, e.readOnly), repeat: repeatReads}
}
