package fliggytest

import (
	"context"
	"maps"
	"net/http"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar"
)

func TestDecode(t *testing.T) {
	t.Parallel()
	g := start(t)
	c := connect(t, g)
	g.Handle("x", func(context.Context, *Request) (any, error) { return nil, nil })
	var raw rentcar.Raw
	noError(t, c.Call(context.Background(), "x", rentcar.Params{"a": "1", "b": "2"}, &raw))
	r := lastRequest(t, g)
	var out struct {
		A string `top:"a"`
	}
	for name, err := range map[string]error{
		"several": r.Decode(&out), "nil": r.Decode(nil), "no pointer": r.Decode(out), "no struct": r.Decode(&r.Time),
	} {
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if r.Params["a"] != "1" || r.Params["b"] != "2" || string(r.Body) != "a=1&b=2" {
		t.Errorf("got %v %s", r.Params, r.Body)
	}
	noError(t, c.Call(context.Background(), "x", rentcar.Params{"a": "no JSON"}, &raw))
	bad := struct{ C chan int }{}
	if r := lastRequest(t, g); r.Decode(&out) == nil || r.Decode(&bad) == nil {
		t.Error("no error")
	}
}

// TestBrokenParts is about multipart bodies that are none.
func TestBrokenParts(t *testing.T) {
	t.Parallel()
	g := start(t)
	const head = "--b\r\nContent-Disposition: form-data; name=\"method\"\r\n\r\n"
	for name, body := range map[string]string{
		"no end": head + "x", "no disposition": "--b\r\n\r\nx\r\n--b--\r\n",
		"not UTF-8": head + "\xff\r\n--b--\r\n",
	} {
		_, got := raw(t, http.MethodPost, g.URL(), "multipart/form-data; boundary=b", body)
		if !strings.Contains(got, "<code>47</code>") {
			t.Errorf("%s: %s", name, got)
		}
	}
	_, got := raw(t, http.MethodPost, g.URL(), "multipart/form-data; boundary=b", "method=x")
	if !strings.Contains(got, "<code>21</code>") {
		t.Errorf("no part: %s", got)
	}
}

func TestPlacesOfParameters(t *testing.T) {
	t.Parallel()
	g := start(t)
	all := protocol(g)
	all["rent_car_b2b_query_order_req"] = queryArgument
	for name, c := range map[string]struct{ query, form map[string]string }{
		"all in the query": {all, nil},
		"all in the form":  {map[string]string{}, all},
	} {
		form := maps.Clone(c.form)
		if form != nil {
			form["sign"], _ = sign("md5", g.AppSecret(), all, nil)
		}
		if _, body := post(t, g, http.MethodPost, c.query, form); !strings.Contains(body, `"successful":true`) {
			t.Errorf("%s: %s", name, body)
		}
	}
	// GET was refused here once; the platform takes it, but for files.
	if _, body := post(t, g, http.MethodGet, all, nil); !strings.Contains(body, `"successful":true`) {
		t.Errorf("GET: %s", body)
	}
	if _, body := post(t, g, http.MethodPut, all, nil); !strings.Contains(
		body, `"code":9,"msg":"Http Action Not Allowed"`,
	) {
		t.Errorf("PUT: %s", body)
	}
	for name, address := range map[string]string{"query": g.URL() + "?a=%zz", "not UTF-8": g.URL() + "?a=%ff"} {
		if _, body := raw(
			t, http.MethodPost, address, "application/x-www-form-urlencoded", "",
		); !strings.Contains(body, `<code>47</code>`) {
			t.Errorf("%s: %s", name, body)
		}
	}
	if _, body := raw(
		t, http.MethodPost, g.URL(), "application/x-www-form-urlencoded", "a=%zz",
	); !strings.Contains(body, `<code>47</code>`) {
		t.Errorf("form: %s", body)
	}
	if _, body := raw(
		t, http.MethodPost, g.URL(), "text/plain", strings.Repeat("x", maxBody+1),
	); !strings.Contains(body, `<code>43</code>`) {
		t.Errorf("a huge body: %s", body)
	}
	if resp, _ := raw(t, http.MethodPost, g.origin+"/other", "text/plain", ""); resp.StatusCode != http.StatusNotFound {
		t.Errorf("another path: %d", resp.StatusCode)
	}
}
