package rentcar

import (
	"fmt"
	"net/http"
	"strings"
)

// An answer is what came back for one attempt.
type answer struct {
	status int
	header http.Header
	read   bool   // whether body is all of it
	body   string // inflated, in its own charset
}

// raw is the answer in the form that callers get.
func (a *answer) raw() RawReply {
	r := RawReply{HTTPStatus: a.status, Header: a.header}
	if a.read {
		r.Body = []byte(a.body)
	}
	return r
}

// describe says what came without showing it.
func (a *answer) describe() string {
	body := strings.TrimSpace(a.body)
	kind := "text"
	switch {
	case body == "":
		return "empty"
	case body[0] == '{' || body[0] == '[':
		kind = "JSON"
	case isHTML(body):
		kind = "HTML"
	case body[0] == '<':
		kind = "XML"
	}
	return fmt.Sprintf("%s, %d bytes", kind, len(a.body))
}

func isHTML(body string) bool {
	return hasPrefixFold(body, "<html") || hasPrefixFold(body, "<!doctype html")
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && strings.EqualFold(s[:len(prefix)], prefix)
}
