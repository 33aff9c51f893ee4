package lifecycle

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
)

// A notice is an event about a renewal, reduced to what the journal goes by.
type notice struct {
	cause Cause
	key   string    // of the event: its own repeats have the same
	id    fliggy.ID // of Fliggy for the renewal, where the event names it
	own   string    // the distributor's id of the renewal, where the event names it; 103 has it in out
	main  fliggy.ID // of Fliggy for the main order
	out   string    // the distributor's id of the main order
	event events.Event
}

// noticeOf reads an event. It reports false for one that is not about a renewal.
func noticeOf(e events.Event, key string) (notice, bool) {
	n := notice{key: key, event: e}
	switch e := e.(type) {
	case *events.RenewalAccepted:
		n.cause, n.id = Cause103, e.RenewalOrderID
	case *events.RenewalRejected:
		n.cause, n.id = Cause104, e.RenewalOrderID
	case *events.RenewalFeeRefund:
		n.cause, n.id, n.own = Cause142, e.RenewalOrderID, strings.TrimSpace(e.RenewalOutOrderID)
	default:
		return n, false
	}
	head := e.Head()
	n.main, n.out = head.OrderID, strings.TrimSpace(head.OutOrderID)
	if n.main == n.id { // as the sample of 103 has it
		n.main = ""
	}
	if !n.id.IsNumeric() || n.id == "0" { // as a Java bean has it that was never set
		n.id = ""
	}
	return n, true
}

// onEvent is the function for events behind the inbox.
func (b *Book) onEvent(ctx context.Context, d *qimen.Delivery, e events.Event) error {
	n, ok := noticeOf(e, d.Key+"+"+d.Digest)
	if !ok && b.config.onOther != nil {
		return b.config.onOther(ctx, d, e)
	}
	return b.atomically(context.WithValue(ctx, doKey{}, true), func(ctx context.Context, tx Tx) error {
		if !ok {
			return b.keepStray(ctx, tx, n, strayOther, time.Time{}, nil)
		}
		return b.notify(ctx, tx, n, nil)
	})
}

// notify applies a notice to the renewal that it is about, or keeps it as a stray. doc is that of a stray which is
// tried again.
func (b *Book) notify(ctx context.Context, tx Tx, n notice, doc *Doc) error {
	found, elimination, err := b.find(ctx, tx, n)
	if err != nil {
		return err
	}
	now, err := tx.Now(ctx)
	if err != nil {
		return err
	}
	if len(found) == 0 {
		return b.keepStray(ctx, tx, n, strayWaiting, time.Time{}, doc)
	}
	if r := found[0]; elimination && n.cause == Cause104 && r.waitsForFence(now) {
		return b.keepStray(ctx, tx, n, strayWaiting, maxTime(r.Sent.Add(fence), now.Add(minLook)), doc)
	}
	if doc != nil { // before the changes, which may touch the strays of their renewal
		if err := tx.Delete(ctx, doc); err != nil {
			return err
		}
	}
	order, err := b.orderOf(ctx, tx, n, found)
	if err != nil {
		return err
	}
	if len(found) > 1 { // each has the contradiction in its history; what the event said is kept beside
		if err := b.keepStray(ctx, tx, n, strayOther, time.Time{}, nil); err != nil {
			return err
		}
	}
	for _, r := range found {
		in := input{cause: n.cause, id: n.id, elimination: elimination, event: n.key}
		if len(found) > 1 {
			in.cause, in.note = CauseOtherID, "an event names the ids of "+found[0].ID+" and "+found[1].ID
			in.id = ""
		}
		if _, err := b.change(ctx, tx, r.ID, func(t *turn) error {
			isRepeat := slices.Contains(t.Seen, in.event)
			if err := t.apply(ctx, tx, in); err != nil {
				return err
			}
			if order != nil && !isRepeat {
				t.ordered(order)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return nil
}

// orderOf returns the order of a refund for the only renewal that a notice is about; nil for none. If another renewal
// has its trade number, the order is kept there as a changed mind, and pays nothing.
func (b *Book) orderOf(ctx context.Context, tx Tx, n notice, found []*record) (*events.RenewalFeeRefund, error) {
	e, ok := n.event.(*events.RenewalFeeRefund)
	if !ok || len(found) > 1 {
		return nil, nil
	}
	docs, err := tx.Find(ctx, kindRenewal, key("refund", e.PayTradeNo))
	if err != nil || e.PayTradeNo == "" || len(docs) == 0 || docs[0].ID == docID(found[0].ID) {
		return e, err
	}
	other, err := recordOf(docs[0])
	if err != nil {
		return nil, err
	}
	_, err = b.change(ctx, tx, other.ID, func(t *turn) error {
		t.changedMind(t.refund(e.PayTradeNo), e)
		return nil
	})
	return nil, err
}

// find finds the renewals that a notice is about: by Fliggy's id, by the distributor's, or by elimination. Two are a
// contradiction.
func (b *Book) find(ctx context.Context, tx Tx, n notice) (found []*record, elimination bool, err error) {
	docs, err := named(ctx, tx, n)
	if err != nil {
		return nil, false, err
	}
	for _, doc := range docs {
		if doc.State == string(purged) {
			continue
		}
		r, err := recordOf(doc)
		if err != nil {
			return nil, false, err
		}
		found = append(found, r)
	}
	// Money is paid out only for a renewal that the order names.
	if len(docs) > 0 || n.cause == Cause142 || b.config.sharedOrders {
		return found, false, nil
	}
	r, err := b.eliminate(ctx, tx, n)
	if r != nil {
		found = append(found, r)
	}
	return found, true, err
}

// named returns the renewals that a notice names, purged ones too, each once.
func named(ctx context.Context, tx Tx, n notice) (docs []*Doc, err error) {
	if n.id != "" {
		if docs, err = tx.Find(ctx, kindRenewal, key("fliggy", n.id)); err != nil {
			return nil, err
		}
	}
	own := n.own
	if own == "" { // 103 names the renewal so
		own = n.out
	}
	if own == "" {
		return docs, nil
	}
	doc, err := tx.Get(ctx, kindRenewal, docID(own))
	if doc != nil && !slices.ContainsFunc(docs, func(d *Doc) bool { return d.ID == doc.ID }) {
		docs = append(docs, doc)
	}
	return docs, err
}

// eliminate finds the only renewal of the main order that a notice which names no renewal of the journal can be about:
// that whose id of Fliggy is not known, if those of all others are.
func (b *Book) eliminate(ctx context.Context, tx Tx, n notice) (*record, error) {
	k := key("order", n.main)
	if k == "" {
		k = key("out", n.out)
	}
	if k == "" || n.id == "" {
		return nil, nil
	}
	docs, err := tx.Find(ctx, kindRenewal, k)
	if err != nil {
		return nil, err
	}
	var only *record
	all := make([]*record, len(docs))
	for i, doc := range docs {
		if all[i], err = recordOf(doc); err != nil {
			return nil, err
		}
		if slices.Contains(all[i].Seen, n.key) { // a repeat: what was the only one once may not be so now
			return all[i], nil
		}
	}
	for _, r := range all {
		switch {
		case r.BesideOpen:
			return nil, nil
		case !r.isNameless():
		case only != nil:
			return nil, nil
		default:
			only = r
		}
	}
	if only == nil || only.State == purged {
		return nil, nil
	}
	return only, nil
}

// A stray is an event that belongs to nothing known.
type stray struct {
	Key     string
	Payload json.RawMessage
	At      time.Time
	Told    bool
}

// The states of a stray.
const (
	strayWaiting = "waiting" // until its renewal appears
	strayOther   = "other"   // not about one renewal: for OnOther where that is not set, or for two at once
)

// keepStray keeps an event as a stray in a state, to be tried again at due. doc is the stray that it is already, if it
// is one.
func (b *Book) keepStray(ctx context.Context, tx Tx, n notice, state string, due time.Time, doc *Doc) error {
	if doc != nil {
		s, err := decode[stray](doc)
		if err != nil {
			return err
		}
		return b.putStray(ctx, tx, doc, *s, due)
	}
	now, err := tx.Now(ctx)
	if err != nil {
		return err
	}
	known, err := tx.Get(ctx, kindStray, docID(n.key))
	if err != nil || known != nil { // a repeat is kept once
		return err
	}
	doc = &Doc{Kind: kindStray, ID: docID(n.key), At: now, State: state, Keys: []string{keyNeedsPerson}}
	if state == strayWaiting {
		keys := nonEmpty(
			key("fliggy", n.id), key("own", n.own), key("own", n.out), key("order", n.main), key("out", n.out),
		)
		slices.Sort(keys)
		doc.Keys = append(doc.Keys, slices.Compact(keys)...)
		// Once more soon: a change of its renewal that was not stored yet could not wake it.
		due = now.Add(minLook)
	}
	return b.putStray(ctx, tx, doc, stray{Key: n.key, Payload: payloadOf(n.event), At: now}, due)
}

// putStray stores a stray that is due at due, zero for never, or when it is overdue: where that comes first, and nobody
// was told of it.
func (b *Book) putStray(ctx context.Context, tx Tx, doc *Doc, s stray, due time.Time) error {
	doc.Due = due
	if overdue := s.At.Add(b.config.patience.Stray); !s.Told && (due.IsZero() || overdue.Before(due)) {
		doc.Due = overdue
	}
	return put(ctx, tx, doc, s)
}

// wakeStrays makes those events due that may be about a renewal which is new, has learnt its id, or is settled, so that
// another one can be told by elimination.
func (b *Book) wakeStrays(ctx context.Context, tx Tx, before, after *record, now time.Time) error {
	if before.State == after.State && before.RenewalOrderID == after.RenewalOrderID {
		return nil
	}
	seen := map[string]bool{}
	for _, k := range nonEmpty(key("fliggy", after.RenewalOrderID), key("own", after.ID),
		key("order", after.Request.OrderID), key("out", strings.TrimSpace(after.Request.OutOrderID))) {
		docs, err := tx.Find(ctx, kindStray, k)
		if err != nil {
			return err
		}
		for _, doc := range docs {
			if seen[doc.ID] || doc.State != strayWaiting {
				continue
			}
			seen[doc.ID] = true
			doc.Due = now
			if err := tx.Put(ctx, doc); err != nil {
				return err
			}
		}
	}
	return nil
}

// runStray tries a stray again, and tells of one that is overdue.
func (b *Book) runStray(ctx context.Context, doc *Doc) error {
	s, err := decode[stray](doc)
	if err != nil {
		return err
	}
	e, err := events.Parse(s.Payload)
	if err != nil {
		return fmt.Errorf("lifecycle: the stray event %s cannot be read: %w", s.Key, err)
	}
	n, isRenewal := noticeOf(e, s.Key)
	isRenewal = isRenewal && doc.State == strayWaiting
	var overdue bool
	err = b.atomically(ctx, func(ctx context.Context, tx Tx) error {
		overdue = false
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		doc, err := tx.Get(ctx, kindStray, doc.ID)
		if err != nil || doc == nil || doc.Due.IsZero() || doc.Due.After(now) {
			return err
		}
		overdue = !s.Told && !now.Before(s.At.Add(b.config.patience.Stray))
		switch {
		case overdue: // the lease for telling
			doc.Due = now.Add(b.config.lease())
			return tx.Put(ctx, doc)
		case !isRenewal:
			return b.putStray(ctx, tx, doc, *s, time.Time{})
		}
		return b.notify(ctx, tx, n, doc)
	})
	if err != nil || !overdue {
		return err
	}
	return b.tellStray(ctx, doc.ID, s, e)
}

// tellStray tells of a stray, and remembers that.
func (b *Book) tellStray(ctx context.Context, id string, s *stray, e events.Event) error {
	o := Overdue{Problem: ProblemStray, At: s.At.Add(b.config.patience.Stray), Since: s.At, Event: e}
	if err := b.tell(ctx, o); err != nil {
		return err
	}
	return b.atomically(ctx, func(ctx context.Context, tx Tx) error {
		doc, err := tx.Get(ctx, kindStray, id)
		if err != nil || doc == nil {
			return err
		}
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		s.Told = true
		// It is tried once more: the lease of telling may have covered what was due.
		return b.putStray(ctx, tx, doc, *s, now)
	})
}

func maxTime(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
