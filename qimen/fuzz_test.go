package qimen

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"
)

func FuzzVerifyPush(f *testing.F) {
	for _, c := range [][5]string{
		{stdQuery + "&sign=x", "application/json;charset=UTF-8", "", "", `{"eventType":103}`},
		{"=x&&a=1&a=b=c&d==&e&sign=", "application/x-www-form-urlencoded", "x-u,,x-v", "%E5%BC%A0+1", "a=2&e=3&f=%E4%B8&=&g"},
		{"a=%D6%D0&b=%80", "text/xml;charset=gbk", "X-U", "%D6%D0", "\xd6\xd0\xa2\xe3\x80"},
		{"%61=%zz", "text/plain; charset=gb18030", "sign", "x", "\x94\x39\xe4\x37"},
		{"%EE%80%80=1&%F0%9F%94%91=2", "application/xml;charset=utf8", " x-u", "", "\xed\xa0\x80\xf0\x9f"},
	} {
		f.Add(c[0], c[1], c[2], c[3], []byte(c[4]), true)
	}
	f.Fuzz(func(t *testing.T, query, contentType, signList, header string, body []byte, sign bool) {
		p := newPush(query, contentType, string(body), "top-sign-list", signList, "x-u", header)
		if sign {
			if signed, err := SignPush(p, testSecret); err == nil {
				p = signed
			}
		}
		d, err := VerifyPush(p, testSecrets)
		if err != nil {
			if !errors.Is(err, ErrInvalidSignature) || d != nil {
				t.Fatalf("%v, %v", d, err)
			}
			return
		}
		if !referenceAccepts(p, testSecret) {
			t.Fatalf("accepted what the reference refuses: %q %q %q %q %q", p.RawQuery, contentType, signList, header, body)
		}
		if _, ok := d.Params["sign"]; ok {
			t.Fatal("Params has the signature")
		}
		_ = d.CheckTime(time.Now(), time.Minute)
		if payload, err := d.Payload(); err == nil && !d.IsForm && string(payload) != d.Text {
			t.Fatalf("payload %q, text %q", payload, d.Text)
		}
	})
}

func FuzzHandler(f *testing.F) {
	f.Add("POST", eventQuery, jsonType, []byte(event103), true)
	f.Add("POST", eventQuery, formPrefix, []byte("eventType=103&orderId=1&eventData=%7B%7D"), true)
	f.Add("POST", eventQuery+"&sign=6A82D904739F1E857F707FBB8065F0AF", "text/xml;charset=GBK", []byte("<a/>"), false)
	f.Add("GET", eventQuery, "multipart/form-data", []byte{}, false)
	for _, name := range []string{"event-104.json", "event-142.json"} {
		f.Add("POST", eventQuery, jsonType, readFile(f, "samples/"+name), true)
	}
	f.Fuzz(func(t *testing.T, method, query, contentType string, body []byte, sign bool) {
		var s seen
		h := s.handler(t)
		p := newPush(query, contentType, string(body))
		if sign {
			if signed, err := SignPush(p, testSecret); err == nil {
				p = signed
			}
		}
		r := httptest.NewRequest(http.MethodPost, "/", bytes.NewReader(p.Body))
		r.Method, r.URL.RawQuery, r.Header = method, p.RawQuery, p.Header
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if len(s.observed) != 1 || s.observed[0].Status != w.Code {
			t.Fatalf("observed %+v, reply %d", s.observed, w.Code)
		}
		var reply struct{ Success any }
		if err := json.Unmarshal(w.Body.Bytes(), &reply); err != nil {
			t.Fatalf("reply %s: %v", w.Body, err)
		}
		if reply.Success == true || s.calls > 0 {
			if !referenceAccepts(p, testSecret) || method != http.MethodPost {
				t.Fatalf("accepted: %s %q %q %q", method, p.RawQuery, contentType, body)
			}
		}
		if s.observed[0].Reason == ReasonPanic {
			t.Fatalf("panic: %v", s.observed[0].Err)
		}
		if direct := h.Handle(t.Context(), p); method == http.MethodPost && !bytes.Equal(direct.Body, w.Body.Bytes()) {
			t.Fatalf("Handle answers %s, ServeHTTP %s", direct.Body, w.Body)
		}
	})
}
