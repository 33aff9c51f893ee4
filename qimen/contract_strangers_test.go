package qimen

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// Whatever a stranger lacks, an allowed address, the secret, the app key, a form that can be verified: the bytes on the
// wire are the same but for the date.
func TestStrangersLearnNothing(t *testing.T) {
	t.Parallel()
	observed := make(chan Observation, 1)
	secrets := Secrets{testApp: {testSecret, "previous"}, "24700002": {"another"}}
	mux := http.NewServeMux()
	for path, opts := range map[string][]Option{"/open": nil, "/closed": {WithAllowedClients("192.0.2.0/24")}} {
		opts = append(opts, WithClock(fixedClock), WithObserver(func(_ context.Context, o Observation) { observed <- o }))
		h, err := NewHandler(secrets, append(opts, newDesk().options()...)...)
		if err != nil {
			t.Fatal(err)
		}
		mux.Handle(path, h)
	}
	server := httptest.NewServer(mux)
	defer server.Close()

	query := queryFor(RenewalPricesMethod)
	body := merchantBodies[RenewalPricesMethod]
	good := newPush(query, jsonType, body)
	signed := mustSign(t, good, testSecret)
	old := strings.Replace(query, "2026", "2025", 1)
	var first string
	var reasons []Reason
	for _, c := range []struct {
		name, path string
		push       *Push
		header     string
	}{
		{"wrong secret", "/open", mustSign(t, good, "guess"), ""},
		{"secret of another app", "/open", mustSign(t, good, "another"), ""},
		{"unknown app", "/open", mustSign(t, newPush(strings.Replace(query, testApp, "1", 1), jsonType, body), "guess"), ""},
		{"no signature", "/open", good, ""},
		{"wrong secret and old", "/open", mustSign(t, newPush(old, jsonType, body), "guess"), ""},
		{"wrong secret and unknown method", "/open", mustSign(t, newPush(query+"x", jsonType, body), "guess"), ""},
		{"wrong secret and no message", "/open", mustSign(t, newPush(query, jsonType, "..."), "guess"), ""},
		{"wrong secret and invalid UTF-8", "/open", mustSign(t, newPush(query, jsonType, "\xff"), "guess"), ""},
		{"no query", "/open", newPush("", jsonType, body), ""},
		{"malformed escape", "/open", newPush(query+"&sign=%", jsonType, body), ""},
		{"long query", "/open", newPush(query+"&sign="+strings.Repeat("x", DefaultHeaderLimit), jsonType, body), ""},
		{"content type", "/open", newPush(query+"&sign=x", "image/png", body), ""},
		{"charset", "/open", newPush(query+"&sign=x", "text/xml;charset=big5", body), ""},
		{"compressed", "/open", signed, "Content-Encoding: gzip\r\n"},
		{"client", "/closed", signed, ""},
		{"client and old", "/closed", mustSign(t, newPush(old, jsonType, body), testSecret), ""},
		{"client that claims another address", "/closed", signed, "X-Forwarded-For: 192.0.2.1\r\nX-Real-IP: 192.0.2.1\r\n"},
		{"client and wrong secret", "/closed", mustSign(t, good, "guess"), ""},
		{"client and content type", "/closed", newPush(query, "image/png", body), ""},
		{"client and size", "/closed", newPush(query, jsonType, strings.Repeat("x", DefaultBodyLimit/8)), ""},
	} {
		text := onWire(t, server.Listener.Addr().String(), c.path, c.push, c.header)
		if first == "" {
			first = text
		}
		if text != first {
			t.Errorf("%s: %q, others %q", c.name, text, first)
		}
		o := <-observed
		if o.Method+o.AppKey+o.Key != "" || !slices.Contains(
			[]Reason{ReasonBadSignature, ReasonUnverifiable, ReasonContentType, ReasonForbiddenClient}, o.Reason,
		) {
			t.Errorf("%s: observed %+v", c.name, o)
		}
		reasons = append(reasons, o.Reason)
	}
	if !strings.HasSuffix(first, "\r\n\r\n"+bodyBadSignature) || strings.Contains(first, "Connection:") {
		t.Errorf("the reply is %q", first)
	}
	if slices.Sort(reasons); len(slices.Compact(reasons)) != 4 {
		t.Errorf("only %v", slices.Compact(reasons))
	}
	// The row for an old push is for who knows the secret.
	if text := onWire(
		t, server.Listener.Addr().String(), "/open", mustSign(t, newPush(old, jsonType, body), testSecret), "",
	); !strings.Contains(text, "invalid-timestamp") {
		t.Errorf("old: %q", text)
	}
	<-observed
}

var datePattern = regexp.MustCompile(`Date: [^\r]*\r\n`)

// onWire gives the reply to a push byte by byte, without its date.
func onWire(t *testing.T, addr, path string, p *Push, header string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Fprintf(conn, "POST %s?%s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\n%sContent-Length: %d\r\n\r\n%s",
		path, p.RawQuery, p.Header.Get("Content-Type"), header, len(p.Body), p.Body); err != nil {
		t.Fatal(err)
	}
	var raw bytes.Buffer
	reply, err := http.ReadResponse(bufio.NewReaderSize(io.TeeReader(conn, &raw), 1), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, reply.Body); err != nil {
		t.Fatal(err)
	}
	return datePattern.ReplaceAllString(raw.String(), "")
}

// All signature failures are one reply, byte for byte, for every method and for one that nobody serves: it tells a
// stranger nothing.
func TestMerchantSignatureFailuresAreAlike(t *testing.T) {
	t.Parallel()
	k := newDesk()
	h := k.handler(t)
	sample := bytes.TrimSpace(readFile(t, "samples/qimen.sign-check-failure.response.json"))
	for _, method := range []string{
		DefaultEventMethod, RenewalPricesMethod, RenewalSubmitMethod, RenewalCancelMethod, "qimen.alitrip.rentcar.none",
	} {
		good := newPush(queryFor(method), jsonType, merchantBodies[method])
		stranger := newPush(strings.Replace(queryFor(method), testApp, "999", 1), jsonType, merchantBodies[method])
		stale := newPush(strings.Replace(queryFor(method), "2026", "2025", 1), jsonType, "no message")
		for _, p := range []*Push{
			mustSign(t, good, "another"), mustSign(t, stranger, "another"), mustSign(t, stale, "another"), good,
		} {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, request(p))
			if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), sample) || w.Header().Get("Content-Type") != jsonReply {
				t.Errorf("%s: %d %s", method, w.Code, w.Body)
			}
			if direct := h.Handle(t.Context(), p); !bytes.Equal(direct.Body, sample) {
				t.Errorf("%s: Handle answers %s", method, direct.Body)
			}
		}
	}
	if len(k.requests)+k.calls > 0 {
		t.Errorf("%d calls", len(k.requests)+k.calls)
	}
}
