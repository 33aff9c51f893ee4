package rentcar

import (
	"bytes"
	"context"
	"fmt"
	"reflect"
	"strings"

	"github.com/fliggy-go/rentcar/internal/contain"
	"github.com/fliggy-go/rentcar/internal/top"
)

// Raw takes the reply of Call or CallQimen as it came: UTF-8, envelope and all.
// Error envelopes are errors all the same: error_response; a flag that says failure,
// beside a code or a message; a code with a message and a sub code or a type of error
// (ISP, ISV, SYSTEM), without a success flag. Whether anything else, such as an empty
// object or a code with a message alone, is an answer is yours to judge. JSON may have
// control characters inside strings, which encoding/json refuses.
type Raw []byte

// Call calls any method of the TOP gateway by its API name, with the signing, limits, retries, errors and observers
// of the typed methods. out is a pointer to a struct whose tags name the members of the reply, or a *Raw. Whether
// the business succeeded is for the caller to see: Call knows no method's success flag.
//
//	var reply struct {
//		Successful bool        `top:"successful,required"`
//		RetMsg     string      `top:"ret_msg"`
//		Stores     []string    `top:"store_list,wrap=string"`
//		Price      fliggy.Yuan `top:"price"`
//	}
//	err := client.Call(ctx, "alitrip.rentcar.btb.price.query", rentcar.Params{"req": req}, &reply)
//
// A top tag is the name of a member and, after commas, options. Without a top tag the name in the json tag is used,
// without that the field's own name; the name "-" leaves the field out, and the fields of an embedded struct belong
// to the struct around it. One tag serves all three formats, for the reply and for structs in Params:
//
//	required     reading: a missing member, null and blank text are errors
//	keep         written although it is zero; an unset amount or time as null
//	number       an ID or Decimal is written as a JSON number, a bool as 1 or 0
//	text         a bool or number is written as JSON text: "false"
//	layout=minute a Time is written without seconds: 2006-01-02 15:04
//	wrap=NAME    the name of a list's elements in wrapped JSON and XML; reading accepts any
//	camel        the members below are named in camelCase: day_price is dayPrice
//	unknown      a map[string]json.RawMessage that takes the members without a field
//
// Fields are of types of package fliggy, strings, booleans, integers, floats, json.RawMessage, structs, lists of
// those, and pointers to those. Reading is tolerant: numbers and booleans may come as text, lists and objects
// wrapped, plain or as JSON text; a member that comes twice is an error.
//
// A method without a type in this package counts as a write, which is not repeated after an unknown outcome, unless
// CallReadOnly is given.
func (c *Client) Call(ctx context.Context, method string, params Params, out any, opts ...CallOption) error {
	cl, err := c.genericCall(method, params, out, opts)
	return c.run(ctx, method, cl, err)
}

// A QimenRequest is a call of an API that a merchant or distributor provides
// (奇门): Fliggy's own side of it, for tests and for whoever plays that side.
type QimenRequest struct {
	// TargetAppKey is the app key of the provider (target_app_key). Required.
	TargetAppKey string
	// Params are business parameters: fields of a form, or, beside a raw body,
	// parameters of the query.
	Params Params
	// JSON is a raw JSON body: a json.RawMessage as it is, or a struct with `top`
	// or json tags. It takes part in the signature.
	JSON any
	// XML is a raw XML body. It takes part in the signature.
	XML []byte
}

// CallQimen calls a method of the Qimen gateway. The reply is the provider's own
// unless the gateway failed; out is as for Call. Whether the provider succeeded
// is yours to look at, except that flag "failure" is a *GatewayError, at the top,
// inside the root response or inside a root of the method's own.
func (c *Client) CallQimen(ctx context.Context, method string, req *QimenRequest, out any, opts ...CallOption) error {
	cl, err := c.qimenCall(method, req, out, opts)
	return c.run(ctx, method, cl, err)
}

// qimenCall prepares a call of the Qimen gateway.
func (c *Client) qimenCall(method string, req *QimenRequest, out any, opts []CallOption) (*call, error) {
	if req == nil {
		return nil, invalid(method, "request", "must not be nil")
	}
	cl, err := c.genericCall(method, req.Params, out, opts)
	if err != nil {
		return nil, err
	}
	cl.dialect, cl.to, cl.target = top.Qimen, c.qimenURL, req.TargetAppKey
	cl.banScope = "qimen " + cl.target + " "
	switch {
	case cl.to == "":
		return nil, invalid(cl.method, "Qimen URL", "is not known: add WithQimenURL to the client's options")
	case top.IsBlank(cl.target):
		return nil, invalid(cl.method, "target_app_key", "is required: the app key of the provider")
	case req.JSON != nil && req.XML != nil:
		return nil, invalid(cl.method, "body", "is JSON or XML, not both")
	}
	switch {
	case req.JSON != nil:
		if cl.body, _, err = valueJSON(req.JSON); err != nil {
			return nil, invalid(cl.method, "body", err.Error())
		}
		if string(cl.body) == "null" {
			return nil, invalid(cl.method, "body", "must not be nil")
		}
		cl.contentType = "application/json;charset=utf-8"
	case req.XML != nil:
		if _, err := top.ParseXML(req.XML); err != nil {
			return nil, invalid(cl.method, "body", "must be XML: "+err.Error())
		}
		cl.body, cl.contentType = req.XML, "text/xml;charset=utf-8"
	}
	if cl.contentType != formType {
		cl.query, cl.form = cl.form, nil
		cl.body = bytes.Clone(cl.body) // it may be the caller's
	}
	return cl, nil
}

// genericCall prepares a call without a type, to the TOP gateway.
func (c *Client) genericCall(method string, params Params, out any, opts []CallOption) (*call, error) {
	cfg := c.callConfig(opts)
	problems := cfg.problems
	if strings.TrimSpace(method) == "" {
		problems.Add("method", "is required: the API name")
	}
	form := params.list(&problems)
	if len(cfg.members) > 0 {
		problems.Add(cfg.members[0].Name, "CallMember has no parameter to go into: put the member into Params")
	}
	if err := problems.Err(method); err != nil {
		return nil, err
	}
	cl := &call{
		method: method, write: mayChange(method, cfg.readOnly), to: c.topURL, contentType: formType,
		form: top.Merge(form, cfg.params), config: cfg,
	}
	return cl, cl.setOut(out)
}

// setOut prepares the call to read its reply into out.
func (cl *call) setOut(out any) error {
	if raw, ok := out.(*Raw); ok && raw != nil {
		cl.out = func(_ *top.Reply, _ int, body string) error {
			*raw = append((*raw)[:0], body...)
			return nil
		}
		return nil
	}
	v := reflect.ValueOf(out)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return invalid(cl.method, "out", "must be a pointer to a struct, or a *rentcar.Raw")
	}
	plan, err := top.PlanFor(v.Elem().Type())
	if err != nil {
		return invalid(cl.method, "out", err.Error())
	}
	cl.out = func(reply *top.Reply, _ int, _ string) (err error) {
		defer contain.Recover("UnmarshalJSON or UnmarshalText", &err)
		fresh := reflect.New(v.Elem().Type()) // what a failed attempt has read stays out
		if err := reply.Decode(plan, fresh.Interface()); err != nil {
			return err
		}
		if !reply.Understood() {
			return fmt.Errorf("no member of the reply is one of %s", v.Elem().Type())
		}
		v.Elem().Set(fresh.Elem())
		return nil
	}
	return nil
}
