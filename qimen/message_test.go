package qimen

import (
	"bytes"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/internal/top"
)

// value marks what an error must not repeat.
const value = "v4lu3"

// Each malformed request of each method gets its own reply and reaches the observer with its reason and an error that
// names field and rule, but no value; the function is not called. Whatever cannot be verified gets the prescribed
// signature failure, the same bytes for all.
func TestMerchantBadInput(t *testing.T) {
	t.Parallel()
	illegal := string(readFile(t, "samples/qimen.sign-check-failure.response.json"))
	expired, undecodable := failure(
		t, "invalid-timestamp", "Invalid timestamp",
	), failure(t, "invalid-request", "Invalid request")
	query := func(edit ...string) func(*Push) {
		return func(p *Push) { p.RawQuery = strings.NewReplacer(edit...).Replace(p.RawQuery) }
	}
	body := func(text string) func(*Push) { return func(p *Push) { p.Body = []byte(text) } }
	form := func(text string) func(*Push) {
		return func(p *Push) { p.Body, p.Header = []byte(text), http.Header{"Content-Type": {formPrefix}} }
	}
	member := func(text string) func(*Push) {
		return func(p *Push) { p.Body = bytes.Replace(p.Body, []byte("{"), []byte("{"+text+","), 1) }
	}
	header := func(contentType string) func(*Push) {
		return func(p *Push) { p.Header = http.Header{"Content-Type": {contentType}} }
	}
	none := func(*Push) {}
	for _, c := range []struct {
		name   string
		before func(*Push) // the signature
		secret string
		after  func(*Push)
		reason Reason
		reply  string
		text   string // of the error
	}{
		{"wrong secret", none, "another", none, ReasonBadSignature, illegal, "does not match"},
		{"no sign", none, testSecret, query("&sign=", "&x="), ReasonBadSignature, illegal, "no sign"},
		{"empty sign", none, "", func(p *Push) { p.RawQuery += "&sign=" }, ReasonBadSignature, illegal, "no sign"},
		{"sign in lower case", none, testSecret, func(p *Push) {
			at := strings.LastIndex(p.RawQuery, "=")
			p.RawQuery = p.RawQuery[:at] + strings.ToLower(p.RawQuery[at:])
		}, ReasonBadSignature, illegal, "does not match"},
		{"another body", none, testSecret, member(`"x":"` + value + `"`), ReasonBadSignature, illegal, "does not match"},
		{"another method", none, testSecret, query("renewal", "renewed"), ReasonBadSignature, illegal, "does not match"},
		{"unknown app key", query(testApp, "999"), "another", none, ReasonBadSignature, illegal, "does not match"},
		{
			"unknown target", query("app_key", "target_app_key=999&app_key"), "another", none, ReasonBadSignature, illegal,
			"does not match",
		},
		{"no app key", query("app_key="+testApp+"&", ""), "another", none, ReasonBadSignature, illegal, "does not match"},
		{"no query", none, testSecret, func(p *Push) { p.RawQuery = "" }, ReasonUnverifiable, illegal, "no query"},
		{
			"malformed escape", none, testSecret, func(p *Push) { p.RawQuery += "&" + value + "=%" }, ReasonUnverifiable,
			illegal, "escape",
		},
		{
			"no content type", none, testSecret, func(p *Push) { p.Header = http.Header{} }, ReasonContentType, illegal,
			"no Content-Type",
		},
		{"multipart", none, testSecret, header("multipart/form-data"), ReasonContentType, illegal, "multipart"},
		{"unknown charset", none, testSecret, header("application/json;charset=big5"), ReasonContentType, illegal, "big5"},

		{"stale", query("09%3A00", "08%3A50"), testSecret, none, ReasonExpired, expired, "10m30s old"},
		{"from the future", query("09%3A00", "09%3A11"), testSecret, none, ReasonExpired, expired, "10m30s in the future"},
		{"no timestamp", query("timestamp", "time"), testSecret, none, ReasonExpired, expired, "no signed timestamp"},
		{
			"no time", query("2026-11-22", value), testSecret, none, ReasonExpired, expired,
			"timestamp: want yyyy-MM-dd HH:mm:ss",
		},

		{
			"empty body", body(""), testSecret, none, ReasonUndecodable, undecodable,
			"not JSON: cut off at byte 0, expected a value",
		},
		{"no JSON", body(value), testSecret, none, ReasonUndecodable, undecodable, "not JSON at byte 0: expected a value"},
		{
			"a list", body(`["` + value + `"]`), testSecret, none, ReasonUndecodable, undecodable,
			"expected an object, got a list",
		},
		{"text", body(`"` + value + `"`), testSecret, none, ReasonUndecodable, undecodable, "expected an object, got text"},
		{"null", body(`null`), testSecret, none, ReasonUndecodable, undecodable, "expected an object, got null"},
		{
			"cut off", func(p *Push) { p.Body = p.Body[:len(p.Body)-2] }, testSecret, none, ReasonUndecodable, undecodable,
			"not JSON: cut off",
		},
		{
			"more behind it", func(p *Push) { p.Body = append(p.Body, "{}"...) }, testSecret, none, ReasonUndecodable,
			undecodable, "expected the end",
		},
		{
			"unknown member that is no JSON", member(`"` + value + `":` + value), testSecret, none, ReasonUndecodable,
			undecodable, "expected a value",
		},
		{
			"too deep", member(`"x":` + strings.Repeat("[", 70) + strings.Repeat("]", 70)), testSecret, none, ReasonUndecodable,
			undecodable, "nested deeper than 64",
		},
		{"no XML", body("<" + value), testSecret, none, ReasonUndecodable, undecodable, "not XML: cut off"},
		{
			"XML cut off", body("<a><orderId>1</orderId>"), testSecret, none, ReasonUndecodable, undecodable, "not XML: cut off",
		},
		{
			"XML with text only", body("<a>" + value + "</a>"), testSecret, none, ReasonUndecodable, undecodable,
			"expected an object, got text",
		},
		{
			"XML with a document type", body(`<!DOCTYPE a [<!ENTITY x "` + value + `">]><a><orderId>&x;</orderId></a>`),
			testSecret, none, ReasonUndecodable, undecodable, "document type",
		},
		{
			"XML with an entity", body(`<a><orderId>&` + value + `;</orderId></a>`), testSecret, none, ReasonUndecodable,
			undecodable, "not XML: line 1",
		},
		{
			"XML with elements in an id", body(`<a><orderId><b>` + value + `</b></orderId></a>`), testSecret, none,
			ReasonUndecodable, undecodable, "orderId: expected text, got element",
		},
		{
			"two documents", body("<a><orderId>1</orderId></a><a/>"), testSecret, none, ReasonUndecodable, undecodable,
			"second root",
		},
		{"form without fields", form("v=2.0&format=json"), testSecret, none, ReasonUndecodable, undecodable, "gateway only"},

		{
			"no ids", body(`{"traceId":"` + value + `"}`), testSecret, none, ReasonUndecodable, undecodable,
			"orderId, outOrderId: one of them is required",
		},
		{"nothing at all", body(`{}`), testSecret, none, ReasonUndecodable, undecodable, "one of them is required"},
		{
			"null ids", body(`{"orderId":null,"outOrderId":null}`), testSecret, none, ReasonUndecodable, undecodable,
			"one of them is required",
		},
		{
			"ids of the text null", body(`{"orderId":"null","outOrderId":"null"}`), testSecret, none, ReasonUndecodable,
			undecodable, "one of them is required",
		},
		{
			"blank ids", body(`{"orderId":"","outOrderId":" \t\u3000"}`), testSecret, none, ReasonUndecodable, undecodable,
			"one of them is required",
		},
		{
			"blank ids in XML", body(`<a><orderId> </orderId><outOrderId/></a>`), testSecret, none, ReasonUndecodable,
			undecodable, "one of them is required",
		},
		{
			"empty ids in a form", form("orderId=&outOrderId=&traceId=" + value), testSecret, none, ReasonUndecodable,
			undecodable, "one of them is required",
		},
		{
			"ids one level down", body(`{"request":{"orderId":"` + value + `"}}`), testSecret, none, ReasonUndecodable,
			undecodable, "one of them is required",
		},

		{
			"id with a fraction", member(`"x":1,"orderId":31755207628979011.5`), testSecret, none, ReasonUndecodable,
			undecodable, "orderId: ",
		},
		{
			"id with an exponent", body(`{"orderId":3175520762897e6}`), testSecret, none, ReasonUndecodable, undecodable,
			"orderId: not a valid id: ",
		},
		{
			"id that is a boolean", body(`{"orderId":true}`), testSecret, none, ReasonUndecodable, undecodable,
			"orderId: not a valid id: ",
		},
		{
			"id that is an object", body(`{"orderId":{"` + value + `":1}}`), testSecret, none, ReasonUndecodable, undecodable,
			"orderId: not a valid id: ",
		},
		{
			"no boolean", body(`{"orderId":"1","isPressureTest":"` + value + `"}`), testSecret, none, ReasonUndecodable,
			undecodable, "isPressureTest: expected true or false",
		},
		{
			"no boolean in a form", form("orderId=1&isPressureTest=" + value), testSecret, none, ReasonUndecodable, undecodable,
			"isPressureTest: expected true or false",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for method, text := range merchantBodies {
				k := newDesk()
				h := k.handler(t)
				p := newPush(queryFor(method), jsonType, text)
				c.before(p)
				if c.secret != "" {
					p = mustSign(t, p, c.secret)
				}
				c.after(p)
				k.refuses(t, h, request(p), c.reason, http.StatusOK, c.reply, c.text)
				o := k.last(t)
				if verified := c.reply != illegal; verified != (o.Method == method) || verified != (o.AppKey == testApp) {
					t.Errorf("observed method %q and app %q", o.Method, o.AppKey)
				}
				if w := post(t, h, method, jsonType, text); w.Code != 200 || len(k.requests) != 1 {
					t.Errorf("afterwards a good request gets %d %s", w.Code, w.Body)
				}
			}
		})
	}
}

// refuses checks that a request is refused for that reason.
func (k *desk) refuses(t *testing.T, h *Handler, r *http.Request, reason Reason, status int, reply, text string) {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	wantReply(t, w, status, reply)
	if len(k.requests) > 0 || k.calls > 0 {
		t.Error("the function was called")
	}
	if len(k.observed) != 1 {
		t.Fatalf("observed %d times", len(k.observed))
	}
	o := k.last(t)
	if o.Reason != reason || o.Status != status || o.Err == nil || !strings.Contains(o.Err.Error(), text) {
		t.Errorf("observed %+v, want %s: %s", o, reason, text)
	}
	if !strings.Contains(
		k.log.String(), `"level":"WARN","msg":"qimen: push refused"`,
	) || !strings.Contains(k.log.String(), `"reason":"`+string(reason)+`"`) {
		t.Errorf("log %s", k.log.String())
	}
	for _, bad := range []string{value, testSecret, "3175520762897", r.URL.Query().Get("sign")} {
		if out := o.Err.Error() + k.log.String() + w.Body.String(); bad != "" && strings.Contains(out, bad) {
			t.Errorf("%q is in %s", bad, out)
		}
	}
}

// Values that have no meaning, by the members that only some requests have.
func TestMerchantBadValues(t *testing.T) {
	t.Parallel()
	undecodable := failure(t, "invalid-request", "Invalid request")
	for _, c := range []struct{ method, member, text string }{
		{
			RenewalPricesMethod, `"carUseTime":"` + value + `"`,
			"carUseTime: not a valid time: want yyyy-MM-dd HH:mm:ss in GMT+8",
		},
		{
			RenewalPricesMethod, `"carReturnTime":"2023-02-30 10:00"`,
			"carReturnTime: not a valid time: no such date or time of day",
		},
		{RenewalPricesMethod, `"carReturnTime":["` + value + `"]`, "carReturnTime: "},
		{RenewalSubmitMethod, `"carUseTime":"20230204100000"`, "carUseTime: not a valid time: "},
		{
			RenewalSubmitMethod, `"renewalOrderTotalAmount":"` + value + `"`,
			"renewalOrderTotalAmount: not a valid amount in yuan: want digits",
		},
		{
			RenewalSubmitMethod, `"renewalOrderTotalAmount":"16,02"`,
			"renewalOrderTotalAmount: not a valid amount in yuan: want digits",
		},
		{
			RenewalSubmitMethod, `"renewalOrderTotalAmount":1` + strings.Repeat("0", 40),
			"renewalOrderTotalAmount: not a valid amount in yuan: more than 40 digits",
		},
		{
			RenewalSubmitMethod, `"renewalOrderTotalAmount":1e99999999`,
			"renewalOrderTotalAmount: not a valid amount in yuan: more than 40 digits",
		},
		{RenewalSubmitMethod, `"renewalOrderTotalAmount":{"` + value + `":1}`, "renewalOrderTotalAmount: "},
		{RenewalCancelMethod, `"cancelTime":true`, "cancelTime: not a valid time: "},
		{RenewalCancelMethod, `"cancelTime":"2023-02-01 25:00:00"`, "cancelTime: not a valid time: no such date"},
		{RenewalCancelMethod, `"penaltyAmount":"` + value + `"`, "penaltyAmount: not a valid amount in yuan: "},
		{RenewalCancelMethod, `"isPressureTest":2`, "isPressureTest: expected true or false"},
	} {
		k := newDesk()
		p := mustSign(t, newPush(queryFor(c.method), jsonType, `{"orderId":"1",`+c.member+`}`), testSecret)
		k.refuses(t, k.handler(t), request(p), ReasonUndecodable, http.StatusOK, undecodable, c.text)
		var named *top.Error
		if o := k.last(t); !errors.As(o.Err, &named) || !strings.HasPrefix(c.text, named.Path+": ") {
			t.Errorf("%s: error %v", c.member, o.Err)
		}
	}
}
