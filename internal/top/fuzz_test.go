package top_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/internal/top"
)

// sampleFiles returns the contents of the samples whose names end so.
func sampleFiles(f *testing.F, suffix string) [][]byte {
	f.Helper()
	names, err := filepath.Glob(filepath.Join(testdata, "samples", "*"+suffix))
	if err != nil || len(names) == 0 {
		f.Fatalf("no samples %s: %v", suffix, err)
	}
	var out [][]byte
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		out = append(out, data)
	}
	return out
}

// FuzzOpenReply opens any text as a reply of any form: never a panic, nor more
// memory than the size of the text allows, nor a value besides an error.
func FuzzOpenReply(f *testing.F) {
	for _, v := range vectors[responseVector](f, "response.json") {
		f.Add([]byte(v.Body), uint8(0), "")
		f.Add([]byte(v.Body), uint8(4), "item")
		f.Add([]byte(v.Body), uint8(5), "")
	}
	for _, data := range sampleFiles(f, ".xml") {
		f.Add(data, uint8(2), "")
		f.Add(data, uint8(5), "order_info")
	}
	for _, text := range []string{
		"", "[]", `""`, "null", "{}", `{"error_response":"x"}`, "<a/>", `{"response":{"flag":"failure"}}`,
		`<response><flag>failure</flag></response>`, "<a><b>{\"c\":1}</b></a>",
	} {
		for form := range uint8(6) {
			f.Add([]byte(text), form, "b")
		}
	}
	f.Add([]byte(`{"a":{}}`), uint8(0), "\xc2")
	plan := planOf[all](f)
	f.Fuzz(func(t *testing.T, data []byte, form uint8, inner string) {
		data = bytes.ToValidUTF8(data, []byte("?"))
		format, dialect := top.Format(form%3), top.Dialect(form/3%2)
		if format == top.XML {
			if root, err := top.ParseXML(data); err == nil && root.Name() == "" {
				t.Fatal("a root without a name")
			}
		}
		var v all
		used := allocated(func() {
			r, err := top.OpenReply(string(data), format, dialect, inner)
			switch {
			case (r == nil) == (err == nil):
				t.Fatalf("reply %v, error %v", r, err)
			case err != nil:
				if len(err.Error()) > 1000 || !utf8.ValidString(err.Error()) {
					t.Fatalf("error %q", err)
				}
			case r.Fault != nil:
				if r.RequestID != r.Fault.RequestID {
					t.Fatalf("request id %q, in the fault %q", r.RequestID, r.Fault.RequestID)
				}
			default:
				if err := r.Decode(plan, &v); err != nil && len(err.Error()) > 1000+64*64 {
					t.Fatalf("error of %d bytes", len(err.Error()))
				}
			}
		})
		if limit := 1<<20 + 4000*uint64(len(data)); used > limit {
			t.Fatalf("%d bytes of text took %d", len(data), used)
		}
	})
}

// FuzzDecode reads anything into a message with members of all kinds. What was
// read is written as JSON that reads as the same again; and an object reads the same
// member by member.
func FuzzDecode(f *testing.F) {
	for _, c := range leniencies {
		f.Add([]byte("{"+c.json+"}"), false)
		f.Add([]byte("<r>"+c.xml+"</r>"), true)
	}
	for _, data := range sampleFiles(f, ".json") {
		f.Add(data, false)
	}
	for _, data := range sampleFiles(f, ".xml") {
		f.Add(data, true)
	}
	plan := planOf[all](f)
	keeper := planOf[open](f)
	f.Fuzz(func(t *testing.T, data []byte, document bool) {
		decode, decodeOpen := plan.DecodeJSON, keeper.DecodeJSON
		if document {
			decode, decodeOpen = plan.DecodeXML, keeper.DecodeXML
		}
		var first, second all
		if decode(data, &first) == nil {
			text := encodeAgain(t, plan, &first)
			if err := plan.DecodeJSON(text, &second); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			if again := encodeAgain(t, plan, &second); !bytes.Equal(text, again) {
				t.Fatalf("not stable:\n%s\n%s", text, again)
			}
		}
		var kept, back open
		if decodeOpen(data, &kept) == nil {
			text := encodeAgain(t, keeper, &kept)
			if err := keeper.DecodeJSON(text, &back); err != nil {
				t.Fatalf("%v in %s", err, text)
			}
			if diff := cmp.Diff(kept, back); diff != "" {
				t.Fatalf("not the same (-want +got):\n%s", diff)
			}
		}
	})
}

func encodeAgain(t *testing.T, p *top.Plan, v any) []byte {
	t.Helper()
	text, err := p.AppendJSON(nil, v, top.EncodeOptions{Lenient: true})
	if err != nil {
		t.Fatal(err)
	}
	if !json.Valid(text) {
		t.Fatalf("not valid: %s", text)
	}
	return text
}

// FuzzBase compares canonical text and signature with an independent
// computation.
func FuzzBase(f *testing.F) {
	for _, v := range vectors[signVector](f, "sign.json") {
		var params []string
		for name, value := range v.Params {
			if value != nil {
				params = append(params, name, *value)
			}
		}
		body := ""
		if v.Body != nil {
			body = *v.Body
		}
		for method := range v.Signs {
			f.Add(strings.Join(params, "\x00"), body, v.Secret, method)
		}
	}
	f.Add("\U0001F697\x00x\x00\uE000\x00y\x00a\x00\u3000\x00 \x00z\x00a\x001", "b", "s", "md5")
	f.Fuzz(func(t *testing.T, pairs, body, secret, method string) {
		pairs = strings.ToValidUTF8(pairs, "?")
		parts := strings.Split(pairs, "\x00")
		var list []top.Param
		last := map[string]string{}
		for i := 0; i+1 < len(parts); i += 2 {
			list = append(list, top.Param{Name: parts[i], Value: parts[i+1]})
			if strings.Trim(parts[i+1], string(javaSpaces)) != "" {
				last[parts[i]] = parts[i+1]
			}
		}
		cut := len(list) / 2
		merged := top.Merge(list[:cut], list[cut:])
		text := ""
		for i, p := range merged {
			if top.IsBlank(p.Name) || top.IsBlank(p.Value) || last[p.Name] != p.Value {
				t.Fatalf("%q stays", p)
			}
			if i > 0 && slices.Compare(utf16.Encode([]rune(merged[i-1].Name)), utf16.Encode([]rune(p.Name))) >= 0 {
				t.Fatalf("%q is not before %q", merged[i-1].Name, p.Name)
			}
			text += p.Name + p.Value
		}
		base, sign := reference(method, secret, last, body)
		if got := top.Base(merged, []byte(body)); got != text+body || got != base {
			t.Fatalf("base %q, want %q", got, base)
		}
		if got := top.Sign(method, secret, merged, []byte(body)); got != sign {
			t.Fatalf("sign %s, want %s", got, sign)
		}
	})
}
