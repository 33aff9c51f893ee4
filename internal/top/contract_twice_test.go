package top_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/internal/top"
)

// A member that comes twice is refused by name, whatever its kind and whatever it
// says: readers that take the first and readers that take the last would see
// different messages.
func TestMembersTwice(t *testing.T) {
	t.Parallel()
	const twice = ": comes more than once"
	for text, want := range map[string]string{
		`{"int":1,"int":1}`:                        "int",
		`{"int":1,"\u0069nt":2}`:                   "int",
		`{"int":null,"int":1}`:                     "int",
		`{"int":1,"int":null}`:                     "int",
		`{"int":"","int":""}`:                      "int",
		`{"texts":["a"],"texts":["b"]}`:            "texts",
		`{"item":{"sid":"1"},"item":{"n":2}}`:      "item",
		`{"item":{"sid":"1","n":2,"sid":"1"}}`:     "item.sid",
		`{"item":"{\"sid\":\"1\",\"sid\":\"2\"}"}`: "item.sid",
		`{"items":[{},{"sid":"1","sid":"2"}]}`:     "items[1].sid",
		`{"who":1,"int":1,"who":{}}`:               "who",
		`{"item":{"who":1,"who":1}}`:               "item.who",
	} {
		_, err := fromJSON[all](t, text)
		wantError(t, text, err, want+twice)
	}
	for text, want := range map[string]string{
		`<r><int>1</int><int>1</int></r>`:                            "int",
		`<r><int/><int>1</int></r>`:                                  "int",
		`<r><item><sid>1</sid></item><item><n>2</n></item></r>`:      "item",
		`<r><items><i><sid>1</sid><sid>1</sid></i></items></r>`:      "items[0].sid",
		`<r><item>{"sid":"1","sid":"2"}</item></r>`:                  "item.sid",
		`<r><item_ptr><sid>1</sid></item_ptr><item_ptr/></r>`:        "item_ptr",
		`<r>` + strings.Repeat(`<id>1</id>`, 2) + `<int>x</int></r>`: "id",
		// A list that came again used to count as its last.
		`<r><texts><string>3</string></texts><texts><string>1</string></texts></r>`: "texts",
		`<r><texts/><texts><string>1</string></texts></r>`:                          "texts",
		`<r><item><tags><s>1</s></tags><n>1</n><tags/></item></r>`:                  "item.tags",
		`<r><items><i><sid>1</sid></i></items><items/></r>`:                         "items",
		`<r><who>1</who><int>1</int><who/></r>`:                                     "who",
		`<r><items><i><who/><who/></i></items></r>`:                                 "items[0].who",
	} {
		_, err := fromXML[all](t, text)
		wantError(t, text, err, want+twice)
	}
	lists, err := fromXML[all](t, `<r><texts><string>3</string><string>1</string></texts></r>`)
	wantDiff(t, "the elements of a list", all{Texts: []string{"3", "1"}}, lists)
	if err != nil {
		t.Error(err)
	}
	// Names are compared exactly, and other objects are other places.
	if _, err := fromJSON[all](t, `{"int":1,"Int":2,"INT":3,"item":{"sid":"1"},"item_ptr":{"sid":"1"}}`); err != nil {
		t.Error(err)
	}
	if _, err := fromJSON[open](t, `{"raw":{"a":1,"a":2}}`); err != nil {
		t.Errorf("inside what is kept as it is: %v", err)
	}
}

// The set of members that came is right beyond the size of a word.
func TestMembersTwiceOfMany(t *testing.T) {
	t.Parallel()
	type wide struct {
		F0, F1, F2, F3, F4, F5, F6, F7, F8, F9 int
		G0, G1, G2, G3, G4, G5, G6, G7, G8, G9 int
		H0, H1, H2, H3, H4, H5, H6, H7, H8, H9 int
		I0, I1, I2, I3, I4, I5, I6, I7, I8, I9 int
		J0, J1, J2, J3, J4, J5, J6, J7, J8, J9 int
		K0, K1, K2, K3, K4, K5, K6, K7, K8, K9 int
		L0, L1, L2, L3, L4, L5, L6, L7, L8, L9 int
		M0                                     int `top:"M0,required"`
	}
	var names []string
	for _, letter := range "FGHIJKL" {
		for digit := range 10 {
			names = append(names, fmt.Sprintf("%c%d", letter, digit))
		}
	}
	names = append(names, "M0")
	whole := `{"` + strings.Join(names, `":1,"`) + `":1`
	if _, err := fromJSON[wide](t, whole+"}"); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		_, err := fromJSON[wide](t, whole+`,"`+name+`":1}`)
		wantError(t, name, err, name+": comes more than once")
	}
	_, err := fromJSON[wide](t, `{"L9":1}`)
	wantError(t, "M0", err, "M0: missing")
}

func TestEnvelopeTwice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body, want string
		dialect    top.Dialect
		inner      string
	}{
		{`{"error_response":{"code":1},"error_response":{"code":2}}`, "error_response", top.TOP, ""},
		{`{"error_response":{"code":1,"code":2}}`, "error_response.code", top.TOP, ""},
		{`{"a_response":{"a":1},"a_response":{"a":2}}`, "a_response", top.TOP, ""},
		{`{"a_response":{"request_id":"1","request_id":"2"}}`, "request_id", top.TOP, ""},
		{`{"result":{"a":1},"result":{"a":2}}`, "result", top.TOP, "result"},
		{`{"response":{"flag":"failure","flag":"success"}}`, "flag", top.Qimen, ""},
		{`{"response":{"flag":"failure"},"response":{"flag":"success"}}`, "response", top.Qimen, ""},
		{`{"flag":"failure","x":1,"flag":"success"}`, "flag", top.Qimen, ""},
		{`<response><flag>failure</flag><flag>success</flag></response>`, "flag", top.Qimen, ""},
		{`<response>{"flag":"failure","flag":"success"}</response>`, "flag", top.Qimen, ""},
		{`<r><error_response/><error_response/></r>`, "error_response", top.TOP, ""},
		{
			`<r><error_response><code>1</code></error_response><error_response><code>1</code></error_response></r>`,
			"error_response", top.TOP, "",
		},
	} {
		format := top.Wrapped
		if c.body[0] == '<' {
			format = top.XML
		}
		_, err := top.OpenReply(c.body, format, c.dialect, c.inner)
		wantError(t, c.body, err, c.want+": comes more than once")
	}
}

// Refusing takes no longer than reading.
func TestMembersTwiceHostile(t *testing.T) {
	t.Parallel()
	const n = 50_000
	var names strings.Builder
	for i := range n {
		fmt.Fprintf(&names, `"x%d":1,`, i)
	}
	for what, text := range map[string]string{
		"a repeated member":  "{" + strings.Repeat(`"int":1,`, n) + `"a":1}`,
		"a repeated unknown": "{" + strings.Repeat(`"who":1,`, n) + `"a":1}`,
		"the last of many":   "{" + names.String() + `"x0":1}`,
	} {
		if _, err := fromJSON[all](t, text); err == nil || !strings.HasSuffix(err.Error(), ": comes more than once") {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := fromJSON[open](t, text); err == nil || !strings.HasSuffix(err.Error(), ": comes more than once") {
			t.Errorf("%s, kept: %v", what, err)
		}
		if _, err := top.AppendParts(nil, text); err == nil || !strings.HasSuffix(err.Error(), ": comes more than once") {
			t.Errorf("%s, parts: %v", what, err)
		}
	}
	if _, err := fromJSON[open](t, "{"+names.String()+`"y":1}`); err != nil {
		t.Error(err)
	}
}
