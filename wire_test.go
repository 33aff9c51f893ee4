package rentcar

import (
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A wireVector is a call and the request that the official SDK made of it.
type wireVector struct {
	Name  string `json:"name"`
	Input struct {
		Client       string            `json:"client"`
		AppKey       string            `json:"app_key"`
		AppSecret    string            `json:"app_secret"`
		API          string            `json:"api"`
		UnixMilli    int64             `json:"unix_ms"`
		SignMethod   string            `json:"sign_method"`
		Format       string            `json:"format"`
		Simplify     bool              `json:"simplify"`
		Session      string            `json:"session"`
		TargetAppKey string            `json:"target_app_key"`
		ContentType  string            `json:"content_type"`
		PartnerID    string            `json:"partner_id"`
		Params       map[string]string `json:"params"`
		Body         *string           `json:"body"`
	} `json:"input"`
	Request struct {
		Method  string            `json:"http_method"`
		Path    string            `json:"path"`
		Query   map[string]string `json:"query_params"`
		Headers map[string]string `json:"headers"`
		Form    map[string]string `json:"form_params"`
		Body    string            `json:"body"`
	} `json:"request"`
}

// options are those of a client that makes the call.
func (v *wireVector) options() []Option {
	in := &v.Input
	opts := []Option{
		WithClock(func() time.Time { return time.UnixMilli(in.UnixMilli).UTC() }),
		WithSignMethod(SignMethod(in.SignMethod)),
		WithPartnerID(in.PartnerID),
		WithBaseURL("http://gateway.test/top/router/rest"),
		WithQimenURL("http://qimen.test/top/router/qm"),
	}
	switch {
	case in.Format == "xml":
		opts = append(opts, WithFormat(XML))
	case !in.Simplify:
		opts = append(opts, WithFormat(WrappedJSON))
	}
	if in.Session != "" {
		opts = append(opts, WithSession(in.Session))
	}
	return opts
}

func (v *wireVector) call(t *testing.T, rt http.RoundTripper) {
	t.Helper()
	in := &v.Input
	c, err := NewClient(in.AppKey, in.AppSecret, append(v.options(), WithHTTPClient(&http.Client{Transport: rt}))...)
	if err != nil {
		t.Fatal(err)
	}
	params := Params{}
	for name, value := range in.Params {
		params[name] = value
	}
	var out Raw
	switch in.Client {
	case "top":
		err = c.Call(context.Background(), in.API, params, &out)
	case "qimencloud":
		req := &QimenRequest{TargetAppKey: in.TargetAppKey, Params: params}
		if in.ContentType == "json" {
			req.JSON = json.RawMessage(*in.Body)
		}
		err = c.CallQimen(context.Background(), in.API, req, &out)
	default:
		t.Fatalf("client %q", in.Client)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func TestWireVectors(t *testing.T) {
	t.Parallel()
	var file struct {
		Vectors []wireVector `json:"vectors"`
	}
	readJSON(t, &file, "testdata", "vectors", "wire.json")
	if len(file.Vectors) != 8 {
		t.Errorf("%d vectors, want 8", len(file.Vectors))
	}
	for _, v := range file.Vectors {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			respond := replyJSON(`{"ok":true}`)
			if v.Input.Format == "xml" {
				respond = reply(http.StatusOK, xmlType, `<ok_response><ok>true</ok></ok_response>`)
			}
			g := newGateway(respond)
			v.call(t, g)
			got := g.last(t)
			diff(t, "HTTP method", v.Request.Method, got.method)
			diff(t, "path", v.Request.Path, got.url.Path)
			diff(t, "query", v.Request.Query, got.query(t))
			diff(t, "content type", v.Request.Headers["content-type"], got.header.Get("Content-Type"))
			if v.Request.Form == nil {
				diff(t, "body", v.Request.Body, got.body)
				return
			}
			diff(t, "form", v.Request.Form, got.form(t))
			if len(v.Request.Form) == 1 {
				diff(t, "encoded form", v.Request.Body, got.body)
			}
		})
	}
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
			QimenRequest{JSON: cancel{"t-1", fliggy.MustYuan("1.0")}}, "application/json;charset=utf-8", `{"traceId":"t-1","fee":"1.0"}`,
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

func TestBaseURLWithQuery(t *testing.T) {
	t.Parallel()
	for base, want := range map[string]string{
		"http://gateway.test":            "http://gateway.test?",
		"http://gateway.test/rest":       "http://gateway.test/rest?",
		"http://gateway.test/rest?":      "http://gateway.test/rest?",
		"http://gateway.test/rest?a=1":   "http://gateway.test/rest?a=1&",
		"http://gateway.test/rest?a=1&":  "http://gateway.test/rest?a=1&",
		"HTTPS://gateway.test:8443/rest": "https://gateway.test:8443/rest?",
	} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			c, g := clientFor(t, replyJSON(`{"successful":true}`), WithBaseURL(base))
			if _, err := queryOrder(context.Background(), c); err != nil {
				t.Fatal(err)
			}
			got := g.last(t)
			if u := got.url.String(); !strings.HasPrefix(u, want) {
				t.Errorf("sent to %s, want %s...", u, want)
			}
			if got.query(t)["method"] != opOrderQuery.Method {
				t.Errorf("the query lacks the parameters: %s", got.url.RawQuery)
			}
		})
	}
}
