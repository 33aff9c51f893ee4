package sandbox

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/fliggytest"
)

// A batch is an event of the stream: what happened, or an epoch.
type batch struct {
	Activity []activityView
	Skipped  int
	Epoch    string
}

// stream reads batches until the test is over, or the stream ends.
func (d *desk) stream(ctx context.Context, from string) (<-chan batch, *http.Response) {
	d.t.Helper()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, d.url+Prefix+"/stream", nil)
	noError(d.t, err)
	req.Header.Set("Last-Event-ID", from)
	res, err := d.http.Do(req)
	noError(d.t, err)
	out := make(chan batch)
	go func() {
		defer close(out)
		defer func() { _ = res.Body.Close() }()
		lines := bufio.NewScanner(res.Body)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			var b batch
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok && json.Unmarshal([]byte(data), &b) == nil {
				select {
				case out <- b:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	return out, res
}

func TestStream(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	batches, res := d.stream(ctx, "")
	if got := res.Header.Get("Content-Type"); got != "text/event-stream; charset=utf-8" {
		t.Errorf("content type %s", got)
	}
	d.submit("R1")
	var seen []activityView
	for len(seen) < 2 {
		b := <-batches
		seen = append(seen, b.Activity...)
	}
	if seen[0].Seq != 1 || seen[1].Call == nil || !seen[1].Call.Done || seen[1].Call.Params != nil {
		t.Errorf("seen %+v", seen)
	}
	// Whoever comes back goes on where they were.
	again, _ := d.stream(ctx, "1")
	for b := range again {
		if b.Epoch == "" {
			if b.Activity[0].Seq != 2 {
				t.Errorf("again %+v", b)
			}
			break
		}
	}
	d.s.Close()
	for range batches {
	}
	for range again {
	}
}

// The stream tells when anything else than calls and pushes has changed, and another epoch after a reset.
func TestStreamOfSettings(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	batches, _ := d.stream(ctx, "")
	next := func() string {
		for b := range batches {
			if b.Epoch != "" {
				return b.Epoch
			}
		}
		t.Fatal("the stream is over")
		return ""
	}
	epoch := next()
	var id struct{ ID string }
	for _, change := range []func(){
		func() { d.do("PUT", "/clock", `{"advance_seconds":60}`, nil) },
		func() { d.do("PUT", "/scenario", `{"scenario":"accepted"}`, nil) },
		func() { d.do("PUT", "/push-to", `{"push_to":"http://127.0.0.1:9/"}`, nil) },
		func() { d.do("POST", "/faults", `{"kind":"cut"}`, &id) },
		func() { d.do("DELETE", "/faults/"+id.ID, "", nil) },
		func() { d.do("DELETE", "/faults", "", nil) },
	} {
		change()
		if got := next(); got != epoch {
			t.Errorf("the epoch is %s, it was %s", got, epoch)
		}
	}
	var state struct{ Epoch string }
	d.do("GET", "/state", "", &state)
	if state.Epoch != epoch {
		t.Errorf("the state has the epoch %s, the stream %s", state.Epoch, epoch)
	}
	d.do("POST", "/reset", "{}", nil)
	if next() == epoch {
		t.Error("a reset begins no epoch")
	}
	d.s.Close()
	for range batches {
	}
}

func TestActivity(t *testing.T) {
	t.Parallel()
	d := newDesk(t, nil)
	var got batch
	d.do("GET", "/activity", "", &got)
	if got.Activity == nil || len(got.Activity) != 0 {
		t.Errorf("nothing happened: %+v", got)
	}
	d.submit("R1")
	d.submit("R2")
	for query, want := range map[string][2]uint64{"": {1, 4}, "?after=3": {4, 4}, "?limit=2": {1, 2},
		"?after=1&wait_seconds=9": {2, 4}} {
		d.do("GET", "/activity"+query, "", &got)
		if n := len(got.Activity); n == 0 || got.Activity[0].Seq != want[0] || got.Activity[n-1].Seq != want[1] {
			t.Errorf("%q: %+v", query, got)
		}
	}
	// One who waits hears of what comes.
	waited := make(chan batch)
	go func() {
		var got batch
		d.do("GET", "/activity?after=4&wait_seconds=60", "", &got)
		waited <- got
	}()
	d.submit("R3")
	if got := <-waited; len(got.Activity) == 0 || got.Activity[0].Seq != 5 {
		t.Errorf("waited for %+v", got)
	}
}

// TestLoad keeps what it holds bounded while calls pour in and a console watches.
func TestLoad(t *testing.T) {
	const keep = 100
	d := newDesk(t, func(c *Config) { c.Capacity = keep })
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	batches, _ := d.stream(ctx, "")
	told, skipped := 0, 0
	var watching sync.WaitGroup
	watching.Go(func() {
		for b := range batches {
			told, skipped = told+len(b.Activity), skipped+b.Skipped
		}
	})
	heap := func() uint64 {
		for range 2 { // the first leaves what pools hold
			runtime.GC()
		}
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc
	}
	call := func(n int) {
		var callers sync.WaitGroup
		for range 4 {
			callers.Go(func() {
				c := d.client()
				for range n / 4 {
					_, err := c.Orders.Query(ctx, &rentcar.OrderQueryRequest{OrderID: fliggytest.SampleOrderID})
					if err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		callers.Wait()
	}
	call(4 * keep)
	before := heap()
	call(10 * keep)
	if after := heap(); after > before+2<<20 {
		t.Errorf("the heap grew from %d to %d bytes", before, after)
	}
	if n := len(d.s.gateway.Requests()); n != keep {
		t.Errorf("%d calls are kept", n)
	}
	d.s.Close()
	watching.Wait()
	if told == 0 {
		t.Error("the console heard of nothing")
	}
	t.Logf("the console was told of %d, and that %d more happened", told, skipped)
}
