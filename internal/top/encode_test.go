package top_test

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/shopspring/decimal"
	"pgregory.net/rapid"
)

// Types with ways of their own to be written.
type (
	textMarshaler struct{ text string }
	pointerText   struct{ text string }
	jsonMarshaler struct{ json string }
	level         int
	word          string
	onlyReads     struct{ text string }
	readsText     struct{ text string }
)

func (m textMarshaler) MarshalText() ([]byte, error) {
	if m.text == "bad" {
		return nil, errors.New("the value is 13800000000")
	}
	return []byte(m.text), nil
}
func (m *textMarshaler) UnmarshalText(b []byte) error { m.text = string(b); return nil }

func (m *pointerText) MarshalText() ([]byte, error)  { return []byte(m.text), nil }
func (m *pointerText) UnmarshalText(b []byte) error  { m.text = string(b); return nil }
func (m jsonMarshaler) MarshalJSON() ([]byte, error) { return []byte(m.json), nil }
func (m *jsonMarshaler) UnmarshalJSON(b []byte) error {
	if string(b) == `"bad"` {
		return errors.New("the value is 13800000000")
	}
	m.json = string(b)
	return nil
}
func (l *level) UnmarshalJSON(b []byte) error     { return json.Unmarshal(b, (*int)(l)) }
func (w *word) UnmarshalJSON(b []byte) error      { return json.Unmarshal(b, (*string)(w)) }
func (r *onlyReads) UnmarshalJSON(b []byte) error { r.text = string(b); return nil }
func (r *readsText) UnmarshalText(b []byte) error { r.text = string(b); return nil }

func TestAppendJSON(t *testing.T) {
	t.Parallel()
	type kept struct {
		Text  string        `top:"text,keep"`
		Int   int64         `top:"int,keep"`
		Flag  bool          `top:"flag,keep"`
		Float float64       `top:"float,keep"`
		Ptr   *string       `top:"ptr,keep"`
		List  []string      `top:"list,keep"`
		ID    fliggy.ID     `top:"id,keep"`
		Yuan  fliggy.Yuan   `top:"yuan,keep"`
		Bare  fliggy.Yuan   `top:"bare,number,keep"`
		Fen   fliggy.Fen    `top:"fen,keep"`
		Time  fliggy.Time   `top:"time,keep"`
		Item  item          `top:"item,keep"`
		Fens  []fliggy.Fen  `top:"fens"`
		Pay   fliggy.Secret `top:"pay,keep"`
		Raw   json.RawMessage
		Kept  json.RawMessage `top:",keep"`
		Empty json.RawMessage
	}
	type numbers struct {
		ID      fliggy.ID      `top:"id,number"`
		IDs     []fliggy.ID    `top:"ids,number"`
		Yuan    fliggy.Yuan    `top:"yuan,number"`
		Text    string         `top:"text,number"`
		Flag    bool           `top:"flag,text"`
		Int     int64          `top:"int,text"`
		Fen     fliggy.Fen     `top:"fen,text"`
		Flags   []bool         `top:"flags,text"`
		Minute  fliggy.Time    `top:"minute,layout=minute"`
		Minutes []*fliggy.Time `top:"minutes,layout=minute"`
		Float   float64        `top:"float"`
		Single  float32        `top:"single"`
	}
	noon := fliggy.MustTime("2023-02-04 12:00:59")
	for _, c := range []struct {
		name  string
		value any
		want  string
	}{
		{"nothing", &all{}, `{}`},
		{
			"nothing, kept", &kept{Empty: json.RawMessage{}},
			`{"text":"","int":0,"flag":false,"float":0,"ptr":null,"list":[],"id":"","yuan":null,"bare":null,"fen":null,"time"` +
				`:null,"item":{},"pay":null,"Kept":null,"Empty":null}`,
		},
		{"unset elements", &kept{Fens: []fliggy.Fen{{}, fliggy.FenOf(0)}, Text: "x"}, ``},
		{"explicit zeros", &all{
			scalars: scalars{Yuan: fliggy.MustYuan("0.00"), Fen: fliggy.FenOf(0), Decimal: fliggy.MustDecimal("0")},
			IntPtr:  ptr(0), FlagPtr: ptr(false), TextPtr: ptr(""), IDs: []fliggy.ID{}, ItemPtr: &item{}, ListPtr: &[]string{},
		},
			`{"text_ptr":"","flag_ptr":false,"int_ptr":0,"yuan":"0.00","fen":0,"decimal":"0","item_ptr":{},"ids":[],"list_ptr` +
				`":[]}`},
		{"numbers", &numbers{
			ID: "3187983531024266527123", IDs: []fliggy.ID{"0", "7"}, Yuan: fliggy.MustYuan("10.00"), Text: "55.65", Flag: true,
			Int: -1, Fen: fliggy.FenOf(5), Flags: []bool{false}, Minute: noon, Minutes: []*fliggy.Time{&noon, nil}, Float: 1e21,
			Single: 0.1,
		},
			`{"id":3187983531024266527123,"ids":[0,7],"yuan":10.00,"text":55.65,"flag":"true","int":"-1","fen":"5","flags":["` +
				`false"],"minute":"2023-02-04 12:00","minutes":["2023-02-04 ` +
				`12:00",null],"float":1000000000000000000000,"single":0.1}`},
		{"floats", &numbers{Float: math.MaxFloat64, Single: math.SmallestNonzeroFloat32}, ``},
		{
			"nil elements", &all{IntPtrs: []*int{nil, ptr(1)}, ItemPtrs: []*item{nil, {N: 1}}},
			`{"int_ptrs":[null,1],"item_ptrs":[null,{"n":1}]}`,
		},
		{"raw", &open{Raw: json.RawMessage(` [1, 2]`)}, `{"raw": [1, 2]}`},
		{
			"unknown in order",
			&open{A: "x", Extra: map[string]json.RawMessage{"z": []byte("1"), "b": []byte("2"), `"`: []byte("3")}},
			`{"a":"x","\"":3,"b":2,"z":1}`,
		},
		{"escapes", &all{Text: "a/b<>&'\u2028\"\\\n"}, `{"text":"a\/b<>&'` + "\u2028" + `\"\\\n"}`},
	} {
		var got string
		var err error
		switch v := c.value.(type) {
		case *all:
			got, err = toJSON(t, v, top.EncodeOptions{})
		case *kept:
			got, err = toJSON(t, v, top.EncodeOptions{})
		case *numbers:
			got, err = toJSON(t, v, top.EncodeOptions{})
		case *open:
			got, err = toJSON(t, v, top.EncodeOptions{})
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		if c.want != "" && got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
	}
	if got, err := toJSON(t, &struct {
		Fens []fliggy.Fen  `top:"fens"`
		IDs  []fliggy.Yuan `top:"yuans"`
	}{
		[]fliggy.Fen{{}, fliggy.FenOf(0)}, []fliggy.Yuan{{}, fliggy.MustYuan("1.0")},
	}, top.EncodeOptions{
		Wrapped: true,
	}); err != nil || got != `{"fens":{"string":[null,0]},"yuans":{"string":[null,"1.0"]}}` {
		t.Errorf("unset elements: %s, %v", got, err)
	}
}

func TestAppendJSONErrors(t *testing.T) {
	t.Parallel()
	type strict struct {
		ID    fliggy.ID       `top:"id,number"`
		IDs   []fliggy.ID     `top:"ids,number"`
		Text  string          `top:"text,number"`
		Float float64         `top:"float"`
		Name  string          `top:"name"`
		Own   textMarshaler   `top:"own"`
		JSON  jsonMarshaler   `top:"json"`
		Reads onlyReads       `top:"reads"`
		Raw   json.RawMessage `top:"raw"`
		Yuan  fliggy.Yuan     `top:"yuan"`
		Exts  fliggy.Exts     `top:"exts"`
		Inner *strict         `top:"inner"`
		Items []strict        `top:"items"`
	}
	const digits = "must be digits without a leading zero: the platform takes a number here"
	self := &strict{}
	self.Inner = self
	loop := &strict{Items: make([]strict, 1)}
	loop.Items[0].Inner = loop
	for _, c := range []struct {
		name  string
		value *strict
		want  string
	}{
		{"id", &strict{ID: "fz2939293"}, "id: " + digits},
		{"id with a leading zero", &strict{ID: "007"}, "id: " + digits},
		{"id with an exponent", &strict{ID: "1e5"}, "id: " + digits},
		{"negative id", &strict{ID: "-1"}, "id: " + digits},
		{"id in a list", &strict{IDs: []fliggy.ID{"1", ""}}, "ids[1]: " + digits},
		{"id below", &strict{Inner: &strict{Items: []strict{{}, {ID: "x"}}}}, "inner.items[1].id: " + digits},
		{"text for a number", &strict{Text: "1,5"}, "text: must be a number: the platform takes no text here"},
		{"NaN", &strict{Float: math.NaN()}, "float: not a finite number"},
		{"infinity", &strict{Float: math.Inf(-1)}, "float: not a finite number"},
		{"not UTF-8", &strict{Name: "\xff"}, "name: not valid UTF-8"},
		{"own text not UTF-8", &strict{Own: textMarshaler{"\xff"}}, "own: not valid UTF-8"},
		{"own error", &strict{Own: textMarshaler{"bad"}}, "own: not a valid top_test.textMarshaler"},
		{"own JSON is none", &strict{JSON: jsonMarshaler{"{"}}, "json: must be valid JSON"},
		{"cannot be written", &strict{Reads: onlyReads{"x"}}, "reads: no way to write a top_test.onlyReads"},
		{"raw", &strict{Raw: []byte("{")}, "raw: must be valid JSON"},
		{"raw and more", &strict{Raw: []byte("1 2")}, "raw: must be valid JSON"},
		{"raw, not UTF-8", &strict{Raw: []byte("\"\xff\"")}, "raw: must be valid JSON"},
		{
			"long amount", &strict{Yuan: fliggy.YuanOf(decimal.New(1, 60))},
			"yuan: not a valid amount in yuan: more than 40 digits",
		},
		{"contains itself", self, strings.Repeat("inner.", 63) + "inner: nested deeper than 64"},
		{"contains itself in a list", loop, strings.Repeat("items[0].inner.", 31) + "items[0].inner: nested deeper than 64"},
	} {
		_, err := toJSON(t, c.value, top.EncodeOptions{})
		wantError(t, c.name, err, c.want)
	}
	got, err := toJSON(
		t, &strict{ID: "fz2939293", IDs: []fliggy.ID{"1", "", "007", "1e5"}, Text: "1,5"}, top.EncodeOptions{Lenient: true},
	)
	if want := `{"id":"fz2939293","ids":[1,"","007","1e5"],"text":"1,5"}`; err != nil || got != want {
		t.Errorf("lenient: got %s, %v, want %s", got, err, want)
	}
	for name, c := range map[string]struct {
		extra map[string]json.RawMessage
		want  string
	}{
		"known":    {map[string]json.RawMessage{"a": []byte("1")}, "a: has a field of its own"},
		"none":     {map[string]json.RawMessage{"b": nil}, "b: must be valid JSON"},
		"not JSON": {map[string]json.RawMessage{"b": []byte("{]")}, "b: must be valid JSON"},
	} {
		_, err := toJSON(t, &open{Extra: c.extra}, top.EncodeOptions{})
		wantError(t, name, err, c.want)
	}
	for name, value := range map[string]string{"1 b": "1", "": "1", "b": `"\u0000"`, "b_-.9": "1"} {
		if _, err := toJSON(
			t, &open{Extra: map[string]json.RawMessage{name: []byte(value)}}, top.EncodeOptions{},
		); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestAppendJSONMembers(t *testing.T) {
	t.Parallel()
	members := func(pairs ...string) (out []top.Member) {
		for i := 0; i < len(pairs); i += 2 {
			out = append(out, top.Member{Name: pairs[i], Value: json.RawMessage(pairs[i+1])})
		}
		return out
	}
	value := open{A: "x", Inner: &open{A: "y"}, Extra: map[string]json.RawMessage{"b": []byte("1")}}
	for _, c := range []struct {
		name    string
		members []top.Member
		want    string
	}{
		{"none", nil, `{"a":"x","inner":{"a":"y"},"b":1}`},
		{"one more", members("c", "[1]"), `{"a":"x","inner":{"a":"y"},"b":1,"c":[1]}`},
		{"instead of a field, at the top only", members("a", "true"), `{"inner":{"a":"y"},"b":1,"a":true}`},
		{"instead of an unknown one", members("b", "2"), `{"a":"x","inner":{"a":"y"},"b":2}`},
		{"instead of an unset one", members("raw", "null"), `{"a":"x","inner":{"a":"y"},"b":1,"raw":null}`},
		{"the last of a name", members("a", "1", "c", "2", "a", "3"), `{"inner":{"a":"y"},"b":1,"c":2,"a":3}`},
	} {
		got, err := toJSON(t, &value, top.EncodeOptions{Members: c.members})
		if err != nil || got != c.want {
			t.Errorf("%s:\n got %s, %v\nwant %s", c.name, got, err, c.want)
		}
	}
	for _, raw := range []string{"", "{", "1 2", "x"} {
		_, err := toJSON(t, &value, top.EncodeOptions{Members: members("c", raw)})
		wantError(t, raw, err, "c: must be valid JSON")
	}
}

func TestAppendValue(t *testing.T) {
	t.Parallel()
	var none *item
	for _, c := range []struct {
		value any
		want  string
	}{
		{nil, "null"},
		{none, "null"},
		{"a/b", `"a\/b"`},
		{true, "true"},
		{-7, "-7"},
		{uint8(7), "7"},
		{float32(0.1), "0.1"},
		{fliggy.ID("7"), `"7"`},
		{fliggy.MustYuan("7.00"), `"7.00"`},
		{fliggy.Yuan{}, "null"},
		{fliggy.FenOf(7), "7"},
		{fliggy.Fen{}, "null"},
		{fliggy.PayStatus(1), "1"},
		{fliggy.Channel("x"), `"x"`},
		{fliggy.NewSecret("s3cret"), `"s3cret"`},
		{fliggy.MustTime("2023-02-04 10:00:00"), `"2023-02-04 10:00:00"`},
		{json.RawMessage(`{"a": 1}`), `{"a": 1}`},
		{json.RawMessage(nil), "null"},
		{[]string{}, "[]"},
		{[]string(nil), "[]"},
		{[]item{{SID: "1"}}, `[{"sid":"1"}]`},
		{item{SID: "1"}, `{"sid":"1"}`},
		{&item{SID: "1"}, `{"sid":"1"}`},
		{struct {
			A string `json:"a,omitempty"`
			B int
			c int
		}{c: 1}, `{}`},
		{textMarshaler{"x"}, `"x"`},
		{textMarshaler{}, "null"},
		{&pointerText{"x"}, `"x"`},
		{[]pointerText{{"x"}}, `["x"]`},
		{jsonMarshaler{` "x\n" `}, `"x\n"`},
		{jsonMarshaler{"null"}, "null"},
		{jsonMarshaler{"1.50"}, "1.50"},
		{jsonMarshaler{`{"a" : [1, 2]}`}, `{"a":[1,2]}`},
		{level(3), "3"},
		{word("x"), `"x"`},
		{readsText{}, ""},
		{onlyReads{}, ""},
	} {
		got, err := top.AppendValue(nil, c.value)
		if c.want == "" {
			if err == nil || !strings.HasPrefix(err.Error(), "no way to write a ") {
				t.Errorf("%T: got %s, %v", c.value, got, err)
			}
			continue
		}
		if err != nil || string(got) != c.want {
			t.Errorf("%T: got %s, %v, want %s", c.value, got, err, c.want)
		}
	}
	if got, err := top.AppendValue(nil, decimal.RequireFromString("1.50")); err == nil {
		t.Errorf("a decimal is written without its scale: %s", got)
	}
	for _, value := range []any{
		map[string]string{}, make(chan int), func() {}, [2]int{}, complex(1, 1), []byte("x"), [][]int{}, time.Time{},
		&[]any{},
	} {
		if got, err := top.AppendValue(nil, value); err == nil {
			t.Errorf("%T: got %s", value, got)
		}
	}
}

// Types with methods of their own are read through them.
func TestOwnTypes(t *testing.T) {
	t.Parallel()
	type message struct {
		Text  textMarshaler   `top:"text"`
		Ptr   *pointerText    `top:"ptr"`
		JSON  jsonMarshaler   `top:"json"`
		Level level           `top:"level"`
		Word  word            `top:"word"`
		Reads readsText       `top:"reads"`
		Dec   decimal.Decimal `top:"dec"`
	}
	want := message{
		textMarshaler{"x"}, &pointerText{"7"}, jsonMarshaler{`[1]`}, 3, "w", readsText{"true"},
		decimal.RequireFromString("1.5"),
	}
	got, err := fromJSON[message](t, `{"text":"x","ptr":7,"json":[1],"level":3,"word":"w","reads":true,"dec":1.5}`)
	if err != nil || got.Text != want.Text || *got.Ptr != *want.Ptr || got.JSON != want.JSON || got.Level != 3 ||
		got.Word != "w" || got.Reads != want.Reads || !got.Dec.Equal(want.Dec) {
		t.Errorf("JSON: %+v, %v", got, err)
	}
	want.JSON = jsonMarshaler{`"1"`}
	got, err = fromXML[message](
		t, `<r><text>x</text><ptr>7</ptr><json>1</json><word>w</word><reads>true</reads><dec>1.5</dec></r>`,
	)
	if err != nil || got.Text != want.Text || *got.Ptr != *want.Ptr || got.JSON != want.JSON || got.Word != "w" ||
		got.Reads != want.Reads || !got.Dec.Equal(want.Dec) {
		t.Errorf("XML: %+v, %v", got, err)
	}
	for text, want := range map[string]string{
		`{"json":"bad"}`:          "json: not a valid top_test.jsonMarshaler",
		`{"dec":"13800000000 x"}`: "dec: not a valid decimal.Decimal",
		`{"level":"x"}`:           "level: not a valid top_test.level",
	} {
		_, err := fromJSON[message](t, text)
		wantError(t, text, err, want)
	}
}

// What the encoder writes is JSON, also of values that no check has seen.
func TestAppendJSONProperty(t *testing.T) {
	t.Parallel()
	plan := planOf[all](t)
	rapid.Check(t, func(t *rapid.T) {
		v := drawAll.Draw(t, "value")
		v.Text = string(rapid.SliceOf(rapid.Byte()).Draw(t, "bytes"))
		v.IDNumber = fliggy.ID(rapid.StringMatching(`[0-9a-z.-]{0,5}`).Draw(t, "id"))
		v.Float = rapid.SampledFrom(
			[]float64{0, math.Inf(1), math.NaN(), math.MaxFloat64, math.SmallestNonzeroFloat64},
		).Draw(t, "float")
		o := top.EncodeOptions{
			Wrapped: rapid.Bool().Draw(t, "wrapped"), Lenient: rapid.Bool().Draw(t, "lenient"),
			Members: []top.Member{
				{
					Name:  rapid.String().Draw(t, "name"),
					Value: rapid.SliceOfN(rapid.SampledFrom([]byte(`{}[]"1n,: `)), 0, 3).Draw(t, "raw"),
				},
			},
		}
		out, err := plan.AppendJSON(nil, &v, o)
		if err == nil && !json.Valid(out) {
			t.Fatalf("not valid: %s", out)
		}
		problems := plan.Check(&v)
		if err == nil && len(problems) > 0 && !o.Lenient || err != nil && len(problems) == 0 && json.Valid(
			o.Members[0].Value,
		) {
			t.Fatalf("error %v, check %v", err, problems)
		}
	})
}

// A bool travels as a number where the tag says so, and is read from every form.
func TestBoolAsNumber(t *testing.T) {
	t.Parallel()
	type message struct {
		Yes bool  `top:"yes,number"`
		No  bool  `top:"no,number,keep"`
		Of  *bool `top:"of,number"`
	}
	for _, form := range []top.EncodeOptions{{}, {Wrapped: true}} {
		text, err := toJSON(t, &message{Yes: true, Of: new(bool)}, form)
		if err != nil || text != `{"yes":1,"no":0,"of":0}` {
			t.Errorf("%s, %v", text, err)
		}
	}
	for _, text := range []string{
		`{"yes":1,"no":0}`, `{"yes":"1","no":"0"}`, `{"yes":true,"no":false}`, `{"yes":"true"}`,
	} {
		if got, err := fromJSON[message](t, text); err != nil || !got.Yes || got.No || got.Of != nil {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}
