package merchantcheck

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/push"
)

var update = flag.Bool("update", false, "write the golden files")

// golden compares with a file, or writes it.
func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		noError(t, os.WriteFile(file, got, 0o644))
	}
	want, err := os.ReadFile(file)
	noError(t, err)
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

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

func TestMerchantReport(t *testing.T) {
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
	golden(t, "testdata/report.txt", text.Bytes())
	data, err := json.MarshalIndent(report, "", "  ")
	noError(t, err)
	golden(t, "testdata/report.json", append(data, '\n'))

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
	const empty = `{"ok":false,"failed":0,"warnings":0,"passed":0,"skipped":0,"endpoint":"","app_key":"","results":[],"may_be_booked":[]}`
	if string(data) != empty {
		t.Errorf("empty: %s", data)
	}
}

func TestMerchantReportIsOK(t *testing.T) {
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

// TestMerchantReportOfACorrectMerchant: a report of one that does it right lists
// every rule as passed, once, and nothing else.
func TestMerchantReportOfACorrectMerchant(t *testing.T) {
	t.Parallel()
	report := Run(context.Background(), connectMerchant(t, newTestMerchant()), guideCheck)
	head, rest, _ := strings.Cut(report.String(), "\n\n")
	passed, last, _ := strings.Cut(rest, "\n\n")
	if head != "Self-test of a handler, app key 24700009" || last != "OK: 131 passed, 0 failed, 0 warnings, 0 skipped\n" {
		t.Errorf("got %s", report)
	}
	if lines := strings.Count(passed, "\n"); lines != len(rules) {
		t.Errorf("%d rules passed, want %d:\n%s", lines, len(rules), passed)
	}
}

func TestBadSignatureReplyIsThatOfTheSamples(t *testing.T) {
	t.Parallel()
	var want, got any
	noError(t, json.Unmarshal([]byte(sample(t, "qimen.sign-check-failure.response")), &want))
	noError(t, json.Unmarshal([]byte(badSignatureReply), &got))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// FuzzMerchantRules answers anything to every kind of request: no rule panics, and
// the report stays readable.
func FuzzMerchantRules(f *testing.F) {
	for _, reply := range guideReplies(f) {
		f.Add(200, []byte(reply), 1470)
		f.Add(200, []byte(strings.ReplaceAll(reply, `"`, ``)), 480)
		f.Add(200, []byte(strings.NewReplacer(`10.00`, `1e30`, `:0`, `:-1e-9`, `421`, `null`).Replace(reply)), 20280)
	}
	for _, name := range []string{"renewalorder.submit.response", "renewalorder.cancel.response"} {
		f.Add(200, []byte(sample(f, "qimen.alitrip.rentcar."+name)), 0)
	}
	f.Add(400, []byte(badSignatureReply), 2880)
	f.Add(200, []byte(`{"success":true,"priceInfo":{"calendarPrice":[[],{}],"scatteredPriceRuleInfo":{"data":[7]}},"addedServiceList":[{},null]}`), 30)
	f.Add(200, []byte(`{"success":"TRUE","a\nb\u001b":1,"outOrderId":{"a":[]}}`), 1)
	m := connectMerchant(f, http.NotFoundHandler())
	f.Fuzz(func(t *testing.T, status int, body []byte, minutes int) {
		report := &Report{Endpoint: m.String()}
		earlier := &trial{}
		earlier.took(push.Result{Status: 200, Body: []byte(badSignatureReply)})
		for _, s := range scenarios {
			x := &trial{scenario: s.name, kind: s.kind, optional: s.optional, earlier: earlier, from: guideOrder.Start}
			x.to = fliggy.At(x.from.Add(time.Duration(minutes) * time.Minute))
			x.took(push.Result{Status: status, Body: body})
			report.judge(x, m.quotable)
		}
		text := report.String()
		if !utf8.ValidString(text) || strings.ContainsFunc(text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) }) {
			t.Errorf("text %q", text)
		}
		for line := range strings.Lines(text) {
			if utf8.RuneCountInString(line) > 1000 {
				t.Errorf("a line of %d bytes: %.300q", len(line), line)
			}
		}
		if data, err := json.Marshal(report); err != nil || !json.Valid(data) {
			t.Errorf("JSON: %v", err)
		}
		for _, result := range report.Results {
			said := result.Expected != "" && result.Got != "" && result.Why != "" && result.Reason == ""
			if complaint := result.Status == Failed || result.Status == Warning; complaint != said {
				t.Errorf("%+v", result)
			}
			if (result.Status == Skipped) != (result.Reason != "") {
				t.Errorf("%+v", result)
			}
		}
	})
}

// A secret of a few letters, as a first try may have, is not looked for in the report: it
// would be met in the report's own words.
func TestMerchantReportWithAShortSecret(t *testing.T) {
	t.Parallel()
	m, err := NewForHandler(http.NotFoundHandler(), "1", "s")
	noError(t, err)
	text := Run(t.Context(), m, guideCheck).String()
	if strings.Contains(text, "[redacted]") || !strings.Contains(text, "no reply of the merchant's: HTTP status 404, plain text of 18 bytes") {
		t.Errorf("got %s", text)
	}
}
