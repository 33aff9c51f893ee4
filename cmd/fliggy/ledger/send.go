package ledger

import (
	"context"
	"errors"
	"fmt"

	"github.com/fliggy-go/rentcar"
)

// An Outcome is what became of a batch in this run.
type Outcome struct {
	BatchNo   string `json:"batch"` // number of the bill and of the batch in it, such as ID20261201-00001
	Lines     int    `json:"lines"`
	State     State  `json:"state"`
	RequestID string `json:"request_id,omitempty"` // of the reply; empty where none came
	Skipped   bool   `json:"skipped,omitempty"`    // not sent: it was confirmed before, or is unknown
	Err       error  `json:"-"`                    // of Notify; nil for a batch that was confirmed or skipped
}

// A Sender sends the batches of a file. All of it is required but Resend.
type Sender struct {
	File    *File
	Run     Run
	Journal *Journal // of the same Run
	// Notify sends a batch, once. An error that does not match rentcar.ErrOutcomeUnknown means that Fliggy has not taken
	// it.
	Notify func(ctx context.Context, bill *rentcar.Bill) (*rentcar.BillNotifyResult, error)
	// Resend names batches of unknown outcome that are to be sent again: someone has made sure that Fliggy does not have
	// them.
	Resend map[string]bool
	// Done is called with the outcome of each batch, skipped ones too.
	Done func(Outcome)
}

// ErrChanged says that the file is not the one that was checked.
var ErrChanged = errors.New("the file has changed since it was checked: begin again")

// Send sends every batch that is not confirmed, one after another, in bounded memory. What is unknown is left out, and
// the next batch is sent. A refusal, or an outcome that becomes unknown, ends the run: what follows might fail alike.
//
// The error is ErrChanged, that of ctx between two batches, of the file, of a batch that is no valid bill, of the
// journal, or of Notify.
func (s *Sender) Send(ctx context.Context) error {
	if err := s.File.check(); err != nil {
		return err
	}
	var lines []rentcar.BillLine
	seen, batches := map[[16]byte]bool{}, 0
	flush := func() error {
		batches++
		err := s.batch(ctx, fmt.Sprintf("%s-%05d", s.Run.BillNo, batches), lines)
		lines = nil
		return err
	}
	isBroken := false
	err := s.File.Lines(func(Problem) { isBroken = true }, func(_ int, line *rentcar.BillLine) error {
		if isBroken || seen[movement(line)] {
			return ErrChanged
		}
		seen[movement(line)] = true
		if lines = append(lines, *line); len(lines) < s.Run.BatchSize {
			return nil
		}
		return flush()
	})
	if err == nil && isBroken {
		return ErrChanged
	}
	if err == nil && len(lines) > 0 {
		err = flush()
	}
	return err
}

// batch sends a batch, unless it was sent before. What is sent is in the journal before it leaves.
func (s *Sender) batch(ctx context.Context, batchNo string, lines []rentcar.BillLine) error {
	out := Outcome{BatchNo: batchNo, Lines: len(lines), State: s.Journal.Of(batchNo)}
	if out.State == Confirmed || out.State == Unknown && !s.Resend[batchNo] {
		out.Skipped = true
		s.Done(out)
		return nil
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	bill := &rentcar.Bill{BillNo: s.Run.BillNo, BatchNo: batchNo, Remark: s.Run.Remark, Lines: lines}
	total, err := bill.LineTotal()
	if err != nil {
		return err
	}
	bill.TotalAmount = total
	if err := bill.Validate(); err != nil {
		return err
	}
	if err := s.Journal.Note(batchNo, Sending, "", ""); err != nil {
		return err
	}
	result, err := s.Notify(ctx, bill)
	if result != nil {
		out.RequestID = result.RequestID
	}
	note := ""
	switch out.Err = err; {
	case err == nil:
		out.State = Confirmed
	case errors.Is(err, rentcar.ErrOutcomeUnknown):
		out.State, note = Unknown, err.Error()
	default: // refused, or not sent
		out.State, note = Refused, err.Error()
	}
	// If this fails the batch stays "sending": unknown, whatever it was.
	if err := s.Journal.Note(batchNo, out.State, out.RequestID, note); err != nil {
		return errors.Join(out.Err, fmt.Errorf("%w: batch %s was %s", err, batchNo, out.State))
	}
	s.Done(out)
	return out.Err
}
