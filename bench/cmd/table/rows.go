package main

import "slices"

// A row is one line of the table: one benchmark with its contestants, and what the
// SDK is to reach.
type row struct {
	work      string
	benchmark string
	unit      string  // of the time; empty for ns/op
	ratio     float64 // of ours to std, at most
	allocs    float64 // of ours, at most; 0 for no target
	bytes     float64 // of ours, at most; 0 for no target
}

var rows = []row{
	{work: "sign md5, 12 parameters, one of them 1 KB of JSON", benchmark: "Sign", ratio: 0.70},
	{work: "build: 1 KB of JSON → signed query and form body", benchmark: "Build", unit: "build-ns/op"},
	{work: "the same until a round tripper has read it", benchmark: "Build", unit: "read-ns/op"},
	{work: "small call, renewal.checkcancel", benchmark: "Small", ratio: 1.10},
	{work: "large call, order.query, reply of 4 KB", benchmark: "Large", ratio: 0.70},
	{work: "the same as XML", benchmark: "LargeXML", ratio: 0.90},
	{work: "bill.notify, 10,000 lines", benchmark: "Bill", ratio: 0.60},
	{work: "push: verify, parse event 142, dispatch", benchmark: "Push", ratio: 1.10},
	{work: "the same from an http.Request to its reply", benchmark: "PushHTTP"},
	{work: "the same push again, answered by the gate", benchmark: "PushAgain"},
	{work: "small call over loopback, 1 caller", benchmark: "Loopback1", ratio: 1},
	{work: "small call over loopback, 64 callers", benchmark: "Loopback64", ratio: 1},
	{work: "small call over loopback, 256 callers", benchmark: "Loopback256"},
	{work: "small call in memory, 256 callers", benchmark: "Parallel256"},
	{work: "NewClient", benchmark: "NewClient"},
}

const (
	ours = "ours"
	std  = "std"

	growth = "Growth" // of the bill, ours alone
)

// benchmarks are those of the rows, each of them once.
func benchmarks() (names []string) {
	for _, r := range rows {
		if !slices.Contains(names, r.benchmark) {
			names = append(names, r.benchmark)
		}
	}
	return names
}
