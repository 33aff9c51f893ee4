package rentcar

import (
	"bufio"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/net/http2"
)

// tlsServer accepts TLS connections and lets serve play the gateway on each.
func tlsServer(t *testing.T, protocol string, serve func(l net.Listener, raw net.Conn, secure *tls.Conn)) (address string, hc *http.Client) {
	t.Helper()
	cert := httptest.NewUnstartedServer(nil)
	cert.EnableHTTP2 = protocol == "h2"
	cert.StartTLS()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	conf := cert.TLS.Clone()
	conf.NextProtos = []string{protocol}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			raw, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				serve(l, raw, tls.Server(raw, conf))
				_ = raw.Close()
			})
		}
	})
	hc = cert.Client()
	t.Cleanup(func() {
		_ = l.Close()
		hc.CloseIdleConnections()
		cert.Close()
		running.Wait()
	})
	return "https://" + l.Addr().String(), hc
}

func submitTo(t *testing.T, address string, hc *http.Client) error {
	t.Helper()
	c, err := NewClient("12345678", "0123456789abcdef0123456789abcdef", WithBaseURL(address), WithHTTPClient(hc))
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Renewals.Submit(t.Context(), &RenewalSubmitRequest{OrderID: "1"})
	return err
}

func wantUnknown(t *testing.T, err error, executed int32) {
	t.Helper()
	if OutcomeOf(err) != OutcomeUnknown || !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("outcome %v of a submit that was carried out: %v", OutcomeOf(err), err)
	}
	if executed != 1 {
		t.Errorf("the submit arrived %d times", executed)
	}
}

// A broken TLS record after the request is no failure to connect.
func TestBrokenRecordAfterRequest(t *testing.T) {
	t.Parallel()
	for _, record := range []string{"<html>502 Bad Gateway</html>", "\x17\x03\x03\xff\xffaaaa", "\x17\x03\x01\x00\x04aaaa"} {
		var executed atomic.Int32
		address, hc := tlsServer(t, "http/1.1", func(_ net.Listener, raw net.Conn, secure *tls.Conn) {
			req, err := http.ReadRequest(bufio.NewReader(secure))
			if err != nil {
				return
			}
			_, _ = io.Copy(io.Discard, req.Body)
			executed.Add(1)
			_, _ = raw.Write([]byte(record))
		})
		wantUnknown(t, submitTo(t, address, hc), executed.Load())
	}
}

// HTTP/2 sends a request again after some resets that do not prove that nothing
// was done with it. A submit must not be among those.
func TestHTTP2ResetIsNotReplayed(t *testing.T) {
	t.Parallel()
	for name, gone := range map[string]bool{"server stays": false, "server gone": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var executed atomic.Int32
			address, hc := tlsServer(t, "h2", func(l net.Listener, _ net.Conn, secure *tls.Conn) {
				if _, err := io.ReadFull(secure, make([]byte, len(http2.ClientPreface))); err != nil {
					return
				}
				framer := http2.NewFramer(secure, secure)
				_ = framer.WriteSettings()
				for {
					f, err := framer.ReadFrame()
					if err != nil {
						return
					}
					d, ok := f.(*http2.DataFrame)
					if !ok || !d.StreamEnded() {
						continue
					}
					if executed.Add(1) > 1 { // the second one would be told that there is one already
						_ = framer.WriteHeaders(http2.HeadersFrameParam{StreamID: d.StreamID, BlockFragment: []byte{0x88}, EndHeaders: true})
						_ = framer.WriteData(d.StreamID, true, []byte(`{"successful":false,"ret_code":"DUP"}`))
						continue
					}
					if gone {
						_ = l.Close()
						_ = framer.WriteGoAway(d.StreamID, http2.ErrCodeNo, nil)
					}
					_ = framer.WriteRSTStream(d.StreamID, http2.ErrCodeProtocol)
				}
			})
			wantUnknown(t, submitTo(t, address, hc), executed.Load())
		})
	}
}

// A round tripper that repeats calls itself says of its last attempt that it could
// not connect; the first one was carried out.
func TestRepeatingRoundTripper(t *testing.T) {
	t.Parallel()
	var executed atomic.Int32
	var s *httptest.Server
	s = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		executed.Add(1)
		_ = s.Listener.Close()
		w.Header().Set("Connection", "close")
		w.WriteHeader(http.StatusServiceUnavailable)
	}))
	defer s.Close()
	hc := &http.Client{Transport: repeating{&http.Transport{DisableKeepAlives: true}}}
	wantUnknown(t, submitTo(t, s.URL, hc), executed.Load())
}

type repeating struct{ http.RoundTripper }

func (r repeating) RoundTrip(req *http.Request) (*http.Response, error) {
	res, err := r.RoundTripper.RoundTrip(req)
	if err != nil || res.StatusCode != http.StatusServiceUnavailable {
		return res, err
	}
	_ = res.Body.Close()
	again := req.Clone(req.Context())
	again.Body = http.NoBody
	again.ContentLength = 0
	return r.RoundTripper.RoundTrip(again)
}
