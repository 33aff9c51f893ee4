package qimen

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"regexp"
	"strings"
)

// digestOf is the SHA-256 of what a message says. White space and the order of
// members do not count, and neither does the trace id: the platform may make a new one
// for each push of the same message, which must not run again for it.
func digestOf(payload []byte) string {
	payload = bytes.TrimPrefix(payload, []byte("\uFEFF"))
	if content, ok := parseJSON(string(payload)); ok {
		payload, _ = json.Marshal(untraced(content)) // what was parsed can be written
	} else {
		payload = xmlTraceID.ReplaceAll(payload, nil)
	}
	sum := sha256.Sum256(payload)
	return hex.EncodeToString(sum[:])
}

var xmlTraceID = regexp.MustCompile(`<traceId>[^<]*</traceId>`)

// parseJSON reads an object or array, with the digits of its numbers.
func parseJSON(text string) (content any, ok bool) {
	text = strings.TrimSpace(text)
	if text == "" || text[0] != '{' && text[0] != '[' {
		return nil, false
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	if err := decoder.Decode(&content); err != nil {
		return nil, false
	}
	_, err := decoder.Token()
	return content, err == io.EOF
}

// untraced drops the trace ids of objects, also of those that lie in text.
func untraced(content any) any {
	switch content := content.(type) {
	case map[string]any:
		delete(content, "traceId")
		delete(content, "trace_id")
		for name, value := range content {
			content[name] = untraced(value)
		}
	case []any:
		for i, value := range content {
			content[i] = untraced(value)
		}
	case string:
		if inner, ok := parseJSON(content); ok {
			return untraced(inner)
		}
	}
	return content
}
