package events_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
	"github.com/fliggy-go/rentcar/fliggy"
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

// A short value that is kept does not keep a long payload. It looks at the heap, so it
// is not parallel.
func TestShortValuesKeepNoLongPayload(t *testing.T) {
	long := strings.Repeat("n", 1<<20)
	for name, payload := range map[string]string{
		"white space": `{"eventType":270,` + strings.Repeat(" ", 1<<20) + `"orderId":"3187983531024266527"}`,
		"long name":   `{"eventType":270,"` + long + `":1,"orderId":"3187983531024266527"}`,
		"long value":  `{"eventType":270,"x":"` + long + `","orderId":"3187983531024266527"}`,
	} {
		kept := make([]fliggy.ID, 20)
		before := heap()
		for i := range kept {
			c, err := events.ParseCallback([]byte(payload))
			if err != nil {
				t.Fatal(err)
			}
			kept[i] = c.OrderID
		}
		if grown := heap() - before; grown > 5<<20 {
			t.Errorf("%s: %d ids keep %d bytes", name, len(kept), grown)
		}
		runtime.KeepAlive(kept)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// An envelope without further members has none, however its data are called.
func TestDataAreNoFurtherMember(t *testing.T) {
	t.Parallel()
	for _, data := range []string{`"eventData":{}`, `"event_data":{}`, `"eventData":null,"event_data":{}`} {
		e, err := events.Parse([]byte(`{"eventType":103,"orderId":"1",` + data + `}`))
		if err != nil || e.Head().Extra != nil {
			t.Errorf("%s: %v, %v", data, e, err)
		}
	}
}
