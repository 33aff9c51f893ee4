package rentcar

import (
	"context"
	"errors"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

// RenewalService renews rentals (续租): the customer who has the car keeps it
// longer. The steps are Orders.Query of the main order, Quote,
// Submit, then an event 103 or 104; CheckCancel and Cancel take it back.
type RenewalService struct{ client *Client }

var (
	opRenewalSubmit      = bind[RenewalSubmitRequest, RenewalSubmitResult](api.RenewalSubmit)
	opRenewalCheckCancel = bind[RenewalCheckCancelRequest, RenewalCheckCancelResult](api.RenewalCheckCancel)
	opRenewalCancel      = bind[RenewalCancelRequest, RenewalCancelResult](api.RenewalCancel)
)

// Quote asks what a renewal costs (续租报价查询).
//
// API: alitrip.rentcar.btb.renewaldetail.query.
func (s *RenewalService) Quote(
	ctx context.Context, req *RenewalQuoteRequest, opts ...CallOption,
) (*RenewalQuoteResult, error) {
	return invoke(ctx, s.client, opRenewalQuote, req, opts)
}

// Submit places a renewal order (续租下单). The result is Fliggy's renewal order;
// whether the merchant takes it comes later, as event 103 (accepted) or 104
// (rejected); the event may overtake the reply. When the error matches
// ErrOutcomeUnknown the order may exist: do not submit again, ask Settle.
//
// API: alitrip.rentcar.btb.renewal.submit; all its names are inferred.
func (s *RenewalService) Submit(
	ctx context.Context, req *RenewalSubmitRequest, opts ...CallOption,
) (*RenewalSubmitResult, error) {
	return invoke(ctx, s.client, opRenewalSubmit, req, opts)
}

// CheckCancel asks whether a renewal can be cancelled and what that costs
// (续租预取消). It changes nothing.
//
// API: alitrip.rentcar.btb.renewal.checkcancel.
func (s *RenewalService) CheckCancel(
	ctx context.Context, req *RenewalCheckCancelRequest, opts ...CallOption,
) (*RenewalCheckCancelResult, error) {
	return invoke(ctx, s.client, opRenewalCheckCancel, req, opts)
}

// Cancel cancels a renewal order (续租取消) and returns the fee. No event is
// documented to follow; an order to refund a fee (142) may.
//
// API: alitrip.rentcar.btb.renewal.order.cancel; all its names are inferred.
func (s *RenewalService) Cancel(
	ctx context.Context, req *RenewalCancelRequest, opts ...CallOption,
) (*RenewalCancelResult, error) {
	return invoke(ctx, s.client, opRenewalCancel, req, opts)
}

// A RenewalSubmitRequest is a renewal order. The platform's page is not public:
// every member is inferred, and WithNames corrects names. Only OrderID is
// required here; what is likely to be needed is a warning of the result.
//
// Source: alitrip.rentcar.btb.renewal.submit (existence and reply: B2B renewal
// guide; members: the sibling APIs and the events).
type RenewalSubmitRequest struct {
	// OrderID is Fliggy's id of the main order (飞猪订单号), digits. Required.
	// Inferred.
	OrderID fliggy.ID `top:"order_id,number,required"`
	// OutOrderID is the distributor's id of the main order. Whether the platform
	// wants the main order's or the renewal's id here is unknown. Inferred.
	OutOrderID string `top:"out_order_id"`
	// RenewalOutOrderID is the distributor's id of the renewal (分销续租订单号), the
	// one that events carry as renewalOutOrderId. Choose it before the call: it is
	// how an unknown outcome is settled. Inferred.
	RenewalOutOrderID string `top:"renewal_out_order_id"`
	// ItemID is the id of the quote, unchanged. Inferred.
	ItemID string `top:"item_id"`
	// CarUseTime is when the renewal starts. Inferred.
	CarUseTime fliggy.Time `top:"car_use_time"`
	// CarReturnTime is the new return time, after CarUseTime. Inferred.
	CarReturnTime fliggy.Time `top:"car_return_time"`
	// TotalFee is the total of the renewal in yuan. Inferred.
	TotalFee fliggy.Yuan `top:"total_fee"`
	// Payment is what the customer actually paid (实付), in yuan. Inferred.
	Payment fliggy.Yuan `top:"payment"`
	// PayTradeNo is the trade number of the payment (交易流水号). Inferred.
	PayTradeNo string `top:"pay_trade_no"`
	// CreatedTime is when the distributor created the order. Inferred.
	CreatedTime fliggy.Time `top:"created_time"`
	// SelectedServices are the codes of the chosen added services. Inferred.
	SelectedServices []string `top:"select_add_services"`
	// ChannelID is the distribution channel; empty takes the client's. Inferred.
	ChannelID fliggy.Channel `top:"channel_id"`
	// TraceID is an id of your choice, for troubleshooting only. Inferred.
	TraceID string `top:"trace_id"`
	// Exts is extension data, the text of a JSON object. Inferred.
	Exts fliggy.Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError.
func (r *RenewalSubmitRequest) Validate() error { return validate(api.RenewalSubmit, r) }

func (r *RenewalSubmitRequest) defaultChannel(c fliggy.Channel) { setDefault(&r.ChannelID, c) }

func (r *RenewalSubmitRequest) rules(ps *fliggy.Problems) {
	checkPeriod(ps, r.CarUseTime, r.CarReturnTime)
	checkNotNegative(ps, "total_fee", r.TotalFee)
	checkNotNegative(ps, "payment", r.Payment)
}

// Warnings lists what a renewal order most likely needs and this one lacks. The
// result carries them; they refuse nothing, since no document says so.
func (r *RenewalSubmitRequest) Warnings() []fliggy.Problem {
	var ps fliggy.Problems
	for _, m := range []struct {
		name string
		has  bool
	}{
		{"renewal_out_order_id", r.RenewalOutOrderID != ""},
		{"item_id", r.ItemID != ""},
		{"car_use_time", !r.CarUseTime.IsZero()},
		{"car_return_time", !r.CarReturnTime.IsZero()},
		{"total_fee", r.TotalFee.IsSet()},
	} {
		if !m.has {
			ps.Add(m.name, "is empty; the platform most likely needs it")
		}
	}
	return ps
}

// A RenewalSubmitResult is Fliggy's renewal order.
//
// Source: B2B renewal guide (that the order comes back at once); the names are
// inferred.
type RenewalSubmitResult struct {
	Meta
	Status
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号), never empty
	// in a success. Inferred.
	RenewalOrderID fliggy.ID `top:"renewal_order_id,number"`
	// OrderID is Fliggy's id of the main order. Inferred.
	OrderID fliggy.ID `top:"order_id,number"`
	// OutOrderID is the distributor's order id. Inferred.
	OutOrderID string `top:"out_order_id"`
}

func (r *RenewalSubmitResult) verdict() error {
	if err := r.Status.verdict(); err != nil {
		return err
	}
	if id := r.RenewalOrderID; id == "" || id == "0" { // 0 is what a Java bean has that was never set
		return incomplete(api.RenewalSubmit, "renewal_order_id")
	}
	return nil
}

// doubts lists the other ids that are missing. Inferred: that they come.
func (r *RenewalSubmitResult) doubts() []fliggy.Problem {
	var ps fliggy.Problems
	lacks := lacking(&ps)
	lacks("order_id", r.OrderID == "")
	lacks("out_order_id", r.OutOrderID == "")
	return ps
}

// incomplete is the error of a success without a member that it cannot do without.
func incomplete(op *api.Operation, member string) error {
	return errors.New(member + ": missing from a success; if the platform's page has another name, " +
		"correct it with rentcar.WithNames(\"" + op.Method + "\", rentcar.Names{Reply: ...})")
}

// A RenewalCheckCancelRequest names the renewal order to check. Every member is
// optional by the page; at least one of the ids must be there.
//
// Source: alitrip.rentcar.btb.renewal.checkcancel.
type RenewalCheckCancelRequest struct {
	// OrderID is Fliggy's id of the main order (飞猪订单号), digits. Optional.
	OrderID fliggy.ID `top:"order_id,number"`
	// OutOrderID is the distributor's order id; the page describes it as the id of
	// the renewal (分销续租订单号). Optional.
	OutOrderID string `top:"out_order_id"`
	// RenewalOrderID is Fliggy's id of the renewal order (飞猪续租订单号), digits.
	// Optional.
	RenewalOrderID fliggy.ID `top:"renewal_order_id,number"`
	// ChannelID is the distribution channel; empty takes the client's. Optional.
	ChannelID fliggy.Channel `top:"channel_id"`
	// TraceID is an id of your choice, for troubleshooting only. Optional.
	TraceID string `top:"trace_id"`
	// Exts is extension data, the text of a JSON object. Optional.
	Exts fliggy.Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError.
func (r *RenewalCheckCancelRequest) Validate() error { return validate(api.RenewalCheckCancel, r) }

func (r *RenewalCheckCancelRequest) defaultChannel(c fliggy.Channel) { setDefault(&r.ChannelID, c) }

func (r *RenewalCheckCancelRequest) rules(ps *fliggy.Problems) {
	checkRenewalID(ps, r.OrderID, r.OutOrderID, r.RenewalOrderID)
}

// A RenewalCheckCancelResult says what cancelling would cost. When cancelling is
// impossible the call fails with a *BusinessError that gives the reason.
//
// Source: alitrip.rentcar.btb.renewal.checkcancel.
type RenewalCheckCancelResult struct {
	Meta
	Status
	// CancelFee is the penalty the customer would pay (违约金), in yuan. Never unset in
	// a success: one without it is a *DecodeError.
	CancelFee fliggy.Yuan `top:"cancel_fee"`
	// CancelMessage explains the charge (收费原因).
	CancelMessage string `top:"cancel_message"`
}

func (r *RenewalCheckCancelResult) verdict() error {
	if err := r.Status.verdict(); err != nil || r.CancelFee.IsSet() {
		return err
	}
	return incomplete(api.RenewalCheckCancel, "cancel_fee")
}

// A RenewalCancelRequest names the renewal order to cancel. The platform's page
// is not public: every member is inferred. At least one of the ids must be there.
//
// Source: alitrip.rentcar.btb.renewal.order.cancel (existence: B2B renewal guide;
// members: renewal.checkcancel and the merchant's cancellation).
type RenewalCancelRequest struct {
	// OrderID is Fliggy's id of the main order, digits. Inferred.
	OrderID fliggy.ID `top:"order_id,number"`
	// OutOrderID is the distributor's id, presumably of the renewal. Inferred.
	OutOrderID string `top:"out_order_id"`
	// RenewalOrderID is Fliggy's id of the renewal order, digits. Inferred.
	RenewalOrderID fliggy.ID `top:"renewal_order_id,number"`
	// CancelMessage is the reason of the cancellation. Inferred.
	CancelMessage string `top:"cancel_message"`
	// CancelFee is the penalty that the preceding check named, in yuan. Inferred.
	CancelFee fliggy.Yuan `top:"cancel_fee"`
	// ChannelID is the distribution channel; empty takes the client's. Inferred.
	ChannelID fliggy.Channel `top:"channel_id"`
	// TraceID is an id of your choice, for troubleshooting only. Inferred.
	TraceID string `top:"trace_id"`
	// Exts is extension data, the text of a JSON object. Inferred.
	Exts fliggy.Exts `top:"exts"`
}

// Validate lists what is wrong with the request in a *ValidationError.
func (r *RenewalCancelRequest) Validate() error { return validate(api.RenewalCancel, r) }

func (r *RenewalCancelRequest) defaultChannel(c fliggy.Channel) { setDefault(&r.ChannelID, c) }

func (r *RenewalCancelRequest) rules(ps *fliggy.Problems) {
	checkRenewalID(ps, r.OrderID, r.OutOrderID, r.RenewalOrderID)
	checkNotNegative(ps, "cancel_fee", r.CancelFee)
}

// A RenewalCancelResult is the fee of a cancellation that was made. When
// cancelling is impossible the call fails with a *BusinessError.
//
// Source: B2B renewal guide; the names are inferred.
type RenewalCancelResult struct {
	Meta
	Status
	// CancelFee is the penalty charged to the customer (违约金), in yuan. Where it is
	// missing, Warnings says so: the renewal is cancelled, at an unknown fee. Inferred.
	CancelFee fliggy.Yuan `top:"cancel_fee"`
	// CancelMessage explains the charge. Inferred.
	CancelMessage string `top:"cancel_message"`
}

func (r *RenewalCancelResult) doubts() []fliggy.Problem {
	var ps fliggy.Problems
	lacking(&ps)("cancel_fee", !r.CancelFee.IsSet())
	return ps
}

func setDefault(to *fliggy.Channel, c fliggy.Channel) {
	if *to == "" {
		*to = c
	}
}

func checkPeriod(ps *fliggy.Problems, from, to fliggy.Time) {
	if !from.IsZero() && !to.IsZero() && !to.After(from.Time) {
		ps.Add("car_return_time", "must be after car_use_time")
	}
}

func checkNotNegative(ps *fliggy.Problems, name string, amount fliggy.Yuan) {
	if amount.IsNegative() {
		ps.Add(name, "must not be negative")
	}
}

func checkRenewalID(ps *fliggy.Problems, order fliggy.ID, outOrder string, renewal fliggy.ID) {
	if order == "" && outOrder == "" && renewal == "" {
		ps.Add("renewal_order_id", "one of renewal_order_id, out_order_id and order_id is required")
	}
}
