package acceptance

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

var leakMethods = map[string]string{
	qimen.DefaultEventMethod: "OnEvent", qimen.RenewalPricesMethod: "OnRenewalPrices",
	qimen.RenewalSubmitMethod: "OnRenewalSubmit", qimen.RenewalCancelMethod: "OnRenewalCancel",
}

// A leakPush is a push of any method, and what becomes of it.
type leakPush struct {
	name     string
	reason   qimen.Reason
	body     func(method string) (contentType, body string)
	change   func(url.Values)
	opts     []qimen.Option
	may      leakReasons // of log and observer; never of the reply
	merchant bool        // for the methods of a merchant only
}

func asIs(string) (string, string) { return leakJSON, merchantBody("") }

func body(contentType, text string) func(string) (string, string) {
	return func(string) (string, string) { return contentType, text }
}

var leakPushes = []leakPush{
	{
		name: "user's error", reason: qimen.ReasonHandlerError, body: asIs, opts: serving(quoting),
		may: leakReasons{markCard: whyOwn},
	},
	{
		name: "plain error", reason: qimen.ReasonHandlerError, body: asIs,
		opts: serving(func(context.Context) error { return errUser }),
	},
	{
		name: "panic", reason: qimen.ReasonPanic, body: asIs,
		opts: serving(func(context.Context) error { panic(errQuoting) }), may: leakReasons{markCard: whyPanic},
	},
	{
		name: "panic with a text", reason: qimen.ReasonPanic, body: asIs,
		opts: serving(func(context.Context) error { panic(markCard.text) }), may: leakReasons{markCard: whyPanic},
	},
	{
		name: "refusal", reason: qimen.ReasonRefused, body: asIs,
		opts: serving(func(context.Context) error { return qimen.Refuse("7", "no car") }),
	},
	{name: "refusal, rendering panics", reason: qimen.ReasonPanic, body: asIs, opts: append(serving(
		func(context.Context) error { return qimen.Refuse("7", "no") },
	),
		qimen.WithReplies(
			qimen.Replies{
				qimen.ReasonRefused: {
					Status: 200, ContentType: leakJSON, Render: func(string, string) []byte { panic(markCard.text) },
				},
			},
		)), may: leakReasons{markCard: whyPanic}},
	{name: "bad reply", reason: qimen.ReasonBadReply, body: asIs, merchant: true},
	{
		name: "bad reply that is not checked", reason: qimen.ReasonBadReply, body: asIs, merchant: true,
		opts: append(serving(func(context.Context) error { return nil }), qimen.WithUncheckedReplies()),
	},
	{
		name: "unknown method", reason: qimen.ReasonUnknownMethod, body: asIs,
		change: func(q url.Values) { q.Set("method", "no.such.method") },
	},
	{name: "not JSON", reason: qimen.ReasonUndecodable, body: body(leakJSON, markPush.text)},
	{name: "cut JSON", reason: qimen.ReasonUndecodable, body: body(leakJSON, merchantBody("")[:300])},
	{
		name: "cut XML", reason: qimen.ReasonUndecodable,
		body: body("text/xml", "<r><orderId>"+markPush.text+"</orderId><"+markPush.text),
	},
	{
		name: "empty form", reason: qimen.ReasonUndecodable,
		body: body(leakForm, "session="+url.QueryEscape(markSession.text)),
	},
	{name: "no order", reason: qimen.ReasonUndecodable, body: body(leakJSON, `{"traceId":`+jsonText(markPush.text)+`}`)},
	{
		name: "order that is a list", reason: qimen.ReasonUndecodable,
		body: body(leakJSON, `{"eventType":103,"orderId":[`+jsonText(markPush.text)+`]}`),
	},
	{
		name: "times that are none", reason: qimen.ReasonUndecodable, merchant: true,
		body: body(leakJSON, merchantBody(`,"carUseTime":`+jsonText(markPush.text)+`,"cancelTime":`+jsonText(markPush.text))),
	},
	{
		name: "flag that is none", reason: qimen.ReasonUndecodable, merchant: true,
		body: body(leakJSON, merchantBody(`,"isPressureTest":`+jsonText(markPush.text))),
	},
	{
		name: "payload that fails", reason: qimen.ReasonUndecodable, body: asIs,
		opts: append(serving(quoting), qimen.WithPayload(func(*qimen.Delivery) ([]byte, error) { return nil, errUser })),
	},
	{
		name: "payload that panics", reason: qimen.ReasonPanic, body: asIs,
		opts: append(serving(quoting), qimen.WithPayload(func(*qimen.Delivery) ([]byte, error) { panic(errUser) })),
	},
	{
		name: "expired", reason: qimen.ReasonExpired, body: asIs,
		change: func(q url.Values) { q.Set("timestamp", "2020-01-01 00:00:00") },
	},
	{name: "too large", reason: qimen.ReasonTooLarge, body: asIs, opts: append(serving(quoting), qimen.WithBodyLimit(8))},
}

// handlerRows are all reasons for all methods, by Handle, over HTTP and by Work; and
// options that are refused.
func handlerRows() []leakRow {
	var rows []leakRow
	for method, on := range leakMethods {
		for _, push := range leakPushes {
			if push.merchant && on == "OnEvent" {
				continue
			}
			rows = append(rows, leakRow{
				name: on + ", " + push.name, covers: []string{"qimen." + on, "qimen.NewHandler"}, want: string(push.reason),
				mayLog: push.may,
				run: func(t *testing.T, s *leakStage) []any {
					contentType, text := push.body(method)
					p := s.push(method, contentType, text, func(q url.Values) {
						if push.change != nil {
							push.change(q)
						}
					})
					h := leakHandler(s, push.opts...)
					replies := string(h.Handle(t.Context(), p).Body)
					r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/?"+p.RawQuery, bytes.NewReader(p.Body))
					r.Header = p.Header
					w := httptest.NewRecorder()
					h.ServeHTTP(w, r)
					replies += w.Body.String()
					if d, err := h.Verify(p); err == nil && push.reason != qimen.ReasonTooLarge {
						_, _ = h.Work(t.Context(), d)
					}
					values := []any{h, p}
					for _, o := range s.observed() {
						if o, ok := o.(qimen.Observation); ok {
							values = append(values, string(o.Reason))
						}
					}
					for m, how := range leaks(map[string]string{replies: "reply"}, s.signatures()...) {
						t.Errorf("the reply holds the %s: %s", m.what, how)
					}
					return values
				},
			})
		}
	}
	for name, opt := range map[string]qimen.Option{
		"OnEvent": qimen.OnEvent(nil), "OnRenewalPrices": qimen.OnRenewalPrices(nil),
		"OnRenewalSubmit": qimen.OnRenewalSubmit(nil), "OnRenewalCancel": qimen.OnRenewalCancel(nil),
		"WithEventMethod": qimen.WithEventMethod(" "), "WithPayload": qimen.WithPayload(nil),
		"WithStore": qimen.WithStore(nil), "WithWindow": qimen.WithWindow(0),
		"WithHandlerTimeout": qimen.WithHandlerTimeout(0),
		"WithBodyLimit":      qimen.WithBodyLimit(0), "WithClock": qimen.WithClock(nil), "WithLogger": qimen.WithLogger(nil),
		"WithObserver":         qimen.WithObserver(nil),
		"WithTracer":           qimen.WithTracer(nil),
		"WithReplies":          qimen.WithReplies(qimen.Replies{"none": {Status: 1, Body: []byte(markBody.text)}}),
		"WithUncheckedReplies": qimen.WithUncheckedReplies(), // refuses nothing; without a function there is no handler
		"WithGate":             qimen.WithGate(nil), "WithoutGate": qimen.WithoutGate(), "WithoutForms": qimen.WithoutForms(),
		"WithHeaderLimit": qimen.WithHeaderLimit(0), "WithReadTimeout": qimen.WithReadTimeout(0),
		"WithAllowedClients": qimen.WithAllowedClients(),
		"WithTrustedProxies": qimen.WithTrustedProxies("no header", "0.0.0.0/0"),
	} {
		rows = append(rows, leakRow{
			name: "NewHandler, " + name, covers: []string{"qimen." + name}, want: "qimen: ",
			run: func(*testing.T, *leakStage) []any {
				return append(all(second(qimen.NewHandler(leakSecrets, opt, nil))), opt, leakSecrets)
			},
		})
	}
	return append(rows, leakRow{
		name: "requests that are no push", covers: []string{"qimen.NewHandler"}, want: string(qimen.ReasonUnreadable),
		run: func(t *testing.T, s *leakStage) []any {
			h := leakHandler(s)
			for _, r := range []*http.Request{
				httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/?session="+url.QueryEscape(markSession.text), nil),
				httptest.NewRequestWithContext(
					t.Context(), http.MethodPost, "/?session="+url.QueryEscape(markSession.text),
					io.MultiReader(strings.NewReader(markPush.text), brokenBody{errUser}),
				),
			} {
				r.Header.Set("Content-Type", leakJSON)
				h.ServeHTTP(httptest.NewRecorder(), r)
			}
			_, _ = h.Work(t.Context(), nil)
			h.Handle(t.Context(), nil)
			var reasons []any
			for _, o := range s.observed() {
				if o, ok := o.(qimen.Observation); ok {
					reasons = append(reasons, string(o.Reason))
				}
			}
			return reasons
		},
	}, leakRow{
		name:   "observer that panics, reply that cannot be written",
		covers: []string{"qimen.NewHandler", "qimen.WithObserver"}, want: "wrote",
		mayLog: leakReasons{markCard: whyPanic},
		run: func(t *testing.T, s *leakStage) []any {
			p := s.push(qimen.DefaultEventMethod, leakJSON, merchantBody(""))
			h := leakHandler(
				s,
				append(
					serving(func(context.Context) error { return nil }),
					qimen.WithObserver(func(context.Context, qimen.Observation) { panic(markCard.text) }),
				)...,
			)
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/?"+p.RawQuery, bytes.NewReader(p.Body))
			r.Header = p.Header
			h.ServeHTTP(deafWriter{httptest.NewRecorder()}, r)
			leakHandler(s).ServeHTTP(deafWriter{httptest.NewRecorder()}, r.Clone(t.Context()))
			return []any{"wrote to nobody"}
		},
	}, messageRow())
}

// deafWriter cannot be written to.
type deafWriter struct{ *httptest.ResponseRecorder }

func (deafWriter) Write([]byte) (int, error) { return 0, errors.New("nobody listens") }

// messageRow reads and writes a merchant's messages.
func messageRow() leakRow {
	bad := map[string]json.RawMessage{"x": json.RawMessage(markBody.text)}
	id, text := fliggy.ID(markBody.text+"\xff"), markBody.text+"\xff"
	messages := map[string]interface {
		json.Marshaler
		json.Unmarshaler
		Validate() error
	}{
		"RenewalPricesRequest": &qimen.RenewalPricesRequest{OrderID: id, Extra: bad},
		"RenewalSubmitRequest": &qimen.RenewalSubmitRequest{
			OrderID: id, PayTradeNo: text, RenewalOrderTotalAmount: fliggy.MustYuan("-4711081523424299107"),
		},
		"RenewalCancelRequest": &qimen.RenewalCancelRequest{OutOrderID: text, CancelMessage: text},
		"RenewalPricesReply":   &qimen.RenewalPricesReply{Price: qimen.RenewalPrice{PriceMark: text}, Extra: bad},
		"RenewalSubmitReply":   &qimen.RenewalSubmitReply{OutOrderID: text, Extra: bad},
		"RenewalCancelReply":   &qimen.RenewalCancelReply{Extra: bad},
	}
	row := leakRow{name: "messages of a merchant", want: "qimen: ", run: func(*testing.T, *leakStage) []any {
		var errs []error
		for _, m := range messages {
			errs = append(errs, m.Validate(), second(m.MarshalJSON()), second(json.Marshal(m)))
			for _, in := range []string{
				markPush.text, `{"success":` + jsonText(
					markPush.text,
				) + `}`, `{"success":true,"orderId":[` + jsonText(markPush.text) + `],"priceInfo":` + jsonText(markPush.text) +
					`,"outOrderId":{"x":` + jsonText(markPush.text) + `}}`, `{"orderId":` + jsonText(markPush.text),
				`<r><orderId><x>` + markPush.text, `{"createdTime":` + jsonText(markPush.text) + `}`,
			} {
				errs = append(errs, m.UnmarshalJSON([]byte(in)))
			}
		}
		return all(errs...)
	}}
	for name := range messages {
		for _, method := range []string{"Validate", "MarshalJSON", "UnmarshalJSON"} {
			row.covers = append(row.covers, "qimen."+name+"."+method)
		}
	}
	return row
}
