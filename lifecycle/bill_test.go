package lifecycle_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/lifecycle"
)

// A bill has each line once, whoever asks for it and how often; a later one has what has opened since.
func TestBill(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		for i := range 3 {
			d.accepted(fmt.Sprint("R", i))
		}
		until := time.Now()
		d.accepted("late")
		for range 2 {
			bill, err := d.book.Bill(t.Context(), "B1", until)
			if err != nil || bill.Lines != 3 || len(bill.Batches) != 1 || bill.Total.String() != "300.00" {
				t.Fatal(err, bill)
			}
		}
		_, err := d.book.Bill(t.Context(), "B1", until.Add(time.Millisecond))
		wantIs(t, err, lifecycle.ErrConflict)
		if _, err := d.book.Bill(t.Context(), "B2", time.Now().Add(time.Second)); err == nil {
			t.Error("a bill of the future")
		}
		for no, at := range map[string]time.Time{"": until, "a b": until, "B3": {}} {
			if _, err := d.book.Bill(t.Context(), no, at); err == nil {
				t.Errorf("bill %q until %v", no, at)
			}
		}
		d.settle(time.Minute)
		bill, err := d.book.Bill(t.Context(), "B2", time.Now())
		if err != nil || bill.Lines != 1 {
			t.Fatal(err, bill)
		}
		d.settle(time.Minute)
		if n := len(d.gw.Bills()); n != 2 {
			t.Errorf("%d batches arrived", n)
		}
	})
}

// A batch that is refused waits for a person: booked, or cut anew.
func TestBatchRefused(t *testing.T) {
	for _, booked := range []bool{true, false} {
		t.Run(fmt.Sprint("booked ", booked), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				d.accepted("R1")
				d.settle(time.Second)
				d.gw.Fail(fliggytest.Failed(&rentcar.BusinessError{Code: "1", Message: "no"}).On(api.BillNotify.Method))
				until := time.Now()
				if _, err := d.book.Bill(t.Context(), "B1", until); err != nil {
					t.Fatal(err)
				}
				d.settle(time.Minute)
				if len(d.overdue) != 1 || d.overdue[0].Problem != lifecycle.ProblemBatchRefused || d.overdue[0].Subject != "B1-1" {
					t.Fatalf("%+v", d.overdue)
				}
				decision := lifecycle.BatchDecision{Booked: booked, By: "li", Note: "asked"}
				if err := d.book.ResolveBatch(t.Context(), "B1-1", lifecycle.BatchDecision{}); err == nil {
					t.Error("nobody has decided")
				}
				wantIs(t, d.book.ResolveBatch(t.Context(), "B1-2", decision), lifecycle.ErrNotFound)
				if err := d.book.ResolveBatch(t.Context(), "B1-1", decision); err != nil {
					t.Fatal(err)
				}
				wantIs(t, d.book.ResolveBatch(t.Context(), "B1-1", decision), lifecycle.ErrFinal)
				bill, err := d.book.Bill(t.Context(), "B1", until)
				if err != nil || bill.Lines != 1 || len(bill.Batches) != map[bool]int{true: 1, false: 2}[booked] {
					t.Fatal(err, bill)
				}
				d.settle(time.Minute)
				lines, err := d.book.Lines(t.Context(), "R1")
				if err != nil || len(lines) != 1 || lines[0].State != lifecycle.LineBilled {
					t.Fatal(err, lines)
				}
			})
		})
	}
}

// The ledger is compared with the book of a payment provider, to the fen.
func TestReconcile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		for _, id := range []string{"R1", "R2", "R3", "R4"} {
			d.submit(id)
		}
		file := "\ufeffnumber,yuan,when\nP-R1,100.00,2000-01-01 08:00:00\nP-R2,99.99,\nP-R3,-100,\nP-R1,100.0,\nX,5.00,\n"
		columns := lifecycle.Columns{TradeNo: "number", Amount: "yuan", Time: "when"}
		report, err := d.book.Reconcile(t.Context(), lifecycle.ReadEntries(strings.NewReader(file), columns))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, f := range report.Findings {
			ref := ""
			if f.Entry != nil {
				ref = f.Entry.Ref
			}
			got = append(got, fmt.Sprintf("%s %s %s", f.TradeNo, f.Kind, ref))
		}
		slices.Sort(got)
		want := []string{
			"P-R1 double line 5", "P-R2 amount differs line 3", "P-R3 direction differs line 4", "P-R4 missing there ",
			"X missing here line 6",
		}
		if !slices.Equal(got, want) || report.Matched != 1 || report.Entries != 5 {
			t.Errorf("%q\n%q, %d of %d", got, want, report.Matched, report.Entries)
		}
		for file, text := range map[string]string{
			"number,yuan\n,1.00\n":      "no trade number",
			"number,yuan\nA,1.001\n":    "fen",
			"number,yuan\nA,one\n":      "line 2",
			"number\nA\n":               `no column "yuan"`,
			"":                          "headings",
			"number,yuan\n\"A,1.00\n":   "line 2",
			"number,yuan\nA,1.00,x\n":   "line 2",
			"number,yuan,biz\nA,1,99\n": "10 to 14",
		} {
			columns := lifecycle.Columns{TradeNo: "number", Amount: "yuan"}
			if strings.Contains(file, "biz") {
				columns.BizType = "biz"
			}
			_, err := d.book.Reconcile(t.Context(), lifecycle.ReadEntries(strings.NewReader(file), columns))
			if err == nil || !strings.Contains(err.Error(), text) {
				t.Errorf("%q: %v, want %s", file, err, text)
			}
		}
	})
}

// An order that is over goes as a whole, and its ids stay.
func TestPurge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.accepted("R1")
		d.settle(time.Second)
		if n, err := d.book.Purge(t.Context(), time.Now()); n != 0 || err != nil {
			t.Fatal(n, err, "purged before it was billed")
		}
		if _, err := d.book.Bill(t.Context(), "B1", time.Now()); err != nil {
			t.Fatal(err)
		}
		d.settle(time.Minute)
		if n, err := d.book.Purge(t.Context(), time.Now()); n != 1 || err != nil {
			t.Fatal(n, err)
		}
		_, err := d.book.Get(t.Context(), "R1")
		wantIs(t, err, lifecycle.ErrNotFound)
		_, err = d.book.Submit(t.Context(), d.request("R1"))
		if err == nil || errors.Is(err, rentcar.ErrOutcomeUnknown) {
			t.Fatal("an id is used twice", err)
		}
		second := d.submit("R2")
		d.push(rejection(r, r.RenewalOrderID)) // of the purged one
		d.want("R2", lifecycle.Placed)
		_ = second
	})
}

// A renewal for which nothing was paid, and a payment provider without numbers, are on the bill as others are.
func TestBillWithoutTradeNumbers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		req := d.request("R1")
		req.Payment, req.PayTradeNo, req.PaidTime = fliggy.MustYuan("0"), "", time.Time{}
		free, err := d.book.Submit(t.Context(), req)
		if err != nil {
			t.Fatal(err)
		}
		d.gw.Accept(free.RenewalOrderID)
		d.accepted("R2")
		d.results = []lifecycle.RefundResult{lifecycle.RefundPaid("", time.Date(20_000, 1, 1, 0, 0, 0, 0, time.UTC))}
		fee, err := d.book.CancelFee(t.Context(), "R2")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := d.book.Cancel(t.Context(), "R2", lifecycle.CancelRequest{MaxFee: fee}); err != nil {
			t.Fatal(err)
		}
		d.settle(time.Minute)
		bill, err := d.book.Bill(t.Context(), "B1", time.Now())
		if err != nil || bill.Lines != 3 {
			t.Fatal(err, bill)
		}
		d.settle(time.Minute)
		var numbers []string
		for _, l := range d.gw.Bills()[0].Message.Lines {
			numbers = append(numbers, l.PayTradeNo)
		}
		slices.Sort(numbers)
		if want := []string{"P-R2", "R1-paid", "R2-return"}; !slices.Equal(numbers, want) {
			t.Errorf("%q, want %q", numbers, want)
		}
	})
}

// A store whose bills cannot be read says so, and is asked once.
func TestBillStoreFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.accepted("R1")
		d.settle(time.Second)
		store := &brokenStore{Store: d.store, err: errors.New("the disk is gone"), after: 1}
		book, err := lifecycle.Open(d.client, store, lifecycle.OnRefund(d.pay))
		if err != nil {
			t.Fatal(err)
		}
		_, err = book.Bill(t.Context(), "B1", time.Now())
		if wantIs(t, err, store.err); store.failed != 1 || errors.Is(err, lifecycle.ErrStale) {
			t.Errorf("%d times: %v", store.failed, err)
		}
	})
}

// A brokenStore cannot read bills in a transaction, after so many times.
type brokenStore struct {
	lifecycle.Store
	err           error
	after, failed int
}

type brokenTx struct {
	lifecycle.Tx
	store *brokenStore
}

func (s *brokenStore) Atomically(ctx context.Context, f func(context.Context, lifecycle.Tx) error) error {
	return s.Store.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error { return f(ctx, &brokenTx{tx, s}) })
}

func (tx *brokenTx) Get(ctx context.Context, kind, id string) (*lifecycle.Doc, error) {
	switch {
	case kind != "bill":
	case tx.store.after > 0:
		tx.store.after--
	default:
		tx.store.failed++
		return nil, tx.store.err
	}
	return tx.Tx.Get(ctx, kind, id)
}

// Of two decisions on a batch at the same moment one counts: both would bill its lines twice, or never.
func TestResolveBatchAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.accepted("R1")
		d.settle(time.Second)
		d.gw.Fail(fliggytest.Failed(&rentcar.BusinessError{Code: "1", Message: "no"}).On(api.BillNotify.Method))
		if _, err := d.book.Bill(t.Context(), "B1", time.Now()); err != nil {
			t.Fatal(err)
		}
		d.settle(time.Minute)
		book, store := d.hooked()
		open := lifecycle.BatchDecision{By: "li", Note: "it is not there"}
		dropped := sync.OnceFunc(func() {
			if err := d.book.ResolveBatch(t.Context(), "B1-1", open); err != nil {
				t.Error(err)
			}
		})
		store.got = func(kind string) {
			if kind == "batch" {
				dropped()
			}
		}
		booked := lifecycle.BatchDecision{Booked: true, By: "wang", Note: "it is there"}
		wantIs(t, book.ResolveBatch(t.Context(), "B1-1", booked), lifecycle.ErrFinal)
		lines, err := d.book.Lines(t.Context(), "R1")
		if err != nil || len(lines) != 1 || lines[0].State != lifecycle.LineOpen {
			t.Errorf("%v, %+v", err, lines)
		}
	})
}

// What was refused is told of once, also where a store has to call its function again for each transaction.
func TestBatchRefusedOnBusyStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		d.accepted("R1")
		d.settle(time.Second)
		d.stop()
		d.store = againStore{d.store.(*lifecycle.MemoryStore)}
		d.open()
		d.gw.Fail(fliggytest.Failed(&rentcar.BusinessError{Code: "1", Message: "no"}).On(api.BillNotify.Method))
		if _, err := d.book.Bill(t.Context(), "B1", time.Now()); err != nil {
			t.Fatal(err)
		}
		d.settle(time.Hour)
		if len(d.overdue) != 1 || d.overdue[0].Problem != lifecycle.ProblemBatchRefused {
			t.Errorf("%+v", d.overdue)
		}
	})
}

// An againStore calls the function of each transaction twice, as a database does that has met a conflict.
type againStore struct{ *lifecycle.MemoryStore }

var errConflict = errors.New("the database has met a conflict")

func (s againStore) Atomically(ctx context.Context, f func(ctx context.Context, tx lifecycle.Tx) error) error {
	if s.InTransaction(ctx) {
		return s.MemoryStore.Atomically(ctx, f)
	}
	if err := s.MemoryStore.Atomically(ctx, func(ctx context.Context, tx lifecycle.Tx) error {
		return cmp.Or(f(ctx, tx), errConflict)
	}); !errors.Is(err, errConflict) {
		return err
	}
	return s.MemoryStore.Atomically(ctx, f)
}
