package lifecycle

import (
	"context"
	"slices"
	"time"

	"github.com/fliggy-go/rentcar"
)

// Purge drops renewals with their lines, by whole main orders: those whose renewals were all decided before a time,
// whose refunds are done, and whose lines are billed or void. Their ids stay, so that a late repeat of an event about
// one is not taken for another's, and no id is used twice. Bills stay too. It returns how many renewals it dropped,
// also beside an error.
func (b *Book) Purge(ctx context.Context, before time.Time) (int, error) {
	dropped := 0
	for _, state := range []State{Accepted, Rejected, Cancelled} {
		q := Query{Kind: kindRenewal, State: string(state), Before: before}
		for r, err := range every[record](ctx, b.store, q) {
			if err != nil {
				return dropped, err
			}
			n, err := b.purgeOrder(ctx, r, before)
			if dropped += n; err != nil {
				return dropped, err
			}
		}
	}
	return dropped, nil
}

// purgeOrder drops the renewals of a main order, if all of them can go.
func (b *Book) purgeOrder(ctx context.Context, r *record, before time.Time) (n int, err error) {
	err = b.atomically(ctx, func(ctx context.Context, tx Tx) error {
		n = 0
		docs, err := tx.Find(ctx, kindRenewal, key("order", r.Request.OrderID))
		if err != nil {
			return err
		}
		docs = slices.DeleteFunc(docs, func(d *Doc) bool { return d.State == string(purged) })
		lines, ok, err := linesToPurge(ctx, tx, docs, before)
		if err != nil || !ok {
			return err
		}
		for _, line := range lines {
			if err := tx.Delete(ctx, line); err != nil {
				return err
			}
		}
		for _, doc := range docs {
			if err := b.bury(ctx, tx, doc); err != nil {
				return err
			}
		}
		n = len(docs)
		return nil
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// linesToPurge returns the lines of renewals. It reports false if one of the renewals, or of the lines, is not over.
func linesToPurge(ctx context.Context, tx Tx, docs []*Doc, before time.Time) (lines []*Doc, ok bool, err error) {
	for _, doc := range docs {
		r, err := recordOf(doc)
		if err != nil || !r.isOver(before) {
			return nil, false, err
		}
		own, err := tx.Find(ctx, kindLine, key("renewal", r.ID))
		if err != nil {
			return nil, false, err
		}
		for _, line := range own {
			if line.State != string(LineBilled) && line.State != string(LineVoid) {
				return nil, false, nil
			}
		}
		lines = append(lines, own...)
	}
	return lines, true, nil
}

// isOver reports whether nothing of the renewal is open, and nothing has changed since before.
func (r *record) isOver(before time.Time) bool {
	for _, f := range r.all() {
		done := f.State == RefundAnswered || f.State == RefundClosed
		if !done || !f.Since.Before(before) || f.Problem != "" {
			return false
		}
	}
	return (r.State == Accepted || r.State == Rejected || r.State == Cancelled) && r.Since.Before(before) &&
		r.AskSince.IsZero()
}

// bury leaves the ids of a renewal.
func (b *Book) bury(ctx context.Context, tx Tx, doc *Doc) error {
	r, err := recordOf(doc)
	if err != nil {
		return err
	}
	grave := &record{Digest: r.Digest, ByReply: r.ByReply, BesideOpen: r.BesideOpen, Renewal: Renewal{
		ID: r.ID, RenewalOrderID: r.RenewalOrderID, State: purged, Version: doc.Version + 1,
		Request: rentcar.RenewalSubmitRequest{
			OrderID: r.Request.OrderID, OutOrderID: r.Request.OutOrderID, PayTradeNo: r.Request.PayTradeNo,
		},
	}}
	doc.State, doc.Due = string(purged), time.Time{}
	doc.Keys, doc.Unique = grave.keys(b.config)
	return put(ctx, tx, doc, grave)
}
