package top_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ json, want string }{
		{`{"int":"x"}`, "int: expected a whole number"},
		{`{"int":1.5}`, "int: expected a whole number"},
		{`{"int":1e3}`, "int: expected a whole number"},
		{`{"int":"1.x"}`, "int: expected a whole number"},
		{`{"int":".0"}`, "int: expected a whole number"},
		{`{"int":"1."}`, "int: expected a whole number"},
		{`{"int":"0x10"}`, "int: expected a whole number"},
		{`{"int":"1_000"}`, "int: expected a whole number"},
		{`{"int":true}`, "int: expected a whole number"},
		{`{"int":[1]}`, "int: expected a single value, got a list"},
		{`{"int":{}}`, "int: expected a single value, got an object"},
		{`{"int":9223372036854775808}`, "int: too large for int64"},
		{`{"small":128}`, "small: too large for int8"},
		{`{"small":-129}`, "small: too large for int8"},
		{`{"uint":-1}`, "uint: expected a whole number that is not negative"},
		{`{"uint":65536}`, "uint: too large for uint16"},
		{`{"float":"x"}`, "float: expected a number"},
		{`{"float":"NaN"}`, "float: expected a number"},
		{`{"float":"Inf"}`, "float: expected a number"},
		{`{"float":"-infinity"}`, "float: expected a number"},
		{`{"float":"0x1p-2"}`, "float: expected a number"},
		{`{"float":"1e"}`, "float: expected a number"},
		{`{"float":1e999999999}`, "float: too large for float64"},
		{`{"single":1e39}`, "single: too large for float32"},
		{`{"flag":2}`, "flag: expected true or false"},
		{`{"flag":"yes"}`, "flag: expected true or false"},
		{`{"id":1.5}`, "id: not a valid id: want an integer number without fraction, exponent or leading zero"},
		{`{"id":true}`, "id: not a valid id: want a JSON string or number"},
		{`{"id":{"phone":"13800000000"}}`, "id: not a valid id: want a JSON string or number"},
		{
			`{"yuan":"1,5"}`, "yuan: not a valid amount in yuan: want digits with an optional sign and fraction, such as -12.50",
		},
		{`{"yuan":1e999999999}`, "yuan: not a valid amount in yuan: more than 40 digits"},
		{`{"yuan":[]}`, "yuan: not a valid amount in yuan: want a JSON string or number"},
		{`{"fen":1.5}`, "fen: not a valid amount in fen: not a whole number"},
		{`{"time":"yesterday"}`, "time: not a valid time: want yyyy-MM-dd HH:mm:ss in GMT+8"},
		{`{"pay_status":"x"}`, "pay_status: not a valid PayStatus: not a whole number"},
		{`{"item":1}`, "item: expected an object, got a number"},
		{`{"item":true}`, "item: expected an object, got a boolean"},
		{`{"item":"x"}`, "item: expected an object, got text"},
		{`{"item":"{} x"}`, "item: not JSON at byte 3: expected the end"},
		{`{"item":"{\"n\":tru}"}`, "item: not JSON at byte 5: expected true"},
		{`{"item":[{}]}`, "item: expected an object, got a list"},
		{`{"item":{"n":"x"}}`, "item.n: expected a whole number"},
		{`{"item_ptr":{"next":{"next":{"n":"x"}}}}`, "item_ptr.next.next.n: expected a whole number"},
		{`{"item_ptr":"{\"next\":\"{\\\"n\\\":[]}\"}"}`, "item_ptr.next.n: expected a single value, got a list"},
		{`{"items":[{},{"tags":["a",{"b":1}],"n":[]}]}`, "items[1].n: expected a single value, got a list"},
		{`{"items":{"order_detail_item":[{"n":"x"}]}}`, "items.order_detail_item[0].n: expected a whole number"},
		{`{"items":{"order_detail_item":{"n":"x"}}}`, "items.order_detail_item[0].n: expected a whole number"},
		{`{"items":{"a":[],"b":[]}}`, "items: expected a list or its wrapper, got an object of several members"},
		{`{"items":["x"]}`, "items[0]: expected an object, got text"},
		{`{"ints":[[1]]}`, "ints[0]: expected a single value, got a list"},
		{`{"texts":"a"}`, "texts: expected a list, got text"},
		{`{"texts":"[\"a\""}`, "texts: not JSON: cut off at byte 4, expected ',' or ']'"},
		{`{"texts":"[] []"}`, "texts: not JSON at byte 3: expected the end"},
		{`{"texts":7}`, "texts: expected a list, got a number"},
		{`{"texts":false}`, "texts: expected a list, got a boolean"},
		{`{"texts":{"string":nul}}`, "not JSON at byte 19: expected null"},
		{`{"texts":[nul]}`, "not JSON at byte 10: expected null"},
		{`{"text":nul}`, "not JSON at byte 8: expected null"},
		{`{"text":`, "not JSON: cut off at byte 8, expected a value"},
		{`{"text":"a`, "not JSON: cut off at byte 10, expected a closing quote"},
		{`{"text":"\x"}`, "not JSON at byte 10: expected an escape"},
		{`{"text":"\u12x4"}`, "not JSON at byte 13: expected a hexadecimal digit"},
		{"{\"text\":\"a\\\x01\"}", "not JSON at byte 11: expected an escape"},
		{"{\"int\":\"\x01\"}", "int: expected a whole number"},
		{`{"text":01}`, "not JSON at byte 9: expected ',' or '}'"},
		{`{"text":-}`, "not JSON at byte 9: expected a digit"},
		{`{"text":1.}`, "not JSON at byte 10: expected a digit"},
		{`{"text":1e+}`, "not JSON at byte 11: expected a digit"},
		{`{"text" 1}`, "not JSON at byte 8: expected ':'"},
		{`{text:1}`, "not JSON at byte 1: expected a member name"},
		{`{"\x":1}`, "not JSON at byte 3: expected an escape"},
		{`{"text":1,}`, "not JSON at byte 10: expected a member name"},
		{`{"item":"\q"}`, "not JSON at byte 10: expected an escape"},
		{`{"who":{"a" 1}}`, "not JSON at byte 12: expected ':'"},
		{`{} {}`, "not JSON at byte 3: expected the end"},
		{`[]`, "expected an object, got a list"},
		{``, "not JSON: cut off at byte 0, expected a value"},
		{"{\"text\":\"\xff\"}", "not valid UTF-8"},
		{`{"fens":[1,"x"]}`, "fens[1]: not a valid amount in fen: not a whole number"},
	} {
		_, err := fromJSON[all](t, c.json)
		wantError(t, c.json, err, c.want)
		var e *top.Error
		if !errors.As(err, &e) {
			t.Errorf("%s: %T is no *top.Error", c.json, err)
		}
	}
}

func TestRequiredMembers(t *testing.T) {
	t.Parallel()
	type message struct {
		Text  string           `top:"text,required"`
		Ptr   *string          `top:"ptr,required"`
		Flag  bool             `top:"flag,required"`
		Int   int64            `top:"int,required"`
		Uint  uint64           `top:"uint,required"`
		Float float64          `top:"float,required"`
		ID    fliggy.ID        `top:"id,required"`
		Yuan  fliggy.Yuan      `top:"yuan,required"`
		Fen   fliggy.Fen       `top:"fen,required"`
		Enum  fliggy.PayStatus `top:"enum,required"`
		Item  item             `top:"item,required"`
		List  []string         `top:"list,required"`
		Raw   json.RawMessage  `top:"raw,required"`
	}
	good := map[string]string{
		"text": `"x"`, "ptr": `"x"`, "flag": "false", "int": "0", "uint": "0", "float": "0", "id": "0", "yuan": "0.00",
		"fen":  "0",
		"enum": "0", "item": `{"n":0}`, "list": "[]", "raw": `{}`,
	}
	document := func(name, value string) string {
		var b strings.Builder
		for _, k := range []string{
			"text", "ptr", "flag", "int", "uint", "float", "id", "yuan", "fen", "enum", "item", "list", "raw",
		} {
			v := good[k]
			if k == name {
				v = value
			}
			if v != "" {
				b.WriteString(`,"` + k + `":` + v)
			}
		}
		return "{" + b.String()[1:] + "}"
	}
	if _, err := fromJSON[message](t, document("", "")); err != nil {
		t.Fatal(err)
	}
	for name := range good {
		bad := []string{"", "null"}
		switch name {
		case "raw":
		case "text", "ptr", "id":
			bad = append(bad, `""`, `" "`, `"\u3000\t"`)
		default:
			bad = append(bad, `""`, `" "`, `"null"`)
		}
		if name == "item" {
			bad = append(bad, `[]`)
		}
		for _, value := range bad {
			_, err := fromJSON[message](t, document(name, value))
			wantError(t, document(name, value), err, name+": missing")
		}
	}
	type outer struct {
		Items []struct {
			ID fliggy.ID `top:"id,required"`
		} `top:"items"`
	}
	_, err := fromJSON[outer](t, `{"items":[{"id":1},{"id":"1","x":2},{}]}`)
	wantError(t, "in a list", err, "items[2].id: missing")
	_, err = fromXML[outer](t, `<r><items><i><id>1</id></i><i><x/></i></items></r>`)
	wantError(t, "in an XML list", err, "items[1].id: missing")
	// The 65th member and later ones are noted too.
	lots, err := fromJSON[many](t, `{"last":"x"}`)
	if err != nil || lots.Last != "x" {
		t.Errorf("many members: %+v, %v", lots.Last, err)
	}
	_, err = fromJSON[struct{ many }](t, `{"first":"x"}`)
	wantError(t, "many members", err, "last: missing")
}

// many has its required member behind the 64th.
type many struct {
	First string `top:"first"`
	wide
	Last string `top:"last,required"`
}

type wide struct {
	A1, A2, A3, A4, A5, A6, A7, A8, B1, B2, B3, B4, B5, B6, B7, B8 string
	C1, C2, C3, C4, C5, C6, C7, C8, D1, D2, D3, D4, D5, D6, D7, D8 string
	E1, E2, E3, E4, E5, E6, E7, E8, F1, F2, F3, F4, F5, F6, F7, F8 string
	G1, G2, G3, G4, G5, G6, G7, G8, H1, H2, H3, H4, H5, H6, H7, H8 string
}

func TestUnknownMembers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       open
	}{
		{"JSON", `{"a":"1","b":[1, 2.50],"raw":{"x": 1e2},"inner":{"c":"\u4e2d"},"d":null,"b2":"x"}`, open{
			A: "1", Raw: json.RawMessage(`{"x": 1e2}`), Inner: &open{Extra: map[string]json.RawMessage{"c": []byte(`"\u4e2d"`)}},
			Extra: map[string]json.RawMessage{"b": []byte(`[1, 2.50]`), "d": []byte("null"), "b2": []byte(`"x"`)},
		}},
		{"JSON text", `{"inner":"{\"b\":1}"}`, open{Inner: &open{Extra: map[string]json.RawMessage{"b": []byte("1")}}}},
		{"XML", `<r><a>1</a><b>2.50</b><raw><x>1</x><y/></raw><inner><c>中&lt;</c></inner><d><e>1</e><e>2</e><f><g/></f></d` +
			`></r>`, open{
			A: "1", Raw: json.RawMessage(`{"x":"1","y":""}`),
			Inner: &open{Extra: map[string]json.RawMessage{"c": []byte(`"中<"`)}},
			Extra: map[string]json.RawMessage{"b": []byte(`"2.50"`), "d": []byte(`{"e":["1","2"],"f":{"g":""}}`)},
		}},
		{
			"XML, all of a name", `<r><a>1</a><e><b>1</b><c/><b><d/></b></e></r>`,
			open{A: "1", Extra: map[string]json.RawMessage{"e": []byte(`{"b":["1",{"d":""}],"c":""}`)}},
		},
		{
			"XML, text between elements", `<r><b>x<c>1</c>y</b></r>`,
			open{Extra: map[string]json.RawMessage{"b": []byte(`{"c":"1","#text":"xy"}`)}},
		},
	} {
		var got open
		var err error
		if c.text[0] == '<' {
			got, err = fromXML[open](t, c.text)
		} else {
			got, err = fromJSON[open](t, c.text)
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		wantDiff(t, c.name, c.want, got)
	}
}

// What is kept does not share memory with the message.
func TestKeptApart(t *testing.T) {
	t.Parallel()
	data := []byte(`{"raw":[1],"b":[2]}`)
	var got open
	if err := planOf[open](t).DecodeJSON(data, &got); err != nil {
		t.Fatal(err)
	}
	clear(data)
	wantDiff(t, "kept", open{Raw: []byte("[1]"), Extra: map[string]json.RawMessage{"b": []byte("[2]")}}, got)
}

// An element that says nothing is none of whose members are 0: where one is required, it
// is missing.
func TestEmptyElements(t *testing.T) {
	t.Parallel()
	type tier struct {
		Percent int `top:"num,required"`
		Hours   int `top:"time"`
	}
	type message struct {
		Tiers    []tier               `top:"tiers,wrap=tier"`
		Pointers []*tier              `top:"pointers"`
		Free     []struct{ A string } `top:"free"`
	}
	for _, text := range []string{`{"tiers":[{"num":50},X]}`, `{"tiers":{"tier":[{"num":50},X]}}`} {
		for _, empty := range []string{"null", `""`, `" "`, `"null"`, "[]", "{}", `"{}"`} {
			_, err := fromJSON[message](t, strings.ReplaceAll(text, "X", empty))
			if err == nil || !strings.HasSuffix(err.Error(), "[1].num: missing") {
				t.Errorf("%s in %s: %v", empty, text, err)
			}
		}
	}
	for _, text := range []string{
		"<tier/>", "<tier></tier>", "<tier> </tier>", "<tier>null</tier>", "<tier>{}</tier>", "<tier><time>1</time></tier>",
	} {
		_, err := fromXML[message](t, "<r><tiers>"+text+"</tiers></r>")
		wantError(t, text, err, "tiers[0].num: missing")
	}
	got, err := fromJSON[message](t, `{"pointers":[null],"free":[null,{}]}`)
	if err != nil || len(got.Pointers) != 1 || got.Pointers[0] != nil || len(got.Free) != 2 {
		t.Errorf("%+v, %v", got, err)
	}
}

// Elements of a list bear one name; another member is no element.
func TestElementsOfOneName(t *testing.T) {
	t.Parallel()
	_, err := fromXML[all](t, "<r><texts><string>a</string><strings>b</strings></texts></r>")
	wantError(t, "two names", err, "texts: expected elements of one name, got several")
	got, err := fromXML[all](t, "<r><texts><x>a</x><x>b</x></texts></r>")
	wantDiff(t, "any name", all{Texts: []string{"a", "b"}}, got)
	if err != nil {
		t.Error(err)
	}
}
