package fliggy_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/google/go-cmp/cmp"
)

func TestProblems(t *testing.T) {
	t.Parallel()
	var line fliggy.Problems
	line.Add("bill_no", "is required")
	line.Add("", "amounts must be positive")
	line.Add("[2].biz_type", "must be %d to %d", 10, 14)

	var all fliggy.Problems
	all.Add("channel_id", "is required")
	all = append(all, line.In("distributor_bill_list[0]")...)
	want := fliggy.Problems{
		{"channel_id", "is required"},
		{"distributor_bill_list[0].bill_no", "is required"},
		{"distributor_bill_list[0]", "amounts must be positive"},
		{"distributor_bill_list[0][2].biz_type", "must be 10 to 14"},
	}
	if diff := cmp.Diff(want, all); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(line, line.In("")); diff != "" || line[0].Field != "bill_no" {
		t.Errorf("In changed its receiver or prefixed by nothing: %s", diff)
	}
}

func TestProblemsErr(t *testing.T) {
	t.Parallel()
	var none fliggy.Problems
	if err := none.Err("m"); err != nil {
		t.Errorf("no problems give %v", err)
	}
	if err := none.In("a").Err("m"); err != nil {
		t.Errorf("no nested problems give %v", err)
	}
	err := fmt.Errorf("wrapped: %w", fliggy.Problems{{"a", "is required"}}.Err("alitrip.rentcar.btb.bill.notify"))
	var invalid *fliggy.ValidationError
	if !errors.As(err, &invalid) || invalid.Method != "alitrip.rentcar.btb.bill.notify" || len(invalid.Problems) != 1 {
		t.Fatalf("got %#v", err)
	}
	if data, err := json.Marshal(invalid); err != nil ||
		string(data) != `{"Method":"alitrip.rentcar.btb.bill.notify","Problems":[{"Field":"a","Rule":"is required"}]}` {
		t.Errorf("JSON %s, %v", data, err)
	}
}

func TestValidationErrorText(t *testing.T) {
	t.Parallel()
	many := func(n int) (p fliggy.Problems) {
		for i := range n {
			p.Add(fmt.Sprintf("f%d", i), "is required")
		}
		return p
	}
	for _, c := range []struct {
		method   string
		problems fliggy.Problems
		want     string
	}{
		{
			"METHOD", fliggy.Problems{{"a", "is required"}, {"b", "must be positive"}},
			"rentcar: METHOD: not valid: a: is required; b: must be positive",
		},
		{"", fliggy.Problems{{"", "nothing is set"}}, "rentcar: not valid: nothing is set"},
		{"M", nil, "rentcar: M: not valid"},
	} {
		err := &fliggy.ValidationError{Method: c.method, Problems: c.problems}
		if err.Error() != c.want {
			t.Errorf("got %q, want %q", err, c.want)
		}
	}
	if text := many(20).Err("M").Error(); !strings.HasSuffix(text, "f19: is required") {
		t.Errorf("20 problems: %q", text)
	}
	if text := many(21).Err("M").Error(); !strings.HasSuffix(text, "f19: is required; and 1 more") {
		t.Errorf("21 problems: %q", text)
	}
	if text := many(10_000).Err("M").Error(); !strings.HasSuffix(text, "; and 9980 more") || len(text) > 1000 {
		t.Errorf("10,000 problems: %q", text)
	}
}
