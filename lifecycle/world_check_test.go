package lifecycle_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/lifecycle"
	"github.com/fliggy-go/rentcar/qimen"
)

var states = []lifecycle.State{
	lifecycle.Submitting, lifecycle.NotSent, lifecycle.Unknown, lifecycle.Placed, lifecycle.Accepted, lifecycle.Rejected,
	lifecycle.Cancelling, lifecycle.CancelUnknown, lifecycle.Cancelled, lifecycle.Disputed,
}

// check compares the journal with Fliggy and with the payment provider.
func (w *world) check() {
	book := w.processes[0].book
	w.checkEvents()
	at := map[string]fliggytest.Renewal{}
	for _, g := range w.gw.Renewals() {
		if isOther(g.RenewalOutOrderID) {
			continue
		}
		if _, double := at[g.RenewalOutOrderID]; double {
			w.breaks("I1", "%s is there twice", g.RenewalOutOrderID)
		}
		at[g.RenewalOutOrderID] = g
	}
	open := map[fliggy.ID]string{}
	for _, state := range states {
		for f := (lifecycle.Filter{State: state, Limit: 1000}); ; {
			page, err := book.List(context.Background(), f)
			if err != nil {
				w.tb.Fatal(err)
			}
			for _, r := range page.Renewals {
				g, ok := at[r.ID]
				delete(at, r.ID)
				w.checkRenewal(&r, g, ok)
				w.checkMoney(&r, g, ok)
				if r.State == lifecycle.Unknown || r.State == lifecycle.Submitting {
					if other := open[r.Request.OrderID]; other != "" {
						w.breaks("I16", "%s and %s of one order are open", other, r.ID)
					}
					open[r.Request.OrderID] = r.ID
				}
			}
			if f.After = page.Next; page.IsLast {
				break
			}
		}
	}
	for id := range at {
		w.breaks("I2", "%s is at Fliggy and not in the journal", id)
	}
	w.checkBills()
}

// checkRenewal compares the states.
func (w *world) checkRenewal(r *lifecycle.Renewal, g fliggytest.Renewal, ok bool) {
	listed := w.isListed(r.ID)
	final := false
	switch r.State {
	case lifecycle.Accepted:
		final = ok && g.State == fliggytest.RenewalAccepted
	case lifecycle.Rejected:
		final = !ok || g.State == fliggytest.RenewalRejected
	case lifecycle.Cancelled:
		final = ok && g.State == fliggytest.RenewalCancelled
	case lifecycle.Placed: // a 104 that several renewals of the order may be about is a stray
		final = ok && w.isTold(r) && listed && (g.State == fliggytest.RenewalSubmitted ||
			g.State == fliggytest.RenewalRejected && r.RenewalOrderID == "" && w.isStray(g.RenewalOrderID))
	case lifecycle.NotSent:
		final = !ok
	case lifecycle.Unknown, lifecycle.CancelUnknown, lifecycle.Disputed:
		final = listed
	}
	if !final {
		w.breaks("I3", "%s is %s (%s), and %v %s at Fliggy: %s", r.ID, r.State, r.Problem, ok, g.State, story(r))
	}
	if needs := r.State == lifecycle.Unknown || r.State == lifecycle.CancelUnknown || r.State == lifecycle.Disputed ||
		r.State == lifecycle.NotSent; needs && (!listed || !w.isTold(r)) {
		w.breaks("I12", "%s is %s; listed: %v, told: %v", r.ID, r.State, listed, w.isTold(r))
	}
	row, err := w.store.Get(context.Background(), "user", r.ID)
	if err != nil || row == nil || row.State != strings.ReplaceAll(string(r.State), " ", "-") {
		w.breaks("I14", "%s is %s, and %v for the user", r.ID, r.State, row)
	}
	w.checkHistory(r)
}

// proofs are the causes that may end a renewal.
var proofs = []lifecycle.Cause{
	lifecycle.CauseRefused, lifecycle.CauseProbeRejected, lifecycle.Cause104, lifecycle.CauseCancelled,
	lifecycle.CauseCancelRefused, lifecycle.CauseCancel, lifecycle.CauseDecided,
}

// checkHistory replays the history through the table: each entry begins where the one before has ended, and is one of a
// row. What ended the renewal is evidence.
func (w *world) checkHistory(r *lifecycle.Renewal) {
	rows, state := lifecycle.Rows(), lifecycle.State("")
	for _, e := range r.History {
		isRow := slices.ContainsFunc(rows, func(row lifecycle.Row) bool {
			return slices.Contains(row.From, string(e.From)) && slices.Contains(row.Causes, string(e.Cause)) &&
				slices.Contains(row.To, string(e.To))
		})
		if e.From != state || e.To != e.From && !isRow {
			w.breaks("I13", "%s: after %q, no row has %s: %s → %s", r.ID, state, e.Cause, e.From, e.To)
		}
		state = e.To
		isEnd := e.To == lifecycle.Rejected || e.To == lifecycle.Cancelled
		if isEnd && e.From != e.To && (!slices.Contains(proofs, e.Cause) || e.Cause == lifecycle.Cause104 && e.Event == "") {
			w.breaks("I4", "%s is %s because of %q", r.ID, e.To, e.Cause)
		}
	}
	if state != r.State {
		w.breaks("I13", "%s is %s, and its history ends in %s", r.ID, r.State, state)
	}
}

// checkEvents checks that each event that was acknowledged has been applied, or is listed as a stray that fits no
// renewal, and that none changes anything when it comes again.
func (w *world) checkEvents() {
	known := map[string]bool{}
	ids := map[fliggy.ID]string{}
	renewals := func(visit func(*lifecycle.Doc)) {
		for _, kind := range []string{"renewal", "stray"} {
			for _, state := range append(texts(states), "waiting", "other") {
				q := lifecycle.Query{Kind: kind, State: state, Limit: 100_000}
				docs, err := w.store.List(context.Background(), q)
				if err != nil {
					w.tb.Fatal(err)
				}
				for _, doc := range docs {
					visit(doc)
				}
			}
		}
	}
	before := map[string]string{}
	renewals(func(doc *lifecycle.Doc) {
		before[doc.Kind+doc.ID] = fmt.Sprint(doc.Version, string(doc.Data))
		var v struct {
			ID             string
			RenewalOrderID fliggy.ID
			Seen           []string
			Key            string
		}
		if err := json.Unmarshal(doc.Data, &v); err != nil {
			w.tb.Fatal(err)
		}
		known[v.Key] = true
		for _, key := range v.Seen {
			known[key] = true
		}
		ids[v.RenewalOrderID] = v.ID
	})
	for _, d := range w.acknowledged {
		if !known[d.Key+"+"+d.Digest] {
			w.breaks("I5", "%s was acknowledged, and is nowhere", d.Key)
		}
		h, ok := w.processes[0].handler.(*qimen.Handler)
		if !ok {
			w.tb.Fatalf("%T", w.processes[0].handler)
		}
		if _, err := h.Work(context.Background(), d); err != nil {
			w.breaks("I5", "%s again: %v", d.Key, err)
		}
	}
	renewals(func(doc *lifecycle.Doc) {
		if after := fmt.Sprint(doc.Version, string(doc.Data)); after != before[doc.Kind+doc.ID] {
			w.breaks("I5", "repeats of events change %s %s:\n%s\n%s", doc.Kind, doc.ID, before[doc.Kind+doc.ID], after)
		}
	})
	list, _, err := w.processes[0].book.Strays(context.Background(), lifecycle.Cursor{}, 1000)
	if err != nil {
		w.tb.Fatal(err)
	}
	for _, s := range list {
		if e, ok := s.Event.(*events.RenewalRejected); ok && s.IsRenewal && ids[e.RenewalOrderID] != "" {
			w.breaks("I5", "a 104 of %s is a stray, and is about %s", e.RenewalOrderID, ids[e.RenewalOrderID])
		}
		if e, ok := s.Event.(*events.RenewalAccepted); ok && s.IsRenewal && ids[e.RenewalOrderID] != "" {
			w.breaks("I5", "a 103 of %s is a stray, and is about %s", e.RenewalOrderID, ids[e.RenewalOrderID])
		}
	}
}

func texts[S ~string](list []S) (out []string) {
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}

// isTold reports whether OnOverdue was told of what a person has to look at now.
func (w *world) isTold(r *lifecycle.Renewal) bool {
	problem := map[lifecycle.State]lifecycle.Problem{
		lifecycle.NotSent: lifecycle.ProblemNotSent, lifecycle.Unknown: lifecycle.ProblemUnknown,
		lifecycle.CancelUnknown: lifecycle.ProblemUnknown, lifecycle.Placed: lifecycle.ProblemNoDecision,
		lifecycle.Disputed: r.Problem,
	}[r.State]
	return w.told[r.ID+"/"+string(problem)]
}

// isStray reports whether an event that names a renewal of Fliggy is listed as a stray.
func (w *world) isStray(id fliggy.ID) bool {
	list, _, err := w.processes[0].book.Strays(context.Background(), lifecycle.Cursor{}, 1000)
	if err != nil {
		w.tb.Fatal(err)
	}
	return slices.ContainsFunc(list, func(s lifecycle.Stray) bool {
		e, ok := s.Event.(*events.RenewalRejected)
		return ok && e.RenewalOrderID == id
	})
}

func story(r *lifecycle.Renewal) string {
	var b strings.Builder
	for _, e := range r.History {
		fmt.Fprintf(&b, "\n  %s %s: %s → %s %s", e.At.Format("02 15:04:05"), e.Cause, e.From, e.To, e.Note)
	}
	return b.String()
}

func (w *world) isListed(id string) bool {
	for f := (lifecycle.Filter{NeedsPerson: true, Limit: 1000}); ; {
		page, err := w.processes[0].book.List(context.Background(), f)
		if err != nil {
			w.tb.Fatal(err)
		}
		if slices.ContainsFunc(page.Renewals, func(r lifecycle.Renewal) bool { return r.ID == id }) {
			return true
		}
		if f.After = page.Next; page.IsLast {
			return false
		}
	}
}

// checkMoney compares what went back with what had to.
func (w *world) checkMoney(r *lifecycle.Renewal, g fliggytest.Renewal, ok bool) {
	zero := fliggy.FenOf(0).Yuan()
	out, returned, refunded := zero, zero, zero
	for key, amount := range w.wallet {
		if strings.HasPrefix(key, r.ID+"@") {
			out = out.Add(amount)
			if strings.HasSuffix(key, "@return") {
				returned = amount
			} else {
				refunded = refunded.Add(amount)
			}
		}
	}
	if r.Request.Payment.Sub(out).IsNegative() {
		w.breaks("I8", "%s: %s of %s went back", r.ID, out, r.Request.Payment)
	}
	switch due := r.Request.Payment; {
	case ok && (g.State == fliggytest.RenewalAccepted || g.State == fliggytest.RenewalSubmitted) && returned.IsPositive():
		w.breaks("I9", "%s is %s at Fliggy and %s went back: %s", r.ID, g.State, returned, story(r))
	case r.State == lifecycle.Rejected && !returned.Equal(due.Sub(refunded)),
		r.State == lifecycle.Cancelled && r.Return != nil && r.Return.State == lifecycle.RefundClosed &&
			due.Sub(kept(r)).Sub(returned).IsNegative():
		w.breaks("I9", "%s is %s: %s of %s went back, fee %s: %s", r.ID, r.State, returned, due, r.CancelFee, story(r))
	}
	for i := range r.Refunds {
		w.checkAnswer(r, &r.Refunds[i])
	}
}

// kept is what a return after a cancellation leaves: the fee of then, and the refunds of before.
func kept(r *lifecycle.Renewal) fliggy.Yuan {
	sum := r.CancelFee
	i := slices.IndexFunc(r.History, func(e lifecycle.HistoryEntry) bool { return e.To == lifecycle.Cancelled })
	for _, f := range r.Refunds {
		wasBefore := !f.PaidTime.IsZero() && f.PaidTime.Before(r.History[i].At)
		if f.Kind == lifecycle.RefundCorrected || wasBefore {
			sum = sum.Add(f.Amount)
		}
	}
	return sum
}

// checkAnswer checks that Fliggy has one answer to an order of a refund, and the right one.
func (w *world) checkAnswer(r *lifecycle.Renewal, f *lifecycle.Refund) {
	_, paid := w.wallet[f.Key]
	texts := map[string]bool{}
	for _, c := range w.gw.Callbacks() {
		if c.Message.Data.PayTradeNo == f.PayTradeNo {
			text, err := c.Message.MarshalJSON()
			if err != nil {
				w.tb.Fatal(err)
			}
			texts[string(text)] = true
			if (c.Message.EventType == 270) != paid {
				w.breaks("I7", "%s of %s was answered %d; paid: %v", f.PayTradeNo, r.ID, c.Message.EventType, paid)
			}
		}
	}
	if len(texts) > 1 {
		w.breaks("I7", "%s of %s was answered in %d ways", f.PayTradeNo, r.ID, len(texts))
	}
	if f.State == lifecycle.RefundAnswered && len(texts) != 1 {
		w.breaks("I7", "%s of %s is answered, and Fliggy has no answer", f.PayTradeNo, r.ID)
	}
	if f.State == lifecycle.RefundWaiting && r.State != lifecycle.Unknown && r.State != lifecycle.CancelUnknown &&
		r.State != lifecycle.Placed {
		w.breaks("I12", "%s of %s waits, and the renewal is %s", f.PayTradeNo, r.ID, r.State)
	}
}

// checkBills checks that each line that can be billed is in one batch, and that repeats of a batch are equal.
func (w *world) checkBills() {
	batchOf := map[string]string{}
	first := map[string]rentcar.Bill{}
	sum, billed := fliggy.FenOf(0).Yuan(), fliggy.FenOf(0).Yuan()
	for _, b := range w.gw.Bills() {
		if known, ok := first[b.Message.BatchNo]; ok {
			if fmt.Sprint(known) != fmt.Sprint(b.Message) {
				w.breaks("I10", "two batches are named %s", b.Message.BatchNo)
			}
			continue
		}
		first[b.Message.BatchNo] = b.Message
		billed = billed.Add(b.Message.TotalAmount)
		for _, l := range b.Message.Lines {
			name := fmt.Sprint(l.PayTradeNo, "/", int(l.BizType))
			if other := batchOf[name]; other != "" {
				w.breaks("I10", "%s is in %s and %s", name, other, b.Message.BatchNo)
			}
			batchOf[name] = b.Message.BatchNo
		}
	}
	for _, state := range []lifecycle.LineState{
		lifecycle.LineOpen, lifecycle.LineBatched, lifecycle.LineBilled, lifecycle.LineRefused,
	} {
		docs, err := w.store.List(context.Background(), lifecycle.Query{Kind: "line", State: string(state), Limit: 100_000})
		if err != nil {
			w.tb.Fatal(err)
		}
		if state != lifecycle.LineBilled && len(docs) > 0 {
			w.breaks("I10", "%d lines are %s", len(docs), state)
		}
	}
	for _, id := range slices.Sorted(maps.Keys(w.ids())) {
		lines, err := w.processes[0].book.Lines(context.Background(), id)
		if err != nil {
			w.tb.Fatal(err)
		}
		r, err := w.processes[0].book.Get(context.Background(), id)
		if err != nil {
			w.tb.Fatal(err)
		}
		own := fliggy.FenOf(0).Yuan()
		billOf := map[lifecycle.LineKind]string{}
		for _, l := range lines {
			billOf[l.Kind] = l.BillNo
			if l.State != lifecycle.LineBilled {
				continue
			}
			if r.State == lifecycle.Rejected {
				w.breaks("I11", "%s was rejected, and %s is billed", id, l.ID)
			}
			if l.BizType.IsIncome() {
				own = own.Add(l.Amount)
			} else {
				own = own.Sub(l.Amount)
			}
		}
		if fee, ok := billOf[lifecycle.LineFee]; ok && fee != billOf[lifecycle.LineReturned] {
			w.breaks("I11", "the fee of %s is on bill %q, and what it is taken from on %q",
				id, fee, billOf[lifecycle.LineReturned])
		}
		if r.State == lifecycle.Cancelled && r.Return.State == lifecycle.RefundClosed && r.Request.Payment.IsPositive() {
			w.checkSum(&r, own)
		}
		sum = sum.Add(own)
	}
	if !sum.Equal(billed) {
		w.breaks("I10", "the batches sum up to %s, the lines to %s", billed, sum)
	}
}

// checkSum checks that the bill of a cancelled renewal sums up to what the distributor has kept of the payment.
func (w *world) checkSum(r *lifecycle.Renewal, billed fliggy.Yuan) {
	kept := r.Request.Payment
	for key, amount := range w.wallet {
		if strings.HasPrefix(key, r.ID+"@") {
			kept = kept.Sub(amount)
		}
	}
	if !kept.Equal(billed) {
		w.breaks("I10", "%s is billed with %s, and the distributor keeps %s", r.ID, billed, kept)
	}
}

func (w *world) ids() map[string]bool {
	list := map[string]bool{}
	for _, state := range states {
		page, err := w.processes[0].book.List(context.Background(), lifecycle.Filter{State: state, Limit: 1000})
		if err != nil {
			w.tb.Fatal(err)
		}
		for _, r := range page.Renewals {
			list[r.ID] = true
		}
	}
	return list
}
