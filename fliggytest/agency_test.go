package fliggytest

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

func TestAgency(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	for _, format := range allFormats {
		g := start(t)
		c := connect(t, g, rentcar.WithFormat(format))
		create := &rentcar.AgencyCreateOrderRequest{
			AgentOrderNo: "Z1", BizStatus: new(fliggy.AgencyOrderStatus), TotalAmount: fliggy.FenOf(88800),
			AuthToken:  fliggy.NewSecret("token"),
			UseCarTime: fliggy.LocalTimeOf(testNow), Driver: rentcar.AgencyDriver{DriverName: "张三", MobilePhone: "1"},
			Promotions: []rentcar.AgencyPromotion{{PromotionID: "1", ZZCPromotionFee: fliggy.FenOf(0)}},
		}
		first, err := c.Agency.CreateOrder(ctx, create)
		noError(t, err)
		again, err := c.Agency.CreateOrder(ctx, create)
		noError(t, err)
		if len(first.FliggyOrderID) != 19 || first.FliggyOrderID == again.FliggyOrderID {
			t.Errorf("%v: %s and %s", format, first.FliggyOrderID, again.FliggyOrderID)
		}
		paid := fliggy.AgencyPaid
		update := &rentcar.AgencyUpdateOrderRequest{AgentOrderNo: "Z1", BizStatus: &paid}
		for _, req := range []*rentcar.AgencyUpdateOrderRequest{update, {FliggyOrderID: first.FliggyOrderID}} {
			_, err = c.Agency.UpdateOrder(ctx, req)
			noError(t, err)
		}
		want := []AgencyOrder{
			{FliggyOrderID: first.FliggyOrderID, CreatedTime: testNow, Create: *create,
				Updates: []rentcar.AgencyUpdateOrderRequest{{FliggyOrderID: first.FliggyOrderID}}},
			{
				FliggyOrderID: again.FliggyOrderID, CreatedTime: testNow, Create: *create,
				Updates: []rentcar.AgencyUpdateOrderRequest{*update},
			},
		}
		if diff := cmp.Diff(want, g.AgencyOrders(), cmpopts.EquateComparable(fliggy.Fen{}, fliggy.LocalTime{})); diff != "" {
			t.Errorf("%v: held (-want +got):\n%s", format, diff)
		}
		for _, req := range []*rentcar.AgencyUpdateOrderRequest{
			{AgentOrderNo: "Z2"}, {FliggyOrderID: "2"}, {FliggyOrderID: first.FliggyOrderID, AgentOrderNo: "Z2"},
		} {
			res, err := c.Agency.UpdateOrder(ctx, req)
			if code(err) != RetOrderNotFound || res == nil || res.BizErrorMsg != "订单不存在" || res.RequestID == "" {
				t.Errorf("%v: %+v, %v", format, res, err)
			}
		}
		g.Fail(NoFlag())
		if _, err := c.Agency.UpdateOrder(ctx, update); kindOf(err) != "decode" {
			t.Errorf("%v: a reply without its flag: %v", format, err)
		}
		g.Fail(Failed(refuse("1", "x")))
		if _, err := c.Agency.UpdateOrder(ctx, update); code(err) != "1" {
			t.Errorf("%v: a refused update: %v", format, err)
		}
	}
}
