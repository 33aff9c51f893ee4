package rentcar

import (
	"context"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

// A goldenCase is one call of each API, with every member of its request.
type goldenCase struct {
	op   *api.Operation
	call func(ctx context.Context, c *Client) (any, error)
	// sample is the platform's own request, where one is printed.
	sample string
}

const (
	mainOrder    = fliggy.ID("3104050285204362836")
	renewalOrder = fliggy.ID("3187983531024266527")
	outOrder     = "RC202212191604667539969978368"
	outRenewal   = "RC202212191604667539969978361"
	someExts     = fliggy.Exts(`{"key":"value"}`)
)

var goldenCases = []goldenCase{
	{op: api.RenewalQuote, call: func(ctx context.Context, c *Client) (any, error) {
		return c.Renewals.Quote(ctx, &RenewalQuoteRequest{
			OrderID: mainOrder, CarUseTime: fliggy.MustTime("2022-11-22 10:22:00"), CarReturnTime: fliggy.MustTime("2022-11-23 10:52:00"),
			ChannelID: fliggy.ChannelAmap, OutOrderID: outOrder, RenewalOrderID: renewalOrder, TraceID: "2108aa55167523107", Exts: someExts,
		})
	}},
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
			OrderID: mainOrder, OutOrderID: outRenewal, RenewalOrderID: renewalOrder, ChannelID: fliggy.ChannelAmap, TraceID: "t", Exts: someExts,
		})
	}},
	{op: api.RenewalCancel, call: func(ctx context.Context, c *Client) (any, error) {
		return c.Renewals.Cancel(ctx, &RenewalCancelRequest{
			OrderID: mainOrder, OutOrderID: outRenewal, RenewalOrderID: renewalOrder, CancelMessage: "用户主动取消",
			CancelFee: fliggy.MustYuan("5.5"), ChannelID: fliggy.ChannelAmap, TraceID: "t", Exts: someExts,
		})
	}},
	{op: api.OrderQuery, sample: "alitrip.rentcar.btb.order.query.request.json", call: func(ctx context.Context, c *Client) (any, error) {
		return c.Orders.Query(ctx, &OrderQueryRequest{
			OrderID: "523412312", OutOrderID: "6543234", ChannelID: fliggy.ChannelAmap, TraceID: "2147b72e16691938918672871ef815", Exts: someExts,
		})
	}},
	{op: api.OrderCheckCancel, call: func(ctx context.Context, c *Client) (any, error) {
		return c.Orders.CheckCancel(ctx, &OrderCheckCancelRequest{
			OrderID: mainOrder, OutOrderID: outOrder, ChannelID: fliggy.ChannelDidi, TraceID: "t", Exts: someExts,
		})
	}},
	{op: api.BillNotify, sample: "alitrip.rentcar.btb.bill.notify.request.json", call: func(ctx context.Context, c *Client) (any, error) {
		return c.Bills.NotifyAll(ctx, &BillNotifyRequest{
			TraceID: "3048786216231969001", ChannelID: fliggy.ChannelDidi, Exts: someExts,
			Bills: []Bill{{
				BillNo: "ID20230203", BatchNo: "20230203001", TotalAmount: fliggy.MustYuan("10000"), Remark: "备注",
				Lines: []BillLine{{
					OrderID: "fz2939293", OutOrderID: "fx123111", TradeType: fliggy.TradeIncome, BizType: fliggy.BillOrderFee, OrderAmount: fliggy.MustYuan("100"),
					PayTradeNo: "1122334411", PayTime: fliggy.MustTime("2023-02-03 19:23:32"), PayType: fliggy.PayAlipay,
					CustomerPaidAmount: fliggy.MustYuan("100"), RealConsumeAmount: fliggy.MustYuan("100"), DiscountAmount: fliggy.MustYuan("0"),
					DistributorDiscountAmount: fliggy.MustYuan("0"), CommissionAmount: fliggy.MustYuan("10"), PayChannelAmount: fliggy.MustYuan("0"),
					OrderStatus: "1", Ext: `{"key":"value"}`,
				}},
			}},
		})
	}},
	{op: api.Callback, call: func(ctx context.Context, c *Client) (any, error) {
		return c.Callbacks.Send(ctx, &events.Callback{
			Envelope: events.Envelope{ChannelID: fliggy.ChannelAmap, OrderID: mainOrder, OutOrderID: outOrder, EventType: events.TypeRenewalFeeRefundSucceeded},
			Data: events.CallbackData{
				RenewalOrderID: renewalOrder, RenewalOutOrderID: outRenewal, RefundType: 1, Amount: fliggy.MustYuan("1.10"),
				Reason: "退费 <&>", PayTradeNo: "3104050285204362836_142_1",
			},
		})
	}},
	{op: api.AgencyCreateOrder, sample: "alitrip.rentcar.zzc.callback.order.create.request.json", call: func(ctx context.Context, c *Client) (any, error) {
		local, err := fliggy.ParseLocalTime("2024-11-05 19:42:29")
		if err != nil {
			return nil, err
		}
		return c.Agency.CreateOrder(ctx, &AgencyCreateOrderRequest{
			AgentOrderNo: "342345672903937", ItemID: "123321", BizStatus: new(fliggy.AgencyUnpaid),
			CreateOrderTime: fliggy.MustTime("2024-11-05 19:42:29"), PayTime: fliggy.MustTime("2024-11-05 19:42:29"), PayModel: fliggy.PayModelDownPayment,
			TotalAmount: fliggy.FenOf(5565), OnlinePaymentFee: fliggy.FenOf(1), OfflinePaymentFee: "111", OfflinePaymentCurrency: "CNY", RentFee: "3000",
			PromotionAmount: fliggy.FenOf(5565),
			Promotions: []AgencyPromotion{{
				PromotionName: "租租车券", PromotionID: "23412341234", ZZCPromotionID: "12342342", ZZCPromotionFee: fliggy.FenOf(200),
				FliggyPromotionID: "1234213", FliggyPromotionFee: fliggy.FenOf(45),
			}},
			UseCarTime: local, ReturnCarTime: local,
			PickUpPlace: AgencyPlace{DivisionID: "xxx", CityName: "洛杉矶", POIName: "星光大道", Longitude: "11.11111", Latitude: "22.222"},
			ReturnPlace: AgencyPlace{DivisionID: "xxx", CityName: "洛杉矶", POIName: "星光大道", Longitude: "11.11111", Latitude: "22.22222"},
			Driver: AgencyDriver{
				DriverName: "名字", MobilePhone: "1233123123", Email: "xx@xx", DriverIDCard: "123123", DrivingLicense: "中国内地驾照",
			},
			VehicleModelName: "宝马3系", VehicleInfo: "经济型/ 5座/ 自动/ 1.6L", VehiclePicture: "https://url",
			AuthToken: fliggy.NewSecret("ajsd98fa1jdp9df"), Extra: "{}",
		})
	}},
	{op: api.AgencyUpdateOrder, call: func(ctx context.Context, c *Client) (any, error) {
		return c.Agency.UpdateOrder(ctx, &AgencyUpdateOrderRequest{
			AgentOrderNo: "342345672903937", FliggyOrderID: mainOrder, BizStatus: new(fliggy.AgencyRejectedBySeller), ConfirmOrderID: "C-1",
			PayTime: fliggy.MustTime("2024-11-05 19:42:29"), BuyerPayAmount: fliggy.FenOf(5565), RefundAmount: fliggy.FenOf(0), CancelAmount: fliggy.FenOf(100),
			CancelReason: "卖家拒绝", RequestID: "16kksr4el1bs0", Extra: `{"k":"v"}`,
		})
	}},
}
