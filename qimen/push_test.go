package qimen

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadPush(t *testing.T) {
	t.Parallel()
	p := newPush("a=%zz&b", jsonType, "hello", "top-sign-list", "x-u,Host,,x-none", "x-u", "1", "cookie", "session=1", "authorization", "x")
	r := request(p)
	r.Header.Add("x-u", "2")
	got, err := ReadPush(nil, r, 5)
	if err != nil {
		t.Fatal(err)
	}
	want := &Push{RawQuery: "a=%zz&b", Body: []byte("hello"), Header: http.Header{
		"Content-Type": {jsonType}, "Top-Sign-List": {"x-u,Host,,x-none"}, "X-U": {"1", "2"}, "Host": {"example.com"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}

	for name, r := range map[string]*http.Request{
		"declared": request(newPush("a=1", jsonType, "123456")),
		"chunked":  chunked(request(newPush("a=1", jsonType, "123456"))),
	} {
		if p, err := ReadPush(httptest.NewRecorder(), r, 5); !errors.Is(err, ErrBodyTooLarge) || p != nil {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
	if p, err := ReadPush(nil, brokenRequest(newPush("a=1", jsonType, "")), 5); err == nil || errors.Is(err, ErrBodyTooLarge) || p != nil {
		t.Errorf("broken: %v, %v", p, err)
	}
	for _, limit := range []int64{0, -1} {
		if _, err := ReadPush(nil, request(p), limit); err == nil || !strings.Contains(err.Error(), "limit") {
			t.Errorf("limit %d: %v", limit, err)
		}
	}
	client, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://x/?a=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	if p, err := ReadPush(nil, client, 5); err != nil || p.Body != nil || p.RawQuery != "a=1" {
		t.Errorf("no body: %v, %v", p, err)
	}
}

// What cannot be verified is refused before its body is read.
func TestReadPushRefusesHead(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		header [2]string
		query  string
		reason Reason
		text   string
	}{
		"long list":                 {[2]string{"top-sign-list", strings.Repeat("x", DefaultHeaderLimit+1)}, "a=1", ReasonUnverifiable, "65536"},
		"many names":                {[2]string{"top-sign-list", strings.Repeat("x,", maxParams) + "x"}, "a=1", ReasonUnverifiable, "10000"},
		"one name, again and again": {[2]string{"top-sign-list", strings.Repeat("content-type,", 4000)}, "a=1", ReasonUnverifiable, "65536"},
		"long query":                {[2]string{"x-u", "1"}, "a=" + strings.Repeat("1", DefaultHeaderLimit), ReasonUnverifiable, "65536"},
		"gzip":                      {[2]string{"content-encoding", "gzip"}, "a=1", ReasonContentType, `"gzip": bodies are never inflated`},
		"identity and gzip":         {[2]string{"content-encoding", "identity, gzip"}, "a=1", ReasonContentType, "never inflated"},
		"long encoding":             {[2]string{"content-encoding", strings.Repeat("x", 5000)}, "a=1", ReasonContentType, "never inflated"},
	} {
		r := brokenRequest(newPush(c.query, jsonType, "", c.header[0], c.header[1]))
		p, err := ReadPush(nil, r, 5)
		if p != nil || !errors.Is(err, ErrInvalidSignature) || reasonOf(err) != c.reason || !strings.Contains(err.Error(), c.text) || len(err.Error()) > 250 {
			t.Errorf("%s: %v, %v", name, p, err)
		}
	}
	for _, encoding := range []string{"", " ", "identity", "Identity "} {
		r := request(newPush("a=1", jsonType, "12345", "content-encoding", encoding))
		if p, err := ReadPush(nil, r, 5); err != nil || string(p.Body) != "12345" || len(p.Header) != 1 {
			t.Errorf("content encoding %q: %v, %v", encoding, p, err)
		}
	}
	r := request(newPush("a=1", jsonType, ""))
	r.Header["Content-Encoding"] = []string{"identity", "br"}
	if p, err := ReadPush(nil, r, 5); err == nil {
		t.Errorf("two content encodings: %v", p)
	}
}

func chunked(r *http.Request) *http.Request {
	r.ContentLength = -1
	return r
}

// A push made by hand may spell its headers as it likes.
func TestHeaderSpelling(t *testing.T) {
	t.Parallel()
	p := &Push{RawQuery: "a=1", Body: []byte("x"), Header: http.Header{"content-type": {"text/plain"}, "TOP-SIGN-LIST": {"x-U"}, "X-u": {"1"}, "x-empty": nil}}
	d, err := VerifyPush(mustSign(t, p, testSecret), testSecrets)
	if err != nil || d.Params["x-U"] != "1" {
		t.Errorf("%v, %v", d, err)
	}
}
