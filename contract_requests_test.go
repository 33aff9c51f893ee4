package rentcar

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

const ruleDigits = "must be digits without a leading zero: the platform takes a number here"

// Every request with everything wrong at once, and with nothing wrong.
func TestValidation(t *testing.T) {
	t.Parallel()
	const required, object = "is required", "must be the text of a JSON object"
	early, late := fliggy.MustTime("2022-11-22 10:22:00"), fliggy.MustTime("2022-11-23 10:22:00")
	for name, tc := range map[string]struct {
		method string
		req    interface{ Validate() error }
		want   []fliggy.Problem // nil for a request that is in order
	}{
		"quote": {opRenewalQuote.Method, &RenewalQuoteRequest{RenewalOrderID: "x", Exts: "x"}, []fliggy.Problem{
			{Field: "order_id", Rule: required}, {Field: "car_use_time", Rule: required},
			{Field: "car_return_time", Rule: required},
			{Field: "renewal_order_id", Rule: ruleDigits}, {Field: "exts", Rule: object},
		}},
		"quote, times": {opRenewalQuote.Method, &RenewalQuoteRequest{
			OrderID: "0123", CarUseTime: late, CarReturnTime: early,
		}, []fliggy.Problem{
			{Field: "order_id", Rule: ruleDigits}, {Field: "car_return_time", Rule: "must be after car_use_time"},
		}},
		"quote, same times": {opRenewalQuote.Method, &RenewalQuoteRequest{
			OrderID: "1", CarUseTime: late, CarReturnTime: late,
		}, []fliggy.Problem{
			{Field: "car_return_time", Rule: "must be after car_use_time"},
		}},
		"quote, in order": {opRenewalQuote.Method, someQuote(), nil},
		"submit": {opRenewalSubmit.Method, &RenewalSubmitRequest{
			CarUseTime: late, CarReturnTime: early, TotalFee: fliggy.MustYuan("-0.01"), Payment: fliggy.MustYuan("-1"),
			Exts: "[]", TraceID: "\xff",
		}, []fliggy.Problem{
			{Field: "order_id", Rule: required}, {Field: "trace_id", Rule: "not valid UTF-8"}, {Field: "exts", Rule: object},
			{Field: "car_return_time", Rule: "must be after car_use_time"}, {Field: "total_fee", Rule: "must not be negative"},
			{Field: "payment", Rule: "must not be negative"},
		}},
		"submit, service": {opRenewalSubmit.Method, &RenewalSubmitRequest{
			OrderID: "1", SelectedServices: []string{"21", "\xff"},
		}, []fliggy.Problem{
			{Field: "select_add_services[1]", Rule: "not valid UTF-8"},
		}},
		"submit, as little as can be": {opRenewalSubmit.Method, &RenewalSubmitRequest{OrderID: "1"}, nil},
		"submit, free": {
			opRenewalSubmit.Method,
			&RenewalSubmitRequest{OrderID: "1", TotalFee: fliggy.MustYuan("0.00"), Payment: fliggy.MustYuan("0")}, nil,
		},
		"checkcancel": {opRenewalCheckCancel.Method, &RenewalCheckCancelRequest{Exts: "null!"}, []fliggy.Problem{
			{Field: "exts", Rule: object},
			{Field: "renewal_order_id", Rule: "one of renewal_order_id, out_order_id and order_id is required"},
		}},
		"checkcancel, ids": {opRenewalCheckCancel.Method, &RenewalCheckCancelRequest{
			OrderID: "a", RenewalOrderID: " 1",
		}, []fliggy.Problem{
			{Field: "order_id", Rule: ruleDigits}, {Field: "renewal_order_id", Rule: ruleDigits},
		}},
		"checkcancel by own id": {opRenewalCheckCancel.Method, &RenewalCheckCancelRequest{OutOrderID: outRenewal}, nil},
		"checkcancel by order":  {opRenewalCheckCancel.Method, &RenewalCheckCancelRequest{OrderID: "1"}, nil},
		"cancel": {opRenewalCancel.Method, &RenewalCancelRequest{CancelFee: fliggy.MustYuan("-5")}, []fliggy.Problem{
			{Field: "renewal_order_id", Rule: "one of renewal_order_id, out_order_id and order_id is required"},
			{Field: "cancel_fee", Rule: "must not be negative"},
		}},
		"cancel by renewal order": {opRenewalCancel.Method, &RenewalCancelRequest{RenewalOrderID: "1"}, nil},
		"query": {opOrderQuery.Method, &OrderQueryRequest{Exts: "a"}, []fliggy.Problem{
			{Field: "channel_id", Rule: required}, {Field: "exts", Rule: object},
			{Field: "order_id", Rule: "one of order_id and out_order_id is required"},
		}},
		"query, blank channel": {
			opOrderQuery.Method, &OrderQueryRequest{OutOrderID: "a", ChannelID: " "},
			[]fliggy.Problem{{Field: "channel_id", Rule: "is required, got white space only"}},
		},
		"query by own id": {
			opOrderQuery.Method, &OrderQueryRequest{OutOrderID: "a", ChannelID: fliggy.ChannelAmap}, nil,
		},
		// text here, and a new channel
		"query, no digits": {opOrderQuery.Method, &OrderQueryRequest{OrderID: "fz2939293", ChannelID: "90001"}, nil},
		"order.cancelcheck": {
			opOrderCheckCancel.Method, &OrderCheckCancelRequest{},
			[]fliggy.Problem{
				{Field: "order_id", Rule: required}, {Field: "out_order_id", Rule: required}, {Field: "channel_id", Rule: required},
			},
		},
		"order.cancelcheck, blanks": {
			opOrderCheckCancel.Method, &OrderCheckCancelRequest{OrderID: "1", OutOrderID: "\t", ChannelID: fliggy.ChannelAmap},
			[]fliggy.Problem{{Field: "out_order_id", Rule: "is required, got white space only"}},
		},
		"bills": {
			opBillNotify.Method, &BillNotifyRequest{},
			[]fliggy.Problem{{Field: "channel_id", Rule: required}, {Field: "distributor_bill_list", Rule: "must hold a bill"}},
		},
		"callback": {
			opCallback.Method, validated{&CallbackRequest{Exts: "x"}},
			[]fliggy.Problem{{Field: "event_data", Rule: required}, {Field: "exts", Rule: object}},
		},
		"agency create": {opAgencyCreateOrder.Method, &AgencyCreateOrderRequest{
			RentFee: "3 yuan", Extra: "x", UseCarTime: fliggy.LocalTime{Year: 2024, Month: 13, Day: 1},
			Promotions: []AgencyPromotion{{}, {PromotionID: "a", ZZCPromotionID: "b", FliggyPromotionID: "c"}},
		}, []fliggy.Problem{
			{Field: "agent_order_no", Rule: required}, {Field: "rent_fee", Rule: "*"},
			{Field: "promotion_list[1].promotion_id", Rule: ruleDigits},
			{Field: "promotion_list[1].zzc_promotion_id", Rule: ruleDigits},
			{Field: "promotion_list[1].fliggy_promotion_id", Rule: ruleDigits}, {Field: "use_car_time", Rule: "*"},
			{Field: "extra", Rule: object},
		}},
		"agency create, in order": {
			opAgencyCreateOrder.Method,
			&AgencyCreateOrderRequest{AgentOrderNo: "1", BizStatus: ptr(fliggy.AgencyUnpaid), Extra: "null"},
			[]fliggy.Problem{{Field: "extra", Rule: object}},
		},
		"agency update": {
			opAgencyUpdateOrder.Method, &AgencyUpdateOrderRequest{Extra: "[]"},
			[]fliggy.Problem{
				{Field: "agent_order_no", Rule: "one of agent_order_no and fliggy_order_id is required"},
				{Field: "extra", Rule: object},
			},
		},
		"agency update by Fliggy": {opAgencyUpdateOrder.Method, &AgencyUpdateOrderRequest{FliggyOrderID: "fz1"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := tc.req.Validate()
			if tc.want == nil {
				if err != nil {
					t.Error(err)
				}
				return
			}
			got := as[*fliggy.ValidationError](t, err)
			if got == nil {
				return
			}
			for i, p := range tc.want { // a scalar's own words are its package's business
				if p.Rule == "*" && i < len(got.Problems) && got.Problems[i].Rule != "" {
					tc.want[i].Rule = got.Problems[i].Rule
				}
			}
			diff(t, "error", &fliggy.ValidationError{Method: tc.method, Problems: tc.want}, got)
			for _, p := range tc.want {
				if !strings.Contains(err.Error(), p.Field+": "+p.Rule) {
					t.Errorf("the text lacks %v: %v", p, err)
				}
			}
		})
	}
}

// validated gives a Validate to a request that has none of its own.
type validated struct{ req *CallbackRequest }

func (v validated) Validate() error { return validate(api.Callback, v.req) }

// A nil request is refused by every method, and by Validate.
func TestNilRequests(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c, g := clientFor(t, replyJSON(okReply))
	errs := map[string]error{
		"quote":  (*RenewalQuoteRequest)(nil).Validate(),
		"submit": (*RenewalSubmitRequest)(nil).Validate(),
		"update": (*AgencyUpdateOrderRequest)(nil).Validate(),
		"bill":   (*Bill)(nil).Validate(),
	}
	note := func(name string, err error) { errs["client, "+name] = err }
	_, err := c.Renewals.Quote(ctx, nil)
	note("quote", err)
	_, err = c.Renewals.Submit(ctx, nil)
	note("submit", err)
	_, err = c.Renewals.CheckCancel(ctx, nil)
	note("check cancel", err)
	_, err = c.Renewals.Cancel(ctx, nil)
	note("cancel", err)
	_, err = c.Orders.Query(ctx, nil)
	note("query", err)
	_, err = c.Orders.CheckCancel(ctx, nil)
	note("order check", err)
	_, err = c.Bills.Notify(ctx, nil)
	note("bill", err)
	_, err = c.Bills.NotifyAll(ctx, nil)
	note("bills", err)
	_, err = c.Callbacks.Send(ctx, nil)
	note("callback", err)
	_, err = c.Agency.CreateOrder(ctx, nil)
	note("create", err)
	_, err = c.Agency.UpdateOrder(ctx, nil)
	note("update", err)
	for name, err := range errs {
		e := as[*fliggy.ValidationError](t, err)
		if e == nil || len(e.Problems) != 1 || e.Problems[0].Rule != "must not be nil" || e.Method == "" {
			t.Errorf("%s: %v", name, err)
		}
	}
	if g.count() != 0 {
		t.Errorf("%d requests were sent", g.count())
	}
}

// An id is written as each API documents it, whatever its length.
func TestIDForms(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	c, g := clientFor(t, replyJSON(`{"successful":true}`))
	for _, id := range []fliggy.ID{
		"0", "7", "523412312", "9223372036854775807", "9223372036854775808", "31879835310242665270000000000001",
	} {
		if _, err := c.Renewals.Cancel(ctx, &RenewalCancelRequest{RenewalOrderID: id}); err != nil {
			t.Fatal(err)
		}
		diff(t, "a number", fmt.Sprintf(`{"renewal_order_id":%s}`, id), g.last(t).form(t)[opRenewalCancel.Param])
		if _, err := c.Orders.Query(ctx, &OrderQueryRequest{OrderID: id, ChannelID: fliggy.ChannelAmap}); err != nil {
			t.Fatal(err)
		}
		diff(t, "text", fmt.Sprintf(`{"order_id":"%s","channel_id":"80001"}`, id), g.last(t).form(t)[opOrderQuery.Param])
	}
	for _, id := range []fliggy.ID{
		"a", "12a", "007", "00", "+7", "7 ", " 7", "１２", "0x7", "7.", ".7", "1_000", "1.5", "1e3", "-3",
	} {
		if _, err := c.Renewals.Cancel(ctx, &RenewalCancelRequest{RenewalOrderID: id}); !isA[*fliggy.ValidationError](err) {
			t.Errorf("%q where a number is due: %v", id, err)
		}
	}
	// In replies both forms are read, and all digits survive.
	for _, form := range []string{`3187983531024266527`, `"3187983531024266527"`, `" 3187983531024266527"`} {
		c, _ := clientFor(t, replyJSON(`{"successful":true,"renewal_order_id":`+form+`}`))
		res, err := c.Renewals.Submit(ctx, &RenewalSubmitRequest{OrderID: "1"})
		if err != nil || strings.TrimSpace(string(res.RenewalOrderID)) != "3187983531024266527" {
			t.Errorf("%s: %v, %v", form, res, err)
		}
	}
	for _, form := range []string{`1.5`, `1e3`, `true`, `{}`, `[]`} {
		c, _ := clientFor(t, replyJSON(`{"successful":true,"renewal_order_id":`+form+`}`))
		if _, err := c.Renewals.Submit(ctx, &RenewalSubmitRequest{OrderID: "1"}); !isA[*DecodeError](err) {
			t.Errorf("%s as an id: %v", form, err)
		}
	}
}

// Zero is an amount, unset is none; scales stay.
func TestAmounts(t *testing.T) {
	t.Parallel()
	c, g := clientFor(t, replyJSON(`{"successful":true,"cancel_fee":"10.00"}`))
	for fee, want := range map[fliggy.Yuan]string{
		{}: `{"order_id":1}`, fliggy.MustYuan("0"): `{"order_id":1,"cancel_fee":"0"}`,
		fliggy.MustYuan("0.00"): `{"order_id":1,"cancel_fee":"0.00"}`,
		fliggy.MustYuan("5.50"): `{"order_id":1,"cancel_fee":"5.50"}`,
	} {
		res, err := c.Renewals.Cancel(context.Background(), &RenewalCancelRequest{OrderID: "1", CancelFee: fee})
		if err != nil || res.CancelFee.String() != "10.00" {
			t.Fatalf("%v: %v, %v", fee, res, err)
		}
		diff(t, "request", want, g.last(t).form(t)[opRenewalCancel.Param])
	}
	agency, g := clientFor(t, replyJSON(`{"biz_success":true}`))
	for fee, want := range map[fliggy.Fen]string{
		{}: `{"agent_order_no":"1"}`, fliggy.FenOf(0): `{"agent_order_no":"1","refund_amount":0}`,
	} {
		if _, err := agency.Agency.UpdateOrder(
			context.Background(), &AgencyUpdateOrderRequest{AgentOrderNo: "1", RefundAmount: fee},
		); err != nil {
			t.Fatal(err)
		}
		diff(t, "request", want, g.last(t).form(t)[opAgencyUpdateOrder.Param])
	}
	for unset, want := range map[string]string{`null`: "", `""`: "", `"0.00"`: "0.00", `0`: "0", `5.10`: "5.10"} {
		c, _ := clientFor(t, replyJSON(`{"successful":true,"cancel_fee":`+unset+`}`))
		res, err := cancelRenewal(context.Background(), c)
		if err != nil || res.CancelFee.String() != want || res.CancelFee.IsSet() != (want != "") {
			t.Errorf("%s: %+v, %v", unset, res, err)
		}
	}
}

// Times are China time from any zone; the agency's wall clocks are nobody's.
func TestTimesAndZones(t *testing.T) {
	t.Parallel()
	honolulu := time.FixedZone("HST", -10*3600)
	pickUp := time.Date(2024, 11, 5, 19, 42, 29, 123456789, honolulu)
	c, g := clientFor(t, replyJSON(`{"biz_success":true}`))
	_, err := c.Agency.CreateOrder(context.Background(), &AgencyCreateOrderRequest{
		AgentOrderNo: "1", PayTime: fliggy.Time{Time: pickUp}, CreateOrderTime: fliggy.At(pickUp),
		UseCarTime:    fliggy.LocalTimeOf(pickUp),
		ReturnCarTime: fliggy.LocalTime{Year: 2024, Month: 11, Day: 6, Hour: 23, Minute: 59, Second: 59},
	})
	if err != nil {
		t.Fatal(err)
	}
	diff(t, "request", `{"agent_order_no":"1","create_order_time":"2024-11-06 13:42:29","pay_time":"2024-11-06 13:42:29",`+
		`"use_car_time":"2024-11-05 19:42:29","return_car_time":"2024-11-06 `+
		`23:59:59"}`, g.last(t).form(t)[opAgencyCreateOrder.Param])

	orders, _ := clientFor(
		t, replyJSON(`{"successful":true,"order_info":{"pay_time":"2022-11-24 00:30:00","create_time":1669220000000}}`),
	)
	res, err := queryOrder(context.Background(), orders)
	if err != nil {
		t.Fatal(err)
	}
	if !res.Info.PayTime.Equal(
		time.Date(2022, 11, 23, 16, 30, 0, 0, time.UTC),
	) || res.Info.CreateTime.UnixMilli() != 1669220000000 {
		t.Errorf("times %v, %v", res.Info.PayTime, res.Info.CreateTime)
	}
}
