package events

import "strconv"

// A Type is the number of an event or callback (eventType).
type Type int

// The events that Fliggy pushes to a distributor.
const (
	TypeRenewalAccepted  Type = 103 // the merchant accepted the renewal (续租接单成功)
	TypeRenewalRejected  Type = 104 // the merchant rejected the renewal (续租接单失败)
	TypeFeeRefund        Type = 141 // refund a fee of the main order (退费); inferred
	TypeRenewalFeeRefund Type = 142 // refund a fee of a renewal (续租退费)
)

// The callbacks that a distributor sends to Fliggy.
const (
	TypeOrderCancelled            Type = 10  // order cancelled (取消订单成功)
	TypeOrderCancelFailed         Type = 11  // order cancellation failed (取消订单失败)
	TypeRefundInProgress          Type = 210 // refund in progress (退款中)
	TypeRefundRefused             Type = 220 // refund refused (退款拒绝)
	TypeRefundPaid                Type = 230 // refund agreed and paid (同意已退款)
	TypeFeeRefundSucceeded        Type = 260 // fee of the main order refunded (退费成功)
	TypeFeeRefundFailed           Type = 261 // fee of the main order not refunded (退费失败)
	TypeRenewalFeeRefundSucceeded Type = 270 // fee of a renewal refunded (续租退费成功)
	TypeRenewalFeeRefundFailed    Type = 271 // fee of a renewal not refunded (续租退费失败)
)

var typeNames = map[Type]string{
	TypeRenewalAccepted:           "renewal accepted",
	TypeRenewalRejected:           "renewal rejected",
	TypeFeeRefund:                 "fee refund requested",
	TypeRenewalFeeRefund:          "renewal fee refund requested",
	TypeOrderCancelled:            "order cancelled",
	TypeOrderCancelFailed:         "order cancellation failed",
	TypeRefundInProgress:          "refund in progress",
	TypeRefundRefused:             "refund refused",
	TypeRefundPaid:                "refund paid",
	TypeFeeRefundSucceeded:        "fee refund succeeded",
	TypeFeeRefundFailed:           "fee refund failed",
	TypeRenewalFeeRefundSucceeded: "renewal fee refund succeeded",
	TypeRenewalFeeRefundFailed:    "renewal fee refund failed",
}

// Known reports whether the type is one of the constants.
func (t Type) Known() bool { return typeNames[t] != "" }

// String returns the number, followed by the name if it is known: "103 renewal accepted".
func (t Type) String() string {
	n := strconv.Itoa(int(t))
	if name := typeNames[t]; name != "" {
		return n + " " + name
	}
	return n
}
