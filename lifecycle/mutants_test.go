package lifecycle_test

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var runMutants = flag.String("mutants", "", "run the worlds of the mutants that this pattern matches")

// A mutant is a mistake in a file: old is replaced by new, and the worlds break an invariant.
type mutant struct {
	name, invariants string
	file, old, new   string
}

var mutants = []mutant{
	{"M1 the intention is stored after the call", "I1 I2", "submit.go", `	r, isNew, err := b.begin(ctx, &own)
`, `	_, _ = b.client.Renewals.Submit(ctx, &own.RenewalSubmitRequest)
	r, isNew, err := b.begin(ctx, &own)
`},
	{"M2 a submit whose process died is sent again", "I1", "run.go", `		return b.look(ctx, r)
`, `		if r.State == Unknown {
			_, _ = b.client.Renewals.Submit(ctx, &r.Request)
		}
		return b.look(ctx, r)
`},
	{"M3 a submit whose process died was not sent", "I1 I3", "table.go",
		`on: on(CauseLost), to: Unknown, do: do(lookNow)}`, `on: on(CauseLost), to: NotSent}`},
	{"M4 not found is rejected", "I3 I4 I9", "table.go",
		`on: on(CauseNothing), do: do(lookLater)},

	// The merchant's`, `on: on(CauseNothing), to: Rejected},

	// The merchant's`},
	{"M5 a new id while another is open", "I16", "book.go",
		`if isOpen && !r.BesideOpen {`, `if r.State == Submitting && r.BesideOpen {`},
	{"M6 elimination with two unknown renewals", "I3 I9", "event.go", `		case only != nil:
			return nil, nil
`, ``},
	{"M7 elimination before the fence", "I9", "step.go",
		`return r.State == Submitting || now.Sub(r.Sent) < fence`, `return r.State == Submitting`},
	{"M8 a 104 after a 103 rejects", "I9 I3", "table.go", `on: on(Cause104, CauseRefused, CauseNotSent), to: Disputed,`,
		`on: on(Cause104, CauseRefused, CauseNotSent), to: Rejected,`},
	{"M9 a 103 after a cancellation accepts", "I3", "table.go",
		`{from: in(Cancelled), on: on(Cause103), do: do(learnID, accepted, askFirst)},`,
		`{from: in(Cancelled), on: on(Cause103), to: Accepted, do: do(learnID, accepted)},`},
	{"M10 a late reply overwrites the event", "I3", "table.go",
		`{from: in(Submitting, Unknown), on: on(CausePlaced), to: Placed,`,
		`{from: in(Submitting, Unknown, Accepted), on: on(CausePlaced), to: Placed,`},
	{"M11 another amount is another refund", "I6 I7", "step.go", `	known := t.refund(e.PayTradeNo)
`, `	known := t.refund(e.PayTradeNo)
	if known != nil && !known.Amount.Equal(e.Amount) {
		known = nil
	}
`},
	{"M12 no lease", "I6", "step.go", `f.Attempts+1, t.now.Add(t.config.lease())`, `f.Attempts+1, t.now.Add(1)`},
	{"M13 an error of the function refuses", "I7", "run.go", `		result = RefundResult{cause: refundPending}
`, `		result = RefundResult{cause: refundRefused}
`},
	{"M14 the answer goes out before the result is known", "I7", "table.go",
		`refundCalled, anyRefund, RefundPaying, doing(callLease)}`,
		`refundCalled, anyRefund, RefundPaying, doing(callLease, func(t *turn, f *Refund) {
			if f.Kind == RefundFee {
				answer(t, f)
			}
		})}`},
	{"M15 a refund is paid while the renewal is open", "I8 I11", "table.go",
		`refundAsked, renewalOpen, RefundWaiting, nil}`, `refundAsked, renewalOpen, RefundOrdered, doing(callNow)}`},
	{"M16 no limit", "I8", "step.go",
		`		return f.isLimited() && t.left().Sub(t.byHand()).Sub(f.Amount).IsNegative()`, `		return false`},
	{"M17 an unknown cancellation is done", "I3 I4", "table.go",
		`{from: in(CancelUnknown), on: on(CauseNotCancellable, CauseNothing), do: do(lookLater)},`,
		`{from: in(CancelUnknown), on: on(CauseNotCancellable, CauseNothing), to: Cancelled},`},
	{"M18 not carried out without the fence", "I3", "table.go",
		`{from: in(CancelUnknown), on: on(CauseAlive), when: beforeFence, do: do(lookLater)},
`, ``},
	{"M19 acknowledged before it is stored", "I5 I3", "book.go",
		`qimen.WithStore(b.inbox.Add)`,
		`qimen.WithStore(func(ctx context.Context, d *qimen.Delivery) error { _ = b.inbox.Add(ctx, d); return nil })`},
	{"M20 a stray is not tried when an id is learnt", "I3 I5 I12", "event.go", `			doc.Due = now
			if err := tx.Put(ctx, doc); err != nil {
				return err
			}
`, `			_ = now
`},
	{"M21 the timer is lost at a transition", "I12", "step.go", `		if !r.wasTold(&m) {
`, `		if !r.wasTold(&m) && r.State != Disputed {
`},
	{"M22 20 of what goes back beside 14 of the fee", "I10", "lines.go",
		`amount = amount.Add(t.CancelFee)`, `amount = f.Amount`},
	{"M23 lines are chosen by when they were opened", "I10", "bill.go", `		if len(docs) == 0 {
`, `		if len(docs) == 0 || docs[0].At.Before(until.AddDate(0, 0, -1)) {
`},
	{"M24 the batch number comes from elsewhere", "I10", "bill.go", `	bill.Next++
`, ``},
	{"M24 the batch is sent though its lines are not marked", "I10", "bill.go",
		`		err = b.add(ctx, batchItem`, `		err = b.add(context.Background(), batchItem`},
	{"M25 a refused repeat is cut again", "I10", "bill.go", `		batch.State = BatchDoubtful
`, `		batch.State = BatchDropped
		return b.endBatch(ctx, tx, doc, batch, LineOpen)
`},
	{"M26 the payment is billed at once", "I11 I10", "table.go", `	Submitting: {payWaiting},`, `	Submitting: {payOpen},`},
	{"M27 the fee is billed before the return is paid", "I11", "step.go", `	t.Return = f
`, `	t.Return = f
	if t.State == Cancelled && t.CancelFee.IsPositive() {
		fee := t.newLine(LineFee, "", fliggy.BillCancelPenalty, t.CancelFee, fliggy.FenOf(0).Yuan())
		fee.TradeNo, fee.PayTime, fee.CustomerPaid = t.payTradeNo(), t.now, t.CancelFee
		t.line(fee)
	}
`},
	{"M28 the user's table is written after the commit", "I14", "book.go",
		`contain.Call("the function of OnChange", func() error { return b.config.onChange(ctx, own, after) })`,
		`contain.Call("", func() error { go b.config.onChange(context.Background(), own, after); return nil })`},
	{"M29 a probe within a transaction", "I15", "run.go", `		return b.look(ctx, r)
`, `		return b.atomically(ctx, func(ctx context.Context, _ Tx) error { return b.look(ctx, r) })
`},
	{"M30 a reply that cannot be stored is a failure", "I1", "submit.go",
		`	return b.replied(ctx, "submit", r, in, callErr)
`, `	in.cause = map[Cause]Cause{CauseLost: CauseNotSent}[in.cause]
	return b.replied(ctx, "submit", r, in, callErr)
`},
	{"M31 the return forgets earlier refunds", "I8", "record.go",
		`		if f.isLimited() && f.isPromised() {`,
		`		if f.isLimited() && f.isPromised() && (f == r.Return || r.State != Cancelled) {`},
	{"M32 money goes back on a 104 without asking", "I9", "table.go",
		`to: Rejected, do: do(learnID, refused, askFirst)},`, `to: Rejected, do: do(learnID, refused)},`},
	{"M33 a 104 noted while cancelling wins over a check", "I9", "table.go",
		`{from: in(CancelUnknown), on: on(CauseAlive), when: after104, to: Disputed,
		do: do(problem(ProblemRejectedAfterAccepted))},`,
		`{from: in(CancelUnknown), on: on(CauseAlive), when: after104, to: Rejected},`},
}

// Each mutant is one still: what it replaces is there, once.
func TestMutantsApply(t *testing.T) {
	for _, m := range mutants {
		text, err := os.ReadFile(m.file)
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(text), m.old); n != 1 {
			t.Errorf("%s: %s has the text %d times", m.name, m.file, n)
		}
	}
	if *runMutants != "" {
		for _, m := range mutants {
			if regexp.MustCompile(*runMutants).MatchString(m.name) {
				t.Run(m.name, func(t *testing.T) { kill(t, m) })
			}
		}
	}
}

// kill runs worlds with a mutant until an invariant breaks.
func kill(t *testing.T, m mutant) {
	dir := t.TempDir()
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(m.file)
	if err != nil {
		t.Fatal(err)
	}
	mutated, overlay := filepath.Join(dir, m.file), filepath.Join(dir, "overlay.json")
	replace, err := json.Marshal(map[string]map[string]string{"Replace": {filepath.Join(here, m.file): mutated}})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		mutated: strings.Replace(string(text), m.old, m.new, 1), overlay: string(replace),
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.CommandContext(context.Background(), "go", "test", "-overlay", overlay, "-vet=off", "-run", "TestWorlds",
		"-timeout", "20m", ".", "-args", "-worlds", fmt.Sprint(60), "-until", strings.ReplaceAll(m.invariants, " ", ","))
	out, _ := cmd.CombinedOutput()
	var found []string
	for _, match := range regexp.MustCompile(`\b(I\d+): seed`).FindAllStringSubmatch(string(out), -1) {
		if !slices.Contains(found, match[1]) {
			found = append(found, match[1])
		}
	}
	named := slices.ContainsFunc(found, func(i string) bool { return slices.Contains(strings.Fields(m.invariants), i) })
	switch {
	case named:
		t.Logf("broke %v", found)
	default:
		t.Errorf("broke %v, want one of %s:\n%.2000s", found, m.invariants, out)
	}
}
