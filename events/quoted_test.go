package events_test

import (
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

const refundData = `"renewalOrderId":"3187","renewalOutOrderId":"R1","refundType":1,"amount":"10.00","reason":"r","payTradeNo":"1_142_1"`

// An event that quotes an order to refund is no order to refund.
func TestQuotedEventStaysInside(t *testing.T) {
	t.Parallel()
	const order = `{"eventType":142,"channelId":"80001","orderId":"2","outOrderId":"o","eventData":{` + refundData + `}}`
	for payload, want := range map[string]events.Type{
		`{"eventType":104,"channelId":"80001","orderId":"1","eventData":` + order + `}`: events.TypeRenewalRejected,
		`{"eventType":999,"channelId":"80001","orderId":"1","eventData":` + order + `}`: 999,
		`{"eventType":999,"eventData":` + order + `}`:                                   999,
	} {
		e, err := events.Parse([]byte(payload))
		if err != nil || e.Type() != want {
			t.Errorf("%s: %v, %v", payload, e, err)
		}
	}
}

// Where the data is plainly there, its amount is read.
func TestRefundDataInOddPlaces(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		`{"eventType":142,"eventData":{"eventType":142,"channelId":"80001","orderId":"1","outOrderId":"o",` + refundData + `}}`,
		`{"eventType":142,"traceId":"t","eventData":{"eventType":142,"orderId":"1",` + refundData + `}}`,
		`{"eventType":142,"channelId":"80001","orderId":"1","outOrderId":"o","event_data":{` + refundData + `}}`,
		`{"eventType":142,"event_data":{"eventType":142,"orderId":"1","eventData":{` + refundData + `}}}`,
	} {
		e, err := events.Parse([]byte(payload))
		refund, ok := e.(*events.RenewalFeeRefund)
		if err != nil || !ok || !refund.Amount.Equal(fliggy.MustYuan("10.00")) || refund.PayTradeNo != "1_142_1" {
			t.Errorf("%s: %+v, %v", payload, e, err)
		}
	}
}

// A Java bean whose renewal id was never set says 0.
func TestRefundOnMainOrderWithZeroRenewal(t *testing.T) {
	t.Parallel()
	e, err := events.Parse([]byte(`{"eventType":141,"channelId":"80001","orderId":"1","outOrderId":"o",` +
		`"eventData":{"renewalOrderId":0,"refundType":1,"amount":"10.00","reason":"r","payTradeNo":"p"}}`))
	if _, ok := e.(*events.FeeRefund); err != nil || !ok {
		t.Errorf("%T, %v", e, err)
	}
}
