package rentcar

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar/fliggy"
)

func TestCallOptions(t *testing.T) {
	t.Parallel()
	const plain = `{"order_id":"523412312","channel_id":"80001"}`
	for name, tc := range map[string]struct {
		opts    []CallOption
		session string
		form    map[string]string // beside the request
		message string            // the request; empty for the plain one
	}{
		"none":    {nil, "client session", nil, ""},
		"session": {[]CallOption{CallSession("mine")}, "mine", nil, ""},
		"parameter": {
			[]CallOption{CallParam("extra", "a b")}, "client session", map[string]string{"extra": "a b"}, "",
		},
		"parameters": {
			[]CallOption{CallParam("a", "1"), CallParam("b", "2"), CallParam("a", "3")}, "client session",
			map[string]string{"a": "3", "b": "2"}, "",
		},
		"blank parameter": {[]CallOption{CallParam("a", " ")}, "client session", nil, ""},
		"member added": {
			[]CallOption{CallMember("new", 7)}, "client session", nil, `{"order_id":"523412312","channel_id":"80001","new":7}`,
		},
		"member replaced": {
			[]CallOption{CallMember("order_id", json.RawMessage("5.0"))}, "client session", nil,
			`{"channel_id":"80001","order_id":5.0}`,
		},
		"member again": {
			[]CallOption{CallMember("a", 1), CallMember("b", true), CallMember("a", "x")}, "client session", nil,
			`{"order_id":"523412312","channel_id":"80001","b":true,"a":"x"}`,
		},
		"member taken away": {
			[]CallOption{CallMember("channel_id", nil)}, "client session", nil, `{"order_id":"523412312","channel_id":null}`,
		},
		"members of all kinds": {[]CallOption{
			CallMember("yuan", fliggy.MustYuan("1.50")), CallMember("fen", fliggy.FenOf(150)),
			CallMember("id", fliggy.ID("007")), CallMember("list", []string{"a", "b"}),
			CallMember("time", fliggy.MustTime("2023-02-03 14:00:00")), CallMember("secret", fliggy.NewSecret("s")),
			CallMember("struct", AgencyPlace{CityName: "洛杉矶"}),
		}, "client session", nil, `{"order_id":"523412312","channel_id":"80001","yuan":"1.50","fen":150,"id":"007","list":` +
			`["a","b"],` +
			`"time":"2023-02-03 14:00:00","secret":"s","struct":{"city_name":"洛杉矶"}}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := clientFor(t, replyJSON(okReply), WithSession("client session"))
			if _, err := queryOrder(context.Background(), c, tc.opts...); err != nil {
				t.Fatal(err)
			}
			diff(t, "session", tc.session, g.last(t).query(t)["session"])
			want := map[string]string{opOrderQuery.Param: tc.message}
			if tc.message == "" {
				want[opOrderQuery.Param] = plain
			}
			for name, value := range tc.form {
				want[name] = value
			}
			diff(t, "form", want, g.last(t).form(t))
		})
	}
}

func TestCallOptionRefusals(t *testing.T) {
	t.Parallel()
	bad := []CallOption{
		CallSession(""), CallSession(" "), CallTimeout(0), CallAttempts(0), CallParam("", "x"), CallParam("\xff", "x"),
		CallParam("p", "\xff"), CallParam("sign", "x"), CallParam("session", "x"), CallParam("simplify", "x"),
		// which may be a mistake of a caller who meant CallSession
		CallMember(" ", 1), CallMember("f", 1.5), CallMember("m", map[string]any{}), CallMember("r", json.RawMessage("{")),
		CallRawReply(nil), nil,
	}
	want := []fliggy.Problem{
		{Field: "session", Rule: "is empty: leave the option out to send the client's"},
		{Field: "session", Rule: "is empty: leave the option out to send the client's"},
		{Field: "timeout", Rule: "must be positive"},
		{Field: "attempts", Rule: "must be at least 1"},
		{Field: "parameter", Rule: "must have a name, in valid UTF-8"},
		{Field: "parameter", Rule: "must have a name, in valid UTF-8"},
		{Field: "p", Rule: "not valid UTF-8"},
		{Field: "sign", Rule: "is a parameter of the protocol and cannot be replaced"},
		{Field: "session", Rule: "is a parameter of the protocol and cannot be replaced"},
		{Field: "simplify", Rule: "is a parameter of the protocol and cannot be replaced"},
		{Field: "member", Rule: "must have a name, in valid UTF-8"},
		{Field: "f", Rule: "is a float, which has no exact text: use Yuan, Decimal or text"},
		{Field: "m", Rule: "a map[string]interface {} has no wire format: use a struct with tags, or a json.RawMessage"},
		{Field: "r", Rule: "must be valid JSON"},
		{Field: "raw reply", Rule: "must not be nil"},
		{Field: "call option 16", Rule: "is nil: leave it out"},
	}
	c, g := clientFor(t, replyJSON(okReply))
	_, err := queryOrder(context.Background(), c, bad...)
	diff(
		t, "typed", &fliggy.ValidationError{Method: opOrderQuery.Method, Problems: want}, as[*fliggy.ValidationError](t, err),
	)
	var out Raw
	err = c.Call(context.Background(), "x.y", nil, &out, bad...)
	diff(t, "untyped", &fliggy.ValidationError{Method: "x.y", Problems: want}, as[*fliggy.ValidationError](t, err))
	err = c.Call(context.Background(), "x.y", nil, &out, CallMember("a", 1))
	inParams := []fliggy.Problem{{Field: "a", Rule: "CallMember has no parameter to go into: put the member into Params"}}
	diff(t, "member of nothing", inParams, as[*fliggy.ValidationError](t, err).Problems)
	if g.count() != 0 {
		t.Errorf("%d requests were sent", g.count())
	}
}

// The documents may be wrong: then a request goes out as it is.
func TestWithoutValidation(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c, g := clientFor(t, replyJSON(`{"successful":true,"renewal_order_id":"7"}`))
	if _, err := c.Orders.Query(ctx, &OrderQueryRequest{}, CallWithoutValidation()); err != nil {
		t.Fatal(err)
	}
	diff(t, "nothing at all", map[string]string{opOrderQuery.Param: "{}"}, g.last(t).form(t))
	if _, err := c.Renewals.Submit(
		ctx, &RenewalSubmitRequest{OrderID: "fz-007", TotalFee: fliggy.MustYuan("-1")}, CallWithoutValidation(),
	); err != nil {
		t.Fatal(err)
	}
	diff(
		t, "an id that is no number", map[string]string{opRenewalSubmit.Param: `{"order_id":"fz-007","total_fee":"-1"}`},
		g.last(t).form(t),
	)
	if _, err := c.Bills.Notify(ctx, &Bill{}, CallWithoutValidation()); err != nil {
		t.Fatal(err)
	}
	diff(t, "an empty bill", map[string]string{opBillNotify.Param: `{"distributor_bill_list":[{}]}`}, g.last(t).form(t))
	// What has no wire form at all is refused all the same.
	_, err := c.Orders.Query(ctx, &OrderQueryRequest{TraceID: "\xff"}, CallWithoutValidation())
	want := &fliggy.ValidationError{
		Method: opOrderQuery.Method, Problems: []fliggy.Problem{{Field: "trace_id", Rule: "not valid UTF-8"}},
	}
	diff(t, "refusal", want, as[*fliggy.ValidationError](t, err))
	if _, err := c.Orders.Query(ctx, nil, CallWithoutValidation()); !isA[*fliggy.ValidationError](err) {
		t.Errorf("a nil request: %v", err)
	}
}

// The reply is captured whatever becomes of the call, as long as one came.
func TestWithRawReply(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		want    RawReply
	}{
		"success": {replyJSON(okReply), RawReply{200, http.Header{"Content-Type": {jsonType}}, []byte(okReply)}},
		"business": {
			replyJSON(`{"successful":false}`),
			RawReply{200, http.Header{"Content-Type": {jsonType}}, []byte(`{"successful":false}`)},
		},
		"gateway": {
			replyJSON(`{"error_response":{"code":1}}`),
			RawReply{200, http.Header{"Content-Type": {jsonType}}, []byte(`{"error_response":{"code":1}}`)},
		},
		"decode": {replyJSON("[]"), RawReply{200, http.Header{"Content-Type": {jsonType}}, []byte("[]")}},
		"charset": {
			reply(200, "text/plain;charset=GBK", "\xd6\xd0"),
			RawReply{200, http.Header{"Content-Type": {"text/plain;charset=GBK"}}, []byte("\xd6\xd0")},
		},
		"status": {
			reply(502, "text/html", "<html>"), RawReply{502, http.Header{"Content-Type": {"text/html"}}, []byte("<html>")},
		},
		"cut off": {func(*http.Request) (*http.Response, error) {
			body := io.MultiReader(strings.NewReader(`{"succ`), iotest.ErrReader(io.ErrUnexpectedEOF))
			return &http.Response{StatusCode: http.StatusOK, Header: http.Header{"X": {"y"}}, Body: io.NopCloser(body)}, nil
		}, RawReply{200, http.Header{"X": {"y"}}, nil}},
		"none": {httpmock.NewErrorResponder(http.ErrHandlerTimeout), RawReply{HTTPStatus: -1}},
	} {
		c, _ := clientFor(t, tc.respond)
		got := RawReply{HTTPStatus: -1}
		_, _ = queryOrder(context.Background(), c, CallRawReply(&got))
		diff(t, name, tc.want, got)
	}
}

// A member that the caller writes is the caller's to answer for; the others are
// still checked.
func TestReplacedMembersAreNotValidated(t *testing.T) {
	t.Parallel()
	mt := httpmock.NewMockTransport()
	mt.RegisterNoResponder(httpmock.NewStringResponder(http.StatusOK, `{"successful":true}`))
	c := testClient(t, mt)
	_, err := c.Orders.Query(
		t.Context(), &OrderQueryRequest{}, CallMember("channel_id", "80001"), CallMember("order_id", "fz1"),
	)
	if err != nil {
		t.Error(err)
	}
	_, err = c.Orders.Query(t.Context(), &OrderQueryRequest{}, CallMember("channel_id", "80001"))
	wantProblem(t, "no id", err, "order_id")
}
