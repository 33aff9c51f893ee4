package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/fliggy-go/rentcar"
	"github.com/fliggy-go/rentcar/bench/internal/work"
)

// figures are what a child measured, by name.
type figures map[string]int64

var children = map[string]func(task) (figures, error){
	"bill":       func(t task) (figures, error) { return childBill(t.lines) },
	"first":      func(task) (figures, error) { return childFirst() },
	"goroutines": func(t task) (figures, error) { return childGoroutines(t.address) },
}

// A task is what a child is told.
type task struct {
	lines   int
	address string
}

func childNames() string { return strings.Join(slices.Sorted(maps.Keys(children)), ", ") }

func runChild(name string, t task) error {
	child, ok := children[name]
	if !ok {
		return fmt.Errorf("no child %q; there are %s", name, childNames())
	}
	f, err := child(t)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(f)
}

// ask runs a child and returns its figures.
func ask(ctx context.Context, name string, args ...string) (figures, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"-child", name}, args...)...) //nolint:gosec // this very program
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("child %s: %w", name, err)
	}
	var f figures
	return f, json.Unmarshal(out, &f)
}

// childBill sends a bill a few times: what was allocated per call once it has warmed
// up, and how much more memory was resident at the highest than with the request
// alone.
func childBill(lines int) (figures, error) {
	const calls = 10
	ctx := context.Background()
	client, err := rentcar.NewClient(work.AppKey, work.Secret,
		rentcar.WithHTTPClient(&http.Client{Transport: work.NewGateway(work.DoneJSON)}))
	if err != nil {
		return nil, err
	}
	// The code of the call is resident before, so that the bill alone is counted.
	if _, err := client.Bills.NotifyAll(ctx, work.Bill(1)); err != nil {
		return nil, err
	}
	bill := work.Bill(lines)
	debug.FreeOSMemory()
	//nolint:gosec // far from the end of an int64
	f := figures{"before": resident("VmRSS:"), "heap": int64(memory().HeapAlloc)}
	resetPeak()
	var before, after runtime.MemStats
	for i := range calls {
		if i == calls/2 {
			before = memory()
		}
		if _, err := client.Bills.NotifyAll(ctx, bill); err != nil {
			return nil, err
		}
	}
	after = memory()
	f["allocated"] = int64(after.TotalAlloc-before.TotalAlloc) / (calls - calls/2) //nolint:gosec // as above
	f["peak"] = resident("VmHWM:")
	runtime.KeepAlive(bill)
	return f, nil
}

func memory() (m runtime.MemStats) {
	runtime.ReadMemStats(&m)
	return m
}

// resident reads a figure of Linux's about this process, in bytes; 0 elsewhere.
func resident(name string) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := bytes.Cut(status, []byte(name))
	fields := bytes.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	kilobytes, err := strconv.ParseInt(string(fields[0]), 10, 64)
	if err != nil {
		return 0
	}
	return kilobytes << 10
}

// resetPeak makes VmHWM count from now. Where that is refused it keeps the highest so
// far, and the figure is too high rather than too low.
func resetPeak() { _ = os.WriteFile("/proc/self/clear_refs", []byte("5"), 0) }

// childFirst makes a client and two calls, with nothing done before.
func childFirst() (figures, error) {
	ctx := context.Background()
	begun := time.Now()
	client, err := rentcar.NewClient(work.AppKey, work.Secret,
		rentcar.WithHTTPClient(&http.Client{Transport: work.NewGateway(work.CheckCancelJSON)}))
	if err != nil {
		return nil, err
	}
	f := figures{"client": int64(time.Since(begun))}
	for _, name := range []string{"first", "second"} {
		begun = time.Now()
		if _, err := client.Renewals.CheckCancel(ctx, work.CheckCancel()); err != nil {
			return nil, err
		}
		f[name] = int64(time.Since(begun))
	}
	return f, nil
}

// childGoroutines counts goroutines: made by a client, left by calls in memory, left
// by calls over connections that are kept. The server is another process.
func childGoroutines(address string) (figures, error) {
	const callers = 64
	before := runtime.NumGoroutine()
	count := func() int64 { return int64(runtime.NumGoroutine() - before) }
	memory, err := rentcar.NewClient(work.AppKey, work.Secret,
		rentcar.WithHTTPClient(&http.Client{Transport: work.NewGateway(work.CheckCancelJSON)}))
	if err != nil {
		return nil, err
	}
	wire, err := rentcar.NewClient(work.AppKey, work.Secret, rentcar.WithBaseURL(address))
	if err != nil {
		return nil, err
	}
	f := figures{"clients": count()}
	if err := together(memory, callers); err != nil {
		return nil, err
	}
	f["memory"] = count()
	if err := together(wire, callers); err != nil {
		return nil, err
	}
	f["wire"] = count()
	return f, nil
}

// together makes 16 calls by each of the callers.
func together(client *rentcar.Client, callers int) error {
	failures := make([]error, callers)
	var done sync.WaitGroup
	for i := range callers {
		done.Go(func() {
			for range 16 {
				if _, err := client.Renewals.CheckCancel(context.Background(), work.CheckCancel()); err != nil {
					failures[i] = err
					return
				}
			}
		})
	}
	done.Wait()
	return errors.Join(failures...)
}
