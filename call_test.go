package rentcar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jarcoal/httpmock"
	"github.com/shopspring/decimal"

	"github.com/fliggy-go/rentcar/fliggy"
)

// Two calls are signed with the time of each, and independently.
func TestEveryCallIsSignedAnew(t *testing.T) {
	t.Parallel()
	now := testClock()
	c, g := clientFor(t, replyJSON(okReply), WithClock(func() time.Time { return now }))
	var signs, times []string
	for range 2 {
		if _, err := queryOrder(context.Background(), c); err != nil {
			t.Fatal(err)
		}
		signs, times = append(signs, g.last(t).query(t)["sign"]), append(times, g.last(t).query(t)["timestamp"])
		now = now.Add(time.Minute)
	}
	diff(t, "timestamps", []string{"2023-02-03 14:00:00", "2023-02-03 14:01:00"}, times)
	if signs[0] == signs[1] {
		t.Error("both calls carry one signature")
	}
}

func TestGuards(t *testing.T) {
	t.Parallel()
	c := testClient(t, httpmock.NewMockTransport())
	_, err := queryOrder(t.Context(), c, CallParam(opOrderQuery.Param, "{}"))
	wantProblem(t, "the wrapper as a parameter", err, opOrderQuery.Param)
	err = c.Call(t.Context(), "x.y", Params{"p": decimal.New(1250, -2)}, new(Raw))
	wantProblem(t, "a decimal without a home", err, "p")
	if _, err := NewClient(
		"1", "s", WithBaseURL("https://gw.api.taobao.com/top/router/rest#"),
	); err == nil || !strings.Contains(err.Error(), "#") {
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

// as finds the error of a type in err; it is nil, and the test fails, where there
// is none.
func as[T error](t testing.TB, err error) T {
	t.Helper()
	found, ok := asType[T](err)
	if !ok {
		t.Errorf("got %T, want %T: %v", err, found, err)
	}
	return found
}

// someBill is a bill of one line that is in order.
func someBill(t testing.TB) *Bill {
	t.Helper()
	bill, err := NewBill("ID20230203", "20230203001").Income(billLine(fliggy.BillOrderFee, "16.02")).Build()
	if err != nil {
		t.Fatal(err)
	}
	return bill
}

func billLine(biz fliggy.BillBizType, amount string) BillLine {
	return BillLine{
		OrderID: mainOrder, OutOrderID: outOrder, BizType: biz, OrderAmount: fliggy.MustYuan(amount),
		PayTradeNo: "1122334411", PayTime: fliggy.MustTime("2023-02-03 19:23:32"),
	}
}

func someQuote() *RenewalQuoteRequest {
	return &RenewalQuoteRequest{
		OrderID: mainOrder, CarUseTime: fliggy.MustTime("2022-11-22 10:22:00"),
		CarReturnTime: fliggy.MustTime("2022-11-23 10:52:00"), ChannelID: fliggy.ChannelAmap,
	}
}

// A responseVector is a reply and what the official parser made of it.
type responseVector struct {
	Name        string `json:"name"`
	Client      string `json:"client"`
	Format      string `json:"format"`
	Simplify    bool   `json:"simplify"`
	HTTPStatus  int    `json:"http_status"`
	ContentType string `json:"content_type"`
	Body        string `json:"body"`
	Official    struct {
		Code      string          `json:"code"`
		Msg       string          `json:"msg"`
		SubCode   string          `json:"sub_code"`
		SubMsg    string          `json:"sub_msg"`
		RequestID string          `json:"request_id"`
		Fields    json.RawMessage `json:"fields"`
	} `json:"official"`
}

func (v *responseVector) format() Format {
	switch {
	case v.Format == "xml":
		return XML
	case v.Simplify:
		return SimplifiedJSON
	}
	return WrappedJSON
}

// vectorReply is the message that the vectors were recorded with.
type vectorReply struct {
	Successful    bool         `json:"successful" top:"successful"`
	RetCode       string       `json:"ret_code" top:"ret_code"`
	Num           int64        `json:"num" top:"num"`
	When          fliggy.Time  `json:"when" top:"when"`
	AddressList   []string     `json:"address_list" top:"address_list"`
	AddedServices []vectorItem `json:"added_service_list" top:"added_service_list,wrap=order_detail_add_service_info"`
	Item          vectorItem   `json:"item" top:"item"`
}

type vectorItem struct {
	SID string `json:"sid" top:"sid"`
	N   int64  `json:"n" top:"n"`
}

// verdict is what became of a call, in a word.
func verdict(err error) string {
	switch {
	case err == nil:
		return "success"
	case isA[*GatewayError](err):
		return "gateway error"
	case isA[*BusinessError](err):
		return "business error"
	case isA[*DecodeError](err):
		return "decode error"
	case isA[*TransportError](err):
		return "transport error"
	case isA[*fliggy.ValidationError](err):
		return "validation error"
	}
	return fmt.Sprintf("%T", err)
}

func isA[T error](err error) bool { _, ok := asType[T](err); return ok }

// asType finds the error of a type in err.
func asType[T error](err error) (found T, ok bool) {
	ok = errors.As(err, &found)
	return found, ok
}

// What a call without a type and order.query make of every recorded reply. Where
// the official parser sees an empty success, a service reply is an error here.
var vectorVerdicts = map[string]struct{ untyped, typed string }{
	"json_full":           {"success", "success"},
	"json_simplify_full":  {"success", "success"},
	"xml_full":            {"success", "success"},
	"json_error":          {"gateway error", "gateway error"},
	"json_error_no_sub":   {"gateway error", "gateway error"},
	"json_error_simplify": {"gateway error", "gateway error"},
	"xml_error":           {"gateway error", "gateway error"},
	// the flag of an unknown method is the caller's to look at
	"json_business_failure":       {"success", "business error"},
	"json_string_numbers":         {"success", "success"},
	"json_empty_list":             {"success", "decode error"}, // no success flag
	"json_nulls":                  {"success", "decode error"}, // no success flag
	"json_unknown_root":           {"success", "success"},
	"json_object_in_string_field": {"success", "decode error"}, // no success flag
	"http_400_error_body":         {"gateway error", "gateway error"},
	// the official client ignores the body, and loses the code
	"http_500":                    {"gateway error", "gateway error"},
	"http_403":                    {"gateway error", "gateway error"}, // as above
	"not_json":                    {"decode error", "decode error"},
	"qimen_failure":               {"gateway error", ""},
	"qimen_failure_sub":           {"gateway error", ""},
	"qimen_success":               {"success", ""},
	"qimen_success_code0":         {"success", ""},
	"qimen_provider_sign_failure": {"gateway error", ""},
}

func TestResponseVectors(t *testing.T) {
	t.Parallel()
	var file struct {
		Vectors []responseVector `json:"vectors"`
	}
	readJSON(t, &file, "testdata", "vectors", "response.json")
	if len(file.Vectors) != len(vectorVerdicts) {
		t.Errorf("%d vectors, %d verdicts", len(file.Vectors), len(vectorVerdicts))
	}
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			want, ok := vectorVerdicts[v.Name]
			if !ok {
				t.Fatal("no verdict")
			}
			ctx := context.Background()
			client := func() *Client { // a new one knows of no ban
				c, _ := clientFor(t, reply(v.HTTPStatus, v.ContentType, v.Body), WithFormat(v.format()))
				return c
			}
			if v.Client == "qimencloud" {
				var out struct {
					Success bool   `top:"success"`
					Data    string `top:"data"`
				}
				err := client().CallQimen(ctx, "qimen.x", &QimenRequest{TargetAppKey: "1"}, &out)
				diff(t, "verdict", want.untyped, verdict(err))
				checkFault(t, &v, err, want.untyped)
				if err == nil && !out.Success {
					t.Error("the provider's reply was not read")
				}
				return
			}
			var out vectorReply
			err := client().Call(ctx, opOrderQuery.Method, Params{"a": "1"}, &out)
			diff(t, "verdict on a call without a type", want.untyped, verdict(err))
			checkFault(t, &v, err, want.untyped)
			if err == nil {
				checkFields(t, v.Official.Fields, &out)
			}
			res, err := queryOrder(ctx, client())
			diff(t, "verdict on order.query", want.typed, verdict(err))
			checkFault(t, &v, err, want.typed)
			if (res != nil) != (want.typed == "success" || want.typed == "business error") {
				t.Errorf("result %v beside error %v", res, err)
			}
			if res != nil {
				diff(t, "request id", v.Official.RequestID, res.RequestID)
			}
		})
	}
}

// checkFault compares the codes of a GatewayError with the official ones; for
// the two replies whose body the official client does not read, with the body's.
func checkFault(t *testing.T, v *responseVector, err error, want string) {
	t.Helper()
	if want != "gateway error" {
		return
	}
	o := &v.Official
	wanted := &GatewayError{
		Code: o.Code, Msg: o.Msg, SubCode: o.SubCode, SubMsg: o.SubMsg, RequestID: o.RequestID, HTTPStatus: v.HTTPStatus,
		Attempts: 1,
	}
	switch v.Name {
	case "json_error_simplify":
		wanted.RetryAfter = time.Second // which the official client leaves in the text
	case "http_500":
		wanted.Code, wanted.Msg = "10", "x"
	case "http_403":
		wanted.Code, wanted.Msg = "11", "x"
	case "qimen_provider_sign_failure":
		wanted.SubMsg = "Illegal request" // the official client knows only the gateway's own name of it
	}
	got := as[*GatewayError](t, err)
	if got != nil {
		wanted.Method = got.Method
	}
	diff(t, "gateway error", wanted, got)
}

// checkFields compares with what the official parser read; null and a missing
// member are the zero value here, and an empty list is not told from none.
func checkFields(t *testing.T, official json.RawMessage, got *vectorReply) {
	t.Helper()
	var want vectorReply
	if err := json.Unmarshal(official, &want); err != nil {
		t.Fatal(err)
	}
	if len(want.AddressList) == 0 && len(got.AddressList) == 0 {
		got.AddressList = want.AddressList
	}
	diff(t, "fields", &want, got)
}

// A reply that is odd in itself, and what three kinds of calls make of it.
type oddReply struct {
	status            int
	contentType, body string
	typed, plain, raw string // empty where it is not looked at
	format            Format
	reply             string // part of the words for what came
}

func TestOddReplies(t *testing.T) {
	t.Parallel()
	const (
		ok      = "success"
		decode  = "decode error"
		gateway = "gateway error"
		status  = "transport error"
	)
	deep := strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000)
	for name, tc := range map[string]oddReply{
		"nothing":             {200, jsonType, "", decode, decode, decode, SimplifiedJSON, "empty"},
		"white space":         {200, jsonType, " \n", decode, decode, decode, SimplifiedJSON, "empty"},
		"empty list":          {200, jsonType, "[]", decode, decode, decode, SimplifiedJSON, "JSON, 2 bytes"},
		"empty object":        {200, jsonType, "{}", decode, decode, ok, SimplifiedJSON, "JSON, 2 bytes"},
		"empty root":          {200, jsonType, `{"x_response":{}}`, decode, decode, ok, WrappedJSON, "JSON"},
		"null":                {200, jsonType, "null", decode, decode, decode, SimplifiedJSON, "text"},
		"a text":              {200, jsonType, `"successful"`, decode, decode, decode, SimplifiedJSON, "text"},
		"a number":            {200, jsonType, "1", decode, decode, decode, SimplifiedJSON, "text"},
		"no content":          {204, "", "", status, status, status, SimplifiedJSON, ""},
		"created":             {201, jsonType, `{"successful":true}`, status, status, status, SimplifiedJSON, ""},
		"bad gateway":         {502, "text/html", "<html>502</html>", status, status, status, SimplifiedJSON, ""},
		"a status unheard of": {599, jsonType, "", status, status, status, SimplifiedJSON, ""},
		"not found":           {404, jsonType, `{"successful":true}`, status, status, status, SimplifiedJSON, ""},
		"redirect":            {302, jsonType, "", status, status, status, SimplifiedJSON, ""},
		"HTML": {
			200, "text/html", "<html>busy</html>", decode, decode, decode, SimplifiedJSON, "HTML, 17 bytes",
		},
		"HTML for XML": {
			200, "text/html", "<html><successful>true</successful></html>", decode, decode, decode, XML, "HTML",
		},
		"HTML with a doctype": {200, "text/html", "\n<!DOCTYPE html><html/>", decode, decode, decode, XML, "HTML"},
		"XML for JSON": {
			200, xmlType, "<x_response><successful>true</successful></x_response>", decode, decode, decode, SimplifiedJSON,
			"XML",
		},
		"JSON for XML": {200, jsonType, `{"successful":true}`, decode, decode, decode, XML, "JSON"},
		"error in XML": {
			200, xmlType, "<error_response><code>25</code></error_response>", gateway, gateway, gateway, WrappedJSON, "",
		},
		"error in JSON": {200, jsonType, `{"error_response":{"code":25}}`, gateway, gateway, gateway, XML, ""},
		"empty error":   {200, jsonType, `{"error_response":{}}`, gateway, gateway, gateway, SimplifiedJSON, ""},
		"cut off":       {200, jsonType, `{"successful":true`, decode, decode, decode, SimplifiedJSON, "JSON"},
		"cut off inside": {
			200, jsonType, `{"successful":true,"order_info":{"total_fee":"1`, decode, decode, decode, SimplifiedJSON, "JSON",
		},
		"two roots": {
			200, jsonType, `{"successful":true}{"successful":true}`, decode, decode, decode, SimplifiedJSON, "JSON",
		},
		"text behind":     {200, jsonType, `{"successful":true} busy`, decode, decode, decode, SimplifiedJSON, "JSON"},
		"unknown members": {200, jsonType, `{"status":"ok"}`, decode, decode, ok, SimplifiedJSON, "JSON"},
		"flag missing":    {200, jsonType, `{"ret_code":"1","request_id":"r"}`, decode, ok, ok, SimplifiedJSON, "JSON"},
		"flag null":       {200, jsonType, `{"successful":null}`, decode, ok, ok, SimplifiedJSON, "JSON"},
		"flag empty":      {200, jsonType, `{"successful":""}`, decode, ok, ok, SimplifiedJSON, "JSON"},
		"flag twice": {
			200, jsonType, `{"successful":false,"successful":true}`, decode, decode, ok, SimplifiedJSON, "JSON",
		},
		"flag twice, XML": {
			200, xmlType, "<x_response><successful>false</successful><successful>true</successful></x_response>", decode, decode,
			ok, XML, "XML",
		},
		"error inside": {
			200, jsonType, `{"x_response":{"successful":true,"error_response":{"code":15}}}`, gateway, gateway, gateway,
			WrappedJSON, "",
		},
		"error inside, XML": {
			200, xmlType,
			"<x_response><successful>true</successful><error_response><code>15</code></error_response></x_response>", gateway,
			gateway, gateway, XML, "",
		},
		"flag of another kind": {200, jsonType, `{"successful":"maybe"}`, decode, decode, ok, SimplifiedJSON, "JSON"},
		"flag a number":        {200, jsonType, `{"successful":2}`, decode, decode, ok, SimplifiedJSON, "JSON"},
		"flag an object":       {200, jsonType, `{"successful":{"a":1}}`, decode, decode, ok, SimplifiedJSON, "JSON"},
		"no JSON escape": {
			200, jsonType, `{"successful":true,"ret_msg":"\x"}`, decode, decode, decode, SimplifiedJSON, "JSON",
		},
		"deep nesting": {
			200, jsonType, `{"successful":true,"x":` + deep + `}`, decode, decode, decode, SimplifiedJSON, "JSON",
		},
		"exponent": {
			200, jsonType, `{"successful":true,"order_info":{"total_fee":1e999999999}}`, decode, ok, ok, SimplifiedJSON, "JSON",
		},
		"a megabyte of digits": {
			200, jsonType, `{"successful":true,"order_info":{"total_fee":1` + strings.Repeat("0", 1<<20) + `}}`, decode, ok, ok,
			SimplifiedJSON, "JSON",
		},
		"XML cut off": {200, xmlType, "<x_response><successful>true</succ", decode, decode, decode, XML, "XML"},
		"XML empty":   {200, xmlType, "<x_response/>", decode, decode, ok, XML, "XML"},
		"XML with entities": {
			200, xmlType, `<!DOCTYPE a [<!ENTITY b "c">]><x_response><successful>true</successful></x_response>`, decode, decode,
			decode, XML, "XML",
		},
		"XML text before": {
			200, xmlType, "busy <x_response><successful>true</successful></x_response>", decode, decode, decode, XML, "text",
		},
		"XML of two roots": {
			200, xmlType, "<x_response><successful>true</successful></x_response><y/>", decode, decode, decode, XML, "XML",
		},
		"XML nested deep": {
			200, xmlType, strings.Repeat("<a>", 5000) + strings.Repeat("</a>", 5000), decode, decode, decode, XML, "XML",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := context.Background()
			c, _ := clientFor(t, reply(tc.status, tc.contentType, tc.body), WithFormat(tc.format))
			res, err := queryOrder(ctx, c)
			tc.check(t, "order.query", tc.typed, err)
			if res != nil {
				t.Errorf("order.query: a result beside the error: %+v", res)
			}

			out := vectorReply{RetCode: "untouched"}
			err = c.Call(ctx, "x.y", nil, &out)
			tc.check(t, "Call", tc.plain, err)
			if err != nil {
				diff(t, "out after an error", vectorReply{RetCode: "untouched"}, out)
			}

			raw := Raw("untouched")
			err = c.Call(ctx, "x.y", nil, &raw)
			tc.check(t, "Call with *Raw", tc.raw, err)
			if want := tc.body; err == nil && string(raw) != want || err != nil && string(raw) != "untouched" {
				t.Errorf("raw is %.60q", raw)
			}
		})
	}
}

func (tc *oddReply) check(t *testing.T, what, want string, err error) {
	t.Helper()
	if want == "" {
		return
	}
	if got := verdict(err); got != want {
		t.Errorf("%s: %s, want %s: %v", what, got, want, err)
	}
	if err == nil {
		return
	}
	if d, ok := asType[*DecodeError](err); ok && (!strings.Contains(d.Reply, tc.reply) ||
		d.HTTPStatus != tc.status) {
		t.Errorf("%s: %q with status %d, want %q with %d", what, d.Reply, d.HTTPStatus, tc.reply, tc.status)
	}
	if s, ok := asType[*TransportError](err); ok && (s.HTTPStatus != tc.status || s.Phase != PhaseStatus ||
		!strings.HasPrefix(s.Err.Error(), fmt.Sprint(tc.status)) || strings.HasSuffix(s.Err.Error(), " ")) {
		t.Errorf("%s: %v", what, s)
	}
	if len(err.Error()) > 400 {
		t.Errorf("%s: the error has %d characters", what, len(err.Error()))
	}
}

// The flag alone makes a success, in all forms it is known to take.
func TestSuccessFlagForms(t *testing.T) {
	t.Parallel()
	for flag, want := range map[string]string{
		`true`: "success", `"true"`: "success", `"TRUE"`: "success", `1`: "success", `"1"`: "success",
		`false`: "business error", `"false"`: "business error", `0`: "business error",
	} {
		c, _ := clientFor(t, replyJSON(`{"successful":`+flag+`,"ret_code":"012","ret_msg":"m","request_id":"r1"}`))
		res, err := queryOrder(context.Background(), c)
		if got := verdict(err); got != want {
			t.Errorf("%s: %s, want %s", flag, got, want)
		}
		if res == nil || res.RetCode != "012" || res.RequestID != "r1" || res.Attempts != 1 {
			t.Errorf("%s: result %+v", flag, res)
		}
	}
}

func TestBusinessErrors(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c, _ := clientFor(
		t, replyJSON(`{"successful":false,"ret_code":"012","ret_msg":"续租时间冲突","request_id":"r1","cancel_fee":"5.5"}`),
	)
	done, err := cancelRenewal(ctx, c)
	diff(
		t, "error",
		&BusinessError{Method: opRenewalCancel.Method, Code: "012", Message: "续租时间冲突", RequestID: "r1", Attempts: 1},
		as[*BusinessError](t, err),
	)
	if done == nil || done.CancelFee.String() != "5.5" || done.Successful {
		t.Errorf("result %+v, want the decoded reply", done)
	}
	if want := "rentcar: alitrip.rentcar.btb.renewal.order.cancel: refused with code 012: 续租时间冲突 " +
		"[request_id r1]"; err.Error() != want {
		t.Errorf("text %q, want %q", err, want)
	}

	agency, _ := clientFor(
		t, replyJSON(`{"biz_success":false,"biz_error_code":"31","biz_error_msg":"重复","request_id":"r2"}`),
	)
	res, err := agency.Agency.UpdateOrder(ctx, &AgencyUpdateOrderRequest{AgentOrderNo: "1"})
	diff(
		t, "error",
		&BusinessError{Method: opAgencyUpdateOrder.Method, Code: "31", Message: "重复", RequestID: "r2", Attempts: 1},
		as[*BusinessError](t, err),
	)
	if res == nil || res.BizErrorCode != "31" {
		t.Errorf("result %+v", res)
	}
}

// Members that no field knows are kept, and nothing else is.
func TestUnknownMembersAreKept(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(
		t, replyJSON(`{"successful":true,"new_member":{"a":[1,2.50]},"order_info":{"x":1},"request_id":"r"}`),
	)
	res, err := queryOrder(context.Background(), c)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "extra", map[string]json.RawMessage{"new_member": json.RawMessage(`{"a":[1,2.50]}`)}, res.Extra)
}
