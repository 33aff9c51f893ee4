package sandbox

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestGuard lets the console and programs in, and no other web page.
func TestGuard(t *testing.T) {
	t.Parallel()
	d := newDesk(t, func(c *Config) { c.AllowedHosts = []string{"fliggy.test", "Desk.Test"} })
	header := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	for name, c := range map[string]struct {
		host   string
		header http.Header
		method string
		status int
	}{
		"program":      {"127.0.0.1:8787", nil, "POST", 200},
		"localhost":    {"LOCALHOST:8787", nil, "POST", 200},
		"IPv6":         {"[::1]:8787", nil, "POST", 200},
		"allowed name": {"fliggy.test", nil, "POST", 200},
		"other case":   {"desk.test:80", nil, "POST", 200},
		"console": {"127.0.0.1:1", header("Origin", "http://127.0.0.1:1", "Sec-Fetch-Site", "same-origin"),
			"POST", 200},
		"behind a proxy":    {"fliggy.test", header("Origin", "https://fliggy.test"), "POST", 200},
		"rebinding":         {"evil.example", nil, "GET", 403},
		"rebinding, origin": {"evil.example", header("Origin", "http://evil.example"), "POST", 403},
		"other page":        {"127.0.0.1:1", header("Origin", "http://evil.example"), "POST", 403},
		"other port":        {"127.0.0.1:1", header("Origin", "http://127.0.0.1:2"), "POST", 403},
		"null":              {"127.0.0.1:1", header("Origin", "null"), "POST", 403},
		"reads":             {"127.0.0.1:1", header("Origin", "http://evil.example"), "GET", 403},
		"an image":          {"127.0.0.1:1", header("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"), "GET", 403},
		"a link": {"127.0.0.1:1", header("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), "GET",
			200},
		"a form of a page": {"127.0.0.1:1", header("Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"), "POST",
			403},
		"a plain form": {"127.0.0.1:1", header("Content-Type", "text/plain"), "POST", 415},
		"no host":      {"", nil, "POST", 403},
	} {
		path, body := Prefix+"/reset", "{}"
		if c.method == "GET" {
			path, body = Prefix+"/state", ""
		}
		r := httptest.NewRequest(c.method, path, strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		for name := range c.header {
			r.Header.Set(name, c.header.Get(name))
		}
		r.Host = c.host
		w := httptest.NewRecorder()
		d.s.Handler().ServeHTTP(w, r)
		if w.Code != c.status || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s: status %d, %s", name, w.Code, w.Body)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s: headers %v", name, w.Header())
		}
	}
	// The gateway itself is called by any name: nothing there obeys a browser.
	r := httptest.NewRequest(http.MethodPost, "/router/rest", http.NoBody)
	r.Host = "gw.api.taobao.test"
	w := httptest.NewRecorder()
	d.s.Handler().ServeHTTP(w, r)
	if w.Code != 200 || !strings.Contains(w.Body.String(), "Missing method") {
		t.Errorf("gateway: %d, %s", w.Code, w.Body)
	}
}
