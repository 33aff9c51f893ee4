package top_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// allocated returns how many bytes work allocates.
func allocated(work func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

func TestHostileNumbers(t *testing.T) {
	t.Parallel()
	megabyte := strings.Repeat("7", 1<<20)
	got, err := fromJSON[all](t, `{"id":`+megabyte+`,"id_number":"`+megabyte+`"}`)
	if err != nil || string(got.ID) != megabyte || string(got.IDNumber) != megabyte {
		t.Errorf("ids of a megabyte: %d and %d digits, %v", len(got.ID), len(got.IDNumber), err)
	}
	for member, want := range map[string]string{
		"int": "too large for int64", "small": "too large for int8", "uint": "too large for uint16",
		"float": "too large for float64", "single": "too large for float32",
		"yuan": "not a valid amount in yuan: too long", "decimal": "not a valid decimal number: too long",
		"fen": "not a valid amount in fen: too long", "time": "not a valid time: too long",
		"date":       "not a valid date: too long",
		"pay_status": "not a valid PayStatus: too long",
	} {
		for _, value := range []string{megabyte, `"` + megabyte + `"`, megabyte + ".0"} {
			t.Run(member, func(t *testing.T) {
				_, err := fromJSON[all](t, `{"`+member+`":`+value+`}`)
				wantError(t, member, err, member+": "+want)
			})
		}
		t.Run(member+" in XML", func(t *testing.T) {
			_, err := fromXML[all](t, `<r><`+member+`>`+megabyte+`</`+member+`></r>`)
			wantError(t, member+" in XML", err, member+": "+want)
		})
	}
	for _, member := range []string{
		"int", "small", "uint", "float", "single", "yuan", "decimal", "fen", "time", "pay_status", "id",
	} {
		for _, value := range []string{"1e999999999", "-1e999999999", `"1e999999999"`} {
			if member == "id" && value[0] == '"' {
				continue // any text is an id
			}
			t.Run(member, func(t *testing.T) {
				if got, err := fromJSON[all](t, `{"`+member+`":`+value+`}`); err == nil {
					t.Errorf("%s: %s is taken as %+v", member, value, got)
				}
			})
		}
	}
	if _, err := fromJSON[all](t, `{"float":1e-999999999}`); err != nil {
		t.Errorf("a float that is nearly zero: %v", err)
	}
}

func TestHostileDepth(t *testing.T) {
	t.Parallel()
	const deep = 10_000
	for name, c := range map[string]struct{ text, want string }{
		"unknown objects":  {nested(`{"x":`, "1", "}", deep), "nested deeper than 64"},
		"unknown lists":    {`{"x":` + nested("[", "", "]", deep) + `}`, "nested deeper than 64"},
		"unclosed lists":   {`{"x":` + strings.Repeat("[", deep), "nested deeper than 64"},
		"known objects":    {`{"item":` + nested(`{"next":`, "{}", "}", deep) + `}`, "nested deeper than 64"},
		"lists in objects": {`{"item":` + nested(`{"tags":[`, "", "]}", deep) + `}`, "nested deeper than 64"},
		"text":             {`{"text":` + nested("[", "", "]", deep) + `}`, "nested deeper than 64"},
		"just too deep":    {nested(`{"x":`, "1", "}", 65), "nested deeper than 64"},
		"JSON in text": {
			`{"item":` + nested(`{"next":`, `"{\"next\":`+nested(`{\"next\":`, "{}", "}", 40)+`}"`, "}", 40) + `}`,
			"item" + strings.Repeat(".next", 40) + ": nested deeper than 64",
		},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := fromJSON[all](t, c.text)
			wantError(t, name, err, c.want)
		})
	}
	if _, err := fromJSON[all](t, nested(`{"x":`, "1", "}", 64)); err != nil {
		t.Errorf("64 levels: %v", err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"unknown":  {nested("<x>", "", "</x>", deep), "nested deeper than 64"},
		"unclosed": {strings.Repeat("<x>", deep), "nested deeper than 64"},
		"known":    {"<r><item>" + nested("<next>", "", "</next>", deep) + "</item></r>", "nested deeper than 64"},
		"JSON in text": {
			"<r><item>" + nested("<next>", nested(`{"next":`, "{}", "}", 40), "</next>", 40) + "</item></r>",
			"item" + strings.Repeat(".next", 40) + ": nested deeper than 64",
		},
	} {
		t.Run(name+", XML", func(t *testing.T) {
			_, err := fromXML[all](t, c.text)
			if err == nil || !strings.HasSuffix(err.Error(), c.want) {
				t.Errorf("%s: error %v, want %s", name, err, c.want)
			}
			if _, err := top.OpenReply(c.text, top.XML, top.Qimen, "x"); name != "JSON in text" && err == nil {
				t.Errorf("%s: opens", name)
			}
		})
	}
	if _, err := fromXML[all](t, nested("<x>", "", "</x>", 64)); err != nil {
		t.Errorf("64 levels of XML: %v", err)
	}
	// Text in text doubles its escapes with every level, so this is 60 kB.
	text := `{}`
	for range 12 {
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		text = `{"next":` + string(quoted) + `}`
	}
	t.Run("text in text", func(t *testing.T) {
		if _, err := fromJSON[all](t, `{"item":`+text+`}`); err != nil {
			t.Error(err)
		}
	})
}

// A list of empty elements would take many times the memory of its text.
func TestHostileLists(t *testing.T) { // alone, since it measures memory
	type message struct {
		Plain    []wide   `top:"plain"`
		Pointers []*wide  `top:"pointers"`
		Again    []**wide `top:"again"`
		Texts    []string `top:"texts"`
	}
	const n = 80_000 // enough where an element takes half the memory, on 32 bit
	for _, c := range []struct {
		name, text string
		fails      bool
	}{
		{"plain", `{"plain":[` + strings.Repeat("{},", n) + `{}]}`, true},
		{"of nothing", `{"plain":[` + strings.Repeat(`"",`, n) + `""]}`, true},
		{"pointers", `{"pointers":[` + strings.Repeat("{},", n) + `{}]}`, true},
		{"pointers to pointers", `{"again":[` + strings.Repeat("{},", n) + `{}]}`, true},
		{"in text", `{"plain":"[` + strings.Repeat("{},", n) + `{}]"}`, true},
		{"small elements", `{"texts":[` + strings.Repeat(`"",`, n) + `""]}`, false},
		{"XML", `<r><plain>` + strings.Repeat("<i/>", n) + `</plain></r>`, true},
		{"JSON in XML", `<r><plain>[` + strings.Repeat("{},", n) + `{}]</plain></r>`, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			used := allocated(func() {
				if c.text[0] == '<' {
					_, err = fromXML[message](t, c.text)
				} else {
					_, err = fromJSON[message](t, c.text)
				}
			})
			if c.fails != (err != nil) || err != nil && !strings.HasSuffix(
				err.Error(), ": lists are too long: their elements take more than 32 MiB",
			) {
				t.Errorf("%s: error %v", c.name, err)
			}
			if limit := uint64(256 << 20); used > limit {
				t.Errorf("%s: %d MiB allocated", c.name, used>>20)
			}
		})
	}
}

// Work grows with the size of a message, whatever it repeats.
func TestHostileSize(t *testing.T) {
	t.Parallel()
	const n = 30_000
	var manyNames, manyObjects, manyElements, paragraphs strings.Builder
	for i := range n {
		fmt.Fprintf(&manyNames, `"x%d":%d,`, i, i)
		fmt.Fprintf(&manyObjects, `"x%d_response":{},`, i)
		fmt.Fprintf(&manyElements, "<x%d/>", i)
		paragraphs.WriteString("a<!--x-->")
	}
	for name, text := range map[string]string{
		"long list":          `{"ints":[` + strings.Repeat("1,", n) + `1]}`,
		"long list of items": `{"items":[` + strings.Repeat(`{"sid":"1"},`, n) + `{}]}`,
		"list in text":       `{"items":"[` + strings.Repeat(`{\"sid\":\"1\"},`, n) + `{}]"}`,
		"items in text":      `{"items":[` + strings.Repeat(`"{\"sid\":\"1\"}",`, n) + `{}]}`,
		"long text":          `{"text":"` + strings.Repeat(`\u4e2d\n`, n) + `"}`,
		"long unknown":       `{"x":[` + strings.Repeat("[],", n) + `[]]}`,
		"white space":        "{" + strings.Repeat(" \n", n) + "}",
		"many members":       "{" + manyNames.String() + `"a":1}`,
		"many objects":       "{" + manyObjects.String() + `"a":1}`,
		"object as text":     `{"text":{` + strings.Repeat(`"a" : "b",`, n) + `"a":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			var v all
			if err := planOf[all](t).DecodeJSON([]byte(text), &v); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			var o open
			if err := planOf[open](t).DecodeJSON([]byte(text), &o); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if _, err := top.OpenReply(text, top.Wrapped, top.Qimen, ""); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	for name, text := range map[string]string{
		"long list":          `<ints>` + strings.Repeat("<n>1</n>", n) + `</ints>`,
		"long list of items": `<items>` + strings.Repeat(`<i><sid>1</sid></i>`, n) + `</items>`,
		"long text":          `<text>` + strings.Repeat(`&lt;`, n) + `</text>`,
		"text in pieces":     `<text>` + paragraphs.String() + `</text>`,
		"many members":       manyElements.String(),
		"long unknown":       "<who>" + strings.Repeat("<a/>", n) + "</who>",
		"many unknown":       "<who>" + manyElements.String() + "</who>",
	} {
		t.Run(name+", XML", func(t *testing.T) {
			document := []byte("<r>" + text + "</r>")
			var v all
			if err := planOf[all](t).DecodeXML(document, &v); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			var o open
			if err := planOf[open](t).DecodeXML(document, &o); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
}

func TestHostileText(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`"\ud83d\ude97"`:       "\U0001F697",
		`"\uD83D\uDE97"`:       "\U0001F697",
		`"\ud83d"`:             "\uFFFD",
		`"\ud83dx"`:            "\uFFFDx",
		`"\ude97\ud83d"`:       "\uFFFD\uFFFD",
		`"\ud83d\u0041"`:       "\uFFFDA",
		`"\ud83d\ud83d\ude97"`: "\uFFFD\U0001F697",
		`"\ud83d\n"`:           "\uFFFD\n",
		`"\u0000\u001f\u007f"`: "\x00\x1f\x7f",
		`"\"\\\/\b\f\n\r\t"`:   "\"\\/\b\f\n\r\t",
		`"\uabCD\uFfFf"`:       "\uabcd\uffff",
		"\"\u2028\x7f\"":       "\u2028\x7f",
		"\"\x00\n\r\t\x1f\"":   "\x00\n\r\t\x1f", // as the platform sends them
	} {
		got, err := fromJSON[all](t, `{"text":`+text+`,"id":`+text+`}`)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		wantDiff(t, text, all{Text: want, scalars: scalars{ID: fliggy.ID(want)}}, got)
	}
	for _, text := range []string{"\"\\\n\"", "\"\\u12\n4\"", `"\u12"`, `"\u12G4"`, `"\`, `"\u123`, `"\a"`, "'x'"} {
		if got, err := fromJSON[all](t, `{"text":`+text+`}`); err == nil {
			t.Errorf("%q is taken as %q", text, got.Text)
		}
	}
}

// fill repeats a part until the text has about size bytes; %d in it is the number.
func fill(head, part, tail string, size int) string {
	var out strings.Builder
	out.WriteString(head)
	for i := 0; out.Len() < size-len(tail); i++ {
		if strings.Contains(part, "%") {
			fmt.Fprintf(&out, part, i)
		} else {
			out.WriteString(part)
		}
	}
	out.WriteString(tail)
	return out.String()
}

// inText puts an object into the text of a member, that many times.
func inText(bulk string, times int) string {
	text := `{"sid":"` + bulk + `"}`
	for range times {
		text = `{"next":"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(text) + `"}`
	}
	return `{"item":` + text + `}`
}

var hostileReplies = map[string]func(size int) string{
	"deep": func(n int) string {
		return fill("{", `"x%08d":`+nested("[", "", "]", 60)+",", `"x":1}`, n)
	},
	"too deep":        func(n int) string { return `{"x":` + strings.Repeat("[", n) },
	"long string":     func(n int) string { return fill(`{"text":"`, "a", `"}`, n) },
	"escapes":         func(n int) string { return fill(`{"text":"`, `\u000a`, `"}`, n) },
	"controls":        func(n int) string { return fill(`{"x":"`, "\n\x00", `"}`, n) },
	"members":         func(n int) string { return fill("{", `"x%d":1,`, `"x":1}`, n) },
	"names alike":     func(n int) string { return fill("{", `"`+strings.Repeat("x", 200)+`%08d":1,`, `"x":1}`, n) },
	"a name again":    func(n int) string { return fill("{", `"int":1,`, `"x":1}`, n) },
	"lists":           func(n int) string { return fill(`{"texts":[`, `"",`, `""]}`, n) },
	"objects":         func(n int) string { return fill(`{"items":[`, `{"sid":"1"},`, `{}]}`, n) },
	"objects as text": func(n int) string { return fill(`{"items":[`, `"{\"sid\":\"1\"}",`, `{}]}`, n) },
	"text in text":    func(n int) string { return inText(strings.Repeat("a", max(0, n-1000)), 6) },
	"quotes in text":  func(n int) string { return inText(strings.Repeat(`\\`, n/128), 6) },
	"white space":     func(n int) string { return "{" + strings.Repeat(" ", n) + "}" },
	"unclosed":        func(n int) string { return fill(`{"text":"`, `a`, "", n) },
	"members of it":   func(n int) string { return fill("{", `"x%d":{"a":1},`, `"x":1}`, n) },
	"roots":           func(n int) string { return fill("{", `"x%d_response":{},`, `"x":1}`, n) },

	"XML, elements":         func(n int) string { return fill("<r>", "<x%d/>", "</r>", n) },
	"XML, list":             func(n int) string { return fill("<r><texts>", "<s/>", "</texts></r>", n) },
	"XML, an element again": func(n int) string { return fill("<r>", "<x/>", "</r>", n) },
	"XML, unknown list":     func(n int) string { return fill("<r><x>", "<y/>", "</x></r>", n) },
	"XML, deep": func(n int) string {
		return fill("<r>", "<x%08d>"+nested("<a>", "", "</a>", 60)+"</x%[1]08d>", "</r>", n)
	},
	"XML, too deep":       func(n int) string { return strings.Repeat("<a>", n/3) },
	"XML, long text":      func(n int) string { return fill("<r><text>", "a", "</text></r>", n) },
	"XML, entities":       func(n int) string { return fill("<r><text>", "&#38;&lt;", "</text></r>", n) },
	"XML, pieces":         func(n int) string { return fill("<r><text>", "a<!--x-->", "</text></r>", n) },
	"XML, text between":   func(n int) string { return fill("<r><x>", "a<y/>", "</x></r>", n) },
	"XML, attributes":     func(n int) string { return fill("<r", ` a%d="1"`, "/>", n) },
	"XML, JSON":           func(n int) string { return fill("<r><items>[", `{"sid":"1"},`, "{}]</items></r>", n) },
	"XML, character data": func(n int) string { return fill("<r><text>", "<![CDATA[a]]>", "</text></r>", n) },
	"XML, brackets":       func(n int) string { return fill("<r><text>", "<", "</text></r>", n) },
	"XML, error, repeated": func(n int) string {
		return fill("<error_response>", "<code>1</code>", "</error_response>", n)
	},
}

// BenchmarkHostile reads replies that are made to be expensive, of each size up to the
// bound of replies. Time and memory for each byte do not grow with the size.
func BenchmarkHostile(b *testing.B) {
	plan, keeper := planOf[all](b), planOf[open](b)
	for _, name := range slices.Sorted(maps.Keys(hostileReplies)) {
		for _, size := range []int{1 << 10, 64 << 10, 1 << 20, 8 << 20} {
			text := hostileReplies[name](size)
			format := top.Simplified
			if text[0] == '<' {
				format = top.XML
			}
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				b.SetBytes(int64(len(text)))
				bytes := uint64(0)
				for b.Loop() {
					bytes += allocated(func() {
						for _, dialect := range []top.Dialect{top.TOP, top.Qimen} {
							r, err := top.OpenReply(text, format, dialect, "")
							if err != nil || r.Fault != nil {
								continue
							}
							if r.Decode(plan, &all{}) == nil {
								r.Understood()
							}
							_ = r.Decode(keeper, &open{})
						}
						_, _, _ = digestJSON(text)
					})
				}
				n := float64(b.N) * float64(len(text))
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/byte")
				b.ReportMetric(float64(bytes)/n, "B/byte")
			})
		}
	}
}
