package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

const (
	leakJSON = "application/json;charset=utf-8"
	leakForm = "application/x-www-form-urlencoded;charset=utf-8"

	whyDeclared = "the content type and the method of a push are quoted, as they are no payload"
	whyPanic    = "a PanicError shows the value of the panic, to the user alone"
	whyOwn      = "the text of the user's own error goes to the user's observer and logger"
)

var leakSecrets = qimen.Secrets{leakApp: {markSecret.text, "an older one"}}

// push makes a signed push with a session and a personal value in its query.
func (s *leakStage) push(method, contentType, body string, change ...func(url.Values)) *qimen.Push {
	s.t.Helper()
	q := url.Values{
		"app_key": {leakApp}, "method": {method}, "timestamp": {leakTime().In(fliggy.Zone()).Format(time.DateTime)},
		"session": {markSession.text}, "name": {markName.text},
	}
	for _, f := range change {
		f(q)
	}
	p, err := qimen.SignPush(
		&qimen.Push{RawQuery: q.Encode(), Header: http.Header{"Content-Type": {contentType}}, Body: []byte(body)},
		markSecret.text,
	)
	if err != nil {
		s.t.Fatal(err)
	}
	s.signed(p.RawQuery)
	return p
}

// merchantBody is a request of a merchant's method, or an event, full of markers.
func merchantBody(more string) string {
	// The ids of the order are told, so that a request can be found; other ids are not.
	return `{"orderId":"3104050285204362836","outOrderId":` + jsonText(
		markPush.text,
	) + `,"carUseTime":"2023-02-04 10:00","carReturnTime":"2023-02-05 10:00",` +
		`"cancelTime":"2023-02-04 10:00:00","renewalOrderTotalAmount":"` + markPushID.text + `","priceMark":` + jsonText(
		markPush.text,
	) + `,"payTradeNo":` + jsonText(markPush.text) +
		`,"driver":` + jsonText(
		markName.text,
	) + `,"phone":"` + markPhone.text + `","eventType":103,"channelId":"amap","eventData":{"renewalOrde` +
		`rId":` + markPushID.text + `}` + more + `}`
}

// pushRows are pushes that are not accepted at all.
func pushRows() []leakRow {
	unverified := map[string]func(s *leakStage, p *qimen.Push){
		"other signature": func(_ *leakStage, p *qimen.Push) { p.Body = append(p.Body, ' ') },
		"no signature":    func(_ *leakStage, p *qimen.Push) { p.RawQuery, _, _ = strings.Cut(p.RawQuery, "&sign=") },
		"no query":        func(_ *leakStage, p *qimen.Push) { p.RawQuery = "" },
		"broken escape": func(_ *leakStage, p *qimen.Push) {
			p.RawQuery += "&" + markPush.text[:8] + "=%zz" + markPush.text[:9]
		},
		"query not ASCII": func(_ *leakStage, p *qimen.Push) { p.RawQuery += markName.text },
		"no content type": func(_ *leakStage, p *qimen.Push) { p.Header.Del("Content-Type") },
		"bytes not in GBK": func(_ *leakStage, p *qimen.Push) {
			p.Header.Set("Content-Type", "text/plain;charset=gbk")
			p.Body = append(p.Body, 0xff)
		},
		"header not ASCII": func(_ *leakStage, p *qimen.Push) {
			p.Header.Set("top-sign-list", "x")
			p.Header.Set("x", markName.text)
		},
		"too many headers": func(_ *leakStage, p *qimen.Push) {
			p.Header.Set("top-sign-list", strings.Repeat(markPush.text+",", 10_001))
		},
		"too many parameter": func(_ *leakStage, p *qimen.Push) {
			p.RawQuery += strings.Repeat("&"+markPush.text[:6]+"=1", 10_001)
		},
		"form with an escape that is broken": func(_ *leakStage, p *qimen.Push) {
			p.Header.Set("Content-Type", leakForm)
			p.Body = []byte("a=%zz" + markPush.text)
		},
	}
	verify := func(s *leakStage, p *qimen.Push) []any {
		h := leakHandler(s)
		reply := h.Handle(context.Background(), p)
		told := qimen.ExplainPush(p, markSecret.text, leakTime())
		text, err := told.MarshalJSON()
		return append(
			all(second(qimen.VerifyPush(p, leakSecrets)), second(h.Verify(p)), second(qimen.SignPush(p, markSecret.text)), err),
			p, *p, string(reply.Body), told, &told, told.Reason, string(text),
		)
	}
	var rows []leakRow
	for name, change := range unverified {
		rows = append(rows, leakRow{
			name: "push, " + name, covers: []string{
				"qimen.VerifyPush", "qimen.SignPush", "qimen.Handler.Verify", "qimen.Explanation.MarshalJSON",
			},
			want: "qimen: invalid signature",
			run: func(_ *testing.T, s *leakStage) []any {
				p := s.push(qimen.DefaultEventMethod, leakJSON, merchantBody(""))
				change(s, p)
				return verify(s, p)
			},
		})
	}
	for name, contentType := range map[string]string{
		"content type": "R3plyValueOfTheirs/x", "charset": "text/plain;charset=R3plyValueOfTheirs",
	} {
		rows = append(rows, leakRow{
			name: "push, unknown " + name, covers: []string{"qimen.VerifyPush"}, want: "R3plyValueOfTheirs",
			may: leakReasons{markReply: whyDeclared}, mayLog: leakReasons{markReply: whyDeclared},
			run: func(_ *testing.T, s *leakStage) []any {
				p := s.push(qimen.DefaultEventMethod, leakJSON, merchantBody(""))
				p.Header.Set("Content-Type", contentType)
				return verify(s, p)
			},
		})
	}
	expired := leakRow{
		name: "push, expired", covers: []string{"qimen.Delivery.CheckTime", "qimen.Handler.Verify"},
		want: "outside the window",
		run: func(_ *testing.T, s *leakStage) []any {
			var values []any
			for _, stamp := range []string{"2020-01-01 00:00:00", "2099-01-01 00:00:00", markPush.text, ""} {
				p := s.push(qimen.DefaultEventMethod, leakJSON, merchantBody(""), func(q url.Values) { q.Set("timestamp", stamp) })
				if stamp == "" {
					p = s.push(qimen.DefaultEventMethod, leakJSON, merchantBody(""), func(q url.Values) { q.Del("timestamp") })
				}
				d, err := qimen.VerifyPush(p, leakSecrets)
				if err != nil {
					return all(err)
				}
				values = append(append(values, verify(s, p)...), all(d.CheckTime(leakTime(), time.Minute))...)
				values = append(values, d, *d)
			}
			return values
		},
	}
	read := func(body io.Reader, limit int64) error {
		r := httptest.NewRequestWithContext(
			context.Background(), http.MethodPost, "/?session="+url.QueryEscape(markSession.text), body,
		)
		r.ContentLength = -1
		return second(qimen.ReadPush(httptest.NewRecorder(), r, limit))
	}
	return append(rows, expired, leakRow{
		name: "ReadPush", covers: []string{"qimen.ReadPush"}, want: "reading the body",
		run: func(*testing.T, *leakStage) []any {
			return all(
				read(strings.NewReader(markPush.text), 4), read(strings.NewReader(markPush.text), 0),
				read(io.MultiReader(strings.NewReader(markPush.text), brokenBody{errUser}), 1<<10),
			)
		},
	}, leakRow{
		name: "no secrets", covers: []string{"qimen.VerifyPush", "qimen.SignPush", "qimen.NewHandler"}, want: "secret",
		run: func(_ *testing.T, s *leakStage) []any {
			p := s.push(qimen.DefaultEventMethod, leakJSON, merchantBody(""))
			errs := []error{
				second(qimen.SignPush(p, " ")), second(qimen.SignPush(nil, markSecret.text)),
				second(qimen.VerifyPush(nil, leakSecrets)),
			}
			for _, bad := range []qimen.Secrets{
				nil, {"": {markSecret.text}}, {leakApp: nil}, {leakApp: {markSecret.text, ""}}, {leakApp: {markSecret.text + "\n"}},
			} {
				errs = append(errs, second(qimen.VerifyPush(p, bad)), second(qimen.NewHandler(bad)))
			}
			return all(errs...)
		},
	}, leakRow{
		name: "Delivery.Payload", covers: []string{"qimen.Delivery.Payload"}, want: "gateway only",
		run: func(t *testing.T, s *leakStage) []any {
			p := s.push(qimen.DefaultEventMethod, leakForm, "session="+url.QueryEscape(markSession.text))
			d, err := qimen.VerifyPush(p, leakSecrets)
			if err != nil {
				t.Fatal(err)
			}
			return append(all(second(d.Payload())), d, *d, []*qimen.Delivery{d}, map[string]qimen.Delivery{"d": *d})
		},
	}, leakRow{
		name: "refusal", covers: []string{"qimen.Refuse"}, want: "qimen: refused: 7: no car",
		run: errOf(func() error { return qimen.Refuse("7", "no car") }),
	})
}

// leakHandler serves events and a merchant's three methods, and finds everything well
// but for what opts change.
func leakHandler(s *leakStage, opts ...qimen.Option) *qimen.Handler {
	s.t.Helper()
	own := []qimen.Option{
		qimen.WithClock(leakTime), qimen.WithLogger(s.logger()),
		qimen.WithObserver(func(_ context.Context, o qimen.Observation) { s.observe(o) }),
	}
	if len(opts) == 0 {
		opts = serving(func(context.Context) error { return nil })
	}
	h, err := qimen.NewHandler(leakSecrets, append(own, opts...)...)
	if err != nil {
		s.t.Fatal(err)
	}
	return h
}

// serving registers functions that all do the same, and reply too little.
func serving(act func(context.Context) error) []qimen.Option {
	return []qimen.Option{
		qimen.OnEvent(func(ctx context.Context, _ *qimen.Delivery, _ events.Event) error { return act(ctx) }),
		qimen.OnRenewalPrices(func(
			ctx context.Context, _ *qimen.Delivery, _ *qimen.RenewalPricesRequest,
		) (*qimen.RenewalPricesReply, error) {
			return &qimen.RenewalPricesReply{Price: qimen.RenewalPrice{PriceMark: markBody.text + "\xff"}}, act(ctx)
		}),
		qimen.OnRenewalSubmit(func(
			ctx context.Context, _ *qimen.Delivery, _ *qimen.RenewalSubmitRequest,
		) (*qimen.RenewalSubmitReply, error) {
			return &qimen.RenewalSubmitReply{OutOrderID: markBody.text + "\xff"}, act(ctx)
		}),
		qimen.OnRenewalCancel(func(
			ctx context.Context, _ *qimen.Delivery, _ *qimen.RenewalCancelRequest,
		) (*qimen.RenewalCancelReply, error) {
			return &qimen.RenewalCancelReply{Extra: map[string]json.RawMessage{"x": json.RawMessage(markBody.text)}}, act(ctx)
		}),
	}
}

var errQuoting = errors.New("the user's own words: " + markCard.text)

func quoting(context.Context) error { return fmt.Errorf("in vain: %w", errQuoting) }
