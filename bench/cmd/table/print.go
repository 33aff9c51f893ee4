package main

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// print writes the tables as Markdown.
func (r results) print(w io.Writer) {
	fmt.Fprintln(w, "| work | ours | std | ours/std | target | others/std | allocs ours | std | B/op ours | std |")
	fmt.Fprintln(w, "|---|---:|---:|---:|---|---|---:|---:|---:|---:|")
	for _, row := range rows {
		if r[row.benchmark] != nil {
			fmt.Fprintln(w, r.line(row))
		}
	}
	r.printConnections(w)
	r.printGrowth(w)
}

func (r results) line(row row) string {
	unit := row.unit
	if unit == "" {
		unit = "ns/op"
	}
	cell := func(contestant, unit string, format func(float64) string) string {
		if m, ok := r.median(row.benchmark, contestant, unit); ok {
			return format(m)
		}
		return "–"
	}
	ratio, target := "–", "–"
	if m, ok := r.ratio(row.benchmark, ours, std, unit); ok {
		ratio = fmt.Sprintf("%.2f", m)
		if row.ratio > 0 {
			target = verdict(m, row.ratio, fmt.Sprintf("%.2f", row.ratio))
		}
	}
	var others []string
	for _, name := range slices.Sorted(maps.Keys(r[row.benchmark])) {
		if m, ok := r.ratio(row.benchmark, name, std, unit); ok && name != ours && name != std {
			others = append(others, fmt.Sprintf("%s %.2f", name, m))
		}
	}
	limited := func(unit string, limit float64, format func(float64) string) string {
		text := cell(ours, unit, format)
		if m, ok := r.median(row.benchmark, ours, unit); ok && limit > 0 {
			text += " (" + verdict(m, limit, format(limit)) + ")"
		}
		return text
	}
	return "| " + strings.Join([]string{
		row.work, cell(ours, unit, duration), cell(std, unit, duration), ratio, target, strings.Join(others, ", "),
		limited("allocs/op", row.allocs, count), cell(std, "allocs/op", count),
		limited("B/op", row.bytes, size), cell(std, "B/op", size),
	}, " | ") + " |"
}

func verdict(m, limit float64, text string) string {
	if m <= limit {
		return "≤ " + text + " met"
	}
	return "≤ " + text + " **missed**"
}

// printConnections tells how many connections the callers over loopback opened.
func (r results) printConnections(w io.Writer) {
	heading := "\nConnections opened, and calls made over them:\n\n"
	for _, row := range rows {
		for _, name := range []string{ours, std, "resty"} {
			if opened, ok := r.median(row.benchmark, name, "connections"); ok {
				calls, _ := r.median(row.benchmark, name, "calls")
				fmt.Fprintf(w, "%s- %s, %s: %s for %s calls\n", heading, row.work, name, count(opened), count(calls))
				heading = ""
			}
		}
	}
}

// printGrowth tells how ours grows with the lines of a bill.
func (r results) printGrowth(w io.Writer) {
	const prefix, suffix = "lines=", "/" + ours
	var lines []int
	for name := range r[growth] {
		if n, err := strconv.Atoi(strings.TrimSuffix(strings.TrimPrefix(name, prefix), suffix)); err == nil {
			lines = append(lines, n)
		}
	}
	if len(lines) == 0 {
		return
	}
	fmt.Fprintln(w, "\n| bill.notify, lines | time | per line | allocs | B/op |")
	fmt.Fprintln(w, "|---:|---:|---:|---:|---:|")
	slices.Sort(lines)
	for _, n := range lines {
		name := prefix + strconv.Itoa(n) + suffix
		ns, _ := r.median(growth, name, "ns/op")
		allocs, _ := r.median(growth, name, "allocs/op")
		bytes, _ := r.median(growth, name, "B/op")
		fmt.Fprintf(w, "| %d | %s | %s | %s | %s |\n", n, duration(ns), duration(ns/float64(n)), count(allocs), size(bytes))
	}
}

func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return significant(ns) + " ns"
	case ns < 1e6:
		return significant(ns/1e3) + " µs"
	}
	return significant(ns/1e6) + " ms"
}

func size(bytes float64) string {
	switch {
	case bytes < 1<<10:
		return count(bytes) + " B"
	case bytes < 1<<20:
		return significant(bytes/(1<<10)) + " KiB"
	}
	return significant(bytes/(1<<20)) + " MiB"
}

func count(n float64) string { return strconv.FormatFloat(n, 'f', 0, 64) }

// significant writes three digits.
func significant(v float64) string {
	switch {
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}
