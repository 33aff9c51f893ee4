package pricing_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
)

func plus(t fliggy.Time, seconds int) fliggy.Time {
	return fliggy.At(t.Add(time.Duration(seconds) * time.Second))
}

// The scenarios of the guide come out equal: every member but the mark, amounts as numbers.
func TestGuideScenarios(t *testing.T) {
	t.Parallel()
	for scenario, total := range map[string]string{"scenario1": "16.02", "scenario2": "21.02", "scenario3": "146.14"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			var request qimen.RenewalPricesRequest
			var want qimen.RenewalPricesReply
			readSample(t, "renewalprices.query."+scenario+".request", &request)
			readSample(t, "renewalprices.query."+scenario+".response", &want)
			got := mustQuote(t, guidePlan(), request.CarUseTime, request.CarReturnTime)
			want.Price.PriceMark = got.Price.PriceMark
			if diff := cmp.Diff(&want, got); diff != "" {
				t.Errorf("(-guide +quote):\n%s", diff)
			}
			if got.Price.Quantity != want.Price.Quantity {
				t.Errorf("quantity %s, want the text %s", got.Price.Quantity, want.Price.Quantity)
			}
			if got := totalOf(t, got); got != yuan(total) {
				t.Errorf("total %s, want %s", got, total)
			}
		})
	}
}

// The total of the submit sample is that of the quote; with basicServiceFee added a second time it would be 16.04.
func TestGuideSubmit(t *testing.T) {
	t.Parallel()
	var request qimen.RenewalSubmitRequest
	readSample(t, "renewalorder.submit.request", &request)
	quote := mustQuote(t, guidePlan(), request.CarUseTime, request.CarReturnTime)
	if request.RenewalOrderTotalAmount != yuan("16.02") {
		t.Errorf("the sample says %s", request.RenewalOrderTotalAmount)
	}
	if err := pricing.CheckTotal(quote, request.RenewalOrderTotalAmount); err != nil {
		t.Error(err)
	}
	if err := pricing.CheckTotal(quote, yuan("16.04")); err == nil {
		t.Error("16.04 agrees")
	}
}
