package top_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
	"github.com/fliggy-go/rentcar/internal/top"
)

type flagged struct {
	Successful bool   `top:"successful,required"`
	RetCode    string `top:"ret_code"`
}

// Bodies that the official parser takes for an empty success, and others that
// are no reply. None of them becomes a value.
func TestOddReplies(t *testing.T) {
	t.Parallel()
	const empty, missing = "the reply is empty", "successful: missing"
	for _, c := range []struct {
		name, body string
		format     top.Format
		want       string // error of OpenReply or Decode
	}{
		{"empty", "", top.Wrapped, "not JSON: cut off at byte 0, expected a value"},
		{"blank", " \n", top.Simplified, "not JSON: cut off at byte 2, expected a value"},
		{"list", "[]", top.Wrapped, "expected an object, got a list"},
		{"list, simplified", "[]", top.Simplified, "expected an object, got a list"},
		{"text", `""`, top.Wrapped, "expected an object, got text"},
		{"null", "null", top.Wrapped, "expected an object, got null"},
		{"number", "0", top.Simplified, "expected an object, got a number"},
		{"true", "true", top.Simplified, "expected an object, got a boolean"},
		{"nothing of JSON", "nothing", top.Simplified, "not JSON at byte 0: expected null"},
		{"empty object", "{}", top.Wrapped, empty},
		{"empty object, simplified", "{}", top.Simplified, empty},
		{"empty root", `{"a_response":{}}`, top.Wrapped, empty},
		{"empty root, simplified", `{"a_response":{}}`, top.Simplified, empty},
		{"root of null", `{"a_response":null}`, top.Wrapped, missing},
		{"root of text", `{"a_response":"x"}`, top.Wrapped, missing},
		{"error of text", `{"error_response":"x"}`, top.Wrapped, "error_response: expected an object, got text"},
		{"error of null", `{"error_response":null}`, top.Simplified, "error_response: expected an object, got null"},
		{"error of nothing", `{"error_response":""}`, top.Simplified, "error_response: the reply is empty"},
		{"error of a list", `{"error_response":[1]}`, top.Simplified, "error_response: expected an object, got a list"},
		{
			"error of a number", `{"error_response":7,"successful":true}`, top.Simplified,
			"error_response: expected an object, got a number",
		},
		{"HTML for JSON", "<html>busy</html>", top.Wrapped, "not JSON at byte 0: expected a value"},
		{"gateway text", "502 Bad Gateway", top.Simplified, "not JSON at byte 4: expected the end"},
		{
			"truncated JSON", `{"a_response":{"successful":true`, top.Wrapped,
			"not JSON: cut off at byte 32, expected ',' or '}'",
		},
		{"two objects", `{"successful":true}{"successful":true}`, top.Simplified, "not JSON at byte 19: expected the end"},
		{"trailing garbage", `{"successful":true};`, top.Simplified, "not JSON at byte 19: expected the end"},
		{"trailing NUL", "{\"successful\":true}\x00", top.Simplified, "not JSON at byte 19: expected the end"},
		{"byte order mark", "\ufeff{\"successful\":true}", top.Simplified, "not JSON at byte 0: expected a value"},
		{"two roots", `{"a_response":{"successful":true},"b":{}}`, top.Simplified, missing},
		{"flag of null", `{"a_response":{"successful":null,"ret_code":"1"}}`, top.Wrapped, missing},
		{"flag of nothing", `{"successful":"","ret_code":"1"}`, top.Simplified, missing},
		{"flag of white space", `{"successful":" ","ret_code":"1"}`, top.Simplified, missing},
		{"flag of text", `{"successful":"yes"}`, top.Simplified, "successful: expected true or false"},
		{
			"flag of an object", `{"successful":{"successful":true}}`, top.Simplified,
			"successful: expected a single value, got an object",
		},
		{"flag one level deeper", `{"a":{"successful":true}}`, top.Simplified, missing},

		{"empty, XML", "", top.XML, "not XML: cut off"},
		{"text, XML", "busy", top.XML, "not XML: text outside of the root element"},
		{"JSON for XML", `{"successful":true}`, top.XML, "not XML: text outside of the root element"},
		{"HTML for XML", "<html>busy</html>", top.XML, "expected an object, got text"},
		{"HTML with elements", "<html><body>busy</body></html>", top.XML, missing},
		{"HTML with a type", "<!DOCTYPE html><html></html>", top.XML, "not XML as expected: a document type or directive"},
		{"HTML unclosed", "<html><body>busy<br></body></html>", top.XML, "not XML: line 1"},
		{"empty root, XML", "<a_response></a_response>", top.XML, empty},
		{"closed root, XML", "<a_response/>", top.XML, empty},
		{"empty error, XML", "<error_response/>", top.XML, empty},
		{"error of text, XML", "<error_response>x</error_response>", top.XML, "expected an object, got text"},
		{"truncated XML", "<a_response><successful>true</successful>", top.XML, "not XML: cut off"},
		{"cut in a tag", "<a_response><succ", top.XML, "not XML: cut off"},
		{"wrong end", "<a_response><successful>true</a_response>", top.XML, "not XML: line 1"},
		{"only an end", "</a>", top.XML, "not XML: line 1"},
		{"two roots, XML", "<a><successful>true</successful></a><b/>", top.XML, "not XML: a second root element"},
		{"trailing text", "<a><successful>true</successful></a>x", top.XML, "not XML: text outside of the root element"},
		{
			"trailing type", "<a><successful>true</successful></a><!DOCTYPE a>", top.XML,
			"not XML as expected: a document type or directive",
		},
		{"trailing tag", "<a><successful>true</successful></a></b>", top.XML, "not XML: line 1"},
		{"not UTF-8, XML", "<a><successful>\xff</successful></a>", top.XML, "not valid UTF-8"},
		{"XML 2.0", `<?xml version="2.0"?><a><successful>true</successful></a>`, top.XML, "not XML"},
		{"flag of nothing, XML", "<a><successful/></a>", top.XML, missing},
		{"flag of white space, XML", "<a><successful> </successful></a>", top.XML, missing},
		{
			"flag of elements", "<a><successful><b>true</b></successful></a>", top.XML,
			"successful: expected text, got element b",
		},
		{
			"mixed content", "<a>busy<successful>true</successful></a>", top.XML, "expected members only, got text between them",
		},
	} {
		for _, dialect := range []top.Dialect{top.TOP, top.Qimen} {
			var got flagged
			r, err := top.OpenReply(c.body, c.format, dialect, "")
			switch {
			case err != nil:
			case r.Fault != nil:
				t.Errorf("%s: fault %+v", c.name, *r.Fault)
			default:
				err = r.Decode(planOf[flagged](t), &got)
			}
			wantError(t, c.name, err, c.want)
		}
	}
}

// Forms of a good reply that differ from what was asked for.
func TestReplyForms(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		format     top.Format
		dialect    top.Dialect
		inner      string
	}{
		{"wrapped", `{"a_response":{"successful":true,"request_id":"r"}}`, top.Wrapped, top.TOP, ""},
		{"simplified", `{"successful":true,"request_id":"r"}`, top.Simplified, top.TOP, ""},
		{"simplified, wrapped asked", `{"successful":true,"request_id":"r"}`, top.Wrapped, top.TOP, ""},
		{"wrapped, simplified asked", `{"a_response":{"successful":true,"request_id":"r"}}`, top.Simplified, top.TOP, ""},
		{"root of any name", `{"a":{"successful":true,"request_id":"r"}}`, top.Wrapped, top.TOP, ""},
		{"members beside the root", `{"x":1,"a_response":{"successful":true,"request_id":"r"}}`, top.Wrapped, top.TOP, ""},
		{"Qimen, plain", `{"successful":"true","request_id":"r"}`, top.Wrapped, top.Qimen, ""},
		{"Qimen, root", `{"response":{"successful":true,"request_id":"r","flag":"success"}}`, top.Wrapped, top.Qimen, ""},
		{"Qimen, method's root", `{"a_response":{"successful":true,"request_id":"r"}}`, top.Simplified, top.Qimen, ""},
		{"XML", `<a_response><successful>true</successful><request_id>r</request_id></a_response>`, top.XML, top.TOP, ""},
		{
			"XML, Qimen", `<response><flag>success</flag><successful>true</successful><request_id>r</request_id></response>`,
			top.XML, top.Qimen, "",
		},
		{
			"inner, request id beside", `{"a_response":{"request_id":"r","result":{"successful":true}}}`, top.Wrapped, top.TOP,
			"result",
		},
		{
			"inner, request id within", `{"a_response":{"result":{"successful":true,"request_id":"r"}}}`, top.Wrapped, top.TOP,
			"result",
		},
		{
			"inner, both ids", `{"request_id":"o","result":{"successful":true,"request_id":"r"}}`, top.Simplified, top.TOP,
			"result",
		},
		{
			"inner, XML", `<a><request_id>r</request_id><result><successful>true</successful></result></a>`, top.XML, top.TOP,
			"result",
		},
		{
			"inner, XML, id within", `<a><result><successful>true</successful><request_id>r</request_id></result></a>`, top.XML,
			top.TOP, "result",
		},
		{"XML of JSON text", `<a>{"successful":true,"request_id":"r"}</a>`, top.XML, top.TOP, ""},
	} {
		r, err := top.OpenReply(c.body, c.format, c.dialect, c.inner)
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var got flagged
		if err := r.Decode(planOf[flagged](t), &got); err != nil || !got.Successful {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
		if c.name == "XML of JSON text" {
			continue // its members are not listed
		}
		if r.RequestID != "r" || !r.Understood() {
			t.Errorf("%s: request id %q, understood %v", c.name, r.RequestID, r.Understood())
		}
	}
}

func TestInnerMissing(t *testing.T) {
	t.Parallel()
	const missing = "result: missing: the reply is expected inside it"
	for body, want := range map[string]string{
		`{"a_response":{"successful":true}}`:             missing,
		`{"a_response":{"result":null}}`:                 missing,
		`{"a_response":{"result":"x"}}`:                  missing,
		`{"a_response":{"result":{}}}`:                   "result: the reply is empty",
		`{"a_response":{"result":{"ret_code":"1"}}}`:     "result.successful: missing",
		`<a><successful>true</successful></a>`:           missing,
		`<a/>`:                                           missing,
		`<a><result/></a>`:                               "result: the reply is empty",
		`<a><result>x</result></a>`:                      "result: expected an object, got text",
		`<a><result><ret_code>1</ret_code></result></a>`: "result.successful: missing",
		`<a><result><successful>true</successful></result><result><successful>true</successful></result` +
			`></a>`: "result: comes more than once",
	} {
		format := top.Wrapped
		if body[0] == '<' {
			format = top.XML
		}
		r, err := top.OpenReply(body, format, top.TOP, "result")
		if err == nil {
			err = r.Decode(planOf[flagged](t), &flagged{})
		}
		wantError(t, body, err, want)
	}
}

func TestFaults(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, body string
		format     top.Format
		dialect    top.Dialect
		want       *top.Fault
	}{
		{"code as text", `{"error_response":{"code":"15"}}`, top.Wrapped, top.TOP, &top.Fault{Code: "15"}},
		{
			"beside others", `{"x":{},"error_response":{"code":15},"y":[]}`, top.Simplified, top.TOP,
			&top.Fault{Code: "15", Contradicted: true},
		},
		{
			"beside ids", `{"_trace_id_":"t","error_response":{"code":15},"request_id":"r"}`, top.Simplified, top.TOP,
			&top.Fault{RequestID: "r", Code: "15"},
		},
		{"as JSON text", `{"error_response":"{\"code\":15}"}`, top.Simplified, top.TOP, &top.Fault{Code: "15"}},
		{"empty", `{"error_response":{}}`, top.Simplified, top.TOP, &top.Fault{}},
		{
			"TOP's in Qimen", `{"error_response":{"code":25,"msg":"m"}}`, top.Simplified, top.Qimen,
			&top.Fault{Code: "25", Msg: "m"},
		},
		{
			"TOP's in Qimen, XML", `<error_response><code>25</code></error_response>`, top.XML, top.Qimen,
			&top.Fault{Code: "25"},
		},
		{
			"Qimen, top level beside a response", `{"response":{"x":1},"flag":"failure","sub_code":"s"}`, top.Wrapped, top.Qimen,
			&top.Fault{SubCode: "s", Provider: true, Contradicted: true},
		},
		{
			"Qimen, escaped flag", `{"response":{"flag":"\u0066ailure","code":1}}`, top.Wrapped, top.Qimen,
			&top.Fault{Code: "1"},
		},
		{
			"Qimen, TOP's names", `{"flag":"failure","msg":"m","message":"x","sub_msg":"s","sub_message":"y"}`, top.Wrapped,
			top.Qimen, &top.Fault{Msg: "m", SubMsg: "s", Provider: true},
		},
		{"Qimen, XML", `<response><flag>failure</flag><code>TOP15</code><message>Remote service error | ` +
			`isp.http-read-timeout</message><sub_message>s</sub_message><request_id>r</request_id></response>`, top.XML,
			top.Qimen,
			&top.Fault{Code: "TOP15", Msg: "Remote service error | isp.http-read-timeout", SubMsg: "s", RequestID: "r"}},
		{
			"Qimen, XML of a provider", `<answer><flag> failure </flag><code>5</code></answer>`, top.XML, top.Qimen,
			&top.Fault{Code: "5", Provider: true},
		},
		{
			"inside the root", `{"x_response":{"successful":true,"error_response":{"code":15}}}`, top.Wrapped, top.TOP,
			&top.Fault{Code: "15", Contradicted: true},
		},
		{
			"inside the root, alone", `{"x_response":{"error_response":{"code":15}}}`, top.Wrapped, top.TOP,
			&top.Fault{Code: "15"},
		},
		{
			"inside the root, XML, alone", `<x_response><error_response><code>15</code></error_response></x_response>`, top.XML,
			top.TOP, &top.Fault{Code: "15"},
		},
		{
			"inside the root, XML",
			`<x_response><successful>true</successful><error_response><code>15</code></error_response></x_response>`, top.XML,
			top.TOP, &top.Fault{Code: "15", Contradicted: true},
		},
		{
			"no root, members of its own", `{"code":7,"msg":"m","sub_code":"s","order_id":"1"}`, top.Simplified, top.TOP,
			&top.Fault{Code: "7", Msg: "m", SubCode: "s", Contradicted: true},
		},
		{
			"no root", `{"code":7,"msg":"m","sub_code":"s","_trace_id_":"1"}`, top.Simplified, top.TOP,
			&top.Fault{Code: "7", Msg: "m", SubCode: "s"},
		},
		{
			"no root, XML", `<r><code>7</code><msg>m</msg><type>ISP</type><x/></r>`, top.XML, top.TOP,
			&top.Fault{Code: "7", Msg: "m", Contradicted: true},
		},
		{
			"a response and more", `{"response":{"flag":"failure","code":25},"successful":true}`, top.Wrapped, top.Qimen,
			&top.Fault{Code: "25", Contradicted: true},
		},
		{
			"request id beside the root", `{"a_b_response":{"flag":"failure","code":"c","message":"m"},"request_id":"r1"}`,
			top.Simplified, top.Qimen, &top.Fault{RequestID: "r1", Code: "c", Msg: "m", Provider: true},
		},
		{
			"trace id beside the root", `{"a_b_response":{"flag":"failure","code":"c"},"_trace_id_":"t"}`, top.Simplified,
			top.Qimen, &top.Fault{Code: "c", Provider: true},
		},
		{
			"a response in the root",
			`{"a_b_response":{"response":{"flag":"failure","code":"c","message":"m"}},"request_id":"r1"}`, top.Simplified,
			top.Qimen, &top.Fault{RequestID: "r1", Code: "c", Msg: "m"},
		},
		{
			"a response in the root, XML",
			`<a_b_response><response><flag>failure</flag><code>c</code></response></a_b_response>`, top.XML, top.Qimen,
			&top.Fault{Code: "c"},
		},
		{
			"an element in the root, XML", `<a_b_response><x><flag>failure</flag><code>c</code></x></a_b_response>`, top.XML,
			top.Qimen, &top.Fault{Code: "c", Provider: true},
		},
		{
			"a root in the response", `{"response":{"a_b_response":{"flag":"failure","code":"c"}}}`, top.Wrapped, top.Qimen,
			&top.Fault{Code: "c", Provider: true},
		},
		{
			"ids beside an error without its root", `{"request_id":"1","a_b_response":{"code":"15","type":"ISP","msg":"b"}}`,
			top.Simplified, top.TOP, &top.Fault{RequestID: "1", Code: "15", Msg: "b"},
		},
		{
			"a success beside the root", `{"a_b_response":{"error_response":{"code":7,"msg":"x"}},"successful":true}`,
			top.Wrapped, top.TOP, &top.Fault{Code: "7", Msg: "x", Contradicted: true},
		},
		{
			"another root", `{"a_response":{"error_response":{"code":7}},"b_response":{"successful":true}}`, top.Wrapped,
			top.TOP, &top.Fault{Code: "7", Contradicted: true},
		},
		{
			"a success in the error", `{"error_response":{"code":7,"msg":"x","successful":true}}`, top.Simplified, top.TOP,
			&top.Fault{Code: "7", Msg: "x", Contradicted: true},
		},
		{
			"a success in the error, XML", `<error_response><code>7</code><success>1</success></error_response>`, top.XML,
			top.TOP, &top.Fault{Code: "7", Contradicted: true},
		},
		{
			"a type and no message", `{"code":7,"type":"ISP","request_id":"r1"}`, top.Simplified, top.TOP,
			&top.Fault{RequestID: "r1", Code: "7"},
		},
		{
			"a sub code and no message", `{"code":7,"sub_code":"isv.x","sub_msg":"m","request_id":"r1"}`, top.Simplified,
			top.TOP, &top.Fault{RequestID: "r1", Code: "7", SubCode: "isv.x", SubMsg: "m"},
		},
		{
			"a flag that says no", `{"code":"15","msg":"m","type":"ISP","sub_code":"isp.x","success":"false"}`, top.Simplified,
			top.TOP, &top.Fault{Code: "15", Msg: "m", SubCode: "isp.x", Contradicted: true},
		},
		{"a flag that says yes", `{"code":"15","msg":"m","type":"ISP","success":true}`, top.Simplified, top.TOP, nil},
		{"no flag in TOP", `{"flag":"failure","successful":true}`, top.Simplified, top.TOP, nil},
		// was taken for a success
		{
			"other flag", `{"flag":"FAILURE","successful":true}`, top.Simplified, top.Qimen,
			&top.Fault{Provider: true, Contradicted: true},
		},
	} {
		r, err := top.OpenReply(c.body, c.format, c.dialect, "")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		wantDiff(t, c.name, c.want, r.Fault)
		if c.want != nil && r.RequestID != c.want.RequestID {
			t.Errorf("%s: request id %q", c.name, r.RequestID)
		}
	}
	for body, want := range map[string]string{
		`<response><flag>failure</flag><code><x/></code></response>`: "code: expected text, got element x",
		`<error_response><code><x/></code></error_response>`:         "code: expected text, got element x",
	} {
		_, err := top.OpenReply(body, top.XML, top.Qimen, "")
		wantError(t, body, err, want)
	}
}

func TestUnderstood(t *testing.T) {
	t.Parallel()
	type message struct {
		A string `top:"a"`
		R string `top:"request_id"`
	}
	for body, want := range map[string]bool{
		`{"a":"1"}`:                         true,
		`{"b":"1"}`:                         false,
		`{"request_id":"r"}`:                true,
		`{"request_id":"r","b":"1"}`:        false,
		`{"request_id":"r","a":null}`:       true,
		`<x><b>1</b></x>`:                   false,
		`<x><request_id>r</request_id></x>`: true,
	} {
		format := top.Simplified
		if strings.HasPrefix(body, "<") {
			format = top.XML
		}
		r, err := top.OpenReply(body, format, top.TOP, "")
		if err == nil {
			err = r.Decode(planOf[message](t), &message{})
		}
		if err != nil || r.Understood() != want {
			t.Errorf("%s: understood %v, %v", body, !want, err)
		}
	}
}

type responseVector struct {
	Name     string
	Client   string
	Format   string
	Simplify bool
	Body     string
	Official struct {
		Exception string
		IsSuccess bool `json:"is_success"`
		Flag      *string
		Code      *string
		Msg       *string
		SubCode   *string `json:"sub_code"`
		SubMsg    *string `json:"sub_msg"`
		RequestID *string `json:"request_id"`
		Fields    *declared
	}
}

// declared are the fields that the recorded parser knew. Pointers tell missing
// from zero.
type (
	declared struct {
		Successful *bool          `top:"successful" json:"successful"`
		RetCode    *string        `top:"ret_code" json:"ret_code"`
		Num        *int64         `top:"num" json:"num"`
		When       *fliggy.Time   `top:"when" json:"when"`
		Addresses  []string       `top:"address_list" json:"address_list"`
		Services   []declaredItem `top:"added_service_list,wrap=order_detail_add_service_info" json:"added_service_list"`
		Item       *declaredItem  `top:"item" json:"item"`
	}
	declaredItem struct {
		SID *string `top:"sid" json:"sid"`
		N   *int64  `top:"n" json:"n"`
	}
)

func (v *responseVector) open() (*top.Reply, error) {
	format := top.Wrapped
	switch {
	case v.Format == "xml":
		format = top.XML
	case v.Simplify:
		format = top.Simplified
	}
	dialect := top.TOP
	if v.Client == "qimencloud" {
		dialect = top.Qimen
	}
	return top.OpenReply(v.Body, format, dialect, "")
}

// verdicts are the cases where the package differs from the recorded parser on
// purpose.
var verdicts = map[string]func(t *testing.T, v *responseVector, r *top.Reply, err error){
	// The official client drops the body of a status of 401 and more; here the
	// envelope is opened whatever the status, which is the caller's to judge.
	"http_500": wantFault(&top.Fault{Code: "10", Msg: "x"}),
	"http_403": wantFault(&top.Fault{Code: "11", Msg: "x"}),
	// Both refuse it.
	"not_json": func(t *testing.T, _ *responseVector, _ *top.Reply, err error) {
		t.Helper()
		wantError(t, "open", err, "not JSON at byte 0: expected a value")
	},
	// Null text is empty text there, missing here.
	"json_nulls": func(t *testing.T, v *responseVector, r *top.Reply, err error) {
		t.Helper()
		v.Official.Fields.RetCode = nil
		checkOfficial(t, v, r, err)
	},
	// A wrapper without its list is missing there, an empty list here.
	"json_empty_list": func(t *testing.T, v *responseVector, r *top.Reply, err error) {
		t.Helper()
		v.Official.Fields.Addresses = []string{}
		checkOfficial(t, v, r, err)
	},
	// The code of a provider's own body is the provider's, not the gateway's.
	"qimen_success_code0": func(t *testing.T, v *responseVector, r *top.Reply, err error) {
		t.Helper()
		v.Official.Code = nil
		checkOfficial(t, v, r, err)
	},
}

func wantFault(want *top.Fault) func(*testing.T, *responseVector, *top.Reply, error) {
	return func(t *testing.T, v *responseVector, r *top.Reply, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if v.Official.Exception == "" {
			t.Error("the official parser reads it too: no verdict of our own is needed")
		}
		wantDiff(t, "fault", want, r.Fault)
	}
}

func TestResponseVectors(t *testing.T) {
	t.Parallel()
	judged := 0
	for _, v := range vectors[responseVector](t, "response.json") {
		verdict := verdicts[v.Name]
		if verdict != nil {
			judged++
		} else {
			verdict = checkOfficial
		}
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			r, err := v.open()
			verdict(t, &v, r, err)
		})
	}
	if judged != len(verdicts) {
		t.Errorf("%d of %d verdicts have a case", judged, len(verdicts))
	}
}

func checkOfficial(t *testing.T, v *responseVector, r *top.Reply, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	text := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	o := &v.Official
	if want := text(o.RequestID); r.RequestID != want {
		t.Errorf("request id %q, want %q", r.RequestID, want)
	}
	if o.IsSuccess != (r.Fault == nil) {
		t.Fatalf("success %v, fault %+v", o.IsSuccess, r.Fault)
	}
	if !o.IsSuccess {
		wantDiff(t, "fault", &top.Fault{
			Code: text(o.Code), Msg: text(o.Msg), SubCode: text(o.SubCode), SubMsg: text(o.SubMsg), RequestID: text(o.RequestID),
			Provider: v.Name == "qimen_provider_sign_failure", // the official parser does not tell
		}, r.Fault)
		return
	}
	if text(o.Code) != "" {
		t.Errorf("success with code %q", text(o.Code))
	}
	if o.Fields == nil { // a provider's body, passed through
		wantProviderBody(t, v, r)
		return
	}
	var got declared
	if err := r.Decode(planOf[declared](t), &got); err != nil {
		t.Fatal(err)
	}
	wantDiff(t, "fields", *o.Fields, got)
	if !r.Understood() {
		t.Error("not understood")
	}
}

// provider is what the providers of the recorded cases answer.
type provider struct {
	Success bool                       `top:"success,required"`
	Others  map[string]json.RawMessage `top:",unknown"`
}

func wantProviderBody(t *testing.T, v *responseVector, r *top.Reply) {
	t.Helper()
	var got provider
	if err := r.Decode(planOf[provider](t), &got); err != nil {
		t.Fatal(err)
	}
	var want map[string]json.RawMessage
	if err := json.Unmarshal([]byte(v.Body), &want); err != nil {
		t.Fatal(err)
	}
	delete(want, "success")
	wantDiff(t, "body", provider{true, want}, got)
}
