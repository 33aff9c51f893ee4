package merchantcheck_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/merchantcheck"
	"github.com/fliggy-go/rentcar/qimen"
)

// A merchant that charges started days as whole ones, 100 yuan each, and a handling
// fee of 20 yuan; but it forgets the fee in the standard price.
func ExampleRun() {
	clock := func() time.Time { return fliggy.MustTime("2023-02-01 15:40:00").Time }
	const appKey, appSecret = "24700009", "0123456789abcdef"
	endpoint, err := qimen.NewHandler(qimen.Secrets{appKey: {appSecret}}, qimen.WithClock(clock),
		qimen.OnRenewalPrices(func(
			_ context.Context, _ *qimen.Delivery, r *qimen.RenewalPricesRequest,
		) (*qimen.RenewalPricesReply, error) {
			if r.OrderID != "3175520762897901122" {
				return nil, qimen.Refuse("404", "订单不存在")
			}
			price := qimen.RenewalPrice{
				StandardPrice: fliggy.MustYuan("0.00"), StandardUnitPrice: fliggy.MustYuan("100.00"),
				PoundageFee: fliggy.MustYuan("20.00"), PriceMark: "1",
				ScatteredPriceRules: fliggy.ScatteredPriceRules{Rules: []fliggy.ScatteredPriceRule{
					{Value: fliggy.MustDecimal("100"), StartTime: 0, EndTime: 1440},
				}},
			}
			for at := r.CarUseTime.Time; at.Before(r.CarReturnTime.Time); at = at.Add(24 * time.Hour) {
				price.CalendarPrice = append(price.CalendarPrice,
					qimen.DailyPrice{Date: fliggy.DateOf(at), DayPrice: price.StandardUnitPrice})
				price.StandardPrice = price.StandardPrice.Add(price.StandardUnitPrice)
			}
			price.Quantity = fliggy.MustDecimal(fmt.Sprint(len(price.CalendarPrice)))
			return &qimen.RenewalPricesReply{
				Price: price,
				CancelPolicy: fliggy.CancelPolicy{
					Rules: []fliggy.CancelRule{{Num: 0, Time: 24}, {Num: 50, Time: 0}}, CancelType: 1, SupportCancel: true,
				},
			}, nil
		}))
	if err != nil {
		log.Fatal(err)
	}

	// New takes the address of any endpoint, in Go or not.
	merchant, err := merchantcheck.NewForHandler(endpoint, appKey, appSecret)
	if err != nil {
		log.Fatal(err)
	}
	defer merchant.Close()
	report := merchantcheck.Run(context.Background(), merchant, merchantcheck.Config{
		Orders: []merchantcheck.Order{{
			OrderID: "3175520762897901122", OutOrderID: "FZ1111111", Start: fliggy.MustTime("2023-02-04 10:00"),
		}},
		Clock: clock,
	})
	for _, result := range report.Results {
		if result.Status == merchantcheck.Failed {
			fmt.Printf("%s, %s: expected %s, got %s\n", result.Rule, result.Scenario, result.Expected, result.Got)
		}
	}
	fmt.Println("exit code", report.ExitCode())
	// Output:
	// standard-price, price of 1 d 30 min: expected 220.00: whole-day rent 200.00 + poundageFee 20.00, got 200.00
	// standard-price, price of 1 d 8 h: expected 220.00: whole-day rent 200.00 + poundageFee 20.00, got 200.00
	// standard-price, price of 14 d 2 h: expected 1520.00: whole-day rent 1500.00 + poundageFee 20.00, got 1500.00
	// standard-price, price of 2 h: expected 120.00: whole-day rent 100.00 + poundageFee 20.00, got 100.00
	// standard-price, price of 8 h: expected 120.00: whole-day rent 100.00 + poundageFee 20.00, got 100.00
	// standard-price, price of 2 d: expected 220.00: whole-day rent 200.00 + poundageFee 20.00, got 200.00
	// exit code 1
}
