package merchantcheck

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/push"
	"github.com/fliggy-go/rentcar/qimen"
)

// A trialKind says what a rule can be asked of: each rule names the kinds that
// it is for.
type trialKind uint16

const (
	askPrices trialKind = 1 << iota
	askUnknownOrder
	askMalformed
	askStale
	askForged
	askUnknownApp
	askSubmit
	askSubmitAgain
	askCancel
	askCancelAgain
	askUntraded
	askEndpoint // beside the first of askPrices

	askSubmits  = askSubmit | askSubmitAgain
	askCancels  = askCancel | askCancelAgain
	askRegulars = askPrices | askSubmits | askCancels // those that a merchant is to say yes to
)

// A trial is a request and its answer: all that a rule looks at.
type trial struct {
	scenario string
	kind     trialKind
	optional bool // the merchant may refuse

	// Of a price query.
	orderID    fliggy.ID
	outOrderID string
	from, to   fliggy.Time

	total   decimal.Decimal // of a submit: what the quote comes to
	earlier *trial          // the one that the answer is to be compared with

	skipped string // why it was not sent, or is not judged
	dead    bool   // of the first: the endpoint gave no reply to any of the guide's queries
	alive   bool   // of the first: it gave one to some query

	res    push.Result
	reply  node
	unread string // what came instead of a JSON object
	yes    bool   // success says true
	no     bool   // success says false
}

// took keeps the answer.
func (x *trial) took(res push.Result) {
	x.res = res
	switch {
	case errors.Is(res.Err, context.DeadlineExceeded):
		x.unread = "no answer in time"
		return
	case res.Err != nil:
		x.unread = "no answer: " + strconv.Quote(strings.TrimPrefix(res.Err.Error(), "merchantcheck: "))
		return
	}
	reply, err := parseNode(res.Body)
	if err != nil {
		x.unread = err.Error()
		return
	}
	x.reply = reply
	success, ok := reply.member("success").truth()
	x.yes, x.no = ok && success, ok && !success
}

// isReply reports whether the answer is one of a merchant: a JSON object, with HTTP status
// 200 or a success flag. An error page is none, in JSON neither.
func (x *trial) isReply() bool {
	return x.unread == "" && (x.res.Status == http.StatusOK || x.yes || x.no)
}

// regular reports whether there is a reply that says yes.
func (x *trial) regular() bool { return x.yes && x.res.Status == http.StatusOK }

// summary sums an answer up for the report: what it says of success and failure, and
// the names of the other members.
func (x *trial) summary() string {
	if x.unread != "" {
		return x.unread
	}
	members, _ := x.reply.value.(map[string]any)
	var said, others []string
	for _, name := range statusMembers {
		if value, ok := members[name]; ok && value == nil {
			said = append(said, name+" null")
		} else if ok {
			said = append(said, name+" "+x.reply.member(name).show())
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(statusMembers, name) {
			others = append(others, strconv.Quote(name))
		}
	}
	if more := len(others) - 5; more > 0 {
		others = append(others[:5], fmt.Sprintf("and %d more", more))
	}
	if len(others) > 0 {
		said = append(said, "other members: "+strings.Join(others, " "))
	}
	if said == nil {
		return "an object without members"
	}
	return strings.Join(said, ", ")
}

// statusMembers are the members of every reply.
var statusMembers = []string{"success", "retCode", "retMessage"}

// status sums up the HTTP status where it is not the usual one.
func (x *trial) status() string {
	if x.res.Status == http.StatusOK || x.res.Status == 0 {
		return ""
	}
	return fmt.Sprintf("HTTP status %d, ", x.res.Status)
}

// days and minutes are the period of a price query: whole days of 24 hours, and
// the scattered minutes beyond them.
func (x *trial) days() int    { return int(x.to.Sub(x.from.Time) / (24 * time.Hour)) }
func (x *trial) minutes() int { return int(x.to.Sub(x.from.Time) % (24 * time.Hour) / time.Minute) }

func (x *trial) price(name string) node { return x.reply.member("priceInfo").member(name) }
func (x *trial) calendar() []node       { return x.price("calendarPrice").items() }
func (x *trial) lines() []node          { return x.reply.member("addedServiceList").items() }

// lastDay is the last entry of the calendar, a node without value where there is
// none.
func (x *trial) lastDay() node {
	if days := x.calendar(); len(days) > 0 {
		return days[len(days)-1]
	}
	return node{path: "priceInfo.calendarPrice"}
}

// A serviceLine is a kind of added service, known by its code, or by its
// type where the merchant has codes of its own.
type serviceLine struct {
	code string
	kind fliggy.ServiceType
}

var (
	basicLine = serviceLine{qimen.BasicServiceCode, fliggy.ServiceTypeBasic}
	hourLine  = serviceLine{qimen.ScatteredHourCode, fliggy.ServiceTypeScatteredHour}
)

func (s serviceLine) is(line node) bool {
	return line.member("serviceCode").text() == s.code || line.member("serviceType").text() == fmt.Sprint(int(s.kind))
}

func (s serviceLine) among(lines []node) []node {
	return slices.DeleteFunc(slices.Clone(lines), func(line node) bool { return !s.is(line) })
}

// share gives the percentage that the merchant's own rule names for the scattered
// minutes of the period; ok is false where no range covers them.
func (r *reader) share(x *trial) (value decimal.Decimal, ok bool) {
	for _, rule := range x.price("scatteredPriceRuleInfo").member("data").items() {
		from, to := r.whole(rule.member("startTime")), r.whole(rule.member("endTime"))
		if from <= x.minutes() && x.minutes() <= to && !ok {
			value, ok = r.number(rule.member("value")), true
		}
	}
	return value, ok && r.err == nil
}

// scattered gives the scattered-hour fee that the calendar charges, and reports
// whether there is one. No fee, and a fee of zero, are one only where the
// merchant's rule makes the minutes free, or cheaper than a day: else the started
// day is charged as a whole.
func (r *reader) scattered(x *trial) (fee decimal.Decimal, applies bool) {
	if len(x.calendar()) == 0 {
		r.fail(x.price("calendarPrice"), "a list of days")
		return fee, false
	}
	n := x.lastDay().member("scatteredPrice")
	if n.set() {
		fee = r.number(n)
	}
	if !fee.IsZero() {
		return fee, true
	}
	var own reader // a rule that cannot be read is no reason to judge nothing
	share, ok := own.share(x)
	return fee, ok && x.minutes() > 0 && (share.IsZero() || n.set() && share.Cmp(hundred) < 0)
}

// rent gives the whole-day rent: the day prices of the calendar, without that of
// the last day where it is only the base of a scattered-hour fee.
func (r *reader) rent(x *trial) decimal.Decimal {
	days := x.calendar()
	if _, applies := r.scattered(x); applies {
		days = days[:len(days)-1]
	}
	var rent decimal.Decimal
	for _, day := range days {
		rent = rent.Add(r.number(day.member("dayPrice")))
	}
	return rent
}

// lines gives the added services. A quote without the list says nothing about them.
func (r *reader) lines(x *trial) []node {
	if list := x.reply.member("addedServiceList"); formOf(list.value) != formList {
		r.fail(list, "a list")
	}
	return x.lines()
}

// total gives what the customer pays: standard price and all added services.
func (r *reader) total(x *trial) decimal.Decimal {
	total := r.number(x.price("standardPrice"))
	for _, line := range r.lines(x) {
		total = total.Add(r.number(line.member("amount")))
	}
	return total
}

var hundred = decimal.NewFromInt(100)
