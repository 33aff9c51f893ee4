package top_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"

	"github.com/google/go-cmp/cmp"
)

// escapeControls escapes the control characters between quotes, which makes strict
// JSON of what the platform sends, and leaves strict JSON alone.
func escapeControls(data []byte) []byte {
	var out []byte
	quoted, escaped := false, false
	for _, c := range data {
		if quoted && !escaped && c < ' ' {
			if at := strings.IndexByte("\bb\ff\nn\rr\tt", c); at >= 0 {
				out = append(out, '\\', "\bb\ff\nn\rr\tt"[at+1])
			} else {
				out = fmt.Appendf(out, `\u%04X`, c)
			}
			continue
		}
		out = append(out, c)
		switch {
		case escaped:
			escaped = false
		case c == '"':
			quoted = !quoted
		case c == '\\':
			escaped = quoted
		}
	}
	return out
}

// ownText is a type of a user that reads itself with encoding/json.
type ownText struct{ Text string }

// UnmarshalJSON reads text.
func (o *ownText) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &o.Text) }

// MarshalJSON writes text.
func (o ownText) MarshalJSON() ([]byte, error) { return json.Marshal(o.Text) }

type controlled struct {
	Text  string                     `top:"text"`
	Texts []string                   `top:"texts"`
	ID    fliggy.ID                  `top:"id"`
	Yuan  fliggy.Yuan                `top:"yuan"`
	Time  fliggy.Time                `top:"time,required"`
	Exts  fliggy.Exts                `top:"exts"`
	More  fliggy.Exts                `top:"more"`
	Own   ownText                    `top:"own"`
	Raw   json.RawMessage            `top:"raw"`
	Item  item                       `top:"item"`
	Items []item                     `top:"items"`
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Control characters in strings are read and kept, wherever the string lies. Who
// reads JSON by the letter gets them escaped.
func TestControlCharacters(t *testing.T) {
	t.Parallel()
	const controls = "\x00\x01\b\t\n\v\f\r\x1f"
	const text = "{\"text\":\"a" + controls +
		"b\",\"texts\":[\"\n\"],\"id\":\"1\n\",\"yuan\":\"1.50\n\",\"time\":\"\t2022-11-24 10:00:00\n\"," +
		"\"exts\":{\"k\":\"\n\"},\"more\":\"{\\\"k\\\":\\\"\n\\\\t\\\"}\",\"own\":\"\n\\\\\",\"raw\":{ " +
		"\"a\":\"\t\\\"\n\"},\n" +
		"\"item\":\"{\\\"sid\\\":\\\"\\n\\t\\\"}\",\"items\":[{\"tags\":[{\"a\" : \"\n\"}]}],\"un\nknown\":\"\x01\"}"
	want := controlled{
		Text: "a" + controls + "b", Texts: []string{"\n"}, ID: "1\n", Yuan: fliggy.MustYuan("1.50"),
		Time: fliggy.MustTime("2022-11-24 10:00:00"),
		Exts: `{"k":"\n"}`, More: `{"k":"\u000a\t"}`, Own: ownText{"\n\\"}, Raw: json.RawMessage(`{ "a":"\t\"\n"}`),
		Item: item{SID: "\n\t"}, Items: []item{{Tags: []string{`{"a":"\n"}`}}},
		Extra: map[string]json.RawMessage{"un\nknown": json.RawMessage(`"\u0001"`)},
	}
	got, err := fromJSON[controlled](t, text)
	if err != nil {
		t.Fatal(err)
	}
	wantDiff(t, "whole", want, got)
	again, err := toJSON(t, &got, top.EncodeOptions{})
	if err != nil || !json.Valid([]byte(again)) {
		t.Errorf("written again: %s, %v", again, err)
	}
	err = top.ScanObject([]byte(text), func(name string, value json.RawMessage) error {
		if !json.Valid(value) {
			t.Errorf("%q: %q is no JSON", name, value)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	got, err = fromXML[controlled](
		t, "<r><time>2022-11-24 10:00:00</time><item>{\"sid\":\"\n\t\"}</item><more>{\"k\":\"\n\"}</more></r>",
	)
	wantDiff(t, "JSON in XML", controlled{Time: want.Time, Item: want.Item, More: `{"k":"\u000a"}`}, got)
	if err != nil {
		t.Error(err)
	}
	// Text that says nothing says as little with a raw line feed as with an escaped one.
	for _, nothing := range []string{`"\n"`, "\"\n\""} {
		_, err := fromJSON[controlled](t, `{"time":`+nothing+`}`)
		wantError(t, nothing, err, "time: missing")
	}
	// What is sent is JSON by the letter.
	_, err = toJSON(t, &controlled{Raw: json.RawMessage("\"\n\"")}, top.EncodeOptions{})
	wantError(t, "sent", err, "raw: must be valid JSON")
}

func TestFaultWithControlCharacters(t *testing.T) {
	t.Parallel()
	for _, format := range []top.Format{top.Simplified, top.Wrapped} {
		r, err := top.OpenReply(string(readFile(t, "cases/02-raw-newline-in-error.json")), format, top.TOP, "")
		if err != nil {
			t.Fatal(err)
		}
		wantDiff(t, "fault", &top.Fault{
			Code: "15", Msg: "Remote service error", SubCode: "isv.param-error",
			SubMsg: "#/shipping_template_id: 0\nsubschemas matched instead of one", RequestID: "lptiptvfdric",
		}, r.Fault)
	}
}

// FuzzControls reads replies as they are and with their control characters escaped:
// the same values, or the same refusal. So what encoding/json reads at all, which has
// none, is read as FuzzStandard and FuzzScan hold it to; and what only we read has the
// values that every reader sees behind the escapes.
func FuzzControls(f *testing.F) {
	for _, name := range []string{
		"01-raw-control-address.json", "01-raw-control-success.json", "02-raw-newline-in-error.json",
	} {
		f.Add(readFile(f, "cases/"+name), uint8(0), "")
		f.Add(readFile(f, "cases/"+name), uint8(1), "")
	}
	for _, data := range sampleFiles(f, ".json") {
		f.Add(data, uint8(0), "")
	}
	for _, c := range leniencies {
		f.Add([]byte("{"+c.json+"}"), uint8(0), "")
	}
	for _, text := range []string{
		"{\"text\":\"\n\",\"item\":\"{\\\"sid\\\":\\\"\n\\\"}\",\"a\n\":1,\"a\\n\":2}", "{\"text\":\"\\\n\"}",
		"{\"exts\":\"{\\\"a\\\":\\\"\n\\\\\n\\\"}\"}", "{\"x\":\"\x00\",\"id\":\"\n\"}",
		"{\"text\":\"a\\\\\n\",\"texts\":[\"\t\"]}", "{\"int\":\"1\n\",\"yuan\":\"\n\",\"time\":\"\n\",\"flag\":\"\ttrue\"}",
		"{\"raw\":{\"a\" : \"\r\n\"}}", "{\"exts\":\"\\\"\n\"}",
	} {
		f.Add([]byte(text), uint8(3), "item")
		f.Add([]byte(text), uint8(0), "")
	}
	plan, keeper := planOf[all](f), planOf[open](f)
	f.Fuzz(func(t *testing.T, data []byte, form uint8, inner string) {
		strict := escapeControls(data)
		if json.Valid(data) && string(strict) != string(data) {
			t.Fatal("strict JSON has nothing to escape")
		}
		read := func(data []byte) (r *top.Reply, v all, o open, errs [4]bool) {
			if !utf8.Valid(data) {
				return nil, v, o, errs
			}
			r, err := top.OpenReply(string(data), top.Format(form%2), top.Dialect(form/2%2), inner)
			errs[0] = err != nil
			if err == nil && r.Fault == nil {
				errs[1] = r.Decode(plan, &v) != nil
				errs[2] = r.Decode(keeper, &o) != nil
			}
			_, err = top.AppendParts(nil, string(data))
			errs[3] = err != nil
			return r, v, o, errs
		}
		r, v, o, errs := read(data)
		wantR, wantV, wantO, wantErrs := read(strict)
		if errs != wantErrs {
			t.Fatalf("errors %v, of the escaped text %v", errs, wantErrs)
		}
		if r != nil && (r.RequestID != wantR.RequestID || !cmp.Equal(r.Fault, wantR.Fault)) {
			t.Fatalf("got %q %+v, want %q %+v", r.RequestID, r.Fault, wantR.RequestID, wantR.Fault)
		}
		if errs[0] || errs[1] || errs[2] {
			return
		}
		if got, want := encodeAgain(t, plan, &v), encodeAgain(t, plan, &wantV); string(got) != string(want) {
			t.Fatalf("got %s, want %s", got, want)
		}
		got, want := encodeAgain(t, keeper, &o), encodeAgain(t, keeper, &wantO)
		if !json.Valid(got) || !cmp.Equal(jsonValue(t, string(got)), jsonValue(t, string(want))) {
			t.Fatalf("got %s, want %s", got, want)
		}
	})
}

// Escaping what comes is no way to read something else: a control character behind a
// backslash is refused.
func TestControlCharacterEscaped(t *testing.T) {
	t.Parallel()
	for c := range byte(' ') {
		text := `{"text":"\` + string(rune(c)) + `"}`
		if got, err := fromJSON[all](t, text); err == nil || !strings.Contains(err.Error(), "an escape") {
			t.Errorf("%q: read as %q, %v", text, got.Text, err)
		}
	}
}
