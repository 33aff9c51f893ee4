package pricing

import (
	"errors"
	"fmt"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/shopspring/decimal"
)

// maxChoices bounds the sums that CheckTotal adds up: every choice among 16 optional
// services that cost something, or more where sums coincide.
const maxChoices = 1 << 16

// A TotalError says that a submitted total does not agree with a quote.
type TotalError struct {
	// Quoted is the total of the quote with all its lines, in yuan; unset when the
	// quote has none.
	Quoted fliggy.Yuan
	// Mandatory is that total without the optional lines.
	Mandatory fliggy.Yuan
	// Submitted is the total that was submitted, in yuan.
	Submitted fliggy.Yuan
	// Incomplete says that the quote has too many optional lines: not every choice of
	// them was compared.
	Incomplete bool
	// Err says why the quote has no total: which amounts it lacks. Nil when it has one.
	Err error
}

// Unwrap returns Err.
func (e *TotalError) Unwrap() error { return e.Err }

// Error gives both totals, or says why the quote has none.
func (e *TotalError) Error() string {
	switch {
	case e.Err != nil:
		return "pricing: the quote has no total: " + e.Err.Error()
	case !e.Quoted.IsSet():
		return "pricing: the quote has no total"
	case !e.Submitted.IsSet():
		return fmt.Sprintf("pricing: no total is submitted, quoted is %s", e.Quoted)
	}
	text := fmt.Sprintf("pricing: the submitted total is %s, quoted is %s", e.Submitted, e.Quoted)
	if !e.Mandatory.Equal(e.Quoted) {
		text += fmt.Sprintf(", without optional services %s", e.Mandatory)
	}
	if e.Incomplete {
		text += "; too many optional services to compare every choice of them"
	}
	return text
}

var errNoQuote = errors.New("there is no quote")

// CheckTotal reports whether the total of a submit (renewalOrderTotalAmount) agrees with
// the quote: nil, or a *[TotalError]. Amounts are compared exactly, whatever their
// scale: the total of the submit sample, 16.02, is the exact sum of its parts. An
// unset or negative total never agrees, nor does any total with a quote that has none:
// one without its standard price, or with a line without its amount, optional or not.
//
// No document says whether the total has the optional services (isFixed 0), and a
// submit does not name the chosen ones. So a total agrees that is the mandatory part
// plus any of the optional lines; which of them were chosen stays unknown. Up to 16 of them are compared in every choice;
// beyond 65536 sums the search ends, and the error says so.
//
// Source: qimen.alitrip.rentcar.renewalorder.submit, merchant renewal guide.
func CheckTotal(quote *qimen.RenewalPricesReply, submitted fliggy.Yuan) error {
	if quote == nil {
		return &TotalError{Submitted: submitted, Err: errNoQuote}
	}
	e := &TotalError{Submitted: submitted}
	if e.Quoted, e.Err = quote.Total(); e.Err != nil {
		return e
	}
	e.Mandatory = quote.Price.StandardPrice
	var optional []decimal.Decimal
	for _, s := range quote.AddedServices {
		amount, _ := s.Amount.Decimal() // Total found it
		if s.IsMandatory != 0 {
			e.Mandatory = e.Mandatory.Add(s.Amount)
		} else if !amount.IsZero() {
			optional = append(optional, amount)
		}
	}
	want, ok := submitted.Decimal()
	if !ok || want.IsNegative() {
		return e
	}
	if submitted.Equal(e.Quoted) {
		return nil
	}
	mandatory, _ := e.Mandatory.Decimal()
	found, complete := anySum(mandatory, optional, want)
	if found {
		return nil
	}
	e.Incomplete = !complete
	return e
}

// anySum reports whether want is base plus some of the amounts, and whether every such
// sum was looked at. Each distinct sum is kept once, so equal amounts cost little.
func anySum(base decimal.Decimal, amounts []decimal.Decimal, want decimal.Decimal) (found, complete bool) {
	if base.Equal(want) {
		return true, true
	}
	sums, seen, left := []decimal.Decimal{base}, map[string]bool{base.String(): true}, maxChoices
	for _, amount := range amounts {
		if left -= len(sums); left < 0 {
			return false, false
		}
		for _, sum := range sums { // as long as it is now: no amount is added twice
			sum = sum.Add(amount)
			if sum.Equal(want) {
				return true, true
			}
			if key := sum.String(); !seen[key] { // without trailing zeros
				seen[key] = true
				sums = append(sums, sum)
			}
		}
	}
	return false, true
}
