package lifecycle

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
)

// A SubmitRequest is a renewal to submit, with what its bill lines need: of the embedded request OrderID, OutOrderID,
// TotalFee, Payment, CarUseTime and CarReturnTime, and PayTradeNo if Payment is more than 0, are required too.
// RenewalOutOrderID is your id of the renewal, printable ASCII without spaces and slashes, 64 bytes at most, and none
// of the main order's ids. Where it is empty one is made; but then no repeat of the request is known as one, so choose
// it yourself.
type SubmitRequest struct {
	rentcar.RenewalSubmitRequest
	// PaidTime is when the customer paid. Required if Payment is more than 0. A repeat has the same, to the millisecond.
	PaidTime time.Time
	// PayType is how the customer paid (支付方式). Optional.
	PayType fliggy.PayType
	// BesideOpen submits although another renewal of the order is open, if that was sent 30 minutes ago or earlier. It is
	// for a person who knows that the other one does not exist. Events that name only the main order prove nothing then.
	BesideOpen bool
}

func (r *SubmitRequest) check() error {
	var ps fliggy.Problems
	need := func(name string, missing bool, rule string) {
		if missing {
			ps.Add(name, "%s", rule)
		}
	}
	var invalid *fliggy.ValidationError
	if err := r.Validate(); errors.As(err, &invalid) {
		ps = append(ps, invalid.Problems...)
	}
	const billed = "is required: without it no line of a bill can be written"
	need("out_order_id", isBlank(r.OutOrderID), billed)
	need("car_use_time", r.CarUseTime.IsZero(), billed)
	need("car_return_time", r.CarReturnTime.IsZero(), billed)
	for _, m := range []struct {
		name   string
		amount fliggy.Yuan
	}{{"total_fee", r.TotalFee}, {"payment", r.Payment}} {
		_, err := m.amount.Fen()
		need(m.name, !m.amount.IsSet(), "is required, 0 too: without it nobody knows what may go back")
		need(m.name, m.amount.IsSet() && err != nil, "must be a whole number of fen")
	}
	need("pay_trade_no", (r.Payment.IsPositive() || r.PayTradeNo != "") && isBlank(r.PayTradeNo), billed)
	need("PaidTime", r.Payment.IsPositive() && r.PaidTime.IsZero(), billed)
	_, err := fliggy.At(r.PaidTime).MarshalText()
	need("PaidTime", err != nil, "must be in the years 1 to 9999: no bill could say it")
	id := strings.TrimSpace(r.RenewalOutOrderID)
	need("renewal_out_order_id", id != "" && (id == r.OutOrderID || id == string(r.OrderID)),
		"must differ from the ids of the main order")
	need("renewal_out_order_id",
		id != r.RenewalOutOrderID || id != "" && (!isName(id) || len(id) > 64 || strings.Contains(id, "/")),
		"must be printable ASCII without spaces and slashes, 64 bytes at most")
	return ps.Err("lifecycle: submit")
}

// digest is that of what makes two requests the same: all but TraceID and BesideOpen.
func (r *SubmitRequest) digest() (string, error) {
	same := *r
	same.TraceID, same.BesideOpen = "", false
	same.PaidTime = same.PaidTime.UTC().Truncate(time.Millisecond)
	data, err := json.Marshal(same)
	return digestOf(data), err
}

// Submit submits a renewal: it is in the journal before anything leaves, and what became of it is there before Submit
// returns. The error says what the customer can be told:
//
//	nil                        placed; 103 or 104 follows, see OnChange
//	rentcar.ErrOutcomeUnknown  it may be carried out: Run finds out
//	*OpenError                 another renewal of the order is open; nothing was sent
//	ErrConflict                the id or the payment is that of another renewal; nothing was sent
//	*fliggy.ValidationError    nothing was sent, nothing is in the journal
//	any other                  see State: Rejected (by flow control too), and the payment goes back, or NotSent
//
// The same request with the same id again is sent again only if it is NotSent. Otherwise it returns what is known: the
// error matches rentcar.ErrOutcomeUnknown while that is not settled, ErrFinal where the renewal is Rejected or
// Cancelled, and ErrNotSettled where it is Disputed. The renewal is returned with the error where the journal has it.
//
// Submit and Cancel refuse the context of a transaction, such as those of OnOther, OnChange and sqlstore.WithTx: what
// leaves before the commit would not be in the journal if that fails.
//
// The call ends with ctx, at the latest after the time of [WithCallTimeout]. Its outcome is unknown then, and is stored
// all the same. So give it a context that does not end when the customer closes the page, by context.WithoutCancel.
func (b *Book) Submit(ctx context.Context, req *SubmitRequest) (Renewal, error) {
	if req == nil {
		return Renewal{}, errors.New("lifecycle: submit: the request is nil")
	}
	own := *req
	if err := own.check(); err != nil {
		return Renewal{}, err
	}
	if err := b.outside(ctx, "submit"); err != nil {
		return Renewal{}, err
	}
	if own.RenewalOutOrderID == "" {
		own.RenewalOutOrderID = "R" + rand.Text()
	}
	began := time.Now()
	r, isNew, err := b.begin(ctx, &own)
	if err != nil {
		return r, err
	}
	if !isNew {
		return r, known(r)
	}
	calling, cancel := context.WithDeadline(ctx, began.Add(b.config.callTimeout))
	defer cancel()
	res, callErr := b.client.Renewals.Submit(calling, &r.Request)
	return b.submitted(ctx, r, res, callErr)
}

// outside refuses a call of the platform with the context of a transaction of the store: what leaves within it is in
// the journal only if it is committed afterwards.
func (b *Book) outside(ctx context.Context, what string) error {
	s, ok := b.store.(interface{ InTransaction(context.Context) bool })
	if !ok || !s.InTransaction(ctx) {
		return nil
	}
	return fmt.Errorf("lifecycle: %s: the context carries a transaction of the store, which may be undone after the "+
		"request has left: call it after the commit, with another context", what)
}

// known says of a renewal that was submitted before what Submit would have said.
func known(r Renewal) error {
	var err error
	switch r.State {
	case Submitting, Unknown:
		err = rentcar.ErrOutcomeUnknown
	case Rejected, Cancelled, purged:
		err = ErrFinal
	case Disputed:
		err = ErrNotSettled
	default:
		return nil
	}
	return fmt.Errorf("lifecycle: submit %s again: %w: it is %s", r.ID, err, r.State)
}

// begin stores the intention. isNew reports whether the caller has to send it.
func (b *Book) begin(ctx context.Context, req *SubmitRequest) (r Renewal, isNew bool, err error) {
	id := req.RenewalOutOrderID
	digest, err := req.digest()
	if err != nil {
		return r, false, fmt.Errorf("lifecycle: submit: %w", err)
	}
	var sent *turn
	err = b.atomically(ctx, func(ctx context.Context, tx Tx) error {
		r, sent = Renewal{}, nil
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		doc, err := tx.Get(ctx, kindRenewal, docID(id))
		if err != nil {
			return err
		}
		known := &record{Digest: digest}
		if doc != nil {
			if known, err = recordOf(doc); err != nil {
				return err
			}
			if r = known.Renewal; known.Digest != digest {
				return fmt.Errorf("%w: renewal %s %s, or choose another id", ErrConflict, id, req.difference(known))
			}
			if known.State != NotSent {
				return nil
			}
		} else {
			doc = &Doc{Kind: kindRenewal, ID: docID(id), At: now}
			known.Renewal = Renewal{
				ID: id, Request: req.RenewalSubmitRequest, PaidTime: req.PaidTime, PayType: req.PayType,
			}
		}
		isBeside, err := b.checkOpen(ctx, tx, known, req.BesideOpen, now)
		if err != nil {
			return err
		}
		known.BesideOpen = known.BesideOpen || isBeside
		sent = known.turn(now, b.config)
		sent.step(input{cause: CauseSubmit})
		return b.save(ctx, tx, doc, known, sent)
	})
	if err != nil || sent == nil {
		return r, false, err
	}
	return sent.Renewal, true, nil
}

// difference says in what a request differs from the one that the journal has, and what to do.
func (r *SubmitRequest) difference(known *record) string {
	if known.State == purged {
		return "was submitted with other content, and purged: do not submit it again"
	}
	var names []string
	now, then := reflect.ValueOf(r.RenewalSubmitRequest), reflect.ValueOf(known.Request)
	for i := range now.NumField() {
		a, errA := json.Marshal(now.Field(i).Interface())
		b, errB := json.Marshal(then.Field(i).Interface())
		name := now.Type().Field(i).Name
		if name != "TraceID" && (string(a) != string(b) || errA != nil || errB != nil) {
			names = append(names, name)
		}
	}
	if !r.PaidTime.Truncate(time.Millisecond).Equal(known.PaidTime.Truncate(time.Millisecond)) {
		names = append(names, "PaidTime")
	}
	if r.PayType != known.PayType {
		names = append(names, "PayType")
	}
	return "was submitted with another " + strings.Join(names, ", ") + ": repeat that request"
}

// checkOpen refuses a submit while another of the order is open, and a payment that is another's. isBeside reports
// whether one is open, beside which it may be submitted.
func (b *Book) checkOpen(
	ctx context.Context, tx Tx, r *record, beside bool, now time.Time,
) (isBeside bool, err error) {
	open, err := tx.Find(ctx, kindRenewal, key("open", r.Request.OrderID))
	if err != nil {
		return false, err
	}
	for _, doc := range open {
		other, err := recordOf(doc)
		if err != nil {
			return false, err
		}
		if !beside || now.Sub(other.Sent) < fence {
			return false, &OpenError{r.Request.OrderID, other.ID}
		}
		// Of two that are submitted beside it at once, the other has to look again: no key of theirs is unique.
		if err := tx.Put(ctx, doc); err != nil {
			return false, err
		}
		isBeside = true
	}
	return isBeside, b.checkPayment(ctx, tx, r)
}

// checkPayment refuses a payment that is another renewal's.
func (b *Book) checkPayment(ctx context.Context, tx Tx, r *record) error {
	if r.Request.PayTradeNo == "" {
		return nil
	}
	paid, err := tx.Find(ctx, kindRenewal, key("trade", r.Request.PayTradeNo))
	for _, doc := range paid {
		if doc.ID != docID(r.ID) {
			return fmt.Errorf("%w: pay_trade_no %q is the payment of renewal %s", ErrConflict, r.Request.PayTradeNo, doc.ID)
		}
	}
	return err
}

// submitted stores what became of a submit.
func (b *Book) submitted(
	ctx context.Context, r Renewal, res *rentcar.RenewalSubmitResult, callErr error,
) (Renewal, error) {
	in := input{cause: CauseLost, note: reasonOf(callErr)}
	switch rentcar.OutcomeOf(callErr) {
	case rentcar.OutcomeRejected:
		in.cause = CauseRefused
	case rentcar.OutcomeNotSent:
		in.cause = CauseNotSent
	}
	if callErr == nil {
		in = input{cause: CausePlaced, id: res.RenewalOrderID, requestID: res.RequestID, attempts: res.Attempts}
	}
	return b.replied(ctx, "submit", r, in, callErr)
}

// replied stores what became of a call.
func (b *Book) replied(ctx context.Context, call string, r Renewal, in input, callErr error) (Renewal, error) {
	ctx, cancel := storing(ctx)
	defer cancel()
	after, err := b.update(ctx, r.ID, in)
	if err != nil { // whatever the reply was, the journal does not have it: Run finds out
		return r, fmt.Errorf("lifecycle: %s %s: %w: the reply could not be stored: %w",
			call, r.ID, rentcar.ErrOutcomeUnknown, errors.Join(err, callErr))
	}
	return after, callErr
}

// storing is a context for storing what became of a call, also when that of the caller is over.
func storing(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(ctx), 30*time.Second)
}
