package pricing_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/google/go-cmp/cmp"
)

var (
	yuan    = fliggy.MustYuan
	number  = fliggy.MustDecimal
	at      = fliggy.MustTime
	pickUp  = at("2023-02-04 10:00")
	include = []string{"基础服务费,超出1500元的交通事故车辆维修费用免赔(不包含玻璃、轮胎、轮毂),第三者保障50万,承租方承担停运损失费和折旧损失费。"}
)

// tiers are the cancellation tiers of the guide.
var tiers = []fliggy.CancelRule{
	{Num: 0, Time: 72}, {Num: 10, Time: 48}, {Num: 20, Time: 24}, {Num: 30, Time: 2}, {Num: 50, Time: 0},
}

// exact compares numbers by their text: 10 and 10.00 differ.
var exact = cmp.Options{
	cmp.Comparer(func(a, b fliggy.Yuan) bool { return a == b }),
	cmp.Comparer(func(a, b fliggy.Decimal) bool { return a == b }),
}

// guidePlan returns the plan behind the samples of the guide, a fresh one each time.
func guidePlan() *pricing.Plan {
	return &pricing.Plan{
		DayPrice:    yuan("10"),
		PoundageFee: yuan("1.0"),
		ScatteredRules: []fliggy.ScatteredPriceRule{
			{Value: number("50"), StartTime: 0, EndTime: 420},
			{Value: number("100"), StartTime: 421, EndTime: 1440},
		},
		Services: []pricing.Service{{
			Type: fliggy.ServiceTypeBasic, Code: qimen.BasicServiceCode, Name: "基础服务费", Desc: "基础服务费",
			Price: yuan("0.01"), Include: slices.Clone(include),
		}},
		CancelPolicy: fliggy.CancelPolicy{Rules: slices.Clone(tiers), CancelType: 1, SupportCancel: true},
	}
}

// rule makes a scattered-hour rule.
func rule(value string, start, end int) fliggy.ScatteredPriceRule {
	return fliggy.ScatteredPriceRule{Value: number(value), StartTime: start, EndTime: end}
}

func readSample(t testing.TB, name string, into any) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "testdata", "samples", "qimen.alitrip.rentcar."+name+".json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func mustQuote(t testing.TB, p *pricing.Plan, from, to fliggy.Time) *qimen.RenewalPricesReply {
	t.Helper()
	reply, err := p.Quote(from, to)
	if err != nil {
		t.Fatal(err)
	}
	if err := reply.Validate(); err != nil {
		t.Fatal(err)
	}
	return reply
}

// after returns the time n minutes after the pick-up.
func after(minutes int) fliggy.Time { return plus(pickUp, minutes*60) }

// wantProblems checks that err lists exactly these problems.
func wantProblems(t *testing.T, err error, method string, want ...string) {
	t.Helper()
	var invalid *fliggy.ValidationError
	if !errors.As(err, &invalid) {
		t.Fatalf("got %v, want a ValidationError", err)
	}
	var got []string
	for _, p := range invalid.Problems {
		got = append(got, p.String())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if invalid.Method != method {
		t.Errorf("method %q, want %q", invalid.Method, method)
	}
	if !errors.Is(err, fliggy.ErrInvalidRequest) {
		t.Error("the error is not ErrInvalidRequest")
	}
}

// totalOf returns the total of a quote that has one.
func totalOf(t interface {
	Helper()
	Fatalf(string, ...any)
}, r *qimen.RenewalPricesReply,
) fliggy.Yuan {
	t.Helper()
	total, err := r.Total()
	if err != nil || !total.IsSet() {
		t.Fatalf("total %q, %v", total, err)
	}
	return total
}
