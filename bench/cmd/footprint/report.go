package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/fliggy-go/rentcar/bench/internal/work"
)

const mebi = 1 << 20

// reportBills prints what a bill costs in memory.
func reportBills(ctx context.Context) error {
	fmt.Println("| bill.notify, lines | heap with the request alone | allocated per call | resident beyond it at most |")
	fmt.Println("|---:|---:|---:|---:|")
	for _, lines := range []int{10, 100, 1_000, 10_000, 100_000} {
		f, err := ask(ctx, "bill", "-lines", strconv.Itoa(lines))
		if err != nil {
			return err
		}
		peak := "unknown on this system"
		if f["peak"] > 0 {
			peak = fmt.Sprintf("%.2f MiB", float64(f["peak"]-f["before"])/mebi)
		}
		fmt.Printf("| %d | %.2f MiB | %.1f KiB | %s |\n", lines, float64(f["heap"])/mebi, float64(f["allocated"])/1024, peak)
	}
	return nil
}

// reportFirstCall prints medians of what a program waits for when it has just begun.
func reportFirstCall(ctx context.Context, runs int) error {
	all := map[string][]int64{}
	for range runs {
		f, err := ask(ctx, "first")
		if err != nil {
			return err
		}
		for name, ns := range f {
			all[name] = append(all[name], ns)
		}
	}
	fmt.Printf("In memory, medians of %d processes:\n\n", runs)
	for _, step := range []struct{ name, what string }{
		{"client", "NewClient, the first of the process"},
		{"first", "first call, renewal.checkcancel"},
		{"second", "second call"},
	} {
		slices.Sort(all[step.name])
		fmt.Printf("- %s: %v\n", step.what, time.Duration(all[step.name][runs/2]).Round(100*time.Nanosecond))
	}
	return nil
}

// reportGoroutines prints what keeps running when nobody calls.
func reportGoroutines(ctx context.Context) error {
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json;charset=UTF-8")
		_, _ = w.Write(work.CheckCancelJSON)
	}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	defer server.Close()
	f, err := ask(ctx, "goroutines", "-address", server.URL)
	if err != nil {
		return err
	}
	fmt.Printf("Goroutines: %d of two idle clients, %d after calls of 64 callers in memory, %d after theirs over "+
		"loopback, which opened %d connections.\n",
		f["clients"], f["memory"], f["wire"], opened.Load())
	return nil
}
