package lifecycle

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fliggy-go/rentcar/durable"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/internal/contain"
)

// An Overdue is something that should have happened by now, or that only a person can decide.
type Overdue struct {
	Problem Problem
	// Since is when it began, At when it became overdue.
	Since, At time.Time
	// Renewal is the renewal it is about, with its refunds; the zero Renewal for a stray, a batch or a line.
	Renewal Renewal
	// PayTradeNo names the refund of the renewal, where it is about one; empty for the return.
	PayTradeNo string
	// Event is the stray event.
	Event events.Event
	// Subject is the number of the batch, the id of the line, or that of the item of a queue, where it is about one.
	Subject string
	// Err is why the item fails.
	Err error
}

// id names the matter among those of a record.
func (o *Overdue) id() string {
	return fmt.Sprintf("%s/%s/%d", o.Problem, o.PayTradeNo, o.Since.UnixMilli())
}

// overdue lists what is, or will be overdue in the state in which the record is now.
func (r *record) overdue(c *config) []Overdue {
	var list []Overdue
	add := func(p Problem, since time.Time, patience time.Duration, tradeNo string) {
		list = append(list, Overdue{Problem: p, Since: since, At: since.Add(patience), PayTradeNo: tradeNo})
	}
	switch p := c.patience; r.State {
	case NotSent:
		add(ProblemNotSent, r.Since, p.NotSent, "")
	case Unknown:
		add(ProblemUnknown, r.Since, p.Unknown, "")
	case CancelUnknown:
		add(ProblemUnknown, r.Since, p.CancelUnknown, "")
	case Placed:
		early := max(0, min(p.Placed, r.Request.CarUseTime.Sub(r.Since)-p.BeforeUse))
		add(ProblemNoDecision, r.Since, early, "")
	case Disputed:
		add(r.Problem, r.Since, 0, "")
	}
	for _, f := range r.all() {
		switch f.State {
		case RefundHeld, RefundAnswerRefused:
			add(f.Problem, f.Since, 0, f.PayTradeNo)
			continue
		case RefundPaying:
			add(ProblemRefundFailing, f.Since, c.patience.Failing, f.PayTradeNo)
		case RefundAnswering:
			add(ProblemUnanswered, f.Since, c.patience.Unanswered, f.PayTradeNo)
		}
		if f.Problem == ProblemRefundChanged {
			add(f.Problem, f.Since, 0, f.PayTradeNo)
		}
	}
	return list
}

// needsPerson reports whether a person should look at the renewal: from its state, or because something is overdue.
func (r *record) needsPerson(c *config) bool {
	switch r.State {
	case NotSent, Unknown, CancelUnknown, Disputed:
		return true
	}
	telling := r.Telling.Add(-c.lease()) // when OnOverdue was last called, which may have failed
	return slices.ContainsFunc(r.overdue(c), func(o Overdue) bool {
		return o.At.Equal(o.Since) || r.wasTold(&o) || !o.At.After(telling)
	})
}

func (r *record) wasTold(o *Overdue) bool { return slices.Contains(r.Told, o.id()) }

// tell calls the function of OnOverdue.
func (b *Book) tell(ctx context.Context, o Overdue) error {
	if b.config.onOverdue == nil {
		return nil
	}
	return contain.Call("the function of OnOverdue", func() error { return b.config.onOverdue(ctx, o) })
}

// failingAttempts is after how many an event that fails is told of: after eight minutes or so.
const failingAttempts = 10

// tellFailing tells of an item that fails, once in this process; again after an error, at its next attempt. It tells
// each time that an item is set aside.
func (b *Book) tellFailing(ctx context.Context, o durable.Observation) {
	if _, isTold := b.failing.LoadOrStore(o.ID, true); isTold && !o.Parked {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, b.config.callTimeout)
	defer cancel()
	now := time.Now()
	told := make(chan error, 1)
	go func() {
		told <- b.tell(ctx, Overdue{Problem: ProblemItemFailing, Since: now, At: now, Subject: o.ID, Err: o.Err})
	}()
	late := time.NewTimer(b.config.callTimeout * 5 / 4)
	defer late.Stop()
	var err error
	select {
	case err = <-told:
	case <-late.C: // it is not called again, and holds up no other event
		b.config.logger.ErrorContext(ctx, "lifecycle: OnOverdue does not come back", "item", o.ID)
		return
	}
	if err != nil || o.Parked { // nothing more comes of what is set aside, unless it is released
		b.failing.Delete(o.ID)
	}
	if err != nil {
		b.config.logger.ErrorContext(ctx, "lifecycle: OnOverdue", "item", o.ID, "error", err)
	}
}

// tellOf tells of a matter of a renewal, and remembers that.
func (b *Book) tellOf(ctx context.Context, r *record, o Overdue) error {
	o.Renewal = r.Renewal.clone()
	if err := b.tell(ctx, o); err != nil {
		return err
	}
	_, err := b.alter(ctx, r.ID, func(t *turn) error {
		t.Telling = time.Time{}
		told := []string{o.id()}
		for _, m := range t.overdue(b.config) { // what is over is forgotten
			if t.wasTold(&m) && m.id() != o.id() {
				told = append(told, m.id())
			}
		}
		t.Told = told
		return nil
	})
	return err
}
