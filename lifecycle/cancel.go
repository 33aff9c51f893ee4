package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A CancelRequest asks to cancel a renewal.
type CancelRequest struct {
	// MaxFee is the highest fee that the customer has agreed to, in yuan, whole fen. Required, 0 too.
	MaxFee fliggy.Yuan
	// Reason is sent along (cancel_message). Optional.
	Reason string
}

// CancelFee asks what cancelling a renewal costs now, in yuan. It changes nothing. The error is that of
// rentcar.RenewalService.CheckCancel where Fliggy says that the renewal cannot be cancelled; it matches [ErrNotSettled]
// while the state of the renewal is not settled, [ErrFinal] where there is nothing to cancel, NotSent included, and
// [ErrNotFound].
func (b *Book) CancelFee(ctx context.Context, id string) (fliggy.Yuan, error) {
	r, err := b.Get(ctx, id)
	if err == nil {
		err = canCancel(r)
	}
	if err != nil {
		return fliggy.Yuan{}, err
	}
	return b.checkCancel(ctx, r)
}

// canCancel says why a renewal cannot be cancelled in its state.
func canCancel(r Renewal) error {
	switch r.State {
	case Placed, Accepted:
		return nil
	case Submitting, Unknown, Cancelling, CancelUnknown, Disputed:
		return fmt.Errorf("%w: renewal %s is %s", ErrNotSettled, r.ID, r.State)
	}
	return fmt.Errorf("%w: renewal %s is %s: there is nothing to cancel", ErrFinal, r.ID, r.State)
}

// isCancelled reports whether a renewal in the state is cancelled, or may be.
func isCancelled(s State) bool { return s == Cancelling || s == CancelUnknown || s == Cancelled }

// checkCancel asks the platform by Fliggy's id, or by the distributor's where that is not known.
func (b *Book) checkCancel(ctx context.Context, r Renewal) (fliggy.Yuan, error) {
	req := &rentcar.RenewalCheckCancelRequest{RenewalOrderID: r.RenewalOrderID, ChannelID: r.Request.ChannelID}
	if r.RenewalOrderID == "" {
		req.OutOrderID = r.ID
	}
	res, err := b.client.Renewals.CheckCancel(ctx, req)
	if err != nil {
		return fliggy.Yuan{}, err
	}
	return res.CancelFee, nil
}

// Cancel cancels a renewal that is Placed or Accepted, if that costs no more than the customer has agreed to, or gives
// up one that is NotSent. What goes back to the customer is the payment less the fee less refunds that were paid or
// promised; Run pays it.
//
//	nil                        it is cancelled, see CancelFee; or it was, or is being cancelled
//	*FeeError                  it costs more than MaxFee; nothing was cancelled
//	rentcar.ErrOutcomeUnknown  it may be cancelled: Run finds out
//	ErrNotSettled              its submit is not settled yet, or it is Disputed; nothing was sent
//	ErrFinal                   it is Rejected: there is nothing to cancel
//	*fliggy.ValidationError    MaxFee is missing or wrong; nothing was sent
//	any other                  it was not cancelled; ErrNotFound: the journal does not have it
//
// The renewal is returned with the error where the journal has it, except after a *fliggy.ValidationError. One that is
// cancelled at a fee above MaxFee, or at one that the reply does not name (see [WithCheckedFee]), is Disputed, and the
// error is nil: its money waits for a person. The call ends with ctx as that of [Book.Submit] does.
func (b *Book) Cancel(ctx context.Context, id string, req CancelRequest) (Renewal, error) {
	if !isFee(req.MaxFee) {
		var ps fliggy.Problems
		ps.Add("MaxFee", "is required, 0 too: whole fen, the highest fee that the customer has agreed to")
		return Renewal{}, ps.Err("lifecycle: cancel")
	}
	if err := b.outside(ctx, "cancel"); err != nil {
		return Renewal{}, err
	}
	r, err := b.Get(ctx, id)
	if err != nil {
		return r, err
	}
	switch {
	case isCancelled(r.State):
		return r, nil
	case r.State == NotSent:
		after, err := b.giveUp(ctx, id, req.Reason)
		switch {
		case err != nil:
			return r, err
		case after.State == Rejected:
			return after, nil
		}
		return b.Cancel(ctx, id, req) // it was submitted again meanwhile
	}
	if err := canCancel(r); err != nil {
		return r, err
	}
	fee, err := b.checkCancel(ctx, r)
	if err != nil {
		if known, getErr := b.Get(ctx, id); getErr == nil && isCancelled(known.State) { // by another, meanwhile
			return known, nil
		}
		return r, err
	}
	if req.MaxFee.Sub(fee).IsNegative() {
		return r, &FeeError{fee, req.MaxFee}
	}
	return b.cancel(ctx, r, req, fee)
}

// isFee reports whether a fee is named: an amount in whole fen, 0 too, not less than nothing.
func isFee(amount fliggy.Yuan) bool {
	_, err := amount.Fen()
	return err == nil && amount.IsSet() && !amount.IsNegative()
}

// giveUp rejects a renewal that is NotSent still: in any other state the cancellation would have to be sent.
func (b *Book) giveUp(ctx context.Context, id, reason string) (Renewal, error) {
	return b.decide(ctx, id, func(t *turn) error {
		if t.State == NotSent {
			t.step(input{cause: CauseCancel, note: reason})
		}
		return nil
	})
}

// cancel sends the cancellation once the journal has it.
func (b *Book) cancel(ctx context.Context, r Renewal, req CancelRequest, fee fliggy.Yuan) (Renewal, error) {
	began := time.Now()
	sends := false
	known, err := b.alter(ctx, r.ID, func(t *turn) error {
		before := t.State
		t.step(input{cause: CauseCancel, maxFee: req.MaxFee, note: req.Reason})
		sends = before != Cancelling && t.State == Cancelling
		return nil
	})
	if err != nil {
		return r, err
	}
	r = known.Renewal
	if !sends { // another was first, or an event has come meanwhile
		if isCancelled(r.State) {
			return r, nil
		}
		return r, canCancel(r)
	}
	call := &rentcar.RenewalCancelRequest{
		RenewalOrderID: r.RenewalOrderID, CancelMessage: req.Reason, CancelFee: fee, ChannelID: r.Request.ChannelID,
	}
	if r.RenewalOrderID == "" {
		call.OutOrderID = r.ID
	}
	calling, stop := context.WithDeadline(ctx, began.Add(b.config.callTimeout))
	defer stop()
	res, callErr := b.client.Renewals.Cancel(calling, call)
	in := input{cause: CauseCancelLost, note: reasonOf(callErr)}
	switch {
	case callErr == nil:
		in = input{cause: CauseCancelled, fee: res.CancelFee, requestID: res.RequestID, attempts: res.Attempts}
		if !in.fee.IsSet() && b.config.checkedFee {
			in.fee = fee
		}
	case rentcar.OutcomeOf(callErr) == rentcar.OutcomeRejected || rentcar.OutcomeOf(callErr) == rentcar.OutcomeNotSent:
		in.cause = CauseCancelRefused
	}
	return b.replied(ctx, "cancel", r, in, callErr)
}

// reasonOf is an error for the history: without what the platform wrote, which may quote anything.
func reasonOf(err error) string {
	var gateway *rentcar.GatewayError
	var business *rentcar.BusinessError
	switch {
	case err == nil:
		return ""
	case errors.As(err, &gateway):
		return strings.TrimSpace("code " + gateway.Code + " " + gateway.SubCode)
	case errors.As(err, &business):
		return strings.TrimSpace("refused, code " + business.Code)
	}
	return rentcar.OutcomeOf(err).String()
}
