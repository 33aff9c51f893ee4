package main

import (
	"strings"
	"testing"
)

// TestReadRequest reads what proxies, editors and curl make of a request.
func TestReadRequest(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, target, body string }{
		"CRLF":       {"POST /a?b=c HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nxy", "/a?b=c", "xy"},
		"LF":         {"POST /a?b=c HTTP/1.1\nHost: h\nContent-Length: 2\n\nxy\n", "/a?b=c", "xy"},
		"no length":  {"POST /a HTTP/1.1\nHost: h\n\nxy", "/a", "xy"},
		"longer":     {"POST /a HTTP/1.1\nHost: h\nContent-Length: 9\n\nxy", "/a", "xy"},
		"HTTP/2":     {"POST /a HTTP/2\nHost: h\n\nxy", "/a", "xy"},
		"HTTP/1.0":   {"POST /a HTTP/1.0\n\nxy", "/a", "xy"},
		"absolute":   {"POST http://h/a?b HTTP/1.1\nHost: h\n\nxy", "http://h/a?b", "xy"},
		"BOM":        {"\ufeffPOST /a HTTP/1.1\nHost: h\n\nxy", "/a", "xy"},
		"no body":    {"GET /a?b=c HTTP/1.1\nHost: h", "/a?b=c", ""},
		"only a row": {"GET /a?b=c HTTP/1.1", "/a?b=c", ""},
		"chunked":    {"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nxy\r\n0\r\n\r\n", "/a", "xy"},
		"curl": {
			"* Connected\n> POST /a?b HTTP/2\n> Host: h\n> Content-Length: 2\n> \n* sent\n< HTTP/2 200\n< \n{}\n", "/a?b", "",
		},
		"curl, CRLF": {"> POST /a HTTP/1.1\r\n> Host: h\r\n>\r\n< HTTP/1.1 200\r\n", "/a", ""},
	} {
		r, body, err := readRequest([]byte(c.text))
		if err != nil || r.RequestURI != c.target || string(body) != c.body {
			t.Errorf("%s: %v, %q, %v", name, r, body, err)
		}
	}
	for text, want := range map[string]string{
		"":          "no HTTP request",
		"x":         "no HTTP request",
		"{\"a\":1}": "no HTTP request",
		"POST /a HTTP/1.1\nHost: h\nTransfer-Encoding: chunked\n\nxy": "not chunked",
		"POST /a HTTP/1.1\nHo st\n\n":                                 "no HTTP request",
	} {
		if _, _, err := readRequest([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestContentTypeOf(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		"": "", " {}": "json", "[": "json", "<a/>": "xml", "a=b": "form", " ": "form",
	} {
		if got := contentTypeOf([]byte(body)); !strings.Contains(got, want) || (want == "") != (got == "") {
			t.Errorf("%q: %q", body, got)
		}
	}
}
