package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Both operations enter their doors, and what the report lists is of the library alone.
func TestReport(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := report(t.Context(), &out, true); err != nil {
		t.Fatal(err)
	}
	submit, push, ok := strings.Cut(out.String(), "\n\n")
	if !ok || !strings.HasPrefix(submit, "submit: ") || !strings.HasPrefix(push, "push: ") {
		t.Fatalf("not two lists:\n%s", &out)
	}
	for _, tt := range []struct{ list, entered, other string }{
		{submit, "*RenewalService.Submit", "*Handler.ServeHTTP"},
		{push, "*Handler.ServeHTTP", "*RenewalService.Submit"},
	} {
		if words := strings.Fields(tt.list); !slices.Contains(words, tt.entered) || slices.Contains(words, tt.other) {
			t.Errorf("want %s and no %s in\n%s", tt.entered, tt.other, tt.list)
		}
	}
	for _, stranger := range []string{"fliggytest/", "bench/", "examples/"} {
		if strings.Contains(out.String(), stranger) {
			t.Errorf("%s is listed", stranger)
		}
	}
}

func TestParse(t *testing.T) {
	t.Parallel()
	got, err := parse([]byte(`github.com/fliggy-go/rentcar/fliggy/id.go:29:	ID.String	50.0%
github.com/fliggy-go/rentcar/call.go:31:	*Client.run	85.7%
github.com/fliggy-go/rentcar/call.go:27:	neverCalled	0.0%
github.com/fliggy-go/rentcar/call.go:9:	first	100.0%
github.com/fliggy-go/rentcar/bench/cmd/entered/main.go:27:	main	85.7%
total	(statements)	5.4%
`))
	want := []function{{"call.go", 9, "first"}, {"call.go", 31, "*Client.run"}, {"fliggy/id.go", 29, "ID.String"}}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(function{})); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	for _, listed := range []string{
		"", "total	(statements)	0.0%\n", "github.com/fliggy-go/rentcar/call.go:	first	100.0%\n",
	} {
		if got, err := parse([]byte(listed)); err == nil {
			t.Errorf("%q is taken: %v", listed, got)
		}
	}
}

func TestPerform(t *testing.T) {
	t.Parallel()
	if err := perform(t.Context(), "nothing", t.TempDir()); err == nil {
		t.Error("an operation that does not exist ran")
	}
}
