package lifecycle

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/contain"
)

// poll is how often Run looks for what is due, when nothing tells it.
var poll = time.Second

// Run works until ctx ends, and returns its cause once what was begun is over, up to about the time of
// [WithCallTimeout] later: it applies the events that came, settles what is unknown, calls the function of OnRefund,
// sends answers and bills, and tells OnOverdue. Any number of processes may run one journal. What a killed process was
// at is taken up by another after one and a half times [WithCallTimeout].
func (b *Book) Run(ctx context.Context) error {
	var group sync.WaitGroup
	group.Go(func() { _ = b.inbox.Run(ctx, b.handler.Load()) })
	group.Go(func() { _ = b.outbox.Run(ctx, b.send) })
	b.runDue(ctx)
	group.Wait()
	return context.Cause(ctx)
}

// runDue works on documents that are due.
func (b *Book) runDue(ctx context.Context) {
	turns := make(chan struct{}, b.config.workers)
	var workers sync.WaitGroup
	defer workers.Wait()
	began := context.WithoutCancel(ctx) // what was begun is not cut off
	for ctx.Err() == nil {
		var docs []*Doc
		err := contain.Call("the store", func() (err error) {
			docs, err = b.store.Due(ctx, 4*b.config.workers)
			return err
		})
		if err != nil && ctx.Err() == nil {
			b.config.logger.ErrorContext(ctx, "lifecycle: asking for what is due", "error", err)
		}
		worked := false
		for _, doc := range docs {
			name := doc.Kind + "/" + doc.ID
			if _, isBusy := b.busy.LoadOrStore(name, true); isBusy { // its work is not over
				continue
			}
			worked = true
			select {
			case turns <- struct{}{}:
			case <-ctx.Done():
			}
			if ctx.Err() != nil { // nothing more is begun
				b.busy.Delete(name)
				return
			}
			release := sync.OnceFunc(func() {
				b.busy.Delete(name)
				<-turns
			})
			// A function that does not come back holds up nothing else, and its document only as long as a dead process would.
			late := time.AfterFunc(b.config.callTimeout*5/4, func() {
				b.config.logger.ErrorContext(ctx, "lifecycle: a function does not come back", "kind", doc.Kind, "id", doc.ID)
				release()
				b.nudge()
			})
			workers.Go(func() {
				defer release()
				defer late.Stop()
				err := contain.Call("the work on "+doc.Kind+" "+doc.ID, func() error { return b.runDoc(began, doc) })
				b.postpone(began, doc, err)
			})
		}
		b.wait(ctx, worked)
	}
}

// postpone makes a document due later whose work has failed, so that it does not hold up others: after a second,
// doubling to ten minutes.
func (b *Book) postpone(ctx context.Context, doc *Doc, err error) {
	name := doc.Kind + "/" + doc.ID
	if err == nil {
		b.failures.Delete(name)
		return
	}
	count, _ := b.failures.LoadOrStore(name, new(atomic.Int64))
	pause := wait(int(count.(*atomic.Int64).Add(1)), time.Second, 10*time.Minute)
	b.config.logger.WarnContext(ctx, "lifecycle: tried again later",
		"kind", doc.Kind, "id", doc.ID, "in", pause, "error", err)
	ctx, cancel := storing(ctx)
	defer cancel()
	err = b.atomically(ctx, func(ctx context.Context, tx Tx) error {
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		known, err := tx.Get(ctx, doc.Kind, doc.ID)
		if err != nil || known == nil || known.Due.IsZero() || known.Due.After(now) {
			return err
		}
		known.Due = now.Add(pause)
		return tx.Put(ctx, known)
	})
	if err != nil {
		b.config.logger.ErrorContext(ctx, "lifecycle: postponing", "kind", doc.Kind, "id", doc.ID, "error", err)
	}
}

// wait waits for the time to look again. After work there may be more, but a document that fails must not be tried
// without a pause.
func (b *Book) wait(ctx context.Context, worked bool) {
	pause := poll
	if worked {
		pause = poll / 20
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-b.wake:
	case <-timer.C:
	}
}

// runDoc does what is due for a document.
func (b *Book) runDoc(ctx context.Context, doc *Doc) error {
	ctx, cancel := context.WithTimeout(ctx, b.config.lease())
	defer cancel()
	switch doc.Kind {
	case kindRenewal:
		return b.runRenewal(ctx, doc)
	case kindStray:
		return b.runStray(ctx, doc)
	case kindBatch, kindLine:
		return b.tellUnbilled(ctx, doc)
	}
	return fmt.Errorf("lifecycle: kind %q is none that this version works on", doc.Kind)
}

// A job is what was claimed for a renewal: one of its members.
type job struct {
	look   bool
	refund *Refund
	tell   *Overdue
}

// runRenewal claims one thing that is due for a renewal, and does it.
func (b *Book) runRenewal(ctx context.Context, doc *Doc) error {
	read, err := recordOf(doc)
	if err != nil {
		return err
	}
	var claimed job
	r, err := b.alter(ctx, read.ID, func(t *turn) error {
		claimed = t.claim()
		return nil
	})
	switch {
	case err != nil:
		return err
	case claimed.refund != nil:
		return b.payRefund(ctx, r, *claimed.refund)
	case claimed.look:
		return b.look(ctx, r)
	case claimed.tell != nil:
		return b.tellOf(ctx, r, *claimed.tell)
	}
	return nil
}

// claim chooses what is due, and takes the lease for it.
func (t *turn) claim() (j job) {
	isDue := func(at time.Time) bool { return !at.IsZero() && !at.After(t.now) }
	if isDue(t.Lease) { // its process is dead, or too slow: the outcome of its call is unknown
		cause := map[State]Cause{Submitting: CauseLost, Cancelling: CauseCancelLost}[t.State]
		t.step(input{cause: cause, note: "the process did not come back"})
		t.Lease = time.Time{}
		return j
	}
	for _, m := range t.overdue(t.config) { // before what may fail again, and once in a lease
		if !t.wasTold(&m) && isDue(m.At) && !t.Telling.After(t.now) {
			t.Telling, j.tell = t.now.Add(t.config.lease()), &m
			return j
		}
	}
	for _, f := range t.all() {
		if isDue(f.Next) && t.refundStep(f, refundCalled) {
			called := *f
			j.refund = &called
			return j
		}
	}
	if isDue(t.Look) {
		t.Look, j.look = t.now.Add(t.config.lease()), true
	}
	return j
}

// look asks what became of a renewal, and applies the answer.
func (b *Book) look(ctx context.Context, r *record) error {
	asking, cancel := context.WithTimeout(ctx, b.config.callTimeout)
	defer cancel()
	in := input{cause: CauseNothing}
	if r.State == Unknown {
		settled, err := b.client.Renewals.Settle(asking, &rentcar.SettleRequest{Submit: &r.Request, Probe: b.config.probe})
		switch {
		case err != nil:
			in.note = reasonOf(err)
		case settled.Verdict == rentcar.VerdictDone:
			in.cause = CauseFound
		case settled.Verdict == rentcar.VerdictRejected:
			in.cause = CauseProbeRejected
		default:
			in.note = reasonOf(settled.Err)
		}
	} else {
		in.cause, in.note = b.probeCancel(asking, r.Renewal)
	}
	_, err := b.update(ctx, r.ID, in)
	return err
}

// probeCancel asks whether a renewal can be cancelled: if so, it lives.
func (b *Book) probeCancel(ctx context.Context, r Renewal) (Cause, string) {
	if b.config.cancelProbe == nil {
		_, err := b.checkCancel(ctx, r)
		var refused *rentcar.BusinessError
		switch {
		case err == nil:
			return CauseAlive, ""
		case errors.As(err, &refused):
			return CauseNotCancellable, reasonOf(err)
		}
		return CauseNothing, reasonOf(err)
	}
	var verdict CancelVerdict
	err := contain.Call("the function of WithCancelProbe", func() (err error) {
		verdict, err = b.config.cancelProbe(ctx, r)
		return err
	})
	switch {
	case err != nil:
		return CauseNothing, reasonOf(err)
	case verdict == CancelVerdictCancellable:
		return CauseAlive, ""
	case verdict == CancelVerdictRefused:
		return CauseNotCancellable, ""
	}
	return CauseNothing, ""
}

// payRefund calls the user's function for a refund, and stores what it said.
func (b *Book) payRefund(ctx context.Context, r *record, f Refund) error {
	var result RefundResult
	paying, cancel := context.WithTimeout(ctx, b.config.callTimeout)
	defer cancel()
	callErr := contain.Call("the function of OnRefund", func() (err error) {
		result, err = b.config.onRefund(paying, f)
		return err
	})
	if callErr != nil || result.cause == "" {
		result = RefundResult{cause: refundPending}
	}
	ctx, stop := storing(ctx)
	defer stop()
	_, err := b.alter(ctx, r.ID, func(t *turn) error {
		t.refundResult(&f, result)
		return nil
	})
	b.nudge()
	return errors.Join(err, callErr)
}

// refundResult applies what the function said when it was called with a refund. Where it said nothing, and another call
// has begun meanwhile, nothing changes: the lease of that call would end.
func (t *turn) refundResult(called *Refund, result RefundResult) {
	f := t.keyed(called.Key)
	switch {
	case f == nil || result.cause == refundPending && f.Attempts != called.Attempts:
		return
	case result.cause == refundPaid && f.wasRefused(): // a person is told; nothing else can be done about it
		f.TradeNo, f.Problem = result.tradeNo, ProblemRefundChanged
		t.noteRefund(f, result.cause, t.config.process)
		return
	case f.State != RefundPaying:
		return
	}
	if result.cause == refundPaid {
		f.TradeNo, f.PaidTime = result.tradeNo, result.at.UTC()
		if isBlank(f.TradeNo) {
			f.TradeNo = ""
		}
		if text, err := fliggy.At(f.PaidTime).MarshalText(); err != nil || len(text) == 0 { // no bill could say it
			f.PaidTime = t.now
		}
	}
	f.Note = cmp.Or(result.note, f.Note)
	if t.refundStep(f, result.cause) && result.cause != refundPending {
		t.noteRefund(f, result.cause, t.config.process)
	}
}

// noteRefund adds the step of a refund to the history of its renewal.
func (t *turn) noteRefund(f *Refund, cause refundCause, by string) {
	t.note(HistoryEntry{At: t.now, Cause: CauseRefund, From: t.State, To: t.State, By: by,
		Note: fmt.Sprintf("%s: %s: %s, %s", f.Key, cause, f.State, f.Amount)})
}
