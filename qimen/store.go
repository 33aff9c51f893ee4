package qimen

import (
	"context"
	"errors"
	"math"
	"time"
)

// storeJob returns a job that stores an event instead of handling it. If unread is not nil, the event cannot be
// decoded. It is refused, but also stored, because it is signed and a later version may decode it.
func (h *Handler) storeJob(s *signedPush, o *Observation, j job, unread error) job {
	d := &s.Delivery
	if unread != nil {
		j = job{isUnread: true, digest: digestOf(s.charset, d.Push.Body)}
		j.key = messageKey("event/unread", d.AppKey, j.digest)
	}
	j.run = func(ctx context.Context) (Reason, []byte, error) {
		err := h.store(ctx, d)
		o.IsConflict = d.IsConflict // the store may know of one that the gate does not
		if err != nil {
			return ReasonNotStored, nil, errors.Join(unread, err)
		}
		o.IsStored = true
		if unread != nil {
			return ReasonUndecodable, nil, unread
		}
		return ReasonAccepted, nil, nil
	}
	return j
}

// Work calls the function of [OnEvent] with a stored event, see [WithStore], and reports to observer and logger. Of d
// it uses AppKey, Push and IsConflict as they were stored, and Attempt; everything else is decoded from Push again. It
// does not check the signature or the time, since the secret may have changed, and does not use the gate.
//
// Work returns what the observer gets: ReasonAccepted and nil if the event is done. A retry cannot succeed after
// ReasonRefused, which means that the function returned an error of [Refuse], or ReasonUndecodable.
func (h *Handler) Work(ctx context.Context, d *Delivery) (Reason, error) {
	start, ctx := time.Now(), h.tracePush(ctx, nil)
	o, own := h.handleStored(ctx, d)
	_ = h.finish(&o, own, start)
	h.report(ctx, o)
	return o.Reason, o.Err
}

// handleStored handles a stored delivery.
func (h *Handler) handleStored(ctx context.Context, d *Delivery) (Observation, *Reply) {
	var stored Delivery
	if d != nil {
		stored = *d
	}
	s, err := readSigned(stored.Push, math.MaxInt64)
	if err != nil {
		return Observation{AppKey: stored.AppKey, Attempt: stored.Attempt, Reason: ReasonUndecodable, Err: err}, nil
	}
	s.sign, s.AppKey, s.Attempt, s.IsConflict = "", stored.AppKey, stored.Attempt, stored.IsConflict
	return h.perform(ctx, s, nil)
}
