package lifecycle_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/fliggytest"
	"github.com/fliggy-go/rentcar/internal/api"
	"github.com/fliggy-go/rentcar/lifecycle"
)

func (m *mortal) submits() {
	req := m.request("R1")
	m.does(func() error { _, err := m.book.Submit(m.t.Context(), req); return err })
}

// gets has Fliggy push an event until it is taken.
func (m *mortal) gets(push func(fliggy.ID) fliggytest.PushResult) {
	if len(m.gw.Renewals()) == 0 { // the submit was stored, and has not left
		return
	}
	p := push(m.gw.Renewals()[0].RenewalOrderID)
	m.does(func() error {
		if m.isHeir {
			p = m.gw.PushRaw(m.t.Context(), p.Body)
		}
		return p.Err // nil for one that was answered, and not taken
	})
}

func (m *mortal) accepted() {
	m.submits()
	m.gets(func(id fliggy.ID) fliggytest.PushResult { return m.gw.Accept(id) })
}

func (m *mortal) refund() {
	m.gets(func(id fliggy.ID) fliggytest.PushResult { return m.gw.RequestRefund(id, refundOf("10")) })
}

// cancels cancels. Where nobody will ever hear whether that was done, a person has asked.
func (m *mortal) cancels() {
	m.does(func() error {
		r, err := m.book.Get(m.t.Context(), "R1")
		if err == nil && r.State == lifecycle.CancelUnknown && m.renewal(r).State == fliggytest.RenewalCancelled {
			_, err = m.book.Resolve(m.t.Context(), "R1", lifecycle.Resolution{
				State: lifecycle.Cancelled, Fee: m.renewal(r).CancelFee, By: "li", Note: "asked",
			})
		} else if err == nil {
			_, err = m.book.Cancel(m.t.Context(), "R1", lifecycle.CancelRequest{MaxFee: fliggy.MustYuan("50")})
		}
		return err
	})
}

func (m *mortal) bill() func() error {
	until := time.Now()
	return func() error { _, err := m.book.Bill(m.t.Context(), "B1", until); return err }
}

// outcome is what Fliggy, the customer and the journal have in the end. What came twice counts once if it is the same.
func (m *mortal) outcome() string {
	m.settle(time.Hour)
	m.dying.left.CompareAndSwap(max(m.dying.left.Load(), 1), -1) // nobody dies any more
	m.inherits()
	var out []string
	add := func(what ...any) { out = append(out, fmt.Sprintln(what...)) }
	r := m.get("R1")
	add("journal", r.State, r.Problem, r.CancelFee)
	for key, amount := range m.wallet {
		add("paid", key, amount)
	}
	lines, err := m.book.Lines(m.t.Context(), "R1")
	if err != nil {
		m.t.Fatal(err)
	}
	for _, l := range lines {
		add("line", l.ID, l.State, l.BizType, l.Amount, l.Cash, l.TradeNo, l.BatchNo)
	}
	for _, f := range append(r.Refunds, *cmp.Or(r.Return, &lifecycle.Refund{})) {
		add("refund", f.Key, f.State, f.Amount, f.Problem)
	}
	for _, c := range m.gw.Callbacks() {
		add("answer", c.Message.Type(), c.Message.Data.PayTradeNo, c.Message.Data.Amount)
	}
	for _, b := range m.gw.Bills() {
		for _, l := range b.Message.Lines {
			add("billed", b.Message.BatchNo, b.Message.TotalAmount, l.BizType, l.PayTradeNo, l.OrderAmount)
		}
	}
	slices.Sort(out)
	out = slices.Compact(out)
	for _, g := range m.gw.Renewals() { // it must not be there twice
		add("Fliggy", g.State, g.CancelFee)
	}
	return strings.Join(out, "")
}

// lives are what a renewal may go through. From begin on, the process may die.
var lives = map[string]func(m *mortal, begin func()){
	"accepted": func(m *mortal, begin func()) { begin(); m.accepted() },
	"rejected": func(m *mortal, begin func()) {
		begin()
		m.submits()
		m.gets(func(id fliggy.ID) fliggytest.PushResult { return m.gw.Reject(id, "1", "no car") })
	},
	"cancelled": func(m *mortal, begin func()) { m.accepted(); begin(); m.refund(); m.cancels() },
	"cancelled at a fee, which is corrected": func(m *mortal, begin func()) {
		m.accepted()
		m.settle(30 * time.Hour)
		begin()
		m.cancels()
		lower := lifecycle.FeeCorrection{Fee: fliggy.MustYuan("1"), By: "li", Note: "flood"}
		m.does(func() error { _, err := m.book.CorrectFee(m.t.Context(), "R1", lower); return err })
	},
	"refund": func(m *mortal, begin func()) { m.accepted(); begin(); m.refund() },
	"refund refused": func(m *mortal, begin func()) {
		m.accepted()
		m.results = slices.Repeat([]lifecycle.RefundResult{lifecycle.RefundRefused("no account")}, 9)
		begin()
		m.refund()
	},
	"bill": func(m *mortal, begin func()) { m.accepted(); m.refund(); begin(); m.does(m.bill()) },
	"bill refused": func(m *mortal, begin func()) {
		m.accepted()
		m.gw.Fail(fliggytest.Failed(&rentcar.BusinessError{Code: "1", Message: "no"}).On(api.BillNotify.Method).Always().
			When(func(r fliggytest.Request) bool { return strings.Contains(string(r.Body), "B1-1%22") }))
		bill := m.bill()
		begin()
		m.does(bill)
		anew := lifecycle.BatchDecision{By: "li", Note: "asked"}
		m.does(func() error { return m.book.ResolveBatch(m.t.Context(), "B1-1", anew) })
		m.does(bill)
	},
}

// A process may lose its store at any operation: another goes on, and in the end all is as if that had not happened.
func TestDeath(t *testing.T) {
	defer lifecycle.SetPoll(time.Hour)()
	for name, live := range lives {
		t.Run(name, func(t *testing.T) {
			want := ""
			for n, done := int64(0), false; !done; n++ { // at 0 nobody dies
				synctest.Test(t, func(t *testing.T) {
					m := &mortal{desk: newDesk(t)}
					m.stop()
					m.dying = &dyingStore{MemoryStore: m.store.(*lifecycle.MemoryStore)}
					m.dying.left.Store(-1)
					m.store = m.dying
					m.open()
					live(m, func() { m.dying.left.Store(cmp.Or(n, -1)) })
					got := m.outcome()
					done = n > 0 && !m.isHeir
					switch {
					case n == 0:
						want = got
					case len(m.gw.Renewals()) == 0: // nothing proves that the submit has not left
						m.want("R1", lifecycle.Unknown)
						m.wantPaid("0", 0)
					case got != want:
						t.Errorf("dead at %d:\n%swant\n%s", n, got, want)
					}
				})
			}
		})
	}
}
