package top_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/internal/top"
)

// depthOf returns how deep valid JSON nests.
func depthOf(data []byte) int {
	depth, deepest := 0, 0
	d := json.NewDecoder(bytes.NewReader(data))
	for {
		t, err := d.Token()
		if err != nil {
			return deepest
		}
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
			deepest = max(deepest, depth)
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}

// FuzzScan compares the scanner with encoding/json, which gets control characters
// escaped.
func FuzzScan(f *testing.F) {
	for _, data := range sampleFiles(f, ".json") {
		f.Add(data)
	}
	for _, v := range vectors[responseVector](f, "response.json") {
		f.Add([]byte(v.Body))
	}
	for _, text := range []string{
		`{"a":[1,-0,1.5e+3,true,false,null,"\ud83d\ude97\ud83d\u0041\/\b"]}`, `{"":{},"\u0000":[]}`, "{\"a\":\"\xff\"}",
		`{"a":01}`, `{"a":1,}`, `{"a":.5}`, "{\"a\":\"\n\",\"\t\":[\"\\\\\x00\"]}", "{\"a\":\"\\\n\"}",
		" {\t\"a\"\r:\n1 } ", `{"a":1}x`, `{"a":1} {}`, "[]", `""`, "", "{", nested(`{"a":`, "1", "}", 64),
		nested(`{"a":`, "1", "}", 65),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		var members []top.Member
		err := top.ScanObject(data, func(name string, value json.RawMessage) error {
			members = append(members, top.Member{Name: name, Value: value})
			return nil
		})
		if !bytes.Equal(before, data) {
			t.Fatal("the text has changed")
		}
		strict := escapeControls(data)
		trimmed := bytes.TrimLeft(strict, " \t\r\n")
		good := json.Valid(strict) && utf8.Valid(strict) && trimmed[0] == '{' && depthOf(strict) <= top.MaxDepth
		if good != (err == nil) {
			t.Fatalf("error %v, should take it: %v", err, good)
		}
		if err != nil {
			return
		}
		d := json.NewDecoder(bytes.NewReader(strict))
		if _, err := d.Token(); err != nil {
			t.Fatal(err)
		}
		for _, m := range members {
			name, err := d.Token()
			var value json.RawMessage
			if err == nil {
				err = d.Decode(&value)
			}
			if err != nil {
				t.Fatal(err)
			}
			if m.Name != name || string(m.Value) != string(value) {
				t.Fatalf("got %q: %s, want %q: %s", m.Name, m.Value, name, value)
			}
			if m.Value[0] == '"' {
				var text string
				if err := json.Unmarshal(m.Value, &text); err != nil || top.TextOf(string(m.Value)) != text {
					t.Fatalf("%s: got %q, want %q, %v", m.Value, top.TextOf(string(m.Value)), text, err)
				}
			}
		}
		if d.More() {
			t.Fatal("members are missing")
		}
	})
}

// Values can be kept: nothing that is done to one reaches the text. Errors quote nothing of it.
func TestScanObject(t *testing.T) {
	t.Parallel()
	const text = `{"a":1,"b":2}`
	buffer := []byte(text)
	_ = top.ScanObject(buffer, func(_ string, value json.RawMessage) error {
		_ = append(value, "XXXX"...)
		return nil
	})
	if string(buffer) != text {
		t.Errorf("appending to a value changed the text: %s", buffer)
	}

	none := func(string, json.RawMessage) error { return nil }
	_, err := fromJSON[open](t, `{"`+strings.Repeat("长", 1000)+`":x}`)
	wantError(t, "unknown name", err, "not JSON at byte 3004: expected a value")
	err = top.ScanObject([]byte(`{"`+strings.Repeat("长", 1000)+`":x}`), none)
	wantError(t, "long name", err, "not JSON at byte 3004: expected a value")
	err = top.ScanObject([]byte(`{"a\u0000\nb":x}`), none)
	wantError(t, "control characters", err, "not JSON at byte 14: expected a value")
	stop := errors.New("stop")
	if err := top.ScanObject(
		[]byte(`{"a":1}`), func(string, json.RawMessage) error { return stop },
	); !errors.Is(err, stop) {
		t.Errorf("error %v", err)
	}
}
