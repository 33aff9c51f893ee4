package qimen

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/internal/top"
)

// drawPush makes a push with random parameters, headers, body and charset, and
// tells what its receiver must see.
func drawPush(t *rapid.T) (p *Push, params map[string]string, text string) {
	cs := rapid.SampledFrom([]charset.Charset{charset.UTF8, charset.UTF8, charset.GBK, charset.GB2312, charset.GB18030}).Draw(t, "charset")
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
	contentType := rapid.SampledFrom([]string{"application/json", "text/xml", "application/xml", "text/plain", formPrefix}).Draw(t, "type")
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

// Any other byte inside a name, a value, a header or the body: the push is
// refused, or nothing that is handed on has changed (%3a for %3A). Bytes that
// separate parameters are left alone: the platform signs none of them, so that
// its own checker cannot tell "a&b" from "a=b".
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
		if diff := cmp.Diff([]any{before.Params, before.Text, before.Form, before.Method}, []any{after.Params, after.Text, after.Form, after.Method}); diff != "" {
			t.Fatalf("accepted another content (-signed +forged):\n%s", diff)
		}
	})
}
