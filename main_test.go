package rentcar

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/jarcoal/httpmock"
	"go.uber.org/goleak"

	"github.com/fliggy-go/rentcar/fliggy"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testAppKey    = "12345678"
	testSecret    = "0123456789abcdef0123456789abcdef"
	productionURL = "https://gw.api.taobao.com/top/router/rest"
	jsonType      = "application/json;charset=UTF-8"
	xmlType       = "text/xml;charset=UTF-8"
)

// testClock is the time of the recorded vectors: 2023-02-03 14:00:00 in China.
func testClock() time.Time { return time.UnixMilli(1675404000000).UTC() }

// A sent request is what reached the transport.
type sent struct {
	method string
	url    url.URL
	header http.Header
	body   string
}

// params splits percent-encoded parameters; the names in the tests are unique.
func params(t testing.TB, encoded string) map[string]string {
	t.Helper()
	values, err := url.ParseQuery(encoded)
	if err != nil {
		t.Fatalf("parameters: %v", err)
	}
	out := map[string]string{}
	for name, list := range values {
		if len(list) != 1 {
			t.Errorf("parameter %s is sent %d times", name, len(list))
		}
		out[name] = list[0]
	}
	return out
}

func (s sent) query(t testing.TB) map[string]string { t.Helper(); return params(t, s.url.RawQuery) }
func (s sent) form(t testing.TB) map[string]string  { t.Helper(); return params(t, s.body) }

// A gatewayMock answers every request with respond and records it.
type gatewayMock struct {
	*httpmock.MockTransport
	mu   sync.Mutex
	sent []sent
}

func newGateway(respond httpmock.Responder) *gatewayMock {
	g := &gatewayMock{MockTransport: httpmock.NewMockTransport()}
	g.RegisterNoResponder(func(r *http.Request) (*http.Response, error) {
		s := sent{method: r.Method, url: *r.URL, header: r.Header.Clone()}
		if r.Body != nil {
			b, err := io.ReadAll(r.Body)
			if err != nil {
				return nil, err
			}
			s.body = string(b)
		}
		g.mu.Lock()
		g.sent = append(g.sent, s)
		g.mu.Unlock()
		return respond(r)
	})
	return g
}

// last is the request that came last.
func (g *gatewayMock) last(t testing.TB) sent {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.sent) == 0 {
		t.Fatal("nothing was sent")
	}
	return g.sent[len(g.sent)-1]
}

func (g *gatewayMock) count() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.sent)
}

// reply is a responder that answers with these bytes.
func reply(status int, contentType, body string) httpmock.Responder {
	return func(r *http.Request) (*http.Response, error) {
		return &http.Response{
			StatusCode: status, Header: http.Header{"Content-Type": {contentType}}, Request: r,
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
		}, nil
	}
}

func replyJSON(body string) httpmock.Responder { return reply(http.StatusOK, jsonType, body) }

// testClient is a client on rt with the clock and keys of the vectors.
func testClient(t testing.TB, rt http.RoundTripper, opts ...Option) *Client {
	t.Helper()
	once := WithRetry(RetryPolicy{MaxAttempts: 1}) // what tests of repeating replace
	opts = append([]Option{WithHTTPClient(&http.Client{Transport: rt}), WithClock(testClock), once}, opts...)
	c, err := NewClient(testAppKey, testSecret, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// clientFor is a client whose every call is answered with respond.
func clientFor(t testing.TB, respond httpmock.Responder, opts ...Option) (*Client, *gatewayMock) {
	t.Helper()
	g := newGateway(respond)
	return testClient(t, g, opts...), g
}

// The shortest calls of both kinds: a read and a write.
func queryOrder(ctx context.Context, c *Client, opts ...CallOption) (*OrderQueryResult, error) {
	return c.Orders.Query(ctx, &OrderQueryRequest{OrderID: "523412312", ChannelID: fliggy.ChannelAmap}, opts...)
}

func cancelRenewal(ctx context.Context, c *Client, opts ...CallOption) (*RenewalCancelResult, error) {
	return c.Renewals.Cancel(
		ctx, &RenewalCancelRequest{RenewalOrderID: "3187983531024266527", ChannelID: fliggy.ChannelAmap}, opts...,
	)
}

// values compares what cmp cannot look into by their own notion of equality.
var values = cmp.Options{
	cmp.Comparer(func(a, b fliggy.Time) bool { return a.String() == b.String() }),
	cmp.Comparer(func(a, b fliggy.Yuan) bool { return a.String() == b.String() && a.IsSet() == b.IsSet() }),
	cmp.Comparer(func(a, b fliggy.Decimal) bool { return a.String() == b.String() }),
	cmp.Comparer(func(a, b fliggy.Fen) bool { return a == b }),
	cmp.Comparer(func(a, b fliggy.Secret) bool { return a.Equal(b) }),
	cmpopts.IgnoreUnexported(GatewayError{}, TransportError{}, DecodeError{}),
	cmpopts.IgnoreFields(Observation{}, "Err"), // TestObservers looks at it
}

// diff fails where got is not want.
func diff(t testing.TB, what string, want, got any) {
	t.Helper()
	if d := cmp.Diff(want, got, values); d != "" {
		t.Errorf("%s (-want +got):\n%s", what, d)
	}
}

func readFile(t testing.TB, path ...string) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// readJSON reads a file of this repository; numbers stay text.
func readJSON(t testing.TB, to any, path ...string) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(readFile(t, path...)))
	d.UseNumber()
	if err := d.Decode(to); err != nil {
		t.Fatalf("%s: %v", filepath.Join(path...), err)
	}
}

// tree is JSON text as a tree, numbers as text.
func tree(t testing.TB, text string) any {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatalf("JSON %.60q: %v", text, err)
	}
	return v
}

func indented(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func ptr[T any](v T) *T { return &v }
