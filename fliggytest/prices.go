package fliggytest

import (
	"strconv"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// maxDays bounds the period of a renewal, and so the calendar of a quote.
const maxDays = 365

const dayMinutes = 24 * 60

// The prices of scenario 1 of the merchant guide.
var (
	dayPrice        = fliggy.MustYuan("10.00")
	poundageFee     = fliggy.MustYuan("1.0")
	basicServiceFee = fliggy.MustYuan("0.01") // a day

	scatteredRules = []fliggy.ScatteredPriceRule{
		{Value: fliggy.MustDecimal("50"), StartTime: 0, EndTime: 420},
		{Value: fliggy.MustDecimal("100"), StartTime: 421, EndTime: dayMinutes},
	}
	cancelRules = []fliggy.CancelRule{
		{Num: 0, Time: 72}, {Num: 10, Time: 48}, {Num: 20, Time: 24}, {Num: 30, Time: 2}, {Num: 50, Time: 0},
	}
)

// halfDay is the longest scattered part, in minutes, that costs half a day.
const halfDay = 420

// priceOf prices a renewal by the rules of the merchant guide. ok is false for a
// period that is empty or too long.
func priceOf(from, to time.Time) (res *rentcar.RenewalQuoteResult, ok bool) {
	minutes := int(to.Sub(from) / time.Minute)
	days, scattered := minutes/dayMinutes, minutes%dayMinutes
	if minutes < 1 || days > maxDays {
		return nil, false
	}
	applies := scattered > 0 && scattered <= halfDay
	charged, entries, fraction := days, days, ".0"
	switch {
	case applies:
		entries, fraction = days+1, ".5"
	case scattered > 0:
		charged, entries = days+1, days+1
	}
	quantity := fliggy.MustDecimal(strconv.Itoa(charged) + fraction)
	wholeDays := fliggy.MustDecimal(strconv.Itoa(charged))

	res = &rentcar.RenewalQuoteResult{Status: success()}
	basic := basicServiceFee.Mul(quantity).RoundBank(2)
	res.AddedServices = []rentcar.RenewalAddedService{{
		ServiceType: fliggy.ServiceTypeBasic, ServiceCode: "basicServiceMoney", ServiceName: "基础服务费", ServiceDesc: "基础服务费",
		Quantity: quantity, Price: basicServiceFee, Amount: basic, FlatPrice: fliggy.No, Mandatory: fliggy.Yes,
		ListInclude: []string{"基础服务费,超出1500元的交通事故车辆维修费用免赔(不包含玻璃、轮胎、轮毂),第三者保障50万,承租方承担停运损失费和折旧损失费。"},
		ListExclude: []string{},
	}}
	for i := range entries {
		day := rentcar.DailyPrice{Date: fliggy.DateOf(from.AddDate(0, 0, i)), DayPrice: dayPrice}
		if applies && i == days {
			half := dayPrice.Mul(fliggy.MustDecimal("0.5")).RoundBank(2)
			day.ScatteredPrice, day.ScatteredMinutes = half, scattered
			res.AddedServices = append(res.AddedServices, rentcar.RenewalAddedService{
				ServiceType: fliggy.ServiceTypeScatteredHour, ServiceCode: "hourFee", ServiceName: "零散小时费", ServiceDesc: "零散小时费",
				Quantity: fliggy.MustDecimal("1"), Price: half, Amount: half, FlatPrice: fliggy.Yes, Mandatory: fliggy.Yes,
				ListInclude: []string{}, ListExclude: []string{},
			})
		}
		res.Price.CalendarPrice = append(res.Price.CalendarPrice, day)
	}
	res.Price.Quantity = quantity
	res.Price.ScatteredPriceRules.Rules = scatteredRules
	res.Price.StandardPrice = dayPrice.Mul(wholeDays).Add(poundageFee).RoundBank(2)
	res.Price.BasicServiceFee = basic
	res.Price.StandardUnitPrice = fliggy.MustYuan("10")
	res.Price.PoundageFee = poundageFee
	res.Price.PriceMark = "88612121212121216"
	res.CancelPolicy = fliggy.CancelPolicy{Rules: cancelRules, CancelType: 1, SupportCancel: true}
	return res, true
}

// penalty is what cancelling costs at a time: the percentage of the total that
// the tier in force names, rounded half to even to 0.01, and 0.00 where that is 0.
// It is unset where there is no total to take it of. ok is false after the start,
// which no tier covers. A renewal of which no start is known costs nothing.
func penalty(total fliggy.Yuan, start, now time.Time) (fee fliggy.Yuan, percent int, ok bool) {
	left := start.Sub(now)
	for _, tier := range cancelRules {
		switch {
		case !start.IsZero() && left < time.Duration(tier.Time)*time.Hour:
			continue
		case tier.Num == 0:
			return fliggy.FenOf(0).Yuan(), 0, true
		}
		share := fliggy.MustDecimal("0." + strconv.Itoa(100 + tier.Num)[1:]) // 10 is 0.10
		return total.Mul(share).RoundBank(2), tier.Num, true
	}
	return fliggy.Yuan{}, 0, false
}
