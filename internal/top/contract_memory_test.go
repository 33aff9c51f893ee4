package top_test

import (
	"runtime"
	"strings"
	"testing"

	"github.com/fliggy-go/rentcar/fliggy"
	"github.com/fliggy-go/rentcar/internal/top"
)

// A keeper keeps the JSON that it is given, as encoding/json forbids.
type keeper struct{ json []byte }

func (k *keeper) UnmarshalJSON(data []byte) error {
	k.json = data
	return nil
}

// What a type has kept is not overwritten by the values and messages that are read
// after it.
func TestKeptJSON(t *testing.T) {
	t.Parallel()
	type message struct {
		A keeper `top:"a"`
		B keeper `top:"b"`
	}
	plan := planOf[message](t)
	var first, second message
	for text, into := range map[string]*message{`{"a":{"x":1},"b":[2]}`: &first, `{"a":{"y":3},"b":[4]}`: &second} {
		if err := plan.DecodeJSON([]byte(text), into); err != nil {
			t.Fatal(err)
		}
	}
	for got, want := range map[*keeper]string{
		&first.A: `{"x":1}`, &first.B: `[2]`, &second.A: `{"y":3}`, &second.B: `[4]`,
	} {
		if string(got.json) != want {
			t.Errorf("%s became %q", want, got.json)
		}
	}
}

// A short value of a reply that is kept does not keep a long one. It looks at the heap,
// so it is not parallel.
func TestShortValuesKeepNoLongReply(t *testing.T) {
	type message struct {
		A   string      `top:"a"`
		IDs []fliggy.ID `top:"ids"`
	}
	const members = `"a":"3187983531024266527","ids":"[3187983531024266527]","request_id":"15r6qc5i1nkgx"`
	beside := `"x":"` + strings.Repeat("n", 1<<20) + `"`
	plan := planOf[message](t)
	for name, c := range map[string]struct {
		body   string
		format top.Format
	}{
		"simplified": {`{` + beside + `,` + members + `}`, top.Simplified},
		"wrapped":    {`{"y_response":{` + members + `},` + beside + `}`, top.Wrapped},
	} {
		for what, get := range map[string]func(*top.Reply, *message) any{
			"request id": func(r *top.Reply, _ *message) any { return r.RequestID },
			"text":       func(_ *top.Reply, m *message) any { return m.A },
			"list":       func(_ *top.Reply, m *message) any { return m.IDs },
		} {
			kept := make([]any, 10)
			before := heap()
			for i := range kept {
				r, err := top.OpenReply(strings.Clone(c.body), c.format, top.TOP, "")
				if err != nil {
					t.Fatal(err)
				}
				m := &message{}
				if err := r.Decode(plan, m); err != nil {
					t.Fatal(err)
				}
				kept[i] = get(r, m)
			}
			if grown := heap() - before; grown > 2<<20 {
				t.Errorf("%s: %d times the %s keeps %d bytes", name, len(kept), what, grown)
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
