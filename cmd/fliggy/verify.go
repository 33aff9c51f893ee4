package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// verifyCmd is "fliggy verify".
type verifyCmd struct {
	File string `arg:"" optional:"" help:"HTTP request as a proxy records it or curl -v shows it; - for stdin." placeholder:"FILE"`
	message
	Push     bool   `help:"It is a push of the Qimen gateway to an endpoint, not a call to the gateway."`
	At       string `help:"Time that its timestamp is compared with, yyyy-MM-dd HH:mm:ss in GMT+8. Default: now." placeholder:"TIME"`
	ShowText bool   `help:"Show the text that should be signed. It has personal data."`
}

// A verified is the result of the command as JSON.
type verified struct {
	Valid          bool   `json:"valid"`           // signature and timestamp
	SignatureValid bool   `json:"signature_valid"` // the signature alone
	AppKey         string `json:"app_key"`         // of the request
	Method         string `json:"method"`
	Timestamp      string `json:"timestamp"`
	SignMethod     string `json:"sign_method"`
	explained
	Hint string `json:"hint,omitempty"`
}

// Run checks a signature.
func (c *verifyCmd) Run(e *env) error {
	key, secret, err := e.app()
	if err != nil {
		return err
	}
	at := e.now()
	if c.At != "" {
		t, err := fliggy.ParseTime(c.At)
		if err != nil {
			return usage(errors.New("--at: want yyyy-MM-dd HH:mm:ss, in GMT+8"))
		}
		at = t.Time
	}
	r, body, err := c.read(e)
	if err != nil {
		return usage(err)
	}
	var x qimen.Explanation
	if c.Push {
		x = qimen.ExplainPush(&qimen.Push{RawQuery: r.URL.RawQuery, Header: r.Header, Body: body}, secret, at)
	} else {
		r.Body = io.NopCloser(bytes.NewReader(body))
		x = fliggytest.ExplainCall(r, secret, at)
	}
	params := paramsOf(r, body)
	out := &verified{
		Valid: x.IsValid && x.Cause == "", SignatureValid: x.IsValid, explained: *explainedBy(x, c.ShowText),
		AppKey: params.Get("app_key"), Method: params.Get("method"), Timestamp: params.Get("timestamp"),
		SignMethod: params.Get("sign_method"), Hint: c.hint(&x, params, key),
	}
	if c.Push && out.SignMethod == "" {
		out.SignMethod = "md5"
	}
	if err := e.print(out, func() { out.show(e, at) }); err != nil {
		return err
	}
	if !out.Valid {
		return no()
	}
	return nil
}

// read takes the request from a file or from the flags.
func (c *verifyCmd) read(e *env) (*http.Request, []byte, error) {
	switch {
	case c.File == "" && c.URL == "":
		return nil, nil, errors.New("nothing to verify: say --url URL and --body, or a file with an HTTP request; - is stdin")
	case c.File == "":
		return c.request(e)
	case c.URL != "":
		return nil, nil, errors.New("--url and a file are two requests: give one of them")
	}
	data, err := e.readFile(c.File)
	if err != nil {
		return nil, nil, err
	}
	r, body, err := readRequest(data)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w", c.File, err)
	}
	if c.Body != "" { // which curl -v does not show
		if body, err = e.argument("--body", c.Body); err != nil {
			return nil, nil, err
		}
	}
	if c.ContentType != "" {
		r.Header.Set("Content-Type", c.ContentType)
	}
	return r, body, nil
}

// paramsOf are the parameters that can be read.
func paramsOf(r *http.Request, body []byte) url.Values {
	params, _ := url.ParseQuery(r.URL.RawQuery)
	if form, err := formOf(r, body); err == nil {
		for name, values := range form {
			params[name] = values
		}
	}
	return params
}

// hint says what else may be wrong.
func (c *verifyCmd) hint(x *qimen.Explanation, params url.Values, key string) string {
	other := params.Get("app_key")
	switch {
	case !x.IsValid && other != "" && other != key:
		return "the request is of app " + other + ", and the secret here is that of app " + key +
			": set FLIGGY_APP_KEY and its secret"
	case x.Cause == qimen.CauseSecret && !c.ShowText:
		return "--show-text shows the text that should be signed, to compare it with yours"
	case x.IsValid && x.Cause == qimen.CauseClock && c.At == "":
		return "for an old request say --at, with the time at which it arrived"
	}
	return ""
}

// show prints the verdict for people.
func (v *verified) show(e *env, at time.Time) {
	switch {
	case v.Valid:
		e.printf("%s", e.paint(green, "valid"))
	case v.SignatureValid:
		e.printf("%s", e.paint(red, "the signature is right, the timestamp is not"))
	default:
		e.printf("%s", e.paint(red, "wrong"))
	}
	for _, line := range [][2]string{
		{"app", v.AppKey}, {"method", v.Method}, {"timestamp", v.Timestamp},
		{"compared", at.In(fliggy.Zone()).Format(time.DateTime)}, {"sign", v.SignMethod},
	} {
		if line[1] != "" {
			e.printf("  %-10s %s", line[0], oneLine(line[1], 200))
		}
	}
	if v.Reason != "" || v.SignedText != "" {
		e.showWhy(&v.explained)
	}
	if v.Hint != "" {
		e.printf("  %-10s %s", "hint", oneLine(v.Hint, 500))
	}
}
