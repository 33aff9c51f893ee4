package otelrentcar_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/otelrentcar"
	"github.com/fliggy-go/rentcar/qimen"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// reply answers every request.
func reply(status int, body string) roundTripper {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Request: r,
			Body: io.NopCloser(bytes.NewReader([]byte(body))),
		}, nil
	}
}

const address = "https://gateway.example/router/rest"

func (r *rig) client(t testing.TB, transport http.RoundTripper, opts ...rentcar.Option) *rentcar.Client {
	t.Helper()
	client, err := rentcar.NewClient("12345678", "an-app-secret", append([]rentcar.Option{
		rentcar.WithTracer(r.Tracer), rentcar.WithHTTPClient(&http.Client{Transport: transport}),
		rentcar.WithBaseURL(address + "?token=" + session), rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 1}),
	}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

const query = "alitrip.rentcar.btb.order.query"

func queryOrder(ctx context.Context, c *rentcar.Client) error {
	_, err := c.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: "523412312", ChannelID: fliggy.ChannelAmap})
	return err
}

// Each way in which a call can fail has its own error type, on the spans of the call and its attempt and in both
// metrics, and a description without what the platform wrote.
func TestErrorTypes(t *testing.T) {
	t.Parallel()
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	failure := func(code, sub string) roundTripper {
		return reply(200, fmt.Sprintf(`{"error_response":{"code":%q,"sub_code":%q,"msg":"of %s","sub_msg":"for %s"}}`,
			code, sub, person, person))
	}
	const unsent = "none"
	for want, c := range map[string]struct {
		transport   roundTripper
		ctx         context.Context
		opts        []rentcar.Option
		call        func(ctx context.Context, c *rentcar.Client) error
		description string // of the call; what it begins with
		attempt     string // attributes of its span; unsent for none
		code        string
	}{
		"rate_limited": {
			transport: failure("7", "accesscontrol.limited-by-api-access-count"), description: "flow control",
			attempt: "fliggy.sub_code=accesscontrol.limited-by-api-access-count ", code: "7",
		},
		"unauthorized": {transport: failure("25", ""), description: "Invalid Signature", code: "25"},
		"forbidden":    {transport: failure("11", "isv.permission-api-package-limit"), code: "11"},
		"unavailable":  {transport: failure("15", "isp.remote-service-error"), code: "15"},
		"business":     {transport: reply(200, `{"successful":false,"ret_code":"012","ret_msg":"of `+person+`"}`), code: "012"},
		"undecodable":  {transport: reply(200, `[`), description: "rentcar: " + query},
		"502":          {transport: reply(502, `<html>`), attempt: "http.response.status_code=502 "},
		"sending": {transport: func(*http.Request) (*http.Response, error) {
			return nil, errors.New("the line is down" + strings.Repeat("世", 1000))
		}, description: "rentcar: " + query + ": sending or waiting for the reply: the line is down"},
		"connecting": {transport: func(*http.Request) (*http.Response, error) {
			return nil, &net.OpError{Op: "dial", Err: errors.New("refused")}
		}},
		"reading": {transport: func(r *http.Request) (*http.Response, error) {
			resp, _ := reply(200, "")(r)
			resp.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), errorReader{}))
			return resp, nil
		}},
		"panic":    {transport: func(*http.Request) (*http.Response, error) { panic("of " + "the transport") }},
		"canceled": {ctx: gone},
		"timeout": {transport: func(r *http.Request) (*http.Response, error) {
			<-r.Context().Done()
			return nil, r.Context().Err()
		}, opts: []rentcar.Option{rentcar.WithTimeout(time.Millisecond)}},
		"before_sending": {opts: []rentcar.Option{rentcar.WithSessionSource(func(context.Context) (string, error) {
			return "", errors.New("no session")
		})}},
		"invalid_request": {call: func(ctx context.Context, c *rentcar.Client) error {
			_, err := c.Orders.Query(ctx, &rentcar.OrderQueryRequest{})
			return err
		}, attempt: unsent},
	} {
		r := newRig(t, otelrentcar.Config{})
		ctx, call := t.Context(), queryOrder
		if c.ctx != nil {
			ctx = c.ctx
		}
		if c.call != nil {
			call = c.call
		}
		if err := call(ctx, r.client(t, c.transport, c.opts...)); err == nil {
			t.Errorf("%s: no error", want)
		}
		span := r.span(t, query)
		if got := valueOf(span, "error.type"); got != want || span.Status.Code != codes.Error ||
			!strings.HasPrefix(span.Status.Description, c.description) || len(span.Status.Description) > 256 ||
			!utf8.ValidString(span.Status.Description) || valueOf(span, "rpc.response.status_code") != c.code {
			t.Errorf("%s: call %s, %+v", want, texts(span.Attributes), span.Status)
		}
		wantPoint(t, r, "rpc.client.call.duration", "error.type="+want)
		if c.attempt == unsent {
			if n := len(r.spans.GetSpans()); n != 1 {
				t.Errorf("%s: %d spans", want, n)
			}
			continue
		}
		span = r.span(t, "POST")
		if got := valueOf(span, "error.type"); got != want || !strings.Contains(texts(span.Attributes), c.attempt) ||
			span.Status.Code != codes.Error {
			t.Errorf("%s: attempt %s, %+v", want, texts(span.Attributes), span.Status)
		}
		wantPoint(t, r, "http.client.request.duration", "error.type="+want)
		if all := r.exported(t); strings.Contains(all, person) || strings.Contains(all, session) {
			t.Errorf("%s: exported %s", want, all)
		}
	}
}

type errorReader struct{}

func (errorReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func valueOf(s tracetest.SpanStub, key string) string {
	for _, a := range s.Attributes {
		if string(a.Key) == key {
			return a.Value.String()
		}
	}
	return ""
}

// wantPoint checks that a metric has one data point, with an attribute.
func wantPoint(t *testing.T, r *rig, metric, attribute string) {
	t.Helper()
	got := r.points(t, metric)
	if len(got) != 1 || !strings.Contains(got[0], attribute) || !strings.HasSuffix(got[0], ": 1") {
		t.Errorf("%s: %q, want one with %s", metric, got, attribute)
	}
}

// A call that is sent twice has two spans below it. A ban that the gateway told, and the refusals of the client while
// it lasts, are counted apart.
func TestAttemptsAndBans(t *testing.T) {
	t.Parallel()
	r := newRig(t, otelrentcar.Config{})
	n := 0
	c := r.client(t, roundTripper(func(req *http.Request) (*http.Response, error) {
		if n++; n == 1 {
			return reply(503, "")(req)
		}
		return reply(200, `{"error_response":{"code":"7","sub_code":"accesscontrol.limited-by-api-access-count",`+
			`"sub_msg":"This ban will last for 60 more seconds"}}`)(req)
	}), rentcar.WithRetry(rentcar.RetryPolicy{BaseDelay: 1}))
	for range 3 {
		if err := queryOrder(t.Context(), c); !errors.Is(err, rentcar.ErrRateLimited) {
			t.Fatal(err)
		}
	}
	diff(t, "spans", strings.Repeat(query+" (client)\n", 1)+strings.Repeat("  POST (client)\n", 2)+
		strings.Repeat(query+" (client)\n", 2), r.tree())
	diff(t, "bans", []string{
		"fliggy.ban.source=client rpc.method=" + query + ": 2", "fliggy.ban.source=gateway rpc.method=" + query + ": 1",
	}, r.points(t, "fliggy.client.bans"))
	spans := r.spans.GetSpans() // in the order in which they ended
	const server = "[server.address=gateway.example server.port=443]"
	for i, resend := range []string{"", "1"} {
		if s := spans[i]; valueOf(s, "http.request.resend_count") != resend || valueOf(s, "url.full") != address {
			t.Errorf("attempt %d: %v", i+1, s.Attributes)
		}
	}
	for _, s := range spans[:3] {
		var got []string
		for _, a := range s.Attributes {
			if strings.HasPrefix(string(a.Key), "server.") {
				got = append(got, string(a.Key)+"="+a.Value.String())
			}
		}
		slices.Sort(got)
		if fmt.Sprint(slices.Compact(got)) != server {
			t.Errorf("%s: %v", s.Name, got)
		}
	}
	if got := valueOf(spans[2], "fliggy.attempts"); got != "2" {
		t.Errorf("attempts of the call: %s", got)
	}
}

// A thousand names that nobody knows make one data point in each metric, and the names given in Config their own.
func TestCardinality(t *testing.T) {
	t.Parallel()
	r := newRig(t, otelrentcar.Config{Methods: []string{"our.own.method"}})
	c := r.client(t, reply(200, `{}`))
	gw := fliggytest.NewGateway()
	defer gw.Close()
	handler, err := qimen.NewHandler(qimen.Secrets{gw.AppKey(): {gw.AppSecret()}}, qimen.WithTracer(r.Tracer),
		qimen.OnRenewalCancel(func(
			context.Context, *qimen.Delivery, *qimen.RenewalCancelRequest,
		) (*qimen.RenewalCancelReply, error) {
			return &qimen.RenewalCancelReply{}, nil
		}))
	if err != nil {
		t.Fatal(err)
	}
	gw.PushToHandler(handler)
	for n := range 1001 {
		method := fmt.Sprint("method.", n)
		if n == 1000 {
			method = "our.own.method"
		}
		if err := c.Call(t.Context(), method, nil, new(rentcar.Raw)); err != nil {
			t.Fatal(err)
		}
		push := fliggytest.Push{Params: map[string]string{"method": method}}
		if got := gw.PushRaw(t.Context(), []byte("{}"), push); got.Err != nil {
			t.Fatal(got.Err)
		}
	}
	for metric, want := range map[string][]string{
		"rpc.client.call.duration": {
			"fliggy.outcome=succeeded rpc.method=_OTHER rpc.system.name=taobao_top: 1000",
			"fliggy.outcome=succeeded rpc.method=our.own.method rpc.system.name=taobao_top: 1",
		},
		"http.client.request.duration": {
			"http.request.method=POST http.response.status_code=200 rpc.method=_OTHER: 1000",
			"http.request.method=POST http.response.status_code=200 rpc.method=our.own.method: 1",
		},
		"rpc.server.call.duration": {
			"error.type=unknown_method fliggy.reason=unknown_method rpc.method=_OTHER rpc.system.name=taobao_top: 1000",
			"error.type=unknown_method fliggy.reason=unknown_method rpc.method=our.own.method rpc.system.name=taobao_top: 1",
		},
	} {
		diff(t, metric, want, r.points(t, metric))
	}
	names := map[string]int{}
	for _, s := range r.spans.GetSpans() {
		names[s.Name]++
	}
	diff(t, "names of spans", map[string]int{"taobao_top": 2000, "POST": 1001, "our.own.method": 2}, names)
	first := r.spans.GetSpans()[1]
	if valueOf(first, "rpc.method") != "_OTHER" || valueOf(first, "rpc.method_original") != "method.0" {
		t.Errorf("the span of the first call has %s", texts(first.Attributes))
	}
}
