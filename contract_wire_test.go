package rentcar

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"
	"time"
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
