package top_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// xmlText draws text that XML can carry. Text that is no more than a keyword or
// the beginning of JSON comes up often, for it must not be taken for anything
// else.
var xmlText = rapid.OneOf(
	rapid.Map(rapid.String(), func(s string) string {
		return strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' && r != '\r' || r == 0xFFFE || r == 0xFFFF {
				return '?'
			}
			return r
		}, s)
	}),
	rapid.SampledFrom(
		[]string{
			"", " ", "null", "true", "{}", "[]", `{"a":1}`, `"x"`, "0", "1e3", "<a>&amp;</a>", "]]>", "\r\n", "中文🚗", "\u2028",
		},
	),
)

func drawPtr[T any](g *rapid.Generator[T]) *rapid.Generator[*T] {
	return rapid.Custom(func(t *rapid.T) *T {
		if rapid.Bool().Draw(t, "nil") {
			return nil
		}
		v := g.Draw(t, "value")
		return &v
	})
}

// drawList draws nil lists, empty ones and others: all three are different.
func drawList[T any](g *rapid.Generator[T]) *rapid.Generator[[]T] {
	return rapid.Custom(func(t *rapid.T) []T {
		if rapid.Bool().Draw(t, "nil") {
			return nil
		}
		return append([]T{}, rapid.SliceOfN(g, 0, 3).Draw(t, "elements")...)
	})
}

var (
	drawID     = rapid.Custom(func(t *rapid.T) fliggy.ID { return fliggy.ID(xmlText.Draw(t, "id")) })
	drawDigits = rapid.Custom(func(t *rapid.T) fliggy.ID {
		return fliggy.ID(rapid.StringMatching(`0|[1-9][0-9]{0,80}`).Draw(t, "digits"))
	})
	drawYuan = rapid.Custom(func(t *rapid.T) fliggy.Yuan {
		if rapid.Bool().Draw(t, "unset") {
			return fliggy.Yuan{}
		}
		return fliggy.MustYuan(rapid.StringMatching(`-?(0|[1-9][0-9]{0,18})(\.[0-9]{1,4})?`).Draw(t, "yuan"))
	})
	drawFen = rapid.Custom(func(t *rapid.T) fliggy.Fen {
		if rapid.Bool().Draw(t, "unset") {
			return fliggy.Fen{}
		}
		return fliggy.FenOf(rapid.Int64().Draw(t, "fen"))
	})
	drawTime = rapid.Custom(func(t *rapid.T) fliggy.Time {
		if rapid.Bool().Draw(t, "unset") {
			return fliggy.Time{}
		}
		return fliggy.At(time.Unix(rapid.Int64Range(-60_000_000_000, 250_000_000_000).Draw(t, "time"), 0))
	})
	drawMinute = rapid.Map(drawTime, func(t fliggy.Time) fliggy.Time {
		if !t.IsSet() {
			return t
		}
		return fliggy.At(t.Truncate(time.Minute))
	})
	drawStatus = rapid.Custom(
		func(t *rapid.T) fliggy.PayStatus { return fliggy.PayStatus(rapid.Int32().Draw(t, "status")) },
	)
)

func drawItem(depth int) *rapid.Generator[item] {
	return rapid.Custom(func(t *rapid.T) item {
		i := item{
			SID:   xmlText.Draw(t, "sid"),
			N:     rapid.Int64().Draw(t, "n"),
			Price: drawYuan.Draw(t, "price"),
			Tags:  drawList(xmlText).Draw(t, "tags"),
		}
		if depth > 0 {
			i.Next = drawItemPtr(depth-1).Draw(t, "next")
		}
		return i
	})
}

// drawItemPtr draws nothing or an item that says something: in XML an empty
// element may be either, and is read as nothing.
func drawItemPtr(depth int) *rapid.Generator[*item] {
	return rapid.Map(drawPtr(drawItem(depth)), func(i *item) *item {
		if i != nil && i.SID == "" && i.N == 0 && !i.Price.IsSet() && i.Tags == nil && i.Next == nil {
			return nil
		}
		return i
	})
}

var drawAll = rapid.Custom(func(t *rapid.T) all {
	date := drawTime.Draw(t, "date")
	v := all{
		Text: xmlText.Draw(t, "text"), TextPtr: drawPtr(xmlText).Draw(t, "text_ptr"),
		Flag: rapid.Bool().Draw(t, "flag"), FlagPtr: drawPtr(rapid.Bool()).Draw(t, "flag_ptr"),
		AsText: rapid.Bool().Draw(t, "as_text"),
		Int:    rapid.Int64().Draw(t, "int"), Small: rapid.Int8().Draw(t, "small"),
		IntPtr: drawPtr(rapid.Int()).Draw(t, "int_ptr"),
		Uint:   rapid.Uint16().Draw(t, "uint"), Float: rapid.Float64().Draw(t, "float"),
		Single: drawPtr(rapid.Float32()).Draw(t, "single"),
		scalars: scalars{
			ID: drawID.Draw(t, "id"), IDNumber: drawDigits.Draw(t, "id_number"), IDPtr: drawPtr(drawID).Draw(t, "id_ptr"),
			Yuan: drawYuan.Draw(t, "yuan"), Bare: drawYuan.Draw(t, "bare"), Fen: drawFen.Draw(t, "fen"),
			Decimal: fliggy.Decimal(drawYuan.Draw(t, "decimal")),
			Time:    drawTime.Draw(t, "time"), Minute: drawMinute.Draw(t, "minute"),
			LocalTime: fliggy.LocalTimeOf(date.Time), Date: fliggy.DateOf(date.Time),
			Exts:      fliggy.ExtsOf(rapid.MapOfN(xmlText, xmlText, 0, 2).Draw(t, "exts")),
			Channel:   fliggy.Channel(xmlText.Draw(t, "channel")),
			PayStatus: drawStatus.Draw(t, "pay_status"),
		},
		Item: drawItem(1).Draw(t, "item"), ItemPtr: drawItemPtr(2).Draw(t, "item_ptr"),
		Texts: drawList(xmlText).Draw(t, "texts"), Ints: drawList(rapid.Int64()).Draw(t, "ints"),
		Uints:  drawList(rapid.Uint16()).Draw(t, "uints"),
		Floats: drawList(rapid.Float64()).Draw(t, "floats"), Flags: drawList(rapid.Bool()).Draw(t, "flags"),
		IntPtrs: drawList(drawPtr(rapid.Int())).Draw(t, "int_ptrs"), IDs: drawList(drawID).Draw(t, "ids"),
		Yuans: drawList(drawYuan).Draw(t, "yuans"),
		Fens:  drawList(drawFen).Draw(t, "fens"), Times: drawList(drawMinute).Draw(t, "times"),
		Statuses: drawList(drawStatus).Draw(t, "statuses"),
		Items:    drawList(drawItem(1)).Draw(t, "items"), ItemPtrs: drawList(drawItemPtr(1)).Draw(t, "item_ptrs"),
	}
	if y := drawYuan.Draw(t, "yuan_ptr"); y.IsSet() {
		v.YuanPtr = &y
	}
	if l := drawList(xmlText).Draw(t, "list_ptr"); l != nil {
		v.ListPtr = &l
	}
	return v
})

// One value reads the same from simplified JSON, wrapped JSON and XML, with and
// without a root, and is what was written.
func TestRoundTripProperty(t *testing.T) {
	t.Parallel()
	plan := planOf[all](t)
	rapid.Check(t, func(t *rapid.T) {
		want := drawAll.Draw(t, "value")
		simplified, err := plan.AppendJSON(nil, &want, top.EncodeOptions{})
		if err != nil {
			t.Fatal(err)
		}
		wrapped, err := plan.AppendJSON([]byte(`{"a_response":`), &want, top.EncodeOptions{Wrapped: true})
		if err != nil {
			t.Fatal(err)
		}
		wrapped = append(wrapped, '}')
		document := inXML(string(wrapped))
		for _, c := range []struct {
			name   string
			data   []byte
			format top.Format
		}{{"simplified", simplified, top.Simplified}, {"wrapped", wrapped, top.Wrapped}, {"XML", []byte(document), top.XML}} {
			if c.format != top.XML && !json.Valid(c.data) {
				t.Fatalf("%s is not valid: %s", c.name, c.data)
			}
			r, err := top.OpenReply(string(c.data), c.format, top.TOP, "")
			if err != nil {
				t.Fatalf("%s: %v in %s", c.name, err, c.data)
			}
			var got all
			if err := r.Decode(plan, &got); err != nil {
				t.Fatalf("%s: %v in %s", c.name, err, c.data)
			}
			if diff := cmp.Diff(want, got, exact); diff != "" {
				t.Fatalf("%s (-want +got):\n%s%s", c.name, diff, c.data)
			}
		}
		if problems := plan.Check(&want); len(problems) > 0 {
			t.Fatalf("what can be written passes the check: %v", problems)
		}
	})
}

// Unknown members are written back in either form; in XML they are text.
func TestRoundTripUnknown(t *testing.T) {
	t.Parallel()
	want := open{
		A: "1", Raw: json.RawMessage(`{"x":[1,2.50]}`),
		Inner: &open{A: "2", Extra: map[string]json.RawMessage{"c": []byte(`"中<"`)}},
		Extra: map[string]json.RawMessage{"b": []byte(`[1, 2.50]`), "d": []byte("null"), "e": []byte(`"x"`)},
	}
	text, err := toJSON(t, &want, top.EncodeOptions{Wrapped: true})
	if err != nil {
		t.Fatal(err)
	}
	got, err := fromJSON[open](t, text)
	if err != nil {
		t.Fatal(err)
	}
	wantDiff(t, "JSON", want, got)

	const document = `<r><a>1</a><inner><a>2</a><c>中&lt;</c></inner><raw>{&#34;x&#34;:[1,2.50]}</raw><b>[1,2.50]</b><d>` +
		`</d><e>x</e></r>`
	want.Raw = json.RawMessage(`"{\"x\":[1,2.50]}"`)
	want.Extra["b"], want.Extra["d"] = json.RawMessage(`"[1,2.50]"`), json.RawMessage(`""`)
	if got, err = fromXML[open](t, document); err != nil {
		t.Fatal(err)
	}
	wantDiff(t, "XML", want, got)
}
