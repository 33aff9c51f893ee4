package merchantcheck

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/push"
)

func info(reply object) object     { return reply["priceInfo"].(object) }
func strategy(reply object) object { return reply["cancelStrategyStruct"].(object) }
func tiers(reply object) []any     { return strategy(reply)["cancelRules"].([]any) }
func calendar(reply object) []any  { return info(reply)["calendarPrice"].([]any) }
func lastOf(list []any) object     { return list[len(list)-1].(object) }
func services(reply object) []any  { return reply["addedServiceList"].([]any) }
func basic(reply object) object    { return services(reply)[0].(object) }
func ranges(reply object) []any {
	return info(reply)["scatteredPriceRuleInfo"].(object)["data"].([]any)
}

// hour is the hour-fee line, or an object of its own where there is none.
func hour(reply object) object {
	if last := lastOf(services(reply)); last["serviceCode"] == "hourFee" {
		return last
	}
	return object{}
}

func hit(reply object) bool { return len(hour(reply)) > 0 }

// plus adds amounts.
func plus(a, b any) string {
	return dec(fmt.Sprint(a)).Add(dec(fmt.Sprint(b))).StringFixed(2)
}

// priced spoils price replies.
func priced(spoil func(reply object)) func(*testMerchant) {
	return func(m *testMerchant) { m.prices = spoil }
}

// A plantedFault is a merchant with one mistake.
type plantedFault struct {
	name  string
	plant func(*testMerchant)
	rule  string   // that names the mistake
	also  []string // what the mistake breaks besides
}

var plantedFaults = slices.Concat(plantedAnswers, plantedForms, plantedLines, plantedPrices)

// TestPlantedFaults: each mistake is caught by the rule that names it, and by no
// other than those listed. "left" stands for a booking that may be left.
func TestPlantedFaults(t *testing.T) {
	t.Parallel()
	for _, fault := range plantedFaults {
		m := newTestMerchant()
		fault.plant(m)
		report := Run(context.Background(), connectMerchant(t, m), guideCheck)
		got := broken(report)
		if len(report.MayBeBooked) > 0 {
			got = append(got, "left")
		}
		want := append([]string{fault.rule}, fault.also...)
		slices.Sort(want)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s\n%v", fault.name, diff, report)
		}
		if left := m.booked(); len(report.MayBeBooked) == 0 && len(left) > 0 {
			t.Errorf("%s: left without a word: %v", fault.name, left)
		}
		if fails := strings.Count(strings.Join(got, "\n")+"\n", "\n") > strings.Count(
			strings.Join(got, "\n"), "(warning)",
		); fails == report.OK() {
			t.Errorf("%s: OK is %v with %v", fault.name, report.OK(), got)
		}
	}
}

// TestEveryRuleIsPlanted: each rule has a mistake that it names.
func TestEveryRuleIsPlanted(t *testing.T) {
	t.Parallel()
	for _, rule := range rules {
		named := false
		for _, fault := range plantedFaults {
			named = named || strings.TrimSuffix(fault.rule, " (warning)") == rule.id
		}
		if !named {
			t.Errorf("no merchant breaks %s", rule.id)
		}
		if rule.title == "" || rule.why == "" || rule.on == 0 {
			t.Errorf("%s: incomplete", rule.id)
		}
	}
}

// FuzzRules answers anything to every kind of request: no rule panics, and
// the report stays readable.
func FuzzRules(f *testing.F) {
	for _, reply := range guideReplies(f) {
		f.Add(200, []byte(reply), 1470)
		f.Add(200, []byte(strings.ReplaceAll(reply, `"`, ``)), 480)
		f.Add(200, []byte(strings.NewReplacer(`10.00`, `1e30`, `:0`, `:-1e-9`, `421`, `null`).Replace(reply)), 20280)
	}
	for _, name := range []string{"renewalorder.submit.response", "renewalorder.cancel.response"} {
		f.Add(200, []byte(sample(f, "qimen.alitrip.rentcar."+name)), 0)
	}
	f.Add(400, []byte(badSignatureReply), 2880)
	f.Add(
		200,
		[]byte(
			`{"success":true,"priceInfo":{"calendarPrice":[[],{}],"scatteredPriceRuleInfo":{"data":[7]}},"addedServiceList":[`+
				`{},null]}`,
		),
		30,
	)
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
		if !utf8.ValidString(text) || strings.ContainsFunc(
			text, func(r rune) bool { return r != '\n' && unicode.IsControl(r) },
		) {
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
