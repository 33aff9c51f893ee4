package acceptance

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// A leakRow provokes failures of a part of the API with markers in every place, and
// says which of them may be seen.
type leakRow struct {
	name   string
	covers []string // exported names that it drives, as exportedAPI has them
	want   string   // in the text of one of the values: the failure is the one that is meant
	// run returns what a user gets to see: errors, and values that promise to be safe.
	run func(t *testing.T, s *leakStage) []any
	// may are the markers that the values may show, and mayLog those that logs and
	// observers may, each with the reason.
	may, mayLog leakReasons
}

type leakReasons map[leakMarker]string

// leakTable is every error path of every package.
func leakTable() []leakRow {
	return slices.Concat(clientRows(), validationRows(), callRows(), outcomeRows(), eventRows(), vocabularyRows(),
		pushRows(), handlerRows(), gateRows(), inboxRows(), durableRows(), outboxRows(), pricingRows(), gatewayRows(),
		merchantRows(), printRows())
}

// No secret, session, signature and no personal data reaches an error, a log line, an
// observer or anything that is printed of them.
func TestSecretsTable(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, row := range leakTable() {
		if names[row.name] {
			t.Errorf("two rows are called %q", row.name)
		}
		names[row.name] = true
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			row.check(t)
		})
	}
}

func (row leakRow) check(t *testing.T) {
	s := newLeakStage(t)
	var values []any
	met := false
	for _, v := range row.run(t, s) {
		err, isError := v.(error)
		if isError {
			values = append(values, errorTree(err)...)
			row.checkUnreachable(t, s, err)
		} else {
			values = append(values, v)
		}
		met = met || strings.Contains(fmt.Sprint(v), row.want)
	}
	if !met || len(values) == 0 || row.want == "" {
		t.Errorf("nothing says %q: %v", row.want, values)
	}
	judge := func(where string, texts map[string]string, may leakReasons) {
		found := leaks(texts, s.signatures()...)
		for m, how := range found {
			if may[m] == "" {
				t.Errorf("%s: %s: %s", where, m.what, how)
			}
		}
		for m, reason := range may {
			if found[m] == "" {
				t.Errorf("%s: %s may be shown (%s), and is not: take the permission away", where, m.what, reason)
			}
		}
	}
	judge("values", leakTexts(values...), row.may)
	texts := leakTexts(s.observed()...)
	texts[idsInLog.ReplaceAllString(s.log.String(), "")] = "log"
	judge("log and observers", texts, row.mayLog)
}

// idsInLog is where a line of the client's log has the ids of an order or a bill: they are
// what a refused call is found by, and name nobody.
var idsInLog = regexp.MustCompile(`ids\.[a-z_]+=[0-9A-Za-z_./-]+|"ids":\{("[a-z_]+":"[0-9A-Za-z_./-]+",?)+\}`)

// checkUnreachable fails where a secret or a signature lies in the fields of an error,
// whether it is printed or not: the differ of a test library shows all.
func (row leakRow) checkUnreachable(t *testing.T, s *leakStage, err error) {
	for _, m := range append(s.signatures(), markSecret, markSession, markToken) {
		if row.may[m] != "" {
			continue
		}
		for _, found := range Reachable(err, m.text) {
			t.Errorf("%s in an error: %s", m.what, found)
		}
	}
}

// errOf is for rows of functions with one error.
func errOf(f func() error) func(*testing.T, *leakStage) []any {
	return func(*testing.T, *leakStage) []any { return []any{f()} }
}

// second drops the first result of a function, and keeps its error.
func second[T any](_ T, err error) error { return err }

// all makes values of errors, without those that are nil.
func all(errs ...error) []any {
	var values []any
	for _, err := range errs {
		if err != nil {
			values = append(values, err)
		}
	}
	return values
}

var errUser = errors.New("an error of the user's own")
