package events_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// sample reads a documented payload.
func sample(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "samples", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// catalogue is the part of the catalogue of events and callbacks that the tests use.
type catalogue struct {
	Meta struct {
		PayTradeNo struct{ Examples []string } `json:"pay_trade_no"`
	}
	Events []catalogueEvent
}

type catalogueEvent struct {
	Type      events.Type
	Direction string
	Fields    []catalogueField `json:"payload_fields"`
	Sample    json.RawMessage
}

type catalogueField struct {
	Name, Type, Unit, Confidence string
}

func readCatalogue(t testing.TB) catalogue {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "catalogue", "events.json"))
	if err != nil {
		t.Fatal(err)
	}
	var c catalogue
	if err := json.Unmarshal(data, &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// entry returns the catalogue entry of a type.
func (c catalogue) entry(t testing.TB, typ events.Type) catalogueEvent {
	t.Helper()
	for _, e := range c.Events {
		if e.Type == typ {
			return e
		}
	}
	t.Fatalf("the catalogue has no type %v", typ)
	return catalogueEvent{}
}

// documented returns every payload in the documents and the catalogue, events and callbacks, by name.
func documented(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, name := range []string{
		"event-103.json", "event-104.json", "event-142.json", "callback-270.json", "callback-271.json",
	} {
		all[name] = sample(t, name)
	}
	for _, e := range readCatalogue(t).Events {
		if string(e.Sample) != "null" {
			all["catalogue "+e.Type.String()] = e.Sample
		}
	}
	if len(all) != 19 {
		t.Fatalf("%d documented payloads, want 19", len(all))
	}
	return all
}

// sameEvent compares events and callbacks by their meaning: numbers by text, raw members as JSON, without the payload.
var sameEvent = cmp.Options{
	cmpopts.IgnoreUnexported(
		events.RenewalAccepted{}, events.RenewalRejected{}, events.RenewalFeeRefund{}, events.FeeRefund{}, events.Unknown{},
	),
	cmp.Comparer(func(a, b fliggy.Yuan) bool { return a == b }),
	cmp.Comparer(func(a, b fliggy.Time) bool { return a.Equal(b.Time) }),
	cmp.Transformer("json", func(raw json.RawMessage) any { return tree(raw) }),
	cmp.Transformer("exts", func(e fliggy.Exts) any {
		if json.Valid([]byte(e)) {
			return tree([]byte(e))
		}
		return string(e)
	}),
}

// tree decodes JSON with its numbers as text.
func tree(data []byte) any {
	d := json.NewDecoder(bytes.NewReader(escapeControls(data)))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return "no JSON: " + string(data)
	}
	return v
}

// escapeControls escapes the control characters between the quotes of a payload, which encoding/json refuses.
func escapeControls(data []byte) []byte {
	var out []byte
	quoted, escaped := false, false
	for _, c := range data {
		if quoted && !escaped && c < ' ' {
			out = fmt.Appendf(out, `\u%04x`, c)
			continue
		}
		quoted = quoted != (c == '"' && !escaped)
		escaped = quoted && c == '\\' && !escaped
		out = append(out, c)
	}
	return out
}

func diffJSON(want, got []byte) string { return cmp.Diff(tree(want), tree(got)) }

// quote returns text as a JSON string.
func quote(text []byte) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(string(text))
	return strings.TrimSuffix(b.String(), "\n")
}

// edit sets members of a payload: names like "eventData.reason", values as JSON. An empty value removes the member.
func edit(t testing.TB, payload []byte, changes ...string) []byte {
	t.Helper()
	var m map[string]json.RawMessage
	if err := json.Unmarshal(payload, &m); err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(changes); i += 2 {
		name, value := changes[i], changes[i+1]
		if outer, inner, nested := strings.Cut(name, "."); nested {
			name, value = outer, string(edit(t, m[outer], inner, value))
		}
		if value == "" {
			delete(m, name)
		} else {
			m[name] = json.RawMessage(value)
		}
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(m); err != nil {
		t.Fatal(err)
	}
	return bytes.TrimSpace(b.Bytes())
}

func parse(t testing.TB, payload []byte) events.Event {
	t.Helper()
	e, err := events.Parse(payload)
	if err != nil {
		t.Fatalf("Parse(%.300s): %v", payload, err)
	}
	return e
}

// parseAs parses a payload that must be an event of type E.
func parseAs[E events.Event](t testing.TB, payload []byte) E {
	t.Helper()
	e, ok := parse(t, payload).(E)
	if !ok {
		t.Fatalf("Parse(%.300s) gives a %T", payload, parse(t, payload))
	}
	return e
}

// finding is a fliggy.Problem as one string.
type finding struct{ Field, Rule string }

// findings returns the problems that a Validate method lists.
func findings(t testing.TB, err error) (found []finding) {
	t.Helper()
	if err == nil {
		return nil
	}
	var invalid *fliggy.ValidationError
	if !errors.As(err, &invalid) {
		t.Fatalf("%T is no *fliggy.ValidationError: %v", err, err)
	}
	for _, p := range invalid.Problems {
		found = append(found, finding(p))
	}
	return found
}

func wantError(t testing.TB, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one with %q", parts)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q lacks %q", err, part)
		}
	}
}
