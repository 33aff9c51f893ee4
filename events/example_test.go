package events_test

import (
	"encoding/json"
	"fmt"

	"github.com/fliggy-go/rentcar/events"
)

// A pushed refund is read, checked and answered.
func ExampleParse() {
	payload := []byte(`{"channelId":"80001","orderId":"3104050285204362836","outOrderId":"RC202212191604667539969978368",
		"eventType":142,"eventData":{"renewalOrderId":"3187983531024266527","renewalOutOrderId":"RC202212191604667539969978361",
		"refundType":2,"amount":"200.98","reason":"油费退款","payTradeNo":"202301021122903_142_1_2"}}`)

	e, err := events.Parse(payload)
	if err != nil {
		fmt.Println(err) // no event: say so to the sender
		return
	}
	fmt.Println(e.Type(), e.Validate())

	if refund, ok := e.(*events.RenewalFeeRefund); ok {
		fmt.Println(refund.Amount, refund.RefundType, refund.Reason)
		answer, err := json.Marshal(refund.SuccessCallback())
		fmt.Println(string(answer), err)
	}
	// Output:
	// 142 renewal fee refund requested <nil>
	// 200.98 fuel fee 油费退款
	// {"channelId":"80001","orderId":"3104050285204362836","outOrderId":"RC202212191604667539969978368","eventType":270,"eventData":{"renewalOrderId":3187983531024266527,"renewalOutOrderId":"RC202212191604667539969978361","refundType":2,"amount":"200.98","reason":"油费退款","payTradeNo":"202301021122903_142_1_2"}} <nil>
}

// A callback without a constructor of its own.
func ExampleNewCallback() {
	order := events.Order{OrderID: "3104050285204362836"}
	callback, err := events.NewCallback(240, order, struct {
		PayTradeNo string `json:"payTradeNo"`
		Note       string `json:"note"`
	}{"202301021122903_240_1", "paid by hand"})
	if err != nil {
		fmt.Println(err)
		return
	}
	text, err := json.Marshal(callback)
	fmt.Println(string(text), err)
	// Output:
	// {"orderId":"3104050285204362836","eventType":240,"eventData":{"payTradeNo":"202301021122903_240_1","note":"paid by hand"}} <nil>
}
