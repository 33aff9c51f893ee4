package fliggytest

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/url"
	"slices"
	"strings"
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
		if refusal.Code == "25" {
			refusal.explain(&r, g.secret())
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

// explain finds what else the client has signed, by trying.
func (r *RefusedRequest) explain(in *Request, secret string) {
	all := maps.Clone(in.Protocol)
	maps.Copy(all, in.Params)
	names, body := signedNames(all), in.signedBody()
	for _, name := range names {
		r.pieces = append(r.pieces, signedPiece{name, name + all[name]})
		r.SignedText += name + all[name]
	}
	r.SignedText += string(body)
	method, got := all["sign_method"], all["sign"]
	signed := func(method string, params map[string]string, body []byte) bool {
		want, ok := sign(method, secret, params, body)
		return ok && want == got
	}
	for _, name := range names {
		for _, form := range []struct{ how, value string }{
			{"percent-encoded", url.QueryEscape(all[name])},
			{"without the white space around it", strings.TrimSpace(all[name])},
		} {
			other := maps.Clone(all)
			other[name] = form.value
			if signed(method, other, body) {
				r.Parameter, r.Reason = name, "the parameter is signed "+form.how
				return
			}
		}
		other := maps.Clone(all)
		delete(other, name)
		if signed(method, other, body) {
			r.Parameter, r.Reason = name, "the parameter is sent, but not signed"
			return
		}
	}
	r.Reason = "no single parameter explains it: is the secret another? Compare SignedText with what the client signs"
	methods := []string{"md5", "hmac", "hmac-sha256"}
	right, _ := digestOf(method, secret, []byte(r.SignedText))
	wrapped, _ := digestOf(method, secret, []byte(secret+r.SignedText+secret))
	switch i := slices.IndexFunc(methods, func(m string) bool { return signed(m, all, body) }); {
	case i >= 0:
		r.Parameter, r.Reason = "sign_method", "the signature is one of "+methods[i]+", which sign_method does not say"
	case !slices.Contains(methods, method):
		r.Parameter, r.Reason = "sign_method", "the sign_method is none of md5, hmac and hmac-sha256"
	case got == wrapped:
		r.Reason = "the secret is put around the text, which only md5 wants"
	case got == strings.ToLower(right):
		r.Reason = "the signature is in lower case"
	case signed(method, all, nil):
		r.Reason = "the body is JSON or XML, and is not signed"
	}
}
