package rentcar

import (
	"context"
	"slices"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

// OrderService reads rental orders (订单).
type OrderService struct{ client *Client }

var (
	opOrderQuery       = bind[OrderQueryRequest, OrderQueryResult](api.OrderQuery)
	opOrderCheckCancel = bind[OrderCheckCancelRequest, OrderCheckCancelResult](api.OrderCheckCancel)
)

// Query reads an order (查询订单信息). SupportsRenewal of the result says whether a
// renewal may be started.
//
// API: alitrip.rentcar.btb.order.query.
func (s *OrderService) Query(
	ctx context.Context, req *OrderQueryRequest, opts ...CallOption,
) (*OrderQueryResult, error) {
	return invoke(ctx, s.client, opOrderQuery, req, opts)
}

// CheckCancel asks what cancelling an order costs (查询取消费). It changes nothing.
// For a renewal order use Renewals.CheckCancel.
//
// API: alitrip.rentcar.btb.order.cancelcheck.
func (s *OrderService) CheckCancel(
	ctx context.Context, req *OrderCheckCancelRequest, opts ...CallOption,
) (*OrderCheckCancelResult, error) {
	return invoke(ctx, s.client, opOrderCheckCancel, req, opts)
}

// An OrderQueryRequest names an order. Both ids are optional by the page; at
// least one must be there.
//
// Source: alitrip.rentcar.btb.order.query.
type OrderQueryRequest struct {
	// OrderID is Fliggy's order id (飞猪订单号), sent as text. Optional.
	OrderID fliggy.ID `top:"order_id"`
	// OutOrderID is the distributor's order id (分销商订单号). Optional.
	OutOrderID string `top:"out_order_id"`
	// ChannelID is the distribution channel (分销渠道); empty takes the client's.
	// Required.
	ChannelID fliggy.Channel `top:"channel_id,required"`
	// TraceID is an id of your choice, for troubleshooting only. Optional.
	TraceID string `top:"trace_id"`
	// Exts is extension data (扩展信息), the text of a JSON object. Optional.
	Exts fliggy.Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError. The channel
// counts as missing here even if the client would fill it.
func (r *OrderQueryRequest) Validate() error { return validate(api.OrderQuery, r) }

func (r *OrderQueryRequest) defaultChannel(c fliggy.Channel) { setDefault(&r.ChannelID, c) }

func (r *OrderQueryRequest) rules(ps *fliggy.Problems) {
	if r.OrderID == "" && r.OutOrderID == "" {
		ps.Add("order_id", "one of order_id and out_order_id is required")
	}
}

// An OrderQueryResult is a rental order.
//
// Source: alitrip.rentcar.btb.order.query.
type OrderQueryResult struct {
	Meta
	Status
	// Booking is the car, the times and the places (预订信息).
	Booking Booking `top:"booking_info"`
	// Info is amounts, status and added services (订单信息).
	Info OrderInfo `top:"order_info"`
	// Deposit is the credit-based deposit waiver (信用免押).
	Deposit Deposit `top:"deposit_info,keep"`
}

// SupportsRenewal reports whether a renewal may be started on the order: whether
// its service types hold 3 (B2B renewal guide). Ask it of the main order.
func (r *OrderQueryResult) SupportsRenewal() bool {
	return slices.Contains(r.Info.ServiceTypes, fliggy.OrderServiceRenewal)
}

// Booking is the car, the times and the places of an order.
type Booking struct {
	// CarUseTime is the pick-up time (取车时间).
	CarUseTime fliggy.Time `top:"car_use_time"`
	// CarReturnTime is the return time (还车时间).
	CarReturnTime fliggy.Time `top:"car_return_time"`
	// Days is the number of rental days.
	Days fliggy.Decimal `top:"days"`
	// DaysDescription is the duration in words ("1天2小时").
	DaysDescription string `top:"days_description"`
	// CarBrandName is brand and model as the customer sees them.
	CarBrandName string `top:"car_brand_name"`
	// CarType is the vehicle class (车型).
	CarType fliggy.CarType `top:"car_type"`
	// CarSeatNum is the number of seats (座位数).
	CarSeatNum int `top:"car_seat_num"`
	// DoorNum is the number of doors (门数).
	DoorNum int `top:"door_num"`
	// CarImage is a picture of the model, a URL or file name.
	CarImage string `top:"car_image"`
	// OutputVolume is the displacement (排量), such as "2.0"; may be empty for
	// electric cars (output_volumn on the wire).
	OutputVolume string `top:"output_volumn"`
	// OutputType is the unit of OutputVolume.
	OutputType fliggy.OutputType `top:"output_type"`
	// TransmissionType is the gearbox (变速箱).
	TransmissionType fliggy.Transmission `top:"transmission_type"`
	// LicenseType is the kind of licence plate (牌照).
	LicenseType fliggy.LicenseType `top:"license_type"`
	// License is the licence plate as displayed.
	License string `top:"license"`
	// Stores are the places of pick-up and return (门店).
	Stores []RentalStore `top:"rent_store_address_info,wrap=order_detail_store_address_info"`
	// CustomerPlaces are the places the customer searched for.
	CustomerPlaces []CustomerPlace `top:"user_rent_address_info,wrap=order_detail_user_rent_car_address"`
}

// A RentalStore is a place of pick-up or return (门店 or 提车点).
type RentalStore struct {
	// Type reports whether the entry is for pick-up or return.
	Type fliggy.PlaceType `top:"type"`
	// StoreType tells a store (门店) from a pick-up point (提车点).
	StoreType fliggy.StoreType `top:"store_type"`
	// Code is the store's code.
	Code string `top:"code"`
	// Name is the store's name.
	Name string `top:"name"`
	// Address is the full address.
	Address string `top:"address"`
	// AddressList are address lines to show one below the other.
	AddressList []string `top:"address_list"`
	// Latitude in degrees, as text.
	Latitude string `top:"latitude"`
	// Longitude in degrees, as text.
	Longitude string `top:"longitude"`
	// CoordinateSource is the map provider of the coordinates.
	CoordinateSource fliggy.CoordinateSource `top:"coordinate_source"`
	// HandoverText says in words how the car is handed over ("送车上门").
	HandoverText string `top:"use_vehicle_type"`
	// StorePic are pictures of the store, several joined by commas.
	StorePic string `top:"store_pic"`
	// DoorServiceType is how car and customer meet (上门取送车).
	DoorServiceType fliggy.DoorServiceType `top:"service_on_door_type"`
	// DoorServiceFeeDesc says in words what that costs.
	DoorServiceFeeDesc string `top:"service_on_door_fee_desc"`
}

// CustomerPlace is a place the customer searched for.
type CustomerPlace struct {
	// Type is 1 for pick-up and 2 for return; the example contradicts
	// PositionType, so neither is checked against the other.
	Type fliggy.PlaceType `top:"type"`
	// PositionType is pickUp or dropOff.
	PositionType fliggy.PositionType `top:"position_type"`
	// PositionName is the name of the place.
	PositionName string `top:"position_name"`
	// CityID is the id of the city or district, unique in China.
	CityID string `top:"city_id"`
	// StoreID is the id of a store.
	StoreID string `top:"store_id"`
	// Latitude in degrees, as text.
	Latitude string `top:"latitude"`
	// Longitude in degrees, as text.
	Longitude string `top:"longitude"`
}

// OrderInfo is amounts, status and added services of an order. The amounts of the
// platform's example do not add up, so no relation between them is checked.
type OrderInfo struct {
	// OrderStatus is the status of the order; no list of values is published.
	OrderStatus int `top:"order_status,keep"`
	// OrderStatusDesc is the status in Chinese words.
	OrderStatusDesc string `top:"order_status_desc"`
	// CreateTime is when the order was made.
	CreateTime fliggy.Time `top:"create_time"`
	// PayTime is when it was paid.
	PayTime fliggy.Time `top:"pay_time"`
	// PayStatus is the status of the payment.
	PayStatus fliggy.PayStatus `top:"pay_status"`
	// AlipayTradeNo is Alipay's trade number.
	AlipayTradeNo string `top:"alipay_trade_no"`
	// RefundID is the id of a refund, once one was asked for.
	RefundID string `top:"refund_id"`
	// TotalFee is the total of the order in yuan.
	TotalFee fliggy.Yuan `top:"total_fee"`
	// TotalDiscount is the sum of all discounts in yuan.
	TotalDiscount fliggy.Yuan `top:"total_discount"`
	// PlatformDiscount is the part of it that the platform bears (平台优惠), in yuan.
	PlatformDiscount fliggy.Yuan `top:"platform_discount"`
	// BusinessDiscount is the part that the merchant bears (商家优惠), in yuan.
	BusinessDiscount fliggy.Yuan `top:"business_discount"`
	// Payable is what the customer owes (应付), in yuan.
	Payable fliggy.Yuan `top:"payable"`
	// CustomerPaid is what the customer actually paid (实付), in yuan.
	CustomerPaid fliggy.Yuan `top:"user_real_pay"`
	// SellerReceiveMoney is what the merchant receives (商家应收), in yuan: payable
	// plus platform discount.
	SellerReceiveMoney fliggy.Yuan `top:"seller_receive_money"`
	// AddedServices are the added services (增值服务).
	AddedServices []OrderAddedService `top:"added_service_list,wrap=order_detail_add_service_info"`
	// ServiceTypes are the after-sale services the order supports: 1 change of
	// driver, 2 change of pick-up and return, 3 renewal (续租).
	ServiceTypes []fliggy.OrderServiceType `top:"service_type"`
}

// OrderAddedService is an added service of an order.
type OrderAddedService struct {
	// ServiceID is Fliggy's standard code of the service, presumably one of
	// AddedServiceCode.
	ServiceID string `top:"sid"`
	// ServiceCode is the merchant's code of the service.
	ServiceCode string `top:"service_code"`
	// ServiceName is the name to display.
	ServiceName string `top:"service_name"`
	// ServiceDesc is the description.
	ServiceDesc string `top:"service_desc"`
	// DetailMsg is a long description, kept for older clients.
	DetailMsg string `top:"detail_msg"`
	// ServicePrice is the unit price in yuan.
	ServicePrice fliggy.Yuan `top:"service_price"`
	// ServiceQuantity is the quantity; may be a fraction.
	ServiceQuantity fliggy.Decimal `top:"service_quantity"`
	// ServicePriceAmount is the total price of the service in yuan.
	ServicePriceAmount fliggy.Yuan `top:"service_price_amount"`
	// FlatPrice is Yes for a flat price (一口价), which days do not multiply, No for a
	// price per day. The wire name is_one_way_fee does not mean one-way rental.
	FlatPrice fliggy.Flag `top:"is_one_way_fee,number"`
	// Mandatory is Yes for a service that cannot be deselected (必选).
	Mandatory fliggy.Flag `top:"is_fixed,number"`
	// SetNegative asks for a minus sign before the amount, for discounts.
	SetNegative bool `top:"set_negative,keep"`
	// SortKey is the priority of sorting.
	SortKey int `top:"sort_key,keep"`
	// ListInclude says what the service includes.
	ListInclude []string `top:"list_include"`
	// ListExclude says what it does not include (list_excloud on the wire).
	ListExclude []string `top:"list_excloud"`
	// ThirdExtInfos is the merchant's extension data, JSON text.
	ThirdExtInfos string `top:"third_ext_infos"`
}

// Deposit is the credit-based deposit waiver (信用免押) of an order.
type Deposit struct {
	// DepositWaiver reports whether the order uses it.
	DepositWaiver bool `top:"enable_deposit,keep"`
	// VehicleDamageDepositDays is after how many days the vehicle-damage deposit
	// (车损押金) is released.
	VehicleDamageDepositDays int `top:"car_deposit_expire_time,keep"`
	// TrafficViolationDepositDays is after how many days the traffic-violation
	// deposit (违章押金) is released.
	TrafficViolationDepositDays int `top:"legal_deposit_expire_time,keep"`
}

// An OrderCheckCancelRequest names an order to check.
//
// Source: alitrip.rentcar.btb.order.cancelcheck.
type OrderCheckCancelRequest struct {
	// OrderID is Fliggy's order id (飞猪订单号), sent as text. Required.
	OrderID fliggy.ID `top:"order_id,required"`
	// OutOrderID is the distributor's order id (分销商订单号). Required.
	OutOrderID string `top:"out_order_id,required"`
	// ChannelID is the distribution channel; empty takes the client's. Required.
	ChannelID fliggy.Channel `top:"channel_id,required"`
	// TraceID is an id of your choice, for troubleshooting only. Optional.
	TraceID string `top:"trace_id"`
	// Exts is extension data, the text of a JSON object. Optional.
	Exts fliggy.Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError. The channel
// counts as missing here even if the client would fill it.
func (r *OrderCheckCancelRequest) Validate() error { return validate(api.OrderCheckCancel, r) }

func (r *OrderCheckCancelRequest) defaultChannel(c fliggy.Channel) { setDefault(&r.ChannelID, c) }

// An OrderCheckCancelResult says what cancelling the order would cost.
//
// Source: alitrip.rentcar.btb.order.cancelcheck.
type OrderCheckCancelResult struct {
	Meta
	Status
	// CancelFee is the penalty the customer would pay (违约金), in yuan. Never unset in
	// a success: one without it is a *DecodeError.
	CancelFee fliggy.Yuan `top:"cancel_fee"`
	// CancelMessage is the reason of the cancellation.
	CancelMessage string `top:"cancel_message"`
}

func (r *OrderCheckCancelResult) verdict() error {
	if err := r.Status.verdict(); err != nil || r.CancelFee.IsSet() {
		return err
	}
	return incomplete(api.OrderCheckCancel, "cancel_fee")
}
