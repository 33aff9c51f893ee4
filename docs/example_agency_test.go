package docs_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
)

// An order of the agency, from payment to acceptance.
func Example_agency() {
	ctx := context.Background()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	client, err := gw.Client()
	if err != nil {
		log.Fatal(err)
	}

	paid, accepted := fliggy.AgencyPaid, fliggy.AgencyAccepted
	order := &rentcar.AgencyCreateOrderRequest{
		AgentOrderNo:  "342345672903937",  // yours, globally unique: choose and store it before the call
		BizStatus:     &paid,              // a pointer, since 0 means unpaid
		TotalAmount:   fliggy.FenOf(5565), // 55.65 yuan
		PayTime:       fliggy.MustTime("2024-11-05 19:42:29"),
		UseCarTime:    fliggy.LocalTime{Year: 2024, Month: time.December, Day: 1, Hour: 10}, // Los Angeles' clock
		ReturnCarTime: fliggy.LocalTime{Year: 2024, Month: time.December, Day: 4, Hour: 10},
		PickUpPlace:   rentcar.AgencyPlace{CityName: "洛杉矶", POIName: "星光大道"},
		Driver:        rentcar.AgencyDriver{DriverName: "张三", MobilePhone: "13800000000"},
		AuthToken:     fliggy.NewSecret("token of the user"),
	}
	created, err := client.Agency.CreateOrder(ctx, order)
	switch {
	case errors.Is(err, rentcar.ErrOutcomeUnknown):
		log.Fatal("ask Fliggy by agent_order_no before you report it again: ", err)
	case err != nil:
		log.Fatal(err)
	}
	fmt.Println("Fliggy's order has", len(created.FliggyOrderID), "digits")
	fmt.Println(order) // no personal data, no token

	_, err = client.Agency.UpdateOrder(ctx, &rentcar.AgencyUpdateOrderRequest{
		AgentOrderNo:   order.AgentOrderNo,
		BizStatus:      &accepted,
		ConfirmOrderID: "C-1", // of the merchant
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// Fliggy's order has 19 digits
	// rentcar.AgencyCreateOrderRequest{agent order 342345672903937}
}

// Fen and yuan, and wall clocks.
func Example_agencyUnits() {
	fen, err := fliggy.MustYuan("55.65").Fen()
	if err != nil {
		log.Fatal(err) // 55.655 yuan are no whole number of fen
	}
	fmt.Println(fen, fen.Yuan())

	pickUp := fliggy.LocalTime{Year: 2024, Month: time.December, Day: 1, Hour: 10}
	fmt.Println(pickUp) // as it is sent, wherever this program runs
	fmt.Println(pickUp.In(time.FixedZone("PST", -8*60*60)).UTC())
	// Output:
	// 5565 55.65
	// 2024-12-01 10:00:00
	// 2024-12-01 18:00:00 +0000 UTC
}
