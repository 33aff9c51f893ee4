package rentcar

import (
	"fmt"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/internal/top"
)

var opRenewalQuote = bind[RenewalQuoteRequest, RenewalQuoteResult](api.RenewalQuote)

// A RenewalQuoteRequest names the main order and the time it is to be kept
// longer. Which members are required is not documented; OrderID and both times
// are checked, since a quote has no meaning without them.
//
// Source: alitrip.rentcar.btb.renewaldetail.query.
type RenewalQuoteRequest struct {
	// OrderID is Fliggy's id of the main order (飞猪订单号), digits. Required.
	OrderID fliggy.ID `top:"order_id,number,required"`
	// CarUseTime is when the renewal starts: the present return time of the
	// rental. Required.
	CarUseTime fliggy.Time `top:"car_use_time,required"`
	// CarReturnTime is the new return time, after CarUseTime. Required.
	CarReturnTime fliggy.Time `top:"car_return_time,required"`
	// ChannelID is the distribution channel (分销渠道); empty takes the client's.
	ChannelID fliggy.Channel `top:"channel_id"`
	// OutOrderID is the distributor's id of the main order (分销商订单号). Optional.
	// Inferred: the page shows no such member, its siblings have it.
	OutOrderID string `top:"out_order_id"`
	// RenewalOrderID is Fliggy's id of a renewal order (飞猪续租订单号), digits.
	// Optional. What it does in a quote is not documented; presumably it names an
	// earlier renewal of the same rental.
	RenewalOrderID fliggy.ID `top:"renewal_order_id,number"`
	// TraceID is an id of your choice, for troubleshooting only. Optional.
	TraceID string `top:"trace_id"`
	// Exts is extension data (扩展信息), the text of a JSON object. Optional.
	Exts fliggy.Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError.
func (r *RenewalQuoteRequest) Validate() error { return validate(api.RenewalQuote, r) }

func (r *RenewalQuoteRequest) defaultChannel(c fliggy.Channel) { setDefault(&r.ChannelID, c) }

func (r *RenewalQuoteRequest) rules(ps *fliggy.Problems) {
	checkPeriod(ps, r.CarUseTime, r.CarReturnTime)
}

// A RenewalQuoteResult is the price of a renewal. Where a member is missing that
// carries an amount, an id or a date, Warnings names it; look at them before money
// moves. A quote without its ItemID is a *DecodeError: it cannot be submitted.
//
// Source: alitrip.rentcar.btb.renewaldetail.query; the members of the price but
// the calendar are inferred from the merchant's quote.
type RenewalQuoteResult struct {
	Meta
	Status
	// ItemID is the id of this quote (报价唯一ID), opaque text to be given back to
	// Submit unchanged. Never empty in a success.
	ItemID string `top:"item_id"`
	// Price is the price of the renewal (价格信息).
	Price RenewalPrice `top:"price_info"`
	// AddedServices are the added services (增值服务); their amounts come on top of
	// Price.StandardPrice.
	AddedServices []RenewalAddedService `top:"added_service_list,wrap=added_service"`
	// CancelPolicy is the cancellation policy (取消政策). Its members are inferred from the
	// merchant's quote.
	CancelPolicy fliggy.CancelPolicy `top:"cancel_strategy_struct"`
}

func (r *RenewalQuoteResult) verdict() error {
	if err := r.Status.verdict(); err != nil || !top.IsBlank(r.ItemID) {
		return err
	}
	return incomplete(api.RenewalQuote, "item_id")
}

// Total returns what the customer pays by the guide's rule: standard price plus the
// amounts of all added services. Where one of them is missing, or the list of added
// services as a whole, the amount is unset and the error is a *ValidationError that
// names what is missing; a list that came empty is in order. Inferred: the rule is
// documented for the merchant's quote; where the platform's page states a total,
// that one wins.
func (r *RenewalQuoteResult) Total() (fliggy.Yuan, error) {
	var ps fliggy.Problems
	lacks := lacking(&ps)
	lacks("price_info.standard_price", !r.Price.StandardPrice.IsSet())
	lacks("added_service_list", r.AddedServices == nil)
	total := r.Price.StandardPrice
	for i, s := range r.AddedServices {
		lacks(fmt.Sprintf("added_service_list[%d].amount", i), !s.Amount.IsSet())
		total = total.Add(s.Amount)
	}
	if len(ps) > 0 {
		return fliggy.Yuan{}, ps.Err(api.RenewalQuote.Method)
	}
	return total, nil
}

// doubts lists the amounts, ids and dates that are missing.
func (r *RenewalQuoteResult) doubts() []fliggy.Problem {
	var ps fliggy.Problems
	lacks := lacking(&ps)
	p := &r.Price
	lacks("price_info.standard_price", !p.StandardPrice.IsSet())
	lacks("price_info.basic_service_fee", !p.BasicServiceFee.IsSet())
	lacks("price_info.standard_unit_price", !p.StandardUnitPrice.IsSet())
	lacks("price_info.poundage_fee", !p.PoundageFee.IsSet())
	lacks("price_info.price_mark", p.PriceMark == "")
	lacks("price_info.calendar_price", len(p.CalendarPrice) == 0)
	for i, day := range p.CalendarPrice {
		at := fmt.Sprintf("price_info.calendar_price[%d].", i)
		lacks(at+"date", day.Date == fliggy.Date{})
		lacks(at+"day_price", !day.DayPrice.IsSet())
		lacks(at+"scattered_price", day.ScatteredMinutes != 0 && !day.ScatteredPrice.IsSet())
		lacks(at+"scattered_minutes", day.ScatteredMinutes == 0 && day.ScatteredPrice.IsPositive())
	}
	lacks("added_service_list", r.AddedServices == nil)
	for i, s := range r.AddedServices {
		at := fmt.Sprintf("added_service_list[%d].", i)
		lacks(at+"price", !s.Price.IsSet())
		lacks(at+"amount", !s.Amount.IsSet())
		lacks(at+"is_fixed", s.Mandatory == "")
	}
	lacks("price_info.scattered_price_rule_info.data", p.ScatteredPriceRules.Rules == nil)
	c := &r.CancelPolicy
	isMissing := c.Rules == nil && c.CancelType == 0 && !c.SupportCancel
	lacks("cancel_strategy_struct", isMissing)
	lacks("cancel_strategy_struct.cancel_type", c.CancelType == 0 && !isMissing)
	lacks("cancel_strategy_struct.cancel_rules", c.Rules == nil && c.SupportCancel)
	lacks("cancel_strategy_struct.support_cancel", len(c.Rules) > 0 && !c.SupportCancel)
	return ps
}

// lacking returns a function that notes members of a reply which are missing.
func lacking(ps *fliggy.Problems) func(member string, isMissing bool) {
	return func(member string, isMissing bool) {
		if isMissing {
			ps.Add(member, "is missing from the reply; if the platform's page has another name, correct it with WithNames")
		}
	}
}

// RenewalPrice is the price of a renewal. All but CalendarPrice is inferred from
// the merchant's quote.
type RenewalPrice struct {
	// CalendarPrice is the price of each calendar day.
	CalendarPrice []DailyPrice `top:"calendar_price,wrap=daily_price_info"`
	// Quantity is the number of days, scattered hours as a fraction ("1.5").
	// Inferred.
	Quantity fliggy.Decimal `top:"quantity"`
	// ScatteredPriceRules are the scattered-hour rules (零散小时规则). Inferred.
	ScatteredPriceRules fliggy.ScatteredPriceRules `top:"scattered_price_rule_info"`
	// StandardPrice is the whole-day rent plus the handling fee, in yuan. Inferred.
	StandardPrice fliggy.Yuan `top:"standard_price"`
	// BasicServiceFee is the basic service fee (基础服务费) in yuan, already among
	// the added services. Inferred.
	BasicServiceFee fliggy.Yuan `top:"basic_service_fee"`
	// StandardUnitPrice is the rent of one day in yuan. Inferred.
	StandardUnitPrice fliggy.Yuan `top:"standard_unit_price"`
	// PoundageFee is the handling fee (手续费) in yuan. Inferred.
	PoundageFee fliggy.Yuan `top:"poundage_fee"`
	// PriceMark is the merchant's token of this price, opaque. Inferred.
	PriceMark string `top:"price_mark"`
}

// DailyPrice is the price of one calendar day. It is not the type of package qimen: what a merchant must write may be
// missing here, which is a warning, not an error.
type DailyPrice struct {
	// Date is the calendar day, yyyy-MM-dd.
	Date fliggy.Date `top:"date"`
	// DayPrice is the rent of the day (日租金) in yuan.
	DayPrice fliggy.Yuan `top:"day_price"`
	// ScatteredPrice is the scattered-hour fee (零散小时费) of the day in yuan;
	// unset where there is none.
	ScatteredPrice fliggy.Yuan `top:"scattered_price"`
	// ScatteredMinutes are the scattered minutes of the day.
	ScatteredMinutes int `top:"scattered_minutes"`
}

// RenewalAddedService is an added service (增值服务) of a quote. All members are
// inferred from the merchant's quote. It is not the type of package qimen: what a
// merchant must write may be missing here, which is a warning, not an error.
type RenewalAddedService struct {
	// ServiceType is the kind of service: 1 basic service, 4 scattered hours.
	// Inferred.
	ServiceType fliggy.ServiceType `top:"service_type"`
	// ServiceCode is the code of the service. Inferred.
	ServiceCode string `top:"service_code"`
	// ServiceName is the name to display. Inferred.
	ServiceName string `top:"service_name"`
	// ServiceDesc is the description. Inferred.
	ServiceDesc string `top:"service_desc"`
	// Quantity is the quantity, days as a fraction for a service per day. Inferred.
	Quantity fliggy.Decimal `top:"quantity"`
	// Price is the unit price in yuan. Inferred.
	Price fliggy.Yuan `top:"price"`
	// Amount is the amount of the line in yuan. Inferred.
	Amount fliggy.Yuan `top:"amount"`
	// FlatPrice is Yes for a flat price (一口价), No for a price per day. Inferred.
	// The wire name is_one_way_fee does not mean one-way rental.
	FlatPrice fliggy.Flag `top:"is_one_way_fee,number"`
	// Mandatory is Yes for a mandatory service (必选), No for an optional one.
	// Inferred.
	Mandatory fliggy.Flag `top:"is_fixed,number"`
	// ListInclude says what the service includes. Inferred.
	ListInclude []string `top:"list_include"`
	// ListExclude says what it does not include (list_excloud on the wire).
	// Inferred.
	ListExclude []string `top:"list_excloud"`
}
