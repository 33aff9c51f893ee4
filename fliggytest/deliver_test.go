package fliggytest

import (
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar"
)

func TestGBKReply(t *testing.T) {
	t.Parallel()
	for _, format := range allFormats {
		g := start(t)
		g.Fail(InGBK())
		var raw rentcar.RawReply
		res, err := connect(t, g, rentcar.WithFormat(format)).Orders.Query(context.Background(),
			&rentcar.OrderQueryRequest{OrderID: SampleOrderID}, rentcar.CallRawReply(&raw))
		noError(t, err)
		if got := res.Booking.Stores[0].Name; got != "纵横租车" {
			t.Errorf("%v: got %q", format, got)
		}
		if len(raw.Body) >= len(lastRequest(t, g).Answer.Body) {
			t.Errorf("%v: %d bytes are not GBK", format, len(raw.Body))
		}
	}
}

func TestHangingUpTwice(t *testing.T) {
	t.Parallel()
	hangUp(nopWriter{}, nil) // a connection that cannot be taken over
}

func TestGzip(t *testing.T) {
	t.Parallel()
	g := start(t)
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	for _, accept := range []string{"", "gzip", "deflate, gzip;q=0.5"} {
		req, err := http.NewRequest(http.MethodPost, g.URL(), nil)
		noError(t, err)
		req.Header.Set("Accept-Encoding", accept)
		resp, err := client.Do(req)
		noError(t, err)
		in := io.Reader(resp.Body)
		if got, want := resp.Header.Get("Content-Encoding") == "gzip", accept != ""; got != want {
			t.Errorf("%q: compressed %v, want %v", accept, got, want)
		} else if got {
			in, err = gzip.NewReader(resp.Body)
			noError(t, err)
		}
		body, err := io.ReadAll(in)
		noError(t, err)
		noError(t, resp.Body.Close())
		if !strings.Contains(string(body), "Missing method") {
			t.Errorf("%q: %s", accept, body)
		}
	}
}
