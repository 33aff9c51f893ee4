package docs_test

import (
	"context"
	"fmt"
	"log"
	"net/http"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/qimen"
)

// One call sends what the library has no field for, and shows all that came.
func Example_extraMembers() {
	ctx := context.Background()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}
	request := &rentcar.OrderQueryRequest{OrderID: "3104050285204362836"}

	var reply rentcar.RawReply
	order, err := client.Orders.Query(ctx, request,
		rentcar.CallMember("with_coupons", true),   // one more member beside those of the request
		rentcar.CallParam("partner_trace", "7f3a"), // one more parameter beside the one that wraps the request
		rentcar.CallWithoutValidation(),            // nothing is refused before sending
		rentcar.CallRawReply(&reply),               // the reply as it came, personal data included
	)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(order.Extra)      // members of the reply that have no field, as JSON
	fmt.Println(reply.HTTPStatus) // reply.Body has those inside other members too

	sent := gw.Requests()[0].Params
	fmt.Println(sent["partner_trace"], sent["rent_car_b2b_query_order_req"])
	// Output:
	// map[]
	// 200
	// 7f3a {"order_id":"3104050285204362836","channel_id":"80001","with_coupons":true}
}

// A handler for a push that is not what was inferred: another method, another place of the event, another reply.
func Example_correctedPush() {
	const appKey, secret = "12345678", "0123456789abcdef0123456789abcdef"

	handler, err := qimen.NewHandler(qimen.Secrets{appKey: {secret}},
		qimen.WithEventMethod("qimen.alitrip.rentcar.event.push"),
		qimen.WithPayload(func(d *qimen.Delivery) ([]byte, error) {
			return []byte(d.Params["event"]), nil // of the signed parameters only
		}),
		qimen.WithReplies(qimen.Replies{ // the other rows stay as they are
			qimen.ReasonAccepted: {
				Status: http.StatusOK, ContentType: "application/json", Body: []byte(`{"code":"0"}`),
			},
		}),
		qimen.OnEvent(func(_ context.Context, _ *qimen.Delivery, e events.Event) error {
			fmt.Println(e.(*events.RenewalAccepted).RenewalOrderID)
			return nil
		}),
	)
	if err != nil {
		log.Fatal(err)
	}

	gw := fliggytest.NewGateway(fliggytest.WithApp(appKey, secret))
	defer gw.Close()
	gw.PushToHandler(handler)
	const event = `{"eventType":103,"orderId":"3104050285204362836","eventData":{"renewalOrderId":"3104050285204362837"}}`
	pushed := gw.PushRaw(context.Background(), nil, fliggytest.Push{
		ContentType: "application/x-www-form-urlencoded;charset=utf-8",
		Params:      map[string]string{"method": "qimen.alitrip.rentcar.event.push", "event": event},
	})
	fmt.Printf("%s\n", pushed.Answer)
	// Output:
	// 3104050285204362837
	// {"code":"0"}
}
