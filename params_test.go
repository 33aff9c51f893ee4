package rentcar

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/fliggy-go/rentcar/fliggy"
)

type paramStruct struct {
	ID    fliggy.ID `top:"id"`
	Name  string    `json:"name,omitempty"`
	Count int
}

// Every kind of value that Params takes, as a form parameter and as a member.
// Empty text as a parameter means that it is not sent.
func TestParamValues(t *testing.T) {
	t.Parallel()
	var noID *fliggy.ID
	for name, tc := range map[string]struct {
		value         any
		param, member string
	}{
		"nil":                     {nil, "", "null"},
		"nil pointer":             {noID, "", "null"},
		"nil pointer to a struct": {(*paramStruct)(nil), "", "null"},
		"text":                    {`a "b" 中`, `a "b" 中`, `"a \"b\" 中"`},
		"blank text":              {" ", "", `" "`},
		"looks like null":         {"null", "null", `"null"`},
		"boolean":                 {true, "true", "true"},
		"false":                   {false, "false", "false"},
		"zero":                    {0, "0", "0"},
		"whole number":            {int64(-3187983531024266527), "-3187983531024266527", "-3187983531024266527"},
		"unsigned":                {uint8(7), "7", "7"},
		"id":                      {mainOrder, string(mainOrder), `"` + string(mainOrder) + `"`},
		"pointer to an id":        {ptr(mainOrder), string(mainOrder), `"` + string(mainOrder) + `"`},
		"pointer to a pointer":    {ptr(ptr("x")), "x", `"x"`},
		"yuan":                    {fliggy.MustYuan("1.50"), "1.50", `"1.50"`},
		"zero yuan":               {fliggy.MustYuan("0.00"), "0.00", `"0.00"`},
		"unset yuan":              {fliggy.Yuan{}, "", "null"},
		"fen":                     {fliggy.FenOf(150), "150", "150"},
		"decimal":                 {fliggy.MustDecimal("1.5"), "1.5", `"1.5"`},
		"time":                    {fliggy.MustTime("2023-02-03 14:00:00"), "2023-02-03 14:00:00", `"2023-02-03 14:00:00"`},
		"date":                    {fliggy.Date{Year: 2023, Month: 2, Day: 3}, "2023-02-03", `"2023-02-03"`},
		"extension data":          {fliggy.Exts(`{"a":"b"}`), `{"a":"b"}`, `"{\"a\":\"b\"}"`},
		"secret":                  {fliggy.NewSecret("s/1"), "s/1", `"s\/1"`},
		"text enumeration":        {fliggy.ChannelAmap, "80001", `"80001"`},
		"number enumeration":      {fliggy.TradeIncome, "1", "1"},
		"list of text":            {[]string{"a", "b"}, "a,b", `["a","b"]`},
		"list of numbers":         {[]int{1, 2}, "1,2", "[1,2]"},
		"list of ids":             {[]fliggy.ID{"1", "2"}, "1,2", `["1","2"]`},
		"list of pointers":        {[]*int{ptr(1), nil}, "1,", "[1,null]"},
		"list of enumerations":    {[]fliggy.OrderServiceType{fliggy.OrderServiceRenewal}, "3", `["3"]`},
		"empty list":              {[]string{}, "", "[]"},
		"nil list":                {[]string(nil), "", "[]"},
		"struct":                  {paramStruct{ID: "1", Name: "n"}, `{"id":"1","name":"n"}`, `{"id":"1","name":"n"}`},
		"pointer to a struct":     {&paramStruct{Count: 2}, `{"Count":2}`, `{"Count":2}`},
		"list of structs":         {[]paramStruct{{ID: "1"}, {}}, `[{"id":"1"},{}]`, `[{"id":"1"},{}]`},
		"list of struct pointers": {[]*paramStruct{{ID: "1"}}, `[{"id":"1"}]`, `[{"id":"1"}]`},
		"raw JSON":                {json.RawMessage(`{"a": 1.0}`), `{"a": 1.0}`, `{"a": 1.0}`},
		"raw JSON text":           {json.RawMessage(`"a"`), `"a"`, `"a"`},
		"pointer to raw JSON":     {ptr(json.RawMessage(`[1]`)), "[1]", "[1]"},
		"nil raw JSON":            {json.RawMessage(nil), "", "null"},
		"pointer to empty raw":    {new(json.RawMessage), "", "null"},
		"request of this package": {
			&OrderQueryRequest{OrderID: "1", ChannelID: fliggy.ChannelAmap}, `{"order_id":"1","channel_id":"80001"}`,
			`{"order_id":"1","channel_id":"80001"}`,
		},
		"numbers documented as so": {&RenewalQuoteRequest{OrderID: "1"}, `{"order_id":1}`, `{"order_id":1}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := clientFor(t, replyJSON(okReply))
			var out Raw
			if err := c.Call(context.Background(), "x.y", Params{"p": tc.value}, &out); err != nil {
				t.Fatal(err)
			}
			form := map[string]string{"p": tc.param}
			if tc.param == "" {
				form = map[string]string{"v": "2.0"} // no body is empty
			}
			diff(t, "form", form, g.last(t).form(t))
			if _, err := c.Orders.Query(
				context.Background(), &OrderQueryRequest{}, CallWithoutValidation(), CallMember("p", tc.value),
			); err != nil {
				t.Fatal(err)
			}
			diff(t, "member", map[string]string{opOrderQuery.Param: `{"p":` + tc.member + "}"}, g.last(t).form(t))
		})
	}
}

func TestParamRefusals(t *testing.T) {
	t.Parallel()
	const float = "is a float, which has no exact text: use Yuan, Decimal or text"
	c, g := clientFor(t, replyJSON(okReply))
	for name, tc := range map[string]struct {
		value any
		rule  string
	}{
		"float":            {1.5, float},
		"small float":      {float32(1), float},
		"pointer to float": {ptr(1.5), float},
		"list of floats":   {[]float64{1}, float},
		"list of pointers": {[]*float64{ptr(1.0)}, float},
		"bytes":            {[]byte("a"), "is bytes: use a string, or a json.RawMessage"},
		"map": {
			map[string]string{"a": "b"}, "a map[string]string has no wire format: use a struct with tags, or a json.RawMessage",
		},
		"list of anything":  {[]any{1}, "a interface {} has no wire format: use a struct with tags, or a json.RawMessage"},
		"list of lists":     {[][]string{{"a"}}, "a list of lists has no wire format"},
		"channel":           {make(chan int), "a chan int has no wire format: use a struct with tags, or a json.RawMessage"},
		"function":          {func() {}, "a func() has no wire format: use a struct with tags, or a json.RawMessage"},
		"array":             {[2]int{}, "a [2]int has no wire format: use a struct with tags, or a json.RawMessage"},
		"broken JSON":       {json.RawMessage("{"), "must be valid JSON"},
		"broken text":       {"a\xff", "not valid UTF-8"},
		"broken list":       {[]string{"a", "\xff"}, "[1]: not valid UTF-8"},
		"broken in structs": {[]paramStruct{{}, {Name: "\xff"}}, "[1].name: not valid UTF-8"},
		"id that is none": {
			&RenewalQuoteRequest{OrderID: "fz1"},
			"order_id: must be digits without a leading zero: the platform takes a number here",
		},
	} {
		var out Raw
		err := c.Call(context.Background(), "x.y", Params{"p": tc.value}, &out)
		diff(
			t, name, &fliggy.ValidationError{Method: "x.y", Problems: []fliggy.Problem{{Field: "p", Rule: tc.rule}}},
			as[*fliggy.ValidationError](t, err),
		)
	}
	for _, name := range protocolParams {
		var out Raw
		err := c.Call(context.Background(), "x.y", Params{name: "1"}, &out)
		diff(
			t, name, []fliggy.Problem{{Field: name, Rule: "is a parameter of the protocol: the client sends it"}},
			as[*fliggy.ValidationError](t, err).Problems,
		)
	}
	if g.count() != 0 {
		t.Errorf("%d requests were sent", g.count())
	}
}

// Whatever text goes in arrives, percent-encoded and signed, as it is.
func TestParamsArrive(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		params, want := Params{}, map[string]string{}
		for i := range rapid.IntRange(0, 5).Draw(rt, "n") {
			name, value := "p"+strconv.Itoa(i), rapid.String().Draw(rt, "value")
			if strings.ToValidUTF8(value, "") != value {
				continue
			}
			params[name] = value
			if strings.Trim(
				value,
				"\t\n\v\f\r\x1c\x1d\x1e\x1f "+
					"\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000",
			) != "" {
				want[name] = value
			}
		}
		if len(want) == 0 {
			want["v"] = "2.0" // no body is empty
		}
		c, g := clientFor(t, replyJSON(okReply))
		var out Raw
		if err := c.Call(context.Background(), "x.y", params, &out); err != nil {
			rt.Fatal(err)
		}
		s := g.last(t)
		diff(t, "form", want, s.form(t))
		signed := s.form(t)
		for name, value := range s.query(t) {
			signed[name] = value
		}
		if sign, err := Sign(HMACSHA256, testSecret, signed, nil); err != nil || sign != signed["sign"] {
			rt.Fatalf("sign %s, want %s (%v)", signed["sign"], sign, err)
		}
	})
}
