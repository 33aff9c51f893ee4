package main

import (
	"bufio"
	"bytes"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// results are what was measured: by benchmark, contestant and unit, one value a
// round.
type results map[string]map[string]map[string][]float64

// procs is what the testing package appends to a name on more than one processor.
var procs = regexp.MustCompile(`-\d+$`)

// add reads what a run printed, such as
// "BenchmarkSmall/ours-2  5000  21688 ns/op  15153 B/op  207 allocs/op".
func (r results) add(output []byte) error {
	lines := bufio.NewScanner(bytes.NewReader(output))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || len(fields)%2 != 0 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name, contestant, ok := strings.Cut(procs.ReplaceAllString(strings.TrimPrefix(fields[0], "Benchmark"), ""), "/")
		if !ok {
			return fmt.Errorf("a benchmark without a contestant: %s", fields[0])
		}
		for i := 2; i < len(fields); i += 2 {
			value, err := strconv.ParseFloat(fields[i], 64)
			if err != nil {
				return fmt.Errorf("%s: %w", fields[0], err)
			}
			r.put(name, contestant, fields[i+1], value)
		}
	}
	return lines.Err()
}

func (r results) put(benchmark, contestant, unit string, value float64) {
	if r[benchmark] == nil {
		r[benchmark] = map[string]map[string][]float64{}
	}
	if r[benchmark][contestant] == nil {
		r[benchmark][contestant] = map[string][]float64{}
	}
	r[benchmark][contestant][unit] = append(r[benchmark][contestant][unit], value)
}

// median is the median over the rounds; ok is false where nothing was measured.
func (r results) median(benchmark, contestant, unit string) (m float64, ok bool) {
	return median(r[benchmark][contestant][unit])
}

// ratio is the median of one contestant's share of another, round by round: what
// slows a whole round down falls out of it.
func (r results) ratio(benchmark, contestant, to, unit string) (m float64, ok bool) {
	a, b := r[benchmark][contestant][unit], r[benchmark][to][unit]
	if len(a) != len(b) {
		return 0, false
	}
	ratios := make([]float64, len(a))
	for i := range a {
		ratios[i] = a[i] / b[i]
	}
	return median(ratios)
}

func median(values []float64) (m float64, ok bool) {
	if len(values) == 0 {
		return 0, false
	}
	sorted := slices.Sorted(slices.Values(values))
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle], true
	}
	return (sorted[middle-1] + sorted[middle]) / 2, true
}
