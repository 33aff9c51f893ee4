package docs_test

import (
	"context"
	"fmt"
	"log"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A struct in Params is written by its tags.
func Example_topTagRequest() {
	ctx := context.Background()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	client, err := gw.Client()
	if err != nil {
		log.Fatal(err)
	}
	gw.Handle("alitrip.rentcar.btb.price.query", func(_ context.Context, r *fliggytest.Request) (any, error) {
		fmt.Println(r.Params["req"])
		return struct {
			Successful bool `top:"successful"`
		}{true}, nil
	})

	type query struct {
		CityID  fliggy.ID      `top:"city_id,number"`
		From    fliggy.Time    `top:"car_use_time,layout=minute"`
		Age     fliggy.Decimal `top:"driver_age,number"`
		Deposit bool           `top:"use_deposit,number,keep"`
		Door    bool           `top:"door_service,text"`
		Remark  string         `top:"remark"`
	}
	req := query{
		CityID: "460200", From: fliggy.MustTime("2026-12-01 10:00:00"), Age: fliggy.MustDecimal("30"),
		Door: true,
	}
	var reply struct {
		Successful bool `top:"successful,required"`
	}
	err = client.Call(ctx, "alitrip.rentcar.btb.price.query", rentcar.Params{"req": req}, &reply, rentcar.CallReadOnly())
	fmt.Println(reply.Successful, err)
	// Output:
	// {"city_id":460200,"car_use_time":"2026-12-01 10:00","driver_age":30,"use_deposit":0,"door_service":"true"}
	// true <nil>
}

// One struct reads a reply in all three formats.
func Example_topTagReply() {
	ctx := context.Background()
	gw := fliggytest.NewGateway()
	defer gw.Close()

	type store struct {
		Code  string      `top:"code,required"`
		Price fliggy.Yuan `top:"day_price"`
	}
	type result struct {
		Successful bool    `top:"successful,required"`
		Stores     []store `top:"store_list,wrap=store_info"`
	}
	gw.Handle("alitrip.rentcar.btb.price.query", func(context.Context, *fliggytest.Request) (any, error) {
		return result{true, []store{{"S1", fliggy.MustYuan("120.00")}}}, nil
	})

	for _, format := range []rentcar.Format{rentcar.SimplifiedJSON, rentcar.WrappedJSON, rentcar.XML} {
		client, err := gw.Client(rentcar.WithFormat(format))
		if err != nil {
			log.Fatal(err)
		}
		var reply result
		err = client.Call(ctx, "alitrip.rentcar.btb.price.query", nil, &reply, rentcar.CallReadOnly())
		fmt.Println(reply.Stores, err)
	}
	// Output:
	// [{S1 120.00}] <nil>
	// [{S1 120.00}] <nil>
	// [{S1 120.00}] <nil>
}
