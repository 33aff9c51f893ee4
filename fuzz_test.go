package rentcar

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/fliggy-go/rentcar/fliggy"
)

// FuzzReply sends any reply through the call path: no panic, no success without
// a success flag, no piece of the reply in an error about it.
func FuzzReply(f *testing.F) {
	var file struct {
		Vectors []responseVector `json:"vectors"`
	}
	readJSON(f, &file, "testdata", "vectors", "response.json")
	for _, v := range file.Vectors {
		f.Add(v.HTTPStatus, v.ContentType, []byte(v.Body), uint8(v.format()))
	}
	for _, name := range []string{
		"alitrip.rentcar.btb.order.query.response.xml", "alitrip.rentcar.btb.order.query.error.xml",
	} {
		f.Add(200, xmlType, []byte(readFile(f, "testdata", "samples", name)), uint8(XML))
	}
	f.Add(200, jsonType, []byte(readExchange(f, opOrderQuery.Method).reply), uint8(SimplifiedJSON))
	f.Add(200, "text/plain;charset=GBK", []byte("{\"a\":\"\xd6\xd0\"}"), uint8(WrappedJSON))
	f.Add(302, "", []byte{}, uint8(7))
	f.Fuzz(func(t *testing.T, status int, contentType string, body []byte, format uint8) {
		status = 100 + (status%500+500)%500
		now := testClock()
		c, _ := clientFor(
			t, reply(status, contentType, string(body)), WithFormat(Format(format%3)),
			WithClock(func() time.Time { return now }),
		)
		later := func() { now = now.Add(maxBan) } // no reply bans the next call
		ctx := context.Background()
		res, err := queryOrder(ctx, c)
		checkOutcome(t, res != nil, err, body)
		if err == nil && (!res.Successful || !namesFlag(body)) {
			t.Errorf("a success without its flag: %+v", res)
		}
		later()
		agency, err := c.Agency.UpdateOrder(ctx, &AgencyUpdateOrderRequest{AgentOrderNo: "1"})
		checkOutcome(t, agency != nil, err, body)
		if err == nil && !agency.BizSuccess {
			t.Errorf("a success without its flag: %+v", agency)
		}
		later()
		submitted, err := c.Renewals.Submit(ctx, &RenewalSubmitRequest{OrderID: "1"})
		checkOutcome(t, submitted != nil, err, body)
		if err == nil && submitted.RenewalOrderID == "" {
			t.Error("a submit without a renewal order")
		}
		later()
		var out vectorReply
		checkOutcome(t, false, c.CallQimen(ctx, "x.y", &QimenRequest{TargetAppKey: "1"}, &out), body)
		later()
		raw := Raw("untouched")
		err = c.Call(ctx, "x.y", nil, &raw)
		checkOutcome(t, false, err, body)
		if err == nil && !utf8.Valid(raw) || err != nil && string(raw) != "untouched" {
			t.Errorf("raw is %q after %v", raw, err)
		}
	})
}

// namesFlag reports whether the success flag can be in a body at all: by its name,
// or by escapes or another charset that may hide it.
func namesFlag(body []byte) bool {
	s := string(body)
	return strings.Contains(s, "successful") || strings.Contains(s, `\u`) || !utf8.Valid(body)
}

func checkOutcome(t *testing.T, result bool, err error, body []byte) {
	t.Helper()
	switch v := verdict(err); v {
	case "success":
	case "business error":
		if !result {
			t.Error("no result beside a business error")
		}
	case "gateway error": // its messages are the reply's
	case "decode error", "transport error":
		if result {
			t.Errorf("a result beside a %s", v)
		}
		text := err.Error()
		var garbled *DecodeError
		if errors.As(err, &garbled) { // the request id is meant to be there
			text = strings.ReplaceAll(text, requestID(garbled.RequestID), "")
		}
		checkNoBody(t, text, body)
	default:
		t.Errorf("%s: %v", v, err)
	}
}

// checkNoBody looks for the longer values of a body in an error's text: texts of
// JSON, and what lies between tags. Member names of the messages, which paths
// quote, are not values.
func checkNoBody(t *testing.T, text string, body []byte) {
	t.Helper()
	var members map[string]any
	if json.Unmarshal(body, &members) != nil {
		return
	}
	var visit func(v any)
	visit = func(v any) {
		switch v := v.(type) {
		case string:
			if len(v) > 12 && strings.Contains(text, v) {
				t.Errorf("the error shows %q: %s", v, text)
			}
		case map[string]any:
			for _, m := range v {
				visit(m)
			}
		case []any:
			for _, e := range v {
				visit(e)
			}
		}
	}
	visit(members)
}

// FuzzParams gives any text and JSON to a call: it is refused, or arrives as it
// is, signed.
func FuzzParams(f *testing.F) {
	f.Add("name", "value", `{"a":[1,"b"]}`)
	f.Add("", " ", "")
	f.Add("sign", "a+b&c=d%20e /?#~*'()🚗", "null")
	f.Add("键", "\u3000\u00a0", "1e5")
	f.Add("a\xff", "b\xff", "{")
	f.Fuzz(func(t *testing.T, name, value, raw string) {
		c, g := clientFor(t, replyJSON(okReply))
		var out Raw
		err := c.Call(
			context.Background(), "x.y", Params{name: value, "raw": json.RawMessage(raw)}, &out, CallParam("more"+name, value),
		)
		if err != nil {
			if !isA[*fliggy.ValidationError](err) || g.count() != 0 {
				t.Errorf("%v after %d requests", err, g.count())
			}
			return
		}
		s := g.last(t)
		form := s.form(t)
		signed := s.query(t)
		for n, v := range form {
			if signed[n] != "" {
				t.Errorf("%q is in the query and in the form", n)
			}
			signed[n] = v
			bare := n == "v" && v == protocolVersion && len(form) == 1 // no parameter is left: the version is the body
			if v != value && v != raw && !bare {
				t.Errorf("%q arrived as %q", n, v)
			}
		}
		want, err := Sign(HMACSHA256, testSecret, signed, nil)
		if err != nil || want != signed["sign"] {
			t.Errorf("signed %s, want %s (%v)", signed["sign"], want, err)
		}
		if s.method != http.MethodPost || s.header.Get("Content-Type") != formType {
			t.Errorf("%s with %s", s.method, s.header.Get("Content-Type"))
		}
	})
}
