package rentcar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/contain"
	"github.com/fliggy-go/rentcar/internal/top"
)

// A call is one call on its way: everything that does not change from attempt to
// attempt.
type call struct {
	method      string
	write       bool
	request     any    // of a typed call
	to          string // address of the gateway
	dialect     top.Dialect
	target      string      // target_app_key, Qimen only
	query       []top.Param // business parameters that travel in the query: raw bodies only
	form        []top.Param // business parameters of a form body
	contentType string
	body        []byte // what is sent
	inner       string // member of the reply that holds its members
	out         receiver
	config      callConfig
	banScope    string  // whose bans hold: empty for the TOP gateway, else the Qimen provider
	private     secrets // of all attempts so far

	// isBare: there is no business parameter. The version is sent as the body then:
	// HTTP/2 sends a call without a body again after a reset, and asks nobody.
	isBare bool
}

// A receiver takes the reply to an attempt, body and all.
type receiver interface {
	accept(reply *top.Reply, attempt int, body string) error
}

type receiverFunc func(reply *top.Reply, attempt int, body string) error

func (f receiverFunc) accept(reply *top.Reply, attempt int, body string) error {
	return f(reply, attempt, body)
}

const protocolVersion = "2.0"

const formType = "application/x-www-form-urlencoded;charset=UTF-8"

// run sends a call that has been prepared, or reports why it could not be.
func (c *Client) run(ctx context.Context, method string, cl *call, err error) error {
	if err == nil && ctx == nil {
		err = invalid(method, "context", "must not be nil")
	}
	if err != nil {
		return c.refused(ctx, method, err, nil)
	}
	if cl.contentType == formType {
		if cl.isBare = len(cl.form) == 0; cl.isBare {
			cl.form = []top.Param{{Name: "v", Value: protocolVersion}}
		}
		cl.body = top.AppendForm(make([]byte, 0, top.FormLen(cl.form)), cl.form)
	}
	return c.do(ctx, cl)
}

// attempt sends the call once, signed with the time of now.
func (c *Client) attempt(ctx context.Context, cl *call, n int) (Observation, error) {
	start := c.now()
	var got *answer
	private := &cl.private
	req, failed := c.sign(ctx, cl)
	if failed == nil {
		got, failed = c.send(ctx, req, cl.config.timeout)
	}
	obs := Observation{Method: cl.method, Attempt: n}
	if got != nil {
		obs.HTTPStatus = got.status
		if cl.config.raw != nil {
			*cl.config.raw = got.raw()
		}
	}
	err := c.receive(cl, n, got, failed, private, &obs)
	c.noteBan(cl, err)
	obs.Outcome, obs.Err = OutcomeOf(err), observedError(err)
	obs.Duration = c.now().Sub(start)
	if c.cfg.wireLog != nil && req.query != "" { // nil for an attempt that could not be signed
		c.showWire(ctx, cl, req, got, obs)
	}
	c.observe(ctx, obs, cl.request)
	return obs, err
}

// now is the time by the client's clock, and by the real one where that fails.
func (c *Client) now() time.Time {
	now, err := c.cfg.now()
	if err != nil {
		return time.Now()
	}
	return now
}

// send sends a request once. What panics there is the round tripper, or a body that it
// returned: the request may have gone out.
func (c *Client) send(ctx context.Context, req request, timeout time.Duration) (got *answer, failed *phaseError) {
	var panicked error
	defer func() {
		if panicked != nil {
			got, failed = nil, &phaseError{PhaseSend, panicked}
		}
	}()
	defer contain.Recover("the round tripper", &panicked)
	return c.transport.send(ctx, req, timeout)
}

// sign builds the request of one attempt, and notes what in it must not be shown. It
// fails where the session or the time is not to be had.
func (c *Client) sign(ctx context.Context, cl *call) (req request, failed *phaseError) {
	session, err := cl.config.askSession(ctx)
	if err != nil {
		cl.private.add(session)
		err = fmt.Errorf("asking for the session: %w", err)
	}
	now, clockErr := c.cfg.now()
	if err = cmp.Or(err, clockErr); err != nil {
		return request{}, &phaseError{PhaseBefore, c.ended(ctx, cl, err)}
	}
	query := c.queryOf(cl, session, timestamp(now))
	signed, body := query, cl.body
	if cl.contentType == formType {
		signed, body = top.Merge(query, cl.form), nil
	}
	secret := c.secret()
	sign := top.Sign(string(c.cfg.signMethod), secret, signed, body)
	sent := string(top.AppendForm(make([]byte, 0, top.FormLen(query)), query)) + "&sign=" + sign
	cl.private.addAttempt(cl.to, sent, secret, session)
	return request{address: cl.to, query: sent, contentType: cl.contentType, body: cl.body}, nil
}

// timestamp is the time of a call, in GMT+8. A clock of the caller's may tell any time.
func timestamp(now time.Time) string { return now.In(fliggy.Zone()).Format(time.DateTime) }

// queryOf returns the parameters of the query but for the signature, sorted.
func (c *Client) queryOf(cl *call, session, timestamp string) []top.Param {
	format, simplify, version := "json", "", protocolVersion
	if cl.isBare {
		version = ""
	}
	switch {
	case c.cfg.format == XML:
		format = "xml"
	case c.cfg.format == SimplifiedJSON && cl.dialect == top.TOP:
		simplify = "true"
	}
	return top.Merge([]top.Param{
		{Name: "app_key", Value: c.appKey},
		{Name: "format", Value: format},
		{Name: "method", Value: cl.method},
		{Name: "partner_id", Value: c.cfg.partnerID},
		{Name: "session", Value: session},
		{Name: "sign_method", Value: string(c.cfg.signMethod)},
		{Name: "simplify", Value: simplify},
		{Name: "target_app_key", Value: cl.target},
		{Name: "timestamp", Value: timestamp},
		{Name: "v", Value: version},
	}, cl.query)
}

// joinQuery appends a query to a URL that may have one.
func joinQuery(address, query string) string {
	address, own, _ := strings.Cut(address, "?")
	return address + "?" + addQuery(own, query)
}

// addQuery appends a query to another.
func addQuery(own, query string) string {
	if own != "" && !strings.HasSuffix(own, "&") && !strings.HasSuffix(own, "?") {
		own += "&"
	}
	return own + query
}

// receive turns what came into the result, or into the error that says what
// became of the call.
func (c *Client) receive(cl *call, n int, got *answer, failed *phaseError, private *secrets, obs *Observation) error {
	if failed != nil {
		return c.transportError(cl, n, got, failed, private)
	}
	body, err := got.text()
	var reply *top.Reply
	if err == nil {
		reply, err = cl.open(body, c.cfg.format)
	}
	switch {
	case err == nil && reply.Fault != nil:
		return c.gatewayError(cl, n, got, reply.Fault, private, obs)
	case got.status != http.StatusOK:
		text := strings.TrimSpace(fmt.Sprintf("%d %s", got.status, http.StatusText(got.status)))
		if got.status/100 == 3 {
			text += ", and redirects are refused"
		}
		return c.transportError(cl, n, got, &phaseError{PhaseStatus, errors.New(text)}, private)
	case err != nil:
		return cl.decodeError(n, got, "", err, private)
	}
	obs.RequestID = private.redact(reply.RequestID, maxCode)
	if err = cl.out.accept(reply, n, body); err == nil {
		return nil
	}
	if business := (*BusinessError)(nil); errors.As(err, &business) {
		business.Code, business.Message = private.redact(business.Code, maxCode), private.redact(business.Message, maxText)
		business.Method, business.RequestID, business.Attempts = cl.method, obs.RequestID, n
		obs.Code = business.Code
		return business
	}
	if fault := reply.BareFault(); fault != nil {
		return c.gatewayError(cl, n, got, fault, private, obs)
	}
	return cl.decodeError(n, got, obs.RequestID, err, private)
}

// open opens the envelope of a reply.
func (cl *call) open(body string, format Format) (*top.Reply, error) {
	trimmed := strings.TrimSpace(body)
	if isHTML(trimmed) { // well-formed HTML is XML too
		return nil, errors.New("an HTML page, not a reply of the gateway")
	}
	isXML := len(trimmed) > 0 && trimmed[0] == '<'
	asked := [...]top.Format{SimplifiedJSON: top.Simplified, WrappedJSON: top.Wrapped, XML: top.XML}[format]
	if isXML == (asked == top.XML) {
		return top.OpenReply(body, asked, cl.dialect, cl.inner)
	}
	// The gateway may answer an error in its own format; anything else that does
	// not come as asked is not ours.
	other := top.XML
	if asked == top.XML {
		other = top.Simplified
	}
	reply, err := top.OpenReply(body, other, cl.dialect, cl.inner)
	if err == nil && reply.Fault == nil {
		return nil, fmt.Errorf("the reply is not in the format asked for, %v", format)
	}
	return reply, err
}

func (c *Client) transportError(cl *call, n int, got *answer, failed *phaseError, private *secrets) error {
	e := &TransportError{
		Method: cl.method, Attempts: n, Phase: failed.phase,
		Err: private.hide(failed.err), readOnly: !cl.write,
	}
	if got != nil {
		e.HTTPStatus, e.RetryAfter = got.status, got.retryAfter(c.now())
	}
	return e
}

func (c *Client) gatewayError(cl *call, n int, got *answer, f *top.Fault, private *secrets, obs *Observation) *GatewayError {
	e := &GatewayError{
		Method: cl.method, Code: private.redact(f.Code, maxCode), Msg: private.redact(f.Msg, maxText),
		SubCode: private.redact(f.SubCode, maxCode), SubMsg: private.redact(f.SubMsg, maxText), RequestID: private.redact(f.RequestID, maxCode),
		HTTPStatus: got.status, Attempts: n, readOnly: !cl.write,
	}
	limited := e.class().is(ErrRateLimited)
	// A Qimen provider may have written it, to whom code 7 means something else.
	e.undecided = f.Provider || f.Contradicted || cl.dialect == top.Qimen && limited && !strings.HasPrefix(f.SubCode, "accesscontrol.")
	if limited && !e.undecided {
		e.RetryAfter = cmp.Or(banOf(cut(f.SubMsg, maxText)), banOf(cut(f.Msg, maxText)))
	}
	if e.class().repeat != repeatNone { // what repeating does not mend, waiting does not
		e.RetryAfter = cmp.Or(e.RetryAfter, got.retryAfter(c.now()))
	}
	obs.RequestID, obs.Code, obs.SubCode = e.RequestID, e.Code, e.SubCode
	return e
}

func (cl *call) decodeError(n int, got *answer, requestID string, err error, private *secrets) error {
	return &DecodeError{
		Method: cl.method, RequestID: requestID, HTTPStatus: got.status, Attempts: n,
		Reply: got.describe(), Err: private.hide(err), readOnly: !cl.write,
	}
}
