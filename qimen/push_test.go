package qimen

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/events"
)

func TestReadPush(t *testing.T) {
	t.Parallel()
	p := newPush(
		"a=%zz&b", jsonType, "hello", "top-sign-list", "x-u,Host,,x-none", "x-u", "1", "cookie", "session=1", "authorization",
		"x",
	)
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
	if p, err := ReadPush(
		nil, brokenRequest(newPush("a=1", jsonType, "")), 5,
	); err == nil || errors.Is(err, ErrBodyTooLarge) || p != nil {
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
		"long list": {
			[2]string{"top-sign-list", strings.Repeat("x", DefaultHeaderLimit+1)}, "a=1", ReasonUnverifiable, "65536",
		},
		"many names": {
			[2]string{"top-sign-list", strings.Repeat("x,", maxParams) + "x"}, "a=1", ReasonUnverifiable, "10000",
		},
		"one name, again and again": {
			[2]string{"top-sign-list", strings.Repeat("content-type,", 4000)}, "a=1", ReasonUnverifiable, "65536",
		},
		"long query": {
			[2]string{"x-u", "1"}, "a=" + strings.Repeat("1", DefaultHeaderLimit), ReasonUnverifiable, "65536",
		},
		"gzip": {
			[2]string{"content-encoding", "gzip"}, "a=1", ReasonContentType, `"gzip": compressed bodies are not supported`,
		},
		"identity and gzip": {
			[2]string{"content-encoding", "identity, gzip"}, "a=1", ReasonContentType, "not supported",
		},
		"long encoding": {
			[2]string{"content-encoding", strings.Repeat("x", 5000)}, "a=1", ReasonContentType, "not supported",
		},
	} {
		r := brokenRequest(newPush(c.query, jsonType, "", c.header[0], c.header[1]))
		p, err := ReadPush(nil, r, 5)
		if p != nil || !errors.Is(
			err, ErrInvalidSignature,
		) || reasonOf(err) != c.reason || !strings.Contains(err.Error(), c.text) || len(err.Error()) > 250 {
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
	p := &Push{
		RawQuery: "a=1", Body: []byte("x"),
		Header: http.Header{
			"content-type": {"text/plain"}, "TOP-SIGN-LIST": {"x-U"}, "Top-Sign-List": {}, "X-u": {"1"}, "x-empty": nil,
		},
	}
	d, err := VerifyPush(mustSign(t, p, testSecret), testSecrets)
	if err != nil || d.Params["x-U"] != "1" {
		t.Errorf("%v, %v", d, err)
	}
}

// Middleware that reads the body before the handler does.
var bodyReaders = map[string]struct {
	middleware func(*http.Request)
	keepsForm  bool
}{
	"ParseForm": {func(r *http.Request) { _ = r.ParseForm() }, true},
	"FormValue": {func(r *http.Request) { _ = r.FormValue("orderId") }, true},
	"logger":    {func(r *http.Request) { _, _ = io.ReadAll(r.Body) }, false},
	"logger that closes": {func(r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		_ = r.Body.Close()
	}, false},
	"logger that leaves no body": {func(r *http.Request) {
		_, _ = io.ReadAll(r.Body)
		r.Body = http.NoBody
	}, false},
	"logger of the beginning": {func(r *http.Request) { _, _ = io.ReadFull(r.Body, make([]byte, 10)) }, false},
	"logger that puts it back": {func(r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
	}, true},
	"ParseForm that puts it back": {func(r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		_ = r.ParseForm()
		r.Body = io.NopCloser(bytes.NewReader(body))
	}, true},
}

const eventForm = "channelId=80001&orderId=31&outOrderId=%D6%D0%B9%FA+%40a&orderId=32&eventType=103&a=%3D%26%25%2B&e" +
	"mpty&" +
	"eventData=%7B%22renewalOrderId%22%3A7%2C%22createdTime%22%3A%222026-11-22+09%3A00%3A00%22%7D"

// A push whose body something has read before the handler is verified where the form that was parsed is still there.
// Otherwise the reason says what is wrong, and it is not the secret.
func TestBodyReadBeforeTheHandler(t *testing.T) {
	t.Parallel()
	for name, c := range bodyReaders {
		for kind, p := range map[string]*Push{
			"JSON":       newPush(eventQuery, jsonType, event103),
			"GBK form":   newPush(eventQuery, formPrefix+";charset=GBK", eventForm),
			"UTF-8 form": newPush(eventQuery, formPrefix, strings.Replace(eventForm, "%D6%D0%B9%FA", "%E4%B8%AD%E5%9B%BD", 1)),
			"raw form": newPush(
				eventQuery, formPrefix+";charset=GBK", strings.Replace(eventForm, "%D6%D0%B9%FA", "\xd6\xd0\xb9\xfa", 1),
			),
			"half a pair": newPush(eventQuery, formPrefix+";charset=GBK", strings.Replace(eventForm, "%D6%D0", "%81%40", 1)),
		} {
			p = mustSign(t, p, testSecret)
			for _, isChunked := range []bool{false, true} {
				for _, isForged := range []bool{false, true} {
					var f office
					h := f.handler(t)
					server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
						c.middleware(r)
						h.ServeHTTP(w, r)
					}))
					var body io.Reader = bytes.NewReader(p.Body)
					if isChunked {
						body = io.MultiReader(body)
					}
					query := p.RawQuery
					if isForged {
						query = strings.Replace(query, "sign=", "sign=0", 1)
					}
					r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/?"+query, body)
					if err != nil {
						t.Fatal(err)
					}
					r.Header = p.Header.Clone()
					resp, err := server.Client().Do(r)
					if err != nil {
						t.Fatal(err)
					}
					reply, _ := io.ReadAll(resp.Body)
					_ = resp.Body.Close()
					server.Close()

					isForm := kind != "JSON"
					isThere := c.keepsForm || !isForm && strings.HasPrefix(name, "Form") // FormValue reads no JSON
					isThere = isThere || !isForm && name == "ParseForm"
					o := f.last()
					where := name + ", " + kind
					switch {
					case isThere && !isForged:
						if o.Reason != ReasonAccepted || string(reply) != bodyAccepted || f.count() != 1 {
							t.Errorf("%s, chunked %t: %s, observed %+v", where, isChunked, reply, o)
						} else if isForm && f.runs[0].Message.(events.Event).Head().OrderID != "31" {
							t.Errorf("%s: %+v", where, f.runs[0].Message)
						}
					case isThere && !isForm || strings.Contains(name, "puts it back"):
						if o.Reason != ReasonBadSignature || string(reply) != bodyBadSignature {
							t.Errorf("%s, chunked %t, forged: %s, observed %+v", where, isChunked, reply, o)
						}
					case isChunked && name == "logger of the beginning": // a body of unknown length, of which some is left
						if o.Reason != ReasonBadSignature || string(reply) != bodyBadSignature {
							t.Errorf("%s, chunked: %s, observed %+v", where, reply, o)
						}
					default:
						if o.Reason != ReasonBodyRead || string(reply) != bodyBadSignature || f.count() != 0 ||
							!errors.Is(o.Err, ErrInvalidSignature) || !strings.Contains(
							o.Err.Error(), "something read the body before the handler",
						) {
							t.Errorf("%s, chunked %t, forged %t: %s, observed %+v", where, isChunked, isForged, reply, o)
						}
					}
				}
			}
		}
	}
}

// Without the handler, too: ReadPush gives what still can be verified, or says what is wrong.
func TestReadPushAfterParseForm(t *testing.T) {
	t.Parallel()
	p := mustSign(t, newPush(eventQuery, formPrefix, "orderId=1&orderId=2&a="), testSecret)
	r := request(p)
	if err := r.ParseForm(); err != nil {
		t.Fatal(err)
	}
	got, err := ReadPush(nil, r, DefaultBodyLimit)
	if err != nil {
		t.Fatal(err)
	}
	if d, err := VerifyPush(got, testSecrets); err != nil || d.Params["orderId"] != "1" {
		t.Errorf("%+v, %v", d, err)
	}
	r.PostForm = url.Values{"orderId": {"2"}}
	if got, err = ReadPush(nil, r, DefaultBodyLimit); err != nil {
		t.Fatal(err)
	}
	if _, err := VerifyPush(got, testSecrets); !errors.Is(err, ErrInvalidSignature) {
		t.Errorf("another form: %v", err)
	}
	r.PostForm = nil
	if _, err := ReadPush(
		nil, r, DefaultBodyLimit,
	); !errors.Is(err, ErrInvalidSignature) || reasonOf(err) != ReasonBodyRead {
		t.Errorf("no form: %v", err)
	}
}

// A form that was parsed has at most the size that a body may have.
func TestParsedFormTooLarge(t *testing.T) {
	t.Parallel()
	p := mustSign(t, newPush(eventQuery, formPrefix, "orderId="+strings.Repeat("1", 5000)), testSecret)
	var f office
	h := f.handler(t, WithBodyLimit(1000))
	r := chunked(request(p))
	if err := r.ParseForm(); err != nil {
		t.Fatal(err)
	}
	if h.ServeHTTP(httptest.NewRecorder(), r); f.last().Reason != ReasonTooLarge {
		t.Errorf("observed %+v", f.last())
	}
	r = r.WithContext(context.Background())
	if _, err := ReadPush(nil, r, 1000); !errors.Is(err, ErrBodyTooLarge) {
		t.Errorf("ReadPush: %v", err)
	}
}
