package rentcar_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

func ExampleClient_renewal() {
	ctx := context.Background()

	gw := fliggytest.NewGateway() // an in-process Fliggy that checks every signature
	defer gw.Close()
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}

	const mainOrder, mine = "3104050285204362836", "RC202212191604667539969978368"
	order, err := client.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: mainOrder})
	if err != nil {
		log.Fatal(err)
	}
	if !order.SupportsRenewal() { // service_type holds 3
		log.Fatal("this order cannot be renewed")
	}

	from := order.Booking.CarReturnTime
	to := fliggy.At(from.Add(24*time.Hour + 30*time.Minute))
	quote, err := client.Renewals.Quote(ctx, &rentcar.RenewalQuoteRequest{
		OrderID: mainOrder, CarUseTime: from, CarReturnTime: to,
	})
	if err != nil {
		log.Fatal(err)
	}
	total, err := quote.Total()
	if err != nil {
		log.Fatal(err) // an amount is missing
	}
	if len(quote.Warnings) > 0 {
		log.Fatal(quote.Warnings) // something else is missing: no money moves on a guess
	}
	renewal, err := client.Renewals.Submit(ctx, &rentcar.RenewalSubmitRequest{
		OrderID: mainOrder, OutOrderID: mine, RenewalOutOrderID: "RC202212191604667539969978361",
		ItemID: quote.ItemID, CarUseTime: from, CarReturnTime: to,
		TotalFee: total, Payment: total, PayTradeNo: "2022112222001492421107773",
	})
	if err != nil {
		log.Fatal(err) // errors.Is(err, rentcar.ErrOutcomeUnknown): it may have been booked
	}
	fmt.Println(total, "yuan for", quote.Price.Quantity, "days - renewal order of", len(renewal.RenewalOrderID), "digits")
	// Output: 16.02 yuan for 1.5 days - renewal order of 19 digits
}
