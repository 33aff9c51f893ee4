package lifecycle

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/durable"
)

// What goes out to Fliggy waits in a queue of the store, from the transaction that decided it until Fliggy has
// confirmed or refused it. Its bytes are the same at each attempt.

// The kinds of items.
const (
	answerItem = "answer"
	batchItem  = "batch"
)

// An outgoing answer to an order of a refund: 270 or 271.
type outgoingAnswer struct {
	RenewalID, PayTradeNo string
	Request               *rentcar.CallbackRequest
}

// An outgoing batch of a bill.
type outgoingBatch struct {
	BatchNo string
	Request *rentcar.BillNotifyRequest
}

// prepare makes the answers of a turn. A refund whose answer cannot be made is one that a person looks at; what was
// paid stands.
func (b *Book) prepare(t *turn) []outgoingAnswer {
	var list []outgoingAnswer
	for _, tradeNo := range t.answers {
		f := t.refund(tradeNo)
		e, err := f.order()
		if err == nil {
			cb := e.FailureCallback()
			if !f.PaidTime.IsZero() {
				cb = e.SuccessCallback()
			}
			cb.Data.RenewalOrderID = cmp.Or(cb.Data.RenewalOrderID, t.RenewalOrderID)
			cb.Data.RenewalOutOrderID = cmp.Or(cb.Data.RenewalOutOrderID, t.ID)
			cb.ChannelID = cmp.Or(cb.ChannelID, t.Request.ChannelID)
			var req *rentcar.CallbackRequest
			if req, err = b.client.Callbacks.NewRequest(cb); err == nil {
				list = append(list, outgoingAnswer{t.ID, tradeNo, req})
			}
		}
		if err != nil {
			f.State, f.Problem, f.Note = RefundAnswerRefused, ProblemAnswerRefused, "the answer cannot be made"
		}
	}
	return list
}

// add stores an item for the outbox.
func (b *Book) add(ctx context.Context, id string, value any) error {
	data, err := json.Marshal(value)
	if err == nil {
		_, err = b.outbox.Add(ctx, id, "", data)
	}
	return err
}

// send makes one attempt to send an item, and stores what became of it in the transaction that ends the item.
func (b *Book) send(ctx context.Context, item *durable.Item) error {
	ctx = context.WithValue(ctx, doKey{}, true)
	switch kind, _, _ := strings.Cut(item.ID, "/"); kind {
	case answerItem:
		return sendItem(ctx, b, item, func(ctx context.Context, a *outgoingAnswer) error {
			_, err := b.client.Callbacks.SendRequest(ctx, a.Request)
			return err
		}, b.answered)
	case batchItem:
		return sendItem(ctx, b, item, func(ctx context.Context, o *outgoingBatch) error {
			_, err := b.client.Bills.NotifyAll(ctx, o.Request)
			return err
		}, b.batched)
	}
	return fmt.Errorf("lifecycle: %s is of a kind that this version does not know", item.ID)
}

// An attempt is what became of an item: confirmed, or refused at the nth attempt.
type attempt struct {
	refused error
	n       int
}

func sendItem[T any](
	ctx context.Context, b *Book, item *durable.Item, send func(context.Context, *T) error,
	done func(context.Context, Tx, *T, attempt) error,
) error {
	v := new(T)
	if err := json.Unmarshal(item.Data, v); err != nil {
		return durable.Permanent(fmt.Errorf("lifecycle: %s cannot be read: %w", item.ID, err))
	}
	did, isSent := b.sent.Load(item.ID)
	if !isSent {
		err := send(ctx, v)
		if err != nil && !rentcar.IsFinal(err) {
			return errors.New("lifecycle: " + item.ID + ": not confirmed: " + reasonOf(err))
		}
		did = attempt{err, item.Attempt}
		b.sent.Store(item.ID, did)
	}
	return b.atomically(ctx, func(ctx context.Context, tx Tx) error { return done(ctx, tx, v, did.(attempt)) })
}

// answered stores that Fliggy has confirmed or refused an answer.
func (b *Book) answered(ctx context.Context, tx Tx, a *outgoingAnswer, did attempt) error {
	cause := refundConfirmed
	if did.refused != nil {
		cause = refundNoAnswer
	}
	_, err := b.change(ctx, tx, a.RenewalID, func(t *turn) error {
		if f := t.refund(a.PayTradeNo); f != nil && t.refundStep(f, cause) {
			t.noteRefund(f, cause, b.config.process)
			if did.refused != nil {
				f.Note = fmt.Sprintf("attempt %d: %s", did.n, reasonOf(did.refused))
			}
		}
		return nil
	})
	return err
}
