// Package push sends what Fliggy sends through the Qimen gateway: signed POST requests, to an address or a handler.
package push

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/fliggy-go/rentcar/qimen"
)

// DefaultContentType is that of a push whose Shape names none.
const DefaultContentType = "application/json;charset=utf-8"

// A Shape says how a push differs from those that Fliggy sends. The zero Shape differs in nothing.
type Shape struct {
	ContentType  string            // of the body, which must fit it
	Params       map[string]string // added to the query, or in place of app_key, method or timestamp; signed
	Headers      map[string]string // sent percent-encoded, signed as they are, and listed in top-sign-list
	SignedAt     time.Time         // the timestamp; that of the clock where it is zero
	BadSignature bool              // sign with a secret that nobody has
	Unsigned     bool              // leave the signature out
	Timeout      time.Duration     // how long the answer may take; as the Sender says where it is zero
	Times        int               // send it so many times; once where it is less than 2
}

// A Sender signs pushes as one app and sends them to one target.
type Sender struct {
	To      Target
	AppKey  string
	Secret  func() string // a function, so that no formatting verb reaches the text
	Now     func() time.Time
	Timeout time.Duration // of a push whose Shape has none
	Client  *http.Client  // of NewClient
}

// A Result is what became of a push.
type Result struct {
	Status   int    // HTTP status of the answer, 0 where none came
	Body     []byte // the answer
	Accepted bool   // HTTP status 200 and a JSON object whose success is true
	Err      error  // why no answer came; without the URL, which carries the signature
}

// Sign makes a push to a method, in the given shape.
func (s *Sender) Sign(method string, shape *Shape, body []byte) (*qimen.Push, error) {
	at := shape.SignedAt
	if at.IsZero() {
		at = s.Now()
	}
	params := []top.Param{
		{Name: "app_key", Value: s.AppKey},
		{Name: "method", Value: method},
		{Name: "timestamp", Value: at.In(fliggy.Zone()).Format(time.DateTime)},
	}
	for _, name := range slices.Sorted(maps.Keys(shape.Params)) { // receivers disagree on which of two values counts
		param := top.Param{Name: name, Value: shape.Params[name]}
		if i := slices.IndexFunc(params[:3], func(own top.Param) bool { return own.Name == name }); i >= 0 {
			params[i] = param
		} else {
			params = append(params, param)
		}
	}
	query := string(top.AppendForm(nil, params))
	if s.To.query != "" {
		query = s.To.query + "&" + query
	}
	contentType := cmp.Or(shape.ContentType, DefaultContentType)
	push := &qimen.Push{RawQuery: query, Header: http.Header{"Content-Type": {contentType}}, Body: body}
	signed := slices.Sorted(maps.Keys(shape.Headers))
	for _, name := range signed {
		push.Header.Set(name, url.QueryEscape(shape.Headers[name]))
	}
	if signed != nil {
		push.Header.Set("top-sign-list", strings.Join(signed, ","))
	}
	if shape.Unsigned {
		return push, nil
	}
	secret := s.Secret()
	if shape.BadSignature {
		secret = "not " + secret
	}
	return qimen.SignPush(push, secret)
}

// Send sends a push as often as shape says. It calls each with what became of every time.
func (s *Sender) Send(ctx context.Context, p *qimen.Push, shape *Shape, each func(Result)) {
	for range max(shape.Times, 1) {
		each(s.send(ctx, p, cmp.Or(shape.Timeout, s.Timeout)))
	}
}

// send sends a push once and reads the answer.
func (s *Sender) send(ctx context.Context, p *qimen.Push, timeout time.Duration) Result {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	status, body, err := s.To.send(ctx, s.Client, p)
	if err != nil {
		return Result{Status: status, Err: withoutURL(err)}
	}
	return Result{Status: status, Body: body, Accepted: status == http.StatusOK && saysSuccess(body)}
}

// withoutURL removes from an error the URL, which carries the signature, and what net/http quotes of a malformed
// answer, which may repeat it.
func withoutURL(err error) error {
	var u *url.Error
	for errors.As(err, &u) {
		err = u.Err
	}
	text, _, quotes := strings.Cut(err.Error(), `"`)
	if quotes && (strings.Contains(text, "malformed") || strings.Contains(text, "Location header")) {
		return errors.New(strings.TrimRight(text, ": "))
	}
	return err
}

// saysSuccess reports whether the success flag of an answer, boolean or text, is true.
func saysSuccess(body []byte) bool {
	var answer struct {
		Success bool `top:"success"`
	}
	plan, err := top.PlanFor(reflect.TypeOf(answer))
	return err == nil && json.Valid(body) && plan.DecodeJSON(body, &answer) == nil && answer.Success
}
