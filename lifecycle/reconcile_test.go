package lifecycle_test

import (
	"context"
	"fmt"
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

// A refund that Fliggy has ordered is in the provider's file under the provider's number, and in Fliggy's under that of
// the order.
func TestReconcileRefund(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.accepted("R1")
		d.gw.RequestRefund(r.RenewalOrderID, fliggytest.Refund{
			Type: fliggy.RefundEarlyReturn, Amount: fliggy.MustYuan("12.50"), Reason: "early",
		})
		d.settle(time.Minute)
		f := d.get("R1").Refunds[0]
		if f.TradeNo == f.PayTradeNo {
			t.Fatal("the numbers of provider and order are the same")
		}
		for name, file := range map[string]string{
			"provider": fmt.Sprintf("number,yuan\nP-R1,100\n%s,-12.5\n", f.TradeNo),
			"Fliggy":   fmt.Sprintf("number,yuan,biz\nP-R1,100,10\n%s,12.5,20\n", f.PayTradeNo),
		} {
			columns := lifecycle.Columns{TradeNo: "number", Amount: "yuan"}
			if strings.Contains(file, "biz") {
				columns.BizType = "biz"
			}
			report, err := d.book.Reconcile(t.Context(), lifecycle.ReadEntries(strings.NewReader(file), columns))
			if err != nil || report.Matched != 2 || len(report.Findings) != 0 {
				t.Errorf("%s: %v, %d agree, %+v", name, err, report.Matched, report.Findings)
			}
		}
	})
}

// Payment and refund under one number of the provider are two movements.
func TestReconcileBothDirections(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newDesk(t)
		r := d.accepted("R1")
		d.results = []lifecycle.RefundResult{lifecycle.RefundPaid("P-R1", time.Now())}
		d.gw.RequestRefund(r.RenewalOrderID, refundOf("10"))
		d.settle(time.Minute)
		file := "\ufeff\"number\",yuan\nP-R1,100.00\nP-R1,-10.00\n"
		report, err := d.book.Reconcile(t.Context(), lifecycle.ReadEntries(strings.NewReader(file),
			lifecycle.Columns{TradeNo: "number", Amount: "yuan"}))
		if err != nil || report.Matched != 2 || len(report.Findings) != 0 {
			t.Errorf("%v, %d agree, %+v", err, report.Matched, report.Findings)
		}
	})
}

// What is wrong with a file is said with its line, and what to do about it.
func TestReadEntriesSaysWhatIsWrong(t *testing.T) {
	for file, want := range map[string]string{
		"":                                   "the headings: EOF",
		"a,b\n":                              `no column "number": its first line is "a,b"`,
		"\xbd\xf0\xb6\xee,b\n":               "the headings: not UTF-8: if it is GBK",
		"number,yuan\n1,1\n\xbd\xf0\xb6,1\n": "line 3: not UTF-8: if it is GBK",
		"number,yuan\n1,\"1,000.00\"\n":      "line 2: ",
		"number,yuan\n1,1,1\n":               "line 2: wrong number of fields",
	} {
		var got error
		for _, err := range lifecycle.ReadEntries(strings.NewReader(file), lifecycle.Columns{
			TradeNo: "number", Amount: "yuan",
		}) {
			got = err
		}
		if got == nil || !strings.Contains(got.Error(), want) {
			t.Errorf("%q: %v, want %s", file, got, want)
		}
	}
}

// A listingStore calls a function before it lists lines.
type listingStore struct {
	lifecycle.Store
	before func(state string)
}

func (s *listingStore) List(ctx context.Context, q lifecycle.Query) ([]*lifecycle.Doc, error) {
	s.before(q.State)
	return s.Store.List(ctx, q)
}

// A line that moves from state to state while the ledger is read is compared once.
func TestReconcileMovingLines(t *testing.T) {
	for state, isRefused := range map[lifecycle.LineState]bool{
		lifecycle.LineBilled:  false, // forward: it was seen as batched
		lifecycle.LineRefused: true,  // back: where it is now was read before
	} {
		t.Run(string(state), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				d := newDesk(t)
				d.accepted("R1")
				d.settle(time.Second)
				if isRefused {
					d.gw.Fail(fliggytest.Failed(&rentcar.BusinessError{Code: "1", Message: "no"}).On(api.BillNotify.Method))
				} else {
					d.stop()
				}
				if _, err := d.book.Bill(t.Context(), "B1", time.Now()); err != nil {
					t.Fatal(err)
				}
				if isRefused {
					d.settle(time.Minute)
				}
				move := sync.OnceFunc(func() {
					if isRefused {
						decision := lifecycle.BatchDecision{By: "li", Note: "asked"}
						if err := d.book.ResolveBatch(t.Context(), "B1-1", decision); err != nil {
							t.Error(err)
						}
						return
					}
					d.open()
					d.settle(time.Minute)
				})
				store := &listingStore{d.store, func(s string) {
					if s == string(state) {
						move()
					}
				}}
				book, err := lifecycle.Open(d.client, store, lifecycle.OnRefund(d.pay))
				if err != nil {
					t.Fatal(err)
				}
				file := strings.NewReader("number,yuan\nP-R1,100\n")
				columns := lifecycle.Columns{TradeNo: "number", Amount: "yuan"}
				report, err := book.Reconcile(t.Context(), lifecycle.ReadEntries(file, columns))
				if err != nil || report.Matched != 1 || len(report.Findings) != 0 {
					t.Errorf("%v, %d agree, %+v", err, report.Matched, report.Findings)
				}
			})
		})
	}
}
