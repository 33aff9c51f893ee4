package rentcar

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// A SignMethod is how a call is signed (sign_method).
type SignMethod string

// The sign methods of the gateway. HMACSHA256 is the default, the strongest and
// the fastest of them.
const (
	HMACSHA256 SignMethod = top.SignHMACSHA256 // hmac-sha256, keyed with the secret
	HMACMD5    SignMethod = top.SignHMAC       // hmac, which is HMAC-MD5 keyed with the secret
	MD5        SignMethod = top.SignMD5        // md5, of the text between the secret and itself
)

// Known reports whether the gateway knows the method.
func (m SignMethod) Known() bool { return m == HMACSHA256 || m == HMACMD5 || m == MD5 }

// Sign returns the signature of a call to the gateway: upper-case hex, 32 digits
// (MD5, HMACMD5) or 64 (HMACSHA256). It is what the client sends; use it, and
// SignBase, to find out why the gateway answers "Invalid signature" (code 25).
//
// params are all parameters of the call, those of the query and those of the
// form, as decoded text; "sign" and blank values are left out, as the platform
// leaves them out. body is the raw JSON, XML or batch body, and nil for a form.
func Sign(method SignMethod, secret string, params map[string]string, body []byte) (string, error) {
	if secret == "" {
		return "", errors.New("rentcar: sign: the app secret is empty")
	}
	if !method.Known() {
		return "", fmt.Errorf(
			"rentcar: sign: unknown sign method %q: use %q, %q or %q", string(method), HMACSHA256, HMACMD5, MD5,
		)
	}
	return top.Sign(string(method), secret, signedParams(params), body), nil
}

// SignBase returns the canonical text that Sign signs, before the secret comes
// in: the sorted names and values without separators, then the body.
func SignBase(params map[string]string, body []byte) string {
	return top.Base(signedParams(params), body)
}

// signedParams returns what is signed of the parameters, sorted.
func signedParams(params map[string]string) []top.Param {
	list := make([]top.Param, 0, len(params))
	for name, value := range params {
		if name != "sign" {
			list = append(list, top.Param{Name: name, Value: value})
		}
	}
	return top.Merge(list)
}

// sign returns the query of one attempt, which ends with the signature, and notes the secrets in it. It fails if there
// is no session or no time.
func (c *Client) sign(ctx context.Context, cl *call) (string, *TransportError) {
	session, err := cl.config.askSession(ctx)
	cl.private = append(cl.private, session)
	if err != nil {
		err = fmt.Errorf("asking for the session: %w", err)
	}
	now, clockErr := c.cfg.now()
	if err = cmp.Or(err, clockErr); err != nil {
		return "", &TransportError{Phase: PhaseBefore, Err: withCause(ctx, err)}
	}
	query := c.queryOf(cl, session, now.In(fliggy.Zone()).Format(time.DateTime))
	signed, body := query, cl.body
	if cl.contentType == formType {
		signed, body = top.Merge(query, cl.form), nil
	}
	sign := top.Sign(string(c.cfg.signMethod), c.secret(), signed, body)
	sent := string(top.AppendForm(make([]byte, 0, 512), query)) + "&sign=" + sign
	cl.private = append(cl.private, sign, sent)
	return sent, nil
}

// queryOf returns the parameters of the query except the signature, sorted.
func (c *Client) queryOf(cl *call, session, timestamp string) []top.Param {
	format, simplify, version := "json", "", protocolVersion
	if len(cl.form) > 0 && cl.form[0].Name == versionParam {
		version = "" // it is in the body
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
		{Name: versionParam, Value: version},
	}, cl.query)
}
