package merchantcheck

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"
)

// A Status is how a rule ended in a scenario.
type Status string

// The statuses.
const (
	Passed  Status = "passed"
	Failed  Status = "failed"
	Warning Status = "warning" // looks wrong, but no document rules it out
	Skipped Status = "skipped" // could not be judged, or was not asked for
)

// A Result says how one rule ended in one scenario. A rule that is broken
// at several places has a result for each.
type Result struct {
	Rule     string `json:"rule"`     // such as "standard-price"
	Title    string `json:"title"`    // what the rule demands
	Scenario string `json:"scenario"` // such as "price of 1 d 30 min"
	Status   Status `json:"status"`
	// Member is the place in the reply, empty where it is the answer as a whole.
	Member string `json:"member,omitempty"`
	// Expected and Got say what is wrong, Why what follows from it: of a failure or
	// warning only.
	Expected string `json:"expected,omitempty"`
	Got      string `json:"got,omitempty"`
	Why      string `json:"why,omitempty"`
	// Reason says why the rule was skipped.
	Reason string `json:"reason,omitempty"`
}

// A Report is the outcome of [Run]. It holds no secret and no
// signature; of the replies it quotes single values.
type Report struct {
	// Endpoint is the address that was tested, without its query.
	Endpoint string `json:"endpoint"`
	// AppKey is the app that the requests were signed for.
	AppKey string `json:"app_key"`
	// Results are in the order of the scenarios.
	Results []Result `json:"results"`
	// Quotes are the merchant's prices for the three scenarios of the guide. There are none of a run that did not begin.
	Quotes []Quote `json:"quotes"`
	// MayBeBooked lists the renewals that the run may have left behind, in words:
	// look after them by hand.
	MayBeBooked []string `json:"may_be_booked"`
}

// Count returns how many results have a status.
func (r *Report) Count(status Status) int {
	count := 0
	for _, result := range r.Results {
		if result.Status == status {
			count++
		}
	}
	return count
}

// Failed returns how many results are failures. Warnings are none.
func (r *Report) Failed() int { return r.Count(Failed) }

// OK reports whether something was checked, nothing failed, and no booking is left
// behind.
func (r *Report) OK() bool {
	return r.Failed() == 0 && r.Count(Passed) > 0 && len(r.MayBeBooked) == 0
}

// ExitCode is 0 when the report is OK, else 1: for os.Exit.
func (r *Report) ExitCode() int {
	if r.OK() {
		return 0
	}
	return 1
}

// String is the text of WriteText.
func (r *Report) String() string {
	var out strings.Builder
	r.text(&out)
	return out.String()
}

// WriteText writes the report for a reader: what failed and what is doubtful, each
// with what was expected, what came and why it matters, then what was skipped and
// what passed, the prices of the guide's scenarios, and a line that sums up. The error
// is that of w.
func (r *Report) WriteText(w io.Writer) error {
	var out bytes.Buffer
	r.text(&out)
	_, err := w.Write(out.Bytes())
	return err
}

// MarshalJSON writes the fields, and in front of them the counts: ok, failed,
// warnings, passed, skipped.
func (r *Report) MarshalJSON() ([]byte, error) {
	type fields Report
	own := fields(*r)
	own.Results = append([]Result{}, r.Results...) // a list, also where there is none
	own.Quotes = append([]Quote{}, r.Quotes...)
	own.MayBeBooked = append([]string{}, r.MayBeBooked...)
	return json.Marshal(struct {
		OK       bool `json:"ok"`
		Failed   int  `json:"failed"`
		Warnings int  `json:"warnings"`
		Passed   int  `json:"passed"`
		Skipped  int  `json:"skipped"`
		fields
	}{r.OK(), r.Failed(), r.Count(Warning), r.Count(Passed), r.Count(Skipped), own})
}

// brokenText writes how the results of one rule broke it, those that say the same together.
func brokenText(line func(format string, args ...any), results []Result) {
	same := func(m Result) string { return strings.Join([]string{m.Member, m.Expected, m.Got}, "\n") }
	for _, alike := range groupBy(results, results[0].Status, same) {
		scenarios := alike[0].Scenario
		for _, result := range alike[1:] {
			scenarios += "; " + result.Scenario
		}
		line("  %s (%s)\n    expected: %s\n    got:      %s",
			cmp.Or(alike[0].Member, "the answer"), scenarios, alike[0].Expected, alike[0].Got)
	}
}

func (r *Report) text(out io.StringWriter) {
	line := func(format string, args ...any) { _, _ = out.WriteString(fmt.Sprintf(format, args...) + "\n") }
	line("Self-test of %s, app key %s", r.Endpoint, r.AppKey)
	for _, kind := range []struct {
		status Status
		label  string
	}{{Failed, "FAILED"}, {Warning, "WARNING"}} {
		for _, group := range groupBy(r.Results, kind.status, func(m Result) string { return m.Rule }) {
			line("\n%s %s: %s", kind.label, group[0].Rule, group[0].Title)
			brokenText(line, group)
			line("  why it matters: %s", group[0].Why)
		}
	}
	if skipped := groupBy(r.Results, Skipped, func(m Result) string { return m.Reason }); skipped != nil {
		line("\nSKIPPED")
		for _, group := range skipped {
			var rules, scenarios []string
			for _, result := range group {
				rules, scenarios = append(rules, result.Rule), append(scenarios, result.Scenario)
			}
			line("  %s\n    rules:     %s\n    scenarios: %s", group[0].Reason, distinct(rules), distinct(scenarios))
		}
	}
	if len(r.MayBeBooked) > 0 {
		line("\nBOOKINGS MAY BE LEFT BEHIND")
		for _, left := range r.MayBeBooked {
			line("  %s", left)
		}
	}
	if passed := groupBy(r.Results, Passed, func(m Result) string { return m.Rule }); passed != nil {
		line("\nPASSED")
		for _, group := range passed {
			line("  %s (%d): %s", group[0].Rule, len(group), group[0].Title)
		}
	}
	if len(r.Quotes) > 0 {
		line("\nQUOTED, in yuan")
		for i := range r.Quotes {
			r.Quotes[i].text(line)
		}
	}
	verdict := "OK"
	if !r.OK() {
		verdict = "NOT OK"
	}
	line("\n%s: %d passed, %d failed, %d warnings, %d skipped", verdict,
		r.Count(Passed), r.Failed(), r.Count(Warning), r.Count(Skipped))
}

// distinct lists texts in the order of their first appearance.
func distinct(texts []string) string {
	var list []string
	for _, text := range texts {
		if !slices.Contains(list, text) {
			list = append(list, text)
		}
	}
	return strings.Join(list, ", ")
}

// groupBy gathers the results of a status, in the order of the first of each
// group.
func groupBy(
	results []Result, status Status, key func(Result) string,
) (groups [][]Result) {
	index := map[string]int{}
	for _, result := range results {
		if result.Status != status {
			continue
		}
		i, ok := index[key(result)]
		if !ok {
			i = len(groups)
			index[key(result)] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], result)
	}
	return groups
}
