package api

import (
	"regexp"
	"strings"
	"testing"

	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
)

// reads are the last words of the names of APIs that change nothing.
var reads = []string{"query", "check", "checkcancel", "cancelcheck"}

// TestTable holds each row to the rules of the table. That a row says what the
// documentation says is the catalogue test of package rentcar.
func TestTable(t *testing.T) {
	t.Parallel()
	name := regexp.MustCompile(`^alitrip\.rentcar(\.[a-z]+)+$`)
	param := regexp.MustCompile(`^rent_?car[a-z0-9_]+$`)
	seen := map[string]bool{}
	for _, op := range All() {
		if !name.MatchString(op.Method) || !param.MatchString(op.Param) || op.Title == "" || op.TitleZH == "" {
			t.Errorf("%+v: give it Method, Param, Title and TitleZH in internal/api/api.go", *op)
		}
		if seen[op.Method] || ByMethod(op.Method) != op {
			t.Errorf("%s has two rows in internal/api/api.go", op.Method)
		}
		seen[op.Method] = true
		verb := op.Method[strings.LastIndexByte(op.Method, '.')+1:]
		isRead := false
		for _, read := range reads {
			isRead = isRead || verb == read
		}
		switch {
		case !isRead && !op.Write:
			t.Errorf("%s is named like a call that changes something, and would be sent again after a failure: "+
				"say Write: true in internal/api/api.go, or add %q to reads in internal/api/api_test.go if it changes nothing",
				op.Method, verb)
		case isRead && op.Write:
			t.Errorf("%s is named like a query, and is marked as a write: take Write: true out of internal/api/api.go, "+
				"or %q out of reads in internal/api/api_test.go", op.Method, verb)
		case op.Write != (op.Settle != ""):
			t.Errorf("%s: Write is %v and Settle is %q: in internal/api/api.go a write says in Settle how an unknown "+
				"outcome is settled, and a read has nothing to settle", op.Method, op.Write, op.Settle)
		}
	}
	if len(seen) < 10 {
		t.Errorf("only %d rows", len(seen))
	}
	if ByMethod("alitrip.rentcar.none") != nil {
		t.Error("there is a row for a method that has none")
	}
}
