package rentcar_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"net/http"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A submit whose reply is lost, and how the distributor finds out.
func ExampleRenewalService_Settle() {
	ctx := context.Background()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}
	gw.Fail(fliggytest.CutOff().AfterCommit().On("alitrip.rentcar.btb.renewal.submit")) // booked, and the reply is lost
	order, _ := gw.Order(fliggytest.SampleOrderID)
	from := order.Details.Booking.CarReturnTime
	request := &rentcar.RenewalSubmitRequest{
		OrderID: fliggytest.SampleOrderID, OutOrderID: fliggytest.SampleOutOrderID, RenewalOutOrderID: "RC20221120000000001",
		CarUseTime: from, CarReturnTime: fliggy.At(from.Add(24*time.Hour + 30*time.Minute)),
		TotalFee: fliggy.MustYuan("16.02"),
	}
	var seen []events.Event // what your endpoint has stored

	_, err = client.Renewals.Submit(ctx, request)
	if errors.Is(err, rentcar.ErrOutcomeUnknown) { // do not submit again: find out
		settled, err := client.Renewals.Settle(ctx, &rentcar.SettleRequest{Submit: request, Events: seen})
		if err != nil {
			log.Fatal(err)
		}
		switch settled.Verdict {
		case rentcar.VerdictDone:
			fmt.Println("booked; 103 or 104 will say whether the merchant takes it")
		case rentcar.VerdictRejected:
			fmt.Println("the merchant has refused it: pay the customer back")
		case rentcar.VerdictStillUnknown:
			fmt.Println("ask again later:", settled.Err)
		}
	}
	// Output: booked; 103 or 104 will say whether the merchant takes it
}

// A renewal that the merchant refused while the reply to its submit was lost.
func ExampleSettleRequest() {
	ctx := context.Background()
	gw := fliggytest.NewGateway(
		fliggytest.WithClock(func() time.Time { return time.Date(2022, 11, 20, 2, 0, 0, 0, time.UTC) }),
	)
	defer gw.Close()
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}
	gw.Fail(fliggytest.CutOff().AfterCommit().On("alitrip.rentcar.btb.renewal.submit"))
	request := &rentcar.RenewalSubmitRequest{
		OrderID: fliggytest.SampleOrderID, OutOrderID: fliggytest.SampleOutOrderID, RenewalOutOrderID: "RC20221120000000001",
		CarUseTime: fliggy.MustTime("2022-11-24 10:00:00"), CarReturnTime: fliggy.MustTime("2022-11-25 10:30:00"),
		TotalFee: fliggy.MustYuan("16.02"),
	}
	_, err = client.Renewals.Submit(ctx, request)
	fmt.Println(errors.Is(err, rentcar.ErrOutcomeUnknown))
	gw.PushToHandler(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	gw.Reject(gw.Renewals()[0].RenewalOrderID, "71008", "商家接单失败")
	rejected, err := events.Parse(gw.Pushes()[0].Body)
	if err != nil {
		log.Fatal(err)
	}
	seen := []events.Event{rejected}

	settled, err := client.Renewals.Settle(ctx, &rentcar.SettleRequest{
		Submit: request, Events: seen,
		Others: nil, OthersKnown: true, // the main order has no other renewal
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(settled.Verdict)
	// Output:
	// true
	// rejected
}

func ExampleWithRetry() {
	const appKey, appSecret = "12345678", "0123456789abcdef0123456789abcdef"
	var limiter rentcar.Limiter = exampleLimiter{}

	client, err := rentcar.NewClient(appKey, appSecret,
		rentcar.WithRetry(rentcar.RetryPolicy{
			MaxAttempts: 4,                      // 3 is the default; 1 sends every call once
			BaseDelay:   100 * time.Millisecond, // full jitter: up to 0.1 s, 0.2 s, 0.4 s
			MaxDelay:    2 * time.Second,        // of any wait, those for the end of a ban included
			Budget:      50,                     // repeated attempts of all calls without a success between them
		}),
		rentcar.WithLimiter(limiter), // golang.org/x/time/rate fits
	)
	fmt.Println(client, err)
	// Output: rentcar.Client{app key 12345678, hmac-sha256, simplified JSON} <nil>
}

type exampleLimiter struct{}

func (exampleLimiter) Wait(context.Context) error { return nil }

func ExampleRetryAfter() {
	ctx := context.Background()
	at := time.Date(2022, 11, 20, 2, 0, 0, 0, time.UTC)
	gw := fliggytest.NewGateway(fliggytest.WithClock(func() time.Time { return at }))
	defer gw.Close()
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}
	gw.Fail(fliggytest.Banned(time.Minute, fliggytest.BanApp))
	request := &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID}

	_, err = client.Orders.Query(ctx, request)
	// errors.Is(err, rentcar.ErrRateLimited) is true without a time, too
	if wait, banned := rentcar.RetryAfter(err); banned {
		fmt.Println("flow control: try again in", wait)
	}
	_, err = client.Orders.Query(ctx, request) // nothing is sent: the client remembers the ban
	fmt.Println(rentcar.OutcomeOf(err), "-", len(gw.Requests()), "request reached Fliggy")
	// Output:
	// flow control: try again in 1m0s
	// not sent - 1 request reached Fliggy
}
