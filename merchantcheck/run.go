package merchantcheck

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/fliggy-go/rentcar/qimen"
)

// An Order is a rental that can be renewed.
type Order struct {
	// OrderID is Fliggy's id of the order (飞猪订单号). Every request of the guide has
	// both ids; one is required here.
	OrderID fliggy.ID
	// OutOrderID is the merchant's own id of it.
	OutOrderID string
	// Start is the present return time of the rental, in GMT+8: where each renewal
	// starts. Required.
	Start fliggy.Time
}

// Config says what [Run] may do, and with which orders.
type Config struct {
	// Orders are rentals that the merchant knows: at least one. Each price query
	// takes the next.
	Orders []Order
	// Submit lets the run book renewals of these orders, and cancel them again. Without it
	// nothing at all is sent to the methods for submit and cancel.
	Submit bool
	// Penalty is the penaltyAmount of the cancellation, in yuan and not negative; 0.00 when
	// unset. How Fliggy computes it is not documented.
	Penalty fliggy.Yuan
	// Unknown is an order that the merchant does not know; one is made up where it has
	// no id.
	Unknown Order
	// PressureTest marks every request as load-test traffic (压测流量): isPressureTest "true".
	PressureTest bool
	// Timeout is how long each answer may take: DefaultTimeout where it is zero.
	Timeout time.Duration
	// Clock gives the time that requests are signed with: time.Now where it is nil.
	Clock func() time.Time
}

// Run sends a merchant what Fliggy would send, and reports which rules the answers
// break, and what the merchant asks in the three scenarios of the merchant renewal
// guide. It sends price queries of those and of three other periods, an unknown order,
// a body that is cut off, a stale timestamp, bad signatures; with cfg.Submit also a
// submit and a cancellation, each twice, and submits of two renewals without a trade
// number.
//
// An endpoint that cannot be reached, or gives no reply of its own (HTTP status 404 or
// 500, an empty body) to any of the guide's three price queries, is one failure of the
// rule "endpoint". The run ends there. A rule passes only on an answer that shows it.
//
// It computes with code of its own. A rule that no document states firmly, but
// samples suggest, gives warnings, which fail nothing. So does a refusal of the
// three other periods.
//
// A renewal that was booked is cancelled in the end whatever went wrong, also when
// ctx is over; what may be left is in the report. A check that cannot begin (no
// merchant, no order), or does not come to its end, is a failure of the rule "run".
//
// Mark the traffic with cfg.PressureTest unless the endpoint is a test system.
func Run(ctx context.Context, m *Caller, cfg Config) *Report {
	report := &Report{Endpoint: "nothing"}
	if m != nil && m.sender != nil {
		report.Endpoint, report.AppKey = m.quotable(m.name), m.quotable(m.sender.AppKey)
	}
	if problem := cfg.problem(m); problem != "" {
		report.incomplete("a merchant, and orders with an id and Start", problem, "Nothing was sent.")
		return report
	}
	m = m.configured(&cfg)
	trade := m.sender.Now().In(fliggy.Zone()).Format("20060102150405") + fmt.Sprintf("%06d", rand.IntN(1_000_000))
	run := &selfTest{m: m, cfg: cfg, report: report, trade: trade}
	defer run.finish(ctx)
	for i := range scenarios {
		run.play(ctx, &scenarios[i])
	}
	run.judge()
	return report
}

// configured returns a caller that sends as cfg says, whatever the variant of m.
func (m *Caller) configured(cfg *Config) *Caller {
	own, sender := m.Vary(Variant{}), *m.sender
	own.sender = &sender
	sender.Timeout = cmp.Or(cfg.Timeout, sender.Timeout)
	if cfg.Clock != nil {
		sender.Now = cfg.Clock
	}
	return own
}

// incomplete reports that not everything was checked.
func (r *Report) incomplete(expected, got, why string) {
	r.Results = append(r.Results, Result{
		Rule: "run", Title: "the check runs from beginning to end", Scenario: "run", Status: Failed,
		Expected: expected, Got: got, Why: why,
	})
}

func (c *Config) problem(m *Caller) string {
	switch {
	case m == nil || m.sender == nil:
		return "no caller of New"
	case len(c.Orders) == 0:
		return "no order"
	case c.Penalty.IsNegative():
		return "a negative Penalty"
	case c.Timeout < 0:
		return "a negative Timeout"
	}
	for i, order := range c.Orders {
		if top.IsBlank(string(order.OrderID)) && top.IsBlank(order.OutOrderID) {
			return fmt.Sprintf("Orders[%d] without OrderID and OutOrderID", i)
		}
		if !order.Start.IsSet() {
			return fmt.Sprintf("Orders[%d] without Start", i)
		}
	}
	return ""
}

// A scenario is one request of the self-test.
type scenario struct {
	name     string
	kind     trialKind
	books    bool // goes to the methods that change something
	optional bool
	period   time.Duration
	// send sends the request and keeps the answer. It returns why it could not.
	send func(*selfTest, context.Context, *trial) (skipped string)
}

const oneDay = 24 * time.Hour

// scenarios is the self-test, in order.
var scenarios = []scenario{
	{name: "price of 1 d 30 min", kind: askPrices, period: usualPeriod, send: (*selfTest).sendPrices},
	{name: "price of 1 d 8 h", kind: askPrices, period: oneDay + 8*time.Hour, send: (*selfTest).sendPrices},
	{name: "price of 14 d 2 h", kind: askPrices, period: 14*oneDay + 2*time.Hour, send: (*selfTest).sendPrices},
	{name: "price of 2 h", kind: askPrices, optional: true, period: 2 * time.Hour, send: (*selfTest).sendPrices},
	{name: "price of 8 h", kind: askPrices, optional: true, period: 8 * time.Hour, send: (*selfTest).sendPrices},
	{name: "price of 2 d", kind: askPrices, optional: true, period: 2 * oneDay, send: (*selfTest).sendPrices},
	{name: "price for an unknown order", kind: askUnknownOrder, send: (*selfTest).sendUnknownOrder},
	{name: "malformed price query", kind: askMalformed, send: (*selfTest).sendMalformed},
	{name: "stale price query", kind: askStale, send: (*selfTest).sendStale},
	{name: "badly signed price query", kind: askForged, send: (*selfTest).sendForged},
	{name: "price query without a signature", kind: askForged, send: (*selfTest).sendUnsigned},
	{name: "price query of an unknown app", kind: askUnknownApp, send: (*selfTest).sendUnknownApp},
	{name: "badly signed submit", kind: askForged, books: true, send: (*selfTest).sendForgedSubmit},
	{name: "stale submit", kind: askStale, books: true, send: (*selfTest).sendStaleSubmit},
	{name: "submit", kind: askSubmit, books: true, send: (*selfTest).sendSubmit},
	{name: "submit again", kind: askSubmitAgain, books: true, send: (*selfTest).sendSubmitAgain},
	{name: "badly signed cancellation", kind: askForged, books: true, send: (*selfTest).sendForgedCancel},
	{name: "cancellation", kind: askCancel, books: true, send: (*selfTest).sendCancel},
	{name: "cancellation again", kind: askCancelAgain, books: true, send: (*selfTest).sendCancelAgain},
	{name: "two submits without a trade number", kind: askUntraded, books: true, send: (*selfTest).sendUntraded},
}

// A selfTest is a self-test under way.
type selfTest struct {
	m           *Caller
	cfg         Config
	report      *Report
	trade       string // start of the trade numbers and trace ids of this run
	traces      int
	asked       int // price queries so far
	quote       *trial
	badlySigned *trial // the price query
	order       *qimen.RenewalSubmitRequest
	first       *trial // of the submit
	cancel      *qimen.RenewalCancelRequest
	done        bool // the cancellation succeeded
	cut         bool // the context ended before the last scenario
	locked      bool // the merchant takes a correct signature for a bad one
	silent      int  // price queries that got no reply of the merchant's
	played      []*trial
	bookings    []booking
}

// guideScenarios are the first three: those of the guide.
const guideScenarios = 3

// isDead reports whether none of them got a reply, so that there is nothing to judge.
func (run *selfTest) isDead() bool {
	return run.silent == guideScenarios && run.asked == guideScenarios
}

const deadEndpoint = "the endpoint gave no reply: see the rule endpoint"

// play sends the request of a scenario and judges the answer.
func (run *selfTest) play(ctx context.Context, s *scenario) {
	x := &trial{scenario: s.name, kind: s.kind, optional: s.optional}
	skipped := ""
	switch {
	case s.books && !run.cfg.Submit:
		skipped = "submitting is off: not asked for submit and cancel"
	case ctx.Err() != nil:
		skipped, run.cut = "the run was ended", true
	case run.isDead():
		skipped = deadEndpoint
	case run.locked:
		skipped = "the merchant takes a correct signature for a bad one, so that its other answers prove nothing"
	default:
		if s.period > 0 {
			order := run.cfg.Orders[run.asked%len(run.cfg.Orders)]
			run.asked++
			x.orderID, x.outOrderID = order.OrderID, order.OutOrderID
			x.from, x.to = order.Start, fliggy.At(order.Start.Add(s.period))
		}
		skipped = s.send(run, ctx, x)
		run.locked = x.kind == askPrices && saysBadSignature(x)
		if x.kind == askPrices && !x.isReply() {
			run.silent++
		}
	}
	x.skipped = skipped
	run.played = append(run.played, x)
}

// judge asks all rules of all trials. Of a dead endpoint the first says what is wrong, and
// no other.
func (run *selfTest) judge() {
	first := run.played[0]
	first.kind |= askEndpoint
	first.dead, first.alive = run.isDead(), run.silent < run.asked
	if first.dead {
		for _, x := range run.played[:guideScenarios] {
			x.skipped = deadEndpoint
		}
	}
	for _, x := range run.played {
		run.report.judge(x, run.m.quotable)
	}
	for _, x := range run.played[:guideScenarios] {
		run.report.Quotes = append(run.report.Quotes, quoteOf(x, run.m.quotable))
	}
}

// maxFindings bounds what a report says of one rule in one scenario.
const maxFindings = 20

// ask returns what the rule finds wrong with a trial, or why it could not be asked.
func (rule *rule) ask(x *trial) (found []finding, reason string) {
	if x.skipped != "" && (rule.on != askEndpoint || !x.dead) {
		return nil, x.skipped
	}
	if !rule.anyAnswer && !x.regular() {
		return nil, "there is no reply that says yes"
	}
	found, err := rule.check(x)
	if err != nil && found == nil {
		return nil, err.Error()
	}
	return found, ""
}

// judge asks all rules that are for this kind of trial.
func (r *Report) judge(x *trial, quotable func(string) string) {
	for _, rule := range rules {
		if rule.on&x.kind == 0 {
			continue
		}
		result := Result{Rule: rule.id, Title: rule.title, Scenario: x.scenario, Status: Passed}
		found, reason := rule.ask(x)
		if reason != "" {
			result.Status, result.Reason = Skipped, quotable(reason)
		}
		if found == nil {
			r.Results = append(r.Results, result)
		}
		if more := len(found) - maxFindings; more > 0 {
			found = found[:maxFindings]
			found[maxFindings-1].got += fmt.Sprintf("; and %d findings more", more)
		}
		for _, f := range found {
			result.Status, result.Why = Failed, rule.why
			if f.doubtful {
				result.Status = Warning
			}
			result.Member, result.Expected, result.Got = f.member, quotable(f.expected), quotable(f.got)
			r.Results = append(r.Results, result)
		}
	}
}

// finish cancels what is still booked, and reports what may be left.
func (run *selfTest) finish(ctx context.Context) {
	run.undo(ctx)
	if run.cut {
		run.report.incomplete("time for all scenarios", "the context was over: "+ctx.Err().Error(),
			"What was skipped is not known to be right.")
	}
	for _, b := range run.bookings {
		if text := b.left(); text != "" {
			run.report.MayBeBooked = append(run.report.MayBeBooked, run.m.quotable(text))
		}
	}
}
