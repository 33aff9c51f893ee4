package rentcar

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/internal/contain"
	"github.com/fliggy-go/rentcar/internal/top"
)

// A Verdict says what became of a submit whose outcome was unknown.
type Verdict uint8

// The verdicts.
const (
	// VerdictStillUnknown: nothing proves either. Ask again later, or ask the
	// platform with the time of the call; do not submit again.
	VerdictStillUnknown Verdict = iota
	// VerdictDone: the renewal order exists. Whether the merchant takes it is told
	// by event 103 or 104, if it is not told yet.
	VerdictDone
	// VerdictRejected: the merchant has refused the renewal (104).
	VerdictRejected
)

// String returns the verdict in words.
func (v Verdict) String() string {
	switch v {
	case VerdictDone:
		return "done"
	case VerdictRejected:
		return "rejected"
	}
	return "still unknown"
}

// A SettleRequest is what is known of a submit whose outcome is not.
type SettleRequest struct {
	// Submit is the request as it was sent. Required, with its RenewalOutOrderID,
	// unless Probe needs none: an id that no other submit ever had, or the probe would
	// find that one's renewal.
	Submit *RenewalSubmitRequest
	// Events are the pushed events that you have seen, in any order; those about
	// other renewals are passed over. An event is about this one when its own
	// outOrderId or renewalOutOrderId is Submit.RenewalOutOrderID. Inferred: event 103
	// names the renewal so, as in the guide's sample; the sample of 104 names the main
	// order instead, for which OthersKnown is.
	Events []events.Event
	// Others are Fliggy's ids of other renewals of the main order.
	Others []fliggy.ID
	// Set OthersKnown only if Others lists every other renewal of this order, rejected and cancelled ones too.
	// Then an event about the main order that names none of Others is about this renewal. While another submit of
	// the order is open, or one was settled by a probe and no event has named its id, leave it false.
	OthersKnown bool
	// Probe asks whether the renewal of submit exists, if no event decides. It returns VerdictRejected only if that is
	// proved, never because nothing was found; an error counts as VerdictStillUnknown. The default, nil, asks
	// Renewals.CheckCancel by RenewalOutOrderID. Inferred: that this finds a renewal.
	Probe func(ctx context.Context, submit *RenewalSubmitRequest) (Verdict, error)
}

// A Settlement is the answer of Settle.
type Settlement struct {
	// Verdict says what became of the submit.
	Verdict Verdict
	// RenewalOrderID is Fliggy's id of the renewal, where an event named it.
	RenewalOrderID fliggy.ID
	// Event is the event that decided, nil where the probe did, or nothing.
	Event events.Event
	// Err says why nothing is known: events that contradict each other, an error of the probe, or an event 104 that
	// names only the main order and was passed over, because OthersKnown is not set. It is nil where there is a verdict.
	Err error
}

// Settle finds out what became of a Submit whose error matches ErrOutcomeUnknown:
// first from the events that have arrived, then by asking the platform. It changes
// nothing, and may be called again and again.
//
//	settled, err := client.Renewals.Settle(ctx, &rentcar.SettleRequest{Submit: req, Events: seen})
//	switch settled.Verdict {
//	case rentcar.VerdictDone:         // the renewal order exists
//	case rentcar.VerdictRejected:     // the merchant refused it: pay back
//	case rentcar.VerdictStillUnknown: // ask again later; settled.Err says why
//	}
//
// The options are for the default probe. That nothing is found never means that the
// renewal was rejected: it may be on its way. Events that contradict each other
// leave it unknown. The error is a *ValidationError for a request that cannot be
// settled: without a renewal id of your own, or with that of the main order in its
// place.
//
// API: alitrip.rentcar.btb.renewal.checkcancel; called by the default probe only.
func (s *RenewalService) Settle(ctx context.Context, req *SettleRequest, opts ...CallOption) (*Settlement, error) {
	if err := req.check(); err != nil {
		return nil, err
	}
	if found := req.fromEvents(); found != nil {
		return found, nil
	}
	probe := req.Probe
	if probe == nil { // a success proves that the renewal exists; a refusal proves nothing
		probe = func(ctx context.Context, submit *RenewalSubmitRequest) (Verdict, error) {
			find := &RenewalCheckCancelRequest{OutOrderID: submit.RenewalOutOrderID, ChannelID: submit.ChannelID}
			_, err := s.CheckCancel(ctx, find, opts...)
			return VerdictDone, err
		}
	}
	var verdict Verdict
	err := contain.Call("the probe", func() (err error) { verdict, err = probe(ctx, req.Submit); return err })
	if err == nil && verdict > VerdictRejected {
		err = fmt.Errorf("rentcar: settle: the probe answered %d, which is no verdict", verdict)
	}
	if err != nil {
		verdict = VerdictStillUnknown
	}
	if verdict == VerdictStillUnknown && req.passedOver() {
		err = errors.Join(errPassedOver, err)
	}
	return &Settlement{Verdict: verdict, Err: err}, nil
}

var errPassedOver = errors.New("rentcar: settle: an event 104 names only the main order: see SettleRequest.OthersKnown")

// passedOver reports whether an event 104 would say that the renewal was rejected, were OthersKnown set.
func (r *SettleRequest) passedOver() bool {
	known := *r
	known.OthersKnown = true
	return !r.OthersKnown && slices.ContainsFunc(r.Events, func(e events.Event) bool {
		rejected, ok := e.(*events.RenewalRejected)
		return ok && known.read(rejected) != nil
	})
}

func (r *SettleRequest) check() error {
	var ps fliggy.Problems
	switch {
	case r == nil || r.Submit == nil:
		ps.Add("Submit", "is required: the request whose outcome is unknown")
	case r.Probe != nil || r.ownID() != "":
	case top.IsBlank(r.Submit.RenewalOutOrderID):
		ps.Add("Submit.RenewalOutOrderID", "is required: without an id of yours the renewal cannot be told from others")
	default:
		ps.Add(
			"Submit.RenewalOutOrderID",
			"must differ from OutOrderID and OrderID: by the id of the main order any of its renewals would be found",
		)
	}
	return ps.Err(api.RenewalSubmit.Method)
}

// ownID is the distributor's id of the renewal; empty where there is none of its
// own.
func (r *SettleRequest) ownID() string {
	id := strings.TrimSpace(r.Submit.RenewalOutOrderID)
	if id == strings.TrimSpace(r.Submit.OutOrderID) || id == strings.TrimSpace(string(r.Submit.OrderID)) {
		return ""
	}
	return id
}

// fromEvents looks for the verdict in the events; nil where they hold none.
func (r *SettleRequest) fromEvents() *Settlement {
	var found *Settlement
	for _, e := range r.Events {
		next := r.read(e)
		switch {
		case next == nil:
		case found == nil:
			found = next
		case found.Verdict != next.Verdict || !sameID(found.RenewalOrderID, next.RenewalOrderID):
			return &Settlement{
				Err: fmt.Errorf("rentcar: settle: events %d and %d contradict each other", found.Event.Type(), next.Event.Type()),
			}
		case found.RenewalOrderID == "":
			found = next // it may name the renewal
		}
	}
	return found
}

// sameID reports whether two ids are the same, or one of them is not known.
func sameID(a, b fliggy.ID) bool { return a == b || a == "" || b == "" }

// read gives what one event says of the renewal; nil for nothing.
func (r *SettleRequest) read(e events.Event) *Settlement {
	switch e := e.(type) {
	case *events.RenewalAccepted:
		if e != nil && r.isAbout(&e.Envelope, "", e.RenewalOrderID) {
			return &Settlement{Verdict: VerdictDone, RenewalOrderID: e.RenewalOrderID, Event: e}
		}
	case *events.RenewalRejected:
		if e != nil && r.isAbout(&e.Envelope, "", e.RenewalOrderID) {
			return &Settlement{Verdict: VerdictRejected, RenewalOrderID: e.RenewalOrderID, Event: e}
		}
	case *events.RenewalFeeRefund:
		if e != nil && r.isAbout(&e.Envelope, e.RenewalOutOrderID, e.RenewalOrderID) {
			return &Settlement{Verdict: VerdictDone, RenewalOrderID: e.RenewalOrderID, Event: e}
		}
	}
	return nil
}

// isAbout reports whether an event is about the renewal: by your id of it, or by the
// main order where the other renewals are known.
func (r *SettleRequest) isAbout(head *events.Envelope, renewalOutOrderID string, renewalOrderID fliggy.ID) bool {
	mine := r.ownID()
	switch {
	case mine == "":
	case renewalOutOrderID != "":
		return strings.TrimSpace(renewalOutOrderID) == mine // it names its renewal, mine or another
	case strings.TrimSpace(head.OutOrderID) == mine:
		return true
	}
	// An id in an odd form could be one of the others, that of the main order is none.
	if !r.OthersKnown || !renewalOrderID.IsNumeric() || renewalOrderID == r.Submit.OrderID || slices.ContainsFunc(
		r.Others, func(id fliggy.ID) bool { return strings.TrimSpace(string(id)) == string(renewalOrderID) },
	) {
		return false
	}
	main := r.Submit
	if head.OrderID != "" && main.OrderID != "" {
		return head.OrderID == main.OrderID // whatever the other id says
	}
	return head.OutOrderID != "" && head.OutOrderID == main.OutOrderID
}
