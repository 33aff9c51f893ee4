package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// An endpoint is one of a distributor, which keeps what it has got.
type endpoint struct {
	*httptest.Server
	mu     sync.Mutex
	events []events.Event
	header http.Header
}

func newEndpoint(t testing.TB) *endpoint {
	t.Helper()
	p := &endpoint{}
	h, err := qimen.NewHandler(
		qimen.Secrets{fliggytest.DefaultAppKey: {fliggytest.DefaultAppSecret}}, qimen.WithoutGate(),
		qimen.OnEvent(func(_ context.Context, d *qimen.Delivery, e events.Event) error {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.events, p.header = append(p.events, e), d.Push.Header
			if e.Head().OrderID == "1" {
				return qimen.Refuse("no-such-order", "no such order")
			}
			return nil
		}))
	noError(t, err)
	p.Server = httptest.NewServer(h)
	t.Cleanup(p.Close)
	return p
}

// answering is an endpoint that answers always the same.
func answering(t testing.TB, status int, body string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", "/")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestTrigger pushes each event in each form to an endpoint that checks it.
func TestTrigger(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "event.json")
	noError(t, os.WriteFile(file, []byte(`{"eventType":999,"orderId":"5"}`), 0o600))
	for name, c := range map[string]struct {
		args   []string
		stdin  string
		status int
		count  int
		want   string // of the output
		holds  string // of the last event
	}{
		"103":           {[]string{"103"}, "", 0, 1, "accepted", `"eventType":103`},
		"104":           {[]string{"104"}, "", 0, 1, "accepted", "商家接单失败"},
		"141":           {[]string{"141"}, "", 0, 1, "accepted", "提前还车退款"},
		"142":           {[]string{"142"}, "", 0, 1, "accepted", `"amount":"200.98"`},
		"set":           {[]string{"142", "--set", "eventData.amount=12.50"}, "", 0, 1, "accepted", `"amount":"12.50"`},
		"set comma":     {[]string{"142", "--set", "eventData.reason=a,b"}, "", 0, 1, "accepted", `"reason":"a,b"`},
		"form":          {[]string{"104", "--form"}, "", 0, 1, "accepted", "商家接单失败"},
		"form GBK":      {[]string{"104", "--form", "--gbk"}, "", 0, 1, "accepted", "商家接单失败"},
		"GBK":           {[]string{"104", "--gbk"}, "", 0, 1, "accepted", "商家接单失败"},
		"raw":           {[]string{"raw", "--file", file}, "", 0, 1, "accepted", `"eventType":999`},
		"stdin":         {[]string{"raw", "--file", "-"}, `{"eventType":998,"orderId":"5"}`, 0, 1, "accepted", `998`},
		"repeat":        {[]string{"103", "--repeat", "3"}, "", 0, 3, "3 of 3", "103"},
		"late":          {[]string{"103", "--late", "20m"}, "", 1, 0, "invalid-timestamp", ""},
		"soon enough":   {[]string{"103", "--late", "5m"}, "", 0, 1, "accepted", ""},
		"bad signature": {[]string{"103", "--bad-signature"}, "", 1, 0, "your endpoint says so", ""},
		"unsigned":      {[]string{"103", "--unsigned"}, "", 1, 0, "your endpoint says so", ""},
		"method":        {[]string{"103", "--method", "x.y"}, "", 1, 0, "unknown-method", ""},
		"refused":       {[]string{"104", "--set", "orderId=1"}, "", 1, 1, "no-such-order", ""},
		"not JSON":      {[]string{"raw", "--file", "-"}, `x`, 1, 0, "not accepted", ""},
	} {
		p := newEndpoint(t)
		got := fliggyCmd(t.Context(), variables{"FLIGGY_PUSH_TO": p.URL}, c.stdin, append([]string{"trigger"}, c.args...)...)
		if got.status != c.status || !strings.Contains(got.stdout, c.want) || len(p.events) != c.count {
			t.Errorf("%s: %+v, %d events; want status %d, %q, %d events", name, got, len(p.events), c.status, c.want, c.count)
			continue
		}
		if c.count > 0 && !strings.Contains(string(p.events[c.count-1].Raw()), c.holds) {
			t.Errorf("%s: the event is %s", name, p.events[c.count-1].Raw())
		}
	}
}

// TestTriggerForm looks at what --form and --gbk declare.
func TestTriggerForm(t *testing.T) {
	t.Parallel()
	p := newEndpoint(t)
	got := fliggyCmd(t.Context(), variables{}, "", "trigger", "104", "--to", p.URL, "--form", "--gbk")
	if want := "application/x-www-form-urlencoded;charset=GBK"; got.status != 0 || p.header.Get("Content-Type") != want {
		t.Errorf("%+v, content type %q", got, p.header.Get("Content-Type"))
	}
}

// TestTriggerVerdicts reads what endpoints answer.
func TestTriggerVerdicts(t *testing.T) {
	t.Parallel()
	const bad = `{"success":"false","retMessage":"Illegal request","retCode":"sign-check-failure"}`
	for name, c := range map[string]struct {
		code   int
		body   string
		args   []string
		status int
		want   string
	}{
		"yes":              {200, `{"success":true}`, nil, 0, "accepted\n"},
		"yes as text":      {200, `{"success":"true"}`, nil, 0, "accepted\n"},
		"no check":         {200, `{"success":true}`, []string{"--unsigned"}, 0, "does your endpoint check signatures?"},
		"no time check":    {200, `{"success":true}`, []string{"--late=-1h"}, 0, "does your endpoint check timestamps?"},
		"wrong secret":     {200, bad, nil, 1, "does it have the secret of app 24700001?"},
		"refused":          {200, `{"success":false,"retCode":7}`, nil, 1, "retCode 7, retMessage none"},
		"HTTP status":      {500, `{"success":true}`, nil, 1, "refuses it"},
		"failure":          {500, `oops`, nil, 1, "look at its log"},
		"redirect":         {302, ``, nil, 1, "a redirect is not followed"},
		"path":             {404, `404 page not found`, nil, 1, "is the path right?"},
		"login":            {403, ``, nil, 1, "is there a login"},
		"method":           {405, ``, nil, 1, "a POST of JSON"},
		"status":           {201, ``, nil, 1, "wants HTTP status 200"},
		"text":             {200, `ok`, nil, 1, "a JSON object such as"},
		"no flag":          {200, `{}`, nil, 1, `no "success": true`},
		"control sequence": {200, "\x1b[2J\u009b", nil, 1, "HTTP 200 in"},
	} {
		to := answering(t, c.code, c.body)
		got := fliggyCmd(t.Context(), variables{}, "", append([]string{"trigger", "103", "--to", to}, c.args...)...)
		if got.status != c.status || !strings.Contains(got.stdout, c.want) || strings.ContainsAny(got.stdout, "\x1b\u009b") {
			t.Errorf("%s: %+v; want %q", name, got, c.want)
		}
	}
}

func TestTriggerNoAnswer(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.NotFoundHandler())
	s.Close()
	got := fliggyCmd(t.Context(), variables{}, "", "trigger", "103", "--to", s.URL)
	if got.status != statusNoAnswer || !strings.Contains(got.stdout, "connection refused") ||
		!strings.Contains(got.stdout, "Is the endpoint running") {
		t.Errorf("got %+v", got)
	}
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	defer slow.Close()
	defer close(release)
	got = fliggyCmd(t.Context(), variables{}, "", "trigger", "103", "--to", slow.URL, "--timeout", "20ms")
	if got.status != statusNoAnswer {
		t.Errorf("timeout: %+v", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got = fliggyCmd(ctx, variables{}, "", "trigger", "103", "--to", slow.URL); got.status != statusInterrupted {
		t.Errorf("interrupted: %+v", got)
	}
}

func TestTriggerAsJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 12, 1, 10, 0, 0, 0, time.UTC)
	to := answering(t, 200, `{"success":true}`)
	var out strings.Builder
	status := run(t.Context(), []string{"trigger", "103", "--to", to, "--json", "--repeat", "2"}, system{
		stdout: &out, stderr: io.Discard, getenv: variables{"XDG_CONFIG_HOME": "/nonexistent"}.get,
		now: func() time.Time { return at },
	})
	var got triggered
	if err := json.Unmarshal([]byte(out.String()), &got); err != nil || status != 0 {
		t.Fatalf("%v, status %d: %s", err, status, out.String())
	}
	one := pushed{Status: 200, Answer: `{"success":true}`, Accepted: true}
	want := triggered{To: to, Accepted: true, Event: json.RawMessage(samples["103"]), Pushes: []pushed{one, one}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTriggerThatIsWrong(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string
	}{
		"no event":    {nil, `"<event>"`},
		"unknown":     {[]string{"105", "--to", "http://h/"}, "there are 103, 104, 141, 142, and raw"},
		"no target":   {[]string{"103"}, "FLIGGY_PUSH_TO"},
		"target":      {[]string{"103", "--to", "here"}, "absolute URL"},
		"query":       {[]string{"103", "--to", "http://h/?a=%zz"}, "--to: its query is not percent-encoded"},
		"timeout":     {[]string{"103", "--to", "http://h/", "--timeout", "0"}, "--timeout: want"},
		"raw":         {[]string{"raw", "--to", "http://h/"}, "--file"},
		"file":        {[]string{"103", "--to", "http://h/", "--file", "x"}, "--file is for raw"},
		"no file":     {[]string{"raw", "--to", "http://h/", "--file", "/no/such"}, "no such file"},
		"set":         {[]string{"103", "--to", "http://h/", "--set", "x"}, "PATH=VALUE"},
		"repeat":      {[]string{"103", "--to", "http://h/", "--repeat", "0"}, "--repeat"},
		"late":        {[]string{"103", "--to", "http://h/", "--late", "soon"}, "--late"},
		"form":        {[]string{"raw", "--to", "http://h/", "--file", "-", "--form"}, "this is none"},
		"set no JSON": {[]string{"raw", "--to", "http://h/", "--file", "-", "--set", "a=b"}, "-: "},
	} {
		got := fliggyCmd(t.Context(), variables{}, "not an event", append([]string{"trigger"}, c.args...)...)
		if got.status != statusUsage || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%s: %+v; want %q", name, got, c.want)
		}
	}
}
