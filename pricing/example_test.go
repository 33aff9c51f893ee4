package pricing_test

import (
	"errors"
	"fmt"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

// The plan of the guide's samples: 10 yuan a day, 1 yuan handling fee, half a day price up to 7 hours, a whole day
// beyond.
func examplePlan() *pricing.Plan {
	return &pricing.Plan{
		DayPrice:    fliggy.MustYuan("10.00"),
		PoundageFee: fliggy.MustYuan("1.00"),
		ScatteredRules: []fliggy.ScatteredPriceRule{
			{Value: fliggy.MustDecimal("50"), StartTime: 0, EndTime: 420},
			{Value: fliggy.MustDecimal("100"), StartTime: 421, EndTime: 1440},
		},
		Services: []pricing.Service{{
			Type: fliggy.ServiceTypeBasic, Code: qimen.BasicServiceCode, Name: "基础服务费", Price: fliggy.MustYuan("0.01"),
		}},
		CancelPolicy: fliggy.CancelPolicy{
			Rules:      []fliggy.CancelRule{{Num: 0, Time: 72}, {Num: 10, Time: 48}, {Num: 50, Time: 0}},
			CancelType: 1, SupportCancel: true,
		},
	}
}

// Scenario 1 of the guide: a day and 30 minutes.
func ExamplePlan_Quote() {
	plan := examplePlan() // once, at the start: plan.Validate()
	reply, err := plan.Quote(fliggy.MustTime("2023-02-04 10:00"), fliggy.MustTime("2023-02-05 10:30"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("standard price:", reply.Price.StandardPrice)
	for _, line := range reply.AddedServices {
		fmt.Printf("%s: %s x %s = %s\n", line.ServiceName, line.Price, line.Quantity, line.Amount)
	}
	total, err := reply.Total()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("total:", total)

	_, err = plan.Quote(fliggy.MustTime("2023-02-04 10:00"), fliggy.MustTime("2023-02-04 10:00"))
	fmt.Println(err)

	// Output:
	// standard price: 11.00
	// 基础服务费: 0.01 x 1.5 = 0.02
	// 零散小时费: 5.00 x 1 = 5.00
	// total: 16.02
	// rentcar: qimen.alitrip.rentcar.renewalprices.query: not valid: carReturnTime: must be at least a minute after carUseTime
}

// A submit is booked only when its total is that of the quote.
func ExampleCheckTotal() {
	quote, err := examplePlan().Quote(fliggy.MustTime("2023-02-04 10:00"), fliggy.MustTime("2023-02-05 11:00"))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, submitted := range []string{"16.02", "16.04"} {
		err := pricing.CheckTotal(quote, fliggy.MustYuan(submitted))
		var mismatch *pricing.TotalError
		if errors.As(err, &mismatch) {
			fmt.Println(err) // in qimen.OnRenewalSubmit: return nil, qimen.Refuse("PRICE_CHANGED", "价格已变更")
			continue
		}
		fmt.Println(submitted, "agrees")
	}

	// Output:
	// 16.02 agrees
	// pricing: the submitted total is 16.04, quoted is 16.02
}

// The tier that holds 66 hours before the start of the renewal.
func ExampleTierAt() {
	policy := examplePlan().CancelPolicy
	tier, err := pricing.TierAt(policy, fliggy.MustTime("2023-02-04 10:00"), fliggy.MustTime("2023-02-01 15:46:51"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%d percent, from %d hours ahead\n", tier.Num, tier.Time)

	// Output:
	// 10 percent, from 48 hours ahead
}
