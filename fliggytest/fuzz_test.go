package fliggytest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/internal/api"
)

// FuzzServe sends anything: the gateway answers, and carries nothing out that is
// not signed.
func FuzzServe(f *testing.F) {
	g := NewGateway(WithClock(fixedClock))
	f.Cleanup(g.Close)
	params := protocol(g)
	form := "rent_car_b2b_query_order_req=" + url.QueryEscape(queryArgument)
	for _, seed := range []struct{ query, contentType, body string }{
		{encode(params), "application/x-www-form-urlencoded;charset=UTF-8", form},
		{encode(params) + "&sign=0123456789ABCDEF0123456789ABCDEF", "application/x-www-form-urlencoded", form},
		{"method=alitrip.rentcar.btb.renewal.submit&format=json&simplify=1", "application/json", `{"order_id":1e999}`},
		{"%zz", "", "\xff"},
		{
			encode(params), "multipart/form-data; boundary=b",
			"--b\r\nContent-Disposition: form-data; name=\"sign\"\r\n\r\nX\r\n--b--",
		},
	} {
		f.Add(seed.query, seed.contentType, seed.body, false)
		f.Add(seed.query, seed.contentType, seed.body, true)
	}
	f.Fuzz(func(t *testing.T, query, contentType, body string, qimen bool) {
		in := &http.Request{
			Method: http.MethodPost, URL: &url.URL{Path: topPath, RawQuery: query},
			Header: http.Header{"Content-Type": {contentType}},
			Body:   io.NopCloser(strings.NewReader(body)),
		}
		w := httptest.NewRecorder()
		g.Forget()
		g.serve(w, in, qimen)
		r := lastRequest(t, g)
		if w.Code != http.StatusOK || w.Body.Len() == 0 || !r.Answer.Done || r.Answer.Executed &&
			r.Signature != SignatureValid {
			t.Errorf("status %d, %v: %s", w.Code, r, w.Body)
		}
		if refused := g.RefusedRequests(); len(refused) > 0 && refused[0].Reason == "" {
			t.Errorf("refused without a reason: %v", refused)
		}
	})
}

// FuzzArguments sends any business JSON, well signed: what is refused changes
// nothing.
func FuzzArguments(f *testing.F) {
	for _, op := range api.All() {
		f.Add(op.Method, queryArgument)
	}
	f.Add(methodSubmit, `{"order_id":3104050285204362836,"total_fee":"16.02","renewal_out_order_id":"R"}`)
	f.Add(methodSubmit, `{"order_id":3104050285204362836,"car_use_time":"2023-02-04 10:00:00","car_return_time":"1"}`)
	f.Add(
		"alitrip.rentcar.btb.renewaldetail.query",
		`{"order_id":"3104050285204362836","car_use_time":"0001-02-04","car_return_time":"9999-02-04"}`,
	)
	f.Add(
		"alitrip.rentcar.btb.distribution.callback",
		`{"event_data":"{\"eventType\":270,\"eventData\":{\"payTradeNo\":\"1\"}}"}`,
	)
	f.Add("alitrip.rentcar.btb.bill.notify", `{"channel_id":"1","distributor_bill_list":[{"bill_no":1}]}`)
	f.Fuzz(func(t *testing.T, method, argument string) {
		g := NewGateway(WithClock(fixedClock))
		defer g.Close()
		op := g.operations[method]
		if op == nil {
			return
		}
		r := &Request{
			ID: "1", Method: method, Time: testNow, Protocol: map[string]string{"format": "json"},
			Params: map[string]string{op.param: argument},
		}
		r.findArgument(op)
		x := &exchange{g: g, r: r, op: op}
		rep, _ := x.run(t.Context())
		held := len(g.Renewals()) + len(g.Bills()) + len(g.Callbacks()) + len(g.AgencyOrders())
		if len(rep.body) == 0 || x.executed != (rep.code == "") || rep.status != http.StatusOK || held > 0 && !x.executed {
			t.Errorf("executed %v, code %q, %d held: %s", x.executed, rep.code, held, rep.body)
		}
	})
}
