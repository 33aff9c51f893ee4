package qimen

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
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
		{"empty and one-piece parameters", newPush("a=&b&c=1", "text/plain", ""), map[string]string{"a": "", "b": "", "c": "1"}, nil},
		{"trailing equals signs are dropped", newPush("token=abc==", "text/plain", ""), map[string]string{"token": "abc"}, nil},
		{"several equals signs drop the parameter", newPush("token=abc=def&a=1", "text/plain", ""), map[string]string{"a": "1"}, nil},
		{"only equals signs", newPush("==&a=1", "text/plain", ""), map[string]string{"a": "1"}, nil},
		{"empty name", newPush("=x", "text/plain", ""), map[string]string{"": "x"}, nil},
		{"empty piece takes back the empty name", newPush("=x&&a=1", "text/plain", ""), map[string]string{"a": "1"}, nil},
		{"semicolon is no separator", newPush("a=1;b&c=2", "text/plain", ""), map[string]string{"a": "1;b", "c": "2"}, nil},
		{"last duplicate of the query", newPush("a=1&a=2", "text/plain", ""), map[string]string{"a": "2"}, nil},
		{"names are decoded", newPush("%61=1&a%2Bb=%2B", "text/plain", ""), map[string]string{"a": "1", "a+b": "+"}, nil},
		{"blanks of the query stay", newPush("a=%20", "text/plain", ""), map[string]string{"a": " "}, nil},
		{"session stays a parameter", newPush("session=6100", "text/plain", ""), map[string]string{"session": "6100"}, nil},
		{"an old sign is replaced", newPush("sign=x&a=1&s%69gn=y&sign=z=z", "text/plain", ""), map[string]string{"a": "1"}, nil},
		{"header list is not trimmed", newPush("a=1", "text/plain", "", "top-sign-list", "x-u, x-v,,", "x-u", "1", "x-v", "2"), map[string]string{"a": "1", "x-u": "1", " x-v": ""}, nil},
		{"blank header value", newPush("a=1", "text/plain", "", "top-sign-list", "X-U", "x-u", " \t"), map[string]string{"a": "1", "X-U": ""}, nil},
		{"blank header list", newPush("a=1", "text/plain", "", "top-sign-list", "  "), map[string]string{"a": "1"}, nil},
		{"sign in a header does not count", newPush("a=1", "text/plain", "", "top-sign-list", "sign", "sign", "x"), map[string]string{"a": "1"}, nil},
		{"form fields", newPush("a=1", form, "b=2&c=&d=+%20&b=3&&=&a=9&e=x=y"), map[string]string{"a": "1", "b": "2", "c": "", "d": "", "e": "x=y"}, []Field{{"b", "2"}, {"c", ""}, {"d", ""}, {"a", "1"}, {"e", "x=y"}}},
		{"form sees what the query parser drops", newPush("token=abc=def", form, "token=other&b=1"), map[string]string{"token": "abc=def", "b": "1"}, []Field{{"b", "1"}}},
		{"a form without names", newPush("a=1&==", form, "=x&b=2"), map[string]string{"a": "1", "b": "2", "": "="}, []Field{{"b", "2"}}},
		{"the first empty name counts", newPush("a=1", form, "=&=x"), map[string]string{"a": "1"}, nil},
		{"form wins over header", newPush("q=1", form, "x-u=form", "top-sign-list", "x-u", "x-u", "header"), map[string]string{"q": "1", "x-u": "form"}, []Field{{"x-u", "form"}}},
		{"sign in the form is no field", newPush("a=1", form, "sign=zzz&b=2"), map[string]string{"a": "1", "b": "2"}, []Field{{"b", "2"}}},
		{"raw bytes in a form", newPush("a=1", form, "b=油费"), map[string]string{"a": "1", "b": "油费"}, []Field{{"b", "油费"}}},
		{"GBK form", newPush("a=%D6%D0", form+";charset=GBK", "%D3%CD=%B7%D1"), map[string]string{"a": "中", "油": "费"}, []Field{{"油", "费"}}},
		{"invalid UTF-8", newPush("a=%E4%B8z", form, "b=%FF%FE"), map[string]string{"a": "\uFFFDz", "b": "\uFFFD\uFFFD"}, []Field{{"b", "\uFFFD\uFFFD"}}},
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

// Where the official checker throws or differs with its container, we refuse.
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
		{"multipart", newPush("sign=x", "multipart/form-data; boundary=x", ""), ReasonContentType, `"multipart/form-data; boundary=x"`},
		{"upper case", newPush("sign=x", "Application/JSON", ""), ReasonContentType, `"Application/JSON"`},
		{"long content type", newPush("sign=x", strings.Repeat("x", 5000), ""), ReasonContentType, "want JSON"},
		{"unknown charset", newPush("sign=x", "text/xml;charset=latin1", ""), ReasonContentType, `"latin1"`},
		{"quoted charset", newPush("sign=x", `text/xml;charset="utf-8"`, ""), ReasonContentType, "utf-8"},
		{"malformed escape", newPush("a=%zz&sign=x", "text/plain", ""), ReasonUnverifiable, "escape"},
		{"cut escape", newPush("a=%4&sign=x", "text/plain", ""), ReasonUnverifiable, "escape"},
		{"signed escape", newPush("a=%+1&sign=x", "text/plain", ""), ReasonUnverifiable, "escape"}, // Java reads +1 as a number
		{"malformed escape in a name", newPush("%g0=1&sign=x", "text/plain", ""), ReasonUnverifiable, "escape"},
		{"malformed escape in a form value", newPush("sign=x", form, "a=%"), ReasonUnverifiable, "escape"},
		{"malformed escape in a form name", newPush("sign=x", form, "%=a"), ReasonUnverifiable, "escape"},
		{"malformed escape seen by the container only", newPush("a=b=%&sign=x", form, ""), ReasonUnverifiable, "escape"},
		{"malformed escape in a header", newPush("sign=x", "text/plain", "", "top-sign-list", "x-u", "x-u", "%"), ReasonUnverifiable, "escape"},
		{"raw bytes in the query", newPush("a=油&sign=x", "text/plain", ""), ReasonUnverifiable, "ASCII"},
		{"raw bytes in a header", newPush("sign=x", "text/plain", "", "top-sign-list", "x-u", "x-u", "油"), ReasonUnverifiable, "ASCII"},
		{"raw bytes in a header name", newPush("sign=x", "text/plain", "", "top-sign-list", "油"), ReasonUnverifiable, "ASCII"},
		{"body that is no GBK", newPush("sign=x", "text/xml;charset=GBK", "\xD6"), ReasonUnverifiable, "GBK"},
		{"body with a byte of Windows only", newPush("sign=x", "text/xml;charset=GBK", "\x80"), ReasonUnverifiable, "GBK"},
		{"body beyond GB2312", newPush("sign=x", "text/xml;charset=gb2312", "\xE9F"), ReasonUnverifiable, "GB2312"},
		{"parameter that is no GBK", newPush("a=%D6z&sign=x", "text/xml;charset=GBK", ""), ReasonUnverifiable, "GBK"},
		{"field that is no GBK", newPush("sign=x", form+";charset=GBK", "a=\xD6"), ReasonUnverifiable, "GBK"},
		{"too many parameters", newPush(many+"sign=x", "text/plain", ""), ReasonUnverifiable, "10000"},
		{"too many fields", newPush("sign=x", form, distinct.String()), ReasonUnverifiable, "10000"},
		{"long query", newPush("sign="+strings.Repeat("x", DefaultHeaderLimit), "text/plain", ""), ReasonUnverifiable, "more than 65536 bytes"},
		{"long header list", newPush("sign=x", "text/plain", "", "top-sign-list", strings.Repeat("x", DefaultHeaderLimit)), ReasonUnverifiable, "more than 65536 bytes"},
		{"long header", newPush("sign=x", "text/plain", "", "top-sign-list", "x-u", "x-u", strings.Repeat("x", DefaultHeaderLimit)), ReasonUnverifiable, "more than 65536 bytes"},
		{"one header named many times", newPush("sign=x", "text/plain", "", "top-sign-list", "x-u,X-u,x-U,X-U", "x-u", strings.Repeat("x", DefaultHeaderLimit/4)), ReasonUnverifiable, "more than 65536 bytes"},
		{"compressed", newPush("sign=x", "text/plain", "x", "content-encoding", "gzip"), ReasonContentType, "never inflated"},
		{"too many headers", newPush("sign=x", "text/plain", "", "top-sign-list", strings.Repeat("a,", maxParams)+"b"), ReasonUnverifiable, "10000"},
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
			if slices.Contains([]string{"long query", "long header list", "long header", "one header named many times", "compressed"}, c.name) { // SignPush trusts its caller
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
		p := newPush(query+strings.Repeat("b", fits+extra), contentType, "x", "top-sign-list", list, "x-u", strings.Repeat("u", 100), "x-other", strings.Repeat("o", 2*DefaultHeaderLimit))
		d, err := VerifyPush(mustSign(t, p, testSecret), testSecrets)
		if (err == nil) != (want == "") || err != nil && (d != nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%d bytes more: %v, %v", extra, d, err)
		}
	}
}

// Bytes that are not UTF-8 verify, as the official checker has it, and are told; a
// handler refuses them, whatever takes out the payload.
func TestGarbledPush(t *testing.T) {
	t.Parallel()
	form := "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name      string
		push      *Push
		isGarbled bool
	}{
		{"text", newPush(eventQuery, jsonType, event103+"\xff"), true},
		{"surrogate", newPush(eventQuery, jsonType, event103+"\xed\xa0\x80"), true},
		{"query", newPush(eventQuery+"&a=%FF", jsonType, event103), true},
		{"name in the query", newPush(eventQuery+"&%E4%B8=1", jsonType, event103), true},
		{"cut by an unescaped byte", newPush(eventQuery+"&a=%E4%B8z", jsonType, event103), true},
		{"field", newPush(eventQuery, form, "eventType=103&a=%FF"), true},
		{"raw field", newPush(eventQuery, form, "eventType=103&\xff=1"), true},
		{"field that only a container sees", newPush(eventQuery+"&a=b=%FF", form, "eventType=103"), true},
		{"listed header", newPush(eventQuery, jsonType, event103, "top-sign-list", "x-u", "x-u", "%FF"), true},
		{"U+FFFD itself", newPush(eventQuery+"&a=%EF%BF%BD", jsonType, `{"m":"\uFFFD","eventType":103}`), false},
		{"parameter that is not signed", newPush(eventQuery+"&a=b=%FF", jsonType, event103), false},
		{"header that is not signed", newPush(eventQuery, jsonType, event103, "x-u", "%FF"), false},
		{"GBK", newPush(eventQuery+"&a=%D6%D0", "application/json;charset=GBK", "{\"m\":\"\xd6\xd0\",\"eventType\":103}"), false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			p := mustSign(t, c.push, testSecret)
			d, err := VerifyPush(p, testSecrets)
			if err != nil || d.IsGarbled != c.isGarbled {
				t.Fatalf("%v, %v", d, err)
			}
			if payload, err := d.Payload(); (err != nil) != c.isGarbled || err != nil && (payload != nil || !strings.Contains(err.Error(), "not valid UTF-8")) {
				t.Errorf("payload %q, %v", payload, err)
			}
			var s seen
			h := s.handler(t, WithPayload(func(*Delivery) ([]byte, error) { return []byte(event103), nil }))
			reply := h.Handle(t.Context(), p)
			if strings.Contains(string(reply.Body), "invalid-request") != c.isGarbled {
				t.Errorf("reply %s", reply.Body)
			}
			_, _ = h.Work(t.Context(), d)
			for _, o := range s.observed {
				if (o.Reason == ReasonUndecodable) != c.isGarbled || (s.calls == 0) != c.isGarbled {
					t.Errorf("%d calls, observed %+v", s.calls, o)
				}
			}
		})
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
		if _, err := SignPush(p, secret); err == nil || !strings.Contains(err.Error(), "empty secret") {
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

// The secret is the receiver's, found by target_app_key, else app_key, else tried.
func TestVerifyPushFindsSecret(t *testing.T) {
	t.Parallel()
	secrets := Secrets{"1": {"one", "one-old"}, "2": {"two"}, "3": {"two"}}
	for _, c := range []struct{ name, query, secret, app string }{
		{"app_key", "app_key=1", "one", "1"},
		{"previous secret", "app_key=1", "one-old", "1"},
		{"target first", "app_key=1&target_app_key=2", "two", "2"},
		{"blank target", "app_key=3&target_app_key=", "two", "3"},
		{"caller's key", "app_key=999", "one-old", "1"},
		{"unknown target", "app_key=1&target_app_key=999", "one", "1"},
		{"no key", "a=1", "one", "1"},
		{"same secret twice", "app_key=3", "two", "3"},
		{"same secret, unknown key", "app_key=999", "two", "2"},
		{"secret of another app", "app_key=1", "two", ""},
		{"app_key does not count beside a known target", "app_key=1&target_app_key=2", "one", ""},
		{"unknown secret", "app_key=1", "three", ""},
		{"unknown secret, unknown key", "app_key=999", "three", ""},
	} {
		d, err := VerifyPush(mustSign(t, newPush(c.query, "text/plain", "x"), c.secret), secrets)
		if c.app == "" {
			if !errors.Is(err, ErrInvalidSignature) || reasonOf(err) != ReasonBadSignature {
				t.Errorf("%s: %v, %v", c.name, d, err)
			}
			continue
		}
		if err != nil || d.AppKey != c.app {
			t.Errorf("%s: %v, %v; want app %s", c.name, d, err, c.app)
		}
	}
}

// The error, and so the log, says whether the named app is configured, and does not quote
// it. What goes out is the same: see TestStrangersLearnNothing.
func TestRefusalSaysWhetherTheAppIsConfigured(t *testing.T) {
	t.Parallel()
	const note = "; the app key is not one of the configured"
	for name, c := range map[string]struct{ query, want string }{
		"known app":                    {"app_key=" + testApp + "&sign=x", "qimen: invalid signature: it does not match"},
		"unknown app":                  {"app_key=STRANGE&sign=x", "qimen: invalid signature: it does not match" + note},
		"unknown app, no sign":         {"app_key=STRANGE", "qimen: invalid signature: no sign in the query" + note},
		"known app, of another target": {"app_key=" + testApp + "&target_app_key=STRANGE&sign=x", "qimen: invalid signature: it does not match" + note},
	} {
		var f office
		reply := f.handler(t).Handle(t.Context(), newPush(c.query, jsonType, event103))
		if err := f.last().Err; err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
		if !strings.Contains(f.log.String(), `"error":"`+c.want+`"`) || strings.Contains(f.log.String(), "STRANGE") {
			t.Errorf("%s: log %s", name, &f.log)
		}
		if string(reply.Body) != bodyBadSignature {
			t.Errorf("%s: reply %s", name, reply.Body)
		}
	}
}

func TestVerifyPushRefusesBadSecrets(t *testing.T) {
	t.Parallel()
	p := mustSign(t, newPush(stdQuery, "text/plain", "x"), testSecret)
	for _, secrets := range []Secrets{nil, {}, {testApp: nil}, {testApp: {""}}, {testApp: {testSecret, " "}}, {" ": {testSecret}}} {
		if d, err := VerifyPush(p, secrets); !errors.Is(err, ErrInvalidSignature) || d != nil {
			t.Errorf("%d apps: %v, %v", len(secrets), d, err)
		}
	}
}

func TestDeliveryTime(t *testing.T) {
	t.Parallel()
	signed := time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC) // 09:00 in GMT+8
	window := 10 * time.Minute
	for _, c := range []struct {
		text string
		now  time.Time
		want string // of the error
	}{
		{"2026-11-22 09:00:00", signed, ""},
		{"2026-11-22 09:00:00", signed.Add(window), ""},
		{"2026-11-22 09:00:00", signed.Add(-window), ""},
		{"2026-11-22 09:00:00", signed.In(time.FixedZone("far", -11*3600)), ""},
		{"2026-11-22 09:00:00", signed.Add(window + time.Nanosecond), "10m0s old"},
		{"2026-11-22 09:00:00", signed.Add(-window - time.Second), "10m1s in the future"},
		{"2026-11-22 01:00:00", signed, "8h0m0s old"}, // UTC on the wire
		{"2026-11-22 9:00:00", signed, "want yyyy-MM-dd"},
		{"2026-11-22 09:00:00{", signed, "want yyyy-MM-dd"},
		{"2026-11-22 09:00:00.0", signed, "want yyyy-MM-dd"},
		{" 2026-11-22 09:00:00", signed, "want yyyy-MM-dd"},
		{"2026-11-22T09:00:00", signed, "want yyyy-MM-dd"},
		{"1795309200000", signed, "want yyyy-MM-dd"},
		{"2026-02-30 09:00:00", signed, "want yyyy-MM-dd"},
		{"0001-01-01 08:00:00", signed, "want yyyy-MM-dd"},
		{"0001-01-02 08:00:00", signed, "old"},
		{"9999-12-31 23:59:59", signed, "in the future"},
		{"", signed, "want yyyy-MM-dd"},
	} {
		query := "timestamp=" + strings.NewReplacer(" ", "+", ":", "%3A", "{", "%7B").Replace(c.text)
		d, err := VerifyPush(mustSign(t, newPush(query, "text/plain", "x"), testSecret), testSecrets)
		if err != nil {
			t.Fatal(err)
		}
		err = d.CheckTime(c.now, window)
		if c.want == "" && err != nil || c.want != "" && (!errors.Is(err, ErrExpired) || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("timestamp %q at %v: %v, want %q", c.text, c.now, err, c.want)
		}
	}
	d := &Delivery{}
	if err := d.CheckTime(signed, window); !errors.Is(err, ErrExpired) || !strings.Contains(err.Error(), "no timestamp") {
		t.Errorf("no timestamp: %v", err)
	}
}

func TestPayload(t *testing.T) {
	t.Parallel()
	form := "application/x-www-form-urlencoded"
	for _, c := range []struct {
		name string
		push *Push
		want string
	}{
		{"text", newPush("a=1", "application/json", `{"eventType":103}`), `{"eventType":103}`},
		{"GBK", newPush("a=1", "application/json;charset=GBK", "{\"m\":\"\xd6\xd0\"}"), `{"m":"中"}`},
		{"empty", newPush(stdQuery, "application/json", ""), ""},
		// The official checker signs a push that has everything in its query.
		{"in the query", newPush("orderId=1&a=%22&orderId=2&v=2.0", "application/json", ""), `{"a":"\"","orderId":"2"}`},
		{"in the query of a form", newPush("orderId=1&v=2.0", form, ""), `{"orderId":"1"}`},
		{
			"form", newPush(stdQuery, form, `eventData=%7B%22a%22%3A%22%3C%26%3E%22%7D&orderId=1&v=2.0&orderId=2&session=s&timestamp=x&remark=%22%0A`),
			`{"eventData":"{\"a\":\"<&>\"}","orderId":"1","remark":"\"\n"}`,
		},
		{"signed value of the query", newPush("orderId=1&method=m", form, "orderId=2&eventType=103"), `{"orderId":"1","eventType":"103"}`},
	} {
		d, err := VerifyPush(mustSign(t, c.push, testSecret), testSecrets)
		if err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		got, err := d.Payload()
		if err != nil || string(got) != c.want {
			t.Errorf("%s: %s, %v; want %s", c.name, got, err, c.want)
		}
	}
	d, err := VerifyPush(mustSign(t, newPush(stdQuery, form, "v=2.0"), testSecret), testSecrets)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := d.Payload(); err == nil || !strings.Contains(err.Error(), "no field") {
		t.Errorf("form without fields: %q, %v", got, err)
	}
}
