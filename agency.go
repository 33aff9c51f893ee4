package rentcar

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

// AgencyService reports the orders of the agency Zuzuche (租租车) to Fliggy. Its
// amounts are in fen (分), not in yuan as everywhere else.
type AgencyService struct{ client *Client }

var (
	opAgencyCreateOrder = bind[AgencyCreateOrderRequest, AgencyCreateOrderResult](api.AgencyCreateOrder)
	opAgencyUpdateOrder = bind[AgencyUpdateOrderRequest, AgencyUpdateOrderResult](api.AgencyUpdateOrder)
)

// CreateOrder reports a new order (创建订单回调).
//
// API: alitrip.rentcar.zzc.callback.order.create.
func (s *AgencyService) CreateOrder(
	ctx context.Context, req *AgencyCreateOrderRequest, opts ...CallOption,
) (*AgencyCreateOrderResult, error) {
	return invoke(ctx, s.client, opAgencyCreateOrder, req, opts)
}

// UpdateOrder reports a new status of an order (订单状态回调同步).
//
// API: alitrip.rentcar.zzc.callback.order.update.
func (s *AgencyService) UpdateOrder(
	ctx context.Context, req *AgencyUpdateOrderRequest, opts ...CallOption,
) (*AgencyUpdateOrderResult, error) {
	return invoke(ctx, s.client, opAgencyUpdateOrder, req, opts)
}

// AgencyStatus is what the agency's APIs say of their success.
type AgencyStatus struct {
	// BizSuccess reports whether the report was taken. A reply without it is a
	// *DecodeError, one with false a *BusinessError.
	BizSuccess bool `top:"biz_success,required"`
	// BizErrorCode is the error code; the page of order.update describes it as the
	// message, this package trusts the name.
	BizErrorCode string `top:"biz_error_code"`
	// BizErrorMsg is the error message.
	BizErrorMsg string `top:"biz_error_msg"`
}

func (s *AgencyStatus) verdict() error {
	if s.BizSuccess {
		return nil
	}
	return &BusinessError{Code: s.BizErrorCode, Message: s.BizErrorMsg}
}

// An AgencyCreateOrderRequest is a new order of the agency. The page calls every
// member optional; AgentOrderNo is required here, since without it the order has
// no name.
//
// It has no JSON as soon as Driver or AuthToken is set, since what marshals it may be
// a log. To store an order, store the driver, converted to a type of your own, and
// what AuthToken.Reveal gives beside it, and leave both out of it.
//
// Source: alitrip.rentcar.zzc.callback.order.create.
type AgencyCreateOrderRequest struct {
	// AgentOrderNo is the agency's order number, globally unique. Required.
	AgentOrderNo string `top:"agent_order_no,required"`
	// ItemID is the key of the product. Optional.
	ItemID string `top:"item_id"`
	// BizStatus is the status of the order; nil leaves it out, since 0 means
	// unpaid. Write new(fliggy.AgencyPaid). Optional.
	BizStatus *fliggy.AgencyOrderStatus `top:"biz_status"`
	// CreateOrderTime is when the order was made. That it is China time is inferred:
	// the page names no zone. Optional.
	CreateOrderTime fliggy.Time `top:"create_order_time"`
	// PayTime is when it was paid. That it is China time is inferred. Optional.
	PayTime fliggy.Time `top:"pay_time"`
	// PayModel is how it is paid (支付方式). Optional.
	PayModel fliggy.PayModel `top:"pay_model"`
	// TotalAmount is the total in fen, CNY for now. Optional.
	TotalAmount fliggy.Fen `top:"total_amount"`
	// OnlinePaymentFee is what is paid online, in fen. Optional.
	OnlinePaymentFee fliggy.Fen `top:"online_payment_fee"`
	// OfflinePaymentFee is what is paid at the store, in OfflinePaymentCurrency.
	// Whether it counts yuan or fen is documented nowhere, so it stays text.
	// Optional.
	OfflinePaymentFee string `top:"offline_payment_fee"`
	// OfflinePaymentCurrency is the currency of that, such as CNY. Optional.
	OfflinePaymentCurrency string `top:"offline_payment_currency"`
	// RentFee is the rent of the vehicle, the text of a number. Its unit is documented nowhere
	// (fen, to judge by its neighbours), so it stays text. Sent as a number.
	// Optional.
	RentFee string `top:"rent_fee,number"`
	// PromotionAmount is the discount in fen, CNY for now. Optional.
	PromotionAmount fliggy.Fen `top:"promotion_amount"`
	// Promotions are the coupons (优惠券). Optional.
	Promotions []AgencyPromotion `top:"promotion_list,wrap=promotion"`
	// UseCarTime is the pick-up time on the clock of the place (当地时间), never
	// converted. Optional.
	UseCarTime fliggy.LocalTime `top:"use_car_time"`
	// ReturnCarTime is the return time on the clock of the place (当地时间), never
	// converted. Optional.
	ReturnCarTime fliggy.LocalTime `top:"return_car_time"`
	// PickUpPlace is where the car is picked up. Optional.
	PickUpPlace AgencyPlace `top:"pickup_car_position"`
	// ReturnPlace is where it is returned. Optional.
	ReturnPlace AgencyPlace `top:"return_car_position"`
	// Driver is the driver (驾驶人). Optional.
	Driver AgencyDriver `top:"use_info"`
	// VehicleModelName is brand and series. Optional.
	VehicleModelName string `top:"vehicle_model_name"`
	// VehicleInfo are features of the vehicle joined by slashes. Optional.
	VehicleInfo string `top:"vehicle_info"`
	// VehiclePicture is the URL of a picture. Optional.
	VehiclePicture string `top:"vehicle_picture"`
	// AuthToken is the token of the user. It is sent and never printed. Optional.
	AuthToken fliggy.Secret `top:"auth_token"`
	// Extra is extension data, the text of a JSON object. Optional.
	Extra string `top:"extra"`
}

// String names the order.
func (r AgencyCreateOrderRequest) String() string {
	return fmt.Sprintf("rentcar.AgencyCreateOrderRequest{agent order %s}", r.AgentOrderNo)
}

// Format writes String for every verb.
func (r AgencyCreateOrderRequest) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(r.String())) }

// LogValue is String.
func (r AgencyCreateOrderRequest) LogValue() slog.Value { return slog.StringValue(r.String()) }

// Validate lists what is wrong with the request in a *ValidationError.
func (r *AgencyCreateOrderRequest) Validate() error { return validate(api.AgencyCreateOrder, r) }

func (r *AgencyCreateOrderRequest) rules(ps *fliggy.Problems) {
	checkExtra(ps, r.Extra)
}

// AgencyPlace is a place of pick-up or return.
type AgencyPlace struct {
	// DivisionID is the unique id of the city. Optional.
	DivisionID string `top:"division_id"`
	// CityName is the name of the city. Optional.
	CityName string `top:"city_name"`
	// POIName is the name of the point of interest. Optional.
	POIName string `top:"poi_name"`
	// Longitude in degrees, as text. Optional.
	Longitude string `top:"lon"`
	// Latitude in degrees, as text. Optional.
	Latitude string `top:"lat"`
}

// AgencyDriver is a driver: personal data, which formats and logs as
// "[personal data]". It has no JSON; to store one, convert it to a type of your own.
type AgencyDriver struct {
	// DriverName is the name. Optional.
	DriverName string `top:"driver_name"`
	// MobilePhone is the phone number. Optional.
	MobilePhone string `top:"mobile_phone"`
	// Email is the e-mail address. Optional.
	Email string `top:"email"`
	// DriverIDCard is the number of the identity document (证件). Optional.
	DriverIDCard string `top:"driver_id_card"`
	// DrivingLicense is the kind of driving licence (驾照). Optional.
	DrivingLicense string `top:"driving_license"`
}

const personalData = "[personal data]"

// Format writes a placeholder for every verb.
func (AgencyDriver) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(personalData)) }

// LogValue is a placeholder.
func (AgencyDriver) LogValue() slog.Value { return slog.StringValue(personalData) }

// MarshalJSON gives an error: what marshals a value may be a log, and a placeholder
// would be lost data where it is a store. A driver without any data is {}.
func (d AgencyDriver) MarshalJSON() ([]byte, error) {
	if d == (AgencyDriver{}) {
		return []byte("{}"), nil
	}
	return nil, errors.New("rentcar: an AgencyDriver is personal data and has no JSON: to store one, convert it to a " +
		"type of your own, " +
		"as in: type driver rentcar.AgencyDriver")
}

// AgencyPromotion is a coupon (优惠券).
type AgencyPromotion struct {
	// PromotionName is the name of Zuzuche's coupon. Optional.
	PromotionName string `top:"promotion_name"`
	// PromotionID is Zuzuche's id of the coupon, digits. Optional.
	PromotionID fliggy.ID `top:"promotion_id,number"`
	// ZZCPromotionID is the id of the instance of Zuzuche's coupon, digits.
	// Optional.
	ZZCPromotionID fliggy.ID `top:"zzc_promotion_id,number"`
	// ZZCPromotionFee is the discount that Zuzuche bears, in fen. Optional.
	ZZCPromotionFee fliggy.Fen `top:"zzc_promotion_fee"`
	// FliggyPromotionID is the id of the instance of Fliggy's coupon, digits.
	// Optional.
	FliggyPromotionID fliggy.ID `top:"fliggy_promotion_id,number"`
	// FliggyPromotionFee is the discount that Fliggy bears, in fen. Optional.
	FliggyPromotionFee fliggy.Fen `top:"fliggy_promotion_fee"`
}

// An AgencyCreateOrderResult is Fliggy's order.
//
// Source: alitrip.rentcar.zzc.callback.order.create.
type AgencyCreateOrderResult struct {
	Meta
	AgencyStatus
	// FliggyOrderID is Fliggy's order number (飞猪订单号).
	FliggyOrderID fliggy.ID `top:"fliggy_order_id"`
}

// An AgencyUpdateOrderRequest is a new status of an order. The page calls every
// member optional; one of AgentOrderNo and FliggyOrderID is required here.
//
// Source: alitrip.rentcar.zzc.callback.order.update.
type AgencyUpdateOrderRequest struct {
	// AgentOrderNo is the agency's order number. Optional.
	AgentOrderNo string `top:"agent_order_no"`
	// FliggyOrderID is Fliggy's order number (飞猪订单号), sent as text. Optional.
	FliggyOrderID fliggy.ID `top:"fliggy_order_id"`
	// BizStatus is the status of the order; nil leaves it out, since 0 means
	// unpaid. Optional.
	BizStatus *fliggy.AgencyOrderStatus `top:"biz_status"`
	// ConfirmOrderID is the merchant's pick-up confirmation number. Optional.
	ConfirmOrderID string `top:"confirm_order_id"`
	// PayTime is when the order was paid. That it is China time is inferred. Optional.
	PayTime fliggy.Time `top:"pay_time"`
	// BuyerPayAmount is what the customer paid, in fen. Optional.
	BuyerPayAmount fliggy.Fen `top:"buyer_pay_amount"`
	// RefundAmount is the refund, if any, in fen. Optional.
	RefundAmount fliggy.Fen `top:"refund_amount"`
	// CancelAmount is the charge for cancelling, if any, in fen. Optional.
	CancelAmount fliggy.Fen `top:"cancel_amount"`
	// CancelReason is why the order was cancelled or closed. Optional.
	CancelReason string `top:"cancel_reason"`
	// RequestID is a request id of the gateway. Optional.
	RequestID string `top:"request_id"`
	// Extra is extension data, the text of a JSON object whose values are text.
	// Optional.
	Extra string `top:"extra"`
}

// Validate lists what is wrong with the request in a *ValidationError.
func (r *AgencyUpdateOrderRequest) Validate() error { return validate(api.AgencyUpdateOrder, r) }

func (r *AgencyUpdateOrderRequest) rules(ps *fliggy.Problems) {
	if r.AgentOrderNo == "" && r.FliggyOrderID == "" {
		ps.Add("agent_order_no", "one of agent_order_no and fliggy_order_id is required")
	}
	checkExtra(ps, r.Extra)
}

// An AgencyUpdateOrderResult says that the status was taken.
//
// Source: alitrip.rentcar.zzc.callback.order.update.
type AgencyUpdateOrderResult struct {
	Meta
	AgencyStatus
}

func checkExtra(ps *fliggy.Problems, extra string) {
	if x := fliggy.Exts(extra); x != "" && !x.IsObject() {
		ps.Add("extra", "must be the text of a JSON object")
	}
}
