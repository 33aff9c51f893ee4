package rentcar

import (
	"fmt"
	"reflect"

	"github.com/fliggy-go/rentcar/internal/top"
)

// An operation is one API that this package has types for.
type operation struct {
	method  string // API name
	param   string // the parameter that wraps the request
	write   bool   // it changes something at the platform
	settle  string // of a write: how to find out about it when its outcome is unknown
	request reflect.Type
	result  reflect.Type
}

// The table of all typed APIs. The wrapping parameters of renewal.submit and
// renewal.order.cancel are inferred; WithNames corrects them.
var (
	opRenewalQuote       = newOperation[RenewalQuoteRequest, RenewalQuoteResult]("alitrip.rentcar.btb.renewaldetail.query", "rent_car_b2b_renewal_detail_req", "")
	opRenewalSubmit      = newOperation[RenewalSubmitRequest, RenewalSubmitResult]("alitrip.rentcar.btb.renewal.submit", "rent_car_b2b_renewal_submit_order_req", "Renewals.Settle finds out")
	opRenewalCheckCancel = newOperation[RenewalCheckCancelRequest, RenewalCheckCancelResult]("alitrip.rentcar.btb.renewal.checkcancel", "rent_car_b2b_renewal_check_cancel_order_req", "")
	opRenewalCancel      = newOperation[RenewalCancelRequest, RenewalCancelResult]("alitrip.rentcar.btb.renewal.order.cancel", "rent_car_b2b_renewal_cancel_order_req", "ask Renewals.CheckCancel: if it can still be cancelled, it was not")
	opOrderQuery         = newOperation[OrderQueryRequest, OrderQueryResult]("alitrip.rentcar.btb.order.query", "rent_car_b2b_query_order_req", "")
	opOrderCheckCancel   = newOperation[OrderCheckCancelRequest, OrderCheckCancelResult]("alitrip.rentcar.btb.order.cancelcheck", "rent_car_b2b_check_cancel_order_req", "")
	opBillNotify         = newOperation[BillNotifyRequest, BillNotifyResult]("alitrip.rentcar.btb.bill.notify", "rent_car_b2b_distribution_bill_req", "ask the platform with bill_no and req_batch_no")
	opCallback           = newOperation[CallbackRequest, CallbackResult]("alitrip.rentcar.btb.distribution.callback", "rent_car_b2b_distribution_callback_req", "for a refund, ask the platform with its trade number")
	opAgencyCreateOrder  = newOperation[AgencyCreateOrderRequest, AgencyCreateOrderResult]("alitrip.rentcar.zzc.callback.order.create", "rentcar_create_order_callback", "ask the platform with agent_order_no")
	opAgencyUpdateOrder  = newOperation[AgencyUpdateOrderRequest, AgencyUpdateOrderResult]("alitrip.rentcar.zzc.callback.order.update", "rent_car_order_update_callback", "ask the platform with agent_order_no")

	operations = []*operation{
		opRenewalQuote, opRenewalSubmit, opRenewalCheckCancel, opRenewalCancel,
		opOrderQuery, opOrderCheckCancel, opBillNotify, opCallback, opAgencyCreateOrder, opAgencyUpdateOrder,
	}
)

// newOperation makes an operation; one that is to be settled is a write.
func newOperation[Req, Res any](method, param, settle string) *operation {
	return &operation{method, param, settle != "", settle, reflect.TypeFor[Req](), reflect.TypeFor[Res]()}
}

func operationByName(method string) (*operation, bool) {
	for _, op := range operations {
		if op.method == method {
			return op, true
		}
	}
	return nil, false
}

// operationPlans are the compiled messages of an operation, with the names that
// the client's options correct.
type operationPlans struct {
	param   string
	inner   string
	request *top.Plan
	result  *top.Plan
}

func compilePlans(names map[string]Names) (map[string]*operationPlans, error) {
	plans := make(map[string]*operationPlans, len(operations))
	for _, op := range operations {
		n := names[op.method]
		p := &operationPlans{param: op.param, inner: n.Inner}
		if n.Param != "" {
			p.param = n.Param
		}
		if n.Param != "" && top.IsBlank(n.Param) || n.Inner != "" && top.IsBlank(n.Inner) {
			return nil, fmt.Errorf("names of %s: a name is white space only", op.method)
		}
		if isProtocolParam(p.param) {
			return nil, fmt.Errorf("names of %s: %s is a parameter of the protocol", op.method, p.param)
		}
		for _, corrected := range []map[string]string{n.Request, n.Reply} {
			for believed, name := range corrected {
				if top.IsBlank(name) {
					return nil, fmt.Errorf("names of %s: the real name of %q is empty", op.method, believed)
				}
				if name == "-" {
					return nil, fmt.Errorf("names of %s: %q cannot be left out", op.method, believed)
				}
			}
		}
		var err error
		if p.request, err = top.RenamedPlan(op.request, n.Request); err != nil {
			return nil, fmt.Errorf("names of %s: request: %w", op.method, err)
		}
		if p.result, err = top.RenamedPlan(op.result, n.Reply); err != nil {
			return nil, fmt.Errorf("names of %s: reply: %w", op.method, err)
		}
		plans[op.method] = p
	}
	return plans, nil
}
