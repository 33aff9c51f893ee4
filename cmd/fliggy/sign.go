package main

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf16"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/qimen"
)

// signCmd is "fliggy sign".
type signCmd struct {
	Param []string `help:"Parameter, decoded; beside those of --url and of a form." short:"p" sep:"none" placeholder:"NAME=VALUE"`
	message
	SignMethod string `help:"md5, hmac or hmac-sha256. Default: what the parameter sign_method says." enum:"md5,hmac,hmac-sha256," default:"" placeholder:"METHOD"`
	Push       bool   `help:"Sign a push of the Qimen gateway to an endpoint, and print the signed URL."`
}

// A signing is the result of the command as JSON.
type signing struct {
	SignMethod string      `json:"sign_method"`
	Params     []signParam `json:"params"`      // what is signed, in this order
	LeftOut    []string    `json:"left_out"`    // parameters that are blank, and sign
	SignedText string      `json:"signed_text"` // without the secret
	Signature  string      `json:"signature"`
	URL        string      `json:"url,omitempty"` // of a push, signed
}

// A signParam is a parameter that is signed.
type signParam struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Run signs a call, or a push.
func (c *signCmd) Run(e *env) error {
	_, secret, err := e.app()
	if err != nil {
		return err
	}
	if c.URL == "" && len(c.Param) == 0 && !c.Push {
		return usage(errors.New("nothing to sign: say -p NAME=VALUE, or --url URL and --body"))
	}
	r, body, err := c.request(e)
	if err != nil {
		return usage(err)
	}
	out := &signing{LeftOut: []string{}}
	if c.Push {
		err = c.signPush(e, out, r, body, secret)
	} else {
		err = c.signCall(out, r, body, secret)
	}
	if err != nil {
		return usage(err)
	}
	return e.print(out, func() { c.explain(e, out) })
}

// signCall signs a call to the gateway.
func (c *signCmd) signCall(out *signing, r *http.Request, body []byte, secret string) error {
	all, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return errors.New("--url: its query is not percent-encoded")
	}
	form, err := formOf(r, body)
	if err != nil {
		return errors.New("--body: it is not what --content-type says")
	}
	if form != nil {
		body = nil
	}
	params := map[string]string{}
	for _, group := range []url.Values{all, form} {
		for name, values := range group {
			params[name] = values[len(values)-1]
		}
	}
	for _, p := range c.Param {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return fmt.Errorf("-p %q: want NAME=VALUE", p)
		}
		if _, ok := params[name]; ok {
			return fmt.Errorf("the parameter %s is given twice", name)
		}
		params[name] = value
	}
	said := params["sign_method"]
	if c.SignMethod != "" && said != "" && c.SignMethod != said {
		return fmt.Errorf("--sign-method is %s and the parameter sign_method %s: they must be the same", c.SignMethod, said)
	}
	out.SignMethod = cmp.Or(c.SignMethod, said, string(rentcar.HMACSHA256))
	if out.Signature, err = rentcar.Sign(rentcar.SignMethod(out.SignMethod), secret, params, body); err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "rentcar: sign: "))
	}
	out.SignedText = rentcar.SignBase(params, body)
	for name, value := range params {
		if name == "sign" || strings.TrimSpace(value) == "" {
			out.LeftOut = append(out.LeftOut, name)
		} else {
			out.Params = append(out.Params, signParam{name, value})
		}
	}
	slices.Sort(out.LeftOut)
	slices.SortFunc(out.Params, func(a, b signParam) int {
		return slices.Compare(utf16.Encode([]rune(a.Name)), utf16.Encode([]rune(b.Name)))
	})
	return nil
}

// signPush signs a push to an endpoint.
func (c *signCmd) signPush(e *env, out *signing, r *http.Request, body []byte, secret string) error {
	switch {
	case c.URL == "":
		return errors.New("--push signs a URL: say --url, with app_key, method and timestamp in its query")
	case len(c.Param) > 0:
		return errors.New("-p is not for --push: put the parameter into the query of --url, percent-encoded")
	case c.SignMethod != "" && c.SignMethod != "md5":
		return errors.New("a push is signed with md5")
	}
	p := &qimen.Push{RawQuery: r.URL.RawQuery, Header: r.Header, Body: body}
	if len(body) == 0 {
		r.Header.Set("Content-Type", cmp.Or(c.ContentType, "application/json;charset=utf-8"))
	}
	signed, err := qimen.SignPush(p, secret)
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "qimen: "))
	}
	query, err := url.ParseQuery(signed.RawQuery)
	if err != nil {
		return errors.New("--url: its query is not percent-encoded")
	}
	out.SignMethod, out.Signature = "md5", query.Get("sign")
	out.SignedText = qimen.ExplainPush(signed, secret, e.now()).SignedText
	d, err := qimen.VerifyPush(signed, qimen.Secrets{"app": {secret}})
	if err != nil {
		return errors.New(strings.TrimPrefix(err.Error(), "qimen: "))
	}
	for name, value := range d.Params {
		out.Params = append(out.Params, signParam{name, value})
	}
	slices.SortFunc(out.Params, func(a, b signParam) int { return strings.Compare(a.Name, b.Name) })
	if r.URL.Query().Has("sign") {
		out.LeftOut = append(out.LeftOut, "sign")
	}
	at := *r.URL
	at.RawQuery = strings.TrimPrefix(signed.RawQuery, "&")
	out.URL = at.String()
	return nil
}

// digests says how a text becomes a signature.
var digests = map[string]string{
	"md5":         "MD5 of the secret, the text and the secret again, in upper-case hexadecimal",
	"hmac":        "HMAC-MD5 of the text, keyed with the secret, in upper-case hexadecimal",
	"hmac-sha256": "HMAC-SHA256 of the text, keyed with the secret, in upper-case hexadecimal",
}

// explain prints how the signature comes about.
func (c *signCmd) explain(e *env, out *signing) {
	e.printf("1. the parameters, decoded, sorted by name as bytes, without sign and without blank ones")
	for _, p := range out.Params {
		e.printf("   %-16s %s", oneLine(p.Name, 200), oneLine(p.Value, 20_000))
	}
	if len(out.LeftOut) > 0 {
		e.printf("   left out: %s", oneLine(strings.Join(out.LeftOut, ", "), 2000))
	}
	e.printf("2. names and values without anything between them, then a body of JSON, XML or text")
	e.printf("   %s", oneLine(out.SignedText, 1_000_000))
	e.printf("3. %s", digests[out.SignMethod])
	e.printf("   %s", e.paint(green, out.Signature))
	if out.URL != "" {
		e.printf("4. the signature goes into the query")
		e.printf("   %s", out.URL)
	}
}
