package rentcar_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/merchantcheck"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

// A toy store of a merchant: one rental, and the renewals by qimen.Delivery.Key, which is the same
// for every repeat. A trade number alone is no such key: it may be empty.
type exampleStore map[string]*qimen.RenewalSubmitReply

func (exampleStore) isOut(_ context.Context, orderID fliggy.ID) bool {
	return orderID == "3175520762897901122"
}

func (s exampleStore) booked(_ context.Context, key string) (*qimen.RenewalSubmitReply, error) {
	return s[key], nil
}

func (exampleStore) newID() string { return "R000000001" }

func (s exampleStore) book(
	_ context.Context, key string, reply *qimen.RenewalSubmitReply,
) (*qimen.RenewalSubmitReply, error) {
	s[key] = reply
	return reply, nil
}

func (exampleStore) cancel(context.Context, *qimen.RenewalCancelRequest) error { return nil }

func Example_merchant() {
	const appKey, secret = "24700001", "0123456789abcdef0123456789abcdef"
	store := exampleStore{}

	plan := &pricing.Plan{
		DayPrice: fliggy.MustYuan("10.00"), PoundageFee: fliggy.MustYuan("1.00"),
		ScatteredRules: []fliggy.ScatteredPriceRule{ // up to seven hours cost half a day, more a whole one
			{Value: fliggy.MustDecimal("50"), StartTime: 0, EndTime: 420},
			{Value: fliggy.MustDecimal("100"), StartTime: 421, EndTime: 1440},
		},
		CancelPolicy: fliggy.CancelPolicy{
			CancelType: 1, SupportCancel: true, Rules: []fliggy.CancelRule{{Num: 0, Time: 24}, {Num: 50, Time: 0}},
		},
	}
	if err := plan.Validate(); err != nil {
		log.Fatal(err)
	}
	price := func(ctx context.Context, order fliggy.ID, from, to fliggy.Time) (*qimen.RenewalPricesReply, error) {
		if !store.isOut(ctx, order) {
			return nil, qimen.Refuse("order-not-found", "没有这个订单")
		}
		quote, err := plan.Quote(from, to)
		if errors.Is(err, pricing.ErrPeriod) {
			return nil, qimen.Refuse("period-not-possible", "续租时间不可用")
		}
		return quote, err // any other error: Fliggy hears "system error", and nothing of its text
	}
	handler, err := qimen.NewHandler(qimen.Secrets{appKey: {secret}},
		qimen.WithLogger(slog.Default()), // without it nothing tells you what was refused, and why
		qimen.OnRenewalPrices(func(
			ctx context.Context, d *qimen.Delivery, r *qimen.RenewalPricesRequest,
		) (*qimen.RenewalPricesReply, error) {
			return price(ctx, r.OrderID, r.CarUseTime, r.CarReturnTime)
		}),
		qimen.OnRenewalSubmit(func(
			ctx context.Context, d *qimen.Delivery, r *qimen.RenewalSubmitRequest,
		) (*qimen.RenewalSubmitReply, error) {
			if before, err := store.booked(ctx, d.Key); before != nil || err != nil {
				return before, err // it came again: the same answer, whatever the price is by now
			}
			quote, err := price(ctx, r.OrderID, r.CarUseTime, r.CarReturnTime)
			if err != nil {
				return nil, err
			}
			if err := pricing.CheckTotal(quote, r.RenewalOrderTotalAmount); err != nil {
				return nil, qimen.Refuse("price-changed", "价格已变化,请重新询价")
			}
			reply := &qimen.RenewalSubmitReply{OutOrderID: store.newID(), CreatedTime: fliggy.At(time.Now())}
			return store.book(ctx, d.Key, reply) // once for each d.Key; r.IsPressureTest stays out of the books
		}),
		qimen.OnRenewalCancel(func(
			ctx context.Context, d *qimen.Delivery, r *qimen.RenewalCancelRequest,
		) (*qimen.RenewalCancelReply, error) {
			return &qimen.RenewalCancelReply{}, store.cancel(ctx, r) // r.OutOrderID is the id of your reply to the submit
		}),
	)
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/fliggy/renewals", handler)

	// Fliggy asks for a price:
	caller, err := merchantcheck.NewForHandler(handler, appKey, secret)
	if err != nil {
		log.Fatal(err)
	}
	defer caller.Close()
	quote, err := caller.Prices(context.Background(), &qimen.RenewalPricesRequest{
		OrderID: "3175520762897901122", OutOrderID: "FZ1111111",
		CarUseTime: fliggy.MustTime("2023-02-04 10:00"), CarReturnTime: fliggy.MustTime("2023-02-05 10:30"),
	})
	if err != nil {
		log.Fatal(err)
	}
	total, err := quote.Total()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(quote.Price.StandardPrice, total)

	// Booked and paid, the renewal stays booked whatever the price is later:
	submit := &qimen.RenewalSubmitRequest{
		OrderID: "3175520762897901122", OutOrderID: "FZ1111111", CarUseTime: fliggy.MustTime("2023-02-04 10:00"),
		CarReturnTime: fliggy.MustTime("2023-02-05 10:30"), RenewalOrderTotalAmount: total,
		PriceMark: quote.Price.PriceMark, PayTradeNo: "202302011111183",
	}
	for range 2 {
		booked, err := caller.Submit(context.Background(), submit)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(booked.OutOrderID)
		plan.DayPrice = fliggy.MustYuan("20.00")
	}
	// Output:
	// 11.00 16.00
	// R000000001
	// R000000001
}

func Example_merchantCheck() {
	ctx := context.Background()
	const url, appKey, secret = "https://example.com/fliggy/renewals", "24700001", "0123456789abcdef0123456789abcdef"

	caller, err := merchantcheck.New(url, appKey, secret)
	if err != nil {
		log.Fatal(err)
	}
	report := merchantcheck.Run(ctx, caller, merchantcheck.Config{
		Orders: []merchantcheck.Order{
			{OrderID: "3175520762897901122", OutOrderID: "FZ1111111", Start: fliggy.MustTime("2023-02-04 10:00")},
		},
		Submit:       false, // true books a renewal, and cancels it
		PressureTest: true,  // every request says that it is a load test
	})
	fmt.Println(report) // per broken rule: what was expected, what came, and why it matters
}
