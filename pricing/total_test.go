package pricing_test

import (
	"errors"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/pricing"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/google/go-cmp/cmp"
)

// quoteOf returns a quote with a standard price and lines of these amounts.
func quoteOf(standard string, mandatory, optional []string) *qimen.RenewalPricesReply {
	r := &qimen.RenewalPricesReply{Price: qimen.RenewalPrice{StandardPrice: yuan(standard), BasicServiceFee: yuan("0.02")}}
	for _, amount := range mandatory {
		r.AddedServices = append(r.AddedServices, qimen.AddedService{Amount: yuan(amount), Mandatory: true})
	}
	for _, amount := range optional {
		r.AddedServices = append(r.AddedServices, qimen.AddedService{Amount: yuan(amount)})
	}
	return r
}

func repeated(amount string, n int) (list []string) {
	for range n {
		list = append(list, amount)
	}
	return list
}

// powers returns n amounts whose sums all differ: 1, 2, 4 and so on.
func powers(n int) (list []string) {
	for i := range n {
		list = append(list, fliggy.FenOf(100<<i).Yuan().String())
	}
	return list
}

// unpriced returns a quote with a line that has no amount.
func unpriced(mandatory bool) *qimen.RenewalPricesReply {
	r := quoteOf("11.00", nil, nil)
	r.AddedServices = []qimen.AddedService{{Mandatory: mandatory}}
	return r
}

func TestCheckTotal(t *testing.T) {
	t.Parallel()
	const lacks = "pricing: the quote has no total: rentcar: qimen.alitrip.rentcar.renewalprices.query: not valid: "
	guide := quoteOf("11.00", []string{"0.02", "5.00"}, nil)
	choice := quoteOf("11.00", []string{"0.02"}, []string{"5.00", "30", "0.00"})
	for _, c := range []struct {
		name  string
		quote *qimen.RenewalPricesReply
		total string // "" is unset
		want  string // "" agrees
	}{
		{"equal", guide, "16.02", ""},
		{"another scale", guide, "16.0200", ""},
		{"basic service twice", guide, "16.04", "pricing: the submitted total is 16.04, quoted is 16.02"},
		{"a fen less", guide, "16.01", "pricing: the submitted total is 16.01, quoted is 16.02"},
		{"less than a fen more", guide, "16.0200001", "pricing: the submitted total is 16.0200001, quoted is 16.02"},
		{"without a mandatory line", guide, "11.02", "pricing: the submitted total is 11.02, quoted is 16.02"},
		{"zero", guide, "0", "pricing: the submitted total is 0, quoted is 16.02"},
		{"negative", guide, "-16.02", "pricing: the submitted total is -16.02, quoted is 16.02"},
		{"unset", guide, "", "pricing: the submitted total is missing, quoted is 16.02"},
		{"nothing to pay", quoteOf("0.00", nil, nil), "0", ""},
		{"nothing to pay, unset", quoteOf("0.00", nil, nil), "", "pricing: the submitted total is missing, quoted is 0.00"},
		{
			"negative, as quoted", quoteOf("-5.00", nil, nil), "-5.00", "pricing: the submitted total is -5.00, quoted is -5.00",
		},

		{"all optional", choice, "46.02", ""},
		{"none", choice, "11.02", ""},
		{"one", choice, "16.02", ""},
		{"the other", choice, "41.02", ""},
		{
			"one twice", choice, "21.02",
			"pricing: the submitted total is 21.02, quoted is 46.02, without optional services 11.02",
		},
		{
			"optional alone", choice, "35",
			"pricing: the submitted total is 35, quoted is 46.02, without optional services 11.02",
		},

		{"16 optional, some", quoteOf("0", nil, powers(16)), "43690", ""},
		{
			"16 optional, not whole", quoteOf("0", nil, powers(16)), "43690.5",
			"pricing: the submitted total is 43690.5, quoted is 65535.00, without optional services 0",
		},
		{"17 optional, all", quoteOf("0", nil, powers(17)), "131071", ""},
		{"17 optional, none", quoteOf("0", nil, powers(17)), "0", ""},
		{"17 optional, found early", quoteOf("0", nil, powers(17)), "5", ""},
		{
			"17 optional, not found", quoteOf("0", nil, powers(17)), "0.5",
			"pricing: the submitted total is 0.5, quoted is 131071.00, without optional services 0; too many optional " +
				"services to compare every choice of them",
		},
		{"300 equal ones", quoteOf("0", nil, repeated("0.10", 300)), "7.3", ""},
		{
			"300 equal ones, not", quoteOf("0", nil, repeated("0.10", 300)), "7.35",
			"pricing: the submitted total is 7.35, quoted is 30.00, without optional services 0",
		},
		{
			"10000 equal ones", quoteOf("0", nil, repeated("0.1", 10000)), "0.05",
			"pricing: the submitted total is 0.05, quoted is 1000.0, without optional services 0; too many optional services " +
				"to compare every choice of them",
		},

		{"no quote", nil, "16.02", "pricing: the quote has no total: the quote is nil"},
		{
			"no standard price", &qimen.RenewalPricesReply{AddedServices: guide.AddedServices}, "5.02",
			lacks + "priceInfo.standardPrice: is missing",
		},
		// A line without its amount counted as 0 before.
		{"no amount", unpriced(true), "11.00", lacks + "addedServiceList[0].amount: is missing"},
		{"no amount, optional", unpriced(false), "11.00", lacks + "addedServiceList[0].amount: is missing"},
		{"nothing at all", unpriced(false), "", lacks + "addedServiceList[0].amount: is missing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var submitted fliggy.Yuan
			if c.total != "" {
				submitted = yuan(c.total)
			}
			err := pricing.CheckTotal(c.quote, submitted)
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			var mismatch *pricing.TotalError
			if err != nil && (!errors.As(err, &mismatch) || mismatch.Submitted != submitted) {
				t.Errorf("%#v", err)
			}
		})
	}
	var got *pricing.TotalError
	if !errors.As(pricing.CheckTotal(choice, yuan("47")), &got) {
		t.Fatal("47 agrees")
	}
	want := &pricing.TotalError{Quoted: yuan("46.02"), Mandatory: yuan("11.02"), Submitted: yuan("47")}
	if diff := cmp.Diff(want, got, exact); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
