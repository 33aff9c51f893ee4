package rentcar

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// A call is one call on its way: everything that does not change from attempt to
// attempt.
type call struct {
	method      string
	write       bool
	url         string
	dialect     top.Dialect
	target      string      // target_app_key, Qimen only
	query       []top.Param // business parameters that travel in the query: raw bodies only
	form        []top.Param // business parameters of a form body
	body        []byte      // raw body that takes part in the signature
	contentType string      // empty for a form
	inner       string      // member of the reply that holds its members
	accept      func(reply *top.Reply, attempt int, body []byte) error
	config      callConfig
	banScope    string  // whose bans hold: empty for the TOP gateway, else the Qimen provider
	private     secrets // of all attempts so far
}

const formType = "application/x-www-form-urlencoded;charset=UTF-8"

// run sends a call that has been prepared, or reports why it could not be.
func (c *Client) run(ctx context.Context, method string, cl *call, err error) error {
	if err == nil && ctx == nil {
		err = cl.invalid("context", "must not be nil")
	}
	if err != nil {
		return c.refused(ctx, method, err)
	}
	return c.do(ctx, cl)
}

// attempt sends the call once, signed with the time of now.
func (c *Client) attempt(ctx context.Context, cl *call, n int) (Observation, error) {
	start := c.cfg.now()
	req, private := c.sign(cl, start)
	raw, failed := c.transport.send(ctx, req, cl.config.timeout)
	obs := Observation{Method: cl.method, Attempt: n}
	if raw != nil {
		obs.HTTPStatus = raw.HTTPStatus
		if cl.config.raw != nil {
			*cl.config.raw = *raw
		}
	}
	err := c.receive(cl, n, raw, failed, private, &obs)
	if gateway, ok := err.(*GatewayError); ok { //nolint:errorlint // the reply to this attempt, and no error inside another
		c.bans.note(cl.banScope, gateway, c.cfg.now())
	}
	obs.Outcome = OutcomeOf(err)
	obs.Duration = c.cfg.now().Sub(start)
	c.observe(ctx, obs, err)
	return obs, err
}

// sign builds the request of one attempt and returns, for redaction, what in it
// must not be shown.
func (c *Client) sign(cl *call, now time.Time) (request, *secrets) {
	format, simplify := "json", ""
	switch {
	case c.cfg.format == XML:
		format = "xml"
	case c.cfg.format == SimplifiedJSON && cl.dialect == top.TOP:
		simplify = "true"
	}
	session := cl.config.session()
	protocol := []top.Param{
		{Name: "method", Value: cl.method},
		{Name: "app_key", Value: c.appKey},
		{Name: "timestamp", Value: now.In(fliggy.Zone()).Format(time.DateTime)},
		{Name: "v", Value: "2.0"},
		{Name: "sign_method", Value: string(c.cfg.signMethod)},
		{Name: "format", Value: format},
		{Name: "simplify", Value: simplify},
		{Name: "session", Value: session},
		{Name: "partner_id", Value: c.cfg.partnerID},
		{Name: "target_app_key", Value: cl.target},
	}
	secret := c.secret()
	signature := top.Sign(string(c.cfg.signMethod), secret, top.Merge(protocol, cl.query, cl.form), cl.body)
	query := append(top.Merge(protocol, cl.query), top.Param{Name: "sign", Value: signature})
	req := request{url: joinQuery(cl.url, top.AppendForm(nil, query)), contentType: cl.contentType, body: cl.body}
	if cl.contentType == "" {
		req.contentType, req.body = formType, top.AppendForm([]byte{}, cl.form) // not nil, which resty refuses
	}
	cl.private.add(req.url, cl.url, secret, session, signature)
	return req, &cl.private
}

// joinQuery appends a query to a URL that may have one.
func joinQuery(address string, query []byte) string {
	switch {
	case !strings.Contains(address, "?"):
		address += "?"
	case !strings.HasSuffix(address, "?") && !strings.HasSuffix(address, "&"):
		address += "&"
	}
	return address + string(query)
}

// receive turns what came into the result, or into the error that says what
// became of the call.
func (c *Client) receive(cl *call, n int, raw *RawReply, failed *phaseError, private *secrets, obs *Observation) error {
	if failed != nil {
		return cl.transportError(n, raw, failed, private)
	}
	body, err := replyText(raw)
	var reply *top.Reply
	if err == nil {
		reply, err = cl.open(body, c.cfg.format)
	}
	switch {
	case err == nil && reply.Fault != nil:
		e := cl.gatewayError(n, raw, reply.Fault, private)
		obs.RequestID, obs.Code, obs.SubCode = e.RequestID, e.Code, e.SubCode
		return e
	case raw.HTTPStatus != http.StatusOK:
		text := strings.TrimSpace(fmt.Sprintf("%d %s", raw.HTTPStatus, http.StatusText(raw.HTTPStatus)))
		if raw.HTTPStatus/100 == 3 {
			text += ", and redirects are refused"
		}
		return cl.transportError(n, raw, &phaseError{PhaseStatus, classifyStatus(raw.HTTPStatus), errors.New(text)}, private)
	case err != nil:
		return cl.decodeError(n, raw, "", err, private)
	}
	obs.RequestID = private.redact(reply.RequestID)
	err = cl.accept(reply, n, body)
	var business *BusinessError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &business):
		business.Code, business.Message = private.redact(business.Code), private.redact(business.Message)
		business.Method, business.RequestID, business.Attempts = cl.method, obs.RequestID, n
		obs.Code = business.Code
		return business
	}
	return cl.decodeError(n, raw, obs.RequestID, err, private)
}

// open opens the envelope of a reply.
func (cl *call) open(body []byte, format Format) (*top.Reply, error) {
	trimmed := bytes.TrimSpace(body)
	if isHTML(trimmed) { // well-formed HTML is XML too
		return nil, errors.New("an HTML page, not a reply of the gateway")
	}
	isXML := len(trimmed) > 0 && trimmed[0] == '<'
	asked := map[Format]top.Format{SimplifiedJSON: top.Simplified, WrappedJSON: top.Wrapped, XML: top.XML}[format]
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

func (cl *call) classed(c class) class {
	c.write = cl.write
	return c
}

func (cl *call) transportError(n int, raw *RawReply, failed *phaseError, private *secrets) error {
	e := &TransportError{
		Method: cl.method, Attempts: n, Phase: failed.phase,
		Err: private.hide(failed.err), class: cl.classed(failed.class),
	}
	if raw != nil {
		e.HTTPStatus = raw.HTTPStatus
	}
	return e
}

func (cl *call) gatewayError(n int, raw *RawReply, f *top.Fault, private *secrets) *GatewayError {
	kind := classifyGateway(f.Code, f.SubCode)
	if f.Provider || cl.dialect == top.Qimen && kind.wait && !strings.HasPrefix(f.SubCode, accessControl) {
		kind = rowProvider // a provider may have written it, to whom code 7 means something else
	}
	e := &GatewayError{
		Method: cl.method, Code: private.redact(f.Code), Msg: private.redact(f.Msg),
		SubCode: private.redact(f.SubCode), SubMsg: private.redact(f.SubMsg), RequestID: private.redact(f.RequestID),
		HTTPStatus: raw.HTTPStatus, Attempts: n, class: cl.classed(kind),
	}
	if kind.wait {
		e.RetryAfter = cmp.Or(banOf(f.SubMsg), banOf(f.Msg))
	}
	return e
}

func (cl *call) decodeError(n int, raw *RawReply, requestID string, err error, private *secrets) error {
	return &DecodeError{
		Method: cl.method, RequestID: requestID, HTTPStatus: raw.HTTPStatus, Attempts: n,
		Reply: describe(raw), Err: private.hide(err), class: cl.classed(rowUndecodable),
	}
}

func (cl *call) invalid(field, rule string) error {
	return &ValidationError{Method: cl.method, Problems: []Problem{{Field: field, Rule: rule}}}
}

// describe says what came without showing it.
func describe(raw *RawReply) string {
	body := bytes.TrimSpace(raw.Body)
	kind := "text"
	switch {
	case len(body) == 0:
		return "empty"
	case body[0] == '{' || body[0] == '[':
		kind = "JSON"
	case isHTML(body):
		kind = "HTML"
	case body[0] == '<':
		kind = "XML"
	}
	return fmt.Sprintf("%s, %d bytes", kind, len(raw.Body))
}

func isHTML(body []byte) bool {
	return hasPrefixFold(body, "<html") || hasPrefixFold(body, "<!doctype html")
}

func hasPrefixFold(b []byte, prefix string) bool {
	return len(b) >= len(prefix) && strings.EqualFold(string(b[:len(prefix)]), prefix)
}
