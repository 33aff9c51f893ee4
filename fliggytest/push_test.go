package fliggytest

import (
	"bytes"
	"context"
	"crypto/md5"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/charset"
	"github.com/fliggy-go/rentcar/qimen"
)

// arrival is a push as it arrived, and the signature that it should have, computed
// here from the description of the protocol.
type arrival struct {
	query url.Values
	body  []byte
	want  string
}

// recorder keeps pushes and answers as it is told.
type recorder struct {
	secret   string
	status   int
	answer   string
	arrivals chan arrival
}

func (c *recorder) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	query, _ := url.ParseQuery(r.URL.RawQuery)
	names := make([]string, 0, len(query))
	for name := range query {
		if name != "sign" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	text := c.secret
	for _, name := range names {
		text += name + query.Get(name)
	}
	text += string(body) + c.secret
	c.arrivals <- arrival{query, body, fmt.Sprintf("%X", md5.Sum([]byte(text)))}
	w.WriteHeader(c.status)
	_, _ = io.WriteString(w, c.answer)
}

func newRecorder(g *Gateway) *recorder {
	return &recorder{g.AppSecret(), http.StatusOK, `{"success":true}`, make(chan arrival, 100)}
}

func TestPush(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	g := start(t)
	rec := newRecorder(g)
	server := httptest.NewServer(rec)
	defer server.Close()
	event := &events.RenewalAccepted{
		Envelope:       events.Envelope{ChannelID: "80001", OrderID: "1", EventType: 103},
		RenewalOrderID: "3187983531024266527", CreatedTime: fliggy.At(testNow),
	}
	body := `{"channelId":"80001","orderId":"1","eventType":103,"eventData":{"renewalOrderId":3187983531024266527,"crea` +
		`tedTime":"2023-02-01 15:40:52"}}`
	for name, aim := range map[string]func(){
		"handler":          func() { g.PushToHandler(rec) },
		"address":          func() { g.PushTo(server.URL + "/push") },
		"address and more": func() { g.PushTo(server.URL + "/push?tenant=7#part") },
	} {
		aim()
		for what, c := range map[string]struct {
			how   []Push
			check func(a arrival) bool
			times int
		}{
			"as it is": {nil, func(a arrival) bool { return a.query.Get("sign") == a.want }, 1},
			"bad signature": {
				[]Push{{BadSignature: true}},
				func(a arrival) bool { return a.query.Get("sign") != a.want && len(a.query.Get("sign")) == 32 }, 1,
			},
			"unsigned": {[]Push{{Unsigned: true}}, func(a arrival) bool { return !a.query.Has("sign") }, 1},
			"stale": {[]Push{{SignedAt: testNow.Add(-time.Hour)}}, func(a arrival) bool {
				return a.query.Get("sign") == a.want && a.query.Get("timestamp") == "2023-02-01 14:40:52"
			}, 1},
			"again": {[]Push{{Times: 3}}, func(a arrival) bool { return a.query.Get("sign") == a.want }, 3},
			"late": {
				[]Push{{Late: time.Millisecond}, {Late: -1}}, func(a arrival) bool { return a.query.Get("sign") == a.want }, 2,
			},
			"to another API": {[]Push{
				{Params: map[string]string{"method": "qimen.x", "customerId": "a b"}},
			}, func(a arrival) bool {
				return a.query.Get("sign") == a.want && a.query.Get("method") == "qimen.x" && a.query.Get("customerId") == "a b"
			}, 1},
		} {
			g.Forget()
			res := g.Push(ctx, event, c.how...)
			if res.Status != 200 || string(res.Answer) != `{"success":true}` || !res.Accepted || res.Err != nil {
				t.Errorf("%s, %s: %v, answer %s", name, what, res, res.Answer)
			}
			records := g.Pushes()
			if len(records) != c.times {
				t.Fatalf("%s, %s: %d pushes, want %d", name, what, len(records), c.times)
			}
			for _, r := range records {
				a := <-rec.arrivals
				if !c.check(a) || string(a.body) != body || a.query.Get("app_key") != g.AppKey() {
					t.Errorf("%s, %s: arrived %v %s", name, what, a.query, a.body)
				}
				if strings.Contains(name, "more") != (a.query.Get("tenant") == "7") {
					t.Errorf("%s, %s: query %v", name, what, a.query)
				}
				if r.RawQuery != records[0].RawQuery || string(r.Body) != body || !r.Accepted || !r.Time.Equal(testNow) {
					t.Errorf("%s, %s: recorded %+v", name, what, r)
				}
				if !strings.Contains(r.RawQuery, "+") || r.Method != a.query.Get("method") {
					t.Errorf("%s, %s: query %s", name, what, r.RawQuery)
				}
			}
		}
	}
}

// TestPushSignedHeader sends headers that take part in the signature.
func TestPushSignedHeader(t *testing.T) {
	t.Parallel()
	g := start(t)
	var params map[string]string
	h, err := qimen.NewHandler(qimen.Secrets{g.AppKey(): {g.AppSecret()}}, qimen.WithClock(fixedClock),
		qimen.OnEvent(func(_ context.Context, d *qimen.Delivery, _ events.Event) error {
			params = d.Params
			return nil
		}))
	noError(t, err)
	spoiled := false
	g.PushToHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if spoiled {
			r.Header.Set("X-Tenant", "other")
		}
		h.ServeHTTP(w, r)
	}))
	event := &events.RenewalAccepted{Envelope: events.Envelope{OrderID: "1", EventType: 103}, RenewalOrderID: "2"}
	how := Push{Headers: map[string]string{"X-Tenant": "北京 7+%", "X-Empty": ""}}
	res := g.Push(context.Background(), event, how)
	if !res.Accepted || params["X-Tenant"] != "北京 7+%" || params["X-Empty"] != "" || len(params) != 5 {
		t.Errorf("got %+v, parameters %v", res, params)
	}
	if list := g.Pushes()[0].Header.Get("top-sign-list"); list != "X-Empty,X-Tenant" {
		t.Errorf("top-sign-list %q", list)
	}
	spoiled = true
	if res := g.Push(context.Background(), event, how); res.Accepted || !strings.Contains(
		string(res.Answer), "sign-check-failure",
	) {
		t.Errorf("another header: %+v", res)
	}
}

func TestPushAnswers(t *testing.T) {
	t.Parallel()
	g := start(t)
	rec := newRecorder(g)
	g.PushToHandler(rec)
	for _, c := range []struct {
		status   int
		answer   string
		accepted bool
	}{
		{200, `{"success":true,"retCode":""}`, true},
		{200, `{"success":"true"}`, true},
		{200, `{"success":"false","retMessage":"Illegal request","retCode":"sign-check-failure"}`, false},
		{200, `{"success":[]}`, false},
		{200, `{}`, false},
		{200, ``, false},
		{200, `{"success":true`, false},
		{200, `success`, false},
		{500, `{"success":true}`, false},
	} {
		rec.status, rec.answer = c.status, c.answer
		res := g.PushRaw(context.Background(), []byte("{}"))
		<-rec.arrivals
		if res.Status != c.status || string(res.Answer) != c.answer || res.Accepted != c.accepted || res.Err != nil {
			t.Errorf("%d %s: got %+v", c.status, c.answer, res)
		}
	}
}

func TestPushFailures(t *testing.T) {
	t.Parallel()
	g := start(t)
	push := func(how ...Push) PushResult { return g.PushRaw(context.Background(), []byte("{}"), how...) }
	if res := push(); !errors.Is(res.Err, errNoTarget) {
		t.Errorf("no target: %+v", res)
	}
	if res := g.Push(context.Background(), nil); res.Err == nil {
		t.Error("pushed no event")
	}
	if res := g.Push(context.Background(), &events.Unknown{Data: []byte("{")}); res.Err == nil {
		t.Error("pushed an event that is no JSON")
	}
	for _, address := range []string{"localhost:80", "ftp://x", "http://", "http://a b/", "%"} {
		g.PushTo(address)
		if res := push(); res.Err == nil || res.Status != 0 {
			t.Errorf("%s: %+v", address, res)
		}
	}
	release := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		switch r.URL.Path {
		case "/hang":
			select {
			case <-r.Context().Done():
			case <-release:
			}
		case "/drop":
			hangUp(w, nil)
		case "/huge":
			_, _ = w.Write(bytes.Repeat([]byte("x"), 1<<20+1))
		case "/redirect":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		}
	}))
	defer server.Close()
	defer close(release)
	for path, want := range map[string]int{"/hang": 0, "/drop": 0, "/huge": 200} {
		g.PushTo(server.URL + path)
		how := Push{}
		if path == "/hang" {
			how.Timeout = time.Millisecond
		}
		res := push(how)
		if res.Err == nil || res.Status != want || res.Accepted || strings.Contains(res.Err.Error(), "sign=") {
			t.Errorf("%s: %+v", path, res)
		}
	}
	g.PushTo(server.URL + "/redirect")
	if res := push(); res.Status != http.StatusTemporaryRedirect || res.Accepted || res.Err != nil {
		t.Errorf("redirect: %+v", res)
	}
	g.PushToHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic("in the handler") }))
	if res := push(); res.Err == nil || !strings.Contains(res.Err.Error(), "in the handler") {
		t.Errorf("panic: %+v", res)
	}
	if res := g.PushRaw(
		context.Background(), nil, Push{ContentType: "image/png"},
	); !errors.Is(res.Err, qimen.ErrInvalidSignature) {
		t.Errorf("a content type that cannot be signed: %+v", res)
	}
	g.PushToHandler(swallow)
	ctx, cancel := context.WithCancelCause(context.Background())
	cancel(io.ErrClosedPipe)
	if res := g.PushRaw(ctx, nil, Push{Late: time.Hour}); !errors.Is(res.Err, io.ErrClosedPipe) {
		t.Errorf("context over while waiting: %+v", res)
	}
	if res := g.PushRaw(ctx, nil); res.Err == nil {
		t.Errorf("context over: %+v", res)
	}
}

// TestPushesInTurn pushes once for each of several forms.
func TestPushesInTurn(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.PushToHandler(newEndpoint(t, g))
	const event = `{"channelId":"80001","orderId":"1","eventType":104,"eventData":{"renewalOrderId":7,"errorCode":"710` +
		`08"}}`
	res := g.PushRaw(context.Background(), []byte(event), Push{BadSignature: true}, Push{})
	pushes := g.Pushes()
	if !res.Accepted || len(pushes) != 2 || pushes[0].Accepted || !pushes[1].Accepted {
		t.Errorf("got %v, pushes %v", res, pushes)
	}
}

// TestPushForms pushes what the receiver must be able to read and the documents
// leave open: a form, and GBK.
func TestPushForms(t *testing.T) {
	t.Parallel()
	g := start(t)
	e := newEndpoint(t, g)
	g.PushToHandler(e)
	const event = `{"channelId":"80001","orderId":"1","eventType":104,"eventData":{"renewalOrderId":7,"errorCode":"7100` +
		`8","errorMessage":"商家接单失败"}}`
	for contentType, body := range map[string][]byte{
		"application/json;charset=gbk":                    charset.GBK.Encode(event),
		"application/x-www-form-urlencoded;charset=UTF-8": []byte("event_data=" + url.QueryEscape(event)),
		"text/plain;charset=utf-8":                        []byte(event),
	} {
		if res := g.PushRaw(context.Background(), body, Push{ContentType: contentType}); !res.Accepted {
			t.Errorf("%s: %+v", contentType, res)
		} else if got := (<-e.events).(*events.RenewalRejected); got.ErrorMessage != "商家接单失败" {
			t.Errorf("%s: %q", contentType, got.ErrorMessage)
		}
	}
	for name, how := range map[string]Push{
		"bad signature": {BadSignature: true}, "stale": {SignedAt: testNow.Add(-11 * time.Minute)},
		"future": {SignedAt: testNow.Add(11 * time.Minute)},
	} {
		if res := g.PushRaw(context.Background(), []byte(event), how); res.Accepted || len(e.events) > 0 {
			t.Errorf("%s: %+v", name, res)
		}
	}
}

// TestPushesOfForms pushes an event in every form that a handler reads.
func TestPushesOfForms(t *testing.T) {
	t.Parallel()
	g := start(t)
	e := newEndpoint(t, g)
	g.PushToHandler(e)
	want := &events.RenewalRejected{
		Envelope:       envelope(events.TypeRenewalRejected, fliggy.ChannelAmap, SampleOrderID, SampleOutOrderID),
		RenewalOrderID: "3187983531024266527", ErrorCode: "71008", ErrorMessage: "商家接单失败",
	}
	for _, contentType := range []string{
		"", "application/json;charset=gbk", "application/x-www-form-urlencoded;charset=UTF-8",
		"application/x-www-form-urlencoded;charset=gb18030",
	} {
		if res := g.Push(t.Context(), want, Push{ContentType: contentType}); !res.Accepted {
			t.Errorf("%s: %v, %s", contentType, res, res.Answer)
			continue
		}
		got := (<-e.events).(*events.RenewalRejected)
		if got.ErrorMessage != want.ErrorMessage || got.RenewalOrderID != want.RenewalOrderID || got.OrderID != want.OrderID {
			t.Errorf("%s: got %+v", contentType, got)
		}
	}
	if res := g.Push(t.Context(), want, Push{ContentType: "text/plain;charset=klingon"}); res.Err == nil {
		t.Errorf("in no charset: %v", res)
	}
}
