package rentcar

import (
	"context"
	"encoding/json"
	"errors"
	"reflect"
	"slices"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/internal/top"
)

// Meta is what every result knows of the call that returned it.
type Meta struct {
	// RequestID is the gateway's id of the call: quote it to the platform's
	// support. May be empty.
	RequestID string `top:"request_id"`
	// Attempts is how often the call was sent.
	Attempts int `top:"-" json:"-"`
	// Warnings are what looked wrong with the request but is forbidden by no
	// document, and the amounts and ids that the reply should have and has not.
	Warnings []fliggy.Problem `top:"-" json:"-"`
	// Extra are members of the reply that this version has no field for, as JSON.
	// Members inside other members are seen with CallRawReply.
	Extra map[string]json.RawMessage `top:",unknown"`
}

func (m *Meta) meta() *Meta { return m }

// Status is what every B2B API says of its success.
type Status struct {
	// Successful tells whether the platform carried the request out (是否成功). A
	// reply without it is a *DecodeError, one with false a *BusinessError.
	Successful bool `top:"successful,required"`
	// RetCode is the business error code (错误码), free text such as "012"; no list
	// of codes is published, and a code may stand beside a success.
	RetCode string `top:"ret_code"`
	// RetMsg is the business error message (错误信息).
	RetMsg string `top:"ret_msg"`
	// Exts is extension data (扩展字段), the text of a JSON object.
	Exts fliggy.Exts `top:"exts"`
}

func (s *Status) verdict() error {
	if s.Successful {
		return nil
	}
	return &BusinessError{Code: s.RetCode, Message: s.RetMsg}
}

// resultOf is what a result can do.
type resultOf[Res any] interface {
	*Res
	meta() *Meta
	verdict() error
}

// The optional parts of a message.
type (
	channelled interface{ defaultChannel(fliggy.Channel) }
	ruled      interface{ rules(*fliggy.Problems) }
	warned     interface{ Warnings() []fliggy.Problem }
	doubtful   interface{ doubts() []fliggy.Problem } // of a success
)

// validate checks a request by its tags and by its own rules.
func validate[Req any](op *api.Operation, req *Req) error {
	if req == nil {
		return invalid(op.Method, "request", "must not be nil")
	}
	plan, err := top.PlanFor(reflect.TypeFor[Req]())
	if err != nil {
		return err
	}
	problems := plan.Check(req)
	if r, ok := any(req).(ruled); ok {
		r.rules(&problems)
	}
	return problems.Err(op.Method)
}

// invalid is the error of a request with one problem.
func invalid(method, field, rule string) error {
	return &fliggy.ValidationError{Method: method, Problems: []fliggy.Problem{{Field: field, Rule: rule}}}
}

// invoke sends a typed request and returns its typed result. The result is also
// returned beside a *BusinessError.
func invoke[Req, Res any, R resultOf[Res]](
	ctx context.Context, c *Client, op operation[Req, Res], req *Req, opts []CallOption,
) (*Res, error) {
	cl, warnings, err := prepare(c, op.Operation, req, opts)
	if err != nil {
		return nil, c.refused(ctx, op.Method, err, req)
	}
	c.warn(ctx, op.Method, "request", warnings)
	out := &typedResult[Res, R]{plan: c.plans[op.Method].result, warnings: warnings}
	cl.out = out
	err = c.run(ctx, op.Method, cl, nil)
	c.warn(ctx, op.Method, "reply", out.doubts)
	return out.result, err
}

// A typedResult receives the result of a typed call.
type typedResult[Res any, R resultOf[Res]] struct {
	plan     *top.Plan
	warnings []fliggy.Problem
	doubts   []fliggy.Problem // about a success
	result   *Res             // of a success or of a refusal
}

func (o *typedResult[Res, R]) accept(reply *top.Reply, n int, _ string) error {
	res := R(new(Res))
	if err := reply.Decode(o.plan, res); err != nil {
		return err
	}
	m := res.meta()
	m.Attempts, m.Warnings = n, o.warnings
	if m.RequestID == "" {
		m.RequestID = reply.RequestID // it may lie outside of the member that holds the others
	}
	err := res.verdict()
	if r, ok := any(res).(doubtful); ok && err == nil {
		o.doubts = r.doubts()
		m.Warnings = slices.Concat(o.warnings, o.doubts)
	}
	if err == nil || isBusiness(err) {
		o.result = res
	}
	return err
}

func isBusiness(err error) bool {
	var business *BusinessError
	return errors.As(err, &business)
}

// prepare makes a call of a typed request, and lists what looks wrong with it.
func prepare[Req any](c *Client, op *api.Operation, req *Req, opts []CallOption) (*call, []fliggy.Problem, error) {
	cfg := c.callConfig(opts)
	if err := cfg.problems.Err(op.Method); err != nil {
		return nil, nil, err
	}
	if req == nil {
		return nil, nil, validate(op, req)
	}
	own := *req // the caller's request stays as it is
	if r, ok := any(&own).(channelled); ok {
		r.defaultChannel(c.cfg.channel)
	}
	cl, err := newCall(c, op, &own, cfg)
	if err != nil {
		return nil, nil, err
	}
	if r, ok := any(&own).(warned); ok {
		return cl, r.Warnings(), nil
	}
	return cl, nil, nil
}

// newCall validates and encodes a typed request.
func newCall[Req any](c *Client, op *api.Operation, req *Req, cfg callConfig) (*call, error) {
	plans := c.plans[op.Method]
	cl := &call{
		method: op.Method, write: op.Write, request: req,
		to: c.topURL, contentType: formType, inner: plans.inner, config: cfg,
	}
	if !cfg.skipValidation {
		if err := unlessReplaced(validate(op, req), cfg.members); err != nil {
			return nil, err
		}
	}
	text, err := plans.request.AppendJSON(nil, req, top.EncodeOptions{Lenient: cfg.skipValidation, Members: cfg.members})
	if err != nil {
		return nil, invalidValue(op.Method, err)
	}
	for _, p := range cfg.params {
		if p.Name == plans.param {
			return nil, invalid(op.Method, p.Name, "wraps the request: use CallMember for what is inside, or Call")
		}
	}
	cl.form = top.Merge(cfg.params, []top.Param{{Name: plans.param, Value: string(text)}})
	return cl, nil
}

// unlessReplaced takes the problems of members that CallMember replaces out of a
// validation's error: what it sends instead is the caller's.
func unlessReplaced(err error, members []top.Member) error {
	if err == nil || len(members) == 0 {
		return err
	}
	var invalid *fliggy.ValidationError
	if !errors.As(err, &invalid) {
		return err
	}
	var left fliggy.Problems
	for _, p := range invalid.Problems {
		if !slices.ContainsFunc(members, func(m top.Member) bool { return m.Name == p.Field }) {
			left = append(left, p)
		}
	}
	return left.Err(invalid.Method)
}

// invalidValue makes an encoder's error one of validation.
func invalidValue(method string, err error) error {
	var e *top.Error
	if errors.As(err, &e) {
		return invalid(method, e.Path, e.Rule)
	}
	return invalid(method, "", err.Error())
}
