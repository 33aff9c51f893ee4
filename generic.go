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

// Call calls any method of the TOP gateway by its API name, with the same
// signing, limits, errors and hooks as the typed methods. out is a pointer to a
// struct whose `top` tags (else json tags) name the members of the reply, in all
// three formats; or a *Raw. The flag that says whether the business succeeded is
// yours to look at: no method is known here.
//
//	var reply struct {
//		Successful bool         `top:"successful,required"`
//		RetMsg     string       `top:"ret_msg"`
//		Stores     []string     `top:"store_list,wrap=string"`
//		Price      fliggy.Yuan `top:"price"`
//	}
//	err := client.Call(ctx, "alitrip.rentcar.btb.price.query", rentcar.Params{"req": req}, &reply)
//
// A method without a type here counts as one that changes something: CallReadOnly
// says otherwise.
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
		return nil, (&call{method: method}).invalid("request", "must not be nil")
	}
	cl, err := c.genericCall(method, req.Params, out, opts)
	if err != nil {
		return nil, err
	}
	cl.dialect, cl.to, cl.target = top.Qimen, c.qimenURL, req.TargetAppKey
	cl.banScope = "qimen " + cl.target + " "
	switch {
	case cl.to == "":
		return nil, cl.invalid("Qimen URL", "is not known: add WithQimenURL to the client's options")
	case top.IsBlank(cl.target):
		return nil, cl.invalid("target_app_key", "is required: the app key of the provider")
	case req.JSON != nil && req.XML != nil:
		return nil, cl.invalid("body", "is JSON or XML, not both")
	}
	switch {
	case req.JSON != nil:
		if cl.body, err = memberJSON(req.JSON); err != nil {
			return nil, cl.invalid("body", err.Error())
		}
		if string(cl.body) == "null" {
			return nil, cl.invalid("body", "must not be nil")
		}
		cl.contentType = "application/json;charset=utf-8"
	case req.XML != nil:
		if _, err := top.XMLRoot(req.XML); err != nil {
			return nil, cl.invalid("body", "must be XML: "+err.Error())
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
	op, ok := operationByName(method)
	cl := &call{
		method: method, write: !ok && !cfg.readOnly || ok && op.write, to: c.topURL, contentType: formType,
		form: top.Merge(form, cfg.params), config: cfg,
	}
	return cl, cl.setOut(out)
}

// setOut prepares the call to read its reply into out.
func (cl *call) setOut(out any) error {
	if raw, ok := out.(*Raw); ok && raw != nil {
		cl.out = receiverFunc(func(_ *top.Reply, _ int, body string) error {
			*raw = append((*raw)[:0], body...)
			return nil
		})
		return nil
	}
	v := reflect.ValueOf(out)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return cl.invalid("out", "must be a pointer to a struct, or a *rentcar.Raw")
	}
	plan, err := top.PlanFor(v.Elem().Type())
	if err != nil {
		return cl.invalid("out", err.Error())
	}
	cl.out = receiverFunc(func(reply *top.Reply, _ int, _ string) (err error) {
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
	})
	return nil
}
