package rentcar

import (
	"context"
	"maps"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() {
	goldenCases = append(goldenCases, []goldenCase{
		{op: api.RenewalSubmit, call: func(ctx context.Context, c *Client) (any, error) {
			return c.Renewals.Submit(ctx, &RenewalSubmitRequest{
				OrderID: mainOrder, OutOrderID: outOrder, RenewalOutOrderID: outRenewal, ItemID: "eyJhIjoxfQ+/aGk9==",
				CarUseTime: fliggy.MustTime("2022-11-22 10:22:00"), CarReturnTime: fliggy.MustTime("2022-11-23 10:52:00"),
				TotalFee: fliggy.MustYuan("16.02"), Payment: fliggy.MustYuan("0.00"), PayTradeNo: "2022112222001492421107773",
				CreatedTime: fliggy.MustTime("2022-11-22 10:21:59"), SelectedServices: []string{"21", "12"},
				ChannelID: fliggy.ChannelHello, TraceID: "trace <&> \"中🚗\"", Exts: someExts,
			})
		}},
		{op: api.RenewalCheckCancel, call: func(ctx context.Context, c *Client) (any, error) {
			return c.Renewals.CheckCancel(ctx, &RenewalCheckCancelRequest{
				OrderID: mainOrder, OutOrderID: outRenewal, RenewalOrderID: renewalOrder, ChannelID: fliggy.ChannelAmap,
				TraceID: "t", Exts: someExts,
			})
		}},
		{op: api.RenewalCancel, call: func(ctx context.Context, c *Client) (any, error) {
			return c.Renewals.Cancel(ctx, &RenewalCancelRequest{
				OrderID: mainOrder, OutOrderID: outRenewal, RenewalOrderID: renewalOrder, CancelMessage: "用户主动取消",
				CancelFee: fliggy.MustYuan("5.5"), ChannelID: fliggy.ChannelAmap, TraceID: "t", Exts: someExts,
			})
		}},
	}...)
	maps.Copy(deviations, map[string]deviation{
		"renewal.submit request order_id": {
			goType: "fliggy.ID", number: true, required: true, reason: "nothing can be renewed without it",
		},
	})
}

// What a renewal order most likely needs is a warning, told by the result.
func TestSubmitWarnings(t *testing.T) {
	t.Parallel()
	c, _ := clientFor(t, replyJSON(`{"successful":true,"renewal_order_id":1,"order_id":"1","out_order_id":"2"}`))
	res, err := c.Renewals.Submit(
		context.Background(), &RenewalSubmitRequest{OrderID: "1", CarUseTime: fliggy.MustTime("2022-11-22 10:22:00")},
	)
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
