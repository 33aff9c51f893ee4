package lifecycle

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A Renewal is what the journal knows of a renewal.
type Renewal struct {
	// ID is the distributor's id of the renewal, RenewalOutOrderID of its Request.
	ID string
	// RenewalOrderID is Fliggy's id of it. It is empty until a reply or an event has named it.
	RenewalOrderID fliggy.ID
	// State is where the renewal is, Since when it got there by the clock of the store.
	State State
	Since time.Time
	// Problem says what a person has to look at; empty for nothing.
	Problem Problem
	// Request is the submit as it is sent.
	Request rentcar.RenewalSubmitRequest
	// PaidTime and PayType are when and how the customer paid.
	PaidTime time.Time
	PayType  fliggy.PayType
	// CancelFee is the fee of a cancellation that was made; MaxFee is the highest that the customer agreed to.
	CancelFee fliggy.Yuan
	MaxFee    fliggy.Yuan
	// Return is what goes back to the customer because the renewal was rejected or cancelled; nil for nothing yet.
	Return *Refund
	// Refunds are those that Fliggy has ordered, each under its trade number, and those of Book.CorrectFee, in the order
	// in which they came.
	Refunds []Refund
	// History has the transitions, oldest first; where there are more than 200, the first and the latest.
	History []HistoryEntry
	// Version counts the changes.
	Version int64
}

// A HistoryEntry is a step in the history of a renewal.
type HistoryEntry struct {
	At        time.Time
	Cause     Cause
	From, To  State
	By        string // the process, or the person
	RequestID string `json:",omitempty"` // of the call
	Attempts  int    `json:",omitempty"` // how often it was sent
	Event     string `json:",omitempty"` // the key of the event
	Note      string `json:",omitempty"`
	Times     int    `json:",omitempty"` // how often the same happened, where that is more than once
}

// A Refund is money that goes back to the customer: a fee that Fliggy has ordered to refund, or what remains of the
// payment after a rejection or a cancellation.
type Refund struct {
	// Key is what your payment provider tells repeats by: always the same for the same refund, and always with the same
	// amount. 64 bytes at most, of letters, digits and "_-|*@", so that WeChat Pay and Alipay take it as their number of
	// a refund.
	Key string
	// Kind is why it goes back.
	Kind RefundKind
	// RenewalID, OrderID and OutOrderID name the renewal, by your id, and its main order.
	RenewalID  string
	OrderID    fliggy.ID
	OutOrderID string
	// PaidTradeNo is the trade number of the payment from which it goes back.
	PaidTradeNo string
	// Amount is in yuan, whole fen.
	Amount fliggy.Yuan
	// PayTradeNo is the trade number of an ordered refund, by which Fliggy knows it; empty for a return.
	PayTradeNo string
	// DeductPayTradeNo is that of the deduction which is refunded, for types 3 and 4.
	DeductPayTradeNo string
	// Type and Reason are those of the order.
	Type   fliggy.RefundType
	Reason string

	// State is where the refund is, Since when it got there.
	State RefundState
	Since time.Time
	// Problem says what a person has to look at.
	Problem Problem
	// TradeNo is the payment provider's number of the refund, PaidTime when it was paid.
	TradeNo  string
	PaidTime time.Time
	// Attempts counts the calls of your function.
	Attempts int
	// Others are other contents that came under the same trade number, as JSON.
	Others []json.RawMessage `json:",omitempty"`
	// Note is that of a person.
	Note string `json:",omitempty"`

	// Event is the event that ordered it, from which the answer is made.
	Event json.RawMessage `json:",omitempty"`
	// Next is when the function is called again, or for the first time.
	Next time.Time
}

// RefundKind is why money goes back.
type RefundKind string

// The kinds of refunds.
const (
	RefundFee       RefundKind = "fee"       // Fliggy has ordered it by event 142
	RefundRejected  RefundKind = "rejected"  // the renewal was rejected
	RefundCancelled RefundKind = "cancelled" // the renewal was cancelled
	RefundCorrected RefundKind = "corrected" // the fee of its cancellation was lowered, see Book.CorrectFee
)

// isLimited reports whether the refund is taken from what the customer paid for the renewal. Those of deposit
// deductions are taken from the deduction, which is not in this journal.
func (r *Refund) isLimited() bool {
	return r.Type != fliggy.RefundVehicleDamage && r.Type != fliggy.RefundTrafficViolation
}

// canBePaid reports whether the amount is one that can be paid: more than nothing, in whole fen.
func (r *Refund) canBePaid() bool {
	_, err := r.Amount.Fen()
	return err == nil && r.Amount.IsPositive()
}

// isByHand reports whether a person has closed it: whether the customer has the money, only that person knows.
func (r *Refund) isByHand() bool { return r.State == RefundClosed && r.PaidTime.IsZero() }

// wasRefused reports whether it was refused after a call of the function, or closed by a person.
func (r *Refund) wasRefused() bool {
	switch r.State {
	case RefundHeld, RefundAnswering, RefundAnswered, RefundAnswerRefused, RefundClosed:
		return r.PaidTime.IsZero()
	}
	return false
}

// isPromised reports whether its amount is paid, or may be.
func (r *Refund) isPromised() bool {
	switch r.State {
	case RefundOrdered, RefundPaying:
		return true
	case RefundAnswering, RefundAnswered, RefundAnswerRefused, RefundClosed:
		return !r.PaidTime.IsZero()
	}
	return false
}

// A record is a renewal with what only the book needs.
type record struct {
	Renewal
	Digest string // of the content that ID stands for
	// Lease is until when the process that makes a call has the renewal; Sent is when that call was made.
	Lease, Sent time.Time
	// Look is when Run asks the platform next, Looks how often it has. AskSince is since when it asks whether the renewal
	// lives, because of a 104 or a late 103; zero where it does not.
	Look     time.Time
	Looks    int
	AskSince time.Time
	// Back is where a renewal returns to whose cancellation was not carried out.
	Back State
	// Accepted and Refused say that an event 103 or 104 about this renewal has come; ByReply that the submit was
	// rejected by its reply, so that nothing exists at Fliggy.
	Accepted, Refused, ByReply bool
	// Corrections counts those of the fee.
	Corrections int `json:",omitempty"`
	// Opened says that the line of the payment is open, so that Fliggy has been or will be billed.
	Opened bool
	// BesideOpen says that it was submitted while another one of the order was open.
	BesideOpen bool
	// Seen are the keys of the events that have been applied.
	Seen []string
	// Told are the overdue matters that OnOverdue was told of. Until Telling, a process tells of another.
	Told    []string
	Telling time.Time
}

// paid is what the customer paid.
func (r *record) paid() fliggy.Yuan { return r.Request.Payment }

// left is what may still go back: the payment less what has gone back or was promised.
func (r *record) left() fliggy.Yuan {
	left := r.paid()
	for _, f := range r.all() {
		if f.isLimited() && f.isPromised() {
			left = left.Sub(f.Amount)
		}
	}
	return left
}

// byHand is what a person may have paid back of the payment by hand.
func (r *record) byHand() fliggy.Yuan {
	sum := fliggy.FenOf(0).Yuan()
	for _, f := range r.all() {
		if f.isLimited() && f.isByHand() && f.canBePaid() {
			sum = sum.Add(f.Amount)
		}
	}
	return sum
}

// refund returns the refund that Fliggy ordered under a trade number, or nil.
func (r *record) refund(tradeNo string) *Refund {
	for _, f := range r.all() {
		if f.Kind == RefundFee && f.PayTradeNo == tradeNo {
			return f
		}
	}
	return nil
}

// keyed returns the refund with a key for the payment provider, or nil.
func (r *record) keyed(key string) *Refund {
	for _, f := range r.all() {
		if f.Key == key {
			return f
		}
	}
	return nil
}

// all are the return, where there is one, and the refunds.
func (r *record) all() []*Refund {
	var list []*Refund
	if r.Return != nil {
		list = append(list, r.Return)
	}
	for i := range r.Refunds {
		list = append(list, &r.Refunds[i])
	}
	return list
}

// mayExist reports whether Fliggy may have a renewal of this record.
func (r *record) mayExist() bool { return r.State != NotSent && !r.ByReply }

// isNameless reports whether Fliggy may have a renewal of this record whose id is not known.
func (r *record) isNameless() bool { return r.RenewalOrderID == "" && r.mayExist() }

// clone returns a copy that shares nothing that a step changes.
func (r *record) clone() *record {
	c := *r
	c.Seen, c.Told = slices.Clone(r.Seen), slices.Clone(r.Told)
	c.Renewal = r.Renewal.clone()
	return &c
}

func (r *Renewal) clone() Renewal {
	c := *r
	c.Refunds, c.History = slices.Clone(r.Refunds), slices.Clone(r.History)
	if r.Return != nil {
		back := *r.Return
		c.Return = &back
	}
	return c
}

// maxHistory is how many entries are kept.
const maxHistory = 200

// note adds an entry to the history. One that repeats the last is counted there.
func (r *record) note(e HistoryEntry) {
	if n := len(r.History); n > 0 && e.From == e.To {
		last := &r.History[n-1]
		if last.Cause == e.Cause && last.From == e.From && last.To == e.To && last.Event == "" && e.Event == "" {
			last.At, last.Note, last.Times = e.At, e.Note, max(last.Times, 1)+1
			return
		}
	}
	if len(r.History) >= maxHistory {
		r.History = slices.Delete(r.History, maxHistory/2, maxHistory/2+1)
	}
	r.History = append(r.History, e)
}

// A Line is a line of the ledger: a movement of money of a renewal, booked on its main order.
type Line struct {
	ID        string
	Kind      LineKind
	State     LineState
	RenewalID string
	// OrderID and OutOrderID are those of the main order.
	OrderID    fliggy.ID
	OutOrderID string
	// BizType and Amount are what the bill says; the amount is positive, or zero for a line that no bill has.
	BizType fliggy.BillBizType
	Amount  fliggy.Yuan
	// Cash is what moved between customer and distributor: positive for what the customer paid.
	Cash fliggy.Yuan
	// TradeNo is the number of the movement, PayTime when the money moved.
	TradeNo string
	PayTime time.Time
	PayType fliggy.PayType
	// ProviderNo is the payment provider's number of a refund that Fliggy has ordered: its TradeNo is that of the order.
	ProviderNo string `json:",omitempty"`
	// CustomerPaid is user_real_pay_amount of the bill.
	CustomerPaid fliggy.Yuan
	// DeductTradeNo is that of the deduction that a refund of type 3 or 4 is taken from.
	DeductTradeNo string
	// At is when the line was opened; before that, when it was recorded.
	At time.Time
	// BillNo and BatchNo say where it was billed.
	BillNo, BatchNo string
}

// LineKind is what a line is for.
type LineKind string

// The kinds of lines.
const (
	LinePaid     LineKind = "paid"     // the customer paid
	LineReturned LineKind = "returned" // what remained went back
	LineFee      LineKind = "fee"      // the fee of a cancellation
	LineRefund   LineKind = "refund"   // a refund that Fliggy ordered

	LineCorrection LineKind = "correction" // what a person took off the fee
)

// LineState is where a line is.
type LineState string

// The states of a line.
const (
	LineWaiting LineState = "waiting" // it opens when the renewal is accepted or cancelled
	LineOpen    LineState = "open"    // the next bill takes it
	LineBatched LineState = "batched" // it is in a batch that is not confirmed yet
	LineBilled  LineState = "billed"  // Fliggy has confirmed the batch
	LineRefused LineState = "refused" // Fliggy has refused the batch: see Book.ResolveBatch
	LineVoid    LineState = "void"    // no bill has it
)

// String tells id and state. The rest is in the fields.
func (r Renewal) String() string { return fmt.Sprintf("Renewal(%s, %s)", r.ID, r.State) }

// decode reads the data of a document.
func decode[T any](d *Doc) (*T, error) {
	v := new(T)
	if err := json.Unmarshal(d.Data, v); err != nil {
		return nil, fmt.Errorf("lifecycle: %s %s of the journal cannot be read: %w", d.Kind, d.ID, err)
	}
	return v, nil
}

// order returns the event by which a refund was ordered.
func (r *Refund) order() (*events.RenewalFeeRefund, error) {
	e, err := events.Parse(r.Event)
	order, ok := e.(*events.RenewalFeeRefund)
	if err == nil && !ok {
		err = errors.New("it is no event 142")
	}
	if err != nil {
		return nil, fmt.Errorf("lifecycle: the order of refund %s cannot be read: %w", r.Key, err)
	}
	return order, nil
}
