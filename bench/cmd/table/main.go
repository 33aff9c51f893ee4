// Command table runs the benchmarks in rounds, one row after the other and then
// again, and prints medians and ratios as Markdown.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"time"
)

type options struct {
	rounds       int
	growthRounds int
	benchtime    string
	only         *regexp.Regexp
}

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 15, "how often each row is measured")
	flag.IntVar(&o.growthRounds, "growth", 3, "how often the growth of a bill is measured")
	flag.StringVar(&o.benchtime, "benchtime", "200ms", "how long each contestant runs in a round, or how often (10x)")
	only := flag.String("only", "", "only the rows whose benchmark matches this regular expression")
	quick := flag.Bool("quick", false, "one short round, to see that everything runs: its figures mean nothing")
	flag.Parse()
	if *quick {
		o.rounds, o.growthRounds, o.benchtime = 1, 1, "2x"
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if o.only, err = regexp.Compile(*only); err == nil {
		err = run(ctx, o)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "table:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "rentcar-bench-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "bench.test")
	if _, err := output(ctx, "go", "test", "-c", "-o", binary, "github.com/fliggy-go/rentcar/bench"); err != nil {
		return err
	}
	// What does not do the same work is not compared.
	if _, err := output(ctx, binary, "-test.run", "."); err != nil {
		return fmt.Errorf("the contestants do not agree: %w", err)
	}
	start := time.Now()
	r := results{}
	measure := func(benchmark string) error {
		if !o.only.MatchString(benchmark) {
			return nil
		}
		out, err := output(ctx, binary, "-test.run", "^$", "-test.bench", "^Benchmark"+benchmark+"$", "-test.benchtime", o.benchtime)
		if err != nil {
			return err
		}
		return r.add(out)
	}
	for round := range max(o.rounds, o.growthRounds) {
		fmt.Fprintf(os.Stderr, "round %d, %v\n", round+1, time.Since(start).Round(time.Second))
		all := benchmarks()
		for i := range all {
			if round < o.rounds {
				if err := measure(all[(i+round)%len(all)]); err != nil {
					return err
				}
			}
		}
		if round < o.growthRounds {
			if err := measure(growth); err != nil {
				return err
			}
		}
	}
	fmt.Printf("%s, %s/%s, %d processors; medians of %d rounds of %s, in %v\n\n", runtime.Version(), runtime.GOOS, runtime.GOARCH,
		runtime.NumCPU(), o.rounds, o.benchtime, time.Since(start).Round(time.Second))
	r.print(os.Stdout)
	return nil
}

// output runs a command and returns what it printed; the error holds it too.
func output(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the go command, or what it has just built
	out, err := cmd.CombinedOutput()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s %v: %w", filepath.Base(name), args, err), errors.New(string(out)))
	}
	return out, nil
}
