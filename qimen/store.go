package qimen

import (
	"context"
	"errors"
	"time"
)

// toStore makes the task of an event that has arrived one that stores it. An event that cannot be read, for the reason
// unread, is stored too and refused all the same: it is signed, and a later version may read it.
func (h *Handler) toStore(d *Delivery, o *Observation, t task, unread error) task {
	if unread != nil {
		t = task{isUnread: true, digest: digestOf(d, d.Push.Body)}
		t.key = messageKey("event/unread", d.AppKey, t.digest)
	}
	t.run = func(ctx context.Context) (Reason, []byte, error) {
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
	return t
}

// Work calls the function of [OnEvent] with an event that was stored before, see [WithStore], and reports to observer
// and logger. Of d it needs AppKey, Push and IsConflict as they were stored, and Attempt; everything else is read from
// Push again. It looks neither at the signature nor at the time, since the secret may be another by now, and asks no
// gate.
//
// It returns what the observer is given: ReasonAccepted and nil when the event is done. After ReasonRefused, the
// function returned an error of [Refuse], and ReasonUndecodable another attempt cannot succeed.
func (h *Handler) Work(ctx context.Context, d *Delivery) (Reason, error) {
	start := time.Now()
	o, own := h.again(ctx, d)
	_ = h.finish(&o, own, start)
	h.report(ctx, o)
	return o.Reason, o.Err
}

// again handles a stored delivery.
func (h *Handler) again(ctx context.Context, d *Delivery) (Observation, *Reply) {
	var stored Delivery
	if d != nil {
		stored = *d
	}
	s, err := readSigned(stored.Push)
	if err != nil {
		return Observation{AppKey: stored.AppKey, Attempt: stored.Attempt, Reason: ReasonUndecodable, Err: err}, nil
	}
	fresh := s.delivery(stored.Push, stored.AppKey)
	fresh.Attempt, fresh.IsConflict = stored.Attempt, stored.IsConflict
	return h.perform(ctx, fresh, nil, "")
}
