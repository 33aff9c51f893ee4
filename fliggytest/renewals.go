package fliggytest

import (
	"crypto/sha256"
	"encoding/base64"
	"slices"
	"strconv"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
)

func init() {
	serve(api.RenewalQuote, (*state).quote)
	serve(api.RenewalSubmit, (*state).submit)
	serve(api.RenewalCheckCancel, (*state).checkCancelRenewal)
	serve(api.RenewalCancel, (*state).cancelRenewal)
}

// A State is where a renewal or a refund is in its life.
type State string

// The states of a renewal.
const (
	RenewalSubmitted State = "submitted" // waits for the merchant
	RenewalAccepted  State = "accepted"  // event 103
	RenewalRejected  State = "rejected"  // event 104
	RenewalCancelled State = "cancelled" // by renewal.order.cancel
)

// The states of a refund.
const (
	RefundRequested State = "requested" // event 142 or 141
	RefundSucceeded State = "succeeded" // callback 270 or 260
	RefundFailed    State = "failed"    // callback 271 or 261
)

// alive reports whether the renewal still counts.
func (s State) alive() bool { return s == RenewalSubmitted || s == RenewalAccepted }

// A Renewal is a renewal order (续租单) that the platform holds: one submit that
// was carried out.
type Renewal struct {
	RenewalOrderID    fliggy.ID // Fliggy's id of the renewal
	RenewalOutOrderID string    // the distributor's id of the renewal, as submitted
	OrderID           fliggy.ID // Fliggy's id of the main order
	OutOrderID        string    // the distributor's id of the main order
	ChannelID         fliggy.Channel
	State             State
	CreatedTime       time.Time
	RequestID         string // of the submit

	// Submit is the submit as it arrived.
	Submit rentcar.RenewalSubmitRequest
	// Start is when the renewal starts and Total what it costs, in yuan: of the
	// submit, else of the quote that it names, else the price of its period. Unset
	// where none says.
	Start time.Time
	Total fliggy.Yuan

	// ErrorCode and ErrorMessage say why it was rejected.
	ErrorCode    string
	ErrorMessage string
	// CancelFee is what the cancellation cost, in yuan.
	CancelFee     fliggy.Yuan
	CancelMessage string
	CancelledTime time.Time
	// Refunds are the fee refunds ordered for it, in their order.
	Refunds []Refund
}

// A quoted renewal is one that was priced.
type quoted struct {
	order fliggy.ID
	from  time.Time
	total fliggy.Yuan
}

// itemID is the n-th quote id: opaque, and with every character that must not be
// lost on the way back.
func itemID(n int) string {
	sum := sha256.Sum256([]byte("quote " + strconv.Itoa(n)))
	return base64.StdEncoding.EncodeToString(append([]byte{0xFB, 0xFF, 0xBF}, sum[:28]...)) // +/+/...=
}

func (s *state) quote(_ moment, req *rentcar.RenewalQuoteRequest) (*rentcar.RenewalQuoteResult, error) {
	o, err := s.renewable(req.OrderID, req.OutOrderID)
	if err != nil {
		return nil, err
	}
	res, ok := priceOf(req.CarUseTime.Time, req.CarReturnTime.Time)
	if !ok {
		return nil, refuse(RetBadPeriod, "续租时间有误")
	}
	total, err := res.Total()
	if err != nil {
		return nil, err
	}
	s.quoteCount++
	res.ItemID = itemID(s.quoteCount)
	s.quotes[res.ItemID] = quoted{o.OrderID, req.CarUseTime.Time, total}
	var old []string
	s.quoteIDs, old = newest(append(s.quoteIDs, res.ItemID), s.capacity)
	for _, id := range old {
		delete(s.quotes, id)
	}
	return res, nil
}

// renewable finds an order that can be renewed.
func (s *state) renewable(id fliggy.ID, out string) (*Order, error) {
	o, err := s.findOrder(id, out)
	if err != nil {
		return nil, err
	}
	if !o.Details.SupportsRenewal() {
		return nil, refuse(RetNotRenewable, "订单不支持续租")
	}
	return o, nil
}

// submit carries out every valid order. out_order_id is not looked at: which
// order it names is not known.
func (s *state) submit(m moment, req *rentcar.RenewalSubmitRequest) (*rentcar.RenewalSubmitResult, error) {
	o, err := s.renewable(req.OrderID, "")
	if err != nil {
		return nil, err
	}
	quote, known := s.quotes[req.ItemID]
	if req.ItemID != "" && (!known || quote.order != o.OrderID) {
		return nil, refuse(RetQuoteNotFound, "报价不存在")
	}
	if from, to := req.CarUseTime, req.CarReturnTime; from.IsSet() && to.IsSet() && !to.After(from.Time) {
		return nil, refuse(RetBadPeriod, "续租时间有误")
	}
	r := &Renewal{
		RenewalOrderID: numbered(firstRenewalID, s.renewalCount), RenewalOutOrderID: req.RenewalOutOrderID,
		OrderID: o.OrderID, OutOrderID: o.OutOrderID, ChannelID: req.ChannelID,
		State: RenewalSubmitted, CreatedTime: m.now, RequestID: m.id,
		Submit: *req, Start: req.CarUseTime.Time, Total: req.TotalFee,
	}
	if r.ChannelID == "" {
		r.ChannelID = o.ChannelID
	}
	if r.Start.IsZero() {
		r.Start = quote.from
	}
	if !r.Total.IsSet() {
		r.Total = quote.total
	}
	if priced, ok := priceOf(r.Start, req.CarReturnTime.Time); ok && !r.Total.IsSet() {
		r.Total, _ = priced.Total()
	}
	s.renewalCount++
	var old []*Renewal
	s.renewals, old = newest(append(s.renewals, r), s.capacity)
	for _, r := range old {
		s.forgetRenewal(r)
	}
	s.renewalsByID[r.RenewalOrderID] = r
	s.renewalsByOrder[r.OrderID] = append(s.renewalsByOrder[r.OrderID], r)
	if r.RenewalOutOrderID != "" {
		s.renewalsByOut[r.RenewalOutOrderID] = append(s.renewalsByOut[r.RenewalOutOrderID], r)
	}
	return &rentcar.RenewalSubmitResult{
		Status: success(), RenewalOrderID: r.RenewalOrderID, OrderID: r.OrderID, OutOrderID: r.OutOrderID,
	}, nil
}

// forgetRenewal lets go of all that refers to a renewal.
func (s *state) forgetRenewal(r *Renewal) {
	delete(s.renewalsByID, r.RenewalOrderID)
	dropFrom(s.renewalsByOrder, r.OrderID, func(other *Renewal) bool { return other == r })
	dropFrom(s.renewalsByOut, r.RenewalOutOrderID, func(other *Renewal) bool { return other == r })
	for _, refund := range r.Refunds {
		dropFrom(s.refunds, refund.PayTradeNo, func(p *pendingRefund) bool { return p.renewal == r })
	}
}

// dropFrom takes what is over out of the list that m has under key, and the list if it is empty then.
func dropFrom[K comparable, V any](m map[K][]V, key K, isOver func(V) bool) {
	if m[key] = slices.DeleteFunc(m[key], isOver); len(m[key]) == 0 {
		delete(m, key)
	}
}

// findRenewal finds a renewal by the ids that are given; those must agree. Of
// several the latest that is alive counts, else the latest.
func (s *state) findRenewal(renewal fliggy.ID, out string, order fliggy.ID) (*Renewal, error) {
	var candidates []*Renewal
	switch {
	case renewal != "":
		if r := s.renewalsByID[renewal]; r != nil {
			candidates = []*Renewal{r}
		}
	case out != "":
		if candidates = s.renewalsByOut[out]; candidates == nil && s.ordersByOut[out] != nil {
			candidates = s.renewalsByOrder[s.ordersByOut[out].OrderID]
		}
	default:
		candidates = s.renewalsByOrder[order]
	}
	var last *Renewal
	for _, r := range slices.Backward(candidates) {
		if order != "" && r.OrderID != order || out != "" && r.RenewalOutOrderID != out && r.OutOrderID != out {
			continue
		}
		if r.State.alive() {
			return r, nil
		}
		if last == nil {
			last = r
		}
	}
	if last == nil {
		return nil, refuse(RetRenewalNotFound, "续租单不存在")
	}
	return last, nil
}

// cancellation is what cancelling a renewal costs now, and why.
func (s *state) cancellation(
	now time.Time, renewal fliggy.ID, out string, order fliggy.ID,
) (r *Renewal, fee fliggy.Yuan, why string, err error) {
	if r, err = s.findRenewal(renewal, out, order); err != nil {
		return nil, fee, "", err
	}
	switch r.State {
	case RenewalCancelled:
		return nil, fee, "", refuse(RetNotCancellable, "续租单已取消")
	case RenewalRejected:
		return nil, fee, "", refuse(RetNotCancellable, "商家未接单,续租单已关闭")
	}
	fee, percent, ok := penalty(r.Total, r.Start, now)
	if !ok {
		return nil, fee, "", refuse(RetNotCancellable, "续租已开始,无法取消")
	}
	if percent == 0 {
		return r, fee, "免费取消", nil
	}
	if !fee.IsSet() {
		return nil, fee, "", refuse(RetNotCancellable, "续租总费用未知")
	}
	return r, fee, "距续租开始时间较近,收取" + strconv.Itoa(percent) + "%违约金", nil
}

func (s *state) checkCancelRenewal(
	m moment, req *rentcar.RenewalCheckCancelRequest,
) (*rentcar.RenewalCheckCancelResult, error) {
	_, fee, why, err := s.cancellation(m.now, req.RenewalOrderID, req.OutOrderID, req.OrderID)
	if err != nil {
		return nil, err
	}
	return &rentcar.RenewalCheckCancelResult{Status: success(), CancelFee: fee, CancelMessage: why}, nil
}

func (s *state) cancelRenewal(m moment, req *rentcar.RenewalCancelRequest) (*rentcar.RenewalCancelResult, error) {
	r, fee, why, err := s.cancellation(m.now, req.RenewalOrderID, req.OutOrderID, req.OrderID)
	if err != nil {
		return nil, err
	}
	r.State, r.CancelFee, r.CancelledTime = RenewalCancelled, fee, m.now
	if r.CancelMessage = req.CancelMessage; r.CancelMessage == "" {
		r.CancelMessage = why
	}
	return &rentcar.RenewalCancelResult{Status: success(), CancelFee: fee, CancelMessage: why}, nil
}

// Renewals returns copies of all renewals in the order of their submits.
func (g *Gateway) Renewals() []Renewal {
	g.state.mu.Lock()
	defer g.state.mu.Unlock()
	return copies(g.state.renewals)
}

// Renewal returns a copy of the renewal with Fliggy's id id.
func (g *Gateway) Renewal(id fliggy.ID) (Renewal, bool) {
	g.state.mu.Lock()
	defer g.state.mu.Unlock()
	r := g.state.renewalsByID[id]
	if r == nil {
		return Renewal{}, false
	}
	return snapshot(*r), true
}
