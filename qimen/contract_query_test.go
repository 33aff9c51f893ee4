package qimen

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
)

var submitFields = url.Values{
	"orderId": {"3187983531024266527"}, "outOrderId": {"FZ中"}, "carUseTime": {"2023-02-04 10:00:00"},
	"carReturnTime":           {"2023-02-05 10:00:00"},
	"renewalOrderTotalAmount": {"90.50"}, "payTradeNo": {"T8"}, "priceMark": {"66"}, "isPressureTest": {"true"},
	"exts": {`{"a":"1"}`},
}

// serveMethod sends a request as it stands.
func serveMethod(t *testing.T, h http.Handler, method string, p *Push) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "/?"+p.RawQuery, bytes.NewReader(p.Body))
	if len(p.Body) == 0 {
		r = httptest.NewRequest(method, "/?"+p.RawQuery, nil)
	}
	r.Header = p.Header
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// The business parameters of a request may travel in the query: all of them, without a body, or some beside a body. The
// official checker signs them wherever they are. However they come, they are the same request.
func TestRequestInTheQuery(t *testing.T) {
	t.Parallel()
	query := queryFor(RenewalSubmitMethod)
	all := "&" + submitFields.Encode()
	without := func(names ...string) (left, taken url.Values) {
		left, taken = url.Values{}, url.Values{}
		for name, values := range submitFields {
			left[name] = values
			for _, n := range names {
				if n == name {
					delete(left, name)
					taken[name] = values
				}
			}
		}
		return left, taken
	}
	left, taken := without("orderId", "isPressureTest")
	leftJSON := `{"outOrderId":"FZ中","carUseTime":"2023-02-04 10:00:00","carReturnTime":"2023-02-05 10:00:00",` +
		`"renewalOrderTotalAmount":90.50,"payTradeNo":"T8","priceMark":66,"exts":"{\"a\":\"1\"}"}`
	bare := mustSign(t, newPush(query+all, "text/plain;charset=UTF-8", ""), testSecret)
	bare.Header = http.Header{}
	var key string
	for name, c := range map[string]struct {
		method string
		push   *Push
	}{
		"JSON without a body":            {"POST", newPush(query+all, jsonType, "")},
		"form without a body":            {"POST", newPush(query+all, formPrefix, "")},
		"XML without a body":             {"POST", newPush(query+all, "text/xml", "")},
		"text without a body":            {"POST", newPush(query+all, "text/plain", "")},
		"GET with a content type":        {"GET", newPush(query+all, jsonType, "")},
		"GET with that of a form":        {"GET", newPush(query+all, formPrefix+";charset=UTF-8", "")},
		"GET":                            {"GET", bare},
		"JSON and the rest in the query": {"POST", newPush(query+"&"+taken.Encode(), jsonType, leftJSON)},
		"JSON with a BOM and the rest":   {"POST", newPush(query+"&"+taken.Encode(), jsonType, "\uFEFF "+leftJSON)},
		"form and the rest in the query": {"POST", newPush(query+"&"+taken.Encode(), formPrefix, left.Encode())},
		"JSON and the same in the query": {
			"POST", newPush(query+"&payTradeNo=T8&priceMark=66&"+taken.Encode(), jsonType, leftJSON),
		},
		"empty JSON and all in the query": {"POST", newPush(query+all, jsonType, " {\n} ")},
		"other parameters of the query":   {"POST", newPush(query+all+"&nonce=17&tenant=5", jsonType, "")},
	} {
		p := c.push
		if p != bare {
			p = mustSign(t, p, testSecret)
		}
		var f office
		h := f.handler(t)
		if w := serveMethod(t, h, c.method, p); w.Code != 200 || f.count() != 1 {
			t.Errorf("%s: %d %s, observed %+v", name, w.Code, w.Body, f.last())
			continue
		}
		r := f.runs[0].Message.(*RenewalSubmitRequest)
		if r.OrderID != "3187983531024266527" || r.OutOrderID != "FZ中" || r.RenewalOrderTotalAmount.String() != "90.50" ||
			r.PayTradeNo != "T8" ||
			r.PriceMark != "66" || !r.IsPressureTest || string(r.Exts) != `{"a":"1"}` ||
			r.CarReturnTime.String() != "2023-02-05 10:00:00" || len(r.Extra) != 0 {
			t.Errorf("%s: %+v", name, r)
		}
		if len(f.runs[0].Delivery.Findings) != 0 {
			t.Errorf("%s: %v", name, f.runs[0].Delivery.Findings)
		}
		if key == "" {
			key = f.runs[0].Key
		}
		if f.runs[0].Key != key {
			t.Errorf("%s: key %s, want %s", name, f.runs[0].Key, key)
		}
		if serveMethod(t, h, c.method, p); f.count() != 1 || !f.last().IsRepeat {
			t.Errorf("%s: %d runs, observed %+v", name, f.count(), f.last())
		}
	}
}

// A parameter of the gateway's that is another one each time makes no other request of a repeat.
func TestRequestInTheQueryRepeats(t *testing.T) {
	t.Parallel()
	var f office
	h := f.handler(t)
	for _, more := range []string{"&nonce=1", "&nonce=2", ""} {
		p := mustSign(t, newPush(queryFor(RenewalSubmitMethod)+more+"&"+submitFields.Encode(), jsonType, ""), testSecret)
		h.Handle(t.Context(), p)
	}
	if f.count() != 1 || !f.last().IsRepeat || f.last().IsConflict {
		t.Errorf("%d runs, observed %+v", f.count(), f.last())
	}
}

// What says two things is refused by name, and so are requests that cannot be told from others.
func TestRequestInTheQueryRefused(t *testing.T) {
	t.Parallel()
	query := queryFor(RenewalSubmitMethod)
	for name, c := range map[string]struct {
		method string
		push   *Push
		opts   []Option
		reason Reason
		text   string
	}{
		"another value in the query": {
			"POST", newPush(query+"&payTradeNo=T9", jsonType, `{"orderId":1,"payTradeNo":"T8"}`), nil, ReasonUndecodable,
			"payTradeNo: the values in the body and in the parameter differ",
		},
		"null in the body": {
			"POST", newPush(query+"&payTradeNo=T9", jsonType, `{"orderId":1,"payTradeNo":null}`), nil, ReasonUndecodable,
			"payTradeNo",
		},
		"without forms": {
			"POST", newPush(query+"&"+submitFields.Encode(), jsonType, ""), []Option{WithoutForms()}, ReasonContentType,
			"WithoutForms",
		},
		"GET without forms": {
			"GET", newPush(query+"&"+submitFields.Encode(), jsonType, ""), []Option{WithoutForms()}, ReasonContentType,
			"WithoutForms",
		},
		"mixed without forms": {
			"POST", newPush(query+"&orderId=1", jsonType, `{"payTradeNo":"T8"}`), []Option{WithoutForms()}, ReasonUndecodable,
			"orderId, outOrderId: one of them is required",
		},
		"nothing but the gateway's": {"GET", newPush(query+"&v=2.0&session=x", jsonType, ""), nil, ReasonUndecodable, ""},
		"names no order": {
			"GET", newPush(query+"&payTradeNo=T9", jsonType, ""), nil, ReasonUndecodable,
			"orderId, outOrderId: one of them is required",
		},
		"HEAD": {
			"HEAD", newPush(query+"&"+submitFields.Encode(), jsonType, ""), nil, ReasonBadMethod, "want POST, or GET",
		},
		"PUT": {
			"PUT", newPush(query+"&"+submitFields.Encode(), jsonType, ""), nil, ReasonBadMethod, "want POST, or GET",
		},
		"GET with a body": {
			"GET", newPush(query, jsonType, `{"orderId":1}`), nil, ReasonBadMethod, "want POST, or GET",
		},
	} {
		var f office
		h := f.handler(t, c.opts...)
		serveMethod(t, h, c.method, mustSign(t, c.push, testSecret))
		if o := f.last(); o.Reason != c.reason || o.Err == nil || !strings.Contains(o.Err.Error(), c.text) || f.count() != 0 {
			t.Errorf("%s: observed %+v", name, o)
		}
	}
	// A POST without a Content-Type stays refused, as the official checkers refuse it.
	p := mustSign(t, newPush(query+"&"+submitFields.Encode(), "text/plain;charset=UTF-8", ""), testSecret)
	p.Header = http.Header{}
	var f office
	if serveMethod(t, f.handler(t), http.MethodPost, p); f.last().Reason != ReasonContentType {
		t.Errorf("POST without a Content-Type: observed %+v", f.last())
	}
	// A forged one does, too.
	forged := mustSign(t, newPush(query+"&"+submitFields.Encode(), jsonType, ""), "another")
	if serveMethod(t, f.handler(t), http.MethodGet, forged); f.last().Reason != ReasonBadSignature || f.count() != 0 {
		t.Errorf("forged: observed %+v", f.last())
	}
}

// An event may travel in the query too, for the handler, a store and whoever verifies alone.
func TestEventInTheQuery(t *testing.T) {
	t.Parallel()
	fields := url.Values{
		"channelId": {"80001"}, "orderId": {"31"}, "eventType": {"104"},
		"eventData": {`{"renewalOrderId":7,"errorCode":"1"}`},
	}
	p := mustSign(t, newPush(eventQuery+"&"+fields.Encode(), jsonType, ""), testSecret)
	check := func(what string, e any) {
		if r, ok := e.(*events.RenewalRejected); !ok || r.RenewalOrderID != "7" || r.OrderID != "31" {
			t.Errorf("%s: %+v", what, e)
		}
	}
	var f office
	for range 2 {
		if w := serveMethod(t, f.handler(t, WithoutGate()), http.MethodGet, p); w.Body.String() != bodyAccepted {
			t.Fatalf("%s, observed %+v", w.Body, f.last())
		}
	}
	check("handler", f.runs[0].Message)
	d, err := VerifyPush(p, testSecrets)
	if err != nil {
		t.Fatal(err)
	}
	payload, err := d.Payload()
	if err != nil {
		t.Fatal(err)
	}
	e, err := events.Parse(payload)
	if err != nil {
		t.Fatal(err)
	}
	check("VerifyPush", e)
	var s shelf
	h := f.handler(t, WithStore(s.add))
	if r := h.Handle(t.Context(), p); string(r.Body) != bodyAccepted || len(s.stored) != 1 {
		t.Fatalf("%s, stored %v", r.Body, s.stored)
	}
	if reason, err := h.Work(t.Context(), s.stored[0]); reason != ReasonAccepted {
		t.Fatal(reason, err)
	}
	check("Work", f.runs[2].Message)
}
