package events_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
)

// Parsing allocates for the payload and the event, not for each member. AllocsPerRun forbids t.Parallel.
func TestParseAllocations(t *testing.T) {
	payload := sample(t, "event-142.json")
	if n := testing.AllocsPerRun(100, func() {
		if _, err := events.Parse(payload); err != nil {
			t.Fatal(err)
		}
	}); n > 20 {
		t.Errorf("%v allocations, want at most 20", n)
	}
}

// A short value that is kept does not keep a long payload. It looks at the heap, so it is not parallel.
func TestShortValuesKeepNoLongPayload(t *testing.T) {
	const (
		envelope = `"eventType":270,"orderId":"3187983531024266527","traceId":"2147b72e16691938918672871ef815"`
		data     = `"eventData":{"renewalOrderId":"3187983531024266528"}`
	)
	long := strings.Repeat("n", 1<<20)
	beside := `"x":"` + long + `"`
	for name, payload := range map[string]string{
		"white space":  `{` + envelope + `,` + strings.Repeat(" ", 1<<20) + data + `}`,
		"long name":    `{"` + long + `":1,` + envelope + `,` + data + `}`,
		"long value":   `{` + beside + `,` + envelope + `,` + data + `}`,
		"in a wrapper": `{` + beside + `,"message":{` + envelope + `,` + data + `}}`,
		"in eventData": `{` + beside + `,"eventData":{` + envelope + `,` + data + `}}`,
		"trace outside": `{` + beside +
			`,"trace_id":"2147b72e16691938918672871ef815","eventData":{"eventType":270,"orderId":"1",` + data + `}}`,
		"data as a text": `{` + beside + `,` + envelope + `,"eventData":"{\"renewalOrderId\":\"3187983531024266528\"}"}`,
	} {
		for member, get := range map[string]func(*events.Callback) string{
			"orderId":        func(c *events.Callback) string { return string(c.OrderID) },
			"traceId":        func(c *events.Callback) string { return c.TraceID },
			"renewalOrderId": func(c *events.Callback) string { return string(c.Data.RenewalOrderID) },
		} {
			kept := make([]string, 10)
			before := heap()
			for i := range kept {
				c, err := events.ParseCallback([]byte(payload))
				if err != nil {
					t.Fatal(err)
				}
				if kept[i] = get(c); kept[i] == "" {
					t.Fatalf("%s: no %s", name, member)
				}
			}
			if grown := heap() - before; grown > 2<<20 {
				t.Errorf("%s: %d values of %s keep %d bytes", name, len(kept), member, grown)
			}
			runtime.KeepAlive(kept)
		}
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
