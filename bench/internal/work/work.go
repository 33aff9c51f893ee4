// Package work holds what the contestants work on: the same requests, replies and
// pushes for everybody, and a gateway that costs nothing.
package work

import (
	"bytes"
	_ "embed"
	"fmt"
	"net/url"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// The app that calls and is pushed to.
const (
	AppKey = "12345678"
	Secret = "0123456789abcdef0123456789abcdef"
)

// The replies of the gateway.
var (
	//go:embed data/order.json
	OrderJSON []byte // order.query, 4 KB
	//go:embed data/order.xml
	OrderXML []byte // the same order
	//go:embed data/checkcancel.json
	CheckCancelJSON []byte // renewal.checkcancel
	//go:embed data/done.json
	DoneJSON []byte // bill.notify
)

// eventJSON is the payload of a push: event 142, a fee to refund.
//
//go:embed data/event.json
var eventJSON []byte

// CheckCancel is the request of the small call.
func CheckCancel() *rentcar.RenewalCheckCancelRequest {
	return &rentcar.RenewalCheckCancelRequest{
		OrderID: "3104050285204362836", OutOrderID: "RC202212191604667539969978361", RenewalOrderID: "3187983531024266527",
		ChannelID: fliggy.ChannelAmap, TraceID: "2147b72e16691938918672871ef815", Exts: `{"key":"value"}`,
	}
}

// OrderQuery is the request of the large call.
func OrderQuery() *rentcar.OrderQueryRequest {
	return &rentcar.OrderQueryRequest{
		OrderID: "3104050285204362836", OutOrderID: "RC202212191604667539969978368",
		ChannelID: fliggy.ChannelAmap, TraceID: "2147b72e16691938918672871ef815", Exts: `{"key":"value"}`,
	}
}

// Bill is a bill of so many lines, all of their members set.
func Bill(lines int) *rentcar.BillNotifyRequest {
	start := fliggy.MustTime("2023-02-03 09:00:00").Time
	bill := rentcar.Bill{
		BillNo: "ID20230203", BatchNo: "20230203001", Remark: "二月第一周", Lines: make([]rentcar.BillLine, lines),
	}
	for i := range bill.Lines {
		fen := int64(1600 + i*37%90000)
		bill.Lines[i] = rentcar.BillLine{
			OrderID:                   fliggy.ID(fmt.Sprintf("31040502852%08d", i)),
			OutOrderID:                fmt.Sprintf("RC2022121916046675%011d", i),
			TradeType:                 fliggy.TradeType(1),
			BizType:                   fliggy.BillBizType(10),
			OrderAmount:               fliggy.FenOf(fen).Yuan(),
			PayTradeNo:                fmt.Sprintf("2022121916046675399699%08d", i),
			PayTime:                   fliggy.At(start.Add(time.Duration(i) * time.Second)),
			PayType:                   fliggy.PayType(1),
			CustomerPaidAmount:        fliggy.FenOf(fen - 100).Yuan(),
			RealConsumeAmount:         fliggy.FenOf(fen).Yuan(),
			DiscountAmount:            fliggy.FenOf(60).Yuan(),
			DistributorDiscountAmount: fliggy.FenOf(40).Yuan(),
			CommissionAmount:          fliggy.FenOf(fen / 10).Yuan(),
			PayChannelAmount:          fliggy.FenOf(fen / 100).Yuan(),
			OrderStatus:               "已完成",
			Ext:                       `{"key":"value"}`,
		}
	}
	bill.TotalAmount, _ = bill.LineTotal()
	return &rentcar.BillNotifyRequest{
		Bills: []rentcar.Bill{bill}, ChannelID: fliggy.ChannelAmap,
		TraceID: "2147b72e16691938918672871ef815", Exts: `{"key":"value"}`,
	}
}

// SignedParams are the twelve parameters of a call that are signed, business among
// them.
func SignedParams(business string) map[string]string {
	return map[string]string{
		"method": "alitrip.rentcar.btb.bill.notify", "app_key": AppKey, "timestamp": "2023-02-03 14:00:00", "v": "2.0",
		"sign_method": "md5", "format": "json", "simplify": "true",
		"session":    "6100e23b4b1e5a6d7c8f9012a3b4c5d6e7f8091a2b3c4d5",
		"partner_id": "rentcar-go", "target_app_key": "87654321", "trace_id": "2147b72e16691938918672871ef815",
		"rent_car_b2b_distribution_bill_req": business,
	}
}

// Pushes are events 142 as the Qimen gateway delivers them, signed at the time given,
// each of an order of its own.
func Pushes(now time.Time, n int) ([]*qimen.Push, error) {
	pushes := make([]*qimen.Push, n)
	for i := range pushes {
		var err error
		if pushes[i], err = Push(now, Event(i)); err != nil {
			return nil, err
		}
	}
	return pushes, nil
}

// Push is an event as the Qimen gateway delivers it, signed at the time given.
func Push(now time.Time, event []byte) (*qimen.Push, error) {
	query := url.Values{
		"app_key": {AppKey}, "method": {qimen.DefaultEventMethod}, "timestamp": {fliggy.At(now).String()},
		"v": {"2.0"}, "format": {"json"}, "sign_method": {"md5"},
	}.Encode()
	header := map[string][]string{"Content-Type": {"application/json;charset=utf-8"}}
	return qimen.SignPush(&qimen.Push{RawQuery: query, Header: header, Body: event}, Secret)
}

// Event is the payload of a push, event 142 of the i-th order: a fee to refund.
func Event(i int) []byte {
	return bytes.Replace(eventJSON, []byte("3104050285204362836"), fmt.Appendf(nil, "31040502852%08d", i), 1)
}
