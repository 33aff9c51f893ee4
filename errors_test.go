package rentcar

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar/fliggy"
)

// sentinels are all classes that an error can match.
var sentinels = []error{
	ErrOutcomeUnknown, ErrRateLimited, ErrUnavailable, ErrUnauthorized, ErrForbidden, fliggy.ErrInvalidRequest,
	ErrReplyTooLarge,
}

// A want is what is to be known of a failure: what became of the call, which
// class it matches, and whether it may be repeated.
type want struct {
	outcome Outcome
	kind    error // nil for no class but, perhaps, ErrOutcomeUnknown
	repeat  repeat
}

var (
	wantNever     = want{OutcomeNotSent, nil, repeatNone}
	wantNotSent   = want{OutcomeNotSent, ErrUnavailable, repeatAll}
	wantLost      = want{OutcomeUnknown, ErrUnavailable, repeatReads}
	wantLimited   = want{OutcomeUnknown, ErrRateLimited, repeatReads} // by a proxy
	wantStatus    = want{OutcomeUnknown, ErrUnavailable, repeatNone}
	wantGarbled   = want{OutcomeUnknown, nil, repeatReads}
	wantTooLarge  = want{OutcomeUnknown, ErrReplyTooLarge, repeatNone}
	wantThrottled = want{OutcomeRejected, ErrRateLimited, repeatAll}
	wantInvalid   = want{OutcomeRejected, fliggy.ErrInvalidRequest, repeatNone}
	wantForbidden = want{OutcomeRejected, ErrForbidden, repeatNone}
	wantAuth      = want{OutcomeRejected, ErrUnauthorized, repeatNone}
	wantBadArg    = want{OutcomeUnknown, fliggy.ErrInvalidRequest, repeatNone}
	wantUndecided = want{OutcomeUnknown, nil, repeatNone}
)

func testClass(t testing.TB, err error) class {
	t.Helper()
	var e interface {
		error
		class() class
	}
	if errors.As(err, &e) {
		return e.class()
	}
	t.Errorf("%T has no class", err)
	return class{}
}

// check compares everything that can be asked of the error of a read or a write.
func (w want) check(t testing.TB, err error, write bool) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	if got := OutcomeOf(err); got != w.outcome {
		t.Errorf("outcome %v, want %v", got, w.outcome)
	}
	unknown := write && w.outcome == OutcomeUnknown
	for _, s := range sentinels {
		want := errors.Is(s, w.kind) || errors.Is(s, ErrOutcomeUnknown) && unknown
		if errors.Is(err, s) != want {
			t.Errorf("matches %q: %v, want %v", s, !want, want)
		}
		if wrapped := fmt.Errorf("renewal 7: %w", err); errors.Is(wrapped, s) != want || OutcomeOf(wrapped) != w.outcome {
			t.Errorf("a wrapped error is not judged as %q", s)
		}
	}
	if c := testClass(t, err); c.repeat != w.repeat || c.write != write {
		t.Errorf("class %+v, want %+v for write %v", c, w, write)
	}
	warned := strings.Contains(
		err.Error(), "outcome unknown: the call may have been carried out; find out before repeating it",
	)
	if warned != unknown {
		t.Errorf("the text warns of an unknown outcome: %v, want %v: %s", warned, unknown, err)
	}
	method := opOrderQuery.Method
	if write {
		method = opRenewalCancel.Method
	}
	if !strings.HasPrefix(err.Error(), "rentcar: "+method+": ") {
		t.Errorf("the text does not name the method: %s", err)
	}
}

// both makes a read and a write that fail alike, and checks both.
func (w want) both(t *testing.T, c *Client, further func(t *testing.T, err error)) {
	t.Helper()
	res, err := queryOrder(context.Background(), c)
	w.check(t, err, false)
	further(t, err)
	done, err := cancelRenewal(context.Background(), c)
	w.check(t, err, true)
	further(t, err)
	if res != nil || done != nil {
		t.Errorf("results beside an error: %+v, %+v", res, done)
	}
}

// Every row of the classification of error_response.
func TestGatewayErrorClasses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		want     want
		codes    []string
		subCodes []string
	}{
		{wantThrottled, []string{"4", "5", "6", "7", "8"}, []string{"", "anything", "isv.x"}},
		{wantThrottled, []string{"7", "15", ""}, []string{
			"accesscontrol.limited-by-app-access-count", "accesscontrol.limited-by-api-access-count",
			"accesscontrol.limited-by-app-api-access-count", "accesscontrol.limited-by-dynamic-access-count",
			"isv.BUSINESS_LIMIT_CONTROL",
		}},
		{
			wantInvalid, []string{"9", "21", "22", "23", "30", "31", "32", "33", "34", "40", "41", "43", "47"},
			[]string{"", "isv.missing-parameter"},
		},
		{
			wantForbidden, []string{"11", "12", "13", "42", "53"},
			[]string{"", "isv.permission-api-package-limit", "isv.permission-ip-whitelist-limit"},
		},
		{
			wantAuth, []string{"24", "25", "26", "27", "28", "29", "44"},
			[]string{"", "invalid-sessionkey", "session-expired", "isv.appkey-not-exists"},
		},
		{
			wantThrottled, []string{"ApiCallLimit", "AppApiCallLimit", "AppCallLimit", "SellerCallLimit"}, []string{"", "isv.x"},
		},
		{wantInvalid, []string{"IllegalTimestamp", "MissingParameter", "InvalidApiPath"}, []string{"", "isv.x"}},
		{wantForbidden, []string{"InsufficientPermission", "AppWhiteIpLimit"}, []string{"", "isv.x"}},
		{wantAuth, []string{
			"InvalidAppKey", "IncompleteSignature", "InvalidSignature", "MissingSession", "InvalidSession", "IllegalAccessToken",
			"InvalidAccessToken",
		}, []string{"", "isv.x"}},
		{wantBadArg, []string{"InvalidParameter"}, []string{"", "isv.x"}}, // the service may say so, and may have acted
		{wantAuth, []string{"1", "15", "", "500"}, []string{"isp.get-app-error"}},
		// it has had the request before, and may have carried it out
		{wantBadArg, []string{"15", "31", "25", ""}, []string{"isv.request-replay-error"}},
		{wantInvalid, []string{"15", "50", "500", "601", "999", ""}, []string{
			"isv.missing-parameter", "isv.missing-parameter:x", "isv.invalid-parameter", "isv.parameters-mismatch:a-and-b",
			"isv.invalid-permission",
			"isv.order-not-exist:7", "isv.order-service-error:REASON", "isv.anything",
		}},
		{wantBadArg, []string{"15", "50", "500", "10", ""}, []string{
			"isp.null-pointer-exception", "isp.top-parse-error", "isp.top-mapping-parse-error", "isp.invalid-parameters",
		}},
		// of the service side, whatever the main code
		{wantLost, []string{"15", "50", "500", "10", "3", "88", "", "7", "25", "40", "41"}, []string{
			"isp.order-service-unavailable", "isp.remote-service-error", "isp.remote-service-timeout",
			"isp.remote-connection-error",
			"isp.top-remote-connection-timeout", "isp.top-remote-connection-timeout-tmall", "isp.top-remote-connection-error",
			"isp.top-remote-service-unavailable", "isp.top-remote-unknown-error", "isp.unknown-error", "isp.system-busy",
			"isp.http-read-timeout", "isp.http-connection-timeout", "isp.http-connection-refuse", "isp.http-closed",
		}},
		{wantLost, []string{"ApiCallLimit", "InvalidAppKey", "1"}, []string{"isp.x", "isp.get-app-error.x"}},
		{
			wantLost,
			[]string{
				"3", "10", "88", "15", "50", "1", "14", "99", "12345", "x", "apicalllimit", "ApiCallLimits", "ServiceTimeout",
			},
			[]string{"", "2401", "9100", "unfamiliar"},
		},
	} {
		for _, code := range row.codes {
			for _, sub := range row.subCodes {
				t.Run(code+" "+sub, func(t *testing.T) {
					t.Parallel()
					body := fmt.Sprintf(
						`{"error_response":{"code":%q,"msg":"Remote service `+
							`error","sub_code":%q,"sub_msg":"why","request_id":"16kksr4el1bs0"}}`,
						code, sub,
					)
					c, _ := clientFor(t, replyJSON(body))
					row.want.both(t, c, func(t *testing.T, err error) {
						got := as[*GatewayError](t, err)
						diff(t, "error", &GatewayError{
							Method: got.Method, Code: code, Msg: "Remote service error", SubCode: sub, SubMsg: "why",
							RequestID: "16kksr4el1bs0", HTTPStatus: 200, Attempts: 1,
						}, got)
						for _, part := range []string{
							"gateway error " + code, sub, ": Remote service error: why [request_id 16kksr4el1bs0]",
						} {
							if !strings.Contains(err.Error(), part) {
								t.Errorf("the text lacks %q: %s", part, err)
							}
						}
					})
				})
			}
		}
	}
}

func TestErrorTexts(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		respond     httpmock.Responder
		read, write string // after "rentcar: METHOD: "; empty where it is not looked at
	}{
		"gateway": {
			replyJSON(
				`{"error_response":{"code":15,"msg":"Remote service ` +
					`error","sub_code":"isv.invalid-parameter","sub_msg":"非法参数","request_id":"r1"}}`,
			),
			"gateway error 15 (isv.invalid-parameter): Remote service error: 非法参数 [request_id r1]",
			"gateway error 15 (isv.invalid-parameter): Remote service error: 非法参数 [request_id r1]",
		},
		"gateway, little said": {
			replyJSON(`{"error_response":{"code":10}}`),
			"gateway error 10",
			"gateway error 10 (outcome unknown: the call may have been carried out; find out before repeating it: ask " +
				"Renewals.CheckCancel: if it can still be cancelled, it was not)",
		},
		"business": {
			replyJSON(`{"successful":false,"request_id":"r1"}`),
			"refused [request_id r1]",
			"refused [request_id r1]",
		},
		"decode": {
			replyJSON(
				`{"successful":true,"order_info":{"added_service_list":[{"sid":"1"},{"sort_key":"a"}]},"request_id":"r1"}`,
			),
			"reply not understood (JSON, 104 bytes): order_info.added_service_list[1].sort_key: expected a whole number " +
				"[request_id r1]",
			"",
		},
		"flag": {
			replyJSON(`{"ret_code":"1","request_id":"r1"}`),
			"reply not understood (JSON, 34 bytes): successful: missing [request_id r1]",
			"reply not understood (JSON, 34 bytes): successful: missing [request_id r1] (outcome unknown: the call may have " +
				"been carried out; find out before repeating it: ask Renewals.CheckCancel: if it can still be cancelled, it " +
				"was not)",
		},
		"status": {
			reply(http.StatusServiceUnavailable, "text/html", "<html>busy</html>"),
			"HTTP status: 503 Service Unavailable",
			"HTTP status: 503 Service Unavailable (outcome unknown: the call may have been carried out; find out before " +
				"repeating it: ask Renewals.CheckCancel: if it can still be cancelled, it was not)",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, _ := clientFor(t, tc.respond)
			_, err := queryOrder(context.Background(), c)
			diff(t, "text of a read", "rentcar: alitrip.rentcar.btb.order.query: "+tc.read, fmt.Sprint(err))
			if tc.write == "" {
				return
			}
			_, err = cancelRenewal(context.Background(), c)
			diff(t, "text of a write", "rentcar: alitrip.rentcar.btb.renewal.order.cancel: "+tc.write, fmt.Sprint(err))
		})
	}
	twice := &GatewayError{Method: opOrderQuery.Method, Code: "10", Attempts: 3}
	if want := "rentcar: alitrip.rentcar.btb.order.query: gateway error 10 [after 3 attempts]"; twice.Error() != want {
		t.Errorf("text %q, want %q", twice, want)
	}
}

// A reply that came and was not understood: a read may ask again.
func TestDecodeErrorClass(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		"", "[]", `{"ret_code":"1"}`, `{"successful":"maybe"}`, "<html>busy</html>",
		`{"successful":true,"cancel_fee":"x","order_info":1}`,
	} {
		c, _ := clientFor(t, replyJSON(body))
		wantGarbled.both(t, c, func(t *testing.T, err error) {
			if e := as[*DecodeError](t, err); e.Attempts != 1 || e.HTTPStatus != 200 || e.Err == nil || !errors.Is(err, e.Err) {
				t.Errorf("%s: %+v", body, e)
			}
		})
	}
}

// Taking secrets out of the text of a cause leaves the cause what it is.
func TestRedactedCauses(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, func(r *http.Request) (*http.Response, error) {
		return nil, fmt.Errorf("could not send %s: %w", r.URL, leaky{r.URL.String()})
	})
	_, err := queryOrder(context.Background(), c)
	if want := "could not send [redacted]: failed for [redacted]"; !strings.HasSuffix(err.Error(), want) {
		t.Errorf("text %q, want %q", err, want)
	}
	if !isA[leaky](err) || !errors.Is(err, errLeak) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestOutcomeOf(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		err  error
		want Outcome
		text string
	}{
		{nil, OutcomeSucceeded, "succeeded"},
		{errors.New("another package's"), OutcomeUnknown, "unknown"},
		{context.Canceled, OutcomeUnknown, "unknown"},
		{&fliggy.ValidationError{}, OutcomeNotSent, "not sent"},
		{fmt.Errorf("x: %w", &fliggy.ValidationError{}), OutcomeNotSent, "not sent"},
		{&BusinessError{}, OutcomeRejected, "rejected"},
		{&GatewayError{}, OutcomeUnknown, "unknown"}, // made by hand: nothing is known
		{&TransportError{}, OutcomeUnknown, "unknown"},
		{&DecodeError{}, OutcomeUnknown, "unknown"},
		{errors.Join(errors.New("a"), &BusinessError{}), OutcomeRejected, "rejected"},
	} {
		if got := OutcomeOf(tc.err); got != tc.want || got.String() != tc.text {
			t.Errorf("%v: %v, want %v (%s)", tc.err, got, tc.want, tc.text)
		}
	}
}

// Final is what blames the request itself, alone or inside another error, and not what a call was stopped by or has for
// a cause.
func TestIsFinal(t *testing.T) {
	t.Parallel()
	refused, malformed := &BusinessError{}, &GatewayError{Method: opBillNotify.Method, Code: "41"}
	for name, tc := range map[string]struct {
		err  error
		want bool
	}{
		"none":              {nil, false},
		"another package's": {errors.New("x"), false},
		"invalid":           {&fliggy.ValidationError{}, true},
		"refused":           {refused, true},
		"wrapped":           {fmt.Errorf("bill 7: %w", refused), true},
		"malformed":         {malformed, true},
		"sub code": {
			&GatewayError{Method: opBillNotify.Method, Code: "15", SubCode: "isv.invalid-parameter"}, true,
		},
		"permission": {
			&GatewayError{Method: opBillNotify.Method, Code: "15", SubCode: "isv.invalid-permission"}, false,
		},
		"method":                      {&GatewayError{Method: opBillNotify.Method, Code: "22"}, false},
		"timestamp":                   {&GatewayError{Method: opBillNotify.Method, Code: "31"}, false},
		"signature":                   {&GatewayError{Method: opBillNotify.Method, Code: "25"}, false},
		"flow control":                {&GatewayError{Method: opBillNotify.Method, Code: "7"}, false},
		"undecided":                   {&GatewayError{Method: opBillNotify.Method, Code: "41", undecided: true}, false},
		"source of sessions refused":  {&TransportError{Phase: PhaseBefore, Err: refused}, false},
		"reply not understood":        {&DecodeError{Err: refused}, false},
		"earlier attempt may be done": {&stopped{last: malformed, maybeDone: true}, false},
	} {
		if got := IsFinal(tc.err); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// A request that was refused before sending is an invalid request, and nothing
// else.
func TestValidationErrorClass(t *testing.T) {
	t.Parallel()
	c, g := clientFor(t, replyJSON(`{"successful":true}`))
	_, err := c.Renewals.Cancel(context.Background(), &RenewalCancelRequest{})
	_ = as[*fliggy.ValidationError](t, err)
	for _, s := range sentinels {
		if got, want := errors.Is(err, s), errors.Is(s, fliggy.ErrInvalidRequest); got != want {
			t.Errorf("matches %q: %v", s, got)
		}
	}
	if OutcomeOf(err) != OutcomeNotSent || g.count() != 0 {
		t.Errorf("outcome %v after %d requests", OutcomeOf(err), g.count())
	}
	business := error(&BusinessError{})
	for _, s := range sentinels {
		if errors.Is(business, s) {
			t.Errorf("a BusinessError matches %q", s)
		}
	}
}

// An error that a test makes of its public fields classifies as a received one does.
func TestErrorsMadeByHand(t *testing.T) {
	t.Parallel()
	read, write := opOrderQuery.Method, opRenewalSubmit.Method
	for name, tc := range map[string]struct {
		err     error
		kind    error // nil for none
		unknown bool  // it matches ErrOutcomeUnknown
		outcome Outcome
		after   time.Duration
	}{
		"code": {&GatewayError{Code: "7"}, ErrRateLimited, false, OutcomeRejected, 0},
		"code, ban": {
			&GatewayError{Method: write, Code: "7", RetryAfter: time.Minute}, ErrRateLimited, false, OutcomeRejected,
			time.Minute,
		},
		"word": {&GatewayError{Code: "InvalidAppKey"}, ErrUnauthorized, false, OutcomeRejected, 0},
		"sub code": {
			&GatewayError{Code: "15", SubCode: "isv.invalid-parameter"}, fliggy.ErrInvalidRequest, false, OutcomeRejected, 0,
		},
		"read, undecided":       {&GatewayError{Method: read, Code: "10"}, ErrUnavailable, false, OutcomeUnknown, 0},
		"write, undecided":      {&GatewayError{Method: write, Code: "10"}, ErrUnavailable, true, OutcomeUnknown, 0},
		"any method, undecided": {&GatewayError{Method: "x.y", Code: "10"}, ErrUnavailable, true, OutcomeUnknown, 0},
		"not sent":              {&TransportError{Method: write, Phase: PhaseBefore}, nil, false, OutcomeNotSent, 0},
		"no connection": {
			&TransportError{Method: write, Phase: PhaseConnect}, ErrUnavailable, false, OutcomeNotSent, 0,
		},
		"no reply":           {&TransportError{Method: write, Phase: PhaseSend}, ErrUnavailable, true, OutcomeUnknown, 0},
		"no reply to a read": {&TransportError{Method: read, Phase: PhaseSend}, ErrUnavailable, false, OutcomeUnknown, 0},
		"too large": {
			&TransportError{Method: read, Phase: PhaseRead, Err: ErrReplyTooLarge}, ErrReplyTooLarge, false, OutcomeUnknown, 0,
		},
		"429": {
			&TransportError{Method: read, Phase: PhaseStatus, HTTPStatus: 429, RetryAfter: time.Second}, ErrRateLimited, false,
			OutcomeUnknown, time.Second,
		},
		"404 of a write": {
			&TransportError{Method: write, Phase: PhaseStatus, HTTPStatus: 404}, ErrUnavailable, true, OutcomeUnknown, 0,
		},
		"not understood":         {&DecodeError{Method: read}, nil, false, OutcomeUnknown, 0},
		"not understood, write":  {&DecodeError{Method: write}, nil, true, OutcomeUnknown, 0},
		"refused by the service": {&BusinessError{Method: write, Code: "1"}, nil, false, OutcomeRejected, 0},
	} {
		for _, s := range sentinels {
			if want := errors.Is(s, tc.kind) || errors.Is(s, ErrOutcomeUnknown) && tc.unknown; errors.Is(tc.err, s) != want {
				t.Errorf("%s: matches %q: %v, want %v", name, s, !want, want)
			}
		}
		if got := OutcomeOf(tc.err); got != tc.outcome {
			t.Errorf("%s: outcome %v, want %v", name, got, tc.outcome)
		}
		if after, told := RetryAfter(tc.err); after != tc.after || told != (tc.after > 0) {
			t.Errorf("%s: RetryAfter is %v, %v", name, after, told)
		}
	}
}

// An error envelope beside members of a success decides nothing: a write may have been
// carried out, and no ban is believed.
func TestContradictedError(t *testing.T) {
	t.Parallel()
	const fault = `"error_response":{"code":7,"msg":"App Call Limited","sub_msg":"This ban will last for 2 more seconds"}`
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		format  Format
	}{
		"flag":         {replyJSON(`{"successful":true,` + fault + `}`), SimplifiedJSON},
		"flag behind":  {replyJSON(`{` + fault + `,"successful":true}`), SimplifiedJSON},
		"id":           {replyJSON(`{` + fault + `,"renewal_order_id":"7"}`), SimplifiedJSON},
		"another root": {replyJSON(`{` + fault + `,"x_response":{"successful":true}}`), WrappedJSON},
		"inside":       {replyJSON(`{"x_response":{` + fault + `,"successful":true}}`), WrappedJSON},
		"XML": {
			reply(
				200, xmlType,
				`<x_response><error_response><code>7</code></error_response><successful>true</successful></x_response>`,
			),
			XML,
		},
	} {
		c, g := clientFor(t, tc.respond, withRetries(), WithFormat(tc.format))
		_, err := cancelRenewal(t.Context(), c)
		wantUndecided.check(t, err, true)
		if e := as[*GatewayError](t, err); e.Code != "7" || e.RetryAfter != 0 || g.count() != 1 {
			t.Errorf("%s: %d requests: %+v", name, g.count(), e)
		}
	}
}

// A sickTimeout panics when it is asked.
type sickTimeout struct{ error }

func (sickTimeout) Timeout() bool { panic("sick") }

func TestTimeoutOfACauseThatPanics(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, failWith(sickTimeout{errors.New("lost")}))
	_, err := queryOrder(t.Context(), c)
	if as[*TransportError](t, err).Timeout() || (&TransportError{Err: sickTimeout{}}).Timeout() {
		t.Errorf("a timeout: %v", err)
	}
}

// What the platform writes fits one line of a log, and the field has all of it.
func TestMessagesAreBrief(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("长", 1000)
	for _, err := range []error{
		&GatewayError{Method: "x.y", Code: "15", Msg: long, SubCode: "a\r\nb", SubMsg: "c\x00d"},
		&BusinessError{Method: "x.y", Code: "1\n2", Message: long},
	} {
		text := err.Error()
		if strings.ContainsAny(text, "\r\n\x00") || strings.Count(text, "长") != maxBrief || !strings.Contains(text, "长...") {
			t.Errorf("%q", text)
		}
	}
	got := (&GatewayError{Method: opOrderQuery.Method}).Error()
	if got != "rentcar: "+opOrderQuery.Method+": gateway error without a code" {
		t.Error(got)
	}
}
