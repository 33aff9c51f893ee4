package rentcar

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/jarcoal/httpmock"
)

func wireClient(t *testing.T, respond httpmock.Responder, opts ...Option) (*Client, *gatewayMock, *[]WireLog) {
	t.Helper()
	var seen []WireLog
	wire := WithWireLog(func(_ context.Context, w WireLog) { seen = append(seen, w) }, "shown")
	c, g := markedClient(t, respond, append([]Option{wire}, opts...)...)
	return c, g, &seen
}

// The wire log says what was signed and sent so that another implementation can be
// compared with it.
func TestWireLog(t *testing.T) {
	t.Parallel()
	var seen []WireLog
	wire := WithWireLog(func(_ context.Context, w WireLog) { seen = append(seen, w) }, "shown")
	c, g := clientFor(
		t, replyJSON(`{"error_response":{"code":25,"msg":"Invalid signature","sub_code":"isv.x"}}`), wire,
		WithSession("a-session"),
	)
	_, _ = queryOrder(t.Context(), c, CallParam("shown", "a b"), CallParam("hidden", "a b"))
	if len(seen) != 1 {
		t.Fatalf("%d logs", len(seen))
	}
	w, sent := seen[0], g.last(t)
	all := sent.form(t)
	for name, value := range sent.query(t) {
		all[name] = value
	}
	for _, p := range w.Params {
		if value, ok := all[p.Name]; !ok || p.Text != c.wireText(value) || p.Text.Length != len(value) {
			t.Errorf("parameter %+v; sent %q", p, value)
		}
		delete(all, p.Name)
	}
	diff(t, "parameters that are missing", 0, len(all))
	all = sent.form(t)
	for name, value := range sent.query(t) {
		all[name] = value
	}
	diff(t, "signed text", c.wireText(SignBase(all, nil)), w.SignedText)
	diff(t, "body", c.wireText(sent.body), w.Body)
	const want = `alitrip.rentcar.btb.order.query, attempt 1: POST https://gw.api.taobao.com/top/router/rest
  query app_key=12345678 (8 bytes, digest X)
  query format=json (4 bytes, digest X)
  query method=alitrip.rentcar.btb.order.query (31 bytes, digest X)
  query partner_id=rentcar-go-0.1.0-dev (20 bytes, digest X)
  query session (9 bytes, digest X)
  query sign_method=hmac-sha256 (11 bytes, digest X)
  query simplify=true (4 bytes, digest X)
  query timestamp=2023-02-03 14:00:00 (19 bytes, digest X)
  query v=2.0 (3 bytes, digest X)
  query sign (64 bytes, digest X)
  form hidden (3 bytes, digest X)
  form rent_car_b2b_query_order_req (45 bytes, digest X)
  form shown=a b (3 bytes, digest X)
  body application/x-www-form-urlencoded;charset=UTF-8 (X)
  signed with hmac-sha256: app_key format hidden method partner_id` +
		` rent_car_b2b_query_order_req session shown sign_method simplify timestamp v (X)
  reply HTTP status 200, application/json;charset=UTF-8 (X): rejected, code 25 isv.x`
	text := w.String()
	for _, p := range w.Params {
		text = strings.ReplaceAll(text, p.Text.Digest, "X")
	}
	for _, whole := range []WireText{w.Body, w.SignedText, w.Reply} {
		text = strings.ReplaceAll(text, whole.String(), "X")
	}
	diff(t, "text", want, text)

	// The same value under another secret has another digest.
	other, err := NewClient(testAppKey, "another secret")
	if err != nil || other.wireText("2.0") == c.wireText("2.0") || len(c.wireText("2.0").Digest) != 8 {
		t.Errorf("digests %v and %v, %v", c.wireText("2.0"), other.wireText("2.0"), err)
	}
}

// No secret and no value of a request or a reply gets into a wire log, however it is
// printed and whatever the call is.
func TestWireLogShowsNothingSecret(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]func(*Client) error{
		"typed": func(c *Client) error {
			_, err := c.Renewals.Submit(
				t.Context(),
				&RenewalSubmitRequest{
					OutOrderID: markerBody, RenewalOutOrderID: markerBody, ItemID: markerBody, TraceID: markerBody,
				},
				CallWithoutValidation(), CallParam("p", markerBody), CallMember("m", markerBody),
			)
			return err
		},
		"long": func(c *Client) error {
			bill := billOf(200)
			bill.Remark = markerBody
			_, err := c.Bills.Notify(t.Context(), bill, CallWithoutValidation())
			return err
		},
		"generic": func(c *Client) error { return c.Call(t.Context(), "x.y", Params{"a": markerBody}, &Raw{}) },
		"Qimen, JSON": func(c *Client) error {
			return c.CallQimen(
				t.Context(), "x.y",
				&QimenRequest{
					TargetAppKey: "1", Params: Params{"a": markerBody}, JSON: json.RawMessage(`{"a":"` + markerBody + `"}`),
				},
				&Raw{},
			)
		},
		"Qimen, XML": func(c *Client) error {
			return c.CallQimen(
				t.Context(), "x.y", &QimenRequest{TargetAppKey: "1", XML: []byte("<a>" + markerBody + "</a>")}, &Raw{},
			)
		},
	} {
		for how, respond := range map[string]httpmock.Responder{
			"success":  echo(`{"successful":true,"x":"` + markerReply + ` %s"}`),
			"refusal":  echo(`{"error_response":{"code":25,"msg":"` + markerReply + ` %s"}}`),
			"no reply": failWith(fmt.Errorf("lost")),
			"content type": func(r *http.Request) (*http.Response, error) {
				return reply(200, "text/"+r.URL.Query().Get("session")+" "+r.URL.RawQuery, markerReply)(r)
			},
		} {
			// hosts and paths are shown
			c, g, seen := wireClient(
				t, respond, WithQimenURL("http://qimen.test/?x="+markerURL), WithBaseURL("http://gateway.test/?x="+markerURL),
			)
			_ = call(c)
			if len(*seen) != 1 || g.count() != 1 {
				t.Errorf("%s, %s: %d logs of %d requests", name, how, len(*seen), g.count())
				continue
			}
			w := (*seen)[0]
			if sign := g.last(t).query(t)["sign"]; len(w.Signed) < 8 || w.SignedText.Length < 100 || w.Body.Length != len(
				g.last(t).body,
			) {
				t.Errorf("%s, %s: incomplete: %v", name, how, w)
			} else {
				var b bytes.Buffer
				slog.New(slog.NewJSONHandler(&b, nil)).Info("m", "w", w)
				markers := []string{markerSecret, markerSession, markerURL, markerBody, markerReply, sign}
				checkHidden(t, name+", "+how, w, markers...)
				checkHidden(t, name+", "+how+", text", w.String(), markers...)
				checkHidden(t, name+", "+how+", log", b.String(), markers...)
			}
		}
	}
}

// Nothing that was sent or answered begins a line of its own, and there is no blank at
// the end.
func TestWireLogLines(t *testing.T) {
	t.Parallel()
	const forged = "x\n  reply HTTP status 200"
	for body, end := range map[string]string{
		`{"error_response":{"code":25}}`:                          "rejected, code 25",
		`{"error_response":{"code":"","sub_code":"isv.unheard"}}`: "rejected, code isv.unheard",
		`{"successful":true}`:                                     "succeeded",
	} {
		c, _, seen := wireClient(t, replyJSON(body), WithSignMethod(MD5))
		_, _ = queryOrder(t.Context(), c, CallParam(forged, forged))
		text := (*seen)[0].String()
		if strings.Contains(text, forged) || strings.Count(text, "\n  reply") != 1 || !strings.HasSuffix(text, end) {
			t.Errorf("%s: %q", body, text)
		}
	}
}

// The digest is what the command of the documentation prints.
func TestWireLogDigest(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, replyJSON(okReply))
	diff(t, "digest of v", WireText{Length: 3, Digest: "9d9757af"}, c.wireText("2.0"))
}
