package main

import (
	"bytes"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A wouldSend is what "fliggy call --dry-run" prints as JSON. A session is not shown, nor is the signature.
type wouldSend struct {
	DryRun      bool              `json:"dry_run"`
	URL         string            `json:"url"` // without its query
	Query       map[string]string `json:"query"`
	ContentType string            `json:"content_type"`
	Form        map[string]string `json:"form,omitempty"`
	Body        string            `json:"body,omitempty"` // where it is no form
	SignMethod  string            `json:"sign_method"`
	SignedText  string            `json:"signed_text"` // without the secret
}

// errDryRun ends a call that is not to be sent.
var errDryRun = errors.New("nothing is sent")

// roundTrip is a transport.
type roundTrip func(*http.Request) (*http.Response, error)

// RoundTrip calls the function.
func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// dryRun shows what the call would send.
func (c *callCmd) dryRun(e *env, r *callRequest, opts []rentcar.Option) error {
	var sent *http.Request
	var body []byte
	client, err := e.client(append(opts, rentcar.WithHTTPClient(&http.Client{
		Transport: roundTrip(func(r *http.Request) (*http.Response, error) {
			sent = r
			if r.Body != nil {
				body, _ = io.ReadAll(r.Body) // from memory
				_ = r.Body.Close()
			}
			return nil, errDryRun
		}),
	}))...)
	if err != nil {
		return err
	}
	if err := c.send(e.ctx, client, r, new(rentcar.RawReply)); sent == nil {
		return errors.Join(notSent(err), err)
	}
	sent.Body = io.NopCloser(bytes.NewReader(body))
	out := wouldSend{
		DryRun: true, Query: shown(sent.URL.Query()), ContentType: sent.Header.Get("Content-Type"), SignMethod: c.SignMethod,
		SignedText: withoutSession(fliggytest.ExplainCall(sent, e.secret(), e.now()).SignedText, e.session()),
	}
	delete(out.Query, "sign")
	at := *sent.URL
	at.RawQuery = ""
	out.URL = at.String()
	if strings.HasPrefix(out.ContentType, "application/x-www-form-urlencoded") {
		form, _ := url.ParseQuery(string(body)) // the client has made it
		out.Form = shown(form)
	} else {
		out.Body = string(body)
	}
	if out.Query["session"] != "" {
		out.Query["session"] = hiddenText
	}
	return e.print(out, func() {
		e.printf("POST %s", out.URL)
		e.printParams("query", out.Query)
		e.printf("content type\n  %s", out.ContentType)
		if out.Form != nil {
			e.printParams("form", out.Form)
		} else {
			e.printf("body\n  %s", out.Body)
		}
		e.printf("signed text, without the secret (%s)\n  %s", out.SignMethod, out.SignedText)
		e.note("Nothing was sent. The signature and the session are left out.")
	})
}

// shown are parameters by their names.
func shown(values url.Values) map[string]string {
	out := map[string]string{}
	for name := range values {
		out[name] = values.Get(name)
	}
	return out
}

// printParams prints parameters in the order of their names.
func (e *env) printParams(title string, params map[string]string) {
	e.printf("%s", title)
	for _, name := range slices.Sorted(maps.Keys(params)) {
		e.printf("  %-16s %s", name, params[name])
	}
}

// hidden stands for what is not shown.
const hiddenText = "[hidden]"

// withoutSession is a text that is signed without the value of its parameter session.
func withoutSession(text, session string) string {
	if session == "" {
		return text
	}
	return strings.Replace(text, "session"+session, "session"+hiddenText, 1)
}
