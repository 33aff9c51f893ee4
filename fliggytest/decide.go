package fliggytest

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A decision is what the merchant makes of a renewal by itself.
type decision struct {
	state         State // empty for none
	code, message string
}

// An autoDecision is a decision on every renewal.
type autoDecision struct {
	decision
	after time.Duration // how late the merchant decides
	how   []Push
}

// AutoAccept accepts every renewal that is submitted from now on, as if
// [Gateway.Accept] were called as soon as the submit has been answered. The event
// may overtake the answer, as it may in reality. See [Gateway.WaitPushes]. The Late of the first of how is how long the
// merchant takes to decide.
func (g *Gateway) AutoAccept(how ...Push) { g.setAuto(decision{state: RenewalAccepted}, how) }

// AutoReject rejects every renewal that is submitted from now on. As for AutoAccept.
func (g *Gateway) AutoReject(code, message string, how ...Push) {
	g.setAuto(decision{RenewalRejected, code, message}, how)
}

// DecideByHand ends AutoAccept and AutoReject: renewals wait for Accept or Reject.
func (g *Gateway) DecideByHand() { g.setAuto(decision{}, nil) }

func (g *Gateway) setAuto(d decision, how []Push) {
	auto := autoDecision{decision: d, how: slices.Clone(how)}
	if len(how) > 0 {
		auto.after, auto.how[0].Late = how[0].Late, 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.auto = auto
}

// decideSoon returns what decides on a renewal by itself once it is called, nil
// for a renewal that is decided by hand.
func (g *Gateway) decideSoon(id fliggy.ID) (start func()) {
	g.mu.Lock()
	d := g.auto
	g.mu.Unlock()
	if d.state == "" {
		return nil
	}
	return g.pushes.reserve(func() {
		if wait(g.ctx, max(d.after, 0)) {
			g.decide(id, d.decision, d.how)
		}
	})
}

// Accept lets the merchant take a renewal (接单成功), and pushes event 103. A
// renewal that is accepted already is pushed again. The result has an error for
// one that is unknown, rejected or cancelled, or where there is nowhere to push
// to; in the latter case the renewal is accepted all the same. How it is pushed is as for
// [Gateway.Push].
//
// Like the guide's sample the event has the renewal's own ids in its envelope,
// where other events have those of the main order.
func (g *Gateway) Accept(renewalID fliggy.ID, how ...Push) PushResult {
	return g.decide(renewalID, decision{state: RenewalAccepted}, how)
}

// Reject lets the merchant refuse a renewal (接单失败), and pushes event 104 with
// this reason. As for Accept.
func (g *Gateway) Reject(renewalID fliggy.ID, code, message string, how ...Push) PushResult {
	return g.decide(renewalID, decision{RenewalRejected, code, message}, how)
}

// RequestRefund lets customer service order a fee refund, and pushes event 142
// for a renewal, or 141 if id is that of a main order. The refund is kept, and a
// callback settles it that has its trade number, its ids and, where both have one, its
// amount: refunds of different amounts may share a trade number. A callback that fits
// none is refused with [RetCallbackMismatch]. See Refunds of [Renewal]. The result
// has an error for an unknown id, or where there is nowhere to push to; in the
// latter case the refund is kept all the same.
func (g *Gateway) RequestRefund(id fliggy.ID, refund Refund, how ...Push) PushResult {
	e, err := g.state.requestRefund(g.now(), id, refund)
	if err != nil {
		return PushResult{Err: err}
	}
	g.log.stateChanged()
	return g.Push(g.ctx, e, how...)
}

func (g *Gateway) decide(id fliggy.ID, d decision, how []Push) PushResult {
	e, err := g.state.decide(id, d)
	if err != nil {
		return PushResult{Err: err}
	}
	g.log.stateChanged()
	return g.Push(g.ctx, e, how...)
}

// decide settles a renewal and returns the event that says so.
func (s *state) decide(id fliggy.ID, d decision) (events.Event, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.renewalsByID[id]
	switch {
	case r == nil:
		return nil, errUnknownRenewal
	case r.State != RenewalSubmitted && r.State != d.state:
		return nil, fmt.Errorf("fliggytest: renewal %s is %s: it cannot be %s any more", id, r.State, d.state)
	}
	r.State = d.state
	if d.state == RenewalRejected {
		r.ErrorCode, r.ErrorMessage = d.code, d.message
		return &events.RenewalRejected{
			Envelope:       envelope(events.TypeRenewalRejected, r.ChannelID, r.OrderID, r.OutOrderID),
			RenewalOrderID: id, ErrorCode: d.code, ErrorMessage: d.message,
		}, nil
	}
	out := r.RenewalOutOrderID
	if out == "" {
		out = r.OutOrderID
	}
	return &events.RenewalAccepted{
		Envelope:       envelope(events.TypeRenewalAccepted, r.ChannelID, id, out),
		RenewalOrderID: id, CreatedTime: fliggy.At(r.CreatedTime),
	}, nil
}

// errUnknownRenewal says that there is nothing to decide on.
var errUnknownRenewal = errors.New("fliggytest: there is no such renewal")
