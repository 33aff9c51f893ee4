package lifecycle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/contain"
)

// batchLines is how many lines a batch has at most.
const batchLines = 500

// A bill is a settlement bill.
type bill struct {
	BillNo string
	Until  time.Time
	Next   int // the number of the next batch
}

// A Batch is a part of a bill, as it goes out to Fliggy.
type Batch struct {
	BatchNo, BillNo string
	State           BatchState
	Lines           []string // their ids
	Total           fliggy.Yuan
	Note            string // why it was refused
}

// BatchState is where a batch is.
type BatchState string

// The states of a batch.
const (
	BatchSending   BatchState = "sending"   // until Fliggy has answered
	BatchConfirmed BatchState = "confirmed" // its lines are billed
	BatchRefused   BatchState = "refused"   // at the first attempt: nothing of it is booked
	BatchDoubtful  BatchState = "doubtful"  // refused at a later attempt: an earlier one may have booked it
	BatchDropped   BatchState = "dropped"   // a person has said that it is not booked: its lines are open again
)

// A BillSummary is what a bill holds.
type BillSummary struct {
	BillNo  string
	Until   time.Time
	Batches []Batch
	Lines   int
	Total   fliggy.Yuan // income less refunds
}

// putLine stores a line, or changes one that waits or is void. One that has opened never changes again but by its bill.
func (b *Book) putLine(ctx context.Context, tx Tx, l *Line) error {
	doc, err := tx.Get(ctx, kindLine, docID(l.ID))
	if err != nil || doc != nil && doc.State != string(LineWaiting) && doc.State != string(LineVoid) {
		return err
	}
	if doc == nil {
		doc = &Doc{Kind: kindLine, ID: docID(l.ID)}
	}
	return b.storeLine(ctx, tx, doc, l)
}

func (b *Book) storeLine(ctx context.Context, tx Tx, doc *Doc, l *Line) error {
	doc.State, doc.At, doc.Due = string(l.State), l.At, time.Time{}
	doc.Keys = []string{key("renewal", l.RenewalID)}
	if l.State == LineOpen {
		doc.Due = l.At.Add(b.config.patience.LineOpen)
	}
	return put(ctx, tx, doc, l)
}

// Bill makes the batches of a settlement bill from every line that was opened before until and is on no bill yet, and
// hands them to Run, which sends each until Fliggy has answered. Each line is in one batch, whatever fails on the way.
// The same bill again goes on where it was, and returns what it holds; the error matches [ErrConflict] where its until
// is another. A line that opens later is one of the next bill. until must not be in the future.
func (b *Book) Bill(ctx context.Context, billNo string, until time.Time) (BillSummary, error) {
	until = until.UTC().Truncate(time.Millisecond)
	var ps fliggy.Problems
	if !isName(billNo) || len(billNo) > 64 {
		ps.Add("billNo", "is required: printable ASCII without spaces, 64 bytes at most")
	}
	if until.IsZero() {
		ps.Add("until", "is required: the end of the period")
	}
	if err := ps.Err("lifecycle: bill"); err != nil {
		return BillSummary{}, err
	}
	if err := b.beginBill(ctx, billNo, until); err != nil {
		return BillSummary{}, err
	}
	for {
		q := Query{Kind: kindLine, State: string(LineOpen), Before: until, Limit: batchLines}
		docs, err := b.store.List(ctx, q)
		if err != nil {
			return BillSummary{}, err
		}
		if len(docs) == 0 {
			b.nudge()
			return b.summary(ctx, billNo, until)
		}
		err = b.atomically(ctx, func(ctx context.Context, tx Tx) error { return b.cut(ctx, tx, billNo, docs) })
		if err != nil {
			return BillSummary{}, err
		}
	}
}

func (b *Book) beginBill(ctx context.Context, billNo string, until time.Time) error {
	return b.atomically(ctx, func(ctx context.Context, tx Tx) error {
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		if until.After(now) {
			var ps fliggy.Problems
			ps.Add("until", "must not be in the future: a line that opens before it would be left out")
			return ps.Err("lifecycle: bill")
		}
		known, doc, err := get[bill](ctx, tx, kindBill, billNo)
		switch {
		case err != nil:
			return err
		case doc == nil:
			return put(ctx, tx, &Doc{Kind: kindBill, ID: billNo, State: "open", At: now}, bill{billNo, until, 1})
		case !known.Until.Equal(until):
			return fmt.Errorf("%w: bill %s has until %s", ErrConflict, billNo, known.Until.Format(time.RFC3339Nano))
		}
		return nil
	})
}

// cut makes the next batch of a bill from lines that are open still.
func (b *Book) cut(ctx context.Context, tx Tx, billNo string, docs []*Doc) error {
	now, err := tx.Now(ctx)
	if err != nil {
		return err
	}
	bill, billDoc, err := get[bill](ctx, tx, kindBill, billNo)
	if err == nil && billDoc == nil {
		err = ErrStale
	}
	if err != nil {
		return err
	}
	batch := Batch{BatchNo: fmt.Sprintf("%s-%d", billNo, bill.Next), BillNo: billNo, State: BatchSending}
	builder := rentcar.NewBill(billNo, batch.BatchNo)
	for _, listed := range docs {
		line, doc, err := get[Line](ctx, tx, kindLine, listed.ID)
		if err != nil {
			return err
		}
		if doc == nil || line.State != LineOpen {
			continue
		}
		if err := b.addLine(builder, line); err != nil {
			return fmt.Errorf("lifecycle: bill %s: line %s: %w", billNo, doc.ID, err)
		}
		line.State, line.BillNo, line.BatchNo = LineBatched, billNo, batch.BatchNo
		if err := b.storeLine(ctx, tx, doc, line); err != nil {
			return err
		}
		batch.Lines = append(batch.Lines, line.ID)
	}
	if len(batch.Lines) == 0 {
		return nil
	}
	built, err := builder.Build()
	if err != nil {
		return err
	}
	req, err := b.client.Bills.NewRequest(built)
	if err != nil {
		return err
	}
	batch.Total = built.TotalAmount
	bill.Next++
	err = put(ctx, tx, billDoc, bill)
	if err == nil {
		err = b.putBatch(ctx, tx, &Doc{At: now, Due: now.Add(b.config.patience.Unconfirmed)}, &batch)
	}
	if err == nil {
		err = b.add(ctx, batchItem+"/"+batch.BatchNo, outgoingBatch{batch.BatchNo, req})
	}
	return err
}

func (b *Book) putBatch(ctx context.Context, tx Tx, doc *Doc, batch *Batch) error {
	doc.Kind, doc.ID, doc.State = kindBatch, batch.BatchNo, string(batch.State)
	doc.Keys = []string{key("bill", batch.BillNo)}
	return put(ctx, tx, doc, batch)
}

// addLine adds a line of the ledger to a bill.
func (b *Book) addLine(builder *rentcar.BillBuilder, l *Line) error {
	line := rentcar.BillLine{
		OrderID: l.OrderID, OutOrderID: l.OutOrderID, BizType: l.BizType, OrderAmount: l.Amount, PayTradeNo: l.TradeNo,
		PayTime: fliggy.At(l.PayTime), PayType: l.PayType, CustomerPaidAmount: l.CustomerPaid,
	}
	if l.DeductTradeNo != "" {
		ext, err := json.Marshal(map[string]string{"deductPayTradeNo": l.DeductTradeNo})
		if err != nil {
			return err
		}
		line.Ext = string(ext)
	}
	if b.config.billLine != nil {
		own := *l
		err := contain.Call("the function of BillLine", func() error { return b.config.billLine(&own, &line) })
		if err != nil {
			return err
		}
	}
	if l.BizType.IsIncome() {
		builder.Income(line)
	} else {
		builder.Refund(line)
	}
	return nil
}

// summary adds up the batches of a bill.
func (b *Book) summary(ctx context.Context, billNo string, until time.Time) (BillSummary, error) {
	s := BillSummary{BillNo: billNo, Until: until, Total: fliggy.FenOf(0).Yuan()}
	for batch, err := range every[Batch](ctx, b.store, Query{Kind: kindBatch, Key: key("bill", billNo)}) {
		if err != nil {
			return s, err
		}
		s.Batches = append(s.Batches, *batch)
		if batch.State != BatchDropped {
			s.Lines += len(batch.Lines)
			s.Total = s.Total.Add(batch.Total)
		}
	}
	return s, nil
}

// batched stores that Fliggy has confirmed or refused a batch.
func (b *Book) batched(ctx context.Context, tx Tx, o *outgoingBatch, did attempt) error {
	batch, doc, err := getBatch(ctx, tx, o.BatchNo)
	if err != nil {
		return err
	}
	if did.refused == nil {
		batch.State, batch.Note = BatchConfirmed, ""
		return b.endBatch(ctx, tx, doc, batch, LineBilled)
	}
	batch.State, batch.Note = BatchRefused, reasonOf(did.refused)
	if did.n > 1 {
		batch.State = BatchDoubtful
	}
	return b.endBatch(ctx, tx, doc, batch, LineRefused)
}

func getBatch(ctx context.Context, tx Tx, no string) (*Batch, *Doc, error) {
	batch, doc, err := get[Batch](ctx, tx, kindBatch, docID(no))
	if err == nil && doc == nil {
		err = fmt.Errorf("%w: batch %q", ErrNotFound, no)
	}
	return batch, doc, err
}

// endBatch stores a batch in a new state, and its lines. doc is the one by which that was decided: read once more, it
// could be what another has decided meanwhile, and would be overwritten.
func (b *Book) endBatch(ctx context.Context, tx Tx, doc *Doc, batch *Batch, lines LineState) error {
	doc.Due = time.Time{}
	if batch.State == BatchRefused || batch.State == BatchDoubtful { // told at once
		now, err := tx.Now(ctx)
		if err != nil {
			return err
		}
		doc.Due = now
	}
	if err := b.putBatch(ctx, tx, doc, batch); err != nil {
		return err
	}
	for _, id := range batch.Lines {
		line, doc, err := get[Line](ctx, tx, kindLine, docID(id))
		if err == nil && doc == nil {
			err = errors.New("it is not in the journal")
		}
		if err != nil {
			return fmt.Errorf("lifecycle: batch %s: line %s: %w", batch.BatchNo, id, err)
		}
		line.State = lines
		if lines == LineOpen {
			line.BillNo, line.BatchNo = "", ""
		}
		if err := b.storeLine(ctx, tx, doc, line); err != nil {
			return err
		}
	}
	return nil
}

// A BatchDecision is what a person has found out about a batch that Fliggy has refused.
type BatchDecision struct {
	// Booked says that Fliggy has booked it: its lines are billed. Otherwise they are open again, and the next call of
	// Bill takes them into a batch with a new number.
	Booked bool
	// By says who has decided, Note why. Both are required.
	By, Note string
}

// ResolveBatch ends what only a person can end: a batch that was refused. The error matches [ErrFinal] in any other
// state.
func (b *Book) ResolveBatch(ctx context.Context, batchNo string, d BatchDecision) error {
	var ps fliggy.Problems
	checkPerson(&ps, d.By, d.Note)
	if err := ps.Err("lifecycle: resolve batch"); err != nil {
		return err
	}
	return b.atomically(ctx, func(ctx context.Context, tx Tx) error {
		batch, doc, err := getBatch(ctx, tx, batchNo)
		if err != nil {
			return err
		}
		if batch.State != BatchRefused && batch.State != BatchDoubtful {
			return fmt.Errorf("%w: batch %s is %s", ErrFinal, batchNo, batch.State)
		}
		batch.State, batch.Note = BatchDropped, d.By+": "+d.Note
		if d.Booked {
			batch.State = BatchConfirmed
			return b.endBatch(ctx, tx, doc, batch, LineBilled)
		}
		return b.endBatch(ctx, tx, doc, batch, LineOpen)
	})
}

// tellUnbilled tells of a batch without an answer, of one that was refused, and of a line that no bill has taken.
func (b *Book) tellUnbilled(ctx context.Context, doc *Doc) error {
	o := Overdue{Problem: ProblemLineOpen, Subject: doc.ID, Since: doc.At, At: doc.Due}
	if doc.Kind == kindLine {
		line, err := decode[Line](doc)
		if err != nil {
			return err
		}
		o.Subject = line.ID
	}
	switch BatchState(doc.State) {
	case BatchSending:
		o.Problem = ProblemUnconfirmed
	case BatchRefused, BatchDoubtful:
		o.Problem = ProblemBatchRefused
	}
	claim := func(due func(now time.Time) time.Time) (bool, error) {
		var claimed *Doc // the function may be called again: doc stays as it is until all is stored
		err := b.atomically(ctx, func(ctx context.Context, tx Tx) error {
			claimed = nil
			known, err := tx.Get(ctx, doc.Kind, doc.ID)
			if err != nil || known == nil || known.State != doc.State || !known.Due.Equal(doc.Due) {
				return err
			}
			now, err := tx.Now(ctx)
			if err != nil {
				return err
			}
			known.Due = due(now)
			if err := tx.Put(ctx, known); err != nil {
				return err
			}
			claimed = known
			return nil
		})
		if err != nil || claimed == nil {
			return false, err
		}
		doc = claimed
		return true, nil
	}
	claimed, err := claim(func(now time.Time) time.Time { return now.Add(b.config.lease()).Truncate(time.Millisecond) })
	if err != nil || !claimed {
		return err
	}
	if err := b.tell(ctx, o); err != nil {
		return err
	}
	_, err = claim(func(time.Time) time.Time { return time.Time{} })
	return err
}
