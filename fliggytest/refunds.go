package fliggytest

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() {
	serve(api.Callback, (*state).callback)
}

// A Refund is a fee refund (退费) that customer service orders. It is pushed as it
// is, complete or not, and kept with its state.
type Refund struct {
	Type   fliggy.RefundType
	Amount fliggy.Yuan // in yuan
	Reason string
	// PayTradeNo is the trade number; where it is empty one is made up in the
	// guide's form, such as "3187983531024266527_142_2_1".
	PayTradeNo string
	// DeductPayTradeNo is the trade number of the deduction that is refunded, for
	// refund types 3 and 4.
	DeductPayTradeNo string
	// Canceller is who cancels; of renewals only.
	Canceller fliggy.Canceller

	// State is RefundRequested, RefundSucceeded or RefundFailed. The gateway sets it and the times, whatever is given
	// here.
	State         State
	RequestedTime time.Time
	SettledTime   time.Time // zero until a callback settled it
}

// A pendingRefund is a refund by its trade number.
type pendingRefund struct {
	renewal *Renewal // nil for a refund of the main order
	order   *Order
	index   int // among the refunds of the renewal, or else of the order
	Refund
}

// settle notes how a refund ended.
func (p *pendingRefund) settle(state State, now time.Time) {
	p.State, p.SettledTime = state, now
	if p.renewal != nil {
		p.renewal.Refunds[p.index] = p.Refund
	} else {
		p.order.Refunds[p.index] = p.Refund
	}
}

// requestRefund keeps a refund and returns the event that orders it. id is that of
// a renewal or of a main order.
func (s *state) requestRefund(now time.Time, id fliggy.ID, r Refund) (events.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	renewal, order := s.renewalsByID[id], s.orders[id]
	t := events.TypeRenewalFeeRefund
	switch {
	case renewal == nil && order == nil:
		return nil, fmt.Errorf("fliggytest: refund: there is no renewal and no order %s", id)
	case renewal == nil:
		t = events.TypeFeeRefund
	}
	s.lastRefund++
	if r.PayTradeNo == "" {
		r.PayTradeNo = fmt.Sprintf("%s_%d_%d_%d", id, int(t), int(r.Type), s.lastRefund)
	}
	r.State, r.RequestedTime, r.SettledTime = RefundRequested, now, time.Time{}
	p := &pendingRefund{renewal: renewal, Refund: r}
	s.refunds[r.PayTradeNo] = append(s.refunds[r.PayTradeNo], p)
	data := events.FeeRefundData{
		RefundType: r.Type, Amount: r.Amount, Reason: r.Reason, PayTradeNo: r.PayTradeNo,
		DeductPayTradeNo: r.DeductPayTradeNo,
	}
	if renewal == nil {
		p.order, p.index = order, len(order.Refunds)
		order.Refunds = append(order.Refunds, p.Refund)
		return &events.FeeRefund{
			Envelope: envelope(t, order.ChannelID, order.OrderID, order.OutOrderID), FeeRefundData: data,
		}, nil
	}
	p.order, p.index = s.orders[renewal.OrderID], len(renewal.Refunds)
	renewal.Refunds = append(renewal.Refunds, p.Refund)
	return &events.RenewalFeeRefund{
		Envelope:       envelope(t, renewal.ChannelID, renewal.OrderID, renewal.OutOrderID),
		RenewalOrderID: renewal.RenewalOrderID, RenewalOutOrderID: renewal.RenewalOutOrderID,
		Canceller: r.Canceller, FeeRefundData: data,
	}, nil
}

func envelope(t events.Type, channel fliggy.Channel, order fliggy.ID, out string) events.Envelope {
	return events.Envelope{ChannelID: channel, OrderID: order, OutOrderID: out, EventType: t}
}

// answers says which callbacks settle a refund, of which kind, and how.
var answers = map[events.Type]struct {
	state   State
	renewal bool
}{
	events.TypeRenewalFeeRefundSucceeded: {RefundSucceeded, true},
	events.TypeRenewalFeeRefundFailed:    {RefundFailed, true},
	events.TypeFeeRefundSucceeded:        {RefundSucceeded, false},
	events.TypeFeeRefundFailed:           {RefundFailed, false},
}

// callback takes a callback. One that settles a refund must carry its trade number
// byte for byte, and fit it: 270 and 271 a renewal, 260 and 261 a main order, with its
// ids and, where both have one, its amount. Of several refunds that fit, the newest is
// settled. A refund that failed may still succeed, not the other way round.
func (s *state) callback(m moment, req *rentcar.CallbackRequest) (*rentcar.CallbackResult, error) {
	cb, err := events.ParseCallback([]byte(req.EventData))
	if err != nil {
		return nil, serviceError("isv.invalid-parameter:event_data", err.Error())
	}
	if req.EventType != 0 && req.EventType != cb.EventType {
		return nil, refuse(RetCallbackMismatch, "event_type与eventType不一致")
	}
	if answer, settles := answers[cb.EventType]; settles {
		if err := s.settle(m.now, cb, answer.state, answer.renewal); err != nil {
			return nil, err
		}
	}
	channel := cb.ChannelID
	if channel == "" {
		channel = req.ChannelID
	}
	s.callbacks, _ = newest(append(s.callbacks, Received[events.Callback]{m.now, m.id, channel, *cb}), s.capacity)
	return &rentcar.CallbackResult{Status: success()}, nil
}

func (s *state) settle(now time.Time, cb *events.Callback, state State, renewal bool) error {
	err := refuse(RetTradeNotFound, "退款流水不存在")
	for _, p := range slices.Backward(s.refunds[cb.Data.PayTradeNo]) {
		if err = p.refusal(cb, state, renewal); err == nil {
			p.settle(state, now)
			return nil
		}
	}
	return err
}

// refusal says why a callback does not settle the refund; nil where it does.
func (p *pendingRefund) refusal(cb *events.Callback, state State, renewal bool) error {
	amount := cb.Data.Amount
	switch {
	case (p.renewal != nil) != renewal:
		return refuse(RetCallbackMismatch, "回调类型"+strconv.Itoa(int(cb.EventType))+"与退款不符")
	case renewal && cb.Data.RenewalOrderID != p.renewal.RenewalOrderID, cb.OrderID != "" && cb.OrderID != p.order.OrderID:
		return refuse(RetCallbackMismatch, "订单号与退款不符")
	case amount.IsSet() && p.Amount.IsSet() && !amount.Equal(p.Amount):
		return refuse(RetCallbackMismatch, "金额与退款不符")
	case p.State == RefundSucceeded && state == RefundFailed:
		return refuse(RetCallbackMismatch, "退款已成功")
	}
	return nil
}
