package main

// samples are the events of the guide's samples, by the name of the trigger. That of 142 bears the number 141 there.
// There is none of 141, which is made up after it.
var samples = map[string]string{
	"103": `{"channelId":"80001","orderId":"3187983531024266527","outOrderId":"761448761000000016108099",` +
		`"eventType":103,"eventData":{"renewalOrderId":"3187983531024266527","createdTime":"2022-10-22 10:22:00"}}`,
	"104": `{"channelId":"80001","orderId":"3104050285204362836","outOrderId":"RC202212191604667539969978368",` +
		`"eventType":104,"eventData":{"renewalOrderId":3187983531024266522,"errorCode":"71008","errorMessage":"商家接单失败"}}`,
	"141": `{"channelId":"80001","orderId":"3104050285204362799","outOrderId":"RC202301021122903550010007",` +
		`"eventType":141,"eventData":{"refundType":1,"amount":"45.00","reason":"提前还车退款",` +
		`"payTradeNo":"202301021122903550010007_141_1"}}`,
	"142": `{"channelId":"80001","orderId":"3104050285204362836","outOrderId":"RC202212191604667539969978368",` +
		`"eventType":142,"eventData":{"renewalOrderId":"3187983531024266527",` +
		`"renewalOutOrderId":"RC202212191604667539969978361","refundType":2,"amount":"200.98","reason":"油费退款",` +
		`"payTradeNo":"202212191604667539969978368"}}`,
}
