package fliggytest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
	"github.com/fliggy-go/rentcar/qimen"
)

// A MerchantOrder is a rental that can be renewed.
type MerchantOrder struct {
	// OrderID is Fliggy's id of the order (飞猪订单号). Every request of the guide has
	// both ids; one is required here.
	OrderID fliggy.ID
	// OutOrderID is the merchant's own id of it.
	OutOrderID string
	// Start is the present return time of the rental, in GMT+8: where each renewal
	// starts. Required.
	Start fliggy.Time
}

// MerchantCheck says what [CheckMerchant] may do, and with which orders.
type MerchantCheck struct {
	// Orders are rentals that the merchant knows: at least one. Each price query
	// takes the next.
	Orders []MerchantOrder
	// Submit lets the run book renewals of the first order, and of the last for the one
	// that differs, and cancel them again. Without it nothing at all is sent to the two methods.
	Submit bool
	// Penalty is the penaltyAmount of the cancellation; 0.00 when unset. How Fliggy
	// computes it is not documented.
	Penalty fliggy.Yuan
	// Unknown is an order that the merchant does not know; one is made up where it has
	// no id.
	Unknown MerchantOrder
}

// CheckMerchant sends a merchant what Fliggy would send, and reports which rules
// the answers break: prices for the three scenarios of the merchant renewal guide
// and for three other periods, an unknown order, a body that is cut off, a stale
// timestamp, bad signatures; with cfg.Submit also a submit and a cancellation, each
// twice, and submits of two renewals without a trade number.
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
// Mark the traffic with [MerchantPressureTest] unless the endpoint is a test
// system.
func CheckMerchant(ctx context.Context, m *MerchantCaller, cfg MerchantCheck) *MerchantReport {
	report := &MerchantReport{Endpoint: "nothing"}
	if m != nil && m.secret != nil {
		report.Endpoint, report.AppKey = m.quotable(m.name), m.quotable(m.appKey)
	}
	if problem := cfg.problem(m); problem != "" {
		report.incomplete("a merchant, and orders with an id and Start", problem, "Nothing was sent.")
		return report
	}
	trade := m.now().In(fliggy.Zone()).Format("20060102150405") + fmt.Sprintf("%06d", rand.IntN(1_000_000))
	run := &merchantRun{m: m, cfg: cfg, report: report, trade: trade}
	defer run.finish(ctx)
	for i := range merchantScenarios {
		run.play(ctx, &merchantScenarios[i])
	}
	run.judge()
	return report
}

// incomplete reports that not everything was checked.
func (r *MerchantReport) incomplete(expected, got, why string) {
	r.Results = append(r.Results, MerchantResult{
		Rule: "run", Title: "the check runs from beginning to end", Scenario: "run", Status: CheckFailed,
		Expected: expected, Got: got, Why: why,
	})
}

func (c *MerchantCheck) problem(m *MerchantCaller) string {
	switch {
	case m == nil || m.secret == nil:
		return "no merchant of NewMerchantCaller"
	case len(c.Orders) == 0:
		return "no order"
	case c.Penalty.IsNegative():
		return "a negative Penalty"
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

// A merchantScenario is one request of the self-test.
type merchantScenario struct {
	name     string
	kind     trialKind
	books    bool // goes to the methods that change something
	optional bool
	period   time.Duration
	// send sends the request and keeps the answer. It returns why it could not.
	send func(*merchantRun, context.Context, *trial) (skipped string)
}

const oneDay = 24 * time.Hour

// merchantScenarios is the self-test, in order.
var merchantScenarios = []merchantScenario{
	{name: "price of 1 d 30 min", kind: askPrices, period: usualPeriod, send: (*merchantRun).sendPrices},
	{name: "price of 1 d 8 h", kind: askPrices, period: oneDay + 8*time.Hour, send: (*merchantRun).sendPrices},
	{name: "price of 14 d 2 h", kind: askPrices, period: 14*oneDay + 2*time.Hour, send: (*merchantRun).sendPrices},
	{name: "price of 2 h", kind: askPrices, optional: true, period: 2 * time.Hour, send: (*merchantRun).sendPrices},
	{name: "price of 8 h", kind: askPrices, optional: true, period: 8 * time.Hour, send: (*merchantRun).sendPrices},
	{name: "price of 2 d", kind: askPrices, optional: true, period: 2 * oneDay, send: (*merchantRun).sendPrices},
	{name: "price for an unknown order", kind: askUnknownOrder, send: (*merchantRun).sendUnknownOrder},
	{name: "malformed price query", kind: askMalformed, send: (*merchantRun).sendMalformed},
	{name: "stale price query", kind: askStale, send: (*merchantRun).sendStale},
	{name: "badly signed price query", kind: askForged, send: (*merchantRun).sendForged},
	{name: "price query without a signature", kind: askForged, send: (*merchantRun).sendUnsigned},
	{name: "price query of an unknown app", kind: askUnknownApp, send: (*merchantRun).sendUnknownApp},
	{name: "badly signed submit", kind: askForged, books: true, send: (*merchantRun).sendForgedSubmit},
	{name: "stale submit", kind: askStale, books: true, send: (*merchantRun).sendStaleSubmit},
	{name: "submit", kind: askSubmit, books: true, send: (*merchantRun).sendSubmit},
	{name: "submit again", kind: askSubmitAgain, books: true, send: (*merchantRun).sendSubmitAgain},
	{name: "badly signed cancellation", kind: askForged, books: true, send: (*merchantRun).sendForgedCancel},
	{name: "cancellation", kind: askCancel, books: true, send: (*merchantRun).sendCancel},
	{name: "cancellation again", kind: askCancelAgain, books: true, send: (*merchantRun).sendCancelAgain},
	{name: "two submits without a trade number", kind: askUntraded, books: true, send: (*merchantRun).sendUntraded},
}

// A merchantRun is a self-test under way.
type merchantRun struct {
	m        *MerchantCaller
	cfg      MerchantCheck
	report   *MerchantReport
	trade    string // start of the trade numbers and trace ids of this run
	traces   int
	asked    int // price queries so far
	quote    *trial
	forged   *trial // of the price query
	order    *qimen.RenewalSubmitRequest
	first    *trial // of the submit
	cancel   *qimen.RenewalCancelRequest
	done     bool // the cancellation succeeded
	cut      bool // the context ended before the last scenario
	locked   bool // the merchant takes a correct signature for a bad one
	silent   int  // price queries that got no reply of the merchant's
	played   []*trial
	bookings []booking
}

// guideScenarios are the first three: those of the guide.
const guideScenarios = 3

// isDead reports whether none of them got a reply, so that there is nothing to judge.
func (run *merchantRun) isDead() bool {
	return run.silent == guideScenarios && run.asked == guideScenarios
}

const deadEndpoint = "the endpoint gave no reply: see the rule endpoint"

// play sends the request of a scenario and judges the answer.
func (run *merchantRun) play(ctx context.Context, s *merchantScenario) {
	x := &trial{scenario: s.name, kind: s.kind, optional: s.optional}
	skipped := ""
	switch {
	case s.books && !run.cfg.Submit:
		skipped = "submitting is off"
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
func (run *merchantRun) judge() {
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
}

// maxFindings bounds what a report says of one rule in one scenario.
const maxFindings = 20

// judge asks all rules that are for this kind of trial.
func (r *MerchantReport) judge(x *trial, quotable func(string) string) {
	for _, rule := range merchantRules {
		if rule.on&x.kind == 0 {
			continue
		}
		result := MerchantResult{Rule: rule.id, Title: rule.title, Scenario: x.scenario, Status: CheckPassed}
		reason := x.skipped
		if rule.on == askEndpoint && x.dead {
			reason = ""
		}
		if reason == "" && !rule.anyAnswer && !x.regular() {
			reason = "there is no reply that says yes"
		}
		var found []finding
		if reason == "" {
			var err error
			if found, err = rule.check(x); err != nil && found == nil {
				reason = err.Error()
			}
		}
		if reason != "" {
			result.Status, result.Reason = CheckSkipped, quotable(reason)
		}
		if found == nil {
			r.Results = append(r.Results, result)
		}
		if more := len(found) - maxFindings; more > 0 {
			found = found[:maxFindings]
			found[maxFindings-1].got += fmt.Sprintf("; and %d findings more", more)
		}
		for _, f := range found {
			result.Status, result.Why = CheckFailed, rule.why
			if f.doubtful {
				result.Status = CheckWarning
			}
			result.Member, result.Expected, result.Got = f.member, quotable(f.expected), quotable(f.got)
			r.Results = append(r.Results, result)
		}
	}
}

// finish cancels what is still booked, and reports what may be left.
func (run *merchantRun) finish(ctx context.Context) {
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
