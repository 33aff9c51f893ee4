package events_test

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/events"
)

const mebibyte = 1 << 20

// parseAny parses a payload and checks that the result is bounded. Work that grows with a power of the length would
// exceed the time limit of the test binary.
func parseAny(t *testing.T, name string, payload []byte) (events.Event, error) {
	t.Helper()
	e, err := events.Parse(payload)
	if err == nil {
		_ = e.Validate()
		if _, err := e.(interface{ MarshalJSON() ([]byte, error) }).MarshalJSON(); err != nil {
			t.Errorf("%s: MarshalJSON: %v", name, err)
		}
	} else if len(err.Error()) > maxErrorText {
		t.Errorf("%s: an error of %d bytes", name, len(err.Error()))
	}
	return e, err
}

func TestHostileSize(t *testing.T) {
	t.Parallel()
	e103, e142 := sample(t, "event-103.json"), sample(t, "event-142.json")
	digits := strings.Repeat("9", mebibyte)
	for name, c := range map[string]struct {
		payload []byte
		fault   string // "" where it is an event
	}{
		"number as event type":  {edit(t, e103, "eventType", digits), "eventType: too large"},
		"number as amount":      {edit(t, e142, "eventData.amount", digits), "amount: "},
		"text as amount":        {edit(t, e142, "eventData.amount", `"`+digits+`"`), "amount: "},
		"number as refund type": {edit(t, e142, "eventData.refundType", digits), "refundType: "},
		"number as time":        {edit(t, e103, "eventData.createdTime", digits), "createdTime: "},
		"exponent as amount":    {edit(t, e142, "eventData.amount", "1e"+digits), "amount: "},
		"exponent as id":        {edit(t, e142, "eventData.renewalOrderId", "1e"+digits), "renewalOrderId: "},
		"number as id":          {edit(t, e142, "eventData.renewalOrderId", digits), ""},
		"number in a new place": {edit(t, e142, "new", digits), ""},
		"text as trade number":  {edit(t, e142, "eventData.payTradeNo", `"`+strings.Repeat("_1", mebibyte/2)+`"`), ""},
		"many members":          {[]byte(`{` + many(70_000, `{}`) + string(e103[1:])), ""},
		"many names":            {[]byte(`{` + many(50_000, `1`) + string(e103[1:])), ""},
		"many wrapped members":  {[]byte(`{"w":{` + many(70_000, `{}`) + string(e103[1:]) + `}`), ""},
		"many members as text":  {[]byte(`{` + many(70_000, `"{}"`) + `"w":` + string(e103) + `}`), ""},
		"many events":           {[]byte(`{` + many(5000, string(e103)) + `"w":{}}`), "several members hold an event"},
		"many braces":           {[]byte(`{` + many(70_000, `"{"`) + `"w":` + string(e103) + `}`), ""},
		"a member many times": {
			[]byte(`{` + strings.Repeat(`"a":{},`, mebibyte/7) + string(e103[1:])), "a: comes more than once",
		},
		"the last of many": {
			[]byte(`{` + many(70_000, `1`) + `"name0":2,` + string(e103[1:])), "name0: comes more than once",
		},
		"escapes":     {edit(t, e142, "eventData.reason", `"`+strings.Repeat(`\u005c`, mebibyte/6)+`"`), ""},
		"white space": {bytes.ReplaceAll(e142, []byte(" "), bytes.Repeat([]byte(" "), mebibyte/32)), ""},
	} {
		e, err := parseAny(t, name, c.payload)
		if c.fault == "" && err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if c.fault != "" {
			wantError(t, err, c.fault)
		}
		if refund, ok := e.(*events.RenewalFeeRefund); ok {
			if _, err := refund.SuccessCallback().MarshalJSON(); err != nil {
				t.Errorf("%s: callback: %v", name, err)
			}
		}
	}
}

// many returns n members of that value.
func many(n int, value string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"name%d":%s,`, i, value)
	}
	return b.String()
}

// The depth of objects, lists and texts is limited.
func TestHostileDepth(t *testing.T) {
	t.Parallel()
	e103 := string(sample(t, "event-103.json"))
	deep := func(n int, open, core, end string) string {
		return strings.Repeat(open, n) + core + strings.Repeat(end, n)
	}
	for name, payload := range map[string]string{
		"wrappers":          deep(100_000, `{"a":`, e103, `}`),
		"wrappers, no end":  deep(100_000, `{"a":`, ``, ``),
		"lists":             `{"a":` + deep(100_000, `[`, ``, `]`) + `}`,
		"event data":        deep(100_000, `{"eventType":103,"eventData":`, e103, `}`),
		"lists in the data": `{"eventType":103,"eventData":{"x":` + deep(100_000, `[`, ``, `]`) + `}}`,
		"lists in text":     `{"eventType":103,"eventData":` + quote([]byte(`{"x":`+deep(100_000, `[`, ``, `]`)+`}`)) + `}`,
	} {
		_, err := parseAny(t, name, []byte(payload))
		wantError(t, err, "nested deeper than")
	}
	// Data of an unknown event is not looked into: text stays text.
	text := quote([]byte(`{"x":` + deep(100_000, `[`, ``, `]`) + `}`))
	e, err := parseAny(t, "deep text", []byte(`{"eventType":150,"eventData":`+text+`}`))
	if err != nil || string(e.(*events.Unknown).Data) != text {
		t.Errorf("deep text in unknown data: %v", err)
	}
}

// Parse looks through four wrappers, in any form; the shapes need three.
func TestHostileWrappers(t *testing.T) {
	t.Parallel()
	for _, form := range []string{
		`{"a":%s}`, `{"eventData":%s}`, `{"eventType":104,"eventData":%s}`, `{"event_data":%s,"b":{},"c":"{}"}`,
	} {
		for _, text := range []bool{false, true} {
			payload := sample(t, "event-104.json")
			for n := 1; n <= 7; n++ {
				inner := string(payload)
				if text {
					inner = quote(payload)
				}
				payload = fmt.Appendf(nil, form, inner)
				name := fmt.Sprintf("%d times %s, text %t", n, form, text)
				e, err := parseAny(t, name, payload)
				rejected, ok := e.(*events.RenewalRejected)
				if through := ok && rejected.ErrorCode == "71008"; through != (n <= 4) {
					t.Errorf("%s: looked through: %t, %v", name, through, err)
				}
			}
		}
	}
}

// Each text holds two texts that hold two. The work must not double with every level beyond the limit.
func TestHostileBranches(t *testing.T) {
	t.Parallel()
	for _, form := range []string{
		`{"a":%s,"b":%[1]s}`,
		`{"eventData":%s,"event_data":%[1]s,"c":%[1]s}`,
		`{"eventType":null,"eventData":%s,"b":%[1]s}`,
	} {
		payload := `{"orderId":"1"}`
		for len(payload) < mebibyte {
			payload = fmt.Sprintf(form, quote([]byte(payload)))
		}
		_, err := parseAny(t, form, []byte(payload))
		wantError(t, err, "eventType: missing")
	}
}

// BenchmarkHostile parses payloads that are made to be expensive, of each size up to far more than a push may have.
// Time and memory for each byte do not grow with it.
func BenchmarkHostile(b *testing.B) {
	const plain = `{"eventType":142,"channelId":"80001","orderId":"1","eventData":{` + refundData + `,"x":"%s"}}`
	quote := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace
	for name, payload := range map[string]func(size int) string{
		"long text": func(n int) string { return strings.Replace(plain, "%s", strings.Repeat("a", n), 1) },
		"controls":  func(n int) string { return strings.Replace(plain, "%s", strings.Repeat("\n", n), 1) },
		"escapes":   func(n int) string { return strings.Replace(plain, "%s", strings.Repeat(`\u000a`, n/6), 1) },
		"wrapped in text": func(n int) string {
			text := strings.Replace(plain, "%s", strings.Repeat("a", n), 1)
			for range 4 {
				text = `{"request":"` + quote(text) + `"}`
			}
			return text
		},
		"wrapped, no event": func(n int) string {
			text := strings.Repeat("a", n)
			for range 9 {
				text = `{"eventData":"` + quote(text) + `"}`
			}
			return text
		},
		"many that look like one": func(n int) string {
			return `{` + distinct(n/30, `"x%d":{"a":{"b":{"c":{}}}},`) + `"x":1}`
		},
		"many texts that do": func(n int) string {
			return `{` + distinct(n/30, `"x%d":"{\"a\":{\"b\":{}}}",`) + `"x":1}`
		},
		"many members": func(n int) string { return `{` + distinct(n/12, `"x%d":1,`) + `"eventType":142}` },
		"braces": func(n int) string {
			return `{"eventType":142,"eventData":"` + strings.Repeat("{", n) + `"}`
		},
		"deep": func(n int) string { return strings.Repeat(`{"eventData":`, n/13) },
	} {
		for _, size := range []int{1 << 10, 64 << 10, 1 << 20, 8 << 20} {
			b.Run(fmt.Sprintf("%s/%dKiB", name, size>>10), func(b *testing.B) {
				text := []byte(payload(size))
				var before, after runtime.MemStats
				runtime.ReadMemStats(&before)
				for b.Loop() {
					if e, err := events.Parse(text); err == nil {
						_ = e.Validate()
					}
				}
				runtime.ReadMemStats(&after)
				n := float64(b.N) * float64(len(text))
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/byte")
				b.ReportMetric(float64(after.TotalAlloc-before.TotalAlloc)/n, "B/byte")
			})
		}
	}
}

// distinct repeats a part n times, numbered.
func distinct(n int, part string) string {
	var out strings.Builder
	for i := range n {
		fmt.Fprintf(&out, part, i)
	}
	return out.String()
}
