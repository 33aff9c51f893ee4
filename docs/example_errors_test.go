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
)

// What to do with the error of a call.
func Example_errors() {
	ctx := context.Background()
	gw := fliggytest.NewGateway()
	defer gw.Close()
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}
	gw.Fail(fliggytest.Failed(&rentcar.BusinessError{Code: "71012", Message: "无法取消"}))
	settle := func(error) {}
	later := func(time.Duration, error) {}
	alarm := func(error) {}
	request := &rentcar.RenewalCancelRequest{RenewalOrderID: "3175520762897901122"}

	_, err = client.Renewals.Cancel(ctx, request)
	var refused *rentcar.BusinessError
	wait, banned := rentcar.RetryAfter(err)
	switch {
	case err == nil:
		fmt.Println("cancelled")
	case errors.Is(err, rentcar.ErrOutcomeUnknown):
		settle(err) // it may be cancelled: find out before you repeat it
	case errors.As(err, &refused):
		fmt.Println("Fliggy says no:", refused.Code, refused.Message)
	case banned:
		later(wait, err) // flow control; nothing was carried out
	case rentcar.IsFinal(err):
		alarm(err) // the same request would fail again
	case errors.Is(err, rentcar.ErrUnauthorized), errors.Is(err, rentcar.ErrForbidden):
		alarm(err) // secret, session or permission: the request itself may be right
	default:
		later(time.Minute, err) // nothing was changed, and it may pass
	}
	// Output: Fliggy says no: 71012 无法取消
}

// Why the gateway answers "Invalid signature" (code 25).
func Example_wireLog() {
	ctx := context.Background()
	gw := fliggytest.NewGateway()
	defer gw.Close()

	client, err := rentcar.NewClient(gw.AppKey(), "a secret of another app",
		rentcar.WithBaseURL(gw.URL()),
		rentcar.WithWireLog(func(_ context.Context, w rentcar.WireLog) {
			if w.Code == "25" {
				fmt.Println(w.Signed) // names in the order in which they were signed; w prints everything that may be shown
			}
		}),
	)
	if err != nil {
		log.Fatal(err)
	}
	_, err = client.Orders.Query(ctx, &rentcar.OrderQueryRequest{
		OrderID: fliggytest.SampleOrderID, ChannelID: fliggy.ChannelAmap,
	})
	fmt.Println(errors.Is(err, rentcar.ErrUnauthorized))
	// Output:
	// [app_key format method partner_id rent_car_b2b_query_order_req sign_method simplify timestamp v]
	// true
}

// A call has as long as its context, an attempt as long as the timeout.
func Example_deadline() {
	gw := fliggytest.NewGateway()
	defer gw.Close()
	client, err := gw.Client(rentcar.WithChannel(fliggy.ChannelAmap))
	if err != nil {
		log.Fatal(err)
	}
	gw.Fail(fliggytest.Hanging())
	request := &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID}

	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second) // of the whole call
	defer cancel()
	_, err = client.Orders.Query(ctx, request,
		rentcar.CallTimeout(time.Second), // of each attempt
		rentcar.CallAttempts(2),
	)
	fmt.Println(err)
	// Output: <nil>
}
