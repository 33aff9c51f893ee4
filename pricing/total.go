package pricing

import (
	"errors"
	"fmt"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/qimen"
	"github.com/shopspring/decimal"
)

// maxChoices limits the sums that CheckTotal computes. It allows every choice of 16 optional services with a price, or
// of more if sums coincide.
const maxChoices = 1 << 16

// A TotalError means that a submitted total does not agree with a quote.
type TotalError struct {
	// Quoted is the total of the quote with all its lines, in yuan. It is unset if the quote has no total.
	Quoted fliggy.Yuan
	// Mandatory is the total without the optional lines, in yuan.
	Mandatory fliggy.Yuan
	// Submitted is the submitted total, in yuan.
	Submitted fliggy.Yuan
	// Incomplete reports whether the quote has too many optional lines to compare every choice of them.
	Incomplete bool
	// Err names the amounts without which the quote has no total. It is nil if the quote has a total.
	Err error
}

// Unwrap returns Err.
func (e *TotalError) Unwrap() error { return e.Err }

// Error returns both totals, or the reason why the quote has none.
func (e *TotalError) Error() string {
	switch {
	case e.Err != nil:
		return "pricing: the quote has no total: " + e.Err.Error()
	case !e.Quoted.IsSet():
		return "pricing: the quote has no total"
	case !e.Submitted.IsSet():
		return fmt.Sprintf("pricing: the submitted total is missing, quoted is %s", e.Quoted)
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

var errNoQuote = errors.New("the quote is nil")

// CheckTotal compares the total of a submit (renewalOrderTotalAmount) with the quote. It returns nil if they agree,
// else a *[TotalError]. Amounts are compared exactly, whatever their scale: the total of the submit sample, 16.02, is
// the exact sum of its parts. An unset or negative total never agrees. Nor does any total agree with a quote that has
// no total: one that lacks its standard price, or the amount of any line, optional or not.
//
// No document says whether the total includes the optional services (isFixed 0), and a submit does not list the chosen
// ones. A total therefore agrees if it is the mandatory part plus any choice of the optional lines; which of them were
// chosen stays unknown. CheckTotal compares every choice of up to 16 optional lines. It stops after 65536 sums, and the
// error then says that the search is incomplete.
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
		amount, _ := s.Amount.Decimal() // Total checked it
		if s.Mandatory {
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

// anySum reports whether want is base plus some of the amounts, and whether it tried every such sum. It keeps each
// distinct sum once, so that equal amounts cost little.
func anySum(base decimal.Decimal, amounts []decimal.Decimal, want decimal.Decimal) (found, complete bool) {
	if base.Equal(want) {
		return true, true
	}
	sums, seen, left := []decimal.Decimal{base}, map[string]bool{base.String(): true}, maxChoices
	for _, amount := range amounts {
		if left -= len(sums); left < 0 {
			return false, false
		}
		for _, sum := range sums { // without the sums appended below: no amount is added twice
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
