package rentcar_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

func ExampleNewBill() {
	const mainOrder, mine = "3104050285204362836", "RC202212191604667539969978368"
	payTime := fliggy.MustTime("2023-02-03 19:23:32")

	bill, err := rentcar.NewBill("ID20230203", "20230203001").
		Income(rentcar.BillLine{
			OrderID: mainOrder, OutOrderID: mine, // a renewal is billed on the MAIN order
			BizType: fliggy.BillOrderFee, OrderAmount: fliggy.MustYuan("16.02"),
			PayTradeNo: "1122334411", PayTime: payTime,
		}).
		Refund(rentcar.BillLine{
			OrderID: mainOrder, OutOrderID: mine,
			BizType: fliggy.BillOrderFeeRefund, OrderAmount: fliggy.MustYuan("5.00"),
			PayTradeNo: "1122334412", PayTime: payTime,
		}).
		Build()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(bill.TotalAmount) // income less refunds, unless you set Total yourself
	// Output: 11.02
}

func ExampleWithNames() {
	const appKey, appSecret = "12345678", "0123456789abcdef0123456789abcdef"

	client, err := rentcar.NewClient(appKey, appSecret,
		rentcar.WithNames("alitrip.rentcar.btb.renewal.submit", rentcar.Names{
			Param:   "rent_car_b2b_submit_renewal_order_req",
			Request: map[string]string{"renewal_out_order_id": "out_renewal_id"},
			Reply:   map[string]string{"renewal_order_id": "fliggy_renewal_order_id"},
		}),
	)
	fmt.Println(client, err)
	// Output: rentcar.Client{app key 12345678, hmac-sha256, simplified JSON} <nil>
}

func ExampleSign() {
	params := map[string]string{"foo": "1", "bar": "2", "foo_bar": "3", "foobar": "4"}
	fmt.Println(rentcar.SignBase(params, nil))
	fmt.Println(rentcar.Sign(rentcar.MD5, "helloworld", params, nil))
	// Output:
	// bar2foo1foo_bar3foobar4
	// 5AAF1C690262A24768F5478B084C2C8A <nil>
}

func ExampleClient_events() {
	const appKey = "12345678"
	const currentSecret, previousSecret = "0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"
	client, err := rentcar.NewClient(appKey, currentSecret)
	if err != nil {
		log.Fatal(err)
	}
	markAccepted := func(context.Context, fliggy.ID) error { return nil }
	markRejected := func(_ context.Context, _ fliggy.ID, _, _ string) error { return nil }
	refund := func(_ context.Context, _ string, _ fliggy.Yuan, _ string) (bool, error) { return true, nil }

	handler, err := qimen.NewHandler(
		qimen.Secrets{appKey: {currentSecret, previousSecret}},
		qimen.OnEvent(func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
			switch e := e.(type) {
			case *events.RenewalAccepted: // 103
				return markAccepted(ctx, e.RenewalOrderID)
			case *events.RenewalRejected: // 104
				return markRejected(ctx, e.RenewalOrderID, e.ErrorCode, e.ErrorMessage)
			case *events.RenewalFeeRefund: // 142: refund the customer, then answer with the same trade number
				if err := e.SuccessCallback().Validate(); err != nil {
					return err // it could not be answered: no money moves
				}
				if !e.Amount.IsPositive() {
					return errors.New("event 142 without an amount") // no money moves on a guess
				}
				refunded, err := refund(ctx, e.RenewalOutOrderID, e.Amount, e.PayTradeNo) // once for each trade number
				if err != nil {
					return err // not settled: the reply asks Fliggy to push again
				}
				callback := e.SuccessCallback() // 270
				if !refunded {
					callback = e.FailureCallback() // 271
				}
				_, err = client.Callbacks.Send(ctx, callback)
				return err
			}
			return nil // *events.Unknown too: acknowledge it
		}),
	)
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/fliggy", handler)
	// Output:
}
