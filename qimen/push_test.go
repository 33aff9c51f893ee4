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
	client.Header.Set("top-sign-list", strings.Repeat("content-length,", maxParams+5)+"x")
	if p, err := ReadPush(nil, client, 5); err != nil || len(p.Header) != 1 {
		t.Errorf("endless list: %v, %v", p, err)
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
