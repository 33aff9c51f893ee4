package rentcar_test

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

// A toy store of a merchant: one rental, and the renewals by the trade number of
// their payment.
type exampleStore struct {
	renewals map[string]*qimen.RenewalSubmitReply
}

func (s *exampleStore) isOut(_ context.Context, orderID fliggy.ID) bool {
	return orderID == "3175520762897901122"
}

func (s *exampleStore) book(_ context.Context, r *qimen.RenewalSubmitRequest) (*qimen.RenewalSubmitReply, error) {
	if s.renewals[r.PayTradeNo] == nil {
		s.renewals[r.PayTradeNo] = &qimen.RenewalSubmitReply{OutOrderID: "R" + r.PayTradeNo, CreatedTime: fliggy.At(time.Now())}
	}
	return s.renewals[r.PayTradeNo], nil
}

func (s *exampleStore) cancel(_ context.Context, _ *qimen.RenewalCancelRequest) error { return nil }

func Example_merchant() {
	const appKey, secret = "24700001", "0123456789abcdef0123456789abcdef"
	store := &exampleStore{renewals: map[string]*qimen.RenewalSubmitReply{}}

	plan := &pricing.Plan{
		DayPrice: fliggy.MustYuan("10.00"), PoundageFee: fliggy.MustYuan("1.00"),
		ScatteredRules: []qimen.ScatteredPriceRule{ // up to seven hours cost half a day, more a whole one
			{Value: fliggy.MustDecimal("50"), StartTime: 0, EndTime: 420},
			{Value: fliggy.MustDecimal("100"), StartTime: 421, EndTime: 1440},
		},
		CancelStrategy: qimen.CancelStrategy{CancelType: 1, SupportCancel: true, CancelRules: []qimen.CancelRule{{Num: 0, Time: 24}, {Num: 50, Time: 0}}},
	}
	handler, err := qimen.NewHandler(qimen.Secrets{appKey: {secret}},
		qimen.OnRenewalPrices(func(ctx context.Context, d *qimen.Delivery, r *qimen.RenewalPricesRequest) (*qimen.RenewalPricesReply, error) {
			if !store.isOut(ctx, r.OrderID) {
				return nil, qimen.Refuse("order-not-found", "没有这个订单")
			}
			return plan.Quote(r.CarUseTime, r.CarReturnTime)
		}),
		qimen.OnRenewalSubmit(func(ctx context.Context, d *qimen.Delivery, r *qimen.RenewalSubmitRequest) (*qimen.RenewalSubmitReply, error) {
			quote, err := plan.Quote(r.CarUseTime, r.CarReturnTime)
			if err != nil {
				return nil, err // Fliggy hears "system error", and nothing of err
			}
			if r.PriceMark != quote.PriceInfo.PriceMark || pricing.CheckTotal(quote, r.RenewalOrderTotalAmount) != nil {
				return nil, qimen.Refuse("price-changed", "价格已变化,请重新询价")
			}
			return store.book(ctx, r) // once: it may come again; r.IsPressureTest stays out of the books
		}),
		qimen.OnRenewalCancel(func(ctx context.Context, d *qimen.Delivery, r *qimen.RenewalCancelRequest) (*qimen.RenewalCancelReply, error) {
			return &qimen.RenewalCancelReply{}, store.cancel(ctx, r)
		}),
	)
	if err != nil {
		log.Fatal(err)
	}
	http.Handle("/fliggy/renewals", handler)

	// Fliggy asks for a price:
	fliggyMerchant, err := fliggytest.NewMerchantHandler(handler, appKey, secret)
	if err != nil {
		log.Fatal(err)
	}
	defer fliggyMerchant.Close()
	quote, err := fliggyMerchant.Prices(context.Background(), &qimen.RenewalPricesRequest{
		OrderID: "3175520762897901122", OutOrderID: "FZ1111111",
		CarUseTime: fliggy.MustTime("2023-02-04 10:00"), CarReturnTime: fliggy.MustTime("2023-02-05 10:30"),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(quote.PriceInfo.StandardPrice, quote.Total())
	// Output: 11.00 16.00
}

func Example_merchantCheck() {
	ctx := context.Background()
	const url, appKey, secret = "https://example.com/fliggy/renewals", "24700001", "0123456789abcdef0123456789abcdef"

	merchant, err := fliggytest.NewMerchant(url, appKey, secret, fliggytest.MerchantPressureTest())
	if err != nil {
		log.Fatal(err)
	}
	report := fliggytest.CheckMerchant(ctx, merchant, fliggytest.MerchantCheck{
		Orders: []fliggytest.MerchantOrder{{OrderID: "3175520762897901122", OutOrderID: "FZ1111111", Start: fliggy.MustTime("2023-02-04 10:00")}},
		Submit: false, // true books a renewal, and cancels it
	})
	fmt.Println(report) // per broken rule: what was expected, what came, and why it matters
}
