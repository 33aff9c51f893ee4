package fliggytest

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/internal/top"
)

// A reply is what goes over the wire, before compression.
type reply struct {
	status      int
	contentType string
	body        []byte
	code        string // of the error or refusal in it
}

const (
	jsonType  = "text/javascript;charset=UTF-8" // what TOP says of its JSON
	xmlType   = "text/xml;charset=UTF-8"
	qimenType = "application/json;charset=UTF-8"
)

// requestID is the n-th request id: 12 characters of base 36, as they are seen in
// real replies. The ids of a gateway are always the same and never repeat.
func requestID(n uint64) string {
	const first, stride = 131621703842267136 * 7, 6364136223 // 36^11 is the smallest number of 12 digits
	return strconv.FormatUint(first+n*stride, 36)
}

// encoding says how one request wants its reply.
type encoding struct {
	format top.Format
	flat   bool // an error has no root: json2
	qimen  bool
	method string
	id     string
	op     *operation // nil for an API without a type
}

func (r *Request) encoding(op *operation) encoding {
	e := encoding{format: top.XML, qimen: r.Qimen, method: r.Method, id: r.ID, op: op}
	switch r.Protocol["format"] {
	case "json2": // documented for Qimen; of TOP inferred. In xml2 the root is that of xml: XML cannot be without one
		e.format, e.flat = top.Simplified, true
	case "json":
		e.format = top.Wrapped
		if s := r.Protocol["simplify"]; r.Qimen || s == "true" || s == "1" {
			e.format = top.Simplified
		}
	}
	return e
}

func (e encoding) contentType() string {
	switch {
	case e.format == top.XML:
		return xmlType
	case e.qimen:
		return qimenType
	}
	return jsonType
}

func (e encoding) reply(code string, body []byte) reply {
	return reply{http.StatusOK, e.contentType(), body, code}
}

// answer encodes what a request came to: a result or an error.
func (e encoding) answer(result any, err error) reply {
	if err != nil {
		return e.failed(err)
	}
	if raw, ok := result.(rentcar.Raw); ok {
		return e.reply("", raw)
	}
	body, err := e.result(result)
	if err != nil {
		return e.failed(serviceError("isp.unknown-error", "fliggytest: encoding the result: "+err.Error()))
	}
	return e.reply("", body)
}

// failed encodes an error: a refusal of the business is a regular reply, all else
// an error of the gateway.
func (e encoding) failed(err error) reply {
	var refused *rentcar.BusinessError
	if errors.As(err, &refused) {
		if body, err := e.refusal(refused); err == nil {
			return e.reply(refused.Code, body)
		}
		err = errors.New("the refusal is not valid UTF-8")
	}
	var failed *rentcar.GatewayError
	if !errors.As(err, &failed) {
		failed = serviceError("isp.unknown-error", err.Error())
	}
	return e.reply(failed.Code, e.gatewayError(failed))
}

// errorReply is an error_response.
type errorReply struct {
	Code      string `top:"code,number"`
	Msg       string `top:"msg"`
	SubCode   string `top:"sub_code"`
	SubMsg    string `top:"sub_msg"`
	RequestID string `top:"request_id"`
}

// qimenErrorReply is the error envelope of Qimen.
type qimenErrorReply struct {
	Flag       string `top:"flag"`
	Code       string `top:"code,number"`
	Message    string `top:"message"`
	SubCode    string `top:"sub_code"`
	SubMessage string `top:"sub_message"`
	RequestID  string `top:"request_id"`
}

func (e encoding) gatewayError(g *rentcar.GatewayError) []byte {
	clean := func(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }
	code, msg, subCode, subMsg := clean(g.Code), clean(g.Msg), clean(g.SubCode), clean(g.SubMsg)
	if e.qimen {
		return e.wrap("response", &qimenErrorReply{"failure", code, msg, subCode, subMsg, e.id})
	}
	return e.wrap("error_response", &errorReply{code, msg, subCode, subMsg, e.id})
}

// wrap encodes a message of this package inside a root, in every format.
func (e encoding) wrap(root string, message any) []byte {
	plan, _ := top.PlanFor(reflect.TypeOf(message).Elem())
	body, _ := plan.AppendJSON(nil, message, top.EncodeOptions{Lenient: true}) // the texts are UTF-8
	if e.flat {
		return body
	}
	body = fmt.Appendf(nil, `{%q:%s}`, root, body)
	if e.format == top.XML {
		body = toXML(body)
	}
	return body
}

// refusals are replies whose success flag is false, in the words of three
// families of APIs.
type (
	refusal struct {
		Successful bool   `top:"successful,keep"`
		RetCode    string `top:"ret_code"`
		RetMsg     string `top:"ret_msg"`
	}
	agencyRefusal struct {
		BizSuccess   bool   `top:"biz_success,keep"`
		BizErrorCode string `top:"biz_error_code"`
		BizErrorMsg  string `top:"biz_error_msg"`
	}
	qimenRefusal struct {
		Success    bool   `top:"success,keep"`
		RetCode    string `top:"retCode"`
		RetMessage string `top:"retMessage"`
	}
)

const agencyPrefix = "alitrip.rentcar.zzc."

func (e encoding) refusal(b *rentcar.BusinessError) ([]byte, error) {
	switch {
	case e.qimen:
		return e.result(&qimenRefusal{RetCode: b.Code, RetMessage: b.Message})
	case strings.HasPrefix(e.method, agencyPrefix):
		return e.result(&agencyRefusal{BizErrorCode: b.Code, BizErrorMsg: b.Message})
	}
	return e.result(&refusal{RetCode: b.Code, RetMsg: b.Message})
}

var errNoForm = errors.New("want a struct with `top` or json tags, a pointer to one, a rentcar.Raw or nil")

// result encodes a struct as the reply of the request's API.
func (e encoding) result(message any) ([]byte, error) {
	if message == nil {
		message = struct{}{}
	}
	v := reflect.Indirect(reflect.ValueOf(message))
	if !v.IsValid() || v.Kind() != reflect.Struct {
		return nil, errNoForm
	}
	own := reflect.New(v.Type())
	own.Elem().Set(v)
	plan, inner, err := e.plan(v.Type())
	if err != nil {
		return nil, err
	}
	o := top.EncodeOptions{Lenient: true, Wrapped: e.format != top.Simplified}
	if !e.stamp(own.Elem()) && !e.qimen {
		o.Members = []top.Member{{Name: "request_id", Value: json.RawMessage(strconv.Quote(e.id))}}
	}
	var opened, closed string
	for _, name := range []string{e.root(), inner} {
		if name != "" {
			opened, closed = opened+fmt.Sprintf(`{%q:`, name), closed+"}"
		}
	}
	body, err := plan.AppendJSON([]byte(opened), own.Interface(), o)
	body = append(body, closed...)
	if err == nil && e.format == top.XML {
		return toXML(body), nil
	}
	return body, err
}

// plan is how a reply is written: with corrected names where it is that of an API
// that has some.
func (e encoding) plan(t reflect.Type) (plan *top.Plan, inner string, err error) {
	if e.op != nil && !e.qimen {
		inner = e.op.inner
		switch t {
		case e.op.resultType:
			return e.op.resultPlan, inner, nil
		case reflect.TypeFor[refusal](), reflect.TypeFor[agencyRefusal]():
			return e.op.refusalPlan, inner, nil
		}
	}
	plan, err = top.PlanFor(t)
	return plan, inner, err
}

// stamp writes the request id into a result that has a place for it.
func (e encoding) stamp(v reflect.Value) bool {
	meta := v.FieldByName("Meta")
	if !meta.IsValid() || meta.Type() != reflect.TypeFor[rentcar.Meta]() {
		return false
	}
	meta.FieldByName("RequestID").SetString(e.id)
	return true
}

// root is the name of the root of a reply, empty where it has none.
func (e encoding) root() string {
	switch {
	case e.format == top.Simplified:
		return ""
	case e.qimen:
		return "response"
	}
	return strings.ReplaceAll(strings.TrimPrefix(e.method, "taobao."), ".", "_") + "_response"
}

// withoutFlag is a copy of a result that does not say whether it is a success: a
// flag that is not set is left out.
func withoutFlag(result any) any {
	v := reflect.Indirect(reflect.ValueOf(result))
	if !v.IsValid() || v.Kind() != reflect.Struct {
		return result
	}
	own := reflect.New(v.Type())
	own.Elem().Set(v)
	for _, name := range []string{"Successful", "BizSuccess"} {
		if f := own.Elem().FieldByName(name); f.IsValid() && f.CanSet() && f.Kind() == reflect.Bool {
			f.SetBool(false)
		}
	}
	return own.Interface()
}

// inGBK is the reply in GBK. What GBK lacks becomes '?'.
func (r reply) inGBK() reply {
	r.contentType = strings.Replace(r.contentType, "UTF-8", "GBK", 1)
	text := strings.Replace(string(r.body), `encoding="UTF-8"`, `encoding="GBK"`, 1)
	r.body = gbk.Encode(text)
	return r
}
