package rentcar

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A steady one is a round tripper without a network: it reads every request and gives the
// same reply to all, at the cost of two allocations.
type steady struct {
	body   string
	header http.Header
	read   int64 // bytes of all requests
}

type steadyBody struct{ strings.Reader }

func (*steadyBody) Close() error { return nil }

func (e *steady) RoundTrip(r *http.Request) (*http.Response, error) {
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, r.Body, make([]byte, 8<<10))
	if err != nil {
		return nil, err
	}
	e.read += n
	if err := r.Body.Close(); err != nil {
		return nil, err
	}
	body := &steadyBody{}
	body.Reset(e.body)
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: e.header, Body: body, ContentLength: int64(len(e.body)), Request: r,
	}, nil
}

func newSteady() *steady {
	return &steady{
		body:   `{"successful":true,"cancel_fee":"0.00","request_id":"15r6qc5i1nkgx"}`,
		header: http.Header{"Content-Type": {jsonType}},
	}
}

// What calls allocate does not grow unnoticed. AllocsPerRun forbids t.Parallel.
func TestAllocations(t *testing.T) {
	realClock := func(c *config) error { c.now = defaultConfig().now; return nil } // one of the user's is called with care
	c := testClient(t, newSteady(), WithChannel(fliggy.ChannelAmap), realClock)
	params := map[string]string{"req": strings.Repeat("x", 1000)}
	for i := range 11 {
		params[fmt.Sprintf("param_%d", i)] = "value"
	}
	sign := func(m SignMethod) func() error {
		return func() error { _, err := Sign(m, testSecret, params, nil); return err }
	}
	ctx := t.Context()
	check := &RenewalCheckCancelRequest{RenewalOrderID: "3187983531024266527", ChannelID: fliggy.ChannelAmap}
	bill := billOf(2)
	for name, tc := range map[string]struct {
		work func() error
		most float64
	}{
		"sign, MD5":         {sign(MD5), 20},
		"sign, HMAC-MD5":    {sign(HMACMD5), 20},
		"sign, HMAC-SHA256": {sign(HMACSHA256), 20},
		"validate a bill":   {bill.Validate, 25},
		"total of a bill":   {func() error { _, err := bill.LineTotal(); return err }, 2},
		"small call":        {func() error { _, err := c.Renewals.CheckCancel(ctx, check); return err }, 105},
		"small bill": {func() error {
			_, err := c.Bills.Notify(ctx, bill, CallSession("session-of-32-letters-and-digits"))
			return err
		}, 140},
	} {
		most := tc.most
		if poolsLose {
			most += 10
		}
		if n := testing.AllocsPerRun(200, func() {
			if err := tc.work(); err != nil {
				t.Fatal(err)
			}
		}); n > most {
			t.Errorf("%s: %v allocations, want at most %v", name, n, most)
		}
	}
}
