// Package soak_test puts the whole library under load over loopback: pushes from
// many senders to one handler, calls from many callers to one gateway, both with
// faults and repeats. Afterwards the memory is back, the goroutines are gone, and
// every event has been handled once. `make soak` runs the long one.
package soak_test

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	_ "github.com/fliggy-go/rentcar/internal/golden" // -update
)

var (
	pushes   = flag.Int("soak.pushes", 3000, "pushes to send, repeats and forgeries included")
	calls    = flag.Int("soak.calls", 600, "calls to make")
	interval = flag.Duration("soak.interval", 5*time.Second, "how often to print")
)

const (
	senders = 32
	callers = 16
	warmUp  = 1000 // pushes before the memory is measured, and as many calls; more before a long run

	// noise is what net/http and the runtime keep or do not, with or without load, in MiB:
	// some 5 % of what a run starts with, and of no size beside a service. A long run has
	// to do without.
	noise   = 1.0 / 16
	longRun = 100_000
)

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

func TestSoak(t *testing.T) {
	w := newWorld(t)
	crowd()
	w.load(t, max(warmUp, *pushes/20), max(warmUp, *calls/20))
	before := w.settle(t)
	t.Logf("start: %v", before)
	w.load(t, *pushes, *calls)
	t.Logf(
		"under load: heap %.2f MiB, %d goroutines, %d replies in the gate", heapMiB(), runtime.NumGoroutine(), w.gate.Len(),
	)
	after := w.settle(t)
	t.Logf("end:   %v (heap %+.1f %%)", after, 100*(after.heap/before.heap-1))
	if n := w.gate.Len(); n != 0 {
		t.Errorf("%d replies are left in the gate", n)
	}
	limit := 1.05 * before.heap
	if *pushes < longRun {
		limit += noise
	}
	if after.heap > limit {
		t.Errorf("the heap has grown from %.2f to %.2f MiB: want 5 %% at most", before.heap, after.heap)
	}
	if after.goroutines != before.goroutines {
		t.Errorf("%d goroutines, %d before", after.goroutines, before.goroutines)
	}
}

// crowd lets more goroutines live at once than the load will: the runtime keeps their
// descriptors for good.
func crowd() {
	var all sync.WaitGroup
	release := make(chan struct{})
	for range 2000 {
		all.Go(func() { <-release })
	}
	close(release)
	all.Wait()
}

// load runs both sides at once and prints how they do.
func (w *world) load(t *testing.T, pushes, calls int) {
	t.Helper()
	gateway := w.newGateway(t)
	defer gateway.Close()
	p, c := newPushLoad(w, pushes), newCallLoad(w, calls)
	begun, done := time.Now(), make(chan struct{})
	var sides, printer sync.WaitGroup
	sides.Go(func() { p.run(t) })
	sides.Go(func() { c.run(t) })
	printer.Go(func() {
		tick := time.NewTicker(*interval)
		defer tick.Stop()
		for running := true; running; {
			select {
			case <-tick.C:
			case <-done:
				running = false
			}
			elapsed := time.Since(begun)
			t.Logf("%6.1f s  pushes %v  calls %v  heap %7.2f MiB, %d goroutines",
				elapsed.Seconds(), p.latency.line(elapsed), c.latency.line(elapsed), heapMiB(), runtime.NumGoroutine())
			gateway.Forget() // its records of requests
		}
	})
	sides.Wait()
	close(done)
	printer.Wait()
	p.check(t)
	c.check(t)
}

// A measure is what is held when nothing happens.
type measure struct {
	heap       float64 // MiB
	goroutines int
}

func (m measure) String() string {
	return fmt.Sprintf("heap %.2f MiB, %d goroutines", m.heap, m.goroutines)
}

// settle lets everything expire and end, and measures what stays.
func (w *world) settle(t *testing.T) measure {
	t.Helper()
	w.ahead.Add(int64(3 * w.gateAge))
	w.gate.Len() // the gate lets go of what is too old when it is next asked
	w.pushClient.CloseIdleConnections()
	w.callTransport.CloseIdleConnections()
	// Connections end in their own time; when it takes longer than this, they do not.
	for n, last := 0, -1; n < 200; n++ {
		now := runtime.NumGoroutine()
		if now == last {
			break
		}
		last = now
		<-time.After(50 * time.Millisecond)
	}
	runtime.GC()
	runtime.GC()
	return measure{heapMiB(), runtime.NumGoroutine()}
}

func heapMiB() float64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc) / (1 << 20)
}
