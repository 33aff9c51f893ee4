package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// A listener is a "fliggy listen" that runs.
type listener struct {
	url    string
	lines  *bufio.Scanner
	status chan int
	stop   context.CancelFunc
	clock  atomic.Value // of func() time.Time
}

func startListen(t *testing.T, vars variables, args ...string) *listener {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	l := &listener{lines: bufio.NewScanner(out), status: make(chan int, 1), stop: cancel}
	vars["XDG_CONFIG_HOME"] = "/nonexistent"
	l.clock.Store(time.Now)
	go func() {
		l.status <- run(ctx, append([]string{"listen", "--addr", "127.0.0.1:0"}, args...), system{
			stdout: in, stderr: io.Discard, getenv: vars.get,
			now: func() time.Time { return l.clock.Load().(func() time.Time)() },
		})
		_ = in.Close()
	}()
	t.Cleanup(func() {
		cancel()
		for l.lines.Scan() {
		}
		http.DefaultClient.CloseIdleConnections()
	})
	if !l.lines.Scan() {
		t.Fatal("it did not start")
	}
	_, rest, _ := strings.Cut(l.lines.Text(), "http://")
	host, _, _ := strings.Cut(rest, "/")
	l.url = "http://" + host + "/any/path"
	return l
}

// next is the next push as JSON.
func (l *listener) next(t *testing.T) (a arrival) {
	t.Helper()
	if !l.lines.Scan() {
		t.Fatal("no line more")
	}
	noError(t, json.Unmarshal(l.lines.Bytes(), &a))
	return a
}

// TestListen shows what it is sent by "fliggy trigger".
func TestListen(t *testing.T) {
	t.Parallel()
	l := startListen(t, variables{}, "--json")
	for _, c := range []struct {
		args   []string
		status int
		want   arrival
	}{
		{[]string{"142"}, 0, arrival{
			Accepted: true, Reason: "accepted", Status: 200, EventType: 142, OrderID: "3104050285204362836",
			OutOrderID: "RC202212191604667539969978368", RenewalOrderID: "3187983531024266527",
			PayTradeNo: "202212191604667539969978368", Event: json.RawMessage(samples["142"]),
		}},
		{[]string{"103"}, 0, arrival{
			Accepted: true, Reason: "accepted", Status: 200, EventType: 103, OrderID: "3187983531024266527",
			OutOrderID: "761448761000000016108099", RenewalOrderID: "3187983531024266527",
			Event: json.RawMessage(samples["103"]),
		}},
		{[]string{"104"}, 0, arrival{
			Accepted: true, Reason: "accepted", Status: 200, EventType: 104, OrderID: "3104050285204362836",
			OutOrderID: "RC202212191604667539969978368", RenewalOrderID: "3187983531024266522",
			Event: json.RawMessage(samples["104"]),
		}},
		{[]string{"103"}, 0, arrival{ // once more
			Accepted: true, Reason: "accepted", Status: 200, EventType: 103, OrderID: "3187983531024266527", Repeat: true,
			OutOrderID: "761448761000000016108099", RenewalOrderID: "3187983531024266527",
			Event: json.RawMessage(samples["103"]),
		}},
		{[]string{"142", "--form", "--gbk"}, 0, arrival{ // in another form, and the same event
			Accepted: true, Reason: "accepted", Status: 200, EventType: 142, OrderID: "3104050285204362836", Repeat: true,
			OutOrderID: "RC202212191604667539969978368", RenewalOrderID: "3187983531024266527",
			PayTradeNo: "202212191604667539969978368",
		}},
		{[]string{"141", "--set-json", "eventData.reason=null"}, 0, arrival{
			Accepted: true, Reason: "accepted", Status: 200, EventType: 141, OrderID: "3104050285204362799",
			OutOrderID: "RC202301021122903550010007", PayTradeNo: "202301021122903550010007_141_1",
			Findings: []finding{{"eventData.reason", "is required"}},
		}},
		{[]string{"103", "--bad-signature"}, 1, arrival{
			Reason: "bad signature", Status: 200, Why: &explained{Cause: qimen.CauseSecret},
		}},
		{[]string{"103", "--unsigned"}, 1, arrival{
			Reason: "bad signature", Status: 200, Why: &explained{Cause: qimen.CauseMissing},
		}},
		{[]string{"103", "--late", "1h"}, 1, arrival{
			Reason: "expired", Status: 200, Event: json.RawMessage(samples["103"]),
			RenewalOrderID: "3187983531024266527", Why: &explained{Cause: qimen.CauseTimeZone, Parameter: "timestamp"},
		}},
		{[]string{"103", "--method", "x.y"}, 1, arrival{
			Reason: "unknown method", Status: 200, Event: json.RawMessage(samples["103"]),
			RenewalOrderID: "3187983531024266527", Why: &explained{},
		}},
	} {
		args := append([]string{"trigger", "--to", l.url}, c.args...)
		if got := fliggyCmd(t.Context(), variables{}, "", args...); got.status != c.status {
			t.Errorf("%v: %+v", c.args, got)
		}
		if got := l.next(t); cmp.Diff(c.want, got, cmpopts.EquateEmpty(),
			cmpopts.IgnoreFields(arrival{}, "Time", "DurationMS", "ContentType", "AppKey", "Method"),
			cmpopts.IgnoreFields(explained{}, "Reason"), cmpopts.IgnoreFields(finding{}, "Rule"), ignoreUnless(c.want)) != "" {
			t.Errorf("%v: %+v, why %+v", c.args, got, got.Why)
		}
	}
	l.stop()
	if status := <-l.status; status != statusNo {
		t.Errorf("exit status %d after bad pushes", status)
	}
}

// ignoreUnless leaves out the event where a test does not name it.
func ignoreUnless(want arrival) cmp.Option {
	if want.Event == nil {
		return cmpopts.IgnoreFields(arrival{}, "Event")
	}
	return cmp.Options{}
}

// TestListenAnswers answers as it is told, and stops after enough pushes.
func TestListenAnswers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		want string // of trigger
		code int
	}{
		"success": {nil, "accepted", 0},
		"refuse":  {[]string{"--answer", "refuse"}, "retCode refused", 1},
		"500":     {[]string{"--answer", "500"}, "HTTP 500", 1},
		"slow":    {[]string{"--answer", "slow", "--delay", "50ms"}, "accepted", 0},
	} {
		l := startListen(t, variables{}, append(c.args, "--count", "1")...)
		got := fliggyCmd(t.Context(), variables{}, "", "trigger", "103", "--to", l.url)
		if got.status != c.code || !strings.Contains(got.stdout, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
		text := ""
		for l.lines.Scan() {
			text += l.lines.Text() + "\n"
		}
		if status := <-l.status; status != 0 || !strings.Contains(text, "103 renewal accepted") ||
			!strings.Contains(text, "order      3187983531024266527") {
			t.Errorf("%s: status %d\n%s", name, status, text)
		}
	}
}

// TestListenSlow gives up when the sender does.
func TestListenSlow(t *testing.T) {
	t.Parallel()
	l := startListen(t, variables{}, "--answer", "slow", "--delay", "1h", "--json")
	// In less time a busy machine brings nothing there.
	got := fliggyCmd(t.Context(), variables{}, "", "trigger", "103", "--to", l.url, "--timeout", "3s")
	if got.status != statusNoAnswer || l.next(t).Accepted {
		t.Errorf("got %+v", got)
	}
}

// TestListenStops answers what it holds when it is stopped.
func TestListenStops(t *testing.T) {
	t.Parallel()
	arrived := make(chan struct{}, 100)
	l := startListen(t, variables{}, "--answer", "slow", "--delay", "1h", "--json")
	l.clock.Store(func() time.Time { // asked for the time once a push is here
		select {
		case arrived <- struct{}{}:
		default:
		}
		return time.Now()
	})
	done := make(chan result)
	go func() { done <- fliggyCmd(t.Context(), variables{}, "", "trigger", "104", "--to", l.url) }()
	<-arrived
	l.stop()
	if got := l.next(t); got.Reason != qimen.ReasonHandlerError {
		t.Errorf("got %+v", got)
	}
	if got := <-done; !strings.Contains(got.stdout, "HTTP 500") {
		t.Errorf("trigger: %+v", got)
	}
	if status := <-l.status; status != 0 {
		t.Errorf("status %d", status)
	}
}

// TestListenText names cause and parameter of what it refuses, and the signed text only if it is asked for.
func TestListenText(t *testing.T) {
	t.Parallel()
	for _, showText := range []bool{false, true} {
		l := startListen(t, variables{}, "--count", "3", fmt.Sprintf("--show-text=%t", showText))
		_ = fliggyCmd(t.Context(), variables{}, "", "trigger", "104", "--to", l.url, "--bad-signature")
		res, err := http.Get(l.url)
		noError(t, err)
		_ = res.Body.Close()
		_ = fliggyCmd(t.Context(), variables{}, "", "trigger", "104", "--to", l.url, "--set", "orderId=")
		text := ""
		for l.lines.Scan() {
			text += l.lines.Text() + "\n"
		}
		for _, want := range []string{
			"no event  bad signature, HTTP 200", "cause      secret", "why        no single mistake explains it",
			"bad HTTP method", "request    GET /any/path, no content type",
		} {
			if !strings.Contains(text, want) {
				t.Errorf("want %q in\n%s", want, text)
			}
		}
		if strings.Contains(text, "signed     app_key24700001") != showText ||
			strings.Contains(text, fliggytest.DefaultAppSecret) {
			t.Errorf("show text %t:\n%s", showText, text)
		}
	}
}

// TestListenForwards sends good pushes on byte for byte, lets nobody wait for that, and shows the answers.
func TestListenForwards(t *testing.T) {
	t.Parallel()
	secrets := qimen.Secrets{fliggytest.DefaultAppKey: {fliggytest.DefaultAppSecret}}
	came, answers := make(chan *qimen.Push, 100), make(chan func(http.ResponseWriter), 100)
	local := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != http.MethodPost || r.URL.Path != "/app" {
			t.Errorf("got %s %s", r.Method, r.URL)
		}
		came <- &qimen.Push{RawQuery: r.URL.RawQuery, Header: r.Header, Body: body}
		(<-answers)(w)
	}))
	defer local.Close()
	l := startListen(t, variables{}, "--json", "--forward", local.URL+"/app")
	gateway := fliggytest.NewGateway(fliggytest.WithOrigin("http://fliggy.invalid"))
	defer gateway.Close()
	gateway.PushTo(l.url)
	event, err := events.Parse([]byte(samples["104"]))
	noError(t, err)
	signed := fliggytest.Push{
		ContentType: "application/x-www-form-urlencoded;charset=GBK", Headers: map[string]string{"X-Shop": "a b"},
	}
	// The endpoint has answered none of them yet.
	for _, how := range []fliggytest.Push{{}, signed, {BadSignature: true}, {}} {
		res := gateway.Push(t.Context(), event, how)
		if res.Accepted == strings.Contains(string(res.Answer), "sign-check-failure") {
			t.Errorf("the sender got %v", res)
		}
		if !res.Accepted {
			if a := l.next(t); a.Forwarded != nil {
				t.Errorf("sent on: %+v", a)
			}
			continue
		}
		got := <-came
		if got.RawQuery != res.RawQuery || !bytes.Equal(got.Body, res.Body) {
			t.Errorf("got %s %s, want %s %s", got.RawQuery, got.Body, res.RawQuery, res.Body)
		}
		if _, err := qimen.VerifyPush(got, secrets); err != nil {
			t.Errorf("%s: %v", got.Header, err)
		}
	}
	for _, c := range []struct {
		answer  func(http.ResponseWriter)
		want    pushed
		verdict string
	}{
		{func(w http.ResponseWriter) { _, _ = io.WriteString(w, `{"success":"true"}`) },
			pushed{Status: 200, Answer: `{"success":"true"}`, Accepted: true}, ""},
		{func(w http.ResponseWriter) { w.WriteHeader(http.StatusBadGateway) }, pushed{Status: 502}, "look at its log"},
		{func(http.ResponseWriter) { panic(http.ErrAbortHandler) }, pushed{Error: "EOF"}, "no answer came: EOF"},
	} {
		answers <- c.answer
		a := l.next(t)
		if a.Forwarded == nil || !a.Accepted || !strings.Contains(a.Forwarded.Verdict, c.verdict) || cmp.Diff(c.want,
			*a.Forwarded, cmpopts.IgnoreFields(pushed{}, "DurationMS", "Verdict")) != "" {
			t.Errorf("got %+v, forwarded %+v", a, a.Forwarded)
		}
	}
	l.stop()
	if status := <-l.status; status != statusNo {
		t.Errorf("exit status %d after answers that say no", status)
	}
}

func TestListenThatCannotStart(t *testing.T) {
	t.Parallel()
	var lc net.ListenConfig
	busy, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	noError(t, err)
	defer func() { _ = busy.Close() }()
	for name, c := range map[string]struct {
		vars variables
		args []string
		want string
	}{
		"busy":   {nil, []string{"--addr", busy.Addr().String()}, "is in use"},
		"public": {nil, []string{"--addr", "0.0.0.0:0"}, "say --public"},
		"answer": {nil, []string{"--answer", "maybe"}, "success"},
		"count":  {nil, []string{"--count", "-1"}, "--count"},
		"delay":  {nil, []string{"--delay", "0s"}, "--delay"},
		"no URL": {nil, []string{"--forward", "localhost:80", "--addr", "127.0.0.1:0"}, "--forward: want an absolute URL"},
		"query":  {nil, []string{"--forward", "http://h/?a=1", "--addr", "127.0.0.1:0"}, "without a query"},
		"loop":   {nil, []string{"--forward", "http://localhost:18099/x", "--addr", "127.0.0.1:18099"}, "listens itself"},
		"secret": {variables{"FLIGGY_APP_KEY": "5"}, nil, "no app secret"},
		"blank":  {variables{"FLIGGY_APP_SECRET": " x"}, nil, "white space"},
	} {
		if c.vars == nil {
			c.vars = variables{}
		}
		c.vars["XDG_CONFIG_HOME"] = "/nonexistent"
		got := fliggyCmd(t.Context(), c.vars, "", append([]string{"listen"}, c.args...)...)
		if got.status != statusUsage || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
