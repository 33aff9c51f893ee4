package fliggy

// Channel is the distribution channel (分销渠道), member channel_id or channelId of every B2B message.
// Source: alitrip.rentcar.btb.bill.notify.
type Channel string

// Values of Channel.
const (
	ChannelAmap  Channel = "80001" // Amap, also Gaode (高德)
	ChannelHello Channel = "80002" // Hello, also Hellobike (哈啰)
	ChannelDidi  Channel = "80003" // Didi (滴滴)
)

var channelNames = map[Channel]string{
	ChannelAmap:  "Amap",
	ChannelHello: "Hello",
	ChannelDidi:  "Didi",
}

// String returns an English name, the value itself when it is unknown.
func (c Channel) String() string { return textName(channelNames, c) }

// UnmarshalJSON takes a JSON string, an integer number by its digits, or null (unset).
func (c *Channel) UnmarshalJSON(data []byte) error { return readOpaque(c, "Channel", data) }

// OrderServiceType is a service that an order supports, an element of service_type.
// Source: alitrip.rentcar.btb.order.query.
type OrderServiceType string

// Values of OrderServiceType.
const (
	OrderServiceChangeDriver       OrderServiceType = "1" // change the driver (修改驾驶人)
	OrderServiceChangePickUpReturn OrderServiceType = "2" // change pick-up and return information (修改取还车信息)
	OrderServiceRenewal            OrderServiceType = "3" // order renewal (支持订单续租)
)

var orderServiceTypeNames = map[OrderServiceType]string{
	OrderServiceChangeDriver:       "change the driver",
	OrderServiceChangePickUpReturn: "change pick-up and return",
	OrderServiceRenewal:            "renewal",
}

// String returns an English name, the value itself when it is unknown.
func (o OrderServiceType) String() string { return textName(orderServiceTypeNames, o) }

// UnmarshalJSON takes a JSON string, an integer number by its digits, or null (unset).
func (o *OrderServiceType) UnmarshalJSON(data []byte) error {
	return readOpaque(o, "OrderServiceType", data)
}

// PayStatus is the state of the payment of an order, pay_status.
// Source: alitrip.rentcar.btb.order.query.
type PayStatus int

// Values of PayStatus.
const (
	PayStatusUnpaid      PayStatus = 1 // not frozen or not paid (未冻结/未付款)
	PayStatusPaid        PayStatus = 2 // frozen or paid (已冻结/已付款)
	PayStatusRefunded    PayStatus = 4 // refunded (已退款)
	PayStatusTransferred PayStatus = 6 // transferred (已转交易)
	PayStatusNoTrade     PayStatus = 7 // no external trade was created (没有创建外部交易)
	PayStatusClosed      PayStatus = 8 // trade closed by Taobao (交易被淘宝关闭)
	PayStatusNotPayable  PayStatus = 9 // cannot be paid (不可付款)
)

var payStatusNames = map[PayStatus]string{
	PayStatusUnpaid:      "unpaid",
	PayStatusPaid:        "paid",
	PayStatusRefunded:    "refunded",
	PayStatusTransferred: "transferred",
	PayStatusNoTrade:     "no trade created",
	PayStatusClosed:      "trade closed",
	PayStatusNotPayable:  "not payable",
}

// String returns an English name, the value itself when it is unknown.
func (p PayStatus) String() string { return intName(payStatusNames, p) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (p *PayStatus) UnmarshalJSON(data []byte) error {
	return readJSON(p, "PayStatus", data, parseInt[PayStatus])
}

// Canceller says on whose behalf a fee refund was ordered (取消方), member canceller of event 142.
// Source: B2B renewal guide.
type Canceller string

// Values of Canceller.
const (
	CancellerPlatform Canceller = "1" // platform: the customer through customer service (平台取消)
	// merchant: the customer through the merchant (商家取消); documented as not supported yet
	CancellerMerchant Canceller = "2"
)

var cancellerNames = map[Canceller]string{
	CancellerPlatform: "platform",
	CancellerMerchant: "merchant",
}

// String returns an English name, the value itself when it is unknown.
func (c Canceller) String() string { return textName(cancellerNames, c) }

// UnmarshalJSON takes a JSON string, an integer number by its digits, or null (unset).
func (c *Canceller) UnmarshalJSON(data []byte) error { return readOpaque(c, "Canceller", data) }

// RefundType is the kind of a fee refund (退费类型), refundType of events 141 and 142 and their callbacks.
// Source: B2B renewal guide.
type RefundType int

// Values of RefundType.
const (
	RefundEarlyReturn      RefundType = 1  // early return of the car (提前还车退款)
	RefundFuelFee          RefundType = 2  // fuel fee (油费退款)
	RefundVehicleDamage    RefundType = 3  // vehicle-damage deduction (车损扣费退款)
	RefundTrafficViolation RefundType = 4  // traffic-violation deduction (违章扣费退款)
	RefundCancelPenalty    RefundType = 5  // cancellation penalty charged in excess and disputed by the customer (取消违约金退款)
	RefundOther            RefundType = -1 // other (其他)
)

var refundTypeNames = map[RefundType]string{
	RefundEarlyReturn:      "early return",
	RefundFuelFee:          "fuel fee",
	RefundVehicleDamage:    "vehicle damage",
	RefundTrafficViolation: "traffic violation",
	RefundCancelPenalty:    "cancellation penalty",
	RefundOther:            "other",
}

// String returns an English name, the value itself when it is unknown.
func (r RefundType) String() string { return intName(refundTypeNames, r) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (r *RefundType) UnmarshalJSON(data []byte) error {
	return readJSON(r, "RefundType", data, parseInt[RefundType])
}

// BillBizType is the kind of movement that a settlement bill line reports, biz_type: 10 to 14 are income, 20 to 24 the
// refund of the same. Source: alitrip.rentcar.btb.bill.notify.
type BillBizType int

// Values of BillBizType.
const (
	BillOrderFee                        BillBizType = 10 // income: order fee (订单费用)
	BillVehicleDamageDeduction          BillBizType = 11 // income: deduction from the vehicle-damage deposit (车损押金扣款)
	BillTrafficViolationDeduction       BillBizType = 12 // income: deduction from the traffic-violation deposit (违章押金扣款)
	BillDepositDeduction                BillBizType = 13 // income: deposit deduction, kind not distinguished (押金扣款)
	BillCancelPenalty                   BillBizType = 14 // income: cancellation penalty (有损取消)
	BillOrderFeeRefund                  BillBizType = 20 // refund of an order fee
	BillVehicleDamageDeductionRefund    BillBizType = 21 // refund of a deduction from the vehicle-damage deposit
	BillTrafficViolationDeductionRefund BillBizType = 22 // refund of a deduction from the traffic-violation deposit
	BillDepositDeductionRefund          BillBizType = 23 // refund of a deposit deduction, kind not distinguished
	BillCancelPenaltyRefund             BillBizType = 24 // refund of a cancellation penalty
)

var billBizTypeNames = map[BillBizType]string{
	BillOrderFee:                        "order fee",
	BillVehicleDamageDeduction:          "vehicle-damage deduction",
	BillTrafficViolationDeduction:       "traffic-violation deduction",
	BillDepositDeduction:                "deposit deduction",
	BillCancelPenalty:                   "cancellation penalty",
	BillOrderFeeRefund:                  "order fee refund",
	BillVehicleDamageDeductionRefund:    "vehicle-damage deduction refund",
	BillTrafficViolationDeductionRefund: "traffic-violation deduction refund",
	BillDepositDeductionRefund:          "deposit deduction refund",
	BillCancelPenaltyRefund:             "cancellation penalty refund",
}

// String returns an English name, the value itself when it is unknown.
func (b BillBizType) String() string { return intName(billBizTypeNames, b) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (b *BillBizType) UnmarshalJSON(data []byte) error {
	return readJSON(b, "BillBizType", data, parseInt[BillBizType])
}

// IsIncome reports whether the movement is income of the merchant (收入): 10 to 14. It is false for unknown values.
func (b BillBizType) IsIncome() bool { return BillOrderFee <= b && b <= BillCancelPenalty }

// IsRefund reports whether the movement is a refund to the customer (退款): 20 to 24. It is false for unknown values.
func (b BillBizType) IsRefund() bool { return BillOrderFeeRefund <= b && b <= BillCancelPenaltyRefund }

// TradeType is the direction of a settlement bill line, trade_type. Source: alitrip.rentcar.btb.bill.notify.
type TradeType int

// Values of TradeType.
const (
	TradeIncome TradeType = 1 // income (收入)
	TradeRefund TradeType = 2 // refund (退款)
)

var tradeTypeNames = map[TradeType]string{
	TradeIncome: "income",
	TradeRefund: "refund",
}

// String returns an English name, the value itself when it is unknown.
func (t TradeType) String() string { return intName(tradeTypeNames, t) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (t *TradeType) UnmarshalJSON(data []byte) error {
	return readJSON(t, "TradeType", data, parseInt[TradeType])
}

// PayType is how the customer paid, pay_type. Source: alitrip.rentcar.btb.bill.notify.
type PayType int

// Values of PayType.
const (
	PayAlipay PayType = 1 // Alipay (支付宝)
	PayWeChat PayType = 2 // WeChat Pay (微信)
	PayDidi   PayType = 3 // Didi Pay (滴滴支付)
)

var payTypeNames = map[PayType]string{
	PayAlipay: "Alipay",
	PayWeChat: "WeChat Pay",
	PayDidi:   "Didi Pay",
}

// String returns an English name, the value itself when it is unknown.
func (p PayType) String() string { return intName(payTypeNames, p) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (p *PayType) UnmarshalJSON(data []byte) error {
	return readJSON(p, "PayType", data, parseInt[PayType])
}

// PayModel is when and where an agency order is paid, pay_model. Source: alitrip.rentcar.zzc.callback.order.create.
type PayModel string

// Values of PayModel.
const (
	PayModelPrepaid     PayModel = "0" // prepaid in full (预付全款)
	PayModelDownPayment PayModel = "1" // part of the price prepaid (预付定金)
	PayModelAtStore     PayModel = "2" // paid at the store (到店线下支付)
)

var payModelNames = map[PayModel]string{
	PayModelPrepaid:     "prepaid",
	PayModelDownPayment: "down payment",
	PayModelAtStore:     "at the store",
}

// String returns an English name, the value itself when it is unknown.
func (p PayModel) String() string { return textName(payModelNames, p) }

// UnmarshalJSON takes a JSON string, an integer number by its digits, or null (unset).
func (p *PayModel) UnmarshalJSON(data []byte) error { return readOpaque(p, "PayModel", data) }

// AgencyOrderStatus is the state of an agency order, biz_status. The zero value is a documented state, not "unset".
// Source: alitrip.rentcar.zzc.callback.order.create and order.update.
type AgencyOrderStatus int

// Values of AgencyOrderStatus.
const (
	AgencyUnpaid           AgencyOrderStatus = 0  // unpaid (未付款)
	AgencyPaid             AgencyOrderStatus = 10 // paid, waiting for the merchant (已付款,等待商家确认)
	AgencyAccepted         AgencyOrderStatus = 22 // accepted by the merchant (商家已确认接单)
	AgencyClosedByBuyer    AgencyOrderStatus = 60 // closed by the buyer (买家关闭订单)
	AgencyRejectedBySeller AgencyOrderStatus = 63 // rejected by the seller (卖家拒绝接单); order.update only
	AgencyClosedByService  AgencyOrderStatus = 65 // closed by customer service (客服关闭订单)
	AgencyCompleted        AgencyOrderStatus = 70 // completed (订单已完成)
	AgencyPartlyRefunded   AgencyOrderStatus = 72 // completed, partly refunded (订单已完成,部分退款)
)

var agencyOrderStatusNames = map[AgencyOrderStatus]string{
	AgencyUnpaid:           "unpaid",
	AgencyPaid:             "paid",
	AgencyAccepted:         "accepted",
	AgencyClosedByBuyer:    "closed by the buyer",
	AgencyRejectedBySeller: "rejected by the seller",
	AgencyClosedByService:  "closed by customer service",
	AgencyCompleted:        "completed",
	AgencyPartlyRefunded:   "completed, partly refunded",
}

// String returns an English name, the value itself when it is unknown.
func (a AgencyOrderStatus) String() string { return intName(agencyOrderStatusNames, a) }

// UnmarshalJSON takes a whole JSON number, a JSON string with one, "" or null (0).
func (a *AgencyOrderStatus) UnmarshalJSON(data []byte) error {
	return readJSON(a, "AgencyOrderStatus", data, parseInt[AgencyOrderStatus])
}
