package fliggy

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Problem is one broken rule of a request or message.
type Problem struct {
	// Field is the path of the member in wire names, such as "distributor_bill_list[0].bill_no"; empty for a rule about
	// the whole.
	Field string
	// Rule says what is wrong, in a form that fits after "field: ".
	Rule string
}

// String gives "field: rule".
func (p Problem) String() string {
	if p.Field == "" {
		return p.Rule
	}
	return p.Field + ": " + p.Rule
}

// Problems collects broken rules while a request is checked. The zero value is ready.
type Problems []Problem

// Add records a broken rule; format and args are those of [fmt.Sprintf]. Rules do not quote values: requests carry
// personal data.
func (p *Problems) Add(field, format string, args ...any) {
	*p = append(*p, Problem{Field: field, Rule: fmt.Sprintf(format, args...)})
}

// In gives the same rules one level deeper: with the prefix "list[0]" the field "bill_no" becomes "list[0].bill_no",
// the field "[1]" becomes "list[0][1]", and a rule about the whole becomes one about "list[0]".
func (p Problems) In(prefix string) Problems {
	if prefix == "" {
		return p
	}
	deeper := make(Problems, len(p))
	for i, problem := range p {
		switch {
		case problem.Field == "":
			problem.Field = prefix
		case problem.Field[0] == '[':
			problem.Field = prefix + problem.Field
		default:
			problem.Field = prefix + "." + problem.Field
		}
		deeper[i] = problem
	}
	return deeper
}

// Err gives a *ValidationError for the method, nil when nothing was recorded.
func (p Problems) Err(method string) error {
	if len(p) == 0 {
		return nil
	}
	return &ValidationError{Method: method, Problems: p}
}

// ErrInvalidRequest is matched by every *ValidationError.
var ErrInvalidRequest = errors.New("invalid request")

// ValidationError says that a request or message breaks documented rules. A request that fails with it was not sent.
type ValidationError struct {
	// Method is the API name, such as "alitrip.rentcar.btb.bill.notify"; empty when the check belongs to none.
	Method string
	// Problems are all broken rules, in the order of the fields.
	Problems []Problem
}

// maxListed keeps the text of an error about ten thousand bill lines readable; Problems has them all.
const maxListed = 20

// Is matches ErrInvalidRequest.
func (e *ValidationError) Is(target error) bool { return target == ErrInvalidRequest }

// Error lists the broken rules, the first twenty of them and the number of the others.
func (e *ValidationError) Error() string {
	var b strings.Builder
	b.WriteString("rentcar: ")
	if e.Method != "" {
		b.WriteString(e.Method + ": ")
	}
	b.WriteString("not valid")
	separator := ": "
	for i, problem := range e.Problems {
		if i == maxListed {
			b.WriteString("; and " + strconv.Itoa(len(e.Problems)-i) + " more")
			break
		}
		b.WriteString(separator + problem.String())
		separator = "; "
	}
	return b.String()
}
