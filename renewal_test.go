package rentcar

import (
	"context"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
)

// What a renewal order most likely needs is a warning, told by the result.
func TestSubmitWarnings(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, replyJSON(`{"successful":true,"renewal_order_id":1,"order_id":"1","out_order_id":"2"}`))
	res, err := c.Renewals.Submit(context.Background(), &RenewalSubmitRequest{OrderID: "1", CarUseTime: fliggy.MustTime("2022-11-22 10:22:00")})
	if err != nil {
		t.Fatal(err)
	}
	var fields []string
	for _, w := range res.Warnings {
		fields = append(fields, w.Field)
	}
	diff(t, "warnings", []string{"renewal_out_order_id", "item_id", "car_return_time", "total_fee"}, fields)
	full, err := c.Renewals.Submit(context.Background(), &RenewalSubmitRequest{
		OrderID: "1", RenewalOutOrderID: "r", ItemID: "i", TotalFee: fliggy.MustYuan("0.00"),
		CarUseTime: fliggy.MustTime("2022-11-22 10:22:00"), CarReturnTime: fliggy.MustTime("2022-11-23 10:22:00"),
	})
	if err != nil || len(full.Warnings) != 0 {
		t.Errorf("%v, %v", full, err)
	}
}
