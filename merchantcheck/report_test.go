package merchantcheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/internal/golden"
)

// faultyMerchant makes several mistakes at once.
func faultyMerchant() *testMerchant {
	m := newTestMerchant()
	m.prices = func(r object) {
		info(r)["standardPrice"] = plus(info(r)["standardPrice"], basic(r)["amount"])
		delete(info(r), "standardUnitPrice")
		if !hit(r) {
			delete(r, "success")
		}
	}
	m.badStatus = http.StatusBadRequest
	m.submitted = func(_ int, r object) { delete(r, "outOrderId") }
	return m
}

func TestReport(t *testing.T) {
	t.Parallel()
	report := Run(context.Background(), connectMerchant(t, faultyMerchant()), guideCheck)
	if len(report.MayBeBooked) != 1 || report.OK() || report.ExitCode() != 1 || report.Failed() != report.Count(Failed) {
		t.Errorf("%+v", report)
	}
	// The trade number differs from run to run.
	begin := strings.Index(report.MayBeBooked[0], "number ") + len("number ")
	report.MayBeBooked[0] = report.MayBeBooked[0][:begin] + "X" + report.MayBeBooked[0][begin+21:]
	var text bytes.Buffer
	noError(t, report.WriteText(&text))
	if text.String() != report.String() {
		t.Error("String and WriteText differ")
	}
	golden.Compare(t, "testdata/report.txt", text.Bytes())
	data, err := json.MarshalIndent(report, "", "  ")
	noError(t, err)
	golden.Compare(t, "testdata/report.json", append(data, '\n'))

	var again Report
	noError(t, json.Unmarshal(data, &again))
	if diff := cmp.Diff(report, &again); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
	if err := report.WriteText(failingWriter{}); !errors.Is(err, errFailingWriter) {
		t.Errorf("a failing writer: %v", err)
	}
	data, err = json.Marshal(new(Report))
	noError(t, err)
	const empty = `{"ok":false,"failed":0,"warnings":0,"passed":0,"skipped":0,"endpoint":"","app_key":"","results":[],"` +
		`quotes":[],"may_be_booked":[]}`
	if string(data) != empty {
		t.Errorf("empty: %s", data)
	}
}

func TestReportIsOK(t *testing.T) {
	t.Parallel()
	passed, warning := Result{Status: Passed}, Result{Status: Warning}
	failed, skipped := Result{Status: Failed}, Result{Status: Skipped}
	for _, c := range []struct {
		results []Result
		left    []string
		ok      bool
	}{
		{[]Result{passed, warning, skipped}, nil, true},
		{[]Result{passed, failed}, nil, false},
		{[]Result{passed}, []string{"a renewal"}, false},
		{[]Result{skipped}, nil, false},
		{nil, nil, false},
	} {
		report := &Report{Results: c.results, MayBeBooked: c.left}
		if report.OK() != c.ok || report.ExitCode() == 0 != c.ok {
			t.Errorf("%+v: OK is %v, exit code %d", report, report.OK(), report.ExitCode())
		}
	}
}

var errFailingWriter = errors.New("no space left")

type failingWriter struct{}

func (failingWriter) Write([]byte) (int, error) { return 0, errFailingWriter }

// TestReportOfACorrectMerchant: a report of one that does it right lists
// every rule as passed, once, and nothing else.
func TestReportOfACorrectMerchant(t *testing.T) {
	t.Parallel()
	report := Run(context.Background(), connectMerchant(t, newTestMerchant()), guideCheck)
	head, rest, _ := strings.Cut(report.String(), "\n\n")
	passed, rest, _ := strings.Cut(rest, "\n\n")
	_, last, _ := strings.Cut(rest, "\n\n")
	if head != "Self-test of a handler, app key 24700009" || last != "OK: 131 passed, 0 failed, 0 warnings, 0 skipped\n" {
		t.Errorf("got %s", report)
	}
	if lines := strings.Count(passed, "\n"); lines != len(rules) {
		t.Errorf("%d rules passed, want %d:\n%s", lines, len(rules), passed)
	}
}
