package acceptance

import (
	"context"
	"encoding"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// leakFaults are all ways in which the in-process gateway goes wrong.
func leakFaults() []fliggytest.Fault {
	return []fliggytest.Fault{
		gatewayFault("25", "m", "s", "t"), fliggytest.Unavailable(), serviceFault("isp.x", "y"),
		fliggytest.Banned(time.Hour, ""),
		refused("7", "no"), fliggytest.NoFlag(), fliggytest.Dropped(), fliggytest.CutOff(), fliggytest.TruncatedGzip(),
		fliggytest.InGBK(), fliggytest.HTTPStatus(500),
		fliggytest.RawBody(200, "application/json", []byte(markReply.text)), fliggytest.Delayed(1),
		fliggytest.Unavailable().AfterCommit(),
	}
}

func leakGateway(t *testing.T, opts ...fliggytest.Option) *fliggytest.Gateway {
	g := fliggytest.NewGateway(append([]fliggytest.Option{
		fliggytest.WithApp(leakApp, markSecret.text), fliggytest.WithSession(markSession.text),
		fliggytest.WithClock(leakTime),
	}, opts...)...)
	t.Cleanup(g.Close)
	return g
}

// gatewayRows are the in-process gateway: its faults as a client sees them, what it
// keeps of requests and pushes, and pushes that fail.
func gatewayRows() []leakRow {
	keeps := []string{"fliggytest.Gateway.Client", "fliggytest.Request.MarshalJSON", "fliggytest.Request.Decode"}
	rows := []leakRow{{
		name:   "gateway and its requests",
		covers: append(keeps, "fliggytest.Gateway.MarshalText", "fliggytest.RefusedRequest.MarshalJSON"),
		want:   "fliggytest: Decode",
		run: func(t *testing.T, s *leakStage) []any {
			g := leakGateway(t)
			values := []any{g, []*fliggytest.Gateway{g}, struct{ g *fliggytest.Gateway }{g}}
			text, err := g.MarshalText()
			values = append(values, string(text), err)
			stranger, bad := g.Client(rentcar.WithTimeout(-1))
			values = append(values, stranger)
			values = append(values, all(bad)...)
			for _, session := range []string{markSession.text, markToken.text} {
				c, err := g.Client(
					rentcar.WithSession(session), rentcar.WithLogger(s.logger()),
					rentcar.WithObserver(func(_ context.Context, o rentcar.Observation) { s.observe(o) }),
				)
				if err != nil {
					t.Fatal(err)
				}
				for _, call := range leakCalls {
					_, err := call.do(t.Context(), c, spoil{})
					if err != nil {
						values = append(values, errorTree(err)...)
					}
				}
			}
			other, err := rentcar.NewClient(
				leakApp, "another secret", rentcar.WithBaseURL(g.URL()), rentcar.WithClock(leakTime),
				rentcar.WithSession(markSession.text),
			)
			if err != nil {
				t.Fatal(err)
			}
			for _, call := range leakCalls {
				_, _ = call.do(t.Context(), other, spoil{})
			}
			if len(g.RefusedRequests()) < len(leakCalls) {
				t.Errorf("%d refusals", len(g.RefusedRequests()))
			}
			for _, r := range g.RefusedRequests() {
				json, err := r.MarshalJSON()
				values = append(values, r, &r, string(json), err)
			}
			for _, r := range g.Requests() {
				s.signed(r.RawQuery)
				json, err := r.MarshalJSON()
				values = append(values, r, &r, string(json), err)
				var wrong struct {
					OrderID fliggy.Yuan `top:"order_id"`
					OutID   fliggy.Yuan `top:"out_order_id"`
				}
				values = append(values, all(r.Decode(markBody.text), r.Decode(&wrong))...)
			}
			return values
		},
	}, {
		name: "gateway with names that fit nothing", covers: keeps[:1], want: "names",
		run: func(t *testing.T, _ *leakStage) []any {
			return all(second(leakGateway(t, fliggytest.WithNames("no.such.api", rentcar.Names{})).Client()))
		},
	}, {
		name: "decisions about nothing", want: "no such renewal",
		may: leakReasons{markPushID: "the in-process gateway names the id that it does not know"},
		covers: []string{
			"fliggytest.Gateway.Accept", "fliggytest.Gateway.Reject", "fliggytest.Gateway.RequestRefund",
			"fliggytest.Gateway.WaitPushes",
		},
		run: func(t *testing.T, _ *leakStage) []any {
			g := leakGateway(t)
			id := fliggy.ID(markPushID.text)
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(errUser)
			var values []any
			for _, res := range []fliggytest.PushResult{
				g.Accept(id), g.Reject(id, "7", markPush.text), g.RequestRefund(id, fliggytest.Refund{Reason: markPush.text}),
			} {
				values = append(append(values, res), all(res.Err)...)
			}
			return append(values, all(g.WaitPushes(ctx))...)
		},
	}, {
		name: "orders of a file", want: "orders, line 2",
		covers: []string{"fliggytest.ReadOrders", "fliggytest.WriteOrders"},
		run: func(_ *testing.T, _ *leakStage) []any {
			read := func(member string) error {
				text := `{"orders":[{"out_order_id":"1",` + "\n" + member + `}]}`
				return second(fliggytest.ReadOrders(strings.NewReader(text)))
			}
			order := fliggytest.Order{OutOrderID: "\xff" + markPush.text}
			return all(
				read(`"order_info":{"total_fee":"`+markPush.text+`"}`), read(`"cancel_fee":{"a":"`+markPush.text+`"}`),
				read(`"booking_info":{"car_use_time":"`+markPush.text+`"}`), read(`"`+markPush.text+`"`),
				fliggytest.WriteOrders(io.Discard, []fliggytest.Order{order}),
			)
		},
	}, {
		name: "pushes that fail",
		covers: []string{
			"fliggytest.Gateway.Push", "fliggytest.Gateway.PushRaw", "fliggytest.Gateway.Pushes",
			"fliggytest.PushResult.MarshalJSON",
		},
		want: "fliggytest: ",
		run: func(t *testing.T, s *leakStage) []any {
			g := leakGateway(t)
			var values []any
			push := func(how fliggytest.Push) {
				event := &events.RenewalRejected{
					Envelope: events.Envelope{OutOrderID: markPush.text}, RenewalOrderID: fliggy.ID(markPushID.text),
					ErrorMessage: markName.text,
				}
				how.Params = map[string]string{"session": markSession.text}
				for _, res := range []fliggytest.PushResult{
					g.Push(t.Context(), event, how), g.PushRaw(t.Context(), []byte(markPush.text), how), g.Push(t.Context(), nil),
				} {
					values = append(append(values, res), all(res.Err)...)
				}
				event.ErrorMessage += "\xff"
				values = append(values, all(g.Push(t.Context(), event, how).Err)...)
			}
			push(fliggytest.Push{})
			for _, to := range []string{
				"http://[::1" + markURL.text, markURL.text, "http://127.0.0.1:0/?x=" + url.QueryEscape(markURL.text),
				"http://127.0.0.1:0/?x=%zz" + markURL.text[:8],
			} {
				g.PushTo(to)
				push(fliggytest.Push{})
			}
			for _, h := range []http.HandlerFunc{
				func(http.ResponseWriter, *http.Request) { panic(errUser) },
				func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
				leakHandler(s, serving(quoting)...).ServeHTTP,
			} {
				g.PushToHandler(h)
				push(fliggytest.Push{})
				push(fliggytest.Push{ContentType: "none"})
				push(fliggytest.Push{BadSignature: true})
			}
			for _, p := range g.Pushes() {
				s.signed(p.RawQuery)
				json, err := p.MarshalJSON()
				values = append(values, p, &p, string(json), err)
			}
			return values
		},
		mayLog: leakReasons{markCard: whyOwn},
	}}
	for _, f := range leakFaults() {
		rows = append(rows, leakRow{
			name: "fault " + f.String(), covers: keeps[:1], want: f.String(),
			run: func(t *testing.T, s *leakStage) []any {
				g := leakGateway(t)
				g.Fail(f.Always())
				c, err := g.Client(
					rentcar.WithLogger(s.logger()),
					rentcar.WithObserver(func(_ context.Context, o rentcar.Observation) { s.observe(o) }),
					rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: 1}),
				)
				if err != nil {
					t.Fatal(err)
				}
				values := []any{f.String(), f}
				for _, call := range leakCalls {
					if !strings.HasPrefix(call.name, "RenewalService.") {
						continue
					}
					if _, err := call.do(t.Context(), c, spoil{}); err != nil {
						values = append(values, errorTree(err)...)
					}
				}
				for _, r := range g.Requests() {
					s.signed(r.RawQuery)
					values = append(values, r)
				}
				return values
			},
		})
	}
	return rows
}

// printRows are values that hold a secret, a signature or personal data, and print
// none of it.
func printRows() []leakRow {
	return []leakRow{{
		name: "values that hold personal data", want: "agent order A1",
		covers: []string{
			"rentcar.AgencyDriver.MarshalJSON", "qimen.Secrets.MarshalText", "qimen.Push.MarshalJSON",
			"qimen.Delivery.MarshalJSON", "qimen.Handler.MarshalJSON",
		},
		run: func(t *testing.T, s *leakStage) []any {
			driver := rentcar.AgencyDriver{
				DriverName: markName.text, MobilePhone: markPhone.text, Email: markMail.text, DriverIDCard: markCard.text,
				DrivingLicense: markCard.text,
			}
			order := rentcar.AgencyCreateOrderRequest{
				AgentOrderNo: "A1", AuthToken: fliggy.NewSecret(markToken.text), Driver: driver,
			}
			p := s.push(qimen.DefaultEventMethod, leakForm, "name="+url.QueryEscape(markName.text))
			d, err := qimen.VerifyPush(p, leakSecrets)
			if err != nil {
				t.Fatal(err)
			}
			h := leakHandler(s)
			type typed struct {
				Secrets  qimen.Secrets
				Push     qimen.Push
				Delivery *qimen.Delivery
				Driver   rentcar.AgencyDriver
				Order    rentcar.AgencyCreateOrderRequest
				Token    fliggy.Secret
				Handler  *qimen.Handler
			}
			all := typed{leakSecrets, *p, d, driver, order, order.AuthToken, h}
			values := []any{driver, order, []rentcar.AgencyDriver{driver},
				map[string]rentcar.AgencyCreateOrderRequest{"k": order}, order.AuthToken, leakSecrets, p, *p, d, *d, h, *h,
				all, &all, []typed{all}, map[string]typed{"k": all}, struct {
					token  fliggy.Secret
					secret *fliggy.Secret
					h      *qimen.Handler
					v      qimen.Handler
				}{order.AuthToken, &order.AuthToken, h,
					*h}, rentcar.CallSession(markSession.text), rentcar.WithSession(markSession.text),
				fliggytest.WithApp(leakApp, markSecret.text), fliggytest.WithSession(markSession.text)}
			for _, m := range []any{driver, leakSecrets, p, d, h, order, order.AuthToken, all, &leakSecrets} {
				text, err := json.Marshal(m)
				values = append(values, string(text), err)
			}
			for _, m := range []encoding.TextMarshaler{leakSecrets, order.AuthToken} { // what YAML, TOML and XML ask
				text, err := m.MarshalText()
				values = append(values, string(text), err)
			}
			return values
		},
	}}
}
