package docs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/jarcoal/httpmock"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/merchantcheck"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

// A submit that was carried out and never answered.
func Example_fault() {
	ctx := context.Background()

	gw := fliggytest.NewGateway()
	defer gw.Close()
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}
	order, _ := gw.Order(fliggytest.SampleOrderID) // rented from tomorrow on, for three days
	from := order.Details.Booking.CarReturnTime

	const submit = "alitrip.rentcar.btb.renewal.submit"
	gw.Fail(fliggytest.Dropped().AfterCommit().On(submit)) // the next one is carried out, and the connection breaks
	_, err = client.Renewals.Submit(ctx, &rentcar.RenewalSubmitRequest{
		OrderID: fliggytest.SampleOrderID, RenewalOutOrderID: "R1",
		CarUseTime: from, CarReturnTime: fliggy.At(from.Add(24 * time.Hour)),
	})
	fmt.Println(errors.Is(err, rentcar.ErrOutcomeUnknown)) // what your code is told
	fmt.Println(len(gw.Renewals()), len(gw.Requests()))    // what Fliggy knows: booked, and sent once
	// Output:
	// true
	// 1 1
}

// An event that comes three times, and one that is forged.
func Example_push() {
	ctx := context.Background()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	handled := 0

	endpoint, err := qimen.NewHandler(qimen.Secrets{gw.AppKey(): {gw.AppSecret()}},
		qimen.OnEvent(func(context.Context, *qimen.Delivery, events.Event) error {
			handled++
			return nil
		}),
	)
	if err != nil {
		log.Fatal(err)
	}
	gw.PushToHandler(endpoint) // PushTo(url) for a server, in any language

	refund := fliggytest.Refund{Type: fliggy.RefundFuelFee, Amount: fliggy.MustYuan("5.00")}
	result := gw.RequestRefund(fliggytest.SampleOrderID, refund, fliggytest.Push{Times: 3})
	fmt.Println(result.Accepted, handled) // acknowledged each time, handled once

	forged := gw.PushRaw(ctx, result.Body, fliggytest.Push{BadSignature: true})
	fmt.Println(forged.Accepted, handled)
	// Output:
	// true 1
	// false 1
}

// A ban of flow control that ends without a wait.
func Example_clock() {
	ctx := context.Background()

	now := time.Date(2026, time.December, 1, 10, 0, 0, 0, fliggy.Zone())
	gw := fliggytest.NewGateway(fliggytest.WithClock(func() time.Time { return now })) // gw.Client has the same clock
	defer gw.Close()
	client, err := gw.Client(
		rentcar.WithChannel(fliggy.ChannelAmap),
		rentcar.WithSleep(func(_ context.Context, d time.Duration) error {
			now = now.Add(d) // instead of waiting
			return nil
		}),
	)
	if err != nil {
		log.Fatal(err)
	}
	gw.Fail(fliggytest.Banned(3*time.Second, fliggytest.BanAPI))
	_, err = client.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID})
	fmt.Println(err, len(gw.Requests()))
	// Output: <nil> 2
}

// A reply of your own, without a gateway.
func Example_httpmock() {
	ctx := context.Background()

	transport := httpmock.NewMockTransport() // one for each test: nothing global
	transport.RegisterNoResponder(httpmock.NewStringResponder(http.StatusOK,
		`{"error_response":{"code":15,"msg":"Remote service error","sub_code":"isv.invalid-parameter"}}`))
	client, err := rentcar.NewClient("12345678", "0123456789abcdef0123456789abcdef",
		rentcar.WithHTTPClient(&http.Client{Transport: transport}),
	)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Cities.Query(ctx, &rentcar.CityQueryRequest{ChannelID: fliggy.ChannelAmap})
	fmt.Println(errors.Is(err, fliggy.ErrInvalidRequest), rentcar.OutcomeOf(err))
	// Output: true rejected
}

// A merchant that is wrong about one rule.
func Example_merchantTest() {
	ctx := context.Background()
	const appKey, secret = "24700001", "0123456789abcdef0123456789abcdef"
	plan := &pricing.Plan{
		DayPrice: fliggy.MustYuan("10.00"), PoundageFee: fliggy.MustYuan("1.00"),
		CancelPolicy: fliggy.CancelPolicy{CancelType: 1},
	}
	handler, err := qimen.NewHandler(qimen.Secrets{appKey: {secret}}, qimen.OnRenewalPrices(func(
		_ context.Context, _ *qimen.Delivery, r *qimen.RenewalPricesRequest,
	) (*qimen.RenewalPricesReply, error) {
		if r.OrderID != "3175520762897901122" {
			return nil, qimen.Refuse("order-not-found", "没有这个订单")
		}
		quote, err := plan.Quote(r.CarUseTime, r.CarReturnTime)
		if err == nil {
			quote.Price.StandardPrice = quote.Price.StandardPrice.Sub(quote.Price.PoundageFee) // the handling fee is missing
		}
		return quote, err
	}))
	if err != nil {
		log.Fatal(err)
	}

	caller, err := merchantcheck.NewForHandler(handler, appKey, secret)
	if err != nil {
		log.Fatal(err)
	}
	defer caller.Close()
	report := merchantcheck.Run(ctx, caller, merchantcheck.Config{
		Orders: []merchantcheck.Order{{OrderID: "3175520762897901122", Start: fliggy.MustTime("2026-12-01 10:00")}},
	})
	broken := map[string]bool{}
	for _, r := range report.Results {
		if r.Status == merchantcheck.Failed {
			broken[r.Rule] = true // r.Expected and r.Got say more, and report.String() all of it
		}
	}
	fmt.Println(report.OK(), broken)
	// Output: false map[standard-price:true]
}
