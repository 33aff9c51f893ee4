package rentcar

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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
		"nil":                      {nil, "", "null"},
		"nil pointer":              {noID, "", "null"},
		"nil pointer to a struct":  {(*paramStruct)(nil), "", "null"},
		"text":                     {`a "b" 中`, `a "b" 中`, `"a \"b\" 中"`},
		"blank text":               {" ", "", `" "`},
		"looks like null":          {"null", "null", `"null"`},
		"boolean":                  {true, "true", "true"},
		"false":                    {false, "false", "false"},
		"zero":                     {0, "0", "0"},
		"whole number":             {int64(-3187983531024266527), "-3187983531024266527", "-3187983531024266527"},
		"unsigned":                 {uint8(7), "7", "7"},
		"id":                       {mainOrder, string(mainOrder), `"` + string(mainOrder) + `"`},
		"pointer to an id":         {new(mainOrder), string(mainOrder), `"` + string(mainOrder) + `"`},
		"pointer to a pointer":     {new(new("x")), "x", `"x"`},
		"yuan":                     {fliggy.MustYuan("1.50"), "1.50", `"1.50"`},
		"zero yuan":                {fliggy.MustYuan("0.00"), "0.00", `"0.00"`},
		"unset yuan":               {fliggy.Yuan{}, "", "null"},
		"fen":                      {fliggy.FenOf(150), "150", "150"},
		"decimal":                  {fliggy.MustDecimal("1.5"), "1.5", `"1.5"`},
		"time":                     {fliggy.MustTime("2023-02-03 14:00:00"), "2023-02-03 14:00:00", `"2023-02-03 14:00:00"`},
		"date":                     {fliggy.Date{Year: 2023, Month: 2, Day: 3}, "2023-02-03", `"2023-02-03"`},
		"extension data":           {fliggy.Exts(`{"a":"b"}`), `{"a":"b"}`, `"{\"a\":\"b\"}"`},
		"secret":                   {fliggy.NewSecret("s/1"), "s/1", `"s\/1"`},
		"text enumeration":         {fliggy.ChannelAmap, "80001", `"80001"`},
		"number enumeration":       {fliggy.TradeIncome, "1", "1"},
		"list of text":             {[]string{"a", "b"}, "a,b", `["a","b"]`},
		"list of numbers":          {[]int{1, 2}, "1,2", "[1,2]"},
		"list of ids":              {[]fliggy.ID{"1", "2"}, "1,2", `["1","2"]`},
		"list of pointers":         {[]*int{new(1), nil}, "1,", "[1,null]"},
		"list of enumerations":     {[]fliggy.OrderServiceType{fliggy.OrderServiceRenewal}, "3", `["3"]`},
		"empty list":               {[]string{}, "", "[]"},
		"nil list":                 {[]string(nil), "", "[]"},
		"struct":                   {paramStruct{ID: "1", Name: "n"}, `{"id":"1","name":"n"}`, `{"id":"1","name":"n"}`},
		"pointer to a struct":      {&paramStruct{Count: 2}, `{"Count":2}`, `{"Count":2}`},
		"list of structs":          {[]paramStruct{{ID: "1"}, {}}, `[{"id":"1"},{}]`, `[{"id":"1"},{}]`},
		"list of struct pointers":  {[]*paramStruct{{ID: "1"}}, `[{"id":"1"}]`, `[{"id":"1"}]`},
		"raw JSON":                 {json.RawMessage(`{"a": 1.0}`), `{"a": 1.0}`, `{"a": 1.0}`},
		"raw JSON text":            {json.RawMessage(`"a"`), `"a"`, `"a"`},
		"pointer to raw JSON":      {new(json.RawMessage(`[1]`)), "[1]", "[1]"},
		"nil raw JSON":             {json.RawMessage(nil), "", "null"},
		"pointer to empty raw":     {new(json.RawMessage), "", "null"},
		"request of this package":  {&OrderQueryRequest{OrderID: "1", ChannelID: fliggy.ChannelAmap}, `{"order_id":"1","channel_id":"80001"}`, `{"order_id":"1","channel_id":"80001"}`},
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
			if _, err := c.Orders.Query(context.Background(), &OrderQueryRequest{}, CallWithoutValidation(), CallMember("p", tc.value)); err != nil {
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
		"float":             {1.5, float},
		"small float":       {float32(1), float},
		"pointer to float":  {new(1.5), float},
		"list of floats":    {[]float64{1}, float},
		"list of pointers":  {[]*float64{new(1.0)}, float},
		"bytes":             {[]byte("a"), "is bytes: use a string, or a json.RawMessage"},
		"map":               {map[string]string{"a": "b"}, "a map[string]string has no wire format: use a struct with tags, or a json.RawMessage"},
		"list of anything":  {[]any{1}, "a interface {} has no wire format: use a struct with tags, or a json.RawMessage"},
		"list of lists":     {[][]string{{"a"}}, "a list of lists has no wire format"},
		"channel":           {make(chan int), "a chan int has no wire format: use a struct with tags, or a json.RawMessage"},
		"function":          {func() {}, "a func() has no wire format: use a struct with tags, or a json.RawMessage"},
		"array":             {[2]int{}, "a [2]int has no wire format: use a struct with tags, or a json.RawMessage"},
		"broken JSON":       {json.RawMessage("{"), "must be valid JSON"},
		"broken text":       {"a\xff", "not valid UTF-8"},
		"broken list":       {[]string{"a", "\xff"}, "[1]: not valid UTF-8"},
		"broken in structs": {[]paramStruct{{}, {Name: "\xff"}}, "[1].name: not valid UTF-8"},
		"id that is none":   {&RenewalQuoteRequest{OrderID: "fz1"}, "order_id: must be digits without a leading zero: the platform takes a number here"},
	} {
		var out Raw
		err := c.Call(context.Background(), "x.y", Params{"p": tc.value}, &out)
		diff(t, name, &fliggy.ValidationError{Method: "x.y", Problems: []fliggy.Problem{{Field: "p", Rule: tc.rule}}}, as[*fliggy.ValidationError](t, err))
	}
	for _, name := range protocolParams {
		var out Raw
		err := c.Call(context.Background(), "x.y", Params{name: "1"}, &out)
		diff(t, name, []fliggy.Problem{{Field: name, Rule: "is a parameter of the protocol: the client sends it"}}, as[*fliggy.ValidationError](t, err).Problems)
	}
	if g.count() != 0 {
		t.Errorf("%d requests were sent", g.count())
	}
}

// What the callers of untyped methods give is checked before anything is sent.
func TestGenericRefusals(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c, g := clientFor(t, replyJSON(okReply))
	var out Raw
	problem := func(field, rule string) []fliggy.Problem { return []fliggy.Problem{{Field: field, Rule: rule}} }
	const wrongOut = "must be a pointer to a struct, or a *rentcar.Raw"
	for name, tc := range map[string]struct {
		err  error
		want []fliggy.Problem
	}{
		"no method":         {c.Call(ctx, " ", nil, &out), problem("method", "is required: the API name")},
		"no out":            {c.Call(ctx, "x.y", nil, nil), problem("out", wrongOut)},
		"nil Raw":           {c.Call(ctx, "x.y", nil, (*Raw)(nil)), problem("out", wrongOut)},
		"a Raw":             {c.Call(ctx, "x.y", nil, out), problem("out", wrongOut)},
		"a struct":          {c.Call(ctx, "x.y", nil, vectorReply{}), problem("out", wrongOut)},
		"nil struct":        {c.Call(ctx, "x.y", nil, (*vectorReply)(nil)), problem("out", wrongOut)},
		"a map":             {c.Call(ctx, "x.y", nil, &map[string]any{}), problem("out", wrongOut)},
		"no wire format":    {c.Call(ctx, "x.y", nil, &struct{ M map[string]any }{}), problem("out", `.M: a map[string]interface {} has no wire format: use a struct with tags, or a json.RawMessage`)},
		"no name":           {c.Call(ctx, "x.y", Params{"": 1}, &out), problem("parameter", "must have a name, in valid UTF-8")},
		"broken name":       {c.Call(ctx, "x.y", Params{"\xff": 1}, &out), problem("parameter", "must have a name, in valid UTF-8")},
		"nil context":       {c.Call(nil, "x.y", nil, &out), problem("context", "must not be nil")}, //nolint:staticcheck // what is tested
		"nil Qimen request": {c.CallQimen(ctx, "x.y", nil, &out), problem("request", "must not be nil")},
		"no target":         {c.CallQimen(ctx, "x.y", &QimenRequest{}, &out), problem("target_app_key", "is required: the app key of the provider")},
		"blank target":      {c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: " "}, &out), problem("target_app_key", "is required: the app key of the provider")},
		"two bodies":        {c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: "1", JSON: 1, XML: []byte{}}, &out), problem("body", "is JSON or XML, not both")},
		"broken body":       {c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: "1", JSON: json.RawMessage("{")}, &out), problem("body", "must be valid JSON")},
		"float body":        {c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: "1", JSON: 1.5}, &out), problem("body", "is a float, which has no exact text: use Yuan, Decimal or text")},
		"Qimen parameter":   {c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: "1", Params: Params{"v": "3"}}, &out), problem("v", "is a parameter of the protocol: the client sends it")},
		"Qimen out":         {c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: "1"}, out), problem("out", wrongOut)},
	} {
		got := as[*fliggy.ValidationError](t, tc.err)
		if got == nil {
			continue
		}
		if name == "no wire format" && len(got.Problems) == 1 { // the name of the type is Go's
			got.Problems[0].Rule = got.Problems[0].Rule[strings.Index(got.Problems[0].Rule, ".M"):]
		}
		diff(t, name, tc.want, got.Problems)
	}
	if g.count() != 0 {
		t.Errorf("%d requests were sent", g.count())
	}
	// Everything that is wrong with the parameters comes at once, always in the same order.
	for range 10 {
		err := c.Call(ctx, "", Params{"b": 1.5, "sign": "x", "a": 1.5}, &out, CallTimeout(-1))
		var fields []string
		for _, p := range as[*fliggy.ValidationError](t, err).Problems {
			fields = append(fields, p.Field)
		}
		diff(t, "fields", []string{"timeout", "method", "a", "b", "sign"}, fields)
	}
}

// A call of a known method by hand is judged as what it is; of an unknown one as
// a write.
func TestGenericCallsAndWrites(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, reply(502, "text/html", ""))
	var out Raw
	for method, write := range map[string]bool{
		opOrderQuery.Method: false, opRenewalSubmit.Method: true, "alitrip.rentcar.btb.price.query": true,
	} {
		err := c.Call(context.Background(), method, nil, &out)
		if errors.Is(err, ErrOutcomeUnknown) != write {
			t.Errorf("%s: %v", method, err)
		}
	}
	if err := c.CallQimen(context.Background(), "x.y", &QimenRequest{TargetAppKey: "1"}, &out); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("Qimen: %v", err)
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
			if strings.Trim(value, "\t\n\v\f\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a\u2028\u2029\u205f\u3000") != "" {
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

// An orderQuery is a parameter as a caller writes it, with json tags.
type orderQuery struct {
	OrderID   string         `json:"order_id"`
	ChannelID string         `json:"channel_id"`
	Days      int            `json:"days"`
	WithPrice bool           `json:"with_price"`
	Place     orderPlace     `json:"place"`
	Services  []orderedExtra `json:"services"`
}

type orderPlace struct {
	City    string `json:"city"`
	Address string `json:"address"`
}

type orderedExtra struct {
	SID    string `json:"sid"`
	Amount string `json:"amount"`
	Num    int    `json:"num"`
}

func someOrderQuery() *orderQuery {
	return &orderQuery{
		OrderID: "3104050285204362836", ChannelID: "80001", Days: 3, WithPrice: true, Place: orderPlace{"杭州", "文化路100号"},
		Services: []orderedExtra{{"1", "16.02", 1}, {"2", "5.01", 2}},
	}
}

// newCaller is a client as a caller makes it, on the system's clock.
func newCaller(t testing.TB) *Client {
	t.Helper()
	c, err := NewClient(testAppKey, testSecret, WithHTTPClient(&http.Client{Transport: newSteady()}))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// callByHand is a call as it is written without this package: json.Marshal, url.Values,
// a signature, net/http.
func callByHand(ctx context.Context, hc *http.Client, req *orderQuery, reply any) error {
	text, err := json.Marshal(req)
	if err != nil {
		return err
	}
	query := url.Values{
		"app_key": {testAppKey}, "format": {"json"}, "method": {"a.b"}, "sign_method": {"hmac-sha256"}, "simplify": {"true"},
		"timestamp": {time.Now().In(fliggy.Zone()).Format(time.DateTime)}, "v": {"2.0"},
	}
	names := slices.Sorted(maps.Keys(query))
	names = append(names, "req")
	slices.Sort(names)
	mac := hmac.New(sha256.New, []byte(testSecret))
	for _, name := range names {
		value := query.Get(name)
		if name == "req" {
			value = string(text)
		}
		mac.Write([]byte(name + value))
	}
	query.Set("sign", strings.ToUpper(hex.EncodeToString(mac.Sum(nil))))
	body := url.Values{"req": {string(text)}}.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "https://gw.api.taobao.com/top/router/rest?"+query.Encode(), strings.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", formType)
	resp, err := hc.Do(r)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(resp.Body)
	err = errors.Join(err, resp.Body.Close())
	if err != nil {
		return err
	}
	return json.Unmarshal(data, reply)
}

type callReply struct {
	Successful bool   `json:"successful"`
	RequestID  string `json:"request_id"`
}

// A call allocates no more than the same call by hand. AllocsPerRun forbids t.Parallel.
func TestCallAllocations(t *testing.T) {
	ctx, req := t.Context(), someOrderQuery()
	c, hc := newCaller(t), &http.Client{Transport: newSteady(), Timeout: 30 * time.Second}
	count := func(call func(*callReply) error) float64 {
		return testing.AllocsPerRun(200, func() {
			var reply callReply
			if err := call(&reply); err != nil || !reply.Successful {
				t.Fatal(reply, err)
			}
		})
	}
	ours := count(func(reply *callReply) error { return c.Call(ctx, "a.b", Params{"req": req}, reply) })
	byHand := count(func(reply *callReply) error { return callByHand(ctx, hc, req, reply) })
	if ours > byHand {
		t.Errorf("%v allocations, %v by hand", ours, byHand)
	}
}

// BenchmarkCall compares Call, whose parameter is a struct with json tags, with the same
// call by hand.
func BenchmarkCall(b *testing.B) {
	ctx, req := context.Background(), someOrderQuery()
	c := newCaller(b)
	b.Run("Call", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			var reply callReply
			if err := c.Call(ctx, "a.b", Params{"req": req}, &reply); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("by hand", func(b *testing.B) {
		b.ReportAllocs()
		hc := &http.Client{Transport: newSteady(), Timeout: 30 * time.Second}
		for b.Loop() {
			var reply callReply
			if err := callByHand(ctx, hc, req, &reply); err != nil {
				b.Fatal(err)
			}
		}
	})
}
