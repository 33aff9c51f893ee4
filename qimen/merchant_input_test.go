package qimen

import (
	"bytes"
	"context"
	"encoding/json"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/charset"
)

// taken sends a body through the whole handler and returns what the function was given.
func taken(t *testing.T, method, contentType, body string) (any, []fliggy.Problem) {
	t.Helper()
	k := newDesk()
	w := post(t, k.handler(t), method, contentType, body)
	if len(k.requests) != 1 || k.last(t).Reason != ReasonAccepted {
		t.Fatalf("%s %s: %d calls, reply %s, error %v", contentType, body, len(k.requests), w.Body, k.last(t).Err)
	}
	if diff := cmp.Diff(k.given.Findings, k.last(t).Findings); diff != "" {
		t.Errorf("delivery and observation differ in findings: %s", diff)
	}
	return k.requests[0], k.given.Findings
}

// Every form of a value that the documents, their samples or the sibling APIs show reads as the same; what is unset
// stays unset, and is told.
func TestMerchantTolerance(t *testing.T) {
	t.Parallel()
	from, to := fliggy.MustTime("2023-02-04 10:00:00"), fliggy.MustTime("2023-02-05 10:30:00")
	full := RenewalPricesRequest{OrderID: "3175520762897901122", OutOrderID: "FZ1", CarUseTime: from, CarReturnTime: to}
	with := func(change func(*RenewalPricesRequest)) RenewalPricesRequest {
		r := full
		change(&r)
		return r
	}
	missing := func(fields ...string) (ps []fliggy.Problem) {
		for _, field := range fields {
			ps = append(ps, fliggy.Problem{Field: field, Rule: "is missing"})
		}
		return ps
	}
	for _, c := range []struct {
		name     string
		change   string // of members, as JSON text; "-" leaves the member out
		want     RenewalPricesRequest
		findings []fliggy.Problem
	}{
		{"as documented", ``, full, nil},
		{"seconds", `"carUseTime":"2023-02-04 10:00:00","carReturnTime":"2023-02-05 10:30:59"`, with(func(
			r *RenewalPricesRequest,
		) {
			r.CarReturnTime = fliggy.MustTime("2023-02-05 10:30:59")
		}), nil},
		{"T for the space", `"carUseTime":"2023-02-04T10:00:00","carReturnTime":"2023-02-05T10:30"`, full, nil},
		{"offset of its own", `"carUseTime":"2023-02-04T02:00:00Z","carReturnTime":"2023-02-05T10:30:00+0800"`, full, nil},
		{"milliseconds", `"carUseTime":1675476000000,"carReturnTime":"1675564200000"`, full, nil},
		{"fraction of a second", `"carUseTime":"2023-02-04 10:00:00.0"`, full, nil},
		{"space around", `"carUseTime":" 2023-02-04 10:00 ","isPressureTest":" false "`, full, nil},
		{"id as a number of 19 digits", `"orderId":3175520762897901122`, full, nil},
		{"id as a longer number", `"orderId":31755207628979011223175520762897901122`, with(func(r *RenewalPricesRequest) {
			r.OrderID = "31755207628979011223175520762897901122"
		}), nil},
		{
			"own id as a number", `"outOrderId":9007199254740993`,
			with(func(r *RenewalPricesRequest) { r.OutOrderID = "9007199254740993" }), nil,
		},
		{"id with leading zeros", `"orderId":"0007"`, with(func(r *RenewalPricesRequest) { r.OrderID = "0007" }), nil},
		{
			"pressure test, boolean", `"isPressureTest":true`, with(func(r *RenewalPricesRequest) { r.IsPressureTest = true }),
			nil,
		},
		{
			"pressure test, text", `"isPressureTest":"true"`, with(func(r *RenewalPricesRequest) { r.IsPressureTest = true }),
			nil,
		},
		{
			"pressure test, upper case", `"isPressureTest":"TRUE"`,
			with(func(r *RenewalPricesRequest) { r.IsPressureTest = true }), nil,
		},
		{"pressure test, 1", `"isPressureTest":1`, with(func(r *RenewalPricesRequest) { r.IsPressureTest = true }), nil},
		{
			"pressure test, text 1", `"isPressureTest":"1"`, with(func(r *RenewalPricesRequest) { r.IsPressureTest = true }),
			nil,
		},
		{"no pressure test, boolean", `"isPressureTest":false`, full, nil},
		{"no pressure test, text", `"isPressureTest":"False"`, full, nil},
		{"no pressure test, 0", `"isPressureTest":0`, full, nil},
		{"no pressure test, text 0", `"isPressureTest":"0"`, full, nil},
		{"no pressure test, null", `"isPressureTest":null`, full, nil},
		{"no pressure test, text null", `"isPressureTest":"null"`, full, nil},
		{"no pressure test, empty", `"isPressureTest":""`, full, nil},
		{"no extension, text null", `"exts":"null"`, full, nil},
		{"no extension, null", `"exts":null`, full, nil},
		{"no extension, empty", `"exts":""`, full, nil},
		{"no extension, empty object", `"exts":"{}"`, full, nil},
		{"extension as text", `"exts":"{\"a\":1.0}"`, with(func(r *RenewalPricesRequest) { r.Exts = `{"a":1.0}` }), nil},
		{"extension as an object", `"exts":{"a":1.0}`, with(func(r *RenewalPricesRequest) { r.Exts = `{"a":1.0}` }), nil},
		{"extension that is no object", `"exts":"k=v"`, with(func(r *RenewalPricesRequest) { r.Exts = `k=v` }), nil},
		{"trace id", `"traceId":"t","exts":"null"`, with(func(r *RenewalPricesRequest) { r.TraceID = "t" }), nil},
		{"no trace id", `"traceId":null`, full, nil},
		{"unknown members", `"newMember":{"a": 1.0},"orderid":"x","x":null`, with(func(r *RenewalPricesRequest) {
			r.Extra = map[string]json.RawMessage{
				"newMember": json.RawMessage(`{"a": 1.0}`), "orderid": json.RawMessage(`"x"`), "x": json.RawMessage(`null`),
			}
		}), nil},
		{"no Fliggy id", `"orderId":"-"`, with(func(r *RenewalPricesRequest) { r.OrderID = "" }), missing("orderId")},
		{"null Fliggy id", `"orderId":null`, with(func(r *RenewalPricesRequest) { r.OrderID = "" }), missing("orderId")},
		{
			"text null as Fliggy id", `"orderId":"null"`, with(func(r *RenewalPricesRequest) { r.OrderID = "null" }),
			missing("orderId"),
		},
		{
			"blank Fliggy id", `"orderId":" \u3000"`, with(func(r *RenewalPricesRequest) { r.OrderID = " \u3000" }),
			missing("orderId"),
		},
		{"no own id", `"outOrderId":"-"`, with(func(r *RenewalPricesRequest) { r.OutOrderID = "" }), missing("outOrderId")},
		{
			"text null as own id", `"outOrderId":"null"`, with(func(r *RenewalPricesRequest) { r.OutOrderID = "null" }),
			missing("outOrderId"),
		},
		{"no times", `"carUseTime":"-","carReturnTime":"null"`, with(func(r *RenewalPricesRequest) {
			r.CarUseTime, r.CarReturnTime = fliggy.Time{}, fliggy.Time{}
		}), missing("carUseTime", "carReturnTime")},
		{
			"no start", `"carUseTime":""`, with(func(r *RenewalPricesRequest) { r.CarUseTime = fliggy.Time{} }),
			missing("carUseTime"),
		},
		{
			"only an own id", `"orderId":"","carUseTime":null,"carReturnTime":null`, RenewalPricesRequest{OutOrderID: "FZ1"},
			missing("orderId", "carUseTime", "carReturnTime"),
		},
		{
			"no time between", `"carReturnTime":"2023-02-04 10:00"`,
			with(func(r *RenewalPricesRequest) { r.CarReturnTime = from }),
			[]fliggy.Problem{{Field: "carReturnTime", Rule: "must be after carUseTime"}},
		},
		{
			"backwards", `"carReturnTime":"2023-02-03 10:00"`,
			with(func(r *RenewalPricesRequest) { r.CarReturnTime = fliggy.MustTime("2023-02-03 10:00") }),
			[]fliggy.Problem{{Field: "carReturnTime", Rule: "must be after carUseTime"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			members := map[string]json.RawMessage{}
			for _, text := range []string{
				`{"orderId":"3175520762897901122","outOrderId":"FZ1","carUseTime":"2023-02-04 ` +
					`10:00","carReturnTime":"2023-02-05 10:30"}`,
				"{" + c.change + "}",
			} {
				if err := json.Unmarshal([]byte(text), &members); err != nil {
					t.Fatal(err)
				}
			}
			body := []string{}
			for name, value := range members {
				if string(value) != `"-"` {
					body = append(body, `"`+name+`":`+string(value))
				}
			}
			got, findings := taken(t, RenewalPricesMethod, jsonType, "{"+strings.Join(body, ",")+"}")
			if diff := cmp.Diff(&c.want, got, exact); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(c.findings, findings); diff != "" {
				t.Errorf("findings (-want +got):\n%s", diff)
			}
			if at := got.(*RenewalPricesRequest).CarUseTime; at.IsSet() && at.Hour() != 10 {
				t.Errorf("%v reads as a clock in another zone than GMT+8", at.Time)
			}
		})
	}
}

// What only the other two requests have.
func TestMerchantToleranceOfSubmitAndCancel(t *testing.T) {
	t.Parallel()
	from, to := fliggy.MustTime("2023-02-04 10:00:00"), fliggy.MustTime("2023-02-05 11:00:00")
	const renewal = `"orderId":"1","outOrderId":"F","carUseTime":"2023-02-04 10:00","carReturnTime":"2023-02-05 11:00"`
	problem := func(field, rule string) fliggy.Problem { return fliggy.Problem{Field: field, Rule: rule} }
	submit := func(total, mark, trade string) *RenewalSubmitRequest {
		r := &RenewalSubmitRequest{
			OrderID: "1", OutOrderID: "F", CarUseTime: from, CarReturnTime: to, PriceMark: mark, PayTradeNo: trade,
		}
		if total != "" {
			r.RenewalOrderTotalAmount = fliggy.MustYuan(total)
		}
		return r
	}
	cancel := func(at, penalty string) *RenewalCancelRequest {
		r := &RenewalCancelRequest{OrderID: "1", OutOrderID: "F"}
		if at != "" {
			r.CancelTime = fliggy.MustTime(at)
		}
		if penalty != "" {
			r.PenaltyAmount = fliggy.MustYuan(penalty)
		}
		return r
	}
	pressure := cancel("2023-02-01 15:46:51", "")
	pressure.IsPressureTest = true
	for _, c := range []struct {
		method, body string
		want         any
		findings     []fliggy.Problem
	}{
		{
			RenewalSubmitMethod,
			renewal + `,"renewalOrderTotalAmount":16.020,"priceMark":88668888511161234567,"payTradeNo":202302011111183`,
			submit("16.020", "88668888511161234567", "202302011111183"), nil,
		},
		{
			RenewalSubmitMethod, renewal + `,"renewalOrderTotalAmount":"0.00","priceMark":"m","payTradeNo":"p"`,
			submit("0.00", "m", "p"), nil,
		},
		{RenewalSubmitMethod, renewal + `,"renewalOrderTotalAmount":"null","priceMark":"null","payTradeNo":null`, submit(
			"", "null", "",
		), []fliggy.Problem{
			problem("renewalOrderTotalAmount", "is missing"), problem("priceMark", "is missing"),
			problem("payTradeNo", "is missing"),
		}},
		{RenewalSubmitMethod, renewal + `,"renewalOrderTotalAmount":-0.01,"priceMark":"m","payTradeNo":"p"`, submit(
			"-0.01", "m", "p",
		), []fliggy.Problem{
			problem("renewalOrderTotalAmount", "must not be negative"),
		}},
		{RenewalSubmitMethod, `"orderId":1`, &RenewalSubmitRequest{OrderID: "1"}, []fliggy.Problem{
			problem("outOrderId", "is missing"), problem("carUseTime", "is missing"), problem("carReturnTime", "is missing"),
			problem("renewalOrderTotalAmount", "is missing"), problem("priceMark", "is missing"),
			problem("payTradeNo", "is missing"),
		}},
		{RenewalSubmitMethod, `"outOrderId":"F","renewalOrderTotalAmount":1,"priceMark":"m","payTradeNo":"p","carReturnTim` +
			`e":"2023-02-05 11:00"`, &RenewalSubmitRequest{
			OutOrderID: "F", RenewalOrderTotalAmount: fliggy.MustYuan("1"), PriceMark: "m", PayTradeNo: "p", CarReturnTime: to,
		}, []fliggy.Problem{problem("orderId", "is missing"), problem("carUseTime", "is missing")}},
		{
			RenewalCancelMethod, `"outOrderId":"F"`, &RenewalCancelRequest{OutOrderID: "F"},
			[]fliggy.Problem{problem("orderId", "is missing"), problem("cancelTime", "is missing")},
		},
		{
			RenewalCancelMethod, `"orderId":1,"outOrderId":"F","cancelTime":"2023-02-01 15:46","penaltyAmount":14.410`,
			cancel("2023-02-01 15:46:00", "14.410"), nil,
		},
		{
			RenewalCancelMethod, `"orderId":1,"outOrderId":"F","cancelTime":"2023-02-01T15:46:51","penaltyAmount":""`,
			cancel("2023-02-01 15:46:51", ""), nil,
		},
		{
			RenewalCancelMethod, `"orderId":1,"outOrderId":"F","cancelTime":"2023-02-01 15:46:51","isPressureTest":"true"`,
			pressure, nil,
		},
		{
			RenewalCancelMethod, `"orderId":1,"outOrderId":"F","penaltyAmount":"-1"`, cancel("", "-1"),
			[]fliggy.Problem{problem("cancelTime", "is missing")},
		},
	} {
		got, findings := taken(t, c.method, jsonType, "{"+c.body+"}")
		if diff := cmp.Diff(c.want, got, exact); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.body, diff)
		}
		if diff := cmp.Diff(c.findings, findings); diff != "" {
			t.Errorf("%s: findings (-want +got):\n%s", c.body, diff)
		}
	}
}

// The observation tells load-test traffic apart, whatever comes of it.
func TestMerchantPressureTest(t *testing.T) {
	t.Parallel()
	for method, body := range merchantBodies {
		k := newDesk()
		h := k.handler(t, WithoutGate()) // the same message succeeds and then fails
		for _, mark := range []string{"true", "false"} {
			marked := strings.Replace(body, "{", `{"isPressureTest":"`+mark+`",`, 1)
			k.act = nil
			post(t, h, method, jsonType, marked)
			if o := k.last(t); o.IsPressureTest != (mark == "true") || o.Reason != ReasonAccepted {
				t.Errorf("%s, %s: observed %+v", method, mark, o)
			}
			k.act = func(context.Context) error { panic("oops") }
			post(t, h, method, jsonType, marked)
			if o := k.last(t); o.IsPressureTest != (mark == "true") || o.Reason != ReasonPanic {
				t.Errorf("%s, %s: observed %+v", method, mark, o)
			}
		}
	}
}

// A pair is one member and its text.
type pair struct{ name, value string }

// asJSON, asXML and asForm write the same members in the three kinds of bodies.
func asJSON(pairs []pair) string {
	var out bytes.Buffer
	for i, p := range pairs {
		out.WriteString([]string{"{", ",\n"}[min(i, 1)])
		writeJSONString(&out, p.name)
		out.WriteString(": ")
		writeJSONString(&out, p.value)
	}
	return out.String() + "}"
}

func asXML(root string, pairs []pair) string {
	var out strings.Builder
	out.WriteString("<" + root + ">")
	for _, p := range pairs {
		out.WriteString(
			"\n<" + p.name + ">" + strings.NewReplacer("&", "&amp;", "<", "&lt;").Replace(p.value) + "</" + p.name + ">",
		)
	}
	return out.String() + "</" + root + ">\n"
}

func asForm(cs charset.Charset, pairs []pair) string {
	var fields []string
	for _, p := range pairs {
		fields = append(fields, url.QueryEscape(string(cs.Encode(p.name)))+"="+url.QueryEscape(string(cs.Encode(p.value))))
	}
	return strings.Join(fields, "&")
}

// bodies are the forms in which one message can come, each with its content type.
func bodies(pairs []pair) [][2]string {
	gbk := func(text string) string { return string(charset.GBK.Encode(text)) }
	protocol := []pair{
		{"v", "2.0"}, {"format", "json"}, {"session", "s"}, {"sign_method", "md5"}, {"simplify", "true"},
		{"partner_id", "top"},
		{"customerId", "c"}, {"target_app_key", testApp}, {"method", "ignored: the query has it"}, {"timestamp", "ignored"},
		{"app_key", "ignored"}, {"sign", "ignored"},
	}
	return [][2]string{
		{jsonType, asJSON(pairs)},
		{"application/json", " \r\n" + asJSON(pairs) + "\n"},
		{"application/json;charset=GBK", gbk(asJSON(pairs))},
		{"application/json;charset=UTF-8", "\uFEFF" + asJSON(pairs)},
		{"text/plain;charset=gb18030", string(charset.GB18030.Encode(asJSON(pairs)))},
		{"text/xml", asXML("request", pairs)},
		{"text/xml;charset=utf-8", "\uFEFF" + `<?xml version="1.0" encoding="UTF-8"?>` + asXML("anything_at-all", pairs)},
		{"application/xml;charset=GBK", gbk(`<?xml version="1.0" encoding="GBK"?>` + "<!-- 续租 -->\n" + asXML("请求", pairs))},
		{"text/xml", asXML("q:request", pairs)},
		{"text/plain", "\n\t" + asXML("r", pairs)},
		{formPrefix + ";charset=UTF-8", asForm(charset.UTF8, pairs)},
		{formPrefix + ";charset=GBK", asForm(charset.GBK, pairs)},
		{formPrefix, asForm(charset.UTF8, slices.Concat(protocol[:6], pairs, protocol[6:]))},
	}
}

// The same message in JSON, XML or a form, in UTF-8 or GBK, gives the same request.
func TestMerchantBodies(t *testing.T) {
	t.Parallel()
	extra := map[string]json.RawMessage{"memo": json.RawMessage(`"新 & <b>"`)}
	ids := []pair{
		{"orderId", "3175520762897901122"}, {"outOrderId", "FZ&1+2"}, {"traceId", "t<1>"}, {"isPressureTest", "true"},
		{"exts", "null"}, {"memo", "新 & <b>"},
	}
	from, to := fliggy.MustTime("2023-02-04 10:00:00"), fliggy.MustTime("2023-02-05 10:30:00")
	period := []pair{{"carUseTime", "2023-02-04 10:00"}, {"carReturnTime", "2023-02-05 10:30:00"}}
	for _, c := range []struct {
		method string
		pairs  []pair
		want   any
	}{
		{RenewalPricesMethod, slices.Concat(ids, period), &RenewalPricesRequest{
			OrderID: "3175520762897901122", OutOrderID: "FZ&1+2", TraceID: "t<1>", IsPressureTest: true, Extra: extra,
			CarUseTime: from, CarReturnTime: to,
		}},
		{
			RenewalSubmitMethod,
			slices.Concat(
				period, ids,
				[]pair{{"renewalOrderTotalAmount", "16.020"}, {"payTradeNo", "202302011111183"}, {"priceMark", " 标记=1 "}},
			),
			&RenewalSubmitRequest{
				OrderID: "3175520762897901122", OutOrderID: "FZ&1+2", TraceID: "t<1>", IsPressureTest: true, Extra: extra,
				CarUseTime: from, CarReturnTime: to,
				RenewalOrderTotalAmount: fliggy.MustYuan("16.020"), PayTradeNo: "202302011111183", PriceMark: " 标记=1 ",
			},
		},
		{
			RenewalCancelMethod,
			slices.Concat(
				ids, []pair{{"cancelTime", "2023-02-01 15:46:51"}, {"cancelMessage", "用户主动取消"}, {"penaltyAmount", "14.41"}},
			),
			&RenewalCancelRequest{
				OrderID: "3175520762897901122", OutOrderID: "FZ&1+2", TraceID: "t<1>", IsPressureTest: true, Extra: extra,
				CancelTime: fliggy.MustTime("2023-02-01 15:46:51"), CancelMessage: "用户主动取消",
				PenaltyAmount: fliggy.MustYuan("14.41"),
			},
		},
	} {
		for _, body := range bodies(c.pairs) {
			got, findings := taken(t, c.method, body[0], body[1])
			if diff := cmp.Diff(c.want, got, exact); diff != "" || len(findings) > 0 {
				t.Errorf("%s, %q: findings %v (-want +got):\n%s", body[0], body[1], findings, diff)
			}
		}
	}
}

// Nested unknown elements are kept as JSON; a list of members is read in XML by its repetition.
func TestMerchantXMLShapes(t *testing.T) {
	t.Parallel()
	got, _ := taken(t, RenewalCancelMethod, "text/xml",
		`<request xmlns="urn:x" a="1"><orderId>1</orderId><outOrderId><![CDATA[F<1>]]></outOrderId>`+
			`<cancelTime/><penaltyAmount>null</penaltyAmount><exts>{"a":1}</exts><car><plate>京A</plate><seat>1</seat><seat>2</`+
			`seat></car><n>1</n></request>`)
	want := &RenewalCancelRequest{OrderID: "1", OutOrderID: "F<1>", Exts: `{"a":1}`, Extra: map[string]json.RawMessage{
		"car": json.RawMessage(`{"plate":"京A","seat":["1","2"]}`), "n": json.RawMessage(`"1"`),
	}}
	if diff := cmp.Diff(want, got, exact); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// A tier or a rule that lacks a number is not read as one with 0, which would be free.
func TestReadPricesWithoutNumbers(t *testing.T) {
	t.Parallel()
	sample := string(readFile(t, "samples/qimen.alitrip.rentcar.renewalprices.query.scenario1.response.json"))
	rules := regexp.MustCompile(`(?s)"cancelRules"\s*:\s*\[.*?\]`)
	for given, want := range map[string]string{
		`[{"num":50,"time":2}]`: "", "[]": "", "null": "",
		"[{}]": "[0].num: missing", "[null]": "[0].num: missing", `[""]`: "[0].num: missing", "[[]]": "[0].num: missing",
		`[{"num":0,"time":72},{"num":50}]`: "[1].time: missing", `[{"time":2}]`: "[0].num: missing",
		`[{"num":null,"time":2}]`: "[0].num: missing",
	} {
		var reply RenewalPricesReply
		err := json.Unmarshal([]byte(rules.ReplaceAllLiteralString(sample, `"cancelRules":`+given)), &reply)
		if want == "" && err != nil || want != "" && (err == nil || !strings.HasSuffix(err.Error(), want)) {
			t.Errorf("%s: %v, want %q", given, err, want)
		}
	}
	free := RenewalPricesReply{CancelPolicy: fliggy.CancelPolicy{Rules: []fliggy.CancelRule{{Num: 0, Time: 0}}}}
	if text, err := json.Marshal(&free); err != nil || !strings.Contains(string(text), `{"num":0,"time":0}`) {
		t.Errorf("a merchant's own tier of 0: %s, %v", text, err)
	}
}
