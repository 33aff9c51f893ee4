package fliggytest

import (
	"bytes"
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

const methodQuery = "alitrip.rentcar.btb.order.query"

// protocol is a request that the gateway takes, unsigned.
func protocol(g *Gateway) map[string]string {
	return map[string]string{
		"method": methodQuery, "app_key": g.AppKey(), "v": "2.0", "sign_method": "md5", "format": "json",
		"timestamp": testNow.In(fliggy.Zone()).Format(time.DateTime),
	}
}

const queryArgument = `{"order_id":"3104050285204362836","channel_id":"80001"}`

// post sends parameters in the query and in the form, signed unless they say
// otherwise, and returns the reply.
func post(t *testing.T, g *Gateway, verb string, query, form map[string]string) (*http.Response, string) {
	t.Helper()
	all := maps.Clone(query)
	maps.Copy(all, form)
	if _, ok := all["sign"]; !ok {
		query = maps.Clone(query)
		query["sign"], _ = sign(all["sign_method"], g.AppSecret(), all, nil)
	}
	return raw(t, verb, g.URL()+"?"+encode(query), "application/x-www-form-urlencoded;charset=UTF-8", encode(form))
}

func encode(params map[string]string) string {
	v := url.Values{}
	for name, value := range params {
		v.Set(name, value)
	}
	return v.Encode()
}

func raw(t *testing.T, verb, address, contentType, body string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequest(verb, address, strings.NewReader(body))
	noError(t, err)
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	noError(t, err)
	var b bytes.Buffer
	_, err = io.Copy(&b, resp.Body)
	noError(t, err)
	noError(t, resp.Body.Close())
	return resp, b.String()
}

func TestChecks(t *testing.T) {
	t.Parallel()
	at := func(d time.Duration) string { return testNow.Add(d).In(fliggy.Zone()).Format(time.DateTime) }
	set := func(name, value string) func(map[string]string) {
		return func(m map[string]string) { m[name] = value }
	}
	drop := func(name string) func(map[string]string) { return func(m map[string]string) { delete(m, name) } }
	for name, c := range map[string]struct {
		change func(map[string]string)
		want   string // what the reply holds
	}{
		"as it should be":   {func(map[string]string) {}, `"successful":true`},
		"no method":         {drop("method"), `"code":21,"msg":"Missing method"`},
		"unknown method":    {set("method", "alitrip.rentcar.none"), `"code":22,"msg":"Invalid method"`},
		"no app key":        {drop("app_key"), `"code":28,"msg":"Missing app key"`},
		"other app key":     {set("app_key", "1"), `"code":29,"msg":"Invalid app Key","sub_code":"isv.appkey-not-exists"`},
		"no timestamp":      {drop("timestamp"), `"code":30,"msg":"Missing timestamp"`},
		"no such timestamp": {set("timestamp", "2023-02-30 00:00:00"), `"code":31,"msg":"Invalid timestamp"`},
		// of the official Python client
		"in milliseconds":    {set("timestamp", strconv.FormatInt(testNow.UnixMilli(), 10)), `"successful":true`},
		"old milliseconds":   {set("timestamp", "1675236000000"), `"code":31,"msg":"Invalid timestamp"`},
		"10 minutes old":     {set("timestamp", at(-10*time.Minute)), `"successful":true`},
		"10 minutes ahead":   {set("timestamp", at(10*time.Minute)), `"successful":true`},
		"older":              {set("timestamp", at(-601*time.Second)), `"code":31,"msg":"Invalid timestamp"`},
		"further ahead":      {set("timestamp", at(601*time.Second)), `"code":31,"msg":"Invalid timestamp"`},
		"no version":         {drop("v"), `"code":32,"msg":"Missing version"`},
		"version is no such": {set("v", "two"), `"code":33,"msg":"Invalid version"`},
		"other version":      {set("v", "1.0"), `"code":34,"msg":"Unsupported version"`},
		"format":             {set("format", "yaml"), `<code>23</code><msg>Invalid format</msg>`},
		"no signature":       {set("sign", ""), `"code":24,"msg":"Missing signature"`},
		"wrong signature":    {set("sign", "0123456789ABCDEF0123456789ABCDEF"), `"code":25,"msg":"Invalid signature"`},
		"sign method": {
			func(m map[string]string) { m["sign_method"], m["sign"] = "MD5", "x" }, `"code":25,"msg":"Invalid signature"`,
		},
		"no session":    {drop("session"), `"code":26,"msg":"Missing session"`},
		"other session": {set("session", "other"), `"code":27,"msg":"Invalid session","sub_code":"invalid-sessionkey"`},
		"several": {
			func(m map[string]string) { delete(m, "v"); m["sign"] = "x"; delete(m, "session") }, `"code":32`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, WithSession("the session"))
			query := protocol(g)
			query["session"] = "the session"
			c.change(query)
			_, body := post(t, g, http.MethodPost, query, map[string]string{"rent_car_b2b_query_order_req": queryArgument})
			if !strings.Contains(body, c.want) {
				t.Errorf("got %s, want %s", body, c.want)
			}
			r := lastRequest(t, g)
			if r.Answer.Executed != strings.Contains(c.want, "successful") || !strings.Contains(body, r.ID) {
				t.Errorf("recorded %v for %s", r, body)
			}
		})
	}
}

func TestArguments(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ argument, want string }{
		"none":      {"", `"code":40,"msg":"Missing required arguments:rent_car_b2b_query_order_req"`},
		"blank":     {"  ", `"code":40,`},
		"no JSON":   {"{", `"code":41,"msg":"Invalid arguments:rent_car_b2b_query_order_req"`},
		"no object": {"[]", `"code":41,`},
		"no member": {
			`{"order_id":"1"}`, `"code":15,"msg":"Remote service error","sub_code":"isv.missing-parameter:channel_id"`,
		},
		"odd member": {
			`{"order_id":true,"channel_id":"1"}`,
			`"code":15,"msg":"Remote service error","sub_code":"isv.invalid-parameter:order_id"`,
		},
		"other order": {`{"order_id":"1","channel_id":"1"}`, `"successful":false,"ret_code":"71001","ret_msg":"订单不存在"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t)
			form := map[string]string{"rent_car_b2b_query_order_req": c.argument}
			if c.argument == "" {
				form = nil
			}
			if _, body := post(t, g, http.MethodPost, protocol(g), form); !strings.Contains(body, c.want) {
				t.Errorf("got %s, want %s", body, c.want)
			}
			if r := lastRequest(t, g); r.Answer.Executed || r.Answer.Code == "" {
				t.Errorf("recorded %v", r)
			}
		})
	}
}

// TestRefusedClients sees the checks from a client's side.
func TestRefusedClients(t *testing.T) {
	t.Parallel()
	g := start(t, WithSession("the session"))
	own := []rentcar.Option{
		rentcar.WithBaseURL(g.URL()), rentcar.WithClock(fixedClock), rentcar.WithChannel(fliggy.ChannelAmap),
	}
	late := rentcar.WithClock(func() time.Time { return testNow.Add(11 * time.Minute) })
	for name, c := range map[string]struct {
		key, secret string
		opts        []rentcar.Option
		code        string
		class       error
	}{
		"secret":  {g.AppKey(), "wrong", nil, "25", rentcar.ErrUnauthorized},
		"key":     {"wrong", g.AppSecret(), nil, "29", rentcar.ErrUnauthorized},
		"clock":   {g.AppKey(), g.AppSecret(), []rentcar.Option{late}, "31", fliggy.ErrInvalidRequest},
		"session": {g.AppKey(), g.AppSecret(), []rentcar.Option{rentcar.WithSession("other")}, "27", rentcar.ErrUnauthorized},
		"none":    {g.AppKey(), g.AppSecret(), nil, "26", rentcar.ErrUnauthorized},
	} {
		for _, format := range allFormats {
			client, err := rentcar.NewClient(c.key, c.secret, append(append(own, rentcar.WithFormat(format)), c.opts...)...)
			noError(t, err)
			_, err = client.Renewals.Submit(context.Background(), submitRequest())
			var failed *rentcar.GatewayError
			if !errors.As(
				err, &failed,
			) || failed.Code != c.code || !errors.Is(err, c.class) || rentcar.OutcomeOf(err) != rentcar.OutcomeRejected ||
				failed.RequestID != lastRequest(t, g).ID {
				t.Errorf("%s, %v: got %v, want code %s", name, format, err, c.code)
			}
		}
	}
	if len(g.Renewals()) != 0 {
		t.Error("a refused submit was carried out")
	}
	submit(t, connect(t, g), submitRequest())
}
