package docs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"sync/atomic"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// The whole life of a renewal: quote, submit, event 103, cancellation, a refund and the bill.
func Example_distributor() {
	ctx := context.Background()
	var passed atomic.Int64 // since the start, in nanoseconds
	now := func() time.Time {
		return time.Date(2022, 11, 20, 10, 0, 0, 0, fliggy.Zone()).Add(time.Duration(passed.Load()))
	}
	gw := fliggytest.NewGateway(fliggytest.WithClock(now))
	defer gw.Close()
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}
	const mainOrder, mine = "3104050285204362836", "RC202212191604667539969978368"
	const myRenewal, payTradeNo = "RC202212191604667539969978361", "2022112222001492421107773"
	payBack := func(_ context.Context, amount fliggy.Yuan, tradeNo string) (bool, error) {
		fmt.Println("pay back", amount, "for", tradeNo)
		return true, nil
	}

	order, err := client.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: mainOrder})
	if err != nil {
		log.Fatal(err)
	}
	if !order.SupportsRenewal() { // service_type holds 3
		log.Fatal("this order cannot be renewed")
	}

	from := order.Booking.CarReturnTime // the renewal starts where the rental ends
	to := fliggy.At(from.Add(24*time.Hour + 30*time.Minute))
	quote, err := client.Renewals.Quote(ctx, &rentcar.RenewalQuoteRequest{
		OrderID: mainOrder, CarUseTime: from, CarReturnTime: to,
	})
	if err != nil {
		log.Fatal(err)
	}
	total, err := quote.Total()
	if err != nil {
		log.Fatal(err) // an amount is missing: it is unset, not 0
	}
	if len(quote.Warnings) > 0 {
		log.Fatal(quote.Warnings) // something else is missing: no money moves on a guess
	}

	request := &rentcar.RenewalSubmitRequest{
		OrderID: mainOrder, OutOrderID: mine,
		RenewalOutOrderID: myRenewal, // chosen and stored before the call, and never used again
		ItemID:            quote.ItemID, CarUseTime: from, CarReturnTime: to,
		TotalFee: total, Payment: total, PayTradeNo: payTradeNo,
	}
	renewal, err := client.Renewals.Submit(ctx, request)
	if errors.Is(err, rentcar.ErrOutcomeUnknown) {
		log.Fatal("do not submit again: ", err) // Renewals.Settle finds out
	}
	if err != nil {
		log.Fatal(err) // not sent, or refused
	}

	onEvent := func(ctx context.Context, d *qimen.Delivery, e events.Event) error {
		switch e := e.(type) {
		case *events.RenewalAccepted: // 103
			fmt.Println("accepted:", e.RenewalOrderID == renewal.RenewalOrderID)
		case *events.RenewalRejected: // 104: the customer gets everything back
			_, err := payBack(ctx, total, payTradeNo)
			return err
		case *events.RenewalFeeRefund: // 142
			if err := e.SuccessCallback().Validate(); err != nil {
				return err // it could not be answered: no money moves
			}
			if !e.Amount.IsPositive() {
				return errors.New("event 142 without an amount")
			}
			paid, err := payBack(ctx, e.Amount, e.PayTradeNo) // once for each trade number
			if err != nil {
				return err // not known yet: the event is pushed again
			}
			callback := e.SuccessCallback() // 270, with the ids, the amount and the trade number of the event
			if !paid {
				callback = e.FailureCallback() // 271
			}
			_, err = client.Callbacks.Send(ctx, callback)
			return err
		}
		return nil
	}

	handler, err := qimen.NewHandler(
		qimen.Secrets{gw.AppKey(): {gw.AppSecret()}}, qimen.OnEvent(onEvent), qimen.WithClock(now),
	)
	if err != nil {
		log.Fatal(err)
	}
	gw.PushToHandler(handler)
	gw.Accept(renewal.RenewalOrderID)
	passed.Store(int64(36 * time.Hour)) // 60 hours before the renewal starts

	check, err := client.Renewals.CheckCancel(ctx, &rentcar.RenewalCheckCancelRequest{
		OrderID: mainOrder, OutOrderID: myRenewal, RenewalOrderID: renewal.RenewalOrderID,
	})
	if err != nil {
		log.Fatal(err) // a *BusinessError: it cannot be cancelled, and why
	}
	fmt.Println("cancelling costs", check.CancelFee)
	cancelled, err := client.Renewals.Cancel(ctx, &rentcar.RenewalCancelRequest{
		OrderID: mainOrder, OutOrderID: myRenewal, RenewalOrderID: renewal.RenewalOrderID,
		CancelMessage: "用户主动取消", CancelFee: check.CancelFee,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("it has cost", cancelled.CancelFee) // unset where Warnings says that it is missing

	gw.RequestRefund(renewal.RenewalOrderID, fliggytest.Refund{
		Type: fliggy.RefundCancelPenalty, Amount: cancelled.CancelFee, Reason: "违约金退款", PayTradeNo: "202301021122903_142_5",
	})
	answer := gw.Callbacks()[0].Message
	fmt.Println(answer.EventType, answer.Data.PayTradeNo)
	paidAt := fliggy.At(now())

	line := func(biz fliggy.BillBizType, amount fliggy.Yuan, tradeNo string) rentcar.BillLine {
		return rentcar.BillLine{
			OrderID: mainOrder, OutOrderID: mine, // a renewal is billed on the MAIN order
			BizType: biz, OrderAmount: amount, PayTradeNo: tradeNo, PayTime: paidAt,
		}
	}
	bill, err := rentcar.NewBill("ID20221130", "20221130001").
		Income(line(fliggy.BillOrderFee, total, payTradeNo)).
		Refund(line(fliggy.BillOrderFeeRefund, total, payTradeNo+"R")).
		Income(line(fliggy.BillCancelPenalty, cancelled.CancelFee, payTradeNo+"P")).
		Refund(line(fliggy.BillCancelPenaltyRefund, cancelled.CancelFee, "202301021122903_142_5")).
		Build()
	if err != nil {
		log.Fatal(err)
	}
	if _, err := client.Bills.Notify(ctx, bill); err != nil {
		log.Fatal(err)
	}
	fmt.Println("total", bill.TotalAmount) // income less refunds
	// Output:
	// accepted: true
	// cancelling costs 1.60
	// it has cost 1.60
	// pay back 1.60 for 202301021122903_142_5
	// 270 renewal fee refund succeeded 202301021122903_142_5
	// total 0.00
}

// A bill that is too long for one call, in batches that are sent until Fliggy confirms.
func Example_largeBill() {
	ctx := context.Background()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}
	outbox, err := durable.NewOutbox(client, durable.NewMemoryStore(), durable.Config{}) // in production on your database
	if err != nil {
		log.Fatal(err)
	}
	builder := rentcar.NewBill("ID20221130", "20221130")
	for i := range 1200 {
		builder.Income(rentcar.BillLine{
			OrderID: fliggytest.SampleOrderID, OutOrderID: fliggytest.SampleOutOrderID, BizType: fliggy.BillOrderFee,
			OrderAmount: fliggy.MustYuan("1.50"), PayTradeNo: fmt.Sprint("T", i),
			PayTime: fliggy.MustTime("2022-11-30 10:00:00"),
		})
	}
	bill, err := builder.Build()
	if err != nil {
		log.Fatal(err)
	}

	batches, err := bill.Split(500, func(i int) string { return fmt.Sprintf("20221130-%03d", i) })
	if err != nil {
		log.Fatal(err)
	}
	for _, batch := range batches { // the same batch, added again, is sent once
		if err := outbox.AddBill(ctx, batch); err != nil {
			log.Fatal(err)
		}
	}
	for _, batch := range batches {
		fmt.Println(batch.BillNo, batch.BatchNo, len(batch.Lines), batch.TotalAmount)
	}
	// Output:
	// ID20221130 20221130-000 500 750.00
	// ID20221130 20221130-001 500 750.00
	// ID20221130 20221130-002 200 300.00
}
