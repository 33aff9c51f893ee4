package rentcar

import (
	"time"

	"github.com/shopspring/decimal"

	"github.com/fliggy-go/rentcar/fliggy"
)

// The vocabulary that requests and results use, from package fliggy, so that a
// distributor imports one package.
type (
	ID        = fliggy.ID        // an order id, text of any length
	Yuan      = fliggy.Yuan      // an amount in yuan (元), exact
	Fen       = fliggy.Fen       // an amount in fen (分), exact
	Decimal   = fliggy.Decimal   // an exact number without a unit
	Time      = fliggy.Time      // an instant, yyyy-MM-dd HH:mm:ss in China time on the wire
	LocalTime = fliggy.LocalTime // a wall clock of a place (当地时间), never converted
	Date      = fliggy.Date      // a calendar day
	Exts      = fliggy.Exts      // extension data (扩展信息), the text of a JSON object
	Secret    = fliggy.Secret    // a text that is sent but never printed

	Channel           = fliggy.Channel           // the distribution channel (分销渠道), channel_id
	OrderServiceType  = fliggy.OrderServiceType  // a service that an order supports, an element of service_type
	OutputType        = fliggy.OutputType        // the unit of a displacement (排量), output_type
	LicenseType       = fliggy.LicenseType       // where a licence plate (牌照) comes from, license_type
	CarType           = fliggy.CarType           // the class of a vehicle (车型), car_type
	StoreType         = fliggy.StoreType         // the kind of a place of pick-up or return, store_type
	CoordinateSource  = fliggy.CoordinateSource  // the map that coordinates belong to, coordinate_source
	PlaceType         = fliggy.PlaceType         // pick-up or return, type of an address
	PositionType      = fliggy.PositionType      // pick-up or return, position_type of a customer's place
	DoorServiceType   = fliggy.DoorServiceType   // how car and customer meet (上门取送车), service_on_door_type
	Transmission      = fliggy.Transmission      // the gearbox (变速箱), transmission_type
	PayStatus         = fliggy.PayStatus         // the state of a payment, pay_status
	AddedServiceCode  = fliggy.AddedServiceCode  // the platform's code of a fee or added service (增值服务)
	ServiceType       = fliggy.ServiceType       // the kind of an added service in a quote, service_type
	BillBizType       = fliggy.BillBizType       // what a movement of a bill is for (业务类型), biz_type
	TradeType         = fliggy.TradeType         // income or refund (交易类型), trade_type
	PayType           = fliggy.PayType           // how the customer paid (支付方式), pay_type
	PayModel          = fliggy.PayModel          // when and where an agency order is paid (支付方式), pay_model
	AgencyOrderStatus = fliggy.AgencyOrderStatus // the state of an agency order, biz_status; 0 is unpaid, not unset
	RefundType        = fliggy.RefundType        // the kind of a fee refund (退费类型), refundType of a callback
)

// The channels of the documents (分销渠道).
const (
	ChannelAmap  = fliggy.ChannelAmap  // 80001, Amap (高德)
	ChannelHello = fliggy.ChannelHello // 80002, Hello (哈啰)
	ChannelDidi  = fliggy.ChannelDidi  // 80003, Didi (滴滴)
)

// The values that callers of this package write; all others, which only come
// back, are in package fliggy.
const (
	OrderServiceRenewal = fliggy.OrderServiceRenewal // the order supports a renewal (支持订单续租)

	BillOrderFee                        = fliggy.BillOrderFee                        // 10 income: order fee (订单费用)
	BillVehicleDamageDeduction          = fliggy.BillVehicleDamageDeduction          // 11 income: vehicle-damage deposit (车损押金扣款)
	BillTrafficViolationDeduction       = fliggy.BillTrafficViolationDeduction       // 12 income: traffic-violation deposit (违章押金扣款)
	BillDepositDeduction                = fliggy.BillDepositDeduction                // 13 income: deposit, kind not distinguished (押金扣款)
	BillCancelPenalty                   = fliggy.BillCancelPenalty                   // 14 income: cancellation penalty (有损取消)
	BillOrderFeeRefund                  = fliggy.BillOrderFeeRefund                  // 20 refund of 10
	BillVehicleDamageDeductionRefund    = fliggy.BillVehicleDamageDeductionRefund    // 21 refund of 11
	BillTrafficViolationDeductionRefund = fliggy.BillTrafficViolationDeductionRefund // 22 refund of 12
	BillDepositDeductionRefund          = fliggy.BillDepositDeductionRefund          // 23 refund of 13
	BillCancelPenaltyRefund             = fliggy.BillCancelPenaltyRefund             // 24 refund of 14

	TradeIncome = fliggy.TradeIncome // 1 income (收入)
	TradeRefund = fliggy.TradeRefund // 2 refund (退款)

	PayAlipay = fliggy.PayAlipay // 1 Alipay (支付宝)
	PayWeChat = fliggy.PayWeChat // 2 WeChat Pay (微信)
	PayDidi   = fliggy.PayDidi   // 3 Didi Pay (滴滴支付)

	PayModelPrepaid     = fliggy.PayModelPrepaid     // 0 prepaid in full (预付全款)
	PayModelDownPayment = fliggy.PayModelDownPayment // 1 part of the price prepaid (预付定金)
	PayModelAtStore     = fliggy.PayModelAtStore     // 2 paid at the store (到店线下支付)

	AgencyUnpaid           = fliggy.AgencyUnpaid           // 0 unpaid (未付款)
	AgencyPaid             = fliggy.AgencyPaid             // 10 paid, waiting for the merchant (已付款,等待商家确认)
	AgencyAccepted         = fliggy.AgencyAccepted         // 22 accepted by the merchant (商家已确认接单)
	AgencyClosedByBuyer    = fliggy.AgencyClosedByBuyer    // 60 closed by the buyer (买家关闭订单)
	AgencyRejectedBySeller = fliggy.AgencyRejectedBySeller // 63 rejected by the seller (卖家拒绝接单), order.update only
	AgencyClosedByService  = fliggy.AgencyClosedByService  // 65 closed by customer service (客服关闭订单)
	AgencyCompleted        = fliggy.AgencyCompleted        // 70 completed (订单已完成)
	AgencyPartlyRefunded   = fliggy.AgencyPartlyRefunded   // 72 completed, partly refunded (订单已完成,部分退款)
)

// At is t as the platform writes times: to the second.
func At(t time.Time) Time { return fliggy.At(t) }

// ParseTime reads "2006-01-02 15:04:05" in China time and the other forms that
// the documents show.
func ParseTime(s string) (Time, error) { return fliggy.ParseTime(s) }

// MustTime is ParseTime for constants; it panics where ParseTime fails.
func MustTime(s string) Time { return fliggy.MustTime(s) }

// ParseLocalTime reads a wall clock, "2006-01-02 15:04:05".
func ParseLocalTime(s string) (LocalTime, error) { return fliggy.ParseLocalTime(s) }

// LocalTimeOf is what the clock of t's own place shows.
func LocalTimeOf(t time.Time) LocalTime { return fliggy.LocalTimeOf(t) }

// ParseYuan reads an amount in yuan, such as "16.02", and keeps its scale.
func ParseYuan(s string) (Yuan, error) { return fliggy.ParseYuan(s) }

// MustYuan is ParseYuan for constants; it panics where ParseYuan fails.
func MustYuan(s string) Yuan { return fliggy.MustYuan(s) }

// YuanFromDecimal is a decimal as an amount in yuan.
func YuanFromDecimal(d decimal.Decimal) Yuan { return fliggy.YuanFromDecimal(d) }

// FenOf is an amount in fen, the unit of the agency's APIs.
func FenOf(n int64) Fen { return fliggy.FenOf(n) }

// NewSecret is a text that is sent but never printed.
func NewSecret(text string) Secret { return fliggy.NewSecret(text) }

// ExtsOf is extension data with the given members.
func ExtsOf(members map[string]string) Exts { return fliggy.ExtsOf(members) }
