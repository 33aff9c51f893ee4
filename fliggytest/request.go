package fliggytest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/internal/top"
)

// A Request is one call that arrived, and what became of it.
//
// It formats and logs as a summary, and has no JSON: parameters, query and body
// carry session, signature and personal data.
type Request struct {
	// Time is when it arrived, by the gateway's clock.
	Time time.Time
	// ID is the request_id of the answer, unique within the gateway.
	ID string
	// Qimen reports whether it came to the Qimen gateway, not to TOP.
	Qimen bool
	// HTTPMethod, Path, RawQuery, Header and Body are what came, byte for byte.
	HTTPMethod string
	Path       string
	RawQuery   string
	Header     http.Header
	Body       []byte
	// Method is the API name.
	Method string
	// Protocol are the protocol parameters, decoded.
	Protocol map[string]string
	// Params are the business parameters of query and form, decoded.
	Params map[string]string
	// Signature is the verdict on the signature, whatever else was wrong.
	Signature Signature
	// Answer is what was answered.
	Answer Answer

	argument []byte    // the JSON that Decode reads
	plan     *top.Plan // how the API's own request is read, nil for any other API
	request  reflect.Type
	textBody bool      // the body takes part in the signature
	hasFile  bool      // of a multipart body
	refused  bool      // by the checks of the gateway: see Gateway.RefusedRequests
	wireTime time.Time // by the clock that its timestamp is compared with
}

// A Signature is the verdict on the signature of a call.
type Signature string

// The verdicts.
const (
	SignatureValid   Signature = "valid"
	SignatureInvalid Signature = "invalid"
	SignatureMissing Signature = "missing"
)

// An Answer is what became of a request.
type Answer struct {
	// Done reports whether the request is over. The rest is set by then.
	Done bool
	// Executed reports whether the request was carried out, whatever was answered.
	Executed bool
	// Code is the code of the error or refusal that was answered, empty for a
	// success.
	Code string
	// Fault is the fault that was injected, empty for none.
	Fault string
	// HTTPStatus and Body are the reply before a fault mangled it and before
	// compression. Both are zero where there was none.
	HTTPStatus int
	Body       []byte
}

// Decode reads the business JSON of the request into out, a pointer to a struct
// with `top` or json tags, such as a *rentcar.RenewalSubmitRequest. The business
// JSON is the parameter that wraps the request, the raw body of a Qimen call, or
// the only business parameter.
func (r *Request) Decode(out any) error {
	v := reflect.ValueOf(out)
	if v.Kind() != reflect.Pointer || v.IsNil() || v.Elem().Kind() != reflect.Struct {
		return errors.New("fliggytest: Decode: want a pointer to a struct")
	}
	if r.argument == nil {
		return errors.New(
			"fliggytest: Decode: the request has no business JSON, or several parameters that might be: see Params",
		)
	}
	plan := r.plan
	if plan == nil || v.Elem().Type() != r.request {
		var err error
		if plan, err = top.PlanFor(v.Elem().Type()); err != nil {
			return fmt.Errorf("fliggytest: Decode: %w", err)
		}
	}
	if err := plan.DecodeJSON(r.argument, out); err != nil {
		return fmt.Errorf("fliggytest: Decode: %w", err)
	}
	return nil
}

// String names the method, the signature and the answer.
func (r Request) String() string {
	text := fmt.Sprintf("Request(%s %s, signature %s", r.ID, r.Method, r.Signature)
	if r.Answer.Executed {
		text += ", executed"
	}
	if r.Answer.Code != "" {
		text += ", code " + r.Answer.Code
	}
	if r.Answer.Fault != "" {
		text += ", fault: " + r.Answer.Fault
	}
	return text + ")"
}

// Format writes String for every verb.
func (r Request) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, r.String()) }

// LogValue is String.
func (r Request) LogValue() slog.Value { return slog.StringValue(r.String()) }

// MarshalJSON gives an error, so that no log shows the request.
func (r Request) MarshalJSON() ([]byte, error) {
	return nil, errors.New("fliggytest: a Request has no JSON: take its fields")
}

var protocolParams = []string{
	"app_key", "format", "method", "partner_id", "session", "sign", "sign_method", "simplify", "target_app_key",
	"timestamp", "v",
}

// maxBody bounds what a request may bring.
const maxBody = 16 << 20

var errEncoding = gatewayError("47", "Invalid encoding", "", "")

// read takes a request in. The error is what the gateway answers it with.
func (r *Request) read(w http.ResponseWriter, in *http.Request, secret string) error {
	r.HTTPMethod, r.Path, r.RawQuery, r.Header = in.Method, in.URL.Path, in.URL.RawQuery, in.Header.Clone()
	r.Protocol, r.Params = map[string]string{}, map[string]string{}
	r.Signature = SignatureMissing
	body, err := io.ReadAll(http.MaxBytesReader(w, in.Body, maxBody))
	if err != nil {
		return gatewayError("43", "Parameter error", "", "the body is too large or broke off")
	}
	r.Body = body
	query, err := url.ParseQuery(r.RawQuery)
	if err != nil {
		return errEncoding
	}
	all := map[string]string{}
	merge(all, query)
	form, err := r.readBody()
	if err != nil {
		return errEncoding
	}
	merge(all, form)
	for name, value := range all {
		if !utf8.ValidString(name + value) {
			return errEncoding
		}
		if slices.Contains(protocolParams, name) {
			r.Protocol[name] = value
		} else {
			r.Params[name] = value
		}
	}
	r.Method = r.Protocol["method"]
	r.verify(all, secret)
	return nil
}

// readBody returns the fields of the body: of a form, or of the parts of a multipart
// body, as the official Node client sends every call and others send uploads. A body
// of JSON or XML has none: it is signed as it is.
func (r *Request) readBody() (url.Values, error) {
	contentType := r.Header.Get("Content-Type")
	mediaType, params, err := mime.ParseMediaType(contentType)
	if err == nil && mediaType == "multipart/form-data" {
		return r.readParts(multipart.NewReader(bytes.NewReader(r.Body), params["boundary"]))
	}
	contentType = strings.ToLower(contentType)
	r.textBody = strings.Contains(contentType, "json") || strings.Contains(contentType, "xml")
	if r.textBody {
		return nil, nil
	}
	return url.ParseQuery(string(r.Body))
}

// readParts returns the text fields of a multipart body. Files are not signed, and are
// in Body only.
func (r *Request) readParts(parts *multipart.Reader) (url.Values, error) {
	fields := url.Values{}
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return fields, nil
		}
		if err != nil {
			return nil, err
		}
		_, disposition, err := mime.ParseMediaType(part.Header.Get("Content-Disposition"))
		if err != nil {
			return nil, err
		}
		if _, isFile := disposition["filename"]; isFile {
			r.hasFile = true
			continue
		}
		value, err := io.ReadAll(part)
		if err != nil {
			return nil, err
		}
		fields.Add(disposition["name"], string(value))
	}
}

// merge adds parameters; those of a later group win, as they do when signed.
func merge(to map[string]string, group url.Values) {
	for name, values := range group {
		to[name] = values[len(values)-1]
	}
}

func (r *Request) verify(all map[string]string, secret string) {
	if r.Protocol["sign"] == "" {
		return
	}
	r.Signature = SignatureInvalid
	if want, ok := sign(r.Protocol["sign_method"], secret, all, r.signedBody()); ok && want == r.Protocol["sign"] {
		r.Signature = SignatureValid
	}
}

// signedBody is the body where it takes part in the signature.
func (r *Request) signedBody() []byte {
	if r.textBody {
		return r.Body
	}
	return nil
}

// findArgument settles where the business JSON of the request is: in the
// parameter that wraps it, if its API is known.
func (r *Request) findArgument(op *operation) {
	if op != nil {
		r.plan, r.request = op.requestPlan, op.requestType
		if text, ok := r.Params[op.param]; ok {
			r.argument = []byte(text)
		}
		return
	}
	switch {
	case r.textBody:
		r.argument = r.Body
	case len(r.Params) == 1:
		for _, text := range r.Params {
			r.argument = []byte(text)
		}
	}
}

// clone returns a copy that shares nothing with r that is ever written to.
func (r *Request) clone() Request {
	out := *r
	out.Header, out.Body = r.Header.Clone(), slices.Clone(r.Body)
	out.Protocol, out.Params = maps.Clone(r.Protocol), maps.Clone(r.Params)
	out.Answer.Body = slices.Clone(r.Answer.Body)
	return out
}

// Requests returns every request since the start or the last [Gateway.Forget], in
// the order of arrival, those that still wait for an answer included; see [WithCapacity].
func (g *Gateway) Requests() []Request {
	l := &g.log
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Request, len(l.requests))
	for i, r := range l.requests {
		out[i] = r.clone()
	}
	return out
}
