package fliggytest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/internal/explain"
	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/fliggy-go/rentcar/qimen"
)

// A RefusedRequest says why the gateway refused a request before any API saw it. None of it goes
// over the wire, which carries the code alone.
//
// It formats, logs and marshals to JSON as a summary: SignedText carries session and
// personal data.
type RefusedRequest struct {
	// RequestID is the ID of the [Request].
	RequestID string
	// Method is the API name.
	Method string
	// Code is the code that was answered, such as "25".
	Code string
	// Reason says in words what was wrong. It quotes no value.
	Reason string
	// SignedText is the text whose signature the gateway expected: name and value of each
	// parameter in the order in which they are signed, then the body where it is JSON or
	// XML. It is without the secret, which sign method md5 puts around it. Of code 25 only.
	SignedText string
	// Cause is the likely cause of codes 24, 25 and 31.
	Cause qimen.Cause
	// Parameter is the first parameter that the client has signed in another form than it
	// sent it, or not at all. It is found by trying; empty where no single one explains the
	// signature. Of code 25 only.
	Parameter string

	pieces []signedPiece
}

// A signedPiece is what one parameter adds to the signed text.
type signedPiece struct{ name, text string }

// Differs compares SignedText with the text that a client has signed, without the secret:
// rentcar.SignBase gives it for the parameters that were signed, and the body where that
// is JSON or XML. It returns the name of the first parameter at which they differ, "body" behind the last
// one, or nothing where they are the same.
func (r RefusedRequest) Differs(signed string) string {
	if signed == r.SignedText {
		return ""
	}
	for _, piece := range r.pieces {
		rest, same := strings.CutPrefix(signed, piece.text)
		if !same {
			return piece.name
		}
		signed = rest
	}
	return "body"
}

// String names request, method, code and reason.
func (r RefusedRequest) String() string {
	return fmt.Sprintf("RefusedRequest(%s %s, code %s: %s)", r.RequestID, r.Method, r.Code, r.Reason)
}

// Format writes String for every verb.
func (r RefusedRequest) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// MarshalJSON writes String.
func (r RefusedRequest) MarshalJSON() ([]byte, error) { return json.Marshal(r.String()) }

// RefusedRequests returns why requests were refused, in the order of their arrival, since the
// start or the last [Gateway.Forget]: those whose HTTP method, protocol parameters,
// signature or encoding the gateway did not take. What an API refused is not among them.
func (g *Gateway) RefusedRequests() []RefusedRequest {
	var out []RefusedRequest
	for _, r := range g.Requests() {
		if !r.refused {
			continue
		}
		refusal := RefusedRequest{RequestID: r.ID, Method: r.Method, Code: r.Answer.Code, Reason: reasons[r.Answer.Code]}
		switch refusal.Code {
		case "24":
			refusal.Cause = qimen.CauseMissing
		case "25":
			refusal.explain(&r, g.secret())
		case "31":
			found := r.skew()
			refusal.Cause, refusal.Parameter, refusal.Reason = qimen.Cause(found.Cause), found.Parameter, found.Reason
		}
		out = append(out, refusal)
	}
	return out
}

// reasons are what the codes of the gateway's checks mean.
var reasons = map[string]string{
	"9":  "the HTTP method is neither POST nor, without a file, GET",
	"21": "there is no parameter method",
	"22": "the gateway serves no such method: see Gateway.Handle",
	"23": "the parameter format is none of json, xml, json2 and xml2",
	"24": "there is no parameter sign",
	"26": "there is no parameter session, which WithSession demands",
	"27": "the session is another than that of WithSession",
	"28": "there is no parameter app_key",
	"29": "the app key is another than that of the gateway: see WithApp",
	"30": "there is no parameter timestamp",
	"31": "the timestamp is not yyyy-MM-dd HH:mm:ss in GMT+8, or more than 10 minutes from the gateway's clock",
	"32": "there is no parameter v",
	"33": "the parameter v is no version",
	"34": "the parameter v is not 2.0",
	"40": "there is no parameter target_app_key",
	"43": "the body is too large or broke off",
	"47": "query or body is not percent-encoded UTF-8, or no multipart body",
}

// message is what the signature of the request covers, in the order in which it was sent.
func (r *Request) message() *explain.Message {
	all := maps.Clone(r.Protocol)
	maps.Copy(all, r.Params)
	m := &explain.Message{Body: r.signedBody()}
	sent := r.RawQuery
	if m.Body == nil {
		m.Other = r.Body
		sent += "&" + string(r.Body)
	}
	add := func(name string) {
		if value, ok := all[name]; ok && name != "sign" {
			m.Params = append(m.Params, top.Param{Name: name, Value: value})
			delete(all, name)
		}
	}
	for pair := range strings.SplitSeq(sent, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if name, err := url.QueryUnescape(name); err == nil {
			add(name)
		}
	}
	for _, name := range signedNames(all) { // of the parts of a multipart body
		add(name)
	}
	return m
}

// SignedText is the text that the signature of the request must cover: name and value of each parameter, sorted by
// name, then the body if it is JSON or XML. It is without the secret, which sign method md5 puts around it.
func (r *Request) SignedText() string { return string(r.message().Text()) }

// explain finds what else the client has signed, by trying.
func (r *RefusedRequest) explain(in *Request, secret string) {
	m := in.message()
	names, values := map[string]string{}, map[string]string{}
	for _, p := range m.Params {
		names[p.Name], values[p.Name] = p.Value, p.Value
	}
	for _, name := range signedNames(names) {
		r.pieces = append(r.pieces, signedPiece{name, name + values[name]})
	}
	r.SignedText = string(m.Text())
	found := mistake(m, in.Protocol["sign_method"], in.Protocol["sign"], secret)
	r.Cause, r.Parameter, r.Reason = qimen.Cause(found.Cause), found.Parameter, found.Reason
}

// mistake finds what explains a signature that does not match.
func mistake(m *explain.Message, method, got, secret string) explain.Finding {
	text := m.Text()
	is := func(method string, text []byte) bool {
		want, ok := digestOf(method, secret, text)
		return ok && want == strings.ToUpper(got)
	}
	wrapped := []byte(secret + string(text) + secret)
	methods := []string{"md5", "hmac", "hmac-sha256"}
	i := slices.IndexFunc(methods, func(m string) bool { return is(m, text) })
	switch {
	case !slices.Contains(methods, method):
		return explain.Finding{
			Cause: explain.SignMethod, Parameter: "sign_method", Reason: "the sign_method is none of md5, hmac and hmac-sha256",
		}
	case is(method, text):
		return explain.Finding{Cause: explain.LetterCase, Reason: "the signature is in lower case"}
	case i >= 0:
		return explain.Finding{
			Cause: explain.SignMethod, Parameter: "sign_method",
			Reason: "the signature is one of " + methods[i] + ", which sign_method does not say",
		}
	case is(method, wrapped):
		return explain.Finding{
			Cause: explain.SignMethod, Reason: "the secret is put around the text, which only md5 wants",
		}
	}
	found, ok := m.Find(func(text []byte) bool { return is(method, text) })
	if !ok {
		found = explain.Finding{
			Cause: explain.Secret,
			Reason: "no single parameter explains it: is the secret another? " +
				"Compare the signed text with what the client signs",
		}
	}
	return found
}

// ExplainCall checks a call as a gateway would that has this secret and this time, and says what is probably wrong with
// its signature or timestamp. It reads the body of in.
func ExplainCall(in *http.Request, appSecret string, now time.Time) qimen.Explanation {
	r := &Request{wireTime: now}
	if err := r.read(nil, in, appSecret); err != nil {
		return qimen.Explanation{Cause: qimen.CauseUnreadable, Reason: reasons["47"]}
	}
	m := r.message()
	e := qimen.Explanation{SignedText: string(m.Text()), IsValid: r.Signature == SignatureValid}
	var found explain.Finding
	switch r.Signature {
	case SignatureMissing:
		found = explain.Finding{Cause: explain.Missing, Reason: reasons["24"]}
	case SignatureInvalid:
		found = mistake(m, r.Protocol["sign_method"], r.Protocol["sign"], appSecret)
	case SignatureValid:
		found = r.skew()
	}
	e.Cause, e.Parameter, e.Reason = qimen.Cause(found.Cause), found.Parameter, found.Reason
	return e
}

// skew explains a timestamp that is missing, unreadable or off.
func (r *Request) skew() explain.Finding {
	at, err := parseTimestamp(r.Protocol["timestamp"])
	if err != nil {
		return explain.Finding{Cause: explain.Clock, Parameter: "timestamp", Reason: reasons["31"]}
	}
	found, _ := explain.Skew(at.Sub(r.wireTime), maxSkew)
	return found
}
