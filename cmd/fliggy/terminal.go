package main

import (
	"encoding/json"
	"fmt"
)

// print writes a result: as JSON where that is asked for, else as text does.
func (e *env) print(v any, text func()) error {
	if !e.json {
		text()
		return nil
	}
	encoder := json.NewEncoder(e.stdout)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	return nil
}

// A colour is a sequence that a terminal shows as one.
type colour string

const (
	red   colour = "\x1b[31m"
	green colour = "\x1b[32m"
	faint colour = "\x1b[2m"
)

// paint colours a text of stdout on a terminal. NO_COLOR switches colours off.
func (e *env) paint(c colour, text string) string { return e.paintOn(e.isTerminal, c, text) }

// paintErr is paint for stderr.
func (e *env) paintErr(c colour, text string) string { return e.paintOn(e.isErrTerminal, c, text) }

func (e *env) paintOn(isTerminal bool, c colour, text string) string {
	if !isTerminal || e.getenv("NO_COLOR") != "" || e.getenv("TERM") == "dumb" {
		return text
	}
	return string(c) + text + "\x1b[0m"
}

// printf writes a line to stdout.
func (e *env) printf(format string, args ...any) { fmt.Fprintf(e.stdout, format+"\n", args...) }

// note writes a line to stderr: what is no result. --json leaves it out.
func (e *env) note(format string, args ...any) {
	if !e.json {
		fmt.Fprintf(e.stderr, format+"\n", args...)
	}
}
