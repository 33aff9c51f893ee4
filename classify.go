package rentcar

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

// A class says what an error means for its call.
type class struct {
	kind    error // the sentinel it matches, may be nil
	outcome Outcome
	repeat  repeat
	write   bool // the call may change something
}

// A repeat says which calls may be retried.
type repeat uint8

const (
	repeatNone  repeat = iota
	repeatReads        // those that change nothing
	repeatAll          // writes too, which were surely not carried out
)

// repeatable reports whether the call may be retried. unknownToo lets writes be retried like reads.
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

// warning returns the end of the text of an error: for a write whose outcome is unknown, a warning.
func (c class) warning(method string) string {
	if c.is(ErrOutcomeUnknown) {
		return " (" + unknownOutcome(method) + ")"
	}
	return ""
}

// unknownOutcome warns of an unknown outcome, and says how to settle it.
func unknownOutcome(method string) string {
	text := ErrOutcomeUnknown.Error() + "; find out before repeating it"
	if op := api.ByMethod(method); op != nil && op.Settle != "" {
		text += ": " + op.Settle
	}
	return text
}

// mayChange reports whether a call may change something. A method without a type may, unless readOnly is set.
func mayChange(method string, readOnly bool) bool {
	if op := api.ByMethod(method); op != nil {
		return op.Write
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

// A codeRow says what a code of a gateway error means for the call.
type codeRow struct {
	main string // main code, empty for any
	sub  string // sub code, empty for any; a star at its end stands for whatever follows

	kind    error   // the class it belongs to, for errors.Is
	outcome Outcome // OutcomeRejected only where the call was surely not carried out
	repeat  repeat  // which calls may be sent again
	source  string
}

// codeTable is everything that is known of the codes of gateway errors. The first row
// that fits decides. Sources:
//
//	TOP    the platform's list of error codes (错误码) and its page on flow control (限流)
//	IOP    the words that the TOP-compatible gateways of the group (AliExpress, Lazada) use as codes, in public reports
//	probe  an answer of the real gateway
//	client what clients of others, some of them the platform's own, do
var codeTable = []codeRow{
	// Sub codes that decide whatever the main code is.
	{"", "accesscontrol.*", ErrRateLimited, OutcomeRejected, repeatAll, "TOP: flow control"},
	{"", "isv.BUSINESS_LIMIT_CONTROL", ErrRateLimited, OutcomeRejected, repeatAll, "client: flow control of the service"},
	{"", "isp.get-app-error", ErrUnauthorized, OutcomeRejected, repeatNone, "probe: code 1, the app key is not known"},
	{
		"", "isp.null-pointer-exception", fliggy.ErrInvalidRequest, OutcomeUnknown, repeatNone,
		"TOP: the service failed, repeating does not help",
	},
	{
		"", "isp.top-parse-error", fliggy.ErrInvalidRequest, OutcomeUnknown, repeatNone,
		"TOP: the service could not read or write, repeating does not help",
	},
	{"", "isp.top-mapping-parse-error", fliggy.ErrInvalidRequest, OutcomeUnknown, repeatNone, "TOP: bad arguments"},
	{"", "isp.invalid-parameters", fliggy.ErrInvalidRequest, OutcomeUnknown, repeatNone, "client: bad arguments"},
	{"", "isp.*", ErrUnavailable, OutcomeUnknown, repeatReads, "TOP: the service, or the way to it, failed"},
	{
		"", "isv.request-replay-error", fliggy.ErrInvalidRequest, OutcomeUnknown, repeatNone,
		"TOP: the gateway has had this request before",
	},

	// Main codes that decide by themselves.
	{"4", "", ErrRateLimited, OutcomeRejected, repeatAll, "TOP, older list: User Call Limited"},
	{"5", "", ErrRateLimited, OutcomeRejected, repeatAll, "TOP, older list: Session Call Limited"},
	{"6", "", ErrRateLimited, OutcomeRejected, repeatAll, "TOP, older list: Partner Call Limited"},
	{"7", "", ErrRateLimited, OutcomeRejected, repeatAll, "TOP: App Call Limited"},
	{"8", "", ErrRateLimited, OutcomeRejected, repeatAll, "TOP, older list: App Call Exceeds Limited Frequency"},
	{"9", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Http Action Not Allowed"},
	{"11", "", ErrForbidden, OutcomeRejected, repeatNone, "TOP: Insufficient ISV Permissions"},
	{"12", "", ErrForbidden, OutcomeRejected, repeatNone, "TOP: Insufficient User Permissions"},
	{"13", "", ErrForbidden, OutcomeRejected, repeatNone, "TOP: Insufficient Partner Permissions"},
	{"21", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Missing Method"},
	{"22", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Invalid Method"},
	{"23", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Invalid Format"},
	{"24", "", ErrUnauthorized, OutcomeRejected, repeatNone, "TOP: Missing Signature"},
	{"25", "", ErrUnauthorized, OutcomeRejected, repeatNone, "TOP: Invalid Signature"},
	{"26", "", ErrUnauthorized, OutcomeRejected, repeatNone, "TOP: Missing Session"},
	{"27", "", ErrUnauthorized, OutcomeRejected, repeatNone, "TOP: Invalid Session"},
	{"28", "", ErrUnauthorized, OutcomeRejected, repeatNone, "TOP: Missing App Key"},
	{"29", "", ErrUnauthorized, OutcomeRejected, repeatNone, "TOP: Invalid App Key"},
	{"30", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Missing Timestamp"},
	{"31", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Invalid Timestamp"},
	{"32", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Missing Version"},
	{"33", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Invalid Version"},
	{"34", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Unsupported Version"},
	{"40", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Missing Required Arguments"},
	{"41", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Invalid Arguments"},
	{"42", "", ErrForbidden, OutcomeRejected, repeatNone, "TOP: Forbidden Request"},
	{"43", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Parameter Error"},
	{"44", "", ErrUnauthorized, OutcomeRejected, repeatNone, "TOP: Invalid Access Token"},
	{"47", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: Invalid Encoding"},
	{"53", "", ErrForbidden, OutcomeRejected, repeatNone, "TOP: insufficient security level"},

	// Words in the place of main codes.
	{"ApiCallLimit", "", ErrRateLimited, OutcomeRejected, repeatAll, "IOP: as 7"},
	{"AppApiCallLimit", "", ErrRateLimited, OutcomeRejected, repeatAll, "IOP: as 7"},
	{"AppCallLimit", "", ErrRateLimited, OutcomeRejected, repeatAll, "IOP: as 7"},
	{"SellerCallLimit", "", ErrRateLimited, OutcomeRejected, repeatAll, "IOP: as 4"},
	{"InsufficientPermission", "", ErrForbidden, OutcomeRejected, repeatNone, "IOP: as 11"},
	{"AppWhiteIpLimit", "", ErrForbidden, OutcomeRejected, repeatNone, "IOP: the address is not on the list of the app"},
	{"InvalidApiPath", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "IOP: as 22"},
	{"IncompleteSignature", "", ErrUnauthorized, OutcomeRejected, repeatNone, "IOP: as 25"},
	{"InvalidSignature", "", ErrUnauthorized, OutcomeRejected, repeatNone, "IOP: as 25"},
	{"MissingSession", "", ErrUnauthorized, OutcomeRejected, repeatNone, "IOP: as 26"},
	{"InvalidSession", "", ErrUnauthorized, OutcomeRejected, repeatNone, "IOP: as 27"},
	{"IllegalAccessToken", "", ErrUnauthorized, OutcomeRejected, repeatNone, "IOP: as 27"},
	{"InvalidAccessToken", "", ErrUnauthorized, OutcomeRejected, repeatNone, "IOP: as 27"},
	{"InvalidAppKey", "", ErrUnauthorized, OutcomeRejected, repeatNone, "IOP: as 29"},
	{"IllegalTimestamp", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "IOP: as 31"},
	{"MissingParameter", "", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "IOP: as 40"},
	{
		"InvalidParameter", "", fliggy.ErrInvalidRequest, OutcomeUnknown, repeatNone,
		"IOP: the gateway or the service says so",
	},

	// Sub codes beside the others, of which 15 is the usual one.
	{"", "isv.*", fliggy.ErrInvalidRequest, OutcomeRejected, repeatNone, "TOP: the service refuses the request"},

	// Everything else: 3 Upload Fail, 10 Service Currently Unavailable, 15 Remote Service
	// Error, 50, 88, 5xx and 6xx, ServiceTimeout, and what is not known. The service may
	// have acted.
	{"", "", ErrUnavailable, OutcomeUnknown, repeatReads, "TOP: nothing that decides"},
}

// lookUp returns the row of a gateway error.
func lookUp(code, subCode string) codeRow {
	for _, row := range codeTable {
		if row.fits(code, subCode) {
			return row
		}
	}
	return codeRow{} // not reached: the last row fits all
}

// words are what the codes mean, in words of the table; empty where they decide nothing.
func (r codeRow) words() string {
	if r.main == "" && r.sub == "" {
		return ""
	}
	_, text, _ := strings.Cut(r.source, ": ")
	if main, same := strings.CutPrefix(text, "as "); same {
		return lookUp(main, "").words()
	}
	return text
}

func (r codeRow) fits(code, subCode string) bool {
	if r.main != "" && r.main != code {
		return false
	}
	beginning, open := strings.CutSuffix(r.sub, "*")
	return r.sub == "" || r.sub == subCode || open && strings.HasPrefix(subCode, beginning)
}

// contentCodes are the main codes that blame the arguments of a call. Others that call it malformed are about what all
// calls have in common, such as the timestamp.
var contentCodes = []string{"40", "41", "43", "MissingParameter"}

// isAboutContent reports whether the codes of a malformed request blame what the request says.
func isAboutContent(code, subCode string) bool {
	if lookUp(code, subCode).main != "" { // it decides by itself
		return slices.Contains(contentCodes, code)
	}
	return !strings.Contains(subCode, "permission") // isv.invalid-permission
}
