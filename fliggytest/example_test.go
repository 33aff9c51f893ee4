package fliggytest_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

func Example() {
	clock := func() time.Time { return fliggy.MustTime("2023-02-01 15:40:00").Time }
	gw := fliggytest.NewGateway(fliggytest.WithClock(clock))
	defer gw.Close()

	// Your endpoint, and your client: both as in production.
	endpoint, err := qimen.NewHandler(qimen.Secrets{gw.AppKey(): {gw.AppSecret()}}, qimen.WithClock(clock),
		qimen.OnEvent(func(_ context.Context, _ *qimen.Delivery, e events.Event) error {
			fmt.Println("event", e.Type())
			return nil
		}))
	if err != nil {
		log.Fatal(err)
	}
	gw.PushToHandler(endpoint)
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}

	ctx := context.Background()
	from, to := fliggy.MustTime("2023-02-04 10:00:00"), fliggy.MustTime("2023-02-05 10:30:00")
	quote, err := client.Renewals.Quote(ctx, &rentcar.RenewalQuoteRequest{
		OrderID: fliggytest.SampleOrderID, CarUseTime: from, CarReturnTime: to,
	})
	if err != nil {
		log.Fatal(err)
	}
	total, err := quote.Total()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("quoted", total, "yuan")

	submit := &rentcar.RenewalSubmitRequest{
		OrderID: fliggytest.SampleOrderID, RenewalOutOrderID: "R1", ItemID: quote.ItemID,
		CarUseTime: from, CarReturnTime: to, TotalFee: total,
	}
	// The platform says that it failed, but it did not.
	gw.Fail(fliggytest.Unavailable().AfterCommit())
	_, err = client.Renewals.Submit(ctx, submit)
	fmt.Println("unknown outcome:", errors.Is(err, rentcar.ErrOutcomeUnknown))

	renewal := gw.Renewals()[0]
	fmt.Println("held:", renewal.RenewalOutOrderID, renewal.State)
	fmt.Println("taken by our endpoint:", gw.Accept(renewal.RenewalOrderID).Accepted)

	fee, err := client.Renewals.Cancel(ctx, &rentcar.RenewalCancelRequest{RenewalOrderID: renewal.RenewalOrderID})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("cancelled for", fee.CancelFee, "yuan")
	// Output:
	// quoted 16.02 yuan
	// unknown outcome: true
	// held: R1 submitted
	// event 103 renewal accepted
	// taken by our endpoint: true
	// cancelled for 1.60 yuan
}

func ExampleGateway_Handle() {
	gw := fliggytest.NewGateway()
	defer gw.Close()
	type query struct {
		CityID string `json:"city_id"`
	}
	type reply struct {
		Successful bool        `top:"successful,required"`
		Price      fliggy.Yuan `top:"price"`
	}
	gw.Handle("alitrip.rentcar.btb.price.query", func(_ context.Context, r *fliggytest.Request) (any, error) {
		var q query
		if err := r.Decode(&q); err != nil {
			return nil, err
		}
		if q.CityID != "460200" {
			return nil, &rentcar.BusinessError{Code: "404", Message: "该城市暂无车辆"}
		}
		return reply{Successful: true, Price: fliggy.MustYuan("128.00")}, nil
	})

	client, err := gw.Client()
	if err != nil {
		log.Fatal(err)
	}
	var got reply
	err = client.Call(
		context.Background(), "alitrip.rentcar.btb.price.query", rentcar.Params{"req": query{"460200"}}, &got,
	)
	fmt.Println(got.Price, err)
	// Output: 128.00 <nil>
}
