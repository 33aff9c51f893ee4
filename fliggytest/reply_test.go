package fliggytest

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

func TestForms(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		format, simplify string
		argument         string
		contentType      string
		starts, ends     string
		holds            string
	}{
		"simplified": {"json", "true", queryArgument, jsonType,
			`{"request_id":"`, `}`, `"service_type":["1","2","3"]`},
		"simplified as PHP asks": {"json", "1", queryArgument, jsonType, `{"request_id":"`, `}`, `"name":"纵横租车"`},
		"wrapped": {"json", "", queryArgument, jsonType,
			`{"alitrip_rentcar_btb_order_query_response":{"request_id":"`, `}}`, `"service_type":{"string":["1","2","3"]}`},
		"XML": {"xml", "true", queryArgument, xmlType,
			`<?xml version="1.0" encoding="UTF-8" ?>` + `<alitrip_rentcar_btb_order_query_response><request_id>`, `</alitrip_rentcar_btb_order_query_response>`,
			`<service_type><string>1</string><string>2</string><string>3</string></service_type>`},
		"XML without asking": {"", "", queryArgument, xmlType, `<?xml version="1.0" encoding="UTF-8" ?>` + `<alitrip_`, `_response>`, `<name>纵横租车</name>`},
		"refused, simplified": {"json", "true", `{"order_id":"1","channel_id":"1"}`, jsonType,
			`{"successful":false,"ret_code":"71001","ret_msg":"订单不存在","request_id":"`, `"}`, ``},
		"refused, wrapped": {"json", "", `{"order_id":"1","channel_id":"1"}`, jsonType,
			`{"alitrip_rentcar_btb_order_query_response":{"successful":false,`, `"}}`, `"request_id":"`},
		"refused, XML": {"xml", "", `{"order_id":"1","channel_id":"1"}`, xmlType,
			`<?xml version="1.0" encoding="UTF-8" ?>` + `<alitrip_rentcar_btb_order_query_response><successful>false</successful>`,
			`</request_id></alitrip_rentcar_btb_order_query_response>`, `<request_id>`},
		"failed, JSON": {"json", "", `[]`, jsonType, `{"error_response":{"code":41,"msg":"Invalid`, `"}}`, `"request_id":"`},
		"failed, XML": {"xml", "", `[]`, xmlType,
			`<?xml version="1.0" encoding="UTF-8" ?>` + `<error_response><code>41</code><msg>Invalid`, `</request_id></error_response>`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t)
			query := protocol(g)
			query["format"], query["simplify"] = c.format, c.simplify
			resp, body := post(t, g, http.MethodPost, query, map[string]string{"rent_car_b2b_query_order_req": c.argument})
			if got := resp.Header.Get("Content-Type"); got != c.contentType || resp.StatusCode != http.StatusOK {
				t.Errorf("status %d, content type %q, want %q", resp.StatusCode, got, c.contentType)
			}
			if !strings.HasPrefix(body, c.starts) || !strings.HasSuffix(body, c.ends) || !strings.Contains(body, c.holds) {
				t.Errorf("got  %s\nwant %s...%s...%s", body, c.starts, c.holds, c.ends)
			}
			if got := lastRequest(t, g).Answer; string(got.Body) != body || got.HTTPStatus != http.StatusOK {
				t.Errorf("recorded %d %s", got.HTTPStatus, got.Body)
			}
		})
	}
}

// TestZerosAreWritten: a number or flag of which 0 or false says something is there, in
// every format; one that says nothing then (scattered minutes) is not.
func TestZerosAreWritten(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, format := range allFormats {
		g := start(t)
		c := connect(t, g, rentcar.WithFormat(format))
		g.AddOrder(Order{OrderID: "1", Details: rentcar.OrderQueryResult{Info: rentcar.OrderInfo{
			AddedServices: []rentcar.OrderAddedService{{ServiceName: "x"}},
		}}})
		_, err := c.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: "1"})
		noError(t, err)
		order := string(lastRequest(t, g).Answer.Body)
		_, err = c.Renewals.Quote(ctx, quoteRequest())
		noError(t, err)
		quote := string(lastRequest(t, g).Answer.Body)
		for text, names := range map[string]string{
			order: "order_status is_one_way_fee is_fixed sort_key set_negative enable_deposit car_deposit_expire_time legal_deposit_expire_time",
			quote: "num time start_time is_one_way_fee manual_check_time",
		} {
			for name := range strings.FieldsSeq(names) {
				zero := fmt.Sprintf(`"%s":0`, name)
				if name == "set_negative" || name == "enable_deposit" {
					zero = fmt.Sprintf(`"%s":false`, name)
				}
				if format == rentcar.XML {
					zero = strings.NewReplacer(`"`+name+`":`, "<"+name+">").Replace(zero) + "</" + name + ">"
				}
				if !strings.Contains(text, zero) {
					t.Errorf("%v: no %s in %s", format, zero, text)
				}
			}
		}
		if n := strings.Count(quote, "scattered_minutes"); n != 1 && n != 2 { // of the last day only; in XML with its end
			t.Errorf("%v: %s", format, quote)
		}
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	g := start(t)
	client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
	defer client.CloseIdleConnections()
	for _, accept := range []string{"", "gzip", "deflate, gzip;q=0.5"} {
		req, err := http.NewRequest(http.MethodPost, g.URL(), nil)
		noError(t, err)
		req.Header.Set("Accept-Encoding", accept)
		resp, err := client.Do(req)
		noError(t, err)
		in := io.Reader(resp.Body)
		if got, want := resp.Header.Get("Content-Encoding") == "gzip", accept != ""; got != want {
			t.Errorf("%q: compressed %v, want %v", accept, got, want)
		} else if got {
			in, err = gzip.NewReader(resp.Body)
			noError(t, err)
		}
		body, err := io.ReadAll(in)
		noError(t, err)
		noError(t, resp.Body.Close())
		if !strings.Contains(string(body), "Missing method") {
			t.Errorf("%q: %s", accept, body)
		}
	}
}

type priceReply struct {
	Successful bool        `top:"successful,required"`
	Stores     []string    `top:"store_list"`
	Price      fliggy.Yuan `top:"price"`
	RequestID  string      `top:"request_id"`
}

func TestHandle(t *testing.T) {
	t.Parallel()
	const method = "alitrip.rentcar.btb.price.query"
	type priceRequest struct {
		City string `json:"city_id"`
	}
	ctx := context.Background()
	for _, format := range allFormats {
		g := start(t)
		c := connect(t, g, rentcar.WithFormat(format))
		call := func() (out priceReply, err error) {
			err = c.Call(ctx, method, rentcar.Params{"req": priceRequest{"460200"}}, &out)
			return out, err
		}
		var failed *rentcar.GatewayError
		if _, err := call(); !errors.As(err, &failed) || failed.Code != "22" {
			t.Errorf("%v: without a handler: %v", format, err)
		}
		type reply struct {
			Successful bool        `top:"successful"`
			Stores     []string    `top:"store_list"`
			Price      fliggy.Yuan `top:"price"`
		}
		var got priceRequest
		g.Handle(method, func(_ context.Context, r *Request) (any, error) {
			return reply{true, []string{"三亚", "<&>"}, fliggy.MustYuan("10.00")}, r.Decode(&got)
		})
		out, err := call()
		if err != nil || got.City != "460200" || !out.Successful || len(out.Stores) != 2 || out.Stores[1] != "<&>" ||
			out.Price.String() != "10.00" || out.RequestID != lastRequest(t, g).ID {
			t.Errorf("%v: asked %+v, got %+v, %v", format, got, out, err)
		}
		for name, c := range map[string]struct {
			result any
			err    error
			code   string
		}{
			"refusal":       {nil, &rentcar.BusinessError{Code: "B1", Message: "没有"}, "B1"},
			"gateway error": {nil, &rentcar.GatewayError{Code: "11", Msg: "Insufficient isv permissions"}, "11"},
			"any error":     {nil, errors.New("out of order"), "15"},
			"no struct":     {7, nil, "15"},
			"no form":       {struct{ C chan int }{}, nil, "15"},
			"not UTF-8":     {nil, &rentcar.BusinessError{Code: "\xff"}, "15"},
		} {
			g.Handle(method, func(context.Context, *Request) (any, error) { return c.result, c.err })
			_, err := call()
			if lastRequest(t, g).Answer.Code != c.code {
				t.Errorf("%v: %s: answered %v, the client has %v", format, name, lastRequest(t, g), err)
			}
			if failed := (*rentcar.GatewayError)(nil); errors.As(err, &failed) && failed.Code != c.code {
				t.Errorf("%v: %s: %v", format, name, err)
			}
		}
		g.Handle(method, func(context.Context, *Request) (any, error) { panic("in the handler") })
		if _, err := call(); !errors.As(err, &failed) || failed.SubCode != "isp.unknown-error" || !strings.Contains(failed.SubMsg, "in the handler") {
			t.Errorf("%v: panic: %v", format, err)
		}
		g.Handle(method, func(context.Context, *Request) (any, error) { return rentcar.Raw("as it is"), nil })
		var sent rentcar.RawReply
		_ = c.Call(ctx, method, nil, &priceReply{}, rentcar.CallRawReply(&sent)) // nothing that a client understands
		if string(sent.Body) != "as it is" {
			t.Errorf("%v: raw reply %s", format, sent.Body)
		}
		g.Handle(method, func(context.Context, *Request) (any, error) { return nil, nil })
		var idOnly struct {
			RequestID string `top:"request_id"`
		}
		if err := c.Call(ctx, method, nil, &idOnly); err != nil || idOnly.RequestID != lastRequest(t, g).ID {
			t.Errorf("%v: a reply without members: %q, %v", format, idOnly.RequestID, err)
		}
		g.Handle(method, nil)
		if _, err := call(); !errors.As(err, &failed) || failed.Code != "22" {
			t.Errorf("%v: handler taken away: %v", format, err)
		}
	}
}

func TestHandleReplacesAnAPI(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.Handle(methodQuery, func(_ context.Context, r *Request) (any, error) {
		var req rentcar.OrderQueryRequest
		if err := r.Decode(&req); err != nil {
			return nil, err
		}
		return &rentcar.OrderQueryResult{
			Status: rentcar.Status{Successful: true, RetMsg: string(req.OrderID)}, Meta: rentcar.Meta{RequestID: "another"},
		}, nil
	})
	res, err := connect(t, g).Orders.Query(context.Background(), &rentcar.OrderQueryRequest{OrderID: "77"})
	noError(t, err)
	if res.RetMsg != "77" || res.RequestID != lastRequest(t, g).ID {
		t.Errorf("got %+v", res)
	}
}

func TestHandlerTakenAwayMeanwhile(t *testing.T) {
	t.Parallel()
	const method = "alitrip.rentcar.btb.other"
	g := start(t)
	g.Handle(method, func(context.Context, *Request) (any, error) { return nil, nil })
	g.Fail(Delayed(0).When(func(Request) bool { g.Handle(method, nil); return true }))
	var failed *rentcar.GatewayError
	err := connect(t, g).Call(context.Background(), method, nil, new(rentcar.Raw))
	if !errors.As(err, &failed) || failed.Code != "22" {
		t.Errorf("got %v", err)
	}
}

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
	for name, err := range map[string]error{"several": r.Decode(&out), "nil": r.Decode(nil), "no pointer": r.Decode(out), "no struct": r.Decode(&r.Time)} {
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

func TestQimen(t *testing.T) {
	t.Parallel()
	const method = "qimen.alitrip.rentcar.renewalprices.query"
	type message struct {
		OrderID fliggy.ID `top:"orderId"`
		Success bool      `top:"success,keep"`
	}
	ctx := context.Background()
	for _, format := range []rentcar.Format{rentcar.SimplifiedJSON, rentcar.XML} {
		g := start(t)
		c := connect(t, g, rentcar.WithFormat(format))
		requests := map[string]*rentcar.QimenRequest{
			"JSON": {TargetAppKey: "1", JSON: message{OrderID: "7"}, Params: rentcar.Params{"beside": "it"}},
			"form": {TargetAppKey: "1", Params: rentcar.Params{"req": message{OrderID: "7"}}},
		}
		for name, req := range requests {
			g.Handle(method, nil)
			var out message
			var failed *rentcar.GatewayError
			if err := c.CallQimen(ctx, method, req, &out); !errors.As(err, &failed) || failed.Code != "22" || failed.Msg != "Invalid method" ||
				failed.RequestID != lastRequest(t, g).ID {
				t.Errorf("%v %s: without a handler: %v", format, name, err)
			}
			g.Handle(method, func(_ context.Context, r *Request) (any, error) {
				var in message
				err := r.Decode(&in)
				in.Success = r.Qimen && r.Signature == SignatureValid
				return &in, err
			})
			if err := c.CallQimen(ctx, method, req, &out); err != nil || out.OrderID != "7" || !out.Success {
				t.Errorf("%v %s: %+v, %v", format, name, out, err)
			}
			g.Handle(method, func(context.Context, *Request) (any, error) {
				return nil, &rentcar.BusinessError{Code: "9", Message: "无价格"}
			})
			var refused struct {
				Success bool   `top:"success,required"`
				Code    string `top:"retCode"`
				Message string `top:"retMessage"`
			}
			if err := c.CallQimen(ctx, method, req, &refused); err != nil || refused.Success || refused.Code != "9" || refused.Message != "无价格" {
				t.Errorf("%v %s: %+v, %v", format, name, refused, err)
			}
		}
		g.Fail(ServiceFault("isp.http-read-timeout", "超时"))
		var failed *rentcar.GatewayError
		err := c.CallQimen(ctx, method, requests["JSON"], &message{})
		if !errors.As(err, &failed) || failed.SubCode != "isp.http-read-timeout" || failed.SubMsg != "超时" || rentcar.OutcomeOf(err) != rentcar.OutcomeUnknown {
			t.Errorf("%v: %v", format, err)
		}
		// An API of TOP is not served here, and a call needs its target.
		if err := c.CallQimen(ctx, methodQuery, requests["form"], &message{}); !errors.As(err, &failed) || failed.Code != "22" {
			t.Errorf("%v: %v", format, err)
		}
	}
	g := start(t)
	g.Handle(method, func(context.Context, *Request) (any, error) { return rentcar.Raw("{}"), nil })
	sandbox := connect(t, g, rentcar.WithQimenURL(g.origin+"/top/router/qmtest"))
	g.Fail(WithoutFlag())
	var sent rentcar.Raw
	if err := sandbox.CallQimen(ctx, method, &rentcar.QimenRequest{TargetAppKey: "1"}, &sent); err != nil || string(sent) != "{}" {
		t.Errorf("sandbox: %s, %v", sent, err)
	}
	query := protocol(g)
	query["method"] = method
	query["sign"], _ = sign("md5", g.AppSecret(), query, []byte("{}"))
	_, body := raw(t, http.MethodPost, g.QimenURL()+"?"+encode(query), "application/json;charset=utf-8", "{}")
	if !strings.HasPrefix(body, `{"response":{"flag":"failure","code":40,"message":"Missing required arguments:target_app_key","request_id":"`) {
		t.Errorf("no target: %s", body)
	}
	_, body = raw(t, http.MethodPost, g.QimenURL()+"?"+encode(query), "application/json;charset=utf-8", "{ }")
	if !strings.Contains(body, `"code":25,"message":"Invalid signature"`) {
		t.Errorf("another body than signed: %s", body)
	}
}
