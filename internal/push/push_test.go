package push

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
	"github.com/fliggy-go/rentcar/qimen"
)

const appKey, secret = "24700001", "0123456789abcdef"

var secrets = qimen.Secrets{appKey: {secret}, "1": {secret}}

var now = time.Date(2023, 2, 1, 7, 40, 52, 0, time.UTC)

func sender(to Target) *Sender {
	return &Sender{
		To: to, AppKey: appKey, Secret: func() string { return secret }, Now: func() time.Time { return now },
		Timeout: time.Minute, Client: NewClient(nil),
	}
}

func TestSign(t *testing.T) {
	t.Parallel()
	to, err := To("https://example.com/push?tenant=7#part")
	if err != nil {
		t.Fatal(err)
	}
	shape := &Shape{
		Params: map[string]string{"app_key": "1", "customerId": "a b"}, Headers: map[string]string{"X-Cn": "中"},
	}
	p, err := sender(to).Sign("qimen.x", shape, []byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	query, err := url.ParseQuery(p.RawQuery)
	if err != nil || query.Get("sign") == "" {
		t.Fatalf("%v, query %s", err, p.RawQuery)
	}
	query.Del("sign")
	query.Del("sign_method")
	want := url.Values{
		"tenant": {"7"}, "app_key": {"1"}, "method": {"qimen.x"}, "timestamp": {"2023-02-01 15:40:52"}, "customerId": {"a b"},
	}
	if diff := cmp.Diff(want, query); diff != "" {
		t.Errorf("query (-want +got):\n%s", diff)
	}
	if p.Header.Get("X-Cn") != "%E4%B8%AD" || p.Header.Get(
		"top-sign-list",
	) != "X-Cn" || p.Header.Get("Content-Type") != DefaultContentType {
		t.Errorf("header %v", p.Header)
	}
	if _, err := qimen.VerifyPush(p, secrets); err != nil {
		t.Errorf("the signature: %v", err)
	}
	for name, wrong := range map[string]Shape{
		"bad signature": {BadSignature: true},
		"unsigned":      {Unsigned: true},
	} {
		p, err := sender(to).Sign("qimen.x", &wrong, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := qimen.VerifyPush(p, secrets); err == nil || strings.Contains(p.RawQuery, "sign=") == wrong.Unsigned {
			t.Errorf("%s: %v, query %s", name, err, p.RawQuery)
		}
	}
	at := now.Add(-time.Hour)
	if p, err := sender(to).Sign(
		"m", &Shape{SignedAt: at}, nil,
	); err != nil || !strings.Contains(p.RawQuery, "14%3A40%3A52") {
		t.Errorf("signed an hour ago: %v, %+v", err, p)
	}
}

// send sends a push and returns what became of every time.
func send(ctx context.Context, s *Sender, shape *Shape) (all []Result) {
	p := &qimen.Push{RawQuery: "sign=1", Header: http.Header{}, Body: []byte("{}")}
	s.Send(ctx, p, shape, func(r Result) { all = append(all, r) })
	return all
}

func TestSend(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		status   int
		body     string
		accepted bool
	}{
		"boolean":          {200, `{"success":true}`, true},
		"text":             {200, `{"success":"true"}`, true},
		"no":               {200, `{"success":false}`, false},
		"not JSON":         {200, `success`, false},
		"yes with another": {201, `{"success":true}`, false},
	} {
		s := sender(ToHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, c.body)
		})))
		want := Result{Status: c.status, Body: []byte(c.body), Accepted: c.accepted}
		for times, all := range map[int][]Result{-1: {want}, 0: {want}, 3: {want, want, want}} {
			if diff := cmp.Diff(all, send(t.Context(), s, &Shape{Times: times})); diff != "" {
				t.Errorf("%s, %d times (-want +got):\n%s", name, times, diff)
			}
		}
	}
}

func TestTimeout(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := sender(ToHandler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })))
		for want, shape := range map[time.Duration]Shape{
			time.Minute: {}, time.Hour: {Timeout: time.Hour}, time.Second: {Timeout: time.Second},
		} {
			begin := time.Now()
			res := send(t.Context(), s, &shape)
			if !errors.Is(res[0].Err, context.DeadlineExceeded) || time.Since(begin) != want {
				t.Errorf("after %v, want %v: %+v", time.Since(begin), want, res)
			}
		}
	})
}

// An error names neither the URL, which carries the signature, nor a header that repeats it.
func TestErrorsWithoutURL(t *testing.T) {
	t.Parallel()
	cause := errors.New("connection refused")
	if err := withoutURL(
		&url.Error{Op: "Post", URL: "http://x/?sign=1", Err: cause},
	); !errors.Is(err, cause) || err.Error() != cause.Error() {
		t.Errorf("got %v", err)
	}
	err := withoutURL(
		&url.Error{Op: "Post", URL: "http://x", Err: errors.New(`failed to parse Location header "http://%zz?sign=1": x`)},
	)
	if err.Error() != "failed to parse Location header" {
		t.Errorf("got %v", err)
	}
	over, cancel := context.WithCancel(t.Context())
	cancel()
	to, _ := To("http://127.0.0.1:1/")
	if res := send(over, sender(to), &Shape{}); !errors.Is(
		res[0].Err, context.Canceled,
	) || strings.Contains(res[0].Err.Error(), "sign") {
		t.Errorf("got %v", res)
	}
}
