// Command entered counts the functions of the library that one operation enters: a
// renewal submitted, and a push taken. It shows how much a reader of either has to read.
// Run it in bench/:
//
//	go run ./cmd/entered [-v]
//
// It builds itself again with counters in every block, performs the operation once, and
// asks the go command in which functions a counter moved. A function literal is part of
// the function around it: NewClient counts if an option's literal runs.
package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

const (
	library = "github.com/fliggy-go/rentcar/"
	bench   = library + "bench/"
	self    = bench + "cmd/entered"
)

func main() {
	verbose := flag.Bool("v", false, "list the functions by file")
	operation := flag.String("operation", "", "perform an operation, as the program built with counters")
	dir := flag.String("dir", "", "of an operation: where its counters are written")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *operation != "" {
		err = perform(ctx, *operation, *dir)
	} else {
		err = report(ctx, os.Stdout, *verbose)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "entered:", err)
		os.Exit(1)
	}
}

// report counts the functions that each operation enters.
func report(ctx context.Context, w io.Writer, verbose bool) error {
	dir, err := os.MkdirTemp("", "rentcar-entered-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	binary := filepath.Join(dir, "entered")
	build := []string{"build", "-cover", "-covermode=atomic", "-coverpkg=" + library + "...", "-o", binary, self}
	if _, err := output(ctx, "go", build...); err != nil {
		return err
	}
	for _, operation := range []string{"submit", "push"} {
		counters := filepath.Join(dir, operation)
		if err := os.Mkdir(counters, 0o700); err != nil {
			return err
		}
		if _, err := output(ctx, binary, "-operation", operation, "-dir", counters); err != nil {
			return err
		}
		listed, err := output(ctx, "go", "tool", "covdata", "func", "-i", counters)
		if err != nil {
			return err
		}
		functions, err := parse(listed)
		if err != nil {
			return err
		}
		write(w, operation, functions, verbose)
	}
	return nil
}

// A function is one that was entered.
type function struct {
	file string // relative to the library
	line int
	name string // with its receiver
}

// parse reads the functions that were entered from what covdata lists, such as
// "github.com/fliggy-go/rentcar/call.go:27:  Client.run  85.7%".
func parse(listed []byte) ([]function, error) {
	var entered []function
	for line := range strings.Lines(string(listed)) {
		fields := strings.Fields(line)
		if len(fields) != 3 || !strings.HasPrefix(
			fields[0], library,
		) || strings.HasPrefix(fields[0], bench) || fields[2] == "0.0%" {
			continue
		}
		file, number, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(fields[0], library), ":"), ":")
		n, err := strconv.Atoi(number)
		if err != nil {
			return nil, fmt.Errorf("%q: %w", line, err)
		}
		entered = append(entered, function{file, n, fields[1]})
	}
	if len(entered) == 0 {
		return nil, errors.New("no function was entered: " + string(listed))
	}
	slices.SortFunc(entered, func(a, b function) int {
		return cmp.Or(
			cmp.Compare(path.Dir(a.file), path.Dir(b.file)), cmp.Compare(a.file, b.file), cmp.Compare(a.line, b.line),
		)
	})
	return entered, nil
}

func write(w io.Writer, operation string, entered []function, verbose bool) {
	var list bytes.Buffer
	files := 0
	for i, f := range entered {
		if i == 0 || f.file != entered[i-1].file {
			files++
			fmt.Fprintf(&list, "\n  %-28s", f.file)
		}
		fmt.Fprintf(&list, " %s", f.name)
	}
	fmt.Fprintf(w, "%s: %d functions in %d files\n", operation, len(entered), files)
	if verbose {
		fmt.Fprintf(w, "%s\n\n", strings.TrimPrefix(list.String(), "\n"))
	}
}

// output runs a command and returns what it printed; the error holds what it complained of.
func output(ctx context.Context, name string, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, name, args...) //nolint:gosec // the go command, or what it has just built
	var complaint bytes.Buffer
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("%s %v: %w: %s", filepath.Base(name), args, err, &complaint)
	}
	return out, nil
}
