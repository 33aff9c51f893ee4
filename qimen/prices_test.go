package qimen

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
)

// A cancellation tier or a scattered-hour rule that comes without one of its numbers is an error: 0 percent, 0 hours
// would be read as free of charge.
func TestPricesReplyLacksNumbers(t *testing.T) {
	t.Parallel()
	sample, err := quotes()[0].MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	const tiers, rules = "cancelStrategyStruct.cancelRules", "priceInfo.scatteredPriceRuleInfo.data"
	for _, c := range []struct{ place, list, want string }{
		{tiers, `"[{}]"`, tiers + "[0].num: missing"},
		{rules, `[{}]`, rules + "[0].value: missing"},
		{rules, `[{"value":"100"}]`, rules + "[0].startTime: missing"},
		{rules, `[{"value":"100","startTime":0}]`, rules + "[0].endTime: missing"},
	} {
		var reply map[string]any
		if err := json.Unmarshal(sample, &reply); err != nil {
			t.Fatal(err)
		}
		path := strings.Split(c.place, ".")
		in := reply
		for _, name := range path[:len(path)-1] {
			in = in[name].(map[string]any)
		}
		in[path[len(path)-1]] = json.RawMessage(c.list)
		body, err := json.Marshal(reply)
		if err != nil {
			t.Fatal(err)
		}
		got := RenewalPricesReply{CancelPolicy: fliggy.CancelPolicy{CancelType: 7}}
		if err := got.UnmarshalJSON(body); err == nil || err.Error() != "qimen: "+c.want || got.CancelPolicy.CancelType != 7 {
			t.Errorf("%s %s: %v, read %+v", c.place, c.list, err, got)
		}
	}
}

// A 0 that a merchant sets is encoded and decoded: it is required, and set.
func TestPricesReplyKeepsZeroNumbers(t *testing.T) {
	t.Parallel()
	quote := quotes()[0]
	quote.CancelPolicy.Rules = []fliggy.CancelRule{{}}
	quote.Price.ScatteredPriceRules.Rules = quote.Price.ScatteredPriceRules.Rules[:1]
	quote.Price.ScatteredPriceRules.Rules[0].StartTime, quote.Price.ScatteredPriceRules.Rules[0].EndTime = 0, 0
	if err := quote.Validate(); err != nil {
		t.Fatal(err)
	}
	body, err := quote.MarshalJSON()
	if err != nil || !strings.Contains(
		string(body), `"cancelRules":[{"num":0,"time":0}]`,
	) || !strings.Contains(string(body), `"startTime":0,"endTime":0`) {
		t.Fatalf("%s, %v", body, err)
	}
	var again RenewalPricesReply
	if err := again.UnmarshalJSON(body); err != nil || len(again.CancelPolicy.Rules) != 1 {
		t.Errorf("%+v, %v", again, err)
	}
}

// The customer pays the standard price and all lines; the basic service fee beside it is not added again.
func TestTotal(t *testing.T) {
	t.Parallel()
	q := quotes()
	for i, want := range []string{"16.02", "21.02", "146.14"} {
		if got, err := q[i].Total(); err != nil || got != fliggy.MustYuan(want) {
			t.Errorf("scenario %d: %s, want %s", i+1, got, want)
		}
	}
	// Without one of the amounts there is no total. (Lines without an amount counted as 0 here before: too low a
	// total was booked.)
	for want, r := range map[string]*RenewalPricesReply{
		"priceInfo.standardPrice: is missing": {AddedServices: q[0].AddedServices},
		"addedServiceList[0].amount: is missing; addedServiceList[1].amount: is missing": {
			Price: RenewalPrice{StandardPrice: fliggy.MustYuan("0")}, AddedServices: make([]AddedService, 2),
		},
	} {
		if got, err := r.Total(); got.IsSet() || err == nil || !strings.HasSuffix(err.Error(), "not valid: "+want) {
			t.Errorf("got %v, %v; want %s", got, err, want)
		}
	}
}
