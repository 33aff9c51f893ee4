package rentcar

import (
	"context"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() {
	goldenCases = append(goldenCases, []goldenCase{
		{op: api.OrderQuery, sample: "alitrip.rentcar.btb.order.query.request.json", call: func(
			ctx context.Context, c *Client,
		) (any, error) {
			return c.Orders.Query(ctx, &OrderQueryRequest{
				OrderID: "523412312", OutOrderID: "6543234", ChannelID: fliggy.ChannelAmap,
				TraceID: "2147b72e16691938918672871ef815", Exts: someExts,
			})
		}},
		{op: api.OrderCheckCancel, call: func(ctx context.Context, c *Client) (any, error) {
			return c.Orders.CheckCancel(ctx, &OrderCheckCancelRequest{
				OrderID: mainOrder, OutOrderID: outOrder, ChannelID: fliggy.ChannelDidi, TraceID: "t", Exts: someExts,
			})
		}},
	}...)
}

func TestSupportsRenewal(t *testing.T) {
	t.Parallel()
	for order, want := range map[string]bool{
		`{"service_type":["1","2","3"]}`: true, `{"service_type":["3"]}`: true, `{"service_type":[3]}`: true,
		`{"service_type":{"string":["1","3"]}}`: true,
		`{"service_type":{"string":"3"}}`:       true, `{"service_type":"[\"3\"]"}`: true, `{"service_type":[" 3"]}`: false,
		`{"service_type":["1","2"]}`: false, `{"service_type":[]}`: false, `{"service_type":{}}`: false,
		`{"service_type":null}`:             false,
		`{"service_type":["33","13","03"]}`: false, `{}`: false, `null`: false, `{"service_type":[null,"9"]}`: false,
	} {
		c, _ := clientFor(t, replyJSON(`{"successful":true,"order_info":`+order+`}`))
		res, err := queryOrder(context.Background(), c)
		if err != nil || res.SupportsRenewal() != want {
			t.Errorf("%s: %v, %v; want %v", order, res, err, want)
		}
	}
}
