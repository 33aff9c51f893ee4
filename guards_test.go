package rentcar

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
	"github.com/shopspring/decimal"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A Qimen provider's own code is not one of the gateway's: 5 would mean that the
// call was not carried out and may be repeated.
func TestProviderCodeIsItsOwn(t *testing.T) {
	t.Parallel()
	for _, body := range []string{`{"flag":"failure","code":"5","message":"m"}`, `{"flag":"failure","code":25}`} {
		mt := httpmock.NewMockTransport()
		mt.RegisterNoResponder(httpmock.NewStringResponder(http.StatusOK, body))
		c := testClient(t, mt)
		var raw Raw
		err := c.CallQimen(t.Context(), "qimen.x", &QimenRequest{TargetAppKey: "1"}, &raw)
		var fault *GatewayError
		if !errors.As(err, &fault) || OutcomeOf(err) != OutcomeUnknown || errors.Is(err, ErrRateLimited) || errors.Is(err, ErrUnauthorized) {
			t.Errorf("%s: %v, outcome %v", body, err, OutcomeOf(err))
		}
	}
}

// A session is hidden in every form in which a URL may carry it.
func TestSessionIsHiddenAsSent(t *testing.T) {
	t.Parallel()
	const session = "61~a*b(c) d/e"
	mt := httpmock.NewMockTransport()
	mt.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		q := r.URL.RawQuery
		i := strings.Index(q, "session=")
		return nil, fmt.Errorf("proxy says no to %s and to %s", q[i:], r.URL.Query().Get("session"))
	})
	_, err := queryOrder(t.Context(), testClient(t, mt, WithSession(session)))
	for _, form := range []string{session, "61%7Ea*b%28c%29+d%2Fe", "61~a%2Ab%28c%29+d%2Fe"} {
		if err == nil || strings.Contains(err.Error(), form) {
			t.Errorf("%q in %v", form, err)
		}
	}
}

func TestGuards(t *testing.T) {
	t.Parallel()
	c := testClient(t, httpmock.NewMockTransport())
	_, err := queryOrder(t.Context(), c, CallParam(opOrderQuery.Param, "{}"))
	wantProblem(t, "the wrapper as a parameter", err, opOrderQuery.Param)
	err = c.Call(t.Context(), "x.y", Params{"p": decimal.New(1250, -2)}, new(Raw))
	wantProblem(t, "a decimal without a home", err, "p")
	if _, err := NewClient("1", "s", WithBaseURL("https://gw.api.taobao.com/top/router/rest#")); err == nil || !strings.Contains(err.Error(), "#") {
		t.Errorf("a base URL with a fragment: %v", err)
	}
	for _, n := range []Names{{Param: " "}, {Inner: " "}} {
		if _, err := NewClient("1", "s", WithNames(opRenewalSubmit.Method, n)); err == nil {
			t.Errorf("blank name %+v is accepted", n)
		}
	}
	for _, pair := range [][2]string{{" 1", "s"}, {"1", "s\n"}} {
		if _, err := NewClient(pair[0], pair[1]); err == nil || !strings.Contains(err.Error(), "white space") {
			t.Errorf("%q: %v", pair, err)
		}
	}
}

func wantProblem(t *testing.T, what string, err error, field string) {
	t.Helper()
	var invalid *fliggy.ValidationError
	if !errors.As(err, &invalid) || len(invalid.Problems) != 1 || invalid.Problems[0].Field != field {
		t.Errorf("%s: %v", what, err)
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
	if got := (&GatewayError{Method: opOrderQuery.Method}).Error(); got != "rentcar: "+opOrderQuery.Method+": gateway error without a code" {
		t.Error(got)
	}
}

// A member that the caller writes is the caller's to answer for; the others are
// still checked.
func TestReplacedMembersAreNotValidated(t *testing.T) {
	t.Parallel()
	mt := httpmock.NewMockTransport()
	mt.RegisterNoResponder(httpmock.NewStringResponder(http.StatusOK, `{"successful":true}`))
	c := testClient(t, mt)
	_, err := c.Orders.Query(t.Context(), &OrderQueryRequest{}, CallMember("channel_id", "80001"), CallMember("order_id", "fz1"))
	if err != nil {
		t.Error(err)
	}
	_, err = c.Orders.Query(t.Context(), &OrderQueryRequest{}, CallMember("channel_id", "80001"))
	wantProblem(t, "no id", err, "order_id")
}
