package fliggytest

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/qimen"
)

func TestRefusals(t *testing.T) {
	t.Parallel()
	g := start(t)
	const param = "rent_car_b2b_query_order_req"
	all := protocol(g)
	all[param], all["session"] = queryArgument, " the session "
	signedText := "app_key24700001formatjsonmethodalitrip.rentcar.btb.order.query" + param + queryArgument +
		"session the session sign_methodmd5timestamp2023-02-01 15:40:52v2.0"
	signed := func(method, secret string, change func(map[string]string)) string {
		own := maps.Clone(all)
		change(own)
		s, _ := sign(method, secret, own, nil)
		return s
	}
	same := func(map[string]string) {}
	unsigned := signed("md5", g.AppSecret(), func(m map[string]string) { delete(m, "format") })
	encoded := signed("md5", g.AppSecret(), func(m map[string]string) { m["timestamp"] = url.QueryEscape(m["timestamp"]) })
	trimmed := signed("md5", g.AppSecret(), func(m map[string]string) { m["session"] = "the session" })
	for name, c := range map[string]struct {
		sign, parameter string
		cause           qimen.Cause
		reason          string
	}{
		"not signed": {unsigned, "format", qimen.CauseUnsigned, "is sent, but not signed"},
		"encoded":    {encoded, "timestamp", qimen.CauseEncoding, "percent-encoded"},
		"trimmed":    {trimmed, "session", qimen.CauseEncoding, "white space"},
		"method":     {signed("hmac", g.AppSecret(), same), "sign_method", qimen.CauseSignMethod, "one of hmac,"},
		"lower case": {strings.ToLower(signed("md5", g.AppSecret(), same)), "", qimen.CauseLetterCase, "lower case"},
		"secret":     {signed("md5", "another", same), "", qimen.CauseSecret, "is the secret another?"},
	} {
		g.Forget()
		query := maps.Clone(all)
		query["sign"] = c.sign
		_, body := post(t, g, http.MethodPost, query, nil)
		got := g.RefusedRequests()
		if len(got) != 1 || got[0].Code != "25" || got[0].Parameter != c.parameter || !strings.Contains(
			got[0].Reason, c.reason,
		) || got[0].Cause != c.cause ||
			got[0].SignedText != signedText || got[0].RequestID != lastRequest(t, g).ID || got[0].Method != methodQuery {
			t.Errorf("%s: got %+v, %q", name, got, got[0].SignedText)
		}
		// Nothing of it is in the answer, and no verb shows the text.
		if !strings.Contains(body, `"msg":"Invalid signature","request_id"`) {
			t.Errorf("%s: answered %s", name, body)
		}
		text, err := json.Marshal(got)
		noError(t, err)
		logged := slog.AnyValue(got[0]).Resolve().String()
		for _, shown := range []string{fmt.Sprintf("%v %+v %#v %s", got, got, got, got), string(text), logged} {
			for _, hidden := range []string{"the session ", queryArgument, g.AppSecret()} {
				if strings.Contains(shown, hidden) || !strings.Contains(shown, "code 25") {
					t.Errorf("%s: shows %s", name, shown)
				}
			}
		}
	}

	refusal := g.RefusedRequests()[0]
	for text, want := range map[string]string{
		signedText:       "",
		signedText + "x": "body",
		strings.Replace(signedText, "15:40:52", "15:40:53", 1): "timestamp",
		strings.Replace(signedText, "formatjson", "", 1):       "format",
		"": "app_key",
	} {
		if got := refusal.Differs(text); got != want {
			t.Errorf("%s: differs at %q, want %q", text, got, want)
		}
	}
}

// TestRefusalsOfOtherMethods is about hmac, a body that is signed, and a method that the
// protocol lacks.
func TestRefusalsOfOtherMethods(t *testing.T) {
	t.Parallel()
	g := start(t)
	g.Handle("qimen.x", func(context.Context, *Request) (any, error) { return nil, nil })
	query := protocol(g)
	query["method"], query["sign_method"], query["target_app_key"] = "qimen.x", "hmac", "1"
	text := ""
	for _, name := range signedNames(query) {
		text += name + query[name]
	}
	wrapped, _ := digestOf("hmac", g.AppSecret(), []byte(g.AppSecret()+text+`{"a":1}`+g.AppSecret()))
	unsigned, _ := sign("hmac", g.AppSecret(), query, nil)
	for want, s := range map[string]string{"put around the text": wrapped, "is not signed": unsigned} {
		g.Forget()
		query["sign"] = s
		raw(t, http.MethodPost, g.QimenURL()+"?"+encode(query), "application/json", `{"a":1}`)
		got := g.RefusedRequests()
		if len(got) != 1 || !strings.Contains(got[0].Reason, want) || !strings.HasSuffix(got[0].SignedText, `v2.0{"a":1}`) ||
			got[0].Differs(text) != "body" {
			t.Errorf("%s: got %v", want, got)
		}
	}
	query["sign_method"], query["sign"] = "MD5", "X"
	raw(t, http.MethodPost, g.QimenURL()+"?"+encode(query), "application/json", "{}")
	if got := g.RefusedRequests()[1]; got.Parameter != "sign_method" || !strings.Contains(got.Reason, "none of") {
		t.Errorf("got %v", got)
	}
}

// TestRefusalsSayWhy finds a reason for every code with which the gateway refuses, and none
// for what an API answers.
func TestRefusalsSayWhy(t *testing.T) {
	t.Parallel()
	g := start(t, WithSession("s"))
	set := func(name, value string) map[string]string { return map[string]string{name: value} }
	for want, change := range map[string]map[string]string{
		"21": set("method", ""), "22": set("method", "x"), "23": set("format", "yaml"), "24": set("sign", ""),
		"26": set("session", ""), "27": set("session", "x"), "28": set("app_key", ""), "29": set("app_key", "1"),
		"30": set("timestamp", ""), "31": set("timestamp", "x"), "32": set("v", ""), "33": set("v", "x"),
		"34": set("v", "1.0"),
	} {
		g.Forget()
		query := protocol(g)
		query["session"] = "s"
		maps.Copy(query, change)
		post(t, g, http.MethodPost, query, nil)
		if got := g.RefusedRequests(); len(got) != 1 || got[0].Code != want || got[0].Reason == "" ||
			got[0].SignedText != "" {
			t.Errorf("%s: got %v", want, got)
		}
	}
	g.Forget()
	post(t, g, http.MethodPut, protocol(g), nil)
	raw(t, http.MethodPost, g.URL()+"?a=%zz", "", "")
	raw(t, http.MethodPost, g.URL(), "", strings.Repeat("x", maxBody+1))
	query := protocol(g)
	query["session"] = "s"
	post(t, g, http.MethodPost, query, nil) // 40, of the API
	var codes []string
	for _, r := range g.RefusedRequests() {
		if codes = append(codes, r.Code); r.Reason == "" {
			t.Errorf("no reason: %v", r)
		}
	}
	if diff := cmp.Diff([]string{"9", "47", "43"}, codes); diff != "" {
		t.Errorf("codes (-want +got):\n%s", diff)
	}
}

// TestExplainCall checks calls as a gateway would: what the signature covers, then the time.
func TestExplainCall(t *testing.T) {
	t.Parallel()
	g := start(t)
	signed := func(change func(map[string]string)) *http.Request {
		query := protocol(g)
		change(query)
		query["sign"], _ = sign(query["sign_method"], g.AppSecret(), query, nil)
		return httptest.NewRequest(http.MethodPost, "/router/rest?"+encode(query), http.NoBody)
	}
	at := func(timestamp string) *http.Request {
		return signed(func(query map[string]string) { query["timestamp"] = timestamp })
	}
	unsigned := httptest.NewRequest(http.MethodGet, "/router/rest?"+encode(protocol(g)), http.NoBody)
	late := signed(func(map[string]string) {})
	late.URL.RawQuery += "&session=s"
	const text = "app_key24700001formatjsonmethodalitrip.rentcar.btb.order.querysign_methodmd5"
	for name, c := range map[string]struct {
		in        *http.Request
		cause     qimen.Cause
		parameter string
		text      string
		isValid   bool
	}{
		"right":     {signed(func(map[string]string) {}), "", "", text + "timestamp2023-02-01 15:40:52v2.0", true},
		"of Python": {at("1675237252000"), "", "", text + "timestamp1675237252000v2.0", true},
		"in UTC": {at("2023-02-01 07:40:52"), qimen.CauseTimeZone, "timestamp",
			text + "timestamp2023-02-01 07:40:52v2.0", true},
		"late": {at("2023-02-01 15:20:00"), qimen.CauseClock, "timestamp", text + "timestamp2023-02-01 15:20:00v2.0",
			true},
		"no time":    {at("now"), qimen.CauseClock, "timestamp", text + "timestampnowv2.0", true},
		"unsigned":   {unsigned, qimen.CauseMissing, "", text + "timestamp2023-02-01 15:40:52v2.0", false},
		"session":    {late, qimen.CauseUnsigned, "session", "", false},
		"unreadable": {httptest.NewRequest(http.MethodGet, "/?a=%zz", http.NoBody), qimen.CauseUnreadable, "", "", false},
	} {
		got := ExplainCall(c.in, g.AppSecret(), testNow)
		if got.Cause != c.cause || got.Parameter != c.parameter || got.IsValid != c.isValid ||
			c.text != "" && got.SignedText != c.text {
			t.Errorf("%s: got %v, %q", name, got, got.SignedText)
		}
	}
	// The gateway says the same.
	raw(t, http.MethodPost, g.URL()+"?"+at("2023-02-01 07:40:52").URL.RawQuery, "", "")
	if got := g.RefusedRequests(); len(got) != 1 || got[0].Cause != qimen.CauseTimeZone || got[0].Code != "31" {
		t.Errorf("got %v", got)
	}
	if got := lastRequest(t, g); got.SignedText() != text+"timestamp2023-02-01 07:40:52v2.0" {
		t.Errorf("got %q", got.SignedText())
	}
}
