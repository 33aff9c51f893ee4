package push

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/qimen"
)

func TestTo(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"", "localhost:80", "ftp://x", "http://", "http://a b/", "%", "/path"} {
		if to, err := To(address); err == nil || to != (Target{}) {
			t.Errorf("%q: %+v, %v", address, to, err)
		}
	}
}

func TestTargets(t *testing.T) {
	t.Parallel()
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		switch string(body) {
		case "panic":
			panic("in the handler")
		case "huge":
			_, _ = w.Write(bytes.Repeat([]byte("x"), MaxAnswer+1))
		case "redirect":
			http.Redirect(w, r, "/", http.StatusTemporaryRedirect)
		default:
			_, _ = io.WriteString(w, r.Method+" "+r.URL.Path+" "+r.RequestURI)
		}
	})
	server := httptest.NewServer(h)
	defer server.Close()
	remote, err := To(server.URL + "/push")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		to                   Target
		body, answer, failed string
		status               int
	}{
		{remote, "", "POST /push /push?a=1", "", 200},
		{ToHandler(h), "", "POST / /?a=1", "", 200},
		{remote, "redirect", "", "", 307},
		{remote, "huge", "", "longer than 1048576 bytes", 200},
		{ToHandler(h), "huge", "", "longer than 1048576 bytes", 200},
		{ToHandler(h), "panic", "", "the handler panicked: in the handler", 0},
	} {
		s := sender(c.to)
		var res Result
		p := &qimen.Push{RawQuery: "a=1", Header: http.Header{}, Body: []byte(c.body)}
		s.Send(t.Context(), p, &Shape{}, func(r Result) { res = r })
		s.Client.CloseIdleConnections()
		if res.Status != c.status || string(res.Body) != c.answer || (res.Err == nil) != (c.failed == "") {
			t.Errorf("%q: %+v", c.body, res)
		}
		if c.failed != "" && !strings.Contains(res.Err.Error(), c.failed) {
			t.Errorf("%q: %v", c.body, res.Err)
		}
	}
}
