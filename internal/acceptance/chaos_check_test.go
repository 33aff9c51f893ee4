package acceptance

import (
	"fmt"
	"slices"
	"strings"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A rule is an invariant, by name.
type rule string

const (
	ruleTwice    rule = "executed twice"
	ruleRejected rule = "told rejected, yet executed"
	ruleDone     rule = "told done, yet missing"
	ruleProved   rule = "left unknown, although it is proved"
	ruleBan      rule = "not as flow control says"
	ruleAgree    rule = "outcome and error disagree"
	ruleLedger   rule = "the gateway's records disagree"
)

// A violation is an invariant that does not hold for an operation.
type violation struct {
	rule rule
	op   *operation // nil where it is about none
	text string
}

func (v violation) String() string {
	if v.op == nil {
		return fmt.Sprintf("%s: %s", v.rule, v.text)
	}
	return fmt.Sprintf("%s: %s %s, told %s: %s", v.rule, v.op.kind, v.op.key, v.op.told, v.text)
}

// A ledger is what the gateway holds, by the keys of the operations.
type ledger struct {
	renewals  map[string][]fliggytest.Renewal // by the distributor's id
	cancelled map[string]fliggytest.Renewal   // by the message of the cancellation
	bills     map[string]int                  // by batch number
	callbacks map[string]int
	executed  map[string]int // write requests that were carried out, by API
}

func readLedger(gw *fliggytest.Gateway) *ledger {
	l := &ledger{
		renewals: map[string][]fliggytest.Renewal{}, cancelled: map[string]fliggytest.Renewal{},
		bills: map[string]int{}, callbacks: map[string]int{}, executed: map[string]int{},
	}
	for _, r := range gw.Renewals() {
		l.renewals[r.RenewalOutOrderID] = append(l.renewals[r.RenewalOutOrderID], r)
		if r.State == fliggytest.RenewalCancelled {
			l.cancelled[r.CancelMessage] = r
		}
	}
	for _, b := range gw.Bills() {
		l.bills[b.Message.BatchNo]++
	}
	for _, c := range gw.Callbacks() {
		l.callbacks[callbackKey(&c.Message)]++
	}
	for _, r := range gw.Requests() {
		if r.Answer.Executed {
			l.executed[r.Method]++
		}
	}
	return l
}

// holds counts the records of an operation.
func (l *ledger) holds(o *operation) int {
	switch o.kind {
	case kindSubmit:
		return len(l.renewals[o.key])
	case kindBill:
		return l.bills[o.key]
	case kindCallback:
		return l.callbacks[o.key]
	}
	if _, ok := l.cancelled[o.key]; ok {
		return 1
	}
	return 0
}

// check compares what the callers of a world were told with what its gateway holds.
func (w *world) check() []violation {
	l := readLedger(w.gw)
	found := w.us.broken
	add := func(r rule, o *operation, format string, args ...any) {
		found = append(found, violation{r, o, fmt.Sprintf(format, args...)})
	}
	held := map[kind]int{}
	for _, o := range w.us.ops {
		n := l.holds(o)
		held[o.kind] += n
		if n > 1 {
			add(ruleTwice, o, "%d times; error: %v", n, o.err)
		}
		switch o.told {
		case toldRejected:
			if n > 0 && (!o.byMerchant || !l.refusedByMerchant(o)) {
				add(ruleRejected, o, "error: %v", o.err)
			}
		case toldDone:
			if why := l.missing(o); why != "" {
				add(ruleDone, o, "%s; error: %v", why, o.err)
			}
		case toldUnknown:
			if why := w.proof(l, o); why != "" {
				add(ruleProved, o, "%s", why)
			}
		}
	}
	// All that was carried out is in the books, and in those of the gateway once: a
	// cancellation or a refund that is made twice would show here only.
	for k, method := range map[kind]string{
		kindSubmit: methodSubmit, kindCancel: methodCancel, kindBill: methodBill, kindCallback: methodCallback,
	} {
		if l.executed[method] != held[k] {
			add(
				ruleLedger, nil, "%s was carried out %d times, the records of the operations are %d", method, l.executed[method],
				held[k],
			)
		}
	}
	return found
}

// refusedByMerchant reports whether all renewals of a submit were refused by the merchant.
func (l *ledger) refusedByMerchant(o *operation) bool {
	return !slices.ContainsFunc(l.renewals[o.key], func(r fliggytest.Renewal) bool {
		return r.State != fliggytest.RenewalRejected || r.RenewalOrderID != o.id
	})
}

// missing says what the gateway lacks of an operation that was told done; empty for
// nothing.
func (l *ledger) missing(o *operation) string {
	if l.holds(o) == 0 {
		return "there is no record of it"
	}
	switch o.kind {
	case kindSubmit:
		if o.id != "" && !slices.ContainsFunc(
			l.renewals[o.key], func(r fliggytest.Renewal) bool { return r.RenewalOrderID == o.id },
		) {
			return fmt.Sprintf("renewal %s is of another order", o.id)
		}
	case kindCancel:
		if of := l.cancelled[o.key].RenewalOutOrderID; of != o.of.key {
			return "it cancelled " + of
		}
	}
	return ""
}

// proof says what proves a submit, or would at the end if it were asked for; empty for
// nothing. Refusals of merchants are not among it: that 104 does not name the
// distributor's id is why some of them stay open.
func (w *world) proof(l *ledger, o *operation) string {
	if o.kind != kindSubmit || len(l.renewals[o.key]) == 0 {
		return ""
	}
	r := l.renewals[o.key][0]
	named, denied := "", false
	for _, e := range w.us.inbox {
		switch e := e.(type) {
		case *events.RenewalAccepted:
			if e.OutOrderID == o.key {
				named = "event 103"
			}
		case *events.RenewalFeeRefund:
			if e.RenewalOutOrderID == o.key {
				named = "event 142"
			}
		case *events.RenewalRejected:
			denied = denied || e.RenewalOrderID == r.RenewalOrderID
		}
	}
	alive := r.State == fliggytest.RenewalSubmitted || r.State == fliggytest.RenewalAccepted
	switch {
	case denied:
		return "" // rejected, or contradicted
	case named != "":
		return named + " names it"
	case w.us.habits.probe == nil && alive && r.Start.After(w.clock.now()):
		return "the probe finds it"
	}
	return ""
}

// diary is the run of a world in words, without what differs from run to run, such as
// the ports in the texts of errors.
func (w *world) diary() string {
	var b strings.Builder
	for _, o := range w.us.ops {
		fmt.Fprintf(&b, "%s %s: %T, %v; told %s, id %s\n", o.kind, o.key, o.err, rentcar.OutcomeOf(o.err), o.told, o.id)
	}
	for _, r := range w.gw.Renewals() {
		fmt.Fprintf(
			&b, "renewal %s %s %s %s %s\n", r.RenewalOrderID, r.RenewalOutOrderID, r.State, r.CreatedTime.UTC(), r.CancelMessage,
		)
	}
	fmt.Fprintf(&b, "%d requests, %d events, faults %v, settled %v, until %s\n",
		len(w.gw.Requests()), len(w.us.inbox), w.net.hits, w.us.settledBy, w.clock.now().UTC())
	return b.String()
}
