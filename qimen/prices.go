package qimen

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A RenewalPricesReply is the price of a renewal. Package pricing makes it from a rate plan.
//
// The members are those of the guide's samples. Inferred: which ones are required; see [WithUncheckedReplies].
//
// Source: qimen.alitrip.rentcar.renewalprices.query, merchant renewal guide.
type RenewalPricesReply struct {
	// AddedServices are the lines added to the standard price (增值服务). May be empty.
	AddedServices []AddedService `top:"addedServiceList,keep"`
	// CancelPolicy is the cancellation policy (取消政策). Required, with its CancelType.
	CancelPolicy fliggy.CancelPolicy `top:"cancelStrategyStruct,camel"`
	// Price is the price without the added services. Required.
	Price RenewalPrice `top:"priceInfo,required"`
	// Extra holds additional members, which are encoded as they are.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// Total returns what the customer pays, in yuan: the standard price plus the amounts of all added services. The basic
// service fee of Price repeats a line and is not added. If an amount is missing, the total is unset and the error is a
// *fliggy.ValidationError that names it.
func (r *RenewalPricesReply) Total() (fliggy.Yuan, error) {
	var ps fliggy.Problems
	total := r.Price.StandardPrice
	if !total.IsSet() {
		ps.Add("priceInfo.standardPrice", ruleMissing)
	}
	for i, s := range r.AddedServices {
		if !s.Amount.IsSet() {
			ps.Add(fmt.Sprintf("addedServiceList[%d].amount", i), ruleMissing)
		}
		total = total.Add(s.Amount)
	}
	if len(ps) > 0 {
		return fliggy.Yuan{}, ps.Err(RenewalPricesMethod)
	}
	return total, nil
}

// Validate returns a *fliggy.ValidationError that lists missing required members and negative amounts. It does not
// check the arithmetic: packages pricing and merchantcheck do.
func (r *RenewalPricesReply) Validate() error {
	ps := checkFields(r)
	if r.CancelPolicy.CancelType == 0 {
		ps.Add("cancelStrategyStruct.cancelType", "is required")
	}
	nonNegative := func(field string, y fliggy.Yuan) {
		if y.IsNegative() {
			ps.Add(field, ruleNegative)
		}
	}
	for i, s := range r.AddedServices {
		at := fmt.Sprintf("addedServiceList[%d].", i)
		nonNegative(at+"price", s.Price)
		nonNegative(at+"amount", s.Amount)
	}
	p := &r.Price
	for i, day := range p.CalendarPrice {
		at := fmt.Sprintf("priceInfo.calendarPrice[%d].", i)
		nonNegative(at+"dayPrice", day.DayPrice)
		nonNegative(at+"scatteredPrice", day.ScatteredPrice)
	}
	nonNegative("priceInfo.standardPrice", p.StandardPrice)
	nonNegative("priceInfo.basicServiceFee", p.BasicServiceFee)
	nonNegative("priceInfo.standardUnitPrice", p.StandardUnitPrice)
	nonNegative("priceInfo.poundageFee", p.PoundageFee)
	return ps.Err(RenewalPricesMethod)
}

// MarshalJSON encodes the reply like the guide's samples, with success true and null code and message.
func (r RenewalPricesReply) MarshalJSON() ([]byte, error) { return writeMessage(&r, pricesStatus) }

// UnmarshalJSON decodes a reply. The error is a *[Refusal] if success is false. It is an error if success is missing,
// or one of the numbers of a cancellation tier or a scattered-hour rule.
func (r *RenewalPricesReply) UnmarshalJSON(data []byte) error {
	var fresh RenewalPricesReply
	if err := readReply(data, &fresh, &fresh.Extra); err != nil {
		return err
	}
	if fresh.CancelPolicy.CancelType == 0 {
		return errors.New("qimen: cancelStrategyStruct.cancelType: missing")
	}
	*r = fresh
	return nil
}

// RenewalPrice is the price of a renewal without its added services.
type RenewalPrice struct {
	// StandardPrice is the rent of the whole days plus PoundageFee, in yuan, without added services. Required.
	StandardPrice fliggy.Yuan `top:"standardPrice,required"`
	// StandardUnitPrice is the rent of one day in yuan. Its meaning is not documented if prices differ by day. Required.
	StandardUnitPrice fliggy.Yuan `top:"standardUnitPrice,required"`
	// PoundageFee is the handling fee (手续费) in yuan, once per renewal. Required.
	PoundageFee fliggy.Yuan `top:"poundageFee,required"`
	// BasicServiceFee repeats the amount of the basic service line in yuan; it is not added again.
	BasicServiceFee fliggy.Yuan `top:"basicServiceFee"`
	// Quantity is the number of days, scattered hours as a fraction ("1.5"). Required.
	Quantity fliggy.Decimal `top:"quantity,required"`
	// CalendarPrice has one entry for each started day, in order. Required.
	CalendarPrice []DailyPrice `top:"calendarPrice,required"`
	// ScatteredPriceRules are the scattered-hour rules (零散小时规则).
	ScatteredPriceRules fliggy.ScatteredPriceRules `top:"scatteredPriceRuleInfo,keep,camel"`
	// PriceMark is your opaque token for this price. The submit returns it. Required.
	PriceMark string `top:"priceMark,required"`
	// Extra holds additional members, which are encoded as they are.
	Extra map[string]json.RawMessage `top:",unknown"`
}

// DailyPrice is the price of one started day. Unlike in the quote that a distributor reads, its price is required.
type DailyPrice struct {
	// Date is the calendar day on which it starts, yyyy-MM-dd. Required.
	Date fliggy.Date `top:"date,required"`
	// DayPrice is the rent of a whole day (日租金) in yuan. If ScatteredPrice is set, it is only the base of that fee.
	// Required.
	DayPrice fliggy.Yuan `top:"dayPrice,required"`
	// ScatteredPrice is the scattered-hour fee (零散小时费) in yuan. It is set only in the last entry, and only if the fee
	// applies (命中).
	ScatteredPrice fliggy.Yuan `top:"scatteredPrice"`
	// ScatteredMinutes is the number of minutes beyond the last whole day. It is set only with ScatteredPrice.
	ScatteredMinutes int `top:"scatteredMinutes"`
}

// The service codes of the guide's samples. A merchant may have others.
const (
	BasicServiceCode  = "basicServiceMoney" // basic service fee (基础服务费)
	ScatteredHourCode = "hourFee"           // scattered-hour fee (零散小时费)
)

// AddedService is one line added to the standard price (增值服务). Unlike in the quote that a distributor reads, its
// members are required, and members without a field are kept.
type AddedService struct {
	// ServiceType is the kind of service: 1 basic service, 4 scattered hours. Others are unknown. Required.
	ServiceType fliggy.ServiceType `top:"serviceType,required"`
	// ServiceCode is your code of the service. Required.
	ServiceCode string `top:"serviceCode,required"`
	// ServiceName is the name to display. Required.
	ServiceName string `top:"serviceName,required"`
	// ServiceDesc is a description.
	ServiceDesc string `top:"serviceDesc,keep"`
	// Price is the unit price in yuan. Required.
	Price fliggy.Yuan `top:"price,required"`
	// Quantity is the number of days of the renewal for a price per day, 1 for a flat price. Required.
	Quantity fliggy.Decimal `top:"quantity,required"`
	// Amount is the amount of the line in yuan: Price times Quantity, rounded to the fen, or Price if it is flat.
	// Required.
	Amount fliggy.Yuan `top:"amount,required"`
	// FlatPrice selects a flat price (一口价) instead of a price per day. 1 or 0 on the wire, as isOneWayFee, which has
	// nothing to do with one-way rental.
	FlatPrice bool `top:"isOneWayFee,number,keep"`
	// Mandatory makes the service mandatory (必选) instead of optional. 1 or 0 on the wire.
	Mandatory bool `top:"isFixed,number,keep"`
	// ListInclude lists what the service includes.
	ListInclude []string `top:"listInclude,keep"`
	// ListExclude lists what the service excludes (listExcloud on the wire).
	ListExclude []string `top:"listExcloud,keep"`
	// Extra holds additional members, which are encoded as they are.
	Extra map[string]json.RawMessage `top:",unknown"`
}
