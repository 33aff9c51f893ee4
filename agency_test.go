package rentcar

import (
	"context"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() {
	goldenCases = append(goldenCases, []goldenCase{
		{op: api.AgencyCreateOrder, sample: "alitrip.rentcar.zzc.callback.order.create.request.json", call: func(
			ctx context.Context, c *Client,
		) (any, error) {
			local := fliggy.LocalTime{Year: 2024, Month: time.November, Day: 5, Hour: 19, Minute: 42, Second: 29}
			return c.Agency.CreateOrder(ctx, &AgencyCreateOrderRequest{
				AgentOrderNo: "342345672903937", ItemID: "123321", BizStatus: ptr(fliggy.AgencyUnpaid),
				CreateOrderTime: fliggy.MustTime("2024-11-05 19:42:29"), PayTime: fliggy.MustTime("2024-11-05 19:42:29"),
				PayModel:    fliggy.PayModelDownPayment,
				TotalAmount: fliggy.FenOf(5565), OnlinePaymentFee: fliggy.FenOf(1), OfflinePaymentFee: "111",
				OfflinePaymentCurrency: "CNY", RentFee: "3000",
				PromotionAmount: fliggy.FenOf(5565),
				Promotions: []AgencyPromotion{{
					PromotionName: "租租车券", PromotionID: "23412341234", ZZCPromotionID: "12342342", ZZCPromotionFee: fliggy.FenOf(200),
					FliggyPromotionID: "1234213", FliggyPromotionFee: fliggy.FenOf(45),
				}},
				UseCarTime: local, ReturnCarTime: local,
				PickUpPlace: AgencyPlace{
					DivisionID: "xxx", CityName: "洛杉矶", POIName: "星光大道", Longitude: "11.11111", Latitude: "22.222",
				},
				ReturnPlace: AgencyPlace{
					DivisionID: "xxx", CityName: "洛杉矶", POIName: "星光大道", Longitude: "11.11111", Latitude: "22.22222",
				},
				Driver: AgencyDriver{
					DriverName: "名字", MobilePhone: "1233123123", Email: "xx@xx", DriverIDCard: "123123", DrivingLicense: "中国内地驾照",
				},
				VehicleModelName: "宝马3系", VehicleInfo: "经济型/ 5座/ 自动/ 1.6L", VehiclePicture: "https://url",
				AuthToken: fliggy.NewSecret("ajsd98fa1jdp9df"), Extra: "{}",
			})
		}},
		{op: api.AgencyUpdateOrder, call: func(ctx context.Context, c *Client) (any, error) {
			return c.Agency.UpdateOrder(ctx, &AgencyUpdateOrderRequest{
				AgentOrderNo: "342345672903937", FliggyOrderID: mainOrder, BizStatus: ptr(fliggy.AgencyRejectedBySeller),
				ConfirmOrderID: "C-1",
				PayTime:        fliggy.MustTime("2024-11-05 19:42:29"), BuyerPayAmount: fliggy.FenOf(5565),
				RefundAmount: fliggy.FenOf(0),
				CancelAmount: fliggy.FenOf(100),
				CancelReason: "卖家拒绝", RequestID: "16kksr4el1bs0", Extra: `{"k":"v"}`,
			})
		}},
	}...)
	maps.Copy(deviations, map[string]deviation{
		"order.create request agent_order_no": {
			goType: "string", required: true, reason: "without it the order has no name",
		},
		"order.create request biz_status": {
			goType: "*fliggy.AgencyOrderStatus", reason: "0 means unpaid: only nil is unset",
		},
		"order.create request auth_token":                         {goType: "fliggy.Secret", reason: "sent, never printed"},
		"order.create request promotion_list.promotion_id":        {goType: "fliggy.ID", number: true, reason: "an id"},
		"order.create request promotion_list.zzc_promotion_id":    {goType: "fliggy.ID", number: true, reason: "an id"},
		"order.create request promotion_list.fliggy_promotion_id": {goType: "fliggy.ID", number: true, reason: "an id"},
		"order.create response biz_success": {
			goType: "bool", required: true, reason: "no silent success",
		},
		"order.update response biz_success": {
			goType: "bool", required: true, reason: "no silent success",
		},
		"order.update request biz_status": {
			goType: "*fliggy.AgencyOrderStatus", reason: "0 means unpaid: only nil is unset",
		},
	})
}

// Personal data and tokens of a request are sent and never shown.
func TestAgencyRequestsShowNoPersonalData(t *testing.T) {
	t.Parallel()
	driver := AgencyDriver{
		DriverName: markerBody, MobilePhone: markerBody, Email: markerBody, DriverIDCard: markerBody,
		DrivingLicense: markerBody,
	}
	req := AgencyCreateOrderRequest{AgentOrderNo: "1", AuthToken: fliggy.NewSecret(markerSession), Driver: driver}
	for name, v := range map[string]any{
		"driver": driver, "pointer to a driver": &driver, "request": req, "pointer to a request": &req,
		"list": []AgencyCreateOrderRequest{req},
	} {
		checkHidden(t, name, v, markerSession)
		for how, text := range renderings(t, v) {
			if strings.Contains(text, markerBody) {
				t.Errorf("%s: %s shows the driver: %s", name, how, text)
			}
		}
	}
	c, g := clientFor(t, replyJSON(`{"biz_success":true}`))
	if _, err := c.Agency.CreateOrder(context.Background(), &req); err != nil {
		t.Fatal(err)
	}
	sent := g.last(t).form(t)[opAgencyCreateOrder.Param]
	if strings.Count(sent, markerBody) != 5 || !strings.Contains(sent, `"auth_token":"session marker+\/="`) {
		t.Errorf("the request is not sent whole: %s", sent)
	}
}
