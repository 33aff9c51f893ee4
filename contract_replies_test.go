package rentcar

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

// caseFile reads a reply that was seen in public.
func caseFile(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "cases", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// anyReply has nothing in common with most replies.
type anyReply struct {
	Successful bool `top:"successful"`
}

// doors are all ways to make a call.
var doors = map[string]func(*Client) error{
	"typed read":  func(c *Client) error { _, err := queryOrder(context.Background(), c); return err },
	"typed write": func(c *Client) error { _, err := cancelRenewal(context.Background(), c); return err },
	"Call": func(c *Client) error {
		return c.Call(context.Background(), "a.b", Params{"a": 1}, &anyReply{})
	},
	"Call, raw": func(c *Client) error { return c.Call(context.Background(), "a.b", Params{"a": 1}, &Raw{}) },
	"CallQimen": func(c *Client) error {
		return c.CallQimen(context.Background(), "a.b", &QimenRequest{TargetAppKey: "1"}, &anyReply{})
	},
	"CallQimen, raw": func(c *Client) error {
		return c.CallQimen(context.Background(), "a.b", &QimenRequest{TargetAppKey: "1"}, &Raw{})
	},
}

// asXML writes a JSON object of simple values and objects as elements.
func asXML(t testing.TB, body string) string {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal([]byte(body), &members); err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for name, value := range members {
		out.WriteString("<" + name + ">")
		if value[0] == '{' {
			out.WriteString(asXML(t, string(value)))
		} else if err := xml.EscapeText(&out, []byte(strings.Trim(string(value), `"`))); err != nil {
			t.Fatal(err)
		}
		out.WriteString("</" + name + ">")
	}
	return out.String()
}

// An error is an error through every door and in every format, whatever lies around
// it, with all that it says.
func TestErrorsWithoutTheirRoot(t *testing.T) {
	t.Parallel()
	bare15 := &GatewayError{
		Code: "15", Msg: "Remote service error", SubCode: "isv.402", SubMsg: "invalidate request",
		RequestID: "213f5a0000000000",
	}
	bareTime := &GatewayError{
		Code: "IllegalTimestamp", Msg: "The timestamp is invalid or malformed", RequestID: "213f5a0000000000",
	}
	signature := &GatewayError{Code: "sign-check-failure", Msg: "Illegal request"}
	for name, c := range map[string]struct {
		body string
		want *GatewayError
	}{
		"10, code 15":              {caseFile(t, "10-bare-error-15.json"), bare15},
		"10, a word":               {caseFile(t, "10-bare-error-timestamp.json"), bareTime},
		"10, in a response":        {`{"response":` + caseFile(t, "10-bare-error-15.json") + `}`, bare15},
		"10, in the method's root": {`{"a_b_response":` + caseFile(t, "10-bare-error-15.json") + `}`, bare15},
		"10, message in the usual root": {
			`{"error_response":` + caseFile(t, "10-bare-error-timestamp.json") + `}`, bareTime,
		},
		"10, a sub code and no type": {
			`{"code":15,"msg":"m","sub_code":"isv.x","sub_msg":"s"}`,
			&GatewayError{Code: "15", Msg: "m", SubCode: "isv.x", SubMsg: "s"},
		},
		"04, method's root": {caseFile(t, "04-qimen-method-root-failure.json"), signature},
		"04, root of any name": {
			strings.Replace(caseFile(t, "04-qimen-method-root-failure.json"), "deliveryorder_create_response", "answer", 1),
			signature,
		},
		"04, root of the gateway": {
			strings.Replace(caseFile(t, "04-qimen-method-root-failure.json"), "deliveryorder_create_response", "response", 1),
			signature,
		},
		"04, error_response": {
			strings.Replace(
				caseFile(t, "04-qimen-method-root-failure.json"), "deliveryorder_create_response", "error_response", 1,
			),
			signature,
		},
		"04, no root": {
			`{"flag":"failure","code":"sign-check-failure","message":"Illegal request"}`, signature,
		},
		"04, upper case": {
			`{"a_b_response":{"flag":"FAILURE","code":"sign-check-failure","message":"Illegal request"}}`, signature,
		},
		"04, with names of the platform": {
			`{"a_b_response":{"flag":"failure","sub_code":"sign-check-failure","sub_message":"Illegal request"}}`,
			&GatewayError{SubCode: "sign-check-failure", SubMsg: "Illegal request"},
		},
	} {
		inXML := asXML(t, c.body)
		if !strings.HasSuffix(inXML, "_response>") && !strings.HasSuffix(
			inXML, "</response>",
		) && !strings.HasSuffix(inXML, "</answer>") {
			inXML = "<r>" + inXML + "</r>"
		}
		for format, body := range map[Format]string{SimplifiedJSON: c.body, WrappedJSON: c.body, XML: inXML} {
			for door, call := range doors {
				client, _ := clientFor(t, replyJSON(body), WithFormat(format))
				err := call(client)
				got := as[*GatewayError](t, err)
				if diff := cmp.Diff(
					c.want, got, cmpopts.IgnoreFields(GatewayError{}, "Method", "HTTPStatus", "Attempts"),
					cmpopts.IgnoreUnexported(GatewayError{}),
				); diff != "" {
					t.Errorf("%s, %v, %s: %s (-want +got):\n%s", name, format, door, body, diff)
				}
			}
		}
	}
	client, _ := clientFor(t, reply(200, "text/xml", caseFile(t, "04-qimen-method-root-failure.xml")), WithFormat(XML))
	for door, call := range doors {
		if e := as[*GatewayError](t, call(client)); e != nil && e.Code != "sign-check-failure" {
			t.Errorf("%s: %v", door, e)
		}
	}
}

// What only could be an error is one where it is nothing that was expected.
func TestErrorOfACodeAndAMessage(t *testing.T) {
	t.Parallel()
	const body = `{"code":25,"msg":"Invalid signature","request_id":"r"}`
	for format, body := range map[Format]string{
		SimplifiedJSON: body, WrappedJSON: body, XML: "<r>" + asXML(t, body) + "</r>",
	} {
		for door, call := range doors {
			client, _ := clientFor(t, replyJSON(body), WithFormat(format))
			err := call(client)
			if strings.HasSuffix(door, "raw") { // the caller's to judge
				if err != nil {
					t.Errorf("%v, %s: %v", format, door, err)
				}
				continue
			}
			if e := as[*GatewayError](t, err); e == nil || e.Code != "25" || e.Msg != "Invalid signature" || e.RequestID != "r" {
				t.Errorf("%v, %s: %+v", format, door, e)
			}
		}
	}
	client, _ := clientFor(t, replyJSON(body), WithNames(opOrderQuery.Method, Names{Inner: "result"}))
	if e := as[*GatewayError](t, doors["typed read"](client)); e != nil && e.Code != "25" {
		t.Errorf("where an inner member is expected: %+v", e)
	}
}

// A regular reply may have a flag, a code and a message of its own.
func TestRepliesThatAreNoErrors(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		`{"flag":"success","code":"0","message":"ok"}`,
		`{"flag":"success","code":"A1","msg":"m","value":1}`,
		`{"code":"0","msg":"ok","sub_code":"x"}`,
		`{"code":200,"msg":"ok","request_id":"r"}`,
		`{"code":"SUCCESS","message":"ok","value":1}`,
		`{"code":"7","msg":"m","type":"list","value":1}`,
		`{"code":"7","type":"ISV","value":1}`,
		`{"msg":"m","type":"ISV","sub_code":"x"}`,
		`{"successful":true,"code":"7","msg":"m","sub_code":"x"}`,
		`{"success":false,"code":"7","msg":"m","sub_code":"x"}`,
		`{"code":{"value":7},"msg":"m","sub_code":"x"}`,
		`{"value":{"flag":"failure","code":"1"},"other":1}`,
		`{"flag":{"value":"failure"},"code":"1"}`,
		`{"flag":"fail-safe","code":"1","message":"m"}`,
	} {
		type own struct {
			Code  json.RawMessage `top:"code"`
			Flag  json.RawMessage `top:"flag"`
			Msg   string          `top:"msg"`
			Value json.RawMessage `top:"value"`
		}
		for format, body := range map[Format]string{
			SimplifiedJSON: body, WrappedJSON: `{"a_b_response":` + body + `}`,
			XML: "<a_b_response>" + asXML(t, body) + "</a_b_response>",
		} {
			client, _ := clientFor(t, replyJSON(body), WithFormat(format))
			for _, out := range []any{&Raw{}, &own{}} {
				if err := client.Call(context.Background(), "a.b", Params{"a": 1}, out); err != nil {
					t.Errorf("Call: %s: %v", body, err)
				}
				if err := client.CallQimen(context.Background(), "a.b", &QimenRequest{TargetAppKey: "1"}, out); err != nil {
					t.Errorf("CallQimen: %s: %v", body, err)
				}
			}
		}
	}
	// A flag alone says so much with Qimen only.
	client, _ := clientFor(t, replyJSON(`{"flag":"failure","value":1}`))
	if err := doors["Call, raw"](client); err != nil {
		t.Error(err)
	}
	if e := as[*GatewayError](t, doors["CallQimen, raw"](client)); e != nil && e.Outcome() != OutcomeUnknown {
		t.Errorf("outcome %v", e.Outcome())
	}
}

// No sample and no golden reply is taken for an error, unless it is one.
func TestSamplesAreNoErrors(t *testing.T) {
	t.Parallel()
	replies := map[string]string{}
	for _, pattern := range []string{"*response*", "*error*"} {
		found, err := filepath.Glob(filepath.Join("testdata", "samples", pattern))
		if err != nil || len(found) == 0 {
			t.Fatalf("%s: %v", pattern, err)
		}
		for _, name := range found {
			replies[name] = readFile(t, name)
		}
	}
	for _, op := range api.All() {
		replies[exchangeFile(op.Method)] = readExchange(t, op.Method).reply
	}
	for name, body := range replies {
		bad := strings.Contains(name, ".error.") || strings.Contains(name, "sign-check-failure")
		formats := []Format{SimplifiedJSON, WrappedJSON}
		if strings.HasSuffix(name, ".xml") {
			formats = []Format{XML}
		}
		for _, format := range formats {
			for _, door := range []string{"Call, raw", "CallQimen, raw"} {
				client, _ := clientFor(t, replyJSON(body), WithFormat(format))
				if err := doors[door](client); isA[*GatewayError](err) != (bad && !strings.Contains(name, "sign-check")) {
					t.Errorf("%s, %v, %s: %v", name, format, door, err)
				}
			}
		}
	}
}

// Control characters in strings are read and kept through every door.
func TestControlCharactersInReplies(t *testing.T) {
	t.Parallel()
	client := func(body string, format Format) *Client {
		c, _ := clientFor(t, replyJSON(body), WithFormat(format))
		return c
	}
	address := caseFile(t, "01-raw-control-address.json")
	for format, body := range map[Format]string{
		SimplifiedJSON: address, WrappedJSON: fmt.Sprintf(`{"x_response":%s}`, address),
	} {
		result, err := queryOrder(context.Background(), client(body, format))
		if err != nil || len(result.Booking.Stores) != 1 || result.Booking.Stores[0].Address != "北京市\n昌平区\t100号" {
			t.Errorf("typed, %v: %+v, %v", format, result, err)
		}
		var raw Raw
		if err := client(body, format).Call(
			context.Background(), "a.b", Params{"a": 1}, &raw,
		); err != nil || string(raw) != body {
			t.Errorf("raw, %v: %q, %v", format, raw, err)
		}
		var out struct {
			Booking json.RawMessage `top:"booking_info"`
		}
		if err := client(body, format).Call(
			context.Background(), "a.b", Params{"a": 1}, &out,
		); err != nil || !json.Valid(out.Booking) {
			t.Errorf("json.RawMessage, %v: %q, %v", format, out.Booking, err)
		}
		if err := client(body, format).CallQimen(
			context.Background(), "a.b", &QimenRequest{TargetAppKey: "1"}, &out,
		); err != nil || !json.Valid(out.Booking) {
			t.Errorf("CallQimen, %v: %q, %v", format, out.Booking, err)
		}
	}
	var out struct {
		RetMsg string `top:"ret_msg"`
	}
	if err := client(
		caseFile(t, "01-raw-control-success.json"), WrappedJSON,
	).Call(context.Background(), "a.b", Params{"a": 1}, &out); err != nil || out.RetMsg != "\n\r\t2000-01-01 00:00:00" {
		t.Errorf("%q, %v", out.RetMsg, err)
	}
	for door, call := range doors {
		e := as[*GatewayError](t, call(client(caseFile(t, "02-raw-newline-in-error.json"), SimplifiedJSON)))
		if e == nil || e.SubCode != "isv.param-error" || !strings.Contains(e.SubMsg, "0\nsub") {
			t.Errorf("%s: %+v", door, e)
		}
	}
}

// A list that comes twice is refused by its name in every format.
func TestListTwice(t *testing.T) {
	t.Parallel()
	for format, body := range map[Format]string{
		SimplifiedJSON: `{"successful":true,"order_info":{"service_type":["3"],"service_type":["1"]}}`,
		XML: `<r><successful>true</successful><order_info><service_type><string>3</string></service_type><servi` +
			`ce_type><string>1</string></service_type></order_info></r>`,
	} {
		c, _ := clientFor(t, replyJSON(body), WithFormat(format))
		_, err := queryOrder(context.Background(), c)
		if e := as[*DecodeError](t, err); e != nil && !strings.Contains(e.Error(), "service_type: comes more than once") {
			t.Errorf("%v: %v", format, err)
		}
	}
}

// An error whose number may be anybody's, or beside which something says success, leaves
// the outcome of a write unknown, and the write is sent once.
func TestErrorsThatDecideNothing(t *testing.T) {
	t.Parallel()
	submit := func(c *Client) error {
		_, err := c.Renewals.Submit(
			t.Context(),
			&RenewalSubmitRequest{OrderID: "3187983531024266527", RenewalOutOrderID: "x", ChannelID: fliggy.ChannelAmap},
		)
		return err
	}
	for body, format := range map[string]Format{
		// as gRPC counts
		`{"code":4,"message":"context deadline exceeded"}`:                                         SimplifiedJSON,
		`{"code":42,"message":"db timeout after insert"}`:                                          SimplifiedJSON,
		`{"x_response":{"code":8,"message":"RESOURCE_EXHAUSTED"}}`:                                 SimplifiedJSON,
		`<r><code>8</code><message>m</message></r>`:                                                XML,
		`{"x_response":{"error_response":{"code":7,"msg":"x"}},"successful":true}`:                 WrappedJSON,
		`{"a_response":{"error_response":{"code":7,"msg":"x"}},"b_response":{"successful":true}}`:  WrappedJSON,
		`{"x_response":{"code":"7","msg":"x","type":"ISP"},"y_response":{"successful":true}}`:      WrappedJSON,
		`{"error_response":{"code":7,"msg":"x","successful":true}}`:                                SimplifiedJSON,
		`<error_response><code>7</code><msg>x</msg><successful>true</successful></error_response>`: XML,
		`{"successful":true,"renewal_order_id":" "}`:                                               SimplifiedJSON,
		`{"successful":true,"renewal_order_id":"null"}`:                                            SimplifiedJSON,
		`{"successful":true,"renewal_order_id":0}`:                                                 SimplifiedJSON,
	} {
		c, g := clientFor(
			t, replyJSON(body), WithFormat(format), WithSleep(func(context.Context, time.Duration) error { return nil }),
		)
		if err := submit(c); OutcomeOf(err) != OutcomeUnknown || !errors.Is(err, ErrOutcomeUnknown) || g.count() != 1 {
			t.Errorf("%s: sent %d times, outcome %v: %v", body, g.count(), OutcomeOf(err), err)
		}
	}
}
