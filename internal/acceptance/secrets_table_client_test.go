package acceptance

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// clientRows are what fails before there is a call: options, signatures, bills.
func clientRows() []leakRow {
	rows := []leakRow{{
		name: "NewClient, key and secret", covers: []string{"rentcar.NewClient"}, want: "white space",
		run: func(*testing.T, *leakStage) []any {
			return all(second(rentcar.NewClient("", markSecret.text)), second(rentcar.NewClient(leakApp, " ")),
				second(rentcar.NewClient(leakApp, markSecret.text+"\n")), second(rentcar.NewClient(" "+leakApp, markSecret.text)),
				second(rentcar.NewClient(leakApp, markSecret.text, nil)))
		},
	}, {
		name: "Sign", covers: []string{"rentcar.Sign"}, want: "secret is empty",
		run: func(*testing.T, *leakStage) []any {
			params := map[string]string{"session": markSession.text, "req": markBody.text}
			return all(second(rentcar.Sign(rentcar.MD5, "", params, []byte(markBody.text))),
				second(rentcar.Sign("none", markSecret.text, params, []byte(markBody.text))))
		},
	}, {
		name: "bill", want: "not valid",
		covers: []string{
			"rentcar.BillBuilder.Build", "rentcar.Bill.Validate", "rentcar.Bill.Split", "rentcar.Bill.LineTotal",
			"rentcar.RenewalQuoteResult.Total", "rentcar.BillNotifyRequest.Validate",
		},
		run: func(*testing.T, *leakStage) []any {
			line := rentcar.BillLine{
				OrderID: fliggy.ID(markDigits.text), OutOrderID: markBody.text + "\xff", PayTradeNo: markBody.text,
			}
			b := rentcar.Bill{
				BillNo: markBody.text, BatchNo: markBody.text + "\xff", Remark: markBody.text,
				Lines: []rentcar.BillLine{line, line},
			}
			req := &rentcar.BillNotifyRequest{Bills: []rentcar.Bill{b}, TraceID: markBody.text + "\xff"}
			return append(all(second(
				rentcar.NewBill(markBody.text, markBody.text).Income(line).Refund(line).Remark(markBody.text).Build(),
			),
				b.Validate(), second(b.Split(0, nil)), second(b.Split(1, nil)), second(b.LineTotal()),
				second(
					(&rentcar.RenewalQuoteResult{ItemID: markBody.text,
						AddedServices: []rentcar.RenewalAddedService{{ServiceName: markBody.text}}}).Total(),
				),
				second(b.Split(1, func(int) string { return markBody.text })),
				req.Validate()), b.Warnings(), req.Warnings())
		},
	}, {
		name: "scalars of package rentcar", covers: []string{"fliggy.ParseYuan", "fliggy.ParseTime"}, want: "amount in yuan",
		run: func(*testing.T, *leakStage) []any {
			return all(second(fliggy.ParseYuan(markBody.text)), second(fliggy.ParseTime(markBody.text)))
		},
		may: quotesInput(markBody),
	}, {
		name: "Client.MarshalText", covers: []string{"rentcar.Client.MarshalText"}, want: "app key " + leakApp,
		run: func(_ *testing.T, s *leakStage) []any {
			c := s.client()
			text, err := c.MarshalText()
			return append(all(err), string(text), c, []*rentcar.Client{c})
		},
	}, {
		name: "client by value and in unexported fields", covers: []string{"rentcar.NewClient"}, want: leakApp,
		run: func(_ *testing.T, s *leakStage) []any {
			values := []any{struct{ c rentcar.Client }{*s.client()}, struct{ c *rentcar.Client }{s.client()}, *s.client()}
			for i := range reflect.ValueOf(s.client()).Elem().NumField() {
				service, v := reflect.ValueOf(s.client()).Elem().Type().Field(i), reflect.ValueOf(s.client()).Elem().Field(i)
				if service.IsExported() {
					values = append(values, v.Interface(), v.Elem().Interface())
				}
			}
			return values
		},
		may: leakReasons{markURL: "fmt asks no method of it, and its addresses are no secret"},
	}}
	bad := map[string][]rentcar.Option{
		"WithEnvironment": {rentcar.WithEnvironment(77)},
		"WithPlainHTTP":   {rentcar.WithBaseURL(leakBase), rentcar.WithPlainHTTP()},
		"WithBaseURL":     {rentcar.WithBaseURL("http://gateway.test:port/?" + markURL.text)},
		"WithQimenURL":    {rentcar.WithQimenURL("http://user:" + markSecret.text + "@qimen.test/#" + markURL.text)},
		"WithHTTPClient":  {rentcar.WithHTTPClient(nil)},
		"WithTimeout":     {rentcar.WithTimeout(-1)},
		"WithReplyLimit":  {rentcar.WithReplyLimit(-1)},
		"WithSession":     {rentcar.WithSession(markSession.text), rentcar.WithSession(" ")},
		"WithSessionSource": {
			rentcar.WithSession(markSession.text),
			rentcar.WithSessionSource(func(context.Context) (string, error) { return markSession.text, nil }),
		},
		"WithChannel":    {rentcar.WithChannel(" ")},
		"WithSignMethod": {rentcar.WithSignMethod("none")},
		"WithFormat":     {rentcar.WithFormat(77)},
		"WithRetry":      {rentcar.WithRetry(rentcar.RetryPolicy{MaxAttempts: -1})},
		"WithLimiter":    {rentcar.WithLimiter(nil)},
		"WithBans":       {rentcar.WithBans(nil)},
		"WithSleep":      {rentcar.WithSleep(nil)},
		"WithClock":      {rentcar.WithClock(nil)},
		"WithLogger":     {rentcar.WithLogger(nil)},
		"WithObserver":   {rentcar.WithObserver(nil)},
		"WithWireLog":    {rentcar.WithWireLog(nil)},
		"WithTracer":     {rentcar.WithTracer(nil)},
		"WithUserAgent":  {rentcar.WithUserAgent(markBody.text + "\n")},
		"WithPartnerID":  {rentcar.WithPartnerID(markBody.text), rentcar.WithFormat(77)}, // refuses nothing itself
		"WithNames": {
			rentcar.WithNames("alitrip.rentcar.btb.order.query", rentcar.Names{Reply: map[string]string{"order_info": " "}}),
		},
	}
	for name, opts := range bad {
		rows = append(rows, leakRow{
			name: "NewClient, " + name, covers: []string{"rentcar." + name}, want: "rentcar: new client: ",
			run: func(*testing.T, *leakStage) []any {
				values := []any{opts}
				for _, o := range opts {
					values = append(values, o)
				}
				return append(values, all(second(rentcar.NewClient(leakApp, markSecret.text, opts...)))...)
			},
		})
	}
	return rows
}

// validationRows are requests that are refused before they are sent, with a marker in
// every member.
func validationRows() []leakRow {
	var rows []leakRow
	for _, call := range leakCalls {
		rows = append(rows, leakRow{
			name: "invalid request, " + call.name, covers: append([]string{"rentcar." + call.name}, call.validates...),
			want: "not valid",
			run: func(t *testing.T, s *leakStage) []any {
				s.respond = answer(200, "application/json", `{"successful":true,"biz_success":true}`)
				c := s.client()
				errs := []error{}
				for _, spoil := range spoilers {
					if call.check != nil {
						errs = append(errs, call.check(spoil))
					}
					var invalid *fliggy.ValidationError
					_, err := call.do(t.Context(), c, spoil)
					if errors.As(err, &invalid) {
						errs = append(errs, err)
					}
				}
				_, none := call.nothing(t.Context(), c)
				_, noContext := call.do(nil, c, spoil{})
				return all(append(errs, none, noContext)...)
			},
		})
	}
	query := func(t *testing.T, s *leakStage, opts ...rentcar.CallOption) error {
		s.respond = answer(200, "application/json", `{}`)
		_, err := s.client().Orders.Query(
			t.Context(), &rentcar.OrderQueryRequest{OrderID: fliggy.ID(markDigits.text)}, opts...,
		)
		return err
	}
	reason := struct {
		Reason fliggy.ID `top:"reason"`
	}{fliggy.ID(markBody.text + "\xff")}
	long := fliggy.MustYuan("4711081523424299107").Mul(fliggy.MustDecimal("1" + strings.Repeat("0", 30)))
	for name, opts := range map[string][]rentcar.CallOption{
		"CallSession":  {rentcar.CallSession(markSession.text), rentcar.CallSession("")},
		"CallTimeout":  {rentcar.CallTimeout(-time.Second)},
		"CallAttempts": {rentcar.CallAttempts(0)},
		"CallParam":    {rentcar.CallParam("p", markBody.text+"\xff"), rentcar.CallParam("session", markSession.text)},
		"CallMember": {
			rentcar.CallMember("m", json.RawMessage(markBody.text)), rentcar.CallMember("n", reason),
			rentcar.CallMember("o", []byte(markBody.text)),
			rentcar.CallMember("p", long), rentcar.CallMember("q", fliggy.Exts(markBody.text+"\xff")),
			rentcar.CallMember("r", failingMarshaler{}),
		},
		"CallRawReply":          {rentcar.CallRawReply(nil)},
		"CallWithoutValidation": {rentcar.CallWithoutValidation(), rentcar.CallMember("m", json.RawMessage(markBody.text))},
		"CallRepeatUnknown":     {rentcar.CallRepeatUnknown(), rentcar.CallAttempts(-1)},
		"CallReadOnly":          {rentcar.CallReadOnly(), rentcar.CallAttempts(-1)},
		"CallParam, the name":   {rentcar.CallParam("rent_car_b2b_query_order_req", markBody.text)},
	} {
		covers, _, _ := strings.Cut(name, ",")
		rows = append(rows, leakRow{
			name: "call option " + name, covers: []string{"rentcar." + covers}, want: "not valid",
			run: func(t *testing.T, s *leakStage) []any { return append(all(query(t, s, opts...)), opts) },
		})
	}
	return append(rows, leakRow{
		name: "parameters of a generic call", covers: []string{"rentcar.Client.Call", "rentcar.Client.CallQimen"},
		want: "not valid",
		run: func(t *testing.T, s *leakStage) []any {
			s.respond = answer(200, "application/json", `{}`)
			c := s.client()
			bad := rentcar.Params{
				"a": json.RawMessage(markBody.text), "b": markBody.text + "\xff", "c": 1.5, "d": []byte(markBody.text), "e": reason,
				"f":       long,
				"session": markSession.text, "sign": markSession.text, "g": failingMarshaler{},
				"h": []fliggy.ID{fliggy.ID(markBody.text + "\xff")},
			}
			qimen := func(req *rentcar.QimenRequest) error { return c.CallQimen(t.Context(), "x.y", req, &rentcar.Raw{}) }
			return append(all(c.Call(
				t.Context(), "x.y", bad, &rentcar.Raw{},
			), c.Call(t.Context(), " ", nil, nil), c.Call(t.Context(), "x", nil, markBody.text),
				qimen(nil), qimen(&rentcar.QimenRequest{Params: bad}),
				qimen(&rentcar.QimenRequest{TargetAppKey: "1", JSON: json.RawMessage(markBody.text)}),
				qimen(&rentcar.QimenRequest{TargetAppKey: "1", XML: []byte(markBody.text)}),
				qimen(&rentcar.QimenRequest{TargetAppKey: "1", XML: []byte("<!" + markBody.text)}),
				qimen(&rentcar.QimenRequest{TargetAppKey: "1", JSON: failingMarshaler{}, XML: []byte("<a/>")}),
				qimen(
					&rentcar.QimenRequest{TargetAppKey: "1", JSON: reason},
				), qimen(&rentcar.QimenRequest{})), rentcar.Params{"token": fliggy.NewSecret(markToken.text)})
		},
	}, leakRow{
		name:   "invalid callback",
		covers: []string{"rentcar.CallbackService.Send", "events.Callback.Validate", "events.Callback.MarshalJSON"},
		want:   "not valid",
		run: func(t *testing.T, s *leakStage) []any {
			s.respond = answer(200, "application/json", `{}`)
			c := s.client()
			cb := &events.Callback{Envelope: events.Envelope{
				EventType: events.TypeRenewalFeeRefundSucceeded, OutOrderID: markBody.text + "\xff",
				TraceID: markBody.text + "\xff",
				Extra:   map[string]json.RawMessage{"orderId": json.RawMessage(markBody.text), "x": json.RawMessage(markBody.text)},
			}, Data: events.CallbackData{
				RenewalOrderID: fliggy.ID(markBody.text), Reason: markBody.text, Amount: fliggy.MustYuan("-4711081523424299107"),
			}}
			_, err := c.Callbacks.Send(t.Context(), cb)
			_, unchecked := c.Callbacks.Send(t.Context(), cb, rentcar.CallWithoutValidation())
			_, none := c.Callbacks.Send(t.Context(), nil)
			return all(err, unchecked, none, cb.Validate(), second(cb.MarshalJSON()))
		},
	}, leakRow{
		name: "cancelled before the request is looked at", covers: []string{"rentcar.OrderService.Query"},
		want: "before sending",
		run: func(t *testing.T, s *leakStage) []any {
			ctx, cancel := context.WithCancelCause(t.Context())
			cancel(errUser)
			_, err := s.client().Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: fliggy.ID(markDigits.text)})
			return all(err)
		},
	})
}

// failingMarshaler cannot be written, and its error quotes nothing of it.
type failingMarshaler struct{}

func (failingMarshaler) MarshalJSON() ([]byte, error) {
	return nil, fmt.Errorf("no JSON: %w", errUser)
}
