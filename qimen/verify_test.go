package qimen

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/internal/top"
)

const stdQuery = "app_key=24700001&method=m&timestamp=2026-11-22+09%3A00%3A00"

// What is signed, and what is dropped as unsigned noise.
func TestVerifyPushParams(t *testing.T) {
	t.Parallel()
	form := "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name   string
		push   *Push
		params map[string]string
		form   []Field
	}{
		{
			"empty and one-piece parameters", newPush("a=&b&c=1", "text/plain", ""),
			map[string]string{"a": "", "b": "", "c": "1"}, nil,
		},
		{
			"trailing equals signs are dropped", newPush("token=abc==", "text/plain", ""), map[string]string{"token": "abc"},
			nil,
		},
		{
			"several equals signs drop the parameter", newPush("token=abc=def&a=1", "text/plain", ""),
			map[string]string{"a": "1"}, nil,
		},
		{"only equals signs", newPush("==&a=1", "text/plain", ""), map[string]string{"a": "1"}, nil},
		{"empty name", newPush("=x", "text/plain", ""), map[string]string{"": "x"}, nil},
		{"empty piece takes back the empty name", newPush("=x&&a=1", "text/plain", ""), map[string]string{"a": "1"}, nil},
		{"semicolon is no separator", newPush("a=1;b&c=2", "text/plain", ""), map[string]string{"a": "1;b", "c": "2"}, nil},
		{"last duplicate of the query", newPush("a=1&a=2", "text/plain", ""), map[string]string{"a": "2"}, nil},
		{"names are decoded", newPush("%61=1&a%2Bb=%2B", "text/plain", ""), map[string]string{"a": "1", "a+b": "+"}, nil},
		{"blanks of the query stay", newPush("a=%20", "text/plain", ""), map[string]string{"a": " "}, nil},
		{"session stays a parameter", newPush("session=6100", "text/plain", ""), map[string]string{"session": "6100"}, nil},
		{
			"an old sign is replaced", newPush("sign=x&a=1&s%69gn=y&sign=z=z", "text/plain", ""), map[string]string{"a": "1"},
			nil,
		},
		{
			"header list is not trimmed",
			newPush("a=1", "text/plain", "", "top-sign-list", "x-u, x-v,,", "x-u", "1", "x-v", "2"),
			map[string]string{"a": "1", "x-u": "1", " x-v": ""}, nil,
		},
		{
			"blank header value", newPush("a=1", "text/plain", "", "top-sign-list", "X-U", "x-u", " \t"),
			map[string]string{"a": "1", "X-U": ""}, nil,
		},
		{"blank header list", newPush("a=1", "text/plain", "", "top-sign-list", "  "), map[string]string{"a": "1"}, nil},
		{
			"sign in a header does not count", newPush("a=1", "text/plain", "", "top-sign-list", "sign", "sign", "x"),
			map[string]string{"a": "1"}, nil,
		},
		{
			"form fields", newPush("a=1", form, "b=2&c=&d=+%20&b=3&&=&a=9&e=x=y"),
			map[string]string{"a": "1", "b": "2", "c": "", "d": "", "e": "x=y"},
			[]Field{{"b", "2"}, {"c", ""}, {"d", ""}, {"a", "1"}, {"e", "x=y"}},
		},
		{
			"form sees what the query parser drops", newPush("token=abc=def", form, "token=other&b=1"),
			map[string]string{"token": "abc=def", "b": "1"}, []Field{{"b", "1"}},
		},
		{
			"a form without names", newPush("a=1&==", form, "=x&b=2"), map[string]string{"a": "1", "b": "2", "": "="},
			[]Field{{"b", "2"}},
		},
		{"the first empty name counts", newPush("a=1", form, "=&=x"), map[string]string{"a": "1"}, nil},
		{
			"form wins over header", newPush("q=1", form, "x-u=form", "top-sign-list", "x-u", "x-u", "header"),
			map[string]string{"q": "1", "x-u": "form"}, []Field{{"x-u", "form"}},
		},
		{
			"sign in the form is no field", newPush("a=1", form, "sign=zzz&b=2"), map[string]string{"a": "1", "b": "2"},
			[]Field{{"b", "2"}},
		},
		{"raw bytes in a form", newPush("a=1", form, "b=油费"), map[string]string{"a": "1", "b": "油费"}, []Field{{"b", "油费"}}},
		{
			"GBK form", newPush("a=%D6%D0", form+";charset=GBK", "%D3%CD=%B7%D1"), map[string]string{"a": "中", "油": "费"},
			[]Field{{"油", "费"}},
		},
		{
			"invalid UTF-8", newPush("a=%E4%B8z", form, "b=%FF%FE"), map[string]string{"a": "\uFFFDz", "b": "\uFFFD\uFFFD"},
			[]Field{{"b", "\uFFFD\uFFFD"}},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			signed := mustSign(t, c.push, testSecret)
			d, err := VerifyPush(signed, testSecrets)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.params, d.Params); diff != "" {
				t.Errorf("Params (-want +got):\n%s", diff)
			}
			if len(c.push.Body) == 0 { // the query is the message
				for _, field := range d.Form {
					if c.params[field.Name] != field.Value || protocolParams[field.Name] {
						t.Errorf("field %+v", field)
					}
				}
			} else if diff := cmp.Diff(c.form, d.Form); diff != "" {
				t.Errorf("Form (-want +got):\n%s", diff)
			}
			if !referenceAccepts(signed, testSecret) {
				t.Error("the reference refuses it")
			}
		})
	}
}

// Pushes on which the official checker throws or servlet containers differ are refused.
func TestVerifyPushRefusesForm(t *testing.T) {
	t.Parallel()
	form := "application/x-www-form-urlencoded"
	many := strings.Repeat("a&", maxParams+1)
	var distinct strings.Builder
	for i := range maxParams + 2 {
		distinct.WriteString("&" + strings.Repeat("a", i%50) + string(rune('a'+i/50%26)) + string(rune('a'+i/1300)) + "=1")
	}
	for _, c := range []struct {
		name   string
		push   *Push
		reason Reason
		text   string
	}{
		{"nil", nil, ReasonUnverifiable, "no query"},
		{"no query", newPush("", "text/plain", ""), ReasonUnverifiable, "no query"},
		{"no content type", newPush("sign=x", "", ""), ReasonContentType, "no Content-Type"},
		{"blank content type", newPush("sign=x", " ", ""), ReasonContentType, "no Content-Type"},
		{
			"multipart", newPush("sign=x", "multipart/form-data; boundary=x", ""), ReasonContentType,
			`"multipart/form-data; boundary=x"`,
		},
		{"upper case", newPush("sign=x", "Application/JSON", ""), ReasonContentType, `"Application/JSON"`},
		{"long content type", newPush("sign=x", strings.Repeat("x", 5000), ""), ReasonContentType, "want JSON"},
		{"unknown charset", newPush("sign=x", "text/xml;charset=latin1", ""), ReasonContentType, `"latin1"`},
		{"quoted charset", newPush("sign=x", `text/xml;charset="utf-8"`, ""), ReasonContentType, "utf-8"},
		{"malformed escape", newPush("a=%zz&sign=x", "text/plain", ""), ReasonUnverifiable, "escape"},
		{"cut escape", newPush("a=%4&sign=x", "text/plain", ""), ReasonUnverifiable, "escape"},
		// Java reads +1 as a number
		{"signed escape", newPush("a=%+1&sign=x", "text/plain", ""), ReasonUnverifiable, "escape"},
		{"malformed escape in a name", newPush("%g0=1&sign=x", "text/plain", ""), ReasonUnverifiable, "escape"},
		{"malformed escape in a form value", newPush("sign=x", form, "a=%"), ReasonUnverifiable, "escape"},
		{"malformed escape in a form name", newPush("sign=x", form, "%=a"), ReasonUnverifiable, "escape"},
		{"malformed escape seen by the container only", newPush("a=b=%&sign=x", form, ""), ReasonUnverifiable, "escape"},
		{
			"malformed escape in a header", newPush("sign=x", "text/plain", "", "top-sign-list", "x-u", "x-u", "%"),
			ReasonUnverifiable, "escape",
		},
		{"raw bytes in the query", newPush("a=油&sign=x", "text/plain", ""), ReasonUnverifiable, "ASCII"},
		{
			"raw bytes in a header", newPush("sign=x", "text/plain", "", "top-sign-list", "x-u", "x-u", "油"), ReasonUnverifiable,
			"ASCII",
		},
		{
			"raw bytes in a header name", newPush("sign=x", "text/plain", "", "top-sign-list", "油"), ReasonUnverifiable, "ASCII",
		},
		{"body that is no GBK", newPush("sign=x", "text/xml;charset=GBK", "\xD6"), ReasonUnverifiable, "GBK"},
		{"body with a byte of Windows only", newPush("sign=x", "text/xml;charset=GBK", "\x80"), ReasonUnverifiable, "GBK"},
		{"body beyond GB2312", newPush("sign=x", "text/xml;charset=gb2312", "\xE9F"), ReasonUnverifiable, "GB2312"},
		{"parameter that is no GBK", newPush("a=%D6z&sign=x", "text/xml;charset=GBK", ""), ReasonUnverifiable, "GBK"},
		{"field that is no GBK", newPush("sign=x", form+";charset=GBK", "a=\xD6"), ReasonUnverifiable, "GBK"},
		{"too many parameters", newPush(many+"sign=x", "text/plain", ""), ReasonUnverifiable, "10000"},
		{"too many fields", newPush("sign=x", form, distinct.String()), ReasonUnverifiable, "10000"},
		{
			"long query", newPush("sign="+strings.Repeat("x", DefaultHeaderLimit), "text/plain", ""), ReasonUnverifiable,
			"more than 65536 bytes",
		},
		{
			"long header list", newPush("sign=x", "text/plain", "", "top-sign-list", strings.Repeat("x", DefaultHeaderLimit)),
			ReasonUnverifiable, "more than 65536 bytes",
		},
		{
			"long header",
			newPush("sign=x", "text/plain", "", "top-sign-list", "x-u", "x-u", strings.Repeat("x", DefaultHeaderLimit)),
			ReasonUnverifiable, "more than 65536 bytes",
		},
		{
			"one header named many times",
			newPush(
				"sign=x", "text/plain", "", "top-sign-list", "x-u,X-u,x-U,X-U", "x-u", strings.Repeat("x", DefaultHeaderLimit/4),
			),
			ReasonUnverifiable, "more than 65536 bytes",
		},
		{"compressed", newPush("sign=x", "text/plain", "x", "content-encoding", "gzip"), ReasonContentType, "not supported"},
		{
			"too many headers", newPush("sign=x", "text/plain", "", "top-sign-list", strings.Repeat("a,", maxParams)+"b"),
			ReasonUnverifiable, "10000",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := VerifyPush(c.push, testSecrets)
			if !errors.Is(err, ErrInvalidSignature) || reasonOf(err) != c.reason || !strings.Contains(err.Error(), c.text) {
				t.Errorf("VerifyPush: %v (%s); want %s with %q", err, reasonOf(err), c.reason, c.text)
			}
			if err != nil && len(err.Error()) > 250 {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
			if c.name == "no query" { // fine to sign: the signature makes one
				return
			}
			// SignPush trusts its caller
			if slices.Contains(
				[]string{"long query", "long header list", "long header", "one header named many times", "compressed"}, c.name,
			) {
				return
			}
			if _, err := SignPush(c.push, testSecret); !errors.Is(err, ErrInvalidSignature) {
				t.Errorf("SignPush: %v", err)
			}
		})
	}
}

// The limit is exact, and a header that is not listed does not count.
func TestVerifyPushHeaderLimit(t *testing.T) {
	t.Parallel()
	const contentType, list, query = "text/plain", "x-u,x-U", "a=1&b="
	fits := DefaultHeaderLimit - len(contentType) - len(list) - 2*100 - len(query) - len("&sign=") - 32
	for extra, want := range map[int]string{0: "", 1: "more than 65536 bytes"} {
		p := newPush(
			query+strings.Repeat("b", fits+extra), contentType, "x", "top-sign-list", list, "x-u", strings.Repeat("u", 100),
			"x-other", strings.Repeat("o", 2*DefaultHeaderLimit),
		)
		d, err := VerifyPush(mustSign(t, p, testSecret), testSecrets)
		if (err == nil) != (want == "") || err != nil && (d != nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d bytes more: %v, %v", extra, d, err)
		}
	}
}

func TestSignPush(t *testing.T) {
	t.Parallel()
	p := newPush("", "application/json", "{}")
	signed := mustSign(t, p, testSecret)
	if p.RawQuery != "" {
		t.Errorf("SignPush changed its argument: %q", p.RawQuery)
	}
	if _, err := VerifyPush(signed, testSecrets); err != nil {
		t.Error(err)
	}
	for _, secret := range []string{"", " ", "\t"} {
		if _, err := SignPush(p, secret); err == nil || !strings.Contains(err.Error(), "the secret is empty") {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
	// A query that ends in separators keeps its meaning under the signature.
	for _, query := range []string{"=x&", "=x&&&", "a=1&&", "a==", "&", "&=x"} {
		if _, err := VerifyPush(mustSign(t, newPush(query, "text/plain", ""), testSecret), testSecrets); err != nil {
			t.Errorf("query %q: %v", query, err)
		}
	}
}

type spiVectors struct {
	Verify []struct {
		Name        string
		Desc        string
		Secret      string
		Method      string
		Path        string
		Query       *string
		Headers     [][2]string
		BodyBase64  string  `json:"body_base64"`
		Verdict     string  // true, false, exception
		RequestBody *string `json:"request_body"`
		ParamString *string `json:"official_param_string"`
		Sign        *string `json:"official_sign"`
	}
	Timestamp []struct {
		Name       string
		AgeSeconds *int64 `json:"age_seconds"`
		Literal    *string
		Minutes    int
		Official   any
	}
}

func readVectors(t *testing.T) spiVectors {
	t.Helper()
	data, err := os.ReadFile("../testdata/vectors/spi.json")
	if err != nil {
		t.Fatal(err)
	}
	var v spiVectors
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Verify) < 51 || len(v.Timestamp) < 7 {
		t.Fatalf("only %d verify and %d timestamp cases", len(v.Verify), len(v.Timestamp))
	}
	return v
}

// Every verdict of the official checker is ours, the quirks marked as not normative included: a parameter with several
// "=" is unsigned and dropped, application/xml is text, a missing Content-Type is an error.
func TestVerifyVectors(t *testing.T) {
	t.Parallel()
	for _, c := range readVectors(t).Verify {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			body, err := base64.StdEncoding.DecodeString(c.BodyBase64)
			if err != nil {
				t.Fatal(err)
			}
			// As over the network: the request is written out and read back.
			target := c.Path
			if c.Query != nil {
				target += "?" + *c.Query
			}
			wire := fmt.Sprintf("%s %s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n", c.Method, target, len(body))
			for _, h := range c.Headers {
				wire += h[0] + ": " + h[1] + "\r\n"
			}
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(append([]byte(wire+"\r\n"), body...))))
			if err != nil {
				t.Fatal(err)
			}
			p, err := ReadPush(nil, r, 1<<20)
			if err != nil {
				t.Fatal(err)
			}

			if c.ParamString != nil {
				s, err := readSigned(p, DefaultHeaderLimit)
				if err != nil {
					t.Fatal(err)
				}
				if got := s.charset.Decode(s.base); got != *c.ParamString {
					t.Errorf("base string %q, want %q", got, *c.ParamString)
				}
				if got := s.digest(c.Secret); got != *c.Sign {
					t.Errorf("sign %s, want %s", got, *c.Sign)
				}
			}
			d, err := VerifyPush(p, Secrets{testApp: {c.Secret}})
			if c.Verdict != "true" {
				if !errors.Is(err, ErrInvalidSignature) || d != nil {
					t.Fatalf("%s: got %v, %v; want ErrInvalidSignature", c.Desc, d, err)
				}
				return
			}
			if err != nil {
				t.Fatalf("%s: %v", c.Desc, err)
			}
			if (c.RequestBody == nil) != d.IsForm {
				t.Errorf("IsForm = %v", d.IsForm)
			}
			if c.RequestBody != nil && d.Text != *c.RequestBody {
				t.Errorf("Text = %q, want %q", d.Text, *c.RequestBody)
			}
			if d.AppKey != testApp || d.Attempt != 1 || d.Push != p {
				t.Errorf("delivery %v", d)
			}
			if _, ok := d.Params["sign"]; ok {
				t.Error("Params has the signature")
			}
			if c.Name == "raw_equals_in_value_json" {
				if token, ok := d.Params["token"]; ok {
					t.Errorf("unsigned parameter handed on: %q", token)
				}
			}
			// And the twin makes the same signature.
			signed := mustSign(t, p, c.Secret)
			values, _ := url.ParseQuery(signed.RawQuery)
			if got := values.Get("sign"); got != *c.Sign {
				t.Errorf("SignPush made %s, want %s", got, *c.Sign)
			}
		})
	}
}

// The official check lets every future timestamp pass and throws on garbage; ours bounds the future by the same window
// and gives an error.
func TestTimestampVectors(t *testing.T) {
	t.Parallel()
	stricter := map[string]string{
		"one hour in the future": "a push signed for later could be held back until then",
		"garbage":                "an error, not an exception",
	}
	now := time.Date(2026, 11, 22, 1, 2, 3, 400e6, time.UTC)
	for _, c := range readVectors(t).Timestamp {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			query := url.Values{"method": {"m"}, "app_key": {testApp}}
			switch {
			case c.Literal != nil:
				query.Set("timestamp", *c.Literal)
			case c.AgeSeconds != nil:
				query.Set("timestamp", fliggy.At(now.Add(-time.Duration(*c.AgeSeconds)*time.Second)).String())
			}
			d, err := VerifyPush(mustSign(t, newPush(query.Encode(), "application/json", "{}"), testSecret), testSecrets)
			if err != nil {
				t.Fatal(err)
			}
			err = d.CheckTime(now, time.Duration(c.Minutes)*time.Minute)
			want := c.Official == true
			if reason, ok := stricter[c.Name]; ok {
				want = false
				t.Log(reason)
			}
			if (err == nil) != want {
				t.Fatalf("CheckTime: %v, want fresh=%v", err, want)
			}
			if err != nil && !errors.Is(err, ErrExpired) {
				t.Errorf("%v does not match ErrExpired", err)
			}
		})
	}
}

// drawPush makes a push with random parameters, headers, body and charset, and returns what its receiver must see.
func drawPush(t *rapid.T) (p *Push, params map[string]string, text string) {
	cs := rapid.SampledFrom(
		[]charset.Charset{charset.UTF8, charset.UTF8, charset.GBK, charset.GB2312, charset.GB18030},
	).Draw(t, "charset")
	content := rapid.String()
	if cs != charset.UTF8 { // what every GB charset has
		content = rapid.StringOf(rapid.SampledFrom([]rune("商家接单失败油费A1 ab_~*+%&=?\"{}:;,.\x00\n　")))
	}
	escape := func(s string) string {
		var out strings.Builder
		for _, b := range cs.Encode(s) {
			switch {
			case b >= 'a' && b <= 'z', b >= '0' && b <= '9', b == '.':
				out.WriteByte(b)
			case b == ' ' && rapid.Bool().Draw(t, "plus"):
				out.WriteByte('+')
			default:
				out.WriteString("%" + string("0123456789ABCDEF"[b>>4]) + string("0123456789abcdef"[b&15]))
			}
		}
		return out.String()
	}
	encode := func(pairs map[string]string) string {
		var out []string
		for _, name := range slices.Sorted(maps.Keys(pairs)) {
			out = append(out, escape(name)+"="+escape(pairs[name]))
		}
		return strings.Join(out, "&")
	}
	named := rapid.MapOfN(content, content, 0, 6)
	query := named.Draw(t, "query")
	headers := rapid.MapOfN(rapid.StringMatching(`x-[a-z0-9]{1,8}`), content, 0, 3).Draw(t, "headers")
	contentType := rapid.SampledFrom(
		[]string{"application/json", "text/xml", "application/xml", "text/plain", formPrefix},
	).Draw(t, "type")
	delete(query, "sign")
	delete(query, "")
	params = map[string]string{}
	p = newPush(encode(query), contentType+"; charset="+cs.String(), "")
	listed := slices.Sorted(maps.Keys(headers))
	for _, name := range listed {
		p.Header.Set(name, escape(headers[name]))
		params[name] = headers[name]
	}
	if len(listed) > 0 {
		p.Header.Set("top-sign-list", strings.Join(listed, ","))
	}
	maps.Copy(params, query)
	if contentType == formPrefix {
		fields := named.Draw(t, "fields")
		delete(fields, "sign")
		delete(fields, "")
		for name, value := range fields {
			if _, ok := query[name]; !ok {
				params[name] = value
				if top.IsBlank(value) {
					params[name] = ""
				}
			}
		}
		p.Body = []byte(encode(fields))
		return p, params, ""
	}
	text = content.Draw(t, "body")
	p.Body = cs.Encode(text)
	return p, params, text
}

func TestSignVerifyProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, params, text := drawPush(t)
		secret := rapid.StringMatching(`[0-9a-f]{32}|密钥[a-z]{1,5}`).Draw(t, "secret")
		signed, err := SignPush(p, secret)
		if err != nil {
			t.Fatal(err)
		}
		d, err := VerifyPush(signed, Secrets{"k": {"other", secret}})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(params, d.Params); diff != "" {
			t.Fatalf("Params (-want +got):\n%s", diff)
		}
		if d.Text != text {
			t.Fatalf("Text %q, want %q", d.Text, text)
		}
		if strings.HasPrefix(secret, "密") { // the reference takes plain secrets
			return
		}
		if !referenceAccepts(signed, secret) {
			t.Fatal("the reference refuses it")
		}
		if _, err := VerifyPush(signed, Secrets{"k": {"other"}}); !errors.Is(err, ErrInvalidSignature) {
			t.Fatalf("accepted with another secret: %v", err)
		}
	})
}

// Any other byte inside a name, a value, a header or the body: the push is refused, or nothing that is handed on has
// changed (%3a for %3A). Bytes that separate parameters are left alone: the platform signs none of them, so that its
// own checker cannot tell "a&b" from "a=b".
func TestTamperProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p, _, _ := drawPush(t)
		signed, err := SignPush(p, testSecret)
		if err != nil {
			t.Fatal(err)
		}
		before, err := VerifyPush(signed, testSecrets)
		if err != nil {
			t.Fatal(err)
		}
		forged := signed.clone()
		other := rapid.Byte().Draw(t, "byte")
		change := func(b []byte, separators string) []byte {
			if len(b) == 0 {
				return b
			}
			i := rapid.IntRange(0, len(b)-1).Draw(t, "place")
			if strings.IndexByte(separators, b[i]) >= 0 {
				return b
			}
			b[i] = other
			return b
		}
		switch where := rapid.SampledFrom([]string{"query", "body", "header"}).Draw(t, "where"); {
		case where == "query":
			forged.RawQuery = string(change([]byte(forged.RawQuery), "&="))
		case where == "body" && before.IsForm:
			forged.Body = change(forged.Body, "&=")
		case where == "body":
			forged.Body = change(forged.Body, "")
		default:
			for _, name := range slices.Sorted(maps.Keys(forged.Header)) {
				if strings.HasPrefix(name, "X-") {
					forged.Header.Set(name, string(change([]byte(forged.Header.Get(name)), "")))
				}
			}
		}
		after, err := VerifyPush(forged, testSecrets)
		if err != nil {
			if !errors.Is(err, ErrInvalidSignature) {
				t.Fatalf("%v does not match ErrInvalidSignature", err)
			}
			return
		}
		if diff := cmp.Diff(
			[]any{before.Params, before.Text, before.Form, before.Method},
			[]any{after.Params, after.Text, after.Form, after.Method},
		); diff != "" {
			t.Fatalf("accepted another content (-signed +forged):\n%s", diff)
		}
	})
}
