// Package push sends what Fliggy sends through the Qimen gateway: signed POST requests, to an address or a handler.
package push

import (
	"context"
	"encoding/json"
	"errors"
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

// A Shape says what a push looks like.
type Shape struct {
	Method       string      // API name
	ContentType  string      // of the body, which must fit it
	Params       []top.Param // added to the query, or in place of app_key, method or timestamp; signed
	Headers      []top.Param // sent percent-encoded, signed as they are, and listed in top-sign-list
	SignedAt     time.Time   // the timestamp; that of the clock where it is zero
	BadSignature bool        // sign with a secret that nobody has
	Unsigned     bool        // leave the signature out
}

// A Sender signs pushes as one app and sends them to one target.
type Sender struct {
	To      Target
	AppKey  string
	Secret  func() string // a function, so that no formatting verb reaches the text
	Now     func() time.Time
	Timeout time.Duration // of one push
	Client  *http.Client  // of NewClient
}

// A Result is what became of a push.
type Result struct {
	Status   int    // HTTP status of the answer, 0 where none came
	Body     []byte // the answer
	Accepted bool   // HTTP status 200 and a JSON object whose success is true
	Err      error  // why no answer came; without the URL, which carries the signature
}

// Sign makes the push that shape describes.
func (s *Sender) Sign(shape *Shape, body []byte) (*qimen.Push, error) {
	at := shape.SignedAt
	if at.IsZero() {
		at = s.Now()
	}
	params := []top.Param{
		{Name: "app_key", Value: s.AppKey},
		{Name: "method", Value: shape.Method},
		{Name: "timestamp", Value: at.In(fliggy.Zone()).Format(time.DateTime)},
	}
	for _, param := range shape.Params { // receivers disagree on which of two values counts
		if i := slices.IndexFunc(params[:3], func(own top.Param) bool { return own.Name == param.Name }); i >= 0 {
			params[i].Value = param.Value
		} else {
			params = append(params, param)
		}
	}
	query := string(top.AppendForm(nil, params))
	if s.To.query != "" {
		query = s.To.query + "&" + query
	}
	push := &qimen.Push{RawQuery: query, Header: http.Header{"Content-Type": {shape.ContentType}}, Body: body}
	var signed []string
	for _, h := range shape.Headers {
		signed = append(signed, h.Name)
		push.Header.Set(h.Name, url.QueryEscape(h.Value))
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

// Send sends a push once and reads the answer.
func (s *Sender) Send(ctx context.Context, p *qimen.Push) Result {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
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
