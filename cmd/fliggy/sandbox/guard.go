package sandbox

import (
	"errors"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// guard admits requests of the console and of programs to the control API and the console, and none of another web
// page: a page of a foreign site cannot name another origin than its own, and a name of its own that leads here, by
// DNS rebinding, is none that we answer to.
func (s *Sandbox) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cache-Control", "no-store")
		switch {
		case !s.answersTo(r.Host):
			fail(w, http.StatusForbidden, "forbidden_host", "", "the Host "+r.Host+
				" is none of the sandbox's: use its address, or start it with --allow-host")
		case !isOwnOrigin(r):
			fail(w, http.StatusForbidden, "forbidden_origin", "", "another web page may not use the sandbox: "+
				"call it without the header Origin, or from the console")
		case isWrite(r) && !isJSON(r):
			fail(w, http.StatusUnsupportedMediaType, "unsupported_media_type", "", "want Content-Type: application/json")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// answersTo reports whether a Host is one of the sandbox's: an address, localhost, or a name that was allowed.
func (s *Sandbox) answersTo(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.Trim(name, "[]")
	if _, err := netip.ParseAddr(name); err == nil {
		return true
	}
	isName := func(own string) bool { return strings.EqualFold(own, name) }
	return isName("localhost") || slices.ContainsFunc(s.config.AllowedHosts, isName)
}

// isOwnOrigin reports whether a request is one of the console, or of a program, which names no origin.
func isOwnOrigin(r *http.Request) bool {
	if site := r.Header.Get("Sec-Fetch-Site"); site != "" && site != "same-origin" && site != "none" {
		// A link to the console from elsewhere changes nothing.
		return r.Method == http.MethodGet && r.Header.Get("Sec-Fetch-Mode") == "navigate"
	}
	origins := r.Header.Values("Origin")
	return len(origins) == 0 || len(origins) == 1 && (origins[0] == "http://"+r.Host || origins[0] == "https://"+r.Host)
}

func isWrite(r *http.Request) bool {
	return r.Method == http.MethodPost || r.Method == http.MethodPut || r.Method == http.MethodPatch
}

func isJSON(r *http.Request) bool {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && mediaType == "application/json"
}

// checkURL checks the address of an endpoint.
func checkURL(address string) error {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("want an absolute URL that starts with http:// or https://")
	}
	if _, err := url.QueryUnescape(u.RawQuery); err != nil {
		return errors.New("its query is not percent-encoded")
	}
	return nil
}
