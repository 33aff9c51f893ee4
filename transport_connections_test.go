package rentcar

import (
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
)

// counting is a server that counts the connections that are made to it.
func counting(t *testing.T, h http.HandlerFunc) (address string, connections *atomic.Int32) {
	t.Helper()
	connections = new(atomic.Int32)
	s := server(t, func(s *httptest.Server) {
		s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				connections.Add(1)
			}
		}
		s.Start()
	}, func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		h(w, r)
	})
	return s.URL, connections
}

// shipped is a client with the transport that it comes with.
func shipped(t *testing.T, address string, opts ...Option) *Client {
	t.Helper()
	c, err := NewClient(
		testAppKey, testSecret, append([]Option{WithBaseURL(address), WithRetry(RetryPolicy{MaxAttempts: 1})}, opts...)...,
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.resty.GetClient().CloseIdleConnections)
	return c
}

// Every complete answer within the cap leaves its connection to the next call,
// whatever it says and however it travels.
func TestCompleteAnswersLeaveTheirConnection(t *testing.T) {
	t.Parallel()
	const limit = 64 << 10
	success := `{"successful":true,"request_id":"x"}`
	long := success[:len(success)-1] + `,"more":"` + longText(limit/2) + `"}`
	for name, tc := range map[string]struct {
		format  Format
		status  int
		body    string
		headers [2]string
		packed  bool
		atOnce  bool // only: the inflater of net/http fails before the last chunk, and lets nobody read on
	}{
		"JSON":                 {format: SimplifiedJSON, body: success},
		"wrapped JSON":         {format: WrappedJSON, body: `{"alitrip_rentcar_btb_order_query_response":` + success + `}`},
		"XML":                  {format: XML, body: `<r_response><successful>true</successful></r_response>`},
		"long":                 {body: long},
		"packed":               {body: long, packed: true},
		"not packed as said":   {body: success, headers: [2]string{"Content-Encoding", "gzip"}, atOnce: true},
		"refusal":              {body: `{"successful":false,"ret_code":"012"}`},
		"error envelope":       {body: `{"error_response":{"code":15,"sub_code":"isp.x"}}`},
		"error envelope, XML":  {format: XML, body: `<error_response><code>15</code></error_response>`},
		"error envelope, 500":  {status: 500, body: `{"error_response":{"code":15}}`},
		"HTML, 502":            {status: 502, body: "<html>" + longText(limit/2) + "</html>"},
		"redirect":             {status: 302, body: "<html>elsewhere</html>", headers: [2]string{"Location", "/elsewhere"}},
		"empty":                {},
		"empty, 503":           {status: 503},
		"not understood":       {body: "{" + longText(limit/2)},
		"unknown charset":      {body: success, headers: [2]string{"Content-Type", "text/plain;charset=KOI8-R"}},
		"trailing white space": {body: success + "\n\n"},
	} {
		for sent, chunked := range map[string]bool{"at once": false, "in chunks": true} {
			if chunked && tc.atOnce {
				continue
			}
			t.Run(name+" "+sent, func(t *testing.T) {
				t.Parallel()
				address, connections := counting(t, func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("Content-Type", jsonType)
					if tc.headers[0] != "" {
						w.Header().Set(tc.headers[0], tc.headers[1])
					}
					if tc.packed {
						w.Header().Set("Content-Encoding", "gzip")
					}
					if tc.status != 0 {
						w.WriteHeader(tc.status)
					}
					var to io.Writer = w
					if tc.packed {
						z := gzip.NewWriter(w)
						defer func() { _ = z.Close() }()
						to = z
					}
					_, _ = io.WriteString(to, tc.body)
					if chunked { // the last chunk follows by itself
						_ = http.NewResponseController(w).Flush()
					}
				})
				c := shipped(t, address, WithFormat(tc.format), WithReplyLimit(limit))
				for range 5 {
					var raw RawReply
					if _, _ = queryOrder(t.Context(), c, CallRawReply(&raw)); raw.HTTPStatus == 0 {
						t.Fatal("no answer")
					}
				}
				if n := connections.Load(); n != 1 {
					t.Errorf("%d connections for 5 calls", n)
				}
			})
		}
	}
}

func longText(n int) string {
	text := make([]byte, n)
	for i := range text {
		text[i] = 'a' + byte(i*i%23)
	}
	return string(text)
}

// 64 callers need about as many connections, for any number of calls.
func TestConnectionsOfManyCallers(t *testing.T) {
	t.Parallel()
	const callers, calls, most = 64, 25, 80
	var turn atomic.Int32
	address, connections := counting(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", jsonType)
		switch turn.Add(1) % 3 {
		case 0:
			_, _ = io.WriteString(w, `{"error_response":{"code":15,"sub_code":"isp.x"}}`)
		case 1:
			w.WriteHeader(http.StatusServiceUnavailable)
			_, _ = io.WriteString(w, "busy")
		default:
			_, _ = io.WriteString(w, `{"successful":true`)
			_ = http.NewResponseController(w).Flush()
			_, _ = io.WriteString(w, `}`)
		}
	})
	c := shipped(t, address, WithChannel(fliggy.ChannelAmap))
	bill := billOf(30) // too long to be held
	var running sync.WaitGroup
	var answered atomic.Int32
	for range callers {
		running.Go(func() {
			for i := range calls {
				var raw RawReply
				if i%5 == 0 {
					_, _ = c.Bills.Notify(t.Context(), bill, CallRawReply(&raw))
				} else {
					_, _ = queryOrder(t.Context(), c, CallRawReply(&raw))
				}
				if raw.HTTPStatus != 0 {
					answered.Add(1)
				}
			}
		})
	}
	running.Wait()
	if n := answered.Load(); n != callers*calls {
		t.Errorf("%d answers to %d calls", n, callers*calls)
	}
	if n := connections.Load(); n > most {
		t.Errorf("%d connections for %d callers", n, callers)
	}
}

// A writeCounter counts what is written to a connection.
type writeCounter struct {
	net.Conn

	writes *atomic.Int32
}

func (c writeCounter) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// A short request goes out in one piece, headers and body: one packet, one record of
// TLS.
func TestShortRequestIsOneWrite(t *testing.T) {
	t.Parallel()
	address, _ := counting(
		t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, `{"successful":true}`) },
	)
	var writes atomic.Int32
	transport := &http.Transport{DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := new(net.Dialer).DialContext(ctx, network, address)
		return writeCounter{conn, &writes}, err
	}}
	t.Cleanup(transport.CloseIdleConnections)
	c := shipped(t, address, WithHTTPClient(&http.Client{Transport: transport}))
	for n := range int32(5) {
		if _, err := queryOrder(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		if got := writes.Load(); got != n+1 {
			t.Fatalf("%d writes for %d requests", got, n+1)
		}
	}
}
