package events_test

import (
	"testing"

	"github.com/fliggy-go/rentcar/events"
)

// Parsing allocates for the payload and the event, not for each member. AllocsPerRun
// forbids t.Parallel.
func TestParseAllocations(t *testing.T) {
	payload := sample(t, "event-142.json")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := events.Parse(payload); err != nil {
			t.Fatal(err)
		}
	}); n > 5 {
		t.Errorf("%v allocations, want at most 5", n)
	}
}
