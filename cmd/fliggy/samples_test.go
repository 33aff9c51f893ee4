package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/fliggy-go/rentcar/events"
)

// TestSamples holds the events of "fliggy trigger" to the documents and to their rules.
func TestSamples(t *testing.T) {
	t.Parallel()
	for name, sample := range samples {
		e, err := events.Parse([]byte(sample))
		if err != nil || e.Validate() != nil || !strings.HasPrefix(e.Type().String(), name) {
			t.Errorf("%s: %v, %v", name, err, e)
		}
		if name == "141" { // which no document shows
			continue
		}
		data, err := os.ReadFile("../../testdata/samples/event-" + name + ".json")
		noError(t, err)
		want, err := parseJSON(data)
		noError(t, err)
		if name == "142" {
			if data, err = setMembers(data, []string{"eventType=142"}, nil); err == nil {
				want, err = parseJSON(data)
			}
			noError(t, err)
		}
		got, err := parseJSON([]byte(sample))
		noError(t, err)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -document +sample:\n%s", name, diff)
		}
	}
}
