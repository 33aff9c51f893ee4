package rentcar

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"time"

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
	// Warnings are members of the request that look wrong although no document forbids them, and amounts and ids
	// that the reply should have and lacks.
	Warnings []fliggy.Problem `top:"-" json:"-"`
	// Extra has the members of the reply that this version has no field for, as JSON. It does not have members
	// inside other members: CallRawReply returns the whole reply.
	Extra map[string]json.RawMessage `top:",unknown"`
}

func (m *Meta) meta() *Meta { return m }

// Status is the part of a reply that every B2B API has: whether it succeeded.
type Status struct {
	// Successful reports whether the platform carried out the request (是否成功). A reply without it is a
	// *DecodeError, a reply with false a *BusinessError.
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

// validate checks a request by its tags and by its own rules, but for the members that CallMember replaces.
func validate[Req any](op *api.Operation, req *Req, replaced ...top.Member) error {
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
	for _, m := range replaced {
		problems = slices.DeleteFunc(problems, func(p fliggy.Problem) bool { return p.Field == m.Name })
	}
	return problems.Err(op.Method)
}

// invalid is the error of a request with one problem.
func invalid(method, field, rule string) error {
	return &fliggy.ValidationError{Method: method, Problems: []fliggy.Problem{{Field: field, Rule: rule}}}
}

// invalidValue turns an error of the encoder into a ValidationError.
func invalidValue(method string, err error) error {
	var e *top.Error
	if errors.As(err, &e) {
		return invalid(method, e.Path, e.Rule)
	}
	return invalid(method, "", err.Error())
}

// invoke sends a typed request and returns its typed result. The result is also
// returned beside a *BusinessError.
func invoke[Req, Res any, R resultOf[Res]](
	ctx context.Context, c *Client, op operation[Req, Res], req *Req, opts []CallOption,
) (result *Res, err error) {
	cl, err := prepare(c, op.Operation, req, opts)
	if err != nil {
		return nil, c.refused(ctx, op.Method, err, req)
	}
	var doubts []fliggy.Problem // about a success
	cl.out = func(reply *top.Reply, n int, _ string) error {
		res := R(new(Res))
		if err := reply.Decode(c.plans[op.Method].result, res); err != nil {
			return err
		}
		m := res.meta()
		m.Attempts, m.Warnings = n, cl.warnings
		m.RequestID = cmp.Or(m.RequestID, reply.RequestID) // it may lie outside of the member that holds the others
		err := res.verdict()
		if r, ok := any(res).(doubtful); ok && err == nil {
			doubts = r.doubts()
			m.Warnings = slices.Concat(cl.warnings, doubts)
		}
		if err == nil || errors.As(err, new(*BusinessError)) {
			result = res
		}
		return err
	}
	err = c.run(ctx, op.Method, cl, nil)
	c.warn(ctx, op.Method, "reply", doubts)
	return result, err
}

// prepare makes a call of a typed request: it validates and encodes it, and lists what looks wrong with it.
func prepare[Req any](c *Client, op *api.Operation, req *Req, opts []CallOption) (*call, error) {
	cfg := c.callConfig(opts)
	if err := cfg.problems.Err(op.Method); err != nil {
		return nil, err
	}
	if req == nil {
		return nil, validate(op, req)
	}
	own := *req // the caller's request stays as it is
	if r, ok := any(&own).(channelled); ok {
		r.defaultChannel(c.cfg.channel)
	}
	if !cfg.skipValidation {
		if err := validate(op, &own, cfg.members...); err != nil {
			return nil, err
		}
	}
	plans := c.plans[op.Method]
	options := top.EncodeOptions{Lenient: cfg.skipValidation, Members: cfg.members}
	text, err := plans.request.AppendJSON(make([]byte, 0, 512), &own, options)
	if err != nil {
		return nil, invalidValue(op.Method, err)
	}
	for _, p := range cfg.params {
		if p.Name == plans.param {
			return nil, invalid(op.Method, p.Name, "wraps the request: use CallMember for what is inside, or Call")
		}
	}
	cl := &call{
		method: op.Method, write: op.Write, request: &own, to: c.topURL, contentType: formType, inner: plans.inner,
		form: top.Merge(cfg.params, []top.Param{{Name: plans.param, Value: string(text)}}), config: cfg,
	}
	if r, ok := any(&own).(warned); ok {
		cl.warnings = r.Warnings()
	}
	return cl, nil
}

// A call is everything of one call that is the same for all its attempts.
type call struct {
	method      string
	write       bool
	request     any              // of a typed call
	warnings    []fliggy.Problem // about request
	to          string           // address of the gateway
	dialect     top.Dialect
	target      string      // target_app_key, Qimen only
	query       []top.Param // business parameters that travel in the query: raw bodies only
	form        []top.Param // business parameters of a form body
	contentType string
	body        []byte                                                 // what is sent
	inner       string                                                 // member of the reply that holds its members
	out         func(reply *top.Reply, attempt int, body string) error // takes the reply to an attempt
	config      callConfig
	banScope    string  // whose bans hold: empty for the TOP gateway, else the Qimen provider
	private     secrets // of all attempts so far
}

const versionParam, protocolVersion = "v", "2.0"

const formType = "application/x-www-form-urlencoded;charset=UTF-8"

// run sends a call that has been prepared, or reports why it could not be.
func (c *Client) run(ctx context.Context, method string, cl *call, err error) error {
	if err == nil && ctx == nil {
		err = invalid(method, "context", "must not be nil")
	}
	if err != nil {
		return c.refused(ctx, method, err, nil)
	}
	c.warn(ctx, method, "request", cl.warnings)
	if cl.contentType == formType {
		if len(cl.form) == 0 { // the version is the body then: HTTP/2 repeats a request without one after a reset
			cl.form = []top.Param{{Name: versionParam, Value: protocolVersion}}
		}
		cl.body = top.AppendForm(make([]byte, 0, top.FormLen(cl.form)), cl.form)
	}
	return c.do(ctx, cl)
}

// attempt sends the call once, signed with the time of now.
func (c *Client) attempt(ctx context.Context, cl *call, n int) (Observation, error) {
	start, ctx := c.now(), c.traceAttempt(ctx, cl, n)
	var got *RawReply
	query, failed := c.sign(ctx, cl)
	if failed == nil {
		got, failed = c.send(ctx, cl, query)
	}
	obs := Observation{Method: cl.method, Attempt: n}
	if got != nil {
		obs.HTTPStatus = got.HTTPStatus
		if cl.config.raw != nil {
			*cl.config.raw = *got
		}
	}
	err := c.receive(cl, n, got, failed, &obs)
	c.noteBan(ctx, cl, err)
	obs.Outcome, obs.Err = OutcomeOf(err), observedError(err)
	obs.Duration = c.now().Sub(start)
	if c.cfg.wireLog != nil && query != "" { // empty for an attempt that could not be signed
		c.tell(ctx, "the wire log", func() { c.cfg.wireLog(ctx, c.wire(cl, query, got, obs)) })
	}
	c.observe(ctx, obs, cl.request)
	return obs, err
}

// now returns the time by the client's clock, or by the real clock if that fails.
func (c *Client) now() time.Time {
	now, err := c.cfg.now()
	if err != nil {
		return time.Now()
	}
	return now
}

// receive turns the answer to an attempt into the result or the error of the call.
func (c *Client) receive(cl *call, n int, got *RawReply, failed *TransportError, obs *Observation) error {
	if failed != nil {
		return c.transportError(cl, n, got, failed)
	}
	body, err := got.text()
	var reply *top.Reply
	if err == nil {
		reply, err = cl.open(body, c.cfg.format)
	}
	switch {
	case err == nil && reply.Fault != nil:
		return c.gatewayError(cl, n, got, reply.Fault, obs)
	case got.HTTPStatus != http.StatusOK:
		text := strings.TrimSpace(fmt.Sprintf("%d %s", got.HTTPStatus, http.StatusText(got.HTTPStatus)))
		if got.HTTPStatus/100 == 3 {
			text += ", and redirects are refused"
		}
		return c.transportError(cl, n, got, &TransportError{Phase: PhaseStatus, Err: errors.New(text)})
	case err == nil:
		obs.RequestID = cl.private.redact(reply.RequestID, maxCode)
		if err = cl.out(reply, n, body); err == nil {
			return nil
		}
		if business := (*BusinessError)(nil); errors.As(err, &business) {
			business.Code = cl.private.redact(business.Code, maxCode)
			business.Message = cl.private.redact(business.Message, maxText)
			business.Method, business.RequestID, business.Attempts = cl.method, obs.RequestID, n
			obs.Code = business.Code
			return business
		}
		if fault := reply.BareFault(); fault != nil {
			return c.gatewayError(cl, n, got, fault, obs)
		}
	}
	what := kindOf(string(got.Body))
	if what != "empty" {
		what += fmt.Sprintf(", %d bytes", len(got.Body))
	}
	return &DecodeError{
		Method: cl.method, RequestID: obs.RequestID, HTTPStatus: got.HTTPStatus, Attempts: n,
		Reply: what, Err: cl.private.hide(err), readOnly: !cl.write,
	}
}

// open opens the envelope of a reply.
func (cl *call) open(body string, format Format) (*top.Reply, error) {
	asked := [...]top.Format{SimplifiedJSON: top.Simplified, WrappedJSON: top.Wrapped, XML: top.XML}[format]
	found := asked
	switch kind := kindOf(body); {
	case kind == "HTML":
		return nil, errors.New("an HTML page, not a reply of the gateway")
	case kind == "XML":
		found = top.XML
	case asked == top.XML:
		found = top.Simplified
	}
	reply, err := top.OpenReply(body, found, cl.dialect, cl.inner)
	// The gateway may answer an error in another format than asked for, but nothing else.
	if err == nil && found != asked && reply.Fault == nil {
		return nil, fmt.Errorf("the reply is not in the format asked for, %v", format)
	}
	return reply, err
}
