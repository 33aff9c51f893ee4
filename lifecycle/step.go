package lifecycle

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// An input is a cause with what it brings.
type input struct {
	cause       Cause
	id          fliggy.ID   // of Fliggy, where the cause names one
	elimination bool        // an event that names the main order only
	fee         fliggy.Yuan // of a cancellation
	maxFee      fliggy.Yuan // what the customer agreed to
	to          State       // what a person decided

	event     string // its key
	by        string
	note      string
	requestID string
	attempts  int
}

// A turn is a copy of a record that is being changed. What it collects is stored together with the record.
type turn struct {
	*record
	in      input // of the step that was made
	now     time.Time
	config  *config
	lines   []Line   // to be put, each in the state that it has now
	answers []string // keys of refunds whose answer goes out
}

func (r *record) turn(now time.Time, c *config) *turn {
	return &turn{record: r.clone(), now: now, config: c}
}

type condition struct {
	text  string
	holds func(*turn) bool
}

type action func(*turn)

// step applies an input. It does no I/O.
func (t *turn) step(in input) {
	t.in = in
	t.in.by = cmp.Or(in.by, t.config.process)
	if in.event != "" {
		if slices.Contains(t.Seen, in.event) {
			return
		}
		t.Seen = append(t.Seen, in.event)
	}
	if in.id != "" && t.RenewalOrderID != "" && in.id != t.RenewalOrderID {
		t.in.cause = CauseOtherID
		t.in.note = "Fliggy's ids " + string(t.RenewalOrderID) + " and " + string(in.id)
	}
	from, row := t.State, t.row()
	if row == nil {
		if in.event != "" {
			t.noteEntry(from)
		}
		return
	}
	to := cmp.Or(row.to, from)
	if row.back {
		to = t.Back
		if t.Accepted {
			to = Accepted
		}
	}
	for _, a := range row.do {
		a(t)
	}
	if to != from {
		t.enter(to)
	}
	if to != from || in.event != "" || len(row.do) > 0 && t.in.cause != CausePlaced && t.in.cause != Cause103 {
		t.noteEntry(from)
	}
}

// row finds the row of the table.
func (t *turn) row() *transition {
	for i := range transitions {
		row := &transitions[i]
		if slices.Contains(row.from, t.State) && slices.Contains(row.on, t.in.cause) &&
			(row.when.holds == nil || row.when.holds(t)) {
			return row
		}
	}
	return nil
}

// enter brings the renewal into a state.
func (t *turn) enter(to State) {
	t.State, t.Since, t.Looks = to, t.now, 0
	if to != Disputed {
		t.Problem = ""
	}
	if to != Submitting && to != Cancelling {
		t.Lease = time.Time{}
	}
	if to != Unknown && to != CancelUnknown && t.AskSince.IsZero() {
		t.Look = time.Time{}
	}
	if to == Cancelled {
		t.CancelFee = t.in.fee
	}
	for _, a := range entering[to] {
		a(t)
	}
}

func (t *turn) noteEntry(from State) {
	in := &t.in
	note := in.note
	if in.fee.IsSet() && note == "" {
		note = "fee " + in.fee.String()
	}
	t.note(HistoryEntry{
		At: t.now, Cause: in.cause, From: from, To: t.State, By: in.by, RequestID: in.requestID, Attempts: in.attempts,
		Event: in.event, Note: note,
	})
}

// The conditions.
var (
	// A request that can still arrive may become another renewal than that of the event.
	byEliminationEarly = condition{"named by the main order only, before the fence", func(t *turn) bool {
		return t.in.elimination && t.waitsForFence(t.now)
	}}
	beforeFence = condition{"before the fence", (*turn).isBeforeFence}
	after103    = condition{"a 103 has come", func(t *turn) bool { return t.Accepted }}
	after104    = condition{"a 104 has come", func(t *turn) bool { return t.Refused }}
	bothEvents  = condition{"103 and 104 have come", func(t *turn) bool { return t.Accepted && t.Refused }}
	isAsked     = condition{"asked", func(t *turn) bool { return !t.AskSince.IsZero() }}
	isAskedLong = condition{"asked for an hour", func(t *turn) bool {
		return !t.AskSince.IsZero() && t.now.Sub(t.AskSince) >= askFor
	}}
	feeFits = condition{"the fee fits", func(t *turn) bool {
		fee := t.in.fee
		over, err := fee.Cmp(t.MaxFee)
		return isFee(fee) && err == nil && over <= 0 && !t.left().Sub(fee).IsNegative() &&
			(!fee.IsPositive() || !t.Refused)
	}}
	hasFee      = condition{"at a fee", func(t *turn) bool { return t.CancelFee.IsPositive() }}
	toAccepted  = decided(Accepted)
	toRejected  = decided(Rejected)
	toCancelled = decided(Cancelled)
	toPlaced    = decided(Placed)
)

func decided(s State) condition {
	return condition{"for " + string(s), func(t *turn) bool { return t.in.to == s }}
}

func (t *turn) isBeforeFence() bool { return t.now.Sub(t.Sent) < fence }

// waitsForFence reports whether a 104 that names the main order only has to wait: it is kept as a stray so long.
func (r *record) waitsForFence(now time.Time) bool {
	return r.State == Submitting || now.Sub(r.Sent) < fence
}

const (
	// fence is how long after it was sent a request may still arrive: the gateway refuses timestamps that are more than
	// ten minutes off, and a clock may be wrong.
	fence = 30 * time.Minute
	// defaultCallTimeout is how long a call of the platform, or of a function of the user, may take.
	defaultCallTimeout = 2 * time.Minute
	// askFor is how long a check that fails is repeated before a 104 stands.
	askFor = time.Hour
	// The waits between looks double.
	minLook, maxLook = 30 * time.Second, 6 * time.Hour
	minCall, maxCall = 10 * time.Second, 15 * time.Minute
	// lookFor is how long Run asks what became of a submit; events count for ever.
	lookFor = 30 * 24 * time.Hour
)

// wait is the nth wait of those that double.
func wait(n int, least, most time.Duration) time.Duration {
	d := least
	for ; n > 1 && d < most; n-- {
		d *= 2
	}
	return min(d, most)
}

// The actions.

func lease(t *turn) { t.Lease, t.Sent = t.now.Add(t.config.lease()), t.now }

// learnID keeps Fliggy's id where the cause names it. The id in an event that belongs here by elimination only may be
// that of a renewal which was not made here: the platform must not be asked by it.
func learnID(t *turn) {
	if t.in.id != "" && !t.in.elimination {
		t.RenewalOrderID = t.in.id
	}
}

// nothingThere says that nothing is at Fliggy.
func nothingThere(t *turn) { t.ByReply = true }

// accepted keeps that a 103 has come.
func accepted(t *turn) { t.Accepted = t.Accepted || t.in.cause == Cause103 }

// refused keeps that a 104 has come.
func refused(t *turn) { t.Refused = t.Refused || t.in.cause == Cause104 }

func lookNow(t *turn) { t.Look = t.now }

func lookLater(t *turn) {
	t.Looks++
	t.Look = t.now.Add(wait(t.Looks, minLook, maxLook))
	if t.State == Unknown && t.now.Sub(t.Since) > lookFor {
		t.Look = time.Time{}
	}
}

// askFirst has the platform asked before money goes back.
func askFirst(t *turn) { t.AskSince, t.Look, t.Looks = t.now, t.now, 0 }

// asked ends what askFirst began.
func asked(t *turn) { t.AskSince, t.Look = time.Time{}, time.Time{} }

// settled forgets the events that a person has decided against.
func settled(t *turn) {
	asked(t)
	switch t.in.to {
	case Accepted:
		t.Accepted, t.Refused = true, false
	case Placed:
		t.Accepted, t.Refused = false, false
	}
}

// rememberBack keeps the state to go back to if the cancellation is not carried out.
func rememberBack(t *turn) { t.Back, t.MaxFee = t.State, t.in.maxFee }

func payWaiting(t *turn) { t.line(t.paidLine(LineWaiting)) }

func payOpen(t *turn) {
	if !t.Opened {
		t.Opened = true
		t.line(t.paidLine(openIf(t.Request.TotalFee)))
	}
}

// payVoid leaves a line alone that a bill may have taken: the line of the return stands beside it then.
func payVoid(t *turn) {
	switch {
	case t.config.billRejected:
		payOpen(t)
	case !t.Opened:
		t.line(t.paidLine(LineVoid))
	}
}

func releaseReturn(t *turn) {
	if t.Return != nil {
		t.refundStep(t.Return, refundDecided)
	}
}

func closeReturn(t *turn) {
	if f := t.Return; f != nil && f.Attempts == 0 && !f.isByHand() {
		t.Return = nil
	}
}

func decideRefunds(t *turn) {
	for i := range t.Refunds {
		t.refundStep(&t.Refunds[i], refundDecided)
	}
}

func holdMoney(t *turn) {
	asked(t)
	for _, f := range t.all() {
		t.refundStep(f, refundStopped)
	}
}

// orderReturn orders what remains of the payment to go back. A return for which the function may have been called
// stays.
func orderReturn(t *turn) {
	kind, amount := RefundRejected, t.left()
	if t.State == Cancelled {
		kind, amount = RefundCancelled, amount.Sub(t.CancelFee)
	}
	name, isByHand := "return", t.Return != nil && t.Return.isByHand()
	switch f := t.Return; {
	case f == nil:
	case f.isPromised() || isByHand && t.in.cause == CauseDecided || f.Attempts > 0 && f.Amount.Equal(amount):
		t.keepReturn(f, kind, amount)
		return
	case f.Attempts > 0: // it was refused: its key has that amount for ever
		name = fmt.Sprint("return@", t.now.UnixMilli())
	}
	f := t.newRefund(kind, name, amount)
	switch {
	case amount.IsNegative(): // a person has decided so: nothing can go back
		f.State, f.Problem = RefundHeld, ProblemRefundOverLimit
	case !amount.IsPositive():
		f.State, f.PaidTime, f.TradeNo = RefundClosed, t.now, t.ID+"-return"
	case isByHand || name != "return" || t.byHand().IsPositive(): // who has closed it knows what the customer has
		f.State, f.Problem = RefundHeld, ProblemRefundChanged
	case !t.AskSince.IsZero():
		f.State = RefundWaiting
	}
	t.Return = f
	if f.State == RefundClosed {
		t.returnLines(f.Amount)
	}
}

// newRefund is one that the journal orders itself.
func (t *turn) newRefund(kind RefundKind, name string, amount fliggy.Yuan) *Refund {
	return &Refund{
		Key: refundKey(t.ID, name), Kind: kind, RenewalID: t.ID, OrderID: t.Request.OrderID,
		OutOrderID: t.Request.OutOrderID, PaidTradeNo: t.Request.PayTradeNo, Amount: amount, Since: t.now,
		State: RefundOrdered, Next: t.now,
	}
}

// keepReturn leaves the amount of a return as it is: the function may have been called for it, or a person has closed
// it. rest is what would go back beside it now: unless that is nothing, a person is told.
func (t *turn) keepReturn(f *Refund, kind RefundKind, rest fliggy.Yuan) {
	f.Kind = kind
	due := f.Amount
	switch {
	case f.isByHand() && t.in.cause != CauseDecided:
		f.State, f.Since, f.Problem = RefundHeld, t.now, ProblemRefundChanged
	case f.isByHand() && !rest.Equal(due):
		f.Problem, due = ProblemRefundChanged, rest
	case f.isPromised() && !rest.Equal(fliggy.FenOf(0).Yuan()):
		f.Problem = ProblemRefundChanged
	}
	if f.State == RefundClosed {
		t.returnLines(due)
	}
}

// keyLetters are those that WeChat Pay takes in the number of a refund (out_refund_no).
const keyLetters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_-|*@"

// refundKey is the key of a refund for the payment provider: readable where it is short and of keyLetters.
func refundKey(id, what string) string {
	key := id + "@" + what
	if len(key) > 64 || strings.Contains(id, "@") || strings.Trim(key, keyLetters) != "" {
		return digestOf([]byte(id + " " + what)) // an id has no space
	}
	return key
}

// The conditions and actions of refunds.
type refundCondition struct {
	text  string
	holds func(*turn, *Refund) bool
}

type refundAction func(*turn, *Refund)

var (
	anyRefund     = refundCondition{}
	isReturn      = refundCondition{"a return", func(_ *turn, f *Refund) bool { return f.Kind != RefundFee }}
	noTradeNumber = refundCondition{"without a trade number", func(_ *turn, f *Refund) bool {
		return isBlank(f.PayTradeNo)
	}}
	noAmount = refundCondition{"without an amount in whole fen", func(_ *turn, f *Refund) bool {
		return !f.canBePaid()
	}}
	isChanged   = refundCondition{"changed", func(_ *turn, f *Refund) bool { return f.Problem == ProblemRefundChanged }}
	renewalOpen = refundCondition{"the renewal is not decided", func(t *turn, _ *Refund) bool {
		switch t.State {
		case Submitting, Unknown, Placed, Cancelling, CancelUnknown:
			return true
		}
		return false
	}}
	renewalDead = refundCondition{"the renewal was not sold, or is disputed", func(t *turn, f *Refund) bool {
		return f.Kind == RefundFee && t.State != Accepted && t.State != Cancelled
	}}
	overLimit = refundCondition{"more than is left of the payment", func(t *turn, f *Refund) bool {
		return f.isLimited() && t.left().Sub(t.byHand()).Sub(f.Amount).IsNegative()
	}}
)

func callNow(t *turn, f *Refund)   { f.Problem, f.Next = "", t.now }
func callLease(t *turn, f *Refund) { f.Attempts, f.Next = f.Attempts+1, t.now.Add(t.config.lease()) }
func callLater(t *turn, f *Refund) { f.Next = t.now.Add(wait(f.Attempts, minCall, maxCall)) }

// pay records the lines of what was paid.
func pay(t *turn, f *Refund) {
	if f.Kind == RefundFee {
		t.line(t.refundLine(f))
	} else {
		t.ownLines(f)
	}
}

// byHand records the lines of what a person has dealt with, where the renewal is decided.
func byHand(t *turn, f *Refund) {
	if f.Kind != RefundFee && (t.State == Rejected || t.State == Cancelled) {
		t.ownLines(f)
	}
}

// solve ends the problem of a refund: the next one is told of again.
func solve(t *turn, f *Refund) {
	told := Overdue{Problem: f.Problem, PayTradeNo: f.PayTradeNo, Since: f.Since}
	t.Told = slices.DeleteFunc(t.Told, func(id string) bool { return id == told.id() })
	f.Problem = ""
}

func answer(t *turn, f *Refund) { t.answers = append(t.answers, f.PayTradeNo) }

// refundStep applies a cause to a refund of the record, and reports whether a row has it.
func (t *turn) refundStep(f *Refund, cause refundCause) bool {
	for i := range refundTransitions {
		row := &refundTransitions[i]
		if row.on != cause || !slices.Contains(row.from, f.State) || row.when.holds != nil && !row.when.holds(t, f) {
			continue
		}
		if row.to != "" && row.to != f.State {
			f.State, f.Since = row.to, t.now
		}
		for _, a := range row.do {
			a(t, f)
		}
		return true
	}
	return false
}

// ordered applies an event 142 to the refunds: a new one, the same again, or another content under its trade number.
func (t *turn) ordered(e *events.RenewalFeeRefund) {
	known := t.refund(e.PayTradeNo)
	switch {
	case known == nil:
		t.Refunds = append(t.Refunds, Refund{
			Key: refundKey(t.ID, "refund@"+e.PayTradeNo), Kind: RefundFee, RenewalID: t.ID, OrderID: t.Request.OrderID,
			OutOrderID: t.Request.OutOrderID, PaidTradeNo: t.Request.PayTradeNo, Amount: e.Amount, Since: t.now,
			PayTradeNo: e.PayTradeNo, DeductPayTradeNo: e.DeductPayTradeNo, Type: e.RefundType, Reason: e.Reason,
			Event: payloadOf(e),
		})
		t.refundStep(&t.Refunds[len(t.Refunds)-1], refundAsked)
	case !known.Amount.Equal(e.Amount) || known.Type != e.RefundType || known.DeductPayTradeNo != e.DeductPayTradeNo:
		t.changedMind(known, e)
	}
}

// changedMind keeps another content of an order.
func (t *turn) changedMind(f *Refund, e *events.RenewalFeeRefund) {
	f.Others = append(f.Others, payloadOf(e))
	t.refundStep(f, refundChanged)
}

// payloadOf is the event as it arrived.
func payloadOf(e events.Event) json.RawMessage {
	data, err := json.Marshal(e)
	if err != nil {
		return e.Raw()
	}
	return data
}

// due is when Run has something to do for the record; zero for never.
func (r *record) due(c *config) time.Time {
	var due time.Time
	add := func(at time.Time) {
		if !at.IsZero() && (due.IsZero() || at.Before(due)) {
			due = at
		}
	}
	add(r.Lease)
	add(r.Look)
	for _, f := range r.all() {
		if f.State == RefundOrdered || f.State == RefundPaying {
			add(f.Next)
		}
	}
	for _, m := range r.overdue(c) {
		if !r.wasTold(&m) {
			add(maxTime(m.At, r.Telling))
		}
	}
	return due
}
