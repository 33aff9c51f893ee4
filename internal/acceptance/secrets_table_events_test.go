package acceptance

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

const whyPushName = "an error names the member that is wrong: 32 characters of a wrapper's name, 64 of another"

// hostile are payloads with a marker in every member that something is wrong with.
func hostile() []string {
	value := jsonText(markPush.text)
	payloads := []string{
		"", markPush.text, value, "[" + value + "]", `{"x":` + value, `{"x":` + value + `}` + value,
		`{"x":"` + markPush.text + "\xff\"}",
		`{"eventType":` + value + `}`, `{"eventType":"0"}`, `{"eventType":{"x":` + value + `}}`,
		`{"eventType":"1` + strings.Repeat("0", 30) + `"}`,
		`{"eventType":103,"eventData":` + value + `}`, `{"eventType":103,"eventData":[` + value + `]}`,
		`{"eventType":103,"eventData":"{` + markPushID.text + `"}`,
		`{"eventData":{"eventType":` + value + `}}`,
		`{"eventData":"{\"eventType\":` + markPushID.text + markPushID.text + `}"}`,
	}
	for _, member := range []string{"channelId", "orderId", "outOrderId", "traceId", "exts"} {
		payloads = append(
			payloads, `{"eventType":103,"`+member+`":{"x":`+value+`}}`, `{"eventType":103,"`+member+`":[`+value+`]}`,
			`{"eventType":103,"`+member+`":`+markPushID.text+`.5}`,
		)
	}
	for _, member := range []string{
		"renewalOrderId", "createdTime", "refundType", "amount", "payTradeNo", "renewalOutOrderId", "canceller", "reason",
		"deductPayTradeNo", "errorCode", "errorMessage",
	} {
		for _, wrong := range []string{value, markPushID.text + `e9`, `{"x":` + value + `}`, `[` + value + `]`} {
			for _, kind := range []events.Type{103, 104, 141, 142, 270} {
				payloads = append(payloads, fmt.Sprintf(`{"eventType":%d,"eventData":{"%s":%s}}`, kind, member, wrong))
			}
		}
	}
	return payloads
}

func eventRows() []leakRow {
	parse := func(read func([]byte) error) func(*testing.T, *leakStage) []any {
		return func(*testing.T, *leakStage) []any {
			var errs []error
			for _, payload := range hostile() {
				errs = append(errs, read([]byte(payload)))
			}
			return all(errs...)
		}
	}
	bad := map[string]json.RawMessage{
		"orderId": json.RawMessage(markPush.text), "x": json.RawMessage(markPush.text),
		"renewalOrderId": json.RawMessage(`"` + markPush.text),
	}
	head := events.Envelope{
		EventType: -1, TraceID: markPush.text + "\xff", Exts: fliggy.Exts(markPush.text + "\xff"), Extra: bad,
	}
	refund := events.FeeRefundData{
		Amount: fliggy.MustYuan("-7700112233445566779"), Reason: " ", DeductPayTradeNo: markPush.text, ExtraData: bad,
	}
	id := fliggy.ID(markPush.text + "\xff")
	made := map[string]events.Event{
		"RenewalAccepted": &events.RenewalAccepted{
			Envelope: head, RenewalOrderID: id, PayTradeNo: markPush.text, ExtraData: bad,
		},
		"RenewalRejected": &events.RenewalRejected{Envelope: head, RenewalOrderID: id, ExtraData: bad},
		"RenewalFeeRefund": &events.RenewalFeeRefund{
			Envelope: head, RenewalOrderID: id, Canceller: fliggy.CancellerMerchant, FeeRefundData: refund,
		},
		"FeeRefund": &events.FeeRefund{Envelope: head, FeeRefundData: refund},
		"Unknown":   &events.Unknown{Envelope: head, Data: json.RawMessage(markPush.text)},
	}
	rows := []leakRow{
		{
			name: "events.Parse", covers: []string{"events.Parse"}, want: "eventData: renewalOrderId",
			run: parse(func(b []byte) error { return second(events.Parse(b)) }),
		},
		{
			name: "events.ParseCallback", covers: []string{"events.ParseCallback"}, want: "eventData",
			run: parse(func(b []byte) error { return second(events.ParseCallback(b)) }),
		},
		{
			name: "names in a pushed payload", covers: []string{"events.Parse", "events.ParseCallback"}, want: "Push3dValue",
			may: leakReasons{markPush: whyPushName},
			run: func(*testing.T, *leakStage) []any {
				payload := []byte(`{"` + "Push3dValueOfTheirs" + `":{"eventType":"x"}}`)
				return all(second(events.Parse(payload)), second(events.ParseCallback(payload)))
			},
		},
		{name: "events.NewCallback", covers: []string{"events.NewCallback"}, want: "new callback", run: func(
			*testing.T, *leakStage,
		) []any {
			var errs []error
			for _, data := range []any{
				json.RawMessage(markBody.text), json.RawMessage(`{"amount":"` + markPush.text + `"}`),
				map[string]string{"x": markBody.text}, markBody.text, []byte(markBody.text),
				struct{ Amount string }{markBody.text}, struct {
					ID fliggy.ID `top:"renewalOrderId"`
				}{fliggy.ID(markBody.text + "\xff")}, struct{ X failingMarshaler }{}, make(chan int), []string{markBody.text},
				struct {
					T string `top:"amount"`
				}{markBody.text},
			} {
				errs = append(
					errs, second(events.NewCallback(events.TypeOrderCancelled, events.Order{OutOrderID: markBody.text}, data)),
				)
			}
			return all(errs...)
		}},
		{name: "events.Callback", covers: []string{
			"events.Callback.Validate", "events.Callback.MarshalJSON",
		}, want: "not valid", run: func(*testing.T, *leakStage) []any {
			var errs []error
			for _, kind := range []events.Type{-1, 270, 271, 260, 11} {
				for _, h := range []events.Envelope{head, {EventType: kind, TraceID: markPush.text + "\xff"}} {
					h.EventType = kind
					for _, extra := range []map[string]json.RawMessage{nil, bad} {
						c := &events.Callback{
							Envelope: h,
							Data: events.CallbackData{
								RenewalOrderID: id, PayTradeNo: markPush.text + "\xff", Amount: refund.Amount, ExtraData: extra,
							},
						}
						errs = append(errs, c.Validate(), second(c.MarshalJSON()))
					}
				}
			}
			return all(errs...)
		}},
	}
	for name, e := range made {
		rows = append(rows, leakRow{
			name: "events." + name, covers: []string{"events." + name + ".Validate", "events." + name + ".MarshalJSON"},
			want: "not valid",
			run: func(*testing.T, *leakStage) []any {
				errs := []error{e.Validate(), second(json.Marshal(e))}
				e.Head().Extra = nil // what else cannot be written
				return all(append(errs, e.Validate(), second(e.(json.Marshaler).MarshalJSON()))...)
			},
		})
	}
	return rows
}
