package main

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// A message is an HTTP request as the flags of sign and verify give it.
type message struct {
	URL         string `help:"URL of the request, with its query." placeholder:"URL"`
	Body        string `help:"Body of the request: as it is, @FILE, or @- for stdin." placeholder:"TEXT|@FILE"`
	ContentType string `help:"Content-Type of the body. Default: JSON, XML or a form, by what the body looks like." placeholder:"TYPE"`
}

// request makes the request.
func (m *message) request(e *env) (*http.Request, []byte, error) {
	body, err := e.argument("--body", m.Body)
	if err != nil {
		return nil, nil, err
	}
	method := http.MethodPost
	if m.Body == "" {
		method = http.MethodGet
	}
	r, err := http.NewRequestWithContext(e.ctx, method, m.URL, bytes.NewReader(body))
	if err != nil {
		return nil, nil, errors.New("--url: it is not a URL") // the parser's text would quote it
	}
	if contentType := cmp.Or(m.ContentType, contentTypeOf(body)); contentType != "" {
		r.Header.Set("Content-Type", contentType)
	}
	return r, body, nil
}

// contentTypeOf guesses that of a body.
func contentTypeOf(body []byte) string {
	switch text := bytes.TrimSpace(body); {
	case len(body) == 0:
		return ""
	case bytes.HasPrefix(text, []byte("{")), bytes.HasPrefix(text, []byte("[")):
		return "application/json;charset=utf-8"
	case bytes.HasPrefix(text, []byte("<")):
		return "text/xml;charset=utf-8"
	}
	return "application/x-www-form-urlencoded;charset=utf-8"
}

// argument is the value of a flag that may name a file.
func (e *env) argument(flag, value string) ([]byte, error) {
	file, ok := strings.CutPrefix(value, "@")
	if !ok {
		return []byte(value), nil
	}
	data, err := e.readFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return data, nil
}

// readRequest reads a request as a proxy records it, or as curl -v shows it, which is without the body.
func readRequest(data []byte) (*http.Request, []byte, error) {
	data = fromCurl(bytes.TrimLeft(bytes.TrimPrefix(data, []byte("\ufeff")), "\r\n"))
	head, rest := cutHead(data)
	first, fields, _ := strings.Cut(head, "\n")
	first = strings.TrimRight(first, "\r")
	if before, version, ok := strings.Cut(first, " HTTP/"); ok && version != "1.0" {
		first = before + " HTTP/1.1" // of HTTP/2 only this line looks different
	}
	text := first + "\r\n" + strings.TrimRight(fields, "\r\n") + "\r\n\r\n"
	r, err := http.ReadRequest(bufio.NewReader(io.MultiReader(strings.NewReader(text), bytes.NewReader(rest))))
	if err != nil {
		return nil, nil, errors.New(
			"it is no HTTP request: want a line such as POST /router/rest?... HTTP/1.1, headers, an empty line and the body")
	}
	body := rest
	if len(r.TransferEncoding) > 0 {
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, nil, fmt.Errorf("its body is not chunked as Transfer-Encoding says: %w", err)
		}
	} else if length, err := strconv.Atoi(r.Header.Get("Content-Length")); err == nil && length >= 0 {
		body = body[:min(length, len(body))] // without the line end that an editor adds
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return r, body, nil
}

// cutHead cuts a request at the first empty line.
func cutHead(data []byte) (head string, body []byte) {
	for _, end := range []string{"\r\n\r\n", "\n\n"} {
		if before, after, ok := bytes.Cut(data, []byte(end)); ok {
			return string(before), after
		}
	}
	return string(bytes.TrimRight(data, "\r\n")), nil
}

// fromCurl takes the request out of what curl -v prints. Anything else it returns as it is.
func fromCurl(data []byte) []byte {
	if !bytes.HasPrefix(data, []byte("> ")) && !bytes.Contains(data, []byte("\n> ")) {
		return data
	}
	var out bytes.Buffer
	for line := range bytes.Lines(data) {
		if rest, ok := bytes.CutPrefix(line, []byte(">")); ok {
			out.Write(bytes.TrimPrefix(rest, []byte(" ")))
		}
	}
	return out.Bytes()
}

// formOf is the content of a form body, nil for a body of another kind.
func formOf(r *http.Request, body []byte) (url.Values, error) {
	contentType := strings.ToLower(r.Header.Get("Content-Type"))
	if strings.Contains(contentType, "json") || strings.Contains(contentType, "xml") {
		return nil, nil
	}
	if strings.HasPrefix(contentType, "multipart/") {
		r.Body = io.NopCloser(bytes.NewReader(body))
		if err := r.ParseMultipartForm(16 << 20); err != nil {
			return nil, err
		}
		return r.MultipartForm.Value, nil
	}
	return url.ParseQuery(string(body))
}
