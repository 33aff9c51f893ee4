package lifecycle

import (
	"context"
	"fmt"
	"iter"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A Filter says which renewals to list. The zero Filter is no query: one of NeedsPerson, OrderID and State is needed.
type Filter struct {
	// NeedsPerson lists those that somebody has to look at: those that are NotSent, Unknown, CancelUnknown or Disputed,
	// from the first moment, although Run settles most of the unknown ones; and those of which something is overdue.
	NeedsPerson bool
	// OrderID lists those of a main order, by Fliggy's id of it. While one of them is Submitting or Unknown, Submit of
	// another is an OpenError: ask before the customer pays.
	OrderID fliggy.ID
	// State lists those in a state.
	State State
	// Before, unless zero, lists those that were first submitted before it.
	Before time.Time
	// After is Next of the page before.
	After Cursor
	// Limit is the length of a page: 100 where it is zero or less, 1,000 at most.
	Limit int
}

// A Page is a part of a list.
type Page struct {
	Renewals []Renewal
	// Next is After of the next page; IsLast reports whether there is none.
	Next   Cursor
	IsLast bool
}

// List lists the renewals for which all that the filter sets is true, in the order in which they were submitted first.
// A page may have fewer than Limit, or none, though more follow: go on until IsLast.
func (b *Book) List(ctx context.Context, f Filter) (Page, error) {
	q := Query{Kind: kindRenewal, Before: f.Before, After: f.After, Limit: limitOf(f.Limit)}
	switch {
	case f.OrderID != "":
		q.Key = key("order", f.OrderID)
	case f.NeedsPerson:
		q.Key = keyNeedsPerson
	case f.State != none && f.State != purged:
		q.State = string(f.State)
	default:
		return Page{}, fmt.Errorf("lifecycle: list: one of NeedsPerson, OrderID and State is required")
	}
	docs, err := b.store.List(ctx, q)
	if err != nil {
		return Page{}, err
	}
	page := Page{Next: f.After, IsLast: len(docs) < q.Limit}
	for _, doc := range docs {
		page.Next = Cursor{doc.At, doc.ID}
		r, err := recordOf(doc)
		if err != nil {
			return Page{}, err
		}
		if (f.State == none || r.State == f.State) && (!f.NeedsPerson || r.needsPerson(b.config)) && r.State != purged {
			page.Renewals = append(page.Renewals, r.Renewal)
		}
	}
	return page, nil
}

func limitOf(n int) int {
	if n <= 0 {
		return 100
	}
	return min(n, 1000)
}

// A Stray is a stored event that belongs to nothing known.
type Stray struct {
	Key   string // names it
	At    time.Time
	Event events.Event
	// IsRenewal reports whether it waits for a renewal; otherwise it is one that OnOther would have got, or one that
	// names two renewals at once.
	IsRenewal bool
}

// Strays lists events that belong to nothing known: those that wait for their renewal, and those that are not about
// renewals where [OnOther] is not set. limit is as in [Filter]. next is after of the next page; it is zero after the
// last.
func (b *Book) Strays(ctx context.Context, after Cursor, limit int) (list []Stray, next Cursor, err error) {
	q := Query{Kind: kindStray, Key: keyNeedsPerson, After: after, Limit: limitOf(limit)}
	docs, err := b.store.List(ctx, q)
	if err != nil {
		return nil, next, err
	}
	for _, doc := range docs {
		s, err := decode[stray](doc)
		if err != nil {
			return nil, next, err
		}
		e, err := events.Parse(s.Payload)
		if err != nil {
			return nil, next, fmt.Errorf("lifecycle: the stray event %s cannot be read: %w", s.Key, err)
		}
		list = append(list, Stray{s.Key, s.At, e, doc.State == strayWaiting})
		next = Cursor{doc.At, doc.ID}
	}
	if len(docs) < q.Limit {
		next = Cursor{}
	}
	return list, next, nil
}

// DropStray removes a stray that a person has dealt with. A repeat of the event is kept again. The error matches
// [ErrNotFound] where there is none.
func (b *Book) DropStray(ctx context.Context, key string) error {
	return b.atomically(ctx, func(ctx context.Context, tx Tx) error {
		doc, err := tx.Get(ctx, kindStray, docID(key))
		if err != nil {
			return err
		}
		if doc == nil {
			return fmt.Errorf("%w: stray %q", ErrNotFound, key)
		}
		return tx.Delete(ctx, doc)
	})
}

// Lines returns the ledger lines of a renewal, by your id of it, in the order in which they were recorded: none where
// the journal does not have it.
func (b *Book) Lines(ctx context.Context, id string) ([]Line, error) {
	if id == "" { // it would be no query
		return nil, nil
	}
	var lines []Line
	for l, err := range every[Line](ctx, b.store, Query{Kind: kindLine, Key: key("renewal", id)}) {
		if err != nil {
			return nil, err
		}
		lines = append(lines, *l)
	}
	return lines, nil
}

// every reads what is in all documents that a query lists, page by page. An error is the last.
func every[T any](ctx context.Context, s Store, q Query) iter.Seq2[*T, error] {
	return func(yield func(*T, error) bool) {
		q := q
		q.Limit = 1000
		for {
			docs, err := s.List(ctx, q)
			if err != nil {
				yield(nil, err)
				return
			}
			for _, doc := range docs {
				v, err := decode[T](doc)
				if !yield(v, err) || err != nil {
					return
				}
				q.After = Cursor{doc.At, doc.ID}
			}
			if len(docs) < q.Limit {
				return
			}
		}
	}
}
