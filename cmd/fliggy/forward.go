package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/fliggy-go/rentcar/fliggytest"
)

// A forwarder sends the pushes of "fliggy listen" on to another endpoint.
type forwarder struct {
	to     *url.URL
	client *http.Client
}

// newForwarder checks the address of --forward. Port is where the pushes arrive.
func newForwarder(address string, port net.Addr) (*forwarder, error) {
	if err := checkURL("--forward", address); err != nil {
		return nil, err
	}
	to, err := url.Parse(address)
	own := map[string]bool{port.String(): true}
	if tcp, ok := port.(*net.TCPAddr); ok {
		own[fmt.Sprintf("localhost:%d", tcp.Port)], own[fmt.Sprintf("127.0.0.1:%d", tcp.Port)] = true, true
	}
	switch {
	case err != nil:
		return nil, err
	case to.RawQuery != "":
		return nil, errors.New("--forward: want a URL without a query: that of the push, which is signed, comes there")
	case own[to.Host]:
		return nil, fmt.Errorf("--forward: %s is where it listens itself: choose another with --addr", to.Host)
	}
	return &forwarder{to, &http.Client{
		Transport: &http.Transport{Proxy: http.ProxyFromEnvironment}, Timeout: time.Minute, // there may be a breakpoint
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// send sends a push on with its headers, its query and its body, byte for byte, and returns the answer.
func (f *forwarder) send(ctx context.Context, r *http.Request, body []byte, now func() time.Time) *pushed {
	start, got := now(), fliggytest.PushResult{RawQuery: r.URL.RawQuery}
	out, err := http.NewRequestWithContext(ctx, r.Method, f.to.String(), bytes.NewReader(body))
	var res *http.Response
	if err == nil {
		out.URL.RawQuery, out.Header = r.URL.RawQuery, r.Header.Clone()
		out.Header.Del("Connection") // these two are of the sender's connection
		out.Header.Del("Accept-Encoding")
		res, err = f.client.Do(out) //nolint:gosec // the user says where to
	}
	if err == nil {
		got.Status = res.StatusCode
		got.Answer, err = io.ReadAll(io.LimitReader(res.Body, 1<<20))
		_ = res.Body.Close()
	}
	p := &pushed{Status: got.Status, Answer: string(got.Answer), DurationMS: now().Sub(start).Milliseconds()}
	if failed := (*url.Error)(nil); errors.As(err, &failed) {
		err = failed.Err // the URL has the signature
	}
	if got.Err = err; err != nil {
		p.Error = err.Error()
	}
	var said struct{ Success any }
	got.Accepted = err == nil && got.Status == http.StatusOK && json.Unmarshal(got.Answer, &said) == nil &&
		(said.Success == true || said.Success == "true")
	p.Accepted, p.Verdict = got.Accepted, new(triggerCmd).verdict(&got)
	return p
}
