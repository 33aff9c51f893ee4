package explain

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
	"github.com/fliggy-go/rentcar/internal/top"
)

func TestFind(t *testing.T) {
	t.Parallel()
	params := []top.Param{{Name: "b", Value: " 1+2 "}, {Name: "B", Value: "中"}, {Name: "a", Value: "x y"}}
	m := &Message{Params: params, Body: []byte("{}\n")}
	if got := string(m.Text()); got != "B中ax yb 1+2 {}\n" {
		t.Fatalf("text %q", got)
	}
	for signed, want := range map[string]Finding{
		"B中ax+yb 1+2 {}\n":           {Encoding, "a", "the parameter is signed percent-encoded"},
		"B中ax%20yb 1+2 {}\n":         {Encoding, "a", "the parameter is signed percent-encoded, with %20 for a space"},
		"B中ax yb1+2{}\n":             {Encoding, "b", "the parameter is signed without the white space around it"},
		"B中ax yb 1 2 {}\n":           {Encoding, "b", `the parameter is signed with "+" for "%2B" and "%20"`},
		"B中b 1+2 {}\n":               {Unsigned, "a", "the parameter is sent, but not signed: was it added after signing?"},
		"B%E4%B8%ADax+yb+1%2B2+{}\n": {Encoding, "", "all values are signed percent-encoded: sign them decoded"},
		"b 1+2 B中ax y{}\n": {Order, "",
			"the parameters are signed in the order in which they are sent: sort them by name"},
		"ax yb 1+2 B中{}\n": {Order, "", "the parameters are sorted without regard to case: sort them as bytes"},
		"B中ax yb 1+2 ": {Body, "",
			"the body is JSON, XML or text, and is not signed: put it behind the parameters"},
		"B中ax yb 1+2 {}": {Body, "",
			"the body is signed without the line breaks around it: sign it byte for byte"},
		"{}\nB中ax yb 1+2 ": {Body, "", "the body is signed in front of the parameters"},
	} {
		got, ok := m.Find(func(text []byte) bool { return string(text) == signed })
		if diff := cmp.Diff(want, got); diff != "" || !ok {
			t.Errorf("%q (-want +got):\n%s", signed, diff)
		}
	}
	if got, ok := m.Find(func([]byte) bool { return false }); ok || got != (Finding{}) {
		t.Errorf("found %v", got)
	}
}

func TestSkew(t *testing.T) {
	t.Parallel()
	for off, want := range map[time.Duration]string{
		0: "", 10 * time.Minute: "", -10 * time.Minute: "", 11 * time.Minute: Clock, -8*time.Hour + time.Minute: TimeZone,
		-8*time.Hour + 11*time.Minute: Clock, 14 * time.Hour: TimeZone, 15 * time.Hour: Clock, -48 * time.Hour: Clock,
	} {
		if got, ok := Skew(off, 10*time.Minute); got.Cause != want || ok != (want != "") {
			t.Errorf("%v: got %v", off, got)
		}
	}
}
