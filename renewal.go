package rentcar

import (
	"context"
	"errors"

	"github.com/fliggy-go/rentcar/fliggy"
)

// RenewalService renews rentals (续租): the customer who has the car keeps it
// longer. The order of a renewal is Orders.Query of the main order, Quote,
// Submit, then an event 103 or 104; CheckCancel and Cancel take it back.
type RenewalService struct{ client *Client }

// Quote asks what a renewal costs (续租报价查询).
//
// API: alitrip.rentcar.btb.renewaldetail.query.
func (s *RenewalService) Quote(ctx context.Context, req *RenewalQuoteRequest, opts ...CallOption) (*RenewalQuoteResult, error) {
	return invoke[RenewalQuoteRequest, RenewalQuoteResult](ctx, s.client, opRenewalQuote, req, opts)
}

// Submit places a renewal order (续租下单). The result is Fliggy's renewal order;
// whether the merchant takes it comes later, as event 103 (accepted) or 104
// (rejected); the event may overtake the reply. When the error matches
// ErrOutcomeUnknown the order may exist: do not submit again. Event 103 or 104
// settles it, and so does a success of CheckCancel with your RenewalOutOrderID as
// its OutOrderID (inferred); that CheckCancel is refused proves nothing.
//
// API: alitrip.rentcar.btb.renewal.submit; all its names are inferred.
func (s *RenewalService) Submit(ctx context.Context, req *RenewalSubmitRequest, opts ...CallOption) (*RenewalSubmitResult, error) {
	return invoke[RenewalSubmitRequest, RenewalSubmitResult](ctx, s.client, opRenewalSubmit, req, opts)
}

// CheckCancel asks whether a renewal can be cancelled and what that costs
// (续租预取消). It changes nothing.
//
// API: alitrip.rentcar.btb.renewal.checkcancel.
func (s *RenewalService) CheckCancel(ctx context.Context, req *RenewalCheckCancelRequest, opts ...CallOption) (*RenewalCheckCancelResult, error) {
	return invoke[RenewalCheckCancelRequest, RenewalCheckCancelResult](ctx, s.client, opRenewalCheckCancel, req, opts)
}

// Cancel cancels a renewal order (续租取消) and returns the fee. The answer is
// final: no event follows.
//
// API: alitrip.rentcar.btb.renewal.order.cancel; all its names are inferred.
func (s *RenewalService) Cancel(ctx context.Context, req *RenewalCancelRequest, opts ...CallOption) (*RenewalCancelResult, error) {
	return invoke[RenewalCancelRequest, RenewalCancelResult](ctx, s.client, opRenewalCancel, req, opts)
}

// A RenewalQuoteRequest names the main order and the time it is to be kept
// longer. Which members are required is not documented; OrderID and both times
// are checked, since a quote has no meaning without them.
//
// Source: alitrip.rentcar.btb.renewaldetail.query.
type RenewalQuoteRequest struct {
	// OrderID is Fliggy's id of the main order (飞猪订单号), digits. Required.
	OrderID ID `top:"order_id,number,required"`
	// CarUseTime is when the renewal starts: the present return time of the
	// rental. Required.
	CarUseTime Time `top:"car_use_time,required"`
	// CarReturnTime is the new return time, after CarUseTime. Required.
	CarReturnTime Time `top:"car_return_time,required"`
	// ChannelID is the distribution channel (分销渠道); empty takes the client's.
	ChannelID Channel `top:"channel_id"`
	// OutOrderID is the distributor's id of the main order (分销商订单号). Optional.
	// Inferred: the page shows no such member, its siblings have it.
	OutOrderID string `top:"out_order_id"`
	// RenewalOrderID is Fliggy's id of a renewal order (飞猪续租订单号), digits.
	// Optional. What it does in a quote is not documented; presumably it names an
	// earlier renewal of the same rental.
	RenewalOrderID ID `top:"renewal_order_id,number"`
	// TraceID is an id of your choice, for troubleshooting only. Optional.
	TraceID string `top:"trace_id"`
	// Exts is extension data (扩展信息), the text of a JSON object. Optional.
	Exts Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError.
func (r *RenewalQuoteRequest) Validate() error { return validate(opRenewalQuote, r) }

func (r *RenewalQuoteRequest) defaultChannel(c Channel) { setDefault(&r.ChannelID, c) }

func (r *RenewalQuoteRequest) rules(ps *fliggy.Problems) {
	checkPeriod(ps, r.CarUseTime, r.CarReturnTime)
}

// A RenewalQuoteResult is the price of a renewal.
//
// Source: alitrip.rentcar.btb.renewaldetail.query; the members of the price but
// the calendar are inferred from the merchant's quote.
type RenewalQuoteResult struct {
	Meta
	Status
	// ItemID is the id of this quote (报价唯一ID), opaque text to be given back to
	// Submit unchanged.
	ItemID string `top:"item_id"`
	// Price is the price of the renewal (价格信息).
	Price RenewalPrice `top:"price_info"`
	// AddedServices are the added services (增值服务); their amounts come on top of
	// Price.StandardPrice.
	AddedServices []RenewalAddedService `top:"added_service_list,wrap=added_service"`
	// CancelStrategy is the cancellation policy (取消政策).
	CancelStrategy CancelStrategy `top:"cancel_strategy_struct"`
}

// Total is what the customer pays by the guide's rule: standard price plus the
// amounts of all added services. It is unset when the quote names no standard
// price. Inferred: the rule is documented for the merchant's quote; where the
// platform's page states a total, that one wins.
func (r *RenewalQuoteResult) Total() Yuan {
	total := r.Price.StandardPrice
	if !total.IsSet() {
		return Yuan{}
	}
	for _, s := range r.AddedServices {
		total = total.Add(s.Amount)
	}
	return total
}

// RenewalPrice is the price of a renewal. All but CalendarPrice is inferred from
// the merchant's quote.
type RenewalPrice struct {
	// CalendarPrice is the price of each calendar day.
	CalendarPrice []DailyPrice `top:"calendar_price,wrap=daily_price_info"`
	// Quantity is the number of days, scattered hours as a fraction ("1.5").
	// Inferred.
	Quantity Decimal `top:"quantity"`
	// ScatteredPriceRules are the scattered-hour rules (零散小时规则). Inferred.
	ScatteredPriceRules ScatteredPriceRules `top:"scattered_price_rule_info"`
	// StandardPrice is the whole-day rent plus the handling fee, in yuan. Inferred.
	StandardPrice Yuan `top:"standard_price"`
	// BasicServiceFee is the basic service fee (基础服务费) in yuan, already among
	// the added services. Inferred.
	BasicServiceFee Yuan `top:"basic_service_fee"`
	// StandardUnitPrice is the rent of one day in yuan. Inferred.
	StandardUnitPrice Yuan `top:"standard_unit_price"`
	// PoundageFee is the handling fee (手续费) in yuan. Inferred.
	PoundageFee Yuan `top:"poundage_fee"`
	// PriceMark is the merchant's token of this price, opaque. Inferred.
	PriceMark string `top:"price_mark"`
}

// DailyPrice is the price of one calendar day.
type DailyPrice struct {
	// Date is the calendar day, yyyy-MM-dd.
	Date Date `top:"date"`
	// DayPrice is the rent of the day (日租金) in yuan.
	DayPrice Yuan `top:"day_price"`
	// ScatteredPrice is the scattered-hour fee (零散小时费) of the day in yuan;
	// unset where there is none.
	ScatteredPrice Yuan `top:"scattered_price"`
	// ScatteredMinutes are the scattered minutes of the day.
	ScatteredMinutes int `top:"scattered_minutes"`
}

// ScatteredPriceRules are the scattered-hour rules of a merchant. Inferred.
type ScatteredPriceRules struct {
	// Rules are the rules by range of minutes. Inferred.
	Rules []ScatteredPriceRule `top:"data"`
}

// ScatteredPriceRule says what scattered minutes in a range cost. Inferred.
type ScatteredPriceRule struct {
	// Value is the share of the day price in percent; 100 means that a whole day
	// is charged instead. Inferred.
	Value Decimal `top:"value"`
	// StartTime is the first minute of the range. Inferred.
	StartTime int `top:"start_time"`
	// EndTime is the last minute of the range. Inferred.
	EndTime int `top:"end_time"`
}

// RenewalAddedService is an added service (增值服务) of a quote. All members are
// inferred from the merchant's quote.
type RenewalAddedService struct {
	// ServiceType is the kind of service: 1 basic service, 4 scattered hours.
	// Inferred.
	ServiceType ServiceType `top:"service_type"`
	// ServiceCode is the code of the service. Inferred.
	ServiceCode string `top:"service_code"`
	// ServiceName is the name to display. Inferred.
	ServiceName string `top:"service_name"`
	// ServiceDesc is the description. Inferred.
	ServiceDesc string `top:"service_desc"`
	// Quantity is the quantity, days as a fraction for a service per day. Inferred.
	Quantity Decimal `top:"quantity"`
	// Price is the unit price in yuan. Inferred.
	Price Yuan `top:"price"`
	// Amount is the amount of the line in yuan. Inferred.
	Amount Yuan `top:"amount"`
	// IsFlatPrice is 1 for a flat price (一口价), 0 for a price per day. Inferred.
	// The wire name is_one_way_fee does not mean one-way rental.
	IsFlatPrice int `top:"is_one_way_fee"`
	// IsMandatory is 1 for a mandatory service (必选), 0 for an optional one.
	// Inferred.
	IsMandatory int `top:"is_fixed"`
	// ListInclude says what the service includes. Inferred.
	ListInclude []string `top:"list_include"`
	// ListExclude says what it does not include (list_excloud on the wire).
	// Inferred.
	ListExclude []string `top:"list_excloud"`
}

// CancelStrategy is a cancellation policy (取消政策). All members are inferred
// from the merchant's quote.
type CancelStrategy struct {
	// CancelRules are the tiers of the penalty. Inferred.
	CancelRules []CancelRule `top:"cancel_rules,wrap=cancel_rule"`
	// ManualCheckTime is explained nowhere. Inferred.
	ManualCheckTime int `top:"manual_check_time"`
	// CancelType is the kind of rule; only 1 is seen. Inferred.
	CancelType int `top:"cancel_type"`
	// SupportCancel tells whether cancelling is possible. Inferred.
	SupportCancel bool `top:"support_cancel"`
}

// CancelRule is one tier of a cancellation penalty. Inferred.
type CancelRule struct {
	// Num is the penalty in percent, presumably of the total, when CancelType is 1.
	// Inferred.
	Num int `top:"num"`
	// Time is the threshold in hours, presumably before the start. Inferred.
	Time int `top:"time"`
}

// A RenewalSubmitRequest is a renewal order. The platform's page is not public:
// every member is inferred, and WithNames corrects names. Only OrderID is
// required here; what is likely to be needed is a warning of the result.
//
// Source: alitrip.rentcar.btb.renewal.submit (existence and reply: B2B renewal
// guide; members: the sibling APIs and the events).
type RenewalSubmitRequest struct {
	// OrderID is Fliggy's id of the main order (飞猪订单号), digits. Required.
	// Inferred.
	OrderID ID `top:"order_id,number,required"`
	// OutOrderID is the distributor's id of the main order. Whether the platform
	// wants the main order's or the renewal's id here is unknown. Inferred.
	OutOrderID string `top:"out_order_id"`
	// RenewalOutOrderID is the distributor's id of the renewal (分销续租订单号), the
	// one that events carry as renewalOutOrderId. Choose it before the call: it is
	// how an unknown outcome is settled. Inferred.
	RenewalOutOrderID string `top:"renewal_out_order_id"`
	// ItemID is the id of the quote, unchanged. Inferred.
	ItemID string `top:"item_id"`
	// CarUseTime is when the renewal starts. Inferred.
	CarUseTime Time `top:"car_use_time"`
	// CarReturnTime is the new return time, after CarUseTime. Inferred.
	CarReturnTime Time `top:"car_return_time"`
	// TotalFee is the total of the renewal in yuan. Inferred.
	TotalFee Yuan `top:"total_fee"`
	// Payment is what the customer actually paid (实付), in yuan. Inferred.
	Payment Yuan `top:"payment"`
	// PayTradeNo is the trade number of the payment (交易流水号). Inferred.
	PayTradeNo string `top:"pay_trade_no"`
	// CreatedTime is when the distributor created the order. Inferred.
	CreatedTime Time `top:"created_time"`
	// SelectedServices are the codes of the chosen added services. Inferred.
	SelectedServices []string `top:"select_add_services"`
	// ChannelID is the distribution channel; empty takes the client's. Inferred.
	ChannelID Channel `top:"channel_id"`
	// TraceID is an id of your choice, for troubleshooting only. Inferred.
	TraceID string `top:"trace_id"`
	// Exts is extension data, the text of a JSON object. Inferred.
	Exts Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError.
func (r *RenewalSubmitRequest) Validate() error { return validate(opRenewalSubmit, r) }

func (r *RenewalSubmitRequest) defaultChannel(c Channel) { setDefault(&r.ChannelID, c) }

func (r *RenewalSubmitRequest) rules(ps *fliggy.Problems) {
	checkPeriod(ps, r.CarUseTime, r.CarReturnTime)
	checkNotNegative(ps, "total_fee", r.TotalFee)
	checkNotNegative(ps, "payment", r.Payment)
}

// Warnings lists what a renewal order most likely needs and this one lacks. The
// result carries them; they refuse nothing, since no document says so.
func (r *RenewalSubmitRequest) Warnings() []Problem {
	var ps fliggy.Problems
	for _, m := range []struct {
		name string
		has  bool
	}{
		{"renewal_out_order_id", r.RenewalOutOrderID != ""},
		{"item_id", r.ItemID != ""},
		{"car_use_time", !r.CarUseTime.IsZero()},
		{"car_return_time", !r.CarReturnTime.IsZero()},
		{"total_fee", r.TotalFee.IsSet()},
	} {
		if !m.has {
			ps.Add(m.name, "is empty; the platform most likely needs it")
		}
	}
	return ps
}

// A RenewalSubmitResult is Fliggy's renewal order.
//
// Source: B2B renewal guide (that the order comes back at once); the names are
// inferred.
type RenewalSubmitResult struct {
	Meta
	Status
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号), never empty
	// in a success. Inferred.
	RenewalOrderID ID `top:"renewal_order_id,number"`
	// OrderID is Fliggy's id of the main order. Inferred.
	OrderID ID `top:"order_id,number"`
	// OutOrderID is the distributor's order id. Inferred.
	OutOrderID string `top:"out_order_id"`
}

func (r *RenewalSubmitResult) verdict() error {
	if err := r.Status.verdict(); err != nil {
		return err
	}
	if r.RenewalOrderID == "" {
		return errors.New("renewal_order_id: missing from a success; its name is inferred: if the platform's page has " +
			"another, correct it with rentcar.WithNames(\"" + opRenewalSubmit.method + "\", rentcar.Names{Reply: ...})")
	}
	return nil
}

// A RenewalCheckCancelRequest names the renewal order to check. Every member is
// optional by the page; at least one of the ids must be there.
//
// Source: alitrip.rentcar.btb.renewal.checkcancel.
type RenewalCheckCancelRequest struct {
	// OrderID is Fliggy's id of the main order (飞猪订单号), digits. Optional.
	OrderID ID `top:"order_id,number"`
	// OutOrderID is the distributor's order id; the page describes it as the id of
	// the renewal (分销续租订单号). Optional.
	OutOrderID string `top:"out_order_id"`
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号), digits.
	// Optional.
	RenewalOrderID ID `top:"renewal_order_id,number"`
	// ChannelID is the distribution channel; empty takes the client's. Optional.
	ChannelID Channel `top:"channel_id"`
	// TraceID is an id of your choice, for troubleshooting only. Optional.
	TraceID string `top:"trace_id"`
	// Exts is extension data, the text of a JSON object. Optional.
	Exts Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError.
func (r *RenewalCheckCancelRequest) Validate() error { return validate(opRenewalCheckCancel, r) }

func (r *RenewalCheckCancelRequest) defaultChannel(c Channel) { setDefault(&r.ChannelID, c) }

func (r *RenewalCheckCancelRequest) rules(ps *fliggy.Problems) {
	checkRenewalID(ps, r.OrderID, r.OutOrderID, r.RenewalOrderID)
}

// A RenewalCheckCancelResult says what cancelling would cost. When cancelling is
// impossible the call fails with a *BusinessError that gives the reason.
//
// Source: alitrip.rentcar.btb.renewal.checkcancel.
type RenewalCheckCancelResult struct {
	Meta
	Status
	// CancelFee is the penalty the customer would pay (违约金), in yuan.
	CancelFee Yuan `top:"cancel_fee"`
	// CancelMessage explains the charge (收费原因).
	CancelMessage string `top:"cancel_message"`
}

// A RenewalCancelRequest names the renewal order to cancel. The platform's page
// is not public: every member is inferred. At least one of the ids must be there.
//
// Source: alitrip.rentcar.btb.renewal.order.cancel (existence: B2B renewal guide;
// members: renewal.checkcancel and the merchant's cancellation).
type RenewalCancelRequest struct {
	// OrderID is Fliggy's id of the main order, digits. Inferred.
	OrderID ID `top:"order_id,number"`
	// OutOrderID is the distributor's id, presumably of the renewal. Inferred.
	OutOrderID string `top:"out_order_id"`
	// RenewalOrderID is Fliggy's id of the renewal order, digits. Inferred.
	RenewalOrderID ID `top:"renewal_order_id,number"`
	// CancelMessage is the reason of the cancellation. Inferred.
	CancelMessage string `top:"cancel_message"`
	// CancelFee is the penalty that the preceding check named, in yuan. Inferred.
	CancelFee Yuan `top:"cancel_fee"`
	// ChannelID is the distribution channel; empty takes the client's. Inferred.
	ChannelID Channel `top:"channel_id"`
	// TraceID is an id of your choice, for troubleshooting only. Inferred.
	TraceID string `top:"trace_id"`
	// Exts is extension data, the text of a JSON object. Inferred.
	Exts Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError.
func (r *RenewalCancelRequest) Validate() error { return validate(opRenewalCancel, r) }

func (r *RenewalCancelRequest) defaultChannel(c Channel) { setDefault(&r.ChannelID, c) }

func (r *RenewalCancelRequest) rules(ps *fliggy.Problems) {
	checkRenewalID(ps, r.OrderID, r.OutOrderID, r.RenewalOrderID)
	checkNotNegative(ps, "cancel_fee", r.CancelFee)
}

// A RenewalCancelResult is the fee of a cancellation that was made. When
// cancelling is impossible the call fails with a *BusinessError.
//
// Source: B2B renewal guide; the names are inferred.
type RenewalCancelResult struct {
	Meta
	Status
	// CancelFee is the penalty charged to the customer (违约金), in yuan. Inferred.
	CancelFee Yuan `top:"cancel_fee"`
	// CancelMessage explains the charge. Inferred.
	CancelMessage string `top:"cancel_message"`
}

func setDefault(to *Channel, c Channel) {
	if *to == "" {
		*to = c
	}
}

func checkPeriod(ps *fliggy.Problems, from, to Time) {
	if !from.IsZero() && !to.IsZero() && !to.After(from.Time) {
		ps.Add("car_return_time", "must be after car_use_time")
	}
}

func checkNotNegative(ps *fliggy.Problems, name string, amount Yuan) {
	if amount.Sign() < 0 {
		ps.Add(name, "must not be negative")
	}
}

func checkRenewalID(ps *fliggy.Problems, order ID, outOrder string, renewal ID) {
	if order == "" && outOrder == "" && renewal == "" {
		ps.Add("renewal_order_id", "one of renewal_order_id, out_order_id and order_id is required")
	}
}
