// Package api is the one table of the platform's APIs that package rentcar has methods
// for. The client, the in-process Fliggy of package fliggytest, the README and the tests
// are held to it: see docs/adding-an-api.md.
package api

// An Operation is one API of the TOP gateway.
type Operation struct {
	// Method is the API name.
	Method string
	// Param is the request parameter that wraps the request.
	Param string
	// Write says that a call may change something at the platform. A write is sent again
	// only if it surely was not carried out.
	Write bool
	// Settle says how to find out about a write whose outcome is unknown. It ends the text
	// of errors that match ErrOutcomeUnknown. Empty for a read.
	Settle string
	// Title and TitleZH name the API in English and in Chinese, as the catalogue has them.
	Title, TitleZH string
}

// The APIs, in the order in which a rental meets them. The wrapping parameters of
// RenewalSubmit and RenewalCancel are inferred.
var (
	CityQuery = add(Operation{
		Method: "alitrip.rentcar.btb.city.query",
		Param:  "rent_car_b2b_city_info_req",
		Title:  "List cities", TitleZH: "租车分销城市基础信息接口",
	})
	VehicleQuery = add(Operation{
		Method: "alitrip.rentcar.btb.vehicle.query",
		Param:  "rent_car_b2b_vehicle_info_req",
		Title:  "List vehicle models", TitleZH: "租车分销车型基础信息接口",
	})
	OrderQuery = add(Operation{
		Method: "alitrip.rentcar.btb.order.query",
		Param:  "rent_car_b2b_query_order_req",
		Title:  "Query a distribution order", TitleZH: "租车分销查询订单信息",
	})
	OrderCheckCancel = add(Operation{
		Method: "alitrip.rentcar.btb.order.cancelcheck",
		Param:  "rent_car_b2b_check_cancel_order_req",
		Title:  "Query the cancellation fee of an order", TitleZH: "租车分销查询取消费",
	})
	RenewalQuote = add(Operation{
		Method: "alitrip.rentcar.btb.renewaldetail.query",
		Param:  "rent_car_b2b_renewal_detail_req",
		Title:  "Query a renewal quote", TitleZH: "租车分销续租详情接口 / 续租报价查询",
	})
	RenewalSubmit = add(Operation{
		Method: "alitrip.rentcar.btb.renewal.submit",
		Param:  "rent_car_b2b_renewal_submit_order_req",
		Write:  true,
		Settle: "Renewals.Settle finds out",
		Title:  "Submit a renewal order", TitleZH: "续租下单接口",
	})
	RenewalCheckCancel = add(Operation{
		Method: "alitrip.rentcar.btb.renewal.checkcancel",
		Param:  "rent_car_b2b_renewal_check_cancel_order_req",
		Title:  "Check whether and at what cost a renewal can be cancelled", TitleZH: "租车分销商续租预取消接口",
	})
	RenewalCancel = add(Operation{
		Method: "alitrip.rentcar.btb.renewal.order.cancel",
		Param:  "rent_car_b2b_renewal_cancel_order_req",
		Write:  true,
		Settle: "ask Renewals.CheckCancel: if it can still be cancelled, it was not",
		Title:  "Cancel a renewal order", TitleZH: "续租取消接口",
	})
	Callback = add(Operation{
		Method: "alitrip.rentcar.btb.distribution.callback",
		Param:  "rent_car_b2b_distribution_callback_req",
		Write:  true,
		Settle: "for a refund, ask the platform with its trade number",
		Title:  "Report order and refund results of the distributor to Fliggy", TitleZH: "分销商同步飞猪订单状态",
	})
	BillNotify = add(Operation{
		Method: "alitrip.rentcar.btb.bill.notify",
		Param:  "rent_car_b2b_distribution_bill_req",
		Write:  true,
		Settle: "ask the platform with bill_no and req_batch_no",
		Title:  "Push settlement bills of a distributor", TitleZH: "租车分销账单推送接口",
	})
	AgencyCreateOrder = add(Operation{
		Method: "alitrip.rentcar.zzc.callback.order.create",
		Param:  "rentcar_create_order_callback",
		Write:  true,
		Settle: "ask the platform with agent_order_no",
		Title:  "Zuzuche reports a new order", TitleZH: "租租车创建订单回调",
	})
	AgencyUpdateOrder = add(Operation{
		Method: "alitrip.rentcar.zzc.callback.order.update",
		Param:  "rent_car_order_update_callback",
		Write:  true,
		Settle: "ask the platform with agent_order_no",
		Title:  "Zuzuche reports an order status change", TitleZH: "租租车订单状态回调同步",
	})
)

var all []*Operation

// add puts an operation into the table.
func add(op Operation) *Operation {
	all = append(all, &op)
	return &op
}

// All returns the table.
func All() []*Operation { return all }

// ByMethod returns the operation with this API name, or nil.
func ByMethod(method string) *Operation {
	for _, op := range all {
		if op.Method == method {
			return op
		}
	}
	return nil
}
