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
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
)

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
		"no method":  {c.Call(ctx, " ", nil, &out), problem("method", "is required: the API name")},
		"no out":     {c.Call(ctx, "x.y", nil, nil), problem("out", wrongOut)},
		"nil Raw":    {c.Call(ctx, "x.y", nil, (*Raw)(nil)), problem("out", wrongOut)},
		"a Raw":      {c.Call(ctx, "x.y", nil, out), problem("out", wrongOut)},
		"a struct":   {c.Call(ctx, "x.y", nil, vectorReply{}), problem("out", wrongOut)},
		"nil struct": {c.Call(ctx, "x.y", nil, (*vectorReply)(nil)), problem("out", wrongOut)},
		"a map":      {c.Call(ctx, "x.y", nil, &map[string]any{}), problem("out", wrongOut)},
		"no wire format": {
			c.Call(ctx, "x.y", nil, &struct{ M map[string]any }{}),
			problem("out", `.M: a map[string]interface {} has no wire format: use a struct with tags, or a json.RawMessage`),
		},
		"no name": {
			c.Call(ctx, "x.y", Params{"": 1}, &out), problem("parameter", "must have a name, in valid UTF-8"),
		},
		"broken name": {
			c.Call(ctx, "x.y", Params{"\xff": 1}, &out), problem("parameter", "must have a name, in valid UTF-8"),
		},
		//nolint:staticcheck // what is tested
		"nil context":       {c.Call(nil, "x.y", nil, &out), problem("context", "must not be nil")},
		"nil Qimen request": {c.CallQimen(ctx, "x.y", nil, &out), problem("request", "must not be nil")},
		"no target": {
			c.CallQimen(ctx, "x.y", &QimenRequest{}, &out),
			problem("target_app_key", "is required: the app key of the provider"),
		},
		"blank target": {
			c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: " "}, &out),
			problem("target_app_key", "is required: the app key of the provider"),
		},
		"two bodies": {
			c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: "1", JSON: 1, XML: []byte{}}, &out),
			problem("body", "is JSON or XML, not both"),
		},
		"broken body": {
			c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: "1", JSON: json.RawMessage("{")}, &out),
			problem("body", "must be valid JSON"),
		},
		"float body": {
			c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: "1", JSON: 1.5}, &out),
			problem("body", "is a float, which has no exact text: use Yuan, Decimal or text"),
		},
		"Qimen parameter": {
			c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: "1", Params: Params{"v": "3"}}, &out),
			problem("v", "is a parameter of the protocol: the client sends it"),
		},
		"Qimen out": {c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: "1"}, out), problem("out", wrongOut)},
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
	if err := c.CallQimen(
		context.Background(), "x.y", &QimenRequest{TargetAppKey: "1"}, &out,
	); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("Qimen: %v", err)
	}
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
	r, err := http.NewRequestWithContext(
		ctx, http.MethodPost, "https://gw.api.taobao.com/top/router/rest?"+query.Encode(), strings.NewReader(body),
	)
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

// A call allocates at most a tenth more than the same call by hand, which differs by the version of encoding/json.
// AllocsPerRun forbids t.Parallel.
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
	if ours > byHand*1.1 {
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

// What the vectors do not show of a Qimen call: an XML body, parameters beside a
// raw body, a struct as body.
func TestQimenBodies(t *testing.T) {
	t.Parallel()
	const method = "qimen.alitrip.rentcar.renewalorder.cancel"
	type cancel struct {
		TraceID string      `top:"traceId"`
		Fee     fliggy.Yuan `json:"fee,omitempty"`
	}
	for name, tc := range map[string]struct {
		req               QimenRequest
		contentType, body string
	}{
		"XML": {
			QimenRequest{XML: []byte("<request><a>中</a></request>")}, "text/xml;charset=utf-8", "<request><a>中</a></request>",
		},
		"struct": {
			QimenRequest{JSON: cancel{"t-1", fliggy.MustYuan("1.0")}}, "application/json;charset=utf-8",
			`{"traceId":"t-1","fee":"1.0"}`,
		},
		"pointer to a struct": {
			QimenRequest{JSON: &cancel{TraceID: "t-1"}}, "application/json;charset=utf-8", `{"traceId":"t-1"}`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := clientFor(t, replyJSON(`{"success":true}`))
			tc.req.TargetAppKey, tc.req.Params = "87654321", Params{"customerId": "c 1"}
			var out Raw
			if err := c.CallQimen(context.Background(), method, &tc.req, &out, CallParam("more", "1")); err != nil {
				t.Fatal(err)
			}
			got := g.last(t)
			diff(t, "URL", "https://qimen.api.taobao.com/top/router/qm", "https://"+got.url.Host+got.url.Path)
			diff(t, "content type", tc.contentType, got.header.Get("Content-Type"))
			diff(t, "body", tc.body, got.body)
			query := got.query(t)
			diff(t, "business parameters in the query", [2]string{"c 1", "1"}, [2]string{query["customerId"], query["more"]})
			if _, ok := query["simplify"]; ok || query["format"] != "json" {
				t.Errorf("a provider's own JSON is not simplified: %v", query)
			}
			want, err := Sign(HMACSHA256, testSecret, query, []byte(tc.body))
			if err != nil {
				t.Fatal(err)
			}
			diff(t, "sign, which covers the body", want, query["sign"])
			if string(out) != `{"success":true}` {
				t.Errorf("raw reply %q", out)
			}
		})
	}
}

// A call without business parameters is a form of the version alone. It was an empty
// one, which HTTP/2 sends again of its own accord after a reset.
func TestCallWithoutParameters(t *testing.T) {
	t.Parallel()
	c, g := clientFor(t, replyJSON(`{"time":"2023-02-03 14:00:00"}`))
	var out struct {
		Time fliggy.Time `top:"time"`
	}
	if err := c.Call(context.Background(), "taobao.time.get", nil, &out); err != nil {
		t.Fatal(err)
	}
	got := g.last(t)
	diff(t, "form", [2]string{formType, "v=2.0"}, [2]string{got.header.Get("Content-Type"), got.body})
	all := got.query(t)
	if all["v"] != "" {
		t.Error("the version is sent twice")
	}
	all["v"] = "2.0"
	if sign, err := Sign(HMACSHA256, testSecret, all, nil); err != nil || sign != all["sign"] {
		t.Errorf("sign %s, want %s, %v", all["sign"], sign, err)
	}
	diff(t, "time", "2023-02-03 14:00:00", out.Time.String())
}
