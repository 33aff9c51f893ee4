package push

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"

	"github.com/fliggy-go/rentcar/qimen"
)

// MaxAnswer bounds the answer to a push, in bytes.
const MaxAnswer = 1 << 20

// A Target is where pushes go. The zero Target is none.
type Target struct {
	address string // without its query
	query   string
	handler http.Handler
}

var errAddress = errors.New("want an absolute address that starts with http:// or https://")

// To aims at an address, over http or https. Its query is kept and signed.
func To(address string) (Target, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return Target{}, errAddress
	}
	t := Target{query: u.RawQuery}
	u.RawQuery, u.Fragment = "", ""
	t.address = u.String()
	return t, nil
}

// ToHandler aims at a handler, without a connection in between.
func ToHandler(h http.Handler) Target { return Target{address: "http://handler/", handler: h} }

// NewClient makes the HTTP client of a sender. It follows no redirect.
func NewClient(proxy func(*http.Request) (*url.URL, error)) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConnsPerHost: 64, Proxy: proxy},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// send delivers a push and returns the answer.
func (t Target) send(ctx context.Context, client *http.Client, p *qimen.Push) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.address+"?"+p.RawQuery, bytes.NewReader(p.Body))
	if err != nil {
		return 0, nil, err
	}
	req.Header = p.Header.Clone()
	req.Header.Set("User-Agent", "fliggytest")
	var resp *http.Response
	if t.handler != nil {
		resp, err = t.serve(req)
	} else {
		resp, err = client.Do(req)
	}
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(resp.Body, MaxAnswer+1))
	if err == nil && len(body) > MaxAnswer {
		body, err = nil, fmt.Errorf("the answer is longer than %d bytes", MaxAnswer)
	}
	return resp.StatusCode, body, err
}

// serve hands the request to the handler as a server would.
func (t Target) serve(req *http.Request) (resp *http.Response, err error) {
	if err := req.Context().Err(); err != nil {
		return nil, err
	}
	req.RequestURI, req.RemoteAddr = req.URL.RequestURI(), "127.0.0.1:1"
	w := httptest.NewRecorder()
	defer func() {
		if v := recover(); v != nil {
			resp, err = nil, fmt.Errorf("the handler panicked: %v", v)
		}
	}()
	t.handler.ServeHTTP(w, req)
	if err := req.Context().Err(); err != nil { // nobody waits for the answer any more
		return nil, err
	}
	return w.Result(), nil
}
