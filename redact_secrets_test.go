package rentcar

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar/fliggy"
)

const (
	markerSecret  = "secretmarker0123456789abcdef"
	markerSession = "session marker+/="
	markerURL     = "urlmarker"
	markerBody    = "bodymarker"
	markerReply   = "replymarker"
)

// renderings are the ways in which a value may reach a log.
func renderings(t testing.TB, v any, verbs ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, verb := range append(verbs, "%v", "%+v", "%#v") {
		out[verb] = fmt.Sprintf(verb, v)
		out["in a struct "+verb] = fmt.Sprintf(verb, struct{ Field any }{v})
	}
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("m", "v", v)
	out["slog text"] = b.String()
	b.Reset()
	slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "v", v)
	out["slog JSON"] = b.String()
	if text, err := json.Marshal(v); err == nil { // some values have no JSON, which shows nothing either
		out["JSON"] = string(text)
	}
	return out
}

func checkHidden(t testing.TB, what string, v any, markers ...string) {
	t.Helper()
	for how, text := range renderings(t, v, "%s", "%q", "%x", "%d") {
		for _, marker := range markers {
			forms := []string{marker, url.QueryEscape(marker), fmt.Sprintf("%x", marker)}
			for _, form := range forms {
				if strings.Contains(text, form) {
					t.Errorf("%s: %s shows %q: %.200s", what, how, form, text)
					return
				}
			}
		}
	}
}

// markedClient has markers in all places that must not be shown.
func markedClient(t testing.TB, respond httpmock.Responder, opts ...Option) (*Client, *gatewayMock) {
	t.Helper()
	g := newGateway(respond)
	opts = append([]Option{
		WithHTTPClient(&http.Client{Transport: g}), WithClock(testClock), WithSession(markerSession),
		WithBaseURL("http://" + markerURL + ".test/" + markerURL), WithRetry(RetryPolicy{MaxAttempts: 1}),
	}, opts...)
	c, err := NewClient(testAppKey, markerSecret, opts...)
	if err != nil {
		t.Fatal(err)
	}
	return c, g
}

// Hostile replies give back what they were sent, in the texts that errors show.
func echo(body string) httpmock.Responder {
	return func(r *http.Request) (*http.Response, error) {
		q := r.URL.Query()
		text := fmt.Sprintf("%s %s %s %s", markerSecret, q.Get("session"), q.Get("sign"), url.QueryEscape(q.Get("session")))
		return replyJSON(fmt.Sprintf(body, text))(r)
	}
}

func TestErrorsShowNothingSecret(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		respond httpmock.Responder
		verdict string
	}{
		"gateway message":     {echo(`{"error_response":{"code":25,"msg":"%s"}}`), "gateway error"},
		"gateway sub message": {echo(`{"error_response":{"code":25,"sub_msg":"%s"}}`), "gateway error"},
		"gateway sub code":    {echo(`{"error_response":{"code":25,"sub_code":"%s"}}`), "gateway error"},
		"gateway code":        {echo(`{"error_response":{"code":"%s"}}`), "gateway error"},
		"gateway request id":  {echo(`{"error_response":{"code":25,"request_id":"%s"}}`), "gateway error"},
		"business message":    {echo(`{"successful":false,"ret_msg":"%s"}`), "business error"},
		"business code":       {echo(`{"successful":false,"ret_code":"%s"}`), "business error"},
		"business request id": {echo(`{"successful":false,"request_id":"%s"}`), "business error"},
		"decode request id":   {echo(`{"request_id":"%s"}`), "decode error"},
		"decode, a name":      {echo(`{"successful":true,"%s":`), "decode error"},
		"decode, a value":     {echo(`{"successful":"%s"}`), "decode error"},
		"decode, a number":    {echo(`{"successful":true,"cancel_fee":"%s"}`), "decode error"},
		"charset": {func(r *http.Request) (*http.Response, error) {
			return reply(200, "text/plain;charset="+r.URL.Query().Get("session"), okReply)(r)
		}, "decode error"},
		"transport text": {func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("proxy could not send %s with %s", r.URL, markerSecret)
		}, "transport error"},
		"transport URL": {func(r *http.Request) (*http.Response, error) {
			return nil, fmt.Errorf("proxy: %w", &url.Error{Op: "Post", URL: r.URL.String(), Err: errors.New("broken")})
		}, "transport error"},
		"transport value": {func(r *http.Request) (*http.Response, error) {
			return nil, leaky{Text: r.URL.String()}
		}, "transport error"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, g := markedClient(t, tc.respond)
			req := &RenewalCancelRequest{OutOrderID: markerBody, CancelMessage: markerBody, ChannelID: fliggy.ChannelAmap}
			_, err := c.Renewals.Cancel(context.Background(), req)
			diff(t, "verdict", tc.verdict, verdict(err))
			checkHidden(t, "error", err, markerSecret, markerSession, g.last(t).query(t)["sign"], markerURL, markerBody)
			for e := err; e != nil; e = errors.Unwrap(e) {
				checkHidden(
					t, fmt.Sprintf("%T inside", e), e, markerSecret, markerSession, g.last(t).query(t)["sign"], markerURL, markerBody,
				)
			}
		})
	}
}

// leaky is an error of a round tripper that shows its fields.
type leaky struct{ Text string }

func (l leaky) Error() string { return "failed for " + l.Text }

var errLeak = errors.New("leak")

func (l leaky) Is(target error) bool { return target == errLeak }

// What the reply says stays out of errors about the reply.
func TestDecodeErrorsShowNoReply(t *testing.T) {
	t.Parallel()
	for _, body := range []string{
		markerReply, `"` + markerReply + `"`, `<html>` + markerReply, `["` + markerReply + `"]`,
		`{"successful":"` + markerReply + `"}`,
		`{"successful":true,"ret_msg":"` + markerReply + `"`,
		`{"successful":true,"order_info":{"total_fee":"` + markerReply + `"}}`,
		`{"successful":true,"order_info":{"create_time":"` + markerReply + `"}}`,
		`{"successful":true,"order_info":{"order_status":"` + markerReply + `"}}`,
		`{"successful":true,"order_info":"` + markerReply + `"}`, `{"successful":true,"order_info":["` + markerReply + `"]}`,
		`{"successful":true,"booking_info":{"car_type":"` + markerReply + `","days":"` + markerReply + `"}}`,
		`{"ret_msg":"` + markerReply + `"}`, `{"successful":true} ` + markerReply,
		"{\"successful\":true,\"ret_msg\":\"" + markerReply + "\xff\"}",
	} {
		c, _ := markedClient(t, replyJSON(body))
		_, err := queryOrder(context.Background(), c)
		_ = as[*DecodeError](t, err)
		checkHidden(t, body, err, markerReply)
	}
	for _, body := range []string{
		`<r><successful>` + markerReply + `</successful></r>`, `<r>` + markerReply + `</r>`, markerReply, `<r>` + markerReply,
		`<r><successful>true</successful><order_info>` + markerReply + `</order_info></r>`,
		`<r a="` + markerReply + `"><successful/></r>`,
	} {
		c, _ := markedClient(t, reply(200, xmlType, body), WithFormat(XML))
		_, err := queryOrder(context.Background(), c)
		_ = as[*DecodeError](t, err)
		checkHidden(t, body, err, markerReply)
	}
}

// A refused request is told by field and rule, never by its values.
func TestValidationErrorsShowNoValues(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c, _ := markedClient(t, replyJSON(okReply))
	_, quote := c.Renewals.Quote(
		ctx, &RenewalQuoteRequest{OrderID: markerBody, RenewalOrderID: markerBody, Exts: markerBody},
	)
	_, agency := c.Agency.CreateOrder(ctx, &AgencyCreateOrderRequest{
		AuthToken: fliggy.NewSecret(markerBody), Driver: AgencyDriver{DriverName: markerBody + "\xff"}, Extra: markerBody,
		RentFee:    markerBody,
		Promotions: []AgencyPromotion{{PromotionID: markerBody}},
	})
	generic := c.Call(ctx, "x.y", Params{"a": json.RawMessage(markerBody), "b": markerBody + "\xff"}, nil)
	_, options := queryOrder(ctx, c, CallMember("m", json.RawMessage(markerBody)), CallSession(""))
	for name, err := range map[string]error{"quote": quote, "agency": agency, "generic": generic, "options": options} {
		_ = as[*fliggy.ValidationError](t, err)
		checkHidden(t, name, err, markerBody, markerSecret, markerSession)
	}
}

func TestClientsAndOptionsShowNothingSecret(t *testing.T) {
	t.Parallel()
	c, _ := markedClient(t, replyJSON(okReply))
	session, perCall := WithSession(markerSession), CallSession(markerSession)
	cc := c.callConfig([]CallOption{perCall})
	for name, v := range map[string]any{
		"client": c, "client value": *c, "client in a slice": []*Client{c}, "client in a map": map[string]*Client{"c": c},
		"unexported client": struct{ c *Client }{c}, "unexported client value": struct{ c Client }{*c},
		"service": c.Renewals, "service value": *c.Orders, "options": []Option{session},
		"call options":         []CallOption{perCall},
		"client configuration": c.cfg, "call configuration": cc,
	} {
		checkHidden(t, name, v, markerSecret, markerSession)
	}
	want := "rentcar.Client{app key 12345678, hmac-sha256, simplified JSON}"
	diff(
		t, "text", [3]string{want, want, `"` + want + `"`},
		[3]string{c.String(), fmt.Sprintf("%+v", c), renderings(t, c)["JSON"]},
	)
	for _, bad := range []Option{
		WithBaseURL("ht!tp://" + markerURL), WithBaseURL(markerURL), WithQimenURL("http://u:" + markerURL + "@h"),
		WithUserAgent(markerURL + "\n"),
	} {
		_, err := NewClient(testAppKey, markerSecret, bad)
		if err == nil {
			t.Fatal("a bad option was taken")
		}
		checkHidden(t, "refusal", err, markerURL, markerSecret)
	}
}

// The log and the observers of failed and successful calls show none of it.
func TestLogsShowNothingSecret(t *testing.T) {
	t.Parallel()
	for _, respond := range []httpmock.Responder{
		replyJSON(okReply), echo(`{"error_response":{"code":"25 %s","msg":"m"}}`),
		echo(`{"successful":false,"ret_code":"%s"}`), echo(`{"request_id":"%s"}`),
	} {
		var b bytes.Buffer
		var seen []Observation
		c, g := markedClient(t, respond,
			WithLogger(slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug}))),
			WithObserver(func(_ context.Context, o Observation) { seen = append(seen, o) }))
		_, _ = c.Renewals.Submit(context.Background(), &RenewalSubmitRequest{OrderID: mainOrder, PayTradeNo: markerBody})
		markers := []string{markerSecret, markerSession, g.last(t).query(t)["sign"], markerURL, markerBody}
		checkHidden(t, "log", b.String(), markers...)
		checkHidden(t, "observations", seen, markers...)
		if b.Len() == 0 || len(seen) != 2 {
			t.Errorf("log %q, %d observations", b.String(), len(seen))
		}
	}
}
