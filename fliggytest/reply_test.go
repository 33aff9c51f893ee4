package fliggytest

import (
	"context"
	"errors"
	"fmt"
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
			`<?xml version="1.0" encoding="UTF-8" ?>` + `<alitrip_rentcar_btb_order_query_response><request_id>`,
			`</alitrip_rentcar_btb_order_query_response>`,
			`<service_type><string>1</string><string>2</string><string>3</string></service_type>`},
		"XML without asking": {
			"", "", queryArgument, xmlType, `<?xml version="1.0" encoding="UTF-8" ?>` + `<alitrip_`, `_response>`,
			`<name>纵横租车</name>`,
		},
		"refused, simplified": {"json", "true", `{"order_id":"1","channel_id":"1"}`, jsonType,
			`{"successful":false,"ret_code":"71001","ret_msg":"订单不存在","request_id":"`, `"}`, ``},
		"refused, wrapped": {"json", "", `{"order_id":"1","channel_id":"1"}`, jsonType,
			`{"alitrip_rentcar_btb_order_query_response":{"successful":false,`, `"}}`, `"request_id":"`},
		"refused, XML": {"xml", "", `{"order_id":"1","channel_id":"1"}`, xmlType,
			`<?xml version="1.0" encoding="UTF-8" ?>` +
				`<alitrip_rentcar_btb_order_query_response><successful>false</successful>`,
			`</request_id></alitrip_rentcar_btb_order_query_response>`, `<request_id>`},
		"failed, JSON": {"json", "", `[]`, jsonType, `{"error_response":{"code":41,"msg":"Invalid`, `"}}`, `"request_id":"`},
		"failed, XML": {"xml", "", `[]`, xmlType,
			`<?xml version="1.0" encoding="UTF-8" ?>` + `<error_response><code>41</code><msg>Invalid`,
			`</request_id></error_response>`, ``},
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
			AddedServices: []rentcar.OrderAddedService{{ServiceName: "x", FlatPrice: fliggy.No, Mandatory: fliggy.No}},
		}}})
		_, err := c.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: "1"})
		noError(t, err)
		order := string(lastRequest(t, g).Answer.Body)
		_, err = c.Renewals.Quote(ctx, quoteRequest())
		noError(t, err)
		quote := string(lastRequest(t, g).Answer.Body)
		for text, names := range map[string]string{
			order: "order_status is_one_way_fee is_fixed sort_key set_negative enable_deposit car_deposit_expire_time " +
				"legal_deposit_expire_time",
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

type priceReply struct {
	Successful bool        `top:"successful,required"`
	Stores     []string    `top:"store_list"`
	Price      fliggy.Yuan `top:"price"`
	RequestID  string      `top:"request_id"`
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
			if err := c.CallQimen(
				ctx, method, req, &out,
			); !errors.As(err, &failed) || failed.Code != "22" || failed.Msg != "Invalid method" ||
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
			if err := c.CallQimen(
				ctx, method, req, &refused,
			); err != nil || refused.Success || refused.Code != "9" || refused.Message != "无价格" {
				t.Errorf("%v %s: %+v, %v", format, name, refused, err)
			}
		}
		g.Fail(Failed(serviceError("isp.http-read-timeout", "超时")))
		var failed *rentcar.GatewayError
		err := c.CallQimen(ctx, method, requests["JSON"], &message{})
		if !errors.As(err, &failed) || failed.SubCode != "isp.http-read-timeout" || failed.SubMsg != "超时" ||
			rentcar.OutcomeOf(err) != rentcar.OutcomeUnknown {
			t.Errorf("%v: %v", format, err)
		}
		// An API of TOP is not served here, and a call needs its target.
		if err := c.CallQimen(
			ctx, methodQuery, requests["form"], &message{},
		); !errors.As(err, &failed) || failed.Code != "22" {
			t.Errorf("%v: %v", format, err)
		}
	}
	g := start(t)
	g.Handle(method, func(context.Context, *Request) (any, error) { return rentcar.Raw("{}"), nil })
	sandbox := connect(t, g, rentcar.WithQimenURL(g.origin+"/top/router/qmtest"))
	g.Fail(NoFlag())
	var sent rentcar.Raw
	if err := sandbox.CallQimen(
		ctx, method, &rentcar.QimenRequest{TargetAppKey: "1"}, &sent,
	); err != nil || string(sent) != "{}" {
		t.Errorf("sandbox: %s, %v", sent, err)
	}
	query := protocol(g)
	query["method"] = method
	query["sign"], _ = sign("md5", g.AppSecret(), query, []byte("{}"))
	_, body := raw(t, http.MethodPost, g.QimenURL()+"?"+encode(query), "application/json;charset=utf-8", "{}")
	if !strings.HasPrefix(
		body, `{"response":{"flag":"failure","code":40,"message":"Missing required arguments:target_app_key","request_id":"`,
	) {
		t.Errorf("no target: %s", body)
	}
	_, body = raw(t, http.MethodPost, g.QimenURL()+"?"+encode(query), "application/json;charset=utf-8", "{ }")
	if !strings.Contains(body, `"code":25,"message":"Invalid signature"`) {
		t.Errorf("another body than signed: %s", body)
	}
}
